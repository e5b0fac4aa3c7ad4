internal import FarthingCore
internal import FarthingDashboard
internal import FarthingQuery
internal import FarthingStore
internal import Synchronization

// The loop of the live dashboard.
//
// One thread waits for keys, signals, answers and the next second, changes the state and draws what
// differs. Questions are asked one after another elsewhere, so a key never waits for an answer: the frame
// shows what is known, and what is new comes when it is there.
//
// How often a question is asked again follows from what it costs: each may use its share of a hundredth and a
// half of one processor, and none is asked more than once a second. So a small store is as fresh as the
// clock, and a large one does not keep a core busy.

/// Results of questions on their way to the loop.
private final class Mailbox: Sendable {
  enum Letter: Sendable {
    case answer(Question, PanelAnswer, cost: Int64, version: Int)
    case page([String])
    case note(String)
    case revision(Int?)
  }

  private let letters = Mutex<[Letter]>([])

  /// At most one letter a question that is being asked is ever in it.
  func put(_ letter: Letter) {
    letters.withLock { $0.append(letter) }
    Terminal.wake()
  }

  func takeAll() -> [Letter] {
    letters.withLock { letters in
      defer { letters = [] }
      return letters
    }
  }
}

/// Runs on a thread of its own, for it blocks while it waits.
actor TopLoop {
  private let executor: ThreadExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  private let source: any DashboardSource
  private let theme: Theme
  /// The file that the dashboard is from, which is read again when it changes; nil for a shipped one.
  private let file: BoardWatch?
  private let boards = ShippedBoards.texts.map(\.name)
  private let mailbox = Mailbox()
  private var scene: Scene
  private var size: FrameSize
  private var drawn: Canvas?
  private var frame: Frame
  private var decoder = KeyDecoder()
  private var pacing = Pacing()
  private var isAsking = false
  private var isOver = false

  init(
    _ state: TopState, source: any DashboardSource, theme: Theme, size: FrameSize, file: BoardWatch?
  ) throws {
    executor = try ThreadExecutor()
    self.source = source
    self.theme = theme
    self.size = size
    self.file = file
    scene = Scene(state: state, place: source.place, canAct: source.canAct)
    frame = Frame.make(scene, width: size.width, height: size.height, theme: theme)
  }

  /// Shows the dashboard until somebody quits.
  func run() throws {
    try Terminal.open()
    defer { Terminal.close() }
    let start = HostProcess.monotonic()
    askNext()
    // The first frame waits for its first answers, but not for long.
    while isAsking, HostProcess.monotonic() - start < 120_000_000 {
      for event in Terminal.wait(milliseconds: 20) { take(event) }
      read()
    }
    while !isOver {
      draw()
      let events = Terminal.wait(milliseconds: pause)
      if events.isEmpty, decoder.isWaiting { press(decoder.flush()) }
      for event in events { take(event) }
      read()
      tick()
    }
  }

  /// Until the next second of the clock; less where a lone escape may be the beginning of something.
  private var pause: Int {
    if decoder.isWaiting { return 30 }
    let rest = 1000 - Int(HostProcess.now() / 1_000_000 % 1000)
    return max(1, min(1000, rest))
  }

  private func take(_ event: Terminal.Event) {
    switch event {
    case .input(let bytes): press(decoder.take(bytes))
    case .resized:
      if let now = HostProcess.terminalSize(.output) {
        size = FrameSize(width: now.columns, height: now.lines)
      }
      drawn = nil
    case .resumed: drawn = nil
    case .stopAsked: stop()
    case .ended: isOver = true
    case .woken: break
    }
  }

  private func stop() {
    try? Terminal.stop()
    drawn = nil
  }

  private func tick() {
    scene.state.now = HostProcess.now()
    if let file {
      switch file.changed() {
      case .none: break
      case .board(let board):
        scene.state.replace(board)
        scene.state.note = "the dashboard was read again"
      case .fault(let fault): scene.state.note = fault
      }
    }
    askNext()
  }

  private func draw() {
    scene.isAsking = isAsking && pacing.isBehind
    frame = Frame.make(scene, width: size.width, height: size.height, theme: theme)
    let bytes = TerminalText.difference(from: drawn, to: frame.canvas, theme: theme)
    drawn = frame.canvas
    guard !bytes.isEmpty else { return }
    do { try HostProcess.write(bytes, to: .output) } catch { isOver = true }
  }

  // MARK: Keys

  private func press(_ keys: [Key]) {
    for key in keys {
      let effects = scene.state.handle(
        key, frame: frame, canAct: scene.canAct, boards: boards)
      for effect in effects { perform(effect) }
      // Several keys at once: each acts on what the one before it made.
      if keys.count > 1 {
        frame = Frame.make(scene, width: size.width, height: size.height, theme: theme)
      }
    }
  }

  private func perform(_ effect: Effect) {
    let (source, mailbox) = (source, mailbox)
    switch effect {
    case .quit: isOver = true
    case .stop: stop()
    case .explain(let filter, let since, let until):
      Task { mailbox.put(.page(await source.explain(filter: filter, since: since, until: until))) }
    case .details(let subject, let id):
      let time = scene.state.until
      Task { mailbox.put(.page(await source.details(subject, id: id, near: time))) }
    case .perform(let action):
      Task { mailbox.put(.note(await source.perform(action))) }
      pacing.forgetTimes { $0.subject == .alerts || $0.subject == .isolations }
    case .open(let name):
      do throws(CommandFailure) {
        scene.state.open(try BoardFile.load(name))
      } catch {
        scene.state.note = error.message
      }
    case .moment(let text):
      if let time = InstantParser.parse(text, now: scene.state.now, zone: .utc) {
        scene.state.moment = max(0, min(time, scene.state.now))
      } else {
        scene.state.note = ":at needs \(InstantParser.expectation)"
      }
    case .check(let filter):
      do throws(QueryError) {
        _ = try QueryPlan.parse(
          QueryWords(metrics: "requests", filter: filter), now: scene.state.now)
        scene.state.filter = filter
      } catch {
        scene.state.note = error.message.split(separator: "\n").joined(separator: "; ")
      }
    }
  }

  // MARK: Questions

  private func read() {
    for letter in mailbox.takeAll() {
      switch letter {
      case .answer(let question, let answer, let cost, let version):
        isAsking = false
        pacing.note(
          question, cost: cost, moment: scene.state.moment, version: version,
          at: HostProcess.monotonic())
        scene.answers[question] = answer
        scene.warning =
          answer.lacksRows ? "rows are missing: farthing store verify says which" : nil
        askNext()
      case .page(let lines): scene.state.fill(page: lines)
      case .note(let text): scene.state.note = text
      case .revision(let revision): pacing.revision = revision
      }
    }
  }

  private func askNext() {
    guard !isAsking, !isOver else { return }
    let list = Frame.questions(scene.state, width: size.width, height: size.height)
    let metrics = list.metrics
    scene.answers.keep(list.ordered)
    let next = pacing.next(
      list.ordered, metrics: metrics, moment: scene.state.moment, at: HostProcess.monotonic())
    guard let next else { return }
    isAsking = true
    let (source, mailbox, moment) = (source, mailbox, scene.state.until)
    let names = metrics[next] ?? []
    pacing.asked(next, names)
    let version = pacing.version
    Task {
      let begun = HostProcess.processorTime()
      let answer = await source.answer(next, names, at: moment)
      mailbox.put(
        .answer(next, answer, cost: HostProcess.processorTime() - begun, version: version))
    }
  }
}

