package import ArgumentParser
internal import FarthingCore
internal import FarthingDashboard
internal import FarthingQuery
internal import FarthingStore

/// `farthing top`: the dashboard in the terminal.
package struct TopCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "The live dashboard: spend, unit costs, latency, errors, incidents.",
    discussion: """
      farthing top
      farthing top --server http://127.0.0.1:7878 --dashboard incidents
      farthing top --once --range 7d
      farthing top --once --output svg --size 160x45 > frame.svg

      Reads a data folder, or asks a server. Dashboards: overview, workload, site, incidents, finance, or a YAML file of your own \
      (docs/dashboard.md). Keys: ? shows them all. A folder whose newest request is older than the range is shown as it stood then.
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(
    help: ArgumentHelp("Name of a shipped dashboard, or a file.", valueName: "name|file"),
    completion: .file(extensions: ["yaml", "yml"]))
  package var dashboard = "overview"
  @Flag(help: "Print one frame and end.")
  package var once = false
  @Option(
    help: ArgumentHelp(
      "text, plain (sentences, for screen readers), svg or html; all but text print one frame.",
      valueName: "format"))
  package var output = FrameOutput.text
  @Flag(help: "As --output plain.")
  package var plain = false
  @Option(help: ArgumentHelp("How far to look back: 15m, 24h, 7d.", valueName: "length"))
  package var range: String?
  @Option(
    help: ArgumentHelp(
      "The moment to look at instead of now: an RFC 3339 time, a date, or 24h, 7d ago.",
      valueName: "time"))
  package var at: String?
  @Option(
    name: .customLong("where"),
    help: ArgumentHelp("Filter of all panels, such as: site = 'sin1'.", valueName: "expr"))
  package var filter: String?
  @Option(
    help: ArgumentHelp(
      "Size of the frame where there is no terminal, or of a picture, such as 120x40.",
      valueName: "columnsxlines"))
  package var size: String?
  @OptionGroup package var look: FrameOptions

  package init() {}

  package mutating func run() async throws {
    let board = try BoardFile.load(dashboard)
    let (settings, server) = try global.place()
    let state = try start(board)
    if let server {
      let shown = self
      try await server.use {
        try await shown.show(state, RemoteRows(server: $0, settings: settings))
      }
    } else {
      try await show(state, StoredRows(settings))
    }
  }

  private var kind: FrameOutput { plain ? .plain : output }

  /// What is shown first, by the options.
  private func start(_ board: Board) throws -> TopState {
    let now = HostProcess.now()
    var state = TopState(board: board, now: now)
    if let range {
      guard let length = CivilTime.parseDuration(range), length >= CivilTime.minute,
        length <= 366 * CivilTime.day
      else {
        throw CommandFailure.usage(
          "--range \"\(range.printable)\": expected a length of time from 1m to 366d, such as 24h")
      }
      state.range = length
    }
    if let at { state.moment = try InstantOption.parse(at, of: "--at") }
    if let filter {
      do throws(QueryError) {
        _ = try QueryPlan.parse(QueryWords(metrics: "requests", filter: filter), now: now)
      } catch {
        throw CommandFailure(error)
      }
      state.filter = filter
    }
    return state
  }

  private func frameSize() throws(CommandFailure) -> FrameSize {
    if let size {
      guard let parsed = FrameSize(size) else {
        throw .usage(
          "--size \"\(size.printable)\": expected columns from 40 to 400 and lines from 10 to 200, such as 120x40"
        )
      }
      return parsed
    }
    if kind == .text, let size = HostProcess.terminalSize(.output) {
      return FrameSize(width: size.columns, height: size.lines)
    }
    return FrameSize(width: 120, height: 40)
  }

  private func show(_ begun: TopState, _ source: any DashboardSource) async throws {
    var state = begun
    if state.moment == nil, let newest = await source.newest(), newest < state.now - state.range {
      // The whole of the last second is in the window, whose end is excluded.
      state.moment =
        CivilTime.floorDivide(newest, CivilTime.second) * CivilTime.second
        + CivilTime.second
      state.note = "the newest request is of then; nothing came since"
    }
    let size = try frameSize()
    let isLive =
      !once && kind == .text && HostProcess.isTerminal(.output) && HostProcess.isTerminal(.input)
    guard isLive else { return try await printOnce(state, source, size) }
    let isShipped = ShippedBoards.texts.contains { $0.name == dashboard }
    let loop = try TopLoop(
      state, source: source, theme: look.theme(isTerminal: true), size: size,
      file: isShipped ? nil : BoardWatch(dashboard))
    try await loop.run()
  }

  /// One frame, with everything asked.
  private func printOnce(
    _ state: TopState, _ source: any DashboardSource, _ size: FrameSize
  ) async throws {
    var scene = Scene(state: state, place: source.place, canAct: source.canAct)
    scene.state.note = nil
    let list =
      kind == .plain
      ? PlainText.questions(state)
      : Frame.questions(state, width: size.width, height: size.height)
    for question in list.ordered {
      scene.answers[question] = await source.answer(
        question, list.metrics[question] ?? [], at: state.until)
    }
    if kind == .plain {
      return try Console.result(
        Array(PlainText.text(scene, width: size.width, height: size.height).utf8))
    }
    var theme = look.theme(isTerminal: HostProcess.isTerminal(.output))
    if kind != .text { theme.depth = .trueColour }
    scene.state.focus = PanelID(panel: -1)
    let frame = Frame.make(scene, width: size.width, height: size.height, theme: theme)
    let title = "Farthing, \(state.board.title)"
    switch kind {
    case .text, .plain:
      try Console.result(Array(TerminalText.lines(frame.canvas, theme: theme).utf8))
    case .svg:
      try Console.result(Array(PictureText.svg(frame.canvas, theme: theme, title: title).utf8))
    case .html:
      let text = PlainText.text(scene, width: size.width, height: size.height)
      try Console.result(
        Array(PictureText.html(frame.canvas, theme: theme, title: title, plain: text).utf8))
    }
  }
}
