package import FarthingDetection

/// That somebody has an alert in hand.
package struct Acknowledgement: Sendable, Equatable {
  /// The name of the token, or of the user on the command line.
  package var by: String
  /// Unix nanoseconds.
  package var at: Int64
  package var note: String?

  package init(by: String, at: Int64, note: String?) {
    self.by = by
    self.at = at
    self.note = note
  }
}

/// An incident with what people have to do with it.
///
/// The detector's part (``phase``) only goes forward: a change that says what is known already, or less,
/// changes nothing. So the same history may be handed over twice, as it is after a restart.
package struct Alert: Sendable, Equatable {
  /// What the detector says of it.
  package enum Phase: String, Sendable {
    case pending
    case firing
    case resolved
  }

  package var incident: Incident
  package private(set) var phase: Phase
  package var acknowledgement: Acknowledgement?
  /// The silence that holds now: its id, or ``configured``; nil for none.
  package var silence: String?
  /// When anything changed last, by the clock of the process that keeps it; Unix nanoseconds.
  package var changedAt: Int64

  /// What ``silence`` holds for what the configuration mutes.
  package static let configured = "configuration"

  package init(_ incident: Incident, phase: Phase, changedAt: Int64) {
    self.incident = incident
    self.phase = phase
    self.changedAt = changedAt
  }

  package var id: String { incident.id }

  package var status: AlertStatus {
    switch phase {
    case .pending: .pending
    case .resolved: .resolved
    case .firing:
      if acknowledgement != nil {
        .acknowledged
      } else if silence != nil {
        .silenced
      } else {
        .firing
      }
    }
  }

  /// Takes what a detector, a rule or a budget says.
  ///
  /// - Returns: whether anything changed. What was resolved stays as it was, and what fires does not
  ///   become pending again.
  package mutating func take(_ incident: Incident, phase: Phase, now: Int64) -> Bool {
    switch (self.phase, phase) {
    case (.resolved, _), (.firing, .pending): return false
    default: break
    }
    guard self.phase != phase || self.incident != incident else { return false }
    self.phase = phase
    self.incident = incident
    changedAt = now
    return true
  }

  /// The value of a label: `kind`, `severity`, `metric`, `alertname` (the kind), a dimension of the
  /// slice, or what a rule or budget adds; empty where it has none.
  package func label(_ name: String) -> String {
    switch name {
    case "kind", "alertname": incident.kind.rawValue
    case "severity": incident.severity.rawValue
    case "metric": incident.metric
    default:
      incident.dimensions.first { $0.dimension == name }?.value ?? incident.labels[name] ?? ""
    }
  }

  /// Whether `self` is to be told of before another: dearer things first, ties by id.
  package func isMoreUrgent(than other: Alert) -> Bool {
    let (left, right) = (incident, other.incident)
    if left.severity != right.severity { return left.severity > right.severity }
    let leftRate = left.usdPerHour ?? 0
    let rightRate = right.usdPerHour ?? 0
    if leftRate != rightRate { return leftRate > rightRate }
    return left.id < right.id
  }
}
