// What of the past a store keeps, and what it gives up.
//
// Rows go with whole segments only, so nothing is rewritten and no sum has to be taken apart. Merges span
// at most a tenth of the age (``Retention/mergedSpan``), so that what is old does not stay with what is young.
//
// 1. A segment goes by age when its every row is older than the retention by `time`, and by size while
//    the segments together take more than the limit, the oldest (by their youngest row) first.
// 2. Outcomes go after the requests that they may belong to: never while a request that is kept is as
//    old as one of them. So no task that is kept loses its outcome.
// 3. A segment whose rows arrived within the deduplication window stays: its ids are needed to know
//    repetitions. It goes with the next step after that.
// 4. What went is recorded, so that an answer about that time can say so.

internal import FarthingCore

/// How much of the past a store keeps; both absent for all of it.
package struct Retention: Sendable, Equatable {
  /// Rows older than this by `time` may go, nanoseconds.
  package var age: Int64?
  /// Bytes of segments beyond which the oldest go.
  package var byteLimit: Int?

  package init(age: Int64? = nil, byteLimit: Int? = nil) {
    self.age = age
    self.byteLimit = byteLimit
  }

  /// The longest time that small segments may be merged over, nanoseconds: a tenth of the age, and at
  /// least a day. A segment goes only with its youngest row, so none stays much longer than the age. Nil
  /// where no age is set.
  package var mergedSpan: Int64? { age.map { max($0 / 10, 86_400_000_000_000) } }

  /// Whether everything is kept.
  package var keepsAll: Bool { age == nil && byteLimit == nil }
}

/// What retention dropped in the steps of one day.
package struct ExpiryRecord: Sendable, Equatable {
  /// 00:00 UTC of the day, Unix nanoseconds; no two records share one.
  package var day: Int64
  /// When the last of its steps ran, Unix nanoseconds.
  package var appliedAt: Int64
  /// Range of the dropped rows' `time`, both ends included, Unix nanoseconds.
  package var earliest: Int64
  package var latest: Int64
  package var requests = 0
  package var outcomes = 0
  package var capacities = 0
  package var segments = 0
  package var bytes = 0

  /// A record of what the given segments held; nil where there are none.
  init?(_ dropped: [SegmentEntry], appliedAt: Int64) {
    guard let earliest = dropped.map(\.minimumTime).min(),
      let latest = dropped.map(\.maximumTime).max()
    else { return nil }
    let dayLength: Int64 = 86_400_000_000_000
    day = appliedAt - (appliedAt % dayLength + dayLength) % dayLength
    self.appliedAt = appliedAt
    self.earliest = earliest
    self.latest = latest
    for entry in dropped {
      switch entry.kind {
      case .request: requests += entry.rowCount
      case .outcome: outcomes += entry.rowCount
      case .capacity: capacities += entry.rowCount
      }
      segments += 1
      bytes += entry.byteCount
    }
  }

  /// A record as it is stored.
  init(
    day: Int64, appliedAt: Int64, earliest: Int64, latest: Int64, requests: Int, outcomes: Int,
    capacities: Int, segments: Int, bytes: Int
  ) {
    self.day = day
    self.appliedAt = appliedAt
    self.earliest = earliest
    self.latest = latest
    self.requests = requests
    self.outcomes = outcomes
    self.capacities = capacities
    self.segments = segments
    self.bytes = bytes
  }

  /// Adds a further step of the same day.
  mutating func merge(_ other: ExpiryRecord) {
    appliedAt = max(appliedAt, other.appliedAt)
    earliest = min(earliest, other.earliest)
    latest = max(latest, other.latest)
    requests += other.requests
    outcomes += other.outcomes
    capacities += other.capacities
    segments += other.segments
    bytes += other.bytes
  }
}

extension [ExpiryRecord] {
  /// What a window lacks because of retention: rows before `before` may be missing since the step at
  /// `appliedAt`. Nil where nothing of the window was dropped.
  ///
  /// - Parameters:
  ///   - since: first instant of the window; nil for all of the past.
  ///   - until: first instant after it; nil for all of the future.
  package func gap(since: Int64?, until: Int64?) -> (before: Int64, appliedAt: Int64)? {
    let touching = filter { record in
      record.latest >= since ?? .min && record.earliest < until ?? .max
    }
    guard let latest = touching.map(\.latest).max(),
      let appliedAt = touching.map(\.appliedAt).max()
    else { return nil }
    return (latest == .max ? latest : latest + 1, appliedAt)
  }
}

