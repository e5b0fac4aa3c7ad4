package import ArgumentParser
internal import FarthingStore

/// `farthing prices list`: the lists of the price book, or their cards.
package struct PricesList: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The price lists in force, the strongest last; with a model, all cards that name it.",
    discussion: """
      farthing prices list
      farthing prices list claude
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(help: "Part of a model's name.")
  package var model: String?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    if let server {
      let question = RemoteQuestion(
        "/v1/prices", [("model", model), ("output", output.output.rawValue)])
      return try await server.use { try await $0.print(question) }
    }
    let book = try StoreAccess.priceBook(settings)
    try output.write(
      model.map { PriceAnswers.cards(of: book, naming: $0) }
        ?? PriceAnswers.lists(of: book, now: HostProcess.now()))
  }
}
