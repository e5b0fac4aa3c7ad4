internal import FarthingCore
internal import FarthingDetection

/// What one receiver was told of alerts that belong together, and when it is to be told more.
///
/// The first alert waits ``wait`` for others. After that the group is told of at most once in
/// ``interval``, or in ``urgentInterval`` where an alert has become critical that was not told as such,
/// and without news once in ``repeatInterval`` while anything fires.
struct NotificationGroup: Sendable, Equatable {
  /// What the receiver was told of an alert last.
  enum Told: Equatable {
    case nothing
    case firing(AlertSeverity)
  }

  /// The least time between two notifications of a group, whatever comes: with it six of them are the most
  /// in a minute.
  static let urgentInterval = 10 * CivilTime.second

  let receiver: String
  let key: String
  let labels: [String]
  let values: [String]
  var wait: Int64
  var interval: Int64
  var repeatInterval: Int64
  var members: [String: Told] = [:]
  /// When there was something first that the receiver has not been told; nil for nothing.
  var newsAt: Int64?
  /// Whether it is critical.
  var isUrgent = false
  var sentAt: Int64?

  /// - Parameter key: nil for that of the target.
  init(_ target: RouteTarget, key: String? = nil) {
    receiver = target.receiver
    self.key = key ?? target.key
    labels = target.labels
    values = target.values
    wait = target.wait
    interval = target.interval
    repeatInterval = target.repeatInterval
  }

  /// When it is to be told of next, Unix nanoseconds; nil for never.
  var dueAt: Int64? {
    if let newsAt {
      let first = newsAt.addingReportingOverflow(wait).partialValue
      guard let sentAt else { return first }
      return max(first, sentAt + (isUrgent ? min(interval, Self.urgentInterval) : interval))
    }
    guard let sentAt, members.values.contains(where: { $0 != .nothing }) else { return nil }
    return sentAt.addingReportingOverflow(repeatInterval).partialValue
  }

  /// Notes that there is something to tell of an alert.
  mutating func note(_ alert: Alert, now: Int64) {
    let told = members[alert.id]
    let severity = alert.incident.severity
    switch alert.status {
    case .firing:
      if case .firing(let before)? = told, before >= severity { return }
      if told == nil { members[alert.id] = .nothing }
      if severity == .critical { isUrgent = true }
    case .resolved:
      guard let told else { return }
      // It came and went while somebody had it in hand, or wanted no word of it.
      if told == .nothing, alert.acknowledgement != nil || alert.silence != nil {
        members[alert.id] = nil
        return
      }
    case .pending, .acknowledged, .silenced: return
    }
    if newsAt == nil { newsAt = now }
  }

  /// What the receiver is to be told now; nil where there is nothing to say after all.
  ///
  /// Afterwards it counts as told.
  mutating func flush(
    now: Int64, sendsResolved: Bool, listLimit: Int, alert: (String) -> Alert?,
    isInhibited: (Alert) -> Bool
  ) -> Notification? {
    var firing: [Alert] = []
    var resolved: [Alert] = []
    var isNews = false
    for (id, told) in members {
      guard let alert = alert(id) else {
        members[id] = nil
        continue
      }
      switch alert.status {
      case .resolved:
        members[id] = nil
        guard sendsResolved || told == .nothing else { continue }
        resolved.append(alert)
        isNews = true
      case .firing where !isInhibited(alert):
        firing.append(alert)
        if case .firing(let before) = told, before >= alert.incident.severity { continue }
        isNews = true
      case .firing, .pending, .acknowledged, .silenced: continue
      }
    }
    let isRepetition = newsAt == nil && !firing.isEmpty
    newsAt = nil
    isUrgent = false
    guard isNews || isRepetition else { return nil }
    for alert in firing {
      var severity = alert.incident.severity
      if case .firing(let before)? = members[alert.id] { severity = max(severity, before) }
      members[alert.id] = .firing(severity)
    }
    sentAt = now
    return notification(firing, resolved, now: now, listLimit: listLimit)
  }

  private func notification(
    _ firing: [Alert], _ resolved: [Alert], now: Int64, listLimit: Int
  ) -> Notification {
    let listed = firing.sorted { $0.isMoreUrgent(than: $1) }.prefix(listLimit)
    let over = resolved.sorted { $0.isMoreUrgent(than: $1) }.prefix(listLimit - listed.count)
    let rates = firing.compactMap(\.incident.usdPerHour)
    var excess: Int128?
    for amount in firing.compactMap(\.incident.excess) {
      excess = (excess ?? 0).addingReportingOverflow(amount.rawValue).partialValue
    }
    let (twice, overflow) = repeatInterval.multipliedReportingOverflow(by: 2)
    return Notification(
      receiver: receiver, groupKey: key.isEmpty ? receiver : "\(receiver)\n\(key)",
      labels: Array(zip(labels, values)), time: now,
      items: (listed + over).map { Notification.Item(incident: $0.incident, status: $0.status) },
      firing: firing.count, resolved: resolved.count,
      usdPerHour: rates.isEmpty ? nil : rates.reduce(0, +), excess: excess.map { Picodollars($0) },
      severity: (firing.isEmpty ? resolved : firing).map(\.incident.severity).max() ?? .info,
      validity: overflow ? .max : twice)
  }
}

// MARK: - At rest

extension NotificationGroup {
  var body: [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("labels", labels)
      writer.member("values", values)
      writer.member("wait", wait)
      writer.member("interval", interval)
      writer.member("repeat", repeatInterval)
      writer.member("news_at", newsAt)
      writer.key("urgent")
      writer.boolean(isUrgent)
      writer.member("sent_at", sentAt)
      writer.key("members")
      writer.object { writer in
        for (id, told) in members.sorted(by: { $0.key < $1.key }) {
          let word = if case .firing(let severity) = told { severity.rawValue } else { "" }
          writer.member(id, word)
        }
      }
    }
    return writer.bytes
  }

  init?(receiver: String, key: String, body: [UInt8]) {
    guard let value = (try? JSONTree(body))?.root, let wait = value["wait"]?.integer,
      let interval = value["interval"]?.integer, let repeats = value["repeat"]?.integer
    else { return nil }
    self.receiver = receiver
    self.key = key
    labels = (value["labels"]?.elements ?? []).compactMap(\.text)
    values = (value["values"]?.elements ?? []).compactMap(\.text)
    self.wait = wait
    self.interval = interval
    repeatInterval = repeats
    newsAt = value["news_at"]?.integer
    isUrgent = value["urgent"]?.boolean ?? false
    sentAt = value["sent_at"]?.integer
    for (id, told) in value["members"]?.members ?? [] {
      members[id] = told.text.flatMap(AlertSeverity.init).map { .firing($0) } ?? .nothing
    }
  }
}
