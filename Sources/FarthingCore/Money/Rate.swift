// Prices of one unit.
//
// Community lists write a price of a token with up to 17 significant digits, as far down as 10⁻²⁴ dollars,
// so a rate cannot be a whole number of picodollars. It is kept as written: an integer mantissa and a decimal
// scale. Halving for a batch and a percentage of discount keep it finite, so nothing is ever rounded before
// the event's one rounding.

/// The exact price of one unit (a token, a search, a request) in US dollars: `mantissa` × 10^−`scale` ÷ `divisor`.
///
/// Never negative; at most ``Rate/limit`` dollars. Equal amounts are equal values: trailing zeros are dropped.
package struct Rate: Sendable, Hashable {
  package let mantissa: UInt128
  package let scale: Int
  /// 1, unless the price is of a number of units with prime factors besides 2 and 5, such as 3,600 seconds;
  /// then those factors.
  package let divisor: UInt64

  package static let zero = Rate(uncheckedMantissa: 0, scale: 0)

  /// The dearest unit that a card may name, in US dollars. It lets 2⁵³ tokens of each side, and sums of some
  /// ten thousand such events, stay within 128 bits of picodollars.
  package static let limit: UInt128 = 1_000_000

  /// Significant digits that the text of a rate may have.
  package static let maximumSignificantDigits = 28
  /// 10 to the power of ``maximumSignificantDigits``: it leaves room for halving and discounts.
  private static let mantissaLimit: UInt128 = 10_000_000_000_000_000_000_000_000_000
  /// Decimals that the text of a rate may have, once it is a price of one unit.
  package static let maximumScale = 30
  /// Decimals that a rate may have after discounts and batch halves.
  static let maximumDerivedScale = 39
  /// Greatest ``divisor``; the 256-bit arithmetic counts on it.
  static let maximumDivisor: UInt64 = 1 << 10

  private init(uncheckedMantissa mantissa: UInt128, scale: Int, divisor: UInt64 = 1) {
    self.mantissa = mantissa
    self.scale = scale
    self.divisor = divisor
  }

  /// The rate `mantissa` × 10^−`scale` ÷ `divisor`, or nil beyond the limits above. `scale` may be negative.
  package init?(mantissa: UInt128, scale: Int, divisor: UInt64 = 1) {
    var mantissa = mantissa
    var scale = scale
    guard divisor > 0, divisor <= Self.maximumDivisor else { return nil }
    guard mantissa != 0 else {
      self = Rate(uncheckedMantissa: 0, scale: 0)
      return
    }
    while scale > 0 {
      let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: 10)
      guard remainder == 0 else { break }
      mantissa = quotient
      scale -= 1
    }
    while scale < 0 {
      guard mantissa <= Self.limit else { return nil }
      mantissa *= 10
      scale += 1
    }
    guard scale <= Self.maximumDerivedScale else { return nil }
    var whole = mantissa
    for _ in 0..<scale where whole != 0 { whole /= 10 }
    let isAtLimit = whole == Self.limit && scale == 0
    guard whole < Self.limit || isAtLimit else { return nil }
    self = Rate(uncheckedMantissa: mantissa, scale: scale, divisor: divisor)
  }

  /// The rate that a decimal text says.
  /// - Parameter shift: decimals to add, for a price of more than one unit: 6 for a price of a million tokens.
  /// - Throws: `DecimalFault.notANumber` (a negative one too), `.tooLarge` above ``limit``, `.tooPrecise`
  ///   beyond 28 significant digits or 30 decimals.
  package static func parse(_ text: Span<UInt8>, shift: Int = 0) throws(DecimalFault) -> Rate {
    let shape = try DecimalText(text)
    var mantissa: UInt128 = 0
    var significant = 0
    var pendingZeros = 0
    var weight = shape.digitsBeforePoint - 1 + shape.exponent - shift
    var lastWeight = weight
    for index in shape.digits {
      let byte = text[index]
      guard byte != UInt8(ascii: ".") else { continue }
      defer { weight -= 1 }
      let digit = byte & 0x0F
      if digit == 0 {
        if significant > 0 { pendingZeros += 1 }
        continue
      }
      guard weight <= 6 else { throw .tooLarge }
      significant += pendingZeros + 1
      guard significant <= maximumSignificantDigits, weight >= -maximumScale else {
        throw .tooPrecise
      }
      for _ in 0...pendingZeros { mantissa *= 10 }
      mantissa += UInt128(digit)
      pendingZeros = 0
      lastWeight = weight
    }
    guard mantissa == 0 || !shape.isNegative else { throw .notANumber }
    guard let rate = Rate(mantissa: mantissa, scale: -lastWeight) else { throw .tooLarge }
    return rate
  }

  /// The rate that `text` says, or nil where it says none.
  package init?(decimal text: String, shift: Int = 0) {
    var copy = text
    guard let rate = copy.withUTF8Bytes({ (bytes) in try? Rate.parse(bytes, shift: shift) }) else {
      return nil
    }
    self = rate
  }

  /// Half of the rate, exactly.
  package var halved: Rate {
    mantissa & 1 == 0
      ? Rate(uncheckedMantissa: mantissa / 2, scale: scale, divisor: divisor)
      : Rate(uncheckedMantissa: mantissa * 5, scale: scale + 1, divisor: divisor)
  }

  /// The rate times `mantissa` × 10^−`scale`, or nil where the product has too many digits.
  package func multiplied(mantissa factor: UInt128, scale factorScale: Int) -> Rate? {
    let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
    return overflow ? nil : Rate(mantissa: product, scale: scale + factorScale, divisor: divisor)
  }

  /// This rate, a price of `count` units, as the price of one, or nil beyond the limits above.
  package func divided(by count: UInt64) -> Rate? {
    guard count > 0 else { return nil }
    var rest = count
    var factor: UInt128 = 1
    var scale = 0
    while rest % 10 == 0 { (rest, scale) = (rest / 10, scale + 1) }
    // Beyond 2³⁰ or 5³⁰ the price has more decimals than a rate may have; the factor stays below 5³¹.
    while rest % 2 == 0, scale <= Self.maximumScale {
      (rest, factor, scale) = (rest / 2, factor * 5, scale + 1)
    }
    while rest % 5 == 0, scale <= Self.maximumScale {
      (rest, factor, scale) = (rest / 5, factor * 2, scale + 1)
    }
    let (product, overflow) = mantissa.multipliedReportingOverflow(by: factor)
    guard !overflow, rest <= Self.maximumDivisor,
      let rate = Rate(mantissa: product, scale: self.scale + scale, divisor: divisor * rest),
      rate.scale <= Self.maximumScale, rate.mantissa < Self.mantissaLimit
    else { return nil }
    return rate
  }

  /// The price of `count` units in dollars as decimal text, for example per million tokens with 1,000,000.
  ///
  /// Exact where ``divisor`` divides `count`; otherwise ` / ` and the divisor follow.
  package func decimalText(per count: UInt64 = 1) -> String {
    let isWhole = count % divisor == 0
    let (product, overflow) = mantissa.multipliedReportingOverflow(
      by: UInt128(isWhole ? count / divisor : count))
    let text = DecimalFormat.text(magnitude: overflow ? mantissa : product, scale: scale)
    return isWhole ? text : "\(text) / \(divisor)"
  }
}
