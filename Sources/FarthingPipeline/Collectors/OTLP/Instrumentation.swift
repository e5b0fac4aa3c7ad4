internal import FarthingCore

// What is known of the sources of spans, as rows of tables. A source is told by the name and version
// of its instrumentation scope; the row with the longest name that the scope's begins with counts,
// and of rows with one name the first whose versions fit. What no row says is the convention's.
//
// A new source is a row. A new name of an attribute is a case of `AttributeKey` and a place in the
// order of its field's alternatives in `SpanFields`.

/// Whether a source's input tokens include those read from and written to a prompt cache.
enum CachedInput: Sendable {
  /// As the convention says; but an input that is less than its parts leaves them out for certain.
  case included
  /// Always, even where the parts contradict it.
  case certainlyIncluded
  /// Never, against the convention.
  case leftOut
}

/// What is peculiar to one source of spans.
struct Instrumentation: Sendable {
  /// What the scope's name begins with; empty for the row of all that are not known.
  var scope: String
  /// Versions below this one; nil for all.
  var below: [Int]?
  /// Whether the source is known; others are read by the convention, with a warning.
  var isKnown = true
  /// Whether input tokens include cached and written ones.
  var cachedInput = CachedInput.included
  /// Whether the provider's own library makes the spans: its counts come before those of what wraps
  /// it, and of errors its class does where a server answered.
  var isProvidersOwn = false
  /// Whether the source reports a call of another source's that it wraps; its model is then the one
  /// that was asked for.
  var isFramework = false
  /// A text of JSON in which the provider's response id stands.
  var responseIDInside: AttributeKey?
  /// What a response model is equal to where it is only the alias that was asked for.
  var modelAlias: AttributeKey?
  /// A text of Python's `repr` with the usage as LiteLLM keeps it.
  var usageText: AttributeKey?
  /// A text of JSON whose `cache_key` tells that the answer came from a response cache, and whose
  /// `model_id` is the deployment.
  var hiddenText: AttributeKey?
  /// The source's own id of a call, which its attempts share.
  var callID: AttributeKey?
  /// What the source calls operations, before the convention's names.
  var operations: NameTable = OperationNames.convention

  static let table: [Instrumentation] = [
    // The GenAI semantic conventions' own family, current names throughout.
    Instrumentation(scope: "opentelemetry.instrumentation.genai"),
    Instrumentation(scope: "opentelemetry.util.genai"),
    Instrumentation(scope: "opentelemetry.instrumentation.openai_v2"),
    // Leaves tool-use prompt tokens out of input tokens, and says nothing of them: seen in 1.3b0.
    Instrumentation(scope: "opentelemetry.instrumentation.google_genai"),
    Instrumentation(scope: "opentelemetry.instrumentation.vertexai"),
    // Copies Bedrock's exclusive input figure.
    Instrumentation(scope: "opentelemetry.instrumentation.botocore", cachedInput: .leftOut),
    // The SDK's own spans: input is summed by it.
    Instrumentation(scope: "com.anthropic.sdk", isProvidersOwn: true),
    // OpenInference: one row for the family, rows for frameworks that wrap provider calls.
    Instrumentation(scope: "openinference.instrumentation", responseIDInside: .outputValue),
    framework("openinference.instrumentation.langchain"),
    framework("openinference.instrumentation.llama_index"),
    framework("openinference.instrumentation.litellm"),
    framework("openinference.instrumentation.dspy"),
    framework("openinference.instrumentation.haystack"),
    framework("openinference.instrumentation.smolagents"),
    // OpenLLMetry: scopes are named after the provider; the SDK's tracer makes wrappers only.
    Instrumentation(scope: "opentelemetry.instrumentation.openai.v"),
    Instrumentation(scope: "opentelemetry.instrumentation.openai"),
    Instrumentation(scope: "opentelemetry.instrumentation.anthropic"),
    Instrumentation(scope: "opentelemetry.instrumentation.google_generativeai"),
    Instrumentation(scope: "opentelemetry.instrumentation.cohere"),
    Instrumentation(scope: "opentelemetry.instrumentation.mistralai"),
    Instrumentation(scope: "opentelemetry.instrumentation.ollama"),
    Instrumentation(scope: "opentelemetry.instrumentation.groq"),
    Instrumentation(scope: "opentelemetry.instrumentation.together"),
    Instrumentation(scope: "opentelemetry.instrumentation.bedrock", cachedInput: .leftOut),
    Instrumentation(scope: "opentelemetry.instrumentation.langchain", isFramework: true),
    Instrumentation(scope: "opentelemetry.instrumentation.llamaindex", isFramework: true),
    Instrumentation(scope: "traceloop.tracer"),
    // LiteLLM's callback: usage parts in a text of Python, the alias in the response model.
    Instrumentation(
      scope: "litellm", cachedInput: .certainlyIncluded, modelAlias: .liteModelGroup,
      usageText: .liteUsage, hiddenText: .liteHidden, callID: .liteCallID,
      operations: OperationNames.liteLLM),
    Instrumentation(scope: "", isKnown: false, responseIDInside: .outputValue),
  ]

