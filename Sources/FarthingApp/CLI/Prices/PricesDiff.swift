package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing prices diff`: what two lists charge differently.
package struct PricesDiff: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "What two price lists charge differently: models added and removed, rates changed.",
    discussion: """
      farthing prices diff catalogue model_prices.json
      farthing prices diff vendor.json#1 vendor.json#2 --output csv

      A list is a file in any format that can be imported, "catalogue" for the built-in prices, or \
      the name of an imported list, with #NUMBER where a name was imported more than once (the \
      latest otherwise). A file that is there wins over an imported list of its name.

      Every name that either list prices is looked up in both, as a request would be. A part \
      without a price of its own counts at its parent's. Rates are exact, in US dollars.
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(help: ArgumentHelp("The old list.", valueName: "a"))
  package var old: String
  @Argument(help: ArgumentHelp("The new list.", valueName: "b"))
  package var new: String
  @Option(
    help: ArgumentHelp(
      "Format of the files: litellm, genai-prices or yaml; told by each file where absent.",
      valueName: "format"))
  package var format: String?
  @Flag(help: "End with 1 where the lists differ.")
  package var exitCode = false
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    let comparison = PriceListComparison(
      old: try source(old, settings), new: try source(new, settings))
    let differences = comparison.differences()
    try output.write(Self.answer(differences, isForPeople: output.output == .table))
    let counts = Dictionary(grouping: differences, by: \.kind).mapValues { rows in
      Set(rows.map { [$0.models, $0.providers, [$0.tenant ?? "", $0.site ?? ""]] }).count
    }
    Console.note(
      "farthing: \(counts[.changed] ?? 0) changed, \(counts[.added] ?? 0) added, "
        + "\(counts[.removed] ?? 0) removed")
    if exitCode, !differences.isEmpty { throw CommandFailure.failed(nil) }
  }

  /// The list that a word names.
  private func source(_ word: String, _ settings: Settings) throws -> any PriceSource {
    if word == "catalogue" || word == "builtin" { return PriceCatalogue.source }
    if try word == "-" || PosixFileSystem().size(word) != nil {
      return try PriceFile.opened(try PriceFile.read(word, format: format))
    }
    let lists = try StoreAccess.priceLists(settings)
    if let list = lists.last(where: { $0.identity.id == word || $0.name == word }) {
      return try PriceFile.opened(list)
    }
    let names = ["catalogue"] + lists.map(\.name)
    let hint =
      Suggestion.nearest(to: word, among: names).map { "did you mean \"\($0.printable)\"?" }
      ?? "\"farthing prices list\" shows the imported lists"
    throw CommandFailure.failed(
      "\"\(word.printable)\" is neither a file nor an imported list; \(hint)")
  }

  private static func answer(_ differences: [PriceDifference], isForPeople: Bool) -> Answer {
    var answer = Answer(
      columns: [
        .init("change"), .init("model"), .init("aliases"), .init("providers"), .init("tenant"),
        .init("site"), .init("tier"), .init("part"), .init("input_above", .figure), .init("per"),
        .init("old_usd", .figure), .init("new_usd", .figure), .init("relative_change", .figure),
        .init("from"), .init("until"),
      ], rows: differences.map(row))
    // Fifteen columns are too many for a screen, and most lists need half of them.
    if isForPeople, !answer.rows.isEmpty { answer.dropEmptyColumns() }
    return answer
  }

  private static func row(_ row: PriceDifference) -> [QueryValue] {
    func text(_ text: String?) -> QueryValue { text.map { .text($0) } ?? .null }
    func joined(_ texts: [String]) -> QueryValue {
      texts.isEmpty ? .null : .text(texts.joined(separator: " "))
    }
    func rate(_ rate: Rate?) -> QueryValue {
      text(rate?.decimalText(per: row.quantity.count))
    }
    return [
      .text(row.kind.rawValue), text(row.models.first), joined(Array(row.models.dropFirst())),
      joined(row.providers), text(row.tenant), text(row.site), text(row.tier), .text(row.part),
      row.inputAbove.map { .count(Int128($0)) } ?? .null, .text(row.quantity.rawValue),
      rate(row.old), rate(row.new),
      row.relativeChangeInMillionths.map { .ratio(Double($0) / 1_000_000) } ?? .null,
      row.period.from == .min ? .null : .time(row.period.from),
      row.period.until == .max ? .null : .time(row.period.until),
    ]
  }
}
