import FarthingCore
import Testing

@testable import FarthingPipeline

/// A book of the built-in catalogue and the given lists, the earliest import first.
private func book(_ lists: (PriceListFormat, String)...) throws -> PriceBook {
  try PriceBook(
    lists: lists.enumerated().map { (index, list) in
      StoredPriceList(
        id: Int64(index + 1), name: "list", format: list.0, bytes: Array(list.1.utf8))
    })
}

/// The cost in dollars of a request, or nil where it is unpriced.
private func cost(
  _ book: PriceBook, _ model: String, _ provider: String? = nil, input: Int64? = 1_000,
  output: Int64 = 1_000, units: [UnitQuantity] = []
) -> String? {
  let request = PriceRequest(model: model, provider: provider, time: 1_780_000_000_000_000_000)
  guard let price = book.resolve(request) else { return nil }
  let usage = TokenUsage(inputTokens: input, outputTokens: output)
  let charge = price.charge(usage, units: units, price: 0)
  return charge.state == .unpriced ? nil : Picodollars(charge.cost).decimalText
}

private func warnings(_ format: PriceListFormat, _ text: String) -> [String] {
  PriceListReport(bytes: Array(text.utf8), name: "list", format: format).warnings.map(\.message)
}

struct `A price that cannot be used` {
  static let values = [
    "1000001", "1e300", "1e-31", "0.00000012345678901234567890123456789", "-1e-06", "\"free\"",
    "true", "{}",
  ]

  @Test(arguments: values)
  func `takes a LiteLLM entry out, and no other price stands in for it`(value: String) throws {
    let older =
      #"{"gpt-4.1-mini": {"litellm_provider": "openai", "input_cost_per_token": 1e-06}}"#
    let newer = """
      {"gpt-4.1-mini": {"litellm_provider": "openai", "input_cost_per_token": \(value),
        "output_cost_per_token": 2e-06},
       "openai/gpt-4.1-mini": {"litellm_provider": "openai", "input_cost_per_token": 3e-06},
       "good": {"litellm_provider": "openai", "input_cost_per_token": 1e-06}}
      """
    let book = try book((.litellm, older), (.litellm, newer))
    #expect(cost(book, "gpt-4.1-mini", "openai") == nil)
    #expect(cost(book, "gpt-4.1-mini") == nil)
    #expect(cost(book, "good", "openai") == "0.001")
    let told = warnings(.litellm, newer)
    #expect(told.count == 1)
    #expect(told[0].hasPrefix("“gpt-4.1-mini”: input_cost_per_token “"))
    #expect(told[0].hasSuffix("; the model is left unpriced"))
  }

  @Test(arguments: values)
  func `takes a model of genai-prices out`(value: String) throws {
    let list = """
      {"providers": [{"id": "openai", "model_match": {"starts_with": "gpt-"}, "models": [
        {"id": "gpt-4.1-mini", "match": {"equals": "gpt-4.1-mini"},
         "prices": {"input_mtok": \(value == "1000001" ? "1e13" : value == "1e-31" ? "1e-25" : value),
                    "output_mtok": 2}},
        {"id": "gpt-9", "match": {"equals": "gpt-9"}, "prices": {"input_mtok": 1}}]}]}
      """
    let book = try book((.genaiPrices, list))
    #expect(cost(book, "gpt-4.1-mini", "openai") == nil)
    #expect(cost(book, "gpt-9", "openai") == "0.001")
    let told = warnings(.genaiPrices, list)
    #expect(told.count == 1)
    #expect(told[0].hasPrefix("“openai/gpt-4.1-mini”: input_mtok “"))
  }

