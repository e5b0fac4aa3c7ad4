internal import FarthingCore
package import FarthingDetection
package import FarthingQuery

// Budgets on a clock.
//
// Evaluated every minute. What is raised, one incident of each at a time:
//
//   threshold   spent reaches a percentage. Over at the end of the period; for a rolling budget when it is below
//               95 % of the threshold again.
//   burn        both windows of a burn rate spend too fast. Over when the short one is below 90 % of that rate,
//               or at the end of the period.
//   forecast    even the low end of the forecast's band exceeds the amount; looked at once an hour. Over when the
//               expectation is below 95 % of the amount, when the amount is reached, or at the end of the period.

/// The state of all budgets: a value that takes time and answers, and returns what has happened.
package struct BudgetMonitor: Sendable {
  private struct Raised: Equatable {
    /// Which watch of the budget: `hard:100`, `burn:3600/300`, `forecast`.
    var key: String
    var periodStart: Int64
    /// Percent of the amount for thresholds.
    var incident: Incident
  }

  private struct BudgetState {
    var name: String
    var definition: String
    var tick: Int64?
    /// The last hour whose forecast was looked at.
    var forecastTick: Int64?
    var raised: [Raised] = []
  }

  package private(set) var budgets: [Budget]
  private var states: [BudgetState]
  private var orphans: [Incident] = []
  /// The newest evaluation before budgets were replaced. New ones are evaluated after it: an incident's id names its
  /// evaluation, and one that was told of and is over must not come back.
  private var replacedAt = Int64.min / 2
  /// By budget: why its last evaluation failed.
  package private(set) var faults: [String: String] = [:]

  /// Nanoseconds between two evaluations.
  package static let interval = CivilTime.minute
  /// Evaluations that were missed are made up for as far as this many.
  package static let catchUpLimit = 1500

  package init(budgets: [Budget]) {
    self.budgets = budgets
    states = budgets.map { BudgetState(name: $0.name, definition: $0.definition) }
  }

  /// Goes on with other budgets. Those of the same amount, filter and period keep their state; what others raised is
  /// over.
  package mutating func replace(_ budgets: [Budget]) {
    let kept = budgets.map { budget in
      states.first { $0.name == budget.name && $0.definition == budget.definition }
        ?? BudgetState(name: budget.name, definition: budget.definition)
    }
    for state in states
    where !kept.contains(where: { $0.name == state.name && $0.definition == state.definition }) {
      orphans += state.raised.map(\.incident)
    }
    replacedAt = max(replacedAt, states.compactMap(\.tick).max() ?? replacedAt)
    self.budgets = budgets
    states = kept
    faults = faults.filter { name, _ in budgets.contains { $0.name == name } }
  }

  /// Whether incidents of budgets that are no more are to be told of.
  var hasOrphans: Bool { !orphans.isEmpty }

  /// The ids of what is raised.
  var openIDs: Set<String> {
    Set(orphans.map(\.id) + states.flatMap { $0.raised.map(\.incident.id) })
  }

  /// Evaluates what is due; see ``RuleMonitor/evaluate(at:asking:)``.
  package mutating func evaluate(
    at now: Int64, asking: (QueryPlan) throws(QueryError) -> QueryResult
  ) -> [IncidentChange] {
    var changes: [IncidentChange] = []
    for var incident in orphans.sorted(by: { $0.id < $1.id }) {
      incident.resolvedAt = now
      incident.explanation.append("the budget was changed or taken away")
      changes.append(.resolved(incident))
    }
    orphans = []
    let rest = now % Self.interval
    let newest = now - (rest < 0 ? rest + Self.interval : rest)
    for place in budgets.indices {
      let last = states[place].tick ?? max(newest - Self.interval, min(newest, replacedAt))
      let behind = min((newest - last) / Self.interval, Int64(Self.catchUpLimit))
      guard behind > 0 else { continue }
      for step in stride(from: behind - 1, through: 0, by: -1) {
        do throws(QueryError) {
          changes += try evaluate(place, at: newest - step * Self.interval, asking)
          faults[budgets[place].name] = nil
        } catch {
          faults[budgets[place].name] = error.message
          break
        }
      }
    }
    return changes
  }

  private mutating func evaluate(
    _ place: Int, at tick: Int64, _ asking: Asking
  ) throws(QueryError) -> [IncidentChange] {
    let budget = budgets[place]
    let bounds = budget.period.bounds(at: tick)
    let sums = try budget.sums(bounds.start, tick, asking)
    var status = BudgetStatus(
      budget: budget, at: tick, start: bounds.start, end: bounds.end, spent: sums.cost,
      requests: sums.requests, unpriced: sums.unpriced, burns: [], outlook: nil)
    for rate in budget.burnRates { status.burns.append(try budget.burn(rate, at: tick, asking)) }
    let hour = tick - tick % CivilTime.hour
    let isForecast = budget.alertsOnForecast && states[place].forecastTick != hour
    if isForecast { status.outlook = try budget.outlook(status, asking) }

    var changes: [IncidentChange] = []
    var raised = states[place].raised
    if !budget.period.isRolling {
      for one in raised where one.periodStart != bounds.start {
        changes.append(Self.resolved(one.incident, bounds.start, "the budget's period is over"))
      }
      raised.removeAll { $0.periodStart != bounds.start }
    }
    for watch in BudgetWatch.all(status, isForecast: isForecast) {
      let index = raised.firstIndex { $0.key == watch.key }
      if let index {
        if let reason = watch.isOver {
          changes.append(Self.resolved(raised[index].incident, tick, reason))
          raised.remove(at: index)
        }
      } else if watch.isReached {
        let incident = watch.incident(status)
        raised.append(Raised(key: watch.key, periodStart: bounds.start, incident: incident))
        changes.append(.fired(incident))
      }
    }
    states[place].tick = tick
    states[place].raised = raised
    if isForecast { states[place].forecastTick = hour }
    return changes
  }

  private static func resolved(
    _ incident: Incident, _ tick: Int64, _ reason: String
  ) -> IncidentChange {
    var incident = incident
    incident.resolvedAt = tick
    incident.explanation.append(reason)
    return .resolved(incident)
  }
}

// MARK: - Restarts

extension BudgetMonitor {
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
      writer.write(state.forecastTick ?? .min)
      writer.write(state.raised) { writer, one in
        writer.write(one.key)
        writer.write(one.periodStart)
        writer.write(one.incident)
      }
    }
    return writer.bytes
  }

  /// Takes a state over from an earlier process, as far as its budgets are still there.
  ///
  /// - Returns: false, with nothing changed, where the bytes are no such state.
  package mutating func restore(_ bytes: [UInt8]) -> Bool {
    var reader = StateReader(bytes)
    guard reader.integer() == Self.version else { return false }
    let lost = reader.list { $0.incident() }
    let read = reader.list { reader in
      var state = BudgetState(name: reader.text(), definition: reader.text())
      let (tick, forecast) = (reader.integer(), reader.integer())
      state.tick = tick == .min ? nil : tick
      state.forecastTick = forecast == .min ? nil : forecast
      state.raised = reader.list {
        Raised(key: $0.text(), periodStart: $0.integer(), incident: $0.incident())
      }
      return state
    }
    guard reader.isComplete else { return false }
    let wanted = budgets
    orphans = lost
    states = read
    replace(wanted)
    return true
  }
}
