import FarthingCore
import FarthingPipeline
import FarthingQuery
import FarthingStore
import Foundation
import Testing

@testable import FarthingApp

@Suite("A report")
struct ReportTests {
  private let store: ReportStore

  init() throws { store = try ReportStore() }

  @Test(arguments: ReportFormat.allCases)
  func `has the same bytes for the same store and clock`(format: ReportFormat) throws {
    let budgets = [try ReportStore.budget()]
    let report = try store.report(ledger: ReportStore.ledger, budgets: budgets)
    let again = try store.report(ledger: ReportStore.ledger, budgets: budgets)
    #expect(report.text(format) == again.text(format))
    let name = format == .markdown ? "md" : format.rawValue
    try Golden.expect(report.text(format), matches: "report.\(name)")
  }

  private func amount(_ value: QueryValue) -> Int128 {
    if case .count(let count) = value { return count }
    return ReadableCells.amount(value) ?? 0
  }

  /// Every column of a table whose rows are parts of its last row.
  private static let additive: [String: [String]] = [
    "buckets": ["cost", "before", "requests", "unpriced_requests"],
    "contributors_workload": ["before", "after", "change"],
    "contributors_model": ["before", "after", "change"],
    "contributors_identity": ["before", "after", "change"],
    "contributors_site": ["before", "after", "change"],
    "workloads": ["cost", "requests"],
    "reliability": ["retrievals", "retrieval_failures"],
    "models": ["cost", "requests", "tokens"],
    "waste": ["cost", "before", "change", "requests", "unpriced_requests"],
    "pools": ["pool_cost", "idle_cost"],
    "unpriced": ["unpriced_requests", "requests", "before"],
  ]

  @Test(arguments: [
    ReportWords(), ReportWords(period: "monthly"),
    ReportWords(since: "2026-02-20T07:00:00Z", until: "2026-03-03T19:30:00Z"),
    ReportWords(period: "weekly", since: "2026-03-16"), ReportWords(filter: "attempt = 1"),
  ])
  func `the rows of each table sum to its last to the picodollar`(words: ReportWords) throws {
    let report = try store.report(words)
    let tables = report.sections.flatMap(\.tables)
    for table in tables {
      guard let total = table.rows.last, total.style == .total, table.id != "bridge" else {
        continue
      }
      let columns = try #require(Self.additive[table.id], "\(table.id)")
      for column in columns {
        let place = try #require(table.columns.firstIndex { $0.id == column })
        let parts = table.rows.dropLast().map { amount($0.cells[place].value) }
        #expect(parts.reduce(0, +) == amount(total.cells[place].value), "\(table.id) \(column)")
      }
    }
    let bridge = try #require(report[table: "bridge"]?.values("change")).map(amount)
    #expect(bridge.dropLast().reduce(0, +) == bridge.last)
    #expect(tables.map(\.id).contains("buckets") && tables.map(\.id).contains("workloads"))
  }

  @Test func `the totals of all sections are those of the key figures`() throws {
    let report = try store.report()
    func total(_ table: String, _ column: String) throws -> Int128 {
      amount(try #require(report[table: table]?.values(column)?.last))
    }
    let figures = try #require(report[table: "figures"])
    func figure(_ id: String) throws -> Int128 {
      let row = try #require(figures.rows.first { $0.cells[0].value == .text(id) })
      return amount(row.cells[1].value)
    }
    for table in ["buckets", "workloads", "models"] {
      #expect(try total(table, "cost") == figure("cost"), "\(table)")
      #expect(try total(table, "requests") == figure("requests"), "\(table)")
    }
    #expect(try total("contributors_identity", "after") == figure("cost"))
    #expect(try total("bridge", "change") == figure("cost"))
    #expect(try figure("cost") > 0)
    // Eleven and more are told as others, in both tables that have so many.
    #expect(report[table: "workloads"]?.rows.contains { $0.style == .others } == true)
    #expect(report[table: "models"]?.rows.contains { $0.style == .others } == true)
  }

  @Test func `avoidable cost counts no request twice and is what the conditions say`() throws {
    let report = try store.report()
    let table = try #require(report[table: "waste"])
    let plan = try ReportPlan.parse(ReportWords(), now: ReportStore.now)
    let period = try #require(plan.period())
    let asked = ReportQuestions(
      plan: plan, period: period, executor: QueryExecutor(threads: 1),
      snapshot: try store.snapshot())
    // Retries and failures have no request in common, so one filter finds the cost of both together.
    let together = try asked.figures(
      "cost,requests", period.current,
      and: "attempt > 1 or (attempt = 1 and status != 'ok')")
    let failing = table.rows.filter {
      ["retries", "failed", "cancelled"].map { QueryValue.text($0) }.contains($0.cells[0].value)
    }
    #expect(failing.count == 3)
    #expect(failing.map { amount($0.cells[1].value) }.reduce(0, +) == together.money("cost"))
    #expect(failing.map { amount($0.cells[5].value) }.reduce(0, +) == together.count("requests"))
    let repeats = try asked.figures(
      "repeated_cost", period.current, and: "attempt = 1 and status = 'ok'")
    let repeated = table.rows.filter {
      ["repeated_uncached", "repeated_cached"].map { QueryValue.text($0) }
        .contains($0.cells[0].value)
    }
    #expect(
      repeated.map { amount($0.cells[1].value) }.reduce(0, +) == repeats.money("repeated_cost"))
    #expect(repeated.allSatisfy { amount($0.cells[1].value) > 0 })
  }

