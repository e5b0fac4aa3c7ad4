internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery

/// What may be spent, and what will be.
struct BudgetSection: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  var section: Report.Section? {
    guard now.count("requests") > 0 || !answers.budgets.isEmpty else { return nil }
    var section = Report.Section(id: "budgets", title: "Budgets and forecast")
    section.lead = forecastText
    let gauges = answers.budgets.map(gauge) + (answers.forecast.map { [forecastGauge($0)] } ?? [])
    if !gauges.isEmpty {
      section.charts = [
        ReportChart(
          id: "chart-budgets", title: "Budgets and forecast",
          summary:
            "One bar for each: what is spent, the forecast with its band, and the limit as a mark.",
          kind: .gauges(gauges))
      ]
    }
    if let forecast = forecastTable { section.tables.append(forecast) }
    if answers.budgets.isEmpty {
      section.notes.append("No budget is set; docs/budgets.md says how.")
    } else {
      section.tables.append(table)
      section.notes.append(
        "Budgets as they stood at the end of the period, each in its own period\(answers.plan.filter == nil ? "" : " and of its own requests, not only of those that this report is narrowed to")."
      )
      section.command = "farthing budgets --at \(TimeText.rfc3339(period.current.until - 1))"
    }
    if answers.forecast != nil {
      section.notes.append(
        "Forecasts go by the same hours of the weeks before, or by the mean of the last days; the band held four of five trials on the past (docs/budgets.md)."
      )
    }
    return section
  }

  /// An estimate to the cent, for it is no more than that.
  static func estimate(_ dollars: Double) -> Int128 {
    AmountText.picodollars(of: RuleEstimate.dollars(dollars)) ?? 0
  }

  private static func estimateFigure(_ dollars: Double) -> ReportFigure {
    let amount = estimate(dollars)
    return ReportFigure(
      AmountText.readable(amount, fractionDigits: dollars.magnitude >= 1000 ? 0 : 2),
      exact: "estimated $" + AmountText.exact(amount))
  }

  private static func estimateCell(_ dollars: Double?) -> ReportCell {
    guard let dollars else { return ReportCell(.null) }
    return ReportCell(.money(estimate(dollars)), .text("\(estimateFigure(dollars))"))
  }

  private func monthName(_ status: BudgetStatus) -> String {
    let window = ReportWindow(since: status.start, until: status.end)
    return PeriodText.name(
      ReportPeriod(kind: .month, zone: period.zone, end: status.end, windows: [window]))
  }

  private var forecastText: ReportText? {
    guard let status = answers.forecast, let outlook = status.outlook else { return nil }
    let band: ReportText =
      "four times out of five between \(Self.estimateFigure(outlook.low)) and \(Self.estimateFigure(outlook.high))"
    return
      "\(monthName(status)) comes to \(Self.estimateFigure(outlook.expected)) as it looks, \(band); \(ReportFigure.money(status.spent)) of it was spent when the period ended."
  }

  private var forecastTable: ReportTable? {
    guard let status = answers.forecast, let outlook = status.outlook else { return nil }
    var table = ReportTable(
      "forecast", "Forecast of the month",
      [
        .init("month", "month", .label), .init("spent", "spent so far"),
        .init("forecast", "forecast"), .init("forecast_low", "at least"),
        .init("forecast_high", "at most"),
      ])
    table.rows = [
      ReportTable.Row([
        .words(monthName(status)), ReportCell(.money(status.spent)),
        Self.estimateCell(outlook.expected), Self.estimateCell(outlook.low),
        Self.estimateCell(outlook.high),
      ])
    ]
    return table
  }

  private func forecastGauge(_ status: BudgetStatus) -> ReportChart.Gauge {
    ReportChart.Gauge(
      name: ReportText(stringLiteral: monthName(status)),
      spent: Self.dollars(status.spent), expected: status.outlook?.expected,
      low: status.outlook?.low, high: status.outlook?.high, limit: nil,
      text: status.outlook.map { "forecast \(Self.estimateFigure($0.expected))" } ?? "")
  }

  /// For drawing.
  private static func dollars(_ amount: Int128) -> Double {
    let units = Double(amount)
    return units / 1e12
  }

  private func gauge(_ status: BudgetStatus) -> ReportChart.Gauge {
    ReportChart.Gauge(
      name: "\(name: status.budget.name)", spent: Self.dollars(status.spent),
      expected: status.outlook?.expected, low: status.outlook?.low, high: status.outlook?.high,
      limit: Self.dollars(status.budget.amount.rawValue),
      text:
        "\(ReportFigure.share(status.share)) of \(ReportFigure.money(status.budget.amount.rawValue))"
    )
  }

  private var table: ReportTable {
    var table = ReportTable(
      "budgets", "Budgets",
      [
        .init("name", "budget", .label), .init("state", "state", .label),
        .init("spent", "spent"), .init("amount", "of"), .init("share", "share"),
        .init("elapsed", "time over"), .init("forecast", "forecast"),
        .init("forecast_low", "at least"), .init("forecast_high", "at most"),
        .init("exceeded_at", "used up", .label), .init("unpriced_requests", "without price"),
      ])
    table.rows = answers.budgets.map { status in
      ReportTable.Row([
        .name(status.budget.name), .words(Self.words(status.state)),
        ReportCell(.money(status.spent)), ReportCell(.money(status.budget.amount.rawValue)),
        ReportCell(.ratio(status.share)),
        status.budget.period.isRolling ? .blank : ReportCell(.ratio(status.elapsed)),
        Self.estimateCell(status.outlook?.expected), Self.estimateCell(status.outlook?.low),
        Self.estimateCell(status.outlook?.high),
        status.outlook?.exceededAt.map { time in
          ReportCell(
            .time(time), .text(ReportText(stringLiteral: PeriodText.short(time, period.zone))))
        } ?? .blank, ReportCell(.count(status.unpriced)),
      ])
    }
    return table
  }

  static func words(_ state: BudgetStatus.State) -> String {
    switch state {
    case .ok: "within"
    case .forecast: "will be exceeded"
    case .burning: "spent too fast"
    case .soft: "over a soft threshold"
    case .hard: "over a hard threshold"
    }
  }
}

