internal import FarthingCore
package import FarthingStore

/// Explains the change in cost between two periods of one snapshot.
package struct ExplanationExecutor: Sendable {
  private let executor: QueryExecutor

  /// - Parameter executor: what its questions are asked of, within its limits.
  package init(_ executor: QueryExecutor) { self.executor = executor }

  /// - Throws: ``QueryError`` of code `memory`, `overflow` or `store`.
  package func run(
    _ plan: ExplanationPlan, over snapshot: StoreSnapshot
  ) throws(QueryError) -> Explanation {
    try run(plan, requests: snapshot.requests)
  }

  /// - Parameter requests: all segments of requests, in the order in which their rows arrived.
  /// - Throws: ``QueryError`` of code `memory`, `overflow` or `store`.
  package func run(
    _ plan: ExplanationPlan, requests: [SegmentReader]
  ) throws(QueryError) -> Explanation {
    let question = PeriodQuestion(plan: plan, executor: executor, requests: requests)
    let before = try question.totals(plan.before)
    let after = try question.totals(plan.after)
    let cells = try cells(plan, question, requests)
    let bridge = try CostBridge(cells, change: after.cost - before.cost)
    let figures = BridgeFigures(cells)
    var named: [Explanation.Contributor] = []
    for field in plan.dimensions { named += try contributors(by: field, plan, question) }
    return Explanation(
      plan: plan, before: before, after: after,
      parts: BridgePart.allCases.map { figures.part($0, change: bridge[$0]) },
      contributors: named,
      unpriced: before.unpriced + after.unpriced == 0 ? [] : try unpriced(question, plan))
  }

  private func cells(
    _ plan: ExplanationPlan, _ question: PeriodQuestion, _ requests: [SegmentReader]
  ) throws(QueryError) -> [CostCell] {
    let premiums = try WritePremiums(requests)
    let before = try question.cells(plan.before, premiums)
    let after = try question.cells(plan.after, premiums)
    return Set(before.keys).union(after.keys).map {
      CostCell(key: $0, sums: (before[$0] ?? CostSums(), after[$0] ?? CostSums()))
    }
  }

  private func contributors(
    by field: RequestField, _ plan: ExplanationPlan, _ question: PeriodQuestion
  ) throws(QueryError) -> [Explanation.Contributor] {
    var found: [QueryValue: Explanation.Contributor] = [:]
    for (period, isAfter) in [(plan.before, false), (plan.after, true)] {
      for row in try question.rows(["cost", "requests"], by: [field], period) {
        var one =
          found[row.values[0]]
          ?? Explanation.Contributor(
            dimension: field.name, value: row.text(0), others: nil, before: 0, after: 0,
            requestsBefore: 0, requestsAfter: 0)
        if isAfter {
          (one.after, one.requestsAfter) = (row.number(1), row.number(2))
        } else {
          (one.before, one.requestsBefore) = (row.number(1), row.number(2))
        }
        found[row.values[0]] = one
      }
    }
    var ordered = found.values.sorted { left, right in
      if left.change.magnitude != right.change.magnitude {
        return left.change.magnitude > right.change.magnitude
      }
      guard let name = left.value, let other = right.value else { return left.value != nil }
      return name.utf8.lexicographicallyPrecedes(other.utf8)
    }
    guard ordered.count > plan.limit else { return ordered }
    let rest = ordered[plan.limit...]
    // Parts of a sum that fits: partial sums of costs that are not negative fit, too.
    let others = rest.reduce(
      Explanation.Contributor(
        dimension: field.name, value: nil, others: rest.count, before: 0, after: 0,
        requestsBefore: 0, requestsAfter: 0)
    ) { sum, one in
      var sum = sum
      sum.before += one.before
      sum.after += one.after
      sum.requestsBefore += one.requestsBefore
      sum.requestsAfter += one.requestsAfter
      return sum
    }
    ordered.removeLast(rest.count)
    return ordered + [others]
  }

  private func unpriced(
    _ question: PeriodQuestion, _ plan: ExplanationPlan
  ) throws(QueryError) -> [Explanation.Unpriced] {
    guard let model = RequestField.named("model") else { return [] }
    var found: [String?: Explanation.Unpriced] = [:]
    for (period, isAfter) in [(plan.before, false), (plan.after, true)] {
      for row in try question.rows(["unpriced_requests"], by: [model], period)
      where row.number(1) > 0 {
        var one =
          found[row.text(0)] ?? Explanation.Unpriced(model: row.text(0), before: 0, after: 0)
        if isAfter { one.after = row.number(1) } else { one.before = row.number(1) }
        found[row.text(0)] = one
      }
    }
    return found.values.sorted {
      let (left, right) = ($0.before + $0.after, $1.before + $1.after)
      if left != right { return left > right }
      return ($0.model ?? "") < ($1.model ?? "")
    }
  }
}

/// Asks for sums over one period.
private struct PeriodQuestion {
  let plan: ExplanationPlan
  let executor: QueryExecutor
  let requests: [SegmentReader]

  struct Row {
    let values: [QueryValue]

    /// Amounts and counts; 0 where there is none.
    func number(_ place: Int) -> Int128 {
      switch values[place] {
      case .count(let count): count
      case .money(let amount): amount
      default: 0
      }
    }

