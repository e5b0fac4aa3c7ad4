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

  /// What some of the events were made from.
  struct Origin {
    let batch: ChargedBatch
    let places: Range<Int>
  }

  /// Memory that it takes, in bytes, about: the events as they came, their rows and their record.
  package var footprint: Int {
    origins.reduce(0) {
      $0 + $1.batch.footprint / max(1, $1.batch.decoded.events.count) * $1.places.count
    } + eventCount * 100 + 2 * (recordBody?.count ?? 0)
  }

  package let eventCount: Int
  fileprivate(set) var rows: [Rows] = []
  /// Keys of the ids in order.
  fileprivate(set) var keys: [DeduplicationIndex.Key] = []
  /// The event of each key; nil where every event has one.
  fileprivate(set) var keyedEvents: [UInt32]?
  /// Hashes of the outcomes' tasks and times; see ``ArrivalOrder``.
  fileprivate(set) var outcomes: [UInt64] = []
  /// The input line of each event.
  fileprivate(set) var lines: [UInt32] = []
  /// The prices that the rows refer to, no key twice.
  fileprivate(set) var prices: [ResolvedPrice] = []
  /// The collector that the rows came through.
  let source: [UInt8]
  /// The events as they came, one part behind the other; none where they do not go by the log.
  fileprivate(set) var origins: [Origin] = []
  /// Events from which on arrival counts as a nanosecond later; see ``ArrivalOrder``.
  fileprivate(set) var cuts: [UInt32] = []
  /// All rows as a log record says them; nil where they do not go by the log as they are.
  fileprivate(set) var recordBody: [UInt8]?
  fileprivate let spares: SpareTables

  fileprivate init(eventCount: Int, source: [UInt8], spares: SpareTables) {
    self.eventCount = eventCount
    self.source = source
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

  /// The rows whose events are not among `duplicates`, most often as one part; one more for each cut,
  /// of which some may have no row.
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
    parts.append(part)
    while cut < cuts.count {
      part = Part(taken: [], receivedTime: part.receivedTime + 1)
      parts.append(part)
      cut += 1
    }
    return parts
  }
}

extension PreparedBatch {
  /// Some of the rows of each kind, laid out anew.
  ///
  /// - Parameter taken: one for each of ``rows``, ascending; nil for all.
  func selecting(_ taken: [[UInt32]?], codes: inout [UInt32]) -> PreparedBatch {
    let count = zip(rows, taken).reduce(0) { $0 + ($1.1?.count ?? $1.0.table.rowCount) }
    let part = PreparedBatch(eventCount: count, source: source, spares: spares)
    part.prices = prices
    for (rows, taken) in zip(rows, taken) {
      let rowCount = taken?.count ?? rows.table.rowCount
      guard rowCount > 0 else { continue }
      let table = spares.table(rows: rowCount)
      guard let times = table.absorb(rows.table, taken, receivedTime: 0, codes: &codes) else {
        continue
      }
      part.rows.append(
        PreparedBatch.Rows(kind: rows.kind, table: table, times: times, events: nil, cuts: []))
    }
    return part
  }

  /// Whether the events, all of them or some, are always one record of the log.
  var fitsOneRecord: Bool {
    rows.allSatisfy(\.cuts.isEmpty) && (recordBody?.count ?? .max) < LogFormat.maximumPayload / 2
  }

  /// All rows as a log record says them behind its head.
  func makeRecordBody() -> [UInt8] {
    recordBody ?? BatchRecord.columnBody(rows, source: source, prices: prices)
  }
}

/// Events of one batch that share their time of arrival, as a tap hears of them.
struct EventNews {
  let batch: ChargedBatch
  /// Ascending.
  let places: [Int]
  /// Unix nanoseconds.
  let receivedTime: Int64
}

extension PreparedBatch {
  /// The events that are not among `duplicates`, with the times of arrival that their rows get.
  ///
  /// - Parameters:
  ///   - duplicates: events, ascending.
  ///   - first: the time of arrival before the first cut.
  /// - Complexity: O(events).
  func news(without duplicates: [UInt32], from first: Int64) -> [EventNews] {
    var news: [EventNews] = []
    var duplicates = duplicates[...]
    var cuts = cuts[...]
    var time = first
    var event: UInt32 = 0
    for origin in origins {
      var places: [Int] = []
      func close() {
        guard !places.isEmpty else { return }
        news.append(EventNews(batch: origin.batch, places: places, receivedTime: time))
        places = []
      }
      places.reserveCapacity(origin.places.count)
      for place in origin.places {
        if cuts.first == event {
          close()
          cuts.removeFirst()
          time += 1
        }
        if duplicates.first == event { duplicates.removeFirst() } else { places.append(place) }
        event += 1
      }
      close()
    }
    return news
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
    prepare(batch, limit: Self.eventLimit)
  }

  /// As above, for the log, with their record.
  ///
  /// - Complexity: O(values), some 0.5 µs an event.
  package func prepareForLog(_ batch: borrowing ChargedBatch) -> [PreparedBatch] {
    let prepared = prepare(batch, limit: RecordColumn.maximumRows)
    var start = 0
    for part in prepared {
      let end = start + part.eventCount
      part.origins = [PreparedBatch.Origin(batch: copy batch, places: start..<end)]
      part.recordBody = part.makeRecordBody()
      start = end
    }
    return prepared
  }

