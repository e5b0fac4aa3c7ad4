internal import CSQLite
internal import Glibc

/// A value in a row or a parameter of a statement.
enum SQLiteValue: Equatable {
  case null
  case integer(Int64)
  case text(String)
  case blob([UInt8])
}

/// One connection to a SQLite file, closed with its owner; used by one thread at a time.
///
/// Unsafe here are SQLite's handles, which never leave this file, and the pointers to texts and
/// blobs that it lends, which are copied before the next call on their statement.
@safe final class SQLiteConnection {
  enum Access {
    case readWrite
    case readOnly
    /// Read-only, and nothing changes the file meanwhile: no lock and no side file is needed.
    case immutable
  }

  /// SQLITE_IOERR_SHMSIZE: the index of the write-ahead log could not be given its size. SQLite keeps no
  /// `errno` of it.
  static let indexSizeFailure = SQLITE_IOERR | (19 << 8)

  private let handle: OpaquePointer
  private let path: String

  /// - Throws: `notFound`, `accessDenied`, `damaged` or `io`.
  init(path: String, access: Access) throws(StoreError) {
    self.path = path
    // A URI, for `immutable`; every byte that a URI could read otherwise is escaped.
    var uri = "file:"
    for byte in path.utf8 {
      let digits = String(byte, radix: 16, uppercase: true)
      switch byte {
      case UInt8(ascii: "%"), UInt8(ascii: "?"), UInt8(ascii: "#"), 0x80...: uri += "%" + digits
      default: uri.unicodeScalars.append(Unicode.Scalar(byte))
      }
    }
    if access == .immutable { uri += "?immutable=1" }
    let mode =
      access == .readWrite ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
    var opened: OpaquePointer?
    let flags = mode | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
    let result = unsafe sqlite3_open_v2(uri, &opened, flags, nil)
    guard result == SQLITE_OK, let opened = unsafe opened else {
      let cause = unsafe String(cString: sqlite3_errstr(result))
      if let opened = unsafe opened { unsafe sqlite3_close_v2(opened) }
      throw Self.error(result, path: path, cause: cause)
    }
    unsafe handle = opened
    unsafe sqlite3_extended_result_codes(handle, 1)
    // Readers may meet a checkpoint or recovery in progress; those end within milliseconds.
    unsafe sqlite3_busy_timeout(handle, 5_000)
  }

  deinit { unsafe sqlite3_close_v2(handle) }

  /// Runs statements that give no rows and take no parameters.
  func execute(_ statements: String) throws(StoreError) {
    let result = unsafe sqlite3_exec(handle, statements, nil, nil, nil)
    guard result == SQLITE_OK else { throw lastError(result) }
  }

  /// Runs one statement with parameters and returns its rows.
  @discardableResult
  func run(
    _ statement: String, _ parameters: SQLiteValue...
  ) throws(StoreError) -> [[SQLiteValue]] {
    try run(statement, parameters: parameters)
  }

  /// The same with as many parameters as its caller has.
  @discardableResult
  func run(
    _ statement: String, parameters: [SQLiteValue]
  ) throws(StoreError) -> [[SQLiteValue]] {
    var prepared: OpaquePointer?
    let result = unsafe sqlite3_prepare_v2(handle, statement, -1, &prepared, nil)
    guard result == SQLITE_OK, let prepared = unsafe prepared else { throw lastError(result) }
    defer { unsafe sqlite3_finalize(prepared) }
    for (index, parameter) in parameters.enumerated() {
      try unsafe bind(parameter, at: Int32(index + 1), to: prepared)
    }
    var rows: [[SQLiteValue]] = []
    while true {
      let step = unsafe sqlite3_step(prepared)
      if step == SQLITE_DONE { return rows }
      guard step == SQLITE_ROW else { throw lastError(step) }
      var row: [SQLiteValue] = []
      let columns = unsafe sqlite3_column_count(prepared)
      for column in 0..<columns {
        row.append(unsafe value(at: column, of: prepared))
      }
      rows.append(row)
    }
  }

