import FarthingCore
import Foundation
import Testing

@testable import FarthingPipeline

struct `The built-in price catalogue` {
  private static let folder = URL(filePath: #filePath)
    .deletingLastPathComponent()
    .appending(path: "../../../Sources/FarthingPipeline/Prices").standardizedFileURL

  /// `FARTHING_RECORD_GOLDEN=1 swift test` writes the embedded text anew from the files.
  @Test func `the program holds the text of the catalogue's files`() throws {
    let catalogue = Self.folder.appending(path: "Catalogue")
    let names = try FileManager.default.contentsOfDirectory(atPath: catalogue.path)
      .filter { $0.hasSuffix(".yaml") }.sorted()
    var source =
      "// The text of `Catalogue/*.yaml`; `PriceCatalogueTests` keeps it equal to them and can write it anew.\n\n"
    source += "extension PriceCatalogue {\n"
    source += "  /// The catalogue's files by name, in rising order of their names.\n"
    source += "  static let files: [(name: String, text: String)] = [\n"
    for name in names { source += "    (\"\(name)\", \(name.dropLast(5))),\n" }
    source += "  ]\n"
    for name in names {
      let text = try String(contentsOf: catalogue.appending(path: name), encoding: .utf8)
      source += "\n  private static let \(name.dropLast(5)) = #\"\"\"\n"
      for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        source += line.isEmpty ? "\n" : "    \(line)\n"
      }
      source += "    \"\"\"#\n"
    }
    source += "}\n"
    let embedded = Self.folder.appending(path: "PriceCatalogue+Files.swift")
    if ProcessInfo.processInfo.environment["FARTHING_RECORD_GOLDEN"] != nil {
      try source.write(to: embedded, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: embedded, encoding: .utf8) == source)
  }

  @Test func `every card can be read and says where and when its rates were found`() {
    #expect(PriceCatalogue.faults == [])
    let cards = PriceCatalogue.source.cards()
    #expect(cards.count >= 200)
    for card in cards {
      #expect(card.source?.hasPrefix("https://") == true, "\(card.entry)")
      #expect(card.sourceDate.map { $0 <= PriceCatalogue.date } == true, "\(card.entry)")
    }
    #expect(cards.compactMap(\.sourceDate).max() == PriceCatalogue.date)
  }

  @Test func `its age is counted in whole days`() throws {
    let read = try #require(PriceDate.nanoseconds(PriceCatalogue.date))
    #expect(PriceCatalogue.ageInDays(now: read) == 0)
    #expect(PriceCatalogue.ageInDays(now: read + 10 * CivilTime.day + 5) == 10)
    #expect(PriceCatalogue.ageInDays(now: 0) == 0)
  }

  @Test(arguments: [
    ("gpt-4o", "openai", "2.5"), ("gpt-4o-2024-08-06", nil, "2.5"), ("openai/gpt-4o", nil, "2.5"),
    ("gpt-4o-2024-05-13", "openai", "5"), ("gpt-4o", "azure.ai.openai", "2.5"),
    ("claude-sonnet-4-5-20250929", "anthropic", "3"),
    ("models/gemini-2.5-pro", "gcp.gemini", "1.25"),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws.bedrock", "3.3"),
    ("amazon.nova-micro-v1:0", "bedrock", "0.035"), ("mistral-large-2512", "mistral_ai", "0.5"),
  ])
  func `a model is found by its names`(model: String, provider: String?, input: String) throws {
    let book = PriceBook(sources: [PriceCatalogue.source])
    let price = try #require(
      book.resolve(PriceRequest(model: model, provider: provider, time: 1_795_000_000_000_000_000)))
    #expect(price.bands[0].rates[0]?.decimalText(per: 1_000_000) == input, "\(price.key)")
  }

  @Test func `a model of another provider, or unknown, has no price`() {
    let book = PriceBook(sources: [PriceCatalogue.source])
    let time: Int64 = 1_795_000_000_000_000_000
    #expect(book.resolve(PriceRequest(model: "gpt-4o", provider: "self", time: time)) == nil)
    #expect(book.resolve(PriceRequest(model: "no-such-model", time: time)) == nil)
  }
}
