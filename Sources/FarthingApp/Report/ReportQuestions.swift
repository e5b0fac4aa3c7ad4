internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

// Asks all that a report needs of one snapshot. A damaged block ends it with an error of code `store`; who holds the
// snapshot then leaves the segment out and begins anew, so that no total has half of one.

/// Makes reports of snapshots.
struct ReportMaker: Sendable {
  var executor: QueryExecutor
  var budgets: [Budget]
  /// What is known of a window's incidents.
  var ledger: @Sendable (ReportWindow) throws -> ReportLedger

  func report(_ plan: ReportPlan, over snapshot: StoreSnapshot) throws -> Report {
    try Report(answers(plan, snapshot))
  }

  func answers(_ plan: ReportPlan, _ snapshot: StoreSnapshot) throws -> ReportAnswers {
    let (period, empty) = try period(plan, snapshot)
    let asked = ReportQuestions(
      plan: plan, period: period, executor: executor, snapshot: snapshot)
    let width = asked.bucketWidth
    let figures = try period.windows.map { try asked.figures(MetricNames.figures, $0) }
    let pools = try IdlePools(asked).pools
    return ReportAnswers(
      plan: plan, period: period, empty: empty, figures: figures, bucketWidth: width,
      current: try asked.buckets(period.current, width),
      previous: try asked.buckets(period.previous, width),
      explanation: try asked.explanation(),
      workloads: try asked.groups("workload", MetricNames.workloads),
      models: try asked.groups("model", MetricNames.models),
      waste: try asked.waste(), pools: pools, budgets: try statuses(period, asked),
      forecast: try forecast(period, asked), ledger: try ledger(period.current),
      gaps: gaps(period, snapshot))
  }

  /// The period that is meant; the latest one with requests where that has none and nobody named it.
  private func period(
    _ plan: ReportPlan, _ snapshot: StoreSnapshot
  ) throws -> (ReportPeriod, empty: ReportPeriod?) {
    guard let meant = plan.period() else {
      throw QueryError(.usage, "the periods to compare with would begin before all time")
    }
    guard plan.since == nil, plan.until == nil,
      let newest = snapshot.requests.map(\.maximumTime).max()
    else { return (meant, nil) }
    let asked = ReportQuestions(plan: plan, period: meant, executor: executor, snapshot: snapshot)
    if try asked.figures("requests", meant.current).count("requests") > 0 { return (meant, nil) }
    guard let latest = plan.period(containing: newest), latest != meant else { return (meant, nil) }
    return (latest, meant)
  }

  /// How budgets stood when the period ended, in the periods of theirs in which it did.
  private func statuses(
    _ period: ReportPeriod, _ asked: ReportQuestions
  ) throws -> [BudgetStatus] {
    // The instant after the last of a month is the next one's; the last one itself is this one's.
    try budgets.map { budget in
      try budget.status(at: period.current.until - 1) { (plan) throws(QueryError) in
        try executor.run(plan, over: asked.snapshot)
      }
    }
  }

  /// The month that the period ends in, or that begins then.
  private func forecast(
    _ period: ReportPeriod, _ asked: ReportQuestions
  ) throws -> BudgetStatus? {
    var words = Budget.Words()
    words.name = "forecast"
    words.amount = "1"
    words.period = "month"
    words.filter = asked.plan.filterText
    words.burnRates = []
    guard let month = Budget(words, zone: period.zone, fault: { _ in }) else { return nil }
    let status = try month.status(at: period.current.until) { (plan) throws(QueryError) in
      var plan = plan
      plan.prices = asked.plan.prices
      return try executor.run(plan, over: asked.snapshot)
    }
    return status.outlook == nil ? nil : status
  }

  private func gaps(_ period: ReportPeriod, _ snapshot: StoreSnapshot) -> [String] {
    let since = period.windows.map(\.since).min()
    var gaps = snapshot.damage.map(\.message)
    if let gap = snapshot.expiries.gap(since: since, until: period.current.until) {
      gaps.append(
        "events before \(TimeText.rfc3339(gap.before)) were dropped by retention; periods before that lack them"
      )
    }
    return gaps
  }
}

