// From full buffers to published segments.

internal import FarthingCore

/// A buffer that is to become a segment.
struct SealJob: Sendable {
  let id: Int64
  let kind: EventKind
  let buffer: SealableBuffer
  /// The log is covered up to here, for this kind, once the segment is listed.
  let throughSequence: Int64
}

extension StoreWriter {
  /// Hands a kind's buffer over to the sealing thread; the next row begins a new one.
  func rotate(_ kind: EventKind) {
    let place = Int(kind.rawValue)
    guard let buffer = active[place], buffer.rowCount > 0 else { return }
    active[place] = nil
    jobs.append(
      SealJob(
        id: nextSegmentID, kind: kind, buffer: SealableBuffer(buffer),
        throughSequence: appliedSequence))
    nextSegmentID += 1
    startSealing()
  }

  /// As above for late rows, none of which came by the log.
  func rotate(late key: LateBuffers.Key) {
    guard let buffer = late.remove(key), buffer.rowCount > 0 else { return }
    jobs.append(
      SealJob(
        id: nextSegmentID, kind: key.kind, buffer: SealableBuffer(buffer), throughSequence: 0))
    nextSegmentID += 1
    startSealing()
  }

  /// Hands over all buffers.
  func rotateAll() {
    for kind in EventKind.allCases { rotate(kind) }
    for key in late.keys { rotate(late: key) }
  }

  private func startSealing() {
    guard !isSealing, !jobs.isEmpty else { return }
    isSealing = true
    sealFailure = nil
    // Ends when no job is left or one fails; flush, close and appends at the limit wait for it.
    Task { await self.sealJobs() }
  }

  private func sealJobs() async {
    while let job = jobs.first {
      do throws(StoreError) {
        if let entry = try await sealer.seal(job.buffer, id: job.id) {
          try publish(entry, of: job)
        }
        jobs.removeFirst()
        wakeSealWaiters()
      } catch {
        sealFailure = error
        break
      }
    }
    isSealing = false
    wakeSealWaiters()
    // Between bursts is the time to merge; a failure leaves everything as it is until the next.
    if sealFailure == nil, jobs.isEmpty, !isClosed { _ = try? await mergeOnce() }
  }

