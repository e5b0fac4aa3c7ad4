internal import FarthingCore

extension DetectionEngine {
  /// An alarm with its cause: the slice that explains it, what holds it, and its dearest requests.
  func located(_ alarm: Alarm) -> LocatedAlarm {
    let own = SliceName(
      dimension: alarm.key.dimension, name: alarm.key.name,
      text: text(alarm.key.dimension, alarm.key.name))
    var result = LocatedAlarm(
      alarm: alarm, slice: alarm.key.name == .absent ? [] : [own], examples: [], around: [],
      isVolume: true)
    for dimension in [ObservedDimension.workload, .tenant] {
      guard let name = alarm.context?[dimension], name.isSingle else { continue }
      result.around.append(
        SliceName(dimension: dimension, name: name, text: text(dimension, name)))
    }
    guard let measure = alarm.measure else {
      if alarm.key.dimension == .identity { addHome(&result) }
      return result
    }
    let place = Localisation(history, start: alarm.start, now: alarm.detected)
    guard place.hasReference else { return result }
    let isNew = alarm.kind == .newIdentitySpend
    let cause = place.cause(alarm.key.dimension, alarm.key.name, measure)
    result.around += cause.around.map {
      SliceName(dimension: $0.dimension, name: $0.name, text: text($0.dimension, $0.name))
    }
    if !isNew {
      result.slice = cause.dimensions.map {
        SliceName(dimension: $0.dimension, name: $0.name, text: text($0.dimension, $0.name))
      }
      result.explained = cause.explained
    }
    guard let about = result.slice.first else { return result }
    let isPart = { (key: CellKey) in key[about.dimension] == about.name }
    result.examples = place.dearest(isPart)
    classify(&result, place, isPart)
    if about.dimension == .identity { addHome(&result) }
    return result
  }

  /// Adds the one workload and tenant of an identity behind it.
  private func addHome(_ result: inout LocatedAlarm) {
    guard let identity = result.slice.first(where: { $0.dimension == .identity }),
      let home = homes[identity.name.code] ?? result.alarm.context
    else { return }
    for dimension in [ObservedDimension.workload, .tenant] {
      let name = home[dimension]
      guard name.isSingle, !result.slice.contains(where: { $0.dimension == dimension }) else {
        continue
      }
      result.slice.append(
        SliceName(dimension: dimension, name: name, text: text(dimension, name)))
    }
  }

  /// Names what kind of cause moves the money of a slice: number of requests, trouble, or a driver.
  private func classify(
    _ result: inout LocatedAlarm, _ place: Localisation, _ isPart: (CellKey) -> Bool
  ) {
    let (now, past, fallbacks, pastFallbacks) = place.sums(isPart)
    guard now.requests >= 10, past.requests >= 10 else { return }
    let volume =
      Double(now.requests - now.retries) / max(1e-9, Double(past.requests - past.retries))
      / max(place.scale, 1e-9)
    let unit = Self.perRequest(now) / max(1e-15, Self.perRequest(past))
    result.isVolume = volume >= 1.3 && volume >= unit
    switch result.alarm.key.family {
    case .trouble:
      result.alarm.kind = troubleKind(now, past)
      if result.alarm.kind == .errorSurge { result.alarm.metric = "error_rate" }
    case .spend, .traffic:
      guard result.alarm.kind == .spendSpike else { return }
      if result.slice.first?.dimension == .identity,
        (result.alarm.actual ?? 0) > 10 * (result.alarm.expected ?? 0), result.isVolume
      {
        result.alarm.kind = .denialOfWallet
      }
      if let kind = unitKind(now, past, volume, unit, fallbacks, pastFallbacks) {
        result.alarm.kind = kind
        result.isVolume = false
      }
    default: result.isVolume = false
    }
  }

  private static func perRequest(_ sums: CellSums) -> Double {
    estimatedDollars(sums.constantCost) / Double(max(1, sums.charged))
  }

  /// Errors that clients repeat once or twice are an error surge; where most calls are repetitions, it is a
  /// retry storm.
  private func troubleKind(_ now: CellSums, _ past: CellSums) -> AlertKind {
    let retries = Double(now.retries) / Double(max(1, now.requests))
    let pastRetries = Double(past.retries) / Double(max(1, past.requests))
    let failures = Double(now.failures) / Double(max(1, now.requests))
    return retries - pastRetries >= max(0.45, 0.6 * failures) ? .retryStorm : .errorSurge
  }

  /// The cause where a request costs more, rather than that there are more; nil for more requests.
  private func unitKind(
    _ now: CellSums, _ past: CellSums, _ volume: Double, _ unit: Double, _ fallbacks: Int64,
    _ pastFallbacks: Int64
  ) -> AlertKind? {
    let requests = Double(max(1, now.requests))
    let pastRequests = Double(max(1, past.requests))
    let retried = Double(now.retries) / requests - Double(past.retries) / pastRequests
    let back = Double(fallbacks) / requests - Double(pastFallbacks) / pastRequests
    if back > 0.3 { return .fallbackCascade }
    if retried > 0.3 { return .retryStorm }
    guard unit > 1.3, unit > volume else { return nil }
    func ratio(_ value: (CellSums) -> Int64) -> Double {
      let then = Double(value(past)) / Double(max(1, past.measured))
      return Double(value(now)) / Double(max(1, now.measured)) / max(then, 1e-9)
    }
    let inputPart =
      estimatedDollars(past.cost - past.outputCost) / max(1e-12, estimatedDollars(past.cost))
    let outputPart = 1 - inputPart
    let reasoningPart =
      outputPart * Double(past.reasoning) / Double(max(1, past.output))
    let input = (ratio { $0.input } - 1) * inputPart
    let output = (ratio { $0.output - $0.reasoning } - 1) * (outputPart - reasoningPart)
    let reasoning = past.reasoning > 0 ? (ratio { $0.reasoning } - 1) * reasoningPart : 0
    let share = Double(now.cached) / Double(max(1, now.input))
    let pastShare = Double(past.cached) / Double(max(1, past.input))
    let cache = ((1 - 0.9 * share) / (1 - 0.9 * pastShare) - 1) * inputPart
    let effects: [(AlertKind, Double)] = [
      (.promptBloat, input), (.outputBloat, output), (.reasoningCreep, reasoning),
      (.cacheCollapse, cache),
    ]
    guard let best = effects.max(by: { $0.1 < $1.1 }), best.1 > 0.4 * (unit - 1) else {
      return .modelMix
    }
    return best.0
  }
}
