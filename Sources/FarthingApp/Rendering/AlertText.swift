internal import FarthingCore
package import FarthingDetection

/// Alerts as the interface writes them.
package enum AlertText {
  /// A JSON array of incidents, those that are over as `resolved`, the others as `firing`.
  package static func json(_ incidents: [(incident: Incident, isResolved: Bool)]) -> String {
    if incidents.isEmpty { return "[]\n" }
    let entries = incidents.map { entry in
      json(entry.incident, status: entry.isResolved ? "resolved" : "firing")
    }
    return "[\n" + entries.joined(separator: ",\n") + "\n]\n"
  }

  /// One alert as a JSON object.
  package static func json(_ incident: Incident, status: String) -> String {
    var members: [String] = []
    func text(_ name: String, _ value: String?) {
      members.append("\"\(name)\":" + (value.map { JSONText.string($0) } ?? "null"))
    }
    func number(_ name: String, _ value: Double?) {
      members.append("\"\(name)\":" + (value.map { NumberText.json($0) } ?? "null"))
    }
    func list(_ name: String, _ values: [String]) {
      let quoted = values.map { JSONText.string($0) }
      members.append("\"\(name)\":[" + quoted.joined(separator: ",") + "]")
    }
    text("id", incident.id)
    text("kind", incident.kind.rawValue)
    text("severity", incident.severity.rawValue)
    text("status", status)
    text("metric", incident.metric)
    let dimensions = incident.dimensions.map { entry -> String in
      JSONText.string(entry.dimension) + ":" + JSONText.string(entry.value)
    }
    members.append("\"dimensions\":{" + dimensions.joined(separator: ",") + "}")
    text("started_at", TimeText.rfc3339(incident.startedAt))
    text("detected_at", TimeText.rfc3339(incident.detectedAt))
    text("resolved_at", incident.resolvedAt.map { TimeText.rfc3339($0) })
    number("expected", incident.expected)
    number("actual", incident.actual)
    text("excess_usd", incident.excess?.decimalText)
    number("usd_per_hour", incident.usdPerHour)
    text("summary", incident.summary)
    list("explanation", incident.explanation)
    list("examples", incident.examples)
    return "{" + members.joined(separator: ",") + "}"
  }

  /// A length of time for people: `40s`, `12m`, `3h 05m`, `2d 04h`.
  package static func span(_ nanoseconds: Int64) -> String {
    let seconds = max(0, nanoseconds / CivilTime.second)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if seconds < 60 { return "\(seconds)s" }
    if seconds < 3600 { return "\(seconds / 60)m" }
    if seconds < 86_400 { return "\(seconds / 3600)h \(two(seconds / 60 % 60))m" }
    return "\(seconds / 86_400)d \(two(seconds / 3600 % 24))h"
  }
}
