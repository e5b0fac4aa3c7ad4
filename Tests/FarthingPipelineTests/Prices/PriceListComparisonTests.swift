import FarthingCore
import Testing

@testable import FarthingPipeline

/// The rows of a comparison as text: `kind model provider tier part>above old->new from..until`.
private func differences(
  _ old: (String, PriceListFormat), _ new: (String, PriceListFormat)
) throws -> [String] {
  func source(_ list: (String, PriceListFormat)) throws -> any PriceSource {
    try StoredPriceList(id: 1, name: "list", format: list.1, bytes: Array(list.0.utf8)).opened()
  }
  return PriceListComparison(old: try source(old), new: try source(new)).differences().map { row in
    var words = [row.kind.rawValue, row.models.joined(separator: "|")]
    words += row.providers
    words += [row.tenant.map { "tenant=\($0)" }, row.site.map { "site=\($0)" }, row.tier]
      .compactMap { $0 }
    words.append(row.part + (row.inputAbove.map { ">\($0)" } ?? ""))
    let rates = [row.old, row.new].map { $0?.decimalText(per: row.quantity.count) ?? "none" }
    words.append(rates.joined(separator: "->"))
    if let change = row.relativeChangeInMillionths { words.append("\(change)ppm") }
    if row.period.from != .min { words.append("from \(PriceDate.text(row.period.from))") }
    if row.period.until != .max { words.append("until \(PriceDate.text(row.period.until))") }
    return words.joined(separator: " ")
  }
}

private func yaml(_ old: String, _ new: String) throws -> [String] {
  try differences((old, .yaml), (new, .yaml))
}

struct `Two price lists` {
  @Test func `a list is no different from itself`() throws {
    let list = "cards:\n  - model: atlas\n    prices: {input: 3, output: 15}\n"
    #expect(try yaml(list, list) == [])
    #expect(
      PriceListComparison(old: PriceCatalogue.source, new: PriceCatalogue.source)
        .differences() == [])
  }

  @Test func `models are added, removed and changed, with exact rates`() throws {
    let rows = try yaml(
      """
      cards:
        - model: atlas
          provider: acme
          prices: {input: 3, cached_input: "0.3", output: 15}
        - model: gone
          prices: {input: 1}
      """,
      """
      cards:
        - model: atlas
          provider: acme
          prices: {input: "2.0000000000000001", cached_input: "0.3", output: 15}
        - model: fresh
          prices: {output: 7}
      """)
    #expect(
      rows == [
        "changed atlas acme input 3->2.0000000000000001 -333333ppm",
        "added fresh output none->7",
        "removed gone input 1->none",
      ])
  }

  @Test func `a part without a price of its own counts at its parent's`() throws {
    let rows = try yaml(
      "cards:\n  - {model: a, prices: {input: 4, output: 8}}\n",
      "cards:\n  - {model: a, prices: {input: 4, cached_input: 1, reasoning: 8, output: 8}}\n")
    #expect(rows == ["changed a cached_input 4->1 -750000ppm"])
  }

  @Test func `long context, tiers, batches, units and fees`() throws {
    let rows = try yaml(
      """
      cards:
        - model: a
          prices: {input: 2, output: 8, above: [{input_tokens: 200000, input: 4}]}
          batch: {input: 1}
          tiers: {priority: {output: 16}}
          units: {image: "0.01"}
      """,
      """
      cards:
        - model: a
          prices: {input: 2, output: 8, above: [{input_tokens: 200000, input: 5}]}
          batch: {input: "0.5"}
          tiers: {priority: {output: 20}}
          units: {image: "0.02", page: "0.5"}
          per_request: "0.001"
      """)
    #expect(
      rows == [
        "changed a input>200000 4->5 250000ppm",
        "changed a batch input 1->0.5 -500000ppm",
        "changed a priority output 16->20 250000ppm",
        "changed a image 0.01->0.02 1000000ppm",
        "changed a page none->0.5",
        "changed a request none->0.001",
      ])
  }

  @Test func `prices are compared over time`() throws {
    let rows = try yaml(
      """
      cards:
        - {model: a, until: 2026-07-01, prices: {input: 3}}
        - {model: a, from: 2026-07-01, prices: {input: 2}}
      """,
      "cards:\n  - {model: a, from: 2026-01-01, prices: {input: 2}}\n")
    #expect(
      rows == [
        "removed a input 3->none until 2026-01-01",
        "changed a input 3->2 -333333ppm from 2026-01-01 until 2026-07-01",
      ])
  }

  @Test func `only cards for the same tenant and site are compared`() throws {
    let rows = try yaml(
      """
      cards:
        - {model: a, prices: {input: 3}}
        - {model: a, tenant: acme, prices: {input: 2}}
      """,
      """
      cards:
        - {model: a, prices: {input: 3}}
        - {model: a, site: fra1, prices: {input: 1}}
      """)
    #expect(
      rows == [
        "added a site=fra1 input none->1", "removed a tenant=acme input 2->none",
      ])
  }

  @Test func `lists of different formats are compared as requests would be charged`() throws {
    let rows = try differences(
      (
        """
        cards:
          - {model: gpt-x, aliases: [gpt-x-latest], provider: [openai, azure.ai.openai], prices: {input: 2, output: 8}}
        """, .yaml
      ),
      (
        #"""
        {"gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 2e-06, "output_cost_per_token": 8e-06},
         "azure/gpt-x": {"litellm_provider": "azure", "input_cost_per_token": 3e-06, "output_cost_per_token": 8e-06}}
        """#, .litellm
      ))
    #expect(
      rows == [
        "changed gpt-x azure.ai.openai input 2->3 500000ppm",
        "removed gpt-x-latest openai azure.ai.openai input 2->none",
        "removed gpt-x-latest openai azure.ai.openai output 8->none",
      ])
  }
}
