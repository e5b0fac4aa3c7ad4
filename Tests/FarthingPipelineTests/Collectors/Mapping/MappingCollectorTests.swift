import FarthingCore
import FarthingPipeline
import FarthingQuery
import Foundation
import Testing

/// What a mapping makes of a text, as the fields that the tests ask for.
private struct Mapped {
  var batch: DecodedBatch
  var collector: MappingCollector

  init(_ yaml: String, _ text: String) throws {
    let mapping = try MappingFile.parse(Array(yaml.utf8), file: "test.yaml") { name in
      name == "Europe/Vienna" ? TimeZoneRules(offset: "+01:00") : nil
    }
    collector = MappingCollector(mapping)
    // 2026-11-21T00:00:00Z
    batch = collector.decode(
      Array(text.utf8), CollectionContext(now: 1_795_219_200_000_000_000))
  }

  func text(_ field: TextField, _ event: Int = 0) -> String? {
    batch.events[event].range(of: field).map { batch.string($0) }
  }

  func tags(_ event: Int = 0) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: batch.entries[batch.events[event].tags].map {
        (batch.string($0.name), batch.string($0.text))
      })
  }
}

@Suite struct `A mapping` {
  @Test
  func
    `takes values by path, by flat dotted key, from the first that is there and from array places`()
    throws
  {
    let mapped = try Mapped(
      """
      fields:
        time: {path: t, time: unix_ms}
        model: [answer.model, gen_ai.request.model]
        task: messages[1].id
        tenant: a\\.b
      """,
      """
      {"t": 1795000000123, "gen_ai.request.model": "m-1", "messages": [{"id": "x"}, {"id": "y"}], "a.b": "acme"}
      {"t": "1795000000123", "answer": {"model": "m-2"}, "gen_ai.request.model": "m-1", "messages": []}
      """)
    #expect(mapped.batch.rejections.isEmpty)
    #expect(mapped.text(.model) == "m-1")
    #expect(mapped.text(.task) == "y")
    #expect(mapped.text(.tenant) == "acme")
    #expect(mapped.text(.model, 1) == "m-2")
    #expect(mapped.text(.task, 1) == nil)
    #expect(mapped.batch.events[0].time == 1_795_000_000_123_000_000)
    #expect(mapped.collector.unseenPaths.isEmpty)
  }

  @Test func `converts units exactly`() throws {
    let mapped = try Mapped(
      """
      fields:
        time: {path: at, time: unix_s, minus: {path: took, unit: s}}
        latency_ms: {path: took, unit: s}
        ttft_ms: {path: first, unit: duration}
        queue_ms: {path: queue, unit: µs}
        input_tokens: {path: in, unit: k}
        reported_cost_usd: {path: price, unit: usd_per_1m, times: tokens}
        units.image: images
      """,
      """
      {"at": 1795000000.5, "took": "0.123", "first": "1m2.5s", "queue": 1500, "in": 1.204, "price": "2.5", "tokens": 1204, "images": 2}
      """)
    let event = try #require(mapped.batch.events.first)
    #expect(event.time == 1_795_000_000_377_000_000)
    #expect(event.real(.latencyMs) == 123)
    #expect(event.real(.ttftMs) == 62_500)
    #expect(event.real(.queueMs) == 1.5)
    #expect(event.integer(.inputTokens) == 1204)
    #expect(event.money(.reportedCostUSD) == 3_010_000_000)
    #expect(mapped.batch.entries[event.units].map(\.count) == [2])
  }

