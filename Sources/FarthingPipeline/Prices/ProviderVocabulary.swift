// Providers have a name in OpenTelemetry, one in LiteLLM and one in genai-prices.
//
// Source: OpenTelemetry semantic conventions for GenAI (`gen_ai.provider.name`, status Development), read
// 2026-11; the lists' own `litellm_provider` and provider ids.

/// The names of one provider in the vocabularies that lists use.
enum ProviderVocabulary {
  private struct Names {
    let openTelemetry: String
    let liteLLM: String
    let genAIPrices: String
  }

  private static let table: [Names] = [
    Names(openTelemetry: "anthropic", liteLLM: "anthropic", genAIPrices: "anthropic"),
    Names(openTelemetry: "aws.bedrock", liteLLM: "bedrock", genAIPrices: "aws"),
    Names(openTelemetry: "azure.ai.inference", liteLLM: "azure_ai", genAIPrices: "azure"),
    Names(openTelemetry: "azure.ai.openai", liteLLM: "azure", genAIPrices: "azure"),
    Names(openTelemetry: "cohere", liteLLM: "cohere", genAIPrices: "cohere"),
    Names(openTelemetry: "deepseek", liteLLM: "deepseek", genAIPrices: "deepseek"),
    Names(openTelemetry: "gcp.gemini", liteLLM: "gemini", genAIPrices: "google"),
    Names(openTelemetry: "gcp.gen_ai", liteLLM: "gemini", genAIPrices: "google"),
    Names(openTelemetry: "gcp.vertex_ai", liteLLM: "vertex_ai", genAIPrices: "google"),
    Names(openTelemetry: "groq", liteLLM: "groq", genAIPrices: "groq"),
    Names(openTelemetry: "ibm.watsonx.ai", liteLLM: "watsonx", genAIPrices: "watsonx"),
    Names(openTelemetry: "mistral_ai", liteLLM: "mistral", genAIPrices: "mistral"),
    Names(openTelemetry: "moonshot_ai", liteLLM: "moonshot", genAIPrices: "moonshotai"),
    Names(openTelemetry: "openai", liteLLM: "openai", genAIPrices: "openai"),
    Names(openTelemetry: "perplexity", liteLLM: "perplexity", genAIPrices: "perplexity"),
    Names(openTelemetry: "x_ai", liteLLM: "xai", genAIPrices: "x-ai"),
  ]

  /// Whether a lower-case name is a provider's in any of the vocabularies.
  static func isKnown(_ name: String) -> Bool {
    table.contains {
      $0.openTelemetry == name || $0.liteLLM == name || $0.genAIPrices == name
    }
  }

  /// LiteLLM's name for the provider that an event names; other names are left as they are.
  static func liteLLM(_ provider: String) -> String {
    table.first { $0.openTelemetry == provider }?.liteLLM ?? provider
  }

  /// The id in genai-prices of the provider that an event names, in OpenTelemetry's or LiteLLM's words.
  static func genAIPrices(_ provider: String) -> String {
    let name = provider.lowercased()
    return table.first { $0.openTelemetry == name || $0.liteLLM == name }?.genAIPrices ?? name
  }

  /// OpenTelemetry's name for a provider in any of the vocabularies; other names are left as they are.
  ///
  /// LiteLLM's words come first: they tell Azure's OpenAI service (`azure`) from its other models (`azure_ai`).
  static func openTelemetry(_ provider: String) -> String {
    let name = provider.lowercased()
    if table.contains(where: { $0.openTelemetry == name }) { return name }
    let known = table.first { $0.liteLLM == name } ?? table.first { $0.genAIPrices == name }
    return known?.openTelemetry ?? name
  }
}

/// Other ways in which a model's name is written: with the path of a cloud's catalogue, with its provider in
/// front, or as an Amazon resource name. The spelling itself is never guessed at.
enum ModelNames {
  /// The names to try, the event's own first; each with the provider that its prefix names, if it does.
  static func candidates(
    _ model: String, isProvider: (String) -> Bool
  ) -> [(model: String, provider: String?)] {
    var candidates: [(model: String, provider: String?)] = [(model, nil)]
    var name = model
    if name.hasPrefix("arn:"), let tail = name.split(separator: "/").last {
      name = String(tail)
      candidates.append((name, nil))
    }
    if let catalogue = name.range(ofPath: "models/") {
      name = catalogue
      candidates.append((name, nil))
    }
    if let slash = name.firstIndex(of: "/") {
      let prefix = String(name[..<slash])
      let rest = String(name[name.index(after: slash)...])
      if isProvider(prefix), !rest.isEmpty { candidates.append((rest, prefix)) }
    }
    return candidates
  }
}

extension String {
  /// What follows the last `path` in a name such as `publishers/google/models/x`, where `path` begins the name
  /// or follows a slash.
  fileprivate func range(ofPath path: String) -> String? {
    guard hasPrefix(path) || hasPrefix("publishers/") || hasPrefix("projects/") else { return nil }
    let parts = split(separator: "/")
    guard let last = parts.lastIndex(of: path.dropLast()), last + 1 < parts.count else {
      return nil
    }
    return parts[(last + 1)...].joined(separator: "/")
  }
}
