package import FarthingCore
package import FarthingStore

// From stored lists to a price book.

/// The formats of lists that can be imported.
package enum PriceListFormat: String, Sendable, CaseIterable {
  case litellm
  case genaiPrices = "genai-prices"
  case yaml
}

/// A list as it was imported: its bytes unchanged, with its place in the order of imports.
package struct StoredPriceList: Sendable, Equatable {
  /// Rises with each import into a store and is never used again.
  package var id: Int64
  /// The name that it was imported under, usually its file's.
  package var name: String
  package var format: PriceListFormat
  /// Unix nanoseconds since when it holds; nil for all time.
  package var validFrom: Int64?
  /// Unix nanoseconds.
  package var importedAt: Int64
  package var bytes: [UInt8]

  package init(
    id: Int64, name: String, format: PriceListFormat, validFrom: Int64? = nil,
    importedAt: Int64 = 0, bytes: [UInt8]
  ) {
    self.id = id
    self.name = name
    self.format = format
    self.validFrom = validFrom
    self.importedAt = importedAt
    self.bytes = bytes
  }

  /// A list of the store's catalogue; nil for a format that this build does not know.
  package init?(_ entry: PriceListEntry) {
    guard let format = PriceListFormat(rawValue: entry.format) else { return nil }
    self.init(
      id: entry.id, name: entry.name, format: format, validFrom: entry.validFrom,
      importedAt: entry.importedAt, bytes: entry.bytes)
  }

  package var identity: PriceListIdentity {
    PriceListIdentity(
      id: "\(name)#\(id)", name: name, format: format.rawValue, from: validFrom,
      importedAt: importedAt)
  }

  /// The list as a source of prices.
  /// - Throws: `PriceListRefusal` where the bytes are not a list of the format.
  package func opened() throws(PriceListRefusal) -> any PriceSource {
    do {
      switch format {
      case .litellm: return try LiteLLMPriceList(bytes: bytes, list: identity)
      case .genaiPrices: return try GenAIPriceList(bytes: bytes, list: identity)
      case .yaml:
        let text = String(decoding: bytes, as: UTF8.self)
        return RateCardList(try RateCardReader.read(text, file: name), list: identity)
      }
    } catch let refusal as PriceListRefusal {
      throw refusal
    } catch let fault as PriceTextFault {
      throw PriceListRefusal(faults: [.init(fault, in: bytes, file: name)])
    } catch {
      throw PriceListRefusal(
        faults: [PriceListFault(file: name, line: nil, message: "cannot be read: \(error)")])
    }
  }
}

extension PriceListFault {
  /// A fault of JSON text with its line.
  init(_ fault: PriceTextFault, in bytes: [UInt8], file: String) {
    let line = 1 + bytes.prefix(fault.position).count { $0 == 0x0A }
    let found =
      fault.position < bytes.count
      ? "“\(String(decoding: bytes[fault.position...].prefix(16), as: UTF8.self).prefix { !$0.isNewline })”"
      : "the end of the file"
    self.init(
      file: file, line: line,
      message: "\(found) where \(fault.expected) was expected; is it this format?")
  }
}

extension PriceBook {
  /// The built-in catalogue under the imported lists, the earliest import first.
  /// - Parameter catalogue: false for a book of the imported lists alone.
  /// - Throws: `PriceListRefusal` with the faults of every list that cannot be read.
  /// - Complexity: O(n) in the bytes of the lists, about 1 ns a byte; entries are read when asked for.
  package init(
    lists: [StoredPriceList], withCatalogue catalogue: Bool = true
  ) throws(PriceListRefusal) {
    var sources: [any PriceSource] = catalogue ? [PriceCatalogue.source] : []
    var faults: [PriceListFault] = []
    for list in lists.sorted(by: { $0.id < $1.id }) {
      do {
        sources.append(try list.opened())
      } catch {
        faults += error.faults
      }
    }
    guard faults.isEmpty else { throw PriceListRefusal(faults: faults) }
    self.init(sources: sources)
  }
}
