// What the incidents of a stream do: which requests they touch, how strongly, and the tally of it.

/// How one request differs from its ordinary self.
struct RequestEffects: Sendable {
  var inputFactor = 1.0
  var outputFactor = 1.0
  var reasoningFactor = 1.0
  var latencyFactor = 1.0
  var successFactor = 1.0
  /// Probability that a prompt-cache hit is none.
  var cacheLoss = 0.0
  /// Mean attempts of each call; 1 for no storm.
  var meanAttempts = 1.0
  var errorShare = 0.0
  /// Probability that the first model fails, and who answers then (−1: the model's own fallback).
  var fallbackShare = 0.0
  var fallbackModel = -1
  var otherModelShare = 0.0
  var otherModel = ModelShape.claudeOpus
  var dropShare = 0.0
  var lostShare = 0.0

  static let none = RequestEffects()
}

/// An incident with its targets found in the fleet.
struct ActiveIncident: Sendable {
  var specification: IncidentSpecification
  /// Its dimensions as the ground truth names them: what was asked, or what was chosen for it.
  var dimensions: [(name: String, value: String)]
  /// Site, model and endpoint targets by place in the fleet; −1 for any.
  var site = -1
  var model = -1
  var endpoint: String?
  var replacementModel = -1
  var changed = 0
  var added = 0
  var lost = 0

  /// How much of the magnitude is in force, 0 outside the incident's span.
  func strength(at time: Int64) -> Double {
    guard time >= specification.start, time < specification.end else { return 0 }
    guard specification.ramp > 0 else { return 1 }
    return min(1, Double(time - specification.start) / Double(specification.ramp))
  }
}

/// All incidents of a stream, found by client.
struct IncidentEffects: Sendable {
  var incidents: [ActiveIncident]
  /// The incidents that may touch each client's requests; most clients have none.
  private(set) var byClient: [[Int]]

  init(clients: Int) {
    incidents = []
    byClient = [[Int]](repeating: [], count: clients)
  }

  mutating func add(_ incident: ActiveIncident, touching clients: [Int]) {
    for client in clients { byClient[client].append(incidents.count) }
    incidents.append(incident)
  }

  /// A further client, which no incident touches.
  mutating func addClient() {
    byClient.append([])
  }

  /// The joint effect on a request of a client, and the tally of who had one.
  mutating func effects(
    client: Int, site: Int, model: Int, time: Int64, fleet: Fleet
  ) -> RequestEffects {
    var effects = RequestEffects.none
    guard !byClient[client].isEmpty else { return effects }
    for index in byClient[client] {
      let strength = incidents[index].strength(at: time)
      guard strength > 0 else { continue }
      let incident = incidents[index]
      guard incident.site < 0 || incident.site == site,
        incident.model < 0 || incident.model == model,
        incident.endpoint == nil || incident.endpoint == fleet.endpoint(model: model, site: site)
      else { continue }
      if effects.apply(incident, strength) { incidents[index].changed += 1 }
    }
    effects.bound()
    return effects
  }

  /// Whether the task of a client that begins now is kept from happening.
  ///
  /// The draw has a key of its own, so that a task that stays is the same as without the incident.
  mutating func dropsTask(client: Int, site: Int, time: Int64, key: UInt64) -> Bool {
    for index in byClient[client] where incidents[index].specification.kind == .spendDrop {
      let incident = incidents[index]
      guard incident.site < 0 || incident.site == site else { continue }
      var random = KeyedRandom(key, 0xD0_0D, UInt64(index))
      if random.chance(incident.specification.magnitude * incident.strength(at: time)) {
        incidents[index].lost += 1
        return true
      }
    }
    return false
  }

  /// Whether an event of a client is lost on its way.
  mutating func losesEvent(client: Int, site: Int, model: Int, arrival: Int64, key: UInt64) -> Bool
  {
    for index in byClient[client] where incidents[index].specification.kind == .telemetryGap {
      let incident = incidents[index]
      guard incident.site < 0 || incident.site == site,
        incident.model < 0 || incident.model == model
      else { continue }
      var random = KeyedRandom(key, 0x6A_90, UInt64(index))
      if random.chance(incident.specification.magnitude * incident.strength(at: arrival)) {
        incidents[index].lost += 1
        return true
      }
    }
    return false
  }
}

extension RequestEffects {
  /// Keeps what several incidents multiply up within the limit of one, so that no count overflows.
  fileprivate mutating func bound() {
    let limit = 10_000.0
    inputFactor = min(inputFactor, limit)
    outputFactor = min(outputFactor, limit)
    reasoningFactor = min(reasoningFactor, limit)
    latencyFactor = min(latencyFactor, limit)
  }

  /// Adds one incident's effect.
  ///
  /// - Returns: false for the kinds that work by adding or losing traffic.
  fileprivate mutating func apply(_ incident: ActiveIncident, _ strength: Double) -> Bool {
    let magnitude = incident.specification.magnitude
    let factor = 1 + (magnitude - 1) * strength
    let share = magnitude * strength
    switch incident.specification.kind {
    case .promptBloat: inputFactor *= factor
    case .outputBloat: outputFactor *= factor
    case .reasoningCreep: reasoningFactor *= factor
    case .latencySurge: latencyFactor *= factor
    case .unitCostDrift:
      inputFactor *= factor
      outputFactor *= factor
    case .quietReliability: successFactor *= 1 - share
    case .cacheCollapse: cacheLoss = max(cacheLoss, share)
    case .retryStorm: meanAttempts = max(meanAttempts, factor)
    case .errorSurge: errorShare = max(errorShare, share)
    case .fallbackCascade:
      fallbackShare = max(fallbackShare, share)
      fallbackModel = incident.replacementModel
    case .modelMix:
      otherModelShare = max(otherModelShare, share)
      if incident.replacementModel >= 0 { otherModel = incident.replacementModel }
    case .denialOfWallet, .newIdentitySpend, .spendSpike, .spendDrop, .runawayTask,
      .repeatedPrompt, .announcedLaunch, .nightlyBatch, .telemetryGap:
      return false
    }
    return true
  }
}