  private static func framework(_ scope: String) -> Instrumentation {
    Instrumentation(scope: scope, isFramework: true, responseIDInside: .outputValue)
  }

  /// The row of a scope, as an index into ``table``.
  /// - Complexity: O(r) in the rows.
  static func row(scope: String, version: String) -> Int {
    var best = table.count - 1
    for (index, row) in table.enumerated() where scope.hasPrefix(row.scope) {
      if let below = row.below, !isVersion(version, below: below) { continue }
      if row.scope.utf8.count > table[best].scope.utf8.count { best = index }
    }
    return best
  }

  /// Whether a version's leading numbers are below others; a version without any is not.
  static func isVersion(_ version: String, below other: [Int]) -> Bool {
    let numbers = version.split { !$0.isNumber }.prefix(other.count).map { Int($0) ?? .max }
    return !numbers.isEmpty && numbers.lexicographicallyPrecedes(other)
  }
}

/// Names of one vocabulary and what they are in the contract's, compared without regard to case.
struct NameTable: Sendable {
  private var names: [(name: [UInt8], meaning: [UInt8])]

  init(_ names: KeyValuePairs<String, String>) {
    self.names = names.map { (Array($0.key.utf8), Array($0.value.utf8)) }
  }

  init(_ names: [String: String], _ others: NameTable) {
    self.names = names.map { (Array($0.key.utf8), Array($0.value.utf8)) } + others.names
  }

  /// What a name means; nil for one that is not in the table.
  /// - Complexity: O(n) in the names, of which those of another length cost one comparison.
  func meaning(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    for (name, meaning) in names where name.count == text.count {
      if name.elementsEqual(text, by: { $0 == $1 || $0 == Self.lowered($1) }) { return meaning }
    }
    return nil
  }

  static func lowered(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
  }
}

/// Which operations are calls; all others are of agents, tools and pipelines.
enum OperationNames {
  /// Values of `gen_ai.operation.name`.
  static let convention = NameTable([
    "chat": "chat", "text_completion": "text_completion", "generate_content": "chat",
    "embeddings": "embeddings", "rerank": "rerank", "completion": "text_completion",
    "embedding": "embeddings",
  ])
  /// LiteLLM's names of calls, where `completion` is a chat.
  static let liteLLM = NameTable(LiteLLMFields.operations, convention)
  /// Values of `llm.request.type`.
  static let requestTypes = NameTable([
    "chat": "chat", "completion": "text_completion", "embedding": "embeddings",
    "rerank": "rerank",
  ])
  /// Values of `openinference.span.kind`.
  static let spanKinds = NameTable([
    "LLM": "chat", "llm": "chat", "EMBEDDING": "embeddings", "embedding": "embeddings",
    "RERANKER": "rerank", "reranker": "rerank",
  ])
}

/// Providers' names in `gen_ai.provider.name` values; what is not here is taken in lower case.
enum SpanProviders {
  static let canonical = NameTable([
    "az.ai.openai": "azure.ai.openai", "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai", "az.ai.inference": "azure.ai.inference",
    "azure_ai": "azure.ai.inference", "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai", "vertex_ai_beta": "gcp.vertex_ai",
    "google_vertexai": "gcp.vertex_ai", "gemini": "gcp.gemini", "google": "gcp.gemini",
    "google_genai": "gcp.gemini", "google_generativeai": "gcp.gemini", "xai": "x_ai",
    "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "aws": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock", "mistral": "mistral_ai", "mistralai": "mistral_ai",
    "watsonx": "ibm.watsonx.ai", "cohere_chat": "cohere", "text-completion-openai": "openai",
  ])
}

/// Service tiers' names in the contract's words.
enum SpanTiers {
  static let canonical = NameTable(ServiceTierNames.canonical, NameTable([:]))
  static let batch = Array(ServiceTierNames.batch.utf8)
}
