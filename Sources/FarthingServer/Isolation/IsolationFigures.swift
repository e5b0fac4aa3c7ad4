internal import FarthingPipeline

/// What is counted of isolations.
package struct IsolationFigures: Sendable {
  struct Counted: Hashable, Sendable {
    var action: String
    var mode: String
    var status: String
  }

  var counts: IsolationCounts
  var isOff: Bool
  /// Those that are not over.
  var open: [Counted: Int] = [:]
  /// Calls that are to be made, by hook.
  var waiting: [String: Int] = [:]
  var auditEntries: Int64 = 0

  init(counts: IsolationCounts, isOff: Bool) {
    self.counts = counts
    self.isOff = isOff
  }

  /// Every set of labels is bounded: by actions, guardrails, and the hooks of the configuration.
  func write(to page: inout MetricsText) {
    page.single(
      "farthing_isolations_off", .gauge, "1 where the kill switch is pulled.", isOff ? "1" : "0")
    page.family(
      "farthing_isolations", .gauge,
      "Isolations that are not over, by action, mode and status.")
    for (key, count) in open.sorted(by: {
      ($0.key.action, $0.key.mode, $0.key.status) < ($1.key.action, $1.key.mode, $1.key.status)
    }) {
      page.sample(
        "farthing_isolations",
        [("action", key.action), ("mode", key.mode), ("status", key.status)], count)
    }
    page.family(
      "farthing_isolations_started_total", .counter, "Isolations begun, by action and mode.")
    for (key, count) in counts.actions.sorted(by: {
      ($0.key.action, $0.key.mode) < ($1.key.action, $1.key.mode)
    }) {
      page.sample(
        "farthing_isolations_started_total", [("action", key.action), ("mode", key.mode)], count)
    }
    page.family(
      "farthing_isolations_refused_total", .counter,
      "Isolations that a guardrail did not let be, by guardrail.")
    for (name, count) in counts.refused.sorted(by: { $0.key < $1.key }) {
      page.sample("farthing_isolations_refused_total", [("guardrail", name)], count)
    }
    page.family(
      "farthing_isolation_calls_total", .counter, "Calls to hooks, by hook and result.")
    for (key, count) in counts.calls.sorted(by: {
      ($0.key.hook, $0.key.result) < ($1.key.hook, $1.key.result)
    }) {
      page.sample(
        "farthing_isolation_calls_total", [("hook", key.hook), ("result", key.result)], count)
    }
    page.family(
      "farthing_isolation_calls_waiting", .gauge, "Calls to hooks that are to be made, by hook.")
    for (hook, count) in waiting.sorted(by: { $0.key < $1.key }) {
      page.sample("farthing_isolation_calls_waiting", [("hook", hook)], count)
    }
    page.single(
      "farthing_isolation_effects_total", .counter,
      "Enforced isolations that came into force.", "\(counts.effects)")
    page.single(
      "farthing_isolation_effect_seconds_total", .counter,
      "Time from the decision to the first effect, of all of them together.",
      MetricsText.seconds(counts.effectTime))
    page.single(
      "farthing_isolation_audit_entries", .gauge, "Entries of the audit log.", "\(auditEntries)")
  }
}
