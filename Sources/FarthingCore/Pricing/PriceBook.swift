// Which price is in force.
//
// The book is a stack of lists: the built-in catalogue at the bottom, then every import in order. For a
// request the lists are asked from the last to the first. A card that is for the request's tenant or site
// beats one that is for everybody, in whichever list it stands: a contract is not undone by refreshing a
// public list. Among equals the later list wins. A list that does not name the model is passed over; one that
// names it without a usable price ends the search, so that no older or other price stands in for it silently.

/// Which list a price comes from.
package struct PriceListIdentity: Sendable, Hashable {
  /// Unique in a book and stable over restarts, such as `litellm#2` or `builtin-2026-11-20`.
  package let id: String
  package let name: String
  /// `builtin`, `litellm`, `genai-prices` or `yaml`.
  package let format: String
  /// Unix nanoseconds since when prices without dates of their own hold; nil for all time.
  package let from: Int64?
  /// Unix nanoseconds of the import; nil for the built-in catalogue.
  package let importedAt: Int64?

  package init(id: String, name: String, format: String, from: Int64?, importedAt: Int64?) {
    self.id = id
    self.name = name
    self.format = format
    self.from = from
    self.importedAt = importedAt
  }
}

/// What a list that names the model of a request has for it.
package struct PriceMatch: Sendable {
  /// How closely the card is made for the request.
  package enum Scope: Int, Sendable, Comparable {
    case everybody = 0
    case site = 1
    case tenant = 2
    case tenantAtSite = 3

    package static func < (left: Scope, right: Scope) -> Bool { left.rawValue < right.rawValue }
  }

  /// nil where the entry has no price, or one that cannot be used: the request has none then, whatever
  /// weaker lists say.
  package let card: RateCard?
  package let scope: Scope

  /// The list names the model and has no usable price for it.
  package static let withoutPrice = PriceMatch(card: nil)

  package init(card: RateCard?, scope: Scope = .everybody) {
    self.card = card
    self.scope = scope
  }
}

/// A price list that can be asked. Implementations may read their entries only when asked.
///
/// Each sees to ``PriceListIdentity/from`` itself: only it knows which of its prices have dates of their own.
package protocol PriceSource: Sendable {
  var list: PriceListIdentity { get }
  /// Whether any card is for one tenant or one site only.
  var hasTenantCards: Bool { get }
  var hasSiteCards: Bool { get }
  /// What this list has for `request`, or nil where it does not name the model.
  /// - Parameter period: contains the request's time; narrowed so that for all times left in it the answer
  ///   is the same.
  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch?
  /// The discount that this list grants on other lists' prices, where it does.
  /// - Parameter period: as in ``match(_:period:)``.
  func discount(_ request: PriceRequest, card: RateCard, period: inout PricePeriod) -> Discount?
  /// All cards, for listings; may be slow.
  func cards() -> [RateCard]
}

extension PriceSource {
  package var hasTenantCards: Bool { false }
  package var hasSiteCards: Bool { false }

  package func discount(
    _ request: PriceRequest, card: RateCard, period: inout PricePeriod
  ) -> Discount? { nil }
}

/// The answer to "what does this cost, and who says so".
package struct PriceResolution: Sendable {
  /// nil where no list has a price for the model at that time.
  package let price: ResolvedPrice?
  package let card: RateCard?
  /// The list that decided, also where it names the model without a usable price.
  package let list: PriceListIdentity?
  /// Times, the request's among them, for which the answer is the same.
  package let period: PricePeriod
}

/// All price knowledge of a store: the built-in catalogue and the imported lists, in order.
package struct PriceBook: Sendable {
  /// Rising precedence.
  package let sources: [any PriceSource]
  /// Whether the price may depend on the event's tenant or site.
  package let dependsOnTenant: Bool
  package let dependsOnSite: Bool

  /// A book of the given lists, the weakest first.
  package init(sources: [any PriceSource]) {
    self.sources = sources
    dependsOnTenant = sources.contains { $0.hasTenantCards }
    dependsOnSite = sources.contains { $0.hasSiteCards }
  }

  package static let empty = PriceBook(sources: [])

  /// The lists, the weakest first.
  package var lists: [PriceListIdentity] { sources.map(\.list) }

  /// The price in force for `request`, or nil where no list knows the model at that time.
  package func resolve(_ request: PriceRequest) -> ResolvedPrice? {
    explain(request).price
  }

  /// The price in force for `request`, the card and list that it is from, and how long the answer holds.
  package func explain(_ request: PriceRequest) -> PriceResolution {
    var period = PricePeriod.always
    var best: (match: PriceMatch, source: any PriceSource)?
    for source in sources.reversed() {
      let isScoped = source.hasTenantCards || source.hasSiteCards
      guard best == nil || isScoped else { continue }
      guard let match = source.match(request, period: &period) else { continue }
      if best.map({ match.scope > $0.match.scope }) ?? true { best = (match, source) }
    }
    guard let best else {
      return PriceResolution(price: nil, card: nil, list: nil, period: period)
    }
    guard let found = best.match.card,
      let card = discounted(found, of: best.source, for: request, period: &period)
    else {
      return PriceResolution(price: nil, card: nil, list: best.source.list, period: period)
    }
    let price = card.resolved(
      serviceTier: request.serviceTier, isBatch: request.isBatch, list: best.source.list.id)
    return PriceResolution(price: price, card: card, list: best.source.list, period: period)
  }

  /// Own rate cards are what was agreed; discounts apply to public lists only.
  ///
  /// nil where the discount would leave too many digits: the undiscounted price would be a wrong one.
  private func discounted(
    _ card: RateCard, of origin: any PriceSource, for request: PriceRequest,
    period: inout PricePeriod
  ) -> RateCard? {
    guard origin.list.format != "yaml", card.discountPercent == nil else { return card }
    for source in sources.reversed() {
      if let discount = source.discount(request, card: card, period: &period) {
        return card.discounted(by: discount)
      }
    }
    return card
  }

  /// All cards of all lists with their list, the weakest list first.
  package var cards: [(list: PriceListIdentity, card: RateCard)] {
    sources.flatMap { (source) in source.cards().map { (source.list, $0) } }
  }
}
