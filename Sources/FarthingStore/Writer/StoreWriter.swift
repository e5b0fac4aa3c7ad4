// The one writer of a data folder.
//
// Two ways lead to durable rows. A `.log` append goes to the log, waits for the sync that it shares
// with whatever came meanwhile, and only then enters the write buffers. A `.segment` append enters
// the buffers at once and is durable when they are sealed. Buffers are sealed by kind, in the
// background; the catalogue transaction that lists a segment also says which log records need
// no replay any more for that kind.
//
// Invariants:
// 1. An id is in the index only while its event is durable or on its way in this process; every
//    path that gives an event up takes its id out again.
// 2. A record enters a buffer whole, and a buffer is sealed between records: a segment covers the
//    log up to a sequence number and nothing of the next.
// 3. Seal jobs are published in the order of their making, so coverage only grows.
// 4. After a failed write or sync of the log its file is never written again. The group goes once
//    more to a new file, which takes the same sequence numbers and so supersedes the old one; if
//    that fails too, the group and everything that waited behind it is refused.
// 5. No `await` stands between a check of these and what relies on it.

package import FarthingCore

/// The one writer of a data folder: appends, seals, publishes, and keeps the price lists.
package actor StoreWriter {
  let layout: StoreLayout
  let fileSystem: any FileSystem
  let options: StoreOptions
  private let executor: ThreadExecutor
  private let device: LogDevice
  let sealer: SegmentSealer
  let publisher: SegmentPublisher
  private let lock: any FileLock
  let catalog: Catalog
  private let index: DeduplicationIndex
  private var arrivals = ArrivalOrder()
  private var warmth: UInt64 = 0
  /// Segments within the window whose ids could not be read at the start: what of them is sent
  /// again is stored again.
  package nonisolated let unreadIDs: [DamageReport]

  /// By kind; nil where no row waits.
  var active: [WriteBuffer?]
  /// Sealed or about to be, oldest first.
  var jobs: [SealJob] = []
  var isSealing = false
  /// Why the oldest job is still there; nil while it is being worked on.
  var sealFailure: StoreError?
  /// Callers that wait for a seal job to end, one way or the other.
  var sealWaiters: [CheckedContinuation<Void, Never>] = []
  /// Segment ids given out, which may be ahead of the catalogue's.
  var nextSegmentID: Int64
  var readers: [Int64: SegmentReader] = [:]
  /// Whether a merge is under way; there is one at a time.
  var isMerging = false
  var mergeWaiters: [CheckedContinuation<Void, Never>] = []
  /// Segments that a merge failed on.
  var unmergeable: Set<Int64> = []
  /// Prices in their stored form, so that each is serialised once; emptied at 4,096.
  private var storedPrices: [ObjectIdentifier: (price: ResolvedPrice, stored: StoredPrice)] = [:]
  private var appendsSinceSizeCheck = 0
  /// How far followed sources are read, as of ``appliedSequence``.
  var sources: SourcePositions
  /// Appends past the log so far, and how many of them the last flush covered.
  private(set) var unloggedAppends = 0
  var flushedAppends = 0

  /// The last sequence number whose rows are in buffers or segments. The next group follows it.
  private(set) var appliedSequence: Int64
  private var log: LogFile?
  private var nextLogID: Int64
  private var pending: [PendingBatch] = []
  private var pendingBytes = 0
  private var isCommitting = false
  private var roomWaiters: [CheckedContinuation<Void, Never>] = []
  private var drainWaiters: [CheckedContinuation<Void, Never>] = []
  /// Nothing is appended any more.
  private(set) var isClosed = false
  /// The folder is given up: what is still under way must not touch it.
  private(set) var isAbandoned = false

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  /// Opens the store in a folder, which is created where missing, and recovers what a crash left.
  ///
  /// Blocks the caller while it reads the log and the ids of the window.
  /// - Parameters:
  ///   - now: Unix nanoseconds, the clock of arrival.
  ///   - randomBytes: 16 of them, the secret key of a store that is made here; an existing one
  ///     keeps its own.
  /// - Throws: `locked`, naming the process that writes the folder; `damaged` where the catalogue
  ///   is; `accessDenied`, `diskFull`, `invalidArgument`, `io`.
  package init(
    directory: String, options: StoreOptions = StoreOptions(),
    fileSystem: any FileSystem = PosixFileSystem(), now: Int64, randomBytes: [UInt8]
  ) throws(StoreError) {
    layout = StoreLayout(directory: directory)
    self.fileSystem = fileSystem
    self.options = options
    publisher = SegmentPublisher(layout: layout, fileSystem: fileSystem)
    executor = try ThreadExecutor()
    device = try LogDevice()
    sealer = try SegmentSealer(publisher: publisher)
    let store = try StoreRecovery.open(
      layout: layout, fileSystem: fileSystem, options: options, now: now, seed: randomBytes)
    lock = store.lock
    catalog = store.catalog
    index = store.index
    unreadIDs = store.unreadIDs
    active = store.buffers
    appliedSequence = store.lastSequence
    sources = store.sources
    nextSegmentID = store.catalog.state.nextSegmentID
    nextLogID = store.catalog.state.nextLogID
  }

  // MARK: - Appending

  /// Stores the events of a batch whose ids are new within the window.
  ///
  /// - Parameters:
  ///   - receivedTime: when the batch arrived, Unix nanoseconds.
  ///   - durability: whether the events are durable on return or with the next ``flush()``.
  ///   - progress: with `log`: how far the batch's source is read. Durable in the same step as the
  ///     events, of which none is stored without the position that covers it.
  /// - Returns: once what `durability` promises holds, for duplicates too: an event is called a
  ///   duplicate only when the event that it repeats is durable.
  /// - Throws: `diskFull` or `io`, after which no event of the batch is stored and no id of it is
  ///   remembered; the same batch may be sent again. `closed`.
  package func append(
    _ batch: ChargedBatch, receivedTime: Int64, durability: AppendDurability,
    progress: SourceProgress? = nil
  ) async throws(StoreError) -> AppendResult {
    try await waitForSealRoom()
    if durability == .log { await waitForLogRoom() }
    guard !isClosed else { throw Self.closedError }
    index.advance(to: receivedTime)
    let sorted = sortOut(batch.decoded)
    let result = AppendResult(
      accepted: sorted.selection.count, duplicateLines: sorted.duplicateLines)
    switch durability {
    case .segment:
      unloggedAppends += 1
      for part in arrivals.parts(
        of: sorted.selection, in: batch.decoded, receivedTime: receivedTime)
      {
        apply(
          batch, selection: Array(part.selection), receivedTime: part.receivedTime, mayCut: true)
      }
    case .log:
      try await commit(batch, sorted, receivedTime: receivedTime, progress)
      // What a duplicate repeats may have come past the log and be in a buffer only.
      if !sorted.duplicateLines.isEmpty, unloggedAppends > flushedAppends { try await flush() }
    }
    return result
  }

  private struct SortedBatch {
    var selection: [Int] = []
    var duplicateLines: [Int] = []
    /// Of the selection, where they have an id.
    var keys: [DeduplicationIndex.Key] = []
  }

  /// Remembers the new ids, in the order of the batch: of two equal ids in it the first is new.
  private func sortOut(_ batch: borrowing DecodedBatch) -> SortedBatch {
    var sorted = SortedBatch()
    sorted.selection.reserveCapacity(batch.events.count)
    sorted.keys.reserveCapacity(batch.events.count)
    var keys: [DeduplicationIndex.Key] = []
    // Some hundred searches at a time, so that their cache misses overlap.
    for start in stride(from: 0, to: batch.events.count, by: 256) {
      let places = start..<min(start + 256, batch.events.count)
      keys.removeAll(keepingCapacity: true)
      for place in places {
        if let id = batch.events[place].range(of: .id) {
          keys.append(index.key(of: batch.span(id)))
        }
      }
      warmth ^= index.warm(keys)
      var next = 0
      for place in places {
        if batch.events[place].range(of: .id) != nil {
          let key = keys[next]
          next += 1
          guard index.insert(key) else {
            sorted.duplicateLines.append(batch.events[place].line)
            continue
          }
          sorted.keys.append(key)
        }
        sorted.selection.append(place)
      }
    }
    return sorted
  }

  private func forget(_ keys: [DeduplicationIndex.Key]) {
    for key in keys { index.remove(key) }
  }

  /// Puts rows into the buffers, sealing those that are full.
  ///
  /// - Parameter mayCut: whether the rows of one kind may come to stand in two segments; rows of
  ///   the log may not.
  private func apply(
    _ batch: ChargedBatch, selection: [Int], receivedTime: Int64, mayCut: Bool
  ) {
    let prices = batch.prices.map { stored($0) }
    var counts = [0, 0, 0]
    for event in selection { counts[Int(batch.decoded.events[event].kind.rawValue)] += 1 }
    for kind in EventKind.allCases where counts[Int(kind.rawValue)] > 0 {
      let isOnly = counts[Int(kind.rawValue)] == selection.count
      let rows =
        isOnly ? selection : selection.filter { batch.decoded.events[$0].kind == kind }
      let place = Int(kind.rawValue)
      if !mayCut, let buffer = active[place],
        buffer.rowCount + rows.count > options.segmentRows
          || buffer.approximateByteCount > options.bufferBytes
      {
        rotate(kind)
      }
      var rest = rows[...]
      while !rest.isEmpty {
        let buffer = active[place] ?? WriteBuffer(kind: kind)
        active[place] = buffer
        let room = mayCut ? max(0, options.segmentRows - buffer.rowCount) : rest.count
        let part = rest.prefix(room)
        let taken = buffer.append(
          batch.decoded, charges: batch.charges, prices: prices, source: batch.source,
          selection: part, receivedTime: receivedTime)
        rest = rest.dropFirst(taken)
        // Rows of the log wait for the next record, which finds the buffer full. A buffer below
        // `bufferBytes` takes any record whole, so it never refuses one of the log.
        if taken < part.count || (mayCut && buffer.rowCount >= options.segmentRows) {
          rotate(kind)
        }
      }
    }
    sealLargeBuffers()
  }

  private func stored(_ price: ResolvedPrice) -> StoredPrice {
    if let known = storedPrices[ObjectIdentifier(price)] { return known.stored }
    if storedPrices.count >= 4_096 { storedPrices = [:] }
    let stored = StoredPrice(key: price.key, bytes: price.serialised())
    // Keeping the price keeps its identity from being given to another.
    storedPrices[ObjectIdentifier(price)] = (price, stored)
    return stored
  }

  /// Memory grows with the length of the texts as well as with the rows.
  private func sealLargeBuffers() {
    appendsSinceSizeCheck += 1
    guard appendsSinceSizeCheck >= 16 else { return }
    appendsSinceSizeCheck = 0
    for kind in EventKind.allCases {
      guard let buffer = active[Int(kind.rawValue)] else { continue }
      if buffer.approximateByteCount > options.bufferBytes { rotate(kind) }
    }
  }

  // MARK: - The log

  /// What of a batch goes into one record of the log.
  private struct LogRecord {
    let payload: [UInt8]
    let selection: [Int]
    let receivedTime: Int64
    var positions: [SourcePosition] = []
  }

  /// A batch that waits for its sync.
  private struct PendingBatch {
    let batch: ChargedBatch
    /// One for each record; none for a batch of duplicates, which waits for those before it.
    let records: [LogRecord]
    let keys: [DeduplicationIndex.Key]
    let continuation: CheckedContinuation<StoreError?, Never>

    var byteCount: Int { records.reduce(0) { $0 + $1.payload.count } }
  }

  private func commit(
    _ batch: ChargedBatch, _ sorted: SortedBatch, receivedTime: Int64,
    _ progress: SourceProgress?
  ) async throws(StoreError) {
    if sorted.selection.isEmpty, progress == nil, !isCommitting, pending.isEmpty { return }
    let parts = arrivals.parts(
      of: sorted.selection, in: batch.decoded, receivedTime: receivedTime)
    var records = parts.flatMap {
      Self.records(batch, $0.selection, receivedTime: $0.receivedTime)
    }
    if let progress { records = Self.positioned(records, of: batch, progress) }
    let failure = await withCheckedContinuation { continuation in
      let waiting = PendingBatch(
        batch: batch, records: records, keys: sorted.keys, continuation: continuation)
      pending.append(waiting)
      pendingBytes += waiting.byteCount
      startCommitting()
    }
    if let failure { throw failure }
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

  private func startCommitting() {
    guard !isCommitting else { return }
    isCommitting = true
    // Runs until nothing is pending; each caller waits for its own batch, so it is never orphaned.
    Task { await self.commitPending() }
  }

  private func commitPending() async {
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
            appliedSequence += 1
            sources.take(record.positions, sequence: appliedSequence)
            apply(
              waiting.batch, selection: record.selection, receivedTime: record.receivedTime,
              mayCut: false)
          }
        }
        for waiting in group { waiting.continuation.resume(returning: nil) }
      } catch {
        // Batches behind the group may call its events duplicates, so they fail with it.
        let refused = group + pending
        pending = []
        pendingBytes = 0
        for waiting in refused { forget(waiting.keys) }
        for waiting in refused { waiting.continuation.resume(returning: error) }
      }
      wakeRoomWaiters()
    }
    isCommitting = false
    let waiters = drainWaiters
    drainWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  /// Makes a group durable, in a new file where the old one fails.
  private func commit(_ group: [PendingBatch]) async throws(StoreError) {
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

  private func write(_ payloads: [[UInt8]]) async throws(StoreError) {
    if let log, log.end >= options.logFileBytes { self.log = nil }
    if log == nil { try startLogFile() }
    guard let log else { throw Self.closedError }
    let end = try await device.append(
      payloads, firstSequence: appliedSequence + 1, durableSequence: appliedSequence, to: log)
    self.log?.end = end
  }

  private func startLogFile() throws(StoreError) {
    try catalog.refresh()
    if catalog.state.logs.count >= options.maximumLogFiles {
      for kind in EventKind.allCases { rotate(kind) }
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

  private func waitForLogRoom() async {
    while pendingBytes > options.maximumPendingBytes {
      await withCheckedContinuation { roomWaiters.append($0) }
    }
  }

  private func wakeRoomWaiters() {
    let waiters = roomWaiters
    roomWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  /// The current log file's number; nil where the next append begins a new one.
  var currentLogID: Int64? { log?.identity.file }

  /// Ends the current log file, so that it can go once its rows are in segments.
  func endLogFile() { log = nil }

  // MARK: - Ending

  /// Makes everything durable in segments, removes the log and gives up the folder.
  ///
  /// - Throws: as ``flush()``; the writer then stays open, and may be closed again.
  package func close() async throws(StoreError) {
    guard !isClosed else { return }
    isClosed = true
    while isCommitting { await withCheckedContinuation { drainWaiters.append($0) } }
    do throws(StoreError) {
      try await flush()
      try await compact()
      log = nil
      try dropCoveredLogs()
    } catch {
      isClosed = false
      throw error
    }
    isAbandoned = true
    readers = [:]
    lock.release()
  }

  /// Gives up the folder at once: what is not durable is lost, as in a crash.
  package func abandon() {
    isClosed = true
    isAbandoned = true
    lock.release()
  }

  /// The newest position of each followed source; all of them are durable.
  package var sourcePositions: [SourcePosition] {
    sources.entries.values.map(\.position).filter { !$0.state.isEmpty }
  }

  static let closedError = StoreError(.closed, "the store's writer is closed")
}
