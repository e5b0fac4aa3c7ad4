import FarthingCore
import FarthingDetection
import FarthingPipeline
import FarthingQuery
import Foundation
import Testing

private let hour = CivilTime.hour
private let day = CivilTime.day
private let dollar: Int128 = 1_000_000_000_000

private func time(_ text: String) throws -> Int64 { try #require(CivilTime.parse(text)) }

/// A store that knows what was spent in each hour, spread evenly over it.
private struct Spending {
  /// Picodollars by hour since 1970.
  var hours: [Int64: Int128] = [:]
  var unpriced: Int128 = 0

  mutating func spend(_ amount: Int128, from: Int64, until: Int64) {
    for place in from / hour..<until / hour { hours[place, default: 0] += amount }
  }

  func answer(_ plan: QueryPlan) throws(QueryError) -> QueryResult {
    let (since, until) = (plan.since ?? 0, plan.until ?? 0)
    let metrics = plan.metrics.map { ResultColumn(name: $0.name, kind: .metric($0)) }
    func sum(_ from: Int64, _ to: Int64) -> Int128 {
      hours.reduce(0) { sum, entry in
        let (begin, end) = (max(from, entry.key * hour), min(to, (entry.key + 1) * hour))
        return begin < end ? sum + entry.value * Int128(end - begin) / Int128(hour) : sum
      }
    }
    guard plan.every != nil else {
      return QueryResult(
        columns: metrics, rows: [[.money(sum(since, until)), .count(1000), .count(unpriced)]])
    }
    let rows = hours.keys.filter { $0 * hour >= since && $0 * hour < until }.sorted().map {
      [QueryValue.time($0 * hour), .money(hours[$0] ?? 0), .count(1000), .count(unpriced)]
    }
    return QueryResult(columns: [ResultColumn(name: "time", kind: .bucket)] + metrics, rows: rows)
  }
}

private func budget(
  _ amount: String = "100", _ period: String = "month", zone: TimeZoneRules = .utc,
  _ change: (inout Budget.Words) -> Void = { _ in }
) throws -> Budget {
  var words = Budget.Words()
  (words.name, words.amount, words.period) = ("team", amount, period)
  words.burnRates = []
  words.forecast = "false"
  change(&words)
  var faults: [String] = []
  let budget = Budget(words, zone: zone) { faults.append($0) }
  #expect(faults == [])
  return try #require(budget)
}

private func short(_ changes: [IncidentChange]) -> [String] {
  changes.map { change in
    switch change {
    case .fired(let incident): "fired \(incident.severity.rawValue)"
    case .resolved(let incident): "resolved \(incident.severity.rawValue)"
    default: "\(change)"
    }
  }
}

@Suite struct `A budget's period` {
  @Test func `is one of the calendar in its zone`() throws {
    let berlin = try #require(
      TimeZoneRules(
        name: "Europe/Berlin",
        tzif: Array(try Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/Europe/Berlin")))))
    let cases: [(String, String, String, String)] = [
      ("month", "2026-03-31T22:30:00Z", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z"),
      ("month", "2026-03-31T21:59:59Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
      ("day", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
      ("week", "2026-03-29T21:00:00Z", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"),
      ("quarter", "2026-12-31T23:30:00Z", "2026-12-31T23:00:00Z", "2027-03-31T22:00:00Z"),
      ("year", "2024-02-29T12:00:00Z", "2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z"),
    ]
    for (words, at, start, end) in cases {
      let bounds = try #require(BudgetPeriod(words, zone: berlin)).bounds(at: time(at))
      #expect(CivilTime.text(bounds.start) == start, "\(words) \(at)")
      #expect(CivilTime.text(bounds.end) == end, "\(words) \(at)")
    }
  }

  @Test func `holds each instant, and begins where the one before ends`() throws {
    var at = try time("2023-12-30")
    for period in ["day", "week", "month", "quarter", "year"] {
      let period = try #require(BudgetPeriod(period, zone: .utc))
      for _ in 0..<400 {
        let bounds = period.bounds(at: at)
        #expect(bounds.start <= at && at < bounds.end)
        #expect(period.bounds(at: bounds.end).start == bounds.end)
        #expect(period.bounds(at: bounds.start - 1).end == bounds.start)
        at += 7 * hour
      }
    }
  }
}

@Suite struct `A budget on a clock` {
  @Test func `tells of each threshold once a period, and ends it with the period`() throws {
    let start = try time("2026-03-01")
    var spending = Spending()
    // 80 dollars are reached after 80 hours, 100 after 100; April is quiet.
    spending.spend(dollar, from: start, until: start + 120 * hour)
    var monitor = BudgetMonitor(budgets: [try budget()])
    var told: [String] = []
    var at = start
    while at < start + 32 * day {
      told += short(monitor.evaluate(at: at, asking: spending.answer)).map {
        "\((at - start) / hour) \($0)"
      }
      // Evaluations in between are made up for; an hour at once here.
      at += hour
    }
    #expect(
      told == [
        "80 fired warning", "100 fired critical", "744 resolved warning", "744 resolved critical",
      ])
  }

  @Test func `is exact at the threshold, to the picodollar`() throws {
    let start = try time("2026-03-01")
    for (missing, isReached) in [(Int128(0), true), (1, false)] {
      var spending = Spending()
      spending.hours[start / hour] = 100 * dollar - missing
      var monitor = BudgetMonitor(budgets: [try budget { $0.soft = [] }])
      let changes = monitor.evaluate(at: start + 2 * hour, asking: spending.answer)
      #expect(!changes.isEmpty == isReached)
    }
  }

  @Test func `that rolls is over when enough has rolled out of it`() throws {
    let start = try time("2026-03-01")
    var spending = Spending()
    spending.spend(10 * dollar, from: start, until: start + 12 * hour)
    var monitor = BudgetMonitor(budgets: [try budget("100", "rolling 1d") { $0.soft = [] }])
    var told: [String] = []
    for step in Int64(0)...60 {
      told += short(monitor.evaluate(at: start + step * hour, asking: spending.answer)).map {
        "\(step) \($0)"
      }
    }
    // After 27 hours three of twelve have rolled out: 90 dollars are below 95.
    #expect(told == ["10 fired critical", "27 resolved critical"])
  }

  @Test func `burns where both windows are fast, until the short one is not`() throws {
    let start = try time("2026-03-02")
    var spending = Spending()
    // The even rate of 720 dollars a month is one an hour; 20 an hour for two hours.
    spending.spend(20 * dollar, from: start + 5 * hour, until: start + 7 * hour)
    var monitor = BudgetMonitor(budgets: [
      try budget("720") { words in
        var burn = Budget.Words.BurnWords()
        (burn.long, burn.short, burn.rate, burn.severity) = ("1h", "5m", "14.4", "critical")
        words.burnRates = [burn]
      }
    ])
    var told: [String] = []
    for step in Int64(0)...600 {
      told += short(monitor.evaluate(at: start + step * CivilTime.minute, asking: spending.answer))
        .map { "\(step) \($0)" }
    }
    // 14.4 of 20 are reached after 43.2 minutes; the short window is below 90 % 1.76 minutes after the end.
    #expect(told == ["344 fired critical", "422 resolved critical"])
  }

  @Test func `that will be exceeded is told long before it is`() throws {
    let start = try time("2026-03-01")
    var spending = Spending()
    // Eight weeks of one dollar an hour, of which a month's 600 are used up on the 26th.
    spending.spend(dollar, from: start - 56 * day, until: start + 31 * day)
    var monitor = BudgetMonitor(budgets: [
      try budget("600") { ($0.forecast, $0.soft) = ("true", []) }
    ])
    let first = monitor.evaluate(at: start + 2 * day, asking: spending.answer)
    guard case .fired(let incident)? = first.first else {
      Issue.record("expected a forecast, got \(first)")
      return
    }
    #expect(incident.id.hasPrefix("budget-"))
    #expect(incident.summary.contains("about 2026-03-26T00:00:00Z"), "\(incident.summary)")
    let second = monitor.evaluate(at: start + 20 * day, asking: spending.answer)
    #expect(second.isEmpty)
    let last = monitor.evaluate(at: start + 25 * day + hour, asking: spending.answer)
    #expect(Set(short(last)) == ["fired critical", "resolved warning"])
  }

  @Test func `tells again once its amount is another, or it is taken away and comes back`() throws {
    let start = try time("2026-03-01")
    var spending = Spending()
    spending.spend(dollar, from: start, until: start + 200 * hour)
    let (low, high) = (try budget("10") { $0.soft = [] }, try budget("20") { $0.soft = [] })
    var monitor = BudgetMonitor(budgets: [low])
    var ids: [String] = []
    func note(_ changes: [IncidentChange]) {
      for case .fired(let incident) in changes { ids.append(incident.id) }
    }
    note(monitor.evaluate(at: start + 11 * hour, asking: spending.answer))
    monitor.replace([high])
    let over = monitor.evaluate(at: start + 12 * hour, asking: spending.answer)
    #expect(short(over) == ["resolved critical"])
    note(monitor.evaluate(at: start + 21 * hour, asking: spending.answer))
    // Twice within a minute: the id is not that of what was resolved.
    for budgets in [[], [high]] {
      monitor.replace(budgets)
      note(monitor.evaluate(at: start + 21 * hour + 5, asking: spending.answer))
    }
    note(monitor.evaluate(at: start + 22 * hour, asking: spending.answer))
    #expect(ids.count == 3 && Set(ids).count == 3, "\(ids)")
  }

  @Test func `says what has no price`() throws {
    let start = try time("2026-03-01")
    var spending = Spending()
    spending.hours[start / hour] = 200 * dollar
    spending.unpriced = 40
    var monitor = BudgetMonitor(budgets: [try budget { ($0.soft, $0.owner) = ([], "ann") }])
    guard
      case .fired(let incident)? = monitor.evaluate(at: start + hour, asking: spending.answer).first
    else {
      Issue.record("expected it to fire")
      return
    }
    #expect(
      incident.explanation.contains(
        "40 of 1000 requests have no price and are not in what is spent"))
    #expect(incident.labels == ["budget": "team", "owner": "ann"])
    #expect(incident.excess == Picodollars(100 * dollar))
    #expect(incident.summary == "budget team has reached 100 %: $200 of $100 spent this month")
  }

  @Test func `goes on over restarts at any time as if there were none`() throws {
    let start = try time("2026-02-20")
    var spending = Spending()
    for place in start / hour - 500..<start / hour + 800 {
      spending.hours[place] = Int128(place * 7919 % 11) * dollar / 4
    }
    let budgets = [
      try budget("100", "week") { ($0.soft, $0.forecast) = (["30", "60"], "true") },
      try budget("60", "rolling 1d") { ($0.name, $0.burnRates) = ("rolling", nil) },
    ]
    var whole = BudgetMonitor(budgets: budgets)
    var restarted = BudgetMonitor(budgets: budgets)
    for step in 0..<400 {
      let at = start + Int64(step) * 2 * hour
      let expected = whole.evaluate(at: at, asking: spending.answer)
      let found = restarted.evaluate(at: at, asking: spending.answer)
      #expect(found == expected)
      var next = BudgetMonitor(budgets: budgets)
      let isRestored = next.restore(restarted.snapshot)
      #expect(isRestored)
      restarted = next
    }
    #expect(restarted.snapshot == whole.snapshot)
  }

  @Test func `and its words are refused with every fault named`() {
    var words = Budget.Words()
    (words.name, words.amount, words.period) = ("", "-5", "fortnight")
    (words.soft, words.filter) = (["eighty"], "cost >")
    var burn = Budget.Words.BurnWords()
    (burn.long, burn.short, burn.rate) = ("5m", "1h", "2")
    words.burnRates = [burn]
    var faults: [String] = []
    #expect(Budget(words, zone: .utc) { faults.append($0) } == nil)
    #expect(faults.count == 6, "\(faults)")
    #expect(
      faults.contains(
        "amount \"-5\": expected US dollars above 0 as a decimal number, such as 2500 or 99.50"))
  }
}

@Suite struct `A forecast` {
  /// A week with quiet nights and weekends, and some noise.
  private func series(_ hours: Int, noise: Double, seed: UInt64 = 1) -> [Double] {
    var state = seed
    return (0..<hours).map { place in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let random = Double(state >> 11) / Double(1 << 53)
      let daily = place % 24 < 8 ? 0.2 : 1.0
      let weekly = place / 24 % 7 >= 5 ? 0.3 : 1.0
      return daily * weekly * (1 + noise * (random - 0.5))
    }
  }

  @Test func `follows the hours of the week where it knows two of them`() {
    let all = series(24 * 42, noise: 0.2)
    let forecast = SpendForecast(
      history: Array(all.prefix(24 * 28)), firstHourOfWeek: 0, count: 24 * 14)
    #expect(forecast.method == .weekly)
    let actual = all[(24 * 28)...].reduce(0, +)
    #expect((forecast.sum.expected / actual - 1).magnitude < 0.03)
    #expect(forecast.hours[24 * 5 + 12] < forecast.hours[24 * 4 + 12] / 2)
  }

  @Test func `is linear with less, and unknown with nothing`() {
    let short = SpendForecast(
      history: series(24 * 5, noise: 0), firstHourOfWeek: 0, count: 48)
    #expect(short.method == .linear)
    #expect(SpendForecast(history: [], firstHourOfWeek: 0, count: 48).method == .unknown)
    let nothing = SpendForecast(
      history: [Double](repeating: 0, count: 500), firstHourOfWeek: 0, count: 48)
    #expect(nothing.method == .unknown)
  }

  @Test func `has a band that widens with what it knows less`() {
    let calm = SpendForecast(history: series(24 * 56, noise: 0.1), firstHourOfWeek: 3, count: 168)
    let wild = SpendForecast(history: series(24 * 56, noise: 6), firstHourOfWeek: 3, count: 168)
    let new = SpendForecast(history: series(20, noise: 0.1), firstHourOfWeek: 3, count: 168)
    #expect(calm.highFactor - calm.lowFactor < wild.highFactor - wild.lowFactor)
    #expect(wild.highFactor - wild.lowFactor < new.highFactor - new.lowFactor)
    for forecast in [calm, wild, new] {
      #expect(forecast.sum.low <= forecast.sum.expected)
      #expect(forecast.sum.expected <= forecast.sum.high)
    }
  }
}
