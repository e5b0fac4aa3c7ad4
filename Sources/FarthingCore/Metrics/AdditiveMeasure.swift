// What can be known of a set of requests as a plain sum over them.
//
// Each measure is an amount (one, a count field, or money) taken where a condition on the row
// holds. The sealer of a segment sums them all once; the query engine sums the ones a query needs.
// Both read the definition here, so a segment's foreknowledge and a scan cannot disagree.

/// The money columns of a stored request, in picodollars.
package enum MoneyColumn: UInt8, Sendable, CaseIterable {
  case cost, outputCost, unitsCost, cacheSavings, reportedCost

  /// The column's name at rest.
  package var columnName: String {
    switch self {
    case .cost: "cost"
    case .outputCost: "output_cost"
    case .unitsCost: "units_cost"
    case .cacheSavings: "cache_savings"
    case .reportedCost: "reported_cost_usd"
    }
  }
}

/// A sum over requests that a segment knows of itself and a query may ask for.
///
/// The raw value is stored in segments: a case keeps its number for ever, new ones are added at the
/// end.
package enum AdditiveMeasure: UInt8, Sendable, CaseIterable {
  case requests = 0
  case inputTokens = 1
  case cachedInputTokens = 2
  case cacheWriteTokens = 3
  case cacheWrite1hTokens = 4
  case outputTokens = 5
  case reasoningTokens = 6
  case inputAudioTokens = 7
  case outputAudioTokens = 8
  case inputImageTokens = 9
  case retrievals = 10
  case retrievalFailures = 11
  case cost = 12
  case outputCost = 13
  case unitsCost = 14
  case cacheSavings = 15
  case reportedCost = 16
  case unpricedRequests = 17
  case estimatedRequests = 18
  case estimatedCost = 19
  /// Requests whose attempt is 1, which is also the default.
  case firstAttempts = 20
  case retries = 21
  case retryCost = 22
  case errors = 23
  case errorCost = 24
  case timeouts = 25
  case fallbacks = 26
  /// Requests that name a response cache, whatever it answered.
  case responseCacheLookups = 27
  case responseCacheHits = 28
  case taskRequests = 29
  /// Cost of the requests that carry a task.
  case taskCost = 30

  /// What one row adds where the condition holds.
  package enum Amount: Sendable, Hashable {
    case one
    /// The field's value; an absent one adds nothing.
    case integer(IntegerField)
    /// Picodollars; an absent one adds nothing.
    case money(MoneyColumn)
  }

  /// Which rows count.
  package enum Condition: Sendable, Hashable {
    case always
    case costState(CostState)
    /// `attempt` is 1 or absent.
    case firstAttempt
    case retry
    /// `status` is present and not `ok`.
    case failed
    case timedOut
    case present(TextField)
    /// `response_cache` is `hit` or `semantic_hit`.
    case responseCacheHit
  }

  package var amount: Amount {
    switch self {
    case .inputTokens: .integer(.inputTokens)
    case .cachedInputTokens: .integer(.cachedInputTokens)
    case .cacheWriteTokens: .integer(.cacheWriteTokens)
    case .cacheWrite1hTokens: .integer(.cacheWrite1hTokens)
    case .outputTokens: .integer(.outputTokens)
    case .reasoningTokens: .integer(.reasoningTokens)
    case .inputAudioTokens: .integer(.inputAudioTokens)
    case .outputAudioTokens: .integer(.outputAudioTokens)
    case .inputImageTokens: .integer(.inputImageTokens)
    case .retrievals: .integer(.retrievals)
    case .retrievalFailures: .integer(.retrievalFailures)
    case .cost, .estimatedCost, .retryCost, .errorCost, .taskCost: .money(.cost)
    case .outputCost: .money(.outputCost)
    case .unitsCost: .money(.unitsCost)
    case .cacheSavings: .money(.cacheSavings)
    case .reportedCost: .money(.reportedCost)
    case .requests, .unpricedRequests, .estimatedRequests, .firstAttempts, .retries, .errors,
      .timeouts, .fallbacks, .responseCacheLookups, .responseCacheHits, .taskRequests:
      .one
    }
  }

  package var condition: Condition {
    switch self {
    case .unpricedRequests: .costState(.unpriced)
    case .estimatedRequests, .estimatedCost: .costState(.estimated)
    case .firstAttempts: .firstAttempt
    case .retries, .retryCost: .retry
    case .errors, .errorCost: .failed
    case .timeouts: .timedOut
    case .fallbacks: .present(.fallbackFrom)
    case .responseCacheLookups: .present(.responseCache)
    case .responseCacheHits: .responseCacheHit
    case .taskRequests, .taskCost: .present(.task)
    default: .always
    }
  }
}

extension AdditiveMeasure.Condition {
  /// Whether the condition holds for a row: the plain form, for tests and cold paths.
  package func holds(for row: MeasuredRow) -> Bool {
    switch self {
    case .always: true
    case .costState(let state): row.costState == state
    case .firstAttempt: (row[.attempt] ?? 1) == 1
    case .retry: (row[.attempt] ?? 1) > 1
    case .failed: row.status != .ok
    case .timedOut: row.status == .timeout
    case .present(.fallbackFrom): row.hasFallback
    case .present(.responseCache): row.responseCache != .absent
    case .present(.task): row.hasTask
    case .present: false
    case .responseCacheHit: row.responseCache == .hit
    }
  }
}

extension AdditiveMeasure {
  /// What one request adds to this measure: the plain form, for tests and cold paths.
  package func value(of row: MeasuredRow) -> Int128 {
    if !condition.holds(for: row) { return 0 }
    switch amount {
    case .one: return 1
    case .integer(let field): return Int128(row[field] ?? 0)
    case .money(let column): return row[column]
    }
  }
}
