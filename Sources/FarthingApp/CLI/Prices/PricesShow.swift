package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
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
    let book = try StoreAccess.priceBook(try global.settings())
    let request = PriceRequest(
      model: model, provider: provider, serviceTier: tier, isBatch: batch, site: site,
      tenant: tenant,
      time: try at.map { try InstantOption.parse($0, of: "--at") } ?? HostProcess.now())
    let resolution = book.explain(request)
    guard let card = resolution.card, let price = resolution.price, let list = resolution.list
    else {
      if let list = resolution.list {
        throw CommandFailure.failed(
          "list \(list.name.printable) names \"\(model.printable)\" without a usable price, so it has none "
            + "at \(TimeText.rfc3339(request.time)); import a list that prices it")
      }
      let names = book.cards.flatMap(\.card.models)
      let hint =
        Suggestion.nearest(to: model, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
      throw CommandFailure.failed(
        "no list has a price for \"\(model.printable)\" at \(TimeText.rfc3339(request.time))\(hint)"
      )
    }
    try output.write(answer(card, price, list))
    let date = card.sourceDate.map { " (read on \($0))" } ?? ""
    Console.note("price \(price.key.printable), list \(list.name.printable)")
    if let source = card.source { Console.note("source \(source.printable)\(date)") }
  }

  private func answer(
    _ card: RateCard, _ price: ResolvedPrice, _ list: PriceListIdentity
  ) -> Answer {
    var rows: [[QueryValue]] = []
    let from: QueryValue = price.validFrom == .min ? .null : .time(price.validFrom)
    let until: QueryValue = price.validUntil == .max ? .null : .time(price.validUntil)
    for band in price.bands {
      for part in PricePart.allCases.dropLast() {
        guard let rate = band.rates[Int(part.rawValue)] else { continue }
        rows.append([
          .text(part.cardName), band.above < 0 ? .null : .count(Int128(band.above)),
          .text(rate.decimalText(per: 1_000_000)), .text("1M tokens"), from, until,
          .text(list.name),
        ])
      }
    }
    for unit in price.units {
      rows.append([
        .text(unit.name), .null, .text(unit.rate.decimalText()), .text("unit"), from, until,
        .text(list.name),
      ])
    }
    if price.requestFee != .zero {
      rows.append([
        .text("request"), .null, .text(price.requestFee.decimalText()), .text("request"),
        from,
        until, .text(list.name),
      ])
    }
    return Answer(
      columns: [
        .init("part"), .init("input_above", .figure), .init("usd", .figure), .init("per"),
        .init("from"), .init("until"), .init("list"),
      ], rows: rows)
  }
}
