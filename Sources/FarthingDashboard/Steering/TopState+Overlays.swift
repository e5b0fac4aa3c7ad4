internal import FarthingCore

extension TopState {
  /// Most characters of what is typed into the last line.
  private static let lineLimit = 400

  mutating func searching(_ key: Key) -> [Effect] {
    switch key {
    case .enter: overlay = nil
    case .escape:
      overlay = nil
      search = ""
    case .backspace: if search.isEmpty { overlay = nil } else { search.removeLast() }
    case .control("u"): search = ""
    case .character(let character) where search.count < Self.lineLimit: search.append(character)
    case .paste(let text): search = String((search + Self.line(text)).prefix(Self.lineLimit))
    default: break
    }
    cursors[focus] = 0
    return []
  }

  /// Of a pasted text the first line: what follows it must not be taken for an answer.
  private static func line(_ text: String) -> String {
    String(text.prefix { !$0.isNewline })
  }

  mutating func commanding(
    _ text: String, _ key: Key, _ frame: Frame, _ boards: [String]
  ) -> [Effect] {
    switch key {
    case .escape: overlay = nil
    case .backspace: overlay = text.isEmpty ? nil : .command(String(text.dropLast()))
    case .control("u"): overlay = .command("")
    case .character(let character) where text.count < Self.lineLimit:
      overlay = .command(text + String(character))
    case .paste(let pasted):
      overlay = .command(String((text + Self.line(pasted)).prefix(Self.lineLimit)))
    case .tab:
      let fitting = (CommandWords.verbs + boards).filter { $0.hasPrefix(text) && $0 != "q" }
      if !text.isEmpty, let first = fitting.first { overlay = .command(first) }
    case .enter:
      overlay = nil
      let (command, fault) = CommandWords.parse(text, boards: boards)
      if let fault { note = fault }
      if let command { return perform(command, frame) }
    default: break
    }
    return []
  }

  private mutating func perform(_ command: TopCommandLine, _ frame: Frame) -> [Effect] {
    switch command {
    case .range(let length): range = length
    case .moment(let text): return [.moment(text)]
    case .live: moment = nil
    case .filter(let text):
      guard let text else {
        filter = nil
        return []
      }
      return [.check(filter: text)]
    case .group(let field): group(by: field)
    case .sort(let metric): sort(by: metric, frame)
    case .board(let name): return [.open(board: name)]
    case .explain: return handle(.character("e"), frame: frame, canAct: false, boards: [])
    case .help: overlay = .help
    case .quit: return [.quit]
    }
    return []
  }

  private mutating func group(by field: String) {
    guard board.panels.indices.contains(focus.panel), RequestField.named(field) != nil else {
      let near = Suggestion.nearest(to: field, among: RequestField.all.map(\.name))
      note = "there is no field \(field)" + (near.map { "; did you mean \($0)?" } ?? "")
      return
    }
    var first = 0
    for row in board.rows.indices {
      let count = board.rows[row].panels.count
      if focus.panel < first + count {
        let place = focus.panel - first
        guard !board.rows[row].panels[place].groupings.isEmpty else {
          note = "this panel is not grouped"
          return
        }
        var groupings = board.rows[row].panels[place].groupings
        if !groupings.contains([field]) { groupings.append([field]) }
        board.rows[row].panels[place].groupings = groupings
        choices[focus.panel] = (groupings.firstIndex(of: [field]) ?? 0) - focus.part
        if (choices[focus.panel] ?? 0) < 0 { choices[focus.panel]? += groupings.count }
        cursors[focus] = 0
        return
      }
      first += count
    }
  }

  private mutating func sort(by metric: String, _ frame: Frame) {
    let columns = frame.part(focus)?.columns ?? []
    guard columns.contains(metric) else {
      let near = Suggestion.nearest(to: metric, among: columns)
      note =
        "this panel has no \(metric)"
        + (near.map { "; did you mean \($0)?" } ?? "; it has \(columns.joined(separator: ", "))")
      return
    }
    sortings[focus] = Sorting(column: metric, isAscending: false)
    cursors[focus] = 0
  }

