internal import FarthingCore
package import FarthingDetection

/// Incidents as the interface shows them, and as the ledger keeps them.
package enum IncidentJSON {
  /// The members that `GET /v1/alerts`, `farthing alerts` and `farthing backtest` show.
  package static func write(_ incident: Incident, status: AlertStatus, to writer: inout JSONWriter)
  {
    writer.object { writer in
      members(incident, status: status, to: &writer)
    }
  }

  /// The same without the braces, for what shows more.
  package static func members(
    _ incident: Incident, status: AlertStatus, to writer: inout JSONWriter
  ) {
    writer.member("id", incident.id)
    writer.member("kind", incident.kind.rawValue)
    writer.member("severity", incident.severity.rawValue)
    writer.member("status", status.rawValue)
    writer.member("metric", incident.metric)
    writer.member("dimensions", incident.dimensions.map { ($0.dimension, $0.value) })
    writer.member("started_at", time: incident.startedAt)
    writer.member("detected_at", time: incident.detectedAt)
    writer.member("resolved_at", time: incident.resolvedAt)
    writer.key("expected")
    writer.real(incident.expected)
    writer.key("actual")
    writer.real(incident.actual)
    writer.member("excess_usd", incident.excess?.decimalText)
    writer.key("usd_per_hour")
    writer.real(incident.usdPerHour)
    writer.member("summary", incident.summary)
    writer.member("explanation", incident.explanation)
  }

  /// The interface's array, an alert a line.
  package static func list(_ alerts: [(incident: Incident, status: AlertStatus)]) -> [UInt8] {
    var writer = JSONWriter()
    writer.array { writer in
      for alert in alerts {
        writer.lineBreak()
        write(alert.incident, status: alert.status, to: &writer)
      }
      if !alerts.isEmpty { writer.newLine() }
    }
    writer.end()
    return writer.bytes
  }

  // MARK: What is kept

  /// All that there is, for ``read(_:)``.
  static func kept(_ incident: Incident, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("id", incident.id)
      writer.member("kind", incident.kind.rawValue)
      writer.member("severity", incident.severity.rawValue)
      writer.member("metric", incident.metric)
      writer.key("dimensions")
      writer.array { writer in
        for value in incident.dimensions {
          writer.array { writer in
            writer.string(value.dimension)
            writer.string(value.value)
          }
        }
      }
      writer.member("labels", incident.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
      writer.member("started", incident.startedAt)
      writer.member("detected", incident.detectedAt)
      writer.member("resolved", incident.resolvedAt)
      writer.member("expected", bits(incident.expected))
      writer.member("actual", bits(incident.actual))
      writer.member("excess", incident.excess.map { String($0.rawValue) })
      writer.member("usd_per_hour", bits(incident.usdPerHour))
      writer.member("summary", incident.summary)
      writer.member("explanation", incident.explanation)
      writer.member("examples", incident.examples)
      writer.key("containable")
      writer.boolean(incident.isContainable)
    }
  }

  /// The bit pattern, so that nothing is rounded on the way to the disk and back.
  private static func bits(_ number: Double?) -> String? { number.map { String($0.bitPattern) } }

  /// - Returns: nil for what ``kept(_:to:)`` did not write.
  static func read(_ value: JSONValue) -> Incident? {
    guard let id = value["id"]?.text, let kind = value["kind"]?.text.flatMap(AlertKind.init),
      let severity = value["severity"]?.text.flatMap(AlertSeverity.init),
      let metric = value["metric"]?.text, let started = value["started"]?.integer,
      let detected = value["detected"]?.integer, let summary = value["summary"]?.text
    else { return nil }
    func real(_ key: JSONPath) -> Double? {
      value[key]?.text.flatMap { UInt64($0) }.map { Double(bitPattern: $0) }
    }
    let dimensions = (value["dimensions"]?.elements ?? []).compactMap { pair -> DimensionValue? in
      let parts = pair.elements
      guard parts.count == 2, let name = parts[0].text, let text = parts[1].text else { return nil }
      return DimensionValue(dimension: name, value: text)
    }
    let labels = (value["labels"]?.members ?? []).compactMap { member in
      member.value.text.map { (member.key, $0) }
    }
    return Incident(
      id: id, kind: kind, severity: severity, metric: metric, dimensions: dimensions,
      startedAt: started, detectedAt: detected, resolvedAt: value["resolved"]?.integer,
      expected: real("expected"), actual: real("actual"),
      excess: value["excess"]?.text.flatMap { Int128($0) }.map { Picodollars($0) },
      usdPerHour: real("usd_per_hour"), summary: summary,
      explanation: (value["explanation"]?.elements ?? []).compactMap(\.text),
      examples: (value["examples"]?.elements ?? []).compactMap(\.text),
      isContainable: value["containable"]?.boolean ?? false,
      labels: Dictionary(labels, uniquingKeysWith: { first, _ in first }))
  }
}

extension JSONWriter {
  /// A line feed without a comma, before a closing bracket.
  package mutating func newLine() { end() }
}
