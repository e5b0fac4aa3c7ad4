internal import FarthingCore
internal import FarthingDetection
internal import FarthingPipeline
internal import FarthingQuery

extension Answer {
  /// Budgets with how they stand, one a row; for machines in full, for people as far as a line goes.
  init(_ statuses: [BudgetStatus]) {
    let columns: [Column] = [
      .init("name"), .init("state"), .init("spent", .figure), .init("amount", .figure),
      .init("share", .figure), .init("remaining", .figure), .init("forecast", .figure),
      .init("forecast_low", .figure), .init("forecast_high", .figure), .init("forecast_method"),
      .init("exceeded_at"), .init("exceeded_earliest"), .init("exceeded_latest"),
      .init("burn_rate", .figure), .init("elapsed", .figure), .init("period"), .init("start"),
      .init("end"), .init("requests", .figure), .init("unpriced_requests", .figure),
      .init("owner"), .init("where"),
    ]
    self.init(columns: columns, rows: statuses.map(Self.row))
  }

  private static func row(_ status: BudgetStatus) -> [QueryValue] {
    let outlook = status.outlook
    func time(_ time: Int64?) -> QueryValue { time.map { .time($0) } ?? .null }
    func estimate(_ number: Double?) -> QueryValue {
      number.map { .moneyRatio(RuleEstimate.dollars($0)) } ?? .null
    }
    return [
      .text(status.budget.name), .text(status.state.rawValue), .money(status.spent),
      .money(status.budget.amount.rawValue), .ratio(status.share), .money(status.remaining),
      estimate(outlook?.expected), estimate(outlook?.low), estimate(outlook?.high),
      .text(outlook?.forecast.method.rawValue ?? SpendForecast.Method.unknown.rawValue),
      time(outlook?.exceededAt), time(outlook?.earliest), time(outlook?.latest),
      status.pace.map { .real(($0 * 100).rounded() / 100) } ?? .null, .ratio(status.elapsed),
      .text(status.budget.period.words), .time(status.start), .time(status.end),
      .count(status.requests), .count(status.unpriced),
      status.budget.owner.map { .text($0) } ?? .null,
      status.budget.filter.map { .text($0) } ?? .null,
    ]
  }

  /// The columns that people want of many budgets.
  static let budgetOverview = [
    "name", "state", "spent", "amount", "share", "remaining", "forecast", "forecast_low",
    "forecast_high", "exceeded_at", "burn_rate", "period", "end",
  ]

  /// Only some columns, in their order.
  func keeping(_ names: [String]) -> Answer {
    let places = names.compactMap { name in columns.firstIndex { $0.name == name } }
    return Answer(
      columns: places.map { columns[$0] }, rows: rows.map { row in places.map { row[$0] } })
  }
}

/// Estimates of money as text.
enum RuleEstimate {
  /// Dollars to the cent.
  static func dollars(_ number: Double) -> String {
    let cents = (number * 100).rounded()
    guard cents.isFinite, cents.magnitude < 9e15 else { return "0" }
    let whole = Int64(cents.magnitude)
    let fraction = whole % 100
    let sign = cents < 0 ? "-" : ""
    if fraction == 0 { return "\(sign)\(whole / 100)" }
    let digits = fraction < 10 ? "0\(fraction)" : "\(fraction)"
    return "\(sign)\(whole / 100)." + (digits.hasSuffix("0") ? String(digits.dropLast()) : digits)
  }
}

/// One budget as lines for people.
enum BudgetPage {
  static func text(_ status: BudgetStatus, page: Page, zone: TimeZoneRules) -> String {
    func dollars(_ amount: Int128) -> String { AmountText.readable(amount, fractionDigits: 2) }
    func estimate(_ number: Double) -> String {
      AmountText.picodollars(of: RuleEstimate.dollars(number)).map(dollars) ?? "–"
    }
    func time(_ time: Int64) -> String { TimeText.bucket(time, width: 60_000_000_000, in: zone) }
    var lines: [(String, String)] = [
      ("state", status.state.rawValue),
      (
        "spent",
        "\(dollars(status.spent)) of \(dollars(status.budget.amount.rawValue)) "
          + "(\(NumberText.percentage(status.share))), \(dollars(status.remaining)) remaining"
      ),
      (
        "period",
        "\(status.budget.period.words), \(time(status.start)) to \(time(status.end))"
          + (status.budget.period.isRolling
            ? "" : ", \(NumberText.percentage(status.elapsed)) of it over")
      ),
    ]
    if let owner = status.budget.owner { lines.append(("owner", owner.printable)) }
    if let filter = status.budget.filter { lines.append(("where", filter.printable)) }
    if let pace = status.pace {
      lines.append(
        ("burn rate", NumberText.readable(pace, fractionDigits: 2) + " times the even rate so far"))
    }
    for burn in status.burns {
      lines.append(
        (
          "burn",
          "\(NumberText.readable(burn.long, fractionDigits: 1)) times over "
            + "\(DurationText.text(burn.rate.long)), "
            + "\(NumberText.readable(burn.short, fractionDigits: 1)) over "
            + "\(DurationText.text(burn.rate.short)); \(burn.rate.severity.rawValue) from "
            + NumberText.readable(Double(burn.rate.factorThousandths) / 1000, fractionDigits: 1)
        ))
    }
    lines += outlook(status.outlook, estimate, time)
    if status.unpriced > 0 {
      lines.append(
        (
          "unpriced",
          "\(AmountText.readable(count: status.unpriced)) of "
            + "\(AmountText.readable(count: status.requests)) requests have no price and are not in spent"
        ))
    }
    let width = lines.map(\.0.count).max() ?? 0
    let text = lines.map { name, value in
      "  " + name + String(repeating: " ", count: width - name.count + 2) + value + "\n"
    }
    return page.bold(status.budget.name) + "\n" + text.joined()
  }

  private static func outlook(
    _ outlook: BudgetStatus.Outlook?, _ estimate: (Double) -> String, _ time: (Int64) -> String
  ) -> [(String, String)] {
    guard let outlook else { return [("forecast", "none: nothing was spent so far")] }
    let method =
      outlook.forecast.method == .weekly
      ? "the same hours of the weeks before" : "the mean of the last days"
    var lines = [
      (
        "forecast",
        "\(estimate(outlook.expected)), four times out of five between \(estimate(outlook.low)) and "
          + "\(estimate(outlook.high)); by \(method), tried \(outlook.forecast.trials) times on the past"
      )
    ]
    if let exceeded = outlook.exceededAt ?? outlook.earliest {
      let sure = outlook.exceededAt == nil ? "may be used up at " : "used up about "
      var words = sure + time(exceeded)
      if outlook.exceededAt != nil, let earliest = outlook.earliest {
        words += ", at the earliest \(time(earliest))"
        words += outlook.latest.map { ", at the latest \(time($0))" } ?? ", perhaps not at all"
      }
      lines.append(("exceeded", words))
    }
    return lines
  }
}
