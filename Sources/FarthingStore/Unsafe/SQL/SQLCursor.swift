internal import CSQLite

// A scan as SQLite sees it.
//
// SQLite owns a cursor through a pointer to a `sqlite3_vtab_cursor`. Ours stands at the front of a
// block of memory whose rest is the state that `xNext`, `xEof` and `xColumn` need: these run once a
// row or a value, so they touch plain memory only. Everything that happens once a batch goes through
// the Swift object that the state holds a reference to.
//
// Errors do not pass C: a callback leaves its error with the database and returns SQLITE_ERROR, and
// the database throws it when the step comes back.

/// The state behind `sqlite3_vtab_cursor` in the same block of memory.
@unsafe struct SQLCursorState {
  /// Place in the batch, and how many rows it has; 0 at the end.
  var row = 0
  var count = 0
  var views: UnsafeMutablePointer<SQLColumnView>
  var columnCount: Int
  var cursor: Unmanaged<SQLCursor>
  var clock = SQLTimeText()

  static let offset = 16

  /// The state of a cursor that ``SQLCursor/open(_:)`` has made.
  @inline(__always)
  static func of(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>) -> UnsafeMutablePointer<
    SQLCursorState
  > {
    unsafe (UnsafeMutableRawPointer(base) + offset).assumingMemoryBound(to: SQLCursorState.self)
  }
}

/// What a cursor owns on the Swift side.
@safe final class SQLCursor {
  let database: SQLDatabase
  let scan: any SQLScan
  private let views: UnsafeMutablePointer<SQLColumnView>
  private var buffers: [SQLColumnBuffer] = []
  private var filled: [Int] = []

  init(_ database: SQLDatabase, _ table: any SQLTable) {
    self.database = database
    scan = table.scan()
    unsafe views = .allocate(capacity: table.columns.count)
    for column in table.columns.indices { buffers.append(unsafe SQLColumnBuffer(views + column)) }
  }

  deinit {
    buffers = []
    unsafe views.deallocate()
  }

  /// Makes the block of memory that SQLite holds; ``close(_:)`` frees it.
  static func open(
    _ database: SQLDatabase, _ table: any SQLTable
  ) -> UnsafeMutablePointer<sqlite3_vtab_cursor> {
    let cursor = SQLCursor(database, table)
    let block = UnsafeMutableRawPointer.allocate(
      byteCount: unsafe SQLCursorState.offset + MemoryLayout<SQLCursorState>.size, alignment: 16)
    let base = unsafe block.initializeMemory(
      as: sqlite3_vtab_cursor.self, to: sqlite3_vtab_cursor())
    let state = unsafe SQLCursorState(
      views: cursor.views, columnCount: table.columns.count, cursor: .passRetained(cursor))
    unsafe (block + SQLCursorState.offset).initializeMemory(as: SQLCursorState.self, to: state)
    return unsafe base
  }

  static func close(_ base: UnsafeMutablePointer<sqlite3_vtab_cursor>) {
    let state = unsafe SQLCursorState.of(base)
    unsafe state.pointee.cursor.release()
    unsafe state.deinitialize(count: 1)
    unsafe UnsafeMutableRawPointer(base).deallocate()
  }

  /// Goes to the first row that the conditions may keep.
  ///
  /// - Parameter used: Bit n: column n is read; bit 63: any from 63 on.
  func begin(
    _ conditions: [SQLCondition], used: UInt64, _ state: UnsafeMutablePointer<SQLCursorState>
  ) -> Int32 {
    unsafe state.pointee.count = 0
    return database.attempt {
      let columns = buffers.indices.map { used >> UInt64(min($0, 63)) & 1 == 1 }
      try scan.begin(conditions, columns: columns)
      unsafe try advance(state)
    }
  }

  func nextBatch(_ state: UnsafeMutablePointer<SQLCursorState>) -> Int32 {
    database.attempt { unsafe try advance(state) }
  }

  private func advance(_ state: UnsafeMutablePointer<SQLCursorState>) throws {
    for column in filled { unsafe views[column].kind = .unfilled }
    filled.removeAll(keepingCapacity: true)
    try database.checkTime()
    unsafe state.pointee.row = 0
    unsafe state.pointee.count = try scan.nextBatch()
  }

  func fill(_ column: Int) -> Int32 {
    database.attempt {
      filled.append(column)
      try scan.fill(buffers[column], column: column)
    }
  }

  /// A value that a buffer holds as such.
  func value(_ column: Int, _ row: Int) -> SQLValue {
    let values = buffers[column].values
    return row < values.count ? values[row] : .null
  }
}

