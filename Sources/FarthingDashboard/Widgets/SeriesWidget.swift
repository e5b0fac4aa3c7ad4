internal import FarthingCore

/// Figures over time: one as columns over an axis, several as a line each.
struct SeriesWidget {
  let view: PanelView
  let scene: Scene

  private var metric: String { view.panel.metrics.first ?? "" }

  /// - Returns: what was drawn, for the frame's part, and the keys of its rows.
  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [[Figure]] {
    let by = view.grouping
    let question = view.series(
      columns: by.isEmpty ? view.chartColumns : view.lineColumns, by: by,
      isSlow: Question.isSlow(metric))
    let found = scene.answers.nearest(question)
    let note = PanelNote.text(found, view, by: by)
    canvas.frame(view.box, title: PanelNote.title(view, by: by), note: note, isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    guard let answer = found?.answer, let every = question.every, inner.height > 1 else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    if by.isEmpty {
      columns(TimeSlots(answer, metric: metric, every: every), answer, inner, &canvas)
      return []
    }
    let all = TimeSlots.series(answer, metric: metric, by: by, every: every)
    return lines(all, inner, &canvas, &part)
  }

  private func rate(_ figure: Figure, _ width: Int64) -> Figure {
    FigureMath.rate(figure, over: width, per: view.panel.rate?.nanoseconds)
  }

  private func columns(
    _ slots: TimeSlots, _ answer: PanelAnswer, _ box: Box, _ canvas: inout Canvas
  ) {
    let axis = PanelView.axisWidth
    let height = box.height - 1
    let plot = Box(x: box.x + axis, y: box.y, width: box.width - axis, height: height)
    guard height > 0, plot.width > 0 else { return }
    let largest = slots.largest
    let top = slots.values.compactMap { $0 }.max { ($0.magnitude ?? 0) < ($1.magnitude ?? 0) }
    let peak = rate(top ?? .missing, slots.width)
    let format = FigureFormat(peak)
    for line in 0..<height {
      let level = height - 1 - line
      let label = line == 0 ? format.text(peak) : level == 0 ? "0" : ""
      canvas.put(label, right: plot.x - 2, y: plot.y + line, .dim)
      canvas.put(canvas.glyphs.vertical, x: plot.x - 1, y: plot.y + line, .quiet)
    }
    let shown = Array(slots.values.suffix(plot.width))
    let thresholds = view.panel.thresholds[metric] ?? Panel.Thresholds()
    for (place, value) in shown.enumerated() {
      // The buckets share the width: some are a cell wider than others.
      let x = plot.x + plot.width * place / shown.count
      let each = plot.x + plot.width * (place + 1) / shown.count - x
      guard let number = value?.magnitude else {
        canvas.put(
          String(repeating: canvas.glyphs.ground, count: each), x: x, y: plot.bottom - 1, .quiet)
        continue
      }
      let ink = thresholds.ink(
        MetricWords.comparable(rate(value ?? .missing, slots.width)), else: .accent)
      let eighths = FigureMath.steps(number, of: largest, steps: height * 8)
      for level in 0..<height {
        let filled = min(8, max(level == 0 ? 1 : 0, eighths - level * 8))
        guard filled > 0 else { break }
        let sign = canvas.glyphs.eighth(filled)
        canvas.put(
          String(repeating: sign, count: each), x: x, y: plot.bottom - 1 - level, Style(ink))
      }
    }
    drawAxis(slots, plot.width, answer, plot, &canvas)
  }

  private func drawAxis(
    _ slots: TimeSlots, _ used: Int, _ answer: PanelAnswer, _ plot: Box, _ canvas: inout Canvas
  ) {
    let span = slots.width * Int64(slots.values.count)
    let marks = max(1, min(6, used / 16))
    for mark in 0..<marks {
      let x = plot.x + used * mark / marks
      let time = slots.start + span / Int64(marks) * Int64(mark)
      canvas.put(ClockText.axis(time, span: span), x: x, y: plot.bottom, .dim)
    }
    let end = ClockText.axis(answer.until, span: span)
    canvas.put(end, right: plot.x + used, y: plot.bottom, .dim)
  }

  private func lines(
    _ series: [(key: [Figure], slots: TimeSlots)], _ box: Box, _ canvas: inout Canvas,
    _ part: inout Frame.Part
  ) -> [[Figure]] {
    let rows = RowWindow(count: series.count, lines: box.height, state: scene.state, id: view.id)
    rows.note(in: &part, firstLine: box.y)
    let shown = series[rows.range]
    let format = FigureFormat(shown.map { rate($0.slots.last, $0.slots.width) })
    let label = view.labelWidth
    for (line, one) in shown.enumerated() {
      let y = box.y + line
      canvas.put(SafeText.fitted(KeyText.text(one.key), to: label), x: box.x, y: y)
      SparkLine.draw(
        one.slots, on: &canvas, x: box.x + label + 1, y: y, room: box.width - label - 12)
      canvas.put(format.text(rate(one.slots.last, one.slots.width)), right: box.right, y: y)
    }
    rows.mark(on: &canvas, box, isFocused: scene.state.focus == view.id)
    return series.map(\.key)
  }
}

/// Which rows of many stand on the screen, so that the cursor is among them.
struct RowWindow {
  let cursor: Int
  let count: Int
  let range: Range<Int>

  init(count: Int, lines: Int, state: TopState, id: PanelID) {
    self.count = count
    let lines = max(0, lines)
    cursor = max(0, min(count - 1, state.cursors[id] ?? 0))
    // The cursor keeps the middle, where there are rows enough on both sides.
    let first = max(0, min(cursor - lines / 2, count - lines))
    range = first..<max(first, min(count, first + lines))
  }

  func note(in part: inout Frame.Part, firstLine: Int) {
    part.firstLine = firstLine
    part.firstRow = range.lowerBound
    part.shownRows = range.count
    part.rowCount = count
  }

  func mark(on canvas: inout Canvas, _ box: Box, isFocused: Bool) {
    guard isFocused, range.contains(cursor) else { return }
    canvas.select(x: box.x - 1, y: box.y + cursor - range.lowerBound, width: box.width + 2)
  }
}

/// What stands in a panel's upper edge.
enum PanelNote {
  static func title(_ view: PanelView, by: [String]) -> String {
    let title = MetricWords.title(view.panel)
    guard !by.isEmpty, view.panel.kind != .sites else { return title }
    let fields = by.joined(separator: ", ")
    return view.panel.title.isEmpty && view.panel.kind == .table
      ? "by \(fields)" : "\(title) by \(fields)"
  }

  /// How complete the costs are, or that the answer is one to an older question.
  static func text(
    _ found: (answer: PanelAnswer, isStale: Bool)?, _ view: PanelView, by: [String]
  ) -> String {
    guard let found else { return "" }
    var parts: [String] = []
    if let fault = found.answer.fault { return fault }
    if found.isStale { parts.append("…") }
    if found.answer.lacksRows { parts.append("rows are missing") }
    if let share = Coverage.share(of: found.answer.table, metrics: view.panel.metrics) {
      parts.append(Coverage.text(share))
    }
    return parts.joined(separator: " · ")
  }

  static func waiting(on canvas: inout Canvas, _ box: Box) {
    guard box.height > 0, box.width > 0 else { return }
    canvas.put("…", x: box.x, y: box.y, .dim)
  }

  static func nothing(_ words: String, on canvas: inout Canvas, _ box: Box) {
    guard box.height > 0, box.width > 0 else { return }
    canvas.put(SafeText.fitted(words, to: box.width), x: box.x, y: box.y, .dim)
  }
}
