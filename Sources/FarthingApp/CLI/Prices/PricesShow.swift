package import ArgumentParser
internal import FarthingCore
internal import FarthingStore

/// `farthing prices show`: the price in force for a model, part by part, and who says so.
package struct PricesShow: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "The price in force for a model, part by part, and where it is from.",
    discussion: "farthing prices show gpt-4.1-mini --provider openai --at 2026-03-09")

  @OptionGroup package var global: GlobalOptions
  @Argument(help: "The model as events name it.")
  package var model: String
  @Option(help: "The provider as events name it.")
  package var provider: String?
  @Option(help: ArgumentHelp("Service tier, such as priority or flex.", valueName: "tier"))
  package var tier: String?
  @Flag(help: "The price of a batch API.")
  package var batch = false
  @Option(help: "The site, where own cards differ by site.")
  package var site: String?
  @Option(help: "The tenant, where own cards differ by tenant.")
  package var tenant: String?
  @Option(help: ArgumentHelp("When the call started; now where absent.", valueName: "time"))
  package var at: String?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    if let server {
      let question = RemoteQuestion(
        "/v1/prices/show",
        [
          ("model", model), ("provider", provider), ("tier", tier),
          ("batch", batch ? "true" : nil), ("site", site), ("tenant", tenant), ("at", at),
          ("output", output.output.rawValue),
        ])
      return try await server.use { try await $0.print(question) }
    }
    let (answer, notes) = try PriceAnswers.price(
      PriceRequest(
        model: model, provider: provider, serviceTier: tier, isBatch: batch, site: site,
        tenant: tenant,
        time: try at.map { try InstantOption.parse($0, of: "--at") } ?? HostProcess.now()),
      of: try StoreAccess.priceBook(settings))
    try output.write(answer)
    for note in notes { Console.note(note) }
  }
}