/// Which segments a retention drops.
///
/// Pure: entries in, a decision out; the writer carries it out.
package struct RetentionPlan: Sendable, Equatable {
  /// Why a segment goes.
  package enum Cause: String, Sendable, Equatable {
    case age
    case size
  }

  /// A segment that goes.
  package struct Drop: Sendable, Equatable {
    package var entry: SegmentEntry
    package var cause: Cause
  }

  /// Why a segment with rows past the age stays.
  package enum Hold: String, Sendable, Equatable {
    /// It has younger rows, too.
    case youngerRows
    /// Its ids are needed to know repetitions.
    case ids
    /// Its outcomes may belong to a request that is kept.
    case requests
  }

  /// A segment with rows past the age that stays.
  package struct Kept: Sendable, Equatable {
    package var entry: SegmentEntry
    package var hold: Hold
  }

  /// The oldest first.
  package var dropped: [Drop] = []
  /// Segments that hold rows past the age and stay, the one that goes first first.
  package var kept: [Kept] = []
  /// Segments that would go but for their ids, which are remembered still.
  package var heldBack: [SegmentEntry] = []
  /// Bytes of the segments that stay.
  package var keptBytes = 0

  /// - Parameters:
  ///   - window: how long ids are remembered after their arrival, nanoseconds.
  ///   - now: Unix nanoseconds.
  /// - Complexity: O(s²) at most in the number of segments that go and stay.
  package init(_ segments: [SegmentEntry], _ retention: Retention, window: Int64, now: Int64) {
    var rest = segments.sorted { ($0.maximumTime, $0.id) < ($1.maximumTime, $1.id) }
    keptBytes = rest.reduce(0) { $0 + $1.byteCount }
    if retention.keepsAll { return }
    let oldestTime = retention.age.map { Self.difference(now, $0) } ?? .min
    decide(
      &rest, oldestTime: oldestTime, oldestArrival: Self.difference(now, window),
      byteLimit: retention.byteLimit)
    let held = Set(heldBack.map(\.id))
    for entry in rest where entry.minimumTime < oldestTime {
      let hold: Hold =
        entry.maximumTime >= oldestTime ? .youngerRows : held.contains(entry.id) ? .ids : .requests
      kept.append(Kept(entry: entry, hold: hold))
    }
  }

  /// Moves what goes out of `rest`, which is in the order of the youngest rows.
  private mutating func decide(
    _ rest: inout [SegmentEntry], oldestTime: Int64, oldestArrival: Int64, byteLimit: Int?
  ) {
    var held: Set<Int64> = []
    while true {
      let firstRequest = rest.lazy.filter { $0.kind == .request }.map(\.minimumTime).min() ?? .max
      guard
        let place = rest.firstIndex(where: { entry in
          !held.contains(entry.id)
            && (entry.kind != .outcome || entry.maximumTime < firstRequest)
        })
      else { return }
      let entry = rest[place]
      let isOld = entry.maximumTime < oldestTime
      let isTooMuch = byteLimit.map { keptBytes > $0 } ?? false
      guard isOld || isTooMuch else { return }
      if entry.maximumReceivedTime >= oldestArrival {
        held.insert(entry.id)
        heldBack.append(entry)
        // By size the oldest go first; a younger one does not go in place of an older one.
        if isOld { continue } else { return }
      }
      rest.remove(at: place)
      keptBytes -= entry.byteCount
      dropped.append(Drop(entry: entry, cause: isOld ? .age : .size))
    }
  }

  /// `now` − `length`, or the beginning of time.
  private static func difference(_ now: Int64, _ length: Int64) -> Int64 {
    let (time, overflow) = now.subtractingReportingOverflow(length)
    return overflow ? .min : time
  }

  /// What a step at `now` that carries this out records; nil where nothing goes.
  package func record(now: Int64) -> ExpiryRecord? {
    ExpiryRecord(dropped.map(\.entry), appliedAt: now)
  }
}

extension StoreReader {
  /// What a retention would drop of the store in a folder now; nothing is changed.
  ///
  /// - Throws: as ``snapshot(directory:fileSystem:)``; `notFound` where there is no store.
  package static func retentionPlan(
    directory: String, _ retention: Retention, now: Int64,
    fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) -> RetentionPlan {
    let state = try CatalogReader.state(
      layout: StoreLayout(directory: directory), fileSystem: fileSystem)
    return RetentionPlan(
      state.segments, retention, window: StoreOptions().deduplicationWindow, now: now)
  }
}

extension StoreWriter {
  /// Drops the segments that a retention gives up, and records it.
  ///
  /// - Parameter now: Unix nanoseconds.
  /// - Returns: what went, and what its ids keep.
  /// - Throws: `diskFull`, `io`; either all of the plan is carried out or nothing. `closed`.
  @discardableResult
  package func expire(
    _ retention: Retention, now: Int64
  ) async throws(StoreError) -> RetentionPlan {
    // A merge under way has the segments that it reads in its hands.
    while isMerging { await withCheckedContinuation { mergeWaiters.append($0) } }
    guard !isAbandoned else { throw Self.closedError }
    try catalog.refresh()
    let plan = RetentionPlan(
      catalog.state.segments, retention, window: options.deduplicationWindow, now: now)
    guard let record = plan.record(now: now) else { return plan }
    var change = CatalogChange()
    change.removedSegments = plan.dropped.map(\.entry.id)
    change.expiry = record
    try catalog.commit(change)
    // The step is done; files that stay now go with the next start.
    try? forgetRemovals()
    return plan
  }
}
