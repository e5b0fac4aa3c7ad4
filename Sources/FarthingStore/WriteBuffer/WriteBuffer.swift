package import FarthingCore

/// A price that stored rows refer to.
package struct StoredPrice: Sendable, Equatable {
  /// What the rows' `price` column says.
  package var key: String
  /// The price as its room serialised it; empty where there is nothing to keep.
  package var bytes: [UInt8]

  package init(key: String, bytes: [UInt8] = []) {
    self.key = key
    self.bytes = bytes
  }
}

/// A sealed segment that is not published yet.
package struct SealedSegment: Sendable {
  package let id: Int64
  package let kind: EventKind
  package let rowCount: Int
  /// Range of the rows' `time`, Unix nanoseconds.
  package let time: ClosedRange<Int64>
  /// Range of the rows' arrival, Unix nanoseconds.
  package let receivedTime: ClosedRange<Int64>
  package let bytes: [UInt8]
}

/// Rows of one kind of event on their way into a segment, column by column.
///
/// One thread at a time appends; sealing only reads, so it may run on another thread while nobody
/// appends. Rows keep the order in which they come; sealing sorts them by time.
///
/// Bounded: at most ``SegmentFormat/maximumRows`` rows, ``RowTable/maximumTags`` tag columns and
/// ``RowTable/maximumUnits`` unit columns (entries with further names share one column of their
/// own, and are read as if they had one each), and about ``byteLimit`` bytes.
package final class WriteBuffer {
  package let kind: EventKind
  /// Range of the rows' `time`; nil while there is no row.
  package private(set) var time: ClosedRange<Int64>?
  /// Range of the rows' arrival; nil while there is no row.
  package private(set) var receivedTime: ClosedRange<Int64>?

  let table: RowTable
  private let spares: SpareTables?
  var prices: [String: [UInt8]] = [:]

  /// About the most memory that a buffer takes; then it counts as full.
  package static let byteLimit = 256 << 20

  /// Whether sealing brings together rows of one task inside a block; see ``RowOrder``.
  let isClustered: Bool

  /// An empty buffer for events of one kind.
  ///
  /// - Parameter isClustered: false to leave the rows of a block in the order of time, for
  ///   measurements.
  package convenience init(kind: EventKind, isClustered: Bool = true) {
    self.init(kind: kind, isClustered: isClustered, spares: nil)
  }

  /// - Parameter spares: where the memory comes from and goes to.
  init(kind: EventKind, isClustered: Bool = true, spares: SpareTables?) {
    table = spares?.table(rows: SegmentFormat.maximumRows) ?? RowTable()
    self.spares = spares
    self.kind = kind
    self.isClustered = isClustered && kind == .request
  }

  deinit { spares?.put([table]) }

  package var rowCount: Int { table.rowCount }

  /// Whether a further row would exceed what one segment holds.
  package var isFull: Bool {
    rowCount >= SegmentFormat.maximumRows || approximateByteCount > Self.byteLimit
  }

  /// Whether the rows of a table might take the buffer beyond its memory.
  func isNearlyFull(with rows: RowTable) -> Bool {
    approximateByteCount + rows.byteCount > Self.byteLimit
  }

  /// About the memory that the rows take.
  /// - Complexity: O(columns).
  package var approximateByteCount: Int { table.byteCount }

  /// Appends the selected events of a batch.
  ///
  /// - Parameters:
  ///   - charges: one for each event of the batch; not looked at for other kinds than requests.
  ///   - prices: what ``Charge/price`` indexes.
  ///   - source: the collector that the batch came through.
  ///   - selection: indices of events; those of another kind than the buffer's are passed over.
  ///   - receivedTime: Unix nanoseconds.
  /// - Returns: how many of the selection, from its front, were taken; fewer than all only where
  ///   the buffer is full then.
  /// - Complexity: O(values).
  @discardableResult
  package func append(
    _ batch: borrowing DecodedBatch, charges: [Charge], prices: [StoredPrice], source: String,
    selection: some Collection<Int>, receivedTime: Int64
  ) -> Int {
    for price in prices where self.prices[price.key] == nil {
      self.prices[price.key] = price.bytes
    }
    let arrival = RowTable.Arrival(
      source: Array(source.utf8), receivedTime: receivedTime,
      priceKeys: prices.map(\.key))
    let (taken, times) = table.append(
      batch, kind: kind, charges: charges, selection: Array(selection), arrival: arrival,
      byteLimit: Self.byteLimit)
    if let times { widen(time: times, receivedTime: receivedTime...receivedTime) }
    return taken
  }

  /// Appends rows that a worker laid out.
  ///
  /// - Parameters:
  ///   - taken: the rows to take, ascending; nil for all. The buffer must have room for them.
  ///   - prices: those that the rows refer to.
  ///   - receivedTime: Unix nanoseconds.
  ///   - codes: working memory, for reuse between calls.
  /// - Complexity: O(values), some 0.1 µs a row.
  func absorb(
    _ rows: RowTable, _ taken: [UInt32]?, prices: [StoredPrice], receivedTime: Int64,
    codes: inout [UInt32]
  ) {
    for price in prices where self.prices[price.key] == nil {
      self.prices[price.key] = price.bytes
    }
    let times = table.absorb(rows, taken, receivedTime: receivedTime, codes: &codes)
    if let times { widen(time: times, receivedTime: receivedTime...receivedTime) }
  }

  /// Says of each row from `first` on when and through which collector it arrived.
  ///
  /// - Parameter receivedTimes: Unix nanoseconds, one for each of these rows, as `sources` is.
  func setArrivals(from first: Int, receivedTimes: [Int64], sources: [String]) {
    var codes: [String: UInt32] = [:]
    for row in receivedTimes.indices {
      let source = sources[row]
      let code = codes[source] ?? table.code(of: Array(source.utf8), at: RowTable.Place.source)
      codes[source] = code
      table.setArrival(row: first + row, receivedTime: receivedTimes[row], source: code)
    }
    guard let time, let least = receivedTimes.min(), let greatest = receivedTimes.max() else {
      return
    }
    widen(time: time, receivedTime: least...greatest)
  }

  func widen(time new: ClosedRange<Int64>, receivedTime arrival: ClosedRange<Int64>) {
    time =
      min(time?.lowerBound ?? .max, new.lowerBound)...max(time?.upperBound ?? .min, new.upperBound)
    receivedTime =
      min(
        receivedTime?.lowerBound ?? .max, arrival.lowerBound)...max(
        receivedTime?.upperBound ?? .min, arrival.upperBound)
  }
}
