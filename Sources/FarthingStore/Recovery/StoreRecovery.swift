// Opening a store for writing: what a start does before it accepts anything.
//
// 1. Take the lock; open the catalogue and check its rows.
// 2. Clear the remains of unfinished steps: `.tmp` files, unlisted `.new` files, and files that the
//    catalogue gave up. Finish renames that a crash cut off.
// 3. Replay the log: records that no segment covers go back into the write buffers and the index,
//    exactly as they were.
// 4. Name what is damaged. A damaged log file is set aside as `.bad` once everything readable in it
//    is in segments.
//
// The ids of the segments within the window are read by the first append of an event that has one:
// many commands append nothing.
//
// Memory: one log file at a time, the buffers, and the index.

internal import FarthingCore

/// A store as recovery leaves it, ready for its writer to take over.
struct RecoveredStore {
  var lock: any FileLock
  var catalog: Catalog
  /// Knows the ids of the log only.
  var index: DeduplicationIndex
  /// By kind; nil where there is no row.
  var buffers: [WriteBuffer?]
  /// The last sequence number that the log gave, readable or not.
  var lastSequence: Int64
  /// How far followed sources are read.
  var sources = SourcePositions()
}

struct StoreRecovery {
  let layout: StoreLayout
  let fileSystem: any FileSystem
  let options: StoreOptions
  private var store: RecoveredStore
  private var damage: [DamageReport] = []
  /// Log files with damage, set aside at the end.
  private var damagedLogs: [String] = []
  private let publisher: SegmentPublisher

  /// - Throws: `locked`; `damaged` where the catalogue is; `accessDenied`, `diskFull`, `io`.
  static func open(
    layout: StoreLayout, fileSystem: any FileSystem, options: StoreOptions, now: Int64,
    seed: [UInt8]
  ) throws(StoreError) -> RecoveredStore {
    try fileSystem.createDirectory(layout.directory)
    let holder = options.holder ?? LockHolder(processID: PosixFileSystem.processID)
    let lock = try LockHolder.take(layout: layout, fileSystem: fileSystem, holder: holder)
    do throws(StoreError) {
      try StoreRestore.expectFinished(layout, fileSystem)
      try fileSystem.createDirectory(layout.segmentDirectory)
      try fileSystem.createDirectory(layout.logDirectory)
      try fileSystem.syncDirectory(layout.directory)
      let catalog = try Catalog(layout: layout, fileSystem: fileSystem, seed: seed)
      var recovery = StoreRecovery(
        layout: layout, fileSystem: fileSystem, options: options, lock: lock, catalog: catalog,
        now: now)
      try recovery.clearRemains()
      try recovery.replayLogs()
      try recovery.settleDamage()
      return recovery.store
    } catch {
      lock.release()
      throw error
    }
  }

  private init(
    layout: StoreLayout, fileSystem: any FileSystem, options: StoreOptions, lock: any FileLock,
    catalog: Catalog, now: Int64
  ) {
    self.layout = layout
    self.fileSystem = fileSystem
    self.options = options
    publisher = SegmentPublisher(layout: layout, fileSystem: fileSystem)
    store = RecoveredStore(
      lock: lock, catalog: catalog,
      index: DeduplicationIndex(
        window: options.deduplicationWindow, seed: catalog.state.seed, now: now),
      buffers: EventKind.allCases.map { _ in nil },
      lastSequence: catalog.state.coveredSequence.max() ?? 0)
  }

  // MARK: - Remains

  private mutating func clearRemains() throws(StoreError) {
    let state = store.catalog.state
    let listed = Set(
      state.segments.map { StoreLayout.segmentName($0.id) }
        + state.logs.map { StoreLayout.logName($0.id) })
    let known = Set(state.damage.map(\.file))
    if try fileSystem.size(layout.path(StoreRestore.mark)) != nil {
      try fileSystem.unlink(layout.path(StoreRestore.mark))
    }
    for folder in ["segments", "log"] {
      for entry in try fileSystem.list(layout.path(folder)) ?? [] {
        let name = "\(folder)/\(entry)"
        if name.hasSuffix(".tmp") {
          try fileSystem.unlink(layout.path(name))
        } else if name.hasSuffix(".new") {
          let final = String(name.dropLast(4))
          if listed.contains(final) {
            publisher.settle(final)
          } else {
            try fileSystem.unlink(layout.path(name))
          }
        } else if name.hasSuffix(".seg") || name.hasSuffix(".log"), !listed.contains(name),
          !state.removals.contains(name), !known.contains(name)
        {
          damage.append(
            DamageReport(
              file: name,
              message: "\(name) is not in the catalogue, which lost the transaction that listed "
                + "it; its rows are in no answer; restore catalog.sqlite from a backup"))
        }
      }
    }
    let cleared = publisher.remove(state.removals)
    if !cleared.isEmpty {
      var change = CatalogChange()
      change.clearedRemovals = cleared
      try store.catalog.commit(change)
    }
  }

