internal import FarthingCore

/// What has to be done that drawing cannot do.
package enum Effect: Sendable, Hashable {
  case quit
  case stop
  /// Why cost changed; its lines fill the page that is open.
  case explain(filter: String?, since: Int64, until: Int64)
  /// All of one request or alert; likewise.
  case details(Question.Subject, id: String)
  case perform(Proposal.Action)
  case open(board: String)
  /// A time as it was typed.
  case moment(String)
  /// A filter as it was typed.
  case check(filter: String)
}

extension TopState {
  /// Ranges that `t` goes through, nanoseconds.
  package static let ranges: [Int64] = [
    5 * CivilTime.minute, 15 * CivilTime.minute, CivilTime.hour, 6 * CivilTime.hour,
    CivilTime.day, 7 * CivilTime.day, 30 * CivilTime.day,
  ]

  /// What `i` can isolate, the narrowest first.
  private static let isolatable = ["identity", "endpoint", "model", "site"]

  /// Takes a key: the state after it, and what is to be done.
  ///
  /// - Parameters:
  ///   - frame: what the reader sees.
  ///   - canAct: whether anything can be acknowledged or isolated.
  ///   - boards: the dashboards that can be opened by name.
  package mutating func handle(
    _ key: Key, frame: Frame, canAct: Bool, boards: [String]
  ) -> [Effect] {
    note = nil
    if key == .control("c") { return [.quit] }
    if key == .control("z") { return [.stop] }
    switch overlay {
    case .help:
      overlay = nil
      return key == .character("q") ? [.quit] : []
    case .search: return searching(key)
    case .command(let text): return commanding(text, key, frame, boards)
    case .confirmation(let proposal): return confirming(proposal, key)
    case .page(let title, let lines, let offset):
      return paging(title, lines, offset, key, frame)
    case nil: return browsing(key, frame, canAct)
    }
  }

  // MARK: Browsing

  private mutating func browsing(_ key: Key, _ frame: Frame, _ canAct: Bool) -> [Effect] {
    switch key {
    case .up, .character("k"): move(-1, frame)
    case .down, .character("j"): move(1, frame)
    case .left, .character("h"): turn(-1, frame)
    case .right, .character("l"): turn(1, frame)
    case .pageUp, .control("b"): move(-page(frame), frame)
    case .pageDown, .control("f"): move(page(frame), frame)
    case .home: move(-.max / 2, frame)
    case .end: move(.max / 2, frame)
    case .tab: step(1, frame)
    case .backTab: step(-1, frame)
    case .enter: return enter(frame)
    case .escape, .backspace: leave()
    case .click(let x, let y): return click(x, y, frame)
    case .wheel(let x, let y, let isUp):
      if let part = frame.parts.first(where: { $0.box.contains(x: x, y: y) }) { focus = part.id }
      move(isUp ? -3 : 3, frame)
    case .character(let character): return letter(character, frame, canAct)
    default: break
    }
    return []
  }

  private mutating func letter(
    _ character: Character, _ frame: Frame, _ canAct: Bool
  ) -> [Effect] {
    switch character {
    case "q": return [.quit]
    case "?": overlay = .help
    case "/": overlay = .search
    case ":": overlay = .command("")
    case "t": changeRange(1)
    case "T": changeRange(-1)
    case "g": group(1)
    case "G": group(-1)
    case "s": sort(frame)
    case "S": turnSort(frame)
    case "z": isZoomed.toggle()
    case "x": showsExact.toggle()
    case " ": moment = moment == nil ? now : nil
    case "<", ",", "[": shift(-1)
    case ">", ".", "]": shift(1)
    case "e": return explain(frame)
    case "a": return propose(acknowledging: frame, canAct)
    case "i": return propose(isolating: frame, canAct)
    default: note = "\(character) does nothing here; ? shows all keys"
    }
    return []
  }

  private func page(_ frame: Frame) -> Int { max(1, (frame.part(focus)?.shownRows ?? 1) - 1) }

  private mutating func move(_ step: Int, _ frame: Frame) {
    let count = frame.part(focus)?.rowCount ?? 0
    guard count > 0 else { return }
    let now = min(count - 1, cursors[focus] ?? 0)
    cursors[focus] = max(0, min(count - 1, now + step))
  }

