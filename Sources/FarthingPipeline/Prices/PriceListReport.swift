internal import FarthingCore

// What is in a list before it is imported: `farthing prices check FILE`.

/// What a price list holds and what is wrong with it.
package struct PriceListReport: Sendable {
  package let name: String
  package let format: PriceListFormat
  /// Entries, priced or not.
  package let entryCount: Int
  /// Entries with at least one price.
  package let pricedCount: Int
  /// What makes the list unusable, by line; empty where it can be imported.
  package let faults: [PriceListFault]
  /// Prices that cannot be used: requests of such a model are left unpriced by this list. The rest can be
  /// imported.
  package let warnings: [PriceListFault]

  /// Whether the list can be imported.
  package var isUsable: Bool { faults.isEmpty }

  /// Reads the whole of a list.
  /// - Parameter format: nil to recognise it by its content.
  /// - Complexity: O(n) in the bytes; every entry is read.
  package init(bytes: [UInt8], name: String, format: PriceListFormat? = nil) {
    let format = format ?? PriceListFormat.recognised(bytes)
    let stored = StoredPriceList(id: 0, name: name, format: format, bytes: bytes)
    self.name = name
    self.format = format
    let source: any PriceSource
    do {
      source = try stored.opened()
    } catch {
      faults = error.faults
      (entryCount, pricedCount, warnings) = (0, 0, [])
      return
    }
    var warnings: [PriceListFault] = []
    var entryCount = 0
    var pricedCount = 0
    switch source {
    case let list as LiteLLMPriceList:
      for entry in list.entryNames {
        guard let read = list.entry(entry) else { continue }
        entryCount += 1
        pricedCount += read.isPriced ? 1 : 0
        warnings += read.unreadable.map { .init($0, in: entry, file: name) }
      }
    case let list as GenAIPriceList:
      entryCount = list.modelCount
      warnings = list.unreadable.map { .init($0.price, in: $0.entry, file: name) }
      pricedCount = entryCount - Set(list.unreadable.map(\.entry)).count
    default:
      entryCount = source.cards().count
      pricedCount = entryCount
    }
    (self.entryCount, self.pricedCount, self.warnings) = (entryCount, pricedCount, warnings)
    let isEmpty = pricedCount == 0 && warnings.isEmpty && format != .yaml
    faults =
      isEmpty
      ? [
        PriceListFault(
          file: name, line: nil,
          message: "no entry has a price; expected a list in the format \(format.rawValue)")
      ] : []
  }
}

extension PriceListFormat {
  /// The format of a list, by its content: JSON with providers, JSON of entries, else YAML.
  package static func recognised(_ bytes: [UInt8]) -> PriceListFormat {
    let head = bytes.prefix(4_096)
    let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    guard let first = head.dropFirst(start).first(where: { $0 > 0x20 }),
      first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    else { return .yaml }
    if first == UInt8(ascii: "[") { return .genaiPrices }
    let text = String(decoding: head, as: UTF8.self)
    let isGenAI = text.contains("\"providers\"") || text.contains("\"units\"")
    return isGenAI || text.contains("\"price_key\"") ? .genaiPrices : .litellm
  }
}

extension PriceListFault {
  init(_ price: UnreadablePrice, in entry: String, file: String) {
    self.init(
      file: file, line: nil,
      message: "“\(entry)”: \(price.key) “\(price.value)” cannot be used; "
        + "expected \(price.expected); the model is left unpriced")
  }
}
