internal import FarthingCore

/// Own rate cards, and the built-in catalogue, as a source of prices.
///
/// Among the cards that name the model, for the event's provider, tenant and site, in their period, the one wins that
/// is made for the tenant or site; then the one that names the model exactly rather than by a pattern; then the
/// one for the event's provider; then the one that started last; then the first. An event without a provider
/// takes any provider's card.
final class RateCardList: PriceSource {
  let list: PriceListIdentity
  let hasTenantCards: Bool
  let hasSiteCards: Bool
  private let all: [RateCard]
  private let discounts: [DiscountRule]
  /// Indices of cards by a name in lower case.
  private let byName: [String: [Int]]
  /// Names with `*`, and the card of each.
  private let patterns: [(pattern: NamePattern, card: Int)]
  private let providers: Set<String>

  init(_ file: RateCardFile, list: PriceListIdentity) {
    self.list = list
    all = file.cards.map { card in
      var card = card
      card.period = Self.period(card.period, since: list.from)
      return card
    }
    discounts = file.discounts.map { rule in
      var rule = rule
      rule.period = Self.period(rule.period, since: list.from)
      return rule
    }
    hasTenantCards =
      file.cards.contains { $0.tenant != nil } || file.discounts.contains { $0.tenant != nil }
    hasSiteCards =
      file.cards.contains { $0.site != nil } || file.discounts.contains { $0.site != nil }
    var byName: [String: [Int]] = [:]
    var patterns: [(NamePattern, Int)] = []
    for (index, card) in file.cards.enumerated() {
      for model in card.models {
        if model.contains("*") {
          patterns.append((NamePattern(model), index))
        } else {
          byName[model.lowercased(), default: []].append(index)
        }
      }
    }
    self.byName = byName
    self.patterns = patterns
    providers = Set(file.cards.flatMap(\.providers).map(ProviderVocabulary.openTelemetry))
  }

  /// What has no dates of its own holds since the date that the import named.
  private static func period(_ own: PricePeriod, since from: Int64?) -> PricePeriod {
    own == .always ? PricePeriod(from: from ?? .min) : own
  }

  /// How well a card fits; greater is better, the fields in order.
  private struct Fit: Comparable {
    var scope: PriceMatch.Scope
    var isExactName: Bool
    /// 2: the event's provider; 1: a card for any; 0: an event without one.
    var provider: Int
    var from: Int64

    static func < (left: Fit, right: Fit) -> Bool {
      if left.scope != right.scope { return left.scope < right.scope }
      if left.isExactName != right.isExactName { return right.isExactName }
      if left.provider != right.provider { return left.provider < right.provider }
      return left.from < right.from
    }
  }

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    let said = request.provider.map(ProviderVocabulary.openTelemetry)
    let names = ModelNames.candidates(request.model.lowercased()) { prefix in
      let provider = ProviderVocabulary.openTelemetry(prefix)
      return provider == said || providers.contains(provider) || ProviderVocabulary.isKnown(prefix)
    }
    for name in names {
      let provider = (request.provider ?? name.provider).map(ProviderVocabulary.openTelemetry)
      var best: (fit: Fit, card: RateCard)?
      for (index, isExact) in cards(named: name.model) {
        let card = all[index]
        guard let scope = Self.scope(card.tenant, card.site, request),
          let rank = Self.rank(card.providers, provider)
        else { continue }
        narrow(&period, at: card.period, around: request.time)
        guard card.period.contains(request.time) else { continue }
        let fit = Fit(
          scope: scope, isExactName: isExact, provider: rank, from: card.period.from)
        if best.map({ $0.fit < fit }) ?? true { best = (fit, card) }
      }
      if let best { return PriceMatch(card: best.card, scope: best.fit.scope) }
    }
    return nil
  }

  private func cards(named name: String) -> [(index: Int, isExact: Bool)] {
    let exact = (byName[name] ?? []).map { ($0, true) }
    return exact + patterns.filter { $0.pattern.matches(name) }.map { ($0.card, false) }
  }

  private func narrow(_ period: inout PricePeriod, at other: PricePeriod, around time: Int64) {
    if other.from != .min { period.narrow(at: other.from, around: time) }
    if other.until != .max { period.narrow(at: other.until, around: time) }
  }

  /// nil where the card or rule is for another tenant or site.
  private static func scope(
    _ tenant: String?, _ site: String?, _ request: PriceRequest
  ) -> PriceMatch.Scope? {
    if let tenant, tenant != request.tenant { return nil }
    if let site, site != request.site { return nil }
    switch (tenant, site) {
    case (nil, nil): return .everybody
    case (nil, _): return .site
    case (_, nil): return .tenant
    default: return .tenantAtSite
    }
  }

  private static func rank(_ providers: [String], _ provider: String?) -> Int? {
    if providers.isEmpty { return 1 }
    guard let provider else { return 0 }
    return providers.contains { ProviderVocabulary.openTelemetry($0) == provider } ? 2 : nil
  }

  func discount(
    _ request: PriceRequest, card: RateCard, period: inout PricePeriod
  ) -> Discount? {
    let provider = (request.provider ?? card.providers.first).map(ProviderVocabulary.openTelemetry)
    let names = Set((card.models + [request.model]).map { $0.lowercased() })
    var best: (scope: PriceMatch.Scope, discount: Discount)?
    for rule in discounts {
      guard let scope = Self.scope(rule.tenant, rule.site, request),
        let rank = Self.rank(rule.providers, provider), rank > 0,
        rule.models.isEmpty
          || rule.models.contains(where: { (name) in
            names.contains { NamePattern(name).matches($0) }
          })
      else { continue }
      narrow(&period, at: rule.period, around: request.time)
      guard rule.period.contains(request.time) else { continue }
      if best.map({ $0.scope < scope }) ?? true { best = (scope, rule.discount) }
    }
    return best?.discount
  }

  func cards() -> [RateCard] { all }
}

/// A name in which `*` stands for any run of characters; case does not matter.
struct NamePattern: Sendable {
  private let parts: [String]

  init(_ text: String) {
    parts = text.lowercased().split(separator: "*", omittingEmptySubsequences: false)
      .map(String.init)
  }

  /// Whether the pattern covers the whole of a name in lower case.
  func matches(_ name: String) -> Bool {
    guard parts.count > 1 else { return name == parts[0] }
    guard name.hasPrefix(parts[0]) else { return false }
    var rest = name.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }
}
