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
      let value = try value(metric, { _ in 0 }, { _ in nil })
      row.append(value.queryValue(metric.unit))
    }
    return QueryResult(columns: columns, rows: [row])
  }

  func result(_ scan: ScanWorker, _ tally: KeyedTally) throws(QueryError) -> QueryResult {
    let isMet: (Int) -> Bool = { (scan.rowCounts.sum($0) ?? 1) != 0 }
    let groups = (0..<scan.index.groupCount).filter(isMet)
    if groups.isEmpty { return try emptyResult() }
    let values = QuantityTable(scan, tally)
    var order = try self.order(groups, scan, values)
    if let limit = plan.limit { order = Array(order.prefix(limit)) }
    var rows: [[QueryValue]] = []
    rows.reserveCapacity(order.count)
    var names = scan.index.dimensions.map { _ in [UInt32: QueryValue]() }
    for group in order {
      var row: [QueryValue] = []
      row.reserveCapacity(names.count + plan.metrics.count)
      for (place, id) in scan.index.ids(ofGroup: group).enumerated() {
        if let known = names[place][id] {
          row.append(known)
        } else {
          let value = queryValue(scan.index.dimensions[place].value(id), dimension: place)
          names[place][id] = value
          row.append(value)
        }
      }
      for metric in plan.metrics {
        row.append(try value(metric, of: group, values).queryValue(metric.unit))
      }
      rows.append(row)
    }
    return QueryResult(columns: columns, rows: rows)
  }

  // MARK: - Order

  /// The groups by time and value, or by the metric that the plan names.
  private func order(
    _ groups: [Int], _ scan: ScanWorker, _ values: QuantityTable
  ) throws(QueryError) -> [Int] {
    let ranks = AnswerBuilder.ranks(groups, scan.index)
    guard let metric = plan.order else {
      return groups.indices.sorted { ranks[$0].precedes(ranks[$1]) }.map { groups[$0] }
    }
    var keys: [MetricValue] = []
    keys.reserveCapacity(groups.count)
    for group in groups { keys.append(try value(metric, of: group, values)) }
    return groups.indices.sorted { left, right in
      if MetricValue.precedes(keys[left], keys[right]) { return true }
      if MetricValue.precedes(keys[right], keys[left]) { return false }
      return ranks[left].precedes(ranks[right])
    }.map { groups[$0] }
  }

  /// The place of each group in the order of its values: the ranks of its values side by side.
  private static func ranks(_ groups: [Int], _ index: GroupIndex) -> [GroupRank] {
    var ranks = [GroupRank](repeating: GroupRank(), count: groups.count)
    let ids = groups.map { index.ids(ofGroup: $0) }
    for (place, dimension) in index.dimensions.enumerated() {
      let used = Set(ids.map { $0[place] })
      let sorted = used.map { ($0, dimension.value($0)) }
        .sorted { GroupValue.precedes($0.1, $1.1) }
      var rank: [UInt32: UInt32] = [:]
      for (position, entry) in sorted.enumerated() { rank[entry.0] = UInt32(position) }
      for row in groups.indices { ranks[row].append(rank[ids[row][place]] ?? 0) }
    }
    return ranks
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

  // MARK: - Metrics

  private func value(
    _ metric: Metric, of group: Int, _ values: QuantityTable
  ) throws(QueryError) -> MetricValue {
    try value(metric, { values.sum($0, group) }, { values.sketch($0, group) })
  }

  private func value(
    _ metric: Metric, _ sum: (Metric.Quantity) -> Int128?, _ sketch: (RealField) -> QuantileSketch?
  ) throws(QueryError) -> MetricValue {
    switch metric.definition {
    case .unavailable: return .null
    case .total(let terms):
      return .integer(try AnswerBuilder.total(terms, sum, metric))
    case .quotient(let above, let below, let scale):
      let numerator = try AnswerBuilder.total(above, sum, metric)
      let denominator = try AnswerBuilder.total(below, sum, metric)
      if denominator == 0 { return .null }
      if metric.unit == .ratio {
        return .real(Double(numerator) * Double(scale) / Double(denominator))
      }
      guard let quotient = MetricValue.rounded(numerator, scale: scale, denominator) else {
        throw AnswerBuilder.overflow(metric)
      }
      return .integer(quotient)
    case .statistic(let statistic, let field):
      guard let sketch = sketch(field), sketch.count > 0 else { return .null }
      switch statistic {
      case .quantile(let permille):
        return sketch.quantile(permille: permille).map { .real($0) } ?? .null
      case .mean: return sketch.mean.map { .real($0) } ?? .null
      case .maximum: return .real(sketch.maximum)
      case .minimum: return .real(sketch.minimum)
      }
    }
  }

  private static func total(
    _ terms: [Metric.Term], _ sum: (Metric.Quantity) -> Int128?, _ metric: Metric
  ) throws(QueryError) -> Int128 {
    var total: Int128 = 0
    for term in terms {
      guard let amount = sum(term.quantity) else { throw overflow(metric) }
      let (product, first) = amount.multipliedReportingOverflow(by: Int128(term.factor))
      let (next, second) = total.addingReportingOverflow(product)
      if first || second { throw overflow(metric) }
      total = next
    }
    return total
  }

  private static func overflow(_ metric: Metric) -> QueryError {
    QueryError(
      .overflow,
      "\(metric.name) is beyond ±1.7 × 10²⁶ dollars (or 1.7 × 10³⁸ of a count); narrow the window "
        + "or add a where")
  }
}

/// The ranks of a group's values, the first dimension first.
private struct GroupRank {
  /// The first two ranks in one word, so that most comparisons take one step.
  private var head: UInt64 = 0
  private var tail: [UInt32] = []
  private var count = 0

  mutating func append(_ rank: UInt32) {
    if count < 2 { head |= UInt64(rank) << (count == 0 ? 32 : 0) } else { tail.append(rank) }
    count += 1
  }

  func precedes(_ other: GroupRank) -> Bool {
    head != other.head ? head < other.head : tail.lexicographicallyPrecedes(other.tail)
  }
}

/// What was added up, by quantity and group.
///
/// A class, so that the closures that look into it for each cell of the answer share it; as a
/// structure its dictionaries were retained and released a sixth of the time of a wide answer.
private final class QuantityTable {
  private let rowCounts: SumAccumulator
  private var sums: [Metric.Quantity: SumAccumulator] = [:]
  private var counts: [Metric.Quantity: [Int64]] = [:]
  private var sketches: [RealField: [QuantileSketch]] = [:]

  init(_ scan: ScanWorker, _ tally: KeyedTally) {
    rowCounts = scan.rowCounts
    sums = tally.sums
    for measure in scan.measures { sums[.sum(measure.measure)] = measure.sum }
    for entry in scan.flags { counts[.distinct(entry.field)] = entry.flags.counts() }
    for entry in scan.sketches { sketches[entry.field] = entry.accumulator.sketches() }
  }

  /// nil where the sum left 128 bits. What no record was found of is 0.
  func sum(_ quantity: Metric.Quantity, _ group: Int) -> Int128? {
    if quantity == .sum(.requests) { return rowCounts.sum(group) }
    if let sum = sums[quantity] { return sum.sum(group) }
    if let counts = counts[quantity] { return Int128(counts[group]) }
    return 0
  }

  func sketch(_ field: RealField, _ group: Int) -> QuantileSketch? { sketches[field]?[group] }
}
