internal import FarthingCore

extension Frame {
  /// The frame of a scene: a function of what is given and of nothing else.
  ///
  /// - Complexity: O(cells + rows of the answers).
  package static func make(
    _ scene: Scene, width: Int, height: Int, theme: Theme
  ) -> Frame {
    var maker = FrameMaker(scene, width: width, height: height, theme: theme)
    maker.drawAll()
    return Frame(canvas: maker.canvas, parts: maker.parts, selection: maker.selection)
  }

  /// What has to be asked so that the frame can be drawn.
  package static func questions(_ state: TopState, width: Int, height: Int) -> QuestionList {
    var list = QuestionList()
    for place in Layout(state, width: width, height: height).places {
      PanelView(place, state).ask(&list)
    }
    return list
  }
}

/// Draws a scene.
private struct FrameMaker {
  let scene: Scene
  let layout: Layout
  var canvas: Canvas
  var parts: [Frame.Part] = []
  var selection: Selection?

  init(_ scene: Scene, width: Int, height: Int, theme: Theme) {
    self.scene = scene
    layout = Layout(scene.state, width: width, height: height)
    canvas = Canvas(width: width, height: height, glyphs: theme.glyphs)
    canvas.usesShades = !theme.hasHeat
  }

  mutating func drawAll() {
    let focus = focused
    for place in layout.places { draw(place, isFocused: place.id == focus) }
    drawHeader()
    drawFooter()
    if let overlay = scene.state.overlay {
      OverlayWidget(overlay: overlay, scene: scene).draw(on: &canvas)
    }
  }

  /// The part that has the focus: as chosen, or where that has no room now, its panel's first.
  private var focused: PanelID? {
    let focus = scene.state.focus
    if layout.places.contains(where: { $0.id == focus }) { return focus }
    return layout.places.first { $0.id.panel == focus.panel }?.id
  }

  private mutating func draw(_ place: Layout.Place, isFocused: Bool) {
    let view = PanelView(place, scene.state)
    var part = Frame.Part(id: place.id, box: place.box)
    var facts: [RowFacts] = []
    switch view.panel.kind {
    case .stat, .budget:
      if place.isTile {
        let exact = TileWidget(view: view, scene: scene).draw(on: &canvas, isFocused: isFocused)
        facts = [RowFacts(exact: exact)]
      } else {
        canvas.frame(place.box, title: MetricWords.title(view.panel), isFocused: isFocused)
        let inner = Layout.Place(id: place.id, box: place.box.inset(x: 2, y: 1), isTile: true)
        let exact = TileWidget(view: PanelView(inner, scene.state), scene: scene)
          .draw(on: &canvas, isFocused: isFocused)
        facts = [RowFacts(exact: exact)]
      }
    case .timeseries:
      let keys = SeriesWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
      facts = keys.map { key in
        RowFacts(
          dimensions: zip(view.grouping, key).map {
            ScopeStep(field: $0, value: $1 == .missing ? nil : FigureFormat.exact($1))
          })
      }
    case .table:
      facts = TableWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
    case .bar:
      facts = BarWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
    case .heatmap:
      facts = HeatWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
    case .sites:
      facts = SitesWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
    case .incidents:
      facts = IncidentsWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
    case .isolations:
      facts = IsolationsWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
    case .requests:
      facts = RequestsWidget(view: view, scene: scene)
        .draw(on: &canvas, isFocused: isFocused, part: &part)
    }
    parts.append(part)
    if isFocused { select(facts, place.id) }
  }

  private mutating func select(_ facts: [RowFacts], _ id: PanelID) {
    guard !facts.isEmpty else { return }
    let row = max(0, min(facts.count - 1, scene.state.cursors[id] ?? 0))
    selection = Selection(
      id: id, row: row, dimensions: facts[row].dimensions, identifier: facts[row].identifier,
      status: facts[row].status, exact: facts[row].exact)
  }

