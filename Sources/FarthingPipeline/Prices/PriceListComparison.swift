package import FarthingCore

// What two price lists charge differently.
//
// Lists are compared by what requests are charged, not by how entries are written: every name, provider, tenant
// and site that either list has a card for is looked up in both, as a request would be, at each time at which
// either list changes. So lists of different formats can be compared, and an entry that was renamed but is still
// found under its old name is no difference. A card for a tenant or site is compared with one for the same tenant
// or site only.

/// A price of one part, or of one metered unit, that differs between two lists.
package struct PriceDifference: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// Only the new list prices the model, in this period.
    case added
    /// Only the old one does.
    case removed
    case changed
  }

  /// What a rate is the price of.
  package enum Quantity: String, Sendable {
    case tokens = "1M tokens"
    case unit
    case request

    /// How many units a shown rate is for.
    package var count: UInt64 { self == .tokens ? 1_000_000 : 1 }
  }

  package var kind: Kind
  /// Names that events may use, the card's first; all are charged alike in both lists.
  package var models: [String]
  /// Empty for any provider.
  package var providers: [String]
  package var tenant: String?
  package var site: String?
  /// A service tier or `batch`; nil for the standard price.
  package var tier: String?
  /// The part's name in rate cards, the unit's name, or `request`.
  package var part: String
  package var quantity: Quantity
  /// The price holds once a request's input tokens are strictly above this; nil where it always does.
  package var inputAbove: Int64?
  /// What a list without a price of its own for the part charges counts as its price. nil where the list charges
  /// nothing for it, or does not know the model.
  package var old: Rate?
  package var new: Rate?
  /// The times for which both prices hold.
  package var period: PricePeriod
}

extension PriceDifference {
  /// The change in millionths of the old price, cut off; nil where there is no old or no new price, the old one is
  /// 0, or the change is too large to tell.
  package var relativeChangeInMillionths: Int64? {
    guard let old, let new, old.mantissa > 0 else { return nil }
    let scale = max(old.scale, new.scale)
    guard let before = Self.aligned(old, to: scale, times: new.divisor),
      let after = Self.aligned(new, to: scale, times: old.divisor)
    else { return nil }
    let isRise = after >= before
    let (product, overflow) = (isRise ? after - before : before - after)
      .multipliedReportingOverflow(by: 1_000_000)
    guard !overflow, let share = Int64(exactly: product / before) else { return nil }
    return isRise ? share : -share
  }

  private static func aligned(_ rate: Rate, to scale: Int, times divisor: UInt64) -> UInt128? {
    var value = rate.mantissa
    for factor in Array(repeating: 10, count: scale - rate.scale) + [UInt128(divisor)] {
      let (product, overflow) = value.multipliedReportingOverflow(by: factor)
      guard !overflow else { return nil }
      value = product
    }
    return value
  }
}

