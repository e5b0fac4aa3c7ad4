internal import FarthingCore

/// What one API calls the contract's fields: a table, so that an API is added by adding rows.
///
/// Paths that begin with `meta` look into what stands beside the body: `meta.request_path`,
/// `meta.request_model`, `meta.status`, `meta.response_headers`.
struct ResponseFormat: Sendable {
  var source: SourceFormat
  var provider: String
  /// Part of a path, lower-case, to another provider that speaks the same API.
  var providers: [(part: String, provider: String)] = []
  /// Part of a path, lower-case, to an operation.
  var operations: [(part: String, operation: String)]
  /// Values of `object` to operations.
  var objects: [String: String] = [:]
  var counts: [CountRule]
  var model: [JSONPath]
  var id: [JSONPath]
  var serviceTier: [JSONPath]
  /// Seconds since 1970.
  var createdSeconds: [JSONPath] = []
  /// Milliseconds.
  var latency: [JSONPath] = []
  /// The class of an error.
  var error: [JSONPath]
  /// What only a whole stream has. Where it is missing and counts are there, they are those of a
  /// stream that broke off: an estimate.
  var finish: JSONPath?
  /// Present where the prompt was blocked.
  var blocked: [JSONPath] = []
  /// What an answer has beside its counts, model and error. An object without any of all these, and with
  /// nothing known beside it, is no answer of this API.
  var content: [JSONPath]

  /// Whether the answer says anything that this API's answers say.
  func recognises(_ response: RawResponse) -> Bool {
    response.hasMetadata || response.find("error") != nil
      || (content + blocked + error + model).contains { response.find($0) != nil }
      || counts.contains { rule in rule.value { response.find($0) } != nil }
  }
}

extension ResponseFormat {
  /// Chat completions, text completions, embeddings and Responses; vLLM, SGLang and Ollama's `/v1`
  /// have the same shape, often without the details: unknown then, not zero.
  static let openAI = ResponseFormat(
    source: .openai, provider: "openai",
    providers: [("/openai/deployments/", "azure.ai.openai")],
    operations: [
      ("/embeddings", "embeddings"), ("/chat/completions", "chat"), ("/responses", "chat"),
      ("/completions", "text_completion"),
    ],
    objects: [
      "chat.completion": "chat", "chat.completion.chunk": "chat", "response": "chat",
      "text_completion": "text_completion", "list": "embeddings",
    ],
    counts: [
      CountRule(.inputTokens, ["usage.prompt_tokens"], ["usage.input_tokens"]),
      CountRule(
        .outputTokens, isFinalOnly: true, ["usage.completion_tokens"],
        ["usage.output_tokens"]),
      CountRule(
        .cachedInputTokens, ["usage.prompt_tokens_details.cached_tokens"],
        ["usage.input_tokens_details.cached_tokens"]),
      CountRule(
        .cacheWriteTokens,
        ["usage.input_tokens_details.cache_write_tokens_details.ttl_30m_tokens"],
        ["usage.prompt_tokens_details.cache_write_tokens_details.ttl_30m_tokens"],
        ["usage.prompt_tokens_details.cache_write_tokens"],
        ["usage.input_tokens_details.cache_write_tokens"]),
      CountRule(
        .cacheWrite1hTokens,
        ["usage.input_tokens_details.cache_write_tokens_details.ttl_12h_tokens"],
        ["usage.prompt_tokens_details.cache_write_tokens_details.ttl_12h_tokens"]),
      CountRule(
        .reasoningTokens, ["usage.completion_tokens_details.reasoning_tokens"],
        ["usage.output_tokens_details.reasoning_tokens"]),
      CountRule(.inputAudioTokens, ["usage.prompt_tokens_details.audio_tokens"]),
      CountRule(.inputImageTokens, ["usage.prompt_tokens_details.image_tokens"]),
      CountRule(.outputAudioTokens, ["usage.completion_tokens_details.audio_tokens"]),
    ],
    model: ["model", "meta.request_model"],
    id: [
      "id", "meta.response_headers.x-request-id", "meta.response_headers.apim-request-id",
    ],
    serviceTier: ["service_tier"], createdSeconds: ["created", "created_at"],
    error: ["error.code", "error.type"], content: ["choices", "output", "data", "usage"])

  /// Input leaves cached and written tokens out.
  static let anthropic = ResponseFormat(
    source: .anthropic, provider: "anthropic",
    operations: [("/messages", "chat")],
    objects: ["message": "chat"],
    counts: anthropicCounts,
    model: ["model", "meta.request_model"],
    id: ["id", "meta.response_headers.request-id", "request_id"],
    serviceTier: ["usage.service_tier"], error: ["error.type"],
    content: ["content", "usage", "stop_reason"])