  @Test func `a step, a date or a number of units that cannot be read counts as one`() throws {
    func told(_ model: String, units: String = "{}") -> [String] {
      let list = """
        {"units": \(units), "providers": [{"id": "p", "models": [
          {"id": "m", "match": {"equals": "m"}, "prices": \(model)}]}]}
        """
      return warnings(.genaiPrices, list)
    }
    #expect(
      told(#"{"input_mtok": {"base": 1, "tiers": [{"start": "many", "price": 2}]}}"#).count == 1)
    #expect(told(#"{"input_mtok": {"tiers": []}}"#).count == 1)
    #expect(
      told(
        #"[{"prices": {"input_mtok": 1}}, {"constraint": {"start_date": "soon"}, "prices": {"input_mtok": 2}}]"#
      ).count == 1)
    let odd = #"{"u": {"price_key": "u_odd", "per": 9223372036854775808, "dimensions": {}}}"#
    #expect(told(#"{"u_odd": 1}"#, units: odd).count == 1)
    let primes = [1_021, 1_019, 1_013, 1_009, 997, 991, 983, 977]
    let units = primes.map {
      #""u\#($0)": {"price_key": "k\#($0)", "per": \#($0), "dimensions": {}}"#
    }
    let prices = primes.map { #""k\#($0)": 1"# }
    #expect(
      told(
        "{" + prices.joined(separator: ",") + "}", units: "{" + units.joined(separator: ",") + "}"
      ).count == 1)
    let ranges = #"{"m": {"tiered_pricing": [{"range": ["a", 2], "input_cost_per_token": 1}]}}"#
    #expect(warnings(.litellm, ranges).count == 1)
  }
}

struct `An entry without a price` {
  @Test func `ends the search in LiteLLM's list and below it`() throws {
    let list = #"""
      {"reseller/atlas": {"litellm_provider": "reseller", "mode": "chat"},
       "reseller/other": {"litellm_provider": "reseller", "input_cost_per_token": 5e-06},
       "atlas": {"litellm_provider": "maker", "input_cost_per_token": 1e-06},
       "other": {"litellm_provider": "maker", "input_cost_per_token": 1e-06},
       "gpt-4.1-mini": {"litellm_provider": "openai", "mode": "chat"}}
      """#
    let book = try book((.litellm, list))
    #expect(cost(book, "reseller/atlas") == nil)
    #expect(cost(book, "reseller/atlas", "reseller") == nil)
    #expect(cost(book, "atlas", "reseller") == nil)
    #expect(cost(book, "atlas", "maker") == "0.001")
    #expect(cost(book, "maker/atlas", "maker") == nil)
    #expect(cost(book, "other", "reseller") == "0.005")
    #expect(cost(book, "gpt-4.1-mini", "openai") == nil)
    #expect(warnings(.litellm, list) == [])
  }

  @Test func `is free in genai-prices, whose calculator says so`() throws {
    let list = #"""
      {"providers": [{"id": "openrouter", "models": [
        {"id": "x:free", "match": {"equals": "x:free"}, "prices": {}},
        {"id": "speech", "match": {"equals": "speech"}, "prices": {"audio_hours": 1}}]}]}
      """#
    let book = try book((.genaiPrices, list))
    #expect(cost(book, "x:free", "openrouter") == "0")
    #expect(cost(book, "speech", "openrouter") == nil)
  }
}

struct `Cards without a price of tokens` {
  private static let cards = """
    cards:
      - {model: fee, per_request: 0.002}
      - {model: free, per_request: 0}
      - {model: images, units: {image: 0.04}}
      - {model: both, per_request: 0.002, units: {image: 0.04}}
      - {model: spoken, prices: {output: 15}}
    """

  @Test func `charge a fee for each request, and units where there are any`() throws {
    let book = try book((.yaml, Self.cards))
    let image = [UnitQuantity(unit: 0, count: 2)]
    #expect(cost(book, "fee") == "0.002")
    #expect(cost(book, "fee", input: nil, output: 0) == "0.002")
    #expect(cost(book, "free") == "0")
    #expect(cost(book, "images") == nil)
    #expect(cost(book, "images", units: image) == "0.08")
    #expect(cost(book, "both") == "0.002")
    #expect(cost(book, "both", units: image) == "0.082")
    #expect(cost(book, "spoken") == "0.015")
    #expect(cost(book, "spoken", input: nil) == nil)
  }

  @Test func `charge the fee as units, and nothing where the usage is missing`() throws {
    let request = PriceRequest(model: "fee", time: 0)
    let price = try #require(try book((.yaml, Self.cards)).resolve(request))
    let charge = price.charge(TokenUsage(inputTokens: 10), price: 0)
    #expect(charge.state == .priced)
    #expect(charge.unitsCost == 2_000_000_000 && charge.cost == charge.unitsCost)
    let missing = price.charge(TokenUsage(state: .missing), price: 0)
    #expect(missing.state == .unpriced && missing.cost == 0)
  }
}
