internal import FarthingCore
package import FarthingQuery

/// A figure as people read it, and the exact one behind it.
package struct ReportFigure: Sendable, Equatable {
  package var text: String
  /// As JSON has it, with its unit.
  package var exact: String

  package init(_ text: String, exact: String) {
    self.text = text
    self.exact = exact
  }

  /// - Parameters:
  ///   - value: of an answer.
  ///   - digits: after the point of amounts of money; as many as it needs to be read where absent.
  package init(_ value: QueryValue, digits: Int? = nil) {
    let amount = ReadableCells.amount(value)
    let digits = digits ?? Self.digits(of: [amount].compactMap { $0 })
    text =
      switch value {
      case .ratio(let share): Self.percent(share)
      case .milliseconds(let number): Self.number(number, wholeFrom: 10)
      case .real(let number): Self.number(number, wholeFrom: 100)
      default: ReadableCells.text(value, fractionDigits: digits, bucketWidth: nil)
      }
    exact = Self.exact(value)
  }

  /// How many digits after the point amounts are shown with beside each other: cents from a dollar on, else four
  /// significant ones of the largest.
  static func digits(of amounts: [Int128]) -> Int {
    let largest = amounts.map(\.magnitude).max() ?? 0
    if largest >= UInt128(AmountText.picodollarsPerDollar) { return 2 }
    return max(2, AmountText.readableFractionDigits(of: amounts) - 1)
  }

  package static func money(_ picodollars: Int128, digits: Int? = nil) -> ReportFigure {
    ReportFigure(.money(picodollars), digits: digits)
  }

  package static func count(_ count: Int128) -> ReportFigure { ReportFigure(.count(count)) }

  package static func share(_ share: Double) -> ReportFigure { ReportFigure(.ratio(share)) }

  private static func number(_ number: Double, wholeFrom limit: Double) -> String {
    NumberText.readable(number, fractionDigits: number.magnitude < limit ? 1 : 0)
  }

  /// `22.4%`, with two digits below one percent.
  package static func percent(_ share: Double) -> String {
    if share > 0, share < 0.000_05 { return "<0.01%" }
    let digits = share != 0 && share.magnitude < 0.01 ? 2 : 1
    let text = NumberText.readable(share.magnitude * 100, fractionDigits: digits) + "%"
    return share < 0 ? "−" + text : text
  }

  /// All digits, with a unit: `$0.004012345`, `1234 ms`.
  static func exact(_ value: QueryValue) -> String {
    switch value {
    case .null: "no value"
    case .text(let text), .object(let text): text.printable
    case .count(let count): String(count)
    case .boolean(let flag): flag ? "true" : "false"
    case .money(let amount): "$" + AmountText.exact(amount)
    case .moneyRatio(let text): "$" + text
    case .ratio(let number), .real(let number): NumberText.json(number)
    case .milliseconds(let number): NumberText.json(number) + " ms"
    case .time(let time): TimeText.rfc3339(time)
    }
  }
}

/// How one figure differs from that of the period before.
struct FigureChange {
  /// What a rise means.
  enum Direction {
    case risingIsBetter, risingIsWorse, neutral
  }

  /// After, less before, in the figure's own unit; nil where either has no value.
  let difference: QueryValue?
  /// After ÷ before − 1; nil where that has no value.
  let relative: Double?
  let judgement: ReportCell.Judgement

  init(from before: QueryValue, to after: QueryValue, _ direction: Direction) {
    let (old, new) = (Self.number(before), Self.number(after))
    difference = Self.difference(before, after)
    if let old, let new, old != 0 {
      relative = new / old - 1
    } else {
      relative = nil
    }
    judgement =
      switch (direction, old, new) {
      case (.neutral, _, _), (_, nil, _), (_, _, nil): .neither
      case (_, .some(let old), .some(let new)) where old == new: .neither
      case (.risingIsBetter, .some(let old), .some(let new)): new > old ? .better : .worse
      case (.risingIsWorse, .some(let old), .some(let new)): new > old ? .worse : .better
      }
  }

  /// For drawing and for comparing, never for booking.
  static func number(_ value: QueryValue) -> Double? {
    switch value {
    case .count(let count): Double(count)
    case .money, .moneyRatio: ReadableCells.amount(value).map { Double($0) }
    case .ratio(let number), .real(let number), .milliseconds(let number): number
    default: nil
    }
  }

  private static func difference(_ before: QueryValue, _ after: QueryValue) -> QueryValue? {
    switch (before, after) {
    case (.money(let old), .money(let new)):
      let (difference, overflow) = new.subtractingReportingOverflow(old)
      return overflow ? nil : .money(difference)
    case (.moneyRatio, .moneyRatio):
      guard let old = ReadableCells.amount(before), let new = ReadableCells.amount(after) else {
        return nil
      }
      return .moneyRatio(AmountText.exact(new - old))
    case (.count(let old), .count(let new)): return .count(new - old)
    case (.ratio(let old), .ratio(let new)): return .ratio(new - old)
    case (.real(let old), .real(let new)): return .real(new - old)
    case (.milliseconds(let old), .milliseconds(let new)): return .milliseconds(new - old)
    default: return nil
    }
  }

  /// `+12.3%`, of shares `−2.1 pt`, percentage points; nil where there is nothing to compare.
  var text: String? {
    if case .ratio(let points)? = difference { return Self.points(points) }
    return relative.map { Self.signed($0) }
  }

  static func points(_ difference: Double) -> String {
    let text = NumberText.readable(difference.magnitude * 100, fractionDigits: 1)
    return (text == "0.0" ? "±" : difference < 0 ? "−" : "+") + text + " pt"
  }

  /// `+12.3%`, or from threefold on `×3.3`.
  static func signed(_ relative: Double) -> String {
    if relative >= 2 {
      return "×" + NumberText.readable(relative + 1, fractionDigits: relative < 99 ? 1 : 0)
    }
    let text = NumberText.readable(relative.magnitude * 100, fractionDigits: 1)
    return (text == "0.0" ? "±" : relative < 0 ? "−" : "+") + text + "%"
  }

  /// The difference of two amounts with its sign.
  static func money(_ picodollars: Int128, digits: Int) -> ReportFigure {
    let text = AmountText.readable(
      Int128(clamping: picodollars.magnitude), fractionDigits: digits)
    let sign = picodollars > 0 ? "+" : picodollars < 0 ? "−" : "±"
    return ReportFigure(sign + text, exact: ReportFigure.exact(.money(picodollars)))
  }

  /// Machines read the relative change.
  var cell: ReportCell {
    // What reads as no change is none for people.
    let shown = text ?? "–"
    return ReportCell(
      relative.map { .ratio($0) } ?? .null,
      .change(
        shown.hasPrefix("±") ? .neither : judgement, ReportText(stringLiteral: shown)))
  }
}
