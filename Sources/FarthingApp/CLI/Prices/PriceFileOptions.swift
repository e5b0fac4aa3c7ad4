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

  /// Reads the file and tries it.
  ///
  /// - Returns: The list, its number of cards, and the entries that it leaves unpriced since a price cannot be
  ///   used.
  /// - Throws: ``CommandFailure`` that names every fault of the list.
  func read(from: Int64?, name: String? = nil) throws -> (
    StoredPriceList, cards: Int, unusable: [String]
  ) {
    let list = try PriceFile.read(file, format: format, name: name, from: from)
    let cards = try PriceFile.opened(list).cards().count
    let shortName = PriceFile.shortName(file)
    let report = PriceListReport(bytes: list.bytes, name: shortName, format: list.format)
    return (list, cards, report.warnings.map(\.description.printable))
  }
}

/// Price lists in files.
enum PriceFile {
  /// Largest list that is read. LiteLLM's has some 2 MB.
  private static let limit = 64 << 20

  static func shortName(_ file: String) -> String {
    file.split(separator: "/").last.map(String.init) ?? file
  }

  /// The list in a file, as it would be stored; `-` is standard input.
  ///
  /// - Parameter format: A name; nil to tell it by the file.
  /// - Throws: ``CommandFailure`` with status 2 for an unknown format.
  static func read(
    _ file: String, format: String?, name: String? = nil, from: Int64? = nil
  ) throws -> StoredPriceList {
    let bytes = try WholeInput.bytes(of: file, limit: limit)
    return StoredPriceList(
      id: 0, name: name ?? shortName(file), format: try listFormat(file, bytes, format),
      validFrom: from, importedAt: HostProcess.now(), bytes: bytes)
  }

  /// - Throws: ``CommandFailure`` that names every fault of the list.
  static func opened(_ list: StoredPriceList) throws(CommandFailure) -> any PriceSource {
    do {
      return try list.opened()
    } catch {
      throw CommandFailure.failed(
        error.faults.map(\.description.printable).joined(separator: "\n          "))
    }
  }

  private static func listFormat(
    _ file: String, _ bytes: [UInt8], _ format: String?
  ) throws(CommandFailure) -> PriceListFormat {
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
