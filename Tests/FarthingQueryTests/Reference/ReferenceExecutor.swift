import FarthingCore

// The contract's definitions as plain loops over plain events, sharing nothing with the engine: no
// columns, no dictionaries, no metric catalogue. It is the judge of the engine's answers.

/// A number that a metric has.
enum ReferenceNumber: Equatable {
  case none
  case count(Int128)
  case money(Int128)
  case ratio(Double)
  /// Dollars, rounded half to even at 10⁻¹².
  case moneyRatio(Int128)
  /// Of values that the sketch may miss by 1 %.
  case quantile(Double)
  case mean(Double)
  case milliseconds(Double)
}

struct ReferenceRow {
  var key: [ReferenceValue?]
  var numbers: [ReferenceNumber]
}

struct ReferenceExecutor {
  let requests: [ReferenceRequest]
  let outcomes: [ReferenceOutcome]

  /// The winning outcome of each task: latest time, then latest arrival, then the outcome event.
  private let winners: [String: (isSuccess: Bool, value: Int128)]
  private let taskStarts: [String: Int64]

  init(requests: [ReferenceRequest], outcomes: [ReferenceOutcome]) {
    self.requests = requests
    self.outcomes = outcomes
    var said:
      [String: [(time: Int64, received: Int64, isEvent: Int, isSuccess: Bool, value: Int128)]] =
        [:]
    for request in requests {
      if let task = request.texts[.task], let outcome = request.texts[.outcome] {
        said[task, default: []].append(
          (request.time, request.receivedTime, 0, outcome == "success", 0))
      }
    }
    for outcome in outcomes {
      said[outcome.task, default: []].append(
        (outcome.time, outcome.receivedTime, 1, outcome.isSuccess, outcome.value ?? 0))
    }
    var winners: [String: (isSuccess: Bool, value: Int128)] = [:]
    for (task, all) in said {
      var best = all[0]
      for next in all.dropFirst()
      where (next.time, next.received, next.isEvent) >= (best.time, best.received, best.isEvent) {
        best = next
      }
      winners[task] = (best.isSuccess, best.isSuccess ? best.value : 0)
    }
    self.winners = winners
    var starts: [String: Int64] = [:]
    for request in requests {
      if let task = request.texts[.task] {
        starts[task] = min(starts[task] ?? .max, request.time)
      }
    }
    taskStarts = starts
  }

  func run(_ query: ReferenceQuery) -> [ReferenceRow] {
    var groups: [[ReferenceValue?]: [ReferenceRequest]] = [:]
    for request in requests {
      var instant = request.time
      if query.closedCohort {
        guard let task = request.texts[.task], let start = taskStarts[task] else { continue }
        instant = start
      }
      if let since = query.since, instant < since { continue }
      if let until = query.until, instant >= until { continue }
      if let condition = query.condition, condition.holds(request) != true { continue }
      var key: [ReferenceValue?] = []
      if let every = query.every { key.append(.time(instant / every * every)) }
      for name in query.groups { key.append(request.value(name)) }
      groups[key, default: []].append(request)
    }
    if groups.isEmpty, query.groups.isEmpty, query.every == nil { groups[[]] = [] }
    var rows = groups.map { key, set in
      (
        ReferenceRow(key: key, numbers: query.metrics.map { number($0, set) }),
        query.order.map { number($0, set) } ?? .none
      )
    }
    rows.sort { left, right in
      if query.order != nil, left.1 != right.1 {
        return ReferenceExecutor.isGreater(left.1, right.1)
      }
      return ReferenceOrder.precedes(left.0.key, right.0.key)
    }
    let kept = query.limit.map { rows.prefix($0) } ?? rows[...]
    return kept.map { $0.0 }
  }

  private static func isGreater(_ left: ReferenceNumber, _ right: ReferenceNumber) -> Bool {
    switch (left, right) {
    case (.none, _): false
    case (_, .none): true
    case (.count(let left), .count(let right)), (.money(let left), .money(let right)),
      (.moneyRatio(let left), .moneyRatio(let right)):
      left > right
    case (.ratio(let left), .ratio(let right)),
      (.milliseconds(let left), .milliseconds(let right)):
      left > right
    default: false
    }
  }

  // MARK: - Metrics

