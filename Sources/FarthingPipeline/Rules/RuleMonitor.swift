internal import FarthingCore
package import FarthingDetection
package import FarthingQuery

// Rules on a clock.
//
// Each rule is evaluated at whole multiples of its interval, over the window that ends there. For each of its
// groups:
//
//   state     condition holds            does not hold                  unknown (nothing to judge)
//   –         → pending, or firing       –                              –
//             where `for` is 0
//   pending   → firing after `for`       → – (dropped)                  → – (dropped) after a window of it
//   firing    stays                      → resolved after               → resolved after a window of it
//                                          `keep_firing_for`
//
// Missing data is not zero: a group that no answer names, or whose value is unknown, is neither above nor below
// anything. Evaluations that were missed (the process was down) are made up for, in order, so that what is raised
// depends on the stored events alone.

/// Asks the store; throws where it cannot answer.
package typealias Asking = (QueryPlan) throws(QueryError) -> QueryResult

/// The state of all rules: a value that takes time and answers, and returns what has happened.
package struct RuleMonitor: Sendable {
  private enum Phase: Int64 {
    case pending, firing
  }

  private struct GroupState {
    var key: [String?]
    var phase: Phase
    /// The evaluation at which the condition began to hold.
    var since: Int64
    /// The last one at which it held, and the last one at which there was anything to judge.
    var lastHeld: Int64
    var lastSeen: Int64
    var incident: Incident
  }

  private struct RuleState {
    var name: String
    var definition: String
    /// The last evaluation that was made; nil before the first.
    var tick: Int64?
    var groups: [[String?]: GroupState] = [:]
  }

  package private(set) var rules: [AlertRule]
  private var states: [RuleState]
  /// Incidents of rules that are no more; told at the next evaluation.
  private var orphans: [Incident] = []
  /// The newest evaluation before rules were replaced. New ones are evaluated after it: an incident's id names its
  /// evaluation, and one that was told of and is over must not come back.
  private var replacedAt = Int64.min / 2
  /// By rule: why its last evaluation failed.
  package private(set) var faults: [String: String] = [:]
  /// Evaluations made, for metrics.
  package private(set) var evaluations = 0

  /// Evaluations that were missed are made up for as far as this many; before them the state stands still.
  package static let catchUpLimit = 1500

  package init(rules: [AlertRule]) {
    self.rules = rules
    states = rules.map { RuleState(name: $0.name, definition: $0.definition) }
  }

  /// Goes on with other rules. Rules that mean the same keep their state; what the others had raised is over.
  package mutating func replace(_ rules: [AlertRule]) {
    var kept: [RuleState] = []
    for rule in rules {
      kept.append(
        states.first { $0.name == rule.name && $0.definition == rule.definition }
          ?? RuleState(name: rule.name, definition: rule.definition))
    }
    for state in states
    where !kept.contains(where: { $0.name == state.name && $0.definition == state.definition }) {
      orphans += state.groups.values.map(\.incident)
    }
    replacedAt = max(replacedAt, states.compactMap(\.tick).max() ?? replacedAt)
    self.rules = rules
    states = kept
    faults = faults.filter { name, _ in rules.contains { $0.name == name } }
  }

  /// Whether incidents of rules that are no more are to be told of.
  var hasOrphans: Bool { !orphans.isEmpty }

  /// The ids of what is raised or about to be.
  var openIDs: Set<String> {
    Set(orphans.map(\.id) + states.flatMap { $0.groups.values.map(\.incident.id) })
  }

  /// When the next evaluation is due; nil without rules.
  package func nextDue(after now: Int64) -> Int64? {
    rules.map { Self.aligned(now, $0.interval) + $0.interval }.min()
  }

  private static func aligned(_ time: Int64, _ interval: Int64) -> Int64 {
    let rest = time % interval
    return time - (rest < 0 ? rest + interval : rest)
  }

  /// Evaluates what is due.
  ///
  /// A question that fails leaves its rule's state as it is, names why in ``faults``, and is asked again at the next call.
  ///
  /// - Parameter now: Unix nanoseconds; times that go back change nothing.
  /// - Returns: what happened, in the order of evaluations, rules and groups.
  package mutating func evaluate(at now: Int64, asking: Asking) -> [IncidentChange] {
    var changes: [IncidentChange] = []
    for var incident in orphans.sorted(by: { $0.id < $1.id }) {
      incident.resolvedAt = now
      incident.explanation.append("the rule was changed or taken away")
      changes.append(.resolved(incident))
    }
    orphans = []
    var due: [(tick: Int64, rule: Int)] = []
    for (place, rule) in rules.enumerated() {
      let newest = Self.aligned(now, rule.interval)
      let last =
        states[place].tick
        ?? max(newest - rule.interval, min(newest, Self.aligned(replacedAt, rule.interval)))
      let behind = (newest - last) / rule.interval
      guard behind > 0 else { continue }
      for step in stride(from: min(behind, Int64(Self.catchUpLimit)) - 1, through: 0, by: -1) {
        due.append((newest - step * rule.interval, place))
      }
    }
    due.sort { ($0.tick, $0.rule) < ($1.tick, $1.rule) }
    var failed: Set<Int> = []
    for (tick, place) in due where !failed.contains(place) {
      do throws(QueryError) {
        let answer = try asking(try rules[place].question(at: tick))
        faults[rules[place].name] = nil
        changes += step(place, at: tick, rules[place].readings(answer))
        evaluations += 1
      } catch {
        faults[rules[place].name] = error.message
        failed.insert(place)
      }
    }
    return changes
  }

  // MARK: One evaluation

  private mutating func step(
    _ place: Int, at tick: Int64, _ readings: [RuleReading]
  ) -> [IncidentChange] {
    let rule = rules[place]
    states[place].tick = tick
    var changes: [IncidentChange] = []
    var judged: Set<[String?]> = []
    for reading in readings.sorted(by: { Self.precedes($0.key, $1.key) }) {
      guard let holds = rule.holds(reading) else { continue }
      judged.insert(reading.key)
      let state = states[place].groups[reading.key]
      if state == nil, holds, states[place].groups.count >= AlertRule.groupLimit {
        faults[rule.name] =
          "more than \(AlertRule.groupLimit) groups; add a where, or group by less"
        continue
      }
      let (next, told) =
        holds
        ? Self.held(rule, state, reading, tick) : Self.notHeld(rule, state, reading, tick)
      states[place].groups[reading.key] = next
      changes += told
    }
    let patience = max(rule.window, rule.interval)
    for (key, state) in states[place].groups.sorted(by: { Self.precedes($0.key, $1.key) })
    where !judged.contains(key) && tick - state.lastSeen >= patience {
      states[place].groups[key] = nil
      switch state.phase {
      case .pending: changes.append(.dropped(id: state.incident.id))
      case .firing:
        changes.append(
          Self.resolved(state, tick, "nothing to judge for \(DurationText.text(patience))"))
      }
    }
    return changes
  }

  private static func held(
    _ rule: AlertRule, _ state: GroupState?, _ reading: RuleReading, _ tick: Int64
  ) -> (GroupState?, [IncidentChange]) {
    guard var state else {
      let incident = rule.incident(reading, since: tick, at: tick)
      let isAtOnce = rule.pendingFor == 0
      let state = GroupState(
        key: reading.key, phase: isAtOnce ? .firing : .pending, since: tick, lastHeld: tick,
        lastSeen: tick, incident: incident)
      return (state, [isAtOnce ? .fired(incident) : .pending(incident)])
    }
    state.lastHeld = tick
    state.lastSeen = tick
    var incident = rule.incident(reading, since: state.since, at: tick)
    switch state.phase {
    case .pending:
      guard tick - state.since >= rule.pendingFor else { return (state, []) }
      state.phase = .firing
      state.incident = incident
      return (state, [.fired(incident)])
    case .firing:
      incident.detectedAt = state.incident.detectedAt
      guard isNews(incident, after: state.incident) else { return (state, []) }
      state.incident = incident
      return (state, [.updated(incident)])
    }
  }

  /// Figures that moved by a fifth are worth telling.
  private static func isNews(_ incident: Incident, after old: Incident) -> Bool {
    guard let now = incident.actual, let before = old.actual else {
      return incident.actual != old.actual
    }
    return (now - before).magnitude > max(before.magnitude, 1e-12) / 5
  }

  private static func notHeld(
    _ rule: AlertRule, _ state: GroupState?, _ reading: RuleReading, _ tick: Int64
  ) -> (GroupState?, [IncidentChange]) {
    guard var state else { return (nil, []) }
    state.lastSeen = tick
    switch state.phase {
    case .pending: return (nil, [.dropped(id: state.incident.id)])
    case .firing:
      if rule.keepFiringFor > 0, tick - state.lastHeld < rule.keepFiringFor { return (state, []) }
      let value = RuleValueText.text(reading.value).text
      return (nil, [resolved(state, tick, "\(rule.metric.name) is \(value) again")])
    }
  }

  private static func resolved(
    _ state: GroupState, _ tick: Int64, _ reason: String
  ) -> IncidentChange {
    var incident = state.incident
    incident.resolvedAt = tick
    incident.explanation.append(reason)
    return .resolved(incident)
  }

  /// By the bytes of the values, absent ones last.
  private static func precedes(_ left: [String?], _ right: [String?]) -> Bool {
    for (one, other) in zip(left, right) where one != other {
      guard let one else { return false }
      guard let other else { return true }
      return one.utf8.lexicographicallyPrecedes(other.utf8)
    }
    return false
  }
}

