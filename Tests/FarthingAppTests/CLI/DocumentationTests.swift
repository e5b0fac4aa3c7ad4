import FarthingCore
import FarthingQuery
import Foundation
import Testing

@testable import FarthingApp

@Suite("The documentation")
struct DocumentationTests {
  private static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private func page(_ name: String) throws -> String {
    try String(decoding: Data(contentsOf: Self.package.appending(path: name)), as: UTF8.self)
  }

  @Test func `the page of metrics lists the catalogue`() throws {
    var text = """
      # Metrics

      All metrics of `farthing query`. This page is written from the catalogue in `FarthingCore/Metrics`.

      | metric | what it is |
      |---|---|

      """
    for metric in Metric.catalogue where !metric.name.hasPrefix("distinct_") {
      text += "| `\(metric.name)` | \(metric.summary) |\n"
    }
    text += """
      | `distinct_FIELD` | How many different values a field has, exactly; for every field. |

      """
    try Golden.expect(text, matches: "../../../docs/metrics.md")
  }

  @Test(arguments: [
    "ingest", "agent", "agents", "query", "explain", "report", "budgets", "inventory", "events",
    "sql", "prices",
    "generate", "detect",
    "doctor", "token", "top", "dashboard",
  ])
  func `every command has its place in the page of the command line`(command: String) throws {
    #expect(try page("docs/cli.md").contains("## farthing \(command)"))
  }

  @Test func `the page of the command line has every form of filters, times and widths`() throws {
    let text = try page("docs/cli.md")
    let forms = FilterExpression.forms + InstantParser.forms + BucketWidth.forms
    for form in forms {
      #expect(text.contains("| `\(form.example)` | \(form.meaning) |"), "\(form.example)")
    }
  }

  @Test func `every form of filters, times and widths is one that the parsers take`() throws {
    for form in FilterExpression.forms {
      let words = QueryWords(metrics: "cost", filter: form.example)
      #expect(throws: Never.self, "\(form.example)") {
        try QueryPlan.parse(words, now: 0, timeZone: .utc)
      }
    }
    for form in InstantParser.forms {
      #expect(
        InstantParser.parse(form.example, now: 0, zone: .utc) != nil, "\(form.example)")
    }
    for form in BucketWidth.forms { #expect(BucketWidth(form.example) != nil) }
  }

  @Test func `the manual page has every command, metric and topic`() throws {
    let page = try ManualPage.rendered()
    for command in [
      "ingest", "agent", "agents", "alerts ack", "query", "events", "sql", "prices import",
      "generate",
    ] {
      #expect(page.contains(".SS \"farthing \(command)"), "\(command)")
    }
    for metric in Metric.catalogue { #expect(page.contains("\\fB\(metric.name)\\fR")) }
    for topic in HelpTopic.allCases {
      #expect(page.contains(".SH \(topic.rawValue.uppercased())\n"))
    }
    #expect(page.contains("\\fBmodel like \'claude\\-%\'\\fR"))
    // A line of words that began with a full stop or an apostrophe would be taken for a macro.
    let macros = [".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi"]
    for line in page.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("\'") {
      #expect(macros.contains(String(line.prefix(3))), "\(line)")
    }
  }

  @Test func `every field of a request stands in the page of events`() throws {
    let text = try page("docs/events.md")
    let capacity = ["pool", "accelerators", "tokens_per_second", "usd_per_accelerator_hour"]
    let names =
      TextField.allCases.map(\.contractName) + IntegerField.allCases.map(\.contractName)
      + RealField.allCases.map(\.contractName)
    for name in names where !capacity.contains(name) {
      #expect(text.contains("`\(name)`"), "\(name)")
    }
  }
}