  func number(_ name: String, _ set: [ReferenceRequest]) -> ReferenceNumber {
    if let number = statistic(name, set) { return number }
    if name.hasPrefix("distinct_") {
      let field = String(name.dropFirst("distinct_".count))
      return .count(Int128(Set(set.compactMap { $0.value(field) }).count))
    }
    for field in IntegerField.allCases where field.contractName == name {
      return .count(total(set) { Int128($0.integers[field] ?? 0) })
    }
    return costNumber(name, set) ?? taskNumber(name, set) ?? shareNumber(name, set)
  }

  private func total(
    _ set: [ReferenceRequest], _ amount: (ReferenceRequest) -> Int128
  ) -> Int128 {
    set.reduce(0) { $0 + amount($1) }
  }

  private func count(
    _ set: [ReferenceRequest], _ condition: (ReferenceRequest) -> Bool
  ) -> Int128 {
    Int128(set.filter(condition).count)
  }

  private func tokens(_ set: [ReferenceRequest]) -> Int128 {
    total(set) { Int128($0.integers[.inputTokens] ?? 0) + Int128($0.integers[.outputTokens] ?? 0) }
  }

  private func cost(
    _ set: [ReferenceRequest], where condition: (ReferenceRequest) -> Bool = { _ in true }
  ) -> Int128 {
    total(set.filter(condition)) { $0.charge.cost }
  }

  private func inputCost(_ set: [ReferenceRequest]) -> Int128 {
    total(set) { $0.charge.cost - $0.charge.outputCost - $0.charge.unitsCost }
  }

  private func unitCost(_ amount: Int128, _ scale: Int128, _ count: Int128) -> ReferenceNumber {
    if count == 0 { return .none }
    // Halves are compared after doubling, so nothing is rounded twice.
    let product = amount * scale
    var quotient = product / count
    let remainder = (product % count).magnitude * 2
    let isOdd = quotient % 2 != 0
    if remainder > count.magnitude || (remainder == count.magnitude && isOdd) {
      quotient += product < 0 ? -1 : 1
    }
    return .moneyRatio(quotient)
  }

  private func ratio(_ above: Int128, _ below: Int128) -> ReferenceNumber {
    below == 0 ? .none : .ratio(Double(above) / Double(below))
  }

  private func isRetry(_ request: ReferenceRequest) -> Bool {
    (request.integers[.attempt] ?? 1) > 1
  }

  private func isError(_ request: ReferenceRequest) -> Bool {
    (request.texts[.status] ?? "ok") != "ok"
  }

  private func costNumber(_ name: String, _ set: [ReferenceRequest]) -> ReferenceNumber? {
    let requests = Int128(set.count)
    switch name {
    case "requests": return .count(requests)
    case "tokens": return .count(tokens(set))
    case "cost": return .money(cost(set))
    case "input_cost": return .money(inputCost(set))
    case "output_cost": return .money(total(set) { $0.charge.outputCost })
    case "units_cost": return .money(total(set) { $0.charge.unitsCost })
    case "reported_cost": return .money(total(set) { $0.reportedCost ?? 0 })
    case "cache_savings": return .money(total(set) { $0.charge.cacheSavings })
    case "estimated_cost": return .money(cost(set) { $0.charge.state == .estimated })
    case "unpriced_requests": return .count(count(set) { $0.charge.state == .unpriced })
    case "retry_cost": return .money(cost(set, where: isRetry))
    case "error_cost": return .money(cost(set, where: isError))
    case "cost_per_request": return unitCost(cost(set), 1, requests)
    case "cost_per_query": return unitCost(cost(set), 1, count(set) { !isRetry($0) })
    case "cost_per_1k_tokens": return unitCost(cost(set), 1_000, tokens(set))
    case "cost_per_1m_tokens": return unitCost(cost(set), 1_000_000, tokens(set))
    case "cost_per_1k_tokens_input", "cost_per_1m_tokens_input":
      return unitCost(
        inputCost(set), name.contains("1k") ? 1_000 : 1_000_000,
        total(set) { Int128($0.integers[.inputTokens] ?? 0) })
    case "cost_per_1k_tokens_output", "cost_per_1m_tokens_output":
      return unitCost(
        total(set) { $0.charge.outputCost }, name.contains("1k") ? 1_000 : 1_000_000,
        total(set) { Int128($0.integers[.outputTokens] ?? 0) })
    default: return nil
    }
  }

