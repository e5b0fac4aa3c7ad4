// One task, or one call outside a task, from its first request to its outcome.

/// What the steps of one task share.
private struct TaskInProgress {
  var client: Int
  var shape: WorkloadShape
  var site: Int
  var model: Int
  /// Key of all its draws.
  var key: UInt64
  /// 0 for a call outside a task.
  var id: UInt64
  var feature: UInt8
  var incident: Int
  /// The prompt hash of every request, for a prompt that is sent again and again; 0 for none.
  var constantPrompt: UInt64 = 0
  /// The conversation so far in tokens, and its part that the last prompt held.
  var context = 0
  var lastPrompt = 0
}

/// One step's request before it is known how its attempts go.
private struct StepDraft {
  var input = 0
  /// The leading part of the input that was sent before, by this task or by others.
  var prefix = 0
  var output = 0
  var reasoning = -1
  var isPrefixCached = false
  var promptHash: UInt64 = 0
  var retrievals: Int32 = 0
  var webSearches: Int32 = 0
}

extension EventSynthesis {
  /// Plays a task of a stream to its end; its events wait for their arrival.
  mutating func play(stream: Int, number: UInt64, beginning: Int64) {
    let source = arrivals.streams[stream]
    let client = fleet.clients[source.client]
    let shape = fleet.workloads[client.workload]
    var random = KeyedRandom(options.seed, source.key ^ 0x7A5C_0000_0000_0000, number)
    let isHome = random.chance(0.86)
    let site = isHome ? client.homeSite : client.secondSite
    var task = TaskInProgress(
      client: source.client, shape: shape, site: site,
      model: random.chance(0.9) ? shape.model : shape.secondModel,
      key: random.bits(), id: 0, feature: UInt8(random.below(3)), incident: source.incident)
    let hasTask = random.chance(shape.taskShare)
    let length = shape.steps.lowerBound + random.below(shape.steps.count)
    let identifier = random.bits() | 1
    if hasTask { task.id = identifier }
    var steps = hasTask ? length : 1
    var pause = shape.pause
    if source.incident >= 0 {
      incidents.incidents[source.incident].added += 1
      let specification = incidents.incidents[source.incident].specification
      if specification.kind == .runawayTask {
        task.id = identifier
        steps = max(2, Int(Double(shape.steps.upperBound) * specification.magnitude))
        let span = Double(specification.end - specification.start) / Double(CivilTime.second)
        pause = span / Double(steps) * 0.6
        noteTask(identifier, of: source.incident)
      } else if specification.kind == .repeatedPrompt {
        task.constantPrompt = KeyedRandom.mix(options.seed ^ source.key)
      }
    } else if incidents.dropsTask(
      client: source.client, site: site, time: beginning, key: task.key)
    {
      return
    }
    perform(&task, steps: steps, pause: pause, from: beginning)
  }

  /// Records which task an incident made, for the ground truth.
  private mutating func noteTask(_ identifier: UInt64, of incident: Int) {
    var text = Array("task-".utf8)
    EventFragments.appendHexadecimal(identifier, digits: 16, to: &text)
    incidents.incidents[incident].dimensions.append(("task", String(decoding: text, as: UTF8.self)))
  }

  private mutating func perform(
    _ task: inout TaskInProgress, steps: Int, pause: Double, from beginning: Int64
  ) {
    var outcomeRandom = KeyedRandom(task.key, 0x0C)
    // Of four tasks, one tells its outcome in its last request; most are told by an event.
    let isToldInRequest = task.id != 0 && outcomeRandom.chance(0.25)
    let isGood = outcomeRandom.unit()
    var time = beginning
    for step in 1...steps {
      let draft = draftStep(&task, step)
      var (event, successFactor) = call(task, draft, step: step, from: time)
      let isOver = step == steps || event.status != .ok
      if isOver {
        let succeeded = event.status == .ok && isGood < task.shape.successRate * successFactor
        if isToldInRequest { event.outcome = succeeded ? 1 : 2 }
        let finish = event.arrival
        wait(event)
        if task.id != 0, options.outcomes {
          tellOutcome(task, succeeded, after: finish, isToldInRequest, &outcomeRandom)
        }
        return
      }
      time = event.arrival
      wait(event)
      guard time < end else { return }
      var random = KeyedRandom(task.key, 0x9A05E, UInt64(step))
      let seconds = pause * random.logNormal(0, 0.8)
      time += Int64(min(seconds, 100_000) * 1e9)
    }
  }

