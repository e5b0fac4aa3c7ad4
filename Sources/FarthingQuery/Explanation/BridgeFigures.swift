internal import FarthingCore

/// The figures that people recognise the parts of a bridge by, over all priced requests.
///
/// They illustrate and add up to nothing: a part is made cell by cell.
struct BridgeFigures {
  private var before = CostSums()
  private var after = CostSums()
  /// Requests by attempt: clean, failed, retry.
  private var attempts: (before: [Int128], after: [Int128]) = ([0, 0, 0], [0, 0, 0])
  private var workloads: [String?: (Int128, Int128)] = [:]
  private var sites: [String?: (Int128, Int128)] = [:]
  private var models: [String?: (Int128, Int128)] = [:]

  init(_ cells: [CostCell]) {
    for cell in cells {
      // What would not fit was refused when the bridge was made of the same sums.
      try? before.add(cell.sums.before)
      try? after.add(cell.sums.after)
      let (first, second) = (cell.sums.before.requests, cell.sums.after.requests)
      attempts.before[Int(cell.key.attempt.rawValue)] += first
      attempts.after[Int(cell.key.attempt.rawValue)] += second
      Self.add(first, second, to: &workloads[cell.key.workload, default: (0, 0)])
      Self.add(first, second, to: &sites[cell.key.site, default: (0, 0)])
      Self.add(first, second, to: &models[cell.key.model, default: (0, 0)])
    }
  }

  private static func add(_ first: Int128, _ second: Int128, to sum: inout (Int128, Int128)) {
    sum.0 += first
    sum.1 += second
  }

  func part(_ part: BridgePart, change: Int128) -> Explanation.Part {
    func made(_ figure: String?, _ before: QueryValue, _ after: QueryValue) -> Explanation.Part {
      Explanation.Part(part: part, change: change, figure: figure, before: before, after: after)
    }
    switch part {
    case .volume:
      return made("queries", .count(queries(attempts.before)), .count(queries(attempts.after)))
    case .workloadMix: return mover(workloads, "workload", made)
    case .siteMix: return mover(sites, "site", made)
    case .modelMix: return mover(models, "model", made)
    case .retriesAndErrors:
      return made(
        "retries and failures a query",
        share(attempts.before[1] + attempts.before[2], queries(attempts.before)),
        share(attempts.after[1] + attempts.after[2], queries(attempts.after)))
    case .inputTokens:
      return made(
        "input tokens a request", real(before.inputTokens, served(before)),
        real(after.inputTokens, served(after)))
    case .outputTokens:
      return made(
        "output tokens a request", real(before.outputTokens, served(before)),
        real(after.outputTokens, served(after)))
    case .cacheHits:
      return made(
        "share of input tokens cached", share(before.cachedTokens, before.inputTokens),
        share(after.cachedTokens, after.inputTokens))
    case .units, .price: return made(nil, .null, .null)
    }
  }

  private func queries(_ attempts: [Int128]) -> Int128 { attempts[0] + attempts[1] }

  private func served(_ sums: CostSums) -> Int128 { sums.requests - sums.hits }

  /// The value whose share of the requests moved most.
  private func mover(
    _ counts: [String?: (Int128, Int128)], _ what: String,
    _ made: (String?, QueryValue, QueryValue) -> Explanation.Part
  ) -> Explanation.Part {
    func shift(_ count: (Int128, Int128)) -> Double {
      let first = ratio(count.0, before.requests) ?? 0
      return ((ratio(count.1, after.requests) ?? 0) - first).magnitude
    }
    let most = counts.max { left, right in
      let (a, b) = (shift(left.value), shift(right.value))
      return a != b ? a < b : (left.key ?? "") > (right.key ?? "")
    }
    guard let most, counts.count > 1 else { return made(nil, .null, .null) }
    return made(
      "share of \(what) \(most.key ?? "(none)")", share(most.value.0, before.requests),
      share(most.value.1, after.requests))
  }

  private func ratio(_ above: Int128, _ below: Int128) -> Double? {
    below == 0 ? nil : Double(above) / Double(below)
  }

  private func share(_ above: Int128, _ below: Int128) -> QueryValue {
    ratio(above, below).map { .ratio($0) } ?? .null
  }

  private func real(_ above: Int128, _ below: Int128) -> QueryValue {
    ratio(above, below).map { .real(($0 * 10).rounded() / 10) } ?? .null
  }
}
