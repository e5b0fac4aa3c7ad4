package import ArgumentParser
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore
internal import Foundation

/// `farthing agents`: how the agents of a server stand.
package struct AgentsCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "agents",
    abstract: "Show the agents that forward to a server, and how far behind they are.",
    discussion: """
      farthing agents --server https://farthing.example.com

      lag_s is the age of the oldest event that may still be at the agent; an agent that has not \
      called since the server was started shows none.
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(help: ArgumentHelp("table, csv or json.", valueName: "format"))
  package var output = OutputFormat.table

  package init() {}

  package mutating func run() async throws {
    guard let server = try global.place().server else {
      throw CommandFailure.usage(
        "name the server to ask: --server URL, FARTHING_SERVER, or client.server of the configuration"
      )
    }
    let answer = try await server.use { try await $0.answer("/v1/agents") }
    let rows: Listed
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      rows = try decoder.decode(Listed.self, from: Data(answer.body))
    } catch {
      throw server.isNoFarthing
    }
    let renderer = Renderer(format: output == .chart ? .table : output, page: Console.page())
    try renderer.render(Self.table(rows.agents, isWhole: output == .json), to: Console.result)
  }

  private struct Listed: Decodable {
    var agents: [Agent]
  }

  private struct Agent: Decodable {
    var agent: String
    var version: String?
    var lastContact: Double?
    var lagSeconds: Double?
    var waitingEvents: Int?
    var spoolBytes: Int?
    var spoolCapacityBytes: Int?
    var lostRecords: Int?
    var accepted: Int
    var duplicates: Int
    var rejected: Int
    var spool: String
    var storedRecord: Int
    var missingRecords: Int
  }

  /// - Parameter isWhole: whether it has what only programs ask for as well.
  private static func table(_ agents: [Agent], isWhole: Bool) -> Answer {
    func count(_ value: Int?) -> QueryValue { value.map { .count(Int128($0)) } ?? .null }
    return Answer(
      columns: [.init("agent"), .init("version"), .init("last_contact")]
        + [
          "lag_s", "waiting_events", "spool_bytes", "spool_capacity", "lost_records", "accepted",
          "duplicates", "rejected",
        ].map { .init($0, .figure) }
        + (isWhole
          ? [.init("spool"), .init("stored_record", .figure), .init("missing_records", .figure)]
          : []),
      rows: agents.map { agent in
        [
          .text(agent.agent), agent.version.map { .text($0) } ?? .null,
          agent.lastContact.map { .text(TimeText.rfc3339(Int64($0) * 1_000_000_000)) } ?? .null,
          agent.lagSeconds.map { .count(Int128($0.rounded())) } ?? .null,
          count(agent.waitingEvents), count(agent.spoolBytes),
          count(agent.spoolCapacityBytes), count(agent.lostRecords), count(agent.accepted),
          count(agent.duplicates), count(agent.rejected),
        ]
          + (isWhole
            ? [.text(agent.spool), count(agent.storedRecord), count(agent.missingRecords)] : [])
      })
  }
}
