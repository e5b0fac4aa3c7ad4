internal import FarthingCore
internal import FarthingQuery

/// Why cost changed: the bridge of `farthing explain`, and who contributed.
struct ChangeSection: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  private var found: Explanation { answers.explanation }

  var section: Report.Section? {
    guard found.before.requests + found.after.requests > 0 else { return nil }
    var section = Report.Section(id: "change", title: "What changed")
    let text = ExplanationSentence.text(found)
    section.lead = ReportText(stringLiteral: text.prefix(1).uppercased() + text.dropFirst() + ".")
    if found.before.cost != 0 || found.after.cost != 0 {
      section.charts = [chart]
      section.tables = [bridge]
    }
    for dimension in found.plan.dimensions.map(\.name) {
      if let table = contributors(dimension) { section.tables.append(table) }
    }
    let quiet = found.parts.filter { $0.change == 0 }.map(\.part.words)
    if !quiet.isEmpty, quiet.count < BridgePart.allCases.count {
      section.notes.append("No part of it: \(quiet.joined(separator: ", ")).")
    }
    section.notes += [
      "The parts sum to the change to the picodollar; docs/explain.md says what each means. Before and after show the figure that a part is known by, over all requests.",
      "Requests without a price are in neither total.",
    ]
    var command =
      "farthing explain" + window
      + " --versus \(TimeText.rfc3339(period.previous.since))/\(TimeText.rfc3339(period.previous.until))"
    if let filter = answers.plan.filterText { command += " --where " + Self.quoted(filter) }
    section.command = command
    return section
  }

  private var chart: ReportChart {
    let steps = found.parts.filter { $0.change != 0 }
      .map { ReportChart.Step(name: $0.part.words, change: $0.change) }
    return ReportChart(
      id: "chart-bridge", title: "From the cost before to the cost now",
      summary: """
        From \(ReportFigure.money(found.before.cost)) to \(ReportFigure.money(found.after.cost)): one step for each part \
        of the change, as in the table below.
        """,
      kind: .bridge(before: found.before.cost, steps: steps, after: found.after.cost))
  }

  private var bridge: ReportTable {
    let amounts = [found.before.cost, found.after.cost] + found.parts.map(\.change)
    let digits = ReportFigure.digits(of: amounts)
    func total(_ name: String, _ amount: Int128) -> ReportTable.Row {
      ReportTable.Row(
        [
          .words(name),
          ReportCell(.money(amount), .text("\(ReportFigure.money(amount, digits: digits))")),
          .blank, .blank, .blank, .blank,
        ], .total)
    }
    var table = ReportTable(
      "bridge", "The bridge",
      [
        .init("part", "part", .label), .init("change", "amount"), .init("share", "of change"),
        .init("figure", "known by", .label), .init("before", "before"), .init("after", "after"),
      ])
    table.rows.append(total("cost before", found.before.cost))
    for part in found.parts where part.change != 0 {
      func figure(_ value: QueryValue) -> ReportCell {
        part.figure == nil ? .blank : ReportCell(value)
      }
      table.rows.append(
        ReportTable.Row([
          ReportCell(
            .text(part.part.rawValue), .text(ReportText(stringLiteral: part.part.words))),
          ReportCell(
            .money(part.change), .text("\(FigureChange.money(part.change, digits: digits))")),
          ReportCell(share(part.change, of: found.change)),
          part.figure.map { ReportCell.text("\(name: $0)") } ?? .blank,
          figure(part.before), figure(part.after),
        ]))
    }
    table.rows.append(total("cost now", found.after.cost))
    return table
  }

  /// nil where one value is all there is.
  private func contributors(_ dimension: String) -> ReportTable? {
    let own = found.contributors.filter { $0.dimension == dimension }
    guard own.count > 1 else { return nil }
    let digits = ReportFigure.digits(of: own.flatMap { [$0.before, $0.after, $0.change] })
    var table = ReportTable(
      "contributors_\(dimension)", "By \(dimension), the largest changes",
      [
        .init(dimension, dimension, .label), .init("before", "before"), .init("after", "now"),
        .init("change", "change"), .init("relative", ""),
      ])
    func row(
      _ name: ReportCell, _ old: Int128, _ new: Int128, _ style: ReportTable.Row.Style
    ) -> ReportTable.Row {
      ReportTable.Row(
        [
          name, ReportCell(.money(old)), ReportCell(.money(new)),
          differenceCell(old, new, digits),
          FigureChange(from: .money(old), to: .money(new), .neutral).cell,
        ], style)
    }
    table.rows = own.map { one in
      if let others = one.others {
        let name = others == 1 ? "1 other" : "\(AmountText.readable(count: Int128(others))) others"
        return row(.words(name), one.before, one.after, .others)
      }
      return row(.name(one.value), one.before, one.after, .plain)
    }
    table.rows.append(row(.words("all"), found.before.cost, found.after.cost, .total))
    return table
  }
}
