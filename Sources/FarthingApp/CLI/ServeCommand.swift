package import ArgumentParser
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

  package init() {}

  package mutating func run() async throws {
    // Which server commands ask is nothing to the server itself.
    if global.server != nil { _ = try global.settings() }
    let settings = try resolved()
    Interruption.watch()
    Interruption.watchReload()
    _ = HostMachine.raiseOpenFileLimit()
    let budgets = StoredBudgets(
      settings.budgets, queryBytes: settings.queryBytes, clock: { HostProcess.now() })
    let listening = try await ListeningServer(
      settings, at: settings.configuration.server.listen, scope: Self.reloadScope,
      around: Self.surroundings(settings, budgets))
    var options = StoreOptions()
    options.holder = LockHolder(
      processID: HostProcess.identifier, serverAddress: listening.url)
    var store = try await StoreAccess.writer(settings, options: options)
    listening.server.serve(
      store.writer, book: store.book, agents: AgentRegistry(await store.writer.sourcePositions))
    let upkeep = Task { [store] in await Self.upkeep(store, listening) }
    Console.note("listening on \(listening.url)")
    for await _ in DaemonSignals.reloads() {
      await listening.reload(to: Result { () throws(CommandFailure) in try resolved() })
      budgets.replace(await listening.settings.budgets)
    }
    Console.note("farthing: ending; requests at work are answered first")
    upkeep.cancel()
    await listening.server.drain()
    store.retention = await listening.settings.retention
    try await store.close()
  }

  /// What the options, the environment and the file say now.
  private func resolved() throws(CommandFailure) -> Settings {
    try addressed(
      try Settings.resolved(
        data: global.data, config: global.config,
        environment: { EnvironmentVariables.value(of: $0) }))
  }

  /// With the address of the option, where it is given.
  private func addressed(_ settings: Settings) throws(CommandFailure) -> Settings {
    guard let listen else { return settings }
    guard let address = ListenAddress(listen) else {
      throw CommandFailure.usage(
        "--listen \"\(listen.printable)\": expected \(ListenAddress.expectation)")
    }
    var settings = settings
    settings.configuration.server.listen = address
    return settings
  }

  /// Questions and decoders take their bounds when the server starts.
  static let reloadScope = ConfigurationReload.Scope(
    live: ["server", "access", "retention_days", "retention_gib", "budgets", "rules"],
    fixed: ["data", "listed_errors", "query_memory_mib"])

  /// Applies the retention once an hour, until the task is cancelled.
  private static func upkeep(_ store: OpenStore, _ listening: ListeningServer) async {
    var store = store
    while (try? await Task.sleep(for: .seconds(3600))) != nil {
      store.retention = await listening.settings.retention
      do {
        try await store.applyRetention()
      } catch {
        Console.note(
          "farthing: warning: the retention could not be applied: \("\(error)".printable)")
      }
    }
  }

  /// - Parameter budgets: what a server goes by; nil for an agent, which has no store to ask.
  static func surroundings(
    _ settings: Settings, _ budgets: StoredBudgets? = nil
  ) -> ServerSurroundings {
    let threads = HostProcess.processorCount()
    let figures = StoredFigures(queryBytes: settings.queryBytes) { HostProcess.monotonic() }
    return ServerSurroundings(
      clock: { HostProcess.now() }, monotonic: { HostProcess.monotonic() },
      pause: { try? await Task.sleep(for: .seconds(1)) },
      receiptText: { Array((ReceiptText.json($0) + "\n").utf8) },
      questions: StoreQuestions(
        queryBytes: settings.queryBytes, threads: threads, clock: { HostProcess.now() },
        budgets: { budgets?.current ?? [] }),
      processFigures: {
        ProcessFigures(
          cpuNanoseconds: HostProcess.processorTime(),
          residentBytes: HostMachine.residentBytes() ?? 0, openFiles: nil)
      },
      unitFigures: { figures.figures(of: $0) },
      budgets: { budgets?.statuses(of: $0) ?? [] },
      version: Version.text)
  }
}
