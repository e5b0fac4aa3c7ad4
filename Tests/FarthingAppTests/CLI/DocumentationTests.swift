import FarthingCore
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

  @Test func `the example configuration loads and says the defaults`() throws {
    let file = Self.package.appending(path: "docs/farthing.yaml").path
    let settings = try Settings.resolved(data: nil, config: file, environment: { _ in nil })
    #expect(settings == Settings(dataFolder: "/var/lib/farthing"))
  }

  @Test func `every setting stands in the example configuration`() throws {
    let text = try page("docs/farthing.yaml")
    for key in Settings.Key.allCases where key != .server {
      #expect(text.contains("\n\(key.rawValue):"))
    }
  }

  @Test(arguments: ["ingest", "query", "events", "sql", "prices", "generate"])
  func `every command has its place in the page of the command line`(command: String) throws {
    #expect(try page("docs/cli.md").contains("## farthing \(command)"))
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