/// Which question is due.
struct Pacing {
  private struct Record {
    var askedAt: Int64
    /// Nanoseconds of processor time that the last answer took.
    var cost: Int64
    /// The moment that the answer is of; nil for one that was then.
    var moment: Int64?
    var metrics: [String]
  }

  /// The share of one processor for all questions together: one in so many parts.
  private static let share: Int64 = 66
  /// Nothing is asked more often than this, nanoseconds.
  private static let least: Int64 = 1_000_000_000
  /// Nor less often: what costs much is shown all the same.
  private static let most: Int64 = 120_000_000_000

  private var records: [Question: Record] = [:]
  /// What is stored, as far as the source says.
  var revision: Int?
  private(set) var version = 0
  /// Whether something that is shown has not been answered yet.
  private(set) var isBehind = false

  mutating func asked(_ question: Question, _ metrics: [String]) {
    var record = records[question] ?? Record(askedAt: 0, cost: 0, moment: nil, metrics: metrics)
    record.metrics = metrics
    records[question] = record
    version += 1
  }

  mutating func note(
    _ question: Question, cost: Int64, moment: Int64?, version: Int, at now: Int64
  ) {
    guard var record = records[question] else { return }
    record.askedAt = now
    record.cost = max(50_000, cost)
    record.moment = moment
    records[question] = record
  }

  mutating func forgetTimes(_ isMeant: (Question) -> Bool) {
    for question in records.keys where isMeant(question) { records[question]?.askedAt = 0 }
  }

  /// The question to ask now: one without an answer, in the order of the list, else the one that waits longest
  /// beyond its time; nil where all are fresh.
  mutating func next(
    _ questions: [Question], metrics: [Question: [String]], moment: Int64?, at now: Int64
  ) -> Question? {
    if records.count > 4 * questions.count + 64 {
      let wanted = Set(questions)
      records = records.filter { wanted.contains($0.key) }
    }
    isBehind = true
    for question in questions {
      guard let record = records[question], record.askedAt > 0, record.moment == moment,
        Set(metrics[question] ?? []).isSubset(of: record.metrics)
      else { return question }
    }
    isBehind = false
    // A moment of the past does not change.
    guard moment == nil else { return nil }
    let due = questions.compactMap { question -> (Question, Int64)? in
      guard let record = records[question] else { return nil }
      let (wait, overflow) = record.cost.multipliedReportingOverflow(
        by: Self.share * Int64(questions.count))
      let pause = max(Self.least, min(Self.most, overflow ? Self.most : wait))
      return (question, now - record.askedAt - pause)
    }
    return due.filter { $0.1 >= 0 }.max { $0.1 < $1.1 }?.0
  }
}

/// A dashboard's file that is looked at again and again.
final class BoardWatch: Sendable {
  enum Change: Equatable {
    case none
    case board(Board)
    case fault(String)
  }

  private let path: String
  private let last: Mutex<[UInt8]>

  init(_ path: String) {
    self.path = path
    last = Mutex((try? WholeInput.bytes(of: path, limit: YAMLDocument.limit)) ?? [])
  }

  /// What has become of the file since the last call. A file that is gone is no change: an editor may be about
  /// to write it anew.
  func changed() -> Change {
    guard let bytes = try? WholeInput.bytes(of: path, limit: YAMLDocument.limit), !bytes.isEmpty
    else { return .none }
    let isSame = last.withLock { last in
      defer { last = bytes }
      return last == bytes
    }
    if isSame { return .none }
    let (board, faults) = BoardFile.read(bytes, file: path.printable)
    if let board { return .board(board) }
    return .fault(faults.first.map { "\($0)" } ?? "the dashboard cannot be read")
  }
}
