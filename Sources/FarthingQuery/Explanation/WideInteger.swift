/// A whole number of 256 bits in two's complement, for sums that are exact in any order.
///
/// The bridge adds at most 2²⁰ terms below 2²¹⁶, each times at most 8!: no sum leaves the 256 bits.
struct WideInteger: Sendable, Equatable {
  private(set) var high: UInt128
  private(set) var low: UInt128

  /// Bits behind the point of the bridge's numbers.
  static let fractionBits = 64
  static let zero = WideInteger(high: 0, low: 0)

  init(high: UInt128, low: UInt128) {
    self.high = high
    self.low = low
  }

  init(_ value: Int128) {
    self.init(high: value < 0 ? .max : 0, low: UInt128(bitPattern: value))
  }

  var isNegative: Bool { high >> 127 == 1 }

  var negated: WideInteger {
    // Wraps only for −2²⁵⁵, which the bound above excludes.
    let (low, carry) = (~low).addingReportingOverflow(1)
    return WideInteger(high: ~high &+ (carry ? 1 : 0), low: low)
  }

  static func += (left: inout WideInteger, right: WideInteger) {
    let (low, carry) = left.low.addingReportingOverflow(right.low)
    // Two's complement: the sum of the high halves wraps by design where signs differ.
    left = WideInteger(high: left.high &+ right.high &+ (carry ? 1 : 0), low: low)
  }

  static func -= (left: inout WideInteger, right: WideInteger) { left += right.negated }

  static func < (left: WideInteger, right: WideInteger) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    return left.high != right.high ? left.high < right.high : left.low < right.low
  }

  /// Times a factor of at most 2²⁰; the bound above holds afterwards too.
  func times(_ factor: UInt64) -> WideInteger {
    let magnitude = isNegative ? negated : self
    let (carry, low) = magnitude.low.multipliedFullWidth(by: UInt128(factor))
    let product = WideInteger(high: magnitude.high &* UInt128(factor) &+ carry, low: low)
    return isNegative ? product.negated : product
  }

  /// The number ÷ (2⁶⁴ × `divisor`) rounded half to even, and what is left: number − quotient × divisor.
  ///
  /// - Returns: nil where the quotient leaves 127 bits. A number and its negative give negatives of each other.
  /// - Precondition: `divisor` is in 1 ..< 2⁶⁰.
  func rounded(dividedBy divisor: UInt64) -> (quotient: Int128, rest: WideInteger)? {
    let magnitude = isNegative ? negated : self
    let whole = UInt128(divisor) << UInt128(WideInteger.fractionBits)
    guard magnitude.high < whole else { return nil }
    var (quotient, remainder) = whole.dividingFullWidth((magnitude.high, magnitude.low))
    var rest = WideInteger(high: 0, low: remainder)
    let gap = whole - remainder
    if remainder > gap || (remainder == gap && quotient & 1 == 1) {
      quotient += 1
      remainder = gap
      rest = WideInteger(high: 0, low: gap).negated
    }
    guard quotient < 1 << 126 else { return nil }
    return isNegative ? (-Int128(quotient), rest.negated) : (Int128(quotient), rest)
  }
}
