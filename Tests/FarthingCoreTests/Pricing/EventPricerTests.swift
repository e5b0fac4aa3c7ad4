import FarthingTestSupport
import Testing

@testable import FarthingCore

/// A list that knows some models, a dear price from a date on, and a tenant's own.
private struct StubList: PriceSource {
  let list = PriceListIdentity(
    id: "stub#1", name: "stub", format: "yaml", from: nil, importedAt: nil)
  var hasTenantCards: Bool { true }

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    guard request.model.hasPrefix("known") else { return nil }
    period.narrow(at: 1_000, around: request.time)
    var text = request.time < 1_000 ? "0.000001" : "0.000002"
    var entry = "\(request.model) \(request.provider ?? "") \(text)"
    if request.tenant == "acme" { (text, entry) = ("0.0000005", entry + " for acme") }
    let table = RateTable([.input: RateSchedule(base: Rate(decimal: text))])
    return PriceMatch(
      card: RateCard(
        entry: entry, standard: table, tiers: ["priority": table], batch: nil,
        missingBatch: .half, units: [UnitPrice(name: "image", rate: Rate(decimal: "0.04") ?? .zero)]
      ))
  }

  func cards() -> [RateCard] { [] }
}

/// A batch of requests made field by field.
private struct BatchBuilder {
  var batch = DecodedBatch()

  mutating func place(_ text: String) -> ByteRange {
    let range = ByteRange(offset: UInt32(batch.bytes.count), length: UInt32(text.utf8.count))
    batch.bytes += Array(text.utf8)
    return range
  }

  mutating func add(
    model: String?, time: Int64 = 0, input: Int64? = 1_000_000, texts: [TextField: String] = [:],
    isBatch: Bool = false, units: [(String, Int64)] = []
  ) {
    var event = DecodedEvent()
    event.time = time
    if let model { event.set(.model, place(model)) }
    for (field, text) in texts { event.set(field, place(text)) }
    if let input { event.set(.inputTokens, input) }
    if isBatch { event.set(.batch, 1) }
    let start = batch.entries.count
    for (name, count) in units {
      batch.entries.append(NamedEntry(name: place(name), count: count))
    }
    event.units = start..<batch.entries.count
    batch.events.append(event)
  }

  func costs(_ pricer: inout EventPricer) -> [String] {
    pricer.charge(batch, source: "test").charges.map {
      $0.state == .unpriced ? "unpriced" : Picodollars($0.cost).decimalText
    }
  }
}

struct `The event pricer` {
  private let book = PriceBook(sources: [StubList()])

  @Test func `events are priced by model, time, tenant, tier and batch`() {
    var builder = BatchBuilder()
    builder.add(model: "known-1")
    builder.add(model: "known-1", time: 1_000)
    builder.add(model: "known-1", texts: [.tenant: "acme"])
    builder.add(model: "known-1", texts: [.serviceTier: "priority"])
    builder.add(model: "known-1", isBatch: true)
    builder.add(model: "known-1", texts: [.serviceTier: "batch"])
    builder.add(model: "unknown")
    builder.add(model: nil)
    var pricer = EventPricer(book: book)
    let expected = ["1", "2", "0.5", "1", "0.5", "0.5", "unpriced", "unpriced"]
    #expect(builder.costs(&pricer) == expected)
    // The second time everything comes from the cache.
    #expect(builder.costs(&pricer) == expected)
    #expect(Set(pricer.prices.map(\.key)).count == pricer.prices.count)
  }

  @Test func `the charge names the price in force, and none where there is none`() {
    var builder = BatchBuilder()
    builder.add(model: "known-1", texts: [.usage: "missing"])
    builder.add(model: "unknown")
    builder.add(model: "unknown", texts: [.responseCache: "hit"])
    builder.add(model: "known-1", texts: [.responseCache: "miss"])
    var pricer = EventPricer(book: book)
    let charged = pricer.charge(builder.batch, source: "test")
    #expect(charged.charges.map(\.price) == [0, -1, -1, 0])
    #expect(charged.charges.map(\.state) == [.unpriced, .unpriced, .priced, .priced])
    #expect(charged.prices.map(\.key) == ["stub#1/known-1  0.000001"])
    #expect(charged.source == "test")
  }

