internal import FarthingCore
internal import FarthingQuery

/// Writes a report as markdown (CommonMark with tables), which also reads well as it is.
struct ReportMarkdown {
  private let report: Report
  private(set) var text = ""

  init(_ report: Report) {
    self.report = report
    write()
  }

  private mutating func write() {
    let heading = report.heading
    text += "# \(heading.title)\n\n"
    text +=
      "\(heading.span), against \(heading.previousSpan).\n\n"
    if let filter = heading.filter {
      text += "Only requests for which \(MarkdownText.code(filter)) holds.\n\n"
    }
    for caution in heading.cautions { text += "> **\(markdown(caution))**\n\n" }
    for (place, finding) in report.findings.enumerated() {
      let mark = ReportHTML.mark(finding.tone).map { "\($0): " } ?? ""
      text += "\(place + 1). **\(mark)\(markdown(finding.title)).** \(markdown(finding.text))"
      if let advice = finding.advice { text += " *\(markdown(advice))*" }
      text += "\n"
    }
    text += "\n"
    for section in report.sections { write(section) }
    let made = PeriodText.moment(heading.madeAt, heading.period.zone)
    let zone = heading.period.zone.isUTC ? "UTC" : heading.period.zone.name
    text +=
      "---\n\nMade by Farthing \(Version.text) on \(made) (\(MarkdownText.escaped(zone))). Amounts are US dollars by price cards, not a bill. – stands where a figure has no value.\n"
  }

  private mutating func write(_ section: Report.Section) {
    text += "## \(MarkdownText.escaped(section.title))\n\n"
    if let lead = section.lead { text += "\(markdown(lead))\n\n" }
    for chart in section.charts { write(chart) }
    let titled = section.tables.count > 1
    for table in section.tables {
      if titled, table.title != section.title {
        text += "### \(MarkdownText.escaped(table.title))\n\n"
      }
      write(table)
    }
    if !section.notes.isEmpty {
      text += section.notes.map { "- \(markdown($0))\n" }.joined() + "\n"
    }
    if let command = section.command {
      text += "Ask again: \(MarkdownText.code(command))\n\n"
    }
  }

  /// What a row of blocks can show of a chart; the tables say the rest.
  private mutating func write(_ chart: ReportChart) {
    guard case .columns(let columns) = chart.kind, columns.count <= 120 else { return }
    let greatest = columns.flatMap { [$0.value ?? 0, $0.previous ?? 0] }.max() ?? 0
    guard greatest > 0 else { return }
    func line(_ name: String, _ amounts: [Int128?]) -> String {
      name + "  " + String(amounts.map { Self.block($0, of: greatest) }) + "\n"
    }
    text += "```text\n" + line("this period", columns.map(\.value))
    text += line("before     ", columns.map(\.previous)) + "```\n\n"
  }

  /// An eighth to eight eighths of a line; a dot for nothing, a space where nothing is known.
  private static func block(_ amount: Int128?, of greatest: Int128) -> Character {
    guard let amount else { return " " }
    if amount <= 0 { return "·" }
    let blocks = Array("▁▂▃▄▅▆▇█")
    let share = Double(amount) / Double(greatest)
    return blocks[min(7, Int(share * 8))]
  }

  private mutating func write(_ table: ReportTable) {
    var lines: [[String]] = [table.columns.map { MarkdownText.escaped($0.title) }]
    for row in table.rows {
      let cells = row.cells.map(cell)
      lines.append(
        row.style == .total ? cells.map { $0.isEmpty ? $0 : "**\($0)**" } : cells)
    }
    let isRight = table.columns.map { $0.kind == .figure }
    // Cells that stand below each other; very long ones do not widen their column.
    let widths = table.columns.indices.map { place in
      min(48, max(3, lines.map { $0[place].displayWidth }.max() ?? 3))
    }
    for (number, line) in lines.enumerated() {
      let padded = line.enumerated().map { place, cell in
        cell.padded(to: widths[place], alignRight: isRight[place])
      }
      text += "| " + padded.joined(separator: " | ") + " |\n"
      if number == 0 {
        let rules = widths.enumerated().map { place, width in
          String(repeating: "-", count: width - 1) + (isRight[place] ? ":" : "-")
        }
        text += "| " + rules.joined(separator: " | ") + " |\n"
      }
    }
    text += "\n"
  }

  private func cell(_ cell: ReportCell) -> String {
    if case .trend(let values) = cell.form { return Self.trend(values) }
    return markdown(cell.shown)
  }

  /// From the least to the greatest of them.
  private static func trend(_ values: [QueryValue]) -> String {
    let numbers = values.map(FigureChange.number)
    let known = numbers.compactMap { $0 }
    if known.isEmpty { return "" }
    let blocks = Array("▁▂▃▄▅▆▇█")
    let scale = TrendScale(known)
    return String(numbers.map { $0.map { blocks[Int((scale.share($0) * 7).rounded())] } ?? "·" })
  }

  private func markdown(_ text: ReportText) -> String {
    text.pieces.map { piece in
      switch piece {
      case .words(let words): words
      case .name(let name): MarkdownText.escaped(name)
      case .code(let code): MarkdownText.code(code)
      case .figure(let figure, _): figure
      }
    }.joined()
  }
}

/// Text inside markdown.
enum MarkdownText {
  /// Whatever it holds, it stays text of one line: no markup, no link, no HTML, no cell's end.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.printable.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\\", "`", "*", "_", "[", "]", "|", "~", "#", "@", "$", "!", "{", "}":
        escaped += "\\"
        escaped.unicodeScalars.append(scalar)
      // `https://` makes a link without any markup, as an at sign does.
      case "/" where escaped.unicodeScalars.last == ":": escaped += "\\/"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return broken(escaped)
  }

  /// `www.` makes a link, too.
  private static func broken(_ text: String) -> String {
    var parts: [Substring] = []
    var rest = text[...]
    while let point = rest.firstIndex(of: ".") {
      parts.append(rest[..<point])
      rest = rest[rest.index(after: point)...]
    }
    parts.append(rest)
    var whole = ""
    for (place, part) in parts.enumerated() {
      whole += part
      guard place < parts.count - 1 else { break }
      whole += part.lowercased().hasSuffix("www") ? "\\." : "."
    }
    return whole
  }

  /// Between as many backticks as it takes; a bar would end a table's cell.
  static func code(_ text: String) -> String {
    let shown = text.printable.split(separator: "|", omittingEmptySubsequences: false)
      .joined(separator: "\\|")
    var longest = 0
    var run = 0
    for character in shown {
      run = character == "`" ? run + 1 : 0
      longest = max(longest, run)
    }
    guard longest > 0 else { return "`\(shown)`" }
    let fence = String(repeating: "`", count: longest + 1)
    return "\(fence) \(shown) \(fence)"
  }
}