    /// A group's value in words; nil where the field is absent.
    func text(_ place: Int) -> String? {
      switch values[place] {
      case .null: nil
      case .text(let text), .object(let text): text
      case .count(let count): String(count)
      case .boolean(let flag): flag ? "true" : "false"
      case .money(let amount): DollarText.dollars(picodollars: amount)
      case .moneyRatio(let text): text
      case .ratio(let number), .milliseconds(let number), .real(let number): "\(number)"
      case .time(let time): String(time)
      }
    }
  }

  func rows(
    _ metrics: [String], by groups: [RequestField], _ period: ExplanationPlan.Period,
    _ further: FilterExpression? = nil
  ) throws(QueryError) -> [Row] {
    let filters = [plan.filter, further].compactMap { $0 }
    let question = QueryPlan(
      metrics: metrics.compactMap(Metric.named), groups: groups,
      filter: filters.count > 1 ? .and(filters) : filters.first, since: period.since,
      until: period.until, prices: plan.prices)
    return try executor.run(question, requests: requests, outcomes: []).rows.map(Row.init)
  }

  func totals(_ period: ExplanationPlan.Period) throws(QueryError) -> Explanation.Totals {
    guard let row = try rows(["cost", "requests", "unpriced_requests"], by: [], period).first
    else { return Explanation.Totals() }
    // Differences of two such costs have to fit.
    if row.number(0).magnitude >> 124 != 0 { throw CostSums.overflow }
    return Explanation.Totals(
      cost: row.number(0), requests: row.number(1), unpriced: row.number(2))
  }

  private static let groups = [
    "workload", "site", "model", "provider", "attempt", "status", "response_cache", "price",
  ].compactMap(RequestField.named)
  private static let measures = [
    "requests", "input_tokens", "cached_input_tokens", "cache_write_tokens",
    "cache_write_1h_tokens", "output_tokens", "input_cost", "output_cost", "units_cost",
    "cache_savings",
  ]

  /// The sums of the priced requests by cell.
  func cells(
    _ period: ExplanationPlan.Period, _ premiums: WritePremiums
  ) throws(QueryError) -> [CostCellKey: CostSums] {
    guard let state = RequestField.named("cost_state") else { return [:] }
    var cells: [CostCellKey: CostSums] = [:]
    for row in try rows(
      Self.measures, by: Self.groups, period, .comparison(state, .notEqual, .text("unpriced")))
    {
      let attempt: AttemptClass =
        row.number(4) > 1 ? .retry : row.text(5) == nil || row.text(5) == "ok" ? .clean : .failed
      let key = CostCellKey(
        workload: row.text(0), attempt: attempt, site: row.text(1), model: row.text(2),
        provider: row.text(3))
      let isHit = row.text(6) == "hit" || row.text(6) == "semantic_hit"
      try cells[key, default: CostSums()].add(
        isHit ? CostSums(requests: row.number(8), hits: row.number(8)) : sums(row, premiums))
    }
    return cells
  }

  private func sums(_ row: Row, _ premiums: WritePremiums) throws(QueryError) -> CostSums {
    let written = row.number(11).addingReportingOverflow(row.number(12))
    var sums = CostSums(
      requests: row.number(8), inputTokens: row.number(9), cachedTokens: row.number(10),
      writtenTokens: written.partialValue, outputTokens: row.number(13),
      cachedSavings: row.number(10) == 0 ? 0 : row.number(17), outputCost: row.number(15),
      unitsCost: row.number(16))
    if sums.writtenTokens != 0 {
      sums.writePremium = premiums.premium(
        price: row.text(7), written: row.number(11), written1h: row.number(12))
    }
    let (whole, first) = row.number(14).addingReportingOverflow(sums.cachedSavings)
    let (plain, second) = whole.subtractingReportingOverflow(sums.writePremium)
    if first || second || written.overflow { throw CostSums.overflow }
    sums.plainInputCost = plain
    return sums
  }
}

/// What writing to a prompt cache costs above the input price, by the keys of prices.
private struct WritePremiums {
  private var rates: [String: LinearRates] = [:]

  /// - Throws: `store`.
  init(_ requests: [SegmentReader]) throws(QueryError) {
    do throws(StoreError) {
      for segment in requests {
        for stored in try segment.storedPrices() where rates[stored.key] == nil {
          rates[stored.key] =
            ResolvedPrice.deserialised(stored.bytes.span)?.linearRates.first
        }
      }
    } catch {
      throw QueryError(.store, error.description)
    }
  }

  /// Picodollars, cut off: it parts the cache from the price, and no sum rests on it. By the first band of the
  /// price; 0 for a price that is not known, so that the premium counts as price.
  func premium(price: String?, written: Int128, written1h: Int128) -> Int128 {
    guard let price, let rates = rates[price] else { return 0 }
    let short = written.multipliedReportingOverflow(by: Int128(rates.cost.cacheWrite))
    let long = written1h.multipliedReportingOverflow(by: Int128(rates.cost.cacheWrite1h))
    let sum = short.partialValue.addingReportingOverflow(long.partialValue)
    if short.overflow || long.overflow || sum.overflow { return 0 }
    return sum.partialValue / Int128(rates.divisor)
  }
}