  /// The step's tokens, before any incident.
  private func draftStep(_ task: inout TaskInProgress, _ step: Int) -> StepDraft {
    let shape = task.shape
    var random = KeyedRandom(task.key, 0x57E9, UInt64(step))
    var draft = StepDraft()
    let body = random.logNormal(shape.input.mean, shape.input.deviation)
    let turn = Int(min(random.logNormal(shape.turn, 0.8), 40_000)) + 1
    let cap = shape.input.cap
    if step == 1 {
      draft.input = min(cap, shape.systemPrompt + Int(min(body, 1e6)) + 1)
      // Templates that are sent unchanged: one request in forty has one of the workload's lengths.
      if random.chance(0.025) {
        draft.input = min(cap, shape.systemPrompt + 181 + 713 * Int(task.feature))
      }
      draft.prefix = shape.systemPrompt > 0 ? shape.systemPrompt : draft.input / 2
    } else {
      draft.input = task.context + turn
      draft.prefix = task.lastPrompt
      if draft.input > cap {
        // The history was compacted: nothing but the fixed part is known to the cache.
        draft.input = cap / 2 + turn
        draft.prefix = min(shape.systemPrompt, draft.input)
      }
    }
    let hit = step == 1 ? shape.sharedPrefixHit : shape.sessionPrefixHit
    draft.isPrefixCached = random.chance(hit)
    if shape.output.cap > 0 {
      let output = random.logNormal(shape.output.mean, shape.output.deviation)
      draft.output = min(shape.output.cap, Int(min(output, 1e6)) + 1)
    }
    if shape.reasons {
      // Quartiles .51, .74, .91 of the output, as deepseek-r1's measured .54, .75, .92.
      let u = random.unit()
      draft.reasoning = Int(Double(draft.output) * (1 - 0.75 * u * u.squareRoot()))
    }
    draft.promptHash = promptHash(task, &random)
    draft.retrievals = shape.retrievals == 0 ? 0 : Int32(1 + random.below(2 * shape.retrievals - 1))
    if shape.webSearches > 0 { draft.webSearches = Int32(random.below(4)) }
    task.context = draft.input + draft.output - max(0, draft.reasoning)
    task.lastPrompt = draft.input
    return draft
  }

  /// Most prompts are unique; one in eight comes out of a pool in which few are frequent.
  private func promptHash(_ task: TaskInProgress, _ random: inout KeyedRandom) -> UInt64 {
    let unique = random.bits()
    let isHashed = random.chance(task.shape.hashed)
    let isPooled = random.chance(0.12)
    let u = random.unit()
    if task.constantPrompt != 0 { return task.constantPrompt }
    guard isHashed else { return 0 }
    guard isPooled else { return unique | 1 }
    let workload = UInt64(fleet.clients[task.client].workload)
    return KeyedRandom.mix(options.seed ^ workload << 32 ^ UInt64(u * u * u * 4000)) | 1
  }

