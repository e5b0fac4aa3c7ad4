/// What an alert is about; the raw values are the interface's.
package enum AlertKind: String, Sendable, Hashable, CaseIterable {
  /// An identity that is known spends many times what it does.
  case denialOfWallet = "denial_of_wallet"
  /// An identity never seen before spends at once: a stolen or leaked key.
  case newIdentitySpend = "new_identity_spend"
  /// More money than expected, by anything wider or milder.
  case spendSpike = "spend_spike"
  /// Far less money than expected while telemetry still comes.
  case spendDrop = "spend_drop"
  /// One task costs many times what tasks of its workload do.
  case runawayTask = "runaway_task"
  /// Attempts after the first multiply.
  case retryStorm = "retry_storm"
  /// Another model answers in place of the one that was asked.
  case fallbackCascade = "fallback_cascade"
  /// Requests fail.
  case errorSurge = "error_surge"
  /// Requests take long.
  case latencySurge = "latency_surge"
  /// One prompt is sent again and again.
  case repeatedPrompt = "repeated_prompt"
  /// The prompt cache stopped hitting.
  case cacheCollapse = "cache_collapse"
  /// Prompts grew.
  case promptBloat = "prompt_bloat"
  /// Answers grew.
  case outputBloat = "output_bloat"
  /// Hidden reasoning grew.
  case reasoningCreep = "reasoning_creep"
  /// Dearer models take a larger share.
  case modelMix = "model_mix"
  /// The price of the same work changed.
  case priceChange = "price_change"
  /// The cost of a request or of a successful task creeps up.
  case unitCostDrift = "unit_cost_drift"
  /// Tasks fail more often while requests look well.
  case quietReliability = "quiet_reliability"
  /// Capacity is paid for and not used.
  case idleCapacity = "idle_capacity"
  /// A budget is exceeded, burns too fast, or will be exceeded.
  case budget
  /// A rule of the configuration holds.
  case rule
  /// An endpoint, model, provider or identity that no registry names.
  case shadowEndpoint = "shadow_endpoint"
  /// One that was taken for idle or retired still takes calls.
  case zombieEndpoint = "zombie_endpoint"
  /// Restricted requests were served outside of their jurisdiction.
  case jurisdiction
}

/// How much an incident matters, by the money a unit of time; the raw values are the interface's.
package enum AlertSeverity: String, Sendable, Hashable, CaseIterable, Comparable {
  case info
  case warning
  case critical

  package static func < (left: AlertSeverity, right: AlertSeverity) -> Bool {
    left.rank < right.rank
  }

  private var rank: Int {
    switch self {
    case .info: 0
    case .warning: 1
    case .critical: 2
    }
  }
}
