import FarthingCore
import FarthingQuery
import Testing

@Suite struct `The words of a query` {
  private static let now: Int64 = 1_772_409_600_000_000_000  // 2026-03-02T00:00:00Z

  private func fault(
    metrics: String = "cost", by: String? = nil, filter: String? = nil, since: String? = nil,
    until: String? = nil, every: String? = nil, order: String? = nil, limit: String? = nil
  ) -> QueryError? {
    do {
      _ = try QueryPlan.parse(
        QueryWords(
          metrics: metrics, by: by, filter: filter, since: since, until: until, every: every,
          order: order, limit: limit),
        now: Self.now)
      return nil
    } catch {
      return error
    }
  }

  @Test func `suggest the name that was meant`() {
    #expect(
      fault(metrics: "costs,requets")?.message == """
        unknown metric "costs"; did you mean "cost"?
        unknown metric "requets"; did you mean "requests"?
        """)
    #expect(fault(by: "modle")?.message == "by: unknown field \"modle\"; did you mean \"model\"?")
    #expect(
      fault(metrics: "zzzzzz")?.message
        == "unknown metric \"zzzzzz\"; \"farthing help metrics\" lists them")
  }

  @Test func `are refused where nothing could ever match them`() {
    #expect(
      fault(filter: "status = 'okk'")?.message.hasSuffix(
        "status is never 'okk'; did you mean 'ok'? It is one of ok, error, timeout, rate_limited, "
          + "blocked, cancelled") == true)
    #expect(
      fault(filter: "model = 'm' and not cost_state in ('priced', 'unprised')")?.message.contains(
        "did you mean 'unpriced'?") == true)
    #expect(fault(filter: "status = 'overheated' or status = 'ok' or model = 'okk'") == nil)
    #expect(
      fault(since: "2026-03-02", until: "2026-03-01")?.message.contains("is after until") == true)
    #expect(fault(since: "1h", until: "2h")?.code == .usage)
    #expect(fault(since: "2026-03-01", until: "2026-03-01") == nil)
  }

  @Test func `name the metrics of capacity pools without an answer`() {
    #expect(fault(metrics: "idle_cost")?.code == .unavailable)
    #expect(fault(metrics: "idle_cost,nope")?.code == .usage)
  }

  @Test func `say what is wrong with each flag`() {
    #expect(fault(since: "yesterday")?.code == .usage)
    #expect(fault(every: "0h")?.code == .usage)
    #expect(fault(every: "5 minutes")?.code == .usage)
    #expect(fault(limit: "-1")?.code == .usage)
    #expect(fault(metrics: "")?.code == .usage)
    #expect(fault(every: "1h", order: "requests", limit: "0") == nil)
  }

  @Test(arguments: [
    "model", "model =", "model = 5", "input_tokens = 'x'", "model = 'a", "(model = 'a'",
    "model = 'a' or", "nope = 'a'", "model in ()", "model in 'a'", "cost like 'a'", "model ~ 'a'",
    "model is 'a'", "tags = 'a'", "input_tokens = 1e", "time > 'soon'", "model = 'a' model = 'b'",
  ])
  func `refuse a malformed filter by its place`(text: String) {
    #expect(fault(filter: text)?.message.hasPrefix("where, character ") == true)
  }

  @Test(arguments: ["", "  "])
  func `refuse a filter without words, which would be everything`(text: String) {
    #expect(
      fault(filter: text)?.message
        == "where: the expression is empty; leave it out for all requests")
  }

  @Test func `refuse two columns of one name`() {
    #expect(
      fault(metrics: "requests,cost", by: "cost")?.message
        == "by: \"cost\" is asked for as a metric too, and an answer has one column of a name; "
        + "leave one of them out")
    #expect(fault(metrics: "requests", by: "cost") == nil)
  }

  @Test(arguments: [
    "site = 'sin1' and input_tokens > 8000 and not model in ('a', 'b')", "model = 'it''s'",
    "MODEL_IS is null or model is not null", "not (not (batch = true))",
    "cost >= .5 or cost < 1e-6",
    "time >= '24h' and time < '2026-03-02T01:00:00+01:00'", "tags.cost-center = 'a'",
    "\"tags.odd name\" = 'a'", "cost != '0.25'", "model not like '%a_' AND attempt <> 2",
    "units.web_search >= 1", "cold_start = false", "latency_ms > -1",
  ])
  func `take what the interface allows`(text: String) {
    #expect(fault(filter: text.replacing("MODEL_IS", with: "model")) == nil)
  }

  @Test func `bound how deep a filter nests, not how long it is`() {
    let deep =
      String(repeating: "(", count: 10_000) + "model = 'a'" + String(repeating: ")", count: 10_000)
    #expect(fault(filter: deep)?.message.contains("nested deeper than 64") == true)
    let nots = String(repeating: "not ", count: 10_000) + "model = 'a'"
    #expect(fault(filter: nots)?.message.contains("nested deeper than 64") == true)
    let long = Array(repeating: "model = 'a'", count: 3_000).joined(separator: " or ")
    #expect(fault(filter: long) == nil)
  }

  @Test func `read times as RFC 3339, dates and spans ago`() {
    func instant(_ text: String) -> Int64? {
      InstantParser.parse(text, now: Self.now, zone: .utc)
    }
    #expect(instant("2026-03-02") == Self.now)
    #expect(instant("2026-03-02T00:00:00Z") == Self.now)
    #expect(instant("2026-03-02T01:30:00.000000001+01:30") == Self.now + 1)
    #expect(instant("24h") == Self.now - 86_400_000_000_000)
    #expect(instant("7d") == Self.now - 7 * 86_400_000_000_000)
    #expect(instant("2024-02-29") == 1_709_164_800_000_000_000)
    for text in [
      "2026-02-29", "2026-13-01", "2026-03-02T24:00:00Z", "2026-03-02T00:00:00", "", "-1h",
    ] {
      #expect(instant(text) == nil)
    }
  }
}
