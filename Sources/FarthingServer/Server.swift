package import FarthingCore
package import FarthingPipeline
package import FarthingStore
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

// The daemon's HTTP side.
//
//     socket ─ TLS, if set ─ HTTP/1.1 decoder ─ pipelining ─ ConnectionHandler ─ Router ─┬─ EventsIntake ─ Committer ─ StoreWriter
//                                                                          ├─ QueryDesk ─ SnapshotShelf ─ StoreSnapshot
//                                                                          └─ health, metrics, description
//
// Event loops read, write and keep the limits; decoding of large bodies, questions, and the store's
// own work happen on threads of their own. An upload is answered when its events are durable.

/// What the server needs from the process that runs it.
package struct ServerSurroundings: Sendable {
  /// Unix nanoseconds.
  package var clock: @Sendable () -> Int64
  /// Nanoseconds that only grow.
  package var monotonic: @Sendable () -> Int64
  /// Waits between two attempts of something that failed; about a second.
  package var pause: @Sendable () async -> Void
  /// Receipts as the command line writes them.
  package var receiptText: @Sendable (IngestReceipt) -> [UInt8]
  package var questions: any Questions
  /// nil where the machine does not say.
  package var processFigures: @Sendable () -> ProcessFigures?
  /// The unit metrics of a snapshot, by model; throws nothing, empty where they cannot be computed.
  package var unitFigures: @Sendable (StoreSnapshot) -> [UnitFigures]
  /// How the budgets stand; empty where that cannot be said.
  package var budgets: @Sendable (StoreSnapshot) -> [BudgetStatus]
  package var version: String

  package init(
    clock: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> Int64,
    pause: @escaping @Sendable () async -> Void,
    receiptText: @escaping @Sendable (IngestReceipt) -> [UInt8], questions: any Questions,
    processFigures: @escaping @Sendable () -> ProcessFigures? = { nil },
    unitFigures: @escaping @Sendable (StoreSnapshot) -> [UnitFigures] = { _ in [] },
    budgets: @escaping @Sendable (StoreSnapshot) -> [BudgetStatus] = { _ in [] },
    version: String
  ) {
    self.clock = clock
    self.monotonic = monotonic
    self.pause = pause
    self.receiptText = receiptText
    self.questions = questions
    self.processFigures = processFigures
    self.unitFigures = unitFigures
    self.budgets = budgets
    self.version = version
  }
}