  /// All attempts of one step; all but the last wait already.
  private mutating func call(
    _ task: TaskInProgress, _ draft: StepDraft, step: Int, from time: Int64
  ) -> (last: PendingEvent, successFactor: Double) {
    var begin = time
    var attempt = 1
    var model = task.model
    var fallbackFrom = -1
    while true {
      let effects = incidents.effects(
        client: task.client, site: task.site, model: model, time: begin, fleet: fleet)
      var random = KeyedRandom(task.key, UInt64(step), UInt64(attempt))
      // Draws that only incidents need have a stream of their own.
      var chances = KeyedRandom(task.key ^ 0x1C1D, UInt64(step), UInt64(attempt))
      if fallbackFrom < 0, chances.chance(effects.otherModelShare) { model = effects.otherModel }
      let cascades = fallbackFrom < 0 && chances.chance(effects.fallbackShare)
      let ordinary = Self.ordinaryStatus(random.unit())
      let status = Self.status(ordinary, effects, cascades, &chances)
      var event = PendingEvent()
      event.client = Int32(task.client)
      event.site = Int16(task.site)
      event.model = Int16(model)
      event.fallbackFrom = Int16(fallbackFrom)
      event.feature = task.feature
      event.status = status
      event.time = begin - begin % 1000
      event.task = task.id
      event.step = task.id == 0 ? 0 : Int32(step)
      event.attempt = Int32(attempt)
      event.promptHash = draft.promptHash
      event.idHigh = random.bits()
      event.idLow = random.bits()
      fillTokens(&event, task, draft, effects, &random, &chances)
      fillTimes(
        &event, site: task.site, shape: task.shape, effects: effects, random: &random)
      event.isLost = incidents.losesEvent(
        client: task.client, site: task.site, model: model, arrival: event.arrival,
        key: event.idHigh)
      let willRetry = Self.retries(status, attempt, effects, random.unit())
      let willFallBack = fallbackFrom < 0 && (cascades || random.chance(0.35))
      if status == .ok || task.shape.isBatch || !(willRetry && !cascades || willFallBack) {
        return (event, effects.successFactor)
      }
      begin = event.arrival + Int64(0.5e9 * random.exponential() * Double(min(attempt, 6)))
      wait(event)
      if cascades || !willRetry {
        fallbackFrom = task.model
        let other = effects.fallbackModel
        model = cascades && other >= 0 ? other : fleet.models[task.model].fallback
      }
      attempt += 1
    }
  }

  /// Failure rates of a quiet day. Assumption, from published incident studies: 1 % errors, 0.6 %
  /// timeouts, 1.1 % rate limits, 0.2 % each blocked and cancelled.
  private static func ordinaryStatus(_ draw: Double) -> CallStatus {
    if draw >= 0.031 { return .ok }
    if draw < 0.010 { return .error }
    if draw < 0.016 { return .timeout }
    if draw < 0.027 { return .rateLimited }
    return draw < 0.029 ? .blocked : .cancelled
  }

  private static func status(
    _ ordinary: CallStatus, _ effects: RequestEffects, _ cascades: Bool,
    _ chances: inout KeyedRandom
  ) -> CallStatus {
    if cascades { return chances.chance(0.7) ? .error : .timeout }
    if effects.meanAttempts > 1, chances.chance(1 - 1 / effects.meanAttempts) {
      let kind = chances.unit()
      return kind < 0.5 ? .error : (kind < 0.85 ? .timeout : .rateLimited)
    }
    if effects.errorShare > 0, chances.chance(effects.errorShare) { return .error }
    return ordinary
  }

  private static func retries(
    _ status: CallStatus, _ attempt: Int, _ effects: RequestEffects, _ draw: Double
  ) -> Bool {
    switch status {
    case .ok, .blocked, .cancelled: return false
    case .error, .timeout, .rateLimited:
      // A storm is clients that do not give up; three times the mean bounds the longest series.
      if effects.meanAttempts > 1 { return Double(attempt) < 3 * effects.meanAttempts }
      return attempt < 3 && draw < 0.8
    }
  }

