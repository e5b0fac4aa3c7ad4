internal import FarthingCore
internal import FarthingDetection
internal import FarthingQuery

// What must hold before anything is isolated. Every guardrail is asked, whatever the others said, so that the record tells
// all that was seen.

extension IsolationBook {
  /// What the guardrails say of an action now, in their order.
  ///
  /// - Parameters:
  ///   - target: nil where the incident names nothing that may be isolated.
  ///   - manual: whether a person asked for it; shares, rates and cool-downs are told, not enforced, then.
  func verdicts(
    on target: IsolationTarget?, for incident: Incident?, _ action: IsolationAction,
    mode: IsolationMode, manual: Bool = false, _ population: ActivePopulation,
    _ now: IsolationTime
  ) -> [GuardrailVerdict] {
    var verdicts = [
      GuardrailVerdict(
        .killSwitch, holds: !killSwitch.isOff,
        saw: killSwitch.isOff ? "isolations are off since \(killSwitch.by)" : "isolations are on")
    ]
    guard let target else {
      verdicts.append(
        GuardrailVerdict(
          .target, holds: false,
          saw: "the incident names nothing that the policy may isolate, so nothing is"))
      return verdicts
    }
    let isActive = population.isActive(target)
    verdicts.append(
      GuardrailVerdict(
        .target, holds: isActive || manual,
        saw: isActive
          ? "\(target.text) is active" : "no call of \(target.text) was seen of late"))
    if let incident { verdicts.append(fresh(incident, mode, now)) }
    verdicts.append(protected(target))
    if action == .observe { return verdicts }
    let bounds = [
      oneAction(target, incident), coolDown(target, now), rate(mode, now),
      tooMuchBad(target, population), atOnce(target, mode, population),
      tenantAtOnce(target, mode, population),
    ]
    verdicts += bounds.map { verdict in
      var verdict = verdict
      if manual, verdict.name != Guardrail.oneAction.rawValue, !verdict.holds {
        verdict.holds = true
        verdict.saw += "; a person asked for it all the same"
      }
      return verdict
    }
    verdicts.append(lastHealthy(target, action, population))
    return verdicts
  }

  /// History that is replayed is no reason to act now; a dry run shows what would have been.
  private func fresh(
    _ incident: Incident, _ mode: IsolationMode, _ now: IsolationTime
  ) -> GuardrailVerdict {
    let age = cases[incident.id]?.lateness ?? max(0, now.wall - incident.detectedAt)
    return GuardrailVerdict(
      .fresh, holds: age <= Self.freshness || mode == .dryRun,
      saw: "it was heard of \(age / CivilTime.second) s after it was detected")
  }

  static let freshness = 15 * CivilTime.minute

  private func protected(_ target: IsolationTarget) -> GuardrailVerdict {
    let pattern = settings.guardrails.protection(of: target)
    return GuardrailVerdict(
      .protected, holds: pattern == nil,
      saw: pattern.map { "\($0) protects it" } ?? "nothing protects it")
  }

  private func oneAction(_ target: IsolationTarget, _ incident: Incident?) -> GuardrailVerdict {
    let same = isolations.values.first { other in
      let isItself =
        other.target.dimension == target.dimension && other.target.value == target.value
      return other.status != .refused && (isItself || other.alert == incident?.id)
    }
    return GuardrailVerdict(
      .oneAction, holds: same == nil,
      saw: same.map { "\($0.id) is \($0.status.rawValue) already" }
        ?? "no other isolation of it or for this incident")
  }

  private func coolDown(_ target: IsolationTarget, _ now: IsolationTime) -> GuardrailVerdict {
    guard let memory = memories[target] else {
      return GuardrailVerdict(.coolDown, holds: true, saw: "it was not isolated within a day")
    }
    let usual = settings.guardrails.coolDown.wholeNanoseconds
    let needed = memory.byPerson ? max(usual, Self.personsCoolDown) : usual
    let passed = memory.monotonic.map { now.monotonic - $0 } ?? now.wall - memory.releasedAt
    return GuardrailVerdict(
      .coolDown, holds: passed >= needed,
      saw: "given back \(max(0, passed) / CivilTime.second) s ago"
        + "\(memory.byPerson ? " by a person" : ""), "
        + "\(needed / CivilTime.second) s have to pass")
  }

