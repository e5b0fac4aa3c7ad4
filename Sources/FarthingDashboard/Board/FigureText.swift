internal import FarthingCore

/// How the figures of a column are written: all with one unit and as many digits after the point, so that
/// they line up.
struct FigureFormat: Hashable {
  /// Dollars, or thousands or millions of them.
  var moneyScale = MoneyScale.dollars
  var moneyDigits = 2
  /// Digits after the point of percentages.
  var shareDigits = 1
  /// Whether counts are shown by thousands, and by which.
  var countScale = CountScale.ones
  var hasLongTimes = false

  enum MoneyScale: Hashable { case dollars, thousands, millions }
  enum CountScale: Hashable { case ones, thousands, millions, billions }

  /// A form for a column's values: five significant digits of the largest, units where a figure would be long.
  init(_ figures: some Sequence<Figure>) {
    var largestMoney: Int128 = 0
    var largestCount: Int128 = 0
    for figure in figures {
      switch figure {
      case .money(let amount): largestMoney = max(largestMoney, Int128(clamping: amount.magnitude))
      case .count(let count): largestCount = max(largestCount, Int128(clamping: count.magnitude))
      case .milliseconds(let number): if number >= 10_000 { hasLongTimes = true }
      default: break
      }
    }
    let dollar = Picodollars.perDollar
    if largestMoney >= 10_000_000 * dollar {
      moneyScale = .millions
      moneyDigits = 3
    } else if largestMoney >= 100_000 * dollar {
      moneyScale = .thousands
      moneyDigits = 2
    } else {
      moneyDigits = min(8, AmountText.readableFractionDigits(of: [largestMoney]))
    }
    if largestCount >= 100_000_000_000 {
      countScale = .billions
    } else if largestCount >= 100_000_000 {
      countScale = .millions
    } else if largestCount >= 1_000_000 {
      countScale = .thousands
    }
  }

  /// The form of a figure that stands alone: four significant digits.
  init(_ figure: Figure) {
    self.init(CollectionOfOne(figure))
    if moneyScale == .dollars, moneyDigits > 2 { moneyDigits -= 1 }
  }

  /// The figure as people read it; `–` where there is none.
  func text(_ figure: Figure) -> String {
    switch figure {
    case .missing: return "–"
    case .text(let text): return text
    case .count(let count): return counted(count)
    case .money(let amount): return money(amount)
    case .ratio(let share):
      if share > 0, share < 0.000_5, shareDigits <= 1 { return "<0.1%" }
      return NumberText.readable(share * 100, fractionDigits: shareDigits) + "%"
    case .milliseconds(let number):
      if hasLongTimes { return NumberText.readable(number / 1000, fractionDigits: 1) + " s" }
      return NumberText.readable(number, fractionDigits: 0) + " ms"
    case .real(let number): return NumberText.readable(number, fractionDigits: 1)
    case .time(let time): return ClockText.second(time)
    }
  }

  private func counted(_ count: Int128) -> String {
    switch countScale {
    case .ones: return AmountText.readable(count: count)
    case .thousands: return Self.scaled(count, by: 1000, digits: 1) + "k"
    case .millions: return Self.scaled(count, by: 1_000_000, digits: 1) + "M"
    case .billions: return Self.scaled(count, by: 1_000_000_000, digits: 1) + "G"
    }
  }

  /// A count divided, rounded half to even, in integers.
  private static func scaled(_ count: Int128, by unit: Int64, digits: Int) -> String {
    let scaled = MoneyRatio.divide(count, by: Int128(unit), times: 10) ?? 0
    let sign = scaled < 0 ? "-" : ""
    let (whole, tenth) = scaled.magnitude.quotientAndRemainder(dividingBy: 10)
    return sign + AmountText.grouped(String(whole)) + ".\(tenth)"
  }

  private func money(_ amount: Int128) -> String {
    switch moneyScale {
    case .dollars: return AmountText.readable(amount, fractionDigits: moneyDigits)
    case .thousands:
      return AmountText.readable(rounded(amount, 1000), fractionDigits: moneyDigits) + "k"
    case .millions:
      return AmountText.readable(rounded(amount, 1_000_000), fractionDigits: moneyDigits) + "M"
    }
  }

  private func rounded(_ amount: Int128, _ unit: Int128) -> Int128 {
    MoneyRatio.divide(amount, by: unit) ?? 0
  }

  /// The figure with all its digits.
  static func exact(_ figure: Figure) -> String {
    switch figure {
    case .money(let amount): "$" + AmountText.exact(amount)
    case .count(let count): AmountText.readable(count: count)
    case .ratio(let share): NumberText.json(share)
    case .milliseconds(let number): NumberText.json(number) + " ms"
    case .real(let number): NumberText.json(number)
    case .time(let time): CivilTime.text(time)
    case .missing: "–"
    case .text(let text): text
    }
  }
}

/// Figures in full, for pages of text.
package enum FigureWords {
  /// The figure with all its digits.
  package static func exact(_ figure: Figure) -> String { FigureFormat.exact(figure) }
}

/// Times and spans of time as text, in UTC.
enum ClockText {
  /// `2026-03-15 12:04:05`
  static func second(_ time: Int64) -> String {
    let text = CivilTime.text(CivilTime.floorDivide(time, CivilTime.second) * CivilTime.second)
    return String(text.prefix(10)) + " " + text.dropFirst(11).prefix(8)
  }

  /// `2026-03-15 12:04`
  static func minute(_ time: Int64) -> String { String(second(time).prefix(16)) }

  /// A place on an axis: the clock, or of long windows the day.
  static func axis(_ time: Int64, span: Int64) -> String {
    let text = second(time)
    if span > 3 * CivilTime.day { return String(text.dropFirst(5).prefix(5)) }
    return String(text.dropFirst(11).prefix(span <= 10 * CivilTime.minute ? 8 : 5))
  }

  /// `90s`, `5m`, `24h`, `7d`: one number and one unit, as the query language has it.
  static func span(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / CivilTime.second
    for (size, unit) in [(604_800 as Int64, "w"), (86_400, "d"), (3600, "h"), (60, "m")]
    where seconds >= size && seconds % size == 0 {
      // A day stays 24 hours, as ranges are usually called.
      if unit == "d", seconds == 86_400 { return "24h" }
      if unit == "w" { return "\(seconds / 86_400)d" }
      return "\(seconds / size)\(unit)"
    }
    return "\(seconds)s"
  }

  /// A rough age: `40s`, `12m`, `3h`, `2d`.
  static func age(_ nanoseconds: Int64) -> String {
    let seconds = max(0, nanoseconds / CivilTime.second)
    if seconds < 60 { return "\(seconds)s" }
    if seconds < 3600 { return "\(seconds / 60)m" }
    if seconds < 86_400 { return "\(seconds / 3600)h" }
    return "\(seconds / 86_400)d"
  }
}