  /// Left and right go to the panel beside.
  private mutating func turn(_ direction: Int, _ frame: Frame) {
    guard let here = frame.part(focus) else { return step(direction, frame) }
    let beside = frame.parts.filter { other in
      let isBeside = direction > 0 ? other.box.x >= here.box.right : other.box.right <= here.box.x
      return isBeside && other.box.y < here.box.bottom && other.box.bottom > here.box.y
    }
    let nearest =
      direction > 0
      ? beside.min { $0.box.x < $1.box.x } : beside.max { $0.box.x < $1.box.x }
    if let nearest { focus = nearest.id } else { step(direction, frame) }
  }

  /// Tab goes through all panels, those without room too: these then have the screen to themselves.
  private mutating func step(_ direction: Int, _ frame: Frame) {
    if isZoomed {
      focus = PanelID(panel: wrapped(focus.panel + direction, board.panels.count))
      return
    }
    let order = frame.parts.map(\.id)
    guard !order.isEmpty else { return }
    let shown = Set(order.map(\.panel))
    let hidden = board.panels.indices.filter { !shown.contains($0) }.map { PanelID(panel: $0) }
    let all = order + hidden
    let here = all.firstIndex(of: focus) ?? 0
    focus = all[wrapped(here + direction, all.count)]
    if hidden.contains(focus) {
      back.append(Place(board: board, scope: scope, focus: all[here], isZoomed: false))
      isZoomed = true
    }
  }

  private func wrapped(_ place: Int, _ count: Int) -> Int {
    count == 0 ? 0 : (place % count + count) % count
  }

  private mutating func click(_ x: Int, _ y: Int, _ frame: Frame) -> [Effect] {
    guard let part = frame.parts.first(where: { $0.box.contains(x: x, y: y) }) else { return [] }
    let wasFocused = focus == part.id
    focus = part.id
    let line = y - part.firstLine
    guard line >= 0, line < part.shownRows else { return [] }
    let row = part.firstRow + line
    // A second click on a row is as good as enter.
    if wasFocused, frame.selection?.row == row, cursors[part.id] == row { return enter(frame) }
    cursors[part.id] = row
    return []
  }

  // MARK: Time

  private mutating func changeRange(_ direction: Int) {
    let all = Self.ranges
    let here = all.firstIndex { $0 >= range } ?? all.count - 1
    let next = all[here] == range ? here + direction : direction > 0 ? here : here - 1
    range = all[wrapped(next, all.count)]
  }

  /// A quarter of the range back, or on; the present is as far as it goes.
  private mutating func shift(_ direction: Int64) {
    let (target, overflow) = until.addingReportingOverflow(direction * (range / 4))
    if overflow { return }
    if target >= now { moment = nil } else { moment = max(0, target) }
  }

  // MARK: What is shown

  private mutating func group(_ direction: Int) {
    guard board.panels.indices.contains(focus.panel) else { return }
    let count = board.panels[focus.panel].groupings.count
    guard count > 1 else {
      note = "this panel has one grouping"
      return
    }
    choices[focus.panel] = wrapped((choices[focus.panel] ?? 0) + direction, count)
    cursors[focus] = 0
  }

  private mutating func sort(_ frame: Frame) {
    guard let columns = frame.part(focus)?.columns, !columns.isEmpty else { return }
    let panel = board.panels[focus.panel]
    let now = sortings[focus]?.column ?? panel.order ?? columns[0]
    let place = columns.firstIndex(of: now) ?? 0
    sortings[focus] = Sorting(
      column: columns[wrapped(place + 1, columns.count)], isAscending: false)
    cursors[focus] = 0
  }

  private mutating func turnSort(_ frame: Frame) {
    guard let columns = frame.part(focus)?.columns, !columns.isEmpty else { return }
    let panel = board.panels[focus.panel]
    var sorting =
      sortings[focus] ?? Sorting(column: panel.order ?? columns[0], isAscending: false)
    sorting.isAscending.toggle()
    sortings[focus] = sorting
    cursors[focus] = 0
  }

  // MARK: Drilling down

  /// Workload, model, identity, then the requests themselves.
  private static let path = ["workload", "model", "identity"]

