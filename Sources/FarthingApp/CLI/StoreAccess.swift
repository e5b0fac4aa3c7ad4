internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore
internal import Synchronization

/// The embedded store as commands use it.
enum StoreAccess {
  /// Opens the store for writing, with the prices that are known there.
  ///
  /// - Throws: ``StoreError``, `locked` where another process writes; ``PriceListRefusal`` where a
  ///   stored list cannot be read any more.
  static func writer(
    _ settings: Settings, options: StoreOptions = StoreOptions()
  ) async throws -> OpenStore {
    var random = SystemRandomNumberGenerator()
    var options = options
    options.mergedSpan = settings.retention.mergedSpan
    let writer = try StoreWriter(
      directory: settings.dataFolder, options: options, now: HostProcess.now(),
      randomBytes: (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
    let lists = try await writer.priceLists().compactMap(StoredPriceList.init)
    return OpenStore(
      writer: writer, book: try PriceBook(lists: lists), retention: settings.retention)
  }

  /// Refuses a folder without a store, where opening it for writing would make one.
  static func expectStore(_ settings: Settings) throws(StoreError) {
    let path = settings.dataFolder + "/catalog.sqlite"
    guard try PosixFileSystem().size(path) != nil else {
      try StoreRestore.expectFinished(StoreLayout(directory: settings.dataFolder))
      throw StoreError(
        .notFound,
        "\(settings.dataFolder.printable) holds no store: \(path.printable) does not exist")
    }
  }

  /// What is stored now. A folder that is not there yet is an empty store, and standard error is told
  /// so; so is damage.
  ///
  /// - Parameter isTold: whether standard error was told before.
  static func snapshot(
    _ settings: Settings, isTold: Bool = false
  ) throws(StoreError) -> StoreSnapshot {
    do {
      let snapshot = try StoreReader.snapshot(directory: settings.dataFolder)
      if isTold { return snapshot }
      for report in snapshot.damage { warn(report) }
      if try PosixFileSystem().size(settings.dataFolder + "/catalog.sqlite") == nil {
        noteMissingStore(settings)
      }
      return snapshot
    } catch {
      guard error.code == .notFound else { throw error }
      if !isTold { noteMissingStore(settings) }
      return StoreSnapshot()
    }
  }

  /// Zeros from a mistyped folder must not pass for a free month.
  private static func noteMissingStore(_ settings: Settings) {
    Console.note(
      "farthing: there is no store in \(settings.dataFolder.printable) yet; farthing ingest makes one"
    )
  }

  /// Runs a plan over what is stored now.
  ///
  /// - Parameter isTold: whether standard error was told of damage and gaps before.
  static func run(
    _ plan: QueryPlan, _ settings: Settings, isTold: Bool = false
  ) throws -> StoredAnswer {
    let executor = executor(settings)
    let (result, lacksRows) = try answer(
      settings, since: plan.since, until: plan.until, isTold: isTold
    ) { snapshot in
      try executor.run(plan, requests: snapshot.requests, outcomes: snapshot.outcomes)
    }
    return StoredAnswer(result: result, lacksRows: lacksRows)
  }

  /// Lists requests of what is stored now.
  static func run(_ plan: EventsPlan, _ settings: Settings) throws -> StoredAnswer {
    let executor = executor(settings)
    let (result, lacksRows) = try answer(settings, since: plan.since, until: plan.until) {
      snapshot in
      try executor.run(plan, requests: snapshot.requests)
    }
    return StoredAnswer(result: result, lacksRows: lacksRows)
  }

  /// Answers from what is intact; standard error is told of each file that is not.
  ///
  /// Damage in a block shows when the block is read. Its segment is left out then, and the answer
  /// begun anew, so that no half of a segment is counted.
  ///
  /// It is told as well where retention has dropped a part of the window from `since` to `until`.
  static func answer<Result>(
    _ settings: Settings, since: Int64? = nil, until: Int64? = nil, isTold: Bool = false,
    _ run: (StoreSnapshot) throws -> Result
  ) throws -> (result: Result, lacksRows: Bool) {
    var snapshot = try snapshot(settings, isTold: isTold)
    if !isTold, let gap = snapshot.expiries.gap(since: since, until: until) {
      let day = TimeText.bucket(gap.appliedAt, width: TimeText.nanosecondsPerDay).prefix(10)
      Console.note(
        "farthing: warning: events before \(TimeText.rfc3339(gap.before)) were dropped by retention, "
          + "last on \(day); the answer lacks them")
    }
    while true {
      do {
        let result = try run(snapshot)
        if !isTold { for report in snapshot.sumsDamage { warn(report) } }
        return (result, snapshot.lacksRows)
      } catch let error as QueryError {
        let reports = error.code == .store ? snapshot.setAsideDamaged() : []
        guard !reports.isEmpty else { throw error }
        if !isTold { for report in reports { warn(report) } }
      }
    }
  }

  fileprivate static func warn(_ report: DamageReport) {
    Console.note("farthing: warning: \(report.message.printable)")
  }

  private static func executor(_ settings: Settings) -> QueryExecutor {
    QueryExecutor(memoryLimit: settings.queryBytes, threads: HostProcess.processorCount())
  }

  /// The prices that are known in the store's folder, or the built-in ones where there is no store.
  static func priceBook(_ settings: Settings) throws -> PriceBook {
    try PriceBook(lists: try priceLists(settings))
  }

  /// The imported lists, the earliest first.
  static func priceLists(_ settings: Settings) throws(StoreError) -> [StoredPriceList] {
    do {
      return try StoreReader.priceLists(directory: settings.dataFolder)
        .compactMap(StoredPriceList.init)
    } catch {
      guard error.code == .notFound else { throw error }
      return []
    }
  }
}

/// What the store had to say to a question.
struct StoredAnswer {
  var result: QueryResult
  /// Whether rows are missing from it that a damaged file holds.
  var lacksRows: Bool

  /// Ends a command that has written its answer.
  ///
  /// - Throws: where the answer lacks rows, so that no script takes it for whole. The warnings have
  ///   said which.
  func expectWhole() throws(CommandFailure) {
    if lacksRows { throw CommandFailure.failed(nil) }
  }
}

/// A store that this process writes: the sink of an ingest.
struct OpenStore: EventSink, FollowSink {
  let writer: StoreWriter
  let book: PriceBook
  /// How much of the past the configuration keeps.
  var retention: Retention
  private let upkeep = Upkeep()

  init(writer: StoreWriter, book: PriceBook, retention: Retention) {
    self.writer = writer
    self.book = book
    self.retention = retention
  }

  var preparation: BatchPreparation? { writer.preparation }

  func append(_ batch: PreparedBatch, receivedTime: Int64) async throws -> AppendCount {
    let result = try await writer.append(batch, receivedTime: receivedTime)
    return AppendCount(accepted: result.accepted, duplicates: result.duplicateLines.count)
  }

  func append(_ batch: ChargedBatch, receivedTime: Int64) async throws -> AppendCount {
    let result = try await writer.append(batch, receivedTime: receivedTime, durability: .segment)
    return AppendCount(accepted: result.accepted, duplicates: result.duplicateLines.count)
  }

  func append(
    _ batch: ChargedBatch, receivedTime: Int64, progress: SourceProgress?
  ) async throws -> AppendCount {
    let result = try await writer.append(
      batch, receivedTime: receivedTime, durability: .log, progress: progress)
    return AppendCount(accepted: result.accepted, duplicates: result.duplicateLines.count)
  }

  func positions() async -> [SourcePosition] { await writer.sourcePositions }

  /// Long runs apply the retention once an hour.
  func flush() async throws {
    try await writer.flush()
    if upkeep.isDue(HostProcess.now()) { try? await applyRetention() }
  }

  /// Warns of segments whose ids were not there to find duplicates by, and applies the retention;
  /// then makes everything durable and gives the folder up.
  func close() async throws {
    for report in await writer.unreadIDs { StoreAccess.warn(report) }
    do {
      try await applyRetention()
    } catch {
      // No reason to fail what was asked for; the next command drops what is left.
      Console.note("farthing: warning: the retention could not be applied: \("\(error)".printable)")
    }
    try await writer.close()
  }

  /// Drops what is past the retention, and says what went.
  func applyRetention() async throws {
    guard !retention.keepsAll else { return }
    let plan = try await writer.expire(retention, now: HostProcess.now())
    if !plan.dropped.isEmpty {
      Console.note("farthing: " + RetentionText.summary(plan, isDone: true))
    }
    if let limit = retention.byteLimit, plan.keptBytes > limit {
      for note in RetentionText.held(plan, retention) { Console.note("farthing: warning: \(note)") }
    }
  }
}

/// When a long run did its housekeeping last.
private final class Upkeep: Sendable {
  private static let interval: Int64 = 3_600_000_000_000
  private let last = Mutex<Int64>(HostProcess.now())

  /// Whether an hour has gone by; begins the next one then.
  func isDue(_ now: Int64) -> Bool {
    last.withLock { last in
      guard now - last >= Self.interval else { return false }
      last = now
      return true
    }
  }
}
