/// What a price charges for each token of a request, where that is a sum of products.
///
/// The store keeps these factors instead of the costs that follow from them. It compares each cost
/// with what the factors give before it does so, so they need not hold for every request: audio and
/// image tokens, metered units and fees are not in them.
package struct LinearRates: Sendable, Equatable {
  /// What each token of a field adds, in picodollars × ``divisor``.
  package struct Factors: Sendable, Equatable {
    package var input: Int64 = 0
    package var cachedInput: Int64 = 0
    package var cacheWrite: Int64 = 0
    package var cacheWrite1h: Int64 = 0
    package var output: Int64 = 0
    package var reasoning: Int64 = 0

    /// Nothing for any token.
    package static let none = Factors()

    /// The factor of a token field; 0 for other fields.
    package subscript(field: IntegerField) -> Int64 {
      switch field {
      case .inputTokens: input
      case .cachedInputTokens: cachedInput
      case .cacheWriteTokens: cacheWrite
      case .cacheWrite1hTokens: cacheWrite1h
      case .outputTokens: output
      case .reasoningTokens: reasoning
      default: 0
      }
    }

    /// The fields that may have a factor.
    package static let fields: [IntegerField] = [
      .inputTokens, .cachedInputTokens, .cacheWriteTokens, .cacheWrite1hTokens, .outputTokens,
      .reasoningTokens,
    ]
  }

  /// The rates hold for requests with strictly more input tokens; −1 for the first.
  package let above: Int64
  /// Sums of products are divided by this, half to even.
  package let divisor: Int64
  package let cost: Factors
  package let outputCost: Factors
  package let cacheSavings: Factors
  /// What a response-cache hit saves.
  package let hitSavings: Factors
}

extension ResolvedPrice {
  /// The factors of each band, by rising limit; empty where a rate does not fit 63 bits.
  package var linearRates: [LinearRates] {
    guard !mantissas.isEmpty, let divisor = Int64(exactly: fastDivisor) else { return [] }
    return bands.indices.map { linearRates(band: $0, divisor: divisor) }
  }

  private func linearRates(band: Int, divisor: Int64) -> LinearRates {
    func rate(_ part: PricePart, parent: Int64) -> Int64 {
      ownParts[band] & 1 << UInt16(part.rawValue) == 0
        ? parent : mantissas[band * PricePart.tokenPartCount + Int(part.rawValue)]
    }
    let input = rate(.input, parent: 0)
    let cached = rate(.cachedInput, parent: input)
    let written = rate(.cacheWrite, parent: input)
    let written1h = rate(.cacheWrite1h, parent: written)
    let output = rate(.output, parent: 0)
    let reasoning = rate(.reasoning, parent: output)
    // Rates are not negative, so their differences fit. Parts are in their whole: a cached token
    // costs the difference to an input token.
    let generated = LinearRates.Factors(output: output, reasoning: reasoning - output)
    var cost = generated
    cost.input = input
    cost.cachedInput = cached - input
    cost.cacheWrite = written - input
    cost.cacheWrite1h = written1h - input
    return LinearRates(
      above: bands[band].above, divisor: divisor, cost: cost, outputCost: generated,
      cacheSavings: LinearRates.Factors(cachedInput: input - cached),
      hitSavings: LinearRates.Factors(input: input, output: output))
  }
}