/// What no total has, for want of a price.
struct CoverageSection: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  var section: Report.Section? {
    let requests = now.count("requests")
    guard requests > 0 else { return nil }
    var section = Report.Section(id: "coverage", title: "Price coverage")
    let unpriced = now.count("unpriced_requests")
    if unpriced == 0 {
      section.lead = "Every request has a price: no total of this report lacks anything."
    } else {
      section.lead =
        """
        \(ReportFigure.count(unpriced)) of \(ReportFigure.count(requests)) requests (\(ReportFigure(share(unpriced, of: requests)))) could not be \
        priced: their model has no price, or they came without usage. They add nothing to any cost above, and what they cost is unknown: every total \
        is too low by it.
        """
      section.tables = [table]
      section.notes = [
        "\(code: "farthing prices missing") says which models lack one; \(code: "farthing prices import") and \(code: "farthing prices reprice") then give it."
      ]
    }
    let estimated = now.money("estimated_cost")
    if estimated > 0 {
      section.notes.append(
        "\(ReportFigure.money(estimated)) of the cost (\(ReportFigure(share(estimated, of: now.money("cost"))))) rests on estimated usage or on prices marked as approximate."
      )
    }
    section.command = query("requests,unpriced_requests,price_coverage", by: "model")
    return section
  }

  private var table: ReportTable {
    var table = ReportTable(
      "unpriced", "Requests that could not be priced, by model",
      [
        .init("model", "model", .label), .init("unpriced_requests", "not priced"),
        .init("requests", "requests"), .init("share", "share"), .init("before", "before"),
      ])
    func row(
      _ name: ReportCell, _ unpriced: Int128, _ requests: Int128, _ old: Int128,
      _ style: ReportTable.Row.Style
    ) -> ReportTable.Row {
      ReportTable.Row(
        [
          name, ReportCell(.count(unpriced)), ReportCell(.count(requests)),
          ReportCell(share(unpriced, of: requests)), ReportCell(.count(old)),
        ], style)
    }
    func count(_ group: ReportAnswers.Group, _ isNow: Bool) -> Int128 {
      (isNow ? group.now : group.before).count("unpriced_requests")
    }
    let lacking = answers.models.filter { count($0, true) > 0 || count($0, false) > 0 }
      .sorted { count($0, true) > count($1, true) }
    let (shown, others) = named(lacking)
    table.rows = shown.map {
      row(.name($0.name), count($0, true), $0.now.count("requests"), count($0, false), .plain)
    }
    if !others.isEmpty {
      table.rows.append(
        row(
          othersName(others.count), sum(others, "unpriced_requests"), sum(others, "requests"),
          sum(others, "unpriced_requests", now: false), .others))
    }
    table.rows.append(
      row(
        .words("all of these"), now.count("unpriced_requests"), sum(lacking, "requests"),
        before.count("unpriced_requests"), .total))
    return table
  }
}
