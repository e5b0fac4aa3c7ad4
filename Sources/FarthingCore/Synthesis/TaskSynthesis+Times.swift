extension EventSynthesis {
  /// Prompt tokens that a millisecond of prefill reads, uncached.
  private static let prefillTokensPerMillisecond = 9.0

  /// The latency of a call and its parts, in tenths of a millisecond, so that the parts add up.
  func fillTimes(
    _ event: inout PendingEvent, site: Int, shape: WorkloadShape, effects: RequestEffects,
    random: inout KeyedRandom
  ) {
    let model = fleet.models[Int(event.model)]
    let queue = min(20_000, random.logNormal(2.1, 1.1)) * effects.latencyFactor
    let network = fleet.sites[site].networkMilliseconds * random.logNormal(0, 0.25)
    let retrieval = Double(event.retrievals) * random.logNormal(3.2, 0.5)
    let spread = random.logNormal(0, 0.3)
    let speed = model.tokensPerSecond * random.logNormal(0, 0.2)
    let coldDraw = random.unit()
    let isStreamed = random.chance(shape.streamed)
    let timeout = 30_000 + 30_000 * random.unit()
    let hit = 2 + 9 * random.unit()
    let hasQueue = random.chance(0.6)
    event.network = Int64(network * 10)
    if event.responseCache == 1 || event.responseCache == 2 {
      event.latency = event.network + Int64(hit * 10)
    } else {
      let uncached = Double(event.inputTokens - event.cachedTokens)
      var prefill = model.firstTokenMilliseconds * spread
      prefill += uncached / Self.prefillTokensPerMillisecond
      prefill *= effects.latencyFactor
      if model.provider == "self", coldDraw < 0.003 {
        // Loading some 70 GB of weights.
        event.isColdStart = true
        prefill += 21_000
      }
      let decode = Double(event.outputTokens) / speed * 1000 * effects.latencyFactor
      event.queue = Int64(queue * 10)
      if event.retrievals > 0 { event.retrieval = Int64(retrieval * 10) }
      event.compute = Int64((prefill + decode) * 10)
      let before = event.queue + event.network + max(0, event.retrieval)
      event.latency = before + event.compute
      if isStreamed, event.status == .ok {
        event.firstToken = min(event.latency, before + Int64(prefill * 10))
      }
      switch event.status {
      case .timeout: event.latency = max(event.latency, Int64(timeout * 10))
      case .rateLimited, .blocked: event.latency = before + Int64(hit * 10)
      default: break
      }
      if event.status != .ok { event.compute = -1 }
      if !hasQueue { event.queue = -1 }
    }
    if shape.isBatch { event.firstToken = -1 }
    event.arrival = event.time + event.latency * 100_000
  }
}