  @Test func `begins with three to five findings, and what has to be acted on comes early`() throws
  {
    let report = try store.report(
      ledger: ReportStore.ledger, budgets: [try ReportStore.budget()])
    #expect((3...5).contains(report.findings.count))
    #expect(report.findings[0].section == "change")
    #expect(report.findings[1].tone == .act)
    for finding in report.findings {
      #expect(report[section: finding.section] != nil, "\(finding.section)")
      #expect(!finding.text.plain.contains("  "))
    }
    #expect(report.findings.contains { $0.section == "incidents" })
    #expect(report.findings.contains { $0.section == "budgets" })
  }

  @Test func `what people did is there where anybody did anything`() throws {
    #expect(try store.report()[section: "actions"] == nil)
    let report = try store.report(ledger: ReportStore.ledger)
    #expect(report[table: "actions"]?.values("by") == [.text("dana")])
    #expect(try store.report().text(.markdown).contains("Nothing watched this store"))
  }

  @Test func `a running week is compared with as much of the week before, and says so`() throws {
    let now = try #require(CivilTime.parse("2026-03-12T12:00:00Z"))
    let report = try store.report(ReportWords(period: "weekly", since: "2026-03-09"), now: now)
    let period = report.heading.period
    #expect(!period.isOver)
    #expect(period.current.until == now)
    #expect(period.previous.until == now - 7 * CivilTime.day)
    #expect(
      report.text(.markdown).contains(
        "> **This week is not over: its figures are of the first 3d 12h"))
    #expect(report.text(.html).contains("This week is not over"))
    #expect(report.text(.json).contains("\"is_over\":false"))
  }

  @Test func `an empty last week gives way to the latest with requests, and says so`() throws {
    let now = try #require(CivilTime.parse("2026-11-21T12:00:00Z"))
    let report = try store.report(now: now)
    #expect(report.heading.title == "Unit cost review: week 11 of 2026")
    let text = report.text(.markdown)
    #expect(
      text.contains(
        "> **There are no requests in week 46 of 2026. This is the latest week that has any.**"))
    // Somebody who names a time gets what was named.
    let named = try store.report(ReportWords(period: "weekly", since: "2026-11-10"), now: now)
    #expect(named.findings.map(\.title) == ["No requests"])
    #expect(named[table: "workloads"] == nil)
  }

  @Test func `a model without a price shows no cost, and is named as missing`() throws {
    let report = try store.report()
    let models = try #require(report[table: "unpriced"]?.values("model"))
    #expect(models.contains(.text("in-house")))
    #expect(report[section: "coverage"]?.lead?.plain.contains("could not be priced") == true)
  }

  @Test func `hours in which nobody asks a pool are idle, to the picodollar`() throws {
    let events = [
      // 3.5 hours, 8 accelerators at $2.75: $22 an hour. Asked in one of the four hours that it touches.
      "{\"type\":\"capacity\",\"time\":\"2026-03-10T10:30:00Z\",\"until\":\"2026-03-10T14:00:00Z\",\"site\":\"edge\",\"pool\":\"a\",\"model\":\"own\",\"accelerators\":8,\"usd_per_accelerator_hour\":\"2.75\"}",
      "{\"time\":\"2026-03-10T12:59:00Z\",\"model\":\"own\",\"site\":\"edge\",\"input_tokens\":1,\"compute_ms\":5}",
      "{\"time\":\"2026-03-10T11:10:00Z\",\"model\":\"other\",\"site\":\"edge\",\"input_tokens\":1}",
      // Any model: asked at 11 and at 12.
      "{\"type\":\"capacity\",\"time\":\"2026-03-10T11:00:00Z\",\"until\":\"2026-03-10T14:00:00Z\",\"site\":\"edge\",\"pool\":\"b\",\"accelerators\":1,\"usd_per_accelerator_hour\":\"1\"}",
    ]
    let report = try ReportStore(events).report()
    let table = try #require(report[table: "pools"])
    #expect(table.values("pool")?.prefix(2) == [.text("a"), .text("b")])
    let dollar: Int128 = 1_000_000_000_000
    #expect(
      table.values("pool_cost") == [.money(77 * dollar), .money(3 * dollar), .money(80 * dollar)])
    #expect(
      table.values("idle_cost") == [.money(55 * dollar), .money(1 * dollar), .money(56 * dollar)])
    #expect(table.values("idle_hours") == [.real(2.5), .real(1), .real(3.5)])
  }
}

