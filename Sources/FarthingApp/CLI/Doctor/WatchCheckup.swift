internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// Whether rules and budgets can be asked of what is stored, and mean something there.
///
/// That they are written right is said by reading them; here each is tried once.
struct WatchCheckup {
  var rules: [AlertRule]
  var budgets: [Budget]
  var snapshot: StoreSnapshot
  var executor: QueryExecutor
  /// Unix nanoseconds.
  var now: Int64

  /// A time span in which a filter should find something, in days.
  private static let usualDays: Int64 = 30

  var findings: [Finding] {
    var findings: [Finding] = []
    for rule in rules { findings += self.findings(of: rule) }
    for budget in budgets { findings += self.findings(of: budget) }
    if findings.isEmpty, !rules.isEmpty {
      findings.append(.ok("rules", "\(rules.count) rules can be asked"))
    }
    if !budgets.isEmpty, !findings.contains(where: { $0.check == "budgets" }) {
      findings.append(.ok("budgets", "\(budgets.count) budgets can be asked"))
    }
    return findings
  }

  private func findings(of rule: AlertRule) -> [Finding] {
    var monitor = RuleMonitor(rules: [rule])
    var groups = 0
    _ = monitor.evaluate(at: now) { (plan) throws(QueryError) in
      let answer = try executor.run(plan, over: snapshot)
      groups = answer.rows.count
      return answer
    }
    if let fault = monitor.faults[rule.name] {
      return [.fault("rules", "the rule \(rule.name) cannot be asked: \(fault)", "mend the rule")]
    }
    if groups > AlertRule.groupLimit {
      return [
        .warning(
          "rules",
          "the rule \(rule.name) has \(groups) groups; \(AlertRule.groupLimit) are kept in mind",
          "add a where, or group by less")
      ]
    }
    guard matches(rule.filter) == false else { return [] }
    return [.warning("rules", nothing("rule \(rule.name)", rule.filter), Self.remedy)]
  }

  private func findings(of budget: Budget) -> [Finding] {
    do throws(QueryError) {
      let status = try budget.status(at: now) { (plan) throws(QueryError) in
        try executor.run(plan, over: snapshot)
      }
      var findings: [Finding] = []
      if matches(budget.filter) == false {
        findings.append(
          .warning("budgets", nothing("budget \(budget.name)", budget.filter), Self.remedy))
      }
      // Below one in a hundred a budget says nearly all there is to say.
      if status.unpriced * 100 > status.requests {
        findings.append(
          .warning(
            "budgets",
            "\(status.unpriced) of \(status.requests) requests of the budget \(budget.name) have no price, "
              + "so more is spent than it says", "farthing prices missing names their models"))
      }
      return findings
    } catch {
      return [
        .fault(
          "budgets", "the budget \(budget.name) cannot be asked: \(error.message)",
          "mend the budget")
      ]
    }
  }

  private static let remedy = "compare it with farthing query requests --by of its fields"

  private func nothing(_ what: String, _ filter: String?) -> String {
    "no request of the newest \(Self.usualDays) days is one of the \(what)"
      + (filter.map { ": where \($0)" } ?? "")
  }

  /// Whether a filter finds anything in the newest days that there are; nil where there is nothing stored, or no
  /// filter.
  private func matches(_ filter: String?) -> Bool? {
    guard let filter, let newest = snapshot.requests.map(\.maximumTime).max(),
      var plan = try? QueryPlan.parse(
        QueryWords(metrics: "requests", filter: filter), now: now)
    else { return nil }
    plan.since =
      newest.subtractingReportingOverflow(Self.usualDays * TimeText.nanosecondsPerDay)
      .partialValue
    guard case .count(let count)? = try? executor.run(plan, over: snapshot).rows.first?.first
    else { return nil }
    return count > 0
  }
}
