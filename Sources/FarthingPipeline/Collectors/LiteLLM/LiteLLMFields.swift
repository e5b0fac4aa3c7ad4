internal import FarthingCore

// What LiteLLM's `StandardLoggingPayload` calls the contract's fields. Seen in captures of
// version 1.106; older versions lack `litellm_call_id` and keep usage at the top only.

enum LiteLLMFields {
  /// Counts of a call whose usage is known. Prompt tokens include cached ones for every provider.
  static let counts: [CountRule] = [
    CountRule(
      .inputTokens, ["prompt_tokens"], ["metadata.usage_object.prompt_tokens"],
      ["response.usage.prompt_tokens"]),
    CountRule(
      .outputTokens, ["completion_tokens"], ["metadata.usage_object.completion_tokens"],
      ["response.usage.completion_tokens"]),
    CountRule(
      .cachedInputTokens,
      ["metadata.usage_object.prompt_tokens_details.cached_tokens"],
      ["metadata.usage_object.cache_read_input_tokens"], ["cache_read_input_tokens"],
      ["response.usage.prompt_tokens_details.cached_tokens"],
      ["response.usage.cache_read_input_tokens"]),
    CountRule(
      .cacheWriteTokens,
      [
        """
        metadata.usage_object.prompt_tokens_details.cache_creation_token_details\
        .ephemeral_5m_input_tokens
        """
      ],
      ["metadata.usage_object.prompt_tokens_details.cache_creation_tokens"],
      ["metadata.usage_object.cache_creation_input_tokens"], ["cache_creation_input_tokens"],
      ["response.usage.prompt_tokens_details.cache_creation_tokens"],
      ["response.usage.cache_creation_input_tokens"]),
    CountRule(
      .cacheWrite1hTokens,
      [
        """
        metadata.usage_object.prompt_tokens_details.cache_creation_token_details\
        .ephemeral_1h_input_tokens
        """
      ]),
    CountRule(
      .reasoningTokens,
      ["metadata.usage_object.completion_tokens_details.reasoning_tokens"],
      ["response.usage.completion_tokens_details.reasoning_tokens"]),
    CountRule(
      .inputAudioTokens, ["metadata.usage_object.prompt_tokens_details.audio_tokens"]),
    CountRule(
      .inputImageTokens, ["metadata.usage_object.prompt_tokens_details.image_tokens"]),
    CountRule(
      .outputAudioTokens, ["metadata.usage_object.completion_tokens_details.audio_tokens"]),
  ]

  /// Counts in a usage object that stands by itself, as the OTel callback writes it.
  static let usageObjectCounts: [CountRule] = [
    CountRule(.inputTokens, ["prompt_tokens"]),
    CountRule(.outputTokens, ["completion_tokens"]),
    CountRule(
      .cachedInputTokens, ["prompt_tokens_details.cached_tokens"], ["cache_read_input_tokens"]),
    CountRule(
      .cacheWriteTokens,
      ["prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens"],
      ["prompt_tokens_details.cache_creation_tokens"], ["cache_creation_input_tokens"]),
    CountRule(
      .cacheWrite1hTokens,
      ["prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens"]),
    CountRule(.reasoningTokens, ["completion_tokens_details.reasoning_tokens"]),
    CountRule(.inputAudioTokens, ["prompt_tokens_details.audio_tokens"]),
    CountRule(.inputImageTokens, ["prompt_tokens_details.image_tokens"]),
    CountRule(.outputAudioTokens, ["completion_tokens_details.audio_tokens"]),
  ]

  static let texts: [TextRule] = [
    TextRule(
      field: .provider, paths: ["custom_llm_provider"], names: ProviderNames.canonical),
    TextRule(field: .operation, paths: ["call_type"], names: operations),
    TextRule(field: .endpoint, paths: ["model_id", "api_base"]),
    TextRule(field: .identity, paths: ["metadata.user_api_key_alias"]),
    TextRule(
      field: .tenant,
      paths: [
        "metadata.user_api_key_team_alias", "metadata.user_api_key_team_id", "end_user",
        "metadata.user_api_key_org_id",
      ]),
    TextRule(field: .task, paths: ["session_id", "trace_id"]),
    TextRule(
      field: .serviceTier,
      paths: [
        "response.service_tier", "metadata.usage_object.service_tier",
        "cost_breakdown.service_tier", "model_parameters.service_tier",
      ],
      names: ServiceTierNames.canonical),
  ]

  /// Dimensions that the contract has no field for.
  static let tags: [(name: String, path: JSONPath)] = [
    ("model_group", "model_group"), ("end_user", "end_user"),
  ]

  /// LiteLLM's names of operations.
  static let operations: [String: String] = [
    "acompletion": "chat", "completion": "chat", "anthropic_messages": "chat",
    "aresponses": "chat", "responses": "chat", "agenerate_content": "chat",
    "generate_content": "chat", "agenerate_content_stream": "chat",
    "generate_content_stream": "chat", "aembedding": "embeddings", "embedding": "embeddings",
    "arerank": "rerank", "rerank": "rerank", "atext_completion": "text_completion",
    "text_completion": "text_completion", "aimage_generation": "image_generation",
    "image_generation": "image_generation", "atranscription": "transcription",
    "transcription": "transcription", "aspeech": "speech", "speech": "speech",
    "amoderation": "moderation", "moderation": "moderation",
  ]
}