/// Listens, and serves one store once it is handed over.
package final class Server: Sendable {
  /// What is there once the store is open.
  private struct Service: Sendable {
    var intake: EventsIntake
    var committer: Committer
    /// nil at an agent, which has no store to ask.
    var answers: Answers?
    /// nil at an agent, which other agents do not forward to.
    var forwards: ForwardIntake?
    /// At an agent: what it keeps.
    var spool: Spool?
  }

  private struct Answers: Sendable {
    var desk: QueryDesk
    var shelf: SnapshotShelf
  }

  private enum Stage: Sendable {
    case starting
    case serving(Service)
    case draining
  }

  private let limits: CurrentLimits
  private let drainTimeout: Mutex<Duration>
  private let security: Mutex<TransportSecurity?>
  private let gate: Gate
  private let listedErrors: Int
  private let around: ServerSurroundings
  private let metrics = ServerMetrics()
  private let connections: Connections
  private let bodies: ByteBudget
  private let loops: MultiThreadedEventLoopGroup
  private let workers: NIOThreadPool
  private let queryThreads: NIOThreadPool
  private let startTime: Int64
  private let stage = Mutex(Stage.starting)
  private let listener = Mutex<(any Channel)?>(nil)

  /// - Parameters:
  ///   - settings: of the configuration; its address is said with ``listen(host:port:)``.
  ///   - security: what it proves itself by in TLS; nil for plain HTTP.
  ///   - listedErrors: most refusals that a receipt lists.
  ///   - threads: event loops, and as many workers that decode.
  package init(
    _ settings: ServerSettings, policy: AccessPolicy, security: TransportSecurity? = nil,
    listedErrors: Int, around: ServerSurroundings, threads: Int
  ) {
    let limits = settings.limits
    self.limits = CurrentLimits(limits)
    drainTimeout = Mutex(settings.drainTimeout)
    self.security = Mutex(security)
    self.listedErrors = listedErrors
    gate = Gate(policy, clock: around.clock, monotonic: around.monotonic)
    self.around = around
    connections = Connections(limit: limits.connections)
    bodies = ByteBudget(limit: limits.bodiesInFlightBytes)
    loops = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    workers = NIOThreadPool(numberOfThreads: threads)
    queryThreads = NIOThreadPool(numberOfThreads: limits.queriesAtOnce)
    startTime = around.clock()
    workers.start()
    queryThreads.start()
  }

  // MARK: - Life

  /// Binds the address; until ``serve(_:book:)`` everything but liveness is answered with 503.
  ///
  /// - Returns: the port, which is another one where 0 was asked for.
  /// - Throws: ``StoreError`` with `io` that names the address.
  package func listen(host: String, port: Int) async throws(StoreError) -> Int {
    let router = Router(routes)
    let bootstrap = ServerBootstrap(group: loops)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        guard self.connections.hasRoom() else { return channel.close() }
        let core = self.core(router)
        return channel.eventLoop.makeCompletedFuture { try Self.equip(channel, core) }
      }
    do {
      let channel = try await bootstrap.bind(host: host, port: port).get()
      listener.withLock { $0 = channel }
      return channel.localAddress?.port ?? port
    } catch {
      throw StoreError(.io, "cannot listen on \(host):\(port)", cause: "\(error)")
    }
  }

  /// What a connection that is opened now goes by.
  private func core(_ router: Router) -> ServerCore {
    ServerCore(
      limits: limits.current, security: security.withLock { $0 }, router: router, gate: gate,
      metrics: metrics, connections: connections, bodies: bodies)
  }

  private static func equip(_ channel: any Channel, _ core: ServerCore) throws {
    let limits = core.limits
    var decoding = NIOHTTPDecoderLimitConfiguration()
    decoding.maxHeaderFieldSize = max(limits.headerBytes, limits.targetBytes)
    decoding.maxHeaderListSize = limits.headerBytes
    decoding.maxHeaderFieldCount = limits.headers
    let pipeline = channel.pipeline.syncOperations
    if let security = core.security {
      try pipeline.addHandler(NIOSSLServerHandler(context: security.context))
    }
    try pipeline.configureHTTPServerPipeline(
      withErrorHandling: false, withOutboundHeaderValidation: true,
      withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoding)
    try pipeline.addHandler(ConnectionHandler(core))
  }

  /// Goes on by other settings: callers, and limits for connections that are opened from now on.
  ///
  /// The address, whether TLS is spoken and `queriesAtOnce` stay as they were.
  package func reload(_ settings: ServerSettings, policy: AccessPolicy) {
    gate.replace(policy)
    limits.replace(settings.limits)
    connections.change(limit: settings.limits.connections)
    bodies.change(limit: settings.limits.bodiesInFlightBytes)
    drainTimeout.withLock { $0 = settings.drainTimeout }
  }

  /// Goes on with another certificate. Connections that are open keep theirs; a server that speaks
  /// plain HTTP goes on speaking it.
  package func replace(_ security: TransportSecurity) {
    self.security.withLock { if $0 != nil { $0 = security } }
  }

  /// Begins to take events and questions.
  ///
  /// - Parameter book: what requests are priced by.
  /// - Parameter agents: what is known of agents that forwarded to this store before.
  package func serve(
    _ writer: StoreWriter, book: PriceBook, agents: AgentRegistry = AgentRegistry([])
  ) {
    let (committer, decoder, intake) = intake(
      into: writer, book: book, preparation: writer.preparation)
    let forwards = ForwardIntake(
      sink: CommitterSink(writer, committer), registry: agents, decoder: decoder,
      workers: workers, limits: limits, listedErrors: listedErrors, metrics: metrics, gate: gate,
      clock: around.clock, receiptText: around.receiptText)
    let shelf = SnapshotShelf(
      writer: writer, committer: committer, cache: BlockCache(), monotonic: around.monotonic)
    let desk = QueryDesk(
      questions: around.questions, shelf: shelf, threads: queryThreads, limits: limits,
      metrics: metrics)
    stage.withLock {
      $0 = .serving(
        Service(
          intake: intake, committer: committer, answers: Answers(desk: desk, shelf: shelf),
          forwards: forwards))
    }
  }

  /// Begins to take events into an agent's spool. Questions are not answered then.
  package func serve(_ spool: Spool, uploads: SpoolUploads) {
    let (committer, _, intake) = intake(into: uploads, book: .empty)
    stage.withLock {
      $0 = .serving(Service(intake: intake, committer: committer, spool: spool))
    }
  }

  private func intake(
    into store: any UploadStore, book: PriceBook, preparation: BatchPreparation? = nil
  ) -> (Committer, BodyDecoder, EventsIntake) {
    let committer = Committer(
      store: store, limits: limits, metrics: metrics,
      monotonic: around.monotonic, pause: around.pause)
    let decoder = BodyDecoder(
      book: book, preparation: preparation, listedErrors: listedErrors, now: around.clock())
    let intake = EventsIntake(
      decoder: decoder, committer: committer, workers: workers, limits: limits, metrics: metrics,
      gate: gate, clock: around.clock, receiptText: around.receiptText)
    return (committer, decoder, intake)
  }

  /// Stops accepting connections, answers what is at work, and ends.
  ///
  /// What is not answered after the configuration's time for it is broken off; nothing of it was
  /// acknowledged. The store is still open afterwards and the caller's to close.
  package func drain() async {
    let listening = listener.withLock { channel in
      defer { channel = nil }
      return channel
    }
    try? await listening?.close().get()
    let loop = loops.next()
    let ended = loop.makePromise(of: Void.self)
    let patience = loop.scheduleTask(in: TimeAmount(drainTimeout.withLock { $0 })) {
      [connections] in
      connections.closeAll()
      ended.succeed(())
    }
    // A promise may be kept twice: the second time means nothing.
    connections.drain { ended.succeed(()) }
    try? await ended.futureResult.get()
    patience.cancel()
    stage.withLock { $0 = .draining }
    try? await workers.shutdownGracefully()
    try? await queryThreads.shutdownGracefully()
    try? await loops.shutdownGracefully()
  }

  // MARK: - Calls

  var routes: [Route] {
    let events = Route.Body.taken(types: Route.eventTypes)
    return OTLPSignal.allCases.map(otlpRoute) + [
      Route(method: .POST, pattern: "/v1/events", scope: .ingest, body: events) {
        self.with($1) { $0.intake.events($1, $2) }($0)
      },
      Route(method: .POST, pattern: "/v1/collect/{name}", scope: .ingest, body: events) {
        self.with($1) { $0.intake.collect($1, $2) }($0)
      },
      Route(method: .GET, pattern: "/v1/events", scope: .read, body: .none) {
        self.ask(.events, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/query", scope: .read, body: .none) {
        self.ask(.query, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/explain", scope: .read, body: .none) {
        self.ask(.explain, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/budgets", scope: .read, body: .none) {
        self.ask(.budgets, $0, $1)
      },
      Route(
        method: .POST, pattern: "/v1/forward", scope: .ingest,
        body: .taken(types: Route.sectionTypes)
      ) {
        self.with($1) { $0.forwards?.forward($1, $2) ?? Self.refuseAtAgent($2) }($0)
      },
      Route(method: .GET, pattern: "/v1/agents", scope: .read, body: .none) {
        self.with($1) { $0.forwards?.agents($1, $2) ?? Self.refuseAtAgent($2) }($0)
      },
      Route(method: .GET, pattern: "/healthz", scope: nil, body: .none) { _, reply in
        reply.send(.json(.ok, Array("{\"status\":\"alive\"}\n".utf8)))
      },
      Route(method: .GET, pattern: "/readyz", scope: nil, body: .none) { _, reply in
        reply.send(self.readiness)
      },
      Route(method: .GET, pattern: "/metrics", scope: .read, body: .none) { _, reply in
        Task { reply.send(await self.metricsReply()) }
      },
      Route(method: .GET, pattern: "/openapi.yaml", scope: nil, body: .none) { _, reply in
        reply.send(.text(.ok, OpenAPIDescription.yaml, type: "application/yaml"))
      },
    ]
  }

  private func ask(_ kind: QuestionKind, _ request: Request, _ reply: ReplyHandle) {
    with(reply) { $0.answers?.desk.ask(kind, $1, $2) ?? Self.refuseAtAgent($2) }(request)
  }

  private static func refuseAtAgent(_ reply: ReplyHandle) {
    reply.send(
      RequestFault(
        .notFound, "this is an agent, which holds no store; ask the server that it forwards to"))
  }

  private func otlpRoute(_ signal: OTLPSignal) -> Route {
    Route(
      method: .POST, pattern: signal.path, scope: .ingest, body: .taken(types: Route.otlpTypes),
      fault: EventsIntake.otlpFault
    ) {
      self.with($1) { $0.intake.otlp(signal, $1, $2) }($0)
    }
  }

  /// Hands a request to the service, or says why there is none.
  private func with(
    _ reply: ReplyHandle, _ body: @escaping (Service, Request, ReplyHandle) -> Void
  ) -> (Request) -> Void {
    { request in
      switch self.stage.withLock({ $0 }) {
      case .serving(let service): body(service, request, reply)
      case .starting: reply.send(request.reply(Self.opening))
      case .draining: reply.send(request.reply(Self.ending))
      }
    }
  }

  private static let opening = RequestFault(
    .unavailable, "the store is being opened", retryAfter: 1)
  private static let ending = RequestFault(.unavailable, "the server is ending", retryAfter: 1)

  /// Whether events are taken: the store is open and recovered, and the log can be written.
  private var readiness: Reply {
    switch stage.withLock({ $0 }) {
    case .starting: Self.opening.reply
    case .draining: Self.ending.reply
    case .serving(let service):
      if let outage = service.committer.outage {
        Committer.fault(outage).reply
      } else {
        .json(.ok, Array("{\"status\":\"ready\"}\n".utf8))
      }
    }
  }

  private func metricsReply() async -> Reply {
    var units: [UnitFigures] = []
    var budgets: [BudgetStatus] = []
    var service: Service?
    if case .serving(let serving) = stage.withLock({ $0 }) {
      service = serving
      if let snapshot = try? await serving.answers?.shelf.current() {
        units = around.unitFigures(snapshot)
        budgets = around.budgets(snapshot)
      }
    }
    let page = MetricsPage(
      state: metrics.current, version: around.version, startTime: startTime, now: around.clock(),
      isReady: readiness.status == .ok, process: around.processFigures(),
      connections: (
        connections.count, connections.opened.load(ordering: .relaxed),
        connections.refused.load(ordering: .relaxed)
      ), access: gate.counts,
      certificateExpiry: security.withLock { $0?.expires }, bodiesHeld: bodies.held,
      waitingUploads: service?.committer.waitingCount ?? 0,
      openQueries: service?.answers?.desk.open.load(ordering: .relaxed) ?? 0,
      agents: service?.forwards?.registry.all, spool: await service?.spool?.survey, units: units,
      budgets: budgets)
    return .text(.ok, page.text, type: MetricsText.contentType)
  }
}
