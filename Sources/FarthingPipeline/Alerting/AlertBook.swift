// All that is known of alerts, and what follows from it.
//
// Pure: what comes in are changes of detectors, words of people and the time; what comes out is what has
// to become durable, among it the notifications to deliver. The book that a process works with is replaced by
// the changed one only after the change is durable, so memory never knows more than the disk.
//
// Invariants:
// 1. A change of status and its transition, and a notification and that its group was told, are one
//    `LedgerChange`: after a kill both are there or neither.
// 2. The same incident handed over again changes nothing: see `Alert.take`.
// 3. No receiver gets more than `notificationsAMinute`, whatever fires: groups are merged into one
//    then.

internal import FarthingCore
package import FarthingDetection
package import FarthingStore

/// Why something cannot be done to an alert or a silence.
package struct AlertFault: Error, Sendable, Equatable {
  package enum Code: Sendable { case notFound, conflict, invalid }

  package var code: Code
  /// A sentence without a full stop.
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

/// Alerts, silences, groups and outbox of one data folder.
package struct AlertBook: Sendable {
  /// Most notifications that one receiver gets in a minute.
  static let notificationsAMinute = 8
  /// Groups of one receiver that are due at once above which they are told of as one.
  static let separateGroups = 3
  /// The key of the group that others are merged into.
  static let mergedKey = "(summary)"

  struct GroupID: Hashable, Sendable {
    var receiver: String
    var key: String
  }

  package private(set) var settings: AlertingSettings
  /// Those that are not over, and those that some group has yet to tell of.
  package private(set) var alerts: [String: Alert] = [:]
  /// Those that have not ended.
  package private(set) var silences: [Silence] = []
  var groups: [GroupID: NotificationGroup] = [:]
  /// By alert, then receiver.
  private var memberships: [String: [String: GroupID]] = [:]
  package private(set) var outbox: Outbox
  /// When each receiver was told within the last minute.
  private var recent: [String: [Int64]] = [:]
  /// Until when silences are taken into account.
  private var silencesThrough = Int64.min

  /// What an operation has changed so far.
  private struct Draft {
    var change = LedgerChange()
    var alerts: Set<String> = []
    var groups: Set<GroupID> = []
    var removedGroups: Set<GroupID> = []
  }

  /// The book of what is kept.
  ///
  /// - Parameters:
  ///   - alerts: those that are not resolved, and those that groups name.
  package init(
    _ settings: AlertingSettings, alerts: [AlertRow] = [], silences: [SilenceRow] = [],
    groups: [GroupRow] = [], messages: [MessageRow] = []
  ) {
    self.settings = settings
    outbox = Outbox(messages)
    for row in alerts { if let alert = Alert(row) { self.alerts[alert.id] = alert } }
    self.silences = silences.compactMap { Silence($0) }
    for row in groups {
      let group = NotificationGroup(receiver: row.receiver, key: row.key, body: row.body)
      guard let group else { continue }
      let id = GroupID(receiver: row.receiver, key: row.key)
      self.groups[id] = group
      for member in group.members.keys { memberships[member, default: [:]][row.receiver] = id }
    }
  }

  /// The book of what a ledger keeps.
  package init(
    _ settings: AlertingSettings, kept reader: LedgerReader, now: Int64
  ) throws(StoreError) {
    let open = AlertStatus.allCases.filter { $0 != .resolved }.map(\.rawValue)
    var alerts = try reader.alerts(AlertSelection(statuses: open))
    let groups = try reader.groups()
    let known = Set(alerts.map(\.id))
    for id in Self.members(of: groups).subtracting(known).sorted() {
      if let row = try reader.alert(id) { alerts.append(row) }
    }
    self.init(
      settings, alerts: alerts, silences: try reader.silences(endingAfter: now), groups: groups,
      messages: try reader.messages())
  }

  /// The ids that the kept groups name.
  private static func members(of rows: [GroupRow]) -> Set<String> {
    Set(
      rows.flatMap { row in
        NotificationGroup(receiver: row.receiver, key: row.key, body: row.body)
          .map { Array($0.members.keys) } ?? []
      })
  }

  // MARK: - What detectors say

  /// Takes changes in their order.
  ///
  /// - Parameter recall: an alert that is kept and not in ``alerts``; nil where there is none.
  /// - Complexity: O(changes × routes).
  package mutating func take(
    _ changes: [IncidentChange], now: Int64, cause: String = "detector",
    recall: (String) -> Alert?
  ) -> LedgerChange {
    var draft = Draft()
    for change in changes {
      switch change {
      case .pending(let incident):
        take(incident, .pending, now, cause, recall, &draft)
      case .fired(let incident):
        take(incident, .firing, now, cause, recall, &draft)
      case .updated(let incident):
        let phase = alerts[incident.id]?.phase ?? .firing
        take(incident, phase, now, cause, recall, &draft)
      case .resolved(let incident):
        if alerts[incident.id]?.phase == .pending {
          take(incident, .firing, now, cause, recall, &draft)
        }
        take(incident, .resolved, now, cause, recall, &draft)
      case .dropped(let id): drop(id, now, cause, &draft)
      }
    }
    return finish(&draft)
  }

  private mutating func take(
    _ incident: Incident, _ phase: Alert.Phase, _ now: Int64, _ cause: String,
    _ recall: (String) -> Alert?, _ draft: inout Draft
  ) {
    let known = alerts[incident.id] ?? recall(incident.id)
    var alert = known ?? Alert(incident, phase: phase, changedAt: now)
    if known != nil {
      guard alert.take(incident, phase: phase, now: now) else { return }
    }
    if alert.phase != .resolved { alert.silence = silence(of: alert, now) }
    alerts[alert.id] = alert
    draft.alerts.insert(alert.id)
    let isTold =
      known == nil || known?.status != alert.status
      || known?.incident.severity != incident.severity || known?.incident.kind != incident.kind
      || known?.incident.dimensions != incident.dimensions
    if isTold { note(alert, from: known?.status, now, cause, nil, &draft) }
    route(alert, now, &draft)
  }

  private mutating func drop(_ id: String, _ now: Int64, _ cause: String, _ draft: inout Draft) {
    guard let alert = alerts[id], alert.phase == .pending else { return }
    alerts[id] = nil
    draft.alerts.remove(id)
    draft.change.alerts.removeAll { $0.id == id }
    draft.change.removedAlerts.append(id)
    draft.change.transitions.append(
      TransitionRow(
        alert: id, at: now, from: AlertStatus.pending.rawValue, to: "dropped", cause: cause,
        note: nil, evidence: Self.evidence(alert)))
  }

  private func note(
    _ alert: Alert, from: AlertStatus?, _ now: Int64, _ cause: String, _ note: String?,
    _ draft: inout Draft
  ) {
    draft.change.transitions.append(
      TransitionRow(
        alert: alert.id, at: now, from: from?.rawValue, to: alert.status.rawValue, cause: cause,
        note: note, evidence: Self.evidence(alert)))
  }

  private static func evidence(_ alert: Alert) -> [UInt8] {
    var writer = JSONWriter()
    IncidentJSON.write(alert.incident, status: alert.status, to: &writer)
    return writer.bytes
  }

  /// Tells the groups of an alert that it changed, and finds those that it belongs to.
  private mutating func route(_ alert: Alert, _ now: Int64, _ draft: inout Draft) {
    for id in (memberships[alert.id] ?? [:]).values { noteInGroup(id, alert, now, &draft) }
    guard alert.status == .firing else { return }
    for target in settings.targets(of: alert)
    where memberships[alert.id]?[target.receiver] == nil {
      let id = GroupID(receiver: target.receiver, key: target.key)
      if groups[id] == nil { groups[id] = NotificationGroup(target) }
      memberships[alert.id, default: [:]][target.receiver] = id
      noteInGroup(id, alert, now, &draft)
    }
  }

  private mutating func noteInGroup(
    _ id: GroupID, _ alert: Alert, _ now: Int64, _ draft: inout Draft
  ) {
    guard var group = groups[id] else { return }
    let before = group
    group.note(alert, now: now)
    if group.members[alert.id] == nil { memberships[alert.id]?[id.receiver] = nil }
    guard group != before else { return }
    groups[id] = group
    draft.groups.insert(id)
  }

  // MARK: - What people say

  /// Notes that somebody has an alert in hand; again changes nothing.
  ///
  /// - Throws: where it is not known, not certain yet, or over.
  package mutating func acknowledge(
    _ id: String, by person: String, note text: String?, now: Int64
  ) throws(AlertFault) -> LedgerChange {
    guard var alert = alerts[id] else {
      throw AlertFault(.notFound, "no open alert has the id \"\(id.printable)\"")
    }
    let status = alert.status
    guard status != .acknowledged else { return LedgerChange() }
    guard status.next.contains(.acknowledged) else {
      throw AlertFault(
        .conflict,
        status == .pending
          ? "the alert is pending: nobody was told of it, and it may come to nothing"
          : "the alert is \(status.rawValue)")
    }
    alert.acknowledgement = Acknowledgement(by: person, at: now, note: text)
    alert.changedAt = now
    alerts[id] = alert
    var draft = Draft()
    draft.alerts.insert(id)
    note(alert, from: status, now, person, text, &draft)
    return finish(&draft)
  }

  /// Silences what a silence is about, from the moment at which it starts.
  ///
  /// - Throws: `invalid` where it has no matcher, ends before it starts or now.
  package mutating func add(_ silence: Silence, now: Int64) throws(AlertFault) -> LedgerChange {
    guard !silence.matchers.isEmpty else {
      throw AlertFault(.invalid, "a silence needs a matcher: one of everything hides everything")
    }
    guard silence.endsAt > silence.startsAt, silence.endsAt > now else {
      throw AlertFault(.invalid, "a silence has to end after it starts, and after now")
    }
    guard silences.count < 1000 else {
      throw AlertFault(.conflict, "there are 1000 silences; end some of them first")
    }
    silences.append(silence)
    var draft = Draft()
    draft.change.silences.append(silence.row)
    settleSilences(now, &draft)
    return finish(&draft)
  }

  /// Ends a silence now.
  package mutating func end(silence id: String, now: Int64) throws(AlertFault) -> LedgerChange {
    guard let place = silences.firstIndex(where: { $0.id == id && $0.endsAt > now }) else {
      throw AlertFault(.notFound, "no silence that goes on has the id \"\(id.printable)\"")
    }
    silences[place].endsAt = max(now, silences[place].startsAt)
    var draft = Draft()
    draft.change.silences.append(silences[place].row)
    settleSilences(now, &draft)
    return finish(&draft)
  }

  private func silence(of alert: Alert, _ now: Int64) -> String? {
    if let found = silences.first(where: { $0.isActive(now) && $0.holds(for: alert) }) {
      return found.id
    }
    return settings.mutes(alert) ? Alert.configured : nil
  }

  /// Looks anew which alerts are silenced.
  private mutating func settleSilences(_ now: Int64, _ draft: inout Draft) {
    silencesThrough = now
    silences.removeAll { $0.endsAt <= now }
    for id in alerts.keys.sorted() {
      guard var alert = alerts[id], alert.phase != .resolved else { continue }
      let silence = silence(of: alert, now)
      guard silence != alert.silence else { continue }
      let before = alert.status
      let cause = "silence \(silence ?? alert.silence ?? "")"
      alert.silence = silence
      alert.changedAt = now
      alerts[id] = alert
      draft.alerts.insert(id)
      if alert.status != before { note(alert, from: before, now, cause, nil, &draft) }
      route(alert, now, &draft)
    }
  }

  // MARK: - The time

  /// Does what is due: silences begin and end, groups are told of.
  ///
  /// - Parameter random: numbers for ids.
  /// - Complexity: O(groups); O(members) for those that are due.
  package mutating func advance(now: Int64, random: () -> UInt64) -> LedgerChange {
    var draft = Draft()
    let moments = silences.flatMap { [$0.startsAt, $0.endsAt] }
    if moments.contains(where: { silencesThrough < $0 && $0 <= now }) || now < silencesThrough {
      settleSilences(now, &draft)
    }
    silencesThrough = now
    var due: [String: [GroupID]] = [:]
    for (id, group) in groups {
      if let at = group.dueAt, at <= now { due[id.receiver, default: []].append(id) }
      let isStale = group.sentAt.map { now >= $0 + group.interval } ?? true
      if group.members.isEmpty, group.newsAt == nil, isStale { remove(id, &draft) }
    }
    for receiver in due.keys.sorted() {
      tell(
        receiver, due[receiver, default: []].sorted { $0.key < $1.key }, now, random, &draft)
    }
    return finish(&draft)
  }

  private mutating func remove(_ id: GroupID, _ draft: inout Draft) {
    groups[id] = nil
    draft.groups.remove(id)
    draft.removedGroups.insert(id)
  }

  private mutating func tell(
    _ receiver: String, _ due: [GroupID], _ now: Int64, _ random: () -> UInt64,
    _ draft: inout Draft
  ) {
    guard let settings = settings.receiver(receiver) else {
      for id in due { remove(id, &draft) }
      return
    }
    let since = now - CivilTime.minute
    recent[receiver] = (recent[receiver] ?? []).filter { $0 > since && $0 <= now }
    var room = Self.notificationsAMinute - recent[receiver, default: []].count
    var due = due
    if due.count > Self.separateGroups || due.count > room {
      due = merge(receiver, due, now, &draft)
    }
    for id in due {
      guard room > 0 else { return }
      if flush(id, settings, now, random, &draft) { room -= 1 }
    }
  }

  /// Puts groups that nobody was told of yet together; the others stay themselves, so that a receiver that
  /// knows them by their keys hears of their end.
  private mutating func merge(
    _ receiver: String, _ due: [GroupID], _ now: Int64, _ draft: inout Draft
  ) -> [GroupID] {
    let merged = GroupID(receiver: receiver, key: Self.mergedKey)
    let fresh = due.filter { groups[$0]?.sentAt == nil && $0 != merged }
    guard let first = fresh.first.flatMap({ groups[$0] }), fresh.count > 1 else { return due }
    var summary =
      groups[merged]
      ?? NotificationGroup(
        RouteTarget(
          receiver: receiver, labels: [], values: [], wait: first.wait, interval: first.interval,
          repeatInterval: first.repeatInterval), key: Self.mergedKey)
    for id in fresh {
      guard let group = groups[id] else { continue }
      for (member, told) in group.members {
        summary.members[member] = told
        memberships[member]?[receiver] = merged
      }
      summary.newsAt = min(summary.newsAt ?? .max, group.newsAt ?? now)
      summary.isUrgent = summary.isUrgent || group.isUrgent
      remove(id, &draft)
    }
    groups[merged] = summary
    draft.groups.insert(merged)
    let isDue = summary.dueAt.map { $0 <= now } ?? false
    return due.filter { !fresh.contains($0) && $0 != merged } + (isDue ? [merged] : [])
  }

  private mutating func flush(
    _ id: GroupID, _ receiver: ReceiverSettings, _ now: Int64, _ random: () -> UInt64,
    _ draft: inout Draft
  ) -> Bool {
    guard var group = groups[id] else { return false }
    let members = Set(group.members.keys)
    let inhibition = Inhibition(settings.inhibit, alerts.values)
    let notification = group.flush(
      now: now, sendsResolved: receiver.sendsResolved, listLimit: receiver.listLimit,
      alert: { alerts[$0] }, isInhibited: { inhibition.holds(for: $0) })
    // What is inhibited is looked at again.
    let isWaiting = group.members.contains { member, told in
      told == .nothing && alerts[member]?.status == .firing
    }
    if isWaiting { group.newsAt = now }
    groups[id] = group
    draft.groups.insert(id)
    for gone in members.subtracting(group.members.keys) {
      memberships[gone]?[id.receiver] = nil
      if memberships[gone]?.isEmpty == true { memberships[gone] = nil }
    }
    guard let notification else { return false }
    recent[id.receiver, default: []].append(now)
    outbox.add(
      notification, id: Self.messageID(random), now: now, &draft.change)
    return true
  }

  static func messageID(_ random: () -> UInt64) -> String {
    "msg_"
      + [random(), random()].map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
      }.joined()
  }

  /// Ends an operation: what it touched becomes rows, and what is over and told of leaves memory.
  private mutating func finish(_ draft: inout Draft) -> LedgerChange {
    for id in draft.alerts.sorted() {
      if let alert = alerts[id] { draft.change.alerts.append(alert.row) }
    }
    for id in draft.groups {
      guard let group = groups[id] else { continue }
      draft.change.groups.append(
        GroupRow(receiver: id.receiver, key: id.key, body: group.body))
    }
    for id in draft.removedGroups where groups[id] == nil {
      draft.change.removedGroups.append(GroupRow(receiver: id.receiver, key: id.key, body: []))
    }
    for (id, alert) in alerts
    where alert.phase == .resolved && memberships[id]?.isEmpty != false {
      memberships[id] = nil
      alerts[id] = nil
    }
    return draft.change
  }

  // MARK: - Settings and delivery

  /// Goes on by other settings; alerts that fire are told to receivers that are new to them.
  package mutating func reload(_ settings: AlertingSettings, now: Int64) -> LedgerChange {
    self.settings = settings
    var draft = Draft()
    let names = Set(settings.receivers.map(\.name))
    for id in groups.keys where !names.contains(id.receiver) {
      for member in groups[id].map({ Array($0.members.keys) }) ?? [] {
        memberships[member]?[id.receiver] = nil
      }
      remove(id, &draft)
    }
    settleSilences(now, &draft)
    for id in alerts.keys.sorted() {
      if let alert = alerts[id] { route(alert, now, &draft) }
    }
    draft.change.add(outbox.drop(allBut: names, now: now))
    return finish(&draft)
  }

  /// Puts a test notification into the outbox.
  ///
  /// - Returns: its id, and what has to become durable.
  package mutating func test(
    _ receiver: String, now: Int64, random: () -> UInt64
  ) throws(AlertFault) -> (id: String, change: LedgerChange) {
    guard settings.receiver(receiver) != nil else {
      let names = settings.receivers.map(\.name)
      let hint =
        names.isEmpty
        ? "the configuration names none" : "there are \(names.joined(separator: ", "))"
      throw AlertFault(.notFound, "no receiver is called \"\(receiver.printable)\"; \(hint)")
    }
    let incident = Incident(
      id: "test", kind: .rule, severity: .info, metric: "requests",
      dimensions: [], startedAt: now, detectedAt: now,
      summary: "Test notification of Farthing: nothing has happened")
    let notification = Notification(
      receiver: receiver, groupKey: "\(receiver)\n(test)", labels: [], time: now,
      items: [Notification.Item(incident: incident, status: .firing)], firing: 1, resolved: 0,
      usdPerHour: nil, excess: nil, severity: .info, isTest: true, validity: CivilTime.minute)
    let id = Self.messageID(random)
    var change = LedgerChange()
    outbox.add(notification, id: id, now: now, &change)
    return (id, change)
  }

  /// What is to be sent to a receiver now; each counts as under way until it is settled.
  package mutating func takeDue(_ receiver: String, now: Int64) -> [Outbox.Entry] {
    outbox.take(receiver, now: now)
  }

  package func nextDue(_ receiver: String) -> Int64? { outbox.nextDue(receiver) }

  package mutating func settle(
    _ entry: Outbox.Entry, _ result: DeliveryResult, now: Int64, random: () -> UInt64
  ) -> LedgerChange {
    outbox.settle(entry, result, now: now, random: random)
  }

  package mutating func release(_ entry: Outbox.Entry) { outbox.release(entry) }
}

/// Which alerts others keep quiet.
struct Inhibition {
  private let sources: [(rule: InhibitRule, alerts: [Alert])]

  init(_ rules: [InhibitRule], _ alerts: some Collection<Alert>) {
    sources = rules.map { rule in
      (
        rule,
        alerts.filter { alert in
          alert.phase == .firing && rule.source.allSatisfy { $0.holds(for: alert) }
        }
      )
    }
  }

  /// An alert that is of the source too is told of: two could keep each other quiet.
  func holds(for alert: Alert) -> Bool {
    sources.contains { rule, sources in
      guard rule.target.allSatisfy({ $0.holds(for: alert) }),
        !rule.source.allSatisfy({ $0.holds(for: alert) })
      else { return false }
      return sources.contains { source in
        rule.equal.allSatisfy { source.label($0) == alert.label($0) }
      }
    }
  }
}
