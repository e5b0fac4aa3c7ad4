internal import FarthingCore

// One model of genai-prices as a rate card, for one moment.
//
// `prices` is one object or a list in which the last active one wins; where none is, the first. Variants replace
// single keys for a batch or a tier; the first that fits gives a key. A tiered price is its base and steps that
// hold for the whole request above their start. A price object without any price says that the model is free:
// so the list's own calculator has it.

struct GenAIModel {
  let provider: String
  let id: String
  private let tree: PriceTree

  init?(_ tree: PriceTree, provider: String) {
    guard let id = tree["id"]?.text else { return nil }
    self.provider = provider
    self.id = id
    self.tree = tree
  }

  /// When a price holds.
  private enum Constraint {
    case from(Int64)
    case daily(DailyWindow)
    case unknown

    init?(_ tree: PriceTree?) {
      guard let tree else { return nil }
      if let date = tree["start_date"]?.text.flatMap(PriceDate.nanoseconds) {
        self = .from(date)
      } else if let start = tree["start_time"]?.text.flatMap(PriceDate.timeOfDay),
        let end = tree["end_time"]?.text.flatMap(PriceDate.timeOfDay)
      {
        self = .daily(DailyWindow(start: start, end: end))
      } else {
        self = .unknown
      }
    }

    func isActive(at time: Int64, period: inout PricePeriod) -> Bool {
      switch self {
      case .from(let date):
        period.narrow(at: date, around: time)
        return time >= date
      case .daily(let window):
        window.narrow(&period, around: time)
        return window.contains(time)
      case .unknown: return false
      }
    }

    var isDate: Bool {
      if case .from = self { true } else { false }
    }

    /// The part of the entry's name that tells its prices apart.
    var label: String {
      switch self {
      case .from(let date): " from \(PriceDate.text(date))"
      case .daily(let window):
        " daily from \(CivilTime.text(window.start).dropFirst(11).prefix(5))"
      case .unknown: ""
      }
    }
  }

  /// Whether any of its prices says since when it holds.
  var isDated: Bool {
    let choices = (tree["prices"]?.elements ?? []) + (tree["price_variants"]?.elements ?? [])
    return choices.contains { Constraint($0["constraint"])?.isDate ?? false }
  }

  /// The card in force at `time`; `period` is narrowed to where it stays the same.
  ///
  /// - Parameters:
  ///   - withVariants: false where another provider resells the model, whose variants do not apply.
  ///   - from: since when a model without dates holds, Unix nanoseconds; nil for all time.
  func card(
    at time: Int64, units: GenAIUnits, withVariants: Bool, since from: Int64?,
    period: inout PricePeriod
  ) -> RateCard? {
    guard let (prices, label) = prices(at: time, period: &period) else { return nil }
    var reading = Reading(units: units)
    var standard = reading.table(prices)
    if prices.members.allSatisfy({ $0.value == .null }) {
      standard = RateTable([
        .input: RateSchedule(base: .zero), .output: RateSchedule(base: .zero),
      ])
    }
    var card = RateCard(
      entry: "\(provider)/\(id)\(label)", models: [id], providers: [provider],
      standard: standard, units: reading.unitPrices, requestFee: reading.requestFee)
    if let from, !isDated { card.period.from = from }
    guard withVariants else { return card }
    var labels: Set<String> = []
    for variant in tree["price_variants"]?.elements ?? [] {
      let constraint = Constraint(variant["constraint"])
      if let constraint {
        guard constraint.isActive(at: time, period: &period) else { continue }
        labels.insert(constraint.label)
      }
      apply(variant, to: &card, units: units)
    }
    if !labels.isEmpty { card.entry += " variants" + labels.sorted().joined() }
    return card
  }

  private func prices(
    at time: Int64, period: inout PricePeriod
  ) -> (prices: PriceTree, label: String)? {
    guard let prices = tree["prices"] else { return nil }
    guard case .array(let choices) = prices else { return (prices, "") }
    for choice in choices.reversed() {
      guard let prices = choice["prices"] else { continue }
      guard let constraint = Constraint(choice["constraint"]) else { return (prices, "") }
      if constraint.isActive(at: time, period: &period) { return (prices, constraint.label) }
    }
    return choices.first?["prices"].map { ($0, "") }
  }

  private func apply(_ variant: PriceTree, to card: inout RateCard, units: GenAIUnits) {
    guard let conditions = variant["when"]?.members, let prices = variant["prices"] else { return }
    var reading = Reading(units: units)
    let table = reading.table(prices)
    // A request is either a batch or of one tier; a variant that asks for more at once is out of reach.
    guard conditions.count == 1, let condition = conditions.first, let value = condition.value.text
    else { return }
    switch (condition.name, value) {
    case ("processing", "batch"):
      card.batch = (card.batch ?? RateTable()).fillingGaps(from: table)
    case ("service_tier", _), ("speed", _):
      let tier = value.lowercased()
      card.tiers[tier] = (card.tiers[tier] ?? RateTable()).fillingGaps(from: table)
    default: return
    }
  }

