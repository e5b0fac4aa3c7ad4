internal import CSQLite

// The virtual table interface of SQLite, filled with closures that capture nothing: what they work
// on comes in through the pointers that SQLite hands back.
//
// A table exists by its name alone ("eponymous only"): `xCreate` is nil, so that no statement can
// make another one. `xUpdate` is nil, so that none can be written.

/// A table and the database that it belongs to: what `xConnect` gets as its client data.
final class SQLModule {
  unowned let database: SQLDatabase
  let table: any SQLTable

  init(_ database: SQLDatabase, _ table: any SQLTable) {
    self.database = database
    self.table = table
  }

  /// `CREATE TABLE`, as SQLite wants to be told of the columns.
  var declaration: String {
    let columns = table.columns.map { column in
      var text = "\"\(column.name.replacingQuotes)\" \(column.kind.rawValue)"
      // SQLite reads HIDDEN out of the type, so it stands right behind it.
      if column.isHidden { text += " HIDDEN" }
      if let collation = column.collation { text += " COLLATE \(collation)" }
      return text
    }
    return "CREATE TABLE x(\(columns.joined(separator: ", ")))"
  }
}

extension String {
  /// With each double quote doubled, as an identifier in quotes wants it.
  fileprivate var replacingQuotes: String {
    var text = ""
    for character in unicodeScalars {
      if character == "\"" { text += "\"" }
      text.unicodeScalars.append(character)
    }
    return text
  }
}

/// The state behind `sqlite3_vtab` in the same block of memory.
@unsafe private struct SQLTableState {
  var module: Unmanaged<SQLModule>

  static let offset = 32

  static func module(_ base: UnsafeMutablePointer<sqlite3_vtab>?) -> SQLModule? {
    guard let base = unsafe base else { return nil }
    return unsafe (UnsafeMutableRawPointer(base) + offset)
      .assumingMemoryBound(to: SQLTableState.self).pointee.module.takeUnretainedValue()
  }
}

extension SQLModule {
  /// The callbacks. The structure stays where it is for the life of the process.
  nonisolated(unsafe) static let callbacks: UnsafeMutablePointer<sqlite3_module> = {
    // `nonisolated(unsafe)`: written here, once, and only read by SQLite from then on.
    let module = UnsafeMutablePointer<sqlite3_module>.allocate(capacity: 1)
    unsafe module.initialize(to: sqlite3_module())
    unsafe module.pointee.iVersion = 2
    unsafe module.pointee.xConnect = { database, client, _, _, table, _ in
      unsafe SQLModule.connect(database, client, table)
    }
    unsafe module.pointee.xDisconnect = { table in
      unsafe UnsafeMutableRawPointer(table)?.deallocate()
      return SQLITE_OK
    }
    unsafe module.pointee.xBestIndex = { table, plan in
      guard let module = unsafe SQLTableState.module(table), let plan = unsafe plan else {
        return SQLITE_ERROR
      }
      return unsafe module.choose(plan)
    }
    unsafe module.pointee.xOpen = { table, cursor in
      guard let module = unsafe SQLTableState.module(table), let cursor = unsafe cursor else {
        return SQLITE_ERROR
      }
      unsafe cursor.pointee = SQLCursor.open(module.database, module.table)
      return SQLITE_OK
    }
    unsafe module.pointee.xClose = { cursor in
      if let cursor = unsafe cursor { unsafe SQLCursor.close(cursor) }
      return SQLITE_OK
    }
    unsafe module.pointee.xFilter = { cursor, _, words, count, values in
      guard let cursor = unsafe cursor else { return SQLITE_ERROR }
      return unsafe SQLModule.filter(cursor, words, Int(count), values)
    }
    unsafe module.pointee.xNext = { cursor in
      guard let cursor = unsafe cursor else { return SQLITE_ERROR }
      let state = unsafe SQLCursorState.of(cursor)
      unsafe state.pointee.row &+= 1
      if unsafe state.pointee.row < state.pointee.count { return SQLITE_OK }
      return unsafe state.pointee.cursor.takeUnretainedValue().nextBatch(state)
    }
    unsafe module.pointee.xEof = { cursor in
      guard let cursor = unsafe cursor else { return 1 }
      let state = unsafe SQLCursorState.of(cursor)
      return unsafe state.pointee.row < state.pointee.count ? 0 : 1
    }
    unsafe module.pointee.xColumn = { cursor, context, column in
      guard let cursor = unsafe cursor, let context = unsafe context else { return SQLITE_ERROR }
      return unsafe SQLCursorState.emit(cursor, context, Int(column))
    }
    unsafe module.pointee.xRowid = { cursor, target in
      guard let cursor = unsafe cursor, let target = unsafe target else { return SQLITE_ERROR }
      let state = unsafe SQLCursorState.of(cursor)
      let row = unsafe state.pointee.row
      unsafe target.pointee = state.pointee.cursor.takeUnretainedValue().scan.rowID(row)
      return SQLITE_OK
    }
    return unsafe module
  }()

