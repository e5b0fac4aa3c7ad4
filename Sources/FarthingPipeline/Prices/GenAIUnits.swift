internal import FarthingCore

/// What a price key of genai-prices prices: a part of the tokens, a metered unit, or each request.
///
/// Source: the list's `units` table, which gives each unit's dimensions; lists of an older form have none and
/// are read by the keys' endings.
struct GenAIUnits {
  enum Meaning: Equatable {
    case part(PricePart)
    /// Tokens that events do not tell apart: charged as the part that contains them.
    case notTold
    case unit(String)
    case requestFee
  }

  struct Unit: Equatable {
    let meaning: Meaning
    /// How many units the price is for.
    let per: UInt64
  }

  private var byPriceKey: [String: Unit] = [:]

  init(table: PriceTree?) {
    for member in table?.members ?? [] {
      guard let key = member.value["price_key"]?.text,
        let per = member.value["per"]?.decimal.flatMap({ UInt64($0) }), per > 0
      else { continue }
      byPriceKey[key] = Unit(
        meaning: Self.meaning(member.name, member.value["dimensions"]), per: per)
    }
  }

  /// What `key` prices, or nil where it is unknown.
  subscript(_ key: String) -> Unit? { byPriceKey[key] ?? Self.byEnding(key) }

  private static func meaning(_ name: String, _ dimensions: PriceTree?) -> Meaning {
    func dimension(_ name: String) -> String? { dimensions?[name]?.text }
    switch dimension("family") {
    case "requests": return .requestFee
    case "tokens": break
    default: return .unit(name)
    }
    let words = ["direction", "modality", "token_type", "cache_ttl"].map { dimension($0) ?? "" }
    return parts[words.joined(separator: " ")].map { .part($0) } ?? .notTold
  }

  /// Direction, modality, kind and life time of cache, joined by spaces.
  private static let parts: [String: PricePart] = [
    "input   ": .input,
    "input  cache_read ": .cachedInput,
    "input  cache_write ": .cacheWrite,
    "input  cache_write 1h": .cacheWrite1h,
    "output   ": .output,
    "output  reasoning ": .reasoning,
    "input audio  ": .inputAudio,
    "output audio  ": .outputAudio,
    "input image  ": .inputImage,
  ]

  private static let tokenKeys: [String: PricePart] = [
    "input_mtok": .input, "cache_read_mtok": .cachedInput, "cache_write_mtok": .cacheWrite,
    "cache_write_1h_mtok": .cacheWrite1h, "output_mtok": .output,
    "output_reasoning_mtok": .reasoning, "input_audio_mtok": .inputAudio,
    "output_audio_mtok": .outputAudio, "input_image_mtok": .inputImage,
  ]

  private static let endings: [(ending: String, per: UInt64, unit: String)] = [
    ("_kcount", 1_000, ""), ("_hours", 3_600, "_seconds"), ("_mchars", 1_000_000, "_characters"),
    ("_kpages", 1_000, "_pages"), ("_gpixels", 1_000_000_000, "_pixels"),
  ]

  private static func byEnding(_ key: String) -> Unit? {
    if let part = tokenKeys[key] { return Unit(meaning: .part(part), per: 1_000_000) }
    if key == "requests_kcount" { return Unit(meaning: .requestFee, per: 1_000) }
    if key.hasSuffix("_mtok") { return Unit(meaning: .notTold, per: 1_000_000) }
    guard let found = endings.first(where: { key.hasSuffix($0.ending) }) else { return nil }
    let name = String(key.dropLast(found.ending.count)) + found.unit
    return Unit(meaning: .unit(name), per: found.per)
  }
}
