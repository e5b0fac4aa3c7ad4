/// The rates of a price whose costs need no rounding: one band, whole picodollars, no fee.
///
/// Most cards are so: prices of whole cents a million tokens. Every part then has its own rate or that of its
/// parent, a cost is a sum of products, and where a picodollar goes is never in question.
struct CommonRates {
  private let input: Int64
  private let cachedInput: Int64
  private let cacheWrite: Int64
  private let cacheWrite1h: Int64
  private let output: Int64
  private let reasoning: Int64
  private let isApproximate: Bool

  /// nil where the price is of another kind.
  init?(_ price: ResolvedPrice) {
    guard price.bands.count == 1, price.fastDivisor == 1, !price.mantissas.isEmpty,
      price.hasTokenRates, price.requestFee == .zero
    else { return nil }
    func rate(_ part: PricePart, parent: Int64) -> Int64 {
      price.ownParts[0] & 1 << UInt16(part.rawValue) == 0
        ? parent : price.mantissas[Int(part.rawValue)]
    }
    input = rate(.input, parent: 0)
    cachedInput = rate(.cachedInput, parent: input)
    cacheWrite = rate(.cacheWrite, parent: input)
    cacheWrite1h = rate(.cacheWrite1h, parent: cacheWrite)
    output = rate(.output, parent: 0)
    reasoning = rate(.reasoning, parent: output)
    isApproximate = price.isApproximate
  }

  /// What ``ResolvedPrice/charge(_:units:price:)`` would answer for a request without units, or nil where the
  /// usage is of a kind that needs it.
  @inline(__always)
  func charge(_ usage: TokenUsage, price: Int32) -> Charge? {
    guard usage.hasInputTokens, usage.state != .missing, !usage.isResponseCacheHit,
      usage.inputAudioTokens | usage.outputAudioTokens | usage.inputImageTokens == 0
    else { return nil }
    let setAside =
      usage.cachedInputTokens &+ usage.cacheWriteTokens &+ usage.cacheWrite1hTokens
    let plain = max(0, usage.outputTokens &- usage.reasoningTokens)
    var cost = Int128(max(0, usage.inputTokens &- setAside)) &* Int128(input)
    var savings: Int128 = 0
    if setAside != 0 {
      cost &+= Int128(usage.cachedInputTokens) &* Int128(cachedInput)
      cost &+= Int128(usage.cacheWriteTokens) &* Int128(cacheWrite)
      cost &+= Int128(usage.cacheWrite1hTokens) &* Int128(cacheWrite1h)
      savings = Int128(usage.cachedInputTokens) &* Int128(input &- cachedInput)
    }
    var outputCost = Int128(plain) &* Int128(output)
    if usage.reasoningTokens != 0 {
      outputCost &+= Int128(usage.reasoningTokens) &* Int128(reasoning)
    }
    return Charge(
      state: usage.state == .estimated || isApproximate ? .estimated : .priced,
      cost: cost &+ outputCost, outputCost: outputCost, unitsCost: 0, cacheSavings: savings,
      price: price)
  }
}
