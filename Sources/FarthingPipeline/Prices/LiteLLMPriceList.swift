internal import FarthingCore

// LiteLLM's list: indexed when it is opened, read entry by entry when one is asked for.
//
// The public list is some 3 MB with 4,000 entries, of which a store meets a few dozen. Opening it passes over
// the text once and notes where each entry is.

/// LiteLLM's community price list as a source of prices.
///
/// An entry keyed by the event's model whose `litellm_provider` is the event's provider wins; then
/// `provider/model`; then the bare model. The model is then tried without its catalogue path or provider prefix.
final class LiteLLMPriceList: PriceSource {
  let list: PriceListIdentity
  private let bytes: [UInt8]
  private let entries: [String: Range<Int>]
  /// Names that occur as providers, for prefixes of models; found while indexing.
  private let providers: Set<String>

  /// Indexes the list.
  /// - Throws: `PriceTextFault` where the text is not one JSON object.
  /// - Complexity: O(n) in the bytes, about 1 ns each.
  init(bytes: [UInt8], list: PriceListIdentity) throws(PriceTextFault) {
    self.list = list
    self.bytes = bytes
    let index = try Self.index(bytes.span)
    entries = index
    providers = Set(
      index.keys.compactMap { (name) in
        name.firstIndex(of: "/").map { String(name[..<$0]) }
      })
  }

  private static func index(_ text: Span<UInt8>) throws(PriceTextFault) -> [String: Range<Int>] {
    var cursor = PriceTextCursor(at: text.startsWithByteOrderMark ? 3 : 0)
    var entries: [String: Range<Int>] = [:]
    try cursor.expect(UInt8(ascii: "{"), text)
    if !cursor.take(UInt8(ascii: "}"), text) {
      repeat {
        let name = try cursor.string(text)
        try cursor.expect(UInt8(ascii: ":"), text)
        let range = try cursor.skipValue(text)
        // The list's own description of its fields looks like an entry.
        if name != "sample_spec" { entries[name] = range }
      } while cursor.take(UInt8(ascii: ","), text)
      try cursor.expect(UInt8(ascii: "}"), text)
    }
    cursor.skipSpace(text)
    guard cursor.position == text.count else { throw cursor.fault("the end of the text") }
    return entries
  }

  /// The entry of that name, or nil where there is none.
  func entry(_ name: String) -> LiteLLMEntry? {
    guard let range = entries[name] else { return nil }
    return PriceTree(bytes, at: range.lowerBound).map { LiteLLMEntry($0, named: name) }
  }

  var entryNames: [String] { entries.keys.sorted() }

  private func priced(_ name: String, by provider: String? = nil, or other: String? = nil)
    -> RateCard?
  {
    guard let entry = entry(name), entry.isPriced else { return nil }
    guard let provider else { return entry.card }
    return entry.provider == provider || entry.provider == other ? entry.card : nil
  }

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    let names = ModelNames.candidates(request.model) { (prefix) in
      providers.contains(prefix) || ProviderVocabulary.liteLLM(prefix) != prefix
        || prefix == "openai"
        || prefix == "anthropic"
    }
    for name in names {
      let provider = request.provider ?? name.provider
      if let card = card(name.model, provider: provider) { return PriceMatch(card: card) }
    }
    return nil
  }

  private func card(_ model: String, provider: String?) -> RateCard? {
    if let provider {
      let mapped = ProviderVocabulary.liteLLM(provider)
      if let card = priced(model, by: mapped, or: provider) { return card }
      if let card = priced("\(mapped)/\(model)") { return card }
      if mapped != provider, let card = priced("\(provider)/\(model)") { return card }
    }
    return priced(model)
  }

  func cards() -> [RateCard] {
    entryNames.compactMap { (name) in
      entry(name).flatMap { $0.isPriced ? $0.card : nil }
    }
  }
}

extension Span where Element == UInt8 {
  var startsWithByteOrderMark: Bool {
    count >= 3 && self[0] == 0xEF && self[1] == 0xBB && self[2] == 0xBF
  }
}
