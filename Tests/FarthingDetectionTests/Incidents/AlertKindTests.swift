internal import FarthingDetection
internal import Testing

@Suite struct `Words of alerts` {
  @Test func `severities are ordered by how much they matter`() {
    #expect(AlertSeverity.allCases.sorted() == [.info, .warning, .critical])
  }

  @Test func `every kind has the interface's word`() {
    #expect(
      AlertKind.allCases.map(\.rawValue) == [
        "denial_of_wallet", "new_identity_spend", "spend_spike", "spend_drop", "runaway_task",
        "retry_storm", "fallback_cascade", "error_surge", "latency_surge", "repeated_prompt",
        "cache_collapse", "prompt_bloat", "output_bloat", "reasoning_creep", "model_mix",
        "price_change", "unit_cost_drift", "quiet_reliability", "idle_capacity", "budget", "rule",
        "shadow_endpoint", "zombie_endpoint", "jurisdiction",
      ])
  }
}
