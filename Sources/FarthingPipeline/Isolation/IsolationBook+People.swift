internal import FarthingCore
internal import FarthingStore

// What people say to isolations.

/// Why something cannot be done to an isolation.
package struct IsolationFault: Error, Sendable, Equatable {
  package enum Code: Sendable { case notFound, conflict, invalid }

  package var code: Code
  /// A sentence without a full stop.
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

/// What a person wants to be isolated.
package struct IsolationWish: Sendable, Equatable {
  package var target: IsolationTarget
  package var action: IsolationAction
  /// Nanoseconds, at least a second.
  package var length: Int64
  package var reason: String

  package init(target: IsolationTarget, action: IsolationAction, length: Int64, reason: String) {
    self.target = target
    self.action = action
    self.length = length
    self.reason = reason
  }
}

extension IsolationBook {
  /// Longest that anything may be isolated from now on: a month.
  package static let longest = 30 * CivilTime.day

  private func known(_ id: String) throws(IsolationFault) -> Isolation {
    guard let isolation = isolations[id] else {
      throw IsolationFault(
        .notFound, "no isolation that is not over has the id \"\(id.printable)\"")
    }
    return isolation
  }

  /// Agrees to a proposal; the guardrails are asked again.
  ///
  /// - Throws: where it is not known, waits for nobody, or a guardrail does not hold now.
  package mutating func approve(
    _ id: String, by person: String, population: ActivePopulation, now: IsolationTime
  ) throws(IsolationFault) -> Outcome {
    var isolation = try known(id)
    guard isolation.status == .proposed else {
      throw IsolationFault(.conflict, "the isolation is \(isolation.status.rawValue)")
    }
    // Itself is no other isolation.
    isolations[id] = nil
    let verdicts = verdicts(
      on: isolation.target, for: isolation.incident, isolation.action, mode: isolation.mode,
      population, now)
    isolations[id] = isolation
    if let failed = verdicts.first(where: { !$0.holds }) {
      throw IsolationFault(.conflict, "the guardrail \(failed.name) does not hold: \(failed.saw)")
    }
    var draft = Draft()
    isolation.guardrails = verdicts
    isolation.actor = person
    audit("approved", isolation, by: person, now, &draft)
    start(isolation, hooks: settings.policy(isolation.policy)?.hooks, now, &draft)
    return finish(&draft, now)
  }

  /// Gives a target back before its time; of a proposal: declines it. Again changes nothing.
  package mutating func release(
    _ id: String, by person: String, now: IsolationTime
  ) throws(IsolationFault) -> Outcome {
    let isolation = try known(id)
    var draft = Draft()
    switch isolation.status {
    case .proposed:
      cases[isolation.alert]?.isLeftAlone = true
      end(id, as: .lapsed, by: person, now, &draft)
    case .applying, .active: release(id, by: person, now, &draft)
    case .releasing, .released, .refused, .lapsed: break
    }
    return finish(&draft, now)
  }

  /// Lets an isolation last longer, or less long.
  ///
  /// - Parameter length: nanoseconds from now.
  package mutating func extend(
    _ id: String, by person: String, length: Int64, now: IsolationTime
  ) throws(IsolationFault) -> Outcome {
    var isolation = try known(id)
    guard isolation.status.isInForce else {
      throw IsolationFault(.conflict, "the isolation is \(isolation.status.rawValue)")
    }
    guard length >= CivilTime.second, length <= Self.longest else {
      throw IsolationFault(.invalid, "expected a length of time from 1s to 30d")
    }
    isolation.releaseAt = now.wall + length
    isolation.length = length
    // Who says how long it lasts has thought of its incident's end.
    isolation.recoveredAt = nil
    recoveries[id] = nil
    isolation.hold = .max
    isolations[id] = isolation
    deadlines[id] = now.monotonic + length
    var draft = Draft()
    draft.touched.insert(id)
    audit("extended", isolation, by: person, now, &draft) {
      $0.member("release_at", time: isolation.releaseAt)
    }
    return finish(&draft, now)
  }

  /// Isolates what a person names.
  ///
  /// - Parameter random: any number, for the id.
  /// - Throws: where isolations are off, the target is protected, the last one that is healthy, or isolated already.
  package mutating func isolate(
    _ wish: IsolationWish, by person: String, population: ActivePopulation, now: IsolationTime,
    random: UInt64
  ) throws(IsolationFault) -> (id: String, outcome: Outcome) {
    guard wish.length >= CivilTime.second, wish.length <= Self.longest else {
      throw IsolationFault(.invalid, "expected a length of time from 1s to 30d")
    }
    let verdicts = verdicts(
      on: wish.target, for: nil, wish.action, mode: settings.mode, manual: true, population, now)
    if let failed = verdicts.first(where: { !$0.holds }) {
      throw IsolationFault(.conflict, "the guardrail \(failed.name) does not hold: \(failed.saw)")
    }
    var isolation = Isolation(
      id: Self.identifier("manual-\(random)", 0), alert: "", target: wish.target,
      action: wish.action, mode: settings.mode, policy: Isolation.manual, status: .applying,
      startedAt: now.wall, length: wish.length, actor: person, reason: wish.reason)
    isolation.guardrails = verdicts
    var draft = Draft()
    start(isolation, hooks: nil, now, &draft)
    return (isolation.id, finish(&draft, now))
  }

  /// Turns isolations off, gives back everything that is in force and lets nothing new be; or on again.
  ///
  /// - Parameter isOff: again changes nothing.
  package mutating func turn(
    off isOff: Bool, by person: String, now: IsolationTime
  ) -> Outcome {
    guard killSwitch.isOff != isOff else { return Outcome() }
    var draft = Draft()
    killSwitch = KillSwitch(isOff: isOff, by: person, at: now.wall)
    draft.isStateChanged = true
    audit(isOff ? "off" : "on", nil, by: person, now, &draft)
    guard isOff else { return finish(&draft, now) }
    for id in isolations.keys.sorted() {
      switch isolations[id]?.status {
      case .proposed: end(id, as: .lapsed, by: "kill switch", now, &draft)
      case .applying, .active: release(id, by: "kill switch", now, &draft)
      case .releasing, .released, .refused, .lapsed, nil: break
      }
    }
    for id in cases.keys { cases[id]?.isLeftAlone = true }
    return finish(&draft, now)
  }

  /// Goes on by other settings. What is enforced ends where the configuration says dry run now.
  package mutating func reload(
    _ settings: IsolationSettings, supports: @escaping Support, now: IsolationTime
  ) -> Outcome {
    let before = self.settings
    self.settings = settings
    self.supports = supports
    var draft = Draft()
    if before.mode == .enforced, settings.mode == .dryRun {
      for id in isolations.keys.sorted() where isolations[id]?.mode == .enforced {
        switch isolations[id]?.status {
        case .proposed: end(id, as: .lapsed, by: "configuration", now, &draft)
        case .applying, .active: release(id, by: "configuration", now, &draft)
        case .releasing, .released, .refused, .lapsed, nil: break
        }
      }
    }
    for id in isolations.keys.sorted() {
      guard let isolation = isolations[id], isolation.status.isInForce,
        settings.guardrails.protection(of: isolation.target) != nil
      else { continue }
      release(id, by: "configuration", now, &draft)
    }
    if before.mode != settings.mode {
      audit("mode", nil, by: "configuration", now, &draft) {
        $0.member("mode", settings.mode.rawValue)
      }
    }
    dropOrders(now, &draft)
    return finish(&draft, now)
  }

  /// Gives up calls to hooks that the configuration does not name any more.
  private mutating func dropOrders(_ now: IsolationTime, _ draft: inout Draft) {
    for key in orders.keys.sorted(by: { ($0.id, $0.hook) < ($1.id, $1.hook) })
    where settings.hook(key.hook) == nil {
      guard let order = orders[key], !order.isUnderWay else { continue }
      orders[key] = nil
      draft.orders.insert(key)
      guard var isolation = isolations[order.row.isolation] else { continue }
      audit("given_up", isolation, by: "configuration", now, &draft) { writer in
        writer.member("order", key.id)
        writer.member("hook", key.hook)
      }
      isolation.hooks.removeAll { $0 == key.hook }
      if isolation.status == .releasing,
        !orders.values.contains(where: { $0.row.isolation == isolation.id })
      {
        isolation.status = .released
        isolation.releasedAt = now.wall
      }
      isolations[isolation.id] = isolation
      draft.touched.insert(isolation.id)
    }
  }
}
