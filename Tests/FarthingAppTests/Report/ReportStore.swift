import FarthingCore
import FarthingPipeline
import FarthingQuery
import FarthingStore
import Foundation
import Testing

@testable import FarthingApp

/// A small store of six weeks, the same each time, and reports of it by a clock that stands still.
struct ReportStore {
  let folder: ScratchFolder
  /// Sunday 15 March 2026, the last day of week 11, is over.
  static let now = CivilTime.parse("2026-03-16T09:00:00Z") ?? 0

  /// - Parameter lines: further events.
  init(_ lines: [String] = []) throws {
    folder = try ScratchFolder()
    try folder.write("calls.ndjson", (Self.events + lines).joined(separator: "\n"))
    let run = try folder.farthing("ingest", "calls.ndjson")
    #expect(run.status == 0, "\(run.error)")
  }

  /// Fourteen workloads, twelve models, some without a price; retries, failures, repeats, look-ups, tasks.
  static let events: [String] = {
    var lines: [String] = []
    let models = [
      "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini", "gpt-5-nano", "o3",
      "claude-sonnet-4-5", "claude-haiku-4-5", "gemini-2.5-flash", "in-house",
    ]
    let start = CivilTime.parse("2026-02-09") ?? 0
    var seed: UInt64 = 7
    func draw(_ count: UInt64) -> UInt64 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (seed >> 33) % count
    }
    for number in 0..<700 {
      let step = Int64(number) * 35 * CivilTime.day / 700
      let time = CivilTime.text(start + step)
      let workload = draw(14)
      let status = ["ok", "ok", "ok", "ok", "ok", "error", "cancelled"][Int(draw(7))]
      let attempt = draw(6) == 0 ? 2 : 1
      let failures = draw(3)
      var event =
        "{\"time\":\"\(time)\",\"model\":\"\(models[Int(draw(12))])\",\"workload\":\"w\(workload)\","
        + "\"identity\":\"svc-\(draw(20))\",\"site\":\"s\(draw(3))\",\"status\":\"\(status)\",\"attempt\":\(attempt),"
        + "\"input_tokens\":\(2000 + draw(9000)),\"cached_input_tokens\":\(draw(2) * draw(2000)),\"output_tokens\":\(draw(900)),"
        + "\"latency_ms\":\(200 + draw(4000)),\"prompt_hash\":\"p\(draw(60))\",\"task\":\"t\(number / 3)\","
        + "\"retrievals\":\(workload < 3 ? 4 : 0),\"retrieval_failures\":\(workload < 3 ? failures : 0)"
      if number % 3 == 0 { event += ",\"outcome\":\"\(draw(4) == 0 ? "failure" : "success")\"" }
      lines.append(event + "}")
    }
    return lines
  }()

  func maker(_ ledger: ReportLedger = ReportLedger(), budgets: [Budget] = []) -> ReportMaker {
    ReportMaker(executor: QueryExecutor(threads: 1), budgets: budgets) { _ in ledger }
  }

  func snapshot() throws -> StoreSnapshot {
    try StoreReader.snapshot(directory: folder.url.appending(path: "data").path)
  }

  func report(
    _ words: ReportWords = ReportWords(), now: Int64 = now, zone: TimeZoneRules = .utc,
    ledger: ReportLedger = ReportLedger(), budgets: [Budget] = []
  ) throws -> Report {
    let plan = try ReportPlan.parse(words, now: now, timeZone: zone)
    return try maker(ledger, budgets: budgets).report(plan, over: snapshot())
  }

  static let ledger = ReportLedger(
    isKept: true,
    incidents: [
      ReportLedger.Incident(
        id: "inc-1", kind: "spend_spike", severity: "critical", status: "firing",
        startedAt: now - 30 * CivilTime.hour, detectedAt: now - 29 * CivilTime.hour,
        resolvedAt: nil, slice: [("identity", "svc-3")], excess: 12_345_678_900_000,
        summary: "svc-3 spends $4.10 an hour, expected $0.20"),
      ReportLedger.Incident(
        id: "inc-2", kind: "retry_storm", severity: "warning", status: "resolved",
        startedAt: now - 90 * CivilTime.hour, detectedAt: now - 89 * CivilTime.hour,
        resolvedAt: now - 80 * CivilTime.hour, slice: [("workload", "w2")], excess: nil,
        summary: "w2 retries 8 of 10 requests"),
    ],
    actions: [
      .init(
        at: now - 28 * CivilTime.hour, what: "acknowledged", target: "inc-1", by: "dana",
        note: "asked the owner")
    ])

  static func budget() throws -> Budget {
    var words = Budget.Words()
    words.name = "everything"
    words.amount = "2.50"
    words.period = "month"
    return try #require(Budget(words, zone: .utc) { Issue.record("\($0)") })
  }
}