/// Which metrics are asked of what.
enum MetricNames {
  static let figures =
    "requests,tokens,input_tokens,cost,cost_per_query,cost_per_request,cost_per_1m_tokens,"
    + "cost_per_successful_task,tasks,successful_tasks,failed_tasks,task_success_rate,"
    + "latency_p50,latency_p95,cache_hit_rate,response_cache_hit_rate,cache_savings,error_rate,"
    + "retry_rate,fallback_rate,retrievals,retrieval_failures,retrieval_failure_rate,"
    + "price_coverage,unpriced_requests,estimated_cost"
  static let workloads =
    "requests,tokens,cost,cost_per_query,cost_per_request,cost_per_successful_task,"
    + "successful_tasks,latency_p50,latency_p95,cache_hit_rate,error_rate,retry_rate,retrievals,"
    + "retrieval_failures,retrieval_failure_rate,unpriced_requests"
  static let models =
    "requests,tokens,cost,cost_per_1m_tokens,cost_per_request,cache_hit_rate,latency_p95,"
    + "error_rate,unpriced_requests"
}

/// Asks of one snapshot, for one period.
struct ReportQuestions {
  let plan: ReportPlan
  let period: ReportPeriod
  let executor: QueryExecutor
  let snapshot: StoreSnapshot

  func rows(
    _ metrics: String, by groups: String? = nil, _ window: ReportWindow,
    every: BucketWidth? = nil, and further: String? = nil
  ) throws(QueryError) -> [[QueryValue]] {
    var question = try QueryPlan.parse(
      QueryWords(metrics: metrics, by: groups, filter: further), now: plan.now,
      timeZone: plan.zone)
    let filters = [plan.filter, question.filter].compactMap { $0 }
    question.filter = filters.count > 1 ? .and(filters) : filters.first
    question.since = window.since
    question.until = window.until
    question.every = every
    question.prices = plan.prices
    return try executor.run(question, over: snapshot).rows
  }

  func figures(
    _ names: String, _ window: ReportWindow, and further: String? = nil
  ) throws(QueryError) -> ReportAnswers.MetricValues {
    Self.values(names, try rows(names, window, and: further).first ?? [])
  }

  private static func values(
    _ names: String, _ row: some Sequence<QueryValue>
  ) -> ReportAnswers.MetricValues {
    let names = names.split(separator: ",").map(String.init)
    return ReportAnswers.MetricValues(
      values: Dictionary(zip(names, row), uniquingKeysWith: { first, _ in first }))
  }

  /// The dearest first, then by name; what only the period before has is among them.
  func groups(_ field: String, _ names: String) throws(QueryError) -> [ReportAnswers.Group] {
    var found: [String?: ReportAnswers.Group] = [:]
    for (window, isNow) in [(period.current, true), (period.previous, false)] {
      for row in try rows(names, by: field, window) {
        let name: String? = if case .text(let text) = row[0] { text } else { nil }
        var group = found[name] ?? ReportAnswers.Group(name: name)
        let values = Self.values(names, row.dropFirst())
        if isNow { group.now = values } else { group.before = values }
        found[name] = group
      }
    }
    return found.values.sorted { left, right in
      let (a, b) = (left.now.money("cost"), right.now.money("cost"))
      if a != b { return a > b }
      let (m, n) = (left.now.count("requests"), right.now.count("requests"))
      if m != n { return m > n }
      guard let name = left.name, let other = right.name else { return left.name != nil }
      return name.utf8.lexicographicallyPrecedes(other.utf8)
    }
  }

  func explanation() throws(QueryError) -> Explanation {
    func bounds(_ window: ReportWindow) -> ExplanationPlan.Period {
      ExplanationPlan.Period(since: window.since, until: window.until)
    }
    return try ExplanationExecutor(executor).run(
      ExplanationPlan(
        before: bounds(period.previous), after: bounds(period.current), filter: plan.filter,
        dimensions: ExplanationPlan.usualDimensions.compactMap(RequestField.named), limit: 5,
        prices: plan.prices),
      over: snapshot)
  }

  // MARK: Over time

  /// Hours of up to three days, days of up to a hundred, else weeks.
  var bucketWidth: BucketWidth {
    let length = period.end - period.current.since
    if length <= 3 * CivilTime.day { return BucketWidth(count: 1, unit: .hour) }
    if length <= 100 * CivilTime.day { return BucketWidth(count: 1, unit: .day) }
    return BucketWidth(count: 1, unit: .week)
  }

