package import ArgumentParser
internal import FarthingCore
internal import FarthingDetection
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing backtest`: what detection, rules and budgets would have raised over stored history, or over files.
package struct BacktestCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "backtest",
    abstract: "What would have been raised, when, how late, and what it would have saved.",
    discussion: """
      farthing backtest --since 30d
      farthing backtest --since 2026-03-05 --calendar launches.json --output json
      farthing backtest --config farthing.yaml --rules new-rules.yaml
      farthing backtest events.ndjson.zst

      Stored history goes through the detectors, rules and budgets in the order of its time, as if they had run then, by the \
      settings that a server would go by: section detection, calendar, sites, rules and budgets of the configuration. \
      Detection takes part whether it is enabled there or not. What comes before --since only teaches (up to five weeks \
      of it). All times are those of the events: detected_at is when an alert would have been raised. Events of files \
      need not be stored; rules and budgets are asked of the store only.
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(
    help: ArgumentHelp(
      "Files of events instead of the store; - is standard input.", valueName: "file"),
    completion: .file())
  package var files: [String] = []
  @OptionGroup package var selection: SelectionOptions
  @Option(
    help: ArgumentHelp(
      "File with rules and budgets, instead of the configuration's.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  package var rules: String?
  @Option(
    help: ArgumentHelp(
      "Announced events: a JSON array of {\"start\",\"end\",\"expected_factor\",\"reason\"} with "
        + "the fields of a request that narrow it.",
      valueName: "file"),
    completion: .file(extensions: ["json"]))
  package var calendar: String?
  @Option(
    help: ArgumentHelp(
      "The site registry: a JSON array of {\"site\",\"tier\",\"country\",\"jurisdiction\"}.",
      valueName: "file"),
    completion: .file(extensions: ["json"]))
  package var sites: String?
  @Option(
    help: ArgumentHelp("Least US dollars beyond expectation of a spend alert.", valueName: "usd"))
  package var minUsd: String?
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
    let settings = try wantedSettings()
    let detection = Self.detection(settings.configuration)
    do {
      let plan = try EventsPlan.parse(
        columns: nil, filter: selection.filter, since: selection.since, until: selection.until,
        now: HostProcess.now())
      guard files.isEmpty else {
        return try write(try await read(plan, detection, settings))
      }
      let result = try stored(plan, detection, settings)
      try write(result.alerts)
      for fault in result.faults {
        Console.note("farthing: warning: \(fault.what.printable): \(fault.why.printable)")
      }
      if result.lacksRows || !result.faults.isEmpty { throw CommandFailure.failed(nil) }
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  /// The configuration, with what the options say instead.
  func wantedSettings() throws -> Settings {
    var settings = try global.settings()
    if let minUsd {
      guard let cents = ConfigurationSchema.cents(minUsd) else {
        throw CommandFailure.usage(
          "--min-usd \"\(minUsd.printable)\": expected \(ConfigurationSchema.centsExpectation)")
      }
      settings.configuration.monitoring.minimumCents = cents
    }
    if let calendar { settings.configuration.calendar = .file(calendar) }
    if let sites { settings.configuration.sites = .file(sites) }
    try settings.configuration.readRegistries()
    if let rules {
      if !files.isEmpty {
        throw CommandFailure.usage("--rules needs the store; ingest the files first")
      }
      let watched = try WatchFile.read(rules)
      settings.configuration.rules = watched.rules
      settings.configuration.budgets = watched.budgets
    }
    return settings
  }

  /// What a server would go by, were detection enabled.
  private static func detection(_ configuration: Configuration) -> DetectionSettings {
    var monitoring = configuration.monitoring
    monitoring.isEnabled = true
    return monitoring.settings(calendar: configuration.eventCalendar) ?? DetectionSettings()
  }

  private struct Replayed {
    var alerts: [BacktestAlert]
    var faults: [(what: String, why: String)]
    var lacksRows = false
  }

  /// Over what is stored.
  private func stored(
    _ plan: EventsPlan, _ detection: DetectionSettings, _ settings: Settings
  ) throws -> Replayed {
    Interruption.watch()
    var window = plan
    window.since = nil
    window.until = nil
    let selection = plan.filter == nil ? nil : FilteredRequests(window)
    let watch = ConfiguredWatch(rules: settings.rules, budgets: settings.budgets)
    let executor = QueryExecutor(memoryLimit: settings.queryBytes, threads: 1)
    let (result, lacksRows) = try StoreAccess.answer(
      settings, since: plan.since, until: plan.until
    ) { snapshot in
      var damage: QueryError?
      var replay = HistoryReplay(
        over: snapshot, since: plan.since, until: plan.until, detection: detection, watch: watch
      ) { (question) throws(QueryError) in
        var question = question
        let filters = [question.filter, plan.filter].compactMap { $0 }
        question.filter = filters.count > 1 ? .and(filters) : filters.first
        do throws(QueryError) {
          return try executor.run(question, over: snapshot)
        } catch {
          if error.code == .store { damage = damage ?? error }
          throw error
        }
      }
      var backtest = Backtest(since: plan.since)
      do throws(StoreError) {
        try replay.run(
          snapshot, selection: selection, isInterrupted: { Interruption.signal != nil }
        ) { change, _ in backtest.note(change) }
      } catch {
        throw QueryError(.store, error.description)
      }
      if let damage { throw damage }
      return Replayed(alerts: backtest.result, faults: replay.faults)
    }
    return Replayed(alerts: result.alerts, faults: result.faults, lacksRows: lacksRows)
  }

  /// Over files that are not stored.
  private func read(
    _ plan: EventsPlan, _ detection: DetectionSettings, _ settings: Settings
  ) async throws -> [BacktestAlert] {
    if plan.filter != nil {
      throw CommandFailure.usage("--where needs the store; ingest the files first")
    }
    if !settings.rules.isEmpty || !settings.budgets.isEmpty {
      Console.note("farthing: rules and budgets are left out: they are asked of the store only")
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
        let source = ["rule", "budget"].first { incident.labels[$0] != nil }
        let slice =
          incident.dimensions.first.map { "\($0.dimension) \($0.value)" }
          ?? source.flatMap { incident.labels[$0] }
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
