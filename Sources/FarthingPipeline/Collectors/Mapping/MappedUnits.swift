internal import FarthingCore

/// The units that mapping files name.
enum MappedUnits {
  /// To milliseconds: a power of ten and a factor.
  static let durations: [(name: String, power: Int, factor: Int64)] = [
    ("ns", -6, 1), ("us", -3, 1), ("µs", -3, 1), ("ms", 0, 1), ("s", 3, 1), ("min", 3, 60),
    ("h", 3, 3600),
  ]
  /// What stands for a text with its units in it.
  static let duration = "duration"

  /// Counts, and tokens a second.
  static let counts: [(name: String, power: Int)] = [("one", 0), ("k", 3), ("m", 6)]

  static let money: [(name: String, unit: MoneyUnit)] = [
    ("usd", MoneyUnit()), ("cents", MoneyUnit(power: -2)), ("millicents", MoneyUnit(power: -5)),
    ("micro_usd", MoneyUnit(power: -6)), ("nano_usd", MoneyUnit(power: -9)),
  ]
  /// Prices of a number of units, which `times` counts.
  static let prices: [(name: String, unit: MoneyUnit)] = [
    ("usd_per_one", MoneyUnit()), ("usd_per_1k", MoneyUnit(power: -3)),
    ("usd_per_1m", MoneyUnit(power: -6)),
  ]
  /// Rates of capacity.
  static let rates: [(name: String, unit: MoneyUnit)] = [
    ("usd_per_h", MoneyUnit()), ("usd_per_s", MoneyUnit(multiplier: 3600)),
    ("usd_per_min", MoneyUnit(multiplier: 60)), ("usd_per_day", MoneyUnit(divisor: 24)),
    // A month of 730 hours, as the clouds bill it.
    ("usd_per_month", MoneyUnit(divisor: 730)),
  ]

  /// The milliseconds of a text such as `1h2m3.5s`, `250ms`, `17µs`; nil where it is none.
  static func milliseconds(_ text: ArraySlice<UInt8>) -> Double? {
    var rest = text
    var total: Double = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let number = rest.prefix { $0 &- 48 <= 9 || $0 == UInt8(ascii: ".") }
      rest = rest.dropFirst(number.count)
      let word = rest.prefix { !($0 &- 48 <= 9) && $0 != UInt8(ascii: ".") }
      rest = rest.dropFirst(word.count)
      var name = String(decoding: word, as: UTF8.self)
      if name == "m" { name = "min" }
      guard let unit = durations.first(where: { $0.name == name }),
        let value = DecimalReading.double(number, scale: unit.power)
      else { return nil }
      total += value * Double(unit.factor)
    }
    return total.isFinite ? total : nil
  }

  /// The picodollars of an amount; nil where the text is no decimal number of at least 0 or too
  /// large. `count` is what `times` says.
  static func picodollars(
    _ text: ArraySlice<UInt8>, _ unit: MoneyUnit, count: Int64?
  ) -> Int128? {
    var bytes = Array(text)
    if unit.power != 0 {
      // The power goes into the text's exponent, so that the amount is rounded once.
      var power = unit.power
      if let mark = bytes.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
        guard let written = Int(String(decoding: bytes[(mark + 1)...], as: UTF8.self)),
          abs(written) < 1_000_000
        else { return nil }
        power += written
        bytes.removeSubrange(mark...)
      }
      bytes += Array("e\(power)".utf8)
    }
    guard let parsed = try? Picodollars.parse(bytes.span), parsed.rawValue >= 0 else { return nil }
    var (amount, overflow) = parsed.rawValue.multipliedReportingOverflow(
      by: Int128(unit.multiplier))
    if let count, !overflow {
      guard count >= 0 else { return nil }
      (amount, overflow) = amount.multipliedReportingOverflow(by: Int128(count))
    }
    guard !overflow else { return nil }
    let divisor = Int128(unit.divisor)
    let (quotient, rest) = amount.quotientAndRemainder(dividingBy: divisor)
    // Half to even, as the contract rounds.
    let isUp = rest * 2 > divisor || (rest * 2 == divisor && quotient % 2 != 0)
    return quotient + (isUp ? 1 : 0)
  }
}
