import FarthingCore
import FarthingStore
import Testing

@testable import FarthingQuery

/// Changes of one kind, and the part that each has to show in.
@Suite struct `A bridge names what changed` {
  private static let hour: Int64 = 3_600_000_000_000
  private static let start: Int64 = 1_772_409_600_000_000_000

  /// What the requests of one period are like.
  private struct Shape {
    var count = 10
    var workload = "search"
    var model = "atlas"
    var site = "ber1"
    var input: Int64 = 1_000
    var cached: Int64 = 0
    var written: Int64 = 0
    var output: Int64 = 100
    var attempt: Int64?
    var status: String?
    var isHit = false
    var price = Shape.atlas

    static let atlas = ResolvedPrice(
      key: "atlas", bands: [PriceBand(above: -1, rates: rates("2", "0.2", "2.5", "10"))])
    static let atlasDearer = ResolvedPrice(
      key: "atlas later", bands: [PriceBand(above: -1, rates: rates("3", "0.3", "3.75", "15"))])
    static let borea = ResolvedPrice(
      key: "borea", bands: [PriceBand(above: -1, rates: rates("20", "2", "25", "80"))])

    /// Dollars for a million tokens.
    private static func rates(
      _ input: String, _ cached: String, _ written: String, _ output: String
    ) -> [Rate?] {
      [input, cached, written, nil, output, nil, nil, nil, nil].map {
        $0.flatMap { Rate(decimal: $0, shift: 6) }
      }
    }
  }

  private func requests(_ shapes: [Shape], at hour: Int64) -> [ReferenceRequest] {
    shapes.flatMap { shape in
      (0..<shape.count).map { number in
        var request = ReferenceRequest()
        request.time = Self.start + hour * Self.hour + Int64(number)
        request.receivedTime = request.time
        request.texts = [.workload: shape.workload, .model: shape.model, .site: shape.site]
        if let status = shape.status { request.texts[.status] = status }
        if shape.isHit { request.texts[.responseCache] = "hit" }
        request.integers = [
          .inputTokens: shape.input, .cachedInputTokens: shape.cached,
          .cacheWriteTokens: shape.written, .outputTokens: shape.output,
        ]
        if let attempt = shape.attempt { request.integers[.attempt] = attempt }
        request.charge = shape.price.charge(
          TokenUsage(
            inputTokens: shape.input, cachedInputTokens: shape.cached,
            cacheWriteTokens: shape.written, outputTokens: shape.output,
            isResponseCacheHit: shape.isHit), price: 0)
        request.priced = shape.price
        return request
      }
    }
  }

  private func explained(_ before: [Shape], _ after: [Shape]) throws -> Explanation {
    let all = requests(before, at: 0) + requests(after, at: 1)
    let segments = [try ReferenceStore.segment(all, id: 1)].compactMap { $0 }
    let plan = try ExplanationPlan.parse(
      ExplanationWords(since: "2026-03-02T01:00:00Z", until: "2026-03-02T02:00:00Z"), now: 0)
    return try ExplanationExecutor(QueryExecutor(threads: 1)).run(plan, requests: segments)
  }

  /// The parts that are not 0, in dollars.
  private func parts(_ before: [Shape], _ after: [Shape]) throws -> [BridgePart: String] {
    let found = try explained(before, after)
    #expect(found.parts.reduce(0) { $0 + $1.change } == found.change)
    var parts: [BridgePart: String] = [:]
    for part in found.parts where part.change != 0 {
      parts[part.part] = DollarText.dollars(picodollars: part.change)
    }
    return parts
  }

  // One request of the usual shape costs 1,000 × 2 + 100 × 10 millionths of a dollar: 0.003.

  @Test func `more queries are volume and nothing else`() throws {
    #expect(try parts([Shape()], [Shape(count: 25)]) == [.volume: "0.045"])
  }

  @Test func `a longer prompt is input tokens, a longer answer output tokens`() throws {
    #expect(try parts([Shape()], [Shape(input: 3_000)]) == [.inputTokens: "0.04"])
    #expect(try parts([Shape()], [Shape(output: 50)]) == [.outputTokens: "-0.005"])
  }

  @Test func `another price of the same work is price`() throws {
    #expect(try parts([Shape()], [Shape(price: Shape.atlasDearer)]) == [.price: "0.015"])
  }

  @Test func `a cache that stops hitting is cache hits, whether prompts are written anew or not`()
    throws
  {
    let hitting = Shape(cached: 800)
    #expect(try parts([hitting], [Shape()]) == [.cacheHits: "0.0144"])
    // Each token that was read for 0.2 is now written for 2.5: 800 × 2.3.
    #expect(try parts([hitting], [Shape(written: 800)]) == [.cacheHits: "0.0184"])
  }

