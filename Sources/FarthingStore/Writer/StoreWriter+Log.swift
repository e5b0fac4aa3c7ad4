// From a batch that wants its answer at once to a synced record of the log.

internal import FarthingCore

extension StoreWriter {
  /// What of a batch goes into one record of the log.
  struct LogRecord {
    enum Rows {
      /// Events of a batch, by their place in it.
      case events(ChargedBatch, [Int])
      /// All rows of a batch that a worker laid out.
      case prepared(PreparedBatch)
    }

    let payload: LogPayload
    let rows: Rows
    let receivedTime: Int64
    var positions: [SourcePosition] = []

    func rowCount(_ kind: EventKind) -> Int {
      switch rows {
      case .events(let batch, let selection):
        selection.count { batch.decoded.events[$0].kind == kind }
      case .prepared(let batch):
        batch.rows.first { $0.kind == kind }?.table.rowCount ?? 0
      }
    }
  }

  /// A batch that waits for its sync.
  struct PendingBatch {
    /// One for each record; none for a batch of duplicates, which waits for those before it.
    let records: [LogRecord]
    let keys: [DeduplicationIndex.Key]
    /// The new events, for the tap; none where nobody listens.
    var news: [EventNews] = []
    /// Called on the writer's thread once the batch is durable (nil) or refused.
    let finish: (StoreError?) -> Void

    var byteCount: Int { records.reduce(0) { $0 + $1.payload.count } }
  }

  /// Puts rows behind those that wait for the log.
  ///
  /// - Parameters:
  ///   - duplicates: events that are left out, ascending.
  ///   - keys: of the others.
  ///   - position: of a batch that ``PreparedBatch/fitsOneRecord``.
  func enqueue(
    _ batch: PreparedBatch, without duplicates: [UInt32], keys: [DeduplicationIndex.Key],
    receivedTime: Int64, position: SourcePosition?, finish: @escaping (StoreError?) -> Void
  ) {
    let cuts = batch.rows.map(\.cuts.count).max() ?? 0
    var records: [LogRecord] = []
    var news: [EventNews] = []
    if duplicates.count < batch.eventCount || position != nil {
      let first = arrivals.next(receivedTime, steps: cuts)
      if isWatched { news = batch.news(without: duplicates, from: first) }
      let parts = batch.rows.map { $0.parts(without: duplicates, from: first) }
      for number in 0...cuts {
        let taken = parts.map { $0[number].taken }
        if taken.allSatisfy({ $0 == nil }) {
          records += self.records(batch, receivedTime: first, position)
        } else if position != nil || taken.contains(where: { $0?.isEmpty != true }) {
          records += self.records(
            batch.selecting(taken, codes: &codes), receivedTime: first + Int64(number), position)
        }
      }
    }
    add(PendingBatch(records: records, keys: keys, news: news, finish: finish))
  }

  /// The records of rows that share their time of arrival; most often one.
  private func records(
    _ batch: PreparedBatch, receivedTime: Int64, _ position: SourcePosition?
  ) -> [LogRecord] {
    let positions = position.map { [$0] } ?? []
    let payload = LogPayload(
      head: BatchRecord.columnHead(receivedTime: receivedTime, positions: positions),
      body: batch.makeRecordBody())
    guard position == nil, payload.count > LogFormat.maximumPayload, batch.eventCount > 1 else {
      return [
        LogRecord(
          payload: payload, rows: .prepared(batch), receivedTime: receivedTime,
          positions: positions)
      ]
    }
    // By kind, or the one kind's rows in halves.
    let parts: [[[UInt32]?]] =
      batch.rows.count > 1
      ? batch.rows.indices.map { chosen in batch.rows.indices.map { $0 == chosen ? nil : [] } }
      : {
        let count = UInt32(batch.eventCount)
        return [[Array(0..<count / 2)], [Array(count / 2..<count)]]
      }()
    return parts.flatMap {
      records(batch.selecting($0, codes: &codes), receivedTime: receivedTime, nil)
    }
  }

  private func add(_ waiting: PendingBatch) {
    pending.append(waiting)
    pendingBytes += waiting.byteCount
  }