  /// Copies the last committed state into a new file, through SQLite's own backup.
  func backUp(to destination: String) throws(StoreError) {
    let copy = try SQLiteConnection(path: destination, access: .readWrite)
    guard let backup = unsafe sqlite3_backup_init(copy.handle, "main", handle, "main") else {
      throw copy.lastError(unsafe sqlite3_errcode(copy.handle))
    }
    let step = unsafe sqlite3_backup_step(backup, -1)
    let finish = unsafe sqlite3_backup_finish(backup)
    guard step == SQLITE_DONE, finish == SQLITE_OK else {
      throw copy.lastError(finish == SQLITE_OK ? step : finish)
    }
  }

  private func bind(
    _ value: SQLiteValue, at index: Int32, to statement: OpaquePointer
  ) throws(StoreError) {
    // SQLITE_TRANSIENT (−1): SQLite copies the bytes before the call returns.
    let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    let result: Int32
    switch value {
    case .null: result = unsafe sqlite3_bind_null(statement, index)
    case .integer(let value): result = unsafe sqlite3_bind_int64(statement, index, value)
    case .text(let text):
      result = unsafe sqlite3_bind_text(statement, index, text, Int32(text.utf8.count), transient)
    case .blob(let bytes):
      guard bytes.count < Int(Int32.max) / 2 else {
        throw StoreError(.limitExceeded, "\(path) takes no value of \(bytes.count) bytes")
      }
      if bytes.isEmpty {
        result = unsafe sqlite3_bind_zeroblob(statement, index, 0)
      } else {
        result = unsafe bytes.withUnsafeBytes { raw in
          unsafe sqlite3_bind_blob(
            statement, index, raw.baseAddress, Int32(raw.count), transient)
        }
      }
    }
    guard result == SQLITE_OK else { throw lastError(result) }
  }

  private func value(at column: Int32, of statement: OpaquePointer) -> SQLiteValue {
    switch unsafe sqlite3_column_type(statement, column) {
    case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(statement, column))
    case SQLITE_TEXT:
      guard let text = unsafe sqlite3_column_text(statement, column) else { return .text("") }
      let count = Int(unsafe sqlite3_column_bytes(statement, column))
      // SQLite lends `count` bytes at `text` until the next step of this statement.
      return .text(
        unsafe String(
          decoding: UnsafeRawBufferPointer(start: text, count: count), as: UTF8.self))
    case SQLITE_BLOB:
      guard let bytes = unsafe sqlite3_column_blob(statement, column) else { return .blob([]) }
      let count = Int(unsafe sqlite3_column_bytes(statement, column))
      return .blob(unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count)))
    default: return .null
    }
  }

  private func lastError(_ result: Int32) -> StoreError {
    Self.error(
      result, path: path, cause: unsafe String(cString: sqlite3_errmsg(handle)),
      systemNumber: unsafe sqlite3_system_errno(handle))
  }

  /// - Parameter systemNumber: `errno` of the call beneath, where SQLite knows it; else 0.
  static func error(
    _ result: Int32, path: String, cause: String, systemNumber: Int32 = 0
  ) -> StoreError {
    switch result & 0xff {
    case SQLITE_IOERR where result == indexSizeFailure:
      StoreError(
        .diskFull,
        "reading \(path) failed: \(path)-shm, 32 KiB beside it, cannot be made; most likely no space "
          + "is left there: free some and try again", cause: cause)
    case SQLITE_IOERR where systemNumber == ENOSPC || systemNumber == EDQUOT:
      StoreError(
        .diskFull, "writing \(path) failed: no space is left; free some and try again",
        cause: cause)
    case SQLITE_FULL:
      StoreError(
        .diskFull, "writing \(path) failed: no space is left; free some and try again",
        cause: cause)
    case SQLITE_CORRUPT, SQLITE_NOTADB:
      StoreError(.damaged, damage(path), cause: cause)
    case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
      StoreError(
        .accessDenied, "writing \(path) is not allowed; check its owner, mode and mount",
        cause: cause)
    case SQLITE_CANTOPEN:
      StoreError(.accessDenied, "\(path) cannot be opened", cause: cause)
    case SQLITE_BUSY, SQLITE_LOCKED:
      StoreError(.locked, "\(path) is busy; try again", cause: cause)
    default:
      StoreError(.io, "\(path) failed (SQLite \(result))", cause: cause)
    }
  }

  private static func damage(_ path: String) -> String {
    let kind = path.hasSuffix("catalog.sqlite") ? "catalogue" : "database"
    return "\(path) is not an intact \(kind); restore it from a backup"
  }
}
