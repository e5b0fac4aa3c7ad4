import FarthingCore
import FarthingQuery
import FarthingStore
import Foundation
import Testing

@Suite struct `Scenarios` {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Scenarios")
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".scenario") }.sorted()

  @Test(arguments: names)
  func `every question of the file has the rows that it expects`(name: String) throws {
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    let scenario = try Scenario(text)
    #expect(!scenario.questions.isEmpty)
    for question in scenario.questions {
      let plan = try QueryPlan.parse(question.words, now: 4_000_000_000_000_000_000)
      let result = try QueryExecutor().run(
        plan, requests: scenario.requests, outcomes: scenario.outcomes)
      let rows = result.rows.map { $0.map(Self.text) }
      let agrees =
        rows.count == question.rows.count
        && zip(rows, question.rows).allSatisfy { row, expected in
          row.count == expected.count && zip(row, expected).allSatisfy(Self.agree)
        }
      #expect(agrees, "\(name) line \(question.line): got \(rows), expected \(question.rows)")
    }
  }

  @Test func `cover every metric that has an answer`() throws {
    var covered: Set<String> = []
    for name in Self.names {
      let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
      for question in try Scenario(text).questions {
        covered.formUnion(question.words.metrics.split(separator: ",").map(String.init))
      }
    }
    let missing = Metric.catalogue.filter {
      $0.definition != .unavailable && !$0.name.hasPrefix("distinct_") && !covered.contains($0.name)
    }
    #expect(missing.map(\.name) == [])
  }

  private static func agree(_ found: String, _ expected: String) -> Bool {
    guard expected.hasPrefix("~"), let wanted = Double(expected.dropFirst()),
      let value = Double(found)
    else { return found == expected }
    return abs(value - wanted) <= wanted * 0.01
  }

  private static func text(_ value: QueryValue) -> String {
    switch value {
    case .null: "–"
    case .text(let text), .moneyRatio(let text), .object(let text): text
    case .count(let count): "\(count)"
    case .boolean(let flag): "\(flag)"
    case .money(let amount): DollarText.dollars(picodollars: amount)
    case .ratio(let real), .milliseconds(let real), .real(let real):
      real == real.rounded() && abs(real) < 1e15 ? "\(Int64(real))" : "\(real)"
    case .time(let time):
      Date(timeIntervalSince1970: Double(time / 1_000_000_000)).ISO8601Format()
    }
  }
}
