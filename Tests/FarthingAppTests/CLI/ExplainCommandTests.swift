import FarthingCore
import Foundation
import Testing

@testable import FarthingApp

@Suite("farthing explain and farthing budgets")
struct ExplainCommandTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    var lines: [String] = []
    for day in 1...14 {
      for number in 0..<6 {
        let isLate = day > 7
        let model = isLate && number < 3 ? "gpt-4o" : "gpt-4o-mini"
        lines.append(
          "{\"time\":\"2026-03-\(day < 10 ? "0" : "")\(day)T1\(number):00:00Z\",\"model\":\"\(model)\","
            + "\"workload\":\"w\(number % 2)\",\"input_tokens\":\(1000 + number * 7),"
            + "\"cached_input_tokens\":\(isLate ? 0 : 500),\"output_tokens\":\(90 + number)}")
      }
    }
    lines.append(
      "{\"time\":\"2026-03-09T10:00:00Z\",\"model\":\"nobody-knows\",\"input_tokens\":5}")
    try folder.write("calls.ndjson", lines.joined(separator: "\n"))
    let run = try folder.farthing("ingest", "calls.ndjson")
    #expect(run.status == 0, "\(run.error)")
  }

  private func objects(_ text: String) throws -> [String: [[String: Any]]] {
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: [[String: Any]]])
  }

  private func dollars(_ value: Any?) throws -> Int128 {
    let text = try #require(value as? String)
    return try #require(AmountText.picodollars(of: text))
  }

  @Test func `the bridge sums to the difference of what farthing query says`() throws {
    let words = ["explain", "--since", "2026-03-08", "--until", "2026-03-15", "--output", "json"]
    let run = try CommandRun(words, in: folder.url)
    #expect(run.status == 0)
    let found = try objects(run.output)
    let parts = try #require(found["bridge"]).map { try dollars($0["change"]) }.reduce(0, +)
    var costs: [Int128] = []
    for (since, until) in [("2026-03-01", "2026-03-08"), ("2026-03-08", "2026-03-15")] {
      let query = try folder.farthing(
        "query", "cost", "--since", since, "--until", until, "--output", "json")
      let object = try JSONSerialization.jsonObject(with: Data(query.output.utf8))
      let rows = try #require(object as? [[String: Any]])
      costs.append(try dollars(rows.first?["cost"]))
    }
    #expect(parts == costs[1] - costs[0])
    #expect(parts > 0)
    let names = try #require(found["bridge"]).compactMap { $0["part"] as? String }
    #expect(
      names == [
        "volume", "workload_mix", "site_mix", "model_mix", "retries_and_errors", "input_tokens",
        "output_tokens", "units", "cache_hits", "price",
      ])
    #expect(try #require(found["unpriced"]).map { $0["model"] as? String } == ["nobody-knows"])
  }

  @Test func `the page leads with what happened, and tells of what has no price`() throws {
    let run = try folder.farthing(
      "explain", "--since", "2026-03-08", "--until", "2026-03-15", "--by", "workload")
    #expect(run.output.hasPrefix("Cost rose by $0.0"))
    #expect(run.output.contains("most by model mix (+$"))
    #expect(run.output.contains("\nno part of it: volume, workload mix"))
    #expect(run.output.contains("\nwithout price  requests before  after\n"))
    #expect(run.output.contains("their cost is unknown and in no part of the bridge"))
    let other = try folder.farthing("explain", "--since", "2030-01-01", "--until", "2030-02-01")
    #expect(other.output.hasPrefix("There are no requests in either period."))
  }

  @Test func `budgets and rules of a file are checked, shown and told apart by status`() throws {
    try folder.write(
      "watch.yaml",
      """
      budgets:
        - {name: small, amount: 0.001, period: month}
        - {name: large, amount: 1000, period: rolling 30d, where: "workload = 'w0'"}
        - {name: none, amount: 5, period: week, where: "workload = 'w9'"}
      rules:
        - {name: dear, expr: cost_per_request > 0.5, by: [workload], window: 1h}
      """)
    let at = ["--rules", "watch.yaml", "--at", "2026-03-12"]
    let list = try CommandRun(["budgets"] + at, in: folder.url)
    #expect(list.status == 0)
    #expect(list.output.contains("\nsmall  hard"))
    #expect(list.output.contains("\nlarge  ok"))
    let check = try CommandRun(["budgets", "check"] + at, in: folder.url)
    #expect(check.status == 1)
    #expect(check.error.hasPrefix("farthing: budget small: hard, $0.0"))
    let show = try CommandRun(["budgets", "show", "large"] + at, in: folder.url)
    #expect(show.output.contains("  period     rolling 30d, "))
    let unknown = try CommandRun(["budgets", "show", "larg"] + at, in: folder.url)
    #expect(unknown.status == 2)
    #expect(unknown.error == "farthing: there is no budget \"larg\"; did you mean \"large\"?\n")

    let doctor = try folder.farthing("doctor", "--rules", "watch.yaml")
    #expect(doctor.output.contains("watch.yaml: 1 rules and 3 budgets"))
    #expect(doctor.output.contains("no request of the newest 30 days is one of the budget none"))
    try folder.write(
      "wrong.yaml", "rules:\n  - {name: a, expr: cost}\nbudget:\n  - name: b\n")
    let wrong = try folder.farthing("doctor", "--rules", "wrong.yaml")
    #expect(wrong.status == 2)
    #expect(wrong.output.contains("wrong.yaml line 2: rules[1] expr \"cost\": expected METRIC"))
    #expect(wrong.output.contains("unknown setting \"budget\"; did you mean \"budgets\"?"))
  }
}
