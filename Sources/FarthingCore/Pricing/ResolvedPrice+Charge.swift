// From usage to cost.
//
// 1. Split the tokens: cached and written ones first, then audio and image out of what is left of the input,
//    the rest is text; reasoning first, then audio out of what is left of the output. Cached and written
//    parts are disjoint; how far audio and image overlap them is not known, so no more than must be.
// 2. Fold each part without a price of its own into its parent.
// 3. Multiply, sum, divide once, half to even; floor the parts and hand what remains to the largest
//    remainders, ties in the contract's order.

extension ResolvedPrice {
  /// The cost of `usage` under this price, by part.
  ///
  /// A response-cache hit costs nothing; what it would have cost is in `cacheSavings`. Whether a request is
  /// priced at all is ``charge(_:units:price:)``'s matter.
  /// - Precondition: counts are in 0 ... 2⁵³ and no part is above its whole, as the event contract demands.
  /// - Complexity: O(bands + units); nothing is allocated on the fast path.
  package func breakdown(_ usage: TokenUsage, units: [UnitQuantity] = []) -> CostBreakdown {
    let band = bandIndex(inputTokens: usage.inputTokens)
    let counts = partCounts(usage, band: band)
    if usage.isResponseCacheHit {
      var breakdown = CostBreakdown.zero
      breakdown.cacheSavings = costWithoutCache(usage, band: band)
      return breakdown
    }
    var result =
      mantissas.isEmpty
      ? wideBreakdown(counts, band: band, units: units)
      : fastBreakdown(counts, band: band, units: units)
    result.cacheSavings = cacheSavings(cached: usage.cachedInputTokens, band: band)
    return result
  }

  /// The charge of a request under this price, with its state by the contract's rules.
  /// - Parameter price: what ``Charge/price`` is to hold: this price's index in its batch.
  package func charge(_ usage: TokenUsage, units: [UnitQuantity] = [], price: Int32) -> Charge {
    guard !usage.isResponseCacheHit else {
      return Charge(
        state: .priced, cost: 0, outputCost: 0, unitsCost: 0,
        cacheSavings: breakdown(usage).cacheSavings, price: price)
    }
    // Where tokens have no price, a fee is billed for the request itself, whatever it used.
    let isCounted = hasTokenRates ? usage.hasInputTokens : requestFee != .zero
    let isBilled = isCounted || !units.isEmpty
    guard usage.state != .missing, isBilled else {
      var charge = Charge.unpriced
      charge.price = price
      return charge
    }
    let cost = breakdown(usage, units: units)
    return Charge(
      state: usage.state == .estimated || isApproximate ? .estimated : .priced,
      cost: cost.total, outputCost: cost.outputCost, unitsCost: cost.unitsCost,
      cacheSavings: cost.cacheSavings, price: price)
  }

  /// Token counts by part, folded so that only parts with a price of their own, input and output are left.
  @inline(__always)
  func partCounts(_ usage: TokenUsage, band: Int) -> InlineArray<9, Int64> {
    let own = ownParts[band]
    var counts = InlineArray<9, Int64>(repeating: 0)
    let setAside =
      usage.cachedInputTokens &+ usage.cacheWriteTokens &+ usage.cacheWrite1hTokens
    var uncached = max(0, usage.inputTokens &- setAside)
    let audio = min(usage.inputAudioTokens, uncached)
    uncached &-= audio
    let image = min(usage.inputImageTokens, uncached)
    counts[0] = uncached &- image
    counts[1] = usage.cachedInputTokens
    counts[2] = usage.cacheWriteTokens
    counts[3] = usage.cacheWrite1hTokens
    let plain = max(0, usage.outputTokens &- usage.reasoningTokens)
    let spoken = min(usage.outputAudioTokens, plain)
    counts[4] = plain &- spoken
    counts[5] = usage.reasoningTokens
    counts[6] = audio
    counts[7] = spoken
    counts[8] = image
    if own & 0b1_1110_1110 != 0b1_1110_1110 { fold(&counts, own: own) }
    return counts
  }

  private func fold(_ counts: inout InlineArray<9, Int64>, own: UInt16) {
    func move(_ part: Int, to parent: Int, _ counts: inout InlineArray<9, Int64>) {
      guard own & 1 << UInt16(part) == 0 else { return }
      counts[parent] &+= counts[part]
      counts[part] = 0
    }
    // The long write folds into the short one before that folds into input.
    move(3, to: 2, &counts)
    move(2, to: 0, &counts)
    move(1, to: 0, &counts)
    move(6, to: 0, &counts)
    move(8, to: 0, &counts)
    move(5, to: 4, &counts)
    move(7, to: 4, &counts)
  }

