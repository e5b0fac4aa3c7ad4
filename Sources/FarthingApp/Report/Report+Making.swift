internal import FarthingCore
internal import FarthingQuery

// From answers to a report: pure, so that the same answers give the same report.

extension Report {
  /// The report that the answers make.
  package init(_ answers: ReportAnswers) {
    let sections = [
      FigureSection(answers).section, TimeSection(answers).section,
      ChangeSection(answers).section, WorkloadSections(answers).unitCosts,
      WorkloadSections(answers).reliability, ModelSection(answers).section,
      WasteSection(answers).section, IncidentSections(answers).incidents,
      IncidentSections(answers).actions, BudgetSection(answers).section,
      CoverageSection(answers).section,
    ].compactMap { $0 }
    self.init(
      heading: Heading(answers), findings: Findings(answers).found,
      sections: sections.map { section in
        var section = section
        section.tables = section.tables.map { $0.settled() }
        return section
      })
  }
}

extension Report.Heading {
  fileprivate init(_ answers: ReportAnswers) {
    let period = answers.period
    let plan = answers.plan
    self.init(
      title: "Unit cost review: \(PeriodText.name(period))", period: period,
      span: PeriodText.span(period.current, period),
      previousSpan: PeriodText.span(period.previous, period), madeAt: plan.now,
      filter: plan.filterText, prices: plan.prices, cautions: Self.cautions(answers))
  }

  private static func cautions(_ answers: ReportAnswers) -> [ReportText] {
    let period = answers.period
    var cautions: [ReportText] = []
    if let empty = answers.empty {
      cautions.append(
        "There are no requests in \(PeriodText.name(empty)). This is the latest \(noun(period)) that has any."
      )
    }
    if !period.isOver {
      let length = LengthText.readable(period.current.until - period.current.since)
      cautions.append(
        """
        This \(noun(period)) is not over: its figures are of the first \(length), up to \
        \(PeriodText.moment(period.current.until, period.zone)), and everything is compared with as much of the periods before.
        """)
    }
    for gap in answers.gaps { cautions.append("Incomplete: \(name: gap)") }
    if answers.plan.prices == .booked {
      cautions.append("Costs are as they were booked on arrival, without later repricings.")
    }
    return cautions
  }

  private static func noun(_ period: ReportPeriod) -> String {
    period.kind == .span ? "period" : period.kind.rawValue
  }
}

/// A section in the making.
protocol ReportSectionMaking {
  var answers: ReportAnswers { get }
}

extension ReportSectionMaking {
  var now: ReportAnswers.MetricValues { answers.figures[0] }
  var before: ReportAnswers.MetricValues { answers.figures[1] }
  var period: ReportPeriod { answers.period }
  var previously: String { PeriodText.previous(answers.period) }

  /// The command that asks for the same.
  func query(
    _ metrics: String, by group: String? = nil, every: String? = nil, and further: String? = nil
  )
    -> String
  {
    var words = "farthing query \(metrics)"
    if let group { words += " --by \(group)" }
    if let every { words += " --every \(every)" }
    let filters = [answers.plan.filterText.map { further == nil ? $0 : "(\($0))" }, further]
      .compactMap { $0 }
    if !filters.isEmpty { words += " --where " + Self.quoted(filters.joined(separator: " and ")) }
    return words + window
  }

  var window: String {
    var words =
      " --since \(TimeText.rfc3339(period.current.since)) --until \(TimeText.rfc3339(period.current.until))"
    if !period.zone.isUTC { words += " --tz \(period.zone.name)" }
    if answers.plan.prices == .booked { words += " --prices booked" }
    return words
  }

  /// As a shell takes it for one word.
  static func quoted(_ text: String) -> String {
    if !text.contains("'") { return "'" + text + "'" }
    if !text.contains(where: { "\"$`\\!".contains($0) }) { return "\"" + text + "\"" }
    return "'"
      + text.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }

  /// `from $12.30 to $14.10`
  func fromTo(_ metric: String) -> ReportText {
    "from \(ReportFigure(before[metric])) to \(ReportFigure(now[metric]))"
  }

  /// A difference of amounts and how much of the former one that is: `+$3.10 (+23.1%)`.
  func difference(_ old: Int128, _ new: Int128, _ digits: Int) -> ReportText {
    let change = FigureChange(from: .money(old), to: .money(new), .neutral)
    let amount = FigureChange.money(new - old, digits: digits)
    guard let relative = change.relative else { return "\(amount)" }
    return "\(amount) (\(FigureChange.signed(relative)))"
  }

  /// The cell of that.
  func differenceCell(_ old: Int128, _ new: Int128, _ digits: Int) -> ReportCell {
    ReportCell(
      .money(new - old), .text("\(FigureChange.money(new - old, digits: digits))"))
  }

  func share(_ part: Int128, of whole: Int128) -> QueryValue {
    whole == 0 ? .null : .ratio(Double(part) / Double(whole))
  }
}

/// Most rows that a table tells by name.
enum ReportLimits {
  static let rows = 10
}
