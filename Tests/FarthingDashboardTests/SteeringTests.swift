import FarthingCore
import Testing

@testable import FarthingDashboard

@Suite("Steering")
struct SteeringTests {
  static let now: Int64 = 1_773_532_800_000_000_000
  static let board = Board(
    name: "mine", title: "Mine", range: CivilTime.day,
    rows: [
      BoardRow(panels: [Panel(.stat, metrics: ["cost"]), Panel(.stat, metrics: ["requests"])]),
      BoardRow(panels: [
        Panel(
          .table, metrics: ["cost", "requests"], groupings: [["workload"], ["model"]],
          order: "cost")
      ]),
      BoardRow(panels: [Panel(.incidents), Panel(.isolations)]),
    ])

  /// A scene with three workloads, one of them with a quote in its name, and an incident.
  static func scene(canAct: Bool = true) -> Scene {
    var scene = Scene(state: TopState(board: board, now: now), place: "test", canAct: canAct)
    fill(&scene)
    return scene
  }

  static func fill(_ scene: inout Scene, width: Int = 100, height: Int = 30) {
    let list = Frame.questions(scene.state, width: width, height: height)
    for question in list.ordered {
      var table = FigureTable.empty
      switch question.subject {
      case .figures:
        let names = ["alpha", "o'brien", "gamma"]
        let metrics = list.metrics[question] ?? []
        table = FigureTable(
          columns: question.by + metrics,
          rows: (question.by.isEmpty ? [""] : names).enumerated().map { place, name in
            question.by.map { _ in .text(name) }
              + metrics.map { $0 == "unpriced_requests" ? .count(0) : .count(Int128(30 - place)) }
          })
      case .alerts:
        table = FigureTable(
          columns: ["id", "status", "severity", "kind", "detected_at", "identity", "summary"],
          rows: [
            [
              .text("inc-1"), .text("firing"), .text("critical"), .text("denial_of_wallet"),
              .time(now - CivilTime.hour), .text("svc-7"), .text("svc-7 spends"),
            ]
          ])
      default: break
      }
      scene.answers[question] = PanelAnswer(table: table, since: now - CivilTime.day, until: now)
    }
  }

  static func frame(_ scene: Scene) -> Frame {
    Frame.make(scene, width: 100, height: 30, theme: Theme(depth: .none))
  }

  @discardableResult
  static func press(_ keys: [Key], _ scene: inout Scene) -> [Effect] {
    var effects: [Effect] = []
    for key in keys {
      let frame = frame(scene)
      effects += scene.state.handle(
        key, frame: frame, canAct: scene.canAct, boards: ["overview", "incidents"])
      fill(&scene)
    }
    return effects
  }

  static func type(_ text: String) -> [Key] { text.map { .character($0) } }

  static func focus(_ kind: Panel.Kind, _ scene: inout Scene) {
    scene.state.focus = PanelID(panel: board.panels.firstIndex { $0.kind == kind } ?? 0)
  }

  @Test func `enter drills from workload to model to identity to requests, and esc comes back`() {
    var scene = Self.scene()
    Self.press([.down, .enter], &scene)
    #expect(scene.state.scope == [ScopeStep(field: "workload", value: "o'brien")])
    #expect(scene.state.filter(of: Panel(.stat)) == "workload = 'o''brien'")
    Self.press([.enter], &scene)
    #expect(scene.state.scope.map(\.field) == ["workload", "model"])
    Self.press([.enter], &scene)
    #expect(scene.state.scope.map(\.field) == ["workload", "model", "identity"])
    #expect(scene.state.board.panels.contains { $0.kind == .requests })
    Self.press([.escape, .escape, .escape], &scene)
    #expect(scene.state.scope.isEmpty)
    #expect(scene.state.board == Self.board)
  }

  @Test func `the cursor stays among the rows`() {
    var scene = Self.scene()
    Self.press([.up, .up], &scene)
    #expect(Self.frame(scene).selection?.row == 0)
    Self.press([.end], &scene)
    #expect(Self.frame(scene).selection?.row == 2)
    Self.press([.character("j"), .pageDown], &scene)
    #expect(Self.frame(scene).selection?.row == 2)
    Self.press([.home], &scene)
    #expect(Self.frame(scene).selection?.row == 0)
  }

  @Test func `slash narrows the rows, and esc shows them again`() {
    var scene = Self.scene()
    Self.press([.character("/")] + Self.type("GAM"), &scene)
    #expect(Self.frame(scene).selection?.dimensions.first?.value == "gamma")
    Self.press([.enter], &scene)
    #expect(scene.state.overlay == nil)
    #expect(Self.frame(scene).part(scene.state.focus)?.rowCount == 1)
    Self.press([.escape], &scene)
    #expect(Self.frame(scene).part(scene.state.focus)?.rowCount == 3)
  }

  @Test func `a paste is text, whatever it holds`() {
    var scene = Self.scene()
    #expect(Self.press([.paste("q")], &scene) == [])
    Self.press([.character(":"), .paste("range 7d\ry")], &scene)
    #expect(scene.state.overlay == .command("range 7d"))
  }

  @Test func `keys change group, order and range`() {
    var scene = Self.scene()
    Self.press([.character("g")], &scene)
    #expect(scene.state.grouping(scene.state.focus) == ["model"])
    Self.press([.character("s")], &scene)
    #expect(scene.state.sortings[scene.state.focus]?.column == "requests")
    Self.press([.character("S")], &scene)
    #expect(scene.state.sortings[scene.state.focus]?.isAscending == true)
    #expect(Self.frame(scene).selection?.dimensions.first?.value == "gamma")
    Self.press([.character("t")], &scene)
    #expect(scene.state.range == 7 * CivilTime.day)
    Self.press([.character("T"), .character("T")], &scene)
    #expect(scene.state.range == 6 * CivilTime.hour)
  }

