internal import FarthingCore
internal import FarthingDetection
internal import Testing

/// Attacks whose events have odd times.
@Suite struct `The path by arrival` {
  private let hour = ObservedFleet.hour
  private let second = ObservedFleet.second

  private func trained() -> (engine: DetectionEngine, fleet: ObservedFleet, now: Int64) {
    var engine = DetectionEngine(settings: DetectionSettings())
    var fleet = ObservedFleet()
    let events = fleet.ordinary(&engine, from: ObservedFleet.start, hours: 25)
    let told = engine.replay(events)
    #expect(told.incidents.isEmpty)
    return (engine, fleet, ObservedFleet.start + 25 * hour)
  }

  /// A stolen key at a dollar a second, its events as far from their arrival as said.
  private func attack(
    _ engine: inout DetectionEngine, _ fleet: inout ObservedFleet, at now: Int64, behind: Int64,
    seconds: Int = 30
  ) -> ToldIncidents {
    var told = ToldIncidents()
    for step in 0..<seconds {
      let arrival = now + Int64(step) * second
      var event = fleet.request(
        &engine, identity: "stolen", time: arrival - behind, cost: 1_000_000_000_000, number: step)
      event.receivedTime = arrival
      engine.observe(event)
      told.note(engine.advance(to: now))
    }
    return told
  }

  @Test(arguments: [40, 200, -300, -7200])
  func `tells of a stolen key however late or early its events say they are`(behind: Int64) {
    var (engine, fleet, now) = trained()
    let told = attack(&engine, &fleet, at: now, behind: behind * second)
    #expect(told.kinds == [.newIdentitySpend], "\(behind) seconds behind")
    #expect(told.first?.dimensions.first?.value == "stolen")
  }

  @Test func `is not led astray by single events ahead of the others`() {
    var (engine, fleet, now) = trained()
    var told = ToldIncidents()
    for step in 0..<30 {
      let arrival = now + Int64(step) * second
      for ahead in [60 * second, 3600 * second] {
        var odd = fleet.request(
          &engine, identity: "stolen", time: arrival + ahead, cost: 1_000_000, number: step)
        odd.receivedTime = arrival
        engine.observe(odd)
      }
      engine.observe(
        fleet.request(
          &engine, identity: "stolen", time: arrival - 45 * second, cost: 1_000_000_000_000,
          number: step))
      told.note(engine.advance(to: now))
    }
    #expect(told.kinds == [.newIdentitySpend])
  }

  @Test func `does not take an hour that a site sends at once for an attack`() {
    var (engine, fleet, now) = trained()
    var told = ToldIncidents()
    told.note(engine.advance(to: now + 2 * hour))
    for event in fleet.ordinary(&engine, from: now, hours: 1.5) {
      var late = event
      late.receivedTime = now + 2 * hour
      engine.observe(late)
    }
    told.note(engine.advance(to: now + 2 * hour + 60 * second))
    #expect(told.incidents.isEmpty)
  }

  @Test func `clocks that are ahead by hours keep out nobody else`() {
    var (engine, fleet, now) = trained()
    for step in 0..<9000 {
      var event = fleet.request(
        &engine, identity: "caller-1", time: now + 400 * second + Int64(step) * 10 * second,
        cost: 1_000_000, number: step)
      event.receivedTime = now
      engine.observe(event)
    }
    #expect(engine.aheadCount > 8000)
    let told = attack(&engine, &fleet, at: now, behind: 0)
    #expect(told.kinds == [.newIdentitySpend])
  }

  @Test func `no call is over after it was told of`() {
    let start = ObservedFleet.start
    #expect(
      Observation.end(start: start, latencyMs: 3_600_000, receivedAt: start + second) == start
        + second)
    #expect(
      Observation.end(start: start, latencyMs: 500, receivedAt: start + second) == start + second
        / 2)
    #expect(Observation.end(start: start, latencyMs: 500, receivedAt: start - second) == start)
    #expect(Observation.end(start: .max, latencyMs: 500, receivedAt: start) == .max)
  }
}
