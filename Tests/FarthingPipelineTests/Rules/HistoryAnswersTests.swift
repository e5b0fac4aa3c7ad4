import FarthingCore
import FarthingDetection
import FarthingPipeline
import FarthingQuery
import Synchronization
import Testing

/// Budgets and rules taken through history, against the same live.
@Suite struct `A watch over history` {
  private static let start: Int64 = 1_772_409_600_000_000_000

  /// Answers from one cost a minute.
  private func answer(_ plan: QueryPlan) -> QueryResult {
    let metrics = plan.metrics.map { ResultColumn(name: $0.name, kind: .metric($0)) }
    func row(_ from: Int64, _ to: Int64) -> [QueryValue] {
      var (cost, requests): (Int128, Int128) = (0, 0)
      for minute in max(from, Self.start - CivilTime.day) / CivilTime.minute..<max(
        from, Self.start - CivilTime.day, to) / CivilTime.minute
      {
        cost += Int128(minute &* 2_654_435_761 % 97) * 1_000_000_000
        requests += 1
      }
      return plan.metrics.map { metric in
        switch metric.name {
        case "cost": .money(cost)
        case "requests": .count(requests)
        default: .count(0)
        }
      }
    }
    let (since, until) = (plan.since ?? 0, plan.until ?? 0)
    guard let every = plan.every else {
      return QueryResult(columns: metrics, rows: [row(since, until)])
    }
    let width = every.unit.seconds * CivilTime.second
    let begin = max(since, Self.start - CivilTime.day)
    let rows = stride(from: begin, to: max(begin, until), by: Int(width)).map {
      [QueryValue.time($0)] + row($0, min(until, $0 + width))
    }
    return QueryResult(columns: [ResultColumn(name: "time", kind: .bucket)] + metrics, rows: rows)
  }

  private func watch() throws -> ConfiguredWatch {
    var budget = Budget.Words()
    (budget.name, budget.amount, budget.period) = ("day", "60", "day")
    (budget.soft, budget.forecast) = (["25", "60"], "true")
    var rule = AlertRule.Words()
    (rule.name, rule.expression, rule.window) = ("dear", "cost > 0.3", "5m")
    return ConfiguredWatch(
      rules: [try #require(AlertRule(rule) { _ in })],
      budgets: [try #require(Budget(budget, zone: .utc) { _ in })])
  }

  @Test
  func `raises what it raises live, with and without restarts, and whatever the calls' times`()
    throws
  {
    let end = Self.start + 30 * CivilTime.hour
    var replayed: [IncidentChange] = []
    var first = try watch()
    let history = HistoryAnswers(from: Self.start, until: end)
    let asked = Mutex(0)
    var due = Self.start
    while due < end {
      replayed += first.evaluate(at: due) { (plan) throws(QueryError) in
        try history.answer(plan) { plan in
          asked.withLock { $0 += plan.every == nil ? 0 : 1 }
          return self.answer(plan)
        }
      }
      due = try #require(first.nextDue(after: due))
    }
    #expect(asked.withLock { $0 } < 40, "sums by minute are asked for once")

    var live = try watch()
    var told: [IncidentChange] = []
    var time = Self.start
    var step = 0
    while time < end {
      told += live.evaluate(at: time) { self.answer($0) }
      step += 1
      time += Int64(step * 7 % 11 + 1) * CivilTime.minute / 3
      var next = try watch()
      let isRestored = next.restore(live.snapshot)
      #expect(isRestored)
      live = next
    }
    func sorted(_ changes: [IncidentChange]) -> [String] { changes.map { "\($0)" }.sorted() }
    #expect(replayed.count > 4)
    // The last call of the live one may lie a little before the end.
    let short = sorted(told)
    #expect(Set(short).isSubset(of: Set(sorted(replayed))))
    #expect(replayed.count - told.count <= 2)
  }
}