  /// Registers a table; SQLite releases the module when the connection closes.
  static func register(_ module: SQLModule, in database: OpaquePointer) -> Int32 {
    let client = unsafe Unmanaged.passRetained(module)
    return unsafe sqlite3_create_module_v2(
      database, module.table.name, callbacks, client.toOpaque()
    ) { client in
      if let client = unsafe client { unsafe Unmanaged<SQLModule>.fromOpaque(client).release() }
    }
  }

  private static func connect(
    _ database: OpaquePointer?, _ client: UnsafeMutableRawPointer?,
    _ table: UnsafeMutablePointer<UnsafeMutablePointer<sqlite3_vtab>?>?
  ) -> Int32 {
    guard let client = unsafe client, let table = unsafe table else { return SQLITE_ERROR }
    let module = unsafe Unmanaged<SQLModule>.fromOpaque(client)
    let declared = unsafe sqlite3_declare_vtab(
      database, module.takeUnretainedValue().declaration)
    if declared != SQLITE_OK { return declared }
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: unsafe SQLTableState.offset + MemoryLayout<SQLTableState>.size, alignment: 16)
    let base = unsafe block.initializeMemory(as: sqlite3_vtab.self, to: sqlite3_vtab())
    // The module outlives its tables: SQLite destroys it after the last of them is disconnected.
    unsafe (block + SQLTableState.offset).initializeMemory(
      as: SQLTableState.self, to: SQLTableState(module: module))
    unsafe table.pointee = base
    return SQLITE_OK
  }

  // MARK: - Planning

  /// Tells the table of the conditions, and SQLite of what the table makes of them.
  private func choose(_ plan: UnsafeMutablePointer<sqlite3_index_info>) -> Int32 {
    var offered: [(place: Int, constraint: SQLConstraint, isList: Bool)] = []
    let columns = table.columns
    for place in 0..<Int(unsafe plan.pointee.nConstraint) {
      let raw = unsafe plan.pointee.aConstraint[place]
      let column = Int(raw.iColumn)
      guard raw.usable != 0, columns.indices.contains(column),
        let comparison = SQLModule.comparison(raw.op),
        unsafe isOrdered(plan, place, as: columns[column])
      else { continue }
      var value: SQLValue?
      var constant: OpaquePointer?
      if unsafe sqlite3_vtab_rhs_value(plan, Int32(place), &constant) == SQLITE_OK,
        let constant = unsafe constant
      {
        value = unsafe SQLDatabase.value(constant)
      }
      let isList =
        unsafe sqlite3_vtab_in(plan, Int32(place), -1) != 0 && comparison == .equal
      let constraint = SQLConstraint(column: column, comparison: comparison, value: value)
      offered.append((place, constraint, isList))
    }
    let access = table.access(offered.map(\.constraint))
    var words = Array("\(unsafe plan.pointee.colUsed);".utf8)
    var argument: Int32 = 0
    for (entry, isUsed) in zip(offered, access.used) where isUsed {
      argument += 1
      if entry.isList { unsafe sqlite3_vtab_in(plan, Int32(entry.place), 1) }
      unsafe plan.pointee.aConstraintUsage[entry.place].argvIndex = argument
      let word =
        "\(entry.constraint.column) \(entry.constraint.comparison.rawValue) \(entry.isList ? 1 : 0);"
      words.append(contentsOf: word.utf8)
    }
    unsafe plan.pointee.estimatedCost = access.effort
    unsafe plan.pointee.estimatedRows = access.rowCount
    if access.isUnique { unsafe plan.pointee.idxFlags = SQLITE_INDEX_SCAN_UNIQUE }
    return unsafe SQLModule.give(words, to: plan)
  }

  /// Whether a condition compares in the column's own order, and not in one that `COLLATE` names.
  private func isOrdered(
    _ plan: UnsafeMutablePointer<sqlite3_index_info>, _ place: Int, as column: SQLColumn
  ) -> Bool {
    guard let name = unsafe sqlite3_vtab_collation(plan, Int32(place)) else { return true }
    let given = unsafe String(cString: name)
    return given.lowercased() == (column.collation ?? "binary").lowercased()
  }

  private static func comparison(_ operation: UInt8) -> SQLComparison? {
    switch Int32(operation) {
    case SQLITE_INDEX_CONSTRAINT_EQ: .equal
    case SQLITE_INDEX_CONSTRAINT_NE: .notEqual
    case SQLITE_INDEX_CONSTRAINT_LT: .less
    case SQLITE_INDEX_CONSTRAINT_LE: .lessOrEqual
    case SQLITE_INDEX_CONSTRAINT_GT: .greater
    case SQLITE_INDEX_CONSTRAINT_GE: .greaterOrEqual
    case SQLITE_INDEX_CONSTRAINT_ISNULL: .isNull
    case SQLITE_INDEX_CONSTRAINT_ISNOTNULL: .isNotNull
    default: nil
    }
  }

  /// Leaves the words of a plan in memory of SQLite's, which frees it.
  private static func give(
    _ words: [UInt8], to plan: UnsafeMutablePointer<sqlite3_index_info>
  ) -> Int32 {
    guard let copy = unsafe sqlite3_malloc64(UInt64(words.count + 1)) else { return SQLITE_NOMEM }
    let bytes = unsafe copy.assumingMemoryBound(to: UInt8.self)
    for (place, byte) in words.enumerated() { unsafe bytes[place] = byte }
    unsafe bytes[words.count] = 0
    unsafe plan.pointee.idxStr = copy.assumingMemoryBound(to: CChar.self)
    unsafe plan.pointee.needToFreeIdxStr = 1
    return SQLITE_OK
  }

  // MARK: - Beginning a scan

  private static func filter(
    _ base: UnsafeMutablePointer<sqlite3_vtab_cursor>, _ words: UnsafePointer<CChar>?,
    _ count: Int, _ values: UnsafeMutablePointer<OpaquePointer?>?
  ) -> Int32 {
    var conditions: [SQLCondition] = []
    var used = UInt64.max
    if let words = unsafe words, let values = unsafe values {
      let parts = unsafe String(cString: words).split(separator: ";")
      used = parts.first.flatMap { UInt64($0) } ?? .max
      for (place, part) in parts.dropFirst().enumerated() where place < count {
        let numbers = part.split(separator: " ").compactMap { Int($0) }
        guard numbers.count == 3, let comparison = SQLComparison(rawValue: numbers[1]),
          let value = unsafe values[place]
        else { continue }
        conditions.append(
          SQLCondition(
            column: numbers[0], comparison: comparison,
            values: unsafe SQLModule.values(
              value, isList: numbers[2] == 1, hasValue: comparison.hasValue)))
      }
    }
    let state = unsafe SQLCursorState.of(base)
    return unsafe state.pointee.cursor.takeUnretainedValue().begin(conditions, used: used, state)
  }

  private static func values(
    _ value: OpaquePointer, isList: Bool, hasValue: Bool
  ) -> [SQLValue] {
    if !hasValue { return [] }
    if !isList { return [unsafe SQLDatabase.value(value)] }
    var values: [SQLValue] = []
    var entry: OpaquePointer?
    var result = unsafe sqlite3_vtab_in_first(value, &entry)
    while result == SQLITE_OK, let known = unsafe entry {
      values.append(unsafe SQLDatabase.value(known))
      result = unsafe sqlite3_vtab_in_next(value, &entry)
    }
    return values
  }
}

extension SQLComparison {
  fileprivate var hasValue: Bool { self != .isNull && self != .isNotNull }
}
