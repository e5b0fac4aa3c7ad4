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
  /// Sets what a request costs, and what it would at other prices of its model, provider, tier and batch.
  ///
  /// - Parameters:
  ///   - price: what it was charged by; nil where that is not known.
  ///   - usage: asked for where another price was seen before.
  package mutating func charge(
    _ observation: inout Observation, serviceTier: UInt64, isBatch: Bool, _ price: ResolvedPrice?,
    _ charge: Charge, usage: () -> TokenUsage
  ) {
    observation.setCost(charge.cost, output: charge.outputCost)
    guard let price else { return }
    let kind = PricedKind(
      model: observation.model.code,
      variant: serviceTier ^ UInt64(observation.provider.code) << 1 ^ (isBatch ? 1 : 0))
    let costs = constantPrices.costs(kind, price, charge, time: observation.time, usage: usage)
    observation.constantCost = Observation.clamped(costs.constant)
    observation.steadyCost = Observation.clamped(costs.steady)
    observation.unforeseenCost = Observation.clamped(costs.unforeseen)
  }
}

extension Observation {
  /// Gives it a cost that no change of price is known of; picodollars.
  package mutating func setCost(_ amount: Int128, output: Int128) {
    isPriced = true
    cost = Self.clamped(amount)
    outputCost = Self.clamped(output)
    constantCost = cost
    steadyCost = cost
  }
}
