internal import FarthingCore
internal import FarthingDetection
internal import FarthingStore

// Releases, and the calls to hooks: at least once, with one id over all attempts and restarts.

extension IsolationBook {
  /// Pauses double from a second to half a minute.
  private static func pause(_ attempts: Int) -> Int64 {
    min(CivilTime.second << Int64(min(max(attempts - 1, 0), 5)), 30 * CivilTime.second)
  }

  static func orderID(_ isolation: String, _ verb: IsolationOrder.Verb) -> String {
    "\(isolation)-\(verb.rawValue)"
  }

  mutating func order(
    _ verb: IsolationOrder.Verb, _ hook: String, of isolation: Isolation, after pause: Int64 = 0,
    _ now: IsolationTime, _ draft: inout Draft
  ) {
    let key = OrderKey(id: Self.orderID(isolation.id, verb), hook: hook)
    orders[key] = PendingOrder(
      row: OrderRow(
        id: key.id, hook: hook, isolation: isolation.id, attempts: 0, dueAt: now.wall + pause,
        verb: verb.rawValue),
      verb: verb, due: now.monotonic + pause, since: now.monotonic)
    draft.orders.insert(key)
  }

  /// Gives a target back.
  mutating func release(
    _ id: String, by cause: String, _ now: IsolationTime, _ draft: inout Draft
  ) {
    guard var isolation = isolations[id], isolation.status.isInForce else { return }
    for (key, order) in orders
    where order.row.isolation == id && order.verb != .release && !order.isUnderWay {
      orders[key] = nil
      draft.orders.insert(key)
    }
    isolation.releasedBy = cause
    isolation.status = isolation.hooks.isEmpty ? .released : .releasing
    if isolation.hooks.isEmpty { isolation.releasedAt = now.wall }
    isolations[id] = isolation
    draft.touched.insert(id)
    for hook in isolation.hooks { order(.release, hook, of: isolation, now, &draft) }
    let isByPerson = !Self.isAutomatic(cause)
    if isByPerson { cases[isolation.alert]?.isLeftAlone = true }
    remember(isolation, isByPerson, now)
    audit("released", isolation, by: cause, now, &draft) { writer in
      writer.member("release_at", time: isolation.releaseAt)
      writer.member(
        "saved_usd_estimated", EstimateText.dollars(isolation.saved(until: now.wall)))
    }
  }

  private mutating func remember(
    _ isolation: Isolation, _ isByPerson: Bool, _ now: IsolationTime
  ) {
    if memories.count >= Self.memoryLimit,
      let oldest = memories.min(by: { $0.value.releasedAt < $1.value.releasedAt })
    {
      memories[oldest.key] = nil
    }
    // The figure of an incident fades while its target is cut off; what it was counts.
    let rate = max(isolation.incident?.usdPerHour ?? 0, memories[isolation.target]?.rate ?? 0)
    memories[isolation.target] = Memory(
      repetition: isolation.repetition, releasedAt: now.wall, byPerson: isByPerson,
      // In a dry run nothing was cut off, so nothing can begin again.
      rate: isolation.isEnforcing ? rate : 0,
      alert: isolation.alert, policy: isolation.policy, monotonic: now.monotonic)
  }

  /// Ends what was never in force.
  mutating func end(
    _ id: String, as status: IsolationStatus, by cause: String, _ now: IsolationTime,
    _ draft: inout Draft
  ) {
    guard var isolation = isolations[id] else { return }
    isolation.status = status
    isolation.releasedBy = cause
    isolation.releasedAt = now.wall
    isolations[id] = isolation
    draft.touched.insert(id)
    audit(status.rawValue, isolation, by: cause, now, &draft)
  }

  // MARK: - Calls

  /// Calls that are to be made, by hook.
  package var waitingCalls: [String: Int] {
    orders.keys.reduce(into: [:]) { $0[$1.hook, default: 0] += 1 }
  }

  /// What is to be called now; each counts as under way until ``settle(_:hook:_:now:)``.
  ///
  /// A release waits for a call of the same hook that is under way: what is applied last would win.
  package mutating func takeDue(now: IsolationTime) -> [(hook: String, order: IsolationOrder)] {
    var due: [(hook: String, order: IsolationOrder)] = []
    for key in orders.keys.sorted(by: { ($0.id, $0.hook) < ($1.id, $1.hook) }) {
      guard let order = orders[key], !order.isUnderWay, order.due <= now.monotonic,
        let isolation = isolations[order.row.isolation]
      else { continue }
      let isBlocked = orders.contains { other, pending in
        other != key && other.hook == key.hook && pending.isUnderWay
          && pending.row.isolation == order.row.isolation
      }
      if isBlocked { continue }
      orders[key]?.isUnderWay = true
      due.append(
        (
          key.hook,
          IsolationOrder(
            id: key.id, isolation: isolation.id, alert: isolation.alert, verb: order.verb,
            target: isolation.target, action: isolation.action, releaseAt: isolation.releaseAt,
            reason: isolation.reason)
        ))
    }
    return due
  }

  /// Gives back what was taken and not tried, as at the end of the process.
  package mutating func giveBack(_ id: String, hook: String) {
    orders[OrderKey(id: id, hook: hook)]?.isUnderWay = false
  }