  private func wakeSealWaiters() {
    let waiters = sealWaiters
    sealWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  /// Waits while as many buffers as may wait for the disk.
  ///
  /// - Throws: why the disk takes none, after a further attempt.
  func waitForSealRoom() async throws(StoreError) {
    guard jobs.count >= options.maximumSealingBuffers else { return }
    startSealing()
    while jobs.count >= options.maximumSealingBuffers {
      if let sealFailure, !isSealing { throw sealFailure }
      await withCheckedContinuation { sealWaiters.append($0) }
    }
  }

  /// Makes everything that was appended before this call durable in segments.
  ///
  /// - Throws: `diskFull` or `io`; nothing is lost of what the writer holds, and the next flush
  ///   tries again.
  package func flush() async throws(StoreError) {
    let covered = unloggedAppends
    rotateAll()
    guard let last = jobs.last?.id else {
      flushedAppends = max(flushedAppends, covered)
      return
    }
    startSealing()
    while jobs.contains(where: { $0.id <= last }) {
      if let sealFailure, !isSealing { throw sealFailure }
      await withCheckedContinuation { sealWaiters.append($0) }
    }
    flushedAppends = max(flushedAppends, covered)
  }

  /// Lists a segment that is durable, with what of the log it makes needless.
  private func publish(_ entry: SegmentEntry, of job: SealJob) throws(StoreError) {
    guard !isAbandoned else { throw Self.closedError }
    try catalog.refresh()
    // An attempt before this one may have been listed although its commit seemed to fail.
    if !catalog.state.segments.contains(where: { $0.id == entry.id }) {
      var change = CatalogChange()
      change.addedSegments = [entry]
      var covered = catalog.state.coveredSequence
      for kind in EventKind.allCases {
        let place = Int(kind.rawValue)
        let through = kind == job.kind ? job.throughSequence : covered[place]
        covered[place] = max(covered[place], coverage(of: kind, besides: job.id) ?? through)
      }
      change.coveredSequence = covered
      change.removedLogs = removableLogs(covered)
      change.sources = sources.changes(since: catalog.state.sources)
      change.clearedRemovals = publisher.remove(catalog.state.removals)
      try catalog.commit(change)
      // Gone from the catalogue for good, so the files may go. The next commit forgets their names.
      _ = publisher.remove(catalog.state.removals)
    }
    publisher.settle(StoreLayout.segmentName(entry.id))
  }

  /// The log is needless for a kind up to the last applied record where no row of it waits; nil
  /// where some do.
  private func coverage(of kind: EventKind, besides job: Int64) -> Int64? {
    let waits =
      (active[Int(kind.rawValue)]?.rowCount ?? 0) > 0 || late.hasRows(of: kind)
      || jobs.contains { $0.kind == kind && $0.id != job }
    return waits ? nil : appliedSequence
  }

  /// Log files whose records all kinds are covered for; the current one is kept.
  private func removableLogs(_ covered: [Int64]) -> [Int64] {
    let least = covered.min() ?? 0
    let logs = catalog.state.logs
    return logs.indices.filter { place in
      guard logs[place].id != currentLogID else { return false }
      let next = place + 1 < logs.count ? logs[place + 1].firstSequence - 1 : appliedSequence
      return next <= least
    }.map { logs[$0].id }
  }

  /// Removes the log files that nothing needs, in a transaction of its own.
  func dropCoveredLogs() throws(StoreError) {
    try catalog.refresh()
    var change = CatalogChange()
    change.coveredSequence = EventKind.allCases.map { kind in
      max(
        catalog.state.coveredSequence[Int(kind.rawValue)], coverage(of: kind, besides: -1) ?? 0)
    }
    change.removedLogs = removableLogs(change.coveredSequence ?? [])
    change.sources = sources.changes(since: catalog.state.sources)
    guard !change.removedLogs.isEmpty || !catalog.state.removals.isEmpty else { return }
    if !change.removedLogs.isEmpty { try catalog.commit(change) }
    try forgetRemovals()
  }

  /// Removes the files that the catalogue gave up, and their names from it.
  func forgetRemovals() throws(StoreError) {
    guard !catalog.state.removals.isEmpty else { return }
    var cleared = CatalogChange()
    cleared.clearedRemovals = publisher.remove(catalog.state.removals)
    try catalog.commit(cleared)
  }

  // MARK: - Reading one's own writes

  /// Everything that was appended and accepted before this call, rows in memory included.
  ///
  /// - Parameter cache: what a process that answers many queries keeps between them.
  /// - Complexity: seals the active buffers in memory, O(rows in them).
  package func snapshot(cache: BlockCache? = nil) async throws(StoreError) -> StoreSnapshot {
    // The sealing thread owns the buffers of jobs until it is done with them.
    while isSealing { await withCheckedContinuation { sealWaiters.append($0) } }
    var snapshot = StoreSnapshot()
    snapshot.damage = catalog.state.damage
    snapshot.settledDamageCount = catalog.state.damage.count
    snapshot.expiries = catalog.state.expiries
    snapshot.generation = catalog.state.generation
    var current: [Int64: SegmentReader] = [:]
    for entry in catalog.state.segments.inArrivalOrder {
      if let reader = readers[entry.id] {
        current[entry.id] = reader
        snapshot.add(reader)
      } else if let reader = snapshot.open(entry, layout, fileSystem, cache: cache) {
        current[entry.id] = reader
      }
    }
    readers = current
    for buffer in jobs.map(\.buffer.buffer) + active.compactMap({ $0 }) + late.all {
      try snapshot.add(buffer)
    }
    return snapshot
  }

  // MARK: - Price lists and settings

  /// Adds a price list, durably, at the end of the import order.
  ///
  /// - Returns: its id.
  @discardableResult
  package func addPriceList(
    name: String, format: String, validFrom: Int64?, importedAt: Int64, bytes: [UInt8]
  ) throws(StoreError) -> Int64 {
    try catalog.addPriceList(
      name: name, format: format, validFrom: validFrom, importedAt: importedAt, bytes: bytes)
  }

  /// All price lists in import order.
  package func priceLists() throws(StoreError) -> [PriceListEntry] { try catalog.priceLists() }

  /// A setting's value; nil where it was never set.
  package func setting(_ key: String) throws(StoreError) -> String? { try catalog.setting(key) }

  /// Sets a setting durably, or removes it where `value` is nil.
  package func setSetting(_ key: String, to value: String?) throws(StoreError) {
    try catalog.setSetting(key, value)
  }

  /// The catalogue as of its last commit.
  package var catalogState: CatalogState { catalog.state }
}