  /// The events of several small batches of one source as those of one batch, for the log.
  ///
  /// - Parameter batches: of together at most ``RecordColumn/maximumRows`` events.
  func prepareForLog(joining batches: [ChargedBatch]) -> PreparedBatch {
    let count = batches.reduce(0) { $0 + $1.decoded.events.count }
    var layout = BatchLayout(
      eventCount: count, source: batches.first?.source ?? "", hash: hash, spares: spares)
    for batch in batches { layout.add(batch, batch.decoded.events.indices) }
    let prepared = layout.finish()
    prepared.origins = batches.map {
      PreparedBatch.Origin(batch: $0, places: $0.decoded.events.indices)
    }
    prepared.recordBody = prepared.makeRecordBody()
    return prepared
  }

  private func prepare(_ batch: borrowing ChargedBatch, limit: Int) -> [PreparedBatch] {
    var prepared: [PreparedBatch] = []
    let count = batch.decoded.events.count
    for start in stride(from: 0, to: count, by: limit) {
      let range = start..<min(start + limit, count)
      var layout = BatchLayout(
        eventCount: range.count, source: batch.source, hash: hash, spares: spares)
      layout.add(batch, range)
      prepared.append(layout.finish())
    }
    return prepared
  }
}

/// A prepared batch in the making.
private struct BatchLayout {
  private let prepared: PreparedBatch
  private let hash: KeyedHash
  private let source: [UInt8]
  private var moments = OutcomeMoments()
  /// Events that are laid out already.
  private var count = 0
  /// The event of each key.
  private var keyed: [UInt32] = []
  /// By kind: the event of each row.
  private var events: [[UInt32]] = [[], [], []]
  private var cuts: [[Int]] = [[], [], []]
  private var tables: [RowTable?] = [nil, nil, nil]
  private var times: [ClosedRange<Int64>?] = [nil, nil, nil]

  init(eventCount: Int, source: String, hash: KeyedHash, spares: SpareTables) {
    self.source = Array(source.utf8)
    self.hash = hash
    prepared = PreparedBatch(eventCount: eventCount, source: self.source, spares: spares)
    prepared.keys.reserveCapacity(eventCount)
    prepared.lines.reserveCapacity(eventCount)
  }

  mutating func add(_ batch: borrowing ChargedBatch, _ range: Range<Int>) {
    var selections: [[Int]] = [[], [], []]
    selections[0].reserveCapacity(range.count)
    var isUsed = [Bool](repeating: false, count: batch.prices.count)
    for index in range {
      let kind = Int(batch.decoded.events[index].kind.rawValue)
      let event = UInt32(count)
      count += 1
      prepared.lines.append(UInt32(truncatingIfNeeded: batch.decoded.events[index].line))
      if let id = batch.decoded.events[index].range(of: .id) {
        prepared.keys.append(DeduplicationIndex.Key(hash: hash.hash(batch.decoded.span(id))))
        keyed.append(event)
      }
      if batch.decoded.events[index].range(of: .outcome) != nil,
        let task = batch.decoded.events[index].range(of: .task)
      {
        let time = UInt64(bitPattern: batch.decoded.events[index].time)
        let moment = hash.hash(batch.decoded.span(task)).low &+ time &* 0x9E37_79B9_7F4A_7C15
        prepared.outcomes.append(moment)
        if !moments.insert(moment) {
          prepared.cuts.append(event)
          for kind in cuts.indices { cuts[kind].append(events[kind].count) }
        }
      }
      if batch.charges[index].price >= 0 { isUsed[Int(batch.charges[index].price)] = true }
      selections[kind].append(index)
      events[kind].append(event)
    }
    let known = prepared.prices[...]
    for index in batch.prices.indices where isUsed[index] {
      let price = batch.prices[index]
      // Batches share few prices, most often the very objects.
      if known.contains(where: { $0 === price || $0.key == price.key }) { continue }
      prepared.prices.append(price)
    }
    for kind in EventKind.allCases {
      let selection = selections[Int(kind.rawValue)]
      if !selection.isEmpty { addRows(batch, kind, selection) }
    }
  }

  private mutating func addRows(
    _ batch: borrowing ChargedBatch, _ kind: EventKind, _ selection: [Int]
  ) {
    let place = Int(kind.rawValue)
    let table = tables[place] ?? prepared.spares.table(rows: prepared.eventCount)
    tables[place] = table
    // The time of arrival is the writer's to say.
    let arrival = RowTable.Arrival(
      source: source, receivedTime: 0, priceKeys: batch.prices.map(\.key))
    let added = table.append(
      batch.decoded, kind: kind, charges: batch.charges, selection: selection, arrival: arrival,
      byteLimit: .max)
    guard let new = added.time else { return }
    let old = times[place] ?? new
    times[place] =
      min(old.lowerBound, new.lowerBound)...max(old.upperBound, new.upperBound)
  }

  mutating func finish() -> PreparedBatch {
    if keyed.count < prepared.eventCount { prepared.keyedEvents = keyed }
    for kind in EventKind.allCases {
      let place = Int(kind.rawValue)
      guard let table = tables[place], let times = times[place] else { continue }
      let isOnly = events[place].count == prepared.eventCount
      prepared.rows.append(
        PreparedBatch.Rows(
          kind: kind, table: table, times: times, events: isOnly ? nil : events[place],
          cuts: cuts[place]))
    }
    return prepared
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