  /// Notes what came of a call.
  package mutating func settle(
    _ id: String, hook: String, _ answer: HookAnswer, now: IsolationTime
  ) -> Outcome {
    var draft = Draft()
    let key = OrderKey(id: id, hook: hook)
    guard var order = orders[key] else { return Outcome() }
    guard var isolation = isolations[order.row.isolation] else {
      orders[key] = nil
      draft.orders.insert(key)
      return finish(&draft, now)
    }
    order.isUnderWay = false
    order.row.attempts += 1
    let (result, evidence) = answer.words
    counts.calls[IsolationCounts.Call(hook: hook, result: result), default: 0] += 1
    isolation.note(
      HookCall(
        hook: hook, verb: order.verb.rawValue, at: now.wall, attempt: order.row.attempts,
        result: result, evidence: evidence))
    isolations[isolation.id] = isolation
    draft.touched.insert(isolation.id)
    draft.orders.insert(key)
    audit("called", isolation, by: "hook \(hook)", now, &draft) { writer in
      writer.member("order", id)
      writer.member("verb", order.verb.rawValue)
      writer.member("attempt", order.row.attempts)
      writer.member("result", result)
      writer.member("evidence", evidence)
    }
    // What was under way while the target was given back matters no more.
    if order.verb != .release, !isolation.status.isInForce {
      orders[key] = nil
      return finish(&draft, now)
    }
    switch order.verb {
    case .apply: settleApply(key, order, answer, now, &draft)
    case .release: settleRelease(key, order, answer, now, &draft)
    case .probe: settleProbe(key, order, answer, now, &draft)
    }
    return finish(&draft, now)
  }

  private mutating func settleApply(
    _ key: OrderKey, _ order: PendingOrder, _ answer: HookAnswer, _ now: IsolationTime,
    _ draft: inout Draft
  ) {
    guard var isolation = isolations[order.row.isolation] else { return }
    switch answer {
    case .done:
      orders[key] = nil
      let isLast = !orders.values.contains {
        $0.row.isolation == isolation.id && $0.verb == .apply
      }
      becomeEffective(&isolation, now)
      if isLast { isolation.status = .active }
      isolations[isolation.id] = isolation
      self.order(.probe, key.hook, of: isolation, after: CivilTime.second, now, &draft)
    case .refused(let evidence):
      orders[key] = nil
      raise(
        "apply", isolation, .critical,
        "Hook \(key.hook) refused to \(isolation.action.word) \(isolation.target.text): "
          + Payloads.oneLine(evidence, 200), now, &draft)
      let isLast = !orders.values.contains {
        $0.row.isolation == isolation.id && $0.verb == .apply
      }
      if isLast, isolation.effectiveAt != nil {
        isolation.status = .active
        isolations[isolation.id] = isolation
      }
    case .unreachable, .notInForce: again(key, order, answer, now, &draft)
    }
  }

  private mutating func settleRelease(
    _ key: OrderKey, _ order: PendingOrder, _ answer: HookAnswer, _ now: IsolationTime,
    _ draft: inout Draft
  ) {
    guard case .done = answer else { return again(key, order, answer, now, &draft) }
    orders[key] = nil
    guard var isolation = isolations[order.row.isolation], isolation.status == .releasing,
      !orders.values.contains(where: {
        $0.row.isolation == order.row.isolation && $0.verb == .release
      })
    else { return }
    isolation.status = .released
    isolation.releasedAt = now.wall
    isolations[isolation.id] = isolation
  }

  private mutating func settleProbe(
    _ key: OrderKey, _ order: PendingOrder, _ answer: HookAnswer, _ now: IsolationTime,
    _ draft: inout Draft
  ) {
    if case .done = answer {
      orders[key] = nil
      return
    }
    // A hook that cannot tell says so once; what was seen of its calls tells as well.
    if case .refused = answer {
      orders[key] = nil
      return
    }
    again(key, order, answer, now, &draft)
  }

  /// Tries again, and tells once that it does not succeed.
  private mutating func again(
    _ key: OrderKey, _ order: PendingOrder, _ answer: HookAnswer, _ now: IsolationTime,
    _ draft: inout Draft
  ) {
    var order = order
    let pause = Self.pause(order.row.attempts)
    order.due = now.monotonic + pause
    order.row.dueAt = now.wall + pause
    if !order.isTold, now.monotonic - order.since >= settings.probeWithin.wholeNanoseconds,
      let isolation = isolations[order.row.isolation]
    {
      order.isTold = true
      let (result, evidence) = answer.words
      let what =
        switch order.verb {
        case .apply: "bring the isolation of \(isolation.target.text) into force"
        case .release: "give \(isolation.target.text) back"
        case .probe: "see \(isolation.target.text) cut off"
        }
      raise(
        order.verb.rawValue, isolation, .critical,
        "Hook \(key.hook) does not \(what): \(result), \(Payloads.oneLine(evidence, 200))", now,
        &draft)
    }
    orders[key] = order
  }
}

extension HookAnswer {
  /// What lists and the audit log call it, and its evidence.
  package var words: (result: String, evidence: String) {
    switch self {
    case .done(let evidence): ("done", evidence)
    case .notInForce(let evidence): ("not_in_force", evidence)
    case .refused(let evidence): ("refused", evidence)
    case .unreachable(let evidence): ("unreachable", evidence)
    }
  }
}

extension Isolation {
  /// Whether it is, or was, one that callers were answered by.
  var isEnforcing: Bool { mode == .enforced && action != .observe }
}
