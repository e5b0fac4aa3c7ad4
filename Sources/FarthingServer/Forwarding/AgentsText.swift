internal import FarthingPipeline
internal import FarthingStore

/// Agents as JSON and as metrics.
enum AgentsText {
  /// Most agents that have a label of their own in the metrics, those of the greatest lag.
  static let labelLimit = 200

  /// Ages in seconds, times as Unix seconds; `null` where the agent has not called since the server was
  /// started.
  static func json(_ agents: [AgentStatus], now: Int64) -> [UInt8] {
    var bytes = Array("{\"agents\":[".utf8)
    for (place, agent) in agents.enumerated() {
      if place > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes += Array("\n{\"agent\":".utf8)
      JSONBytes.append(string: agent.agent, to: &bytes)
      bytes += Array(",\"version\":".utf8)
      if agent.lastContact == nil {
        bytes += Array("null".utf8)
      } else {
        JSONBytes.append(string: agent.version, to: &bytes)
      }
      let seconds = { (nanoseconds: Int64?) in nanoseconds.map(MetricsText.seconds) ?? "null" }
      bytes += Array(
        (",\"spool\":\"\(ForwardHead.text(stream: agent.stream))\""
          + ",\"last_contact\":\(seconds(agent.lastContact))"
          + ",\"lag_seconds\":\(seconds(agent.lag(now: now)))"
          + ",\"waiting_events\":\(known(agent, agent.waitingEvents))"
          + ",\"spool_bytes\":\(known(agent, agent.spoolBytes))"
          + ",\"spool_capacity_bytes\":\(known(agent, agent.spoolCapacity))"
          + ",\"lost_records\":\(known(agent, Int(agent.lostRecords)))"
          + ",\"missing_records\":\(agent.missing)"
          + ",\"stored_record\":\(agent.stored),\"accepted\":\(agent.accepted)"
          + ",\"duplicates\":\(agent.duplicates),\"rejected\":\(agent.rejected)}").utf8)
    }
    bytes += Array("\n]}\n".utf8)
    return bytes
  }

  private static func known(_ agent: AgentStatus, _ value: Int) -> String {
    agent.lastContact == nil ? "null" : "\(value)"
  }

  /// The agents that have called since the server was started.
  static func write(_ agents: [AgentStatus], now: Int64, to page: inout MetricsText) {
    // Two agents of one name are one here: a series must not come twice.
    var named: [String: (lag: Int64, waiting: Int, lost: Int64)] = [:]
    for agent in agents {
      guard let lag = agent.lag(now: now) else { continue }
      let known = named[agent.agent] ?? (0, 0, 0)
      named[agent.agent] = (
        max(known.lag, lag), known.waiting + agent.waitingEvents, known.lost + agent.lostRecords
      )
    }
    page.single(
      "farthing_agents", .gauge, "Agents that have called since the start.", "\(named.count)")
    let shown = named.sorted { ($1.value.lag, $0.key) < ($0.value.lag, $1.key) }.prefix(labelLimit)
    let families: [(String, String, ((lag: Int64, waiting: Int, lost: Int64)) -> String)] = [
      (
        "farthing_agent_lag_seconds",
        "Age of the oldest event that may still be at the agent; the 200 greatest.",
        { MetricsText.seconds($0.lag) }
      ),
      (
        "farthing_agent_waiting_events", "Events that waited at the agent when it called last.",
        { "\($0.waiting)" }
      ),
      (
        "farthing_agent_lost_records", "Records of its spool that the agent lost to damage.",
        { "\($0.lost)" }
      ),
    ]
    for (name, help, value) in families {
      page.family(name, .gauge, help)
      for (agent, figures) in shown { page.sample(name, [("agent", agent)], value(figures)) }
    }
  }

  /// What an agent says of its own spool.
  ///
  /// - Parameter refusedUploads: those that were not even tried since the spool was full.
  static func write(
    _ spool: SpoolSurvey, refusedUploads: Int, now: Int64, to page: inout MetricsText
  ) {
    page.single(
      "farthing_spool_bytes", .gauge, "Bytes of the spool on the disk.", "\(spool.bytes)")
    page.single(
      "farthing_spool_capacity_bytes", .gauge, "Bytes that the spool may have.",
      "\(spool.capacity)")
    page.single(
      "farthing_spool_waiting_events", .gauge, "Events that the server has not acknowledged.",
      "\(spool.waitingEvents)")
    page.single(
      "farthing_spool_lag_seconds", .gauge, "Age of the oldest of them; 0 where none waits.",
      MetricsText.seconds(spool.oldestTime.map { max(0, now - $0) } ?? 0))
    page.single(
      "farthing_spool_refused_total", .counter, "Appends refused since the spool was full.",
      "\(spool.refusedAppends + refusedUploads)")
    page.single(
      "farthing_spool_set_aside_events_total", .counter,
      "Events in batches that the server refused for good, which stand in the folder refused.",
      "\(spool.setAsideEvents)")
    page.single(
      "farthing_spool_lost_records_total", .counter, "Records that damage took.",
      "\(spool.lostRecords)")
  }
}
