import FarthingCore
import Foundation
import Testing

@testable import FarthingPipeline

private func stored(
  _ text: String, _ format: PriceListFormat, id: Int64 = 1, from: Int64? = nil,
  name: String = "list"
) -> StoredPriceList {
  StoredPriceList(id: id, name: name, format: format, validFrom: from, bytes: Array(text.utf8))
}

private func time(_ date: String) -> Int64 { PriceDate.nanoseconds(date) ?? 0 }

/// The input price a million tokens, or nil where there is none.
private func input(_ book: PriceBook, _ request: PriceRequest) -> String? {
  book.resolve(request)?.bands[0].rates[0]?.decimalText(per: 1_000_000)
}

private func faults(_ text: String) -> [String] {
  do throws(PriceListRefusal) {
    _ = try stored(text, .yaml, name: "rates.yaml").opened()
    return []
  } catch {
    return error.faults.map(\.description)
  }
}

struct `Own rate cards` {
  /// The annotated example of docs/prices.md.
  private static func example() throws -> String {
    let page = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../docs/prices.md").standardizedFileURL
    let text = try String(contentsOf: page, encoding: .utf8)
    let start = try #require(text.range(of: "```yaml\n"))
    let end = try #require(text.range(of: "\n```", range: start.upperBound..<text.endIndex))
    return String(text[start.upperBound..<end.lowerBound])
  }

