internal import FarthingCore

/// Why cost changed between two periods.
package struct Explanation: Sendable, Equatable {
  /// What stands beside the bridge for one period.
  package struct Totals: Sendable, Equatable {
    /// Picodollars, as `farthing query cost` has them.
    package var cost: Int128 = 0
    package var requests: Int128 = 0
    /// Requests whose cost is unknown: in no part of the bridge.
    package var unpriced: Int128 = 0
  }

  /// A part of the change, and the figure that people recognise it by.
  package struct Part: Sendable, Equatable {
    package var part: BridgePart
    /// Picodollars.
    package var change: Int128
    /// What the figure is of, in words such as `queries` or `share of gpt-4o`; nil where there is none.
    package var figure: String?
    package var before: QueryValue
    package var after: QueryValue
  }

  /// What one value of a dimension cost in both periods, or all values that are not told by name.
  package struct Contributor: Sendable, Equatable {
    package var dimension: String
    /// nil where the field is absent, and for the others together.
    package var value: String?
    /// How many values this is of, where they are not told by name; nil for one.
    package var others: Int?
    /// Picodollars.
    package var before: Int128
    package var after: Int128
    package var requestsBefore: Int128
    package var requestsAfter: Int128

    package var change: Int128 { after - before }
  }

  /// A model whose requests have no price.
  package struct Unpriced: Sendable, Equatable {
    /// nil where the requests name none.
    package var model: String?
    package var before: Int128
    package var after: Int128
  }

  package var plan: ExplanationPlan
  package var before: Totals
  package var after: Totals
  /// One for each ``BridgePart``, in their order; they sum to ``change``.
  package var parts: [Part]
  /// By dimension in the order of the plan, the largest change first, the others last.
  package var contributors: [Contributor]
  /// The most requests first.
  package var unpriced: [Unpriced]

  /// Picodollars.
  package var change: Int128 { after.cost - before.cost }
}