  // MARK: Header and footer

  private mutating func drawHeader() {
    let state = scene.state
    let right = momentText
    let live = state.moment == nil
    let sign = live ? canvas.glyphs.dot : canvas.glyphs.ring
    let word = live ? "live" : "paused"
    let end = canvas.width - 1
    canvas.put(word, right: end, y: 0, Style(live ? .accent : .warning, bold: true))
    canvas.put(sign, right: end - word.count - 1, y: 0, Style(live ? .accent : .warning))
    let timeRight = end - word.count - 4
    canvas.put(right, right: timeRight, y: 0, .dim)
    var x = 1
    x += canvas.put("farthing", x: x, y: 0, Style(.accent, bold: true)) + 2
    let room = timeRight - SafeText.width(right) - 2
    x += canvas.put(SafeText.fitted(state.board.title, to: max(0, room - x)), x: x, y: 0, .heading)
    for step in state.scope {
      let text = " \(canvas.glyphs.into) \(step.value ?? "(none)")"
      guard x < room else { break }
      x += canvas.put(SafeText.fitted(text, to: room - x), x: x, y: 0)
    }
    var aside = "  " + scene.place
    if let filter = state.filter { aside = "  where \(filter)" }
    guard x < room else { return }
    canvas.put(
      SafeText.fitted(aside, to: room - x), x: x, y: 0, state.filter == nil ? .dim : .accent)
  }

  private var momentText: String {
    let state = scene.state
    let asking = scene.isAsking ? "… " : ""
    let narrow = canvas.width < 100
    let time = narrow ? ClockText.minute(state.until) : ClockText.second(state.until)
    return "\(asking)\(ClockText.span(state.range)) to \(time)\(narrow ? "" : " UTC")"
  }

  private mutating func drawFooter() {
    let state = scene.state
    let y = canvas.height - 1
    switch state.overlay {
    case .search:
      canvas.put("/" + state.search + "▏", x: 1, y: y, .accent)
      return
    case .command(let text):
      canvas.put(":" + text + "▏", x: 1, y: y, .accent)
      let hint = CommandWords.hint(text)
      canvas.put(hint, right: canvas.width - 1, y: y, .dim)
      return
    default: break
    }
    if let note = state.note {
      canvas.put(SafeText.fitted(note, to: canvas.width - 2), x: 1, y: y, .accent)
      return
    }
    if let warning = scene.warning {
      canvas.put(SafeText.fitted(warning, to: canvas.width - 2), x: 1, y: y, Style(.warning))
      return
    }
    var right = canvas.width - 1
    if !layout.hidden.isEmpty, !state.isZoomed {
      let text = "tab: \(layout.hidden.count) more"
      canvas.put(text, right: right, y: y, .dim)
      right -= SafeText.width(text) + 2
    }
    let exact = selection?.exact.filter { !$0.isEmpty } ?? []
    let keys = KeyHints.text(width: exact.isEmpty ? right - 2 : (right - 2) / 2)
    let used = SafeText.width(keys)
    if !exact.isEmpty, right - used > 30 || state.showsExact {
      let text = exact.joined(separator: " · ")
      let room = state.showsExact ? right - 2 : right - used - 4
      canvas.put(SafeText.fitted(text, to: room), x: 1, y: y)
      if !state.showsExact { canvas.put(keys, right: right, y: y, .dim) }
    } else {
      canvas.put(keys, x: 1, y: y, .dim)
    }
  }
}

/// The keys that the last line reminds of.
private enum KeyHints {
  private static let all = [
    "? help", "enter drill", "t range", "g group", "s sort", "/ filter", "e explain", "space pause",
    ": command", "q quit",
  ]

  static func text(width: Int) -> String {
    var shown: [String] = []
    var used = 0
    for hint in all where used + hint.count + 2 <= width {
      shown.append(hint)
      used += hint.count + 2
    }
    return shown.joined(separator: "  ")
  }
}
