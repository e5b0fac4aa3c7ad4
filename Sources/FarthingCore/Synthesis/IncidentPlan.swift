// From incident specifications to what they add to a fleet's streams and do to its requests.

extension IncidentEffects {
  /// Finds each specification's targets, and adds the streams and clients that it brings in.
  ///
  /// - Throws: ``SynthesisError`` naming every incident that matches nothing and what would match.
  static func plan(
    _ options: SynthesisOptions, fleet: inout Fleet, streams: inout [TaskStream]
  ) throws(SynthesisError) -> IncidentEffects {
    var effects = IncidentEffects(clients: fleet.clients.count)
    var faults: [String] = []
    for specification in options.incidents {
      do throws(SynthesisError) {
        try effects.add(specification, options, fleet: &fleet, streams: &streams)
      } catch {
        faults.append(error.message)
      }
    }
    if !faults.isEmpty { throw SynthesisError(message: faults.joined(separator: "; ")) }
    return effects
  }

  private mutating func add(
    _ specification: IncidentSpecification, _ options: SynthesisOptions, fleet: inout Fleet,
    streams: inout [TaskStream]
  ) throws(SynthesisError) {
    let matching = try Self.matchingClients(specification, fleet)
    var incident = ActiveIncident(
      specification: specification,
      dimensions: IncidentSpecification.targetNames.compactMap { name in
        specification.targets[name].map { (name, $0) }
      })
    try Self.resolvePlaces(&incident, fleet)
    let busiest = matching.max { fleet.clients[$0].rate < fleet.clients[$1].rate } ?? 0
    switch specification.kind {
    case .spendSpike, .announcedLaunch, .nightlyBatch:
      addTraffic(of: matching, &streams, incident, fleet)
      add(incident, touching: [])
    case .denialOfWallet, .repeatedPrompt, .runawayTask:
      let chosen = specification.kind == .runawayTask ? Self.agent(matching, fleet) : busiest
      name(&incident, client: chosen, fleet)
      addTraffic(of: [chosen], &streams, incident, fleet)
      add(incident, touching: [])
    case .newIdentitySpend:
      let identity = specification.replacement ?? Self.stolenKeyName(incidents.count)
      var thief = fleet.clients[busiest]
      thief.identity = identity
      thief.burstiness = 1.3
      let rates = fleet.clients.reduce(0) { $0 + $1.rate }
      thief.rate = rates / Double(fleet.clients.count)
      fleet.clients.append(thief)
      addClient()
      incident.dimensions = [("identity", identity)]
      addTraffic(of: [fleet.clients.count - 1], &streams, incident, fleet)
      add(incident, touching: [])
    default:
      add(incident, touching: matching)
    }
  }

  private static func stolenKeyName(_ index: Int) -> String {
    "spiffe://farthing.example/ns/external/sa/export-key-\(index + 1)"
  }

  /// The busiest client whose tasks have steps, else the busiest one.
  private static func agent(_ clients: [Int], _ fleet: Fleet) -> Int {
    func weight(_ client: Int) -> Double {
      let shape = fleet.workloads[fleet.clients[client].workload]
      return fleet.clients[client].rate * (shape.steps.upperBound > 2 ? 1e6 : 1)
    }
    return clients.max { weight($0) < weight($1) } ?? 0
  }

  /// Adds the workload, tenant and identity of the one client that an incident is about.
  private func name(_ incident: inout ActiveIncident, client: Int, _ fleet: Fleet) {
    let identity = fleet.clients[client].identity
    if !incident.dimensions.contains(where: { $0.name == "identity" }) {
      incident.dimensions.append(("identity", identity))
    }
  }

