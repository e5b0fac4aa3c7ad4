internal import FarthingCore

/// A single figure: its label, the figure with its trend, and below them how it came to be.
struct TileWidget {
  let view: PanelView
  let scene: Scene

  /// - Returns: what of the tile can be asked for exactly.
  func draw(on canvas: inout Canvas, isFocused: Bool) -> [String] {
    let box = view.box
    guard box.width > 6, box.height > 0 else { return [] }
    let room = box.width - 2
    let figures = figures()
    let label = MetricWords.title(view.panel)
    canvas.put(
      SafeText.fitted(label, to: room), x: box.x + 1, y: box.y,
      Style(isFocused ? .accent : .dim, bold: isFocused))
    var isMarked = false
    if let coverage = figures.coverage {
      let note = Coverage.text(coverage)
      isMarked = SafeText.width(label) + SafeText.width(note) >= room
      if !isMarked { canvas.put(note, right: box.right - 1, y: box.y, Style(.warning)) }
    }
    guard box.height > 1 else { return exact(figures) }
    let metric = view.panel.metrics.first ?? ""
    let thresholds = view.panel.thresholds[metric] ?? Panel.Thresholds()
    let ink = thresholds.ink(
      MetricWords.comparable(figures.now ?? .missing),
      else: isOver(figures) ? .trouble : .text)
    let text =
      figures.now.map {
        scene.state.showsExact ? FigureFormat.exact($0) : FigureFormat($0).text($0)
      }
      ?? "…"
    var used = canvas.put(
      SafeText.fitted(text, to: room - 1), x: box.x + 1, y: box.y + 1,
      Style(figures.isStale ? .dim : ink, bold: true))
    // Where the share of priced requests has no room, a sign says that it is not whole.
    if isMarked { used += canvas.put("*", x: box.x + 1 + used, y: box.y + 1, Style(.warning)) }
    aside(figures, on: &canvas, from: box.x + 2 + used)
    if box.height > 2 { third(figures, on: &canvas) }
    return exact(figures)
  }

  struct Figures {
    /// nil while it is being asked for.
    var now: Figure?
    var before: Figure = .missing
    var coverage: Double?
    var isStale = false
    var slots: TimeSlots?
    var budget: Budget?
  }

  /// How the budget of the month stands.
  struct Budget {
    var name: String
    var amount: Figure
    var forecast: Figure
    var state: String
  }

  private var metric: String { view.panel.metrics.first ?? "" }
  private var isSlow: Bool { Question.isSlow(metric) }

  private func figures() -> Figures {
    var figures = Figures()
    if let found = scene.answers.nearest(view.current(isSlow: isSlow)) {
      figures.isStale = found.isStale
      let span = max(1, found.answer.until - found.answer.since)
      figures.now = FigureMath.rate(
        found.answer.table.value(0, metric), over: span, per: view.panel.rate?.nanoseconds)
      figures.coverage = Coverage.share(of: found.answer.table, metrics: view.panel.metrics)
    }
    if let previous = view.previous(isSlow: isSlow), let answer = scene.answers[previous] {
      figures.before = FigureMath.rate(
        answer.table.value(0, metric), over: max(1, answer.until - answer.since),
        per: view.panel.rate?.nanoseconds)
    }
    if !isSlow {
      let question = view.series(columns: view.sparkColumns)
      if let found = scene.answers.nearest(question), let every = question.every {
        figures.slots = TimeSlots(found.answer, metric: metric, every: every)
      }
    }
    if view.panel.kind == .budget { figures.budget = budget() }
    return figures
  }

  /// The first budget of a calendar month over all requests, else the first of a month, else the first.
  private func budget() -> Budget? {
    guard let table = scene.answers[PanelView.budgets]?.table else { return nil }
    let rows = table.rows.indices
    let months = rows.filter { table.value($0, "period").words?.contains("month") == true }
    let chosen =
      months.first { table.value($0, "where") == .missing } ?? months.first ?? rows.first
    guard let chosen else { return nil }
    return Budget(
      name: table.value(chosen, "name").words ?? "", amount: table.value(chosen, "amount"),
      forecast: table.value(chosen, "forecast"), state: table.value(chosen, "state").words ?? "")
  }

  private func isOver(_ figures: Figures) -> Bool { figures.budget?.state == "hard" }

  /// The trend beside the figure: against the window before, or against the budget.
  private func aside(_ figures: Figures, on canvas: inout Canvas, from x: Int) {
    let box = view.box
    let room = box.right - 1 - x
    guard room > 3 else { return }
    if let target = view.panel.target {
      let figure = MetricWords.figure(target, metric)
      let text = "of " + FigureFormat(figure).text(figure)
      if SafeText.width(text) <= room { canvas.put(text, x: x, y: box.y + 1, .dim) }
      return
    }
    if let budget = figures.budget, budget.amount != .missing {
      let share = FigureMath.change(from: budget.amount, to: figures.now ?? .missing)
      let text = share.map { NumberText.readable(($0 + 1) * 100, fractionDigits: 0) + "%" } ?? ""
      if SafeText.width(text) <= room { canvas.put(text, x: x, y: box.y + 1, .dim) }
      return
    }
    guard let now = figures.now,
      let text = TrendText.text(from: figures.before, to: now, canvas.glyphs),
      SafeText.width(text) <= room
    else { return }
    canvas.put(text, x: x, y: box.y + 1, .dim)
  }

