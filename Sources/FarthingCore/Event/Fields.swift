/// What an event of the contract is: one inference call, how a task ended, or what capacity costs.
///
/// Source: the event contract (`docs/events.md`); the raw value is stored in segments and the log.
package enum EventKind: UInt8, Sendable, CaseIterable {
  case request = 0
  case outcome = 1
  case capacity = 2
}

/// The text fields of every kind of event, by their place in ``DecodedEvent/texts``.
///
/// The raw value is an index in memory only; at rest a column is known by its contract name.
package enum TextField: UInt8, Sendable, CaseIterable {
  case id, model, provider, operation, endpoint, site, clientSite, workload, identity, tenant
  case usage, responseCache, promptHash, status, error, fallbackFrom, serviceTier, dataClass
  case jurisdiction, task, outcome, pool

  /// The field's name in the event contract.
  package var contractName: String {
    switch self {
    case .clientSite: "client_site"
    case .responseCache: "response_cache"
    case .promptHash: "prompt_hash"
    case .fallbackFrom: "fallback_from"
    case .serviceTier: "service_tier"
    case .dataClass: "data_class"
    default: "\(self)"
    }
  }
}

/// The integer and boolean fields (1 is true), by their place in ``DecodedEvent/integers``.
package enum IntegerField: UInt8, Sendable, CaseIterable {
  case inputTokens, cachedInputTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens
  case reasoningTokens, inputAudioTokens, outputAudioTokens, inputImageTokens
  case httpStatus, attempt, retrievals, retrievalFailures, step, coldStart, batch, accelerators

  /// The field's name in the event contract.
  package var contractName: String {
    switch self {
    case .inputTokens: "input_tokens"
    case .cachedInputTokens: "cached_input_tokens"
    case .cacheWriteTokens: "cache_write_tokens"
    case .cacheWrite1hTokens: "cache_write_1h_tokens"
    case .outputTokens: "output_tokens"
    case .reasoningTokens: "reasoning_tokens"
    case .inputAudioTokens: "input_audio_tokens"
    case .outputAudioTokens: "output_audio_tokens"
    case .inputImageTokens: "input_image_tokens"
    case .httpStatus: "http_status"
    case .retrievalFailures: "retrieval_failures"
    case .coldStart: "cold_start"
    default: "\(self)"
    }
  }

  /// Whether the contract's type is boolean; such a field is stored as 0 or 1.
  package var isBoolean: Bool { self == .coldStart || self == .batch }
}

/// The fields that are real numbers, by their place in ``DecodedEvent/reals``.
package enum RealField: UInt8, Sendable, CaseIterable {
  case latencyMs, ttftMs, queueMs, computeMs, networkMs, retrievalMs, tokensPerSecond

  /// The field's name in the event contract.
  package var contractName: String {
    switch self {
    case .latencyMs: "latency_ms"
    case .ttftMs: "ttft_ms"
    case .queueMs: "queue_ms"
    case .computeMs: "compute_ms"
    case .networkMs: "network_ms"
    case .retrievalMs: "retrieval_ms"
    case .tokensPerSecond: "tokens_per_second"
    }
  }
}

/// The fields that are money, exact to the picodollar, by their place in ``DecodedEvent/moneys``.
package enum MoneyField: UInt8, Sendable, CaseIterable {
  case reportedCostUSD, valueUSD, usdPerAcceleratorHour

  /// The field's name in the event contract.
  package var contractName: String {
    switch self {
    case .reportedCostUSD: "reported_cost_usd"
    case .valueUSD: "value_usd"
    case .usdPerAcceleratorHour: "usd_per_accelerator_hour"
    }
  }
}
