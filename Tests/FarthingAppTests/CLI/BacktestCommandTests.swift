import Foundation
import Testing

@Suite("farthing backtest")
struct BacktestCommandTests {
  private let folder: ScratchFolder

  /// Ten days of one call every ten minutes, then an hour in which one identity calls every other second.
  init() throws {
    folder = try ScratchFolder()
    var lines: [String] = []
    func call(_ second: Int, _ identity: String, tokens: Int) {
      let (day, rest) = (1 + second / 86_400, second % 86_400)
      func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
      let time = "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
      lines.append(
        "{\"time\":\"2026-03-\(two(day))T\(time)Z\",\"model\":\"gpt-4o\",\"workload\":\"chat\","
          + "\"identity\":\"\(identity)\",\"tenant\":\"t\",\"site\":\"fra1\",\"input_tokens\":\(tokens),"
          + "\"output_tokens\":100}")
    }
    for number in 0..<1440 { call(number * 600 + 7, "app-\(number % 3)", tokens: 2000) }
    for number in 0..<1800 { call(8 * 86_400 + 36_000 + number * 2, "app-1", tokens: 2000) }
    try folder.write("calls.ndjson", lines.joined(separator: "\n"))
    let run = try folder.farthing("ingest", "calls.ndjson")
    #expect(run.status == 0, "\(run.error)")
    try folder.write(
      "watch.yaml",
      """
      rules:
        - {name: busy, expr: requests > 100, window: 10m, by: [identity], severity: critical}
      budgets:
        - {name: day, amount: 8, period: day, soft: [50]}
      """)
  }

  private func alerts(_ words: String...) throws -> [[String: Any]] {
    let run = try CommandRun(["backtest", "--output", "json"] + words, in: folder.url)
    #expect(run.status == 0, "\(run.error)")
    let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
    return try #require(object as? [[String: Any]])
  }

  @Test func `detection, rules and budgets are replayed together, in the contract's fields alone`()
    throws
  {
    let found = try alerts("--rules", "watch.yaml")
    let kinds = Set(found.compactMap { $0["kind"] as? String })
    #expect(kinds == ["denial_of_wallet", "rule", "budget"])
    for alert in found {
      #expect(
        Set(alert.keys) == [
          "id", "kind", "severity", "status", "metric", "dimensions", "started_at", "detected_at",
          "resolved_at", "expected", "actual", "excess_usd", "usd_per_hour", "summary",
          "explanation",
        ])
      let at = try #require(alert["detected_at"] as? String)
      #expect(at.hasPrefix("2026-03-09T10:"), "\(at)")
    }
    let times = found.compactMap { $0["detected_at"] as? String }
    #expect(times == times.sorted())
    let rule = try #require(found.first { $0["kind"] as? String == "rule" })
    #expect(rule["severity"] as? String == "critical")
    #expect(rule["dimensions"] as? [String: String] == ["identity": "app-1"])
    #expect(rule["detected_at"] as? String == "2026-03-09T10:04:00.000Z")
    #expect(rule["resolved_at"] as? String == "2026-03-09T11:07:00.000Z")
    // What held before the window begins was raised before it.
    let later = try alerts("--rules", "watch.yaml", "--since", "2026-03-09T10:30:00Z")
    #expect(!later.contains { $0["kind"] as? String == "rule" })
  }

  @Test func `the configuration says by what, and options win over it`() throws {
    try folder.write(
      "farthing.yaml",
      """
      detection: {enabled: false, min_usd: 900}
      rules:
        - {name: dear, expr: cost > 5, window: 30m}
      """)
    let configured = try alerts("--config", "farthing.yaml")
    #expect(configured.map { $0["kind"] as? String } == ["rule"])
    let cheaper = try alerts("--config", "farthing.yaml", "--min-usd", "2.50")
    #expect(Set(cheaper.compactMap { $0["kind"] as? String }) == ["rule", "denial_of_wallet"])
    try folder.write(
      "launch.json",
      #"[{"start":"2026-03-09T09:00:00Z","end":"2026-03-09T12:00:00Z","expected_factor":1000,"#
        + #""reason":"launch","identity":"app-1"}]"#)
    #expect(try alerts("--calendar", "launch.json").isEmpty)
    let sum = try folder.farthing(
      "backtest", "--rules", "watch.yaml", "--where", "identity = 'app-2'")
    #expect(sum.error.contains("nothing would have been raised"))
  }

  @Test func `what is wrong is named and ends it with status 2`() throws {
    try folder.write("bad.json", #"[{"start":"then","end":"2026-03-12","expected_factor":-1}]"#)
    let calendar = try folder.farthing("backtest", "--calendar", "bad.json")
    #expect(calendar.status == 2)
    #expect(
      calendar.error.contains("bad.json element 1: start \"then\": expected an RFC 3339 time"))
    let amount = try folder.farthing("backtest", "--min-usd", "0.001")
    #expect(amount.status == 2)
    #expect(amount.error.contains("--min-usd \"0.001\": expected US dollars from 0.01"))
    let sites = try folder.farthing("backtest", "--sites", "none.json")
    #expect(sites.status == 2)
    let files = try folder.farthing("backtest", "--rules", "watch.yaml", "calls.ndjson")
    #expect(files.status == 2)
    let rules = try folder.farthing("backtest", "--rules", "calls.ndjson")
    #expect(rules.status == 2)
  }
}