  @Test func `answers out of a response cache are cache hits`() throws {
    #expect(
      try parts([Shape()], [Shape(count: 4), Shape(count: 6, isHit: true)]) == [
        .cacheHits: "-0.018"
      ])
  }

  @Test func `a dearer model that appears is model mix`() throws {
    let before = [Shape()]
    let after = [Shape(count: 5), Shape(count: 5, model: "borea", price: Shape.borea)]
    // Five requests at 0.028 instead of 0.003.
    #expect(try parts(before, after) == [.modelMix: "0.125"])
    #expect(try parts(after, before) == [.modelMix: "-0.125"])
  }

  @Test func `another site at another price is site mix`() throws {
    let far = Shape(count: 10, site: "sin1", price: Shape.atlasDearer)
    #expect(
      try parts(
        [Shape(count: 10), Shape(count: 10, site: "sin1", price: Shape.atlasDearer)],
        [Shape(count: 0), Shape(count: 20, site: "sin1", price: Shape.atlasDearer)])
        == [.siteMix: "0.015"])
    #expect(try parts([far], [far]) == [:])
  }

  @Test func `a workload that appears is volume and workload mix`() throws {
    let found = try parts([Shape()], [Shape(), Shape(count: 10, workload: "agent", input: 9_000)])
    #expect(Set(found.keys) == [.volume, .workloadMix])
    // Twice the queries, half of them at 0.019 instead of 0.003; each alone and after the other, averaged.
    #expect(found == [.volume: "0.07", .workloadMix: "0.12"])
  }

  @Test func `retries and failures cost money and are no queries`() throws {
    let retries = Shape(count: 20, attempt: 2)
    #expect(try parts([Shape()], [Shape(), retries]) == [.retriesAndErrors: "0.06"])
    // A failed first attempt that was cut short costs less than one that went well.
    let failed = Shape(count: 4, output: 0, status: "error")
    #expect(try parts([Shape()], [Shape(count: 6), failed]) == [.retriesAndErrors: "-0.004"])
  }

  @Test func `an empty period makes all of the change volume`() throws {
    #expect(try parts([], [Shape()]) == [.volume: "0.03"])
    #expect(try parts([Shape()], []) == [.volume: "-0.03"])
    #expect(try parts([], []) == [:])
  }

  @Test func `requests without a price are in no part and named beside it`() throws {
    let segment = try ReferenceStore.segment(
      requests([Shape()], at: 1)
        + requests([Shape(count: 7, model: "unknown")], at: 1).map {
          var request = $0
          request.charge = .unpriced
          request.priced = nil
          return request
        }, id: 1)
    let plan = try ExplanationPlan.parse(
      ExplanationWords(since: "2026-03-02T01:00:00Z", until: "2026-03-02T02:00:00Z"), now: 0)
    let found = try ExplanationExecutor(QueryExecutor(threads: 1)).run(
      plan, requests: [segment].compactMap { $0 })
    #expect(found.after.unpriced == 7)
    #expect(found.unpriced == [Explanation.Unpriced(model: "unknown", before: 0, after: 7)])
    #expect(found.parts[0].after == .count(10))
  }

  @Test func `several causes at once sum exactly and each has its sign`() throws {
    let found = try explained(
      [Shape(cached: 500), Shape(count: 3, attempt: 2)],
      [
        Shape(count: 17, input: 1_300, output: 131, price: Shape.atlasDearer),
        Shape(count: 9, attempt: 2), Shape(count: 3, model: "borea", price: Shape.borea),
      ])
    #expect(found.parts.reduce(0) { $0 + $1.change } == found.change)
    for part in found.parts {
      switch part.part {
      case .siteMix, .units, .workloadMix: #expect(part.change == 0, "\(part)")
      default: #expect(part.change > 0, "\(part)")
      }
    }
  }
}

@Suite struct `The words of an explanation` {
  private let now: Int64 = 1_773_000_000_000_000_000

  private func plan(_ words: ExplanationWords) throws -> ExplanationPlan {
    try ExplanationPlan.parse(words, now: now)
  }

  @Test func `compare with the period of equal length just before where nothing else is said`()
    throws
  {
    let plan = try plan(ExplanationWords(since: "24h"))
    let day: Int64 = 86_400_000_000_000
    #expect(plan.after == ExplanationPlan.Period(since: now - day, until: now))
    #expect(plan.before == ExplanationPlan.Period(since: now - 2 * day, until: now - day))
    #expect(plan.dimensions.map(\.name) == ExplanationPlan.usualDimensions)
  }

  @Test func `name the other period by its start or by both ends`() throws {
    var words = ExplanationWords(since: "2026-03-09", until: "2026-03-16", versus: "2026-02-02")
    #expect(try plan(words).before.until - plan(words).before.since == 7 * 86_400_000_000_000)
    words.versus = "2026-02-01/2026-03-01"
    #expect(try plan(words).before.until - plan(words).before.since == 28 * 86_400_000_000_000)
  }

  @Test func `are refused with every fault named`() {
    let wrong: [(ExplanationWords, String)] = [
      (
        ExplanationWords(),
        "since: say when the period to explain begins: \(InstantParser.expectation)"
      ),
      (
        ExplanationWords(since: "2026-03-09", until: "2026-03-09"),
        "since \"2026-03-09\" is not before until \"2026-03-09\""
      ),
      (
        ExplanationWords(since: "24h", versus: "never/ever"),
        "versus: \"never\" is not \(InstantParser.expectation)"
      ),
      (ExplanationWords(since: "24h", versus: "2d/3d"), "versus: \"2d/3d\" ends before it begins"),
      (
        ExplanationWords(since: "24h", versus: "1/2/3"),
        "versus: expected START or START/END, one slash at most"
      ),
      (
        ExplanationWords(since: "yesterday", filter: "modle = 'a'", by: "wrkload"),
        """
        by: unknown field "wrkload"; did you mean "workload"?
        where, character 1: unknown field "modle"; did you mean "model"?
        since: "yesterday" is not \(InstantParser.expectation)
        """
      ),
    ]
    for (words, message) in wrong {
      #expect(throws: QueryError(.usage, message)) { try plan(words) }
    }
  }
}
