// Cards and discounts of a file of own rate cards.

internal import FarthingCore
internal import Yams

extension RateCardReader {
  private static let cardKeys = [
    "model", "aliases", "provider", "site", "tenant", "from", "until", "approximate", "per",
    "discount", "source", "read", "prices", "batch", "tiers", "units", "per_request",
  ]

  mutating func readCard(_ node: Node, number: Int, into result: inout RateCardFile) {
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

  mutating func readTiers(_ node: Node?, _ unit: TokenUnit, into card: inout RateCard) {
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

  mutating func finish(_ card: inout RateCard, _ discount: Discount?, _ node: Node) {
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

  /// The parts that a card may price, by name.
  private static let parts = PricePart.allCases.dropLast().map { (name: $0.cardName, part: $0) }

  /// A table of prices by part.
  /// - Parameter base: the standard prices, from which a `discount` may be taken.
  mutating func table(
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

  mutating func readStep(_ node: Node, _ unit: TokenUnit, into table: inout RateTable) {
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

  mutating func units(_ node: Node) -> [UnitPrice] {
    var units: [UnitPrice] = []
    for (name, value) in mapping(node, "units", "a mapping such as {web_search: 0.01}") ?? [] {
      if let rate = rate(value, "\(name) price", per: 1) {
        units.append(UnitPrice(name: name, rate: rate))
      }
    }
    return units
  }

  /// Two cards that name one model for one provider and scope must not hold at once.
  mutating func checkOverlaps(_ cards: [RateCard]) {
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
  mutating func discount(_ node: Node) -> DiscountRule? {
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
