// From a batch that wants its answer at once to a synced record of the log.

internal import FarthingCore

extension StoreWriter {
  /// What of a batch goes into one record of the log.
  struct LogRecord {
    let payload: [UInt8]
    let selection: [Int]
    let receivedTime: Int64
    var positions: [SourcePosition] = []
  }

  /// A batch that waits for its sync.
  struct PendingBatch {
    let batch: ChargedBatch
    /// One for each record; none for a batch of duplicates, which waits for those before it.
    let records: [LogRecord]
    let keys: [DeduplicationIndex.Key]
    /// Called on the writer's thread once the batch is durable (nil) or refused.
    let finish: (StoreError?) -> Void

    var byteCount: Int { records.reduce(0) { $0 + $1.payload.count } }
  }

  func commit(
    _ batch: ChargedBatch, _ sorted: SortedBatch, receivedTime: Int64,
    _ progress: SourceProgress?
  ) async throws(StoreError) {
    if sorted.selection.isEmpty, progress == nil, !isCommitting, pending.isEmpty { return }
    let failure = await withCheckedContinuation { continuation in
      enqueue(batch, sorted, receivedTime: receivedTime, progress) {
        continuation.resume(returning: $0)
      }
      startCommitting()
    }
    if let failure { throw failure }
  }

  /// Puts a batch behind those that wait for the log.
  func enqueue(
    _ batch: ChargedBatch, _ sorted: SortedBatch, receivedTime: Int64,
    _ progress: SourceProgress?, finish: @escaping (StoreError?) -> Void
  ) {
    let parts = arrivals.parts(
      of: sorted.selection, in: batch.decoded, receivedTime: receivedTime)
    var records = parts.flatMap {
      Self.records(batch, $0.selection, receivedTime: $0.receivedTime)
    }
    if let progress { records = Self.positioned(records, of: batch, progress) }
    let waiting = PendingBatch(
      batch: batch, records: records, keys: sorted.keys, finish: finish)
    pending.append(waiting)
    pendingBytes += waiting.byteCount
  }

  /// The records of a batch, each small enough for the log and for one buffer.
  private static func records(
    _ batch: ChargedBatch, _ selection: ArraySlice<Int>, receivedTime: Int64
  ) -> [LogRecord] {
    var records: [LogRecord] = []
    // An event takes at most some 100 KB, so 256 of them always fit into a record.
    let step = selection.count <= 256 ? 256 : 4096
    var rest = selection
    while !rest.isEmpty {
      let part = rest.prefix(step)
      rest = rest.dropFirst(step)
      let payload = BatchRecord.encode(batch, selection: part, receivedTime: receivedTime)
      if payload.count > LogFormat.maximumPayload, part.count > 256 {
        for start in stride(from: part.startIndex, to: part.endIndex, by: 256) {
          let end = min(start + 256, part.endIndex)
          records += Self.records(batch, part[start..<end], receivedTime: receivedTime)
        }
      } else {
        records.append(
          LogRecord(payload: payload, selection: Array(part), receivedTime: receivedTime))
      }
    }
    return records
  }

  /// The records with the position that each of them covers. A batch without new events becomes a
  /// record of its position alone.
  private static func positioned(
    _ records: [LogRecord], of batch: ChargedBatch, _ progress: SourceProgress
  ) -> [LogRecord] {
    var positioned: [LogRecord] = []
    for (place, record) in records.enumerated() {
      let next = place + 1 < records.count ? records[place + 1].selection.first : nil
      let positions = [next.map(progress.before) ?? progress.end]
      positioned.append(
        LogRecord(
          payload: BatchRecord.encode(
            batch, selection: record.selection, receivedTime: record.receivedTime,
            positions: positions),
          selection: record.selection, receivedTime: record.receivedTime, positions: positions))
    }
    guard positioned.isEmpty else { return positioned }
    return [
      LogRecord(
        payload: BatchRecord.encode(
          batch, selection: [], receivedTime: 0, positions: [progress.end]),
        selection: [], receivedTime: 0, positions: [progress.end])
    ]
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
          for record in waiting.records {
            apply(
              waiting.batch, selection: record.selection, receivedTime: record.receivedTime,
              positions: record.positions)
            tell(waiting.batch, record.selection, record.receivedTime)
          }
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

  func write(_ payloads: [[UInt8]]) async throws(StoreError) {
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
