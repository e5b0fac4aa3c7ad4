// Decimal numbers as they stand in text: `12`, `0.35`, `1.2e-05`.
//
// A number is never made a binary floating point on its way: its digits are read with their decimal
// weight. Digit i of a text with b digits before the point and exponent e weighs 10^(b − 1 − i + e).
// The readers of money and of rates walk over the digits with that weight and keep what they can hold.

/// Why a text was not taken as a decimal number.
package enum DecimalFault: Error, Sendable, Equatable {
  /// Not of the form `-?digits[.digits][e[+-]digits]`.
  case notANumber
  /// More digits before the point than the kind of number may have.
  case tooLarge
  /// More significant digits, or more digits behind the point, than can be kept exactly.
  case tooPrecise
}

/// The shape of a decimal number in text: where its digits are and what they weigh.
package struct DecimalText {
  /// Whether a minus sign leads.
  package var isNegative: Bool
  /// The bytes of the digits and of the point among them.
  package var digits: Range<Int>
  /// Number of digits before the point.
  package var digitsBeforePoint: Int
  /// The power of ten behind `e`, clamped to ±100,000: beyond that every kind of number is out of range.
  package var exponent: Int

  /// Reads the shape of the whole of `text`.
  /// - Throws: `DecimalFault.notANumber` where `text` is anything but one number.
  /// - Complexity: O(n) in the bytes of the text; nothing is allocated.
  package init(_ text: Span<UInt8>) throws(DecimalFault) {
    var index = 0
    let end = text.count
    isNegative = end > 0 && text[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    let start = index
    while index < end, Self.isDigit(text[index]) { index += 1 }
    digitsBeforePoint = index - start
    guard digitsBeforePoint > 0 else { throw .notANumber }
    if index < end, text[index] == UInt8(ascii: ".") {
      let point = index
      index += 1
      while index < end, Self.isDigit(text[index]) { index += 1 }
      guard index > point + 1 else { throw .notANumber }
    }
    digits = start..<index
    exponent = 0
    guard index < end else { return }
    guard text[index] | 0x20 == UInt8(ascii: "e") else { throw .notANumber }
    index += 1
    var isDown = false
    if index < end, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
      isDown = text[index] == UInt8(ascii: "-")
      index += 1
    }
    guard index < end else { throw .notANumber }
    while index < end {
      guard Self.isDigit(text[index]) else { throw .notANumber }
      exponent = min(exponent * 10 + Int(text[index] & 0x0F), 100_000)
      index += 1
    }
    if isDown { exponent = -exponent }
  }

  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
