import FarthingCore
import FarthingDetection
import FarthingPipeline
import FarthingQuery
import Testing

private let minute = CivilTime.minute
private let start: Int64 = 1_772_409_600_000_000_000

/// Answers as a store would: one row a group, by minute of the question's end.
private struct Answers {
  /// Values by group at each minute; a group that is not there has no requests.
  var values:
    (_ minute: Int64) -> [(key: [String?], value: QueryValue, requests: Int128, unpriced: Int128)]
  var fails = false

  func answer(_ plan: QueryPlan) throws(QueryError) -> QueryResult {
    if fails { throw QueryError(.store, "the disk is gone") }
    let columns =
      plan.groups.map { ResultColumn(name: $0.name, kind: .group($0)) }
      + plan.metrics.map { ResultColumn(name: $0.name, kind: .metric($0)) }
    let rows = values(((plan.until ?? 0) - start) / minute).map { row in
      row.key.map { $0.map { QueryValue.text($0) } ?? .null }
        + plan.metrics.map { metric -> QueryValue in
          switch metric.name {
          case "requests": .count(row.requests)
          case "unpriced_requests": .count(row.unpriced)
          default: row.value
          }
        }
    }
    return QueryResult(columns: columns, rows: rows)
  }
}

private func rule(_ change: (inout AlertRule.Words) -> Void = { _ in }) throws -> AlertRule {
  var words = AlertRule.Words()
  words.name = "dear"
  words.expression = "cost > 10"
  change(&words)
  var faults: [String] = []
  let rule = AlertRule(words) { faults.append($0) }
  #expect(faults == [])
  return try #require(rule)
}

/// What happened at each minute, in short words.
private func run(
  _ monitor: inout RuleMonitor, _ minutes: ClosedRange<Int64>, _ answers: Answers
) -> [String] {
  minutes.flatMap { number in
    monitor.evaluate(at: start + number * minute, asking: answers.answer).map {
      "\(number) \(short($0))"
    }
  }
}

private func short(_ change: IncidentChange) -> String {
  func name(_ incident: Incident) -> String {
    incident.dimensions.map(\.value).joined(separator: ",")
  }
  return switch change {
  case .pending(let incident): "pending \(name(incident))"
  case .fired(let incident): "fired \(name(incident))"
  case .updated(let incident): "updated \(name(incident))"
  case .resolved(let incident): "resolved \(name(incident))"
  case .dropped: "dropped"
  }
}

private func dollars(_ amount: Int128) -> QueryValue { .money(amount * 1_000_000_000_000) }

@Suite struct `A rule on a clock` {
  @Test
  func `fires when its condition has held for its time, and is over when it does not any more`()
    throws
  {
    var monitor = RuleMonitor(rules: [try rule { $0.pendingFor = "3m" }])
    let answers = Answers { number in
      [([], dollars((5..<12).contains(number) ? 11 : 10), 7, 0)]
    }
    let told1 = run(&monitor, 0...20, answers)
    #expect(told1 == ["5 pending ", "8 fired ", "12 resolved "])
  }

  @Test func `that stops holding before its time is dropped`() throws {
    var monitor = RuleMonitor(rules: [try rule { $0.pendingFor = "3m" }])
    let answers = Answers { [([], dollars($0 % 3 == 0 ? 9 : 11), 7, 0)] }
    let told2 = run(&monitor, 0...5, answers)
    #expect(told2 == ["1 pending ", "3 dropped", "4 pending "])
  }

  @Test func `keeps firing as long as it says after it held last`() throws {
    var monitor = RuleMonitor(rules: [try rule { $0.keepFiringFor = "4m" }])
    let answers = Answers { [([], dollars($0 == 1 || $0 == 3 ? 11 : 9), 7, 0)] }
    let told3 = run(&monitor, 0...10, answers)
    #expect(told3 == ["1 fired ", "7 resolved "])
  }

