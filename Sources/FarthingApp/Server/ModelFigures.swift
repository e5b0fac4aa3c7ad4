internal import FarthingCore
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// The unit metrics that Prometheus sees.
enum ModelFigures {
  /// Most models that are told apart, those of the greatest cost; the others are one.
  static let modelLimit = 200
  static let others = "(other)"

  /// The sums of all stored requests by model; empty where they cannot be computed.
  ///
  /// - Complexity: that of a query whose segments know their sums: O(segments + rows in memory).
  static func figures(of snapshot: StoreSnapshot, queryBytes: Int) -> [UnitFigures] {
    let metrics = UnitFigures.families.compactMap { Metric.named($0.metric) }
    guard metrics.count == UnitFigures.families.count, let model = RequestField.named("model"),
      let cost = Metric.named("cost")
    else { return [] }
    let plan = QueryPlan(metrics: metrics, groups: [model], order: cost)
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: 1)
    guard let result = try? executor.run(plan, over: snapshot) else { return [] }
    var figures: [UnitFigures] = []
    var rest: [QueryValue]?
    for row in result.rows {
      guard let first = row.first else { continue }
      let name = if case .text(let text) = first { text } else { "" }
      if figures.count < modelLimit {
        figures.append(UnitFigures(model: name, values: row.dropFirst().map(text)))
      } else {
        rest = zip(rest ?? [], row.dropFirst()).map(sum)
        if rest?.isEmpty == true { rest = Array(row.dropFirst()) }
      }
    }
    if let rest { figures.append(UnitFigures(model: others, values: rest.map(text))) }
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
