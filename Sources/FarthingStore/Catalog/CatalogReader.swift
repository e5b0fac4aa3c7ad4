internal import FarthingCore

/// Reads a catalogue without a lock and without changing it.
package enum CatalogReader {
  /// The state as of one committed transaction, every row checked.
  ///
  /// - Throws: `notFound` where there is no catalogue, `damaged` where a check fails.
  package static func state(
    layout: StoreLayout, fileSystem: any FileSystem
  ) throws(StoreError) -> CatalogState {
    try reading(layout: layout, fileSystem: fileSystem) { (connection, path) throws(StoreError) in
      try state(connection, path: path)
    }
  }

  /// All price lists in import order.
  package static func priceLists(
    layout: StoreLayout, fileSystem: any FileSystem
  ) throws(StoreError) -> [PriceListEntry] {
    try reading(layout: layout, fileSystem: fileSystem) { (connection, path) throws(StoreError) in
      try priceLists(connection, path: path)
    }
  }

  /// Copies the last committed state of the catalogue at `path` into a new file.
  package static func backUp(_ path: String, to destination: String) throws(StoreError) {
    try SQLiteConnection(path: path, access: .readOnly).backUp(to: destination)
  }

  static func reading<Result>(
    layout: StoreLayout, fileSystem: any FileSystem,
    _ body: (SQLiteConnection, String) throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    let path = layout.catalogPath
    guard try fileSystem.size(path) != nil else {
      try StoreRestore.expectFinished(layout, fileSystem)
      throw StoreError(.notFound, "\(layout.directory) holds no store: \(path) does not exist")
    }
    do throws(StoreError) {
      let connection = try SQLiteConnection(path: path, access: .readOnly)
      return try body(connection, path)
    } catch {
      // On a medium that is read-only or full SQLite cannot make the side files that a catalogue in
      // WAL mode needs. Where no write-ahead log is left, the file alone is the whole catalogue. On a
      // full one a writer may live: it changes the file only out of a log that has bytes.
      guard error.code == .accessDenied || error.code == .diskFull,
        try fileSystem.size(path + "-wal") ?? 0 == 0
      else { throw error }
      let result = try body(try SQLiteConnection(path: path, access: .immutable), path)
      guard try fileSystem.size(path + "-wal") ?? 0 == 0 else { throw error }
      return result
    }
  }

  static func version(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> Int64 {
    let version = try integer(try connection.run("PRAGMA user_version").first?.first, path)
    guard version <= CatalogSchema.version, version >= 0 else {
      throw StoreError(
        .unsupportedVersion,
        "\(path) has catalogue version \(version), this build reads up to "
          + "\(CatalogSchema.version); use the newer build")
    }
    return version
  }

  static func state(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> CatalogState {
    guard try version(connection, path: path) > 0 else {
      throw StoreError(.notFound, "\(path) is empty: no store was created here yet")
    }
    try connection.execute("BEGIN")
    defer { try? connection.execute("COMMIT") }
    var state = CatalogState()
    let rows = try connection.run(
      """
      SELECT seed, generation, next_segment, next_log, covered_request, covered_outcome,
        covered_capacity, rows_digest, checksum FROM store
      """)
    guard let store = rows.first, rows.count == 1, store.count == 9, case .blob(let seed) = store[0]
    else { throw broken(path, "its store row is missing") }
    state.seed = seed
    state.generation = try integer(store[1], path)
    state.nextSegmentID = try integer(store[2], path)
    state.nextLogID = try integer(store[3], path)
    state.coveredSequence = [
      try integer(store[4], path), try integer(store[5], path), try integer(store[6], path),
    ]
    let digest = try integer(store[7], path)
    guard try integer(store[8], path) == state.storeChecksum(digest: digest) else {
      throw broken(path, "its store row fails its checksum")
    }
    state.segments = try segments(connection, path: path)
    state.logs = try logs(connection, path: path)
    state.damage = try damage(connection, path: path)
    state.sources = try sources(connection, path: path)
    state.expiries = try expiries(connection, path: path)
    guard state.rowsDigest == digest else {
      throw broken(path, "rows are missing from it, or stale")
    }
    for row in try connection.run("SELECT file FROM removals ORDER BY file") {
      if case .text(let file) = row[0] { state.removals.append(file) }
    }
    return state
  }

  private static func segments(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> [SegmentEntry] {
    var entries: [SegmentEntry] = []
    for row in try connection.run("SELECT * FROM segments ORDER BY id") {
      var numbers: [Int64] = []
      for value in row { numbers.append(try integer(value, path)) }
      guard numbers.count == 9, let kind = UInt8(exactly: numbers[1]).flatMap(EventKind.init),
        numbers[4] <= numbers[5], numbers[6] <= numbers[7]
      else { throw broken(path, "a segment row is malformed") }
      let entry = SegmentEntry(
        id: numbers[0], kind: kind, rowCount: Int(numbers[2]), byteCount: Int(numbers[3]),
        time: numbers[4]...numbers[5], receivedTime: numbers[6]...numbers[7])
      guard entry.checksum == numbers[8] else {
        throw broken(path, "the row of segment \(entry.id) fails its checksum")
      }
      entries.append(entry)
    }
    return entries
  }

  private static func logs(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> [LogEntry] {
    var entries: [LogEntry] = []
    for row in try connection.run("SELECT id, first_sequence, checksum FROM logs ORDER BY id") {
      let entry = LogEntry(
        id: try integer(row[0], path), firstSequence: try integer(row[1], path))
      guard try integer(row[2], path) == entry.checksum else {
        throw broken(path, "the row of log \(entry.id) fails its checksum")
      }
      entries.append(entry)
    }
    return entries
  }

  private static func sources(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> [SourceEntry] {
    // A reader may meet a catalogue that no writer has brought to this version yet.
    guard
      try !connection.run("SELECT 1 FROM sqlite_schema WHERE name = 'sources'").isEmpty
    else { return [] }
    var entries: [SourceEntry] = []
    for row in try connection.run(
      "SELECT source, state, sequence, checksum FROM sources ORDER BY source")
    {
      guard row.count == 4, case .text(let source) = row[0], case .blob(let state) = row[1] else {
        throw broken(path, "a source row is malformed")
      }
      let entry = SourceEntry(
        position: SourcePosition(source: source, state: state),
        sequence: try integer(row[2], path))
      guard try integer(row[3], path) == entry.checksum else {
        throw broken(path, "the row of source \(source) fails its checksum")
      }
      entries.append(entry)
    }
    return entries
  }

  private static func damage(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> [DamageReport] {
    var reports: [DamageReport] = []
    for row in try connection.run(
      "SELECT file, message, lost_rows, kind, checksum FROM damage ORDER BY id")
    {
      guard case .text(let file) = row[0], case .text(let message) = row[1] else {
        throw broken(path, "a damage row is malformed")
      }
      var report = DamageReport(file: file, message: message)
      if case .integer(let rows) = row[2] { report.lostRows = Int(rows) }
      if case .integer(let kind) = row[3] {
        report.kind = UInt8(exactly: kind).flatMap(EventKind.init)
      }
      guard try integer(row[4], path) == report.checksum else {
        throw broken(path, "a damage row fails its checksum")
      }
      reports.append(report)
    }
    return reports
  }

  static func priceLists(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> [PriceListEntry] {
    var lists: [PriceListEntry] = []
    for row in try connection.run("SELECT * FROM price_lists ORDER BY id") {
      guard row.count == 7, case .text(let name) = row[1], case .text(let format) = row[2],
        case .blob(let bytes) = row[5]
      else { throw broken(path, "a price list is malformed") }
      var entry = PriceListEntry(
        id: try integer(row[0], path), name: name, format: format, validFrom: nil,
        importedAt: try integer(row[4], path), bytes: bytes)
      if case .integer(let from) = row[3] { entry.validFrom = from }
      guard try integer(row[6], path) == entry.checksum else {
        throw broken(path, "price list \(entry.id) fails its checksum")
      }
      lists.append(entry)
    }
    return lists
  }

  static func setting(
    _ connection: SQLiteConnection, _ key: String
  ) throws(StoreError) -> String? {
    let rows = try connection.run("SELECT value FROM settings WHERE key = ?", .text(key))
    if case .text(let value)? = rows.first?.first { return value }
    return nil
  }

  private static func integer(_ value: SQLiteValue?, _ path: String) throws(StoreError) -> Int64 {
    guard case .integer(let number)? = value else {
      throw broken(path, "a number is missing in it")
    }
    return number
  }

  static func broken(_ path: String, _ what: String) -> StoreError {
    StoreError(.damaged, "\(path) is damaged: \(what); restore it from a backup")
  }
}