  @Test func `judges each group on its own, and tells of figures that move`() throws {
    var monitor = RuleMonitor(rules: [try rule { $0.by = ["model"] }])
    let answers = Answers { number in
      [
        (["a"], dollars(number >= 2 ? 20 : 1), 5, 0), ([nil], dollars(number == 3 ? 30 : 2), 5, 0),
        (["b"], dollars(number >= 4 ? 40 + Int128(number) : 0), 5, 0),
      ]
    }
    let told4 = run(&monitor, 0...5, answers)
    #expect(
      told4
        == ["2 fired a", "3 fired ", "4 fired b", "4 resolved "])
    let more = Answers { _ in [(["a"], dollars(25), 5, 0), (["b"], dollars(46), 5, 0)] }
    let told5 = run(&monitor, 6...7, more)
    #expect(told5 == ["6 updated a"])
  }

  @Test func `takes missing data neither for zero nor for anything else`() throws {
    var monitor = RuleMonitor(
      rules: [try rule { ($0.expression, $0.window) = ("error_rate < 5%", "5m") }])
    let gone = Answers { _ in [([], .null, 0, 0)] }
    let told6 = run(&monitor, 0...20, gone)
    #expect(told6 == [])
    let low = Answers { _ in [([], .ratio(0.01), 9, 0)] }
    let told7 = run(&monitor, 21...22, low)
    #expect(told7 == ["21 fired "])
    // It stays as it was for a window, and is then over for want of anything to judge.
    let told8 = run(&monitor, 23...40, gone)
    #expect(told8 == ["27 resolved "])
  }

  @Test func `does not judge groups of few requests, nor money of requests without any price`()
    throws
  {
    var monitor = RuleMonitor(rules: [
      try rule { ($0.expression, $0.minimumRequests) = ("cost < 100", "10") }
    ])
    let told9 = run(&monitor, 0...3, Answers { _ in [([], dollars(1), 9, 0)] })
    #expect(told9 == [])
    let told10 = run(&monitor, 4...5, Answers { _ in [([], dollars(0), 50, 50)] })
    #expect(told10 == [])
    let told11 = run(&monitor, 6...6, Answers { _ in [([], dollars(0), 50, 49)] })
    #expect(told11 == ["6 fired "])
  }

  @Test func `that wants silence counted as zero hears it`() throws {
    var monitor = RuleMonitor(rules: [
      try rule { ($0.expression, $0.missing) = ("requests < 1", "zero") }
    ])
    let answers = Answers { [([], .count($0 < 3 ? 4 : 0), $0 < 3 ? 4 : 0, 0)] }
    let told12 = run(&monitor, 0...5, answers)
    #expect(told12 == ["3 fired "])
  }

  @Test func `compares money and counts exactly`() throws {
    let cases: [(String, QueryValue, Bool)] = [
      ("cost > 0.1", .money(100_000_000_000), false),
      ("cost >= 0.1", .money(100_000_000_000), true),
      ("cost > 0.1", .money(100_000_000_001), true),
      ("cost > 0.0000000000005", .money(0), false), ("cost > 0.0000000000005", .money(1), true),
      ("cost < 0.0000000000005", .money(0), true), ("cost == $5", .money(5_000_000_000_000), true),
      ("cost_per_request != 0.3", .moneyRatio("0.3"), false),
      ("requests <= 9007199254740993", .count(9_007_199_254_740_993), true),
      ("requests < 9007199254740993", .count(9_007_199_254_740_992), true),
      ("error_rate >= 12.5%", .ratio(0.125), true),
      ("latency_p95 > 800", .milliseconds(800.5), true),
    ]
    for (expression, value, holds) in cases {
      var monitor = RuleMonitor(rules: [try rule { $0.expression = expression }])
      let changes = monitor.evaluate(
        at: start,
        asking: Answers { _ in
          [
            (
              [], value,
              value == .count(9_007_199_254_740_993)
                ? 9_007_199_254_740_993 : 9_007_199_254_740_992, 0
            )
          ]
        }.answer)
      #expect(!changes.isEmpty == holds, "\(expression) of \(value)")
    }
  }

  @Test func `asks for its window, up to its delay before the evaluation`() throws {
    let rule = try rule {
      ($0.window, $0.delay, $0.filter, $0.by) = ("15m", "30s", "site = 'ber1'", ["model"])
    }
    var asked: [QueryPlan] = []
    var monitor = RuleMonitor(rules: [rule])
    // The interval is a tenth of the window: 90 s.
    _ = monitor.evaluate(at: start + 100_000_000_000) { (plan) throws(QueryError) in
      asked.append(plan)
      return QueryResult(columns: [], rows: [])
    }
    #expect(asked.count == 1)
    let end = start + 90_000_000_000 - 30_000_000_000
    #expect(asked[0].until == end)
    #expect(asked[0].since == end - 15 * minute)
    #expect(asked[0].groups.map(\.name) == ["model"])
  }

  @Test func `that cannot be asked keeps its state, says why, and makes up for it`() throws {
    var monitor = RuleMonitor(rules: [try rule { $0.pendingFor = "3m" }])
    var answers = Answers { [([], dollars($0 >= 2 ? 11 : 1), 7, 0)] }
    let told13 = run(&monitor, 0...3, answers)
    #expect(told13 == ["2 pending "])
    answers.fails = true
    let told14 = run(&monitor, 4...9, answers)
    #expect(told14 == [])
    #expect(monitor.faults == ["dear": "the disk is gone"])
    answers.fails = false
    let changes = monitor.evaluate(at: start + 10 * minute, asking: answers.answer)
    guard case .fired(let incident)? = changes.first else {
      Issue.record("expected it to fire, got \(changes)")
      return
    }
    #expect(incident.detectedAt == start + 5 * minute)
    #expect(incident.startedAt == start + 2 * minute)
    #expect(monitor.faults == [:])
  }

  @Test func `says what, where, and against which threshold`() throws {
    var monitor = RuleMonitor(rules: [
      try rule {
        ($0.by, $0.severity, $0.labels) = (["tenant"], "critical", ["team": "core"])
        $0.summary = "{tenant} spent {value}, more than {threshold}"
      }
    ])
    let changes = monitor.evaluate(
      at: start, asking: Answers { _ in [(["{value}"], .money(12_500_000_000_000), 9, 2)] }.answer)
    guard case .fired(let incident)? = changes.first else { return }
    #expect(incident.summary == "{value} spent $12.5, more than 10")
    #expect(incident.kind == .rule)
    #expect(incident.severity == .critical)
    #expect(incident.dimensions == [DimensionValue(dimension: "tenant", value: "{value}")])
    #expect(incident.excess == Picodollars(2_500_000_000_000))
    #expect(incident.labels == ["team": "core", "rule": "dear"])
    #expect(incident.explanation.contains("2 of them have no price and add nothing to it"))
  }

  @Test func `goes on over a restart at any minute as if there were none`() throws {
    let rules = [
      try rule { ($0.by, $0.pendingFor, $0.keepFiringFor) = (["model"], "2m", "3m") },
      try rule { ($0.name, $0.expression) = ("slow", "latency_p95 > 100") },
    ]
    var dice = SystemRandomNumberGenerator()
    let levels = (0..<60).map { _ in Int128.random(in: 0...20, using: &dice) }
    let answers = Answers { number in
      let level = levels[Int(number) % 60]
      return level == 0
        ? [] : [(["a"], dollars(level), 5, 0), (["b"], dollars(20 - level), 5, 0)]
    }
    var whole = RuleMonitor(rules: rules)
    let expected = run(&whole, 0...59, answers)
    var restarted = RuleMonitor(rules: rules)
    var found: [String] = []
    for number in Int64(0)...59 {
      found += run(&restarted, number...number, answers)
      var next = RuleMonitor(rules: rules)
      let isRestored = next.restore(restarted.snapshot)
      #expect(isRestored)
      restarted = next
    }
    #expect(found == expected)
    #expect(restarted.snapshot == whole.snapshot)
  }

  @Test func `refuses a state that is damaged at any byte's end, and takes none over in part`()
    throws
  {
    var monitor = RuleMonitor(rules: [try rule()])
    _ = monitor.evaluate(at: start, asking: Answers { _ in [([], dollars(11), 7, 0)] }.answer)
    let bytes = monitor.snapshot
    for length in 0..<bytes.count {
      var fresh = RuleMonitor(rules: [try rule()])
      let isRestored = fresh.restore(Array(bytes.prefix(length)))
      #expect(!isRestored)
    }
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 0x80
      var fresh = RuleMonitor(rules: [try rule()])
      _ = fresh.restore(damaged)
    }
  }

  @Test func `that is changed or gone ends what it had raised`() throws {
    var monitor = RuleMonitor(rules: [try rule()])
    let answers = Answers { _ in [([], dollars(11), 7, 0)] }
    let told15 = run(&monitor, 0...0, answers)
    #expect(told15 == ["0 fired "])
    // Words for people may change without a new beginning.
    monitor.replace([try rule { ($0.severity, $0.summary) = ("info", "dear") }])
    let told16 = run(&monitor, 1...1, answers)
    #expect(told16 == [])
    monitor.replace([try rule { $0.expression = "cost > 100" }])
    let told17 = run(&monitor, 2...2, answers)
    #expect(told17 == ["2 resolved "])
  }
}

