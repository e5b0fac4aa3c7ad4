internal import FarthingCore

/// Turns what was added up into ordered rows.
struct AnswerBuilder {
  private let plan: QueryPlan

  init(_ plan: QueryPlan) { self.plan = plan }

  private var columns: [ResultColumn] {
    (plan.every == nil ? [] : [ResultColumn(name: "time", kind: .bucket)])
      + plan.groups.map { ResultColumn(name: $0.name, kind: .group($0)) }
      + plan.metrics.map { ResultColumn(name: $0.name, kind: .metric($0)) }
  }

  /// The answer over no request: one row of zeros and nulls, or no group.
  func emptyResult() throws(QueryError) -> QueryResult {
    guard plan.groups.isEmpty, plan.every == nil, plan.limit != 0 else {
      return QueryResult(columns: columns, rows: [])
    }
    var row: [QueryValue] = []
    for metric in plan.metrics {
      row.append(try BoundMetric(metric, nil).value(0).queryValue(metric.unit))
    }
    return QueryResult(columns: columns, rows: [row])
  }

  func result(_ scan: ScanWorker, _ tally: KeyedTally) throws(QueryError) -> QueryResult {
    let rowCounts = scan.rowCounts
    var groups: [Int] = []
    for group in 0..<scan.index.groupCount where (rowCounts.sum(group) ?? 1) != 0 {
      groups.append(group)
    }
    if groups.isEmpty { return try emptyResult() }
    let table = QuantityTable(scan, tally)
    let keys = GroupKeys(groups, scan.index)
    var order = try self.order(groups, keys, table)
    if let limit = plan.limit { order = Array(order.prefix(limit)) }
    let metrics = plan.metrics.map { BoundMetric($0, table) }
    let dimensions = scan.index.dimensions
    var names = keys.greatestIDs.map { [QueryValue?](repeating: nil, count: Int($0) + 1) }
    var rows: [[QueryValue]] = []
    rows.reserveCapacity(order.count)
    for place in order {
      var row: [QueryValue] = []
      row.reserveCapacity(dimensions.count + metrics.count)
      for dimension in dimensions.indices {
        let id = keys.ids[place * dimensions.count + dimension]
        if let known = names[dimension][Int(id)] {
          row.append(known)
        } else {
          let value = queryValue(dimensions[dimension].value(id), dimension: dimension)
          names[dimension][Int(id)] = value
          row.append(value)
        }
      }
      for metric in metrics {
        row.append(try metric.value(groups[place]).queryValue(metric.metric.unit))
      }
      rows.append(row)
    }
    return QueryResult(columns: columns, rows: rows)
  }

  // MARK: - Order

  /// The places of the groups by time and value, or by the metric that the plan names.
  private func order(
    _ groups: [Int], _ keys: GroupKeys, _ table: QuantityTable
  ) throws(QueryError) -> [Int] {
    guard let metric = plan.order else { return keys.sortedPlaces() }
    let bound = BoundMetric(metric, table)
    var values: [MetricValue] = []
    values.reserveCapacity(groups.count)
    for group in groups { values.append(try bound.value(group)) }
    return groups.indices.sorted { left, right in
      if MetricValue.precedes(values[left], values[right]) { return true }
      if MetricValue.precedes(values[right], values[left]) { return false }
      return keys.keys[left] < keys.keys[right]
    }
  }

  private func queryValue(_ value: GroupValue, dimension: Int) -> QueryValue {
    switch value {
    case .null: .null
    case .text(let text): .text(text)
    case .integer(let integer): .count(Int128(integer))
    case .boolean(let flag): .boolean(flag)
    case .real(let real): .real(real)
    case .money(let amount):
      // Picodollars that the contract counts are a count; dollars are money.
      plan.groups[dimension - (plan.every == nil ? 0 : 1)].kind == .money
        ? .money(amount) : .count(amount)
    case .time(let time): .time(time)
    }
  }
}