/// Compares two lists.
package struct PriceListComparison {
  private let old: any PriceSource
  private let new: any PriceSource

  package init(old: any PriceSource, new: any PriceSource) {
    self.old = old
    self.new = new
  }

  /// All differences, by model, provider, tenant, site, time, tier and part.
  ///
  /// Prices that differ by the hour of the day are compared at 00:00 UTC. Discounts that a list grants on other
  /// lists' prices are not compared.
  /// - Complexity: O(n) look-ups in the names that both lists have cards for.
  package func differences() -> [PriceDifference] {
    var found: [Group: PriceDifferenceNames] = [:]
    var order: [Group] = []
    for (key, bounds) in keys() {
      guard let group = group(of: key, bounds: bounds) else { continue }
      if found[group] == nil { order.append(group) }
      found[group, default: PriceDifferenceNames()].add(key.model, key.provider)
    }
    var all: [PriceDifference] = []
    for group in order {
      let names = found[group] ?? PriceDifferenceNames()
      all += group.rows.map { $0.named(names, tenant: group.tenant, site: group.site) }
    }
    // Stable, so that the parts of one model stay in their own order.
    return all.enumerated().sorted { left, right in
      let (a, b) = (left.element, right.element)
      let keys = (a.place, b.place)
      return keys.0 == keys.1
        ? left.offset < right.offset : keys.0.lexicographicallyPrecedes(keys.1)
    }.map(\.element)
  }

  // MARK: - What to look up

  private struct Key: Hashable {
    var model: String
    var provider: String?
    var tenant: String?
    var site: String?
  }

  /// Every name that either list has a card for, with the times at which one of its cards begins or ends.
  private func keys() -> [(Key, [Int64])] {
    var bounds: [Key: Set<Int64>] = [:]
    var order: [Key] = []
    for card in old.cards() + new.cards() {
      for model in card.models {
        for provider in card.providers.isEmpty ? [nil] : card.providers.map({ Optional($0) }) {
          let known = provider.map(ProviderVocabulary.openTelemetry)
          let key = Key(
            model: Self.plainName(model, of: known), provider: known, tenant: card.tenant,
            site: card.site)
          if bounds[key] == nil { order.append(key) }
          // No event is older than 2000, so what ended before then is no difference.
          bounds[key, default: []].formUnion(
            [card.period.from, card.period.until].filter { $0 > Self.oldest && $0 != .max })
        }
      }
    }
    return order.map { ($0, (bounds[$0] ?? []).sorted()) }
  }

  private static let oldest = CivilTime.nanoseconds(year: 2000, month: 1, day: 1)

  /// The name without its provider in front, as community lists write it.
  private static func plainName(_ model: String, of provider: String?) -> String {
    guard let provider, let slash = model.firstIndex(of: "/") else { return model }
    let prefix = ProviderVocabulary.openTelemetry(String(model[..<slash]))
    let rest = model[model.index(after: slash)...]
    return prefix == provider && !rest.isEmpty ? String(rest) : model
  }

  /// What a list has for exactly this scope at a time.
  private static func card(_ key: Key, at time: Int64, in list: any PriceSource) -> RateCard? {
    var period = PricePeriod.always
    let request = PriceRequest(
      model: key.model, provider: key.provider, site: key.site, tenant: key.tenant, time: time)
    guard let match = list.match(request, period: &period), let card = match.card,
      card.tenant == key.tenant, card.site == key.site
    else { return nil }
    return card
  }

  // MARK: - What differs

  /// Names with the same rows from the same entries.
  private struct Group: Hashable {
    var entries: [String]
    var rows: [PriceDifferenceRow]
    var tenant: String?
    var site: String?
  }

  private func group(of key: Key, bounds: [Int64]) -> Group? {
    var stretches: [(period: PricePeriod, rows: [PriceDifferenceRow])] = []
    var entries: [String] = []
    for (index, start) in ([.min] + bounds).enumerated() {
      let time = max(start, Self.oldest)
      let before = Self.card(key, at: time, in: old)
      let after = Self.card(key, at: time, in: new)
      entries += [before?.entry ?? "", after?.entry ?? ""]
      let rows = PriceDifferenceRow.rows(from: before, to: after)
      let period = PricePeriod(from: start, until: index < bounds.count ? bounds[index] : .max)
      if let last = stretches.last, last.rows == rows {
        stretches[stretches.count - 1].period.until = period.until
      } else {
        stretches.append((period, rows))
      }
    }
    let rows = stretches.flatMap { stretch in
      stretch.rows.map { row in
        var row = row
        row.period = stretch.period
        return row
      }
    }
    guard !rows.isEmpty else { return nil }
    return Group(entries: entries, rows: rows, tenant: key.tenant, site: key.site)
  }
}

/// The names that share their differences, in the order in which they were met.
struct PriceDifferenceNames {
  private(set) var models: [String] = []
  private(set) var providers: [String] = []

  mutating func add(_ model: String, _ provider: String?) {
    if !models.contains(model) { models.append(model) }
    if let provider, !providers.contains(provider) { providers.append(provider) }
  }
}

/// A difference without the names that it is of.
struct PriceDifferenceRow: Hashable {
  var kind: PriceDifference.Kind
  var tier: String?
  var part: String
  var quantity: PriceDifference.Quantity
  var inputAbove: Int64?
  var old: Rate?
  var new: Rate?
  var period = PricePeriod.always

  func named(_ names: PriceDifferenceNames, tenant: String?, site: String?) -> PriceDifference {
    PriceDifference(
      kind: kind, models: names.models, providers: names.providers, tenant: tenant, site: site,
      tier: tier, part: part, quantity: quantity, inputAbove: inputAbove, old: old, new: new,
      period: period)
  }

