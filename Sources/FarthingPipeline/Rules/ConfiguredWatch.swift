internal import FarthingCore
package import FarthingDetection
package import FarthingQuery

/// What the configuration wants watched: rules and budgets on one clock.
///
/// Live and over history alike: a server calls it every few seconds with the wall clock, a backtest with the times that it
/// steps through. Evaluations happen at whole multiples of each rule's interval, whenever it is called, so both raise
/// the same from the same events. The state survives a restart as ``snapshot``.
package struct ConfiguredWatch: Sendable {
  package private(set) var rules: RuleMonitor
  package private(set) var budgets: BudgetMonitor

  package init(rules: [AlertRule] = [], budgets: [Budget] = []) {
    self.rules = RuleMonitor(rules: rules)
    self.budgets = BudgetMonitor(budgets: budgets)
  }

  /// Whether an incident's id is one of a rule or budget; isolations tell of themselves as rules, under ids of their
  /// own.
  package static func owns(_ id: String) -> Bool {
    id.hasPrefix("rule-") || id.hasPrefix("budget-")
  }

  /// Whether there is nothing to watch.
  package var isEmpty: Bool { rules.rules.isEmpty && budgets.budgets.isEmpty }

  /// Whether nothing is watched, and nothing is left to tell of what was.
  package var isIdle: Bool { isEmpty && !rules.hasOrphans && !budgets.hasOrphans }

  /// The ids of all that is raised.
  package var openIDs: Set<String> { rules.openIDs.union(budgets.openIDs) }

  /// Nanoseconds until the next call is worth while, at least; nil where there is nothing to watch.
  package func nextDue(after now: Int64) -> Int64? {
    let minute = now - now % BudgetMonitor.interval + BudgetMonitor.interval
    let budget = budgets.budgets.isEmpty ? nil : minute
    return [rules.nextDue(after: now), budget].compactMap { $0 }.min()
  }

  /// Evaluates everything that is due at a time.
  ///
  /// - Parameters:
  ///   - now: Unix nanoseconds.
  ///   - asking: answers a plan from the store. Where it throws, what asked is named in ``faults`` and asks again at the
  ///     next call; nothing is taken for zero.
  package mutating func evaluate(
    at now: Int64, asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) -> [IncidentChange] {
    rules.evaluate(at: now, asking: asking) + budgets.evaluate(at: now, asking: asking)
  }

  /// Goes on with other rules and budgets, as after SIGHUP.
  package mutating func replace(rules: [AlertRule], budgets: [Budget]) {
    self.rules.replace(rules)
    self.budgets.replace(budgets)
  }

  /// What could not be evaluated, by `rule NAME` and `budget NAME`, and why.
  package var faults: [(what: String, why: String)] {
    (rules.faults.map { ("rule \($0.key)", $0.value) }
      + budgets.faults.map { ("budget \($0.key)", $0.value) }).sorted { $0.0 < $1.0 }
  }

  /// The state as bytes.
  package var snapshot: [UInt8] {
    var writer = StateWriter()
    let (first, second) = (rules.snapshot, budgets.snapshot)
    writer.write(Int64(first.count))
    return writer.bytes + first + second
  }

  /// Takes a state over, as far as rules and budgets are still there.
  ///
  /// - Returns: false, with nothing changed, where the bytes are no such state.
  package mutating func restore(_ bytes: [UInt8]) -> Bool {
    var reader = StateReader(bytes)
    let count = reader.integer()
    var writer = StateWriter()
    writer.write(count)
    let start = writer.bytes.count
    guard !reader.hasFailed, count >= 0, count <= Int64(bytes.count - start) else { return false }
    let end = start + Int(count)
    var (newRules, newBudgets) = (rules, budgets)
    guard newRules.restore(Array(bytes[start..<end])), newBudgets.restore(Array(bytes[end...]))
    else { return false }
    (rules, budgets) = (newRules, newBudgets)
    return true
  }
}