  private func rate(_ mode: IsolationMode, _ now: IsolationTime) -> GuardrailVerdict {
    let count = (recent[mode] ?? []).count { now.monotonic - $0 < CivilTime.hour }
    let most = settings.guardrails.actionsAnHour
    return GuardrailVerdict(
      .rate, holds: count < most, saw: "\(count) automatic actions within the hour, at most \(most)"
    )
  }

  /// Values of a dimension that incidents name, or that fail.
  func bad(_ dimension: IsolationTarget.Dimension, _ population: ActivePopulation) -> Set<String> {
    var bad = population.failing(dimension)
    for known in cases.values where known.isFiring && known.incident.severity >= .warning {
      for value in known.incident.dimensions where value.dimension == dimension.rawValue {
        bad.insert(value.value)
      }
    }
    return bad
  }

  func isTooMuch(_ bad: Int, _ active: Int) -> Bool {
    bad * 100 > active * settings.guardrails.badPercent
  }

  private func tooMuchBad(
    _ target: IsolationTarget, _ population: ActivePopulation
  ) -> GuardrailVerdict {
    let active = population.count(target.dimension)
    let bad = bad(target.dimension, population).union([target.value]).count
    return GuardrailVerdict(
      .tooMuchBad, holds: !isTooMuch(bad, active),
      saw: "\(bad) of \(active) active values of \(target.dimension.rawValue) look bad, at most "
        + "\(settings.guardrails.badPercent) % may")
  }

  /// Values of a dimension that are isolated, or about to be, in the same mode.
  private func held(
    _ dimension: IsolationTarget.Dimension, _ mode: IsolationMode,
    where condition: (Isolation) -> Bool = { _ in true }
  ) -> Set<String> {
    Set(
      isolations.values.filter {
        $0.target.dimension == dimension && $0.mode == mode && $0.action != .observe
          && [.applying, .active, .releasing].contains($0.status) && condition($0)
      }.map(\.target.value))
  }

  private func atOnce(
    _ target: IsolationTarget, _ mode: IsolationMode, _ population: ActivePopulation
  ) -> GuardrailVerdict {
    let active = population.count(target.dimension)
    let held = held(target.dimension, mode).count
    let share = active * settings.guardrails.sharePercent / 100
    let most = max(1, min(share, settings.guardrails.atOnce ?? .max))
    return GuardrailVerdict(
      .atOnce, holds: held < most,
      saw: "\(held) of \(active) active values of \(target.dimension.rawValue) are isolated, at "
        + "most \(most) may be")
  }

  private func tenantAtOnce(
    _ target: IsolationTarget, _ mode: IsolationMode, _ population: ActivePopulation
  ) -> GuardrailVerdict {
    guard target.dimension == .identity,
      let tenant = target.tenant ?? population.tenant(of: target)
    else { return GuardrailVerdict(.tenantAtOnce, holds: true, saw: "no tenant is named") }
    let active = population.count(ofTenant: tenant)
    let held = held(.identity, mode) { isolation in
      (isolation.target.tenant ?? population.tenant(of: isolation.target)) == tenant
    }.count
    let most = max(1, active * settings.guardrails.tenantSharePercent / 100)
    return GuardrailVerdict(
      .tenantAtOnce, holds: held < most,
      saw: "\(held) of \(active) active identities of tenant \(tenant) are isolated, at most "
        + "\(most) may be")
  }

  /// Callers may all go; who answers may not.
  private func lastHealthy(
    _ target: IsolationTarget, _ action: IsolationAction, _ population: ActivePopulation
  ) -> GuardrailVerdict {
    guard target.dimension != .identity else {
      return GuardrailVerdict(.lastHealthy, holds: true, saw: "an identity serves nobody")
    }
    guard action == .isolate else {
      return GuardrailVerdict(.lastHealthy, holds: true, saw: "it goes on answering")
    }
    var gone = held(target.dimension, .enforced)
    gone.formUnion(held(target.dimension, .dryRun))
    let (isEnough, saw) = population.others(than: target, without: gone)
    return GuardrailVerdict(.lastHealthy, holds: isEnough, saw: saw)
  }
}
