internal import FarthingCore
internal import Yams

// Own rate cards in YAML; docs/prices.md describes the format.
//
// Yams gives the text of each scalar, so a price goes from the file to a rate without becoming a binary floating
// point. Reading goes on after a fault: all of them are reported at once.

/// What a file of own rate cards says.
struct RateCardFile {
  var cards: [RateCard] = []
  var discounts: [DiscountRule] = []
}

/// A negotiated discount on the public lists' prices.
struct DiscountRule: Sendable {
  var discount: Discount
  /// Empty for any.
  var providers: [String] = []
  /// Names, `*` for any run of characters; empty for any.
  var models: [String] = []
  var site: String?
  var tenant: String?
  var period = PricePeriod.always
}

struct RateCardReader {
  let file: String
  var faults: [PriceListFault] = []
  var defaults = Defaults()

  struct Defaults {
    var unit: TokenUnit = .million
    var source: String?
    var read: String?
    var providers: [String] = []
  }

  /// How many tokens the token prices are for.
  enum TokenUnit: String, CaseIterable {
    case one = "token"
    case thousand = "1K"
    case million = "1M"

    var count: UInt64 {
      switch self {
      case .one: 1
      case .thousand: 1_000
      case .million: 1_000_000
      }
    }
  }

  /// Reads a whole file.
  /// - Throws: `PriceListRefusal` with every fault.
  static func read(_ text: String, file: String) throws(PriceListRefusal) -> RateCardFile {
    var reader = RateCardReader(file: file)
    let result = reader.read(text)
    guard reader.faults.isEmpty else {
      throw PriceListRefusal(faults: reader.faults.sorted { ($0.line ?? 0) < ($1.line ?? 0) })
    }
    return result
  }

  private init(file: String) { self.file = file }

  mutating func fault(_ node: Node?, _ message: String) {
    faults.append(PriceListFault(file: file, line: node?.mark?.line, message: message))
  }

  private mutating func read(_ text: String) -> RateCardFile {
    var result = RateCardFile()
    let root: Node
    do {
      guard let composed = try Yams.compose(yaml: text) else {
        fault(nil, "nothing is in it; expected a mapping with “cards”, see docs/prices.md")
        return result
      }
      root = composed
    } catch {
      faults.append(Self.syntaxFault(error, file: file))
      return result
    }
    guard let members = mapping(root, "the file", "a mapping with “cards”") else { return result }
    for (key, value) in members {
      switch key {
      case "name": _ = scalar(value, "name")
      case "currency":
        if let currency = scalar(value, "currency"), currency != "USD" {
          fault(value, "currency “\(currency)” is not supported; convert the prices to USD")
        }
      case "per": defaults.unit = unit(value) ?? defaults.unit
      case "provider": defaults.providers = texts(value, "provider")
      case "source": defaults.source = scalar(value, "source")
      case "read": defaults.read = date(value, "read").map { PriceDate.text($0) }
      case "cards", "discounts": break
      default:
        unknown(
          key, value,
          among: ["name", "currency", "per", "provider", "source", "read", "cards", "discounts"])
      }
    }
    if let node = member(root, "cards") {
      for (index, card) in sequence(node, "cards").enumerated() {
        readCard(card, number: index + 1, into: &result)
      }
    } else if member(root, "discounts") == nil {
      fault(root, "neither “cards” nor “discounts” is there; expected at least one of them")
    }
    for rule in sequence(member(root, "discounts"), "discounts") {
      if let discount = discount(rule) { result.discounts.append(discount) }
    }
    checkOverlaps(result.cards)
    return result
  }

  private static func syntaxFault(_ error: any Error, file: String) -> PriceListFault {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      PriceListFault(file: file, line: mark.line, message: "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      PriceListFault(
        file: file, line: context.mark.line,
        message: "\(duplicates.map { "“\($0)”" }.joined(separator: ", ")) is given twice; keep one")
    default:
      PriceListFault(file: file, line: nil, message: "not YAML: expected UTF-8 text of rate cards")
    }
  }
}