@Suite struct `The words of a rule` {
  @Test func `are refused with every fault named`() {
    var words = AlertRule.Words()
    words.name = "no such name!"
    words.expression = "cost_per_reqest > 5"
    words.filter = "modle = 'a'"
    words.window = "5"
    words.severity = "bad"
    words.minimumRequests = "-3"
    words.labels = ["severity": "x"]
    words.summary = "{valeu}"
    var faults: [String] = []
    #expect(AlertRule(words) { faults.append($0) } == nil)
    #expect(
      faults == [
        "name: expected 1 to 64 letters, digits, dots, dashes and underscores",
        "expr: unknown metric \"cost_per_reqest\"; did you mean \"cost_per_request\"?",
        "window \"5\": expected a length of time such as 5m, 1h or 7d, at most 366d",
        "where, character 1: unknown field \"modle\"; did you mean \"model\"?",
        "min_requests \"-3\": expected a whole number",
        "severity \"bad\": expected info, warning or critical",
        "labels: \"severity\" cannot be a label: expected 1 to 64 letters, digits, dots, dashes and "
          + "underscores, and no field's name, kind, alertname, severity or metric",
        "summary: {valeu} is nothing that this rule has; did you mean {value}?",
      ])
  }

  @Test func `need a whole condition`() {
    for expression in ["", "cost", "> 5", "cost >", "cost > five", "cost >> 5", "cost > 5 or more"]
    {
      var words = AlertRule.Words()
      words.name = "a"
      words.expression = expression
      var faults: [String] = []
      #expect(AlertRule(words) { faults.append($0) } == nil, "\(expression)")
      #expect(faults.count == 1, "\(expression)")
    }
  }
}
