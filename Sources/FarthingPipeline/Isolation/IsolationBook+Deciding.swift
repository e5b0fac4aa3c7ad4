internal import FarthingCore
internal import FarthingDetection

// From an incident to an isolation: policy, target, guardrails.

extension IsolationBook {
  /// Looks whether an incident leads to anything now.
  mutating func consider(
    _ id: String, _ population: ActivePopulation, _ now: IsolationTime, _ draft: inout Draft
  ) {
    guard let known = cases[id], !known.isLeftAlone, known.actions == 0,
      let policy = settings.policies.first(where: { $0.holds(for: known.incident) })
    else { return }
    let target = Self.target(of: known.incident, policy)
    let memory = target.flatMap { memories[$0] }
    let repetition = memory.map { $0.repetition + 1 } ?? 0
    begin(
      target, policy, known.incident, repetition: repetition,
      length: policy.length(at: repetition), population, now, &draft)
  }

  /// The narrowest value of a dimension that a policy may isolate and that holds all of an incident's cause: the slice is
  /// a conjunction, so each of its values does. What stands for several values resolves to nothing.
  static func target(of incident: Incident, _ policy: IsolationPolicy) -> IsolationTarget? {
    for dimension in policy.targets.sorted() {
      let name = dimension.rawValue
      guard let found = incident.dimensions.first(where: { $0.dimension == name }),
        !found.value.isEmpty, found.value != "other new \(name)"
      else { continue }
      return IsolationTarget(
        dimension: dimension, value: found.value,
        tenant: incident.dimensions.first { $0.dimension == "tenant" && !$0.value.isEmpty }?
          .value)
    }
    return nil
  }

  /// Asks every guardrail, and begins an isolation or notes why not.
  mutating func begin(
    _ target: IsolationTarget?, _ policy: IsolationPolicy, _ incident: Incident, repetition: Int,
    length: Int64, _ population: ActivePopulation, _ now: IsolationTime, _ draft: inout Draft
  ) {
    let action = policy.action(at: repetition)
    let verdicts = verdicts(
      on: target, for: incident, action, mode: settings.mode, population, now)
    let failed = verdicts.filter { !$0.holds }.map(\.name)
    let number = cases[incident.id]?.actions ?? repetition
    var isolation = Isolation(
      id: Self.identifier(incident.id, max(number, repetition)), alert: incident.id,
      target: target ?? IsolationTarget(dimension: .identity, value: "(nothing)"),
      action: action, mode: settings.mode, policy: policy.name, status: .refused,
      startedAt: now.wall, length: length, actor: "policy \(policy.name)",
      reason: incident.summary)
    isolation.repetition = repetition
    isolation.hold = policy.hold(at: repetition)
    isolation.incident = incident
    isolation.guardrails = verdicts
    guard failed.isEmpty else { return refuse(isolation, failed, now, &draft) }
    cases[incident.id]?.actions += 1
    cases[incident.id]?.refusal = nil
    recent[settings.mode, default: []].append(now.monotonic)
    if policy.needsApproval {
      propose(isolation, now, &draft)
    } else {
      start(isolation, hooks: policy.hooks, now, &draft)
    }
  }

  private mutating func refuse(
    _ isolation: Isolation, _ failed: [String], _ now: IsolationTime, _ draft: inout Draft
  ) {
    let words = failed.joined(separator: ",")
    // The same refusal again says nothing new.
    guard let known = cases[isolation.alert], known.refusal != words else { return }
    cases[isolation.alert]?.refusal = words
    for name in failed { counts.refused[name, default: 0] += 1 }
    var refused = isolation
    refused.releasedAt = now.wall
    refused.releasedBy = "guardrail"
    // What names nothing is a line of the audit log alone.
    if !failed.contains(Guardrail.target.rawValue) {
      isolations[refused.id] = refused
      draft.touched.insert(refused.id)
    }
    audit("refused", refused, by: refused.actor, now, &draft) { writer in
      writer.member("by", failed)
      writer.key("guardrails")
      refused.guardrailsJSON(to: &writer)
    }
  }

  private mutating func propose(
    _ isolation: Isolation, _ now: IsolationTime, _ draft: inout Draft
  ) {
    var proposed = isolation
    proposed.status = .proposed
    proposed.releaseAt = now.wall + settings.approvalWithin.wholeNanoseconds
    isolations[proposed.id] = proposed
    deadlines[proposed.id] = now.monotonic + settings.approvalWithin.wholeNanoseconds
    draft.touched.insert(proposed.id)
    audit("proposed", proposed, by: proposed.actor, now, &draft) { writer in
      writer.key("guardrails")
      proposed.guardrailsJSON(to: &writer)
    }
    raise(
      "approval", proposed, .warning,
      "Shall \(proposed.target.text) be isolated? farthing isolations approve \(proposed.id)", now,
      &draft)
  }

  /// Brings an isolation into force.
  mutating func start(
    _ isolation: Isolation, hooks names: [String]?, _ now: IsolationTime, _ draft: inout Draft
  ) {
    var started = isolation
    started.startedAt = now.wall
    started.releaseAt = now.wall.addingReportingOverflow(started.length).partialValue
    if started.mode == .enforced, started.action != .observe {
      started.hooks = settings.hooks.map(\.name).filter { name in
        (names?.contains(name) ?? true) && serves(name, started)
      }
    }
    started.status = started.hooks.isEmpty ? .active : .applying
    if started.hooks.isEmpty, started.isEnforced { becomeEffective(&started, now) }
    isolations[started.id] = started
    deadlines[started.id] = now.monotonic.addingReportingOverflow(started.length).partialValue
    draft.touched.insert(started.id)
    for hook in started.hooks { order(.apply, hook, of: started, now, &draft) }
    counts.actions[
      IsolationCounts.Action(action: started.action.word, mode: started.mode.rawValue),
      default: 0] += 1
    audit("started", started, by: started.actor, now, &draft) { writer in
      writer.member("policy", started.policy)
      writer.member("repetition", started.repetition)
      writer.member("release_at", time: started.releaseAt)
      writer.member("reason", started.reason)
      writer.member("hooks", started.hooks)
      writer.key("guardrails")
      started.guardrailsJSON(to: &writer)
    }
  }

  private func serves(_ hook: String, _ isolation: Isolation) -> Bool {
    guard let known = settings.hook(hook) else { return false }
    let dimension = isolation.target.dimension
    return (known.dimensions?.contains(dimension) ?? true)
      && supports(hook, isolation.action, dimension)
  }

  mutating func becomeEffective(_ isolation: inout Isolation, _ now: IsolationTime) {
    guard isolation.effectiveAt == nil else { return }
    isolation.effectiveAt = now.wall
    counts.effects += 1
    counts.effectTime += max(0, now.wall - isolation.startedAt)
  }

  /// The same incident gives the same ids, in their order.
  static func identifier(_ alert: String, _ number: Int) -> String {
    let digits = String(StableHash.of("\(alert)#\(number)"), radix: 16)
    return "iso-" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}

extension IsolationBook.Memory {
  /// The incident of a relapse whose own is over.
  func incident(_ target: IsolationTarget, rate: Double, now: Int64) -> Incident {
    let text = EstimateText.readable(rate) ?? "money"
    return Incident(
      id: alert, kind: .denialOfWallet, severity: .critical, metric: "cost",
      dimensions: [DimensionValue(dimension: target.dimension.rawValue, value: target.value)],
      startedAt: now, detectedAt: now, usdPerHour: rate,
      summary:
        "\(target.text) spends \(text) an hour again, \((now - releasedAt) / CivilTime.second) s "
        + "after it was given back", isContainable: true)
  }
}
