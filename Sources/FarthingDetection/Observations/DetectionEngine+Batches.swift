package import FarthingCore

extension DetectionEngine {
  /// Observes the events of a priced batch.
  ///
  /// - Parameters:
  ///   - accepted: the places of the events to observe, such as those that were no duplicates; nil for all.
  ///   - receivedAt: arrival, Unix nanoseconds.
  /// - Complexity: O(events); about a microsecond each.
  package mutating func observe(
    _ batch: ChargedBatch, receivedAt: Int64, accepted: [Int]? = nil
  ) {
    if let accepted {
      for place in accepted { observe(batch, place, receivedAt) }
    } else {
      for place in batch.decoded.events.indices { observe(batch, place, receivedAt) }
    }
  }

  /// Notes that a site is heard although it has nothing to tell: an agent's heartbeat.
  package mutating func hear(site: String, at time: Int64) {
    var observation = Observation(kind: .heartbeat, time: time, receivedTime: time)
    observation.site = name(.site, site)
    observe(observation)
  }

  private mutating func observe(_ batch: ChargedBatch, _ place: Int, _ receivedAt: Int64) {
    observe(observation(of: batch, place, receivedAt: receivedAt))
  }

  /// What detection sees of one event of a batch.
  package mutating func observation(
    of batch: ChargedBatch, _ place: Int, receivedAt: Int64
  ) -> Observation {
    let event = batch.decoded.events[place]
    switch event.kind {
    case .request: return request(event, batch, place, receivedAt)
    case .outcome:
      var observation = Observation(
        kind: .outcome, time: event.time, receivedTime: receivedAt)
      observation.task = Self.hash(event.range(of: .task), batch)
      observation.succeeded = Self.isSuccess(event.range(of: .outcome), batch)
      return observation
    case .capacity: return capacity(event, batch, receivedAt)
    }
  }

  private mutating func request(
    _ event: DecodedEvent, _ batch: ChargedBatch, _ place: Int, _ receivedAt: Int64
  ) -> Observation {
    let end = Observation.end(
      start: event.time, latencyMs: event.real(.latencyMs), receivedAt: receivedAt)
    var observation = Observation(kind: .request, time: end, receivedTime: receivedAt)
    observation.tenant = name(.tenant, event.range(of: .tenant), batch)
    if let range = event.range(of: .identity) {
      let bytes = batch.decoded.bytes.span.extracting(
        Int(range.offset)..<Int(range.offset) + Int(range.length))
      observation.identity = identity(bytes, tenant: observation.tenant, time: end)
    }
    observation.workload = name(.workload, event.range(of: .workload), batch)
    observation.endpoint = name(.endpoint, event.range(of: .endpoint), batch)
    observation.model = name(.model, event.range(of: .model), batch)
    observation.provider = name(.provider, event.range(of: .provider), batch)
    observation.site = name(.site, event.range(of: .site), batch)
    observation.fallbackFrom = name(.model, event.range(of: .fallbackFrom), batch)
    observation.status = Self.status(event.range(of: .status), batch)
    observation.attempt = event.integer(.attempt) ?? 1
    observation.inputTokens = event.integer(.inputTokens) ?? -1
    observation.cachedInputTokens = event.integer(.cachedInputTokens) ?? 0
    observation.outputTokens = event.integer(.outputTokens) ?? -1
    observation.reasoningTokens = event.integer(.reasoningTokens) ?? 0
    charge(&observation, event, batch, batch.charges[place])
    if let latency = event.real(.latencyMs) {
      observation.latency = Int64(min(latency, 1e12) * 1000)
    }
    if let compute = event.real(.computeMs) {
      observation.compute = Int64(min(compute, 1e9) * 1000)
    }
    observation.task = Self.hash(event.range(of: .task), batch)
    observation.promptHash = Self.hash(event.range(of: .promptHash), batch)
    if let range = event.range(of: .outcome) {
      observation.succeeded = Self.isSuccess(range, batch)
    }
    if let range = event.range(of: .id) { observation.id = batch.decoded.string(range) }
    if let range = event.range(of: .task) { observation.taskText = batch.decoded.string(range) }
    return observation
  }

  private mutating func charge(
    _ observation: inout Observation, _ event: DecodedEvent, _ batch: ChargedBatch,
    _ charge: Charge
  ) {
    guard charge.state != .unpriced else { return }
    let isKnown = charge.price >= 0 && Int(charge.price) < batch.prices.count
    self.charge(
      &observation, serviceTier: Self.hash(event.range(of: .serviceTier), batch),
      isBatch: event.integer(.batch) == 1, isKnown ? batch.prices[Int(charge.price)] : nil, charge
    ) {
      TokenUsage(event: event, in: batch.decoded.bytes.span)
    }
  }

  private mutating func capacity(
    _ event: DecodedEvent, _ batch: ChargedBatch, _ receivedAt: Int64
  ) -> Observation {
    var observation = Observation(
      kind: .capacity, time: event.time, receivedTime: receivedAt)
    observation.site = name(.site, event.range(of: .site), batch)
    observation.model = name(.model, event.range(of: .model), batch)
    observation.pool = name(.pool, event.range(of: .pool), batch)
    observation.setCapacity(
      until: event.until, accelerators: event.integer(.accelerators) ?? 0,
      rate: event.money(.usdPerAcceleratorHour) ?? 0)
    return observation
  }

  private mutating func name(
    _ dimension: ObservedDimension, _ range: ByteRange?, _ batch: ChargedBatch
  ) -> ObservedName {
    guard let range else { return .absent }
    let bytes = batch.decoded.bytes.span.extracting(
      Int(range.offset)..<Int(range.offset) + Int(range.length))
    return name(dimension, bytes)
  }

  private static func hash(_ range: ByteRange?, _ batch: ChargedBatch) -> UInt64 {
    guard let range, range.length > 0 else { return 0 }
    let bytes = batch.decoded.bytes.span.extracting(
      Int(range.offset)..<Int(range.offset) + Int(range.length))
    return StableHash.of(bytes)
  }

  private static func isSuccess(_ range: ByteRange?, _ batch: ChargedBatch) -> Bool {
    guard let range else { return false }
    return batch.decoded.bytes[Int(range.offset)] == UInt8(ascii: "s")
  }

  private static func status(_ range: ByteRange?, _ batch: ChargedBatch) -> Observation.Status {
    guard let range else { return .ok }
    return Observation.Status(name: batch.decoded.string(range)) ?? .ok
  }
}

extension Observation.Status {
  /// The status that the contract writes so.
  package init?(name: String) {
    switch name {
    case "ok": self = .ok
    case "error": self = .error
    case "timeout": self = .timeout
    case "rate_limited": self = .rateLimited
    case "blocked": self = .blocked
    case "cancelled": self = .cancelled
    default: return nil
    }
  }
}
