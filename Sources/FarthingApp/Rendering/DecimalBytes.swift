internal import FarthingCore

/// Numbers written as decimal digits straight into bytes: a wide answer has hundreds of thousands, and
/// a text made for each costs more than its digits.
enum DecimalBytes {
  /// Appends a whole number.
  static func append(_ value: Int128, to bytes: inout [UInt8]) {
    guard let magnitude = UInt64(exactly: value.magnitude) else {
      bytes.append(contentsOf: String(value).utf8)
      return
    }
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(magnitude, digits: 1, to: &bytes)
  }

  /// Appends dollars as ``AmountText/exact(_:)`` writes them.
  static func append(picodollars: Int128, to bytes: inout [UInt8]) {
    let perDollar: UInt64 = 1_000_000_000_000
    guard let magnitude = UInt64(exactly: picodollars.magnitude) else {
      bytes.append(contentsOf: AmountText.exact(picodollars).utf8)
      return
    }
    if picodollars < 0 { bytes.append(UInt8(ascii: "-")) }
    append(magnitude / perDollar, digits: 1, to: &bytes)
    let fraction = magnitude % perDollar
    if fraction == 0 { return }
    bytes.append(UInt8(ascii: "."))
    append(fraction, digits: 12, to: &bytes)
    while bytes.last == UInt8(ascii: "0") { bytes.removeLast() }
  }

  /// Appends at least `digits` digits, at most 20.
  static func append(_ value: UInt64, digits: Int, to bytes: inout [UInt8]) {
    // Digits come from the last to the first.
    var text = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var start = 20
    var rest = value
    while rest > 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      start -= 1
      text[start] = UInt8(truncatingIfNeeded: digit) + UInt8(ascii: "0")
      rest = quotient
    }
    start = min(start, 20 - digits)
    bytes.append(addingCapacity: 20 - start) { (added: inout OutputSpan<UInt8>) in
      for place in start..<20 { added.append(text[place]) }
    }
  }
}
