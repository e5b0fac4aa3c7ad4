internal import FarthingCore
package import FarthingDetection
package import FarthingPipeline
package import FarthingStore

/// Keeps the alerts of a running server: one thread, the one writer of the ledger.
///
/// Every operation becomes durable before it counts: where the disk refuses, the book stays as it was, and the
/// caller is told or tries again.
package actor AlertDesk {
  private let executor: ThreadExecutor
  private let ledger: AlertLedger
  private var book: AlertBook
  private var random = SystemRandomNumberGenerator()

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  /// Opens what is kept in a folder that this process holds.
  ///
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `diskFull`, `io`.
  package init(directory: String, settings: AlertingSettings, now: Int64) throws(StoreError) {
    executor = try ThreadExecutor()
    let ledger = try AlertLedger(directory: directory)
    var book = try AlertBook(settings, kept: ledger.reader, now: now)
    try ledger.commit(book.reload(settings, now: now))
    self.book = book
    self.ledger = ledger
  }

  /// Runs an operation on a copy of the book, which takes the book's place once it is durable.
  private func change<Result>(
    _ body: (inout AlertBook) throws -> (Result, LedgerChange)
  ) throws -> Result {
    var next = book
    let (result, change) = try body(&next)
    try ledger.commit(change)
    book = next
    return result
  }

  /// Incidents of some kinds that are not over.
  package func open(of kinds: Set<AlertKind>) -> [Incident] {
    book.alerts.values.filter { $0.phase != .resolved && kinds.contains($0.incident.kind) }
      .map(\.incident).sorted { $0.id < $1.id }
  }

  // MARK: - What comes in

  /// Takes what a detector, rules or budgets say, and blobs that are to be kept with it.
  ///
  /// - Throws: ``StoreError``; nothing of it is kept then, and all of it may be handed over again.
  package func take(
    _ changes: [IncidentChange], cause: String = "detector", blobs: [String: [UInt8]?] = [:],
    now: Int64
  ) throws(StoreError) {
    guard !changes.isEmpty || !blobs.isEmpty else { return }
    var known: [String: Alert] = [:]
    for id in changes.compactMap(\.incidentID) where book.alerts[id] == nil {
      if known[id] == nil { known[id] = try ledger.reader.alert(id).flatMap { Alert($0) } }
    }
    var next = book
    var change = next.take(changes, now: now, cause: cause) { known[$0] }
    change.blobs = blobs
    try ledger.commit(change)
    book = next
  }

  package func acknowledge(
    _ id: String, by person: String, note: String?, now: Int64
  ) throws -> [UInt8] {
    let id = try whole(id)
    try change { ((), try $0.acknowledge(id, by: person, note: note, now: now)) }
    return try details(id)
  }

  package func add(_ silence: Silence, now: Int64) throws {
    try change { ((), try $0.add(silence, now: now)) }
  }

  package func end(silence id: String, now: Int64) throws {
    try change { ((), try $0.end(silence: id, now: now)) }
  }

  /// Puts a test notification into the outbox; its id.
  package func test(_ receiver: String, now: Int64) throws -> String {
    try change { book in
      let (id, change) = try book.test(receiver, now: now) { random.next() }
      return (id, change)
    }
  }

  /// Does what is due.
  package func advance(now: Int64) throws(StoreError) {
    var next = book
    let change = next.advance(now: now) { random.next() }
    try ledger.commit(change)
    book = next
  }

  package func reload(_ settings: AlertingSettings, now: Int64) throws(StoreError) {
    var next = book
    try ledger.commit(next.reload(settings, now: now))
    book = next
  }

  /// Drops what ended before a moment.
  package func expire(before moment: Int64) throws(StoreError) {
    try ledger.expire(before: moment)
  }

  // MARK: - What goes out

  /// Receivers for which something is due.
  package func receiversDue(now: Int64) -> [String] {
    book.settings.receivers.map(\.name).filter { name in
      book.nextDue(name).map { $0 <= now } ?? false
    }
  }

  /// What is to be sent to a receiver now.
  package func due(
    _ receiver: String, now: Int64
  ) throws(StoreError) -> [(entry: Outbox.Entry, notification: Notification)] {
    var found: [(Outbox.Entry, Notification)] = []
    for entry in book.takeDue(receiver, now: now) {
      if let row = try ledger.reader.message(entry.id),
        let notification = Notification(kept: row.body)
      {
        found.append((entry, notification))
      } else {
        try settle(
          entry, .delivered(detail: "what was to be said was lost and cannot be sent"), now: now)
      }
    }
    return found
  }

  /// Notes what came of an attempt.
  ///
  /// - Throws: where it could not be kept; the notification counts as not tried then.
  package func settle(
    _ entry: Outbox.Entry, _ result: DeliveryResult, now: Int64
  ) throws(StoreError) {
    var next = book
    let change = next.settle(entry, result, now: now) { random.next() }
    do throws(StoreError) {
      try ledger.commit(change)
    } catch {
      book.release(entry)
      throw error
    }
    book = next
  }

  /// Gives back what was taken and not tried.
  package func release(_ entry: Outbox.Entry) { book.release(entry) }

  // MARK: - What is asked

  package var settings: AlertingSettings { book.settings }

  /// The incidents that fire, whoever has them in hand; by id.
  package var open: [Incident] {
    book.alerts.values.filter { $0.phase == .firing }.map(\.incident).sorted { $0.id < $1.id }
  }

  /// The selected alerts as the interface shows them.
  package func list(
    _ selection: AlertSelection, _ matchers: [AlertMatcher] = []
  ) throws(StoreError) -> [UInt8] {
    try AlertTexts.list(selection, matchers, ledger.reader)
  }

  /// All of one alert.
  package func details(_ id: String) throws -> [UInt8] {
    guard let text = try AlertTexts.details(try whole(id), ledger.reader) else {
      throw AlertFault(.notFound, "no alert has the id \"\(String(id.prefix(64)))\"")
    }
    return text
  }

  /// The id that people began to type.
  private func whole(_ id: String) throws -> String {
    if book.alerts[id] != nil { return id }
    return try AlertTexts.whole(id, ledger.reader)
  }

  package func silences(all: Bool, now: Int64) throws(StoreError) -> [UInt8] {
    AlertTexts.silences(try ledger.reader.silences(endingAfter: all ? nil : now), now: now)
  }

  package func receipts(
    receiver: String?, limit: Int
  ) throws(StoreError) -> [UInt8] {
    AlertTexts.receipts(try ledger.reader.receipts(receiver: receiver, limit: limit))
  }

  /// What became of one notification: the last receipt; nil where nothing was tried yet.
  package func outcome(of message: String) throws(StoreError) -> ReceiptRow? {
    try ledger.reader.receipts(limit: 200).last { $0.message == message }
  }

  package func blob(_ name: String) throws(StoreError) -> [UInt8]? {
    try ledger.reader.blob(name)
  }

  /// What metrics show.
  package var figures: AlertFigures {
    var figures = AlertFigures()
    for alert in book.alerts.values {
      figures.alerts[
        AlertFigures.Counted(status: alert.status.rawValue, kind: alert.incident.kind.rawValue),
        default: 0] += 1
    }
    figures.silences = book.silences.count
    for receiver in book.settings.receivers {
      figures.waiting[receiver.name] = book.outbox.depths[receiver.name] ?? 0
    }
    figures.oldest = book.outbox.oldest
    figures.deliveries = book.outbox.counts
    return figures
  }
}

extension IncidentChange {
  var incidentID: String? {
    switch self {
    case .pending(let incident), .fired(let incident), .updated(let incident),
      .resolved(let incident):
      incident.id
    case .dropped(let id): id
    }
  }
}