  /// When and how the world learns how a task ended; some are told late, some corrected later.
  private mutating func tellOutcome(
    _ task: TaskInProgress, _ succeeded: Bool, after finish: Int64, _ isToldInRequest: Bool,
    _ random: inout KeyedRandom
  ) {
    let isTold = random.chance(isToldInRequest ? 0.6 : 0.87)
    let isLate = random.chance(0.12)
    // Minutes in the median; the late ones some ten hours, which a review by people takes.
    let delay = isLate ? 36_000 * random.logNormal(0, 0.9) : 90 * random.logNormal(0, 1.2)
    let isCorrected = random.chance(0.04)
    let correction = 86_400 * random.logNormal(0, 0.6)
    let value = task.shape.valueCents * random.logNormal(0, 0.6)
    guard isTold else { return }
    var event = PendingEvent()
    event.isOutcome = true
    event.client = Int32(task.client)
    event.task = task.id
    event.idHigh = random.bits()
    event.idLow = random.bits()
    event.time = finish + Int64(min(delay, 1e6) * 1e6) * 1000 + CivilTime.second
    event.arrival = event.time + Int64(random.below(400)) * 1_000_000
    event.outcome = succeeded ? 1 : 2
    event.valueCents = succeeded ? Int64(value) : 0
    wait(event)
    guard isCorrected else { return }
    event.time += Int64(min(correction, 1e6) * 1e6) * 1000
    event.arrival = event.time
    event.idHigh = random.bits()
    event.outcome = succeeded ? 2 : 1
    event.valueCents = succeeded ? 0 : Int64(value)
    wait(event)
  }

  private func fillTokens(
    _ event: inout PendingEvent, _ task: TaskInProgress, _ draft: StepDraft,
    _ effects: RequestEffects, _ random: inout KeyedRandom, _ chances: inout KeyedRandom
  ) {
    let model = fleet.models[Int(event.model)]
    let shape = task.shape
    let grown = Double(draft.input) * effects.inputFactor
    let input = min(1_000_000, Int(grown))
    var output = min(200_000, Int(Double(draft.output) * effects.outputFactor))
    var reasoning = draft.reasoning
    if reasoning >= 0 {
      let more = Int(Double(reasoning) * (effects.reasoningFactor - 1))
      reasoning = Int(Double(reasoning) * effects.outputFactor) + more
      output += more
    }
    let isLost = effects.cacheLoss > 0 && chances.chance(effects.cacheLoss)
    // Providers cache no prompt below 1,024 tokens, and report whole steps of 128.
    let isCacheable = model.cache != .none && draft.prefix >= 1024
    if isCacheable, draft.isPrefixCached, !isLost {
      event.cachedTokens = Int32(min(draft.prefix, input) / 128 * 128)
    }
    if model.cache == .explicit, input >= 1024 {
      let written = Int32(Double(input - Int(event.cachedTokens)) * 0.9)
      if fleet.clients[task.client].cachesLong {
        event.writtenLongTokens = written
      } else {
        event.writtenTokens = written
      }
    }
    event.inputTokens = Int32(input)
    event.outputTokens = Int32(output)
    event.reasoningTokens = Int32(min(reasoning, output))
    event.audioTokens = Int32(Double(input) * shape.audioShare)
    event.webSearches = draft.webSearches
    event.retrievals = draft.retrievals
    for _ in 0..<draft.retrievals where random.chance(0.008) { event.retrievalFailures += 1 }
    if shape.responseCacheHits > 0, event.attempt == 1, event.status == .ok {
      let draw = random.unit()
      let hits = shape.responseCacheHits
      event.responseCache = draw < hits * 0.6 ? 1 : (draw < hits ? 2 : 3)
    }
    event.usage = random.chance(0.006) ? 1 : 0
    if random.chance(0.002) { event.usage = 2 }
    applyFailure(&event, missing: random.unit())
  }

  /// A failed call is billed for what it did: all input and a part of the output, or nothing.
  private func applyFailure(_ event: inout PendingEvent, missing: Double) {
    switch event.status {
    case .ok: return
    case .error: event.outputTokens /= 7
    case .timeout, .cancelled:
      event.outputTokens /= 2
      if missing < 0.25 { event.usage = 2 }
    case .rateLimited, .blocked:
      event.inputTokens = 0
      event.cachedTokens = 0
      event.writtenTokens = 0
      event.writtenLongTokens = 0
      event.outputTokens = 0
      event.audioTokens = 0
      event.webSearches = 0
      event.retrievals = 0
      event.retrievalFailures = 0
      event.usage = 0
    }
    event.reasoningTokens = min(event.reasoningTokens, event.outputTokens)
  }
}
