// Numbers as text: exact for machines, short for people. Money stays in integers throughout.

/// Decimal texts of amounts of money, made with integer arithmetic only.
package enum AmountText {
  /// Picodollars in one dollar.
  package static let picodollarsPerDollar: Int128 = 1_000_000_000_000

  /// Dollars as an exact decimal: no exponent, no trailing zeros, `0` for nothing.
  ///
  /// - Parameter picodollars: The amount, of either sign.
  package static func exact(_ picodollars: Int128) -> String {
    let whole = picodollars.magnitude / 1_000_000_000_000
    var fraction = UInt64(picodollars.magnitude % 1_000_000_000_000)
    let sign = picodollars < 0 ? "-" : ""
    guard fraction != 0 else { return sign + String(whole) }
    var digits = 12
    while fraction % 10 == 0 {
      fraction /= 10
      digits -= 1
    }
    let text = String(fraction)
    return sign + String(whole) + "." + String(repeating: "0", count: digits - text.count) + text
  }

  /// Picodollars of a decimal text with at most 12 fraction digits, as ``exact(_:)`` writes it.
  ///
  /// - Returns: nil where the text is no such decimal or does not fit.
  package static func picodollars(of text: String) -> Int128? {
    var amount: Int128 = 0
    var fractionDigits = -1
    var bytes = Array(text.utf8)[...]
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative { bytes = bytes.dropFirst() }
    guard !bytes.isEmpty else { return nil }
    for byte in bytes {
      if byte == UInt8(ascii: "."), fractionDigits < 0 {
        fractionDigits = 0
        continue
      }
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      guard let next = shifted(amount, adding: byte - UInt8(ascii: "0")) else { return nil }
      amount = next
      if fractionDigits >= 0 { fractionDigits += 1 }
    }
    guard fractionDigits <= 12 else { return nil }
    for _ in max(0, fractionDigits)..<12 {
      guard let next = shifted(amount, adding: 0) else { return nil }
      amount = next
    }
    return isNegative ? -amount : amount
  }

  private static func shifted(_ amount: Int128, adding digit: UInt8) -> Int128? {
    let (product, overflow) = amount.multipliedReportingOverflow(by: 10)
    let (sum, carry) = product.addingReportingOverflow(Int128(digit))
    return overflow || carry ? nil : sum
  }

  /// How many fraction digits a column of amounts is shown with: enough for five significant
  /// digits of the largest, never fewer than cents.
  package static func readableFractionDigits(of amounts: some Sequence<Int128>) -> Int {
    let largest = amounts.map(\.magnitude).max() ?? 0
    guard largest > 0 else { return 2 }
    var digits = 2
    // 10^14 picodollars are 100 dollars: five significant digits with cents.
    var bound: UInt128 = 100_000_000_000_000
    while largest < bound, digits < 12 {
      bound /= 10
      digits += 1
    }
    return digits
  }

  /// Dollars for people: `$1,234.50`, rounded half to even to `fractionDigits`.
  ///
  /// An amount that is not zero but would be shown as zero is shown as `<$0.01`.
  package static func readable(_ picodollars: Int128, fractionDigits: Int) -> String {
    let digits = min(12, max(0, fractionDigits))
    let sign = picodollars < 0 ? "-" : ""
    let scale = (0..<(12 - digits)).reduce(UInt128(1)) { power, _ in power * 10 }
    let (quotient, remainder) = picodollars.magnitude.quotientAndRemainder(dividingBy: scale)
    var units = quotient
    if remainder * 2 > scale || (remainder * 2 == scale && units % 2 == 1) { units += 1 }
    if units == 0, picodollars != 0 {
      return "<" + sign + "$0" + (digits > 0 ? "." + zeros(digits - 1) + "1" : "")
    }
    let power = (0..<digits).reduce(UInt128(1)) { power, _ in power * 10 }
    let whole = grouped(String(units / power))
    guard digits > 0 else { return sign + "$" + whole }
    let fraction = String(units % power)
    return sign + "$" + whole + "." + zeros(digits - fraction.count) + fraction
  }

  /// A count with a comma between thousands.
  package static func readable(count: Int128) -> String {
    (count < 0 ? "-" : "") + grouped(String(count.magnitude))
  }

  private static func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }

  /// Decimal digits with a comma between thousands.
  package static func grouped(_ digits: String) -> String {
    guard digits.utf8.count > 3 else { return digits }
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.utf8.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return text
  }
}

/// Texts of ratios, milliseconds and times.
package enum NumberText {
  /// A number with `fractionDigits` digits after the point and commas between thousands.
  ///
  /// Not for money. Non-finite numbers and those beyond 2^53 are written as Swift writes them.
  package static func readable(_ number: Double, fractionDigits: Int) -> String {
    let power = (0..<fractionDigits).reduce(1.0) { power, _ in power * 10 }
    let scaled = (number * power).rounded(.toNearestOrEven)
    guard scaled.isFinite, scaled.magnitude < 9_007_199_254_740_992 else { return "\(number)" }
    let units = Int64(scaled.magnitude)
    let divisor = Int64(power)
    let sign = number < 0 && units != 0 ? "-" : ""
    let whole = AmountText.grouped(String(units / divisor))
    guard fractionDigits > 0 else { return sign + whole }
    let fraction = String(units % divisor)
    return sign + whole + "."
      + String(repeating: "0", count: fractionDigits - fraction.utf8.count) + fraction
  }

  /// A share as a percentage with two digits after the point; smaller ones as `<0.01 %`.
  package static func percentage(_ share: Double) -> String {
    if share > 0, share < 0.000_05 { return "<0.01%" }
    return readable(share * 100, fractionDigits: 2) + "%"
  }

  /// The shortest JSON number that reads back as the same value; `null` where it is not finite.
  package static func json(_ number: Double) -> String {
    guard number.isFinite else { return "null" }
    if number == number.rounded(), number.magnitude < 9_007_199_254_740_992 {
      return String(Int64(number))
    }
    return "\(number)"
  }
}
