internal import FarthingCore
internal import FarthingQuery

// One file: no script, no font, no picture from elsewhere. The policy in its head has the browser hold us to it.

/// Writes a report as a page.
struct ReportHTML {
  private let report: Report
  private(set) var text = ""

  init(_ report: Report) {
    self.report = report
    write()
  }

  private mutating func write() {
    head()
    text += "<body>\n<main>\n"
    header()
    findings()
    for section in report.sections { write(section) }
    text += "</main>\n"
    footer()
    text += "</body>\n</html>\n"
  }

  private mutating func head() {
    let title = HTMLText.escaped(report.heading.title)
    text += """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="generator" content="Farthing \(Version.text)">
      <meta name="referrer" content="no-referrer">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
      <link rel="icon" href="data:,">
      <title>\(title)</title>
      <style>
      \(ReportStyle.sheet)</style>
      </head>

      """
  }

  private mutating func header() {
    let heading = report.heading
    text += "<header>\n<h1>\(HTMLText.escaped(heading.title))</h1>\n<p class=\"span\">"
    text += HTMLText.escaped(heading.span)
    text += " <span class=\"quiet\">against \(HTMLText.escaped(heading.previousSpan))</span></p>\n"
    if let filter = heading.filter {
      text += "<p>Only requests for which <code>\(HTMLText.escaped(filter))</code> holds.</p>\n"
    }
    for caution in heading.cautions {
      text += "<p class=\"caution\" role=\"note\">\(html(caution))</p>\n"
    }
    text += "</header>\n"
  }

  private mutating func findings() {
    guard !report.findings.isEmpty else { return }
    text +=
      "<section id=\"findings\" aria-labelledby=\"h-findings\">\n<h2 id=\"h-findings\">In short</h2>\n<ol class=\"findings\">\n"
    for finding in report.findings {
      text += "<li class=\"\(finding.tone.rawValue)\">"
      if let mark = ReportHTML.mark(finding.tone) {
        text += "<span class=\"mark-word\">\(mark)</span> "
      }
      text += "<strong>\(html(finding.title))</strong> \(html(finding.text))"
      if let advice = finding.advice { text += " <span class=\"advice\">\(html(advice))</span>" }
      text += " <a href=\"#\(finding.section)\">figures</a></li>\n"
    }
    text += "</ol>\n</section>\n"
  }

  /// So that colour is not the only sign.
  static func mark(_ tone: Report.Finding.Tone) -> String? {
    switch tone {
    case .act: "Act"
    case .watch: "Watch"
    case .good: "Better"
    case .note: nil
    }
  }

  private mutating func write(_ section: Report.Section) {
    text += "<section id=\"\(section.id)\" aria-labelledby=\"h-\(section.id)\">\n"
    text += "<h2 id=\"h-\(section.id)\">\(HTMLText.escaped(section.title))</h2>\n"
    if let lead = section.lead { text += "<p>\(html(lead))</p>\n" }
    if section.id == "figures", let table = section.tables.first { tiles(table) }
    for chart in section.charts {
      text += "<figure>\n\(legend(chart))\(ChartDrawing.svg(chart))</figure>\n"
    }
    let grouped = section.tables.filter { $0.id.hasPrefix("contributors_") }
    for table in section.tables where !table.id.hasPrefix("contributors_") { write(table, section) }
    if !grouped.isEmpty {
      text += "<div class=\"pair\">\n"
      // Long names need the whole width, and stand last so that no gap is left.
      for table in grouped where !Self.isWide(table) { write(table, section) }
      for table in grouped where Self.isWide(table) {
        text += "<div class=\"wide\">\n"
        write(table, section)
        text += "</div>\n"
      }
      text += "</div>\n"
    }
    if !section.notes.isEmpty || section.command != nil {
      text += "<details class=\"notes\"><summary>How it is counted</summary>\n"
      if !section.notes.isEmpty {
        text += "<ul>\n" + section.notes.map { "<li>\(html($0))</li>\n" }.joined() + "</ul>\n"
      }
      if let command = section.command {
        text += "<p>Ask again:</p>\n<pre><code>\(HTMLText.escaped(command))</code></pre>\n"
      }
      text += "</details>\n"
    }
    text += "</section>\n"
  }

  private func legend(_ chart: ReportChart) -> String {
    let before = HTMLText.escaped(PeriodText.previous(report.heading.period))
    let words: String
    switch chart.kind {
    case .columns, .bars:
      words =
        "<span class=\"key bar\"></span> this period <span class=\"key mark\"></span> \(before)"
    case .bridge:
      words = "<span class=\"key up\"></span> more <span class=\"key down\"></span> less"
    case .gauges:
      words =
        "<span class=\"key bar\"></span> spent <span class=\"key band\"></span> forecast, four times out of five <span class=\"key limit\"></span> budget"
    }
    return
      "<figcaption>\(HTMLText.escaped(chart.title)) <span class=\"legend\">\(words)</span></figcaption>\n"
  }