  /// What differs between two cards; empty where neither is there.
  static func rows(from old: RateCard?, to new: RateCard?) -> [PriceDifferenceRow] {
    guard old != nil || new != nil else { return [] }
    let kind: PriceDifference.Kind = old == nil ? .added : new == nil ? .removed : .changed
    let tiers = Set((old?.tiers.keys.map { $0 } ?? []) + (new?.tiers.keys.map { $0 } ?? []))
    let standard = tokenRows(kind, from: old, to: new, tier: nil, isBatch: false)
    var others: [PriceDifferenceRow] = []
    if old?.batch != nil || new?.batch != nil {
      others += tokenRows(kind, from: old, to: new, tier: "batch", isBatch: true)
    }
    for tier in tiers.sorted() {
      others += tokenRows(kind, from: old, to: new, tier: tier, isBatch: false)
    }
    // What a tier charges as the standard does is told once.
    let told = Set(standard)
    return standard + others.filter { !told.contains($0.withoutTier) }
      + unitRows(kind, from: old, to: new)
  }

  private var withoutTier: PriceDifferenceRow {
    var row = self
    row.tier = nil
    return row
  }

  private static func tokenRows(
    _ kind: PriceDifference.Kind, from old: RateCard?, to new: RateCard?, tier: String?,
    isBatch: Bool
  ) -> [PriceDifferenceRow] {
    let before = old?.resolved(serviceTier: isBatch ? nil : tier, isBatch: isBatch, list: "")
    let after = new?.resolved(serviceTier: isBatch ? nil : tier, isBatch: isBatch, list: "")
    let limits = Set((before?.bands ?? []).map(\.above) + (after?.bands ?? []).map(\.above))
    var rows: [PriceDifferenceRow] = []
    var shown: [PricePart: [Rate?]] = [:]
    for limit in limits.sorted() {
      let left = before?.band(at: limit)
      let right = after?.band(at: limit)
      for part in PricePart.allCases.dropLast() {
        guard left?.own(part) != nil || right?.own(part) != nil else { continue }
        let rates = [left?.charged(part), right?.charged(part)]
        let isRepeated = shown[part] == rates
        shown[part] = rates
        guard !isRepeated, rates[0] != rates[1] else { continue }
        rows.append(
          PriceDifferenceRow(
            kind: kind, tier: tier, part: part.cardName, quantity: .tokens,
            inputAbove: limit < 0 ? nil : limit, old: rates[0], new: rates[1]))
      }
    }
    return rows
  }

  private static func unitRows(
    _ kind: PriceDifference.Kind, from old: RateCard?, to new: RateCard?
  ) -> [PriceDifferenceRow] {
    let names = Set((old?.units ?? []).map(\.name) + (new?.units ?? []).map(\.name))
    var rows = names.sorted().map { name in
      PriceDifferenceRow(
        kind: kind, part: name, quantity: .unit,
        old: old?.units.first { $0.name == name }?.rate,
        new: new?.units.first { $0.name == name }?.rate)
    }
    rows.append(
      PriceDifferenceRow(
        kind: kind, part: "request", quantity: .request, old: old?.ownFee, new: new?.ownFee))
    return rows.filter { $0.old != $0.new }
  }
}

extension RateCard {
  /// The fee of a request; nil where there is none.
  fileprivate var ownFee: Rate? { requestFee == .zero ? nil : requestFee }
}

extension ResolvedPrice {
  /// The band in force just above `limit` input tokens.
  fileprivate func band(at limit: Int64) -> PriceBand? { bands.last { $0.above <= limit } }
}

extension PriceBand {
  fileprivate func own(_ part: PricePart) -> Rate? { rates[Int(part.rawValue)] }

  /// The part's own price, else its parent's.
  fileprivate func charged(_ part: PricePart) -> Rate? {
    own(part) ?? part.parent.flatMap { charged($0) }
  }
}

extension PriceDifference {
  /// What rows are sorted by.
  fileprivate var place: [String] {
    [models.first ?? "", providers.first ?? "", tenant ?? "", site ?? ""]
  }
}

extension PricePart {
  /// The part's name in rate cards and answers.
  package var cardName: String {
    switch self {
    case .input: "input"
    case .cachedInput: "cached_input"
    case .cacheWrite: "cache_write"
    case .cacheWrite1h: "cache_write_1h"
    case .output: "output"
    case .reasoning: "reasoning"
    case .inputAudio: "input_audio"
    case .outputAudio: "output_audio"
    case .inputImage: "input_image"
    case .units: "units"
    }
  }

  /// The part whose price holds where this one has none of its own; nil for input, output and units.
  var parent: PricePart? {
    switch self {
    case .input, .output, .units: nil
    case .cachedInput, .cacheWrite, .inputAudio, .inputImage: .input
    case .cacheWrite1h: .cacheWrite
    case .reasoning, .outputAudio: .output
    }
  }
}