  /// What could not be read, over all of the model's prices; where there is anything, none of them counts.
  func unreadable(units: GenAIUnits) -> [UnreadablePrice] {
    var reading = Reading(units: units)
    let lists = (tree["prices"]?.elements ?? []) + (tree["price_variants"]?.elements ?? [])
    for choice in lists {
      _ = choice["prices"].map { reading.table($0) }
      if case .unknown? = Constraint(choice["constraint"]) {
        reading.refuse(
          "constraint", choice["constraint"], "start_date, or start_time and end_time")
      }
    }
    switch tree["prices"] {
    case nil, .array: break
    case .object: _ = tree["prices"].map { reading.table($0) }
    case let other: reading.refuse("prices", other, "an object or a list of them")
    }
    reading.checkDivisor()
    return reading.unreadable
  }

  /// The cards of all dated prices, for listings.
  func allCards(units: GenAIUnits, since from: Int64?) -> [RateCard] {
    guard unreadable(units: units).isEmpty else { return [] }
    var times: [Int64] = [0]
    for choice in tree["prices"]?.elements ?? [] {
      if case .from(let date)? = Constraint(choice["constraint"]) { times.append(date) }
    }
    return times.compactMap { (time) in
      var period = PricePeriod.always
      guard
        var card = card(
          at: time, units: units, withVariants: true, since: from, period: &period)
      else { return nil }
      card.period = PricePeriod(
        from: max(card.period.from, period.from), until: period.until)
      return card
    }
  }

  /// Reads price objects.
  private struct Reading {
    let units: GenAIUnits
    var unitPrices: [UnitPrice] = []
    var requestFee = Rate.zero
    var unreadable: [UnreadablePrice] = []
    /// The common multiple of the divisors so far, kept from growing once it is too large.
    private var divisor: UInt64 = 1
    private static let divisorCeiling = ResolvedPrice.maximumDivisor + 1

    init(units: GenAIUnits) { self.units = units }

    mutating func table(_ prices: PriceTree) -> RateTable {
      var table = RateTable()
      for member in prices.members where member.value != .null {
        guard let unit = units[member.name] else { continue }
        guard let schedule = schedule(member, per: unit.per) else { continue }
        switch unit.meaning {
        case .part(let part): table[part] = schedule
        case .notTold: break
        case .unit(let name):
          if let base = schedule.base { unitPrices.append(UnitPrice(name: name, rate: base)) }
        case .requestFee: requestFee = schedule.base ?? requestFee
        }
      }
      return table
    }

    private mutating func schedule(_ member: PriceTree.Member, per: UInt64) -> RateSchedule? {
      guard case .object = member.value else {
        return rate(member.name, member.value, per: per).map { RateSchedule(base: $0) }
      }
      guard let base = rate(member.name, member.value["base"], per: per) else {
        return nil
      }
      var steps: [RateStep] = []
      for tier in member.value["tiers"]?.elements ?? [] {
        guard let limit = tier["start"]?.decimal.flatMap(PriceText.tokenLimit) else {
          refuse("\(member.name) start", tier["start"], "a whole number of tokens")
          return nil
        }
        guard let price = rate(member.name, tier["price"], per: per) else { return nil }
        steps.append(RateStep(above: limit, rate: price))
      }
      return RateSchedule(base: base, steps: steps)
    }

    private mutating func rate(_ key: String, _ value: PriceTree?, per: UInt64) -> Rate? {
      do throws(UnreadablePrice) {
        let rate = try PriceText.rate(value ?? .null, key: key, per: per)
        divisor = min(ResolvedPrice.commonMultiple(divisor, rate.divisor), Self.divisorCeiling)
        return rate
      } catch {
        unreadable.append(error)
        return nil
      }
    }

    mutating func refuse(_ key: String, _ value: PriceTree?, _ expected: String) {
      unreadable.append(
        UnreadablePrice(key: key, value: value?.excerpt ?? "", expected: expected))
    }

    /// Prices of odd numbers of units share a denominator, which must stay small for exact sums.
    mutating func checkDivisor() {
      guard divisor > ResolvedPrice.maximumDivisor else { return }
      refuse("units", nil, "numbers of units with a common multiple of at most 2^20")
    }
  }
}

extension RateTable {
  /// This table with the parts that it lacks taken from `other`.
  fileprivate func fillingGaps(from other: RateTable) -> RateTable {
    RateTable(schedules.merging(other.schedules) { (own, _) in own })
  }
}
