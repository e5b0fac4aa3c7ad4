// What an agent keeps on its disk until the server has it.
//
// Records go to files of the log's own form (checksums that include the spool's identity, the file and
// the sequence number; group commit; durable marks; the rule of the torn tail), in ascending sequence
// that goes on over files and restarts. The reader hands them out in that order; what the server
// acknowledged is forgotten, file by file.
//
// Invariants:
// 1. An append returns once its records are synced. A record that was never synced is read by nobody.
// 2. `state` says nothing acknowledged that the server did not acknowledge; it is durable before a file
//    that it covers goes, so a sequence number below the oldest file's is never missed as damage.
// 3. Every file with records begins with the positions of all sources, so older files can go; only files
//    before the newest that has records do go.
// 4. After a failed write or sync a file is never written again; the next one takes the same sequence
//    numbers and supersedes what the failed one may hold of them.
// 5. No `await` stands between a check of these and what relies on it.

/// Records in order on a disk, with a bound, until they are acknowledged.
package actor Spool {
  let directory: String
  let fileSystem: any FileSystem
  let options: SpoolOptions
  private let executor: ThreadExecutor
  let device: LogDevice
  private let lock: any FileLock
  let compressor = ZstdCompressor()

  var state: SpoolState
  /// What of ``state`` is on the disk.
  private var durableState: SpoolState
  private var stateTime: Int64 = 0
  /// Oldest first; the last may be the one that is being written.
  var files: [SpoolFile]
  var nextNumber: Int64
  /// The last durable record.
  var lastSequence: Int64
  var sources: SourcePositions

  // Writing.
  var log: LogFile?
  var pending: [PendingAppend] = []
  var pendingBytes = 0
  var isCommitting = false
  var roomWaiters: [CheckedContinuation<Void, Never>] = []
  var drainWaiters: [CheckedContinuation<Void, Never>] = []
  var isClosed = false
  var refusedAppends = 0
  var setAsideEvents = 0

  // Reading.
  /// The last record that was handed out or passed over.
  var readThrough: Int64
  /// Where the record after it is expected: the file's number and the place in it.
  var readPlace: (number: Int64, offset: Int)?
  /// What a call has read of a file; nil between calls.
  var window: Window?
  /// Handed out and not acknowledged, oldest first.
  var outstanding: [Outstanding] = []
  var lostRecords: Int64 = 0
  /// Sequences that were told of as lost, ascending.
  var knownLosses: [ClosedRange<Int64>] = []
  /// Damage that nobody was told of yet.
  var untold: [DamageReport] = []

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  /// Opens the spool in a folder, which is created where missing, with what earlier runs left.
  ///
  /// Blocks the caller while it reads all files once, one at a time.
  /// - Parameter random: the identity of a spool that is made here.
  /// - Throws: `locked`, naming the process that has the folder; `accessDenied`, `diskFull`,
  ///   `unsupportedVersion`, `io`. Damage is no error but in ``takeDamage()``.
  package init(
    directory: String, options: SpoolOptions = SpoolOptions(),
    fileSystem: any FileSystem = PosixFileSystem(), random: UInt64
  ) throws(StoreError) {
    let layout = StoreLayout(directory: directory)
    self.directory = layout.directory
    self.options = options
    self.fileSystem = fileSystem
    executor = try ThreadExecutor()
    device = try LogDevice()
    try fileSystem.createDirectory(layout.directory)
    let lock = try LockHolder.take(
      layout: layout, fileSystem: fileSystem,
      holder: LockHolder(processID: PosixFileSystem.processID))
    self.lock = lock
    let opening: SpoolOpening
    do throws(StoreError) {
      opening = try SpoolOpening(layout.directory, fileSystem, random: random)
    } catch {
      lock.release()
      throw error
    }
    state = opening.state
    durableState = opening.state
    files = opening.files
    nextNumber = opening.nextNumber
    lastSequence = opening.lastSequence
    sources = opening.sources
    readThrough = opening.state.acknowledged
    lostRecords = opening.lostRecords
    knownLosses = opening.losses.sorted { $0.lowerBound < $1.lowerBound }
    untold = opening.damage
  }

  // MARK: - Standing

  /// - Complexity: O(f) in the number of files.
  package var survey: SpoolSurvey {
    SpoolSurvey(
      stream: state.stream, waitingEvents: files.reduce(0) { $0 + $1.waitingEvents },
      waitingRecords: lastSequence - state.acknowledged, bytes: bytes,
      capacity: options.capacity, oldestTime: oldestTime, lastSequence: lastSequence,
      acknowledged: state.acknowledged, lostRecords: lostRecords, refusedAppends: refusedAppends,
      setAsideEvents: setAsideEvents)
  }

  /// Whether ``next(textBytes:events:)`` may hand out something.
  package var hasUnread: Bool { readThrough < lastSequence }

  /// Bytes of the records' files.
  var bytes: Int { files.reduce(0) { $0 + $1.end } }

  private var oldestTime: Int64? {
    guard state.acknowledged < lastSequence else { return nil }
    if let first = outstanding.first { return first.receivedTime }
    return files.first { $0.lastSequence > state.acknowledged }?.oldestTime
  }

  /// The newest position of each source; all of them are durable.
  package var positions: [SourcePosition] {
    sources.entries.values.map(\.position).filter { !$0.state.isEmpty }
  }

  /// Damage that was found since the last call.
  package func takeDamage() -> [DamageReport] {
    defer { untold = [] }
    return untold
  }

  // MARK: - Acknowledgements

  /// Forgets every record up to one that was handed out.
  ///
  /// - Parameter now: Unix nanoseconds.
  /// - Throws: `io`, `diskFull` where it cannot be made durable. The records are forgotten all the same;
  ///   after a crash they would be sent again.
  package func acknowledge(through sequence: Int64, now: Int64) throws(StoreError) {
    let sequence = min(sequence, readThrough)
    guard sequence > state.acknowledged else { return }
    state.acknowledged = sequence
    let done = outstanding.prefix { $0.sequence <= sequence }
    for record in done {
      if let place = files.firstIndex(where: { $0.number == record.file }) {
        files[place].waitingEvents -= record.events
        files[place].oldestTime = record.receivedTime
      }
    }
    outstanding.removeFirst(done.count)
    for place in files.indices where files[place].lastSequence <= sequence {
      files[place].waitingEvents = 0
      files[place].oldestTime = nil
    }
    let carrier = files.lastIndex { $0.carriesPositions } ?? 0
    let hasGone = files[..<carrier].contains { $0.lastSequence <= sequence }
    if hasGone || now - stateTime >= options.stateInterval || now < stateTime {
      try writeState(now: now)
    }
    if hasGone { try removeAcknowledged() }
  }

  /// Makes ``state`` durable.
  func writeState(now: Int64? = nil) throws(StoreError) {
    if let now { stateTime = now }
    guard state != durableState else { return }
    try state.write(directory, fileSystem)
    durableState = state
  }

  /// Removes files without a waiting record. Damaged ones are kept under another name.
  private func removeAcknowledged() throws(StoreError) {
    while let first = files.first, first.lastSequence <= durableState.acknowledged,
      files.dropFirst().contains(where: \.carriesPositions)
    {
      let path = "\(directory)/\(first.name)"
      if first.isDamaged {
        try fileSystem.rename(path, to: path + ".bad")
      } else {
        try fileSystem.unlink(path)
      }
      files.removeFirst()
    }
    // A name that a power cut brings back is below the durable acknowledgement and goes again.
  }

  /// Gives the stream of records a new name, under which the server knows none of them.
  ///
  /// For a spool that was set back to an earlier state, whose numbers the server has seen already.
  package func renewStream(_ random: UInt64) throws(StoreError) {
    state.stream = random
    try writeState()
  }

  // MARK: - Setting aside

  /// Keeps records that the server will never take in files of their own, in the folder `refused`.
  ///
  /// - Parameter answer: what the server said, for whoever looks.
  /// - Returns: the path of the events' file.
  /// - Throws: `io`, `diskFull`; the records stay where they are then.
  package func setAside(
    _ records: [SpoolRecord], answer: String
  ) throws(StoreError) -> String {
    let folder = "\(directory)/refused"
    try fileSystem.createDirectory(folder)
    let name = "\(folder)/\(records.first?.sequence ?? 0)-\(records.last?.sequence ?? 0)"
    let contents = [
      (name + ".ndjson.zst", records.flatMap(\.frame)), (name + ".txt", Array(answer.utf8)),
    ]
    for (path, bytes) in contents {
      try fileSystem.unlink(path)
      let file = try fileSystem.open(path, .create)
      defer { file.close() }
      try file.write(bytes[...], offset: 0)
      try file.dataSync()
    }
    try fileSystem.syncDirectory(folder)
    setAsideEvents += records.reduce(0) { $0 + $1.events }
    return name + ".ndjson.zst"
  }

  // MARK: - Ending

  /// Waits for appends under way, keeps the newest acknowledgement and gives up the folder.
  package func close() async throws(StoreError) {
    guard !isClosed else { return }
    isClosed = true
    while isCommitting { await withCheckedContinuation { drainWaiters.append($0) } }
    log = nil
    defer { lock.release() }
    try writeState()
  }

  /// Gives up the folder at once, as in a crash.
  package func abandon() {
    isClosed = true
    lock.release()
  }
}