  /// Every bucket of a window, also those without requests.
  func buckets(
    _ window: ReportWindow, _ width: BucketWidth
  ) throws(QueryError) -> [ReportAnswers.Bucket] {
    let cuts = TimeBuckets(width: width, zone: plan.zone)
    var found: [Int64: ReportAnswers.Bucket] = [:]
    for row in try rows("cost,requests,unpriced_requests", window, every: width) {
      guard row.count == 4, case .time(let start) = row[0], case .money(let cost) = row[1],
        case .count(let requests) = row[2], case .count(let unpriced) = row[3]
      else { continue }
      found[start] = .init(start: start, cost: cost, requests: requests, unpriced: unpriced)
    }
    var buckets: [ReportAnswers.Bucket] = []
    var time = window.since
    // Weeks over all of time are some tens of thousands; a chart of more shows nothing.
    while time < window.until, buckets.count < 20_000 {
      let (start, until) = cuts.bucket(containing: time)
      buckets.append(found[start] ?? .init(start: start))
      guard until > time else { break }
      time = until
    }
    return buckets
  }

  // MARK: Waste

  private static let conditions: [(ReportAnswers.Waste.Kind, String)] = [
    (.retries, "attempt > 1"),
    (.failed, "attempt = 1 and status in ('error', 'timeout', 'rate_limited', 'blocked')"),
    (.cancelled, "attempt = 1 and status = 'cancelled'"),
  ]
  static let served = "attempt = 1 and status = 'ok' and prompt_hash is not null"
  static let uncached = served + " and (cached_input_tokens is null or cached_input_tokens = 0)"

  /// The condition of a kind, as somebody would type it.
  static func condition(_ kind: ReportAnswers.Waste.Kind) -> String {
    if let own = conditions.first(where: { $0.0 == kind }) { return own.1 }
    return kind == .repeatedUncached ? uncached : served
  }

  func waste() throws(QueryError) -> [ReportAnswers.Waste] {
    var found: [ReportAnswers.Waste] = []
    for (kind, condition) in Self.conditions {
      let now = try amount("cost,requests,unpriced_requests", period.current, condition)
      let before = try amount("cost,requests,unpriced_requests", period.previous, condition)
      found.append(
        .init(
          kind: kind, now: now, before: before, most: try most("cost", condition, now)))
    }
    let names = "repeated_cost,repeated_requests"
    func repeats(_ condition: String) throws(QueryError) -> [ReportAnswers.Waste.Amount] {
      [
        try amount(names, period.current, condition), try amount(names, period.previous, condition),
      ]
    }
    let all = try repeats(Self.served)
    let uncached = try repeats(Self.uncached)
    // What a set of prompts repeats is at least what a part of the set does.
    let cached = zip(all, uncached).map { whole, part in
      ReportAnswers.Waste.Amount(
        cost: whole.cost - part.cost, requests: whole.requests - part.requests)
    }
    found.append(
      .init(
        kind: .repeatedUncached, now: uncached[0], before: uncached[1],
        most: try most("repeated_cost", Self.uncached, uncached[0])))
    found.append(.init(kind: .repeatedCached, now: cached[0], before: cached[1], most: nil))
    return found
  }

  private func amount(
    _ names: String, _ window: ReportWindow, _ condition: String
  ) throws(QueryError) -> ReportAnswers.Waste.Amount {
    let row = try rows(names, window, and: condition).first ?? []
    func count(_ place: Int) -> Int128 {
      guard row.count > place, case .count(let count) = row[place] else { return 0 }
      return count
    }
    let cost = row.first.flatMap(ReadableCells.amount) ?? 0
    return .init(cost: cost, requests: count(1), unpriced: count(2))
  }

  private func most(
    _ metric: String, _ condition: String, _ whole: ReportAnswers.Waste.Amount
  ) throws(QueryError) -> (name: String?, cost: Int128)? {
    guard whole.cost > 0 else { return nil }
    var most: (name: String?, cost: Int128)?
    for row in try rows(metric, by: "workload", period.current, and: condition) {
      guard row.count == 2, let cost = ReadableCells.amount(row[1]), cost > most?.cost ?? 0 else {
        continue
      }
      let name: String? = if case .text(let text) = row[0] { text } else { nil }
      most = (name, cost)
    }
    return most
  }
}
