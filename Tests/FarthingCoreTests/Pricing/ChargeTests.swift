import FarthingTestSupport
import Testing

@testable import FarthingCore

/// A price with the given texts of US dollars a token, one band.
private func price(
  _ rates: [PricePart: String], units: [UnitPrice] = [], fee: String = "0",
  approximate: Bool = false
) -> ResolvedPrice {
  ResolvedPrice(
    key: "test", isApproximate: approximate,
    bands: [PriceBand(above: -1, rates: table(rates))], units: units,
    requestFee: Rate(decimal: fee) ?? .zero)
}

private func table(_ rates: [PricePart: String]) -> [Rate?] {
  PricePart.allCases.dropLast().map { rates[$0].flatMap { Rate(decimal: $0) } }
}

private func unitIndex(_ name: String, in price: ResolvedPrice) -> Int? {
  let bytes = Array(name.utf8)
  return price.unitIndex(named: bytes.span)
}

private func read(_ bytes: [UInt8]) -> ResolvedPrice? { ResolvedPrice.deserialised(bytes.span) }

private func dollars(_ text: String) -> Int128 { Picodollars(decimal: text)?.rawValue ?? -1 }

struct `What is charged` {
  @Test func `each part with a price of its own is charged at it, the rest as its parent`() {
    let price = price([
      .input: "0.000003", .cachedInput: "0.0000003", .cacheWrite: "0.00000375", .output: "0.000015",
    ])
    let usage = TokenUsage(
      inputTokens: 1000, cachedInputTokens: 600, cacheWriteTokens: 100, cacheWrite1hTokens: 50,
      outputTokens: 200, reasoningTokens: 150, inputAudioTokens: 80, inputImageTokens: 40)
    let cost = price.breakdown(usage)
    // 250 text, audio and image tokens at the input price, 150 written of both classes.
    #expect(cost[.input] == dollars("0.00075"))
    #expect(cost[.cachedInput] == dollars("0.00018"))
    #expect(cost[.cacheWrite] == dollars("0.0005625"))
    #expect(cost[.cacheWrite1h] == 0)
    #expect(cost[.output] == dollars("0.003"))
    #expect(cost.total == dollars("0.0044925"))
    #expect(cost.inputCost == dollars("0.0014925"))
    #expect(cost.outputCost == dollars("0.003"))
  }

  @Test func `an audio token that may be a cached one is charged as cached`() {
    let price = price([.input: "0.001", .cachedInput: "0.0001", .inputAudio: "0.01"])
    let cost = price.breakdown(
      TokenUsage(inputTokens: 100, cachedInputTokens: 80, inputAudioTokens: 50))
    #expect(cost[.cachedInput] == dollars("0.008"))
    #expect(cost[.inputAudio] == dollars("0.2"))
    #expect(cost[.input] == 0)
  }

  @Test func `cached tokens without a price of their own go first too`() {
    let price = price([.input: "0.001", .inputAudio: "0.01"])
    let cost = price.breakdown(
      TokenUsage(inputTokens: 100, cachedInputTokens: 80, inputAudioTokens: 50))
    #expect(cost[.input] == dollars("0.08"))
    #expect(cost[.inputAudio] == dollars("0.2"))
  }

  @Test func `reasoning comes out of the output before its audio`() {
    let price = price([.output: "0.001", .reasoning: "0.002", .outputAudio: "0.01"])
    let cost = price.breakdown(
      TokenUsage(inputTokens: 0, outputTokens: 100, reasoningTokens: 60, outputAudioTokens: 70))
    #expect(cost[.reasoning] == dollars("0.12"))
    #expect(cost[.outputAudio] == dollars("0.4"))
    #expect(cost[.output] == 0)
  }

  @Test func `the total is rounded once, half to even, and parts take what remains by remainder`() {
    // 3.5 + 3.5 + 3.5 picodollars: the total 10.5 becomes 10, one picodollar is left over for the first.
    let half = "0.0000000000035"
    let cost = price([.input: half, .cachedInput: half, .output: half]).breakdown(
      TokenUsage(inputTokens: 2, cachedInputTokens: 1, outputTokens: 1))
    #expect(cost.total == 10)
    #expect([cost[.input], cost[.cachedInput], cost[.output]] == [4, 3, 3])
  }

