import FarthingCore
import Testing

@testable import FarthingPipeline

@Suite(
  .enabled(
    if: SharedPriceCases.folder != nil,
    "the price lists are not beside the package; set FARTHING_SHARED to their folder"))
struct `Price cases of the community lists` {
  @Test func `every LiteLLM case costs exactly what the list says`() throws {
    let book = try PriceBook(
      lists: [SharedPriceCases.list("litellm_model_prices.json", .litellm)], withCatalogue: false)
    let cases = PriceCase.all(try SharedPriceCases.bytes("cases.jsonl")).filter {
      $0.source.hasPrefix("litellm")
    }
    #expect(cases.count > 60)
    for each in cases {
      let price = try #require(book.resolve(each.request), "\(each["id"] ?? "")")
      let cost = Picodollars(price.breakdown(each.usage).total)
      #expect(
        cost.decimalText == each["exact_from_list_usd"],
        "\(each["id"] ?? "") \(price.key)")
      guard each["agrees"] != "false", each.tree["agrees"] == .boolean(true) else { continue }
      let claimed = try #require(each["cost_usd"].flatMap { Picodollars(decimal: $0) })
      // The package's own figure is binary floating point: equal within 10⁻⁹ of itself.
      #expect(
        (cost.rawValue - claimed.rawValue).magnitude * 1_000_000_000 <= claimed.rawValue.magnitude)
    }
  }

  @Test(arguments: [
    ("litellm_model_prices.json", PriceListFormat.litellm),
    ("genai_prices_data.json", .genaiPrices),
  ])
  func `no entry of a published list is unusable`(file: String, format: PriceListFormat) throws {
    let report = PriceListReport(
      bytes: try SharedPriceCases.bytes(file), name: file, format: format)
    #expect(report.isUsable)
    #expect(report.warnings == [])
    #expect(report.pricedCount > 2_000)
  }

  @Test func `every genai-prices case costs exactly what its calculator says`() throws {
    let book = try PriceBook(
      lists: [SharedPriceCases.list("genai_prices_data.json", .genaiPrices)], withCatalogue: false)
    let cases = PriceCase.all(try SharedPriceCases.bytes("cases.jsonl")).filter {
      $0.source.hasPrefix("genai")
    }
    #expect(cases.count > 30)
    for each in cases {
      let price = try #require(book.resolve(each.request), "\(each["id"] ?? "")")
      let cost = price.breakdown(each.usage)
      #expect(
        cost.total == each["cost_usd"].flatMap { Picodollars(decimal: $0) }?.rawValue,
        "\(each["id"] ?? "") \(price.key)")
      #expect(
        cost.outputCost == each["output_cost_usd"].flatMap { Picodollars(decimal: $0) }?.rawValue)
    }
  }
}
