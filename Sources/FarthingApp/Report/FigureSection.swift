internal import FarthingQuery

/// A figure of the review: what it is called, and what a rise of it means.
struct KeyFigure {
  var id: String
  var title: String
  var direction: FigureChange.Direction
  /// Whether it stands among those that are looked at first.
  var isLead = false
  /// How it is counted.
  var note: String

  /// None where the period has no request: what was not seen did not cost nothing.
  func value(_ values: ReportAnswers.MetricValues) -> QueryValue {
    if values.count("requests") == 0 { return .null }
    guard id == "tokens_per_request" else { return values[id] }
    let (tokens, requests) = (values.count("tokens"), values.count("requests"))
    return requests == 0 ? .null : .real(Double(tokens) / Double(requests))
  }

  static let all = [
    KeyFigure(
      id: "cost", title: "Cost", direction: .neutral, isLead: true,
      note: "by the price cards in force; requests without a price add nothing"),
    KeyFigure(
      id: "cost_per_successful_task", title: "Cost per successful task",
      direction: .risingIsWorse, isLead: true,
      note:
        "cost of the requests that carry a task, failed tasks included, ÷ successful tasks; outcomes that are still to come will change it"
    ),
    KeyFigure(
      id: "cost_per_query", title: "Cost per query", direction: .risingIsWorse, isLead: true,
      note: "cost ÷ first attempts: a retry adds cost, but no query"),
    KeyFigure(
      id: "cost_per_1m_tokens", title: "Cost per 1M tokens", direction: .risingIsWorse,
      isLead: true, note: "cost ÷ input and output tokens"),
    KeyFigure(
      id: "requests", title: "Requests", direction: .neutral, note: "attempts of any outcome"),
    KeyFigure(
      id: "tokens_per_request", title: "Tokens a request", direction: .neutral,
      note: "input and output tokens ÷ requests"),
    KeyFigure(
      id: "successful_tasks", title: "Successful tasks", direction: .risingIsBetter,
      note: "by their winning outcome, as known now"),
    KeyFigure(
      id: "task_success_rate", title: "Task success rate", direction: .risingIsBetter,
      note: "of tasks whose outcome is known"),
    KeyFigure(
      id: "latency_p50", title: "Median latency", direction: .risingIsWorse, isLead: true,
      note: "end to end, milliseconds, within 1 %"),
    KeyFigure(
      id: "latency_p95", title: "p95 latency", direction: .risingIsWorse, isLead: true,
      note: "19 of 20 requests are at most as slow"),
    KeyFigure(
      id: "cache_hit_rate", title: "Cache hit rate", direction: .risingIsBetter, isLead: true,
      note: "input tokens read from a prompt cache ÷ input tokens"),
    KeyFigure(
      id: "error_rate", title: "Error rate", direction: .risingIsWorse,
      note: "requests whose status is not ok"),
    KeyFigure(
      id: "retry_rate", title: "Retry rate", direction: .risingIsWorse,
      note: "requests whose attempt is above 1"),
    KeyFigure(
      id: "retrieval_failure_rate", title: "Retrieval failure rate", direction: .risingIsWorse,
      isLead: true, note: "failed retrieval look-ups ÷ retrieval look-ups"),
    KeyFigure(
      id: "price_coverage", title: "Price coverage", direction: .risingIsBetter,
      note: "requests that have a price ÷ requests"),
  ]
}

