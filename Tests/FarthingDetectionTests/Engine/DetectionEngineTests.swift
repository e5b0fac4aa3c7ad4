internal import FarthingCore
internal import FarthingDetection
internal import Testing

@Suite struct `The fleet detector` {
  private let hour = ObservedFleet.hour
  private let second = ObservedFleet.second

  /// An engine that has seen two ordinary days, and the fleet that made them.
  private func trained(_ settings: DetectionSettings = DetectionSettings()) -> (
    engine: DetectionEngine, fleet: ObservedFleet, now: Int64
  ) {
    var engine = DetectionEngine(settings: settings)
    var fleet = ObservedFleet()
    let events = fleet.ordinary(&engine, from: ObservedFleet.start, hours: 48)
    let told = engine.replay(events)
    #expect(told.incidents.isEmpty)
    return (engine, fleet, ObservedFleet.start + 48 * hour)
  }

  @Test func `a known identity at fifty times its rate is told within fifteen seconds of arrival`()
  {
    var (engine, fleet, now) = trained()
    // 1.5 cents a minute usually; a dollar and more each ten seconds now.
    var told = ToldIncidents()
    var foundAt: Int64?
    for step in 0..<40 {
      let time = now + 60 * second + Int64(step) * second / 2
      engine.observe(
        fleet.request(
          &engine, identity: "caller-1", time: time, cost: 150_000_000_000, number: step))
      // The watermark does not move: nothing of the attack is closed yet.
      told.note(engine.advance(to: now))
      if foundAt == nil, told.first != nil { foundAt = time - (now + 60 * second) }
    }
    #expect(told.kinds == [.denialOfWallet])
    #expect(foundAt.map { $0 <= 15 * second } == true)
    #expect(
      told.first?.dimensions.first == DimensionValue(dimension: "identity", value: "caller-1"))
    #expect(told.first?.isContainable == true)
  }

  @Test func `a new identity above ten dollars a minute is told within fifteen seconds of arrival`()
  {
    var (engine, fleet, now) = trained()
    var told = ToldIncidents()
    var foundAt: Int64?
    for step in 0..<30 {
      let time = now + 120 * second + Int64(step) * second
      engine.observe(
        fleet.request(
          &engine, identity: "stolen", time: time, cost: 180_000_000_000, number: step))
      told.note(engine.advance(to: now + 60 * second))
      if foundAt == nil, told.first != nil { foundAt = time - now - 120 * second }
    }
    #expect(told.kinds == [.newIdentitySpend])
    #expect(foundAt.map { $0 <= 15 * second } == true)
    #expect(told.first?.dimensions.first == DimensionValue(dimension: "identity", value: "stolen"))
  }

  /// Two days, then four hours of which two have an attack on one identity and failing calls of a workload.
  private func eventful(_ engine: inout DetectionEngine) -> [Observation] {
    var fleet = ObservedFleet()
    var events = fleet.ordinary(&engine, from: ObservedFleet.start, hours: 54)
    for step in 0..<480 {
      let time = ObservedFleet.start + 49 * hour + Int64(step) * 15 * second
      events.append(
        fleet.request(
          &engine, identity: "caller-2", time: time, cost: 40_000_000_000, number: 100_000 + step))
      events.append(
        fleet.request(
          &engine, identity: "caller-0", workload: "batch", time: time + second,
          cost: 2_000_000_000, status: step % 3 == 0 ? .ok : .error, attempt: 1 + Int64(step % 3),
          number: 200_000 + step))
    }
    return events.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
  }

  @Test func `restarts at random points change no incident`() {
    var whole = DetectionEngine(settings: DetectionSettings())
    let events = eventful(&whole)
    let expected = whole.replay(events)
    #expect(!expected.incidents.isEmpty)
    var random = ObservedFleet()
    for _ in 0..<3 {
      var engine = DetectionEngine(settings: DetectionSettings())
      _ = eventful(&engine)
      var told = ToldIncidents()
      var newest = Int64.min
      var cut = Int(random.random() % 4000)
      for (place, event) in events.enumerated() {
        newest = max(newest, event.time)
        engine.observe(event)
        told.note(engine.advance(to: newest - 20 * second))
        if place == cut {
          guard
            let restored = DetectionEngine(
              snapshot: engine.snapshot(), settings: DetectionSettings())
          else {
            Issue.record("a snapshot was refused")
            return
          }
          engine = restored
          cut += 1 + Int(random.random() % 6000)
        }
      }
      told.note(engine.advance(to: newest + 60 * second))
      #expect(told == expected)
    }
  }

  @Test func `an order shuffled within the watermark changes no incident`() {
    var first = DetectionEngine(settings: DetectionSettings())
    let events = eventful(&first)
    let expected = first.replay(events)
    var random = ObservedFleet()
    var second = DetectionEngine(settings: DetectionSettings())
    _ = eventful(&second)
    // Each event may come up to 15 seconds late; the watermark is 20 seconds behind.
    let shuffled =
      events
      .map { ($0.time + Int64(random.random() % 15) * self.second, $0) }
      .sorted { ($0.0, $0.1.id) < ($1.0, $1.1.id) }
      .map(\.1)
    let told = second.replay(shuffled)
    #expect(Set(told.incidents.keys) == Set(expected.incidents.keys))
    #expect(
      told.kinds.sorted { $0.rawValue < $1.rawValue }
        == expected.kinds.sorted { $0.rawValue < $1.rawValue })
  }

  @Test func `a cache that stopped hitting names its workload`() {
    var (engine, fleet, now) = trained()
    // Uncached input makes each call dearer.
    let events = fleet.ordinary(
      &engine, from: now, hours: 5, cost: 12_000_000_000, share: 0.05)
    let told = engine.replay(events)
    #expect(told.kinds.contains(.cacheCollapse))
    let incident = told.incidents.values.first { $0.kind == .cacheCollapse }
    #expect(incident?.dimensions.first == DimensionValue(dimension: "workload", value: "chat"))
    #expect((incident?.excess?.rawValue ?? 0) > 0)
  }

  @Test func `failing and repeated calls are one storm`() {
    var (engine, fleet, now) = trained()
    var events: [Observation] = []
    for step in 0..<600 {
      events.append(
        fleet.request(
          &engine, identity: "caller-\(step % 3)", time: now + Int64(step) * 5 * second,
          cost: 5_000_000_000, status: step % 4 == 3 ? .ok : .error,
          attempt: 1 + Int64(step % 4), number: step))
    }
    let told = engine.replay(events)
    #expect(told.kinds.first == .retryStorm)
    #expect(told.incidents.values.filter { $0.kind == .retryStorm }.count == 1)
  }

  @Test func `what was announced raises nothing`() {
    var settings = DetectionSettings()
    let now = ObservedFleet.start + 48 * hour
    settings.calendar = [
      AnnouncedEvent(
        start: now, end: now + 4 * hour, factor: 8, reason: "launch",
        dimensions: [DimensionValue(dimension: "workload", value: "chat")])
    ]
    var (engine, fleet, _) = trained(settings)
    var events: [Observation] = []
    for step in 0..<2400 {
      events.append(
        fleet.request(
          &engine, identity: "caller-\(step % 3)", time: now + Int64(step) * 2 * second,
          cost: 5_000_000_000, number: step))
    }
    #expect(engine.replay(events).incidents.isEmpty)
    // The same without the announcement is told.
    var (plain, other, _) = trained()
    var again: [Observation] = []
    for step in 0..<2400 {
      again.append(
        other.request(
          &plain, identity: "caller-\(step % 3)", time: now + Int64(step) * 2 * second,
          cost: 5_000_000_000, number: step))
    }
    #expect(!plain.replay(again).incidents.isEmpty)
  }

  @Test func `a gap of telemetry raises nothing, neither while it lasts nor at its end`() {
    var (engine, fleet, now) = trained()
    let events = fleet.ordinary(&engine, from: now + 6 * hour, hours: 6)
    #expect(engine.replay(events).incidents.isEmpty)
  }

  @Test func `an event behind the watermark changes nothing but a counter`() {
    var (engine, fleet, now) = trained()
    let before = engine.snapshot()
    engine.observe(
      fleet.request(
        &engine, identity: "caller-1", time: now - 2 * hour, cost: 5_000_000_000, number: 1))
    #expect(engine.lateCount == 1)
    #expect(engine.advance(to: now).isEmpty)
    #expect(!before.isEmpty)
  }

  @Test func `a flood of new identities is watched as one`() {
    var settings = DetectionSettings()
    settings.maximumNewIdentities = 50
    var (engine, fleet, now) = trained(settings)
    var events: [Observation] = []
    for step in 0..<2000 {
      events.append(
        fleet.request(
          &engine, identity: "flood-\(step)", time: now + Int64(step) * second,
          cost: 5_000_000_000, number: step))
    }
    let told = engine.replay(events)
    let names = told.incidents.values.flatMap(\.dimensions).map(\.value)
    #expect(
      names.contains("other new identity") || names.contains("chat") || names.contains("tenant"))
    #expect(told.incidents.count < 10)
  }

  @Test func `a damaged snapshot is refused and nothing traps`() {
    let (engine, _, _) = trained()
    let bytes = engine.snapshot()
    #expect(DetectionEngine(snapshot: bytes, settings: DetectionSettings()) != nil)
    #expect(DetectionEngine(snapshot: [], settings: DetectionSettings()) == nil)
    for length in stride(from: 1, to: bytes.count, by: max(1, bytes.count / 40)) {
      #expect(
        DetectionEngine(snapshot: Array(bytes.prefix(length)), settings: DetectionSettings()) == nil
      )
    }
  }
}
