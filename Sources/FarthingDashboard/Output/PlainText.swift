internal import FarthingCore

// A dashboard in words, from top to bottom: for readers who listen to their screen, and for programs that
// carry text. No boxes, no colours, no columns: each line says what it is of.

/// Frames as linear text.
package enum PlainText {
  /// Rows of a panel that are told.
  private static let rowLimit = 10

  /// The board of a scene as sentences.
  package static func text(_ scene: Scene, width: Int, height: Int) -> String {
    let state = scene.state
    var lines = [
      "Farthing, \(state.board.title), \(ClockText.span(state.range)) to "
        + "\(ClockText.second(state.until)) UTC, \(state.moment == nil ? "live" : "paused").",
      "From \(SafeWords.plain(scene.place)).",
    ]
    for step in state.scope {
      lines.append("Only \(step.field) \(SafeWords.plain(step.value ?? "(none)")).")
    }
    if let filter = state.filter { lines.append("Only where \(SafeWords.plain(filter)).") }
    if let warning = scene.warning { lines.append(SafeWords.plain(warning)) }
    for panel in places(state) { lines += Self.panel(PanelView(panel, state), scene) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Every panel, whatever fits on a screen, at a size that asks for charts of a dozen buckets.
  private static func places(_ state: TopState) -> [Layout.Place] {
    state.board.panels.indices.map { panel in
      Layout.Place(
        id: PanelID(panel: panel), box: Box(x: 0, y: 0, width: 40, height: 2),
        isTile: state.board.panels[panel].kind == .stat)
    }
  }

  /// What has to be asked so that the text can be written.
  package static func questions(_ state: TopState) -> QuestionList {
    var list = QuestionList()
    for place in places(state) { PanelView(place, state).ask(&list) }
    return list
  }

  private static func panel(_ view: PanelView, _ scene: Scene) -> [String] {
    let title = SafeWords.plain(PanelNote.title(view, by: view.grouping))
    var canvas = Canvas(width: 40, height: 8, glyphs: .unicode)
    var part = Frame.Part(id: view.id, box: view.box)
    switch view.panel.kind {
    case .stat, .budget:
      let said = TileWidget(view: view, scene: scene).draw(on: &canvas, isFocused: false)
      return said.isEmpty
        ? ["\(title): not known yet"] : [SafeWords.plain(said.joined(separator: ", ")) + "."]
    case .timeseries, .heatmap: return series(view, scene, title)
    case .table, .bar, .sites: return table(view, scene, title)
    case .incidents:
      let facts = IncidentsWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: false, part: &part)
      return list(title, facts.map { ($0.status.map { "\($0): " } ?? "") + ($0.exact.first ?? "") })
    case .isolations:
      let facts = IsolationsWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: false, part: &part)
      return list(
        title,
        facts.map { fact in
          fact.dimensions.map { "\($0.field) \($0.value ?? "")" }.joined(separator: ", ")
            + (fact.status.map { ", \($0)" } ?? "")
        })
    case .requests:
      let facts = RequestsWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: false, part: &part)
      return list(title, facts.map { $0.exact.joined(separator: ", ") })
    }
  }

  private static func list(_ title: String, _ items: [String]) -> [String] {
    guard !items.isEmpty else { return ["", "\(title): none."] }
    var lines = ["", "\(title), \(items.count):"]
    lines += items.prefix(rowLimit).map { "- " + SafeWords.plain($0) }
    if items.count > rowLimit { lines.append("- and \(items.count - rowLimit) more") }
    return lines
  }

  private static func table(_ view: PanelView, _ scene: Scene, _ title: String) -> [String] {
    let by = view.panel.kind == .sites ? ["site"] : view.grouping
    let rows = GroupRows(view, scene, by: by)
    if let fault = rows.found?.answer.fault { return ["", "\(title): \(SafeWords.plain(fault))"] }
    let formats = view.panel.metrics.indices.map { place in
      FigureFormat(rows.rows.lazy.map { $0.figures[place] })
    }
    return list(
      title,
      rows.rows.map { row in
        var parts = zip(view.panel.metrics.indices, view.panel.metrics).map { place, metric in
          let figure = row.figures[place]
          let isUnpriced = Question.isMoney(metric) && row.coverage == 0
          return "\(MetricWords.short(metric)) "
            + (isUnpriced
              ? "unpriced" : figure == .missing ? "no value" : formats[place].text(figure))
        }
        if let coverage = row.coverage, coverage > 0, coverage < 1 {
          parts.append(Coverage.text(coverage))
        }
        return "\(KeyText.text(row.key)): \(parts.joined(separator: ", "))"
      })
  }

  private static func series(_ view: PanelView, _ scene: Scene, _ title: String) -> [String] {
    guard let metric = view.panel.metrics.first else { return [] }
    let columns: Int
    switch view.panel.kind {
    case .heatmap: columns = view.heatColumns
    default: columns = view.grouping.isEmpty ? view.chartColumns : view.lineColumns
    }
    let question = view.series(
      columns: columns, by: view.grouping, isSlow: Question.isSlow(metric))
    guard let answer = scene.answers[question], let every = question.every else {
      return ["", "\(title): not known yet."]
    }
    if let fault = answer.fault { return ["", "\(title): \(SafeWords.plain(fault))"] }
    let all = TimeSlots.series(answer, metric: metric, by: view.grouping, every: every)
    return list(
      title,
      all.map { one in
        let rates = one.slots.known.map {
          FigureMath.rate($0, over: every, per: view.panel.rate?.nanoseconds)
        }
        let format = FigureFormat(rates)
        let ordered = rates.filter { $0 != .missing }
          .sorted { ($0.magnitude ?? 0) < ($1.magnitude ?? 0) }
        let name = one.key.isEmpty ? "" : KeyText.text(one.key) + ": "
        guard let least = ordered.first, let most = ordered.last, let last = rates.last else {
          return name + "no value"
        }
        return name
          + "from \(format.text(least)) to \(format.text(most)), last \(format.text(last))"
      })
  }
}

/// Words of others in a line of ours.
enum SafeWords {
  static func plain(_ text: String) -> String { SafeText.graphemes(text).map(\.text).joined() }
}
