internal import FarthingCore
internal import FarthingDashboard
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore
internal import Synchronization

/// Rows straight from a data folder that another process may write meanwhile.
///
/// The view of the folder is kept until a file of it grew or changed its name; decoded blocks outlive it.
final class StoredRows: DashboardSource {
  private struct View: Sendable {
    var snapshot: StoreSnapshot
    var revision: Int
  }

  private let settings: Settings
  private let cache = BlockCache(byteLimit: 96 << 20)
  private let view = Mutex<View?>(nil)

  init(_ settings: Settings) { self.settings = settings }

  var place: String { settings.dataFolder }
  var canAct: Bool { false }

  private var executor: QueryExecutor {
    QueryExecutor(memoryLimit: settings.queryBytes, threads: HostProcess.processorCount())
  }

  // MARK: The view

  func revision() -> Int? {
    let layout = StoreLayout(directory: settings.dataFolder)
    let files = PosixFileSystem()
    var hasher = Hasher()
    for path in [layout.catalogPath, layout.catalogPath + "-wal", layout.alertsPath + "-wal"] {
      hasher.combine((try? files.size(path)) ?? nil)
    }
    for folder in [layout.logDirectory, layout.segmentDirectory] {
      let names = ((try? files.list(folder)) ?? nil) ?? []
      hasher.combine(names.count)
      for name in names.sorted() {
        hasher.combine(name)
        if folder == layout.logDirectory {
          hasher.combine((try? files.size("\(folder)/\(name)")) ?? nil)
        }
      }
    }
    return hasher.finalize()
  }

  private func current() throws(StoreError) -> StoreSnapshot {
    let revision = revision() ?? 0
    if let kept = view.withLock({ $0 }), kept.revision == revision { return kept.snapshot }
    let snapshot: StoreSnapshot
    do {
      snapshot = try StoreReader.snapshot(directory: settings.dataFolder, cache: cache)
    } catch {
      guard error.code == .notFound else { throw error }
      snapshot = StoreSnapshot()
    }
    view.withLock { $0 = View(snapshot: snapshot, revision: revision) }
    return snapshot
  }

  /// Runs over what is intact; a segment whose block is damaged is left out, and the answer says so.
  private func over<Result>(
    _ run: (StoreSnapshot) throws(QueryError) -> Result
  ) throws -> (Result, lacksRows: Bool) {
    var snapshot = try current()
    while true {
      do {
        return (try run(snapshot), snapshot.lacksRows)
      } catch {
        guard error.code == .store, !snapshot.setAsideDamaged().isEmpty else { throw error }
      }
    }
  }

  func newest() -> Int64? { (try? current())?.requests.map(\.maximumTime).max() }

  // MARK: Answers

  func answer(_ question: Question, _ metrics: [String], at moment: Int64) -> PanelAnswer {
    let window = question.window(at: moment)
    do {
      let (table, lacksRows) = try table(question, metrics, at: moment)
      return PanelAnswer(
        table: table, since: window.since, until: window.until, lacksRows: lacksRows)
    } catch {
      return PanelAnswer(fault: Self.words(of: error), at: moment)
    }
  }

  static func words(of error: any Error) -> String {
    switch error {
    case let error as QueryError: error.message.split(separator: "\n").joined(separator: "; ")
    case let error as StoreError: error.message
    case let failure as CommandFailure: failure.message ?? "it failed"
    default: "\(error)"
    }
  }

  private func table(
    _ question: Question, _ metrics: [String], at moment: Int64
  ) throws -> (FigureTable, lacksRows: Bool) {
    switch question.subject {
    case .figures:
      let plan = try QueryPlan.parse(question.words(metrics, at: moment), now: moment)
      let executor = executor
      let (result, lacksRows) = try over { (snapshot) throws(QueryError) in
        try executor.run(plan, over: snapshot)
      }
      return (FigureTable(result), lacksRows)
    case .requests:
      let window = question.window(at: moment)
      return try latest(
        question.limit ?? 50, filter: question.filter, since: window.since, until: window.until)
    case .budgets: return (FigureTable(try budgets(at: moment)), false)
    case .alerts:
      let json = try LedgerReader.reading(directory: settings.dataFolder) {
        (reader) throws(StoreError) -> [UInt8] in
        try AlertTexts.list(AlertSelection(limit: 1000), [], reader)
      }
      guard let json else {
        throw CommandFailure.failed("no server has watched this store; farthing serve does")
      }
      return (FigureTable(alerts: json) ?? .empty, false)
    case .isolations:
      let json = try IsolationReader.reading(directory: settings.dataFolder) {
        (reader) throws(StoreError) -> [UInt8] in
        try IsolationTexts.list(
          statuses: [], since: nil, limit: 1000, now: HostProcess.now(), reader)
      }
      // No server has ever isolated anything here.
      return (json.flatMap { FigureTable(isolations: $0) } ?? .empty, false)
    case .sites: return (SiteTiers.table(settings), false)
    }
  }

