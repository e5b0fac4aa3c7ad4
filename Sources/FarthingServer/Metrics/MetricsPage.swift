internal import FarthingPipeline
internal import FarthingStore

/// What the machine says of this process.
package struct ProcessFigures: Sendable {
  /// User and system time, nanoseconds.
  package var cpuNanoseconds: Int64
  package var residentBytes: Int
  package var openFiles: Int?

  package init(cpuNanoseconds: Int64, residentBytes: Int, openFiles: Int?) {
    self.cpuNanoseconds = cpuNanoseconds
    self.residentBytes = residentBytes
    self.openFiles = openFiles
  }
}

/// `GET /metrics`: what the server counts of itself.
struct MetricsPage {
  var state: ServerMetrics.State
  var version: String
  /// Unix nanoseconds.
  var startTime: Int64
  var now: Int64
  var isReady: Bool
  var process: ProcessFigures?
  var connections: (open: Int, opened: Int, refused: Int)
  var access: [(token: String?, counts: AccessCounts)]
  /// Unix seconds; nil where plain HTTP is spoken.
  var certificateExpiry: Int64?
  var bodiesHeld: Int
  var decoding: (held: Int, waiting: Int)
  var waitingUploads: Int
  var openQueries: Int
  /// The agents that forward here; nil at an agent.
  var agents: [AgentStatus]?
  /// What an agent keeps; nil at a server.
  var spool: SpoolSurvey?
  /// What the unit metrics say; empty where they could not be computed.
  var units: [UnitFigures]
  /// nil where no alerts are kept.
  var alerts: AlertFigures?
  /// nil where nothing is watched.
  var monitor: MonitorFigures?
  /// nil where nothing is isolated.
  var isolations: IsolationFigures?
  var decisions: DecisionDesk?
  /// How the budgets stand; empty where there are none.
  var budgets: [BudgetStatus] = []

  var text: String {
    var page = MetricsText()
    build(&page)
    requests(&page)
    security(&page)
    callers(&page)
    events(&page)
    queues(&page)
    if let agents { AgentsText.write(agents, now: now, to: &page) }
    if let spool {
      AgentsText.write(spool, refusedUploads: state.refusals["storage"] ?? 0, now: now, to: &page)
    }
    alerts?.write(now: now, to: &page)
    monitor?.write(to: &page)
    isolations?.write(to: &page)
    decisions?.write(to: &page)
    UnitFigures.write(units, to: &page)
    if !budgets.isEmpty { BudgetFigures.write(budgets, to: &page) }
    return page.text
  }

  private func build(_ page: inout MetricsText) {
    page.family("farthing_build_info", .gauge, "Always 1; the label says which version runs.")
    page.sample("farthing_build_info", [("version", version)], 1)
    page.single(
      "farthing_ready", .gauge, "1 where events are taken, 0 where they are refused.",
      isReady ? "1" : "0")
    page.single(
      "process_start_time_seconds", .gauge, "Start of the process since the Unix epoch.",
      MetricsText.seconds(startTime))
    guard let process else { return }
    page.single(
      "process_cpu_seconds_total", .counter, "User and system CPU time.",
      MetricsText.seconds(process.cpuNanoseconds))
    page.single(
      "process_resident_memory_bytes", .gauge, "Resident memory.", String(process.residentBytes))
    if let files = process.openFiles {
      page.single("process_open_fds", .gauge, "Open file descriptors.", String(files))
    }
  }

  private func requests(_ page: inout MetricsText) {
    page.family(
      "farthing_http_requests_total", .counter, "Requests answered, by call and status.")
    for (key, count) in state.replies.sorted(by: {
      ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
    }) {
      page.sample(
        "farthing_http_requests_total",
        [("method", key.method), ("route", key.route), ("code", String(key.status))], count)
    }
    page.family(
      "farthing_http_request_duration_seconds", .histogram,
      "From a request's head to its reply, by call.")
    for (call, histogram) in state.durations.sorted(by: { $0.key < $1.key }) {
      page.histogram("farthing_http_request_duration_seconds", [("call", call)], histogram)
    }
    page.family(
      "farthing_http_refused_total", .counter,
      "Requests and connections that a limit or a rule turned away, by reason.")
    for (reason, count) in state.refusals.sorted(by: { $0.key < $1.key }) {
      page.sample("farthing_http_refused_total", [("reason", reason)], count)
    }
  }

