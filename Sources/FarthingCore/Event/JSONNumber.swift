/// A JSON number as its grammar parts, read without losing a digit.
///
/// Grammar of RFC 8259, §6: no leading zeros, no leading plus, digits on both sides of a point.
struct JSONNumber: Sendable {
  /// The first 19 significant digits.
  var digits: UInt64 = 0
  /// The power of ten that `digits` are to be multiplied by. Clamped to ±10⁶, which no double and no
  /// amount of money tells from the true exponent.
  var exponent = 0
  var isNegative = false
  /// Whether it is written with neither point nor exponent.
  var isInteger = true
  /// Whether a digit other than 0 lies beyond the first 19 significant ones.
  var hasMore = false
  /// The index after its last character.
  var end = 0

  /// Reads the number that starts at `start`, or nil where no number does.
  /// - Complexity: O(n) in its characters.
  init?(_ bytes: Span<UInt8>, at start: Int) {
    var at = start
    if bytes.byte(at) == UInt8(ascii: "-") {
      isNegative = true
      at &+= 1
    }
    let first = bytes.byte(at) &- 48
    guard first <= 9 else { return nil }
    var significant = 0
    if first == 0 {
      at &+= 1
      if bytes.byte(at) &- 48 <= 9 { return nil }
    } else {
      take(bytes, &at, &significant, isFraction: false)
    }
    if bytes.byte(at) == UInt8(ascii: ".") {
      isInteger = false
      at &+= 1
      guard bytes.byte(at) &- 48 <= 9 else { return nil }
      take(bytes, &at, &significant, isFraction: true)
    }
    if bytes.byte(at) | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      at &+= 1
      let sign = bytes.byte(at)
      if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { at &+= 1 }
      guard bytes.byte(at) &- 48 <= 9 else { return nil }
      var written = 0
      while case let digit = bytes.byte(at) &- 48, digit <= 9 {
        if written < 100_000_000 { written = written &* 10 &+ Int(digit) }
        at &+= 1
      }
      exponent &+= sign == UInt8(ascii: "-") ? -written : written
    }
    exponent = digits == 0 ? 0 : min(max(exponent, -1_000_000), 1_000_000)
    end = at
  }

  @inline(__always)
  private mutating func take(
    _ bytes: Span<UInt8>, _ at: inout Int, _ significant: inout Int, isFraction: Bool
  ) {
    while case let digit = bytes.byte(at) &- 48, digit <= 9 {
      if significant < 19 {
        digits = digits &* 10 &+ UInt64(digit)
        if digits != 0 { significant &+= 1 }
        if isFraction { exponent &-= 1 }
      } else {
        if digit != 0 { hasMore = true }
        if !isFraction { exponent &+= 1 }
      }
      at &+= 1
    }
  }

  /// The value as a double, correctly rounded, or nil where it is not finite.
  /// - Parameter text: The bytes that this number was read from.
  func double(_ bytes: Span<UInt8>, from start: Int) -> Double? {
    if digits <= 1 << 53 && !hasMore && exponent >= -22 && exponent <= 22 {
      // Digits and power are exact doubles, so one correctly rounded operation rounds correctly
      // (W. D. Clinger, How to read floating point numbers accurately, 1990).
      let whole = Double(digits)
      let power = Self.powerOfTen(abs(exponent))
      let value = exponent < 0 ? whole / power : whole * power
      return isNegative ? -value : value
    }
    // Beyond 800 characters the rest can only matter as "not zero", and only for halfway cases that
    // need exactly that many digits; an exponent is kept apart, so the text stays bounded.
    var text = isNegative ? "-" : ""
    if hasMore && end - start > 800 {
      text += "\(digits)1e\(exponent - 1)"
    } else {
      for index in start..<end where index > start || bytes[index] != UInt8(ascii: "-") {
        text.unicodeScalars.append(Unicode.Scalar(bytes[index]))
      }
    }
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  static func powerOfTen(_ exponent: Int) -> Double {
    switch exponent {
    case 0: 1
    case 1: 1e1
    case 2: 1e2
    case 3: 1e3
    case 4: 1e4
    case 5: 1e5
    case 6: 1e6
    case 7: 1e7
    case 8: 1e8
    case 9: 1e9
    case 10: 1e10
    case 11: 1e11
    case 12: 1e12
    case 13: 1e13
    case 14: 1e14
    case 15: 1e15
    case 16: 1e16
    case 17: 1e17
    case 18: 1e18
    case 19: 1e19
    case 20: 1e20
    case 21: 1e21
    default: 1e22
    }
  }
}