  @Test func `the example in the documentation can be imported and means what it says`() throws {
    let book = try PriceBook(
      lists: [
        stored(
          #"{"claude-9": {"litellm_provider": "anthropic", "input_cost_per_token": 4e-06}}"#,
          .litellm),
        stored(try Self.example(), .yaml, id: 2),
      ], withCatalogue: false)
    let spring = time("2026-03-01")
    func request(
      _ model: String, _ provider: String? = nil, tier: String? = nil, batch: Bool = false,
      site: String? = nil, tenant: String? = nil, at moment: Int64? = nil
    ) -> PriceRequest {
      PriceRequest(
        model: model, provider: provider, serviceTier: tier, isBatch: batch, site: site,
        tenant: tenant, time: moment ?? spring)
    }
    #expect(input(book, request("example-large", "openai")) == "3")
    #expect(input(book, request("Example-Large-20260101", "azure.ai.openai")) == "3")
    #expect(input(book, request("openai/example-large-latest")) == "3")
    #expect(input(book, request("example-large", "anthropic")) == nil)
    #expect(input(book, request("example-large", "openai", at: time("2025-12-31"))) == nil)
    #expect(input(book, request("example-large", "openai", at: time("2026-07-01"))) == "2.5")
    #expect(input(book, request("example-large", "openai", tier: "priority")) == "6")
    #expect(input(book, request("example-large", "openai", tier: "flex")) == "1.5")
    #expect(input(book, request("example-large", "openai", tier: "unheard-of")) == "3")
    #expect(input(book, request("example-large", "openai", site: "fra1", tenant: "acme")) == "2.45")
    #expect(input(book, request("example-large", "openai", site: "sin1", tenant: "acme")) == "3")
    #expect(input(book, request("claude-9", "anthropic")) == "4")
    #expect(input(book, request("claude-9", "anthropic", tenant: "acme")) == "3.4")
    let batch = try #require(book.resolve(request("example-large", "openai", batch: true)))
    #expect(
      batch.key
        == "list#2/openai,azure.ai.openai/example-large from 2026-01-01 until 2026-07-01 batch")
    #expect(batch.bands[0].rates[0]?.decimalText(per: 1_000_000) == "1.5")
    #expect(batch.bands[0].rates[4]?.decimalText(per: 1_000_000) == "7")
    #expect(batch.bands[1].rates[0]?.decimalText(per: 1_000_000) == "3")
    let house = try #require(book.resolve(request("house-model", "self")))
    #expect(house.isApproximate)
    let standard = try #require(book.resolve(request("example-large", "openai")))
    let usage = TokenUsage(inputTokens: 200_001, cachedInputTokens: 1, outputTokens: 2)
    // 200,000 × 6 and 1 × 0.30 and 2 × 22.50 a million, and the fee.
    #expect(Picodollars(standard.breakdown(usage).total).decimalText == "1.2020453")
  }

  @Test func `every fault is reported at once, with its line, the value and the remedy`() {
    let text = """
      per: 1G
      cards:
        - model: a
          prices: {input: "12,50", output: -3}
        - modle: b
          prices:
            input: $4
            outptu: 5
        - model: c
          from: 2026-02-30
          prices: {input: 1000001000000}
        - model: d
          discount: 120%
          until: 2020-01-01
          from: 2021-01-01
          prices: {input: 1.23456789012345678901234567899}
        - model: e
        - model: f
          batch: {discount: 50%}
          tiers: {batch: {input: 1}}
          prices:
            input: 1
            above: [{input_tokens: many, input: 2}, {output: 3}]
      """
    #expect(
      faults(text) == [
        "rates.yaml line 1: per “1G” is not known; write token, 1K or 1M",
        "rates.yaml line 4: input price “12,50” is not a decimal number of at least 0; write 12.50",
        "rates.yaml line 4: output price “-3” is not a decimal number of at least 0",
        "rates.yaml line 5: “modle” is not known here; did you mean “model”?",
        "rates.yaml line 5: a card has no “model”; write model: and the name that events give it",
        "rates.yaml line 7: input price “$4” is not a decimal number of at least 0; write 4",
        "rates.yaml line 8: “outptu” is not known here; did you mean “output”?",
        "rates.yaml line 10: from “2026-02-30” is not a date; write one such as 2026-11-02",
        "rates.yaml line 11: input price “1000001000000” is above 1000000 dollars a unit; check the unit of “per”",
        "rates.yaml line 12: card “d” ends before it starts; expected “until” after “from”",
        "rates.yaml line 13: discount “120%” is not a percentage from 0 to 100 with at most 6 decimals; write one such as 12.5%",
        "rates.yaml line 16: input price “1.23456789012345678901234567899” has more than 28 digits; round it",
        "rates.yaml line 17: card “e” has no price; expected “prices”, “units” or “per_request”",
        "rates.yaml line 20: “batch” is no tier of its own; use “batch”",
        "rates.yaml line 23: input_tokens “many” is not a whole number; write one such as 200000",
        "rates.yaml line 23: a step of “above” has no “input_tokens”; write the limit that it is above",
      ])
  }

  @Test func `cards that hold at once for one model are refused`() {
    let text = """
      cards:
        - {model: a, prices: {input: 1}}
        - {model: b, aliases: [A], from: 2026-01-01, prices: {input: 2}}
      """
    #expect(
      faults(text) == [
        "rates.yaml: cards “a” and “b from 2026-01-01” both price “A” at the same time; close one with “until”"
      ])
  }

  @Test(arguments: [
    ("", "rates.yaml: nothing is in it; expected a mapping with “cards”, see docs/prices.md"),
    ("- a", "rates.yaml line 1: the file is not a mapping; expected a mapping with “cards”"),
    (
      "name: x",
      "rates.yaml line 1: neither “cards” nor “discounts” is there; expected at least one of them"
    ),
    (
      "currency: EUR\ncards: []",
      "rates.yaml line 1: currency “EUR” is not supported; convert the prices to USD"
    ),
  ])
  func `a file that is no rate card is refused in one sentence`(text: String, message: String) {
    #expect(faults(text) == [message])
  }
}

struct `Which price is in force` {
  private let cheap = #"{"m": {"litellm_provider": "openai", "input_cost_per_token": 1e-06}}"#
  private let dear =
    #"{"m": {"litellm_provider": "openai", "input_cost_per_token": 2e-06}, "n": {"litellm_provider": "openai", "input_cost_per_token": 7e-06}}"#

