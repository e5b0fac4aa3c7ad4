// What a worker makes of a batch before the writer sees it.
//
// Hashing ids, coding texts and laying values out by column need no order, so workers do them side by
// side while a batch is still in their cache. The writer is left with what has to be one after the
// other: which ids are new, and copying whole columns.

package import FarthingCore

/// Events laid out for a ``StoreWriter``, by its ``BatchPreparation``.
///
/// `@unchecked Sendable`: it is filled by one worker, then handed over once; nobody touches it
/// before or after, and the hand-over between tasks orders the accesses.
package final class PreparedBatch: @unchecked Sendable {
  /// The rows of one kind of event, in the order of the batch.
  struct Rows {
    let kind: EventKind
    let table: RowTable
    /// Range of the rows' `time`, Unix nanoseconds.
    let times: ClosedRange<Int64>
    /// The event of each row; nil where the batch has no other kind.
    let events: [UInt32]?
    /// Rows from which on arrival counts as a nanosecond later; see ``ArrivalOrder``.
    let cuts: [Int]
  }

  package let eventCount: Int
  fileprivate(set) var rows: [Rows] = []
  /// Keys of the ids in order.
  fileprivate(set) var keys: [DeduplicationIndex.Key] = []
  /// The event of each key; nil where every event has one.
  fileprivate(set) var keyedEvents: [UInt32]?
  /// The input line of each event.
  fileprivate(set) var lines: [UInt32] = []
  /// The prices that the rows refer to.
  fileprivate(set) var prices: [ResolvedPrice] = []
  private let spares: SpareTables

  fileprivate init(eventCount: Int, spares: SpareTables) {
    self.eventCount = eventCount
    self.spares = spares
  }

  // The tables go back for the next batch.
  deinit { spares.put(rows.map(\.table)) }
}

extension PreparedBatch.Rows {
  /// Rows that share one time of arrival.
  struct Part {
    /// Ascending; nil for all rows.
    var taken: [UInt32]?
    /// Unix nanoseconds.
    var receivedTime: Int64
  }

  /// The rows whose events are not among `duplicates`, most often as one part.
  ///
  /// - Parameters:
  ///   - duplicates: events, ascending.
  ///   - first: the time of arrival before the first cut.
  func parts(without duplicates: [UInt32], from first: Int64) -> [Part] {
    if duplicates.isEmpty, cuts.isEmpty { return [Part(taken: nil, receivedTime: first)] }
    var parts: [Part] = []
    var part = Part(taken: [], receivedTime: first)
    var cut = 0
    var duplicate = 0
    for row in 0..<table.rowCount {
      while cut < cuts.count, cuts[cut] == row {
        parts.append(part)
        part = Part(taken: [], receivedTime: part.receivedTime + 1)
        cut += 1
      }
      let event = events?[row] ?? UInt32(row)
      while duplicate < duplicates.count, duplicates[duplicate] < event { duplicate += 1 }
      if duplicate < duplicates.count, duplicates[duplicate] == event { continue }
      part.taken?.append(UInt32(row))
    }
    return (parts + [part]).filter { $0.taken?.isEmpty != true }
  }
}

