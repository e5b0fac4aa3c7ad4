// What a price list says about one model, before a tier and a batch are chosen.

/// The price of one part once a request's input tokens are strictly above a limit.
package struct RateStep: Sendable, Equatable {
  package let above: Int64
  package let rate: Rate

  package init(above: Int64, rate: Rate) {
    self.above = above
    self.rate = rate
  }
}

/// The price of one part: its base and its long-context steps, which apply to the whole request.
package struct RateSchedule: Sendable, Equatable {
  /// nil where only steps are priced.
  package var base: Rate?
  /// By rising limit.
  package var steps: [RateStep]

  package init(base: Rate?, steps: [RateStep] = []) {
    self.base = base
    self.steps = steps.sorted { $0.above < $1.above }
  }

  /// The step whose limit is the highest that `limit` reaches, or nil.
  fileprivate func step(at limit: Int64) -> RateStep? { steps.last { $0.above <= limit } }

  fileprivate func mapped(_ change: (Rate) -> Rate?) -> RateSchedule? {
    var result = self
    if let base {
      guard let changed = change(base) else { return nil }
      result.base = changed
    }
    result.steps = []
    for step in steps {
      guard let changed = change(step.rate) else { return nil }
      result.steps.append(RateStep(above: step.above, rate: changed))
    }
    return result
  }
}

/// Prices by part, for one tier.
package struct RateTable: Sendable, Equatable {
  /// Parts that are not here have no price of their own. Never `units`.
  package var schedules: [PricePart: RateSchedule]

  package init(_ schedules: [PricePart: RateSchedule] = [:]) {
    self.schedules = schedules
  }

  package subscript(part: PricePart) -> RateSchedule? {
    get { schedules[part] }
    set { schedules[part] = newValue }
  }

  /// The table with every rate changed, or nil where one cannot be.
  package func mapped(_ change: (Rate) -> Rate?) -> RateTable? {
    var result = RateTable()
    for (part, schedule) in schedules {
      guard let changed = schedule.mapped(change) else { return nil }
      result[part] = changed
    }
    return result
  }
}

/// One entry of a price list: what a model costs, where and when.
package struct RateCard: Sendable, Equatable {
  /// How a tier's or the batch's table is laid over the standard one.
  package enum Overlay: UInt8, Sendable {
    /// A part that the tier prices is the tier's, steps and all.
    case wholeParts
    /// Each step is looked up by itself: step with tier, step, tier, base. LiteLLM's lists.
    case steps
  }

  /// What a batch costs where the card has no price for it.
  package enum MissingBatch: UInt8, Sendable {
    case standard
    case half
  }

  /// The entry's name in its list, unique there: part of the price's key.
  package var entry: String
  /// Names that events may use for the model, for listings.
  package var models: [String]
  /// Providers that the card is for; empty for any.
  package var providers: [String]
  /// The only site or tenant that the card is for, where it is for one.
  package var site: String?
  package var tenant: String?
  package var period: PricePeriod
  package var standard: RateTable
  package var tiers: [String: RateTable]
  package var batch: RateTable?
  package var overlay: Overlay
  package var missingBatch: MissingBatch
  package var units: [UnitPrice]
  /// The fee of each request.
  package var requestFee: Rate
  package var isApproximate: Bool
  /// The page that the rates come from, where the list says.
  package var source: String?
  /// The date on which they were read there, such as `2026-11-02`.
  package var sourceDate: String?
  /// Percent taken off all rates by agreement, as decimal text.
  package var discountPercent: String?

  package init(
    entry: String, models: [String] = [], providers: [String] = [], site: String? = nil,
    tenant: String? = nil, period: PricePeriod = .always, standard: RateTable = RateTable(),
    tiers: [String: RateTable] = [:], batch: RateTable? = nil, overlay: Overlay = .wholeParts,
    missingBatch: MissingBatch = .standard, units: [UnitPrice] = [], requestFee: Rate = .zero,
    isApproximate: Bool = false, source: String? = nil,
    sourceDate: String? = nil, discountPercent: String? = nil
  ) {
    self.entry = entry
    self.models = models
    self.providers = providers
    self.site = site
    self.tenant = tenant
    self.period = period
    self.standard = standard
    self.tiers = tiers
    self.batch = batch
    self.overlay = overlay
    self.missingBatch = missingBatch
    self.units = units
    self.requestFee = requestFee
    self.isApproximate = isApproximate
    self.source = source
    self.sourceDate = sourceDate
    self.discountPercent = discountPercent
  }
}