  // MARK: Fast path

  private func fastBreakdown(
    _ counts: InlineArray<9, Int64>, band: Int, units: [UnitQuantity]
  ) -> CostBreakdown {
    var products = InlineArray<10, Int128>(repeating: 0)
    let base = band &* PricePart.tokenPartCount
    var sum: Int128 = 0
    for part in 0..<PricePart.tokenPartCount where counts[part] != 0 {
      // Two 63-bit factors, and at most a few thousand terms: the sum stays below 2¹²⁷ for counts up to 2⁵³.
      products[part] = Int128(counts[part]) &* Int128(mantissas[base &+ part])
      sum &+= products[part]
    }
    let unitBase = bands.count &* PricePart.tokenPartCount
    var unitProduct = Int128(mantissas[mantissas.count &- 1])
    for quantity in units {
      unitProduct &+= Int128(quantity.count) &* Int128(mantissas[unitBase &+ quantity.unit])
    }
    products[9] = unitProduct
    sum &+= unitProduct
    guard fastDivisor != 1 else {
      return CostBreakdown(parts: products, total: sum, cacheSavings: 0)
    }
    return divided(products, sum: sum)
  }

  /// Divides the products by the common divisor: the sum once, the parts floored and topped up.
  private func divided(_ products: InlineArray<10, Int128>, sum: Int128) -> CostBreakdown {
    let total = roundedQuotient(sum)
    var parts = InlineArray<10, Int128>(repeating: 0)
    var remainders = InlineArray<10, UInt64>(repeating: 0)
    var left = total
    for part in 0..<10 where products[part] != 0 {
      let (quotient, remainder) = quotient(products[part])
      parts[part] = quotient
      remainders[part] = remainder
      left -= quotient
    }
    while left > 0 {
      var largest = 0
      for part in 1..<10 where remainders[part] > remainders[largest] { largest = part }
      parts[largest] += 1
      remainders[largest] = 0
      left -= 1
    }
    return CostBreakdown(parts: parts, total: total, cacheSavings: 0)
  }

  /// Floor of a value that is not negative by the common divisor, and what is left.
  @inline(__always)
  private func quotient(_ value: Int128) -> (quotient: Int128, remainder: UInt64) {
    if let small = UInt64(exactly: value) {
      let (quotient, remainder) = small.quotientAndRemainder(dividingBy: fastDivisor)
      return (Int128(quotient), remainder)
    }
    let (quotient, remainder) = UInt128(value).quotientAndRemainder(
      dividingBy: UInt128(fastDivisor))
    return (Int128(quotient), UInt64(remainder))
  }

  /// A value of either sign by the common divisor, rounded half to even.
  private func roundedQuotient(_ value: Int128) -> Int128 {
    guard fastDivisor != 1 else { return value }
    let isNegative = value < 0
    var (whole, remainder) = quotient(isNegative ? -value : value)
    let rest = fastDivisor - remainder
    if remainder > rest || (remainder == rest && whole & 1 == 1) { whole += 1 }
    return isNegative ? -whole : whole
  }

  // MARK: Savings

  /// What cached input would have cost more at the input price.
  private func cacheSavings(cached: Int64, band: Int) -> Int128 {
    guard cached != 0, ownParts[band] & 2 != 0 else { return 0 }
    guard !mantissas.isEmpty else { return wideCacheSavings(cached: cached, band: band) }
    let base = band &* PricePart.tokenPartCount
    let difference = Int128(mantissas[base]) - Int128(mantissas[base + 1])
    return roundedQuotient(Int128(cached) &* difference)
  }

  /// What the request's tokens would have cost had there been no cache of either kind: all input at
  /// the input price and all output at the output price, as the metric is defined.
  private func costWithoutCache(_ usage: TokenUsage, band: Int) -> Int128 {
    var plain = usage
    plain.isResponseCacheHit = false
    plain.cachedInputTokens = 0
    plain.cacheWriteTokens = 0
    plain.cacheWrite1hTokens = 0
    plain.reasoningTokens = 0
    plain.inputAudioTokens = 0
    plain.outputAudioTokens = 0
    plain.inputImageTokens = 0
    let counts = partCounts(plain, band: band)
    guard !mantissas.isEmpty else { return wideTokenCost(counts, band: band) }
    var sum: Int128 = 0
    for part in 0..<PricePart.tokenPartCount {
      sum &+= Int128(counts[part]) &* Int128(mantissas[band &* PricePart.tokenPartCount &+ part])
    }
    return roundedQuotient(sum)
  }
}
