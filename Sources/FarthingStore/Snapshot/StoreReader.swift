// Reading a data folder that this process does not write, without a lock.
//
// A snapshot is one read transaction of the catalogue, the segments that it lists, and the log
// records that no segment covers. The writer may seal, compact and unlink meanwhile: a file that
// is gone although the catalogue listed it means that a newer generation exists, so the whole is
// read again. Only when the generation stood still is a missing file damage.

internal import FarthingCore

/// Opens snapshots of a store without writing to it.
package struct StoreReader {
  /// How often a snapshot starts over before a file that keeps vanishing counts as missing. Each
  /// time a seal or compaction must have come between, which take far longer than a snapshot.
  private static let attempts = 16

  /// A consistent view of the store in a folder.
  ///
  /// A folder without a store gives an empty snapshot: a query over nothing has an answer.
  /// - Throws: `notFound` where there is no such folder; `damaged` where the catalogue is;
  ///   `accessDenied`, `unsupportedVersion`, `io`.
  package static func snapshot(
    directory: String, fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) -> StoreSnapshot {
    let layout = StoreLayout(directory: directory)
    for attempt in 1... {
      guard let state = try catalogState(layout, fileSystem) else { return StoreSnapshot() }
      var snapshot = StoreSnapshot()
      snapshot.generation = state.generation
      snapshot.damage = state.damage
      snapshot.settledDamageCount = state.damage.count
      snapshot.expiries = state.expiries
      for entry in state.segments.inArrivalOrder { snapshot.open(entry, layout, fileSystem) }
      try replay(state, layout, fileSystem, into: &snapshot)
      if snapshot.damage == state.damage || attempt >= attempts { return snapshot }
      let now = try catalogState(layout, fileSystem)
      if now?.generation == state.generation { return snapshot }
    }
    return StoreSnapshot()
  }

  /// The price lists of the store in a folder, in import order; none where there is no store.
  ///
  /// - Throws: as ``snapshot(directory:fileSystem:)``.
  package static func priceLists(
    directory: String, fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) -> [PriceListEntry] {
    let layout = StoreLayout(directory: directory)
    do throws(StoreError) {
      return try CatalogReader.priceLists(layout: layout, fileSystem: fileSystem)
    } catch {
      guard error.code == .notFound else { throw error }
      return []
    }
  }

  private static func catalogState(
    _ layout: StoreLayout, _ fileSystem: any FileSystem
  ) throws(StoreError) -> CatalogState? {
    do throws(StoreError) {
      return try CatalogReader.state(layout: layout, fileSystem: fileSystem)
    } catch {
      guard error.code == .notFound else { throw error }
      guard try fileSystem.list(layout.directory) != nil else {
        throw StoreError(
          .notFound,
          "\(layout.directory) does not exist; store events there first with \"farthing ingest\", "
            + "or name another folder with --data")
      }
      let segments = try fileSystem.list(layout.segmentDirectory) ?? []
      if let stray = segments.first(where: { $0.hasSuffix(".seg") }) {
        throw StoreError(
          .damaged,
          "\(layout.catalogPath) is missing although \(layout.segmentDirectory)/\(stray) is "
            + "there; restore it from a backup")
      }
      return nil
    }
  }

  private static func replay(
    _ state: CatalogState, _ layout: StoreLayout, _ fileSystem: any FileSystem,
    into snapshot: inout StoreSnapshot
  ) throws(StoreError) {
    var buffers = EventKind.allCases.map { WriteBuffer(kind: $0) }
    for (place, entry) in state.logs.enumerated() {
      let next = place + 1 < state.logs.count ? state.logs[place + 1].firstSequence : nil
      var replay = try LogReplay(
        entry: entry, nextFirstSequence: next, layout: layout, fileSystem: fileSystem,
        store: state.storeID)
      let least = state.coveredSequence.min() ?? 0
      try replay.forEachBatch(after: least) { (batch, receivedTime, sequence) throws(StoreError) in
        for kind in EventKind.allCases
        where state.coveredSequence[Int(kind.rawValue)] < sequence {
          try append(
            batch, kind, receivedTime: receivedTime, to: &buffers[Int(kind.rawValue)],
            snapshot: &snapshot)
        }
      }
      snapshot.damage += replay.damage.filter { !state.damage.contains($0) }
    }
    for buffer in buffers { try snapshot.add(buffer) }
  }

  private static func append(
    _ batch: ChargedBatch, _ kind: EventKind, receivedTime: Int64, to buffer: inout WriteBuffer,
    snapshot: inout StoreSnapshot
  ) throws(StoreError) {
    var rest = batch.decoded.events.indices.filter { batch.decoded.events[$0].kind == kind }[...]
    while true {
      let taken = buffer.append(batch, selection: rest, receivedTime: receivedTime)
      rest = rest.dropFirst(taken)
      if rest.isEmpty { return }
      try snapshot.add(buffer)
      buffer = WriteBuffer(kind: kind)
    }
  }
}