  @Test func `a later import wins for the models that it names, from its date on`() throws {
    let book = try PriceBook(
      lists: [
        stored(dear, .litellm, id: 1), stored(cheap, .litellm, id: 2, from: time("2026-06-01")),
      ])
    #expect(input(book, PriceRequest(model: "m", time: time("2026-07-01"))) == "1")
    #expect(input(book, PriceRequest(model: "m", time: time("2026-05-31"))) == "2")
    #expect(input(book, PriceRequest(model: "n", time: time("2026-07-01"))) == "7")
    #expect(input(book, PriceRequest(model: "gpt-4o", time: time("2026-07-01"))) == "2.5")
    let resolution = book.explain(PriceRequest(model: "m", time: time("2026-05-31")))
    #expect(resolution.period.until == time("2026-06-01"))
    #expect(resolution.list?.id == "list#1")
    #expect(resolution.price?.key == "list#1/m")
  }

  @Test func `the date of an import says since when prices without dates hold, and no more`() throws
  {
    let june = time("2026-06-01")
    let own = """
      cards:
        - {model: dated, until: 2026-03-01, prices: {input: 3}}
        - {model: dated, from: 2026-03-01, prices: {input: 4}}
        - {model: plain, prices: {input: 5}}
      """
    let community = """
      {"providers": [{"id": "x", "provider_match": {"equals": "x"}, "models": [
        {"id": "old", "match": {"equals": "old"}, "prices": [{"prices": {"input_mtok": 6}},
          {"constraint": {"start_date": "2026-04-01"}, "prices": {"input_mtok": 7}}]},
        {"id": "bare", "match": {"equals": "bare"}, "prices": {"input_mtok": 8}}]}]}
      """
    let book = try PriceBook(
      lists: [
        stored(own, .yaml, id: 1, from: june), stored(community, .genaiPrices, id: 2, from: june),
      ], withCatalogue: false)
    func price(_ model: String, _ date: String) -> String? {
      input(book, PriceRequest(model: model, provider: "x", time: time(date)))
    }
    #expect(price("dated", "2026-02-01") == "3")
    #expect(price("dated", "2026-05-01") == "4")
    #expect(price("plain", "2026-05-31") == nil)
    #expect(price("plain", "2026-06-01") == "5")
    #expect(price("old", "2026-02-01") == "6")
    #expect(price("old", "2026-05-01") == "7")
    #expect(price("bare", "2026-05-31") == nil)
    #expect(price("bare", "2026-06-01") == "8")
    let resolution = book.explain(PriceRequest(model: "plain", time: time("2026-05-31")))
    #expect(resolution.period.until == june)
  }

