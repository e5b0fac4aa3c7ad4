internal import FarthingCore
internal import FarthingDetection
internal import Testing

@Suite struct `A price that changes` {
  private let hour = ObservedFleet.hour

  /// Dollars a million tokens, in or out.
  private func price(_ key: String, dollars: Int64, from start: Int64 = .min) throws
    -> ResolvedPrice
  {
    let rate = try #require(Rate(mantissa: UInt128(dollars), scale: 6))
    var rates = [Rate?](repeating: nil, count: PricePart.tokenPartCount)
    rates[Int(PricePart.input.rawValue)] = rate
    rates[Int(PricePart.output.rawValue)] = rate
    return ResolvedPrice(key: key, validFrom: start, bands: [PriceBand(above: -1, rates: rates)])
  }

  /// Forty hours, charged by what `inForce` says of each time.
  private func told(
    _ settings: DetectionSettings = DetectionSettings(), inForce: (Int64) -> ResolvedPrice
  ) -> ToldIncidents {
    var engine = DetectionEngine(settings: settings)
    var fleet = ObservedFleet()
    var events = fleet.ordinary(&engine, from: ObservedFleet.start, hours: 40)
    for place in events.indices {
      let usage = TokenUsage(
        inputTokens: events[place].inputTokens, outputTokens: events[place].outputTokens)
      let price = inForce(events[place].time)
      engine.charge(
        &events[place], serviceTier: 0, isBatch: false, price, price.charge(usage, price: 0)
      ) { usage }
    }
    return engine.replay(events)
  }

  @Test func `on a day that the book knew beforehand raises nothing, however large it is`() throws {
    let change = ObservedFleet.start + 32 * hour
    let old = try price("list/a", dollars: 3)
    let new = try price("list/b", dollars: 15, from: change)
    #expect(told { $0 < change ? old : new }.incidents.isEmpty)
    let cheaper = try price("list/c", dollars: 1, from: change)
    #expect(told { $0 < change ? old : cheaper }.incidents.isEmpty)
  }

  @Test func `that the book learned of late is told once, as what it is`() throws {
    let start = ObservedFleet.start + 28 * hour
    let learned = ObservedFleet.start + 32 * hour
    let old = try price("list/a", dollars: 3)
    let new = try price("list/b", dollars: 6, from: start)
    let found = told { $0 < learned ? old : new }
    #expect(found.kinds == [.priceChange])
    let incident = try #require(found.first)
    #expect(incident.dimensions == [DimensionValue(dimension: "model", value: "model")])
    #expect(incident.startedAt >= learned)
    #expect(incident.startedAt < learned + hour)
    let (expected, actual) = (try #require(incident.expected), try #require(incident.actual))
    #expect(abs(actual / expected - 2) < 0.01)
    // A list without dates replaces another.
    let undated = try price("list/c", dollars: 6)
    #expect(told { $0 < learned ? old : undated }.kinds == [.priceChange])
    // Less money is no alert.
    let cheaper = try price("list/d", dollars: 1)
    #expect(told { $0 < learned ? old : cheaper }.incidents.isEmpty)
  }

  @Test func `that was announced in a calendar raises nothing`() throws {
    let learned = ObservedFleet.start + 32 * hour
    let (old, new) = (try price("a", dollars: 3), try price("b", dollars: 6))
    var settings = DetectionSettings()
    settings.calendar = [
      AnnouncedEvent(
        start: learned - hour, end: learned + 20 * hour, factor: 2, reason: "new contract",
        dimensions: [DimensionValue(dimension: "model", value: "model")])
    ]
    #expect(told(settings) { $0 < learned ? old : new }.incidents.isEmpty)
  }

  @Test func `hides no attack after it`() throws {
    let change = ObservedFleet.start + 32 * hour
    let old = try price("list/a", dollars: 3)
    let new = try price("list/b", dollars: 9, from: change)
    let attack = ObservedFleet.start + 36 * hour
    var engine = DetectionEngine(settings: DetectionSettings())
    var fleet = ObservedFleet()
    var events = fleet.ordinary(&engine, from: ObservedFleet.start, hours: 38)
    for step in 0..<240 {
      var call = fleet.request(
        &engine, identity: "caller-1", time: attack + Int64(step) * 15 * ObservedFleet.second,
        cost: 0, number: 100_000 + step)
      call.inputTokens = 60_000
      events.append(call)
    }
    events.sort { ($0.time, $0.id) < ($1.time, $1.id) }
    for place in events.indices {
      let usage = TokenUsage(
        inputTokens: events[place].inputTokens, outputTokens: events[place].outputTokens)
      let price = events[place].time < change ? old : new
      engine.charge(
        &events[place], serviceTier: 0, isBatch: false, price, price.charge(usage, price: 0)
      ) { usage }
    }
    let found = engine.replay(events)
    let told = try #require(found.first)
    #expect(told.startedAt >= attack - hour / 6)
    #expect(told.detectedAt < attack + hour / 2)
    // In dollars as charged: 240 calls of 60,000 tokens at $9 a million are $130.
    #expect(
      (found.incidents.values.compactMap { $0.excess?.rawValue }.max() ?? 0) > 90_000_000_000_000)
  }
}