  private func taskNumber(_ name: String, _ set: [ReferenceRequest]) -> ReferenceNumber? {
    let tasks = Set(set.compactMap { $0.texts[.task] })
    let won = tasks.filter { winners[$0]?.isSuccess == true }
    let lost = tasks.filter { winners[$0]?.isSuccess == false }
    let taskCost = cost(set) { $0.texts[.task] != nil }
    switch name {
    case "tasks": return .count(Int128(tasks.count))
    case "successful_tasks": return .count(Int128(won.count))
    case "failed_tasks": return .count(Int128(lost.count))
    case "task_success_rate": return ratio(Int128(won.count), Int128(won.count + lost.count))
    case "cost_per_task": return unitCost(taskCost, 1, Int128(tasks.count))
    case "cost_per_successful_task": return unitCost(taskCost, 1, Int128(won.count))
    case "margin":
      return .money(won.reduce(0) { $0 + (winners[$1]?.value ?? 0) } - cost(set))
    case "repeated_prompts", "repeated_requests", "repeated_cost":
      var prompts: [String: [Int128]] = [:]
      for request in set {
        if let hash = request.texts[.promptHash] {
          prompts[hash, default: []].append(request.charge.cost)
        }
      }
      let repeated = prompts.values.filter { $0.count > 1 }
      if name == "repeated_prompts" { return .count(Int128(repeated.count)) }
      if name == "repeated_requests" {
        return .count(Int128(repeated.reduce(0) { $0 + $1.count - 1 }))
      }
      return .money(repeated.reduce(0) { $0 + $1.reduce(0, +) - ($1.max() ?? 0) })
    default: return nil
    }
  }

  private func shareNumber(_ name: String, _ set: [ReferenceRequest]) -> ReferenceNumber {
    let requests = Int128(set.count)
    switch name {
    case "price_coverage":
      return ratio(count(set) { $0.charge.state != .unpriced }, requests)
    case "cache_hit_rate":
      return ratio(
        total(set) { Int128($0.integers[.cachedInputTokens] ?? 0) },
        total(set) { Int128($0.integers[.inputTokens] ?? 0) })
    case "response_cache_hit_rate":
      return ratio(
        count(set) { ["hit", "semantic_hit"].contains($0.texts[.responseCache]) },
        count(set) { $0.texts[.responseCache] != nil })
    case "error_rate": return ratio(count(set, isError), requests)
    case "timeout_rate": return ratio(count(set) { $0.texts[.status] == "timeout" }, requests)
    case "retry_rate": return ratio(count(set, isRetry), requests)
    case "fallback_rate": return ratio(count(set) { $0.texts[.fallbackFrom] != nil }, requests)
    case "retrieval_failure_rate":
      return ratio(
        total(set) { Int128($0.integers[.retrievalFailures] ?? 0) },
        total(set) { Int128($0.integers[.retrievals] ?? 0) })
    default: return .none
    }
  }

  private func statistic(_ name: String, _ set: [ReferenceRequest]) -> ReferenceNumber? {
    for field in RealField.allCases {
      let prefix = field.contractName.dropLast(2)
      guard name.hasPrefix(prefix) else { continue }
      let values = set.compactMap { $0.reals[field] }.sorted()
      let suffix = name.dropFirst(prefix.count)
      let isQuantile = suffix.first == "p" && Int(suffix.dropFirst()) != nil
      guard isQuantile || ["min", "max", "mean"].contains(suffix) else { continue }
      if values.isEmpty { return ReferenceNumber.none }
      switch suffix {
      case "min": return .milliseconds(values[0])
      case "max": return .milliseconds(values[values.count - 1])
      case "mean": return .mean(values.reduce(0, +) / Double(values.count))
      default:
        guard suffix.first == "p", let digits = Int(suffix.dropFirst()) else { return nil }
        let permille = digits > 99 ? digits : digits * 10
        let rank = (values.count * permille + 999) / 1_000
        return .quantile(values[max(rank, 1) - 1])
      }
    }
    return nil
  }
}
