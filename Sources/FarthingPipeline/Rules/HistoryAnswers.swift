internal import FarthingCore
package import FarthingQuery
internal import Synchronization

/// Answers budgets' questions over a span of history from sums by minute, which are asked for once.
///
/// Whatever is not such a question is handed on. The same answers come out, since a sum over minutes is the sum over
/// the time that they make up.
package final class HistoryAnswers: Sendable {
  /// Sums from the first minute to each minute's start.
  private struct Sums {
    var first: Int64
    var cost: [Int128]
    var requests: [Int128]
    var unpriced: [Int128]
  }

  private let first: Int64
  private let end: Int64
  private let known = Mutex<[FilterExpression?: Sums]>([:])

  /// Filters whose sums are held: a year of minutes takes 25 MB of each.
  private static let filterLimit = 64
  private static let chunk = 20 * CivilTime.day
  private static let metrics = ["cost", "requests", "unpriced_requests"]

  /// - Parameters:
  ///   - start: The first time that will be evaluated; what forecasts look back on is added.
  ///   - end: The last.
  package init(from start: Int64, until end: Int64) {
    let lead = (Budget.historyWeeks * 7 + 366) * CivilTime.day
    let early = start.subtractingReportingOverflow(lead)
    first = Self.floored(early.overflow ? .min / 2 : early.partialValue, CivilTime.hour)
    self.end = Self.floored(end, CivilTime.hour) + CivilTime.hour
  }

  private static func floored(_ time: Int64, _ length: Int64) -> Int64 {
    let rest = time % length
    return time - (rest < 0 ? rest + length : rest)
  }

  /// - Parameter asking: asked for what is not known yet.
  package func answer(
    _ plan: QueryPlan, asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) throws(QueryError) -> QueryResult {
    guard isBudget(plan), let since = plan.since, let until = plan.until, since >= first,
      until <= end, since <= until
    else { return try asking(plan) }
    if let sums = known.withLock({ $0[plan.filter] }) { return result(plan, sums, since, until) }
    guard known.withLock({ $0.count }) < Self.filterLimit else { return try asking(plan) }
    let sums = try load(plan, asking)
    known.withLock { $0[plan.filter] = sums }
    return result(plan, sums, since, until)
  }

  private func isBudget(_ plan: QueryPlan) -> Bool {
    let width = plan.every.map { $0 == BucketWidth(count: 1, unit: .hour) ? CivilTime.hour : 0 }
    let grain = width ?? CivilTime.minute
    return plan.metrics.map(\.name) == Self.metrics && plan.groups.isEmpty && plan.order == nil
      && plan.limit == nil && !plan.closedCohort && plan.timeZone.isUTC && plan.prices == .current
      && grain > 0 && (plan.since ?? 1) % grain == 0 && (plan.until ?? 1) % grain == 0
  }

  private func load(
    _ plan: QueryPlan, _ asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) throws(QueryError) -> Sums {
    let count = Int((end - first) / CivilTime.minute)
    var sums = Sums(
      first: first, cost: [Int128](repeating: 0, count: count + 1),
      requests: [Int128](repeating: 0, count: count + 1),
      unpriced: [Int128](repeating: 0, count: count + 1))
    var start = first
    while start < end {
      var part = plan
      part.since = start
      part.until = min(end, start + Self.chunk)
      part.every = BucketWidth(count: 1, unit: .minute)
      for row in try asking(part).rows {
        guard row.count == 4, case .time(let time) = row[0], case .money(let cost) = row[1],
          case .count(let requests) = row[2], case .count(let unpriced) = row[3]
        else { continue }
        let place = Int((time - first) / CivilTime.minute) + 1
        guard sums.cost.indices.contains(place) else { continue }
        sums.cost[place] = cost
        sums.requests[place] = requests
        sums.unpriced[place] = unpriced
      }
      start += Self.chunk
    }
    for place in 1...count {
      let (cost, overflow) = sums.cost[place].addingReportingOverflow(sums.cost[place - 1])
      if overflow { throw QueryError(.overflow, "the cost of all history leaves 128 bits") }
      sums.cost[place] = cost
      sums.requests[place] += sums.requests[place - 1]
      sums.unpriced[place] += sums.unpriced[place - 1]
    }
    return sums
  }

  private func result(
    _ plan: QueryPlan, _ sums: Sums, _ since: Int64, _ until: Int64
  ) -> QueryResult {
    func place(_ time: Int64) -> Int { Int((time - sums.first) / CivilTime.minute) }
    func row(_ from: Int64, _ to: Int64) -> [QueryValue] {
      let (a, b) = (place(from), place(to))
      return [
        .money(sums.cost[b] - sums.cost[a]), .count(sums.requests[b] - sums.requests[a]),
        .count(sums.unpriced[b] - sums.unpriced[a]),
      ]
    }
    var columns = plan.metrics.map { ResultColumn(name: $0.name, kind: .metric($0)) }
    guard plan.every != nil else {
      return QueryResult(columns: columns, rows: [row(since, until)])
    }
    columns.insert(ResultColumn(name: "time", kind: .bucket), at: 0)
    var rows: [[QueryValue]] = []
    for time in stride(from: since, to: until, by: Int(CivilTime.hour)) {
      let sums = row(time, time + CivilTime.hour)
      // A bucket without requests has no row.
      if sums[1] != .count(0) { rows.append([.time(time)] + sums) }
    }
    return QueryResult(columns: columns, rows: rows)
  }
}
