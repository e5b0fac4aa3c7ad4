internal import FarthingDetection

/// A small fleet as detection sees it: a few identities that call every half minute, with what may go wrong.
struct ObservedFleet {
  static let start: Int64 = 1_772_409_600_000_000_000
  static let second: Int64 = 1_000_000_000
  static let hour: Int64 = 3600 * second

  /// Seeds the small wander of tokens and times.
  private var state: UInt64 = 7

  mutating func random() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }

  /// One request; cost in picodollars.
  mutating func request(
    _ engine: inout DetectionEngine, identity: String, workload: String = "chat",
    time: Int64, cost: Int64, share: Double = 0.8, status: Observation.Status = .ok,
    attempt: Int64 = 1, number: Int
  ) -> Observation {
    var observation = Observation(kind: .request, time: time, receivedTime: time)
    let tenant = engine.name(.tenant, "tenant")
    observation.identity = engine.identity(Array(identity.utf8).span, tenant: tenant, time: time)
    observation.tenant = tenant
    observation.workload = engine.name(.workload, workload)
    observation.endpoint = engine.name(.endpoint, "endpoint-\(workload)")
    observation.model = engine.name(.model, "model")
    observation.site = engine.name(.site, "fra1")
    observation.status = status
    observation.attempt = attempt
    let input = 2000 + Int64(random() % 400)
    observation.inputTokens = input
    observation.cachedInputTokens = Int64(share * Double(input))
    observation.outputTokens = 200 + Int64(random() % 50)
    observation.isPriced = true
    observation.cost = cost + Int64(random() % 1000) * 1000
    observation.constantCost = observation.cost
    observation.steadyCost = observation.cost
    observation.outputCost = observation.cost / 3
    observation.id = "call-\(number)"
    return observation
  }

  /// Hours of ordinary calls: three identities, a call each every 30 seconds, a cent and a half each minute and
  /// identity.
  mutating func ordinary(
    _ engine: inout DetectionEngine, from: Int64, hours: Double, cost: Int64 = 5_000_000_000,
    workload: String = "chat", share: Double = 0.8
  ) -> [Observation] {
    var made: [Observation] = []
    let steps = Int(hours * 120)
    for step in 0..<steps {
      for caller in 0..<3 {
        let offset = Int64(random() % 20) * Self.second
        made.append(
          request(
            &engine, identity: "caller-\(caller)", workload: workload,
            time: from + Int64(step) * 30 * Self.second + offset, cost: cost, share: share,
            number: made.count))
      }
    }
    return made
  }
}

/// What a consumer of changes knows in the end: the newest value of each incident that fired.
struct ToldIncidents: Equatable {
  private(set) var incidents: [String: Incident] = [:]

  mutating func note(_ changes: [IncidentChange]) {
    for change in changes {
      switch change {
      case .fired(let incident), .updated(let incident), .resolved(let incident):
        incidents[incident.id] = incident
      case .pending, .dropped: break
      }
    }
  }

  var kinds: [AlertKind] {
    incidents.values.sorted { ($0.detectedAt, $0.id) < ($1.detectedAt, $1.id) }.map(\.kind)
  }
  var first: Incident? {
    incidents.values.min { ($0.detectedAt, $0.id) < ($1.detectedAt, $1.id) }
  }
}

extension DetectionEngine {
  /// Observes events in their order with a watermark 20 seconds behind the newest.
  mutating func replay(_ events: [Observation]) -> ToldIncidents {
    var told = ToldIncidents()
    var newest = Int64.min
    for event in events {
      newest = max(newest, event.time)
      observe(event)
      told.note(advance(to: newest - 20 * ObservedFleet.second))
    }
    told.note(advance(to: newest + 60 * ObservedFleet.second))
    return told
  }
}
