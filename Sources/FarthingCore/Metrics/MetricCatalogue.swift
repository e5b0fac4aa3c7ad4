// Every metric of the contract, once. Help texts, documentation and the engine read it here.

extension Metric {
  /// All metrics with a fixed name, in the order in which help shows them.
  package static let catalogue: [Metric] =
    counts + costs + unitCosts + tasks + caches + reliability + repeats + statistics
    + RequestField.all.filter(\.isComparable).map(distinct) + capacity

  private static func total(
    _ name: String, _ unit: Unit, _ summary: String, _ terms: [Quantity], less: [Quantity] = []
  ) -> Metric {
    Metric(
      name: name, unit: unit, summary: summary,
      definition: .total(terms.map { Term($0) } + less.map { Term($0, factor: -1) }))
  }

  private static func share(
    _ name: String, _ summary: String, of above: [Quantity], less: [Quantity] = [],
    to below: [Quantity]
  ) -> Metric {
    Metric(
      name: name, unit: .ratio, summary: summary,
      definition: .quotient(
        of: above.map { Term($0) } + less.map { Term($0, factor: -1) },
        to: below.map { Term($0) }, scale: 1))
  }

  private static func unitCost(
    _ name: String, _ summary: String, of above: [Quantity] = [.sum(.cost)],
    less: [Quantity] = [], to below: [Quantity], scale: Int64 = 1
  ) -> Metric {
    Metric(
      name: name, unit: .moneyRatio, summary: summary,
      definition: .quotient(
        of: above.map { Term($0) } + less.map { Term($0, factor: -1) },
        to: below.map { Term($0) }, scale: scale))
  }

  private static let tokenQuantities: [Quantity] = [.sum(.inputTokens), .sum(.outputTokens)]

  private static let counts: [Metric] =
    [
      total("requests", .count, "Number of requests.", [.sum(.requests)]),
      total("tokens", .count, "Input tokens plus output tokens.", tokenQuantities),
    ]
    + [
      (.inputTokens, .inputTokens), (.cachedInputTokens, .cachedInputTokens),
      (.cacheWriteTokens, .cacheWriteTokens), (.cacheWrite1hTokens, .cacheWrite1hTokens),
      (.outputTokens, .outputTokens), (.reasoningTokens, .reasoningTokens),
      (.inputAudioTokens, .inputAudioTokens), (.outputAudioTokens, .outputAudioTokens),
      (.inputImageTokens, .inputImageTokens), (.retrievals, .retrievals),
      (.retrievalFailures, .retrievalFailures),
    ].map { (field: IntegerField, measure: AdditiveMeasure) in
      total(
        field.contractName, .count, "Sum of the field \(field.contractName).", [.sum(measure)])
    }

  private static let costs: [Metric] = [
    total("cost", .money, "What the requests cost by their price cards.", [.sum(.cost)]),
    total(
      "input_cost", .money, "Of cost, all input parts: plain, cached and written.",
      [.sum(.cost)], less: [.sum(.outputCost), .sum(.unitsCost)]),
    total("output_cost", .money, "Of cost, all output parts.", [.sum(.outputCost)]),
    total("units_cost", .money, "Of cost, further metered units.", [.sum(.unitsCost)]),
    total(
      "reported_cost", .money, "What the sources themselves said the requests cost.",
      [.sum(.reportedCost)]),
    share(
      "price_coverage", "Priced and estimated requests ÷ requests: how complete cost is.",
      of: [.sum(.requests)], less: [.sum(.unpricedRequests)], to: [.sum(.requests)]),
    total(
      "unpriced_requests", .count, "Requests whose cost is unknown; they add 0 to cost.",
      [.sum(.unpricedRequests)]),
    total(
      "estimated_cost", .money, "Of cost, what rests on estimated usage or approximate prices.",
      [.sum(.estimatedCost)]),
  ]

  private static let unitCosts: [Metric] =
    [
      unitCost("cost_per_request", "Cost ÷ requests.", to: [.sum(.requests)]),
      unitCost(
        "cost_per_query", "Cost ÷ first attempts: a retry adds cost but no query.",
        to: [.sum(.firstAttempts)]),
    ]
    + [("1k", 1_000 as Int64), ("1m", 1_000_000)].flatMap { size, scale in
      [
        unitCost(
          "cost_per_\(size)_tokens", "Cost ÷ tokens × \(scale).", to: tokenQuantities,
          scale: scale),
        unitCost(
          "cost_per_\(size)_tokens_input", "Input cost ÷ input tokens × \(scale).",
          less: [.sum(.outputCost), .sum(.unitsCost)], to: [.sum(.inputTokens)], scale: scale),
        unitCost(
          "cost_per_\(size)_tokens_output", "Output cost ÷ output tokens × \(scale).",
          of: [.sum(.outputCost)], to: [.sum(.outputTokens)], scale: scale),
      ]
    }

