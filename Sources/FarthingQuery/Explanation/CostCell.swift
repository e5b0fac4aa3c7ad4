internal import FarthingCore

// The cells of a bridge: what is summed up before anything is taken apart.

/// How a request counts among the tries of its query.
enum AttemptClass: UInt8, Sendable, CaseIterable {
  /// A first attempt that went well.
  case clean
  /// A first attempt whose status is not ok.
  case failed
  /// An attempt beyond the first, whatever came of it.
  case retry
}

/// Which requests are summed up together. Absent fields are a value of their own.
struct CostCellKey: Sendable, Hashable {
  var workload: String?
  var attempt: AttemptClass
  var site: String?
  var model: String?
  var provider: String?
}

/// Exact sums over the priced requests of one cell in one period.
struct CostSums: Sendable, Equatable {
  /// Those that a response cache answered are among them.
  var requests: Int128 = 0
  /// Requests that a response cache answered: they cost nothing.
  var hits: Int128 = 0
  /// Of the others.
  var inputTokens: Int128 = 0
  var cachedTokens: Int128 = 0
  var writtenTokens: Int128 = 0
  var outputTokens: Int128 = 0
  /// Picodollars. All tokens of the input at the input price.
  var plainInputCost: Int128 = 0
  /// What cached tokens cost less than that; negative where a card prices them above it.
  var cachedSavings: Int128 = 0
  /// What written tokens cost more than that.
  var writePremium: Int128 = 0
  var outputCost: Int128 = 0
  /// What is billed beside tokens.
  var unitsCost: Int128 = 0

  /// - Throws: `overflow`.
  mutating func add(_ other: CostSums) throws(QueryError) {
    for place in Self.fields {
      let (sum, overflow) = self[keyPath: place].addingReportingOverflow(other[keyPath: place])
      // Four sums of a cell are added up further on; they have to fit together.
      if overflow || sum.magnitude >> 124 != 0 { throw Self.overflow }
      self[keyPath: place] = sum
    }
  }

  private static let fields: [any WritableKeyPath<CostSums, Int128> & Sendable] = [
    \.requests, \.hits, \.inputTokens, \.cachedTokens, \.writtenTokens, \.outputTokens,
    \.plainInputCost, \.cachedSavings, \.writePremium, \.outputCost, \.unitsCost,
  ]

  static let overflow = QueryError(
    .overflow,
    "the sums of the bridge leave their 124 bits; narrow the periods or add a where")
}

/// One cell in both periods, before and after.
struct CostCell: Sendable {
  var key: CostCellKey
  var sums: (before: CostSums, after: CostSums)

  subscript(isAfter: Bool) -> CostSums { isAfter ? sums.after : sums.before }
}
