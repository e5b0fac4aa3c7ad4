internal import FarthingCore
package import FarthingDetection
package import FarthingPipeline
package import FarthingStore

/// Keeps the isolations of a running server: one thread, the one writer of their ledger.
///
/// Every operation becomes durable before it counts; what callers are answered by is published right behind that.
package actor IsolationDesk {
  private let executor: ThreadExecutor
  private let ledger: IsolationLedger
  private var book: IsolationBook
  private var random = SystemRandomNumberGenerator()
  private var published: [Isolation] = []
  private let decisions: DecisionDesk
  private let population: PopulationShelf
  /// Changes of incidents that could not be kept yet.
  private var pending: [IncidentChange] = []

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe executor.asUnownedSerialExecutor()
  }

  /// Opens what is kept in a folder that this process holds.
  ///
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `diskFull`, `io`.
  package init(
    directory: String, settings: IsolationSettings, population: PopulationShelf,
    decisions: DecisionDesk, now: IsolationTime,
    supports: @escaping IsolationBook.Support = { _, _, _ in true }
  ) throws(StoreError) {
    executor = try ThreadExecutor()
    let ledger = try IsolationLedger(directory: directory)
    var book = try IsolationBook(
      settings, kept: ledger.reader, now: now, supports: supports)
    // What the configuration says may have changed meanwhile.
    try ledger.commit(book.reload(settings, supports: supports, now: now).change)
    self.ledger = ledger
    self.book = book
    self.decisions = decisions
    self.population = population
    published = book.enforced
    decisions.publish(published)
  }

  /// Runs an operation on a copy of the book, which takes the book's place once it is durable.
  private func change<Result>(
    _ body: (inout IsolationBook) throws -> (Result, IsolationBook.Outcome)
  ) throws -> (Result, alerts: [IncidentChange]) {
    var next = book
    let (result, outcome) = try body(&next)
    try ledger.commit(outcome.change)
    adopt(next)
    return (result, outcome.alerts)
  }

  private func adopt(_ next: IsolationBook) {
    book = next
    let enforced = next.enforced
    guard enforced != published else { return }
    published = enforced
    decisions.publish(enforced)
  }

  // MARK: - What comes in

  /// Takes what detectors say. What cannot be kept is taken again with what comes next.
  package func take(
    _ changes: [IncidentChange], now: IsolationTime
  ) throws(StoreError) -> [IncidentChange] {
    pending += changes
    guard !pending.isEmpty else { return [] }
    var next = book
    let reader = ledger.reader
    var failure: StoreError?
    let outcome = next.take(pending, population: population.current, now: now) { alert in
      do throws(StoreError) {
        return try reader.isolations(of: alert).compactMap { Isolation($0) }
      } catch {
        failure = error
        return []
      }
    }
    if let failure { throw failure }
    try ledger.commit(outcome.change)
    adopt(next)
    pending = []
    return outcome.alerts
  }

  /// Takes what was going on when the process before ended.
  package func recall(_ incidents: [Incident], now: IsolationTime) {
    let reader = ledger.reader
    book.recall(incidents, now: now) { alert in
      ((try? reader.isolations(of: alert)) ?? []).compactMap { Isolation($0) }
    }
  }

  /// Does what is due.
  package func advance(now: IsolationTime) throws(StoreError) -> [IncidentChange] {
    var next = book
    let outcome = next.advance(population: population.current, now: now)
    try ledger.commit(outcome.change)
    adopt(next)
    return outcome.alerts
  }

  package func reload(
    _ settings: IsolationSettings, supports: @escaping IsolationBook.Support, now: IsolationTime
  ) throws(StoreError) -> [IncidentChange] {
    var next = book
    let outcome = next.reload(settings, supports: supports, now: now)
    try ledger.commit(outcome.change)
    adopt(next)
    return outcome.alerts
  }

  package func approve(
    _ id: String, by person: String, now: IsolationTime
  ) throws -> (id: String, alerts: [IncidentChange]) {
    let id = try whole(id)
    let population = population.current
    let (_, alerts) = try change {
      ((), try $0.approve(id, by: person, population: population, now: now))
    }
    return (id, alerts)
  }

  package func release(_ id: String, by person: String, now: IsolationTime) throws -> String {
    let id = try whole(id)
    if book.isolations[id] == nil, try ledger.reader.isolation(id) != nil { return id }
    _ = try change { ((), try $0.release(id, by: person, now: now)) }
    return id
  }

  package func extend(
    _ id: String, by person: String, length: Int64, now: IsolationTime
  ) throws -> String {
    let id = try whole(id)
    _ = try change { ((), try $0.extend(id, by: person, length: length, now: now)) }
    return id
  }

  package func isolate(
    _ wish: IsolationWish, by person: String, now: IsolationTime
  ) throws -> (id: String, alerts: [IncidentChange]) {
    let population = population.current
    let number = random.next()
    let (id, alerts) = try change { book in
      let (id, outcome) = try book.isolate(
        wish, by: person, population: population, now: now, random: number)
      return (id, outcome)
    }
    return (id, alerts)
  }

  /// Turns isolations off or on. Where the disk refuses, what is in force ends all the same: whoever pulls the switch
  /// must not need a disk for it.
  ///
  /// - Throws: where it could not be kept; it holds until the process ends then.
  package func turn(
    off isOff: Bool, by person: String, now: IsolationTime
  ) throws(StoreError) {
    var next = book
    let outcome = next.turn(off: isOff, by: person, now: now)
    do throws(StoreError) {
      try ledger.commit(outcome.change)
    } catch {
      if isOff { adopt(next) }
      throw error
    }
    adopt(next)
  }

  /// Drops what was over before a moment.
  package func expire(before moment: Int64) throws(StoreError) {
    try ledger.expire(before: moment)
  }

  // MARK: - Calls

  /// What is to be called now; each counts as under way until it is settled.
  package func takeDue(now: IsolationTime) -> [(hook: String, order: IsolationOrder)] {
    book.takeDue(now: now)
  }

  /// Notes what came of a call.
  ///
  /// - Throws: where it could not be kept; the call counts as not made then.
  package func settle(
    _ id: String, hook: String, _ answer: HookAnswer, now: IsolationTime
  ) throws(StoreError) -> [IncidentChange] {
    var next = book
    let outcome = next.settle(id, hook: hook, answer, now: now)
    do throws(StoreError) {
      try ledger.commit(outcome.change)
    } catch {
      book.giveBack(id, hook: hook)
      throw error
    }
    adopt(next)
    return outcome.alerts
  }

  package func giveBack(_ id: String, hook: String) { book.giveBack(id, hook: hook) }

  // MARK: - What is asked

  package var settings: IsolationSettings { book.settings }

  package func list(
    statuses: [String], since: Int64?, limit: Int?, now: Int64
  ) throws(StoreError) -> [UInt8] {
    try IsolationTexts.list(
      statuses: statuses, since: since, limit: limit, now: now, ledger.reader)
  }

  /// All of one isolation.
  package func details(_ id: String, now: Int64) throws -> [UInt8] {
    guard let text = try IsolationTexts.details(try whole(id), now: now, ledger.reader) else {
      throw IsolationFault(.notFound, "no isolation has the id \"\(String(id.prefix(64)))\"")
    }
    return text
  }

  private func whole(_ id: String) throws -> String {
    if book.isolations[id] != nil { return id }
    return try IsolationTexts.whole(id, ledger.reader)
  }

  /// Whether isolations are on, and in which mode.
  package var state: [UInt8] {
    IsolationTexts.state(book.killSwitch, mode: book.settings.mode)
  }

  package func verify(noted: AuditHead?) throws(StoreError) -> [UInt8] {
    IsolationTexts.verified(try ledger.reader.verifyAudit(noted: noted))
  }

  /// What metrics show.
  package var figures: IsolationFigures {
    var figures = IsolationFigures(counts: book.counts, isOff: book.killSwitch.isOff)
    for isolation in book.isolations.values {
      let key = IsolationFigures.Counted(
        action: isolation.action.word, mode: isolation.mode.rawValue,
        status: isolation.status.rawValue)
      figures.open[key, default: 0] += 1
    }
    figures.waiting = book.waitingCalls
    figures.auditEntries = (try? ledger.reader.auditHead().count) ?? 0
    return figures
  }
}
