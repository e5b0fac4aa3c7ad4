package import FarthingCore

extension Observation {
  /// Makes it a period of capacity.
  ///
  /// - Parameter rate: picodollars of an accelerator's hour.
  package mutating func setCapacity(until end: Int64, accelerators count: Int64, rate: Int128) {
    until = end
    accelerators = count
    let (length, isEndless) = end.subtractingReportingOverflow(time)
    guard !isEndless, length > 0, count > 0 else { return }
    let (perHour, isTooDear) = rate.multipliedReportingOverflow(by: Int128(count))
    guard !isTooDear else { return }
    let (product, isTooLarge) = perHour.multipliedReportingOverflow(by: Int128(length))
    guard !isTooLarge else { return }
    cost = Observation.clamped(product / Int128(CivilTime.hour))
  }
}

extension DetectionEngine {
  /// What a request would cost at the first price that was seen for its model, provider, tier and batch.
  ///
  /// - Parameter usage: asked for where its price is another one.
  package mutating func constantCost(
    _ observation: Observation, serviceTier: UInt64, isBatch: Bool, _ price: ResolvedPrice,
    _ charge: Charge, usage: () -> TokenUsage
  ) -> Int128 {
    let kind = PricedKind(
      model: observation.model.code,
      variant: serviceTier ^ UInt64(observation.provider.code) << 1 ^ (isBatch ? 1 : 0))
    return constantPrices.cost(kind, price, charge, usage: usage)
  }
}
