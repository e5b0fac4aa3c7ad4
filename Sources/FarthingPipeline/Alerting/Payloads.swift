internal import FarthingCore
internal import FarthingDetection

// What each kind of receiver is sent. All of it is written from a notification as it is kept, so each
// attempt of one id says the same.

/// A body for HTTP.
package struct Payload: Sendable, Equatable {
  package var contentType = "application/json"
  package var body: [UInt8]

  package init(body: [UInt8]) { self.body = body }
}

/// The bodies of each kind of receiver.
package enum Payloads {
  /// Standard Webhooks: `type`, `timestamp`, `data`; alerts as `GET /v1/alerts` shows them.
  package static func webhook(_ notification: Notification, externalURL: String?) -> Payload {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("type", type(notification))
      writer.member("timestamp", time: notification.time)
      writer.key("data")
      writer.object { writer in
        data(notification, externalURL: externalURL, to: &writer)
      }
    }
    return Payload(body: writer.bytes)
  }

  static func type(_ notification: Notification) -> String {
    if notification.isTest { return "alerts.test" }
    return notification.isFiring ? "alerts.firing" : "alerts.resolved"
  }

  private static func data(
    _ notification: Notification, externalURL: String?, to writer: inout JSONWriter
  ) {
    writer.member("receiver", notification.receiver)
    writer.member("status", notification.isFiring ? "firing" : "resolved")
    writer.member("severity", notification.severity.rawValue)
    writer.member("headline", notification.headline)
    writer.member("group", notification.labels)
    writer.member("group_key", notification.groupKey)
    writer.member("firing", notification.firing)
    writer.member("resolved", notification.resolved)
    writer.member("unlisted", notification.unlisted)
    writer.key("usd_per_hour")
    writer.real(notification.usdPerHour)
    writer.member("excess_usd", notification.excess?.decimalText)
    writer.member("url", externalURL.map { $0 + "/v1/alerts" })
    writer.key("alerts")
    writer.array { writer in
      for item in notification.items {
        writer.object { writer in
          IncidentJSON.members(item.incident, status: item.status, to: &writer)
          writer.member("examples", item.incident.examples)
        }
      }
    }
  }

  // MARK: Slack

  /// An incoming webhook's message. What events brought in stands in blocks of plain text, where Slack
  /// reads neither links nor mentions nor marks; the text for screens without blocks is escaped.
  package static func slack(_ notification: Notification) -> Payload {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("text", slackEscaped(cut(notification.headline, 3000)))
      writer.key("blocks")
      writer.array { writer in
        block("header", cut(mark(notification) + notification.headline, 140), to: &writer)
        for item in notification.items.prefix(8) {
          block("section", cut(lines(item).joined(separator: "\n"), 2900), to: &writer)
        }
        let left = notification.firing + notification.resolved - min(8, notification.items.count)
        if left > 0 { block("section", "and \(left) more", to: &writer) }
      }
    }
    return Payload(body: writer.bytes)
  }

  private static func block(_ type: String, _ text: String, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("type", type)
      writer.key("text")
      writer.object { writer in
        writer.member("type", "plain_text")
        writer.member("text", text)
        writer.key("emoji")
        writer.boolean(false)
      }
    }
  }

  private static func mark(_ notification: Notification) -> String {
    notification.isFiring ? "[\(notification.severity.rawValue)] " : "[resolved] "
  }

  static func slackEscaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  /// What a person reads of one alert.
  static func lines(_ item: Notification.Item) -> [String] {
    let incident = item.incident
    var lines = [item.status == .resolved ? "Resolved: \(incident.summary)" : incident.summary]
    let slice = incident.dimensions.map { "\($0.dimension) = \($0.value)" }
    if !slice.isEmpty { lines.append("where: " + slice.joined(separator: ", ")) }
    var money: [String] = []
    if let excess = incident.excess { money.append("$\(excess.decimalText) so far") }
    if let rate = EstimateText.readable(incident.usdPerHour) { money.append("\(rate) an hour") }
    if !money.isEmpty { lines.append("above expectation: " + money.joined(separator: ", ")) }
    var times = "since \(CivilTime.text(incident.startedAt))"
    if let end = incident.resolvedAt { times += " until \(CivilTime.text(end))" }
    lines.append("\(times); \(incident.kind.rawValue), \(incident.severity.rawValue)")
    lines += incident.explanation.prefix(8)
    lines.append("id: \(incident.id)")
    return lines.map { oneLine($0, 600) }
  }

  /// One line without control characters and what turns text around, of at most so many characters.
  package static func oneLine(_ text: String, _ limit: Int) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate:
        scalars.append(" ")
      default: scalars.append(scalar)
      }
    }
    return cut(String(scalars), limit)
  }

  static func cut(_ text: String, _ limit: Int) -> String {
    text.count > limit ? String(text.prefix(limit - 1)) + "…" : text
  }

  // MARK: PagerDuty

  /// An event of the Events API, version 2. The group is PagerDuty's incident.
  ///
  /// - Parameter key: the integration key: it belongs in the body there.
  package static func pagerDuty(
    _ notification: Notification, key: String, deduplicationKey: String, externalURL: String?
  ) -> Payload {
    var writer = JSONWriter()
    let first = notification.items.first
    writer.object { writer in
      writer.member("routing_key", key)
      writer.member("event_action", notification.isFiring ? "trigger" : "resolve")
      writer.member("dedup_key", deduplicationKey)
      writer.member("client", "Farthing")
      if let externalURL { writer.member("client_url", externalURL + "/v1/alerts") }
      writer.key("payload")
      writer.object { writer in
        writer.member("summary", cut(notification.headline, 1000))
        writer.member("source", "farthing")
        writer.member("severity", notification.severity.rawValue)
        writer.member("timestamp", time: first?.incident.startedAt ?? notification.time)
        writer.member("component", cut(first?.incident.dimensions.first?.value ?? "", 200))
        writer.member("class", first?.incident.kind.rawValue)
        writer.key("custom_details")
        writer.object { writer in
          data(notification, externalURL: externalURL, to: &writer)
        }
      }
    }
    return Payload(body: writer.bytes)
  }

  // MARK: Alertmanager

  /// The alerts as Alertmanager's API, version 2, takes them. What fires ends by itself after the
  /// notification's validity unless it is told of again.
  package static func alertmanager(
    _ notification: Notification, now: Int64, externalURL: String?
  ) -> Payload {
    var writer = JSONWriter()
    writer.array { writer in
      for item in notification.items {
        for severity in AlertSeverity.allCases {
          alert(item, severity, notification, now, externalURL, to: &writer)
        }
      }
    }
    return Payload(body: writer.bytes)
  }

  /// An alert whose labels change is another one there, and an incident's severity may change: so those of
  /// the other severities are told to be over. Alertmanager says nothing of what it never told of.
  private static func alert(
    _ item: Notification.Item, _ severity: AlertSeverity, _ notification: Notification,
    _ now: Int64, _ externalURL: String?, to writer: inout JSONWriter
  ) {
    let incident = item.incident
    writer.object { writer in
      writer.member("labels", labels(incident) + [("severity", severity.rawValue)])
      writer.member(
        "annotations",
        [
          ("summary", incident.summary), ("description", lines(item).joined(separator: "\n")),
        ])
      writer.member("startsAt", time: incident.startedAt)
      if item.status == .resolved || severity != incident.severity {
        // One that ends before it starts is refused, and one that ends in the future fires.
        let end = severity == incident.severity ? incident.resolvedAt ?? now : now
        writer.member("endsAt", time: max(min(end, now), incident.startedAt))
      } else {
        let (end, overflow) = now.addingReportingOverflow(notification.validity)
        writer.member("endsAt", time: overflow ? now + CivilTime.day : end)
      }
      if let externalURL { writer.member("generatorURL", externalURL + "/v1/alerts") }
    }
  }

  /// Labels by the rules of Prometheus for names.
  private static func labels(_ incident: Incident) -> [(String, String)] {
    var labels: [(String, String)] = [
      ("alertname", incident.kind.rawValue), ("metric", incident.metric),
      ("incident", incident.id), ("source", "farthing"),
    ]
    let further = incident.labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    for (key, value) in incident.dimensions.map({ ($0.dimension, $0.value) }) + further {
      var name = ""
      for scalar in key.unicodeScalars {
        let isPlain =
          scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
        name.unicodeScalars.append(isPlain ? scalar : "_")
      }
      if name.unicodeScalars.first.map({ ("0"..."9").contains($0) }) ?? true { name = "_" + name }
      if labels.contains(where: { $0.0 == name }) { name = "dimension_" + name }
      labels.append((name, value))
    }
    return labels
  }
}
