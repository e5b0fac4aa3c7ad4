/// An exact amount of money: whole picodollars (10⁻¹² US dollars) in 128 bits.
///
/// Range: ±1.7 × 10²⁶ dollars. Arithmetic never goes through binary floating point.
package struct Picodollars: Sendable, Hashable, Comparable {
  package var rawValue: Int128

  @inlinable
  package init(_ rawValue: Int128) { self.rawValue = rawValue }

  package static let zero = Picodollars(0)

  /// Picodollars in one US dollar.
  package static let perDollar: Int128 = 1_000_000_000_000

  @inlinable
  package static func < (left: Picodollars, right: Picodollars) -> Bool {
    left.rawValue < right.rawValue
  }
}

extension Picodollars {
  /// Digits before the point that an amount in an event may have.
  package static let maximumIntegerDigits = 15

  /// The amount that a decimal text in US dollars says, such as `12.50` or `1.2e-05`.
  ///
  /// What is finer than a picodollar is rounded half to even, however many digits follow.
  /// - Throws: `DecimalFault.notANumber`, or `DecimalFault.tooLarge` where more than 15 digits stand before
  ///   the point (leading zeros do not count).
  /// - Complexity: O(n) in the bytes of the text; nothing is allocated.
  package static func parse(_ text: Span<UInt8>) throws(DecimalFault) -> Picodollars {
    let shape = try DecimalText(text)
    var value: Int128 = 0
    var roundingDigit: UInt8 = 0
    var isBeyondRounding = false
    var weight = shape.digitsBeforePoint - 1 + shape.exponent
    for index in shape.digits {
      let byte = text[index]
      guard byte != UInt8(ascii: ".") else { continue }
      let digit = byte & 0x0F
      if weight >= maximumIntegerDigits {
        guard digit == 0 else { throw .tooLarge }
      } else if weight >= -12 {
        value = value * 10 + Int128(digit)
      } else if weight == -13 {
        roundingDigit = digit
      } else if digit != 0 {
        isBeyondRounding = true
      }
      weight -= 1
    }
    // `weight` is now one below that of the last digit; zeros up to the picodollar are implied.
    if value != 0, weight >= -12 { value *= powerOfTen(weight + 13) }
    if roundingDigit > 5 || (roundingDigit == 5 && (isBeyondRounding || value & 1 == 1)) {
      value += 1
    }
    return Picodollars(shape.isNegative ? -value : value)
  }

  /// The amount that `text` says, or nil where it is no decimal number of at most 15 digits before the point.
  package init?(decimal text: String) {
    var copy = text
    let parsed = copy.withUTF8Bytes { (bytes) in try? Picodollars.parse(bytes) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// The amount in US dollars as decimal text: no exponent, no trailing zeros, `0` for nothing.
  package var decimalText: String {
    DecimalFormat.text(rawValue, scale: 12)
  }

  private static func powerOfTen(_ exponent: Int) -> Int128 {
    var power: Int128 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
  }
}

/// Writing of scaled integers as decimal text.
package enum DecimalFormat {
  /// `value` × 10^−`scale` without exponent and without trailing zeros behind the point.
  package static func text(_ value: Int128, scale: Int) -> String {
    (value < 0 ? "-" : "") + text(magnitude: value.magnitude, scale: scale)
  }

  /// `magnitude` × 10^−`scale` without exponent and without trailing zeros behind the point.
  package static func text(magnitude: UInt128, scale: Int) -> String {
    if magnitude == 0 { return "0" }
    var digits = Array(String(magnitude).utf8)
    guard scale > 0 else {
      return String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: -scale)
    }
    if digits.count <= scale {
      digits.insert(contentsOf: repeatElement(0x30, count: scale + 1 - digits.count), at: 0)
    }
    var fraction = digits[(digits.count - scale)...]
    while fraction.last == 0x30 { fraction.removeLast() }
    let whole = String(decoding: digits[..<(digits.count - scale)], as: UTF8.self)
    return fraction.isEmpty ? whole : whole + "." + String(decoding: fraction, as: UTF8.self)
  }
}

extension String {
  /// Calls `body` with the string's UTF-8 bytes, without a pointer in sight.
  mutating func withUTF8Bytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    let bytes = Array(utf8)
    return body(bytes.span)
  }
}
