/// Quotients of money: exact division, rounded once, half to even.
package enum MoneyRatio {
  /// `numerator` × `factor` ÷ `denominator`, rounded half to even to a whole unit.
  ///
  /// With picodollars above and a count below, the result is in picodollars, that is dollars rounded at
  /// 10⁻¹²; `factor` is the scale, such as 1,000,000 for a price per million tokens.
  /// - Returns: nil where the denominator is 0 (a ratio without a value) or the quotient leaves 128 bits.
  /// - Complexity: O(1); the 256-bit path runs only where the product leaves 127 bits.
  package static func divide(
    _ numerator: Int128, by denominator: Int128, times factor: UInt64 = 1
  ) -> Int128? {
    guard denominator != 0 else { return nil }
    let isNegative = (numerator < 0) != (denominator < 0)
    let product = WideUnsigned.product(numerator.magnitude, UInt128(factor))
    let divisor = denominator.magnitude
    var quotient: UInt128
    let remainder: UInt128
    if product.high == 0 {
      (quotient, remainder) = product.low.quotientAndRemainder(dividingBy: divisor)
    } else {
      guard divisor < 1 << 127 else { return nil }
      let (wide, rest) = product.dividedBy(divisor)
      guard wide.high == 0 else { return nil }
      (quotient, remainder) = (wide.low, rest)
    }
    let rest = divisor - remainder
    if remainder > rest || (remainder == rest && quotient & 1 == 1) { quotient += 1 }
    guard quotient <= UInt128(Int128.max) else { return nil }
    return isNegative ? -Int128(quotient) : Int128(quotient)
  }

  /// The quotient of an amount and a count as decimal text in dollars, rounded half to even at 10⁻¹².
  /// - Returns: nil where the denominator is 0 or the quotient leaves 128 bits.
  package static func decimalText(
    _ amount: Picodollars, per count: Int128, times factor: UInt64 = 1
  ) -> String? {
    divide(amount.rawValue, by: count, times: factor).map { Picodollars($0).decimalText }
  }
}

extension Picodollars {
  /// The exact sum, or nil where it leaves 128 bits.
  @inlinable
  package func adding(_ other: Picodollars) -> Picodollars? {
    let (sum, overflow) = rawValue.addingReportingOverflow(other.rawValue)
    return overflow ? nil : Picodollars(sum)
  }
}
