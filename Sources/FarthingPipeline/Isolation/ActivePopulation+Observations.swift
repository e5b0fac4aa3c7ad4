internal import FarthingCore
internal import FarthingDetection

extension ActivePopulation {
  /// Takes an event as detection sees it.
  ///
  /// - Complexity: O(1).
  mutating func observe(_ observation: Observation, _ engine: DetectionEngine) {
    newest = max(newest, observation.time)
    let call = Call(
      time: observation.time, now: observation.time, isGood: observation.status == .ok,
      isPassed: observation.status != .blocked && observation.status != .rateLimited,
      cost: observation.isPriced ? observation.cost : 0)
    func note(
      _ dimension: IsolationTarget.Dimension, _ observed: ObservedDimension, _ name: ObservedName
    ) -> Int? {
      guard name != .absent, name != .others else { return nil }
      return self.note(dimension, hash: engine.hash(of: name, in: observed), call) {
        engine.text(of: name, in: observed)
      }
    }
    _ = note(.model, .model, observation.model)
    if let identity = note(.identity, .identity, observation.identity) {
      let tenant = engine.hash(of: observation.tenant, in: .tenant)
      set(tenant: tenant, ofIdentity: identity) {
        engine.text(of: observation.tenant, in: .tenant)
      }
    }
    if let endpoint = note(.endpoint, .endpoint, observation.endpoint),
      observation.model != .absent
    {
      add(model: engine.hash(of: observation.model, in: .model), toEndpoint: endpoint)
    }
    _ = note(.site, .site, observation.site)
    prune(every: window / 4)
  }
}