  @Test func `an import wins over the catalogue, a tenant's contract over a later import`() throws {
    let contract = "cards: [{model: gpt-4o, tenant: acme, prices: {input: 1.5, output: 6}}]"
    let list = #"{"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 9e-06}}"#
    let book = try PriceBook(
      lists: [stored(contract, .yaml, id: 1), stored(list, .litellm, id: 2)])
    let moment = time("2026-07-01")
    #expect(input(book, PriceRequest(model: "gpt-4o", provider: "openai", time: moment)) == "9")
    #expect(
      input(book, PriceRequest(model: "gpt-4o", provider: "openai", tenant: "acme", time: moment))
        == "1.5")
  }

  @Test func `an own card without a provider prices its model under any provider's prefix`() throws
  {
    let own = "cards: [{model: tok, prices: {input: 7}}]"
    let book = try PriceBook(lists: [stored(own, .yaml)])
    for (model, provider) in [
      ("tok", nil), ("openai/tok", nil), ("openai/tok", "openai"), ("bedrock/tok", "aws.bedrock"),
      ("ours/tok", "ours"),
    ] {
      #expect(input(book, PriceRequest(model: model, provider: provider, time: 0)) == "7")
    }
    #expect(input(book, PriceRequest(model: "ours/tok", provider: nil, time: 0)) == nil)
  }

  @Test func `LiteLLM's entries are chosen by provider, then prefix, then the bare model`() throws {
    let list = """
      {"sample_spec": {"input_cost_per_token": 0.0, "litellm_provider": "one of"},
       "m": {"litellm_provider": "openai", "input_cost_per_token": 1e-06},
       "azure/m": {"litellm_provider": "azure", "input_cost_per_token": 2e-06},
       "bedrock/m": {"litellm_provider": "bedrock", "input_cost_per_token": 3e-06},
       "free": {"litellm_provider": "openai", "mode": "chat"}}
      """
    let book = try PriceBook(lists: [stored(list, .litellm)], withCatalogue: false)
    func price(_ model: String, _ provider: String?) -> String? {
      input(book, PriceRequest(model: model, provider: provider, time: 0))
    }
    #expect(price("m", "openai") == "1")
    #expect(price("m", "azure.ai.openai") == "2")
    #expect(price("m", "aws.bedrock") == "3")
    #expect(price("m", "self") == "1")
    #expect(price("m", nil) == "1")
    #expect(price("openai/m", nil) == "1")
    #expect(price("azure/m", "azure") == "2")
    #expect(price("sample_spec", nil) == nil)
    #expect(price("free", "openai") == nil)
  }

  @Test func `LiteLLM's keys are read with steps, tiers and batches`() throws {
    let list = """
      {"m": {"litellm_provider": "openai", "input_cost_per_token": 2e-06, "output_cost_per_token": 1e-05,
       "input_cost_per_token_above_200k_tokens": 4e-06, "input_cost_per_token_priority": 3e-06,
       "input_cost_per_token_above_200k_tokens_priority": 6e-06, "output_cost_per_token_batches": 4e-06,
       "input_cost_per_token_cache_hit": 9e-06, "cache_read_input_token_cost": null,
       "search_context_cost_per_query": {"search_context_size_medium": 0.01}}}
      """
    let book = try PriceBook(lists: [stored(list, .litellm)], withCatalogue: false)
    func cost(_ tokens: Int64, tier: String? = nil, batch: Bool = false) -> String? {
      let request = PriceRequest(model: "m", serviceTier: tier, isBatch: batch, time: 0)
      let usage = TokenUsage(inputTokens: tokens, outputTokens: 100_000)
      return book.resolve(request).map { Picodollars($0.breakdown(usage).total).decimalText }
    }
    #expect(cost(200_000) == "1.4")
    #expect(cost(200_001) == "1.800004")
    #expect(cost(200_000, tier: "priority") == "1.6")
    #expect(cost(200_001, tier: "priority") == "2.200006")
    #expect(cost(200_000, batch: true) == "0.6")
    #expect(cost(200_001, batch: true) == "0.800002")
    #expect(cost(200_001, tier: "flex") == "1.800004")
    #expect(book.resolve(PriceRequest(model: "m", time: 0))?.units.first?.name == "web_search")
  }

  @Test func `genai-prices are chosen by condition, date, hour and variant`() throws {
    let list = """
      {"units": {"web_searches": {"per": 1000, "price_key": "web_searches_kcount", "dimensions": {"family": "tool_calls"}}},
       "providers": [{"id": "maker", "provider_match": {"contains": "mak"}, "model_match": {"starts_with": "m"},
        "fallback_model_providers": ["other"], "models": [
        {"id": "m1", "match": {"or": [{"equals": "M1"}, {"regex": "^m1-\\\\d{4}-\\\\d{2}-\\\\d{2}$"}]}, "prices": [
          {"prices": {"input_mtok": 1, "web_searches_kcount": 10}},
          {"constraint": {"start_date": "2026-01-01"}, "prices": {"input_mtok": {"base": 2, "tiers": [{"start": 100, "price": 4}]}}},
          {"constraint": {"start_time": "22:00:00+00:00", "end_time": "02:00:00Z"}, "prices": {"input_mtok": 0.5}}],
         "price_variants": [{"when": {"processing": "batch"}, "prices": {"input_mtok": 0.1}}]}]},
       {"id": "other", "models": [{"id": "o", "match": {"contains": "o"}, "prices": {"input_mtok": 8, "audio_hours": 0.36}}]}]}
      """
    let book = try PriceBook(lists: [stored(list, .genaiPrices)], withCatalogue: false)
    let hour = CivilTime.hour
    func price(_ model: String, _ provider: String?, _ moment: Int64, batch: Bool = false)
      -> String?
    {
      input(
        book, PriceRequest(model: model, provider: provider, isBatch: batch, time: moment))
    }
    #expect(price("m1", "maker", time("2025-06-01") + 12 * hour) == "1")
    #expect(price("M1", nil, time("2026-06-01") + 12 * hour) == "2")
    #expect(price("m1", "some-mak", time("2026-06-01") + 22 * hour) == "0.5")
    #expect(price("m1", "maker", time("2026-06-01") + 2 * hour - 1) == "0.5")
    #expect(price("m1", "maker", time("2026-06-01") + 2 * hour) == "2")
    #expect(price("m1-20260101", "maker", time("2026-06-01") + 2 * hour) == "2")
    #expect(price("m1", "maker", time("2026-06-01") + 2 * hour, batch: true) == "0.1")
    #expect(price("o", "maker", 0) == "8")
    #expect(price("m1", "nobody", 0) == nil)
    let daily = book.explain(
      PriceRequest(model: "m1", provider: "maker", time: time("2026-06-01") + 23 * hour))
    #expect(daily.period.from == time("2026-06-01") + 22 * hour)
    #expect(daily.period.until <= time("2026-06-02") + 2 * hour)
    let seconds = try #require(book.resolve(PriceRequest(model: "o", provider: "other", time: 0)))
    let unit = try #require(seconds.units.firstIndex { $0.name == "audio_seconds" })
    let cost = seconds.breakdown(
      TokenUsage(inputTokens: 1), units: [UnitQuantity(unit: unit, count: 1)])
    #expect(cost.total == 108_000_000)
  }
}