  /// The latest requests of a window: the engine lists the oldest first, so shorter and shorter ends of
  /// it are listed until one has few enough, or longer ones until one has enough.
  private func latest(
    _ count: Int, filter: String?, since: Int64, until: Int64
  ) throws -> (FigureTable, lacksRows: Bool) {
    let most = 4000
    var length = min(until - since, CivilTime.minute)
    var found = FigureTable.empty
    var lacksRows = false
    for _ in 0..<24 {
      let plan = try EventsPlan.parse(
        columns: Self.requestColumns, filter: filter, since: CivilTime.text(until - length),
        until: CivilTime.text(until), limit: "\(most)", now: until)
      let executor = executor
      let (result, isPartial) = try over { (snapshot) throws(QueryError) in
        try executor.run(plan, requests: snapshot.requests)
      }
      found = FigureTable(result)
      lacksRows = isPartial
      if result.rows.count >= most, length > CivilTime.second {
        length = max(CivilTime.second, length / 8)
        if !found.rows.isEmpty, length == CivilTime.second { break }
        continue
      }
      if result.rows.count >= count || length >= until - since { break }
      length = min(until - since, length * 6)
    }
    found.rows = Array(found.rows.reversed().prefix(count))
    return (found, lacksRows)
  }

  static let requestColumns =
    "time,model,cost,status,latency_ms,input_tokens,output_tokens,identity,workload,site,cost_state,id,tenant,endpoint"

  /// How the budgets of the configuration stand; where there is none, what the month will cost all the same.
  private func budgets(at moment: Int64) throws -> Answer {
    var budgets = settings.configuration.budgets
    let isOurs = budgets.isEmpty
    if isOurs, let month = Self.month { budgets = [month] }
    var answer = Answer([BudgetStatus]())
    let executor = executor
    for budget in budgets {
      let (status, _) = try over { (snapshot) throws(QueryError) in
        try budget.status(at: moment) { (plan) throws(QueryError) in
          try executor.run(plan, over: snapshot)
        }
      }
      answer.rows += Answer([status]).rows
    }
    guard isOurs else { return answer }
    // Of a budget that nobody set only the forecast means something.
    let kept = ["forecast", "forecast_low", "forecast_high", "forecast_method", "period"]
    for row in answer.rows.indices {
      for (place, column) in answer.columns.enumerated() where !kept.contains(column.name) {
        answer.rows[row][place] = .null
      }
    }
    return answer
  }

  private static let month: Budget? = {
    var words = Budget.Words()
    words.name = "month"
    words.amount = "1000000000"
    words.period = "month"
    words.burnRates = []
    return Budget(words, zone: .utc) { _ in }
  }()

  // MARK: Pages

  func explain(filter: String?, since: Int64, until: Int64) -> [String] {
    do {
      let plan = try ExplanationPlan.parse(
        ExplanationWords(
          since: CivilTime.text(since), until: CivilTime.text(until), filter: filter, limit: "5"),
        now: until)
      let executor = ExplanationExecutor(executor)
      let (found, _) = try over { (snapshot) throws(QueryError) in
        try executor.run(plan, over: snapshot)
      }
      return Self.lines(
        ExplanationPage(answer: SectionedAnswer(found), page: Page(), zone: .utc).text)
    } catch {
      return [Self.words(of: error)]
    }
  }

  func details(_ subject: Question.Subject, id: String, near time: Int64) -> [String] {
    do {
      if subject == .alerts {
        let json = try LedgerReader.reading(directory: settings.dataFolder) {
          (reader) throws(StoreError) in try AlertTexts.details(id, reader)
        }
        return AlertsShow.lines(json ?? nil) ?? ["no alert has this id"]
      }
      let columns = RequestField.all.map(\.name).joined(separator: ",")
      let quoted = id.replacing("'", with: "''")
      let plan = try EventsPlan.parse(columns: columns, filter: "id = '\(quoted)'", now: time)
      let executor = executor
      let (result, _) = try over { (snapshot) throws(QueryError) in
        try executor.run(plan, requests: snapshot.requests)
      }
      guard let row = result.rows.first else { return ["no request has this id"] }
      return RequestPage.lines(zip(result.columns.map(\.name), row.map { Figure($0) }))
    } catch {
      return [Self.words(of: error)]
    }
  }

  static func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  func perform(_ action: Proposal.Action) -> String {
    "a data folder is only read; ask the server with --server"
  }
}

/// All fields of one request that it has.
enum RequestPage {
  static func lines(_ fields: some Sequence<(String, Figure)>) -> [String] {
    fields.filter { $0.1 != .missing }.map { name, figure in
      name.padded(to: 22) + FigureWords.exact(figure)
    }
  }
}

/// Which site is of which tier, as the configuration says.
enum SiteTiers {
  static func table(_ settings: Settings) -> FigureTable {
    var configuration = settings.configuration
    try? configuration.readRegistries()
    let entries = configuration.siteRegistry?.entries ?? []
    return FigureTable(
      columns: ["site", "tier"],
      rows: entries.map { [.text($0.site), $0.tier.map { .text($0.rawValue) } ?? .missing] })
  }
}