  @Test func `maps values by text, by digit pattern and by range, and joins texts`() throws {
    let mapped = try Mapped(
      """
      absent: ["-"]
      type: {path: kind, map: {call: request, end: outcome}}
      skip_when:
        - {path: uri, matches: ^/health}
        - all: [{path: status, is: 4xx}, {path: tenant, absent: true}]
      fields:
        time: when
        status: {path: status, map: {"404": blocked, 2xx: ok, 400-499: rate_limited, default: error}}
        id: {template: "${uri}#${n}"}
        task: {path: uri, pattern: '^/task/(\\d+)'}
        outcome: {path: result, map: {good: success, bad: failure}}
        workload: {value: web}
        tenant: {path: tenant, default: nobody}
      """,
      """
      {"kind":"call","when":"2026-11-20T00:00:00Z","uri":"/a","n":1,"status":404,"tenant":"x"}
      {"kind":"call","when":"2026-11-20T00:00:00Z","uri":"/b","n":2,"status":"429","tenant":"-"}
      {"kind":"call","when":"2026-11-20T00:00:00Z","uri":"/health/x","status":200}
      {"kind":"call","when":"2026-11-20T00:00:00Z","uri":"/c","n":3,"status":200}
      {"kind":"call","when":"2026-11-20T00:00:00Z","uri":"/d","status":500}
      {"kind":"end","when":"2026-11-20T00:00:00Z","uri":"/task/17","n":5,"result":"good","status":1}
      {"kind":"other","when":"2026-11-20T00:00:00Z"}
      """)
    #expect(mapped.collector.report.skipped == 2)
    #expect(
      mapped.batch.events.indices.map { mapped.text(.status, $0) } == [
        "blocked", "ok", "error", nil,
      ])
    #expect(
      mapped.batch.events.indices.map { mapped.text(.id, $0) } == [
        "/a#1", "/c#3", nil, "/task/17#5",
      ])
    #expect(mapped.text(.tenant, 1) == "nobody")
    #expect(mapped.batch.events[3].kind == .outcome)
    #expect(mapped.text(.task, 3) == "17")
    #expect(mapped.text(.outcome, 3) == "success")
    #expect(
      mapped.batch.rejections == [
        EventRejection(
          line: 7, field: "type", value: "other", expected: "one of request, outcome, capacity")
      ])
  }

  @Test func `reads nginx's time, strftime patterns with and without a zone, and names a bad one`()
    throws
  {
    let cases: [(String, String, String)] = [
      ("time: nginx", "09/Mar/2026:10:15:30 +0530", "2026-03-09T04:45:30Z"),
      (
        "time: '%Y-%m-%d %H:%M:%S.%f', zone: Europe/Vienna", "2026-03-09 10:15:30.25",
        "2026-03-09T09:15:30.25Z"
      ),
      ("time: '%d.%m.%y %I:%M %p', zone: '+02:00'", "09.03.26 12:05 AM", "2026-03-08T22:05:00Z"),
      ("time: '%s.%f'", "1773051330.5", "2026-03-09T10:15:30.5Z"),
      ("time: '%FT%T%z'", "2026-03-09T10:15:30-08", "2026-03-09T18:15:30Z"),
      ("time: unix_us", "1773051330123456", "2026-03-09T10:15:30.123456Z"),
    ]
    for (rule, text, expected) in cases {
      let mapped = try Mapped(
        "fields:\n  time: {path: t, \(rule)}\n", "{\"t\": \"\(text)\"}\n{\"t\": \"31/Feb\"}")
      var clock = EventTime()
      let bytes = Array(expected.utf8)
      #expect(
        mapped.batch.events.map(\.time) == [clock.read(bytes.span, from: 0, to: bytes.count)],
        "\(rule)")
      #expect(mapped.batch.rejections.map(\.field) == ["time"])
      #expect(mapped.batch.rejections.first?.value == "31/Feb")
    }
  }

  @Test func `reads logfmt with quotes, bare keys and members`() throws {
    let mapped = try Mapped(
      """
      format: logfmt
      fields:
        time: ts
        model: model
        cold_start: cold
        error: msg
        tags.*: {path: "label_*", matches: "^t", prefix: x_}
      """,
      #"""
      ts=2026-11-20T00:00:00Z model=m-1 cold msg="said \"no\" to = it" label_team=a label_env=b
      no pairs here
      ts=2026-11-20T00:00:00Z msg="open
      """#)
    #expect(mapped.batch.events.count == 1)
    #expect(mapped.text(.error) == "said \"no\" to = it")
    #expect(mapped.batch.events[0].integer(.coldStart) == 1)
    #expect(mapped.tags() == ["x_team": "a"])
    #expect(mapped.batch.rejections.map(\.expected) == ["pairs of key=value", "a closing quote"])
    #expect(mapped.batch.rejections.map(\.line) == [2, 3])
  }

  @Test func `reads CSV as RFC 4180 writes it`() throws {
    let mapped = try Mapped(
      """
      format: csv
      fields: {time: When, model: Model, tags.*: "tag *"}
      """,
      "\u{FEFF}When, Model ,Note,tag a\r\n2026-11-20T00:00:00Z,m-1,\"a \"\"b\"\",\r\nc\",x\r\n\r\n"
        + "2026-11-20T00:00:00Z,m-2\r\n2026-11-20T00:00:00Z,m-3,\"x\"y,z\n"
        + "2026-11-20T00:00:00Z,m-4,,")
    #expect(mapped.batch.events.map(\.line) == [2, 7])
    #expect(
      mapped.batch.rejections.map(\.expected) == [
        "4 columns, as the header has",
        "a separator or the end of the line after a closing quote",
      ])
    #expect(mapped.batch.rejections.map(\.line) == [5, 6])
    #expect(mapped.text(.model, 1) == "m-4")
    #expect(mapped.tags(0) == ["a": "x"])
  }

  @Test func `reads columns by number with another separator`() throws {
    let mapped = try Mapped(
      """
      format: csv
      csv: {separator: tab, header: false, quote: none, comment: "#"}
      fields: {time: 1, model: 3}
      """,
      "# an export\n2026-11-20T00:00:00Z\tx\tm\"1\n")
    #expect(mapped.text(.model) == "m\"1")
    #expect(mapped.batch.events.map(\.line) == [2])
  }

  @Test func `takes text apart by named groups and refuses what does not match`() throws {
    let mapped = try Mapped(
      """
      format: text
      pattern: '^\\[(?<at>[^\\]]+)\\] (?<model>\\S+) (?<n>\\d+|-)$'
      fields: {time: at, model: model, input_tokens: n}
      """,
      "[2026-11-20T00:00:00Z] m-1 12\n[2026-11-20T00:00:00Z] m-2 -\nhello\n")
    #expect(mapped.batch.events.map { $0.integer(.inputTokens) } == [12, nil])
    #expect(
      mapped.batch.rejections == [
        EventRejection(
          line: 3, field: nil, value: "hello",
          expected: "a line that matches the pattern of the mapping")
      ])
  }

  @Test func `gives a hostile line up instead of hanging`() throws {
    let mapped = try Mapped(
      """
      format: text
      pattern: '^(?<a>(x+x+)+)y(?<t>.*)$'
      fields: {time: t, model: a}
      """,
      String(repeating: "x", count: 2000) + "zy\n" + String(repeating: "x", count: 100_000) + "\n")
    #expect(mapped.batch.rejections.count == 2)
    #expect(mapped.batch.rejections.allSatisfy { $0.expected.contains("250000 steps and 64 KiB") })
  }

  @Test func `refuses by the contract's rules, with line, field, value and expectation`() throws {
    let mapped = try Mapped(
      "fields: {time: t, model: m, input_tokens: i, status: s, reported_cost_usd: c}",
      """
      {"t": "2026-11-20T00:00:00Z", "m": "x", "i": "12.5"}
      {"m": "x"}
      {"t": "2026-11-20T00:00:00Z", "s": "fine"}
      {"t": "2026-11-20T00:00:00Z", "m": {"name": "x"}}
      {"t": "2026-11-20T00:00:00Z", "c": "-1"}
      {"t": "2026-11-20T00:00:00Z"
      [1]
      """)
    #expect(mapped.batch.events.isEmpty)
    #expect(
      mapped.batch.rejections.map { "\($0.line) \($0.field ?? "-") \($0.value ?? "-")" } == [
        "1 input_tokens 12.5", "2 time -", "3 status fine", "4 model m", "5 reported_cost_usd -1",
        "6 - {\"t\": \"2026-11-20T00:00:00Z\"", "7 - [1]",
      ])
  }

  @Test func `tells which paths were never found`() throws {
    let mapped = try Mapped(
      "fields: {time: t, model: [m, n.o], tenant: who}",
      "{\"t\": \"2026-11-20T00:00:00Z\", \"m\": \"x\"}")
    #expect(mapped.collector.unseenPaths == ["n.o", "who"])
  }
}