  mutating func paging(
    _ title: String, _ lines: [String]?, _ offset: Int, _ key: Key, _ frame: Frame
  ) -> [Effect] {
    let count = lines?.count ?? 0
    let page = max(1, frame.canvas.height - 4)
    func scrolled(_ step: Int) -> Overlay {
      .page(title: title, lines: lines, offset: max(0, min(max(0, count - page), offset + step)))
    }
    switch key {
    case .escape, .enter, .backspace, .character("q"), .character("e"): overlay = nil
    case .up, .character("k"), .wheel(_, _, true): overlay = scrolled(-1)
    case .down, .character("j"), .wheel(_, _, false): overlay = scrolled(1)
    case .pageUp: overlay = scrolled(-page)
    case .pageDown, .character(" "): overlay = scrolled(page)
    case .home: overlay = scrolled(-count)
    case .end: overlay = scrolled(count)
    default: break
    }
    return []
  }

  /// Fills the page that is open with what was asked for; does nothing where it was closed meanwhile.
  package mutating func fill(page lines: [String]) {
    if case .page(let title, nil, _) = overlay {
      overlay = .page(title: title, lines: lines, offset: 0)
    }
  }

  /// Goes to another dashboard, whose range and groupings are its own.
  package mutating func open(_ board: Board) {
    if back.count < 64 {
      back.append(Place(board: self.board, scope: scope, focus: focus, isZoomed: isZoomed))
    }
    self.board = board
    range = board.range
    focus = PanelID(panel: board.panels.firstIndex { $0.kind == .table } ?? 0)
    isZoomed = false
    search = ""
    cursors = [:]
    choices = [:]
    sortings = [:]
  }

  /// Puts a dashboard's new text in the place of its old one, wherever it is on the way back.
  package mutating func replace(_ board: Board) {
    for place in back.indices where back[place].board.name == board.name {
      back[place].board = board
    }
    guard self.board.name == board.name else { return }
    if self.board.panels.count != board.panels.count {
      focus = PanelID(panel: board.panels.firstIndex { $0.kind == .table } ?? 0)
      cursors = [:]
    }
    choices = [:]
    self.board = board
  }
}

extension Board {
  /// What is shown of a slice: its figures, its course, and what it is made of.
  static func drill(by fields: [String]) -> Board {
    Board(
      name: "drill", title: "Slice", range: CivilTime.day,
      rows: [
        BoardRow(
          importance: 9,
          panels: [
            Panel(.stat, title: "spend / hour", metrics: ["cost"], rate: .hour),
            Panel(.stat, title: "requests / minute", metrics: ["requests"], rate: .minute),
            Panel(.stat, metrics: ["cost_per_query"]),
            Panel(.stat, metrics: ["cost_per_1m_tokens"]),
            Panel(.stat, metrics: ["cache_hit_rate"]),
            Panel(.stat, metrics: ["latency_p95"]),
            Panel(.stat, metrics: ["error_rate"]),
            Panel(.stat, metrics: ["retry_rate"]),
          ]),
        BoardRow(
          height: 9, importance: 4,
          panels: [Panel(.timeseries, title: "spend / hour", metrics: ["cost"], rate: .hour)]),
        BoardRow(
          importance: 8,
          panels: [
            Panel(
              .table,
              metrics: [
                "cost", "requests", "cost_per_query", "cost_per_1m_tokens", "cache_hit_rate",
                "latency_p95", "error_rate", "retry_rate",
              ],
              groupings: fields.map { [$0] } + [["site"], ["tenant"], ["status"]], order: "cost",
              limit: 200)
          ]),
      ])
  }

  /// The requests of a slice.
  static let requests = Board(
    name: "requests", title: "Requests", range: CivilTime.day,
    rows: [
      BoardRow(
        importance: 9,
        panels: [
          Panel(.stat, title: "spend / hour", metrics: ["cost"], rate: .hour),
          Panel(.stat, title: "requests / minute", metrics: ["requests"], rate: .minute),
          Panel(.stat, metrics: ["latency_p95"]), Panel(.stat, metrics: ["error_rate"]),
        ]),
      BoardRow(panels: [Panel(.requests, limit: 200)]),
    ])
}
