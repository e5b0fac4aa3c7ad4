// One price, ready to multiply.
//
// A card says prices by part, with long-context steps, service tiers and a batch rule. Resolving a card for
// one (tier, batch) leaves a list of *bands*: what each part costs once the whole request has more input
// tokens than the band's limit. A part without a price of its own has been given its parent's, and a bit says
// so. All rates are brought to one decimal scale, so that a cost is a sum of products and one division.
//
// Fast path: every rate at the common scale is an Int64; products and their sum fit 128 bits. Where a rate
// needs more (a list with 17 digits beside one of 10⁻⁴ dollars), the same sum is made in 256 bits.

/// The price of one metered unit.
package struct UnitPrice: Sendable, Equatable {
  /// The unit's name as events write it in `units`, such as `web_search`.
  package let name: String
  package let rate: Rate

  package init(name: String, rate: Rate) {
    self.name = name
    self.rate = rate
  }
}

/// What each part costs while a request's input tokens are above `above`.
package struct PriceBand: Sendable, Equatable {
  /// The band holds for requests with strictly more input tokens; −1 for the first.
  package let above: Int64
  /// Rates by ``PricePart`` raw value, tokens only; nil where the part is charged as its parent.
  package let rates: [Rate?]

  package init(above: Int64, rates: [Rate?]) {
    self.above = above
    self.rates = rates
  }
}

/// The price in force for a model, provider, tier and period: what a request of theirs is charged.
///
/// Immutable and shared between threads. ``key`` identifies it: within one store equal keys mean equal rates.
package final class ResolvedPrice: Sendable {
  /// Text that says which price this is: list, entry, start, tier, scope.
  package let key: String
  /// Unix nanoseconds from which the card holds; `Int64.min` where it says none.
  package let validFrom: Int64
  /// Unix nanoseconds until which the card holds, excluded; `Int64.max` where it says none.
  package let validUntil: Int64
  /// Whether the card is marked approximate, which makes costs `estimated`.
  package let isApproximate: Bool
  /// At least one, by rising limit.
  package let bands: [PriceBand]
  /// Prices of metered units, by rising name.
  package let units: [UnitPrice]
  /// The fee of each request, 0 mostly; part of the units' cost.
  package let requestFee: Rate
  /// The common multiple of the rates' divisors: 1, but for prices of an hour and the like.
  let divisor: UInt64
  /// Decimals of the common scale; at least 12.
  let scale: Int
  /// Rates at the common scale, tokens of all bands, then units, then the fee; empty where one needs more
  /// than 63 bits.
  let mantissas: [Int64]
  /// 10^(scale − 12) × divisor: what a sum of products is divided by to give picodollars.
  let fastDivisor: UInt64
  /// Bit n of element b: part n has a price of its own in band b.
  let ownParts: [UInt16]
  let unitNames: [[UInt8]]
  /// Whether tokens of any part have a price at all.
  package let hasTokenRates: Bool

  /// - Precondition: `bands` is not empty; each has ``PricePart/tokenPartCount`` rates; limits rise.
  package init(
    key: String, validFrom: Int64 = .min, validUntil: Int64 = .max, isApproximate: Bool = false,
    bands: [PriceBand], units: [UnitPrice] = [], requestFee: Rate = .zero
  ) {
    self.key = key
    self.validFrom = validFrom
    self.validUntil = validUntil
    self.isApproximate = isApproximate
    self.bands = bands
    self.units = units.sorted { $0.name < $1.name }
    self.requestFee = requestFee
    unitNames = self.units.map { Array($0.name.utf8) }
    hasTokenRates = bands.contains { $0.rates.contains { $0 != nil } }
    ownParts = bands.map { (band) in
      band.rates.indices.reduce(0) { $0 | (band.rates[$1] == nil ? 0 : 1 << UInt16($1)) }
    }
    let rates =
      bands.flatMap { $0.rates.map { $0 ?? .zero } } + self.units.map(\.rate) + [requestFee]
    let scale = max(12, rates.map(\.scale).max() ?? 12)
    self.scale = scale
    let divisor = rates.reduce(1) { Self.commonMultiple($0, $1.divisor) }
    self.divisor = divisor
    let aligned = rates.compactMap { Self.aligned($0, to: scale, divisor: divisor) }
    let power = Self.fastPower(scale - 12, times: divisor)
    let isFast = aligned.count == rates.count && power != nil
    mantissas = isFast ? aligned : []
    fastDivisor = isFast ? power ?? 1 : 1
  }

  /// Rates' divisors are at most 2¹⁰; a card whose common multiple leaves ``maximumDivisor`` is refused by the
  /// importers.
  package static func commonMultiple(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (a, b) = (left, right)
    while b != 0 { (a, b) = (b, a % b) }
    return left / a * right
  }

  private static func aligned(_ rate: Rate, to scale: Int, divisor: UInt64) -> Int64? {
    guard rate.mantissa <= UInt128(Int64.max) else { return nil }
    var mantissa = rate.mantissa * UInt128(divisor / rate.divisor)
    for _ in 0..<(scale - rate.scale) {
      guard mantissa <= UInt128(Int64.max) else { return nil }
      mantissa *= 10
    }
    return Int64(exactly: mantissa)
  }

  private static func fastPower(_ exponent: Int, times divisor: UInt64) -> UInt64? {
    var power = divisor
    for _ in 0..<exponent {
      let (next, overflow) = power.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      power = next
    }
    return power
  }

  /// The index in ``units`` of the unit that an event writes as `name`, or nil where it has no price here.
  ///
  /// The exact name first; then without regard to case, plural and the ending `_requests`, since providers count
  /// `web_search_requests` where a list prices a `web_search`.
  /// - Complexity: O(units), which are few.
  package func unitIndex(named name: Span<UInt8>) -> Int? {
    for index in unitNames.indices where unitNames[index].count == name.count {
      var place = 0
      while place < name.count, unitNames[index][place] == name[place] { place += 1 }
      if place == name.count { return index }
    }
    guard !units.isEmpty else { return nil }
    let text = String(decoding: name.indices.map { name[$0] }, as: UTF8.self)
    let plain = Self.singular(text)
    return units.firstIndex { Self.singular($0.name) == plain }
  }

  private static func singular(_ name: String) -> String {
    var name = name.lowercased()
    if name.hasSuffix("_requests") { name.removeLast(9) }
    if name.hasSuffix("searches") { return String(name.dropLast(2)) }
    return name.hasSuffix("s") ? String(name.dropLast()) : name
  }

  /// The band in force for a request.
  @inline(__always)
  func bandIndex(inputTokens: Int64) -> Int {
    var index = bands.count - 1
    while index > 0, inputTokens <= bands[index].above { index -= 1 }
    return index
  }
}
