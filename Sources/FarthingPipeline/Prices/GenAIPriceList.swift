internal import FarthingCore
internal import Synchronization

// The genai-prices list: providers with models, each with a condition on the names it is for.
//
// Opening it notes where each provider's models are. The conditions of a provider are read when the first of
// its models is asked for, and a model's prices when it is found.

/// The genai-prices list as a source of prices.
///
/// The provider is found by its id, then by its condition on provider names; without a provider, by the condition on
/// model names. Within it the first model whose condition holds is the one; then those of providers whose
/// models it resells.
final class GenAIPriceList: PriceSource {
  private struct Provider {
    let id: String
    let providerMatch: MatchClause?
    let modelMatch: MatchClause?
    let resells: [String]
    /// Byte offsets of the models.
    let models: [Int]
  }

  let list: PriceListIdentity
  private let bytes: [UInt8]
  private let units: GenAIUnits
  private let providers: [Provider]
  /// Conditions and offsets of each provider's models, by the provider's index, once they are read.
  private let clauses = Mutex<[Int: [(clause: MatchClause, offset: Int)]]>([:])

  /// Indexes the list: an object with `providers`, or the bare array of them.
  /// - Throws: `PriceTextFault` where the text is not such a list.
  /// - Complexity: O(n) in the bytes.
  init(bytes: [UInt8], list: PriceListIdentity) throws(PriceTextFault) {
    self.list = list
    self.bytes = bytes
    let text = bytes.span
    var cursor = PriceTextCursor(at: text.startsWithByteOrderMark ? 3 : 0)
    var units: PriceTree?
    var providers: [Provider]?
    if try cursor.kind(text) == .array {
      providers = try Self.providers(text, &cursor)
    } else {
      try Self.members(text, &cursor) { (name, cursor, text) throws(PriceTextFault) in
        switch name {
        case "units": units = try PriceTree(text, at: &cursor)
        case "providers": providers = try Self.providers(text, &cursor)
        default: _ = try cursor.skipValue(text)
        }
      }
    }
    cursor.skipSpace(text)
    guard cursor.position == text.count else { throw cursor.fault("the end of the text") }
    guard let providers else { throw PriceTextFault(position: 0, expected: "a member “providers”") }
    self.units = GenAIUnits(table: units)
    self.providers = providers
  }

  private static func members(
    _ text: borrowing Span<UInt8>, _ cursor: inout PriceTextCursor,
    _ body: (String, inout PriceTextCursor, borrowing Span<UInt8>) throws(PriceTextFault) -> Void
  ) throws(PriceTextFault) {
    try cursor.expect(UInt8(ascii: "{"), text)
    if cursor.take(UInt8(ascii: "}"), text) { return }
    repeat {
      let name = try cursor.string(text)
      try cursor.expect(UInt8(ascii: ":"), text)
      try body(name, &cursor, text)
    } while cursor.take(UInt8(ascii: ","), text)
    try cursor.expect(UInt8(ascii: "}"), text)
  }

  private static func elements(
    _ text: borrowing Span<UInt8>, _ cursor: inout PriceTextCursor,
    _ body: (inout PriceTextCursor, borrowing Span<UInt8>) throws(PriceTextFault) -> Void
  ) throws(PriceTextFault) {
    try cursor.expect(UInt8(ascii: "["), text)
    if cursor.take(UInt8(ascii: "]"), text) { return }
    repeat {
      try body(&cursor, text)
    } while cursor.take(UInt8(ascii: ","), text)
    try cursor.expect(UInt8(ascii: "]"), text)
  }

  private static func providers(
    _ text: borrowing Span<UInt8>, _ cursor: inout PriceTextCursor
  ) throws(PriceTextFault) -> [Provider] {
    var providers: [Provider] = []
    try elements(text, &cursor) { (cursor, text) throws(PriceTextFault) in
      var fields: [String: PriceTree] = [:]
      var models: [Int] = []
      try members(text, &cursor) { (name, cursor, text) throws(PriceTextFault) in
        switch name {
        case "models":
          try elements(text, &cursor) { (cursor, text) throws(PriceTextFault) in
            models.append(try cursor.skipValue(text).lowerBound)
          }
        case "id", "provider_match", "model_match", "fallback_model_providers":
          fields[name] = try PriceTree(text, at: &cursor)
        default: _ = try cursor.skipValue(text)
        }
      }
      providers.append(
        Provider(
          id: fields["id"]?.text ?? "",
          providerMatch: fields["provider_match"].flatMap(MatchClause.init),
          modelMatch: fields["model_match"].flatMap(MatchClause.init),
          resells: fields["fallback_model_providers"]?.elements.compactMap(\.text) ?? [],
          models: models))
    }
    return providers
  }

