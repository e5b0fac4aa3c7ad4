internal import FarthingCore
internal import FarthingStore

/// What came of one attempt to deliver.
package enum DeliveryResult: Sendable, Equatable {
  case delivered(detail: String)
  /// - Parameter retryAfter: seconds that the receiver asked for.
  case failed(detail: String, retryAfter: Int64?)
}

/// What waits to be delivered: which notification is due when.
///
/// At least once, one id over all attempts, and in order within a group of one receiver: what is over must not
/// overtake that it began. Bodies stay on the disk.
///
/// When full, the oldest notification of the receiver is given up, which a receipt tells and a metric
/// counts.
package struct Outbox: Sendable {
  /// Most notifications that wait for one receiver: years of repetitions, and some tens of MiB.
  package static let limit = 2000
  /// Notifications to one receiver that are under way at once, each of another group.
  static let underWayLimit = 4

  /// One that waits; its body is on the disk.
  package struct Entry: Sendable, Equatable {
    package var id: String
    package var receiver: String
    package var group: String
    package var createdAt: Int64
    package var attempts: Int
    package var dueAt: Int64
    var isUnderWay = false
  }

  /// By receiver, the oldest first.
  private var waiting: [String: [Entry]] = [:]
  package private(set) var counts: [Counted: Int] = [:]

  /// What deliveries are counted by.
  package struct Counted: Hashable, Sendable {
    package var receiver: String
    package var result: String
  }

  init(_ rows: [MessageRow]) {
    for row in rows {
      waiting[row.receiver, default: []].append(
        Entry(
          id: row.id, receiver: row.receiver, group: row.group, createdAt: row.createdAt,
          attempts: row.attempts, dueAt: row.dueAt))
    }
  }

  /// How many wait, by receiver.
  package var depths: [String: Int] { waiting.mapValues(\.count).filter { $0.value > 0 } }

  /// How old the oldest is, by receiver; Unix nanoseconds of its making.
  package var oldest: [String: Int64] { waiting.compactMapValues { $0.first?.createdAt } }

  package func contains(_ id: String) -> Bool {
    waiting.values.contains { $0.contains { $0.id == id } }
  }

  mutating func add(
    _ notification: Notification, id: String, now: Int64, _ change: inout LedgerChange
  ) {
    let entry = Entry(
      id: id, receiver: notification.receiver, group: notification.groupKey, createdAt: now,
      attempts: 0, dueAt: now)
    change.messages.append(
      MessageRow(
        id: id, receiver: entry.receiver, group: entry.group, createdAt: now, attempts: 0,
        dueAt: now, body: notification.kept))
    var entries = waiting[entry.receiver] ?? []
    // The receiver may be back: what stands before this one is tried at once.
    for place in entries.indices where entries[place].group == entry.group {
      entries[place].dueAt = min(entries[place].dueAt, now)
    }
    entries.append(entry)
    if entries.count > Self.limit, let place = entries.firstIndex(where: { !$0.isUnderWay }) {
      let dropped = entries.remove(at: place)
      close(dropped, "given_up", "too many notifications wait for this receiver", now, &change)
    }
    waiting[entry.receiver] = entries
  }

  /// What is to be sent to a receiver now; it counts as under way until ``settle(_:_:now:random:)``.
  mutating func take(_ receiver: String, now: Int64) -> [Entry] {
    guard var entries = waiting[receiver] else { return [] }
    var groups = Set<String>()
    var room = Self.underWayLimit - entries.count { $0.isUnderWay }
    var taken: [Entry] = []
    for place in entries.indices where room > 0 {
      // The first of each group, whether it is due or not, comes before the others of it.
      guard groups.insert(entries[place].group).inserted, !entries[place].isUnderWay,
        entries[place].dueAt <= now
      else { continue }
      entries[place].isUnderWay = true
      taken.append(entries[place])
      room -= 1
    }
    waiting[receiver] = entries
    return taken
  }

  /// When something for a receiver is due; nil for nothing.
  func nextDue(_ receiver: String) -> Int64? {
    guard let entries = waiting[receiver],
      entries.count(where: { $0.isUnderWay }) < Self.underWayLimit
    else { return nil }
    var groups = Set<String>()
    var next: Int64?
    for entry in entries where groups.insert(entry.group).inserted && !entry.isUnderWay {
      next = min(next ?? .max, entry.dueAt)
    }
    return next
  }

  /// Notes what came of an attempt.
  mutating func settle(
    _ entry: Entry, _ result: DeliveryResult, now: Int64, random: () -> UInt64
  ) -> LedgerChange {
    var change = LedgerChange()
    guard var entries = waiting[entry.receiver],
      let place = entries.firstIndex(where: { $0.id == entry.id })
    else { return change }
    entries[place].isUnderWay = false
    entries[place].attempts += 1
    let settled = entries[place]
    switch result {
    case .delivered(let detail):
      entries.remove(at: place)
      close(settled, "delivered", detail, now, &change)
      // It is back: what failed before is tried within moments, not within a quarter of an hour.
      for place in entries.indices where entries[place].attempts > 0 {
        let soon = now + Int64(random() % UInt64(2 * CivilTime.second))
        entries[place].dueAt = min(entries[place].dueAt, soon)
      }
    case .failed(let detail, let retryAfter):
      let age = now.subtractingReportingOverflow(settled.createdAt).partialValue
      if age >= RetrySchedule.span {
        entries.remove(at: place)
        close(settled, "given_up", detail, now, &change)
      } else {
        let pause = RetrySchedule.pause(
          attempts: settled.attempts, asked: retryAfter, random: random())
        entries[place].dueAt = now + pause
        receipt(settled, "failed", detail, now, &change)
        change.attempted.append(
          LedgerChange.Attempt(
            id: settled.id, attempts: settled.attempts, dueAt: entries[place].dueAt))
      }
    }
    waiting[entry.receiver] = entries
    return change
  }

  /// Gives back what was taken and not tried, as at the end of the process.
  mutating func release(_ entry: Entry) {
    guard let place = waiting[entry.receiver]?.firstIndex(where: { $0.id == entry.id }) else {
      return
    }
    waiting[entry.receiver]?[place].isUnderWay = false
  }

  /// Gives up what waits for receivers that the configuration does not name any more.
  mutating func drop(allBut receivers: Set<String>, now: Int64) -> LedgerChange {
    var change = LedgerChange()
    for (receiver, entries) in waiting where !receivers.contains(receiver) {
      for entry in entries where !entry.isUnderWay {
        close(entry, "given_up", "the configuration has no such receiver any more", now, &change)
      }
      waiting[receiver] = entries.filter(\.isUnderWay)
    }
    return change
  }

  private mutating func close(
    _ entry: Entry, _ result: String, _ detail: String, _ now: Int64,
    _ change: inout LedgerChange
  ) {
    change.removedMessages.append(entry.id)
    change.messages.removeAll { $0.id == entry.id }
    receipt(entry, result, detail, now, &change)
  }

  private mutating func receipt(
    _ entry: Entry, _ result: String, _ detail: String, _ now: Int64,
    _ change: inout LedgerChange
  ) {
    counts[Counted(receiver: entry.receiver, result: result), default: 0] += 1
    change.receipts.append(
      ReceiptRow(
        message: entry.id, receiver: entry.receiver, at: now, attempt: entry.attempts,
        result: result, detail: detail))
  }
}
