internal import FarthingCore

/// A metric with the sums that it is computed from at hand.
struct BoundMetric {
  let metric: Metric
  private var above: [Term] = []
  private var below: [Term] = []
  private var sketches: [QuantileSketch]?

  private struct Term {
    let factor: Int64
    let sums: QuantityTable.Sums
  }

  /// - Parameter table: nil where nothing was added up: every sum is 0 then.
  init(_ metric: Metric, _ table: QuantityTable?) {
    self.metric = metric
    func bound(_ terms: [Metric.Term]) -> [Term] {
      terms.map { Term(factor: $0.factor, sums: table?.sums($0.quantity) ?? .zero) }
    }
    switch metric.definition {
    case .unavailable: break
    case .total(let terms): above = bound(terms)
    case .quotient(let of, let to, _):
      above = bound(of)
      below = bound(to)
    case .statistic(_, let field): sketches = table?.sketches(field)
    }
  }

  /// The value for a group.
  ///
  /// - Throws: `overflow`.
  func value(_ group: Int) throws(QueryError) -> MetricValue {
    switch metric.definition {
    case .unavailable: return .null
    case .total: return .integer(try total(above, group))
    case .quotient(_, _, let scale):
      let numerator = try total(above, group)
      let denominator = try total(below, group)
      if denominator == 0 { return .null }
      if metric.unit == .ratio {
        return .real(Double(numerator) * Double(scale) / Double(denominator))
      }
      guard let quotient = MetricValue.rounded(numerator, scale: scale, denominator) else {
        throw overflow
      }
      return .integer(quotient)
    case .statistic(let statistic, _):
      guard let sketches, sketches[group].count > 0 else { return .null }
      switch statistic {
      case .quantile(let permille):
        return sketches[group].quantile(permille: permille).map { .real($0) } ?? .null
      case .mean: return sketches[group].mean.map { .real($0) } ?? .null
      case .maximum: return .real(sketches[group].maximum)
      case .minimum: return .real(sketches[group].minimum)
      }
    }
  }

  private func total(_ terms: [Term], _ group: Int) throws(QueryError) -> Int128 {
    var total: Int128 = 0
    for term in terms {
      guard let amount = term.sums.sum(group) else { throw overflow }
      let (product, first) =
        term.factor == 1
        ? (amount, false) : amount.multipliedReportingOverflow(by: Int128(term.factor))
      let (next, second) = total.addingReportingOverflow(product)
      if first || second { throw overflow }
      total = next
    }
    return total
  }

  private var overflow: QueryError {
    QueryError(
      .overflow,
      "\(metric.name) is beyond ±1.7 × 10²⁶ dollars (or 1.7 × 10³⁸ of a count); narrow the window "
        + "or add a where")
  }
}

/// What was added up, by quantity and group.
struct QuantityTable {
  /// One quantity of every group.
  enum Sums {
    /// What no record was found of.
    case zero
    case sum(SumAccumulator)
    case counts([Int64])

    /// nil where the sum left 128 bits.
    func sum(_ group: Int) -> Int128? {
      switch self {
      case .zero: 0
      case .sum(let sum): sum.sum(group)
      case .counts(let counts): Int128(counts[group])
      }
    }
  }

  private var sums: [Metric.Quantity: Sums] = [:]
  private var sketches: [RealField: [QuantileSketch]] = [:]

  init(_ scan: ScanWorker, _ tally: KeyedTally) {
    for (quantity, sum) in tally.sums { sums[quantity] = .sum(sum) }
    for measure in scan.measures { sums[.sum(measure.measure)] = .sum(measure.sum) }
    for entry in scan.flags { sums[.distinct(entry.field)] = .counts(entry.flags.counts()) }
    sums[.sum(.requests)] = .sum(scan.rowCounts)
    for entry in scan.sketches { sketches[entry.field] = entry.accumulator.sketches() }
  }

  func sums(_ quantity: Metric.Quantity) -> Sums { sums[quantity] ?? .zero }

  func sketches(_ field: RealField) -> [QuantileSketch]? { sketches[field] }
}