struct `Lists before they are imported` {
  @Test func `a list is recognised by its content`() {
    func format(_ text: String) -> PriceListFormat { .recognised(Array(text.utf8)) }
    #expect(format(#"{"gpt": {"litellm_provider": "openai"}}"#) == .litellm)
    #expect(format(#" {"providers": []}"#) == .genaiPrices)
    #expect(format("[]") == .genaiPrices)
    #expect(format("cards: []") == .yaml)
  }

  @Test func `broken JSON is refused with its line`() {
    let report = PriceListReport(
      bytes: Array("{\n \"m\": {\"litellm_provider\": \"x\",\n}".utf8), name: "prices.json")
    #expect(!report.isUsable)
    #expect(
      report.faults.map(\.description) == [
        "prices.json line 3: “}” where a string was expected; is it this format?"
      ])
  }

  @Test func `a price that cannot be read is told and takes its entry out`() {
    let text =
      #"{"m": {"litellm_provider": "x", "input_cost_per_token": -1, "output_cost_per_token": 2e-06}}"#
    let report = PriceListReport(bytes: Array(text.utf8), name: "prices.json")
    #expect(report.isUsable)
    #expect(report.entryCount == 1 && report.pricedCount == 0)
    #expect(
      report.warnings.map(\.description) == [
        "prices.json: “m”: input_cost_per_token “-1” cannot be used; expected a decimal number of at least 0; the model is left unpriced"
      ])
    let empty = PriceListReport(bytes: Array("{}".utf8), name: "prices.json", format: .litellm)
    #expect(
      empty.faults.map(\.description) == [
        "prices.json: no entry has a price; expected a list in the format litellm"
      ])
  }
}
