internal import FarthingCore

/// A metric's value before it is written: what rows are ordered by.
enum MetricValue: Equatable {
  case integer(Int128)
  case real(Double)
  case null

  /// Greatest first, null last.
  static func precedes(_ left: MetricValue, _ right: MetricValue) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left > right
    case (.real(let left), .real(let right)): left > right
    case (.null, _): false
    default: right == .null
    }
  }

  /// The quotient of two whole numbers, rounded half to even.
  /// - Returns: nil where it leaves 128 bits.
  static func rounded(_ numerator: Int128, scale: Int64, _ denominator: Int128) -> Int128? {
    let isNegative = (numerator < 0) != (denominator < 0)
    let product = numerator.magnitude.multipliedFullWidth(by: UInt128(scale))
    let divisor = denominator.magnitude
    guard product.high < divisor else { return nil }
    let (quotient, remainder) = divisor.dividingFullWidth((product.high, product.low))
    // A remainder of half the divisor goes to the even neighbour.
    let rest = divisor - remainder
    let roundsUp = remainder > rest || (remainder == rest && quotient & 1 == 1)
    let (magnitude, overflow) = quotient.addingReportingOverflow(roundsUp ? 1 : 0)
    guard !overflow, magnitude <= UInt128(Int128.max) else { return nil }
    return isNegative ? -Int128(magnitude) : Int128(magnitude)
  }

  /// Written as a value of a metric of that unit.
  func queryValue(_ unit: Metric.Unit) -> QueryValue {
    switch (self, unit) {
    case (.null, _): .null
    case (.integer(let value), .count): .count(value)
    case (.integer(let value), .money): .money(value)
    case (.integer(let value), .moneyRatio): .moneyRatio(DollarText.dollars(picodollars: value))
    case (.integer(let value), .ratio), (.integer(let value), .milliseconds):
      .ratio(Double(value))
    case (.real(let value), .milliseconds): .milliseconds(value)
    case (.real(let value), _): .ratio(value)
    }
  }
}

/// Dollars as decimal text.
package enum DollarText {
  /// Exact, without exponent or trailing zeros: `"0"`, `"-1.5"`, `"0.000000000001"`.
  package static func dollars(picodollars: Int128) -> String {
    let (whole, fraction) = picodollars.magnitude.quotientAndRemainder(
      dividingBy: 1_000_000_000_000)
    let sign = picodollars < 0 ? "-" : ""
    if fraction == 0 { return "\(sign)\(whole)" }
    var digits = String(fraction)
    digits = String(repeating: "0", count: 12 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "\(sign)\(whole).\(digits)"
  }
}
