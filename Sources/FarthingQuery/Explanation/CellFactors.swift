internal import FarthingCore

/// Counts above the cells: what the shares are shares of.
struct CellTotals {
  /// Values before and after.
  typealias Pair = (before: Int128, after: Int128)

  private struct ClassKey: Hashable {
    var workload: String?
    var attempt: AttemptClass
  }

  private struct SiteKey: Hashable {
    var above: ClassKey
    var site: String?
  }

  /// Queries of all workloads.
  private(set) var queries: Pair = (0, 0)
  private var workloads: [String?: Pair] = [:]
  private var classes: [ClassKey: Pair] = [:]
  private var sites: [SiteKey: Pair] = [:]

  /// - Throws: `overflow`.
  init(_ cells: [CostCell]) throws(QueryError) {
    var firsts: [String?: Pair] = [:]
    var all: [String?: Pair] = [:]
    for cell in cells {
      let count = (cell.sums.before.requests, cell.sums.after.requests)
      let group = ClassKey(workload: cell.key.workload, attempt: cell.key.attempt)
      try Self.add(count, to: &classes[group, default: (0, 0)])
      try Self.add(count, to: &sites[SiteKey(above: group, site: cell.key.site), default: (0, 0)])
      try Self.add(count, to: &all[cell.key.workload, default: (0, 0)])
      if cell.key.attempt != .retry {
        try Self.add(count, to: &firsts[cell.key.workload, default: (0, 0)])
      }
    }
    // Where a period holds nothing but retries of a workload, because their first attempts came before it or
    // are not told apart, its requests stand for its queries.
    for (workload, requests) in all {
      var count = firsts[workload] ?? (0, 0)
      if count.before == 0 { count.before = requests.before }
      if count.after == 0 { count.after = requests.after }
      workloads[workload] = count
      try Self.add(count, to: &queries)
    }
  }

  private static func add(_ count: Pair, to sum: inout Pair) throws(QueryError) {
    let before = sum.before.addingReportingOverflow(count.before)
    let after = sum.after.addingReportingOverflow(count.after)
    if before.overflow || after.overflow { throw CostSums.overflow }
    sum = (before.partialValue, after.partialValue)
  }

  func queries(of key: CostCellKey) -> Pair { workloads[key.workload] ?? (0, 0) }

  func attempts(of key: CostCellKey) -> Pair {
    classes[ClassKey(workload: key.workload, attempt: key.attempt)] ?? (0, 0)
  }

  func atSite(of key: CostCellKey) -> Pair {
    let above = ClassKey(workload: key.workload, attempt: key.attempt)
    return sites[SiteKey(above: above, site: key.site)] ?? (0, 0)
  }
}

/// The factors of one cell's cost.
struct CellFactors {
  /// A factor's values before and after.
  private typealias Factor = (before: SignificantNumber, after: SignificantNumber)

  private let cell: CostCell
  private let totals: CellTotals

  init(_ cell: CostCell, _ totals: CellTotals) {
    self.cell = cell
    self.totals = totals
  }

  /// The products that the cell's cost is the sum of.
  var products: [FactorProduct] {
    let (before, after) = cell.sums
    let served = (before.requests - before.hits, after.requests - after.hits)
    let inputs = (before.inputTokens, after.inputTokens)
    let outputs = (before.outputTokens, after.outputTokens)
    let tokens = quotient(inputs, served)
    let answered = quotient(served, (before.requests, after.requests))
    var products: [FactorProduct] = []

    func add(
      _ cost: (Int128, Int128), _ part: BridgePart, _ amount: Factor, cache: Factor, price: Factor?,
      isSubtracted: Bool = false
    ) {
      guard cost.0 != 0 || cost.1 != 0 else { return }
      var product = FactorProduct(factors: requests, isSubtracted: isSubtracted)
      product.factors.append((part, amount.before, amount.after))
      product.factors.append((.cacheHits, cache.before, cache.after))
      if let price { product.factors.append((.price, price.before, price.after)) }
      products.append(product)
    }

    // Where a side has cost and no tokens to lay it on, it counts with what is billed beside them.
    let plain = (
      before.inputTokens == 0 ? 0 : before.plainInputCost,
      after.inputTokens == 0 ? 0 : after.plainInputCost
    )
    let output = (
      before.outputTokens == 0 ? 0 : before.outputCost,
      after.outputTokens == 0 ? 0 : after.outputCost
    )
    let beside = (
      before.unitsCost + (before.plainInputCost - plain.0) + (before.outputCost - output.0),
      after.unitsCost + (after.plainInputCost - plain.1) + (after.outputCost - output.1)
    )
    add(plain, .inputTokens, tokens, cache: answered, price: quotient(plain, inputs))
    add(
      (before.cachedSavings, after.cachedSavings), .inputTokens, tokens,
      cache: product(answered, quotient((before.cachedTokens, after.cachedTokens), inputs)),
      price: quotient(
        (before.cachedSavings, after.cachedSavings), (before.cachedTokens, after.cachedTokens)),
      isSubtracted: true)
    add(
      (before.writePremium, after.writePremium), .inputTokens, tokens,
      cache: product(answered, quotient((before.writtenTokens, after.writtenTokens), inputs)),
      price: quotient(
        (before.writePremium, after.writePremium), (before.writtenTokens, after.writtenTokens)))
    add(
      output, .outputTokens, quotient(outputs, served), cache: answered,
      price: quotient(output, outputs))
    add(beside, .units, quotient(beside, served), cache: answered, price: nil)
    return products
  }

  /// The factors whose product is the cell's number of requests.
  private var requests: [(part: BridgePart, before: SignificantNumber, after: SignificantNumber)] {
    let queries = totals.queries(of: cell.key)
    let attempts = totals.attempts(of: cell.key)
    let atSite = totals.atSite(of: cell.key)
    let own = (cell.sums.before.requests, cell.sums.after.requests)
    let factors: [(BridgePart, Factor)] = [
      (.volume, quotient(totals.queries, (1, 1))),
      (.workloadMix, quotient(queries, totals.queries)),
      (.retriesAndErrors, quotient(attempts, queries)),
      (.siteMix, quotient(atSite, attempts)),
      (.modelMix, quotient(own, atSite)),
    ]
    return factors.map { ($0, $1.before, $1.after) }
  }

  /// Where one period has no value, it is that of the other; 0 where neither has.
  private func quotient(_ above: (Int128, Int128), _ below: (Int128, Int128)) -> Factor {
    let before = below.0 == 0 ? nil : SignificantNumber(above.0, over: below.0)
    let after = below.1 == 0 ? nil : SignificantNumber(above.1, over: below.1)
    return (before ?? after ?? .zero, after ?? before ?? .zero)
  }

  private func product(_ left: Factor, _ right: Factor) -> Factor {
    (left.before * right.before, left.after * right.after)
  }
}
