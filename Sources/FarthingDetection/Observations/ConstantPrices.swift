// The first price that was seen for each kind of request: what costs are compared at, so that a price that
// changes, which is known, is not taken for a change of use.

internal import FarthingCore

/// What tells prices of one model apart: provider, tier and batch, by hash.
struct PricedKind: Hashable, Sendable {
  var model: UInt32
  var variant: UInt64
}

struct ConstantPrices: Sendable, Archivable {
  private static let maximumKinds = 16_384
  private var first: [PricedKind: Int] = [:]
  private var prices: [ResolvedPrice] = []
  private var places: [String: Int] = [:]

  /// What the usage costs at the first price of its kind.
  mutating func cost(
    _ kind: PricedKind, _ price: ResolvedPrice, _ charge: Charge, usage: () -> TokenUsage
  ) -> Int128 {
    guard let place = first[kind] else {
      remember(kind, price)
      return charge.cost
    }
    let known = prices[place]
    if known === price || known.key == price.key { return charge.cost }
    let anew = known.charge(usage(), price: 0)
    return anew.state == .unpriced ? charge.cost : anew.cost + charge.unitsCost
  }

  private mutating func remember(_ kind: PricedKind, _ price: ResolvedPrice) {
    guard first.count < Self.maximumKinds else { return }
    if let place = places[price.key] {
      first[kind] = place
    } else {
      first[kind] = prices.count
      places[price.key] = prices.count
      prices.append(price)
    }
  }

  mutating func archive(_ archive: inout StateArchive) {
    var texts = prices.map { $0.serialised() }
    archive.array(&texts, []) { $1.field(&$0) }
    if archive.isReading {
      prices = texts.compactMap { ResolvedPrice.deserialised($0.span) }
      guard prices.count == texts.count else { return archive.refuse() }
      for (place, price) in prices.enumerated() { places[price.key] = place }
    }
    var kinds = first.keys.sorted { ($0.model, $0.variant) < ($1.model, $1.variant) }
    archive.array(&kinds, PricedKind(model: 0, variant: 0)) { kind, archive in
      archive.field(&kind.model)
      archive.field(&kind.variant)
    }
    for kind in kinds {
      var place = first[kind] ?? 0
      archive.field(&place)
      guard prices.indices.contains(place) else { return archive.refuse() }
      first[kind] = place
    }
  }
}
