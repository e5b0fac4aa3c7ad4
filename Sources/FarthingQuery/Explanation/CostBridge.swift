internal import FarthingCore

// The change in cost between two periods, taken apart.
//
// Cost is a sum of products. For each cell (workload, kind of attempt, site, model with its provider) it is
//
//   queries × share of the workload × attempts of the kind a query × share of the site × share of the model
//     × ( input tokens a request × price of an input token
//       − input tokens a request × share cached × saved on a cached token
//       + input tokens a request × share written × premium on a written token
//       + output tokens a request × price of an output token
//       + cost of what is billed beside tokens, a request )
//
// Every factor belongs to one part of the bridge and has a value before and one after. A part's amount is its
// Shapley value: what changing its factors from before to after changes the cost by, averaged over all orders in
// which the parts could change. No order has to be chosen, the parts sum to the change, a part whose factors
// did not change is exactly 0, and exchanging the periods turns every sign.
//
// 1. A factor without a value (the share of a model within a workload that did not exist yet) takes that of the other
//    period: what appears or vanishes is volume or mix, never a change of price or tokens.
// 2. The products are made to 128 significant bits, cut off to units of 2⁻⁶⁴ picodollars, and summed exactly.
// 3. Each part is rounded to whole picodollars, half to even. What then is missing from the exact change,
//    or too much, goes picodollar by picodollar to the parts that rounding took most from, or gave
//    most to; ties in the order of the parts.

/// A part of the change in cost.
package enum BridgePart: String, Sendable, CaseIterable {
  /// More or fewer queries: first attempts.
  case volume
  /// Other workloads ask.
  case workloadMix = "workload_mix"
  /// Other sites serve the same workloads.
  case siteMix = "site_mix"
  /// Other models, or other providers of them, answer the same workloads at the same sites.
  case modelMix = "model_mix"
  /// Attempts beyond the first, and first attempts that failed, a query.
  case retriesAndErrors = "retries_and_errors"
  case inputTokens = "input_tokens"
  case outputTokens = "output_tokens"
  /// What is billed beside tokens: searches, images, fees; their number and their price together.
  case units
  /// Tokens read from and written to prompt caches, and answers from response caches.
  case cacheHits = "cache_hits"
  /// What a token costs.
  case price

  /// For people.
  package var words: String {
    switch self {
    case .volume: "volume"
    case .workloadMix: "workload mix"
    case .siteMix: "site mix"
    case .modelMix: "model mix"
    case .retriesAndErrors: "retries and errors"
    case .inputTokens: "input tokens a request"
    case .outputTokens: "output tokens a request"
    case .units: "other billed units"
    case .cacheHits: "cache hits"
    case .price: "price"
    }
  }
}

/// The parts of a change, in the order of ``BridgePart``.
package struct CostBridge: Sendable, Equatable {
  /// Picodollars by part; they sum to after − before.
  package private(set) var parts: [BridgePart: Int128] = [:]

  /// Takes the change of the cells' cost apart.
  ///
  /// - Throws: `overflow`, far beyond any amount that there is.
  /// - Complexity: O(cells × 2⁸).
  init(_ cells: [CostCell], change: Int128) throws(QueryError) {
    var shares = ProductShares()
    let totals = try CellTotals(cells)
    for cell in cells {
      for product in CellFactors(cell, totals).products { try shares.add(product) }
    }
    parts = try Self.rounded(shares, change: change)
  }

  /// Picodollars of a part; 0 where nothing of it changed.
  package subscript(part: BridgePart) -> Int128 { parts[part] ?? 0 }

  private static func rounded(
    _ shares: ProductShares, change: Int128
  ) throws(QueryError) -> [BridgePart: Int128] {
    var amounts: [BridgePart: Int128] = [:]
    var rests: [(part: BridgePart, rest: WideInteger)] = []
    var missing = change
    for part in BridgePart.allCases {
      guard let (amount, rest) = shares[part].rounded(dividedBy: ProductShares.denominator) else {
        throw CostSums.overflow
      }
      amounts[part] = amount
      rests.append((part, rest))
      let (left, overflow) = missing.subtractingReportingOverflow(amount)
      if overflow { throw CostSums.overflow }
      missing = left
    }
    // Sorting keeps the order of equal ones: Swift's sort is stable, and the places make sure of it.
    let isMissing = missing > 0
    let order = rests.indices.sorted { left, right in
      let (a, b) = (rests[left].rest, rests[right].rest)
      if a == b { return left < right }
      return isMissing ? b < a : a < b
    }.filter { amounts[rests[$0].part] != 0 || rests[$0].rest != .zero }
    guard !order.isEmpty else {
      // No factor changed, so neither did the cost.
      if missing != 0 { throw CostSums.overflow }
      return amounts
    }
    let (each, left) = missing.quotientAndRemainder(dividingBy: Int128(order.count))
    for (place, index) in order.enumerated() {
      let extra: Int128 = place < left.magnitude ? (isMissing ? 1 : -1) : 0
      amounts[rests[index].part, default: 0] += each + extra
    }
    return amounts
  }
}

