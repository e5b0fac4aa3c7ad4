internal import FarthingQuery

/// Writes a report for scripts: one object of arrays, a row an object, money as exact decimal text.
///
/// Rows of totals are left out, so that a script that adds rows up has the whole once; `figures` has the totals.
enum ReportJSON {
  static func text(_ report: Report) -> String {
    var answer = SectionedAnswer()
    answer.add("report", heading(report.heading))
    answer.add("periods", periods(report.heading.period))
    answer.add("findings", findings(report.findings))
    for table in report.sections.flatMap(\.tables) { answer.add(table.id, rows(of: table)) }
    return answer.text(.json, page: Page())
  }

  private static func heading(_ heading: Report.Heading) -> Answer {
    let period = heading.period
    return Answer(
      columns: [
        .init("title"), .init("period"), .init("since"), .init("until"), .init("end"),
        .init("is_over"), .init("zone"), .init("where"), .init("prices"), .init("made_at"),
        .init("cautions"),
      ],
      rows: [
        [
          .text(heading.title), .text(period.kind.rawValue), .time(period.current.since),
          .time(period.current.until), .time(period.end), .boolean(period.isOver),
          .text(period.zone.isUTC ? "UTC" : period.zone.name),
          heading.filter.map { .text($0) } ?? .null, .text(heading.prices.rawValue),
          .time(heading.madeAt),
          heading.cautions.isEmpty
            ? .null : .text(heading.cautions.map(\.plain).joined(separator: "\n")),
        ]
      ])
  }

  private static func periods(_ period: ReportPeriod) -> Answer {
    Answer(
      columns: [.init("name"), .init("since"), .init("until")],
      rows: period.windows.enumerated().map { place, window in
        [
          .text(place == 0 ? "now" : "before_\(place)"), .time(window.since), .time(window.until),
        ]
      })
  }

  private static func findings(_ findings: [Report.Finding]) -> Answer {
    Answer(
      columns: [
        .init("tone"), .init("title"), .init("text"), .init("advice"), .init("section"),
      ],
      rows: findings.map { finding in
        [
          .text(finding.tone.rawValue), .text(finding.title.plain), .text(finding.text.plain),
          finding.advice.map { .text($0.plain) } ?? .null, .text(finding.section),
        ]
      })
  }

  private static func rows(of table: ReportTable) -> Answer {
    let places = table.columns.indices.filter { table.columns[$0].kind != .trend }
    var columns = places.map { Answer.Column(table.columns[$0].id) }
    var rows = table.rows.filter { $0.style != .total }
      .map { row in places.map { row.cells[$0].value } }
    // Others are told from a value of that name.
    if table.rows.contains(where: { $0.style == .others }) {
      columns.append(.init("is_others"))
      let styles = table.rows.filter { $0.style != .total }.map(\.style)
      for place in rows.indices { rows[place].append(.boolean(styles[place] == .others)) }
    }
    return Answer(columns: columns, rows: rows)
  }
}
