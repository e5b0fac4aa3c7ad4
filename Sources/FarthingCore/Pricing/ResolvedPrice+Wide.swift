// The same sums in 256 bits, for a price whose rates do not share 63 bits at one scale.

extension ResolvedPrice {
  /// 10^(scale − 12) × divisor, below 2¹²⁷: the scale is at most 39 and the divisor at most 2²⁰.
  private var wideDivisor: UInt128 {
    var power = UInt128(divisor)
    for _ in 0..<(scale - 12) { power *= 10 }
    return power
  }

  private func wideProduct(_ count: Int64, _ rate: Rate?) -> WideUnsigned {
    guard count > 0, let rate else { return .zero }
    return WideUnsigned.product(UInt128(count), rate.mantissa)
      .times(UInt128(divisor / rate.divisor))
      .timesPowerOfTen(scale - rate.scale)
  }

  private func rounded(_ value: WideUnsigned) -> Int128 {
    let divisor = wideDivisor
    let (quotient, remainder) = value.dividedBy(divisor)
    let rest = divisor - remainder
    let isUp = remainder > rest || (remainder == rest && quotient.low & 1 == 1)
    return Int128(quotient.low) + (isUp ? 1 : 0)
  }

  func wideBreakdown(
    _ counts: InlineArray<9, Int64>, band: Int, units quantities: [UnitQuantity]
  ) -> CostBreakdown {
    var products = Array(repeating: WideUnsigned.zero, count: 10)
    for part in 0..<PricePart.tokenPartCount {
      products[part] = wideProduct(counts[part], bands[band].rates[part])
    }
    products[9] = wideProduct(1, requestFee)
    for quantity in quantities {
      products[9] = products[9] + wideProduct(quantity.count, units[quantity.unit].rate)
    }
    let divisor = wideDivisor
    let total = rounded(products.reduce(.zero, +))
    var parts = InlineArray<10, Int128>(repeating: 0)
    var remainders = [UInt128](repeating: 0, count: 10)
    var left = total
    for part in 0..<10 {
      let (quotient, remainder) = products[part].dividedBy(divisor)
      parts[part] = Int128(quotient.low)
      remainders[part] = remainder
      left -= parts[part]
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

  func wideTokenCost(_ counts: InlineArray<9, Int64>, band: Int) -> Int128 {
    var sum = WideUnsigned.zero
    for part in 0..<PricePart.tokenPartCount {
      sum = sum + wideProduct(counts[part], bands[band].rates[part])
    }
    return rounded(sum)
  }

  func wideCacheSavings(cached: Int64, band: Int) -> Int128 {
    let full = wideProduct(cached, bands[band].rates[0])
    let paid = wideProduct(cached, bands[band].rates[1])
    return full < paid ? -rounded(paid - full) : rounded(full - paid)
  }
}
