package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore

/// `farthing serve`: the daemon.
package struct ServeCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Take events and questions over HTTP.",
    discussion: """
      farthing serve --listen 127.0.0.1:7878 --data /var/lib/farthing
      curl --data-binary @calls.ndjson http://127.0.0.1:7878/v1/events
      curl 'http://127.0.0.1:7878/v1/query?metrics=cost,requests&by=model'

      An upload is answered once its events would survive a crash of the process and of the machine. \
      SIGTERM and SIGINT end it in good order: requests at work are answered, the store is closed. A \
      second signal ends it at once; what was acknowledged is kept all the same. SIGHUP makes it read \
      its configuration and its certificate again; where they are wrong it goes on as it was.
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(
    help: ArgumentHelp(
      "Address to listen on; port 0 picks one and prints it. Default 127.0.0.1:7878.",
      valueName: "host:port"))
  package var listen: String?
  @Option(
    help: ArgumentHelp(
      "The site registry: a JSON array of {\"site\",\"tier\",\"country\",\"jurisdiction\"}.",
      valueName: "file"))
  package var sites: String?
  @Option(
    help: ArgumentHelp(
      "Announced events: a JSON array of {\"start\",\"end\",\"expected_factor\",\"reason\"} with "
        + "the fields of a request that narrow it.",
      valueName: "file"))
  package var calendar: String?

  package init() {}

  package mutating func run() async throws {
    // Which server commands ask is nothing to the server itself.
    if global.server != nil { _ = try global.settings() }
    let resolution = resolution
    let settings = try resolution()
    Interruption.watch()
    Interruption.watchReload()
    _ = HostMachine.raiseOpenFileLimit()
    let budgets = StoredBudgets(
      settings.budgets, queryBytes: settings.queryBytes, clock: { HostProcess.now() })
    let inventory = CurrentInventory(settings.configuration)
    let listening = try await ListeningServer(
      settings, at: settings.configuration.server.listen,
      grpcAt: settings.configuration.server.grpcListen, scope: Self.reloadScope,
      around: Self.surroundings(settings, budgets, inventory))
    var options = StoreOptions()
    options.holder = LockHolder(
      processID: HostProcess.identifier, serverAddress: listening.url)
    var store = try await StoreAccess.writer(settings, options: options)
    let alerts = try AlertService(
      AlertDesk(
        directory: settings.dataFolder, settings: settings.configuration.alerting,
        now: HostProcess.now()), around: Self.alertSurroundings())
    await alerts.start()
    let feed = DetectionFeed()
    await store.writer.watch { feed.put($0, $1, $2) }
    let isolations = try IsolationService(
      directory: settings.dataFolder, settings: settings.configuration.isolation, alerts: alerts,
      around: Self.isolationSurroundings())
    await isolations.start()
    let agents = AgentRegistry(await store.writer.sourcePositions)
    let monitor = try Self.monitor(
      Self.monitoring(settings), feed, alerts, isolations, store.writer, agents)
    listening.server.serve(
      store.writer, book: store.book, agents: agents, alerts: alerts, monitor: monitor,
      isolations: isolations)
    let upkeep = Task { [store] in await Self.upkeep(store, listening) }
    if let address = listening.grpcAddress {
      Console.note("listening for OTLP over gRPC on \(address)")
    }
    Console.note("listening on \(listening.url)")
    await DaemonSignals.reload(listening, until: DaemonSignals.reloads(), by: resolution) {
      await alerts.reload($0.configuration.alerting)
      await isolations.reload($0.configuration.isolation)
      budgets.replace($0.budgets)
      inventory.replace($0.configuration)
      await monitor.desk.reload(Self.monitoring($0))
    }
    Console.note("farthing: ending; requests at work are answered first")
    upkeep.cancel()
    await listening.server.drain()
    await monitor.stop()
    await isolations.stop()
    await alerts.stop()
    store.retention = listening.retention
    try await store.close()
  }

  // MARK: What is watched

  private static func monitoring(_ settings: Settings) -> MonitorDesk.Settings {
    var watched = MonitorDesk.Settings(
      // The calendar's file was read when the settings were resolved.
      detection: settings.configuration.monitoring.settings(
        calendar: settings.configuration.eventCalendar),
      rules: settings.rules, budgets: settings.budgets, queryBytes: settings.queryBytes)
    watched.inventory = settings.configuration.inventory
    watched.sites = settings.configuration.siteRegistry
    return watched
  }

  private static func monitor(
    _ settings: MonitorDesk.Settings, _ feed: DetectionFeed, _ alerts: AlertService,
    _ isolations: IsolationService, _ writer: StoreWriter, _ agents: AgentRegistry
  ) throws(StoreError) -> MonitorService {
    let cache = BlockCache()
    return MonitorService(
      try MonitorDesk(
        settings, feed: feed, alerts: alerts, isolations: isolations,
        snapshot: { () async throws(StoreError) in try await writer.snapshot(cache: cache) },
        heardSites: { agents.heardSites(now: $0) },
        clock: { HostProcess.now() },
        warn: { Console.note("farthing: warning: \($0.printable)") }),
      pause: { try? await Task.sleep(for: .milliseconds(500)) })
  }

  /// Says what the options, the environment and the file say when it is called.
  private var resolution: @Sendable () throws(CommandFailure) -> Settings {
    {
      [data = global.data, config = global.config, listen, sites, calendar]
      () throws(CommandFailure) in
      var settings = try Settings.resolved(
        data: data, config: config, environment: { EnvironmentVariables.value(of: $0) })
      if let listen {
        guard let address = ListenAddress(listen) else {
          throw CommandFailure.usage(
            "--listen \"\(listen.printable)\": expected \(ListenAddress.expectation)")
        }
        settings.configuration.server.listen = address
      }
      if let sites { settings.configuration.sites = .file(sites) }
      if let calendar { settings.configuration.calendar = .file(calendar) }
      try settings.configuration.readRegistries()
      return settings
    }
  }

  /// Questions and decoders take their bounds when the server starts.
  static let reloadScope = ConfigurationReload.Scope(
    live: [
      "server", "access", "alerting", "detection", "isolation", "retention_days", "retention_gib",
      "budgets",
      "rules",
      "inventory", "sites", "calendar",
    ],
    fixed: ["data", "listed_errors", "query_memory_mib"])

  /// Applies the retention once an hour, until the task is cancelled.
  private static func upkeep(_ store: OpenStore, _ listening: ListeningServer) async {
    var store = store
    while (try? await Task.sleep(for: .seconds(3600))) != nil {
      store.retention = listening.retention
      do {
        try await store.applyRetention()
      } catch {
        Console.note(
          "farthing: warning: the retention could not be applied: \("\(error)".printable)")
      }
    }
  }

  static func isolationSurroundings() -> IsolationService.Surroundings {
    IsolationService.Surroundings(
      now: { IsolationsPlace.now() }, pause: { try? await Task.sleep(for: .milliseconds(500)) },
      hooks: { hooks($0) }, warn: { Console.note("farthing: warning: \($0.printable)") })
  }

  /// What the configuration's hooks call.
  static func hooks(_ settings: [HookSettings]) -> [any IsolationHook] {
    IsolationHooks.make(
      settings, clock: { HostProcess.now() },
      environment: { EnvironmentVariables.value(of: $0) }, version: Version.text)
  }

  static func alertSurroundings() -> AlertService.Surroundings {
    AlertService.Surroundings(
      clock: { HostProcess.now() }, pause: { try? await Task.sleep(for: .seconds(1)) },
      environment: { EnvironmentVariables.value(of: $0) },
      warn: { Console.note("farthing: warning: \($0.printable)") }, version: Version.text)
  }

  /// - Parameter budgets: what a server goes by; nil for an agent, which has no store to ask.
  static func surroundings(
    _ settings: Settings, _ budgets: StoredBudgets? = nil, _ inventory: CurrentInventory? = nil
  ) -> ServerSurroundings {
    let threads = HostProcess.processorCount()
    let figures = StoredFigures(queryBytes: settings.queryBytes) { HostProcess.monotonic() }
    return ServerSurroundings(
      clock: { HostProcess.now() }, monotonic: { HostProcess.monotonic() },
      pause: { try? await Task.sleep(for: .seconds(1)) },
      receiptText: { Array((ReceiptText.json($0) + "\n").utf8) },
      questions: StoreQuestions(
        queryBytes: settings.queryBytes, threads: threads, clock: { HostProcess.now() },
        budgets: { budgets?.current ?? [] },
        ledger: { [folder = settings.dataFolder] in
          try ReportLedger.read(directory: folder, $0)
        },
        inventory: { inventory?.current ?? (InventorySettings(), nil) }),
      processFigures: {
        ProcessFigures(
          cpuNanoseconds: HostProcess.processorTime(),
          residentBytes: HostMachine.residentBytes() ?? 0, openFiles: nil)
      },
      unitFigures: { figures.figures(of: $0) },
      notice: { Console.note("farthing: warning: \($0.printable)") },
      budgets: { budgets?.statuses(of: $0) ?? [] },
      version: Version.text)
  }
}
