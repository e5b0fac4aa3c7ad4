internal import CSQLite

/// A SQLite database in memory without a table of its own, over tables of ours.
///
/// It reads and nothing else. Five fences, each of which would do for a well-meant statement: no file is
/// open; the authorizer allows selecting, reading, recursion and calling functions; the prepared
/// statement has to be read-only by SQLite's own account; tables have no way to be written; and the
/// defensive switches and limits are on.
///
/// One thread uses it at a time. Unsafe here are SQLite's handles, which stay in this folder, and
/// pointers to texts that SQLite lends and that are copied before the next call.
@safe package final class SQLDatabase {
  /// What one statement may take.
  package struct Limits: Sendable {
    /// The longest text, blob or row, in bytes.
    package var valueBytes: Int32 = 64 << 20
    /// Memory of one sort, set of distinct values or intermediate table before it goes to a file.
    package var sortBytes = 32 << 20
    /// All memory of SQLite in this process while the statement runs, the statement's temporary tables
    /// included, which go to no file then; nil where those go to files.
    package var memoryBytes: Int?
    /// Of one statement.
    package var statementBytes: Int32 = 1 << 20
    /// Asked now and then while a statement runs; true ends it.
    package var isTimeOver: (@Sendable () -> Bool)?

    package init() {}
  }

  let handle: OpaquePointer
  private let limits: Limits
  /// What a callback could not do, until the step that caused it comes back.
  private var pendingError: (any Error)?
  /// What the authorizer refused in the statement at hand.
  private var refusal: String?

  /// `SQLITE_TRANSIENT`: SQLite copies the bytes before the call returns.
  static var transient: sqlite3_destructor_type {
    unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
  }

  /// Opens an empty database.
  ///
  /// - Throws: ``SQLFailure`` where SQLite has no memory for it.
  package init(limits: Limits = Limits()) throws(SQLFailure) {
    self.limits = limits
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX
    let result = unsafe sqlite3_open_v2(":memory:", &opened, flags, nil)
    guard result == SQLITE_OK, let opened = unsafe opened else {
      if let opened = unsafe opened { unsafe sqlite3_close_v2(opened) }
      throw SQLFailure(.limit, "SQLite has no memory for a database")
    }
    unsafe handle = opened
    unsafe sqlite3_extended_result_codes(handle, 1)
    // What does not fit goes to temporary files, which have no name and vanish with the process; its
    // limit on the size of a file bounds them. Runs of a sort as long as this cache are merged.
    let pages = "PRAGMA cache_size = -\(max(1, limits.sortBytes >> 10))"
    let place = limits.memoryBytes == nil ? "FILE" : "MEMORY"
    unsafe sqlite3_exec(handle, "PRAGMA temp_store = \(place); \(pages)", nil, nil, nil)
    fence()
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Bounds the memory that SQLite may take in this process; other connections count too.
  package static func limitMemory(bytes: Int) {
    _ = sqlite3_hard_heap_limit64(Int64(bytes))
  }

  /// Adds a table that statements may read.
  ///
  /// - Throws: ``SQLFailure`` where the name is taken.
  package func add(_ table: any SQLTable) throws(SQLFailure) {
    try expect(unsafe SQLModule.register(SQLModule(self, table), in: handle))
  }

  func expect(_ result: Int32) throws(SQLFailure) {
    if result != SQLITE_OK {
      throw SQLFailure(.execution, unsafe String(cString: sqlite3_errmsg(handle)))
    }
  }

  // MARK: - Fences

  private func fence() {
    unsafe farthing_sqlite3_switch(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
    unsafe farthing_sqlite3_switch(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    unsafe farthing_sqlite3_switch(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0)
    unsafe farthing_sqlite3_switch(handle, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0)
    unsafe farthing_sqlite3_switch(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    // A text in double quotes is a name: a mistyped one must not become a constant.
    unsafe farthing_sqlite3_switch(handle, SQLITE_DBCONFIG_DQS_DML, 0)
    unsafe farthing_sqlite3_switch(handle, SQLITE_DBCONFIG_DQS_DDL, 0)
    let bounds: [(Int32, Int32)] = [
      (SQLITE_LIMIT_LENGTH, limits.valueBytes), (SQLITE_LIMIT_SQL_LENGTH, limits.statementBytes),
      (SQLITE_LIMIT_ATTACHED, 0), (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
      (SQLITE_LIMIT_EXPR_DEPTH, 500), (SQLITE_LIMIT_COMPOUND_SELECT, 200),
      (SQLITE_LIMIT_WORKER_THREADS, 0),
    ]
    for (limit, value) in bounds { unsafe sqlite3_limit(handle, limit, value) }
    // The callbacks get an unretained reference: the connection closes before this object is gone.
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe sqlite3_set_authorizer(
      handle,
      { context, action, first, second, _, _ in
        guard let context = unsafe context else { return SQLITE_DENY }
        let database = unsafe Unmanaged<SQLDatabase>.fromOpaque(context).takeUnretainedValue()
        let table = unsafe first.map { unsafe String(cString: $0) }
        let name = unsafe second.map { unsafe String(cString: $0) }
        return database.authorize(action, table: table, function: name)
      }, context)
    guard limits.isTimeOver != nil || limits.memoryBytes != nil else { return }
    // Some ten thousand steps of SQLite's machine take about a tenth of a millisecond. Memory is
    // looked at more often: a hundred steps may make a hundred values of the greatest length.
    unsafe sqlite3_progress_handler(
      handle, limits.memoryBytes == nil ? 10_000 : 200,
      { context in
        guard let context = unsafe context else { return 1 }
        let database = unsafe Unmanaged<SQLDatabase>.fromOpaque(context).takeUnretainedValue()
        return database.isOver ? 1 : 0
      }, context)
  }

  /// Whether the statement has had its time or its memory.
  private var isOver: Bool {
    if let bound = limits.memoryBytes, sqlite3_memory_used() > Int64(bound) {
      pendingError =
        pendingError
        ?? SQLFailure(
          .limit,
          "the statement needs more than its memory limit; raise it with query_memory_mib in the "
            + "configuration")
      return true
    }
    return limits.isTimeOver?() == true
  }

  /// Functions that reach beyond the statement, or could.
  private static let refusedFunctions: Set<String> = [
    "load_extension", "fts3_tokenizer", "fts5", "readfile", "writefile", "edit", "sqlite_log",
  ]

  private func authorize(_ action: Int32, table: String?, function: String?) -> Int32 {
    switch action {
    case SQLITE_SELECT, SQLITE_READ, SQLITE_RECURSIVE: return SQLITE_OK
    // So SQLite asks when it reads the declaration of a virtual table. A statement that meant it would
    // not be read-only, and the defensive switch forbids it, too.
    case SQLITE_UPDATE where table == "sqlite_master": return SQLITE_OK
    case SQLITE_FUNCTION:
      guard let name = function, SQLDatabase.refusedFunctions.contains(name.lowercased()) else {
        return SQLITE_OK
      }
      refusal = refusal ?? "the function \(name) is refused: it reaches beyond the statement"
    default:
      refusal = refusal ?? "it would do more than read"
    }
    return SQLITE_DENY
  }

  // MARK: - Running

  /// Runs one statement.
  ///
  /// - Parameters:
  ///   - begin: Called once with the names of the columns before the first row.
  ///   - row: Called with each row.
  /// - Throws: ``SQLFailure``; what a table's scan threw; what `row` threw.
  package func run(
    _ text: String, begin: ([String]) throws -> Void, row: ([SQLValue]) throws -> Void
  ) throws {
    let statement = try unsafe prepare(text)
    defer { unsafe sqlite3_finalize(statement) }
    let count = unsafe sqlite3_column_count(statement)
    var names: [String] = []
    for column in 0..<count {
      // SQLite lends the name until the statement is prepared anew.
      let name = unsafe sqlite3_column_name(statement, column)
      names.append(unsafe name.map { unsafe String(cString: $0) } ?? "")
    }
    try begin(names)
    while true {
      let step = unsafe sqlite3_step(statement)
      if step == SQLITE_DONE { return }
      guard step == SQLITE_ROW else { throw failure(step) }
      var values: [SQLValue] = []
      values.reserveCapacity(Int(count))
      for column in 0..<count {
        guard let value = unsafe sqlite3_column_value(statement, column) else { continue }
        values.append(unsafe SQLDatabase.value(value))
      }
      try row(values)
    }
  }

  private func prepare(_ text: String) throws -> OpaquePointer {
    guard let verb = SQLText.verb(text) else {
      throw SQLFailure(.statement, "there is no statement; write SELECT …")
    }
    guard ["SELECT", "WITH", "VALUES", "EXPLAIN"].contains(verb) else {
      throw SQLFailure(
        .statement,
        "\(verb) is refused: this only reads; begin with SELECT, WITH, VALUES or EXPLAIN")
    }
    guard text.utf8.count <= Int(limits.statementBytes) else {
      throw SQLFailure(
        .statement,
        "the statement has \(text.utf8.count) bytes; at most \(limits.statementBytes) are read")
    }
    guard !text.utf8.contains(0) else {
      throw SQLFailure(.statement, "the statement holds a zero byte")
    }
    refusal = nil
    pendingError = nil
    var statement: OpaquePointer?
    var rest: UnsafePointer<CChar>?
    var tail = ""
    // `rest` points into the statement's own bytes, which `withCString` keeps for the call.
    let result = unsafe text.withCString { bytes in
      let result = unsafe sqlite3_prepare_v2(handle, bytes, -1, &statement, &rest)
      if let rest = unsafe rest { tail = unsafe String(cString: rest) }
      return result
    }
    guard result == SQLITE_OK, let statement = unsafe statement else {
      if let refusal { throw SQLFailure(.statement, "the statement is refused: \(refusal)") }
      if let pendingError { throw pendingError }
      throw SQLFailure(
        result & 0xff == SQLITE_NOMEM ? .limit : .statement,
        unsafe String(cString: sqlite3_errmsg(handle)))
    }
    let complaint =
      SQLText.verb(tail) != nil
      ? "there is more than one statement; give one"
      : unsafe sqlite3_stmt_readonly(statement) == 0
        ? "the statement is refused: it would do more than read"
        : unsafe sqlite3_bind_parameter_count(statement) > 0
          ? "a parameter such as ?1 or :name has no value here; write the value" : nil
    if let complaint {
      unsafe sqlite3_finalize(statement)
      throw SQLFailure(.statement, complaint)
    }
    return unsafe statement
  }

  private func failure(_ result: Int32) -> any Error {
    if let error = pendingError {
      pendingError = nil
      return error
    }
    let message = unsafe String(cString: sqlite3_errmsg(handle))
    switch result & 0xff {
    // A table of SQLite's own, such as those of pragmas, prepares statements while it is read.
    case _ where refusal != nil:
      return SQLFailure(.statement, "the statement is refused: \(refusal ?? "")")
    case SQLITE_NOMEM:
      return SQLFailure(
        .limit,
        "the statement needs more than its memory limit; raise it with query_memory_mib in the "
          + "configuration")
    // A file that may not grow further, or a full disk.
    case SQLITE_IOERR, SQLITE_FULL:
      return SQLFailure(
        .limit,
        "the statement needs more room for temporary files than there is or than it may take; "
          + "narrow it, or let SQLITE_TMPDIR name a folder with more room")
    case SQLITE_TOOBIG:
      return SQLFailure(.limit, "a value is longer than \(limits.valueBytes) bytes")
    case SQLITE_INTERRUPT: return SQLFailure(.timeout, "the time for the statement is over")
    default: return SQLFailure(.execution, message)
    }
  }

  // MARK: - Callbacks

  /// Runs what a callback has to do; an error waits for the step to come back.
  func attempt(_ body: () throws -> Void) -> Int32 {
    do {
      try body()
      return SQLITE_OK
    } catch {
      if pendingError == nil { pendingError = error }
      return SQLITE_ERROR
    }
  }

  /// - Throws: ``SQLFailure`` of code `timeout`.
  func checkTime() throws(SQLFailure) {
    if limits.isTimeOver?() == true {
      throw SQLFailure(.timeout, "the time for the statement is over")
    }
  }

  /// A copy of a value that SQLite lends. A text that is no UTF-8 is given as its bytes.
  static func value(_ value: OpaquePointer) -> SQLValue {
    switch unsafe sqlite3_value_type(value) {
    case SQLITE_INTEGER: return .integer(unsafe sqlite3_value_int64(value))
    case SQLITE_FLOAT: return .real(unsafe sqlite3_value_double(value))
    case SQLITE_TEXT:
      guard let text = unsafe sqlite3_value_text(value) else { return .text("") }
      let count = Int(unsafe sqlite3_value_bytes(value))
      // SQLite lends `count` bytes at `text` until the value changes.
      let bytes = unsafe UnsafeBufferPointer(start: text, count: count)
      if let valid = unsafe String(validating: bytes, as: UTF8.self) { return .text(valid) }
      return .blob(unsafe Array(bytes))
    case SQLITE_BLOB:
      guard let bytes = unsafe sqlite3_value_blob(value) else { return .blob([]) }
      let count = Int(unsafe sqlite3_value_bytes(value))
      return .blob(unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count)))
    default: return .null
    }
  }

  /// Hands a value to SQLite, which copies it.
  static func emit(_ context: OpaquePointer, _ value: SQLValue) {
    switch value {
    case .null: unsafe sqlite3_result_null(context)
    case .integer(let number): unsafe sqlite3_result_int64(context, number)
    case .real(let number): unsafe sqlite3_result_double(context, number)
    case .text(let text):
      unsafe sqlite3_result_text(context, text, Int32(clamping: text.utf8.count), transient)
    case .blob(let bytes):
      unsafe bytes.withUnsafeBytes { raw in
        unsafe sqlite3_result_blob(
          context, raw.baseAddress, Int32(clamping: raw.count), transient)
      }
    }
  }
}
