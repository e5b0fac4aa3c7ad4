package import ArgumentParser
internal import FarthingQuery
internal import FarthingStore

/// `farthing prices missing`: models in the store that no list prices.
package struct PricesMissing: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "missing",
    abstract: "Models in the store that have no price, those with the most tokens first.",
    discussion: """
      Models that have a price by now but had none when their requests arrived are told on standard \
      error: "farthing prices reprice" prices their requests.
      """)

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    if let server {
      let question = RemoteQuestion(
        "/v1/prices/missing", [("output", output.output.rawValue)])
      return try await server.use { try await $0.print(question) }
    }
    let now = HostProcess.now()
    let stored: StoredAnswer
    do {
      stored = try StoreAccess.run(try PriceAnswers.missingPlan(now: now), settings)
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
    let (answer, notes) = PriceAnswers.missing(
      Answer(stored.result), of: try StoreAccess.priceBook(settings), now: now)
    for note in notes { Console.note(note) }
    try output.write(answer)
    try stored.expectWhole()
  }
}
