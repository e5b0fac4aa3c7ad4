/// A metric of the contract: what users name, what it means and how it follows from sums.
///
/// Every metric is a combination of few *quantities* that are counted over a set of requests, so
/// that an executor computes quantities and order statistics and nothing else.
package struct Metric: Sendable, Hashable {
  /// What a value is and so how it is written.
  package enum Unit: Sendable, Hashable {
    case count
    /// A sum of money, exact.
    case money
    /// Dollars to the picodollar, rounded half to even.
    case moneyRatio
    case ratio
    case milliseconds

    /// The unit in words, for help texts.
    package var words: String {
      switch self {
      case .count: "count"
      case .money: "US dollars, exact"
      case .moneyRatio: "US dollars, rounded half to even at 10⁻¹²"
      case .ratio: "ratio"
      case .milliseconds: "milliseconds"
      }
    }
  }

  /// Something counted or summed over a set of requests.
  package enum Quantity: Sendable, Hashable {
    case sum(AdditiveMeasure)
    /// Distinct values of `task` in the set.
    case tasks
    /// Those whose winning outcome over the whole store is a success; likewise failed.
    case successfulTasks
    case failedTasks
    /// The winning outcomes' value of the set's successful tasks, picodollars.
    case outcomeValue
    /// Different values of a field, absent ones left out.
    case distinct(RequestField)
    /// Over the `prompt_hash` values that occur more than once in the set: how many.
    case repeatedPrompts
    /// Their requests beyond the first.
    case repeatedRequests
    /// Their cost beyond each one's dearest request, picodollars.
    case repeatedCost
  }

  /// A quantity times +1 or −1 (or another small whole number).
  package struct Term: Sendable, Hashable {
    package let factor: Int64
    package let quantity: Quantity

    package init(_ quantity: Quantity, factor: Int64 = 1) {
      self.quantity = quantity
      self.factor = factor
    }
  }

  package enum Statistic: Sendable, Hashable {
    /// Nearest rank, within 1 %.
    case quantile(permille: Int)
    case mean
    case maximum
    case minimum
  }

  package enum Definition: Sendable, Hashable {
    /// The sum of the terms.
    case total([Term])
    /// `scale` × the sum of `of` ÷ the sum of `to`; no value where the latter is 0.
    case quotient(of: [Term], to: [Term], scale: Int64)
    case statistic(Statistic, RealField)
    /// Of capacity pools: the name is known, an answer is not available.
    case unavailable
  }

  package let name: String
  package let unit: Unit
  /// One sentence for a reader who knows the fields.
  package let summary: String
  package let definition: Definition

  /// The quantities it is made of, each once.
  package var quantities: Set<Quantity> {
    switch definition {
    case .total(let terms): Set(terms.map(\.quantity))
    case .quotient(let above, let below, _): Set((above + below).map(\.quantity))
    case .statistic, .unavailable: []
    }
  }

  /// The metric of that name, or nil where there is none. `distinct_tags.NAME` exists for any NAME.
  package static func named(_ name: String) -> Metric? {
    if let metric = byName[name] { return metric }
    if name.hasPrefix("distinct_tags."), let field = RequestField.named(String(name.dropFirst(9))) {
      return distinct(field)
    }
    return nil
  }

  private static let byName: [String: Metric] = Dictionary(
    catalogue.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

  static func distinct(_ field: RequestField) -> Metric {
    Metric(
      name: "distinct_\(field.name)", unit: .count,
      summary: "Different values of \(field.name); requests without one are left out.",
      definition: .total([Term(.distinct(field))]))
  }
}