  private func third(_ figures: Figures, on canvas: inout Canvas) {
    let box = view.box
    let y = box.y + 2
    if view.panel.kind == .budget {
      guard let budget = figures.budget else {
        canvas.put(
          SafeText.fitted("no budget is set", to: box.width - 2), x: box.x + 1, y: y, .dim)
        return
      }
      let all = FigureFormat([budget.amount, budget.forecast])
      let forecast = budget.forecast == .missing ? canvas.glyphs.missing : all.text(budget.forecast)
      let amount = budget.amount == .missing ? "" : "of \(all.text(budget.amount)) "
      let ink: Ink = budget.state == "hard" ? .trouble : budget.state == "ok" ? .dim : .warning
      canvas.put(
        SafeText.fitted("\(amount)→ \(forecast)", to: box.width - 2), x: box.x + 1, y: y,
        Style(ink))
      return
    }
    guard let slots = figures.slots else {
      if isSlow, let text = previousText(figures) { canvas.put(text, x: box.x + 1, y: y, .dim) }
      return
    }
    SparkLine.draw(slots, on: &canvas, x: box.x + 1, y: y, room: box.width - 2)
  }

  private func previousText(_ figures: Figures) -> String? {
    guard figures.before != .missing else { return nil }
    return SafeText.fitted(
      "before " + FigureFormat(figures.before).text(figures.before), to: view.box.width - 2)
  }

  private func exact(_ figures: Figures) -> [String] {
    guard let now = figures.now else { return [] }
    var parts = ["\(MetricWords.title(view.panel)) \(FigureFormat.exact(now))"]
    if figures.before != .missing { parts.append("before \(FigureFormat.exact(figures.before))") }
    if let coverage = figures.coverage { parts.append(Coverage.text(coverage)) }
    if let budget = figures.budget {
      parts.append("budget \(budget.name) \(FigureFormat.exact(budget.amount))")
    }
    return parts
  }
}

/// How far costs can be trusted: the share of requests that have a price.
enum Coverage {
  /// nil where all have one, where nobody knows, or where no metric is money.
  static func share(of table: FigureTable, metrics: [String]) -> Double? {
    guard metrics.contains(where: Question.isMoney) else { return nil }
    var all: Int128 = 0
    var unpriced: Int128 = 0
    for row in table.rows.indices {
      guard case .count(let requests) = table.value(row, "requests"),
        case .count(let without) = table.value(row, "unpriced_requests")
      else { continue }
      all += requests
      unpriced += without
    }
    let known = all - unpriced
    return known < all && all > 0 ? Double(known) / Double(all) : nil
  }

  /// The same of one row; 1 where all have a price, nil where nobody knows.
  static func share(of table: FigureTable, row: Int) -> Double? {
    guard case .count(let requests) = table.value(row, "requests"), requests > 0,
      case .count(let without) = table.value(row, "unpriced_requests")
    else { return nil }
    return Double(requests - without) / Double(requests)
  }

  static func text(_ share: Double) -> String {
    // What is not whole must not be rounded up to it.
    let percent = min(99.9, (share * 1000).rounded(.down) / 10)
    return percent >= 10
      ? NumberText.readable(percent.rounded(.down), fractionDigits: 0) + "% priced"
      : NumberText.readable(percent, fractionDigits: 1) + "% priced"
  }
}

/// How a figure moved.
enum TrendText {
  /// `▲ 12%`; nil where there is nothing to compare with.
  static func text(from old: Figure, to new: Figure, _ glyphs: Glyphs) -> String? {
    guard let change = FigureMath.change(from: old, to: new) else { return nil }
    if change.magnitude < 0.005 { return glyphs.steady + " 0%" }
    let sign = change > 0 ? glyphs.rising : glyphs.falling
    if change >= 10 { return sign + " ×" + NumberText.readable(change + 1, fractionDigits: 0) }
    return sign + " " + NumberText.readable(change.magnitude * 100, fractionDigits: 0) + "%"
  }
}

/// Values over time in one line.
enum SparkLine {
  static func draw(
    _ slots: TimeSlots, on canvas: inout Canvas, x: Int, y: Int, room: Int, ink: Ink = .accent
  ) {
    let largest = slots.largest
    for (place, value) in slots.values.suffix(room).enumerated() {
      guard let number = value?.magnitude else {
        canvas.put(canvas.glyphs.ground, x: x + place, y: y, .quiet)
        continue
      }
      let step = FigureMath.steps(number, of: largest, steps: 8)
      canvas.put(
        canvas.glyphs.eighth(max(1, step)), x: x + place, y: y, Style(number > 0 ? ink : .quiet))
    }
  }
}