/// A product with the values of its factors before and after, each the matter of one part.
struct FactorProduct {
  var factors: [(part: BridgePart, before: SignificantNumber, after: SignificantNumber)] = []
  var isSubtracted = false
}

/// Sums of Shapley values of products.
struct ProductShares {
  /// What the sums are multiples of: 8!, as no product has more than eight factors.
  static let denominator: UInt64 = 40_320
  private static let mostFactors = 8

  private var sums = [WideInteger](repeating: .zero, count: BridgePart.allCases.count)
  private static let places: [BridgePart: Int] = Dictionary(
    uniqueKeysWithValues: BridgePart.allCases.enumerated().map { ($1, $0) })

  /// In units of 2⁻⁶⁴ picodollars, times ``denominator``.
  subscript(part: BridgePart) -> WideInteger { sums[Self.places[part] ?? 0] }

  /// Adds the values of one product: for each part, over all sets S of other parts, what it adds when those of S
  /// have changed, weighted with |S|! (n − |S| − 1)! ÷ n!.
  ///
  /// - Throws: `overflow`.
  mutating func add(_ product: FactorProduct) throws(QueryError) {
    var constant = SignificantNumber.one
    var changed: [(place: Int, before: SignificantNumber, after: SignificantNumber)] = []
    for factor in product.factors {
      if factor.before == factor.after {
        constant = constant * factor.before
      } else {
        changed.append((Self.places[factor.part] ?? 0, factor.before, factor.after))
      }
    }
    guard !changed.isEmpty, !constant.isZero else { return }
    if changed.count > Self.mostFactors {
      preconditionFailure("BUG: a product of \(changed.count) changed factors, at most 8 expected")
    }
    // Bit n of the index says that factor n has its value after.
    var values = [product.isSubtracted ? constant.negated : constant]
    for factor in changed {
      values = values.map { $0 * factor.before } + values.map { $0 * factor.after }
    }
    let count = changed.count
    let weights = Self.weights[count]
    var subtracted = WideInteger.zero
    var weighted: [WideInteger] = []
    weighted.reserveCapacity(values.count)
    for (set, value) in values.enumerated() {
      guard let fixed = value.fixed else { throw CostSums.overflow }
      let size = set.nonzeroBitCount
      let with = size > 0 ? weights[size - 1] : 0
      let without = size < count ? weights[size] : 0
      subtracted += fixed.times(without)
      weighted.append(fixed.times(with + without))
    }
    // The sum over the sets with a factor is that of the upper half; folding the halves drops the factor.
    for factor in changed.reversed() {
      let half = weighted.count / 2
      var sum = WideInteger.zero
      for place in half..<weighted.count {
        sum += weighted[place]
        weighted[place - half] += weighted[place]
      }
      weighted.removeLast(half)
      sums[factor.place] += sum
      sums[factor.place] -= subtracted
    }
  }

  /// By number of factors n and size s of a set: s! (n − s − 1)! × 8! ÷ n!.
  private static let weights: [[UInt64]] = {
    var factorials: [UInt64] = [1]
    for number in 1...8 { factorials.append(factorials[number - 1] * UInt64(number)) }
    return (0...8).map { count in
      (0..<count).map {
        factorials[$0] * factorials[count - $0 - 1] * (denominator / factorials[count])
      }
    }
  }()
}
