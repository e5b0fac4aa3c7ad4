// The text of `Dashboards/*.yaml`; `ShippedBoardTests` keeps it equal to them.

/// The dashboards that come with the command, by their names, in the order in which they are offered.
enum ShippedBoards {
  static let texts: [(name: String, text: String)] = [
    ("overview", overview),
    ("workload", workload),
    ("site", site),
    ("incidents", incidents),
    ("finance", finance),
  ]

  private static let overview = #"""
    # What an on-call engineer keeps open and a FinOps lead screenshots.
    # docs/dashboard.md says what may stand here; `farthing dashboard check` says what is wrong.
    name: overview
    title: Overview
    range: 24h
    rows:
      - importance: 9
        panels:
          - {stat: cost, title: spend / minute, window: 5m, per: minute}
          - {budget: cost, title: month to date, window: month}
          - {stat: cost_per_1m_tokens}
          - {stat: cost_per_query}
          - {stat: cost_per_successful_task, title: $/successful task}
          - {stat: cache_hit_rate, title: cache hit rate}
          - {stat: latency_p95, title: p95 latency, target: 10000, warning: 8000, trouble: 10000}
          - {stat: error_rate, warning: 0.02, trouble: 0.05}
          - {stat: retry_rate, warning: 0.05, trouble: 0.15}
          - {stat: fallback_rate, warning: 0.05, trouble: 0.2}
      - height: 9
        importance: 4
        panels:
          - {timeseries: cost, per: hour, title: spend / hour, weight: 3}
          - sites: cost, requests, latency_p95, error_rate
            weight: 2
            thresholds:
              latency_p95: {warning: 8000, trouble: 10000}
              error_rate: {warning: 0.02, trouble: 0.05}
      - importance: 6
        panels:
          - table: cost, requests, cost_per_1m_tokens, cost_per_query, cache_hit_rate, latency_p95, error_rate, cost_per_successful_task
            by: [model, workload, site, tenant, identity]
            order: cost
            limit: 200
            thresholds:
              latency_p95: {warning: 8000, trouble: 10000}
              error_rate: {warning: 0.02, trouble: 0.05}
      - height: 6
        importance: 8
        panels:
          - {incidents: open, weight: 3}
          - {isolations: active, weight: 2}
    """#

  private static let workload = #"""
    # One workload after the other: what its requests cost, how they go, and who sends them.
    name: workload
    title: Workloads
    range: 24h
    rows:
      - importance: 8
        panels:
          - {stat: cost, per: hour, title: spend / hour}
          - {stat: requests, per: minute, title: requests / minute}
          - {stat: cost_per_query}
          - {stat: cost_per_successful_task, title: $/successful task}
          - {stat: task_success_rate, title: task success, warning: 0.9, trouble: 0.7, low_is_bad: true}
      - importance: 7
        panels:
          - table: cost, requests, cost_per_query, cost_per_1m_tokens, input_tokens, output_tokens, cache_hit_rate, latency_p95, error_rate, retry_rate, cost_per_successful_task
            by: [workload, "workload, model", "workload, identity"]
            order: cost
            limit: 200
            thresholds:
              error_rate: {warning: 0.02, trouble: 0.05}
              retry_rate: {warning: 0.05, trouble: 0.15}
      - height: 10
        importance: 4
        panels:
          - {timeseries: cost, per: hour, by: [workload], title: spend / hour}
          - {timeseries: cost_per_query, by: [workload], title: $/query}
    """#

  private static let site = #"""
    # Where requests are served, and where their time goes, against a budget of ten seconds.
    name: site
    title: Sites and latency budget
    range: 6h
    rows:
      - importance: 8
        panels:
          - {stat: latency_p50, title: p50}
          - {stat: latency_p95, title: p95, target: 10000, warning: 8000, trouble: 10000}
          - {stat: latency_p99, title: p99, target: 20000, warning: 16000, trouble: 20000}
          - {stat: ttft_p95, title: time to first token p95}
          - {stat: queue_p95, title: queue p95}
          - {stat: network_p95, title: network p95}
      - height: 11
        importance: 7
        panels:
          - {heatmap: latency_p95, by: [site, model], title: p95, warning: 8000, trouble: 10000}
      - importance: 6
        panels:
          - table: requests, latency_p50, latency_p95, ttft_p95, queue_p95, compute_p95, network_p95, error_rate, cost
            by: [site, endpoint, "site, model"]
            order: requests
            thresholds:
              latency_p95: {warning: 8000, trouble: 10000}
              error_rate: {warning: 0.02, trouble: 0.05}
          - sites: cost, requests, latency_p95, error_rate
            thresholds:
              latency_p95: {warning: 8000, trouble: 10000}
              error_rate: {warning: 0.02, trouble: 0.05}
    """#

  private static let incidents = #"""
    # What is going on, what was done about it, and what it shows in.
    name: incidents
    title: Incidents
    range: 6h
    rows:
      - importance: 9
        panels:
          - {incidents: open, weight: 3}
          - {isolations: active, weight: 2}
      - importance: 6
        panels:
          - {stat: cost, window: 5m, per: hour, title: spend / hour}
          - {stat: error_rate, warning: 0.02, trouble: 0.05}
          - {stat: timeout_rate, title: timeouts, warning: 0.01, trouble: 0.05}
          - {stat: retry_rate, warning: 0.05, trouble: 0.15}
          - {stat: fallback_rate, warning: 0.05, trouble: 0.2}
          - {stat: retry_cost, title: cost of retries}
          - {stat: error_cost, title: cost of errors}
      - height: 9
        importance: 5
        panels:
          - {heatmap: error_rate, by: [model, site, workload], title: errors, warning: 0.02, trouble: 0.05}
          - {timeseries: cost, by: [identity, tenant], per: hour, title: spend / hour}
      - importance: 4
        panels:
          - table: requests, error_rate, timeout_rate, retry_rate, retry_cost, fallback_rate, error_cost
            by: [identity, model, site]
            order: error_cost
            thresholds:
              error_rate: {warning: 0.02, trouble: 0.05}
              retry_rate: {warning: 0.05, trouble: 0.15}
    """#

  private static let finance = #"""
    # Unit economics for finance: what a unit costs, who it is for, and how the month will end.
    name: finance
    title: Unit economics
    range: 30d
    rows:
      - importance: 9
        panels:
          - {budget: cost, title: month to date, window: month}
          - {stat: cost, title: cost}
          - {stat: cost_per_successful_task, title: $/successful task}
          - {stat: cost_per_query}
          - {stat: cost_per_1m_tokens}
          - {stat: cost_per_1m_tokens_input, title: $/1M input}
          - {stat: cost_per_1m_tokens_output, title: $/1M output}
          - {stat: cache_savings, title: saved by caches}
          - {stat: retry_cost, title: cost of retries}
          - {stat: price_coverage, title: requests with a price, warning: 0.99, trouble: 0.9, low_is_bad: true}
      - height: 10
        importance: 5
        panels:
          - {timeseries: cost, per: day, title: spend / day, weight: 2}
          - {bar: cost, by: [tenant, workload, tags.team], order: cost, limit: 50}
      - importance: 6
        panels:
          - table: cost, cost_per_successful_task, cost_per_query, cost_per_1m_tokens, successful_tasks, margin, cache_savings, retry_cost, price_coverage
            by: [tenant, workload, model, tags.team]
            order: cost
            limit: 200
    """#
}