  @Test func `units without tokens are priced where the price names them`() {
    var builder = BatchBuilder()
    builder.add(model: "known-1", input: nil, units: [("image", 3)])
    builder.add(model: "known-1", input: nil, units: [("other", 3)])
    builder.add(model: "known-1", input: 1_000_000, units: [("other", 3), ("images", 1)])
    builder.add(model: "known-1", input: nil)
    var pricer = EventPricer(book: book)
    #expect(builder.costs(&pricer) == ["0.12", "unpriced", "1.04", "unpriced"])
  }

  @Test func `many models in any order cost what they cost alone`() {
    var builder = BatchBuilder()
    var random = SplitMix(seed: 11)
    var expected: [String] = []
    for _ in 0..<5_000 {
      let number = Int.random(in: 0..<900, using: &random)
      let isKnown = number % 3 != 0
      let time: Int64 = number % 2 == 0 ? 5 : 2_000
      builder.add(
        model: (isKnown ? "known-" : "other-") + "\(number)", time: time,
        texts: [.provider: "p\(number % 7)"])
      expected.append(isKnown ? (time < 1_000 ? "1" : "2") : "unpriced")
    }
    var pricer = EventPricer(book: book)
    #expect(builder.costs(&pricer) == expected)
    #expect(builder.costs(&pricer) == expected)
  }

  @Test func `the way for common cards and the general one charge the same`() throws {
    var random = SplitMix(seed: 12)
    let parts = PricePart.allCases.dropLast()
    let cards = (0..<40).map { (number) in
      var table = RateTable()
      for part in parts where part == .input && number % 5 != 0 || Bool.random(using: &random) {
        let digits = UInt128(Int.random(in: 0..<1_000_000, using: &random))
        let isFine = number % 8 == 7
        table[part] = RateSchedule(base: Rate(mantissa: digits, scale: isFine ? 15 : 12))
      }
      return RateCard(
        entry: "\(number)", standard: table,
        requestFee: number % 9 == 8 ? Rate(mantissa: 2, scale: 3) ?? .zero : .zero,
        isApproximate: number % 6 == 5)
    }
    let book = PriceBook(sources: [CardsByNumber(cardsByNumber: cards)])
    var builder = BatchBuilder()
    for number in 0..<4_000 {
      func count(_ limit: Int64) -> Int64 { Int64.random(in: 0...limit, using: &random) }
      let whole = number % 10 == 0 ? 1 << 53 : count(1_000_000)
      let cached = count(whole)
      let written = count(whole - cached)
      let output = number % 11 == 0 ? 1 << 53 : count(1_000_000)
      var texts: [TextField: String] = [:]
      if number % 13 == 0 { texts[.usage] = ["missing", "estimated", "reported"][number % 3] }
      if number % 17 == 0 { texts[.responseCache] = "hit" }
      builder.add(model: "\(number % 40)", input: number % 19 == 0 ? nil : whole, texts: texts)
      let last = builder.batch.events.count - 1
      guard number % 19 != 0 else { continue }
      builder.batch.events[last].set(.cachedInputTokens, cached)
      builder.batch.events[last].set(.cacheWriteTokens, written)
      builder.batch.events[last].set(.cacheWrite1hTokens, count(whole - cached - written))
      builder.batch.events[last].set(.outputTokens, output)
      builder.batch.events[last].set(.reasoningTokens, count(output))
      if number % 7 == 0 { builder.batch.events[last].set(.inputAudioTokens, count(whole)) }
    }
    var pricer = EventPricer(book: book)
    let charges = pricer.charges(of: builder.batch)
    for (index, charge) in charges.enumerated() {
      let usage = TokenUsage(event: builder.batch.events[index], in: builder.batch.bytes.span)
      let price = try #require(charge.price >= 0 ? pricer.prices[Int(charge.price)] : nil)
      #expect(charge == price.charge(usage, price: charge.price))
    }
  }
}

/// A list whose models are named by their number.
private struct CardsByNumber: PriceSource {
  let list = PriceListIdentity(
    id: "numbers#1", name: "numbers", format: "yaml", from: nil, importedAt: nil)
  let cardsByNumber: [RateCard]

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    Int(request.model).map { PriceMatch(card: cardsByNumber[$0]) }
  }

  func cards() -> [RateCard] { cardsByNumber }
}
