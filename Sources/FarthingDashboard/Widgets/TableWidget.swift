/// Figures by group: a line each, the columns as many as fit.
struct TableWidget {
  let view: PanelView
  let scene: Scene

  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [RowFacts] {
    let by = view.grouping
    let rows = GroupRows(view, scene, by: by)
    var note = PanelNote.text(rows.found, view, by: by)
    if !scene.state.search.isEmpty {
      note = "\(rows.rows.count) of \(rows.total) with “\(scene.state.search)”"
    }
    canvas.frame(view.box, title: PanelNote.title(view, by: by), note: note, isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    part.columns = view.panel.metrics
    guard rows.found != nil else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    if let fault = rows.found?.answer.fault {
      PanelNote.nothing(fault, on: &canvas, inner)
      return []
    }
    guard !rows.rows.isEmpty else {
      PanelNote.nothing("no requests", on: &canvas, inner)
      return []
    }
    let columns = TableColumns(rows.rows, view: view, by: by, width: inner.width)
    columns.drawHeading(on: &canvas, inner, state: scene.state, id: view.id)
    let body = Box(x: inner.x, y: inner.y + 1, width: inner.width, height: inner.height - 1)
    let window = RowWindow(
      count: rows.rows.count, lines: body.height, state: scene.state, id: view.id)
    window.note(in: &part, firstLine: body.y)
    for (line, row) in rows.rows[window.range].enumerated() {
      columns.draw(row, on: &canvas, body, y: body.y + line, showsExact: scene.state.showsExact)
    }
    window.mark(on: &canvas, body, isFocused: isFocused)
    return rows.rows.map { row in
      var facts = RowFacts()
      facts.dimensions = zip(by, row.key).map { field, value in
        ScopeStep(field: field, value: value == .missing ? nil : FigureFormat.exact(value))
      }
      facts.exact = zip(view.panel.metrics, row.figures).map { metric, figure in
        "\(MetricWords.short(metric)) \(FigureFormat.exact(figure))"
      }
      if let coverage = row.coverage, coverage < 1 { facts.exact.append(Coverage.text(coverage)) }
      return facts
    }
  }
}

/// Widths and forms of a table's columns.
struct TableColumns {
  struct Column {
    var metric: String
    var place: Int
    var format: FigureFormat
    var width: Int
  }

  let keyWidth: Int
  let columns: [Column]
  /// Cells of the bar that shows each row's share of the first figure; 0 for none.
  let barWidth: Int
  let largest: Double
  let view: PanelView
  let by: [String]
  /// Whether some row's cost lacks requests.
  let isIncomplete: Bool

  private static let gap = 2

  init(_ rows: [GroupRows.Row], view: PanelView, by: [String], width: Int) {
    self.view = view
    self.by = by
    let all = view.panel.metrics.enumerated().map { place, metric -> Column in
      let figures = rows.lazy.map { $0.figures[place] }
      let format = FigureFormat(figures)
      let widest = figures.map { SafeText.width(format.text($0)) }.max() ?? 1
      // One cell more for the sign of the order.
      return Column(
        metric: metric, place: place, format: format,
        width: max(widest, SafeText.width(MetricWords.short(metric)) + 1))
    }
    let longest = rows.lazy.map { SafeText.width(KeyText.text($0.key)) }.max() ?? 8
    let wanted = max(6, min(longest, 44), SafeText.width(by.joined(separator: ", ")))
    var kept: [Column] = []
    var left = width - min(wanted, max(12, width / 3))
    for column in all where left >= column.width + Self.gap {
      kept.append(column)
      left -= column.width + Self.gap
    }
    let firstIsCost =
      kept.first.map { Question.isMoney($0.metric) || $0.metric == "requests" } ?? false
    let used = kept.reduce(0) { $0 + $1.width + Self.gap }
    var spare = width - used - wanted
    barWidth = firstIsCost && spare >= 8 ? min(16, spare - 2) : 0
    spare -= barWidth > 0 ? barWidth + Self.gap : 0
    keyWidth = max(1, width - used - (barWidth > 0 ? barWidth + Self.gap : 0))
    columns = kept
    largest =
      kept.first.map { first in
        rows.lazy.compactMap { $0.figures[first.place].magnitude }.max() ?? 0
      } ?? 0
    isIncomplete = rows.contains { ($0.coverage ?? 1) < 1 }
  }

  func drawHeading(on canvas: inout Canvas, _ box: Box, state: TopState, id: PanelID) {
    let sorting = state.sortings[id]
    let order = sorting?.column ?? view.panel.order ?? view.panel.metrics.first
    let sign = sorting?.isAscending == true ? canvas.glyphs.rising : canvas.glyphs.falling
    let key = by.joined(separator: ", ") + (order == Self.keyColumn ? sign : "")
    canvas.put(SafeText.fitted(key, to: keyWidth), x: box.x, y: box.y, .dim)
    var x = box.x + keyWidth
    for (number, column) in columns.enumerated() {
      let isOrder = column.metric == order
      let text = MetricWords.short(column.metric) + (isOrder ? sign : "")
      x += Self.gap + column.width
      canvas.put(text, right: x, y: box.y, isOrder ? .accent : .dim)
      if number == 0, barWidth > 0 { x += Self.gap + barWidth }
    }
  }

  /// What a table is ordered by that is ordered by its groups' names.
  static let keyColumn = "name"

  func draw(
    _ row: GroupRows.Row, on canvas: inout Canvas, _ box: Box, y: Int, showsExact: Bool
  ) {
    let name = KeyText.text(row.key)
    canvas.put(
      SafeText.fitted(name, to: keyWidth), x: box.x, y: y,
      row.key.allSatisfy { $0 == .missing } ? .dim : .text)
    var x = box.x + keyWidth
    for (number, column) in columns.enumerated() {
      x += Self.gap + column.width
      let figure = row.figures[column.place]
      let thresholds = view.panel.thresholds[column.metric] ?? Panel.Thresholds()
      let isMissing = figure == .missing
      var ink = thresholds.ink(MetricWords.comparable(figure), else: isMissing ? .dim : .text)
      // A sum without any priced request says nothing: it is not free.
      let isUnpriced = Question.isMoney(column.metric) && row.coverage == 0
      if isUnpriced { ink = .dim }
      var text = isUnpriced ? "unpriced" : column.format.text(figure)
      if SafeText.width(text) > column.width { text = canvas.glyphs.missing }
      if showsExact {
        let exact = FigureFormat.exact(figure)
        if SafeText.width(exact) <= column.width { text = exact }
      }
      canvas.put(text, right: x, y: y, Style(ink))
      // What is not whole is marked beside the figure.
      if !isUnpriced, let coverage = row.coverage, coverage < 1, Question.isMoney(column.metric),
        number == 0
      {
        canvas.put("*", x: x, y: y, Style(.warning))
      }
      if number == 0, barWidth > 0 {
        x += Self.gap
        let eighths = FigureMath.steps(figure.magnitude ?? 0, of: largest, steps: barWidth * 8)
        canvas.put(canvas.glyphs.bar(eighths: eighths), x: x, y: y, .accent)
        x += barWidth
      }
    }
  }
}