  // MARK: - Log

  private mutating func replayLogs() throws(StoreError) {
    let state = store.catalog.state
    store.sources = SourcePositions(state.sources)
    for (place, entry) in state.logs.enumerated() {
      let next = place + 1 < state.logs.count ? state.logs[place + 1].firstSequence : nil
      var replay = try LogReplay(
        entry: entry, nextFirstSequence: next, layout: layout, fileSystem: fileSystem,
        store: state.storeID)
      store.lastSequence = max(store.lastSequence, replay.scan.lastSequence)
      // Before the batches: a seal among them lists positions whose records are durable here.
      replay.forEachPosition { store.sources.take($0, sequence: $1) }
      try replay.forEachBatch { (batch, receivedTime, sequence) throws(StoreError) in
        var restored = RestoredIDs()
        for event in batch.decoded.events {
          guard let id = event.range(of: .id) else { continue }
          let key = store.index.key(of: batch.decoded.span(id))
          restored.add(key, receivedTime: receivedTime, to: store.index)
        }
        restored.flush(to: store.index)
        try apply(batch, receivedTime: receivedTime, sequence: sequence)
      }
      if !replay.damage.isEmpty {
        damage += replay.damage.filter { !state.damage.contains($0) }
        damagedLogs.append(StoreLayout.logName(entry.id))
      }
    }
  }

  private mutating func apply(
    _ batch: ChargedBatch, receivedTime: Int64, sequence: Int64
  ) throws(StoreError) {
    for kind in EventKind.allCases {
      let place = Int(kind.rawValue)
      guard store.catalog.state.coveredSequence[place] < sequence else { continue }
      let selection = batch.decoded.events.indices.filter {
        batch.decoded.events[$0].kind == kind
      }
      guard !selection.isEmpty else { continue }
      if let buffer = store.buffers[place],
        buffer.rowCount + selection.count > options.segmentRows
          || buffer.approximateByteCount > options.bufferBytes
      {
        try seal(kind, through: sequence - 1)
      }
      let buffer = store.buffers[place] ?? WriteBuffer(kind: kind)
      store.buffers[place] = buffer
      buffer.append(batch, selection: selection, receivedTime: receivedTime)
    }
  }

  private mutating func seal(_ kind: EventKind, through sequence: Int64) throws(StoreError) {
    let place = Int(kind.rawValue)
    guard let buffer = store.buffers[place],
      let sealed = buffer.sealed(id: store.catalog.state.nextSegmentID)
    else { return }
    var change = CatalogChange()
    change.addedSegments = [try publisher.write(sealed)]
    var covered = store.catalog.state.coveredSequence
    covered[place] = max(covered[place], sequence)
    change.coveredSequence = covered
    change.sources = store.sources.changes(since: store.catalog.state.sources)
    try store.catalog.commit(change)
    publisher.settle(StoreLayout.segmentName(sealed.id))
    store.buffers[place] = nil
  }

  // MARK: - Damage

  private mutating func settleDamage() throws(StoreError) {
    guard !damage.isEmpty || !damagedLogs.isEmpty else { return }
    if !damagedLogs.isEmpty {
      // What was readable goes to segments, so that the files can be set aside.
      for kind in EventKind.allCases { try seal(kind, through: store.lastSequence) }
    }
    var change = CatalogChange()
    change.addedDamage = damage
    change.sources = store.sources.changes(since: store.catalog.state.sources)
    if !damagedLogs.isEmpty {
      change.removedLogs = store.catalog.state.logs.map(\.id)
      change.coveredSequence = [Int64](repeating: store.lastSequence, count: 3)
    }
    try store.catalog.commit(change)
    for name in damagedLogs {
      try? fileSystem.rename(layout.path(name), to: layout.path(name) + ".bad")
    }
    var cleared = CatalogChange()
    cleared.clearedRemovals = publisher.remove(store.catalog.state.removals)
    try store.catalog.commit(cleared)
  }
}
