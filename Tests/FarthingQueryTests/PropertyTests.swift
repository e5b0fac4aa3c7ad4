import FarthingCore
import FarthingQuery
import FarthingStore
import Foundation
import Testing

/// Random data and random queries, the engine against plain loops.
///
/// `FARTHING_PROPERTY_PAIRS` says how many pairs, `FARTHING_PROPERTY_SEED` repeats a run.
@Suite struct `The engine equals a plain loop over the events` {
  private static let pairs =
    ProcessInfo.processInfo.environment["FARTHING_PROPERTY_PAIRS"].flatMap { Int($0) } ?? 2_040
  private static let seed =
    ProcessInfo.processInfo.environment["FARTHING_PROPERTY_SEED"].flatMap { UInt64($0) } ?? 20_261
  private static let pairsPerStore = 12

  @Test func `on random stores and random queries, to the picodollar`() throws {
    print("property test: \(Self.pairs) pairs from seed \(Self.seed)")
    for store in 0..<Self.pairs / Self.pairsPerStore {
      let seed = Self.seed &+ UInt64(store)
      var dice = Dice(seed)
      let count = Int(dice.below(60))
      // No two arrive at once: the writer keeps outcomes apart where only their arrival tells.
      var requests = (0..<count).map {
        RandomEvents.request(&dice, arrival: RandomEvents.start + Int64($0 * 2))
      }
      if dice.chance(50) { RandomEvents.reprice(&requests, &dice) }
      let outcomes = (0..<Int(dice.below(16))).map {
        RandomEvents.outcome(&dice, arrival: RandomEvents.start + Int64($0 * 8 + 1))
      }
      try compare(
        requests, outcomes, segments: 1 + Int(dice.below(4)), queries: Self.pairsPerStore, seed,
        &dice)
    }
  }

  @Test func `on stores of several blocks a segment`() throws {
    var dice = Dice(77)
    var requests = (0..<16_600).map {
      RandomEvents.request(&dice, arrival: RandomEvents.start + Int64($0 / 100))
    }
    RandomEvents.reprice(&requests, &dice)
    let outcomes = (0..<50).map {
      RandomEvents.outcome(&dice, arrival: RandomEvents.start + Int64($0))
    }
    try compare(requests, outcomes, segments: 1, queries: 6, 77, &dice)
  }

  @Test func `on segments one after another in time, by what they know of themselves`() throws {
    for store in 0..<Self.pairs / Self.pairsPerStore / 2 {
      let seed = Self.seed &+ UInt64(store) &+ 1 << 32
      var dice = Dice(seed)
      var requests = (0..<Int(dice.below(80))).map { _ in
        RandomEvents.request(&dice, arrival: RandomEvents.start)
      }
      requests.sort { $0.time < $1.time }
      for place in requests.indices { requests[place].receivedTime += Int64(place) }
      try compare(
        requests, [], segments: 1 + Int(dice.below(8)), queries: Self.pairsPerStore, seed, &dice,
        query: RandomQueries.oneColumn)
    }
  }

  private func compare(
    _ requests: [ReferenceRequest], _ outcomes: [ReferenceOutcome], segments: Int, queries: Int,
    _ seed: UInt64, _ dice: inout Dice,
    query: (inout Dice, [ReferenceRequest]) -> ReferenceQuery = RandomQueries.query
  ) throws {
    let reference = ReferenceExecutor(requests: requests, outcomes: outcomes)
    let booked = ReferenceExecutor(requests: requests.map(\.asBooked), outcomes: outcomes)
    let requestSegments = try chunks(requests, segments).enumerated().compactMap {
      try ReferenceStore.segment($1, id: Int64($0 + 1))
    }
    let outcomeSegments = try chunks(outcomes, 2).enumerated().compactMap {
      try ReferenceStore.segment($1, id: Int64($0 + 100))
    }
    var executor = QueryExecutor(threads: 2)
    executor.blocksPerThread = 1
    for _ in 0..<queries {
      let query = query(&dice, requests)
      let isBooked = dice.chance(30)
      var words = words(query)
      words.prices = isBooked ? "booked" : nil
      let plan = try QueryPlan.parse(words, now: RandomEvents.start)
      let result = try executor.run(
        plan, requests: requestSegments, outcomes: outcomeSegments)
      let found = difference(result.rows, (isBooked ? booked : reference).run(query))
      #expect(found == nil, "seed \(seed), \(words): \(found ?? "")")
      if found != nil { return }
    }
  }

  private func chunks<Element>(_ elements: [Element], _ count: Int) -> [[Element]] {
    let size = max(1, (elements.count + count - 1) / count)
    return stride(from: 0, to: elements.count, by: size).map {
      Array(elements[$0..<min($0 + size, elements.count)])
    }
  }

  private func words(_ query: ReferenceQuery) -> QueryWords {
    QueryWords(
      metrics: query.metrics.joined(separator: ","), by: query.groups.joined(separator: ","),
      filter: query.condition?.text, since: query.since.map(Self.instant),
      until: query.until.map(Self.instant),
      every: query.every.map { "\($0 / 3_600_000_000_000)h" }, order: query.order,
      limit: query.limit.map { "\($0)" }, closedCohort: query.closedCohort)
  }

  /// RFC 3339 by Foundation's calendar, which the engine does not use.
  private static func instant(_ nanoseconds: Int64) -> String {
    let whole = Date(timeIntervalSince1970: Double(nanoseconds / 1_000_000_000))
    let digits = "\(1_000_000_000 + nanoseconds % 1_000_000_000)".dropFirst()
    return whole.ISO8601Format().dropLast() + "." + digits + "Z"
  }
}