  private static let anthropicCounts: [CountRule] = [
    CountRule(
      .inputTokens,
      [
        "usage.input_tokens", "usage.cache_read_input_tokens",
        "usage.cache_creation_input_tokens",
      ]),
    CountRule(.outputTokens, isFinalOnly: true, ["usage.output_tokens"]),
    CountRule(.cachedInputTokens, ["usage.cache_read_input_tokens"]),
    CountRule(
      .cacheWriteTokens, ["usage.cache_creation.ephemeral_5m_input_tokens"],
      ["usage.cache_creation_input_tokens"]),
    CountRule(.cacheWrite1hTokens, ["usage.cache_creation.ephemeral_1h_input_tokens"]),
    CountRule(
      .reasoningTokens, isFinalOnly: true, ["usage.output_tokens_details.thinking_tokens"]),
  ]

  /// Tool-use prompts come on top of the prompt, thoughts on top of the candidates.
  static let gemini = ResponseFormat(
    source: .gemini, provider: "gcp.gemini",
    providers: [("/projects/", "gcp.vertex_ai")],
    operations: [("embedcontent", "embeddings"), ("generatecontent", "chat")],
    counts: [
      CountRule(
        .inputTokens,
        ["usageMetadata.promptTokenCount", "usageMetadata.toolUsePromptTokenCount"]),
      CountRule(
        .outputTokens,
        ["usageMetadata.candidatesTokenCount", "usageMetadata.thoughtsTokenCount"],
        ["usageMetadata.thoughtsTokenCount"]),
      CountRule(.cachedInputTokens, ["usageMetadata.cachedContentTokenCount"]),
      CountRule(.reasoningTokens, ["usageMetadata.thoughtsTokenCount"]),
      CountRule(
        .inputAudioTokens,
        ["usageMetadata.promptTokensDetails[modality=AUDIO].tokenCount"]),
      CountRule(
        .inputImageTokens,
        ["usageMetadata.promptTokensDetails[modality=IMAGE].tokenCount"]),
      CountRule(
        .outputAudioTokens,
        ["usageMetadata.candidatesTokensDetails[modality=AUDIO].tokenCount"]),
    ],
    model: ["modelVersion", "meta.request_model"],
    id: ["responseId"], serviceTier: ["usageMetadata.trafficType"],
    error: ["error.status", "error.code"], finish: "candidates",
    blocked: ["promptFeedback.blockReason"],
    content: ["candidates", "usageMetadata", "embedding", "embeddings", "predictions"])

  /// Converse, and InvokeModel with the body of the model's own API or counts in headers only.
  static let bedrock = ResponseFormat(
    source: .bedrock, provider: "aws.bedrock",
    operations: [("/converse", "chat"), ("/invoke", "chat")],
    objects: ["message": "chat"],
    counts: [
      CountRule(
        .inputTokens,
        ["usage.inputTokens", "usage.cacheReadInputTokens", "usage.cacheWriteInputTokens"],
        [
          "usage.input_tokens", "usage.cache_read_input_tokens",
          "usage.cache_creation_input_tokens",
        ],
        [
          "meta.response_headers.x-amzn-bedrock-input-token-count",
          "meta.response_headers.x-amzn-bedrock-cache-read-input-token-count",
          "meta.response_headers.x-amzn-bedrock-cache-write-input-token-count",
        ]),
      CountRule(
        .outputTokens, isFinalOnly: true, ["usage.outputTokens"], ["usage.output_tokens"],
        ["meta.response_headers.x-amzn-bedrock-output-token-count"]),
      CountRule(
        .cachedInputTokens, ["usage.cacheReadInputTokens"], ["usage.cache_read_input_tokens"],
        ["meta.response_headers.x-amzn-bedrock-cache-read-input-token-count"]),
      CountRule(
        .cacheWriteTokens, ["usage.cacheDetails[ttl=5m].inputTokens"],
        ["usage.cacheWriteInputTokens"],
        ["usage.cache_creation.ephemeral_5m_input_tokens"],
        ["usage.cache_creation_input_tokens"],
        ["meta.response_headers.x-amzn-bedrock-cache-write-input-token-count"]),
      CountRule(
        .cacheWrite1hTokens, ["usage.cacheDetails[ttl=1h].inputTokens"],
        ["usage.cache_creation.ephemeral_1h_input_tokens"]),
      CountRule(
        .reasoningTokens, isFinalOnly: true, ["usage.output_tokens_details.thinking_tokens"]),
    ],
    model: ["model", "meta.request_model"],
    id: ["meta.response_headers.x-amzn-requestid", "id"],
    serviceTier: ["serviceTier.type", "usage.service_tier"],
    latency: [
      "metrics.latencyMs", "meta.response_headers.x-amzn-bedrock-invocation-latency",
    ],
    error: ["__type", "meta.response_headers.x-amzn-errortype", "error.type"],
    content: [
      "output", "usage", "stopReason", "content", "completion", "generation", "outputs", "results",
      "embedding", "embeddings", "images", "message",
    ])
}