extension SQLCursorState {
  /// Hands a value of the row at hand to SQLite.
  @inline(__always)
  static func emit(
    _ base: UnsafeMutablePointer<sqlite3_vtab_cursor>, _ context: OpaquePointer, _ column: Int
  ) -> Int32 {
    let state = unsafe SQLCursorState.of(base)
    let row = unsafe state.pointee.row
    // SQLite asks for columns of the declaration, and for rows only while `xEof` says there are.
    guard unsafe column < state.pointee.columnCount, unsafe row < state.pointee.count else {
      unsafe sqlite3_result_null(context)
      return SQLITE_OK
    }
    let view = unsafe state.pointee.views + column
    if unsafe view.pointee.kind == .unfilled {
      let result = unsafe state.pointee.cursor.takeUnretainedValue().fill(column)
      if result != SQLITE_OK { return result }
    }
    if unsafe view.pointee.hasValidity, let validity = unsafe view.pointee.validity,
      unsafe validity[row] == 0
    {
      unsafe sqlite3_result_null(context)
      return SQLITE_OK
    }
    switch unsafe view.pointee.kind {
    case .integers:
      if let integers = unsafe view.pointee.integers {
        unsafe sqlite3_result_int64(context, integers[row])
      }
    case .reals:
      if let reals = unsafe view.pointee.reals {
        unsafe sqlite3_result_double(context, reals[row])
      }
    case .times:
      if let integers = unsafe view.pointee.integers {
        unsafe state.pointee.clock.emit(context, integers[row])
      }
    case .keptCodes, .codes:
      if let codes = unsafe view.pointee.codes {
        let isKept = unsafe view.pointee.kind == .keptCodes
        unsafe emitText(context, view, Int(codes[row]), isKept: isKept)
      }
    case .texts: unsafe emitText(context, view, row, isKept: false)
    case .mixed:
      let value = unsafe state.pointee.cursor.takeUnretainedValue().value(column, row)
      unsafe SQLDatabase.emit(context, value)
    case .null, .unfilled: unsafe sqlite3_result_null(context)
    }
    return SQLITE_OK
  }

  @inline(__always)
  private static func emitText(
    _ context: OpaquePointer, _ view: UnsafeMutablePointer<SQLColumnView>, _ place: Int,
    isKept: Bool
  ) {
    guard let bytes = unsafe view.pointee.bytes, let bounds = unsafe view.pointee.bounds else {
      return
    }
    let start = unsafe bounds[place]
    let count = unsafe Int32(truncatingIfNeeded: bounds[place + 1] - start)
    unsafe UnsafeRawPointer(bytes + Int(start)).withMemoryRebound(
      to: CChar.self, capacity: Int(count)
    ) { text in
      unsafe sqlite3_result_text(context, text, count, isKept ? nil : SQLDatabase.transient)
    }
  }
}

/// RFC 3339 in UTC with as few of 0, 3, 6 or 9 fraction digits as the time needs.
///
/// The last day's date is kept: rows of a block lie close together in time.
struct SQLTimeText {
  private var day = Int64.min
  /// `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ` at most.
  private var text: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  private static let nanosecondsPerDay: Int64 = 86_400_000_000_000

  mutating func emit(_ context: OpaquePointer, _ nanoseconds: Int64) {
    // The 32 bytes of `text` hold the 30 of the longest time.
    unsafe withUnsafeMutableBytes(of: &text) { bytes in
      let count = unsafe SQLTimeText.write(nanoseconds, day: &day, into: bytes)
      guard let base = bytes.baseAddress else { return }
      unsafe sqlite3_result_text(
        context, base.assumingMemoryBound(to: CChar.self), Int32(count), SQLDatabase.transient)
    }
  }

  /// Writes a time over what stands in `bytes`, whose first ten are the date of `day`.
  /// - Returns: how many bytes it takes.
  static func write(
    _ nanoseconds: Int64, day: inout Int64, into bytes: UnsafeMutableRawBufferPointer
  ) -> Int {
    var (today, rest) = nanoseconds.quotientAndRemainder(dividingBy: nanosecondsPerDay)
    if rest < 0 {
      today -= 1
      rest += nanosecondsPerDay
    }
    if today != day {
      day = today
      unsafe writeDate(today, bytes)
    }
    let seconds = UInt32(truncatingIfNeeded: rest / 1_000_000_000)
    var fraction = UInt32(truncatingIfNeeded: rest % 1_000_000_000)
    unsafe put(seconds / 3_600, 2, bytes, 11)
    unsafe put(seconds / 60 % 60, 2, bytes, 14)
    unsafe put(seconds % 60, 2, bytes, 17)
    unsafe bytes[10] = UInt8(ascii: "T")
    unsafe bytes[13] = UInt8(ascii: ":")
    unsafe bytes[16] = UInt8(ascii: ":")
    var end = 19
    if fraction != 0 {
      var digits = 9
      while digits > 3, fraction % 1_000 == 0 {
        fraction /= 1_000
        digits -= 3
      }
      unsafe bytes[19] = UInt8(ascii: ".")
      unsafe put(fraction, digits, bytes, 20)
      end = 20 + digits
    }
    unsafe bytes[end] = UInt8(ascii: "Z")
    return end + 1
  }

  /// Year, month and day of a day count since 1970, by years that begin in March.
  private static func writeDate(_ day: Int64, _ bytes: UnsafeMutableRawBufferPointer) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    let month = march < 10 ? march + 3 : march - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    unsafe put(UInt32(truncatingIfNeeded: year), 4, bytes, 0)
    unsafe put(UInt32(truncatingIfNeeded: month), 2, bytes, 5)
    unsafe put(UInt32(truncatingIfNeeded: dayOfYear - (153 * march + 2) / 5 + 1), 2, bytes, 8)
    unsafe bytes[4] = UInt8(ascii: "-")
    unsafe bytes[7] = UInt8(ascii: "-")
  }

  @inline(__always)
  private static func put(
    _ number: UInt32, _ digits: Int, _ bytes: UnsafeMutableRawBufferPointer, _ place: Int
  ) {
    var rest = number
    for offset in (0..<digits).reversed() {
      unsafe bytes[place + offset] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

extension SQLColumnBuffer {
  /// RFC 3339 in UTC, as a column of times shows it.
  package static func timeText(_ nanoseconds: Int64) -> String {
    var bytes: [UInt8] = Array(repeating: 0, count: 32)
    var day = Int64.min
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe SQLTimeText.write(nanoseconds, day: &day, into: buffer)
    }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}
