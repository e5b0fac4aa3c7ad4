internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// The embedded store as commands use it.
enum StoreAccess {
  /// Opens the store for writing, with the prices that are known there.
  ///
  /// - Throws: ``StoreError``, `locked` where another process writes; ``PriceListRefusal`` where a
  ///   stored list cannot be read any more.
  static func writer(_ settings: Settings) async throws -> OpenStore {
    var random = SystemRandomNumberGenerator()
    let writer = try StoreWriter(
      directory: settings.dataFolder, now: HostProcess.now(),
      randomBytes: (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) })
    let lists = try await writer.priceLists().compactMap(StoredPriceList.init)
    return OpenStore(writer: writer, book: try PriceBook(lists: lists))
  }

  /// What is stored now. A folder that is not there yet is an empty store, and standard error is told
  /// so; so is damage.
  static func snapshot(_ settings: Settings) throws(StoreError) -> StoreSnapshot {
    do {
      let snapshot = try StoreReader.snapshot(directory: settings.dataFolder)
      for report in snapshot.damage { warn(report) }
      if try PosixFileSystem().size(settings.dataFolder + "/catalog.sqlite") == nil {
        noteMissingStore(settings)
      }
      return snapshot
    } catch {
      guard error.code == .notFound else { throw error }
      noteMissingStore(settings)
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
  static func run(_ plan: QueryPlan, _ settings: Settings) throws -> StoredAnswer {
    let executor = executor(settings)
    let (result, lacksRows) = try answer(settings) { snapshot in
      try executor.run(plan, requests: snapshot.requests, outcomes: snapshot.outcomes)
    }
    return StoredAnswer(result: result, lacksRows: lacksRows)
  }

  /// Lists requests of what is stored now.
  static func run(_ plan: EventsPlan, _ settings: Settings) throws -> StoredAnswer {
    let executor = executor(settings)
    let (result, lacksRows) = try answer(settings) { snapshot in
      try executor.run(plan, requests: snapshot.requests)
    }
    return StoredAnswer(result: result, lacksRows: lacksRows)
  }

  /// Answers from what is intact; standard error is told of each file that is not.
  ///
  /// Damage in a block shows when the block is read. Its segment is left out then, and the answer
  /// begun anew, so that no half of a segment is counted.
  static func answer<Result>(
    _ settings: Settings, _ run: (StoreSnapshot) throws -> Result
  ) throws -> (result: Result, lacksRows: Bool) {
    var snapshot = try snapshot(settings)
    while true {
      do {
        let result = try run(snapshot)
        for report in snapshot.sumsDamage { warn(report) }
        return (result, snapshot.lacksRows)
      } catch let error as QueryError {
        let reports = error.code == .store ? snapshot.setAsideDamaged() : []
        guard !reports.isEmpty else { throw error }
        for report in reports { warn(report) }
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

  func flush() async throws { try await writer.flush() }

  /// Warns of segments whose ids were not there to find duplicates by; then makes everything durable
  /// and gives the folder up.
  func close() async throws {
    for report in await writer.unreadIDs { StoreAccess.warn(report) }
    try await writer.close()
  }
}

extension StoredPriceList {
  /// nil for a format that this build does not know.
  init?(_ entry: PriceListEntry) {
    guard let format = PriceListFormat(rawValue: entry.format) else { return nil }
    self.init(
      id: entry.id, name: entry.name, format: format, validFrom: entry.validFrom,
      importedAt: entry.importedAt, bytes: entry.bytes)
  }
}
