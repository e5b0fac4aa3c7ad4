package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore

extension PriceListFormat: ExpressibleByArgument {}

/// A price list in a file.
package struct PriceFileOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The list; - is standard input.", valueName: "file"))
  package var file: String

  @Option(
    help: ArgumentHelp(
      "litellm, genai-prices or yaml; told by the file where absent.", valueName: "format"))
  package var format: String?

  package init() {}

  /// Largest list that is read. LiteLLM's has some 2 MB.
  private static let limit = 64 << 20

  /// Reads the file and tries it.
  ///
  /// - Returns: The list, its number of cards, and the entries that it leaves unpriced since a price cannot be
  ///   used.
  /// - Throws: ``CommandFailure`` that names every fault of the list.
  func read(from: Int64?, name: String? = nil) throws -> (
    StoredPriceList, cards: Int, unusable: [String]
  ) {
    let bytes = try WholeInput.bytes(of: file, limit: Self.limit)
    let shortName = file.split(separator: "/").last.map(String.init) ?? file
    let list = StoredPriceList(
      id: 0, name: name ?? shortName, format: try listFormat(bytes), validFrom: from,
      importedAt: HostProcess.now(), bytes: bytes)
    let report = PriceListReport(bytes: bytes, name: shortName, format: list.format)
    do {
      let cards = try list.opened().cards().count
      return (list, cards, report.warnings.map(\.description.printable))
    } catch {
      throw CommandFailure.failed(
        error.faults.map(\.description.printable).joined(separator: "\n          "))
    }
  }

  private func listFormat(_ bytes: [UInt8]) throws(CommandFailure) -> PriceListFormat {
    guard let format else {
      if file.hasSuffix(".yaml") || file.hasSuffix(".yml") { return .yaml }
      return PriceListFormat.recognised(bytes)
    }
    if let known = PriceListFormat(rawValue: format) { return known }
    let names = PriceListFormat.allCases.map(\.rawValue)
    let hint =
      Suggestion.nearest(to: format, among: names).map { "did you mean \"\($0)\"?" }
      ?? "expected one of \(names.joined(separator: ", "))"
    throw .usage("--format: \"\(format.printable)\" is not known; \(hint)")
  }
}
