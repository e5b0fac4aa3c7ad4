package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
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
    let book = try StoreAccess.priceBook(try global.settings())
    try output.write(model.map { cards(of: book, naming: $0) } ?? lists(of: book))
  }

  private func lists(of book: PriceBook) -> Answer {
    let now = HostProcess.now()
    let rows = book.sources.map { source -> [QueryValue] in
      let list = source.list
      let date = list.importedAt ?? PriceDate.nanoseconds(PriceCatalogue.date)
      let age = date.map { max(0, now - $0) / TimeText.nanosecondsPerDay }
      return [
        .text(list.name), .text(list.format), list.from.map { .time($0) } ?? .null,
        date.map { .time($0 - $0 % 1_000_000_000) } ?? .null,
        age.map { .count(Int128($0)) } ?? .null,
        .count(Int128(source.cards().count)),
      ]
    }
    return Answer(
      columns: [
        .init("list"), .init("format"), .init("from"), .init("as_of"), .init("age_days", .figure),
        .init("cards", .figure),
      ], rows: rows)
  }

  private func cards(of book: PriceBook, naming part: String) -> Answer {
    let wanted = part.lowercased()
    let rows = book.cards.filter { entry in
      entry.card.models.contains { $0.lowercased().contains(wanted) }
        || entry.card.entry.lowercased().contains(wanted)
    }.map { entry -> [QueryValue] in
      let card = entry.card
      func rate(_ part: PricePart) -> QueryValue {
        card.standard[part]?.base.map { .text($0.decimalText(per: 1_000_000)) } ?? .null
      }
      return [
        .text(card.entry), .text(entry.list.name),
        card.providers.isEmpty ? .null : .text(card.providers.joined(separator: " ")),
        rate(.input), rate(.cachedInput), rate(.output),
        card.period.from == .min ? .null : .time(card.period.from),
        card.period.until == .max ? .null : .time(card.period.until),
      ]
    }
    return Answer(
      columns: [
        .init("card"), .init("list"), .init("providers"), .init("input_per_1m", .figure),
        .init("cached_per_1m", .figure), .init("output_per_1m", .figure), .init("from"),
        .init("until"),
      ], rows: rows)
  }
}