  /// A stream beside the ordinary one of each client, with what the incident adds to its rate.
  private func addTraffic(
    of clients: [Int], _ streams: inout [TaskStream], _ incident: ActiveIncident, _ fleet: Fleet
  ) {
    let specification = incident.specification
    for client in clients {
      let usual = fleet.clients[client]
      var stream = TaskStream(
        client: client,
        key: 0x1C1D_0000_0000 + UInt64(incidents.count) << 20 + UInt64(client),
        rate: usual.rate * (specification.magnitude - 1), burstiness: usual.burstiness,
        season: fleet.workloads[usual.workload].season, from: specification.start,
        until: specification.end, incident: incidents.count, next: specification.start)
      switch specification.kind {
      case .denialOfWallet, .repeatedPrompt, .newIdentitySpend:
        // Whoever attacks, or loops, keeps no office hours.
        stream.season = nil
        stream.burstiness = 1.2
        if specification.kind != .denialOfWallet {
          stream.rate = usual.rate * specification.magnitude
        }
      case .nightlyBatch:
        stream.season = nil
        stream.nightHourOnly = true
        stream.rate = usual.rate * specification.magnitude
      case .runawayTask:
        stream.isSingle = true
      default: break
      }
      streams.append(stream)
    }
  }

  private static func matchingClients(
    _ specification: IncidentSpecification, _ fleet: Fleet
  ) throws(SynthesisError) -> [Int] {
    let values: [(name: String, of: (FleetClient) -> String)] = [
      ("workload", { fleet.workloads[$0.workload].name }),
      ("tenant", { fleet.tenants[$0.tenant] }),
      ("identity", { $0.identity }),
    ]
    var matching = Array(fleet.clients.indices)
    for (name, value) in values {
      guard let wanted = specification.targets[name] else { continue }
      let known = Set(fleet.clients.map(value))
      guard known.contains(wanted) else {
        throw unmatched(specification, name, wanted, known.sorted())
      }
      matching.removeAll { value(fleet.clients[$0]) != wanted }
    }
    guard !matching.isEmpty else {
      let wanted = specification.targets.sorted { $0.key < $1.key }
        .map { "\($0.key) \"\($0.value)\"" }
      throw SynthesisError(
        message: "incident \(specification.kind.rawValue) at "
          + "\(CivilTime.text(specification.start)): no identity of the fleet has "
          + wanted.joined(separator: " and "))
    }
    return matching
  }

  private static func resolvePlaces(
    _ incident: inout ActiveIncident, _ fleet: Fleet
  ) throws(SynthesisError) {
    let specification = incident.specification
    let addsTraffic: Bool
    switch specification.kind {
    case .spendSpike, .announcedLaunch, .nightlyBatch, .denialOfWallet, .repeatedPrompt,
      .runawayTask, .newIdentitySpend:
      addsTraffic = true
    default: addsTraffic = false
    }
    for name in ["site", "model", "endpoint"] where addsTraffic {
      guard specification.targets[name] != nil else { continue }
      throw SynthesisError(
        message: "incident \(specification.kind.rawValue) at \(CivilTime.text(specification.start))"
          + ": \(name) is no target of it; aim at a workload, tenant or identity")
    }
    let sites = fleet.sites.map(\.name)
    let models = fleet.models.map(\.name)
    if let site = specification.targets["site"] {
      incident.site = try place(of: site, "site", among: sites, specification)
    }
    if let model = specification.targets["model"] {
      incident.model = try place(of: model, "model", among: models, specification)
    }
    if let endpoint = specification.targets["endpoint"] {
      let known = Set(
        fleet.models.indices.flatMap { model in
          fleet.sites.indices.map { fleet.endpoint(model: model, site: $0) }
        })
      guard known.contains(endpoint) else {
        throw unmatched(specification, "endpoint", endpoint, known.sorted())
      }
      incident.endpoint = endpoint
    }
    if let model = specification.replacement, specification.kind != .newIdentitySpend {
      incident.replacementModel = try place(of: model, "model", among: models, specification)
    }
  }

  private static func place(
    of wanted: String, _ name: String, among known: [String], _ specification: IncidentSpecification
  ) throws(SynthesisError) -> Int {
    guard let place = known.firstIndex(of: wanted) else {
      throw unmatched(specification, name, wanted, known)
    }
    return place
  }

  private static func unmatched(
    _ specification: IncidentSpecification, _ name: String, _ wanted: String, _ known: [String]
  ) -> SynthesisError {
    SynthesisError(
      message: "incident \(specification.kind.rawValue) at \(CivilTime.text(specification.start)): "
        + IncidentSpecification.unknown(name, wanted, among: known))
  }
}
