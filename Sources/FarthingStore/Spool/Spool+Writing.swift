// From events to synced records.

extension Spool {
  /// Records that wait for their sync, which they share with whatever came meanwhile.
  struct PendingAppend {
    let records: [Record]
    let continuation: CheckedContinuation<StoreError?, Never>

    var byteCount: Int { records.reduce(0) { $0 + $1.payload.count } }
  }

  struct Record {
    let payload: [UInt8]
    let events: Int
    let receivedTime: Int64
    let positions: [SourcePosition]
  }

  /// Appends records, all of them or none.
  ///
  /// - Returns: once they are durable.
  /// - Throws: `diskFull` where the spool holds as much as it may, or the disk does; `io`; `closed`.
  ///   The same may be appended again.
  package func append(_ entries: [SpoolEntry]) async throws(StoreError) {
    while pendingBytes > options.maximumPendingBytes {
      await withCheckedContinuation { roomWaiters.append($0) }
    }
    guard !isClosed else { throw StoreError(.closed, "the spool is closed") }
    var records: [Record] = []
    for entry in entries {
      records.append(
        Record(
          payload: try SpoolPayload.encode(entry, compressor), events: entry.events,
          receivedTime: entry.receivedTime, positions: entry.positions))
    }
    guard !records.isEmpty else { return }
    let size = records.reduce(0) { $0 + $1.payload.count + LogFormat.recordHeaderSize + 8 }
    guard bytes + pendingBytes + size <= options.capacity else {
      refusedAppends += 1
      throw StoreError(
        .diskFull,
        "the spool in \(directory) is full: \(bytes) of \(options.capacity) bytes wait for the server"
      )
    }
    let failure = await withCheckedContinuation { continuation in
      let waiting = PendingAppend(records: records, continuation: continuation)
      pending.append(waiting)
      pendingBytes += waiting.byteCount
      startCommitting()
    }
    if let failure { throw failure }
  }

  /// Whether an append of usual size would find room.
  ///
  /// - Throws: `diskFull`, `closed`.
  package func probe() throws(StoreError) {
    guard !isClosed else { throw StoreError(.closed, "the spool is closed") }
    let room = try fileSystem.availableBytes(directory) ?? .max
    guard bytes + Self.usualAppend <= options.capacity, room >= Self.usualAppend else {
      throw StoreError(.diskFull, "the spool in \(directory) is full")
    }
  }

  /// What a body of events takes.
  private static let usualAppend = 64 << 10

  private func startCommitting() {
    guard !isCommitting else { return }
    isCommitting = true
    // Runs until nothing is pending; each caller waits for its own records, so it is never orphaned.
    Task { await self.commitPending() }
  }

  private func commitPending() async {
    while !pending.isEmpty {
      var group: [PendingAppend] = []
      var size = 0
      while let next = pending.first, group.isEmpty || size + next.byteCount <= options.groupBytes {
        size += next.byteCount
        group.append(pending.removeFirst())
      }
      var failure: StoreError?
      do throws(StoreError) {
        try await commit(group.flatMap(\.records))
      } catch {
        failure = error
      }
      pendingBytes -= size
      for waiting in group { waiting.continuation.resume(returning: failure) }
      let waiters = roomWaiters
      roomWaiters = []
      for waiter in waiters { waiter.resume() }
    }
    isCommitting = false
    let waiters = drainWaiters
    drainWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  /// Makes records durable, in a new file where the old one fails.
  private func commit(_ records: [Record]) async throws(StoreError) {
    do throws(StoreError) {
      try await write(records)
    } catch {
      log = nil
      do throws(StoreError) {
        try await write(records)
      } catch {
        log = nil
        throw error
      }
    }
  }

  private func write(_ records: [Record]) async throws(StoreError) {
    if let log, log.end >= options.rotationBytes { self.log = nil }
    var records = records
    if log == nil {
      log = try startFile()
      if let carried = try carriedPositions(receivedTime: records.first?.receivedTime ?? 0) {
        records.insert(carried, at: 0)
      }
    }
    guard let log else { return }
    let end = try await device.append(
      records.map { LogPayload(head: $0.payload) }, firstSequence: lastSequence + 1,
      durableSequence: lastSequence,
      to: log)
    self.log?.end = end
    note(records, number: log.identity.file, end: end)
  }

  /// Counts records that are durable now.
  private func note(_ records: [Record], number: Int64, end: Int) {
    for record in records {
      lastSequence += 1
      sources.take(record.positions, sequence: lastSequence)
    }
    // Files are ascending, and the one that is written is the last.
    let place = files.count - 1
    guard place >= 0, files[place].number == number else { return }
    files[place].lastSequence = lastSequence
    files[place].end = end
    files[place].carriesPositions = true
    files[place].waitingEvents += records.reduce(0) { $0 + $1.events }
    files[place].oldestTime = files[place].oldestTime ?? records.first?.receivedTime
  }

  private func startFile() throws(StoreError) -> LogFile {
    let number = nextNumber
    nextNumber += 1
    let file = SpoolFile(number: number, firstSequence: lastSequence + 1)
    let path = "\(directory)/\(file.name)"
    let created = try LogFile.create(
      path: path + ".new", folder: directory, fileSystem: fileSystem,
      identity: LogIdentity(store: state.identity, file: number),
      firstSequence: file.firstSequence)
    try fileSystem.rename(path + ".new", to: path)
    try fileSystem.syncDirectory(directory)
    files.append(file)
    return created
  }

  /// A record of nothing but the positions, which a new file begins with; nil where there are none.
  private func carriedPositions(receivedTime: Int64) throws(StoreError) -> Record? {
    let positions = positions
    guard !positions.isEmpty else { return nil }
    let entry = SpoolEntry(
      receivedTime: receivedTime, events: 0, text: options.emptySection, positions: positions)
    return Record(
      payload: try SpoolPayload.encode(entry, compressor), events: 0, receivedTime: receivedTime,
      positions: positions)
  }
}
