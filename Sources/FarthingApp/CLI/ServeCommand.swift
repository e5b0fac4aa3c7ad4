package import ArgumentParser
internal import Dispatch
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
      second signal ends it at once; what was acknowledged is kept all the same.
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
    var settings = try Settings.resolved(
      data: global.data, config: global.config,
      environment: { EnvironmentVariables.value(of: $0) })
    if let listen {
      guard let address = ListenAddress(listen) else {
        throw CommandFailure.usage(
          "--listen \"\(listen.printable)\": expected \(ListenAddress.expectation)")
      }
      settings.configuration.server.listen = address
    }
    var address = settings.configuration.server.listen
    if let objection = settings.access.objection(to: address) {
      throw CommandFailure.usage(objection)
    }
    Interruption.watch()
    _ = HostMachine.raiseOpenFileLimit()
    let server = Server(
      settings.configuration.server, policy: settings.access, listedErrors: settings.listedErrors,
      around: Self.surroundings(settings),
      threads: min(8, max(1, HostProcess.processorCount())))
    address.port = try await server.listen(host: address.host, port: address.port)
    let url = "http://\(address)"
    var options = StoreOptions()
    options.holder = LockHolder(processID: HostProcess.identifier, serverAddress: url)
    let store = try await StoreAccess.writer(settings, options: options)
    server.serve(
      store.writer, book: store.book, agents: AgentRegistry(await store.writer.sourcePositions))
    let upkeep = Task {
      while (try? await Task.sleep(for: .seconds(3600))) != nil {
        do {
          try await store.applyRetention()
        } catch {
          Console.note(
            "farthing: warning: the retention could not be applied: \("\(error)".printable)")
        }
      }
    }
    Console.note("listening on \(url)")
    await Self.askedToEnd()
    Console.note("farthing: ending; requests at work are answered first")
    upkeep.cancel()
    await server.drain()
    try await store.close()
  }

  /// Returns once SIGTERM or SIGINT came.
  static func askedToEnd() async {
    await withCheckedContinuation { continuation in
      // Blocks, so not on a thread that tasks share.
      DispatchQueue(label: "farthing.signals").async {
        _ = Interruption.wait()
        continuation.resume()
      }
    }
  }

  static func surroundings(_ settings: Settings) -> ServerSurroundings {
    let threads = HostProcess.processorCount()
    let figures = StoredFigures(queryBytes: settings.queryBytes) { HostProcess.monotonic() }
    return ServerSurroundings(
      clock: { HostProcess.now() }, monotonic: { HostProcess.monotonic() },
      pause: { try? await Task.sleep(for: .seconds(1)) },
      receiptText: { Array((ReceiptText.json($0) + "\n").utf8) },
      questions: StoreQuestions(
        queryBytes: settings.queryBytes, threads: threads, clock: { HostProcess.now() }),
      processFigures: {
        ProcessFigures(
          cpuNanoseconds: HostProcess.processorTime(),
          residentBytes: HostMachine.residentBytes() ?? 0, openFiles: nil)
      },
      unitFigures: { figures.figures(of: $0) },
      version: Version.text)
  }
}