// MARK: - Restarts

extension RuleMonitor {
  private static let version: Int64 = 1

  /// The state as bytes, for ``restore(_:)``.
  package var snapshot: [UInt8] {
    var writer = StateWriter()
    writer.write(Self.version)
    writer.write(orphans) { $0.write($1) }
    writer.write(states) { writer, state in
      writer.write(state.name)
      writer.write(state.definition)
      writer.write(state.tick ?? .min)
      writer.write(state.groups.values.sorted { Self.precedes($0.key, $1.key) }) { writer, group in
        writer.write(group.key) { $0.write($1) }
        writer.write(group.phase.rawValue)
        writer.write(group.since)
        writer.write(group.lastHeld)
        writer.write(group.lastSeen)
        writer.write(group.incident)
      }
    }
    return writer.bytes
  }

  /// Takes a state over from an earlier process, as far as its rules are still there.
  ///
  /// - Returns: false, with nothing changed, where the bytes are no such state.
  package mutating func restore(_ bytes: [UInt8]) -> Bool {
    var reader = StateReader(bytes)
    guard reader.integer() == Self.version else { return false }
    let lost = reader.list { $0.incident() }
    let read = reader.list { reader in
      var state = RuleState(name: reader.text(), definition: reader.text())
      let tick = reader.integer()
      state.tick = tick == .min ? nil : tick
      for group in reader.list(Self.group) { state.groups[group.key] = group }
      return state
    }
    guard reader.isComplete else { return false }
    let wanted = rules
    orphans = lost
    states = read
    replace(wanted)
    return true
  }

  private static func group(_ reader: inout StateReader) -> GroupState {
    let key = reader.list { $0.optionalText() }
    let phase = Phase(rawValue: reader.integer())
    if phase == nil { reader.refuse() }
    return GroupState(
      key: key, phase: phase ?? .pending, since: reader.integer(), lastHeld: reader.integer(),
      lastSeen: reader.integer(), incident: reader.incident())
  }
}
