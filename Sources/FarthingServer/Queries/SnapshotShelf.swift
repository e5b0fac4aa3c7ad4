internal import FarthingStore
internal import Synchronization

/// The newest view of the store, made anew when something was stored since.
///
/// Making one lays out the rows that wait in memory, on the writer's thread. Where these are many,
/// under full load, a view may be some moments old, at most a second. Before that, and not sooner than
/// nine times what the last one took, so that at most a tenth of the writer's time goes into views, the
/// next one is made beside the questions, which do not wait for it.
actor SnapshotShelf {
  /// Rows in memory up to which a view is always made anew: it takes a few milliseconds.
  private static let freeRows = 16_384
  private static let greatestAge: Int64 = 1_000_000_000
  /// After this long a view is made anew whatever happened: a merge or the retention may have.
  private static let longestStay: Int64 = 30_000_000_000

  private struct View {
    var snapshot: StoreSnapshot
    var appended: Int
    var madeAt: Int64
    /// Nanoseconds that it took.
    var cost: Int64
    var rowsInMemory: Int
  }

  private let writer: StoreWriter
  private let committer: Committer
  private let cache: BlockCache
  private let monotonic: @Sendable () -> Int64
  private var view: View?
  /// One view is made at a time.
  private var making: Task<StoreError?, Never>?

  init(
    writer: StoreWriter, committer: Committer, cache: BlockCache,
    monotonic: @escaping @Sendable () -> Int64
  ) {
    self.writer = writer
    self.committer = committer
    self.cache = cache
    self.monotonic = monotonic
  }

  /// A view that has everything that was acknowledged before this call, but for what the rule above
  /// leaves to the next one.
  func current() async throws(StoreError) -> StoreSnapshot {
    let asked = committer.appended.load(ordering: .acquiring)
    while true {
      let now = monotonic()
      if let view {
        let age = now - view.madeAt
        if view.appended >= asked, age < Self.longestStay { return view.snapshot }
        if view.rowsInMemory > Self.freeRows, age < Self.greatestAge {
          if age >= min(9 * view.cost, Self.greatestAge / 2) { _ = renewal() }
          return view.snapshot
        }
      }
      if let fault = await renewal().value { throw fault }
    }
  }

  /// The view that is being made, begun now where none is. It is on the shelf once the task is over.
  private func renewal() -> Task<StoreError?, Never> {
    if let making { return making }
    // Ends with the view; those who wait for it hold it meanwhile.
    let task = Task { await self.make() }
    making = task
    return task
  }

  /// Puts a new view on the shelf; returns why there is none.
  ///
  /// It ends `making` itself, before anybody who waits for it goes on: waiting for a task that is over
  /// does not give up the actor, so whoever waited would find the same task again for ever.
  private func make() async -> StoreError? {
    defer { making = nil }
    let appended = committer.appended.load(ordering: .acquiring)
    let start = monotonic()
    do throws(StoreError) {
      let snapshot = try await writer.snapshot(cache: cache)
      let end = monotonic()
      view = View(
        snapshot: snapshot, appended: appended, madeAt: end, cost: end - start,
        rowsInMemory: snapshot.rowsInMemory)
      return nil
    } catch {
      return error
    }
  }
}
