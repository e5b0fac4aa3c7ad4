internal import FarthingQuery

/// What went wrong in the period, and what was done about it.
struct IncidentSections: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  /// Most incidents that are told one by one.
  private static let most = 30

  var incidents: Report.Section {
    var section = Report.Section(id: "incidents", title: "Incidents")
    let found = answers.ledger.incidents
    let ranks = ["critical": 0, "warning": 1]
    let ordered = found.sorted { left, right in
      let (a, b) = (ranks[left.severity] ?? 2, ranks[right.severity] ?? 2)
      if a != b { return a < b }
      return left.startedAt != right.startedAt
        ? left.startedAt < right.startedAt : left.id < right.id
    }
    if !answers.ledger.isKept {
      section.lead =
        "Nothing watched this store: \(code: "farthing serve") does, and \(code: "farthing backtest" + window) says what it would have raised."
    } else if found.isEmpty {
      section.lead = "No incident touched the period."
    } else {
      let open = found.filter { $0.resolvedAt == nil }.count
      section.lead =
        "\(Self.counted(found.count, "incident")) touched the period; \(open == 0 ? "all are over" : "\(open) \(open == 1 ? "is" : "are") not over")."
      section.tables = [table(ordered)]
      if ordered.count > Self.most {
        section.notes.append(
          "\(ordered.count - Self.most) further incidents are not listed; \(code: "farthing alerts --since " + TimeText.rfc3339(period.current.since)) lists all."
        )
      }
      section.notes.append(
        "The most severe first, as they stand now. Excess is what was spent above expectation since the start, which may lie before the period; incidents may share requests, so it is not summed."
      )
      section.command = "farthing alerts --since \(TimeText.rfc3339(period.current.since))"
    }
    if answers.plan.filter != nil, answers.ledger.isKept {
      section.notes.append(
        "Incidents are of all requests, not only of those that this report is narrowed to.")
    }
    return section
  }

  static func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  private func table(_ incidents: [ReportLedger.Incident]) -> ReportTable {
    var table = ReportTable(
      "incidents", "Incidents",
      [
        .init("severity", "severity", .label), .init("status", "status", .label),
        .init("started_at", "began", .label), .init("lasted", "lasted"),
        .init("excess_usd", "excess"), .init("kind", "kind", .label),
        .init("summary", "what happened", .prose), .init("id", "id", .label),
      ])
    table.rows = incidents.prefix(Self.most).map { incident in
      let end = incident.resolvedAt ?? answers.plan.now
      let length = LengthText.readable(end - incident.startedAt)
      return ReportTable.Row([
        .words(incident.severity), .words(incident.status),
        ReportCell(
          .time(incident.startedAt),
          .text(ReportText(stringLiteral: PeriodText.short(incident.startedAt, period.zone)))),
        ReportCell(
          .real((Double(end - incident.startedAt) / 1e9).rounded()),
          .text(ReportText(stringLiteral: incident.resolvedAt == nil ? length + " so far" : length))
        ),
        ReportCell(incident.excess.map { .money($0) } ?? .null), .words(incident.kind),
        .text("\(name: incident.summary)"), .text("\(code: incident.id)"),
      ])
    }
    return table
  }

  /// nil where nothing was done.
  var actions: Report.Section? {
    let actions = answers.ledger.actions
    guard !actions.isEmpty else { return nil }
    var section = Report.Section(id: "actions", title: "Actions taken")
    var table = ReportTable(
      "actions", "Actions taken",
      [
        .init("at", "when", .label), .init("action", "what", .label),
        .init("target", "what it was done to", .label), .init("by", "by", .label),
        .init("note", "note", .prose),
      ])
    table.rows = actions.prefix(Self.most).map { action in
      ReportTable.Row([
        ReportCell(
          .time(action.at),
          .text(ReportText(stringLiteral: PeriodText.short(action.at, period.zone)))),
        .words(action.what), .text("\(name: action.target)"), .text("\(name: action.by)"),
        action.note.map { .text("\(name: $0)") } ?? .blank,
      ])
    }
    section.tables = [table]
    if actions.count > Self.most {
      section.notes = ["\(actions.count - Self.most) further actions are not listed."]
    }
    return section
  }
}