  // MARK: Tables

  /// The figures that are looked at first.
  private mutating func tiles(_ table: ReportTable) {
    let leading = Set(KeyFigure.all.filter(\.isLead).map(\.id))
    text += "<ul class=\"tiles\">\n"
    for row in table.rows {
      guard row.cells.count == 5, case .text(let id) = row.cells[0].value, leading.contains(id)
      else { continue }
      text += "<li><span class=\"label\">\(cell(row.cells[0]))</span>"
      let unit = id.hasPrefix("latency") ? "<span class=\"unit\"> ms</span>" : ""
      text += "<span class=\"value\">\(cell(row.cells[1]))\(unit)</span>"
      text += "<span class=\"delta\">\(cell(row.cells[3]))</span>"
      text += "\(cell(row.cells[4], title: "Trend"))</li>\n"
    }
    text += "</ul>\n"
  }

  private mutating func write(_ table: ReportTable, _ section: Report.Section) {
    let title = HTMLText.escaped(table.title)
    if table.isDetail { text += "<details><summary>\(title) as a table</summary>\n" }
    // The section's own heading says what its only table is.
    let isAlone = table.title == section.title || table.isDetail
    // Wide tables scroll by themselves, by keyboard as well.
    text +=
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(title)\">\n<table>\n"
    text += "<caption\(isAlone ? " class=\"vh\"" : "")>\(title)</caption>\n<thead><tr>"
    for column in table.columns {
      let style = Self.style(column.kind)
      text += "<th scope=\"col\"\(style)>\(HTMLText.escaped(column.title))</th>"
    }
    text += "</tr></thead>\n<tbody>\n"
    for row in table.rows {
      let style =
        switch row.style {
        case .plain: ""
        case .others: " class=\"others\""
        case .total: " class=\"total\""
        }
      text += "<tr\(style)>"
      for (place, one) in row.cells.enumerated() {
        let column = table.columns[place]
        let inner = cell(one, title: row.cells[0].shown.plain)
        text +=
          place == 0
          ? "<th scope=\"row\">\(inner)</th>" : "<td\(Self.style(column.kind))>\(inner)</td>"
      }
      text += "</tr>\n"
    }
    text += "</tbody>\n</table>\n</div>\n"
    if table.isDetail { text += "</details>\n" }
  }

  private static func isWide(_ table: ReportTable) -> Bool {
    table.rows.contains { $0.cells[0].shown.plain.displayWidth > 28 }
  }

  private static func style(_ kind: ReportTable.Column.Kind) -> String {
    switch kind {
    case .label: ""
    case .figure: " class=\"n\""
    case .trend: " class=\"s\""
    case .prose: " class=\"p\""
    }
  }

  private func cell(_ cell: ReportCell, title: String = "") -> String {
    switch cell.form {
    case .blank: ""
    case .plain, .text: html(cell.shown)
    case .trend(let values): ChartDrawing.trend(values, title: title)
    case .change(let judgement, let words):
      switch judgement {
      case .neither: html(words)
      case .better: "<span class=\"better\">\(html(words))<span class=\"vh\"> better</span></span>"
      case .worse: "<span class=\"worse\">\(html(words))<span class=\"vh\"> worse</span></span>"
      }
    }
  }

  private func html(_ text: ReportText) -> String {
    text.pieces.map { piece in
      switch piece {
      case .words(let words): HTMLText.escaped(words)
      case .name(let name): "<bdi>\(HTMLText.escaped(name))</bdi>"
      case .code(let code): "<code>\(HTMLText.escaped(code))</code>"
      case .figure(let figure, let exact):
        "<span class=\"f\" title=\"\(HTMLText.escaped(exact))\">\(HTMLText.escaped(figure))</span>"
      }
    }.joined()
  }

  private mutating func footer() {
    let heading = report.heading
    let made = PeriodText.moment(heading.madeAt, heading.period.zone)
    let zone = heading.period.zone.isUTC ? "UTC" : heading.period.zone.name
    text += """
      <footer>
      <p>Made by Farthing \(Version.text) on \(HTMLText.escaped(made)) (\(HTMLText.escaped(zone))). Amounts are US dollars by price cards, not a bill; \
      the exact amount of each is its tooltip. – stands where a figure has no value.</p>
      </footer>

      """
  }
}

extension ReportCell {
  /// Its text.
  var shown: ReportText {
    switch form {
    case .text(let text), .change(_, let text): text
    case .plain: ReportText(stringLiteral: value == .null ? "–" : ReportFigure(value).text)
    case .trend, .blank: ReportText()
    }
  }
}
