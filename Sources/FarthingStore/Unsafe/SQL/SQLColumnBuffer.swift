internal import CSQLite

/// The texts of a column's codes in memory that stays where it is, so that SQLite may keep pointers
/// to them instead of copies.
///
/// Owned: one block of bytes and one of their bounds, freed with the object. The database keeps
/// every table that it may still point to. `@unchecked Sendable`: nothing writes after `init`.
@safe package final class SQLTextTable: @unchecked Sendable {
  fileprivate let bytes: UnsafeMutablePointer<UInt8>
  /// Where each text begins, and at last where the last one ends: count + 1.
  fileprivate let bounds: UnsafeMutablePointer<UInt32>
  /// 1 for each text that is one; 0 for what is absent.
  fileprivate let presence: UnsafeMutablePointer<UInt8>
  package let count: Int
  package let byteCount: Int

  /// - Parameter texts: At most 4 GiB in all; nil for a code that stands for absence.
  package init(_ column: TextColumn) {
    count = column.count
    byteCount = column.bytes.count
    unsafe bytes = .allocate(capacity: max(1, column.bytes.count))
    unsafe bounds = .allocate(capacity: column.count + 1)
    unsafe presence = .allocate(capacity: max(1, column.count))
    for (place, byte) in column.bytes.enumerated() { unsafe bytes[place] = byte }
    for place in 0...column.count { unsafe bounds[place] = column.offsets[place] }
    for place in 0..<column.count {
      unsafe presence[place] = column.validity.map { $0[place] } ?? 1
    }
  }

  deinit {
    unsafe bytes.deallocate()
    unsafe bounds.deallocate()
    unsafe presence.deallocate()
  }
}

/// What `xColumn` reads to hand out a value: plain memory, so that a row costs no reference count.
///
/// All pointers are into memory of the ``SQLColumnBuffer`` that wrote it, or of its text table, and
/// hold for `SQLCursorState.count` rows until the buffer is filled again.
@unsafe struct SQLColumnView {
  enum Kind: UInt8 {
    case unfilled
    case null
    case integers
    case reals
    case times
    /// Codes of a kept table: SQLite keeps the pointer.
    case keptCodes
    /// Codes of a table that goes with the segment: SQLite copies.
    case codes
    case texts
    case mixed
  }

  var kind = Kind.unfilled
  /// Whether `validity` says which rows have a value; all have one otherwise.
  var hasValidity = false
  var integers: UnsafeMutablePointer<Int64>?
  var reals: UnsafeMutablePointer<Double>?
  var validity: UnsafeMutablePointer<UInt8>?
  var codes: UnsafeMutablePointer<UInt32>?
  var bytes: UnsafeMutablePointer<UInt8>?
  var bounds: UnsafeMutablePointer<UInt32>?
}

