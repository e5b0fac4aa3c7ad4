/// A number of a query as it was written, exact to 10⁻¹² and beyond that known to be above.
///
/// It compares with integers and money without binary floating point. Numbers of more than 26
/// digits before the point are held at the bound, which no stored value reaches.
package struct ExactDecimal: Sendable, Hashable {
  /// ⌊value × 10¹²⌋.
  package let picos: Int128
  /// Whether the value lies strictly between `picos` and `picos + 1`.
  package let hasRemainder: Bool
  /// The nearest binary64 number, for comparisons with fields that are real.
  package let real: Double

  package static let picosPerOne: Int128 = 1_000_000_000_000
  private static let bound: Int128 = 1 << 126

  package init(_ integer: Int64) {
    picos = Int128(integer) * ExactDecimal.picosPerOne
    hasRemainder = false
    real = Double(integer)
  }

  /// - Parameter text: An optional sign, digits with an optional point, an optional exponent of at
  ///   most three digits.
  package init?(_ text: some StringProtocol) {
    guard let real = Double(String(text)), real.isFinite else { return nil }
    var negative = false
    var digits: [UInt8] = []
    var exponent = 0
    var seenPoint = false
    var rest = Array(text.utf8)[...]
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      negative = sign == UInt8(ascii: "-")
      rest = rest.dropFirst()
    }
    while let byte = rest.first {
      if byte == UInt8(ascii: ".") {
        if seenPoint { return nil }
        seenPoint = true
      } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
        digits.append(byte - UInt8(ascii: "0"))
        if seenPoint { exponent -= 1 }
      } else {
        break
      }
      rest = rest.dropFirst()
    }
    if digits.isEmpty { return nil }
    if let mark = rest.first {
      guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E"), rest.count <= 5,
        let written = Int(String(decoding: rest.dropFirst(), as: UTF8.self))
      else { return nil }
      exponent += written
    }
    self.real = real
    (picos, hasRemainder) = ExactDecimal.scale(digits, exponent: exponent + 12, negative: negative)
  }

  /// ⌊digits × 10^exponent⌋ with the sign, and whether something was cut off.
  private static func scale(
    _ digits: [UInt8], exponent: Int, negative: Bool
  ) -> (Int128, Bool) {
    var magnitude: Int128 = 0
    var cut = false
    let whole = digits.count + exponent
    for (place, digit) in digits.enumerated() {
      if place >= whole {
        cut = cut || digit != 0
      } else if magnitude < bound / 10 {
        magnitude = magnitude * 10 + Int128(digit)
      } else {
        magnitude = bound
      }
    }
    if exponent > 0, magnitude > 0 {
      for _ in 0..<min(exponent, 64) {
        magnitude = magnitude < bound / 10 ? magnitude * 10 : bound
      }
    }
    if !negative { return (magnitude, cut) }
    return (cut ? -magnitude - 1 : -magnitude, cut)
  }
}

extension ExactDecimal {
  /// The number in units of `step` picos: the greatest whole number of them that is not above it,
  /// and whether it is exactly that.
  func floored(to step: Int128) -> (floor: Int128, isExact: Bool) {
    let (quotient, remainder) = picos.quotientAndRemainder(dividingBy: step)
    let floor = remainder < 0 ? quotient - 1 : quotient
    return (floor, remainder == 0 && !hasRemainder)
  }
}
