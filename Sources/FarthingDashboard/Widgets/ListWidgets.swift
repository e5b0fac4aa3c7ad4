internal import FarthingCore

/// Alerts that are open at the moment that is looked at, the dearest first.
struct IncidentsWidget {
  let view: PanelView
  let scene: Scene

  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [RowFacts] {
    let answer = scene.answers.nearest(view.alerts)?.answer
    let rows = open(answer?.table ?? .empty)
    let note = answer == nil ? "" : rows.isEmpty ? "none" : "\(rows.count) open"
    canvas.frame(
      view.box, title: MetricWords.title(view.panel), note: answer?.fault == nil ? note : "",
      isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    guard let table = answer?.table else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    guard !rows.isEmpty else {
      PanelNote.nothing(answer?.fault ?? "nothing is open", on: &canvas, inner)
      return []
    }
    let window = RowWindow(count: rows.count, lines: inner.height, state: scene.state, id: view.id)
    window.note(in: &part, firstLine: inner.y)
    for (line, row) in rows[window.range].enumerated() {
      draw(table, row, inner, inner.y + line, &canvas)
    }
    window.mark(on: &canvas, inner, isFocused: isFocused)
    return rows.map { row in
      RowFacts(
        dimensions: Self.dimensions(table, row),
        identifier: table.value(row, "id").words, status: table.value(row, "status").words,
        exact: [
          table.value(row, "summary").words ?? "",
          "excess \(FigureFormat.exact(table.value(row, "excess_usd")))",
        ])
    }
  }

  /// Open at the moment: detected by then and not resolved before it. Statuses of people (acknowledged,
  /// silenced) are those of now.
  private func open(_ table: FigureTable) -> [Int] {
    let moment = scene.state.until
    let search = scene.state.search.lowercased()
    return table.rows.indices.filter { row in
      if case .time(let detected) = table.value(row, "detected_at"), detected > moment {
        return false
      }
      if case .time(let resolved) = table.value(row, "resolved_at") {
        if resolved <= moment { return false }
      } else if table.value(row, "status").words == "resolved" {
        return false
      }
      if !search.isEmpty {
        let text = [table.value(row, "where").words, table.value(row, "kind").words]
          .compactMap { $0 }.joined(separator: " ").lowercased()
        return text.contains(search)
      }
      return true
    }.sorted { left, right in
      let (a, b) = (rank(table, left), rank(table, right))
      return a == b ? left < right : a > b
    }
  }

  private func rank(_ table: FigureTable, _ row: Int) -> (Int, Double) {
    let severity = ["info", "warning", "critical"].firstIndex(
      of: table.value(row, "severity").words ?? "")
    return (severity ?? 0, table.value(row, "usd_per_hour").magnitude ?? 0)
  }

  private func draw(
    _ table: FigureTable, _ row: Int, _ box: Box, _ y: Int, _ canvas: inout Canvas
  ) {
    let severity = table.value(row, "severity").words
    let status = table.value(row, "status").words ?? ""
    let isQuiet = status == "acknowledged" || status == "silenced"
    let ink: Ink =
      isQuiet
      ? .dim : severity == "critical" ? .trouble : severity == "warning" ? .warning : .accent
    canvas.put(isQuiet ? canvas.glyphs.ring : canvas.glyphs.dot, x: box.x, y: y, Style(ink))
    var right = box.right
    let rate = table.value(row, "usd_per_hour")
    if rate != .missing {
      let text = FigureFormat(rate).text(rate) + "/h"
      canvas.put(text, right: right, y: y, Style(isQuiet ? .dim : .text))
    }
    right -= 12
    if box.width >= 50, case .time(let since) = table.value(row, "started_at") {
      canvas.put(ClockText.age(scene.state.until - since), right: right, y: y, .dim)
      right -= 5
    }
    if box.width >= 76 {
      canvas.put(status, right: right, y: y, .dim)
      right -= 14
    }
    let kind = (table.value(row, "kind").words ?? "").replacing("_", with: " ")
    let used = canvas.put(
      SafeText.fitted(kind, to: 20), x: box.x + 2, y: y,
      Style(isQuiet ? .dim : .text, bold: !isQuiet))
    let room = right - (box.x + 4 + used)
    let place = table.value(row, "where").words ?? ""
    canvas.put(SafeText.fitted(place, to: max(0, room)), x: box.x + 4 + used, y: y, .dim)
  }

  static func dimensions(_ table: FigureTable, _ row: Int) -> [ScopeStep] {
    ["workload", "tenant", "model", "site", "endpoint", "identity"].compactMap { field in
      table.value(row, field).words.map { ScopeStep(field: field, value: $0) }
    }
  }
}

/// What is isolated now, and what a dry run would have.
struct IsolationsWidget {
  let view: PanelView
  let scene: Scene

  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [RowFacts] {
    let answer = scene.answers[PanelView.isolations]
    let table = answer?.table ?? .empty
    let moment = scene.state.until
    let rows = table.rows.indices.filter { row in
      if case .time(let started) = table.value(row, "started_at"), started > moment { return false }
      if case .time(let released) = table.value(row, "released_at") { return released > moment }
      return true
    }
    canvas.frame(
      view.box, title: MetricWords.title(view.panel),
      note: answer == nil || rows.isEmpty ? "" : "\(rows.count)", isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    guard answer != nil else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    guard !rows.isEmpty else {
      PanelNote.nothing(answer?.fault ?? "nothing is isolated", on: &canvas, inner)
      return []
    }
    let window = RowWindow(count: rows.count, lines: inner.height, state: scene.state, id: view.id)
    window.note(in: &part, firstLine: inner.y)
    for (line, row) in rows[window.range].enumerated() {
      let y = inner.y + line
      let isDry = table.value(row, "mode").words == "dry_run"
      canvas.put(
        isDry ? canvas.glyphs.ring : canvas.glyphs.dot, x: inner.x, y: y,
        Style(isDry ? .dim : .warning))
      let action = table.value(row, "action").words ?? ""
      let used = canvas.put(action, x: inner.x + 2, y: y)
      var right = inner.right
      if case .time(let end) = table.value(row, "release_at"), end > moment {
        canvas.put("\(ClockText.age(end - moment)) left", right: right, y: y, .dim)
        right -= 10
      }
      let target = table.value(row, "target").words ?? ""
      canvas.put(
        SafeText.fitted(target, to: max(0, right - inner.x - used - 4)), x: inner.x + used + 3,
        y: y, .dim)
    }
    window.mark(on: &canvas, inner, isFocused: isFocused)
    return rows.map { row in
      RowFacts(
        dimensions: IncidentsWidget.dimensions(table, row),
        identifier: table.value(row, "id").words, status: table.value(row, "status").words,
        exact: [table.value(row, "why").words ?? ""])
    }
  }
}

/// The requests themselves, the latest first.
struct RequestsWidget {
  let view: PanelView
  let scene: Scene