  /// Puts the events of a batch whose source keeps a position here behind those that wait for the log.
  func enqueue(
    _ batch: ChargedBatch, _ sorted: SortedBatch, receivedTime: Int64,
    _ progress: SourceProgress, finish: @escaping (StoreError?) -> Void
  ) {
    // An event takes at most some 100 KB, so 256 of them always fit into a record.
    let parts = arrivals.parts(of: sorted.selection, in: batch.decoded, receivedTime: receivedTime)
      .flatMap { part in
        part.selection.pieces(of: 4096).map { ($0, part.receivedTime) }
      }
    var records: [LogRecord] = []
    for (place, (selection, receivedTime)) in parts.enumerated() {
      let next = place + 1 < parts.count ? parts[place + 1].0.first : nil
      let end = next.map(progress.before) ?? progress.end
      let record = Self.record(batch, selection, receivedTime: receivedTime, end)
      guard record.payload.count > LogFormat.maximumPayload, selection.count > 256 else {
        records.append(record)
        continue
      }
      for piece in selection.pieces(of: 256) {
        let isLast = piece.endIndex == selection.endIndex
        let position = isLast ? end : progress.before(selection[piece.endIndex])
        records.append(Self.record(batch, piece, receivedTime: receivedTime, position))
      }
    }
    if records.isEmpty { records = [Self.record(batch, [], receivedTime: 0, progress.end)] }
    var news: [EventNews] = []
    if isWatched {
      for record in records {
        guard case .events(let batch, let places) = record.rows, !places.isEmpty else { continue }
        news.append(EventNews(batch: batch, places: places, receivedTime: record.receivedTime))
      }
    }
    add(PendingBatch(records: records, keys: sorted.keys, news: news, finish: finish))
  }

  private static func record(
    _ batch: ChargedBatch, _ selection: ArraySlice<Int>, receivedTime: Int64,
    _ position: SourcePosition
  ) -> LogRecord {
    LogRecord(
      payload: LogPayload(
        head: BatchRecord.encode(
          batch, selection: selection, receivedTime: receivedTime, positions: [position])),
      rows: .events(batch, Array(selection)), receivedTime: receivedTime, positions: [position])
  }

  func startCommitting() {
    guard !isCommitting else { return }
    isCommitting = true
    // Runs until nothing is pending; each caller waits for its own batch, so it is never orphaned.
    Task { await self.commitPending() }
  }

  func commitPending() async {
    while !pending.isEmpty {
      var group: [PendingBatch] = []
      var bytes = 0
      while let next = pending.first, group.isEmpty || bytes + next.byteCount <= options.groupBytes
      {
        bytes += next.byteCount
        group.append(pending.removeFirst())
      }
      pendingBytes -= bytes
      do throws(StoreError) {
        try await commit(group)
        for waiting in group {
          for record in waiting.records { apply(record) }
          for news in waiting.news { tell(news.batch, news.places, news.receivedTime) }
        }
        for waiting in group { waiting.finish(nil) }
      } catch {
        // Batches behind the group may call its events duplicates, so they fail with it.
        let refused = group + pending
        pending = []
        pendingBytes = 0
        for waiting in refused { forget(waiting.keys) }
        for waiting in refused { waiting.finish(error) }
      }
      wakeRoomWaiters()
    }
    isCommitting = false
    let waiters = drainWaiters
    drainWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  /// Makes a group durable, in a new file where the old one fails.
  func commit(_ group: [PendingBatch]) async throws(StoreError) {
    let payloads = group.flatMap { $0.records.map(\.payload) }
    guard !payloads.isEmpty else { return }
    do throws(StoreError) {
      try await write(payloads)
    } catch {
      log = nil
      do throws(StoreError) {
        try await write(payloads)
      } catch {
        log = nil
        throw error
      }
    }
  }

  func write(_ payloads: [LogPayload]) async throws(StoreError) {
    if let log, log.end >= options.logFileBytes { self.log = nil }
    if log == nil { try startLogFile() }
    guard let log else { throw Self.closedError }
    let end = try await device.append(
      payloads, firstSequence: appliedSequence + 1, durableSequence: appliedSequence, to: log)
    self.log?.end = end
  }

  func startLogFile() throws(StoreError) {
    try catalog.refresh()
    if catalog.state.logs.count >= options.maximumLogFiles {
      rotateAll()
    }
    let id = max(nextLogID, catalog.state.nextLogID)
    nextLogID = id + 1
    let firstSequence = appliedSequence + 1
    let created = try LogFile.create(
      layout: layout, fileSystem: fileSystem,
      identity: LogIdentity(store: catalog.state.storeID, file: id), firstSequence: firstSequence)
    var change = CatalogChange()
    change.addedLogs = [LogEntry(id: id, firstSequence: firstSequence)]
    try catalog.commit(change)
    publisher.settle(StoreLayout.logName(id))
    log = created
  }

  func waitForLogRoom() async {
    while pendingBytes > options.maximumPendingBytes {
      await withCheckedContinuation { roomWaiters.append($0) }
    }
  }

  func wakeRoomWaiters() {
    let waiters = roomWaiters
    roomWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  /// The current log file's number; nil where the next append begins a new one.
  var currentLogID: Int64? { log?.identity.file }

  /// Ends the current log file, so that it can go once its rows are in segments.
  func endLogFile() { log = nil }
}

extension ArraySlice {
  /// Its elements in runs of at most `count`.
  fileprivate func pieces(of count: Int) -> [ArraySlice] {
    stride(from: startIndex, to: endIndex, by: count).map {
      self[$0..<Swift.min($0 + count, endIndex)]
    }
  }
}
