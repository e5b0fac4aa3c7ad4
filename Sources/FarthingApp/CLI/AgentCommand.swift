package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingServer
internal import FarthingStore

/// `farthing agent`: takes events at a site, keeps them, and forwards them to a server.
package struct AgentCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "agent",
    abstract: "Take events at a site, keep them on disk, and forward them to a server.",
    discussion: """
      farthing agent --server https://farthing.example.com --spool /var/spool/farthing
      farthing agent --server http://10.0.0.1:7878 --name ber1 /var/log/app/calls.ndjson

      Listens as farthing serve does and follows files as farthing ingest --follow does. What it has \
      acknowledged is on its disk and reaches the server once, in order, however often either of them \
      dies or the network is gone. While the spool is full, clients are told to come again and files \
      wait; nothing is dropped. See docs/agent.md.

      SIGTERM and SIGINT end it in good order: requests at work are answered, and what waits is \
      forwarded for up to ten seconds. What is left goes with the next start. SIGHUP makes the side that \
      listens read callers, limits and its certificate again.
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(
    help: ArgumentHelp("Files to follow, or patterns of them.", valueName: "file"),
    completion: .file())
  package var files: [String] = []
  @Option(
    help: ArgumentHelp(
      "Address to listen on; port 0 picks one and prints it; none: only follow files.",
      valueName: "host:port"))
  package var listen: String?
  @Option(
    help: ArgumentHelp("Folder of the spool. Default: spool in the store's.", valueName: "dir"),
    completion: .directory)
  package var spool: String?
  @Option(
    help: ArgumentHelp("Most MiB of the spool. Default: 1024.", valueName: "mib"))
  package var spoolLimit: Int?
  @Option(
    help: ArgumentHelp(
      "What the server calls this agent. Default: the host's name.", valueName: "name"))
  package var name: String?
  @Option(
    help: ArgumentHelp("The site of requests that name none.", valueName: "site"))
  package var site: String?
  @Option(
    help: ArgumentHelp("Of the followed files: events or litellm.", valueName: "format"))
  package var format: String = "events"
  @Option(
    help: ArgumentHelp(
      "For the followed files: which path of a record fills which field; see docs/mappings.md.",
      valueName: "file"))
  package var mapping: String?

  package init() {}

  package mutating func run() async throws {
    let plan = try plan()
    Interruption.watch()
    Interruption.watchReload()
    _ = HostMachine.raiseOpenFileLimit()
    let spool = try Spool(
      directory: plan.folder, options: plan.spool,
      random: UInt64.random(in: 1...UInt64(Int64.max)))
    let bell = Doorbell()
    let note: @Sendable (String) -> Void = { Console.note("farthing: \($0.printable)") }
    let sink = SpoolSink(spool, site: plan.site, bell: bell)
    var listening: ListeningServer?
    if let address = plan.listen {
      let server = try await ListeningServer(
        plan.settings, at: address, scope: Self.reloadScope,
        around: ServeCommand.surroundings(plan.settings))
      server.server.serve(spool, uploads: SpoolUploads(sink, note: note))
      Console.note("listening on \(server.url)")
      listening = server
    }
    let caller = try ServerCaller(
      url: plan.server, token: plan.token, authorityFile: plan.authorityFile)
    let forwarder = Forwarder(
      spool: spool, transport: HTTPForwardTransport(caller), name: plan.name,
      version: Version.text, options: plan.forwarding, bell: bell,
      around: Forwarder.Surroundings(
        clock: { HostProcess.now() },
        sleep: { try? await Task.sleep(for: .nanoseconds($0)) },
        random: { Double.random(in: 0..<1) }, note: note))
    let forwarding = Task { await forwarder.run() }
    let following = plan.words.isEmpty ? nil : Task { await plan.follow(sink, note) }
    note("forwarding to \(plan.server) as \(plan.name); spool \(plan.folder)")
    if let listening {
      await DaemonSignals.reload(listening, until: DaemonSignals.reloads(), by: resolution)
    } else {
      for await _ in DaemonSignals.reloads() {
        note("the configuration is read again by a restart only, since nothing is listened to")
      }
    }
    note("ending; what waits is forwarded for up to ten seconds")
    await listening?.server.drain()
    await following?.value
    await Self.end(forwarder, forwarding, bell)
    await caller.close()
    try await spool.close()
    let left = await spool.survey.waitingEvents
    note(
      left == 0
        ? "everything is forwarded" : "\(left) events wait in \(plan.folder) for the next start")
  }

  /// Lets the forwarder send what waits, for a bounded time.
  private static func end(_ forwarder: Forwarder, _ forwarding: Task<Void, Never>, _ bell: Doorbell)
    async
  {
    await forwarder.finish(by: HostProcess.now() + drainNanoseconds)
    let patience = Task {
      try? await Task.sleep(for: .nanoseconds(drainNanoseconds))
      forwarding.cancel()
      bell.ring()
    }
    await forwarding.value
    patience.cancel()
  }

  private static let drainNanoseconds: Int64 = 10_000_000_000

  /// The side that forwards takes its settings when the agent starts; a token it reads for each call.
  private static let reloadScope = ConfigurationReload.Scope(
    live: ["server", "access"],
    fixed: ["data", "agent", "listed_errors", "event_limit_mib"])
}

/// What an agent is to do: options over the environment over the configuration.
struct AgentPlan: Sendable {
  var settings: Settings
  var server: String
  var token: @Sendable () -> String?
  var authorityFile: String?
  var name: String
  var site: String?
  var folder: String
  var spool = SpoolOptions()
  var forwarding = ForwardingOptions()
  /// nil to listen nowhere.
  var listen: ListenAddress?
  /// Files to follow.
  var words: [String]
  var following = Following.Options()

  /// Follows files into the spool until the end is asked for.
  func follow(_ sink: SpoolSink, _ note: @escaping @Sendable (String) -> Void) async {
    let around = Following.Surroundings(
      clock: { HostProcess.now() }, pause: { try? await Task.sleep(for: .milliseconds(200)) },
      isStopping: { Interruption.signal != nil }, note: note)
    while Interruption.signal == nil {
      // What the spool has of the files tells a new run where to go on.
      var run = Following(words, options: following, book: .empty, sink: sink, around: around)
      do {
        let receipt = try await run.run()
        for line in ReceiptText.notes(receipt, singleInput: nil) { note(line) }
        return
      } catch {
        note("files cannot be followed: \(error); trying again")
        try? await Task.sleep(for: .seconds(5))
      }
    }
  }
}

extension AgentCommand {
  /// Says what the options, the environment and the file say when it is called.
  private var resolution: @Sendable () throws(CommandFailure) -> Settings {
    { [data = global.data, config = global.config] () throws(CommandFailure) in
      try Settings.resolved(
        data: data, config: config, environment: { EnvironmentVariables.value(of: $0) })
    }
  }

  /// - Throws: usage, where no server is named or a word makes no sense.
  private func plan() throws -> AgentPlan {
    let settings = try resolution()
    let agent = settings.agent
    let server =
      global.server ?? EnvironmentVariables.value(of: "FARTHING_SERVER")
      ?? agent.server?.description
    guard let server else {
      throw CommandFailure.usage(
        "name the server to forward to: --server URL, FARTHING_SERVER, or agent.server of the "
          + "configuration")
    }
    guard let url = ServerURL(server) else {
      throw CommandFailure.usage(
        "--server \"\(server.printable)\": expected \(ServerURL.expectation)")
    }
    var plan = AgentPlan(
      settings: settings, server: url.description, token: try global.bearer(agent.tokenFile).read,
      authorityFile: global.ca ?? agent.authorityFile, name: try agentName(),
      site: site ?? agent.site,
      folder: spool ?? agent.spool.folder ?? settings.dataFolder + "/spool",
      words: files.isEmpty ? agent.follow : files)
    plan.spool.emptySection = ForwardSection.empty
    plan.spool.capacity = agent.spool.limitBytes
    if let spoolLimit {
      guard (16...1_000_000).contains(spoolLimit) else {
        throw CommandFailure.usage("--spool-limit \(spoolLimit): expected 16 to 1000000 MiB")
      }
      plan.spool.capacity = spoolLimit << 20
    }
    plan.forwarding.events = agent.batch.events
    plan.forwarding.textBytes = agent.batch.bytes
    plan.forwarding.linger = agent.batch.wait.nanoseconds
    plan.forwarding.longestRetry = agent.longestRetry.nanoseconds
    plan.listen = try listenAddress(agent)
    plan.following.eventBytes = settings.eventBytes
    plan.following.listedErrors = settings.listedErrors
    plan.following.mapping = try mapping.map { (path) throws(CommandFailure) in
      try MappingOption.mapping(path)
    }
    guard let known = SourceFormat(rawValue: format), [.events, .litellm].contains(known) else {
      throw CommandFailure.usage(
        "--format \"\(format.printable)\": files are followed line by line; expected events or litellm"
      )
    }
    plan.following.format = known
    if plan.listen == nil, plan.words.isEmpty {
      throw CommandFailure.usage("--listen none leaves nothing to do: name files to follow")
    }
    return plan
  }

  private func listenAddress(
    _ agent: AgentSettings
  ) throws -> ListenAddress? {
    guard let listen else { return agent.listen }
    if listen == "none" { return nil }
    guard let address = ListenAddress(listen) else {
      throw CommandFailure.usage(
        "--listen \"\(listen.printable)\": expected \(ListenAddress.expectation), or none")
    }
    return address
  }

  private func agentName() throws -> String {
    if let name {
      guard !name.isEmpty, name.utf8.count <= ForwardHead.nameBytes,
        !name.unicodeScalars.contains(where: EventLimits.forbids)
      else {
        throw CommandFailure.usage(
          "--name: expected 1 to \(ForwardHead.nameBytes) bytes without control characters")
      }
      return name
    }
    let file = (try? WholeInput.bytes(of: "/etc/hostname", limit: 1 << 12)) ?? []
    let host = String(decoding: file, as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).first.map(String.init)
    return host ?? EnvironmentVariables.value(of: "HOSTNAME") ?? "agent"
  }

  /// `FARTHING_TOKEN`, else the file, which is read anew for each call.
  static func token(_ file: String?) throws -> @Sendable () -> String? {
    if let token = EnvironmentVariables.value(of: "FARTHING_TOKEN") { return { token } }
    guard let file else { return { nil } }
    _ = try WholeInput.bytes(of: file, limit: 1 << 16)
    return {
      guard let bytes = try? WholeInput.bytes(of: file, limit: 1 << 16) else { return nil }
      return String(decoding: bytes, as: UTF8.self)
        .split(whereSeparator: \.isWhitespace).first.map(String.init)
    }
  }
}

extension Duration {
  /// Whole nanoseconds; the greatest there are where it is longer than that.
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let whole = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return whole.overflow ? .max : whole.partialValue &+ attoseconds / 1_000_000_000
  }
}