  @Test func `the largest remainder is served first`() {
    let cost = price([
      .input: "0.0000000000012", .cachedInput: "0.0000000000014", .output: "0.0000000000019",
    ]).breakdown(TokenUsage(inputTokens: 2, cachedInputTokens: 1, outputTokens: 1))
    // 1.2 + 1.4 + 1.9 = 4.5, rounded to 4: one left over.
    #expect(cost.total == 4)
    #expect([cost[.input], cost[.cachedInput], cost[.output]] == [1, 1, 2])
  }

  @Test func `units and the fee of a request are the units' part`() {
    let price = price(
      [.input: "0.000001"],
      units: [UnitPrice(name: "web_search", rate: Rate(decimal: "0.01") ?? .zero)], fee: "0.005")
    let unit = unitIndex("web_search", in: price)
    let cost = price.breakdown(
      TokenUsage(inputTokens: 10), units: [UnitQuantity(unit: unit ?? -1, count: 3)])
    #expect(cost.unitsCost == dollars("0.035"))
    #expect(cost.total == dollars("0.03501"))
    #expect(unitIndex("image", in: price) == nil)
  }

  @Test func `a unit is known in the plural and by a provider's ending too`() {
    let price = price(
      [:], units: [UnitPrice(name: "web_search", rate: Rate(decimal: "0.01") ?? .zero)])
    for name in ["web_search", "web_searches", "web_search_requests", "Web_Search"] {
      #expect(unitIndex(name, in: price) == 0, "\(name)")
    }
  }

  @Test(arguments: [(199_999, "0.199999"), (200_000, "0.2"), (200_001, "0.400002")])
  func `a long-context step holds for the whole request strictly above its limit`(
    tokens: Int64, expected: String
  ) {
    let price = ResolvedPrice(
      key: "steps",
      bands: [
        PriceBand(above: -1, rates: table([.input: "0.000001", .output: "0.00001"])),
        PriceBand(above: 200_000, rates: table([.input: "0.000002", .output: "0.00001"])),
      ])
    #expect(price.breakdown(TokenUsage(inputTokens: tokens)).total == dollars(expected))
  }
}

struct `The four states of a cost` {
  private let known = price([.input: "0.000001", .cachedInput: "0.0000001", .output: "0.000002"])

  @Test func `a response-cache hit costs nothing and saves what it would have cost`() {
    let usage = TokenUsage(
      inputTokens: 100, cachedInputTokens: 40, outputTokens: 10, state: .missing,
      isResponseCacheHit: true)
    let charge = known.charge(usage, price: 3)
    #expect(charge.state == .priced)
    #expect(charge.cost == 0)
    #expect(charge.cacheSavings == dollars("0.00012"))
    #expect(charge.price == 3)
  }

  @Test func `missing usage is unpriced`() {
    let charge = known.charge(TokenUsage(inputTokens: 5, state: .missing), price: 0)
    #expect(charge.state == .unpriced)
    #expect(charge.cost == 0)
    #expect(charge.cacheSavings == 0)
  }

  @Test func `output alone is unpriced, no input tokens said to be zero are not`() {
    #expect(known.charge(TokenUsage(outputTokens: 5), price: 0).state == .unpriced)
    let zero = known.charge(TokenUsage(inputTokens: 0, outputTokens: 5), price: 0)
    #expect(zero.state == .priced)
    #expect(zero.cost == dollars("0.00001"))
  }

  @Test func `billed units alone are priced`() {
    let price = price([:], units: [UnitPrice(name: "image", rate: Rate(decimal: "0.04") ?? .zero)])
    let charge = price.charge(
      TokenUsage(), units: [UnitQuantity(unit: 0, count: 2)], price: 0)
    #expect(charge.state == .priced)
    #expect(charge.unitsCost == dollars("0.08"))
    #expect(price.charge(TokenUsage(inputTokens: 9), price: 0).state == .unpriced)
  }

  @Test func `estimated usage and an approximate card are estimated`() {
    let estimated = TokenUsage(inputTokens: 5, state: .estimated)
    #expect(known.charge(estimated, price: 0).state == .estimated)
    let rough = price([.input: "0.000001"], approximate: true)
    #expect(rough.charge(TokenUsage(inputTokens: 5), price: 0).state == .estimated)
    #expect(known.charge(TokenUsage(inputTokens: 5), price: 0).state == .priced)
  }

