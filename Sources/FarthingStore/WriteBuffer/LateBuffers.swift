// Rows that come days after their time.
//
// A segment is passed over where its range of times has nothing to do with a question. One late row
// in a segment of otherwise neighbouring times would make that range useless, so rows far behind
// the others of their kind are kept apart, by day.

internal import FarthingCore

/// The buffers of late rows, each of one kind and day.
struct LateBuffers {
  struct Key: Hashable {
    let kind: EventKind
    /// Whole days since 1970 in UTC.
    let day: Int64
  }

  /// How far behind the newest row of its kind a row may be and still stand beside it, nanoseconds.
  static let tolerance: Int64 = 3_600_000_000_000
  /// Most buffers at a time; each costs some memory however few rows it has.
  private static let limit = 16

  private var buffers: [Key: WriteBuffer] = [:]

  /// All buffers, oldest day first.
  var all: [WriteBuffer] { keys.compactMap { buffers[$0] } }

  /// What there is a buffer of, oldest day first.
  var keys: [Key] {
    buffers.keys.sorted { ($0.day, $0.kind.rawValue) < ($1.day, $1.kind.rawValue) }
  }

  func hasRows(of kind: EventKind) -> Bool { buffers.keys.contains { $0.kind == kind } }

  /// The buffer of a day, a new one where there is none.
  mutating func buffer(_ kind: EventKind, day: Int64) -> WriteBuffer {
    let key = Key(kind: kind, day: day)
    let buffer = buffers[key] ?? WriteBuffer(kind: kind)
    buffers[key] = buffer
    return buffer
  }

  /// Takes a buffer out.
  mutating func remove(_ key: Key) -> WriteBuffer? { buffers.removeValue(forKey: key) }

  /// What has to be sealed before `rows` more rows of a day have room; nil for nothing.
  func makeRoom(
    for kind: EventKind, day: Int64, rows: Int, _ options: StoreOptions
  ) -> Key? {
    let key = Key(kind: kind, day: day)
    if let buffer = buffers[key] {
      return buffer.rowCount + rows > options.segmentRows ? key : nil
    }
    return buffers.count < Self.limit ? nil : fullest
  }

  /// The buffer that takes the most memory, where all together take more than `limit` bytes.
  func largest(above limit: Int) -> Key? {
    guard buffers.count > 0 else { return nil }
    let sum = buffers.values.reduce(0) { $0 + $1.approximateByteCount }
    return sum > limit ? fullest : nil
  }

  private var fullest: Key? {
    keys.max { (buffers[$0]?.rowCount ?? 0) < (buffers[$1]?.rowCount ?? 0) }
  }

  /// Rows before and after a time.
  struct Split {
    var fresh: [UInt32] = []
    /// By day.
    var late: [Int64: [UInt32]] = [:]
    var lateCount = 0
  }

  /// Parts rows of a batch, all or those `taken`, by whether they lie before `bound`.
  ///
  /// - Complexity: O(rows).
  static func split(_ rows: PreparedBatch.Rows, _ taken: [UInt32]?, before bound: Int64) -> Split {
    let order = taken ?? (0..<UInt32(rows.table.rowCount)).map { $0 }
    var times: [Int64] = []
    rows.table.gatherNumbers(
      at: RowTable.Place.time, order: order, rows: order.indices, into: &times)
    var split = Split()
    split.fresh.reserveCapacity(order.count)
    let day: Int64 = 86_400_000_000_000
    for index in order.indices {
      let time = times[index]
      if time >= bound {
        split.fresh.append(order[index])
      } else {
        let quotient = time / day
        let number = time % day < 0 ? quotient - 1 : quotient
        split.late[number, default: []].append(order[index])
        split.lateCount += 1
      }
    }
    return split
  }
}
