import FarthingPipeline
import Foundation
import Testing

@testable import FarthingApp

@Suite("The example configuration")
struct ExampleConfigurationTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "docs/farthing.yaml")

  private func lines() throws -> [String] {
    try String(decoding: Data(contentsOf: Self.file), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private func read(_ text: String) -> (ConfigurationFile.Reading, [ConfigurationFault]) {
    var reading = ConfigurationFile.Reading()
    let faults = ConfigurationFile.take(Array(text.utf8), file: "farthing.yaml", into: &reading)
    return (reading, faults)
  }

  /// The lines that show a setting without a default, taken into force.
  private func uncommented() throws -> String {
    try lines().map { line in
      let blanks = line.prefix { $0 == " " }
      let rest = line.dropFirst(blanks.count)
      guard rest.first == "#", let second = rest.dropFirst().first, second != " " else {
        return line
      }
      return blanks + String(rest.dropFirst())
    }.joined(separator: "\n")
  }

  @Test func `it says the defaults`() throws {
    let (reading, faults) = read(try lines().joined(separator: "\n"))
    #expect(faults == [])
    var defaults = Configuration()
    defaults.data = "/var/lib/farthing"
    #expect(reading.configuration == defaults)
  }

  @Test func `it has every setting, and all of them can be set`() throws {
    let (reading, faults) = read(try uncommented())
    #expect(faults == [])
    let missing = ConfigurationSchema.paths.filter { !reading.keys.contains($0) }
    #expect(missing == [])
    let configuration = reading.configuration
    #expect(configuration.server.tls?.key == "/etc/farthing/tls.key")
    #expect(configuration.access.tokens.map(\.name) == ["checkout"])
    #expect(configuration.access.tokens.first?.digest == TokenText.digest(of: "test"))
    #expect(
      configuration.access.tokens.first?.allowance.burstSeconds == AccessAllowance().burstSeconds)
    #expect(configuration.client.server?.description == "https://farthing.example.com:443")
    guard case .given(let sites)? = configuration.sites,
      case .given(let calendar)? = configuration.calendar
    else {
      Issue.record("both registries stand in the file")
      return
    }
    #expect(sites["ber1"]?.country == "DE")
    #expect(calendar.entries.first?.expectedMillionths == 3_500_000)
  }

  @Test func `settings that need a restart say so`() throws {
    let all = try uncommented().split(separator: "\n").map(String.init)
    for path in [
      "data", "server.listen", "access.open", "agent.server", "agent.listen", "agent.follow",
      "agent.spool.folder",
    ] {
      // Each part of the path stands below the one before.
      var place = -1
      for name in path.split(separator: ".") {
        place = try #require(
          all.indices.first { $0 > place && all[$0].drop { $0 == " " }.hasPrefix("\(name):") })
      }
      let comments = all[..<place].reversed().prefix { $0.drop { $0 == " " }.hasPrefix("# ") }
      #expect(comments.joined().contains("estart"), "\(path)")
    }
  }

  @Test func `the variables of the environment are named as the file says`() throws {
    #expect(
      ConfigurationFile.variable(of: "server.limits.body_mib") == "FARTHING_SERVER_LIMITS_BODY_MIB")
    let names = ConfigurationSchema.scalars.map { ConfigurationFile.variable(of: $0) }
    #expect(Set(names).count == names.count)
    #expect(!names.contains("FARTHING_SERVER"))
  }
}