  @Test func `cached input saves the difference to the input price, a dearer one loses it`() {
    let usage = TokenUsage(inputTokens: 100, cachedInputTokens: 40)
    #expect(known.charge(usage, price: 0).cacheSavings == dollars("0.000036"))
    let dear = price([.input: "0.000001", .cachedInput: "0.000003"])
    #expect(dear.charge(usage, price: 0).cacheSavings == -dollars("0.00008"))
    #expect(price([.input: "0.000001"]).charge(usage, price: 0).cacheSavings == 0)
  }
}

struct `Charges against a reference of any size` {
  @Test(arguments: [1, 2, 3] as [UInt64])
  func `parts sum to the total and the total is exact`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    for round in 0..<400 {
      let rates = (0..<9).map { (_) in Self.rate(&random) }
      let usage = Self.usage(&random)
      let price = ResolvedPrice(key: "random", bands: [PriceBand(above: -1, rates: rates)])
      let cost = price.breakdown(usage)
      var sum: Int128 = 0
      for part in PricePart.allCases { sum += cost[part] }
      #expect(sum == cost.total, "seed \(seed), round \(round)")
      #expect(
        cost.total == ReferenceCost.total(usage, rates: rates), "seed \(seed), round \(round)")
      let copy = try #require(read(price.serialised()))
      #expect(copy.breakdown(usage).total == cost.total)
      #expect(copy.bands == price.bands)
    }
  }

  /// None, an ordinary price, one with 17 digits, or one near the limit.
  private static func rate(_ random: inout SplitMix) -> Rate? {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return nil
    case 1, 2: return Rate(mantissa: .random(in: 0...99_999, using: &random), scale: 9)
    case 3:
      return Rate(
        mantissa: .random(in: 0...99_999_999_999_999_999, using: &random),
        scale: .random(in: 17...24, using: &random))
    case 4: return Rate(mantissa: .random(in: 0...999_999, using: &random), scale: 0)
    default: return Rate(mantissa: .random(in: 0...1_000_000, using: &random), scale: 14)
    }
  }

  private static func usage(_ random: inout SplitMix) -> TokenUsage {
    let most: Int64 = 1 << 53
    let input = random.count(upTo: most)
    let cached = random.count(upTo: input)
    let written = random.count(upTo: input - cached)
    let long = random.count(upTo: input - cached - written)
    let output = random.count(upTo: most)
    return TokenUsage(
      inputTokens: input, cachedInputTokens: cached, cacheWriteTokens: written,
      cacheWrite1hTokens: long, outputTokens: output,
      reasoningTokens: random.count(upTo: output), inputAudioTokens: random.count(upTo: input),
      outputAudioTokens: random.count(upTo: output), inputImageTokens: random.count(upTo: input))
  }

  @Test func `the dearest price times the greatest counts neither traps nor wraps`() {
    let most: Int64 = 1 << 53
    let price = price(
      [.input: "1000000", .cachedInput: "0.0000000000000000000000001", .output: "1000000"],
      units: [UnitPrice(name: "image", rate: Rate(decimal: "1000000") ?? .zero)])
    let cost = price.breakdown(
      TokenUsage(inputTokens: most, outputTokens: most),
      units: [UnitQuantity(unit: 0, count: most)])
    #expect(Picodollars(cost.total).decimalText == "27021597764222976000000")
    #expect(cost[.input] + cost[.output] + cost[.units] == cost.total)
  }
}

struct `Serialised prices` {
  @Test func `every byte changed or cut is refused or reads as a price, never a crash`() {
    let whole = price(
      [.input: "0.000003", .output: "0.000015"],
      units: [UnitPrice(name: "second", rate: Rate(decimal: "0.36")?.divided(by: 3_600) ?? .zero)]
    ).serialised()
    for length in 0..<whole.count {
      #expect(read(Array(whole[..<length])) == nil)
    }
    for index in whole.indices {
      for bit in 0..<8 {
        var damaged = whole
        damaged[index] ^= 1 << bit
        _ = read(damaged)
      }
    }
    #expect(read(whole)?.serialised() == whole)
  }
}