  private func security(_ page: inout MetricsText) {
    guard let certificateExpiry else { return }
    page.single(
      "farthing_tls_certificate_expiry_seconds", .gauge,
      "Unix time at which the certificate that new connections get expires.",
      String(certificateExpiry))
    page.family(
      "farthing_tls_handshake_failures_total", .counter,
      "Connections that ended before their TLS handshake was through, by reason.")
    for (reason, count) in state.handshakeFailures.sorted(by: { $0.key.rawValue < $1.key.rawValue })
    {
      page.sample("farthing_tls_handshake_failures_total", [("reason", reason.rawValue)], count)
    }
  }

  /// By token, whose names the configuration bounds; the empty one is callers without.
  private func callers(_ page: inout MetricsText) {
    page.family("farthing_access_admitted_total", .counter, "Requests admitted, by token.")
    for (token, counts) in access {
      page.sample("farthing_access_admitted_total", [("token", token ?? "")], counts.admitted)
    }
    page.family("farthing_access_events_total", .counter, "Events charged to a token.")
    for (token, counts) in access {
      page.sample("farthing_access_events_total", [("token", token ?? "")], counts.events)
    }
    page.family("farthing_access_refused_total", .counter, "Requests refused, by token and reason.")
    for (token, counts) in access {
      for (reason, count) in counts.refused.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        page.sample(
          "farthing_access_refused_total", [("token", token ?? ""), ("reason", reason.rawValue)],
          count)
      }
    }
  }

  private func events(_ page: inout MetricsText) {
    page.family("farthing_events_accepted_total", .counter, "Events stored, by source.")
    for (source, count) in state.accepted.sorted(by: { $0.key < $1.key }) {
      page.sample("farthing_events_accepted_total", [("source", source)], count)
    }
    page.family(
      "farthing_events_duplicate_total", .counter, "Events that were known by their id, by source.")
    for (source, count) in state.duplicates.sorted(by: { $0.key < $1.key }) {
      page.sample("farthing_events_duplicate_total", [("source", source)], count)
    }
    page.family(
      "farthing_events_rejected_total", .counter,
      "Events that break the contract, by the field that does; json: not readable at all.")
    for (reason, count) in state.rejections.sorted(by: { $0.key < $1.key }) {
      page.sample("farthing_events_rejected_total", [("reason", reason)], count)
    }
    page.family(
      "farthing_source_lag_seconds", .gauge,
      "Age of the newest event accepted from a source, by its own time.")
    for (source, newest) in state.newest.sorted(by: { $0.key < $1.key }) {
      page.sample(
        "farthing_source_lag_seconds", [("source", source)],
        MetricsText.seconds(max(0, now.subtractingReportingOverflow(newest).partialValue)))
    }
    page.family(
      "farthing_commit_duration_seconds", .histogram,
      "From the hand-over of a group of uploads to the writer until it is durable.")
    page.histogram("farthing_commit_duration_seconds", [], state.commits)
  }

  private func queues(_ page: inout MetricsText) {
    page.single("farthing_connections", .gauge, "Open connections.", String(connections.open))
    page.single(
      "farthing_connections_opened_total", .counter, "Connections opened.",
      String(connections.opened))
    page.single(
      "farthing_connections_refused_total", .counter,
      "Connections closed at once because too many were open.", String(connections.refused))
    page.single(
      "farthing_bodies_held_bytes", .gauge,
      "Bytes of bodies being received or worked on, expanded.",
      String(bodiesHeld))
    page.single(
      "farthing_decoded_held_bytes", .gauge,
      "Memory of events that were decoded and are not stored yet.", String(decoding.held))
    page.single(
      "farthing_bodies_waiting", .gauge, "Bodies that wait for memory to be decoded in.",
      String(decoding.waiting))
    page.single(
      "farthing_uploads_waiting", .gauge, "Uploads that wait for the log.", String(waitingUploads))
    page.single(
      "farthing_queries_open", .gauge, "Questions being answered or waiting.",
      String(openQueries))
  }
}