  /// Columns with the cells that they take; those at the end go first where there is no room.
  static let columns: [(name: String, width: Int)] = [
    ("time", 19), ("model", 20), ("cost", 11), ("status", 9), ("latency_ms", 9),
    ("input_tokens", 9), ("output_tokens", 8), ("identity", 28), ("workload", 18), ("site", 8),
    ("cost_state", 9), ("id", 36),
  ]

  func draw(on canvas: inout Canvas, isFocused: Bool, part: inout Frame.Part) -> [RowFacts] {
    let found = scene.answers.nearest(view.requests)
    let table = found?.answer.table ?? .empty
    let search = scene.state.search.lowercased()
    let rows = table.rows.indices.filter { row in
      search.isEmpty
        || table.rows[row].contains { $0.words?.lowercased().contains(search) == true }
    }
    canvas.frame(
      view.box, title: MetricWords.title(view.panel),
      note: found?.isStale == true ? "…" : "the latest \(table.rows.count)", isFocused: isFocused)
    let inner = view.box.inset(x: 2, y: 1)
    guard found != nil else {
      PanelNote.waiting(on: &canvas, inner)
      return []
    }
    guard !rows.isEmpty else {
      PanelNote.nothing(found?.answer.fault ?? "no requests", on: &canvas, inner)
      return []
    }
    var shown: [(name: String, width: Int)] = []
    var left = inner.width
    for column in Self.columns where left >= column.width {
      shown.append(column)
      left -= column.width + 2
    }
    let body = Box(x: inner.x, y: inner.y + 1, width: inner.width, height: inner.height - 1)
    let window = RowWindow(count: rows.count, lines: body.height, state: scene.state, id: view.id)
    window.note(in: &part, firstLine: body.y)
    var x = inner.x
    for column in shown {
      let format = FigureFormat(window.range.lazy.map { table.value(rows[$0], column.name) })
      let isNumber = window.range.contains { table.value(rows[$0], column.name).isNumber }
      let name = MetricWords.short(column.name)
      if isNumber {
        canvas.put(name, right: x + column.width, y: inner.y, .dim)
      } else {
        canvas.put(name, x: x, y: inner.y, .dim, room: column.width)
      }
      for (line, place) in window.range.enumerated() {
        let figure = table.value(rows[place], column.name)
        let text = SafeText.fitted(format.text(figure), to: column.width)
        let isBad = column.name == "status" && figure.words != "ok" && figure != .missing
        let style = Style(figure == .missing ? .dim : isBad ? .trouble : .text)
        if isNumber {
          canvas.put(text, right: x + column.width, y: body.y + line, style)
        } else {
          canvas.put(text, x: x, y: body.y + line, style)
        }
      }
      x += column.width + 2
    }
    window.mark(on: &canvas, body, isFocused: isFocused)
    return rows.map { row in
      RowFacts(
        dimensions: IncidentsWidget.dimensions(table, row),
        identifier: table.value(row, "id").words,
        exact: [
          "cost \(FigureFormat.exact(table.value(row, "cost")))",
          table.value(row, "id").words ?? "",
        ])
    }
  }
}
