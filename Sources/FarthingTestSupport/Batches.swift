package import FarthingCore

/// One price for every model: 3.5 dollars for a million input tokens and 15 for a million output, unless told otherwise.
package struct FlatPrices: PriceSource {
  package let list: PriceListIdentity
  private let input: String
  private let output: String
  private let models: Set<String>?

  /// - Parameters:
  ///   - id: Of the list.
  ///   - input: Dollars a token.
  ///   - output: Dollars a token.
  ///   - models: The only ones with a price; nil for all.
  package init(
    id: String = "flat#1", input: String = "0.0000035", output: String = "0.000015",
    models: Set<String>? = nil
  ) {
    list = PriceListIdentity(id: id, name: "flat", format: "yaml", from: nil, importedAt: 0)
    self.input = input
    self.output = output
    self.models = models
  }

  package func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    if let models, !models.contains(request.model) { return nil }
    return PriceMatch(card: cards()[0])
  }

  package func cards() -> [RateCard] {
    [
      RateCard(
        entry: "any",
        standard: RateTable([
          .input: RateSchedule(base: Rate(decimal: input)),
          .output: RateSchedule(base: Rate(decimal: output)),
        ]))
    ]
  }
}

/// The clock of arrival in these tests: 2026-11-21 00:00 UTC.
package let arrival: Int64 = 1_795_219_200_000_000_000

/// The secret key of the stores that tests make.
package let testKey: [UInt8] = Array(1...16)

/// Batches with ids, so that a test can say which event is where.
package enum Batches {
  /// Requests with the given numbers, one in four with an outcome of its task behind it.
  ///
  /// - Parameter prices: What they are priced by.
  package static func make(
    _ numbers: Range<Int>, prices: FlatPrices = FlatPrices()
  ) -> ChargedBatch {
    var text = ""
    for number in numbers {
      let second = number % 60
      let minute = number / 60 % 60
      text += """
        {"time":"2026-11-20T10:\(two(minute)):\(two(second)).000\(number % 10)Z","id":"r-\(number)",\
        "model":"m-\(number % 3)","provider":"self","site":"s\(number % 5)","task":"t-\(number / 4)",\
        "input_tokens":\(100 + number),"output_tokens":\(number % 977),"latency_ms":\(number % 50).5,\
        "tags":{"team":"a\(number % 7)"},"units":{"web_search":\(number % 2)}}

        """
      if number % 4 == 3 {
        text += """
          {"type":"outcome","time":"2026-11-20T11:00:00Z","id":"o-\(number)","task":"t-\(number / 4)",\
          "outcome":"success","value_usd":"1.25"}

          """
      }
    }
    return charge(text, prices: prices)
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// The events of NDJSON text with their costs.
  package static func charge(_ text: String, prices: FlatPrices = FlatPrices()) -> ChargedBatch {
    var decoder = EventDecoder(now: arrival)
    let decoded = decoder.decode(Array(text.utf8), firstLine: 1, layout: .lines)
    var pricer = EventPricer(book: PriceBook(sources: [prices]))
    return pricer.charge(decoded, source: "events")
  }
}