extension RateCard {
  /// The card with `percent` taken off every rate, or nil where a rate would have too many digits.
  package func discounted(by percent: Discount) -> RateCard? {
    var result = self
    guard let table = standard.mapped(percent.applied) else { return nil }
    result.standard = table
    for (tier, rates) in tiers {
      guard let table = rates.mapped(percent.applied) else { return nil }
      result.tiers[tier] = table
    }
    if let batch {
      guard let table = batch.mapped(percent.applied) else { return nil }
      result.batch = table
    }
    result.units = []
    for unit in units {
      guard let rate = percent.applied(to: unit.rate) else { return nil }
      result.units.append(UnitPrice(name: unit.name, rate: rate))
    }
    guard let fee = percent.applied(to: requestFee) else { return nil }
    result.requestFee = fee
    result.discountPercent = percent.percentText
    return result
  }

  /// The price of this card for one tier and batch.
  /// - Parameter list: the list's identity, the first part of the price's key.
  /// - Complexity: O(parts × steps).
  package func resolved(serviceTier: String?, isBatch: Bool, list: String) -> ResolvedPrice {
    let tierTable = isBatch ? batch : serviceTier.flatMap { tiers[$0] }
    let isHalved = isBatch && missingBatch == .half
    let tables = LaidTables(
      standard: standard, tier: tierTable, isHalved: isHalved, overlay: overlay)
    var key = "\(list)/\(entry)"
    if tierTable != nil, let serviceTier, !isBatch { key += " \(serviceTier)" }
    if tierTable != nil && isBatch || isHalved { key += " batch" }
    if let discountPercent { key += " less \(discountPercent)%" }
    return ResolvedPrice(
      key: key, validFrom: period.from, validUntil: period.until, isApproximate: isApproximate,
      bands: tables.bands(), units: units, requestFee: requestFee)
  }
}

/// A tier's table laid over the standard one.
private struct LaidTables {
  let standard: RateTable
  let tier: RateTable?
  let isHalved: Bool
  let overlay: RateCard.Overlay

  func bands() -> [PriceBand] {
    var limits: Set<Int64> = []
    for schedule in standard.schedules.values { limits.formUnion(schedule.steps.map(\.above)) }
    for schedule in tier?.schedules.values.map({ $0 }) ?? [] {
      limits.formUnion(schedule.steps.map(\.above))
    }
    return ([-1] + limits.sorted()).map { (limit) in
      PriceBand(
        above: limit,
        rates: PricePart.allCases.dropLast().map { rate(of: $0, at: limit) })
    }
  }

  private func rate(of part: PricePart, at limit: Int64) -> Rate? {
    let base = standard[part]
    let own = tier?[part]
    switch overlay {
    case .wholeParts:
      if let own { return own.step(at: limit)?.rate ?? own.base }
      return standardRate(base?.step(at: limit)?.rate ?? base?.base)
    case .steps:
      let ownStep = own?.step(at: limit)
      let step = base?.step(at: limit)
      if let ownStep, ownStep.above >= step?.above ?? -1 { return ownStep.rate }
      return standardRate(step?.rate) ?? own?.base ?? standardRate(base?.base)
    }
  }

  private func standardRate(_ rate: Rate?) -> Rate? { isHalved ? rate?.halved : rate }
}

/// A negotiated discount in percent, exact.
package struct Discount: Sendable, Equatable {
  /// Percent as decimal text without trailing zeros.
  package let percentText: String
  /// (100 − percent) ÷ 100.
  private let factor: Rate

  /// The discount of `text` percent, such as `12.5`, or nil where it is not a decimal of 0 to 100 with at most
  /// 6 decimals.
  package init?(percent text: String) {
    guard let percent = Rate(decimal: text), percent.scale <= 6 else { return nil }
    var hundred: UInt128 = 100
    for _ in 0..<percent.scale { hundred *= 10 }
    guard percent.mantissa <= hundred,
      let factor = Rate(mantissa: hundred - percent.mantissa, scale: percent.scale + 2)
    else { return nil }
    percentText = percent.decimalText()
    self.factor = factor
  }

  /// The rate less the discount, or nil where it would have too many digits.
  package func applied(to rate: Rate) -> Rate? {
    rate.multiplied(mantissa: factor.mantissa, scale: factor.scale)
  }
}
