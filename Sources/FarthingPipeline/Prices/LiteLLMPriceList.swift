internal import FarthingCore

// LiteLLM's list: indexed when it is opened, read entry by entry when one is asked for.
//
// The public list is some 3 MB with 4,000 entries, of which a store meets a few dozen. Opening it passes over
// the text once and notes where each entry is.

/// LiteLLM's community price list as a source of prices.
///
/// An entry keyed by the event's model whose `litellm_provider` is the event's provider wins; then
/// `provider/model`; then the bare model. The model is then tried without its catalogue path or provider prefix.
/// The first entry that is met decides: where it has no usable price, the model has none in this list.
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
    return PriceTree(bytes, at: range.lowerBound).map {
      LiteLLMEntry($0, named: name, since: list.from)
    }
  }

  var entryNames: [String] { entries.keys.sorted() }

  private func named(_ name: String, by provider: String? = nil, or other: String? = nil)
    -> PriceMatch?
  {
    guard let entry = entry(name) else { return nil }
    if let provider, entry.provider != provider, entry.provider != other { return nil }
    return entry.isPriced ? PriceMatch(card: entry.card) : .withoutPrice
  }

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    // No entry has dates, so the whole list holds since the date that its import named.
    if let from = list.from {
      period.narrow(at: from, around: request.time)
      guard request.time >= from else { return nil }
    }
    let names = ModelNames.candidates(request.model) { (prefix) in
      providers.contains(prefix) || ProviderVocabulary.liteLLM(prefix) != prefix
        || prefix == "openai"
        || prefix == "anthropic"
    }
    for name in names {
      let provider = request.provider ?? name.provider
      if let match = match(name.model, provider: provider) { return match }
    }
    return nil
  }

  private func match(_ model: String, provider: String?) -> PriceMatch? {
    if let provider {
      let mapped = ProviderVocabulary.liteLLM(provider)
      if let match = named(model, by: mapped, or: provider) { return match }
      if let match = named("\(mapped)/\(model)") { return match }
      if mapped != provider, let match = named("\(provider)/\(model)") { return match }
    }
    return named(model)
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
