// Numbers for products of many quotients.
//
// A part of a bridge is a sum of products such as queries × share of a workload × share of a model × tokens a
// request × price of a token, each factor a quotient of two exact sums. Written over one denominator such a
// product has some thousand bits. It is kept to 128 significant bits instead, in integer arithmetic that
// always gives the same bits: what is cut off is smaller than any amount that there is by a factor of 10¹⁰ or
// more, and the bridge makes good for it in whole picodollars (see `CostBridge.swift`).

/// A number of 128 significant bits: ± `mantissa` × 2^`exponent`, cut off towards zero.
///
/// Equal quotients are equal values, whatever numerator and denominator they came as.
struct SignificantNumber: Sendable, Equatable {
  /// 0 for zero; else its top bit is set.
  private let mantissa: UInt128
  private let exponent: Int
  private let isNegative: Bool

  static let zero = SignificantNumber(mantissa: 0, exponent: 0, isNegative: false)
  static let one = SignificantNumber(1, over: 1)

  private init(mantissa: UInt128, exponent: Int, isNegative: Bool) {
    self.mantissa = mantissa
    self.exponent = exponent
    self.isNegative = isNegative
  }

  /// The quotient of two whole numbers.
  /// - Precondition: `denominator` is not 0.
  init(_ numerator: Int128, over denominator: Int128) {
    guard numerator != 0 else {
      self = .zero
      return
    }
    let above = numerator.magnitude.leadingZeroBitCount
    let below = denominator.magnitude.leadingZeroBitCount
    let top = numerator.magnitude << UInt128(above)
    let divisor = denominator.magnitude << UInt128(below)
    let isNegative = (numerator < 0) != (denominator < 0)
    // Both have their top bit set, so the quotient lies between a half and two; it is shifted to have 128 bits.
    if top < divisor {
      self.init(
        mantissa: divisor.dividingFullWidth((top, 0)).quotient, exponent: below - above - 128,
        isNegative: isNegative)
    } else {
      self.init(
        mantissa: divisor.dividingFullWidth((top >> 1, top << 127)).quotient,
        exponent: below - above - 127, isNegative: isNegative)
    }
  }

  var isZero: Bool { mantissa == 0 }

  var negated: SignificantNumber {
    SignificantNumber(
      mantissa: mantissa, exponent: exponent, isNegative: mantissa != 0 && !isNegative)
  }

  static func * (left: SignificantNumber, right: SignificantNumber) -> SignificantNumber {
    guard left.mantissa != 0, right.mantissa != 0 else { return .zero }
    let (high, low) = left.mantissa.multipliedFullWidth(by: right.mantissa)
    let isNegative = left.isNegative != right.isNegative
    let exponent = left.exponent + right.exponent + 128
    if high >> 127 == 1 {
      return SignificantNumber(mantissa: high, exponent: exponent, isNegative: isNegative)
    }
    return SignificantNumber(
      mantissa: high << 1 | low >> 127, exponent: exponent - 1, isNegative: isNegative)
  }

  /// The number in units of 2⁻⁶⁴, cut off towards zero.
  /// - Returns: nil from 2¹⁵² on.
  var fixed: WideInteger? {
    let shift = exponent + WideInteger.fractionBits
    if shift <= -128 || mantissa == 0 { return .zero }
    guard shift <= 88 else { return nil }
    let magnitude =
      shift < 0
      ? WideInteger(high: 0, low: mantissa >> UInt128(-shift))
      : WideInteger(
        high: shift == 0 ? 0 : mantissa >> UInt128(128 - shift), low: mantissa << UInt128(shift))
    return isNegative ? magnitude.negated : magnitude
  }
}
