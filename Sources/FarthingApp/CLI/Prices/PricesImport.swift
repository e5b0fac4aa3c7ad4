package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore

/// `farthing prices import`: a list into the store's price book.
package struct PricesImport: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Add a price list to the store; for the models it names it wins over earlier ones.",
    discussion: """
      farthing prices import model_prices.json --format litellm
      farthing prices import our-rates.yaml --from 2026-04-01

      Models that the list does not name keep the prices they had. An entry with a price that cannot \
      be used is told on standard error, and its model has no price. Stored events do not change.
      """)

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var list: PriceFileOptions
  @Option(
    help: ArgumentHelp("Since when a list without dates of its own holds.", valueName: "date"))
  package var from: String?
  @Option(help: "Name of the list in the store; the file's where absent.")
  package var name: String?

  package init() {}

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    let start = try from.map { try InstantOption.parse($0, of: "--from") }
    let (read, cards, unusable) = try list.read(from: start, name: name)
    if let server {
      let target = RemoteQuestion(
        "/v1/prices",
        [
          ("name", read.name), ("format", read.format.rawValue),
          ("from", start.map(TimeText.rfc3339)),
        ]
      ).target
      try await server.use { try await $0.send(target, read.bytes) }
    } else {
      let store = try await StoreAccess.writer(settings)
      try await store.writer.addPriceList(
        name: read.name, format: read.format.rawValue, validFrom: read.validFrom,
        importedAt: read.importedAt, bytes: read.bytes)
      try await store.close()
    }
    for entry in unusable { Console.note("farthing: warning: \(entry)") }
    try Console.result(
      "\(read.name.printable): \(AmountText.readable(count: Int128(cards))) cards imported as "
        + "\(read.format.rawValue)")
  }
}
