// What synthetic fleets are made of: models, places and applications.
//
// Token shapes are natural-log means and deviations fitted to public traces; which trace each
// follows and how closely is in docs/decisions/0006-synthesis.md. Where no public trace has a
// figure (steps of an agent, outcomes, retries) the value is an assumption and listed there.

/// How a provider's prompt cache shows in its usage report.
enum PromptCachePolicy: Sendable {
  /// No cache that the provider reports.
  case none
  /// Prefixes of at least 1,024 tokens are cached by themselves, in steps of 128.
  case automatic
  /// The caller marks what to cache; writing is reported, and charged, by itself.
  case explicit
}

/// A public model, or one that the company serves itself.
struct ModelShape: Sendable {
  var name: String
  var provider: String
  /// First part of the names of the endpoints that serve it; the site is the second.
  var endpoint: String
  /// Output tokens a second of one stream.
  var tokensPerSecond: Double
  /// Milliseconds before the first token of an empty prompt.
  var firstTokenMilliseconds: Double
  var cache: PromptCachePolicy
  /// The model that answers when this one cannot.
  var fallback: Int

  static let gpt5 = 0
  static let gpt5Mini = 1
  static let gpt5Nano = 2
  static let gpt41Mini = 3
  static let gpt4oMini = 4
  static let claudeOpus = 5
  static let claudeSonnet = 6
  static let claudeHaiku = 7
  static let geminiPro = 8
  static let geminiFlash = 9
  static let geminiFlashLite = 10
  static let mistralSmall = 11
  static let embedding = 12
  static let ownLlama = 13

  /// All models; the constants above are places in it. The last has no public price.
  static let all: [ModelShape] = [
    openAI("gpt-5", 75, 600, fallback: claudeSonnet),
    openAI("gpt-5-mini", 120, 380, fallback: geminiFlash),
    openAI("gpt-5-nano", 190, 250, fallback: gpt4oMini),
    openAI("gpt-4.1-mini", 110, 320, fallback: gpt4oMini),
    openAI("gpt-4o-mini", 95, 300, fallback: gpt41Mini),
    anthropic("claude-opus-4-5", 60, 900, fallback: claudeSonnet),
    anthropic("claude-sonnet-4-5", 72, 700, fallback: gpt5),
    anthropic("claude-haiku-4-5", 140, 380, fallback: gpt5Mini),
    google("gemini-2.5-pro", 100, 800, fallback: gpt5),
    google("gemini-2.5-flash", 210, 330, fallback: gpt5Mini),
    google("gemini-2.5-flash-lite", 320, 220, fallback: geminiFlash),
    ModelShape(
      name: "mistral-small-latest", provider: "mistral_ai", endpoint: "mistral",
      tokensPerSecond: 130, firstTokenMilliseconds: 260, cache: .none, fallback: gpt4oMini),
    openAI("text-embedding-3-small", 100, 40, fallback: embedding),
    ModelShape(
      name: "llama-3.3-70b-fp8-inhouse", provider: "self", endpoint: "vllm",
      tokensPerSecond: 48, firstTokenMilliseconds: 120, cache: .none, fallback: gpt5Nano),
  ]

  private static func openAI(
    _ name: String, _ speed: Double, _ first: Double, fallback: Int
  ) -> ModelShape {
    ModelShape(
      name: name, provider: "openai", endpoint: "openai", tokensPerSecond: speed,
      firstTokenMilliseconds: first, cache: .automatic, fallback: fallback)
  }

  private static func anthropic(
    _ name: String, _ speed: Double, _ first: Double, fallback: Int
  ) -> ModelShape {
    ModelShape(
      name: name, provider: "anthropic", endpoint: "anthropic", tokensPerSecond: speed,
      firstTokenMilliseconds: first, cache: .explicit, fallback: fallback)
  }

  private static func google(
    _ name: String, _ speed: Double, _ first: Double, fallback: Int
  ) -> ModelShape {
    ModelShape(
      name: name, provider: "gcp.vertex_ai", endpoint: "vertex", tokensPerSecond: speed,
      firstTokenMilliseconds: first, cache: .automatic, fallback: fallback)
  }
}

/// A point of presence.
struct SiteShape: Sendable {
  var name: String
  /// Hours ahead of UTC of its callers' clocks.
  var hoursAhead: Int
  /// Milliseconds to the provider and back.
  var networkMilliseconds: Double

  /// Airport codes of usual places; further sites repeat them with a higher number.
  static let places: [(code: String, hoursAhead: Int, network: Double)] = [
    ("fra", 1, 14), ("iad", -5, 9), ("sin", 8, 46), ("ams", 1, 16), ("sfo", -8, 22),
    ("nrt", 9, 38), ("lhr", 0, 15), ("gru", -3, 71), ("syd", 10, 82), ("bom", 5, 64),
    ("cdg", 1, 15), ("ord", -6, 18), ("dfw", -6, 21), ("icn", 9, 41), ("jnb", 2, 96),
    ("yyz", -5, 17), ("waw", 1, 22), ("mad", 1, 25),
  ]

  static func numbered(_ index: Int) -> SiteShape {
    let place = places[index % places.count]
    return SiteShape(
      name: "\(place.code)\(1 + index / places.count)", hoursAhead: place.hoursAhead,
      networkMilliseconds: place.network)
  }
}

/// How an application's load follows the clock of its callers.
enum Season: Sendable {
  /// People at work: weekdays, nine to six.
  case office
  /// A public service, measured: flat by day, a trough before dawn.
  case online
  /// Machines: no season.
  case flat
  /// A job each night, 01:00 to 04:00 UTC.
  case nightly

  /// Hours of the day relative to the day's mean.
  ///
  /// `online` is the ServeGen m-large language workload, all clients, 14 days.
  private static let onlineHours: [Double] = [
    0.91, 0.90, 0.82, 0.82, 0.80, 0.75, 0.62, 0.62, 0.71, 0.87, 1.01, 1.22,
    1.05, 1.13, 1.19, 1.22, 1.26, 1.20, 1.10, 1.10, 1.18, 1.13, 1.25, 1.13,
  ]
  private static let officeHours: [Double] = [
    0.10, 0.08, 0.07, 0.07, 0.08, 0.12, 0.25, 0.60, 1.30, 2.00, 2.25, 2.10,
    1.65, 1.95, 2.25, 2.15, 1.95, 1.55, 1.00, 0.75, 0.60, 0.50, 0.38, 0.25,
  ]
  private static let nightHours: [Double] = [0, 8, 10, 6] + [Double](repeating: 0, count: 20)

  /// The rate at an hour of a day of the week (0 is Monday) relative to the week's mean.
  func factor(hour: Int, weekday: Int) -> Double {
    let isWeekend = weekday >= 5
    switch self {
    // The quotients bring the mean over the week to 1.
    case .office:
      return Self.officeHours[hour] * (isWeekend ? 0.3 : 1) * (7 / 5.6)
    case .online:
      return Self.onlineHours[hour] * (isWeekend ? 0.85 : 1) * (7 / 6.7)
    case .flat:
      return 1
    case .nightly:
      return Self.nightHours[hour]
    }
  }
}
