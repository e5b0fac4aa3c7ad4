internal import FarthingCore
package import FarthingDetection

/// An incident that a backtest would have raised.
package struct BacktestAlert: Sendable {
  /// As it stood at the end, or when it was over.
  package var incident: Incident
  package var isResolved: Bool
  /// Picodollars beyond the expectation when it was told: what came after could have been saved.
  package var excessWhenTold: Int128

  /// Picodollars beyond the expectation that came after it was told.
  package var avoidable: Int128 {
    max(0, (incident.excess?.rawValue ?? 0) - excessWhenTold)
  }
}

/// Gathers what an engine hands out while history is replayed.
package struct Backtest: Sendable {
  private var alerts: [String: BacktestAlert] = [:]
  private let since: Int64?

  /// - Parameter since: incidents that were told before are left out: history before it only teaches.
  package init(since: Int64?) { self.since = since }

  package mutating func note(_ change: IncidentChange) {
    switch change {
    case .pending, .dropped: break
    case .fired(let incident):
      if let known = alerts[incident.id] {
        alerts[incident.id] = BacktestAlert(
          incident: incident, isResolved: false, excessWhenTold: known.excessWhenTold)
      } else {
        alerts[incident.id] = BacktestAlert(
          incident: incident, isResolved: false,
          excessWhenTold: incident.excess?.rawValue ?? 0)
      }
    case .updated(let incident): alerts[incident.id]?.incident = incident
    case .resolved(let incident):
      alerts[incident.id]?.incident = incident
      alerts[incident.id]?.isResolved = true
    }
  }

  /// By time of detection, ties by id.
  package var result: [BacktestAlert] {
    alerts.values
      .filter { alert in since.map { alert.incident.detectedAt >= $0 } ?? true }
      .sorted {
        ($0.incident.detectedAt, $0.incident.id) < ($1.incident.detectedAt, $1.incident.id)
      }
  }
}