/// One column of a batch: the scan writes it, SQLite reads it.
///
/// It owns its memory, which grows to the largest batch and is freed with the object. Every write
/// is bounded by the capacity that ``reserve`` has made.
@safe package final class SQLColumnBuffer {
  let view: UnsafeMutablePointer<SQLColumnView>
  private var capacity = 0
  private var byteCapacity = 0
  private var textCount = 0
  private var byteCount = 0
  private var table: SQLTextTable?
  private var ownBytes: UnsafeMutablePointer<UInt8>?
  private var ownBounds: UnsafeMutablePointer<UInt32>?
  /// For ``setMixed(_:)``.
  private(set) var values: [SQLValue] = []

  init(_ view: UnsafeMutablePointer<SQLColumnView>) {
    unsafe self.view = view
    unsafe view.initialize(to: SQLColumnView())
  }

  deinit {
    unsafe view.pointee.integers?.deallocate()
    unsafe view.pointee.reals?.deallocate()
    unsafe view.pointee.validity?.deallocate()
    unsafe view.pointee.codes?.deallocate()
    unsafe ownBytes?.deallocate()
    unsafe ownBounds?.deallocate()
  }

  /// Makes room for `count` rows in what the kind at hand needs.
  private func reserve(_ count: Int) {
    guard count > capacity else { return }
    let larger = max(count, min(capacity * 2, 1 << 18))
    unsafe view.pointee.integers?.deallocate()
    unsafe view.pointee.reals?.deallocate()
    unsafe view.pointee.validity?.deallocate()
    unsafe view.pointee.codes?.deallocate()
    unsafe ownBounds?.deallocate()
    unsafe view.pointee.integers = nil
    unsafe view.pointee.reals = nil
    unsafe view.pointee.validity = nil
    unsafe view.pointee.codes = nil
    unsafe ownBounds = nil
    capacity = larger
  }

  /// No row has a value.
  package func setNull() {
    unsafe view.pointee.hasValidity = false
    unsafe view.pointee.kind = .null
  }

  /// - Parameter rows: Within `values`, and within `validity` where there is one.
  package func setIntegers(_ values: [Int64], validity: [UInt8]?, rows: SQLRows) {
    setValidity(validity, rows: rows)
    setIntegers(values, as: .integers, rows: rows)
  }

  /// Unix nanoseconds that are shown as RFC 3339 in UTC; never absent where `validity` is nil.
  package func setTimes(_ values: [Int64], validity: [UInt8]?, rows: SQLRows) {
    setValidity(validity, rows: rows)
    setIntegers(values, as: .times, rows: rows)
  }

  private func setIntegers(_ values: [Int64], as kind: SQLColumnView.Kind, rows: SQLRows) {
    if unsafe view.pointee.integers == nil {
      unsafe view.pointee.integers = .allocate(capacity: capacity)
    }
    if let target = unsafe view.pointee.integers {
      unsafe Self.gather(values, rows, into: target)
    }
    unsafe view.pointee.kind = kind
  }

  /// - Parameter rows: Within `values`, and within `validity` where there is one.
  package func setReals(_ values: [Double], validity: [UInt8]?, rows: SQLRows) {
    setValidity(validity, rows: rows)
    if unsafe view.pointee.reals == nil {
      unsafe view.pointee.reals = .allocate(capacity: capacity)
    }
    if let target = unsafe view.pointee.reals { unsafe Self.gather(values, rows, into: target) }
    unsafe view.pointee.kind = .reals
  }

  /// Texts by code.
  ///
  /// - Parameters:
  ///   - codes: Each below `texts.count`; a greater one is shown as absent.
  ///   - isKept: Whether the caller keeps `texts` until the database is gone.
  package func setCodes(
    _ codes: [UInt32], texts: SQLTextTable, isKept: Bool, rows: SQLRows
  ) {
    reserve(rows.count)
    table = texts
    if unsafe view.pointee.codes == nil {
      unsafe view.pointee.codes = .allocate(capacity: capacity)
    }
    if unsafe view.pointee.validity == nil {
      unsafe view.pointee.validity = .allocate(capacity: capacity)
    }
    guard let target = unsafe view.pointee.codes, let validity = unsafe view.pointee.validity
    else { return }
    unsafe Self.gather(codes, rows, into: target)
    let limit = UInt32(clamping: texts.count)
    for place in 0..<rows.count {
      let code = unsafe target[place]
      unsafe validity[place] = code < limit ? texts.presence[Int(code)] : 0
    }
    unsafe view.pointee.hasValidity = true
    unsafe view.pointee.bytes = texts.bytes
    unsafe view.pointee.bounds = texts.bounds
    unsafe view.pointee.kind = isKept ? .keptCodes : .codes
  }

  /// Begins a column of texts that are appended one a row.
  ///
  /// - Parameter count: Exactly how many will be appended.
  package func beginTexts(_ count: Int) {
    reserve(count)
    if unsafe view.pointee.validity == nil {
      unsafe view.pointee.validity = .allocate(capacity: capacity)
    }
    if unsafe ownBounds == nil { unsafe ownBounds = .allocate(capacity: capacity + 1) }
    if unsafe ownBytes == nil {
      byteCapacity = 4_096
      unsafe ownBytes = .allocate(capacity: byteCapacity)
    }
    textCount = 0
    byteCount = 0
    unsafe ownBounds?[0] = 0
    unsafe view.pointee.hasValidity = true
    unsafe view.pointee.bytes = ownBytes
    unsafe view.pointee.bounds = ownBounds
    unsafe view.pointee.kind = .texts
  }

  package func appendNull() { unsafe append(0, at: { _ in }, isPresent: false) }

  package func append(_ text: Span<UInt8>) {
    let count = text.count
    unsafe text.withUnsafeBufferPointer { source in
      unsafe append(
        count,
        at: { target in
          if let base = source.baseAddress { unsafe target.update(from: base, count: count) }
        }, isPresent: true)
    }
  }

  /// The texts of the rows of a decoded block.
  package func setTexts(_ column: TextColumn, fallback: [UInt8]?, rows: SQLRows) {
    beginTexts(rows.count)
    let bytes = column.bytes.span
    for place in 0..<rows.count {
      if let range = column.range(rows.row(place)) {
        append(bytes.extracting(range))
      } else if let fallback {
        append(fallback.span)
      } else {
        appendNull()
      }
    }
  }

  /// Values of any kind, one a row.
  package func setMixed(_ values: [SQLValue]) {
    self.values = values
    unsafe view.pointee.hasValidity = false
    unsafe view.pointee.kind = .mixed
  }

  private func append(
    _ count: Int, at write: (UnsafeMutablePointer<UInt8>) -> Void, isPresent: Bool
  ) {
    guard textCount < capacity, byteCount + count < Int(UInt32.max) else {
      preconditionFailure("BUG: got a text more than the batch has rows, or 4 GiB of texts")
    }
    if byteCount + count > byteCapacity {
      let larger = max(byteCapacity * 2, byteCount + count)
      let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
      if let ownBytes = unsafe ownBytes {
        unsafe moved.update(from: ownBytes, count: byteCount)
        unsafe ownBytes.deallocate()
      }
      unsafe ownBytes = moved
      byteCapacity = larger
      unsafe view.pointee.bytes = moved
    }
    if let ownBytes = unsafe ownBytes { unsafe write(ownBytes + byteCount) }
    byteCount += count
    unsafe view.pointee.validity?[textCount] = isPresent ? 1 : 0
    textCount += 1
    unsafe ownBounds?[textCount] = UInt32(truncatingIfNeeded: byteCount)
  }

  private func setValidity(_ validity: [UInt8]?, rows: SQLRows) {
    reserve(rows.count)
    unsafe view.pointee.hasValidity = validity != nil
    guard let validity else { return }
    if unsafe view.pointee.validity == nil {
      unsafe view.pointee.validity = .allocate(capacity: capacity)
    }
    if let target = unsafe view.pointee.validity {
      unsafe Self.gather(validity, rows, into: target)
    }
  }

  /// Copies the rows; `target` has room for all of them, and the array checks each source.
  private static func gather<Value>(
    _ source: [Value], _ rows: SQLRows, into target: UnsafeMutablePointer<Value>
  ) where Value: BitwiseCopyable {
    if let list = rows.list {
      for place in 0..<rows.count {
        unsafe target[place] = source[Int(list[rows.first + place])]
      }
      return
    }
    precondition(rows.first >= 0 && rows.first + rows.count <= source.count)
    unsafe source.withUnsafeBufferPointer { all in
      if let base = all.baseAddress {
        unsafe target.update(from: base + rows.first, count: rows.count)
      }
    }
  }
}
