// Prices that change are no change of use.
//
// What a request costs is also told at the first price that was seen for its kind, which ratios are compared at, and
// at a price that follows the one in force within two weeks, which levels of spend are compared at: a price that
// doubles on a day that the book knew beforehand moves neither.
//
// Whether a change was known beforehand is told by the stream: it was not where a request of after the new price's
// start had been priced at the old one.

internal import FarthingCore

/// What tells prices of one model apart: provider, tier and batch, by hash.
struct PricedKind: Hashable, Sendable {
  var model: UInt32
  var variant: UInt64
}

/// What a request costs at other prices than its own; picodollars.
struct ComparedCosts: Sendable {
  /// At the first price of its kind.
  var constant: Int128
  /// At its own price and the one before, the less of that the longer the change is past.
  var steady: Int128
  /// What it costs more than at the price before, where the change was not known beforehand.
  var unforeseen: Int128 = 0
}

struct ConstantPrices: Sendable, Archivable {
  /// One kind's prices by place.
  private struct Kind: Sendable, Archivable {
    var first = 0
    var previous = 0
    var latest = 0
    /// The newest time (Unix nanoseconds) that was priced at ``previous``, while it was the latest.
    var newest = Int64.min
    /// When the latest came into force, or was first seen where the book did not know it beforehand.
    var since = Int64.min
    var isForeseen = true

    mutating func archive(_ archive: inout StateArchive) {
      archive.field(&first)
      archive.field(&previous)
      archive.field(&latest)
      archive.field(&newest)
      archive.field(&since)
      archive.field(&isForeseen)
    }
  }

  private static let maximumKinds = 16_384
  /// Nanoseconds within which levels of spend go over to a new price.
  private static let transition = 14 * CivilTime.day
  private var kinds: [PricedKind: Kind] = [:]
  private var prices: [ResolvedPrice] = []
  private var places: [String: Int] = [:]

  /// What the usage costs at other prices of its kind.
  mutating func costs(
    _ pricedKind: PricedKind, _ price: ResolvedPrice, _ charge: Charge, time: Int64,
    usage: () -> TokenUsage
  ) -> ComparedCosts {
    let own = ComparedCosts(constant: charge.cost, steady: charge.cost)
    guard var kind = kinds[pricedKind] else {
      guard kinds.count < Self.maximumKinds else { return own }
      let place = place(of: price)
      kinds[pricedKind] = Kind(first: place, previous: place, latest: place, newest: time)
      return own
    }
    let latest = prices[kind.latest]
    if latest === price || latest.key == price.key {
      if kind.previous == kind.latest, time > kind.newest {
        kind.newest = time
        kinds[pricedKind] = kind
      }
    } else if price.validFrom >= latest.validFrom, price.key != prices[kind.previous].key {
      change(&kind, to: price, time: time)
      kinds[pricedKind] = kind
    }
    if kind.latest == kind.first { return own }
    return compared(kind, price, charge, time, usage)
  }

  private mutating func change(_ kind: inout Kind, to price: ResolvedPrice, time: Int64) {
    kind.isForeseen = price.validFrom > kind.newest
    kind.since = kind.isForeseen ? price.validFrom : time
    kind.previous = kind.latest
    kind.latest = place(of: price)
  }

  private mutating func compared(
    _ kind: Kind, _ price: ResolvedPrice, _ charge: Charge, _ time: Int64, _ usage: () -> TokenUsage
  ) -> ComparedCosts {
    func anew(_ place: Int) -> Int128 {
      if prices[place].key == price.key { return charge.cost }
      let anew = prices[place].charge(usage(), price: 0)
      return anew.state == .unpriced ? charge.cost : anew.cost + charge.unitsCost
    }
    let constant = anew(kind.first)
    var costs = ComparedCosts(constant: constant, steady: charge.cost)
    let (age, isEndless) = time.subtractingReportingOverflow(kind.since)
    guard !isEndless, age < Self.transition, prices[kind.latest].key == price.key else {
      return costs
    }
    let before = kind.previous == kind.first ? constant : anew(kind.previous)
    let difference = Int64(clamping: charge.cost - before)
    let left = Int128(max(0, Self.transition - max(0, age)))
    costs.steady = charge.cost - Int128(difference) * left / Int128(Self.transition)
    if !kind.isForeseen { costs.unforeseen = Int128(difference) }
    return costs
  }

  private mutating func place(of price: ResolvedPrice) -> Int {
    if let place = places[price.key] { return place }
    places[price.key] = prices.count
    prices.append(price)
    return prices.count - 1
  }

  mutating func archive(_ archive: inout StateArchive) {
    var texts = prices.map { $0.serialised() }
    archive.array(&texts, []) { $1.field(&$0) }
    if archive.isReading {
      prices = texts.compactMap { ResolvedPrice.deserialised($0.span) }
      guard prices.count == texts.count else { return archive.refuse() }
      for (place, price) in prices.enumerated() { places[price.key] = place }
    }
    var known = kinds.keys.sorted { ($0.model, $0.variant) < ($1.model, $1.variant) }
    archive.array(&known, PricedKind(model: 0, variant: 0)) { kind, archive in
      archive.field(&kind.model)
      archive.field(&kind.variant)
    }
    for key in known {
      var kind = kinds[key] ?? Kind()
      archive.field(&kind)
      let isKnown = [kind.first, kind.previous, kind.latest].allSatisfy(prices.indices.contains)
      guard isKnown else { return archive.refuse() }
      kinds[key] = kind
    }
  }
}
