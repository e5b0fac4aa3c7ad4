internal import FarthingCore
internal import FarthingDetection
package import FarthingStore

// Alerts as the ledger keeps them.

extension Alert {
  /// What is kept of it.
  package var row: AlertRow {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("incident")
      IncidentJSON.kept(incident, to: &writer)
      writer.member("phase", phase.rawValue)
      if let acknowledgement {
        writer.key("acknowledged")
        writer.object { writer in
          writer.member("by", acknowledgement.by)
          writer.member("at", acknowledgement.at)
          writer.member("note", acknowledgement.note)
        }
      }
      writer.member("silence", silence)
    }
    return AlertRow(
      id: id, kind: incident.kind.rawValue, severity: incident.severity.rawValue,
      status: status.rawValue, startedAt: incident.startedAt, resolvedAt: incident.resolvedAt,
      changedAt: changedAt, body: writer.bytes)
  }

  /// nil for what ``row`` did not make.
  package init?(_ row: AlertRow) {
    guard let value = (try? JSONTree(row.body))?.root,
      let incident = value["incident"].flatMap(IncidentJSON.read),
      let phase = value["phase"]?.text.flatMap(Phase.init)
    else { return nil }
    self.init(incident, phase: phase, changedAt: row.changedAt)
    if let kept = value["acknowledged"], let by = kept["by"]?.text, let at = kept["at"]?.integer {
      acknowledgement = Acknowledgement(by: by, at: at, note: kept["note"]?.text)
    }
    silence = value["silence"]?.text
  }
}

/// How an alert came to be what it is: one step of it.
package struct AlertTransition: Sendable, Equatable {
  /// Unix nanoseconds of the keeping process's clock.
  package var at: Int64
  /// nil where the alert was new.
  package var from: String?
  /// A status, or `dropped`.
  package var to: String
  package var cause: String
  package var note: String?
  /// The alert as it was then, as the interface shows it.
  package var evidence: [UInt8]

  package init(_ row: TransitionRow) {
    at = row.at
    from = row.from
    to = row.to
    cause = row.cause
    note = row.note
    evidence = row.evidence
  }
}