  // MARK: Look-up

  private func provider(named name: String) -> Int? {
    let id = ProviderVocabulary.genAIPrices(name)
    return providers.firstIndex { $0.id == id }
      ?? providers.firstIndex { $0.providerMatch?.matches(id) ?? false }
  }

  private func conditions(of provider: Int) -> [(clause: MatchClause, offset: Int)] {
    clauses.withLock { (known) in
      if let conditions = known[provider] { return conditions }
      let conditions = providers[provider].models.compactMap { (offset) in
        PriceTree(bytes, at: offset)?["match"].flatMap(MatchClause.init).map { ($0, offset) }
      }
      known[provider] = conditions
      return conditions
    }
  }

  private func model(_ name: String, of provider: Int) -> GenAIModel? {
    guard let found = conditions(of: provider).first(where: { $0.clause.matches(name) }) else {
      return nil
    }
    return PriceTree(bytes, at: found.offset).flatMap {
      GenAIModel($0, provider: providers[provider].id)
    }
  }

  /// The model and whether it is the provider's own.
  private func find(_ name: String, of provider: Int) -> (model: GenAIModel, isOwn: Bool)? {
    for spelling in [name, Self.withDashedDate(name)].compactMap({ $0 }) {
      if let model = model(spelling, of: provider) { return (model, true) }
      for id in providers[provider].resells {
        guard let other = providers.firstIndex(where: { $0.id == id }) else { continue }
        if let model = model(spelling, of: other) { return (model, false) }
      }
    }
    return nil
  }

  /// `x-2025-12-11` for `x-20251211`, the form that gateways write; nil where no date ends the name.
  private static func withDashedDate(_ name: String) -> String? {
    let digits = name.suffix(8)
    guard digits.utf8.count == 8, digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }),
      name.dropLast(8).hasSuffix("-")
    else { return nil }
    let date = "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
    return PriceDate.nanoseconds(date) == nil ? nil : name.dropLast(8) + date
  }

  func match(_ request: PriceRequest, period: inout PricePeriod) -> PriceMatch? {
    let names = ModelNames.candidates(request.model.lowercased()) {
      provider(named: $0) != nil
    }
    for name in names {
      let index: Int?
      if let asked = request.provider, asked.lowercased() != "litellm" {
        index = provider(named: asked)
      } else if let prefix = name.provider {
        index = provider(named: prefix)
      } else {
        index = providers.firstIndex { $0.modelMatch?.matches(name.model) ?? false }
      }
      guard let index, let (model, isOwn) = find(name.model, of: index) else { continue }
      if let from = list.from, !model.isDated {
        period.narrow(at: from, around: request.time)
        guard request.time >= from else { return nil }
      }
      guard model.unreadable(units: units).isEmpty else { return .withoutPrice }
      let card = model.card(
        at: request.time, units: units, withVariants: isOwn, since: list.from, period: &period)
      return PriceMatch(card: card)
    }
    return nil
  }

  /// Every model, in the list's order.
  func forEachModel(_ body: (GenAIModel?, PriceTree) -> Void) {
    for provider in providers {
      for offset in provider.models {
        guard let tree = PriceTree(bytes, at: offset) else { continue }
        body(GenAIModel(tree, provider: provider.id), tree)
      }
    }
  }

  /// Prices that could not be read, with the entry that they make unusable.
  var unreadable: [(entry: String, price: UnreadablePrice)] {
    var found: [(entry: String, price: UnreadablePrice)] = []
    forEachModel { (model, _) in
      guard let model else { return }
      for price in model.unreadable(units: units) {
        found.append(("\(model.provider)/\(model.id)", price))
      }
    }
    return found
  }

  var modelCount: Int { providers.reduce(0) { $0 + $1.models.count } }

  func cards() -> [RateCard] {
    var cards: [RateCard] = []
    forEachModel { (model, _) in cards += model?.allCards(units: units, since: list.from) ?? [] }
    return cards
  }
}