@Suite("The period of a report")
struct ReportPeriodTests {
  private func time(_ text: String) throws -> Int64 { try #require(CivilTime.parse(text)) }

  private func period(_ words: ReportWords, now: String) throws -> ReportPeriod {
    try #require(ReportPlan.parse(words, now: try time(now)).period())
  }

  @Test(arguments: [
    ("2026-01-01", 2026, 1), ("2027-01-03", 2026, 53), ("2027-01-04", 2027, 1),
    ("2024-12-30", 2025, 1), ("2021-01-01", 2020, 53), ("2026-03-15", 2026, 11),
  ])
  func `weeks are numbered by ISO 8601`(date: String, year: Int64, number: Int64) throws {
    let week = PeriodText.isoWeek(try time(date) / CivilTime.day)
    #expect(week == (year, number))
  }

  @Test func `the last week and month that are over are meant where nothing is said`() throws {
    let week = try period(ReportWords(), now: "2026-03-16T00:00:00Z")
    #expect(
      week.current == ReportWindow(since: try time("2026-03-09"), until: try time("2026-03-16")))
    #expect(week.isOver)
    let month = try period(ReportWords(period: "monthly"), now: "2026-03-31T23:00:00Z")
    #expect(
      month.current == ReportWindow(since: try time("2026-02-01"), until: try time("2026-03-01")))
    #expect(month.previous.since == (try time("2026-01-01")))
    #expect(month.windows.map(\.since).last == (try time("2025-10-01")))
    let until = try period(ReportWords(until: "2026-02-20"), now: "2026-03-16T00:00:00Z")
    #expect(until.current.until == (try time("2026-02-16")))
  }

  @Test func `a running month is never compared with more days than the one before has`() throws {
    let month = try period(
      ReportWords(period: "monthly", since: "2026-03-01"), now: "2026-03-30T12:00:00Z")
    #expect(
      month.previous == ReportWindow(since: try time("2026-02-01"), until: try time("2026-03-01")))
    #expect(month.windows[2].until == (try time("2026-01-30T12:00:00Z")))
  }

  @Test func `both ends name exactly that, and whole weeks and months are known as such`() throws {
    let week = try period(
      ReportWords(since: "2026-03-09", until: "2026-03-16"), now: "2026-11-01")
    #expect(week.kind == .week)
    let month = try period(
      ReportWords(since: "2026-03-01", until: "2026-04-01"), now: "2026-11-01")
    #expect(month.kind == .month)
    #expect(month.previous.since == (try time("2026-02-01")))
    let days = try period(
      ReportWords(since: "2026-03-01", until: "2026-03-11"), now: "2026-11-01")
    #expect(days.kind == .span)
    #expect(
      days.previous == ReportWindow(since: try time("2026-02-19"), until: try time("2026-03-01")))
    let hours = try period(
      ReportWords(since: "2026-03-01T06:00:00Z", until: "2026-03-01T09:00:00Z"), now: "2026-11-01")
    #expect(hours.previous.since == (try time("2026-03-01T03:00:00Z")))
  }

  @Test func `weeks go by the zone, over a change of its clocks`() throws {
    let bytes = try WholeInput.bytes(of: "/usr/share/zoneinfo/Europe/Berlin", limit: 1 << 20)
    let zone = try #require(TimeZoneRules(name: "Europe/Berlin", tzif: bytes))
    let plan = try ReportPlan.parse(
      ReportWords(), now: try time("2026-03-30T00:00:00Z"), timeZone: zone)
    let period = try #require(plan.period())
    // The clocks go forward on Sunday 29 March: the week has 167 hours.
    #expect(period.current.since == (try time("2026-03-22T23:00:00Z")))
    #expect(period.current.until == (try time("2026-03-29T22:00:00Z")))
    #expect(PeriodText.span(period.current, period) == "23 to 29 March 2026 (Europe/Berlin)")
  }

  @Test func `what cannot be meant is told, every fault at once`() throws {
    func message(_ words: ReportWords) throws -> String {
      do {
        _ = try ReportPlan.parse(words, now: try time("2026-03-16"))
        return ""
      } catch let error as QueryError {
        return error.message
      }
    }
    #expect(
      try message(ReportWords(period: "daily", since: "yesterday")) == """
        since: "yesterday" is not an RFC 3339 time such as 2026-11-21T08:00:00Z, a date, or a time ago such as 24h or 7d
        period: "daily" is neither weekly nor monthly
        """)
    #expect(
      try message(ReportWords(since: "2026-05-01", until: "2026-06-01"))
        == "since is not before now, so there is no period to report")
    #expect(
      try message(ReportWords(since: "2026-01-01", until: "2025-12-01"))
        == "since is after until, so no time is between them; is one meant for the other?")
  }
}