/// The figures that the review begins with.
struct FigureSection: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  private var shown: [KeyFigure] {
    KeyFigure.all.filter { figure in
      answers.figures.contains { figure.value($0) != .null }
    }
  }

  var section: Report.Section {
    var table = ReportTable(
      "figures", "Key figures",
      [
        .init("figure", "", .label), .init("now", "now"), .init("before", previously),
        .init("change", "change"), .init("trend", "last five", .trend),
      ])
    table.rows = shown.map(row)
    var section = Report.Section(id: "figures", title: "Key figures")
    section.tables = [table, history]
    section.notes = shown.map { "\($0.title): \($0.note)." }
    section.notes.append(
      """
      Every figure is of the requests whose time lies in the period. A task that began before it, or goes on after it, \
      has only its requests within it here; \(code: "farthing query cost_per_successful_task --closed-cohort") takes tasks whole.
      """)
    section.command = query(
      shown.map(\.id).filter { $0 != "tokens_per_request" }.joined(separator: ",") + ",tokens")
    return section
  }

  private func row(_ figure: KeyFigure) -> ReportTable.Row {
    let (old, new) = (figure.value(before), figure.value(now))
    let digits = ReportFigure.digits(of: [old, new].compactMap(ReadableCells.amount))
    func cell(_ value: QueryValue) -> ReportCell {
      ReportCell(value, .text(value == .null ? "–" : "\(ReportFigure(value, digits: digits))"))
    }
    return ReportTable.Row([
      ReportCell(.text(figure.id), .text(ReportText(stringLiteral: figure.title))), cell(new),
      cell(old), FigureChange(from: old, to: new, figure.direction).cell,
      ReportCell(.null, .trend(answers.figures.reversed().map(figure.value))),
    ])
  }

  /// What the trends are drawn from.
  private var history: ReportTable {
    let zone = period.zone
    var columns: [ReportTable.Column] = [.init("figure", "", .label)]
    for (place, window) in period.windows.enumerated().reversed() {
      let start = PeriodText.short(window.since, zone)
      let isDay = LocalDay(window.since, zone).isStart
      let title = isDay ? String(start.dropLast(6)) : start
      columns.append(.init(place == 0 ? "now" : "before_\(place)", "from \(title)"))
    }
    var table = ReportTable("history", "The last five periods", columns)
    table.isDetail = true
    table.rows = shown.map { figure in
      let values = answers.figures.reversed().map(figure.value)
      let digits = ReportFigure.digits(of: values.compactMap(ReadableCells.amount))
      return ReportTable.Row(
        [ReportCell(.text(figure.id), .text(ReportText(stringLiteral: figure.title)))]
          + values.map {
            ReportCell($0, .text($0 == .null ? "–" : "\(ReportFigure($0, digits: digits))"))
          })
    }
    return table
  }
}

/// Cost over the period, beside the one before.
struct TimeSection: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  private var unit: String {
    switch answers.bucketWidth.unit {
    case .day: "day"
    case .week: "week"
    default: "hour"
    }
  }

  var section: Report.Section? {
    guard now.count("requests") + before.count("requests") > 0 else { return nil }
    var section = Report.Section(id: "time", title: "Cost by \(unit)")
    section.charts = [chart]
    section.tables = [table]
    if let most = answers.current.max(by: { $0.cost < $1.cost }), most.cost > 0 {
      let title = PeriodText.bucket(most.start, answers.bucketWidth, period.zone).title
      section.lead =
        "The dearest \(unit) was \(title) with \(ReportFigure.money(most.cost)), \(ReportFigure(share(most.cost, of: now.money("cost")))) of the whole."
    }
    let width = answers.bucketWidth
    section.command = query(
      "cost,requests,unpriced_requests", every: "\(width.count)\(width.unit.rawValue)")
    return section
  }

  private var pairs: [(ReportAnswers.Bucket?, ReportAnswers.Bucket?)] {
    (0..<max(answers.current.count, answers.previous.count)).map { place in
      (
        answers.current.indices.contains(place) ? answers.current[place] : nil,
        answers.previous.indices.contains(place) ? answers.previous[place] : nil
      )
    }
  }

  private var chart: ReportChart {
    let columns = pairs.map { current, previous in
      let start = (current ?? previous)?.start ?? 0
      var (label, title) = PeriodText.bucket(start, answers.bucketWidth, period.zone)
      if unit == "day", pairs.count <= 14 {
        label = PeriodText.weekday(start, period.zone) + " " + label
      }
      if current == nil { title = "no such \(unit); before, \(title)" }
      return ReportChart.Column(
        label: current == nil ? "" : label, title: title, value: current?.cost,
        previous: previous?.cost)
    }
    return ReportChart(
      id: "chart-time", title: "Cost by \(unit)",
      summary:
        "One column for each \(unit) of the period, with the same \(unit) of \(previously) as a line.",
      kind: .columns(columns))
  }

  private var table: ReportTable {
    var table = ReportTable(
      "buckets", "Cost by \(unit)",
      [
        .init("time", unit, .label), .init("cost", "cost"), .init("before", "before"),
        .init("requests", "requests"), .init("unpriced_requests", "without price"),
      ])
    table.isDetail = true
    table.rows = pairs.map { current, previous in
      let name =
        current.map { PeriodText.bucket($0.start, answers.bucketWidth, period.zone).title } ?? "–"
      return ReportTable.Row([
        ReportCell(
          current.map { .time($0.start) } ?? .null, .text(ReportText(stringLiteral: name))),
        ReportCell(current.map { .money($0.cost) } ?? .null),
        ReportCell(previous.map { .money($0.cost) } ?? .null),
        ReportCell(current.map { .count($0.requests) } ?? .null),
        ReportCell(current.map { .count($0.unpriced) } ?? .null),
      ])
    }
    table.rows.append(
      ReportTable.Row(
        [
          .words("all"), ReportCell(.money(now.money("cost"))),
          ReportCell(.money(before.money("cost"))), ReportCell(.count(now.count("requests"))),
          ReportCell(.count(now.count("unpriced_requests"))),
        ], .total))
    return table
  }
}
