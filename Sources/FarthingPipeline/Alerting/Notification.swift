package import FarthingCore
package import FarthingDetection

/// What one receiver is told at one moment of one group of alerts.
package struct Notification: Sendable, Equatable {
  /// One alert as it stood.
  package struct Item: Sendable, Equatable {
    package var incident: Incident
    package var status: AlertStatus

    package init(incident: Incident, status: AlertStatus) {
      self.incident = incident
      self.status = status
    }
  }

  package var receiver: String
  /// Tells the receiver's groups apart, for ever.
  package var groupKey: String
  package var labels: [(String, String)]
  /// Unix nanoseconds.
  package var time: Int64
  /// The dearest first; at most as many as the receiver lists.
  package var items: [Item]
  /// All that fire, listed or not.
  package var firing: Int
  /// All that were resolved since the last notification, listed or not.
  package var resolved: Int
  /// The excess an hour of all that fire, US dollars; nil where none says.
  package var usdPerHour: Double?
  /// What was spent too much by all that fire; nil where none says.
  package var excess: Picodollars?
  /// The greatest of those that fire, or of those resolved where none does.
  package var severity: AlertSeverity
  /// Whether it is one that somebody asked for to see whether it arrives.
  package var isTest = false
  /// For how long what fires counts as firing without being told of again; nanoseconds.
  package var validity: Int64

  package init(
    receiver: String, groupKey: String, labels: [(String, String)], time: Int64, items: [Item],
    firing: Int, resolved: Int, usdPerHour: Double?, excess: Picodollars?,
    severity: AlertSeverity, isTest: Bool = false, validity: Int64
  ) {
    self.receiver = receiver
    self.groupKey = groupKey
    self.labels = labels
    self.time = time
    self.items = items
    self.firing = firing
    self.resolved = resolved
    self.usdPerHour = usdPerHour
    self.excess = excess
    self.severity = severity
    self.isTest = isTest
    self.validity = validity
  }

  package static func == (left: Notification, right: Notification) -> Bool {
    left.kept == right.kept
  }

  /// Alerts that it does not list.
  package var unlisted: Int { max(0, firing + resolved - items.count) }

  package var isFiring: Bool { firing > 0 }

  /// A line for people; no alert's text is in it but summaries.
  package var headline: String {
    if isTest { return "Test notification of Farthing: nothing has happened" }
    let count = firing + resolved
    if count == 1, let only = items.first {
      let state = only.status == .resolved ? "Resolved: " : ""
      return state + only.incident.summary
    }
    var parts: [String] = []
    if firing > 0 { parts.append("\(firing) alert\(firing == 1 ? "" : "s") firing") }
    if resolved > 0 { parts.append("\(resolved) resolved") }
    var line = parts.joined(separator: ", ")
    if let rate = EstimateText.readable(usdPerHour), firing > 0, (usdPerHour ?? 0) > 0 {
      line += ", \(rate) an hour above what is expected"
    }
    if let first = items.first { line += "; first: \(first.incident.summary)" }
    return line
  }
}

// MARK: - At rest

extension Notification {
  /// As it is kept in the outbox.
  package var kept: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("receiver", receiver)
      writer.member("group", groupKey)
      writer.key("labels")
      writer.array { writer in
        for (name, value) in labels {
          writer.array { writer in
            writer.string(name)
            writer.string(value)
          }
        }
      }
      writer.member("time", time)
      writer.key("items")
      writer.array { writer in
        for item in items {
          writer.object { writer in
            writer.member("status", item.status.rawValue)
            writer.key("incident")
            IncidentJSON.kept(item.incident, to: &writer)
          }
        }
      }
      writer.member("firing", firing)
      writer.member("resolved", resolved)
      writer.member("usd_per_hour", usdPerHour.map { String($0.bitPattern) })
      writer.member("excess", excess.map { String($0.rawValue) })
      writer.member("severity", severity.rawValue)
      writer.key("test")
      writer.boolean(isTest)
      writer.member("validity", validity)
    }
    return writer.bytes
  }

  /// nil for what ``kept`` did not write.
  package init?(kept bytes: [UInt8]) {
    guard let value = (try? JSONTree(bytes))?.root, let receiver = value["receiver"]?.text,
      let group = value["group"]?.text, let time = value["time"]?.integer,
      let severity = value["severity"]?.text.flatMap(AlertSeverity.init),
      let firing = value["firing"]?.integer, let resolved = value["resolved"]?.integer
    else { return nil }
    let labels = (value["labels"]?.elements ?? []).compactMap { pair -> (String, String)? in
      let parts = pair.elements.compactMap(\.text)
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
    let items = (value["items"]?.elements ?? []).compactMap { item -> Item? in
      guard let status = item["status"]?.text.flatMap(AlertStatus.init),
        let incident = item["incident"].flatMap(IncidentJSON.read)
      else { return nil }
      return Item(incident: incident, status: status)
    }
    self.init(
      receiver: receiver, groupKey: group, labels: labels, time: time, items: items,
      firing: Int(clamping: firing), resolved: Int(clamping: resolved),
      usdPerHour: value["usd_per_hour"]?.text.flatMap { UInt64($0) }
        .map { Double(bitPattern: $0) },
      excess: value["excess"]?.text.flatMap { Int128($0) }.map { Picodollars($0) },
      severity: severity, isTest: value["test"]?.boolean ?? false,
      validity: value["validity"]?.integer ?? 0)
  }
}