/// Lays batches out for one store's writer; any number of threads may share it.
package struct BatchPreparation: Sendable {
  private let hash: KeyedHash
  private let spares = SpareTables(limit: 16)
  /// Most events in one prepared batch.
  private static let eventLimit = 65_536

  /// - Parameter seed: the store's secret key.
  init(seed: [UInt8]) { hash = KeyedHash(seed: seed) }

  /// The events of a batch, most often in one piece.
  ///
  /// - Complexity: O(values), some 0.3 µs an event.
  package func prepare(_ batch: borrowing ChargedBatch) -> [PreparedBatch] {
    var prepared: [PreparedBatch] = []
    let count = batch.decoded.events.count
    for start in stride(from: 0, to: count, by: Self.eventLimit) {
      prepared.append(prepare(batch, start..<min(start + Self.eventLimit, count)))
    }
    return prepared
  }

  private func prepare(_ batch: borrowing ChargedBatch, _ range: Range<Int>) -> PreparedBatch {
    let prepared = PreparedBatch(eventCount: range.count, spares: spares)
    var selections: [[Int]] = [[], [], []]
    var cuts: [[Int]] = [[], [], []]
    var moments = OutcomeMoments()
    var isUsed = [Bool](repeating: false, count: batch.prices.count)
    var keyed: [UInt32] = []
    prepared.keys.reserveCapacity(range.count)
    prepared.lines.reserveCapacity(range.count)
    for index in range {
      let kind = Int(batch.decoded.events[index].kind.rawValue)
      prepared.lines.append(
        UInt32(truncatingIfNeeded: batch.decoded.events[index].line))
      if let id = batch.decoded.events[index].range(of: .id) {
        prepared.keys.append(DeduplicationIndex.Key(hash: hash.hash(batch.decoded.span(id))))
        keyed.append(UInt32(index - range.lowerBound))
      }
      if batch.decoded.events[index].range(of: .outcome) != nil,
        let task = batch.decoded.events[index].range(of: .task)
      {
        let time = UInt64(bitPattern: batch.decoded.events[index].time)
        let moment = hash.hash(batch.decoded.span(task)).low &+ time &* 0x9E37_79B9_7F4A_7C15
        if !moments.insert(moment) {
          for kind in cuts.indices { cuts[kind].append(selections[kind].count) }
        }
      }
      if batch.charges[index].price >= 0 { isUsed[Int(batch.charges[index].price)] = true }
      selections[kind].append(index)
    }
    if keyed.count < range.count { prepared.keyedEvents = keyed }
    prepared.prices = batch.prices.indices.filter { isUsed[$0] }.map { batch.prices[$0] }
    for kind in EventKind.allCases {
      let selection = selections[Int(kind.rawValue)]
      guard !selection.isEmpty else { continue }
      let isOnly = selection.count == range.count
      addRows(
        batch, kind, selection,
        events: isOnly ? nil : selection.map { UInt32($0 - range.lowerBound) },
        cuts: cuts[Int(kind.rawValue)], to: prepared)
    }
    return prepared
  }

  private func addRows(
    _ batch: borrowing ChargedBatch, _ kind: EventKind, _ selection: [Int], events: [UInt32]?,
    cuts: [Int], to prepared: PreparedBatch
  ) {
    let table = spares.table(rows: selection.count)
    // The time of arrival is the writer's to say.
    let arrival = RowTable.Arrival(
      source: Array(batch.source.utf8), receivedTime: 0, priceKeys: batch.prices.map(\.key))
    let added = table.append(
      batch.decoded, kind: kind, charges: batch.charges, selection: selection, arrival: arrival,
      byteLimit: .max)
    guard let times = added.time else { return }
    prepared.rows.append(
      PreparedBatch.Rows(
        kind: kind, table: table, times: times, events: events, cuts: cuts))
  }
}

/// The times and tasks of a batch's outcomes, by their hash: a false match only makes a row count as
/// arrived a nanosecond later.
private struct OutcomeMoments {
  /// Open addressing; zero is free.
  private var hashes: [UInt64] = []
  /// Which entries count: those of the present part.
  private var parts: [UInt32] = []
  private var part: UInt32 = 1
  private var count = 0

  /// - Returns: false where the moment was there since the last that was there: a new part begins
  ///   with it then.
  mutating func insert(_ hash: UInt64) -> Bool {
    if count * 2 >= hashes.count { grow() }
    var place = Int(truncatingIfNeeded: hash) & (hashes.count - 1)
    while parts[place] != 0 {
      if hashes[place] == hash {
        let isNew = parts[place] != part
        if !isNew { part += 1 }
        parts[place] = part
        return isNew
      }
      place = (place + 1) & (hashes.count - 1)
    }
    hashes[place] = hash
    parts[place] = part
    count += 1
    return true
  }

  private mutating func grow() {
    let old = (hashes, parts)
    hashes = Array(repeating: 0, count: max(64, old.0.count * 4))
    parts = Array(repeating: 0, count: hashes.count)
    for index in old.0.indices where old.1[index] != 0 {
      var place = Int(truncatingIfNeeded: old.0[index]) & (hashes.count - 1)
      while parts[place] != 0 { place = (place + 1) & (hashes.count - 1) }
      hashes[place] = old.0[index]
      parts[place] = old.1[index]
    }
  }
}
