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
  private(set) var faults: [PriceListFault] = []
  private var defaults = Defaults()

  private struct Defaults {
    var unit: TokenUnit = .million
    var source: String?
    var read: String?
    var providers: [String] = []
  }

  /// How many tokens the token prices are for.
  private enum TokenUnit: String, CaseIterable {
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

  private mutating func fault(_ node: Node?, _ message: String) {
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

// MARK: - Cards

extension RateCardReader {
  private static let cardKeys = [
    "model", "aliases", "provider", "site", "tenant", "from", "until", "approximate", "per",
    "discount", "source", "read", "prices", "batch", "tiers", "units", "per_request",
  ]

  private mutating func readCard(_ node: Node, number: Int, into result: inout RateCardFile) {
    guard let members = mapping(node, "card \(number)", "a mapping with “model” and “prices”")
    else { return }
    var card = RateCard(
      entry: "", providers: defaults.providers, source: defaults.source,
      sourceDate: defaults.read)
    let unit = member(node, "per").flatMap { self.unit($0) } ?? defaults.unit
    var discount: Discount?
    for (key, value) in members {
      switch key {
      case "model":
        if let model = scalar(value, "model") { card.models.insert(model, at: 0) }
      case "aliases": card.models += texts(value, "aliases")
      case "provider": card.providers = texts(value, "provider")
      case "site": card.site = scalar(value, "site")
      case "tenant": card.tenant = scalar(value, "tenant")
      case "from": card.period.from = date(value, "from") ?? .min
      case "until": card.period.until = date(value, "until") ?? .max
      case "approximate": card.isApproximate = flag(value, "approximate") ?? false
      case "per": break
      case "discount": discount = percent(value)
      case "source": card.source = scalar(value, "source")
      case "read": card.sourceDate = date(value, "read").map { PriceDate.text($0) }
      case "prices": card.standard = table(value, unit) ?? RateTable()
      case "batch", "tiers": break
      case "units": card.units = units(value)
      case "per_request": card.requestFee = rate(value, "per_request", per: 1) ?? .zero
      default: unknown(key, value, among: Self.cardKeys)
      }
    }
    if let batch = member(node, "batch") { card.batch = table(batch, unit, of: card.standard) }
    readTiers(member(node, "tiers"), unit, into: &card)
    finish(&card, discount, node)
    result.cards.append(card)
  }

  private mutating func readTiers(_ node: Node?, _ unit: TokenUnit, into card: inout RateCard) {
    guard let node else { return }
    for (tier, value) in mapping(node, "tiers", "a mapping from a tier's name to its prices") ?? []
    {
      if ["standard", "default", "batch"].contains(tier) {
        fault(
          value, "“\(tier)” is no tier of its own; use “\(tier == "batch" ? "batch" : "prices")”")
      }
      card.tiers[tier.lowercased()] = table(value, unit, of: card.standard)
    }
  }

  private mutating func finish(_ card: inout RateCard, _ discount: Discount?, _ node: Node) {
    let name = card.models.first ?? "?"
    if member(node, "model") == nil {
      fault(node, "a card has no “model”; write model: and the name that events give it")
    }
    if ["prices", "units", "per_request"].allSatisfy({ member(node, $0) == nil }) {
      fault(node, "card “\(name)” has no price; expected “prices”, “units” or “per_request”")
    }
    if card.standard.schedules.isEmpty, card.requestFee == .zero,
      member(node, "per_request") != nil
    {
      // A fee of 0 and no price of tokens says that the tokens are free.
      card.standard[.input] = RateSchedule(base: .zero)
    }
    if card.period.until <= card.period.from {
      fault(node, "card “\(name)” ends before it starts; expected “until” after “from”")
    }
    if let discount {
      if let reduced = card.discounted(by: discount) {
        card = reduced
      } else {
        fault(node, "card “\(name)”: its discount leaves too many digits; write fewer decimals")
      }
    }
    card.entry = (card.providers.isEmpty ? "" : card.providers.joined(separator: ",") + "/") + name
    if card.period.from != .min { card.entry += " from \(PriceDate.text(card.period.from))" }
    if card.period.until != .max { card.entry += " until \(PriceDate.text(card.period.until))" }
    if let tenant = card.tenant { card.entry += " for \(tenant)" }
    if let site = card.site { card.entry += " at \(site)" }
  }

  private static let parts: [(name: String, part: PricePart)] = [
    ("input", .input), ("cached_input", .cachedInput), ("cache_write", .cacheWrite),
    ("cache_write_1h", .cacheWrite1h), ("output", .output), ("reasoning", .reasoning),
    ("input_audio", .inputAudio), ("output_audio", .outputAudio), ("input_image", .inputImage),
  ]

  /// A table of prices by part.
  /// - Parameter base: the standard prices, from which a `discount` may be taken.
  private mutating func table(
    _ node: Node, _ unit: TokenUnit, of base: RateTable? = nil
  ) -> RateTable? {
    guard let members = mapping(node, "prices", "a mapping such as {input: 3, output: 15}") else {
      return nil
    }
    var table = RateTable()
    for (key, value) in members {
      if let part = Self.parts.first(where: { $0.name == key })?.part {
        if let rate = rate(value, "\(key) price", per: unit.count) {
          table[part] = RateSchedule(base: rate, steps: table[part]?.steps ?? [])
        }
      } else if key == "above" {
        for step in sequence(value, "above") { readStep(step, unit, into: &table) }
      } else if key == "discount", let base {
        if let percent = percent(value), let reduced = base.mapped(percent.applied) {
          table = RateTable(table.schedules.merging(reduced.schedules) { (own, _) in own })
        }
      } else {
        let names = Self.parts.map(\.name) + ["above"] + (base == nil ? [] : ["discount"])
        unknown(key, value, among: names)
      }
    }
    return table
  }

  private mutating func readStep(_ node: Node, _ unit: TokenUnit, into table: inout RateTable) {
    guard let members = mapping(node, "above", "a mapping with “input_tokens” and prices") else {
      return
    }
    guard let limitNode = member(node, "input_tokens"),
      let text = scalar(limitNode, "input_tokens")
    else {
      fault(node, "a step of “above” has no “input_tokens”; write the limit that it is above")
      return
    }
    guard let limit = PriceText.tokenLimit(text) else {
      fault(limitNode, "input_tokens “\(text)” is not a whole number; write one such as 200000")
      return
    }
    for (key, value) in members where key != "input_tokens" {
      guard let part = Self.parts.first(where: { $0.name == key })?.part else {
        unknown(key, value, among: Self.parts.map(\.name) + ["input_tokens"])
        continue
      }
      guard let rate = rate(value, "\(key) price", per: unit.count) else { continue }
      let schedule = table[part] ?? RateSchedule(base: nil)
      if schedule.steps.contains(where: { $0.above == limit }) {
        fault(value, "\(key) has two prices above \(limit) tokens; keep one")
      }
      table[part] = RateSchedule(
        base: schedule.base, steps: schedule.steps + [RateStep(above: limit, rate: rate)])
    }
  }

  private mutating func units(_ node: Node) -> [UnitPrice] {
    var units: [UnitPrice] = []
    for (name, value) in mapping(node, "units", "a mapping such as {web_search: 0.01}") ?? [] {
      if let rate = rate(value, "\(name) price", per: 1) {
        units.append(UnitPrice(name: name, rate: rate))
      }
    }
    return units
  }

  /// Two cards that name one model for one provider and scope must not hold at once.
  private mutating func checkOverlaps(_ cards: [RateCard]) {
    var seen: [String: [RateCard]] = [:]
    for card in cards {
      for model in card.models {
        for provider in card.providers.isEmpty ? [""] : card.providers {
          let place = [model.lowercased(), provider, card.tenant ?? "", card.site ?? ""]
          let earlier = seen[place.joined(separator: "\u{0}"), default: []]
          if let other = earlier.first(where: {
            $0.period.from < card.period.until && card.period.from < $0.period.until
          }) {
            faults.append(
              PriceListFault(
                file: file, line: nil,
                message:
                  "cards “\(other.entry)” and “\(card.entry)” both price “\(model)” at the same"
                  + " time; close one with “until”"))
          }
          seen[place.joined(separator: "\u{0}"), default: []].append(card)
        }
      }
    }
  }
}

// MARK: - Discounts

extension RateCardReader {
  private mutating func discount(_ node: Node) -> DiscountRule? {
    guard let members = mapping(node, "a discount", "a mapping with “percent”") else { return nil }
    guard let percentNode = member(node, "percent") else {
      fault(node, "a discount has no “percent”; write the percentage that is taken off")
      return nil
    }
    guard let percent = percent(percentNode) else { return nil }
    var rule = DiscountRule(discount: percent)
    for (key, value) in members where key != "percent" {
      switch key {
      case "provider": rule.providers = texts(value, "provider")
      case "models": rule.models = texts(value, "models")
      case "site": rule.site = scalar(value, "site")
      case "tenant": rule.tenant = scalar(value, "tenant")
      case "from": rule.period.from = date(value, "from") ?? .min
      case "until": rule.period.until = date(value, "until") ?? .max
      default:
        unknown(
          key, value,
          among: ["percent", "provider", "models", "site", "tenant", "from", "until"])
      }
    }
    return rule
  }
}

// MARK: - Values

extension RateCardReader {
  private mutating func mapping(
    _ node: Node, _ what: String, _ expected: String
  ) -> [(String, Node)]? {
    guard let mapping = node.mapping else {
      fault(node, "\(what) is not a mapping; expected \(expected)")
      return nil
    }
    return mapping.map { ($0.key.scalar?.string ?? "", $0.value) }
  }

  private func member(_ node: Node, _ name: String) -> Node? {
    node.mapping?.first { $0.key.scalar?.string == name }?.value
  }

  private mutating func sequence(_ node: Node?, _ what: String) -> [Node] {
    guard let node else { return [] }
    guard let sequence = node.sequence else {
      fault(node, "“\(what)” is not a list; write each element on a line with a leading dash")
      return []
    }
    return Array(sequence)
  }

  private mutating func scalar(_ node: Node, _ what: String) -> String? {
    guard let text = node.scalar?.string, !text.isEmpty else {
      fault(node, "“\(what)” is not a text; write one value behind the colon")
      return nil
    }
    return text
  }

  /// One text or a list of them.
  private mutating func texts(_ node: Node, _ what: String) -> [String] {
    guard node.sequence != nil else { return scalar(node, what).map { [$0] } ?? [] }
    return sequence(node, what).compactMap { scalar($0, what) }
  }

  private mutating func flag(_ node: Node, _ what: String) -> Bool? {
    switch scalar(node, what) {
    case "true": return true
    case "false": return false
    case nil: return nil
    case let text?:
      fault(node, "\(what) “\(text)” is neither true nor false")
      return nil
    }
  }

  private mutating func date(_ node: Node, _ what: String) -> Int64? {
    guard let text = scalar(node, what) else { return nil }
    guard let time = PriceDate.nanoseconds(text) else {
      fault(node, "\(what) “\(text)” is not a date; write one such as 2026-11-02")
      return nil
    }
    return time
  }

  private mutating func unit(_ node: Node) -> TokenUnit? {
    guard let text = scalar(node, "per") else { return nil }
    guard let unit = TokenUnit(rawValue: text) else {
      fault(node, "per “\(text)” is not known; write token, 1K or 1M")
      return nil
    }
    return unit
  }

  private mutating func percent(_ node: Node) -> Discount? {
    guard let text = scalar(node, "discount") else { return nil }
    let number = text.hasSuffix("%") ? String(text.dropLast()) : text
    guard let discount = Discount(percent: number) else {
      fault(
        node,
        "discount “\(text)” is not a percentage from 0 to 100 with at most 6 decimals; write one such as 12.5%"
      )
      return nil
    }
    return discount
  }

  private mutating func rate(_ node: Node, _ what: String, per count: UInt64) -> Rate? {
    guard let text = scalar(node, what) else { return nil }
    do {
      return try PriceText.rate(text, per: count)
    } catch {
      fault(node, Self.message(error, what, text))
      return nil
    }
  }

  private static func message(_ fault: DecimalFault, _ what: String, _ text: String) -> String {
    switch fault {
    case .notANumber:
      let remedy = DecimalRemedy.suggestion(for: text).map { "; write \($0)" } ?? ""
      return "\(what) “\(text.prefix(64))” is not a decimal number of at least 0\(remedy)"
    case .tooLarge:
      return
        "\(what) “\(text.prefix(64))” is above \(Rate.limit) dollars a unit; check the unit of “per”"
    case .tooPrecise:
      return
        "\(what) “\(text.prefix(64))” has more than \(Rate.maximumSignificantDigits) digits; round it"
    }
  }

  private mutating func unknown(_ key: String, _ node: Node, among names: [String]) {
    let near = names.min { key.editDistance(to: $0) < key.editDistance(to: $1) } ?? ""
    let hint =
      key.editDistance(to: near) <= 3
      ? "did you mean “\(near)”?" : "expected one of \(names.joined(separator: ", "))"
    fault(node, "“\(key)” is not known here; \(hint)")
  }
}

/// What a writer of `12,50` or `$3` meant.
enum DecimalRemedy {
  static func suggestion(for text: String) -> String? {
    var guess = text.filter { !"$ _€".contains($0) }
    if guess.hasPrefix("USD") || guess.hasSuffix("USD") {
      guess = guess.replacing("USD", with: "")
    }
    if guess.contains(","), !guess.contains(".") {
      guess = guess.replacing(",", with: ".")
    } else {
      guess = guess.replacing(",", with: "")
    }
    if guess.hasPrefix(".") { guess = "0" + guess }
    return guess != text && Rate(decimal: guess) != nil ? guess : nil
  }
}

extension String {
  /// Insertions, deletions and substitutions between two short names.
  func editDistance(to other: String) -> Int {
    let (left, right) = (Array(utf8), Array(other.utf8))
    guard left.count <= 64, right.count <= 64 else { return max(left.count, right.count) }
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for place in right.indices {
        let substituted = diagonal + (byte == right[place] ? 0 : 1)
        diagonal = row[place + 1]
        row[place + 1] = Swift.min(substituted, row[place] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }
}
