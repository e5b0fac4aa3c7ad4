internal import FarthingCore
internal import FarthingDetection
internal import FarthingPipeline
internal import FarthingStore

extension ReportLedger {
  /// What the folder's alerts say of a window: incidents that touch it, and what people did in it.
  ///
  /// - Throws: ``StoreError`` where there is a ledger that cannot be read.
  static func read(directory: String, _ window: ReportWindow) throws(StoreError) -> ReportLedger {
    let found = try LedgerReader.reading(directory: directory) {
      (reader) throws(StoreError) -> ReportLedger in
      let alerts = try reader.alerts().compactMap { Alert($0) }
      let touching = alerts.filter { alert in
        alert.status != .pending && alert.incident.startedAt < window.until
          && alert.incident.resolvedAt ?? .max > window.since
      }
      let acknowledged = alerts.compactMap { alert -> Action? in
        guard let said = alert.acknowledgement, said.at >= window.since, said.at < window.until
        else { return nil }
        return Action(
          at: said.at, what: "acknowledged", target: alert.id, by: said.by, note: said.note)
      }
      let silenced = try reader.silences()
        .filter { $0.createdAt >= window.since && $0.createdAt < window.until }
        .map { silence in
          Action(
            at: silence.createdAt, what: "silenced",
            target: silence.matchers.split(separator: "\n").joined(separator: ", "),
            by: silence.author, note: silence.comment.isEmpty ? nil : silence.comment)
        }
      return ReportLedger(
        isKept: true, incidents: touching.map(Incident.init),
        actions: (acknowledged + silenced).sorted { ($0.at, $0.target) < ($1.at, $1.target) })
    }
    return found ?? ReportLedger()
  }
}

extension ReportLedger.Incident {
  init(_ alert: Alert) {
    let incident = alert.incident
    self.init(
      id: incident.id, kind: incident.kind.rawValue, severity: incident.severity.rawValue,
      status: alert.status.rawValue, startedAt: incident.startedAt,
      detectedAt: incident.detectedAt, resolvedAt: incident.resolvedAt,
      slice: incident.dimensions.map { ($0.dimension, $0.value) },
      excess: incident.excess?.rawValue, summary: incident.summary)
  }
}
