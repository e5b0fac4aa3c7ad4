internal import FarthingCore
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore
internal import Synchronization

/// The unit metrics that Prometheus sees.
///
/// Sums by model come from what segments know and cost next to nothing. Tasks have to be looked up
/// over the whole store, so these figures may be some time old: at least so long that they take one
/// fiftieth of a core's time.
final class StoredFigures: Sendable {
  /// Most values of a label that are told apart; the others are one. Those of the greatest cost when they
  /// are first asked for, and what is new while there is room. A value that has a series keeps it: were
  /// it to leave the others later, their sum would fall, which Prometheus takes for a restart.
  static let nameLimit = 200
  static let others = "(other)"
  private static let taskShare: Int64 = 50

  private struct Kept: Sendable {
    var figures: [UnitFigures]
    var freshUntil: Int64
  }

  /// Bytes that a question may hold at once.
  private let queryBytes: Int
  private let monotonic: @Sendable () -> Int64
  private let tasks = Mutex<Kept?>(nil)
  /// The values that have a series of their own.
  private let shown = Mutex<[UnitFigures.Label: Set<String>]>([:])

  /// - Parameter monotonic: nanoseconds that only grow.
  init(queryBytes: Int, monotonic: @escaping @Sendable () -> Int64) {
    self.queryBytes = queryBytes
    self.monotonic = monotonic
  }

  /// The sums of all stored requests; empty where they cannot be computed.
  func figures(of snapshot: StoreSnapshot) -> [UnitFigures] {
    figures(by: .model, of: nil, snapshot) + taskFigures(snapshot)
  }

  private func taskFigures(_ snapshot: StoreSnapshot) -> [UnitFigures] {
    let start = monotonic()
    if let kept = tasks.withLock({ $0 }), start < kept.freshUntil { return kept.figures }
    let figures = figures(by: .workload, of: "task is not null", snapshot)
    let end = monotonic()
    tasks.withLock {
      $0 = Kept(figures: figures, freshUntil: end + (end - start) * Self.taskShare)
    }
    return figures
  }

  private func figures(
    by label: UnitFigures.Label, of filter: String?, _ snapshot: StoreSnapshot
  ) -> [UnitFigures] {
    let words = QueryWords(
      metrics: label.families.map(\.metric).joined(separator: ","), by: label.rawValue,
      filter: filter, order: "cost")
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: 1)
    guard let plan = try? QueryPlan.parse(words, now: 0, timeZone: .utc),
      let result = try? executor.run(plan, over: snapshot)
    else { return [] }
    var figures: [UnitFigures] = []
    var rest: [QueryValue]?
    var names = shown.withLock { $0[label] ?? [] }
    defer { shown.withLock { $0[label, default: []].formUnion(names) } }
    for row in result.rows {
      guard let first = row.first else { continue }
      let name = if case .text(let text) = first { text } else { "" }
      // What is called as the others are is one of them: two series of one name would not do.
      if name != Self.others, names.contains(name) || names.count < Self.nameLimit {
        names.insert(name)
        figures.append(UnitFigures(label, name, values: row.dropFirst().map(Self.text)))
      } else {
        rest = zip(rest ?? [], row.dropFirst()).map(Self.sum)
        if rest?.isEmpty == true { rest = Array(row.dropFirst()) }
      }
    }
    if let rest { figures.append(UnitFigures(label, Self.others, values: rest.map(Self.text))) }
    return figures
  }

  private static func text(_ value: QueryValue) -> String? {
    switch value {
    case .count(let count): String(count)
    case .money(let picodollars): AmountText.exact(picodollars)
    default: nil
    }
  }

  /// Unknown where both are, or where the sum does not fit.
  private static func sum(_ left: QueryValue, _ right: QueryValue) -> QueryValue {
    switch (left, right) {
    case (.count(let a), .count(let b)):
      let sum = a.addingReportingOverflow(b)
      return sum.overflow ? .null : .count(sum.partialValue)
    case (.money(let a), .money(let b)):
      let sum = a.addingReportingOverflow(b)
      return sum.overflow ? .null : .money(sum.partialValue)
    case (.null, let other), (let other, .null): return other
    default: return .null
    }
  }
}
