internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore
internal import Synchronization

/// The budgets that a server goes by, and how they stood last for Prometheus.
final class StoredBudgets: Sendable {
  private struct Kept: Sendable {
    var status: BudgetStatus?
    var freshUntil: Int64
  }

  private struct State: Sendable {
    var budgets: [Budget]
    /// By name.
    var kept: [String: Kept] = [:]
  }

  /// How long figures for Prometheus stay: forecasts take many sums, and move by the hour.
  private static let stay: Int64 = 60_000_000_000
  /// How long one page of metrics may be held up by them; those that it is too short for are asked for the next page.
  private static let patience: Int64 = 1_000_000_000

  private let queryBytes: Int
  private let clock: @Sendable () -> Int64
  private let state: Mutex<State>

  /// - Parameters:
  ///   - queryBytes: that a question may hold at once.
  ///   - clock: Unix nanoseconds.
  init(_ budgets: [Budget], queryBytes: Int, clock: @escaping @Sendable () -> Int64) {
    state = Mutex(State(budgets: budgets))
    self.queryBytes = queryBytes
    self.clock = clock
  }

  var current: [Budget] { state.withLock { $0.budgets } }

  /// Goes on by other budgets.
  func replace(_ budgets: [Budget]) {
    state.withLock { $0 = State(budgets: budgets) }
  }

  /// How they stand, or stood when there was time to look; those that cannot be asked for, and those that nobody had
  /// the time to look at yet, are left out.
  func statuses(of snapshot: StoreSnapshot) -> [BudgetStatus] {
    let now = clock()
    let budgets = current
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: 1)
    // The one that was looked at longest ago comes first.
    let known = state.withLock { $0.kept }
    let stale = budgets.filter { known[$0.name].map { now >= $0.freshUntil } ?? true }
      .sorted { known[$0.name]?.freshUntil ?? .min < known[$1.name]?.freshUntil ?? .min }
    for budget in stale where clock() - now < Self.patience {
      let status = try? budget.status(at: now) { (plan) throws(QueryError) in
        try executor.run(plan, over: snapshot)
      }
      state.withLock { state in
        guard state.budgets == budgets else { return }
        state.kept[budget.name] = Kept(status: status, freshUntil: now + Self.stay)
      }
    }
    return state.withLock { state in state.budgets.compactMap { state.kept[$0.name]?.status } }
  }
}