  private mutating func enter(_ frame: Frame) -> [Effect] {
    guard let selection = frame.selection else {
      let kind = board.panels.indices.contains(focus.panel) ? board.panels[focus.panel].kind : .stat
      // Where rows are, or will be, enter never means the panel itself.
      if kind == .stat || kind == .budget || board.panels[focus.panel].groupings.isEmpty,
        kind != .requests, kind != .incidents, kind != .isolations, kind != .sites
      {
        isZoomed.toggle()
      } else {
        note = "there is no row to open"
      }
      return []
    }
    let kind = board.panels[selection.id.panel].kind
    if kind == .requests, let id = selection.identifier {
      overlay = .page(title: "request", lines: nil, offset: 0)
      return [.details(.requests, id: id)]
    }
    if kind == .incidents, let id = selection.identifier {
      overlay = .page(title: "incident", lines: nil, offset: 0)
      return [.details(.alerts, id: id)]
    }
    guard !selection.dimensions.isEmpty, kind != .isolations else {
      remember()
      isZoomed.toggle()
      return []
    }
    remember()
    for step in selection.dimensions {
      scope.removeAll { $0.field == step.field }
      scope.append(step)
    }
    let next = Self.path.filter { field in !scope.contains { $0.field == field } }
    // From an identity on there is nothing narrower than its requests.
    let isLast = next.isEmpty || selection.dimensions.contains { $0.field == "identity" }
    board = isLast ? .requests : .drill(by: next)
    isZoomed = false
    search = ""
    cursors = [:]
    choices = [:]
    sortings = [:]
    focus = PanelID(
      panel: board.panels.firstIndex { $0.kind == .table || $0.kind == .requests } ?? 0)
    return []
  }

  private mutating func remember() {
    if back.count < 64 {
      back.append(Place(board: board, scope: scope, focus: focus, isZoomed: isZoomed))
    }
  }

  private mutating func leave() {
    if !search.isEmpty {
      search = ""
      return
    }
    if let place = back.popLast() {
      board = place.board
      scope = place.scope
      focus = place.focus
      isZoomed = place.isZoomed
      choices = [:]
      sortings = [:]
    } else if isZoomed {
      isZoomed = false
    } else if filter != nil {
      filter = nil
    } else if moment != nil {
      note = "space goes on live"
    }
  }

  // MARK: Acting

  private mutating func explain(_ frame: Frame) -> [Effect] {
    var panel =
      board.panels.indices.contains(focus.panel) ? board.panels[focus.panel] : Panel(.stat)
    var parts = [filter(of: panel)].compactMap { $0 }.map { "(\($0))" }
    parts += frame.selection?.dimensions.filter { !scope.contains($0) }.map(\.filter) ?? []
    if case .last(let length) = panel.window { panel.window = .last(length) }
    let length: Int64 = if case .last(let length) = panel.window { length } else { range }
    overlay = .page(title: "why cost changed", lines: nil, offset: 0)
    return [
      .explain(
        filter: parts.isEmpty ? nil : parts.joined(separator: " and "), since: until - length,
        until: until)
    ]
  }

  private mutating func propose(acknowledging frame: Frame, _ canAct: Bool) -> [Effect] {
    guard let selection = frame.selection, let id = selection.identifier,
      board.panels[selection.id.panel].kind == .incidents
    else {
      note = "a acknowledges an incident: tab to the list of incidents first"
      return []
    }
    guard canAct else {
      note = "acknowledging needs a server: farthing top --server URL"
      return []
    }
    return [.perform(.acknowledge(id: id))]
  }

  private mutating func propose(isolating frame: Frame, _ canAct: Bool) -> [Effect] {
    guard let selection = frame.selection else { return [] }
    let kind = board.panels[selection.id.panel].kind
    let action: Proposal.Action
    let words: String
    if kind == .isolations, let id = selection.identifier {
      action = .release(id: id)
      words =
        "Release \(selection.dimensions.map { "\($0.field) \($0.value ?? "")" }.joined(separator: ", "))?"
    } else {
      let known = selection.dimensions + scope
      let target = Self.isolatable.lazy.compactMap { field in
        known.first { $0.field == field && $0.value != nil }
      }.first
      guard let target, let value = target.value else {
        note = "i isolates an identity, an endpoint, a model or a site: select one"
        return []
      }
      let alert = kind == .incidents ? selection.identifier : nil
      action = .isolate(dimension: target.field, value: value, alert: alert)
      words = "Keep \(target.field) \(value) from calling for an hour?"
    }
    guard canAct else {
      note = "isolating needs a server: farthing top --server URL"
      return []
    }
    overlay = .confirmation(Proposal(action: action, words: words))
    return []
  }

  private mutating func confirming(_ proposal: Proposal, _ key: Key) -> [Effect] {
    // Only a letter that was typed says yes: not enter, not what is pasted.
    overlay = nil
    return key == .character("y") || key == .character("Y") ? [.perform(proposal.action)] : []
  }
}
