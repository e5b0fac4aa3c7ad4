import FarthingCore
import FarthingStore
import Foundation
import Testing

@testable import FarthingQuery

/// Random pairs of periods over random events, of which some have costs beyond 64 bits.
@Suite struct `A bridge sums to the change in cost` {
  private static let stores =
    ProcessInfo.processInfo.environment["FARTHING_PROPERTY_PAIRS"].flatMap { Int($0) }
    .map { max(1, $0 / 12) } ?? 24
  private static let pairsPerStore = 6

  @Test
  func
    `to the picodollar, over random events, periods and filters, and turns its signs with the periods`()
    throws
  {
    for store in 0..<Self.stores {
      let seed = UInt64(9_100 + store)
      var dice = Dice(seed)
      let requests = (0..<Int(dice.below(90))).map {
        RandomEvents.request(&dice, arrival: RandomEvents.start + Int64($0 * 2))
      }
      let segments = try [
        requests.prefix(requests.count / 2), requests.suffix(from: requests.count / 2),
      ]
      .enumerated().compactMap { try ReferenceStore.segment(Array($1), id: Int64($0 + 1)) }
      for _ in 0..<Self.pairsPerStore { try check(segments, seed, &dice) }
    }
  }

  private func check(_ segments: [SegmentReader], _ seed: UInt64, _ dice: inout Dice) throws {
    let words = ExplanationWords(
      filter: dice.pick([
        nil, nil, "site != 'ams1'", "attempt > 1 or status = 'error'", "cost > 0.4",
      ]),
      by: dice.pick([nil, "workload", "tags.team,status,attempt", "cost_state"]),
      limit: dice.pick([nil, "0", "1", "3"]), prices: dice.pick([nil, "booked"]))
    var plan = try parsed(words)
    plan.before = period(&dice)
    plan.after = period(&dice)
    let executor = QueryExecutor(threads: 2)
    let found = try ExplanationExecutor(executor).run(plan, requests: segments)

    for (period, totals) in [(plan.before, found.before), (plan.after, found.after)] {
      let query = QueryPlan(
        metrics: ["cost", "requests", "unpriced_requests"].compactMap(Metric.named),
        filter: plan.filter, since: period.since, until: period.until, prices: plan.prices)
      let row = try executor.run(query, requests: segments, outcomes: []).rows[0]
      #expect(
        row == [.money(totals.cost), .count(totals.requests), .count(totals.unpriced)],
        "seed \(seed), \(words)")
    }
    let sum = found.parts.reduce(Int128(0)) { $0 + $1.change }
    #expect(sum == found.after.cost - found.before.cost, "seed \(seed), \(plan)")
    for field in plan.dimensions {
      let own = found.contributors.filter { $0.dimension == field.name }
      #expect(own.reduce(0) { $0 + $1.change } == found.change, "seed \(seed), \(field.name)")
      #expect(own.reduce(0) { $0 + $1.before } == found.before.cost)
      #expect(own.count <= plan.limit + 1)
    }

    var swapped = plan
    (swapped.before, swapped.after) = (plan.after, plan.before)
    let back = try ExplanationExecutor(executor).run(swapped, requests: segments)
    for (part, other) in zip(found.parts, back.parts) {
      #expect(part.change == -other.change, "seed \(seed), \(part.part), \(plan)")
    }
  }

  private func parsed(_ words: ExplanationWords) throws -> ExplanationPlan {
    var words = words
    words.since = "2026-03-02"
    return try ExplanationPlan.parse(words, now: RandomEvents.start + 100 * RandomEvents.hour)
  }

  /// Some are empty, some overlap, some have nothing in them.
  private func period(_ dice: inout Dice) -> ExplanationPlan.Period {
    let start = RandomEvents.start + (dice.below(45) - 5) * RandomEvents.hour
    return ExplanationPlan.Period(
      since: start, until: start + (1 + dice.below(30)) * RandomEvents.hour)
  }
}
