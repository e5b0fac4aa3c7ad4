internal import FarthingCore
internal import FarthingDetection
package import FarthingStore

/// What is kept of isolations as JSON: the same at the server and on the command line.
package enum IsolationTexts {
  /// The interface's array.
  ///
  /// - Parameter statuses: empty for all but those that a guardrail did not let be.
  package static func list(
    statuses: [String], since: Int64?, limit: Int?, now: Int64, _ reader: IsolationReader
  ) throws(StoreError) -> [UInt8] {
    let shown =
      statuses.isEmpty
      ? IsolationStatus.allCases.filter { $0 != .refused }.map(\.rawValue) : statuses
    let found = try reader.isolations(statuses: shown, since: since, limit: limit)
      .compactMap { Isolation($0) }
    return list(found, now: now)
  }

  package static func list(_ isolations: [Isolation], now: Int64) -> [UInt8] {
    var writer = JSONWriter()
    writer.array { writer in
      for isolation in isolations {
        writer.lineBreak()
        writer.object { members(isolation, now: now, to: &$0) }
      }
      if !isolations.isEmpty { writer.newLine() }
    }
    writer.end()
    return writer.bytes
  }

  /// The members of one isolation, without the braces.
  package static func members(
    _ isolation: Isolation, now: Int64, to writer: inout JSONWriter
  ) {
    writer.member("id", isolation.id)
    writer.member("alert", isolation.alert.isEmpty ? nil : isolation.alert)
    writer.key("target")
    isolation.target.write(to: &writer)
    writer.member("action", isolation.action.word)
    writer.member("mode", isolation.mode.rawValue)
    writer.member("status", isolation.status.rawValue)
    writer.member("started_at", time: isolation.startedAt)
    writer.member("effective_at", time: isolation.effectiveAt)
    writer.member("release_at", time: isolation.releaseAt)
    writer.member("released_at", time: isolation.releasedAt)
    writer.member("why", why(isolation, now: now))
  }

  /// All of one isolation with its lines of the audit log; nil where there is none.
  package static func details(
    _ id: String, now: Int64, _ reader: IsolationReader
  ) throws(StoreError) -> [UInt8]? {
    guard let isolation = try reader.isolation(id).flatMap({ Isolation($0) }) else { return nil }
    let lines = try reader.audit(of: id, limit: 1000)
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("isolation")
      writer.object { members(isolation, now: now, to: &$0) }
      writer.member("policy", isolation.policy)
      writer.member("repetition", isolation.repetition)
      writer.member("actor", isolation.actor)
      writer.member("released_by", isolation.releasedBy)
      writer.member("saved_usd_estimated", EstimateText.dollars(isolation.saved(until: now)))
      writer.member("hooks", isolation.hooks)
      writer.key("guardrails")
      isolation.guardrailsJSON(to: &writer)
      writer.key("calls")
      isolation.callsJSON(to: &writer) { writer, time in writer.member("at", time: time) }
      writer.key("incident")
      if let incident = isolation.incident {
        let status: AlertStatus = isolation.recoveredAt == nil ? .firing : .resolved
        IncidentJSON.write(incident, status: status, to: &writer)
      } else {
        writer.string(nil)
      }
      writer.key("audit")
      writer.array { writer in
        for line in lines { self.line(line, to: &writer) }
        if !lines.isEmpty { writer.newLine() }
      }
    }
    writer.end()
    return writer.bytes
  }

  private static func line(_ line: AuditRow, to writer: inout JSONWriter) {
    writer.lineBreak()
    writer.object { writer in
      writer.member("sequence", line.sequence)
      writer.member("at", time: line.entry.at)
      writer.member("event", line.entry.event)
      writer.member("actor", line.entry.actor)
      writer.key("detail")
      writer.raw(line.entry.detail)
    }
  }

  /// The chain of evidence, a sentence each.
  package static func why(_ isolation: Isolation, now: Int64) -> [String] {
    var why = [isolation.reason]
    if let incident = isolation.incident {
      var series = "\(incident.metric)"
      if let actual = incident.actual { series += ": \(figure(actual))" }
      if let expected = incident.expected { series += ", expected \(figure(expected))" }
      if let rate = EstimateText.readable(incident.usdPerHour) {
        series += ", \(rate) an hour beyond the expectation"
      }
      why.append("Series: \(series).")
      why.append(
        "Incident \(incident.id): \(incident.kind.rawValue), \(incident.severity.rawValue), since "
          + "\(InstantText.text(incident.startedAt)), detected "
          + "\(InstantText.text(incident.detectedAt)).")
      why += incident.explanation
    }
    let repetition =
      isolation.repetition == 0
      ? "" : ", repetition \(isolation.repetition), so it lasts longer"
    why.append(
      isolation.policy == Isolation.manual
        ? "Asked for by \(isolation.actor): \(isolation.action.text) \(isolation.target.text)."
        : "Policy \(isolation.policy): \(isolation.action.text) \(isolation.target.text), at most "
          + "\(isolation.length / CivilTime.second) s\(repetition); decided by \(isolation.actor).")
    why += isolation.guardrails.map {
      "Guardrail \($0.name) \($0.holds ? "holds" : "does not hold"): \($0.saw)."
    }
    why += isolation.calls.map {
      "Hook \($0.hook), \($0.verb), attempt \($0.attempt) at \(InstantText.text($0.at)): "
        + "\($0.result): \(Payloads.oneLine($0.evidence, 300))"
    }
    if isolation.isDoubted { why.append("It did not hold: see the audit log.") }
    if let cause = isolation.releasedBy {
      why.append("Ended by \(cause), \(isolation.status.rawValue).")
    }
    if let saved = EstimateText.readable(isolation.saved(until: now)) {
      why.append(
        isolation.mode == .enforced
          ? "Saved since: about \(saved), the incident's excess an hour times the time in force."
          : "A dry run: nothing was cut off. It would have saved about \(saved).")
    }
    return why
  }

  private static func figure(_ number: Double) -> String {
    EstimateText.dollars(number).map { text in
      guard let dot = text.firstIndex(of: ".") else { return text }
      return String(text[..<dot]) + text[dot...].prefix(5)
    } ?? "\(number)"
  }

  /// The whole id of an isolation of which enough was typed.
  ///
  /// - Throws: ``IsolationFault`` where several begin so; ``StoreError``. An id of nothing comes back as it is.
  package static func whole(_ id: String, _ reader: IsolationReader) throws -> String {
    if try reader.isolation(id) != nil { return id }
    let found = id.utf8.count < 4 ? [] : try reader.ids(prefix: id, limit: 4)
    guard found.count <= 1 else {
      throw IsolationFault(
        .invalid,
        "\"\(id.printable)\" begins the ids of several isolations, such as "
          + found.prefix(3).joined(separator: ", "))
    }
    return found.first ?? id
  }

  /// What checking the audit log found.
  package static func verified(_ finding: AuditFinding) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("intact")
      writer.boolean(finding.fault == nil)
      writer.member("entries", finding.head.count)
      writer.member("head", finding.head.description)
      writer.member("fault", finding.fault)
    }
    writer.end()
    return writer.bytes
  }

  /// Whether isolations are on.
  package static func state(
    _ killSwitch: IsolationBook.KillSwitch, mode: IsolationMode
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("isolations", killSwitch.isOff ? "off" : "on")
      writer.member("mode", mode.rawValue)
      writer.member("turned_by", killSwitch.by.isEmpty ? nil : killSwitch.by)
      writer.member("turned_at", time: killSwitch.at == 0 ? nil : killSwitch.at)
    }
    writer.end()
    return writer.bytes
  }
}
