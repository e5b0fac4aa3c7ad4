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

/// What is told of a batch that has become durable: its new events by their places, and the time of
/// arrival that they are stored with, Unix nanoseconds; it grows with the order of the log.
package typealias CommitTap = @Sendable (ChargedBatch, [Int], Int64) -> Void

/// The one writer of a data folder: appends, seals, publishes, and keeps the price lists.
package actor StoreWriter {
  let layout: StoreLayout
  let fileSystem: any FileSystem
  let options: StoreOptions
  private let executor: ThreadExecutor
  let device: LogDevice
  let sealer: SegmentSealer
  let publisher: SegmentPublisher
  private let lock: any FileLock
  let catalog: Catalog
  let index: DeduplicationIndex
  /// Whether the index knows the ids of the segments within the window, not only those of the log
  /// and of this process. They are read when the first event with an id comes.
  var knowsStoredIDs = false
  /// Segments within the window whose ids could not be read, known once the first event with an id
  /// came: what of them is sent again is stored again.
  package internal(set) var unreadIDs: [DamageReport] = []
  var arrivals = ArrivalOrder()
  var warmth: UInt64 = 0
  /// How workers lay batches out for this store.
  package nonisolated let preparation: BatchPreparation

  /// By kind; nil where no row waits.
  var active: [WriteBuffer?]
  /// Rows far behind the others of their kind, which never came by the log.
  var late = LateBuffers()
  /// By kind, the greatest time of the rows that came past the log; what is far behind it is late.
  var newestTimes: [Int64?] = [nil, nil, nil]
  /// The memory of buffers that were sealed: fresh memory would cost a page fault for each 4 KiB.
  let spares = SpareTables(limit: 2)
  /// Working memory of appends.
  var codes: [UInt32] = []
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
  var storedPrices: [ObjectIdentifier: (price: ResolvedPrice, stored: StoredPrice)] = [:]
  var appendsSinceSizeCheck = 0
  /// How far followed sources are read, as of ``appliedSequence``.
  var sources: SourcePositions
  /// Appends past the log so far, and how many of them the last flush covered.
  var unloggedAppends = 0
  var flushedAppends = 0

  /// The last sequence number whose rows are in buffers or segments. The next group follows it.
  var appliedSequence: Int64
  var log: LogFile?
  var nextLogID: Int64
  var pending: [PendingBatch] = []
  var pendingBytes = 0
  var isCommitting = false
  var roomWaiters: [CheckedContinuation<Void, Never>] = []
  var drainWaiters: [CheckedContinuation<Void, Never>] = []
  /// Told of each record that has become durable and entered the buffers, in the order of the log.
  private var tap: CommitTap?
  /// Nothing is appended any more.
  private(set) var isClosed = false
  /// The folder is given up: what is still under way must not touch it.
  private(set) var isAbandoned = false

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  /// Opens the store in a folder, which is created where missing, and recovers what a crash left.
  ///
  /// Blocks the caller while it reads the log. The ids of the window are read later, by the first
  /// append of an event that has one.
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
    preparation = BatchPreparation(seed: store.catalog.state.seed)
    active = store.buffers
    appliedSequence = store.lastSequence
    sources = store.sources
    nextSegmentID = store.catalog.state.nextSegmentID
    nextLogID = store.catalog.state.nextLogID
  }

  // MARK: - Watching

  /// Tells `tap` of every batch that is handed to the log from now on: once it is durable, in the order of
  /// the log, on the writer's thread. It must not take long, and never waits.
  package func watch(_ tap: @escaping CommitTap) { self.tap = tap }

  /// Whether anybody hears of what becomes durable.
  var isWatched: Bool { tap != nil }

  func tell(_ batch: ChargedBatch, _ selection: [Int], _ receivedTime: Int64) {
    guard !selection.isEmpty else { return }
    tap?(batch, selection, receivedTime)
  }

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

  /// The durable position of one source; nil where there is none.
  package func sourcePosition(of source: String) -> SourcePosition? {
    sources.entries[source].map(\.position).flatMap { $0.state.isEmpty ? nil : $0 }
  }

  static let closedError = StoreError(.closed, "the store's writer is closed")
}