  private static let tasks: [Metric] = [
    total("tasks", .count, "Different tasks that have a request in the set.", [.tasks]),
    total(
      "successful_tasks", .count, "Of tasks, those whose winning outcome is a success.",
      [.successfulTasks]),
    total(
      "failed_tasks", .count, "Of tasks, those whose winning outcome is a failure.",
      [.failedTasks]),
    share(
      "task_success_rate", "Successful tasks ÷ tasks with an outcome.", of: [.successfulTasks],
      to: [.successfulTasks, .failedTasks]),
    unitCost(
      "cost_per_task", "Cost of the requests that carry a task ÷ tasks.",
      of: [.sum(.taskCost)], to: [.tasks]),
    unitCost(
      "cost_per_successful_task",
      "Cost of the requests that carry a task, whatever came of it ÷ successful tasks.",
      of: [.sum(.taskCost)], to: [.successfulTasks]),
    total(
      "margin", .money,
      "Winning outcomes' value_usd of the successful tasks, less cost; not additive over groups.",
      [.outcomeValue], less: [.sum(.cost)]),
  ]

  private static let caches: [Metric] = [
    share(
      "cache_hit_rate", "Input tokens read from a prompt cache ÷ input tokens.",
      of: [.sum(.cachedInputTokens)], to: [.sum(.inputTokens)]),
    share(
      "response_cache_hit_rate",
      "Hits and semantic hits ÷ requests that name a response cache.",
      of: [.sum(.responseCacheHits)], to: [.sum(.responseCacheLookups)]),
    total(
      "cache_savings", .money,
      "What cached input and response-cache hits would have cost without a cache, less what they "
        + "did cost.",
      [.sum(.cacheSavings)]),
  ]

  private static let reliability: [Metric] = [
    share(
      "error_rate", "Share of requests whose status is not ok.", of: [.sum(.errors)],
      to: [.sum(.requests)]),
    share(
      "timeout_rate", "Share of requests whose status is timeout.", of: [.sum(.timeouts)],
      to: [.sum(.requests)]),
    share(
      "retry_rate", "Share of requests whose attempt is above 1.", of: [.sum(.retries)],
      to: [.sum(.requests)]),
    share(
      "fallback_rate", "Share of requests that a fallback model answered.",
      of: [.sum(.fallbacks)], to: [.sum(.requests)]),
    total(
      "retry_cost", .money, "Cost of requests whose attempt is above 1.", [.sum(.retryCost)]),
    total(
      "error_cost", .money, "Cost of requests whose status is not ok.", [.sum(.errorCost)]),
    share(
      "retrieval_failure_rate", "Failed retrieval look-ups ÷ retrieval look-ups.",
      of: [.sum(.retrievalFailures)], to: [.sum(.retrievals)]),
  ]

  private static let repeats: [Metric] = [
    total(
      "repeated_prompts", .count, "prompt_hash values that occur more than once in the set.",
      [.repeatedPrompts]),
    total(
      "repeated_requests", .count, "Requests of repeated prompts beyond the first of each.",
      [.repeatedRequests]),
    total(
      "repeated_cost", .money, "Cost of repeated prompts beyond each one's dearest request.",
      [.repeatedCost]),
  ]

  private static let statistics: [Metric] =
    [RealField.latencyMs, .ttftMs, .queueMs, .computeMs, .networkMs, .retrievalMs].flatMap {
      field in
      let prefix = String(field.contractName.dropLast(3))
      let quantiles = [
        ("50", 500), ("75", 750), ("90", 900), ("95", 950), ("99", 990), ("999", 999),
      ]
      return quantiles.map { digits, permille in
        statistic(
          "\(prefix)_p\(digits)", field, .quantile(permille: permille),
          "The \(Double(permille) / 10) % quantile of \(field.contractName), within 1 %.")
      } + [
        statistic("\(prefix)_mean", field, .mean, "Mean of \(field.contractName)."),
        statistic("\(prefix)_min", field, .minimum, "Least \(field.contractName)."),
        statistic("\(prefix)_max", field, .maximum, "Greatest \(field.contractName)."),
      ]
    }

  private static func statistic(
    _ name: String, _ field: RealField, _ statistic: Statistic, _ summary: String
  ) -> Metric {
    Metric(
      name: name, unit: .milliseconds, summary: summary,
      definition: .statistic(statistic, field))
  }

  private static let capacity: [Metric] = [
    Metric(
      name: "pool_cost", unit: .money, summary: "What the capacity pools cost.",
      definition: .unavailable),
    Metric(
      name: "idle_cost", unit: .money, summary: "Of pool cost, what no request used.",
      definition: .unavailable),
    Metric(
      name: "utilization", unit: .ratio, summary: "Used ÷ available time of the capacity pools.",
      definition: .unavailable),
  ]
}
