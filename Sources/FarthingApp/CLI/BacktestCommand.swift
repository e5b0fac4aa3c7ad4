package import ArgumentParser
internal import FarthingCore
internal import FarthingDetection
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing backtest`: what detection would have raised over stored history, or over files.
package struct BacktestCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "backtest",
    abstract: "What detection would have raised, when, how late, and what it would have saved.",
    discussion: """
      farthing backtest --since 30d
      farthing backtest --since 2026-03-05 --calendar launches.json --output json
      farthing backtest events.ndjson.zst

      Stored history, or events of files that need not be stored, goes through the detectors in the order of its time, as \
      if it were live. What comes before --since only teaches (up to five weeks of it). All times are those of the \
      events: detected_at is when an alert would have been raised.
      """)

  /// How long before the window the detectors may learn.
  private static let leadIn = 35 * CivilTime.day

  @OptionGroup package var global: GlobalOptions
  @Argument(
    help: ArgumentHelp(
      "Files of events instead of the store; - is standard input.", valueName: "file"),
    completion: .file())
  package var files: [String] = []
  @OptionGroup package var selection: SelectionOptions
  @Option(
    help: ArgumentHelp(
      "Announced events: a JSON array of start, end, expected_factor, reason and a dimension.",
      valueName: "file"),
    completion: .file())
  package var calendar: String?
  @Option(
    help: ArgumentHelp("Least US dollars beyond expectation of a spend alert.", valueName: "usd"))
  package var minUsd: Double?
  @Flag(
    help:
      "What section isolation would have kept back, when and for how long, instead of alerts.")
  package var isolations = false
  @Option(help: ArgumentHelp("table or json.", valueName: "format"))
  package var output = OutputFormat.table

  package init() {}

  package mutating func run() async throws {
    guard output == .table || output == .json else {
      throw CommandFailure.usage("a backtest is written as table or json, not as \(output)")
    }
    if isolations { return try replayIsolations() }
    var detection = DetectionSettings()
    if let minUsd {
      guard minUsd.isFinite, minUsd > 0, minUsd <= 1e9 else {
        throw CommandFailure.usage("--min-usd \(minUsd): expected an amount above 0")
      }
      detection.minUSD = minUsd
    }
    if let calendar {
      do {
        detection.calendar = try AnnouncedEvent.calendar(
          try WholeInput.bytes(of: calendar, limit: 16 << 20))
      } catch let fault as CalendarFault {
        throw CommandFailure.usage("\(calendar.printable): \(fault.message)")
      }
    }
    let settings = try global.settings()
    do {
      let plan = try EventsPlan.parse(
        columns: nil, filter: selection.filter, since: selection.since, until: selection.until,
        now: HostProcess.now())
      let alerts =
        files.isEmpty
        ? try stored(plan, detection, settings) : try await read(plan, detection, settings)
      try write(alerts)
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  /// Over what is stored.
  private func stored(
    _ plan: EventsPlan, _ detection: DetectionSettings, _ settings: Settings
  ) throws -> [BacktestAlert] {
    Interruption.watch()
    let lead = plan.since.map { $0 - Self.leadIn }
    var window = plan
    window.since = nil
    window.until = nil
    let selection = plan.filter == nil ? nil : FilteredRequests(window)
    let (alerts, _) = try StoreAccess.answer(
      settings, since: plan.since, until: plan.until
    ) { snapshot in
      do throws(StoreError) {
        return try Self.replay(snapshot, plan, lead: lead, selection, detection)
      } catch {
        throw QueryError(.store, error.description)
      }
    }
    return alerts
  }

  private static func replay(
    _ snapshot: StoreSnapshot, _ plan: EventsPlan, lead: Int64?, _ selection: FilteredRequests?,
    _ detection: DetectionSettings
  ) throws(StoreError) -> [BacktestAlert] {
    var engine = DetectionEngine(settings: detection)
    var backtest = Backtest(since: plan.since)
    var events = StoredObservations(
      snapshot, since: lead, until: plan.until, selection: selection)
    try events.replay(
      into: &engine, isInterrupted: { Interruption.signal != nil }, { backtest.note($0) })
    if let watermark = engine.watermark {
      for change in engine.advance(to: watermark + CivilTime.minute) { backtest.note(change) }
    }
    return backtest.result
  }

  /// Over files that are not stored.
  private func read(
    _ plan: EventsPlan, _ detection: DetectionSettings, _ settings: Settings
  ) async throws -> [BacktestAlert] {
    if plan.filter != nil {
      throw CommandFailure.usage("--where needs the store; ingest the files first")
    }
    var options = Ingestion.Options()
    options.workers = HostProcess.processorCount()
    options.limits.eventBytes = settings.eventBytes
    Interruption.watch()
    options.isInterrupted = { Interruption.signal != nil }
    let sink = BacktestSink(settings: detection, since: plan.since, until: plan.until)
    var ingestion = Ingestion(
      options: options, book: try StoreAccess.priceBook(settings), sink: sink,
      clock: { HostProcess.now() })
    let inputs = files.map { IngestInput(word: $0) }
    let receipt = try await ingestion.run(inputs)
    let single = inputs.count == 1 ? inputs[0].name : nil
    for note in ReceiptText.notes(receipt, singleInput: single) {
      Console.note("farthing: \(note)")
    }
    return sink.finish()
  }

  private func write(_ alerts: [BacktestAlert]) throws {
    if output == .json {
      try Console.result(
        IncidentJSON.list(alerts.map { ($0.incident, $0.isResolved ? .resolved : .firing) }))
      return
    }
    if alerts.isEmpty {
      Console.note("farthing: nothing would have been raised")
      return
    }
    let renderer = Renderer(format: .table, page: Console.page())
    try renderer.render(BacktestTable.answer(alerts), to: Console.result)
    Console.note("farthing: " + BacktestTable.note(alerts))
  }
}

/// A backtest as people read it.
enum BacktestTable {
  static func answer(_ alerts: [BacktestAlert]) -> Answer {
    Answer(
      columns: [
        .init("detected"), .init("after"), .init("severity"), .init("kind"), .init("slice"),
        .init("extra", .figure), .init("avoidable", .figure), .init("lasted"),
      ],
      rows: alerts.map { alert in
        let incident = alert.incident
        let slice = incident.dimensions.first.map { "\($0.dimension) \($0.value)" }
        return [
          .time(incident.detectedAt),
          .text(LengthText.readable(incident.detectedAt - incident.startedAt)),
          .text(incident.severity.rawValue), .text(incident.kind.rawValue),
          slice.map { .text($0) } ?? .null, incident.excess.map { .money($0.rawValue) } ?? .null,
          .money(alert.avoidable),
          incident.resolvedAt.map { .text(LengthText.readable($0 - incident.startedAt)) }
            ?? .text("goes on"),
        ]
      })
  }

  static func note(_ alerts: [BacktestAlert]) -> String {
    let avoidable = alerts.reduce(Int128(0)) { $0 + $1.avoidable }
    let digits = AmountText.readableFractionDigits(of: [avoidable])
    return
      "\(AmountText.readable(count: Int128(alerts.count))) alerts; avoidable is what was spent beyond the "
      + "expectation after each was raised, together \(AmountText.readable(avoidable, fractionDigits: digits))"
  }
}