  @Test func `space stops the clock, and the past is a moment`() {
    var scene = Self.scene()
    Self.press([.character(" ")], &scene)
    #expect(scene.state.moment == Self.now)
    Self.press([.character("<")], &scene)
    #expect(scene.state.until == Self.now - 6 * CivilTime.hour)
    Self.press([.character(">")], &scene)
    #expect(scene.state.moment == nil)
  }

  @Test func `an incident that was not found yet at a moment is not shown there`() {
    var scene = Self.scene()
    Self.focus(.incidents, &scene)
    #expect(Self.frame(scene).selection?.identifier == "inc-1")
    scene.state.moment = Self.now - 2 * CivilTime.hour
    Self.fill(&scene)
    #expect(Self.frame(scene).selection == nil)
  }

  @Test func `a acknowledges the selected incident`() {
    var scene = Self.scene()
    Self.focus(.incidents, &scene)
    #expect(Self.press([.character("a")], &scene) == [.perform(.acknowledge(id: "inc-1"))])
  }

  @Test func `i asks first, and only y means yes`() {
    var scene = Self.scene()
    Self.focus(.incidents, &scene)
    #expect(Self.press([.character("i")], &scene) == [])
    guard case .confirmation(let proposal) = scene.state.overlay else {
      Issue.record("nothing was asked")
      return
    }
    #expect(proposal.action == .isolate(dimension: "identity", value: "svc-7", alert: "inc-1"))
    #expect(Self.press([.enter], &scene) == [])
    #expect(Self.press([.character("i"), .paste("y")], &scene) == [])
    #expect(
      Self.press([.character("i"), .character("y")], &scene) == [.perform(proposal.action)])
  }

  @Test func `without a server nothing can be done, and the reader is told`() {
    var scene = Self.scene(canAct: false)
    Self.focus(.incidents, &scene)
    #expect(Self.press([.character("a")], &scene) == [])
    #expect(scene.state.note?.contains("--server") == true)
    #expect(Self.press([.character("i")], &scene) == [])
    #expect(scene.state.overlay == nil)
  }

  @Test func `e asks why the selected figure changed`() {
    var scene = Self.scene()
    let effects = Self.press([.character("e")], &scene)
    #expect(
      effects == [
        .explain(
          filter: "workload = 'alpha'", since: Self.now - CivilTime.day, until: Self.now)
      ])
    scene.state.fill(page: ["because"])
    #expect(
      scene.state.overlay == .page(title: "why cost changed", lines: ["because"], offset: 0))
    Self.press([.escape], &scene)
    #expect(scene.state.overlay == nil)
  }

  @Test(arguments: [
    ("range 7d", nil as String?),
    ("range 7x", ":range needs a length of time from 1m to 366d, such as 7d"),
    ("rnage 7d", "there is no :rnage; did you mean :range?"),
    ("zzzzz", "there is no :zzzzz; ? lists all"),
    ("sort latenc", "this panel has no latenc; it has cost, requests"),
    ("sort requsts", "this panel has no requsts; did you mean requests?"), ("live", nil),
    ("group modle", "there is no field modle; did you mean model?"),
  ])
  func `a command does what it says, or says what is wrong`(text: String, note: String?) {
    var scene = Self.scene()
    Self.press([.character(":")] + Self.type(text) + [.enter], &scene)
    #expect(scene.state.note == note)
  }

  @Test func `commands of the composition root are effects`() {
    var scene = Self.scene()
    func effects(_ text: String) -> [Effect] {
      Self.press([.character(":")] + Self.type(text) + [.enter], &scene)
    }
    #expect(effects("incidents") == [.open(board: "incidents")])
    #expect(effects("at 2026-03-14") == [.moment("2026-03-14")])
    #expect(effects("where site = 'a'") == [.check(filter: "site = 'a'")])
    #expect(effects("q") == [.quit])
  }

  @Test func `tab goes through every panel, also those without room`() {
    var scene = Self.scene()
    var seen: Set<Int> = []
    for _ in 0..<12 {
      seen.insert(scene.state.focus.panel)
      Self.press([.tab], &scene)
    }
    #expect(seen == Set(Self.board.panels.indices))
  }

  @Test func `a click selects a row, a second one opens it, the wheel scrolls`() {
    var scene = Self.scene()
    guard let part = Self.frame(scene).part(scene.state.focus) else { return }
    let place = (x: part.box.x + 3, y: part.firstLine + 1)
    Self.press([.click(x: place.x, y: place.y)], &scene)
    #expect(Self.frame(scene).selection?.row == 1)
    Self.press([.wheel(x: place.x, y: place.y, isUp: true)], &scene)
    #expect(Self.frame(scene).selection?.row == 0)
    Self.press([.click(x: place.x, y: place.y), .click(x: place.x, y: place.y)], &scene)
    #expect(scene.state.scope.count == 1)
  }

  @Test func `q and control c quit, and control z stops`() {
    var scene = Self.scene()
    #expect(Self.press([.character("q")], &scene) == [.quit])
    #expect(Self.press([.control("c")], &scene) == [.quit])
    #expect(Self.press([.control("z")], &scene) == [.stop])
  }
}
