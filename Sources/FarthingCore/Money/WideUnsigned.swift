// 256-bit unsigned arithmetic for the rare price that does not fit the fast path.
//
// Bounds, so that no step can overflow: a rate is at most 10⁶ dollars with at most 39 decimals, so at a
// common scale it is below 10⁴⁵ < 2¹⁵⁰; a count is at most 2⁵³; a common divisor is below 2²⁰; a few thousand
// terms add 12 bits. Together below 2²³⁵.

/// An unsigned integer of 256 bits.
struct WideUnsigned: Equatable, Comparable {
  var high: UInt128
  var low: UInt128

  static let zero = WideUnsigned(high: 0, low: 0)

  init(high: UInt128, low: UInt128) {
    self.high = high
    self.low = low
  }

  init(_ low: UInt128) { self.init(high: 0, low: low) }

  static func product(_ left: UInt128, _ right: UInt128) -> WideUnsigned {
    let (high, low) = left.multipliedFullWidth(by: right)
    return WideUnsigned(high: high, low: low)
  }

  /// This value times `factor`. See the bounds above for why it cannot overflow.
  func times(_ factor: UInt128) -> WideUnsigned {
    let lower = low.multipliedFullWidth(by: factor)
    return WideUnsigned(high: high * factor + lower.high, low: lower.low)
  }

  /// This value times 10^`exponent`.
  func timesPowerOfTen(_ exponent: Int) -> WideUnsigned {
    var result = self
    for _ in 0..<exponent { result = result.times(10) }
    return result
  }

  static func + (left: WideUnsigned, right: WideUnsigned) -> WideUnsigned {
    let (low, carry) = left.low.addingReportingOverflow(right.low)
    return WideUnsigned(high: left.high + right.high + (carry ? 1 : 0), low: low)
  }

  static func - (left: WideUnsigned, right: WideUnsigned) -> WideUnsigned {
    let (low, borrow) = left.low.subtractingReportingOverflow(right.low)
    return WideUnsigned(high: left.high - right.high - (borrow ? 1 : 0), low: low)
  }

  static func < (left: WideUnsigned, right: WideUnsigned) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }

  /// Quotient and remainder by long division in base two; the quotient's high half is 0 for money.
  /// - Precondition: `divisor` is in 1 ..< 2¹²⁷.
  /// - Complexity: 256 steps.
  func dividedBy(_ divisor: UInt128) -> (quotient: WideUnsigned, remainder: UInt128) {
    var quotient = WideUnsigned.zero
    var remainder: UInt128 = 0
    for bit in stride(from: 255, through: 0, by: -1) {
      let word = bit >= 128 ? high : low
      remainder = remainder << 1 | (word >> UInt128(bit & 127)) & 1
      if remainder >= divisor {
        remainder -= divisor
        if bit >= 128 {
          quotient.high |= 1 << UInt128(bit - 128)
        } else {
          quotient.low |= 1 << UInt128(bit)
        }
      }
    }
    return (quotient, remainder)
  }
}
