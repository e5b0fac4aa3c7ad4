internal import FarthingCore

/// A bar for each group, the largest first.
struct BarWidget {
  let view: PanelView
  let scene: Scene

  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [RowFacts] {
    let by = view.grouping
    let rows = GroupRows(view, scene, by: by)
    canvas.frame(
      view.box, title: PanelNote.title(view, by: by),
      note: PanelNote.text(rows.found, view, by: by), isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    part.columns = view.panel.metrics
    guard let found = rows.found else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    guard !rows.rows.isEmpty, let metric = view.panel.metrics.first else {
      PanelNote.nothing(found.answer.fault ?? "no requests", on: &canvas, inner)
      return []
    }
    let span = max(1, found.answer.until - found.answer.since)
    let values = rows.rows.map {
      FigureMath.rate($0.figures[0], over: span, per: view.panel.rate?.nanoseconds)
    }
    let format = FigureFormat(values)
    let widest = values.map { SafeText.width(format.text($0)) }.max() ?? 1
    let longest = rows.rows.map { SafeText.width(KeyText.text($0.key)) }.max() ?? 1
    let label = max(4, min(longest, inner.width / 3))
    let barWidth = max(1, inner.width - label - widest - 3)
    let largest = values.compactMap(\.magnitude).max() ?? 0
    let window = RowWindow(
      count: rows.rows.count, lines: inner.height, state: scene.state, id: view.id)
    window.note(in: &part, firstLine: inner.y)
    let thresholds = view.panel.thresholds[metric] ?? Panel.Thresholds()
    for (line, number) in window.range.enumerated() {
      let y = inner.y + line
      canvas.put(SafeText.fitted(KeyText.text(rows.rows[number].key), to: label), x: inner.x, y: y)
      let eighths = FigureMath.steps(
        values[number].magnitude ?? 0, of: largest, steps: barWidth * 8)
      let ink = thresholds.ink(MetricWords.comparable(values[number]), else: .accent)
      canvas.put(canvas.glyphs.bar(eighths: eighths), x: inner.x + label + 1, y: y, Style(ink))
      canvas.put(
        format.text(values[number]), right: inner.right, y: y,
        values[number] == .missing ? .dim : .text)
    }
    window.mark(on: &canvas, inner, isFocused: isFocused)
    return rows.rows.enumerated().map { number, row in
      RowFacts(
        dimensions: zip(by, row.key).map {
          ScopeStep(field: $0, value: $1 == .missing ? nil : FigureFormat.exact($1))
        }, exact: ["\(MetricWords.short(metric)) \(FigureFormat.exact(values[number]))"])
    }
  }
}

/// Groups over time, a cell a bucket: the more, the brighter; over the budget, in the colour of trouble.
struct HeatWidget {
  let view: PanelView
  let scene: Scene

  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [RowFacts] {
    let by = view.grouping
    guard let metric = view.panel.metrics.first else { return [] }
    let question = view.series(
      columns: view.heatColumns, by: by, isSlow: Question.isSlow(metric))
    let found = scene.answers.nearest(question)
    canvas.frame(
      view.box, title: PanelNote.title(view, by: by), note: PanelNote.text(found, view, by: by),
      isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    guard let answer = found?.answer, let every = question.every, inner.height > 1 else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    // By name, so that a line stays where it is.
    let series = TimeSlots.series(answer, metric: metric, by: by, every: every)
      .sorted { KeyText.text($0.key) < KeyText.text($1.key) }
    guard !series.isEmpty else {
      PanelNote.nothing(answer.fault ?? "no requests", on: &canvas, inner)
      return []
    }
    let body = Box(x: inner.x, y: inner.y, width: inner.width, height: inner.height - 1)
    let window = RowWindow(
      count: series.count, lines: body.height, state: scene.state, id: view.id)
    window.note(in: &part, firstLine: body.y)
    let largest = series.map(\.slots.largest).max() ?? 0
    let label = view.labelWidth
    let room = body.width - label - 1
    for (line, one) in series[window.range].enumerated() {
      let y = body.y + line
      canvas.put(SafeText.fitted(KeyText.text(one.key), to: label), x: body.x, y: y)
      let shown = Array(one.slots.values.suffix(room))
      for column in 0..<room {
        let value = shown[column * shown.count / room]
        cell(value, metric, largest, x: body.x + label + 1 + column, y: y, &canvas)
      }
    }
    axis(series[0].slots, answer, body, label, room, &canvas)
    window.mark(
      on: &canvas, Box(x: body.x, y: body.y, width: label - 1, height: body.height),
      isFocused: isFocused)
    return series.map { one in
      RowFacts(
        dimensions: zip(by, one.key).map {
          ScopeStep(field: $0, value: $1 == .missing ? nil : FigureFormat.exact($1))
        }, exact: ["\(MetricWords.short(metric)) \(FigureFormat.exact(one.slots.last))"])
    }
  }

  private func cell(
    _ value: Figure?, _ metric: String, _ largest: Double, x: Int, y: Int, _ canvas: inout Canvas
  ) {
    guard let value, let number = value.magnitude else {
      canvas.put(canvas.glyphs.ground, x: x, y: y, .quiet)
      return
    }
    let step = FigureMath.steps(number, of: largest, steps: Ink.heatSteps)
    let thresholds = view.panel.thresholds[metric] ?? Panel.Thresholds()
    let ink = thresholds.ink(MetricWords.comparable(value), else: .heat(step))
    let isHeat = ink == .heat(step)
    let shade = canvas.glyphs.shade(step)
    let block = canvas.glyphs.isASCII ? "!" : "█"
    let isShade = isHeat && (canvas.usesShades || canvas.glyphs.isASCII)
    canvas.put(isShade ? shade : block, x: x, y: y, Style(ink))
  }

  private func axis(
    _ slots: TimeSlots, _ answer: PanelAnswer, _ body: Box, _ label: Int, _ room: Int,
    _ canvas: inout Canvas
  ) {
    let count = min(room, slots.values.count)
    let span = slots.width * Int64(count)
    let start = slots.start + slots.width * Int64(slots.values.count - count)
    let marks = max(1, min(8, count / 12))
    for mark in 0..<marks {
      let time = start + span / Int64(marks) * Int64(mark)
      canvas.put(
        ClockText.axis(time, span: span), x: body.x + label + 1 + room * mark / marks,
        y: body.bottom, .dim)
    }
  }
}

/// Sites by how far from the users they are, each with its load and its health.
struct SitesWidget {
  let view: PanelView
  let scene: Scene

  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [RowFacts] {
    let rows = GroupRows(view, scene, by: ["site"])
    canvas.frame(
      view.box, title: MetricWords.title(view.panel),
      note: PanelNote.text(rows.found, view, by: ["site"]), isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    part.columns = view.panel.metrics
    guard let found = rows.found else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    guard !rows.rows.isEmpty else {
      PanelNote.nothing(found.answer.fault ?? "no requests", on: &canvas, inner)
      return []
    }
    let tiers = tiers()
    let order = ["device", "edge", "region", "central", ""]
    let ordered = rows.rows.enumerated().sorted { left, right in
      let (a, b) = (tier(left.element, tiers), tier(right.element, tiers))
      let (x, y) = (order.firstIndex(of: a) ?? 4, order.firstIndex(of: b) ?? 4)
      return (x, left.offset) < (y, right.offset)
    }.map(\.element)
    let formats = view.panel.metrics.indices.map { place in
      FigureFormat(ordered.map { $0.figures[place] })
    }
    let widths = view.panel.metrics.indices.map { place in
      ordered.map { SafeText.width(formats[place].text($0.figures[place])) }.max() ?? 1
    }
    let window = RowWindow(
      count: ordered.count, lines: inner.height, state: scene.state, id: view.id)
    window.note(in: &part, firstLine: inner.y)
    var last: String?
    for (line, row) in ordered[window.range].enumerated() {
      let y = inner.y + line
      let tier = tier(row, tiers)
      if tier != last {
        canvas.put(tier.isEmpty ? "no tier" : tier, x: inner.x, y: y, .dim, room: 8)
      }
      last = tier
      draw(row, formats, widths, inner, y, &canvas)
    }
    window.mark(on: &canvas, inner, isFocused: isFocused)
    return ordered.map { row in
      RowFacts(
        dimensions: [
          ScopeStep(field: "site", value: row.key[0] == .missing ? nil : KeyText.text(row.key))
        ],
        exact: zip(view.panel.metrics, row.figures).map {
          "\(MetricWords.short($0)) \(FigureFormat.exact($1))"
        })
    }
  }

  private func draw(
    _ row: GroupRows.Row, _ formats: [FigureFormat], _ widths: [Int], _ box: Box, _ y: Int,
    _ canvas: inout Canvas
  ) {
    // The worst of its figures colours the dot.
    var worst = Ink.accent
    for (metric, figure) in zip(view.panel.metrics, row.figures) {
      let ink = (view.panel.thresholds[metric] ?? Panel.Thresholds())
        .ink(MetricWords.comparable(figure), else: .accent)
      if ink == .trouble || (ink == .warning && worst != .trouble) { worst = ink }
    }
    canvas.put(canvas.glyphs.dot, x: box.x + 8, y: y, Style(worst))
    var x = box.right
    // The first figures before the others, and none before the name.
    var left = box.width - 10 - 8
    let fitting = view.panel.metrics.indices.filter { place in
      guard left >= widths[place] + 2 else { return false }
      left -= widths[place] + 2
      return true
    }
    for place in fitting.reversed() {
      let metric = view.panel.metrics[place]
      let ink = (view.panel.thresholds[metric] ?? Panel.Thresholds())
        .ink(MetricWords.comparable(row.figures[place]), else: .text)
      canvas.put(formats[place].text(row.figures[place]), right: x, y: y, Style(ink))
      x -= widths[place] + 2
    }
    canvas.put(
      SafeText.fitted(KeyText.text(row.key), to: max(1, x - box.x - 10)), x: box.x + 10, y: y)
  }

  private func tiers() -> [String: String] {
    guard let table = scene.answers[PanelView.sites]?.table else { return [:] }
    var tiers: [String: String] = [:]
    for row in table.rows.indices {
      if let site = table.value(row, "site").words, let tier = table.value(row, "tier").words {
        tiers[site] = tier
      }
    }
    return tiers
  }

  private func tier(_ row: GroupRows.Row, _ tiers: [String: String]) -> String {
    row.key[0].words.flatMap { tiers[$0] } ?? ""
  }
}
