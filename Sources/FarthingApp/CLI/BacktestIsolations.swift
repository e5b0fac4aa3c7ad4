internal import ArgumentParser
internal import FarthingCore
internal import FarthingDetection
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

extension BacktestCommand {
  /// How long before the window the detectors may learn.
  private static let lesson = 35 * CivilTime.day

  /// What policies would have done over stored history.
  func replayIsolations() throws {
    guard files.isEmpty else {
      throw CommandFailure.usage("--isolations needs the store; ingest the files first")
    }
    guard selection.filter == nil else {
      throw CommandFailure.usage("--isolations looks at all of history; leave --where out")
    }
    let settings = try wantedSettings()
    Interruption.watch()
    do {
      let plan = try EventsPlan.parse(
        columns: nil, filter: nil, since: selection.since, until: selection.until,
        now: HostProcess.now())
      let (found, lacksRows) = try StoreAccess.answer(
        settings, since: plan.since, until: plan.until
      ) { snapshot in
        do throws(StoreError) {
          return try Self.replay(snapshot, plan, settings)
        } catch {
          throw QueryError(.store, error.description)
        }
      }
      try write(found)
      if lacksRows { throw CommandFailure.failed(nil) }
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  private static func replay(
    _ snapshot: StoreSnapshot, _ plan: EventsPlan, _ settings: Settings
  ) throws(StoreError) -> [ReplayedIsolation] {
    var monitoring = settings.configuration.monitoring
    monitoring.isEnabled = true
    let detection =
      monitoring.settings(calendar: settings.configuration.eventCalendar) ?? DetectionSettings()
    var engine = DetectionEngine(settings: detection)
    var replay = IsolationReplay(settings.configuration.isolation, since: plan.since)
    var events = StoredObservations(
      snapshot, since: plan.since.map { $0 - lesson }, until: plan.until, selection: nil)
    try events.forEach(
      naming: &engine, isInterrupted: { Interruption.signal != nil },
      { engine, observation in
        if !observation.isAhead { replay.note(engine.advance(to: observation.time)) }
        if replay.take(observation, engine) { engine.observe(observation) }
      })
    replay.finish()
    return replay.result
  }

  private func write(_ found: [ReplayedIsolation]) throws {
    if output == .json { return try Console.result(ReplayedIsolations.json(found)) }
    let shown = found.filter { $0.isolation.status != .refused }
    if shown.isEmpty {
      Console.note("farthing: nothing would have been isolated")
    } else {
      let renderer = Renderer(format: .table, page: Console.page())
      try renderer.render(ReplayedIsolations.answer(shown), to: Console.result)
    }
    for line in ReplayedIsolations.notes(found) { Console.note("farthing: \(line)") }
  }
}

/// Isolations of a backtest as people and programs read them.
enum ReplayedIsolations {
  static func answer(_ found: [ReplayedIsolation]) -> Answer {
    Answer(
      columns: [
        .init("since"), .init("for"), .init("action"), .init("target"), .init("kept_back", .figure),
        .init("saved", .figure), .init("usual_calls", .figure), .init("because"),
      ],
      rows: found.map { one in
        [
          .time(one.isolation.startedAt), .text(LengthText.readable(one.length)),
          .text(one.isolation.action.text), .text(one.isolation.target.text),
          .count(Int128(one.refused)), .money(one.saved), .count(Int128(one.usualCalls)),
          .text(one.isolation.reason),
        ]
      })
  }

  static func notes(_ found: [ReplayedIsolation]) -> [String] {
    let done = found.filter { $0.isolation.status != .refused }
    let saved = done.reduce(Int128(0)) { $0 + $1.saved }
    let digits = AmountText.readableFractionDigits(of: [saved])
    var notes = [
      "\(AmountText.readable(count: Int128(done.count))) isolations; saved is what the calls cost that would have been "
        + "kept back, together \(AmountText.readable(saved, fractionDigits: digits))"
    ]
    let known = done.filter { $0.usualCalls > 0 && $0.refused > 0 }
    if !known.isEmpty {
      notes.append(
        "\(AmountText.readable(count: Int128(known.count))) of them would have hit who called the day before, too: "
          + "usual_calls is how often")
    }
    let refused = found.count - done.count
    if refused > 0 {
      notes.append(
        "guardrails would have refused \(AmountText.readable(count: Int128(refused))) more; --output json says which"
      )
    }
    return notes
  }

  /// As the interface shows isolations, with what a backtest knows besides.
  static func json(_ found: [ReplayedIsolation]) -> [UInt8] {
    var writer = JSONWriter()
    writer.array { writer in
      for one in found {
        writer.lineBreak()
        writer.object { writer in
          IsolationTexts.members(
            one.isolation, now: one.isolation.releasedAt ?? one.isolation.releaseAt, to: &writer)
          writer.member("kept_back", one.refused)
          writer.member("kept_back_unpriced", one.unpriced)
          writer.member("saved_usd", Picodollars(one.saved).decimalText)
          writer.member("usual_calls", one.usualCalls)
        }
      }
      if !found.isEmpty { writer.newLine() }
    }
    writer.end()
    return writer.bytes
  }
}
