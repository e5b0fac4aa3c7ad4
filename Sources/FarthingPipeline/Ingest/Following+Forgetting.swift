internal import FarthingCore
internal import FarthingStore

// Files that are gone: closed once they are quiet, their positions forgotten much later.

extension Following {
  /// Most positions that are forgotten in one go: each is a synced record of the log.
  private static let forgottenAtOnce = 256
  /// Nanoseconds from one go to the next.
  private static let forgettingInterval: Int64 = 3_600_000_000_000

  /// Closes files that have lost their name and gone quiet.
  mutating func retire() {
    let now = around.clock()
    let (patterns, quietTime) = (patterns, options.quietTime)
    files.removeAll { file in
      guard now &- file.lastGrowth >= quietTime else { return false }
      return GrowingFile.look(at: file.state.path)?.identity != file.file.identity
        || !patterns.contains { $0.covers(file.state.path) }
    }
  }

  /// Forgets positions of files that are gone: those of long ago, and the oldest ones where there are
  /// too many. Once an hour, where nothing is new.
  ///
  /// A file is gone where neither its last name nor one beside it that rotation may have given it has
  /// its identity. The position of one that is there is kept however old: without it, it would be
  /// read again.
  mutating func forgetGone() async throws {
    let clock = around.clock()
    if let lastForgetting, clock >= lastForgetting,
      clock &- lastForgetting < Self.forgettingInterval
    {
      return
    }
    lastForgetting = clock
    let open = Set(files.map(\.file.identity.text))
    let closed = known.filter { !open.contains($0.key) }
      .sorted { ($0.value.seenAt, $0.key) < ($1.value.seenAt, $1.key) }
    var surplus = closed.count - options.goneLimit
    var left = Self.forgottenAtOnce
    let oldest = clock / 1_000_000_000 - options.goneTime
    for (identity, state) in closed where left > 0 && !around.isStopping() {
      let isOld = state.seenAt > 0 && state.seenAt < oldest
      guard isOld || surplus > 0 else { continue }
      guard !isThere(identity, state) else { continue }
      try await forget(identity)
      surplus -= 1
      left -= 1
    }
  }

  func isThere(_ identity: String, _ state: FollowState) -> Bool {
    ([state.path] + FollowPattern.siblings(of: state.path)).contains {
      GrowingFile.look(at: $0)?.identity.text == identity
    }
  }

  /// Makes durable that nothing is known of a source.
  mutating func forget(_ identity: String) async throws {
    let gone = SourcePosition(source: identity, state: [])
    let batch = workers.charge(DecodedBatch(), source: SourceFormat.events.rawValue)
    let now = around.clock()
    _ = try await patiently { [sink] in
      try await sink.append(
        batch, receivedTime: now, progress: SourceProgress(end: gone, before: { _ in gone }))
    }
    known[identity] = nil
  }
}
