internal import FarthingCore

/// Where a format keeps a count: the first alternative that is there, its paths summed.
struct CountRule: Sendable {
  var field: IntegerField
  /// Of each alternative the first path must be there; the others are added where they are.
  var alternatives: [[JSONPath]]
  /// Whether the beginning of a stream cannot know the count: what it says is a placeholder.
  var isFinalOnly = false

  init(_ field: IntegerField, isFinalOnly: Bool = false, _ alternatives: [JSONPath]...) {
    self.field = field
    self.alternatives = alternatives
    self.isFinalOnly = isFinalOnly
  }

  /// The count, or nil where no alternative is there. What is negative or no integer is not there.
  func value(_ find: (JSONPath) -> JSONValue?) -> Int64? {
    for paths in alternatives {
      guard let first = paths.first, var sum = Self.count(find(first)) else { continue }
      for path in paths.dropFirst() {
        let (total, overflow) = sum.addingReportingOverflow(Self.count(find(path)) ?? 0)
        if overflow { return nil }
        sum = total
      }
      return sum
    }
    return nil
  }

  private static func count(_ value: JSONValue?) -> Int64? {
    value?.integer.flatMap { $0 >= 0 ? $0 : nil }
  }
}

/// Where a format keeps a text: the first path that is there.
struct TextRule: Sendable {
  var field: TextField
  var paths: [JSONPath]
  /// What its values are called in the event contract; others stay as they are.
  var names: [String: String] = [:]

  func value(_ find: (JSONPath) -> JSONValue?) -> String? {
    for path in paths {
      if let text = find(path)?.text { return names[text] ?? text }
    }
    return nil
  }
}

/// Names that are the same thing in OpenTelemetry's words.
enum ProviderNames {
  /// LiteLLM's and other gateways' names to `gen_ai.provider.name` values.
  static let canonical: [String: String] = [
    "azure": "azure.ai.openai", "azure_text": "azure.ai.openai",
    "azure_ai": "azure.ai.inference", "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock", "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai", "gemini": "gcp.gemini", "xai": "x_ai",
    "mistral": "mistral_ai", "watsonx": "ibm.watsonx.ai", "cohere_chat": "cohere",
    "text-completion-openai": "openai",
  ]
}

/// Names of service tiers in the contract's words.
enum ServiceTierNames {
  static let canonical: [String: String] = [
    "default": "standard", "auto": "standard", "on_demand": "standard", "ON_DEMAND": "standard",
    "ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex",
    "PROVISIONED_THROUGHPUT": "provisioned", "TRAFFIC_TYPE_UNSPECIFIED": "standard",
  ]
  /// The tier that is no tier but the batch API.
  static let batch = "batch"
}

/// How a call ended, told by its HTTP status and the words of its error.
enum CallStatus {
  /// HTTP statuses that say more than that the call failed.
  private static let codes: [Int64: String] = [
    429: "rate_limited", 408: "timeout", 504: "timeout", 499: "cancelled",
  ]

  /// Parts of error classes, codes and statuses, lower-case, in the order in which they are tried.
  private static let words: [(String, String)] = [
    ("ratelimit", "rate_limited"), ("rate_limit", "rate_limited"), ("throttl", "rate_limited"),
    ("resource_exhausted", "rate_limited"), ("too_many_requests", "rate_limited"),
    ("quota", "rate_limited"), ("timeout", "timeout"), ("timed_out", "timeout"),
    ("deadline_exceeded", "timeout"), ("content_filter", "blocked"),
    ("contentpolicy", "blocked"), ("content_policy", "blocked"), ("guardrail", "blocked"),
    ("cancel", "cancelled"),
  ]

  /// The contract's status of a call that failed.
  static func ofFailure(httpStatus: Int64?, error: [String]) -> String {
    if let httpStatus, let status = codes[httpStatus] { return status }
    for text in error {
      let lowered = text.lowercased()
      if let match = words.first(where: { lowered.contains($0.0) }) { return match.1 }
    }
    return "error"
  }
}

/// Texts that only describe, made to fit the contract rather than refused.
enum DescriptiveText {
  /// The text without control characters and cut to the limit of a text.
  static func fitting(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var length = 0
    for scalar in text.unicodeScalars {
      guard !EventLimits.forbids(scalar) else { continue }
      length += String(scalar).utf8.count
      if length > EventLimits.textBytes { break }
      result.append(scalar)
    }
    return String(result)
  }

  /// An id that fits: a longer one keeps its first 95 bytes of ASCII and a digest of the whole, so
  /// that equal ids stay equal.
  static func id(_ text: String) -> String {
    if text.utf8.count <= EventLimits.idBytes { return text }
    let head = text.unicodeScalars.prefix { $0.isASCII }.prefix(95)
    var digest: [UInt64] = [0xCBF2_9CE4_8422_2325, 0x9E37_79B9_7F4A_7C15]
    for byte in text.utf8 {
      digest[0] = (digest[0] ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
      digest[1] = (digest[1] &+ UInt64(byte)) &* 0xD6E8_FEB8_6659_FD93
      digest[1] ^= digest[1] &>> 29
    }
    let words = digest.map { word in
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }
    return String(String.UnicodeScalarView(head)) + "~" + words.joined()
  }
}
