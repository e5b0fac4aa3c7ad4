internal import FarthingCore

/// What columns and tiles call a metric.
enum MetricWords {
  private static let short: [String: String] = [
    "cost": "cost", "requests": "requests", "tokens": "tokens", "cost_per_1m_tokens": "$/1M tok",
    "cost_per_1k_tokens": "$/1k tok", "cost_per_request": "$/request", "cost_per_query": "$/query",
    "cost_per_successful_task": "$/success", "cost_per_task": "$/task", "latency_p95": "p95",
    "latency_p50": "p50", "latency_p99": "p99", "ttft_p95": "ttft p95", "error_rate": "errors",
    "retry_rate": "retries", "fallback_rate": "fallbacks", "cache_hit_rate": "cache",
    "response_cache_hit_rate": "resp. cache", "price_coverage": "priced",
    "task_success_rate": "success", "retrieval_failure_rate": "retr. fail",
    "cache_savings": "saved", "successful_tasks": "successes", "error_cost": "error cost",
    "retry_cost": "retry cost", "unpriced_requests": "unpriced", "input_tokens": "in tok",
    "output_tokens": "out tok", "timeout_rate": "timeouts", "queue_p95": "queue p95",
    "compute_p95": "compute p95", "network_p95": "network p95", "cost_state": "state",
    "latency_ms": "latency", "status": "status", "reported_cost": "reported",
    "estimated_cost": "estimated", "repeated_cost": "repeated",
  ]

  static func short(_ metric: String) -> String {
    short[metric] ?? metric.replacing("_", with: " ")
  }

  static func title(_ panel: Panel) -> String {
    if !panel.title.isEmpty { return panel.title }
    switch panel.kind {
    case .incidents: return "open incidents"
    case .isolations: return "isolations"
    case .sites: return "sites by tier"
    case .requests: return "requests"
    default:
      let name = panel.metrics.first.map(short) ?? panel.kind.rawValue
      return panel.rate.map { "\(name) / \($0.rawValue)" } ?? name
    }
  }

  /// A threshold or a target of the board as a figure of the metric's unit.
  static func figure(_ number: Double, _ metric: String) -> Figure {
    switch Metric.named(metric)?.unit {
    case .milliseconds: .milliseconds(number)
    case .ratio: .ratio(number)
    case .count: .count(Int128(number.rounded()))
    default: .real(number)
    }
  }

  /// A figure as thresholds are written: money in dollars.
  static func comparable(_ figure: Figure) -> Double? {
    guard let number = figure.magnitude else { return nil }
    // Only to be held against a threshold; what is shown stays whole.
    if case .money = figure { return number / 1e12 }
    return number
  }
}

/// Arithmetic on figures that keeps money whole.
enum FigureMath {
  /// The figure a `unit` of the span; missing stays missing.
  static func rate(_ figure: Figure, over span: Int64, per unit: Int64?) -> Figure {
    guard let unit, span > 0 else { return figure }
    switch figure {
    case .money(let amount):
      return MoneyRatio.divide(amount, by: Int128(span), times: UInt64(unit)).map { .money($0) }
        ?? .missing
    case .count(let count): return .real(Double(count) * Double(unit) / Double(span))
    case .real(let number): return .real(number * Double(unit) / Double(span))
    default: return figure
    }
  }

  /// By how much the second is above the first, as a share of the first; nil where that says nothing.
  static func change(from old: Figure, to new: Figure) -> Double? {
    guard let old = old.magnitude, let new = new.magnitude, old != 0 else { return nil }
    return (new - old) / old.magnitude
  }

  /// A share of a heat map's or sparkline's height in so many steps.
  static func steps(_ number: Double, of largest: Double, steps: Int) -> Int {
    guard largest > 0, number > 0 else { return 0 }
    return max(1, min(steps, Int((number / largest * Double(steps)).rounded())))
  }
}

/// Values in time, one a bucket; nil where a bucket has no row, which is not zero.
struct TimeSlots {
  var start: Int64
  var width: Int64
  var values: [Figure?]

  /// - Parameter rows: those of the table that belong to the series.
  init(_ answer: PanelAnswer, metric: String, every: Int64, rows: [Int]? = nil) {
    start = answer.since
    width = every
    let count = max(1, min(4096, Int((answer.until - answer.since + every - 1) / every)))
    values = Array(repeating: nil, count: count)
    guard let time = answer.table.place("time"), let place = answer.table.place(metric) else {
      return
    }
    for row in rows ?? Array(answer.table.rows.indices) {
      guard case .time(let at) = answer.table.rows[row][time] else { continue }
      let slot = Int((at - start) / every)
      if slot >= 0, slot < count { values[slot] = answer.table.rows[row][place] }
    }
  }

  var largest: Double { values.lazy.compactMap { $0?.magnitude }.max() ?? 0 }
  var last: Figure { known.last ?? .missing }
  var known: [Figure] { values.compactMap { $0 } }

  /// The values by groups of the answer, the greatest sum first.
  static func series(
    _ answer: PanelAnswer, metric: String, by: [String], every: Int64
  ) -> [(key: [Figure], slots: TimeSlots)] {
    let places = by.compactMap { answer.table.place($0) }
    var rows: [[Figure]: [Int]] = [:]
    for (number, row) in answer.table.rows.enumerated() {
      rows[places.map { row[$0] }, default: []].append(number)
    }
    let all = rows.map { key, rows in
      (key, TimeSlots(answer, metric: metric, every: every, rows: rows))
    }
    return all.map {
      (key: $0.0, slots: $0.1, sum: $0.1.known.compactMap(\.magnitude).reduce(0, +))
    }
    .sorted { ($0.sum, KeyText.text($1.key)) > ($1.sum, KeyText.text($0.key)) }
    .map { (key: $0.key, slots: $0.slots) }
  }
}

/// What a row is called.
enum KeyText {
  static func text(_ key: [Figure]) -> String {
    key.map { $0 == .missing ? "(none)" : FigureFormat.exact($0) }.joined(separator: " · ")
  }
}
