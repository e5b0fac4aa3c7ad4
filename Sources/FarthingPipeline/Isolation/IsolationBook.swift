// All that is known of isolations, and what follows from it.
//
// Pure: what comes in are changes of incidents, words of people, answers of hooks, the population and the time; what
// comes out is what has to become durable, the alerts to raise, and, once it is durable, the calls to make. The book that
// a process works with is replaced by the changed one only after the change is durable, so nothing is ever done that is
// not written down.
//
// Invariants:
// 1. What is decided, the calls that follow from it and their lines in the audit log are one `IsolationChange`.
// 2. An incident has at most one isolation that is not over; the same incident handed over again changes nothing.
// 3. Nothing is isolated without every guardrail having been asked; what each saw is kept.
// 4. What lasts is measured by the monotonic clock, and ends at its wall time too where that comes first: no step of the
//    clock makes an isolation longer. Over a restart what is left is measured against the latest time ever kept.
// 5. A release is never given up.

internal import FarthingCore
package import FarthingDetection
package import FarthingStore

/// Isolations of one data folder.
package struct IsolationBook: Sendable {
  /// Whether a hook can do an action to values of a dimension.
  package typealias Support =
    @Sendable (_ hook: String, IsolationAction, IsolationTarget.Dimension) -> Bool

  /// What an operation leads to.
  package struct Outcome: Sendable {
    package var change = IsolationChange()
    /// What people are to be told of.
    package var alerts: [IncidentChange] = []

    package init() {}
  }

  /// An incident that goes on.
  struct Case: Sendable {
    var incident: Incident
    var isFiring: Bool
    /// Isolations that it led to.
    var actions = 0
    /// The guardrails that did not hold when it was looked at last, joined.
    var refusal: String?
    /// Whether a person gave its target back: nothing is done by itself then.
    var isLeftAlone = false
    /// How long before it was heard of it was detected, by the clock; nanoseconds.
    var lateness: Int64 = 0
  }

  /// What is remembered of a target once it was given back.
  struct Memory: Sendable, Equatable {
    var repetition: Int
    /// Unix nanoseconds.
    var releasedAt: Int64
    var byPerson: Bool
    /// US dollars an hour of its incident at the decision; 0 where unknown.
    var rate: Double
    var alert: String
    var policy: String
    /// Of the release; nil after a restart.
    var monotonic: Int64?
  }

  struct OrderKey: Hashable, Sendable {
    var id: String
    var hook: String
  }

  struct PendingOrder: Sendable {
    var row: OrderRow
    var verb: IsolationOrder.Verb
    /// Monotonic nanoseconds.
    var due: Int64
    /// When it was made, monotonic nanoseconds.
    var since: Int64
    var isUnderWay = false
    /// Whether people were told that it does not succeed.
    var isTold = false
  }

  package internal(set) var settings: IsolationSettings
  var supports: Support
  /// Those that are not over.
  package internal(set) var isolations: [String: Isolation] = [:]
  var cases: [String: Case] = [:]
  var orders: [OrderKey: PendingOrder] = [:]
  var memories: [IsolationTarget: Memory] = [:]
  /// Automatic actions of the last hour, by mode; monotonic nanoseconds.
  var recent: [IsolationMode: [Int64]] = [:]
  /// When isolations end, monotonic nanoseconds.
  var deadlines: [String: Int64] = [:]
  /// When the incidents of isolations were over, monotonic nanoseconds.
  var recoveries: [String: Int64] = [:]
  package internal(set) var killSwitch = KillSwitch()
  /// The latest wall time that was kept, Unix nanoseconds; 0 for none.
  var heartbeat: Int64 = 0
  package internal(set) var counts = IsolationCounts()
  /// When undecided cases were looked at last, monotonic nanoseconds; nil for never.
  var lookedAt: Int64?

  /// Whether anything may be isolated at all.
  package struct KillSwitch: Sendable, Equatable {
    package var isOff = false
    /// Who turned it last; empty where nobody did.
    package var by = ""
    /// Unix nanoseconds.
    package var at: Int64 = 0
  }

  /// What an operation has changed so far.
  struct Draft {
    var outcome = Outcome()
    var touched: Set<String> = []
    var orders: Set<OrderKey> = []
    var isStateChanged = false
  }

  static let stateBlob = "state"
  /// A target that a person gave back is left alone for this long at least, in nanoseconds.
  static let personsCoolDown = CivilTime.hour
  /// How long repetitions are remembered, in nanoseconds.
  static let memoryLength = CivilTime.day
  static let memoryLimit = 100_000
  /// Least US dollars an hour of a relapse: twenty cents within twenty seconds, so that one dear call is none.
  static let relapseRate = 36.0

  /// The book of a folder that keeps nothing yet.
  package init(_ settings: IsolationSettings, supports: @escaping Support = { _, _, _ in true }) {
    self.settings = settings
    self.supports = supports
  }

  /// The book of what a ledger keeps.
  ///
  /// - Throws: `damaged`, `io`.
  package init(
    _ settings: IsolationSettings, kept reader: IsolationReader, now: IsolationTime,
    supports: @escaping Support = { _, _, _ in true }
  ) throws(StoreError) {
    self.init(settings, supports: supports)
    let open = IsolationStatus.allCases.filter { !$0.isOver }.map(\.rawValue)
    for row in try reader.isolations(statuses: open) {
      if let isolation = Isolation(row) { isolations[isolation.id] = isolation }
    }
    if let bytes = try reader.blob(Self.stateBlob) { restore(state: bytes) }
    // A clock that went back while nobody looked must not give time again.
    let wall = max(now.wall, heartbeat)
    for isolation in isolations.values {
      let left = min(
        isolation.releaseAt.subtractingReportingOverflow(wall).partialValue,
        isolation.length)
      deadlines[isolation.id] = now.monotonic + max(0, left)
      if isolation.recoveredAt != nil { recoveries[isolation.id] = now.monotonic }
    }
    for row in try reader.orders() {
      // What was not done yet of an isolation that is being given back is not to be done any more.
      guard let verb = IsolationOrder.Verb(rawValue: row.verb),
        let status = isolations[row.isolation]?.status,
        verb == .release || status.isInForce
      else { continue }
      orders[OrderKey(id: row.id, hook: row.hook)] = PendingOrder(
        row: row, verb: verb, due: now.monotonic, since: now.monotonic)
    }
  }

  // MARK: - What detectors say

  /// Takes changes in their order, all of them before anything is decided.
  ///
  /// - Parameter recall: the isolations of an alert that are kept.
  package mutating func take(
    _ changes: [IncidentChange], population: ActivePopulation, now: IsolationTime,
    recall: (String) -> [Isolation] = { _ in [] }
  ) -> Outcome {
    var draft = Draft()
    var touched: [String] = []
    for change in changes {
      switch change {
      case .pending: break
      case .fired(let incident):
        note(incident, now, recall)
        touched.append(incident.id)
      case .updated(let incident):
        note(incident, now, recall)
        touched.append(incident.id)
      case .resolved(let incident): resolve(incident, now, &draft)
      case .dropped(let id): cases[id] = nil
      }
    }
    for id in touched where cases[id]?.isFiring == true {
      consider(id, population, now, &draft)
    }
    return finish(&draft, now)
  }

  /// Takes what was going on when the process before ended, and decides nothing.
  package mutating func recall(
    _ incidents: [Incident], now: IsolationTime,
    recall: (String) -> [Isolation] = { _ in [] }
  ) {
    for incident in incidents { note(incident, now, recall) }
  }

  private mutating func note(
    _ incident: Incident, _ now: IsolationTime, _ recall: (String) -> [Isolation]
  ) {
    if cases[incident.id] == nil {
      var known = Case(incident: incident, isFiring: true)
      known.lateness = max(
        0, now.wall.subtractingReportingOverflow(incident.detectedAt).partialValue)
      for isolation in recall(incident.id) {
        if isolation.status == .refused {
          known.refusal = isolation.guardrails.filter { !$0.holds }.map(\.name)
            .joined(separator: ",")
        } else {
          known.actions += 1
          if isolation.releasedBy.map({ !Self.isAutomatic($0) }) ?? false {
            known.isLeftAlone = true
          }
        }
      }
      cases[incident.id] = known
    }
    cases[incident.id]?.incident = incident
    cases[incident.id]?.isFiring = true
  }

  private mutating func resolve(
    _ incident: Incident, _ now: IsolationTime, _ draft: inout Draft
  ) {
    cases[incident.id] = nil
    for id in isolations.keys.sorted() where isolations[id]?.alert == incident.id {
      guard var isolation = isolations[id], isolation.recoveredAt == nil else { continue }
      if isolation.status == .proposed {
        end(id, as: .lapsed, by: "recovery", now, &draft)
        continue
      }
      isolation.recoveredAt = now.wall
      isolations[id] = isolation
      recoveries[id] = now.monotonic
      draft.touched.insert(id)
    }
  }

  // MARK: - The time

  /// Does what is due: releases what has had its time or has recovered, tells what does not hold, and looks again at what
  /// a guardrail kept from being done.
  package mutating func advance(
    population: ActivePopulation, now: IsolationTime
  ) -> Outcome {
    var draft = Draft()
    for id in isolations.keys.sorted() {
      guard let isolation = isolations[id] else { continue }
      switch isolation.status {
      case .proposed:
        if isDue(isolation, now) { end(id, as: .lapsed, by: "deadline", now, &draft) }
      case .applying, .active:
        if isDue(isolation, now) {
          release(id, by: "deadline", now, &draft)
        } else if let since = recoveries[id], now.monotonic - since >= isolation.hold {
          release(id, by: "recovery", now, &draft)
        } else {
          doubt(id, population, now, &draft)
        }
      case .releasing, .released, .refused, .lapsed: break
      }
    }
    standDown(population, now, &draft)
    if lookedAt.map({ now.monotonic - $0 >= CivilTime.second }) ?? true {
      lookedAt = now.monotonic
      for id in cases.keys.sorted() where cases[id]?.isFiring == true {
        consider(id, population, now, &draft)
      }
      relapse(population, now, &draft)
      forget(now)
    }
    // While something is in force, how late it is must be known after a kill.
    if !isolations.isEmpty, now.wall - heartbeat >= 10 * CivilTime.second {
      draft.isStateChanged = true
    }
    return finish(&draft, now)
  }

  private func isDue(_ isolation: Isolation, _ now: IsolationTime) -> Bool {
    now.wall >= isolation.releaseAt || deadlines[isolation.id].map { now.monotonic >= $0 } ?? true
  }

  private mutating func forget(_ now: IsolationTime) {
    let since = now.wall - Self.memoryLength
    if memories.contains(where: { $0.value.releasedAt < since }) {
      memories = memories.filter { $0.value.releasedAt >= since }
    }
    for mode in IsolationMode.allCases {
      recent[mode]?.removeAll { now.monotonic - $0 >= CivilTime.hour }
    }
  }

  /// Tells once that a target still gets through, or that nobody brought it into force in time.
  private mutating func doubt(
    _ id: String, _ population: ActivePopulation, _ now: IsolationTime, _ draft: inout Draft
  ) {
    guard var isolation = isolations[id], isolation.isEnforced, !isolation.isDoubted else {
      return
    }
    let bound = settings.probeWithin.wholeNanoseconds
    let why: String
    if let effective = isolation.effectiveAt {
      guard isolation.action == .isolate, let passed = population.passedAt(isolation.target),
        passed - effective > bound
      else { return }
      why = "a call of it that began at \(InstantText.text(passed)) was let through"
    } else {
      guard now.wall - isolation.startedAt > bound else { return }
      why = "no hook has brought it into force"
    }
    isolation.isDoubted = true
    isolations[id] = isolation
    draft.touched.insert(id)
    audit("not_in_force", isolation, by: "probe", now, &draft) { $0.member("saw", why) }
    raise(
      "probe", isolation, .critical,
      "The isolation of \(isolation.target.text) does not hold: \(why)", now, &draft)
  }

  /// Gives back what was isolated automatically where so much looks bad that it is the measure that is wrong.
  private mutating func standDown(
    _ population: ActivePopulation, _ now: IsolationTime, _ draft: inout Draft
  ) {
    for dimension in IsolationTarget.Dimension.allCases {
      let held = isolations.values.filter {
        $0.target.dimension == dimension && $0.status.isInForce && $0.policy != Isolation.manual
      }
      guard !held.isEmpty else { continue }
      let bad = bad(dimension, population).count
      // Of a handful each one is a large share, and who was isolated for a reason stays so.
      guard bad >= Self.standDownCount, isTooMuch(bad, population.count(dimension)) else {
        continue
      }
      for isolation in held.sorted(by: { $0.id < $1.id }) {
        release(isolation.id, by: "too_much_bad", now, &draft)
      }
    }
  }

  /// Fewest values that have to look bad for what is in force to be given back.
  static let standDownCount = 5

  /// Isolates anew, for longer, what begins again at once after it was given back: detection tells of one incident
  /// once, and its end comes a quarter of an hour behind.
  private mutating func relapse(
    _ population: ActivePopulation, _ now: IsolationTime, _ draft: inout Draft
  ) {
    guard settings.mode == .enforced, !killSwitch.isOff else { return }
    for (target, memory) in memories.sorted(by: { $0.value.releasedAt < $1.value.releasedAt }) {
      guard !memory.byPerson, memory.rate > 0,
        now.wall - memory.releasedAt < CivilTime.hour
          || cases[memory.alert]?.isFiring == true,
        let policy = settings.policy(memory.policy), !isBusy(target)
      else { continue }
      let rate = population.dollarsAnHour(target, now: now.wall)
      guard rate >= max(memory.rate / 2, Self.relapseRate),
        let passed = population.passedAt(target),
        passed > memory.releasedAt
      else { continue }
      let length = policy.length(at: memory.repetition + 1)
      var found = cases[memory.alert]?.incident
      if found == nil { found = memory.incident(target, rate: rate, now: now.wall) }
      guard let incident = found else { continue }
      begin(
        target, policy, incident, repetition: memory.repetition + 1, length: length, population,
        now, &draft)
    }
  }

  private func isBusy(_ target: IsolationTarget) -> Bool {
    isolations.values.contains { $0.target == target }
  }

  // MARK: - Ends

  /// Ends an operation: what it touched becomes rows.
  mutating func finish(_ draft: inout Draft, _ now: IsolationTime) -> Outcome {
    for id in draft.touched.sorted() {
      guard var isolation = isolations[id] else { continue }
      isolation.changedAt = now.wall
      isolations[id] = isolation
      draft.outcome.change.isolations.append(isolation.row)
      if isolation.status.isOver {
        isolations[id] = nil
        deadlines[id] = nil
        recoveries[id] = nil
      }
    }
    for key in draft.orders.sorted(by: { ($0.id, $0.hook) < ($1.id, $1.hook) }) {
      if let order = orders[key] {
        draft.outcome.change.orders.append(order.row)
      } else {
        draft.outcome.change.removedOrders.append(
          OrderRow(id: key.id, hook: key.hook, isolation: "", attempts: 0, dueAt: 0, verb: ""))
      }
    }
    if draft.isStateChanged || !draft.outcome.change.audit.isEmpty {
      heartbeat = max(heartbeat, now.wall)
      draft.outcome.change.blobs[Self.stateBlob] = .some(state)
    }
    return draft.outcome
  }

  /// Writes a line of the audit log.
  func audit(
    _ event: String, _ isolation: Isolation?, by actor: String, _ now: IsolationTime,
    _ draft: inout Draft, _ detail: (inout JSONWriter) -> Void = { _ in }
  ) {
    var writer = JSONWriter()
    writer.object { writer in
      if let isolation {
        writer.key("target")
        isolation.target.write(to: &writer)
        writer.member("action", isolation.action.word)
        writer.member("mode", isolation.mode.rawValue)
        writer.member("status", isolation.status.rawValue)
        if !isolation.alert.isEmpty { writer.member("alert", isolation.alert) }
      }
      detail(&writer)
    }
    draft.outcome.change.audit.append(
      AuditEntry(
        at: now.wall, event: event, isolation: isolation?.id ?? "", actor: actor,
        detail: writer.bytes))
  }

  /// Raises an alert about an isolation itself.
  func raise(
    _ what: String, _ isolation: Isolation, _ severity: AlertSeverity, _ summary: String,
    _ now: IsolationTime, _ draft: inout Draft
  ) {
    var dimensions = [
      DimensionValue(
        dimension: isolation.target.dimension.rawValue, value: isolation.target.value)
    ]
    if let tenant = isolation.target.tenant {
      dimensions.append(DimensionValue(dimension: "tenant", value: tenant))
    }
    let incident = Incident(
      id: "\(isolation.id)-\(what)", kind: .rule, severity: severity, metric: "requests",
      dimensions: dimensions, startedAt: now.wall, detectedAt: now.wall, summary: summary,
      explanation: [
        "farthing isolations show \(isolation.id) has the evidence.",
        "It ends by itself at \(InstantText.text(isolation.releaseAt)).",
      ], labels: ["isolation": isolation.id])
    draft.outcome.alerts.append(.fired(incident))
  }

  // MARK: - What is in force

  /// What callers are to be answered by, each target once.
  package var enforced: [Isolation] {
    isolations.values.filter(\.isEnforced).sorted { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
  }

  /// Whether who ended something was no person.
  static func isAutomatic(_ cause: String) -> Bool {
    ["deadline", "recovery", "too_much_bad", "configuration"].contains(cause)
  }
}

/// What is counted of isolations since the start.
package struct IsolationCounts: Sendable, Equatable {
  package struct Action: Hashable, Sendable {
    package var action: String
    package var mode: String
  }

  package struct Call: Hashable, Sendable {
    package var hook: String
    package var result: String
  }

  package var actions: [Action: Int] = [:]
  package var refused: [String: Int] = [:]
  package var calls: [Call: Int] = [:]
  /// From the decision to the effect: how many, and together, in nanoseconds.
  package var effects = 0
  package var effectTime: Int64 = 0
}
