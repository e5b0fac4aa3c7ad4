internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore
internal import Synchronization

/// The budgets that a server goes by, and how they stood last for Prometheus.
final class StoredBudgets: Sendable {
  private struct Kept: Sendable {
    var statuses: [BudgetStatus]
    var freshUntil: Int64
  }

  /// How long figures for Prometheus stay: forecasts take many sums, and move by the hour.
  private static let stay: Int64 = 60_000_000_000

  private let queryBytes: Int
  private let clock: @Sendable () -> Int64
  private let budgets: Mutex<[Budget]>
  private let kept = Mutex<Kept?>(nil)

  /// - Parameters:
  ///   - queryBytes: that a question may hold at once.
  ///   - clock: Unix nanoseconds.
  init(_ budgets: [Budget], queryBytes: Int, clock: @escaping @Sendable () -> Int64) {
    self.budgets = Mutex(budgets)
    self.queryBytes = queryBytes
    self.clock = clock
  }

  var current: [Budget] { budgets.withLock { $0 } }

  /// Goes on by other budgets.
  func replace(_ budgets: [Budget]) {
    self.budgets.withLock { $0 = budgets }
    kept.withLock { $0 = nil }
  }

  /// How they stand; those that cannot be asked for are left out.
  func statuses(of snapshot: StoreSnapshot) -> [BudgetStatus] {
    let now = clock()
    if let kept = kept.withLock({ $0 }), now < kept.freshUntil { return kept.statuses }
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: 1)
    let statuses = current.compactMap { budget in
      try? budget.status(at: now) { (plan) throws(QueryError) in
        try executor.run(plan, over: snapshot)
      }
    }
    kept.withLock { $0 = Kept(statuses: statuses, freshUntil: now + Self.stay) }
    return statuses
  }
}
