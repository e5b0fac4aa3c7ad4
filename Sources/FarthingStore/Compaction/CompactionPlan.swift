internal import FarthingCore

/// Which segments to merge.
///
/// Pure: entries in, a decision out; the writer carries it out.
struct CompactionPlan: Sendable, Equatable {
  /// Segments of one kind, in the order of arrival, that together fit into one.
  var merged: [SegmentEntry]

  /// Small segments of a kind beyond which merges go over any time: late data may come between any two
  /// neighbours, and files must not grow without end. In order of time a retention leaves at most 2 × 11
  /// runs of a tenth of its age, of which but the last is one segment.
  static let spannedSegments = 256

  /// The next merge; nil where none is worth it.
  ///
  /// Small segments are those below half of a full one. Neighbours in arrival are merged as soon
  /// as `fanIn` of them fit together, so that a row is copied O(log rows) times in its life. Those that
  /// together would go over more time than `span` stay apart; a run that ends so cannot grow any more, and
  /// is merged whatever its number.
  /// - Parameters:
  ///   - span: nanoseconds; nil for any.
  ///   - excluded: segments that a merge failed on before.
  static func next(
    _ segments: [SegmentEntry], segmentRows: Int, fanIn: Int, span: Int64? = nil,
    excluding excluded: Set<Int64>
  ) -> CompactionPlan? {
    for kind in EventKind.allCases {
      let ordered = segments.filter { $0.kind == kind && !excluded.contains($0.id) }
        .sorted { ($0.minimumReceivedTime, $0.id) < ($1.minimumReceivedTime, $1.id) }
      let small = ordered.count { $0.rowCount * 2 <= segmentRows }
      let span = small <= spannedSegments ? span : nil
      var run: [SegmentEntry] = []
      var rows = 0
      for entry in ordered {
        if let span, exceeds(span, run, entry) {
          if run.count >= min(2, fanIn) { return CompactionPlan(merged: run) }
          run = []
          rows = 0
        }
        let isSmall = entry.rowCount * 2 <= segmentRows && !isOfOtherTime(entry, run)
        if !isSmall || rows + entry.rowCount > segmentRows {
          if run.count >= fanIn { return CompactionPlan(merged: run) }
          run = []
          rows = 0
          if entry.rowCount * 2 > segmentRows { continue }
        }
        run.append(entry)
        rows += entry.rowCount
      }
      if run.count >= fanIn { return CompactionPlan(merged: run) }
    }
    return nil
  }

  /// Whether an entry with a block of rows or more would stretch a run over days: segments of late
  /// rows, one a day, are worth more apart.
  private static func isOfOtherTime(_ entry: SegmentEntry, _ run: [SegmentEntry]) -> Bool {
    guard entry.rowCount >= SegmentFormat.blockRows, let first = run.first else { return false }
    return first.rowCount >= SegmentFormat.blockRows
      && exceeds(2 * 86_400_000_000_000, run, entry)
  }

  /// Whether a run and a further entry go over more time than `span`; an empty run never does.
  private static func exceeds(
    _ span: Int64, _ run: [SegmentEntry], _ entry: SegmentEntry
  ) -> Bool {
    guard !run.isEmpty else { return false }
    let least = run.reduce(entry.minimumTime) { min($0, $1.minimumTime) }
    let greatest = run.reduce(entry.maximumTime) { max($0, $1.maximumTime) }
    let (length, overflow) = greatest.subtractingReportingOverflow(least)
    return overflow || length > span
  }
}

extension StoreWriter {
  /// Merges small segments until no merge is worth it.
  ///
  /// Appends go on meanwhile. Answers before, between and after are the same.
  /// - Returns: how many segments went into others.
  /// - Throws: `diskFull` or `io`; nothing is changed then.
  @discardableResult
  package func compact() async throws(StoreError) -> Int {
    while isMerging { await withCheckedContinuation { mergeWaiters.append($0) } }
    var count = 0
    while let merged = try await mergeOnce() { count += merged }
    return count
  }

  /// One merge, where one is worth it.
  func mergeOnce() async throws(StoreError) -> Int? {
    guard !isMerging, !isAbandoned else { return nil }
    try catalog.refresh()
    guard
      let plan = CompactionPlan.next(
        catalog.state.segments, segmentRows: options.segmentRows, fanIn: options.compactionFanIn,
        span: options.mergedSpan, excluding: unmergeable)
    else { return nil }
    isMerging = true
    defer {
      isMerging = false
      let waiters = mergeWaiters
      mergeWaiters = []
      for waiter in waiters { waiter.resume() }
    }
    let id = nextSegmentID
    nextSegmentID += 1
    let merged: SegmentEntry
    do throws(StoreError) {
      merged = try await sealer.merge(plan.merged, id: id)
    } catch {
      guard error.code == .damaged || error.code == .limitExceeded || error.code == .notFound
      else { throw error }
      // Snapshots tell of the damage; here it only means that these stay as they are.
      for entry in plan.merged { unmergeable.insert(entry.id) }
      return 0
    }
    guard !isAbandoned else { throw Self.closedError }
    try catalog.refresh()
    var change = CatalogChange()
    change.addedSegments = [merged]
    change.removedSegments = plan.merged.map(\.id)
    try catalog.commit(change)
    publisher.settle(StoreLayout.segmentName(id))
    try forgetRemovals()
    return plan.merged.count
  }
}

extension SegmentSealer {
  /// Writes one segment with the rows of all of `entries`.
  func merge(_ entries: [SegmentEntry], id: Int64) throws(StoreError) -> SegmentEntry {
    var sources: [SegmentReader] = []
    for entry in entries {
      sources.append(try publisher.layout.openSegment(entry, publisher.fileSystem))
    }
    let buffer = try SegmentMerge().merge(sources, kind: entries[0].kind)
    guard let sealed = buffer.sealed(id: id) else {
      throw StoreError(.damaged, "segment \(entries[0].id) and its neighbours have no rows")
    }
    return try publisher.write(sealed)
  }
}
