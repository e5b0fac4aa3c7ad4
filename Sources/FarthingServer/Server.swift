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
//     socket ─ TLS, if set ─ ProtocolSwitch ─┬─ HTTP/1.1 decoder ─ pipelining ─ ConnectionHandler ─┬─ Router
//                                            └─ HTTP/2 ─┬─ stream ─ ConnectionHandler ─────────────┤
//                                                       └─ stream ─ ConnectionHandler ─────────────┘
//                                                                   Router ─┬─ EventsIntake ─ Committer ─ StoreWriter
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
  /// Tells the operator a sentence; what is told is bounded and said once.
  package var notice: @Sendable (String) -> Void
  /// How the budgets stand; empty where that cannot be said.
  package var budgets: @Sendable (StoreSnapshot) -> [BudgetStatus]
  package var version: String

  package init(
    clock: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> Int64,
    pause: @escaping @Sendable () async -> Void,
    receiptText: @escaping @Sendable (IngestReceipt) -> [UInt8], questions: any Questions,
    processFigures: @escaping @Sendable () -> ProcessFigures? = { nil },
    unitFigures: @escaping @Sendable (StoreSnapshot) -> [UnitFigures] = { _ in [] },
    notice: @escaping @Sendable (String) -> Void = { _ in },
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
    self.notice = notice
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
    /// nil at an agent, which prices nothing.
    var prices: PriceIntake?
    /// At an agent: what it keeps.
    var spool: Spool?
    /// nil where none are kept.
    var alerts: AlertCalls?
    /// nil where nothing is watched.
    var monitor: MonitorService?
    /// nil where nothing is isolated.
    var isolations: IsolationCalls?
    var decisions: DecisionCalls?
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
  private let room: DecodingRoom
  private let loops: MultiThreadedEventLoopGroup
  private let workers: NIOThreadPool
  private let queryThreads: NIOThreadPool
  private let startTime: Int64
  private let stage = Mutex(Stage.starting)
  private let listeners = Mutex<[any Channel]>([])

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
    room = DecodingRoom(limit: limits.bodiesInFlightBytes)
    loops = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    workers = NIOThreadPool(numberOfThreads: threads)
    queryThreads = NIOThreadPool(numberOfThreads: limits.queriesAtOnce)
    startTime = around.clock()
    workers.start()
    queryThreads.start()
  }

  // MARK: - Life

  /// Binds an address, one of several where it is called again; until ``serve(_:book:)`` everything but liveness is answered with 503.
  ///
  /// - Returns: the port, which is another one where 0 was asked for.
  /// - Throws: ``StoreError`` with `io` that names the address.
  package func listen(host: String, port: Int) async throws(StoreError) -> Int {
    let router = Router(routes + grpcRoutes)
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
      listeners.withLock { $0.append(channel) }
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
    // Replies say their length or their chunks themselves; one to HEAD may say neither.
    var encoding = HTTPResponseEncoder.Configuration()
    encoding.automaticallySetFramingHeaders = false
    let pipeline = channel.pipeline.syncOperations
    if let security = core.security {
      try pipeline.addHandler(NIOSSLServerHandler(context: security.context))
    }
    try pipeline.addHandler(ProtocolSwitch(core))
    try pipeline.configureHTTPServerPipeline(
      withErrorHandling: false, withOutboundHeaderValidation: true,
      withEncoderConfiguration: encoding, withDecoderLimitConfiguration: decoding)
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
    room.change(limit: settings.limits.bodiesInFlightBytes)
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
  /// - Parameters:
  ///   - agents: what is known of agents that forwarded to this store before.
  ///   - alerts: nil where none are kept.
  ///   - monitor: nil where nothing is watched.
  package func serve(
    _ writer: StoreWriter, book: PriceBook, agents: AgentRegistry = AgentRegistry([]),
    alerts: AlertService? = nil, monitor: MonitorService? = nil,
    isolations: IsolationService? = nil
  ) {
    let (committer, decoder, intake) = intake(
      into: writer, book: book, preparation: writer.preparation)
    let forwards = ForwardIntake(
      sink: CommitterSink(writer, committer), registry: agents, decoder: decoder,
      workers: workers, limits: limits, bodies: bodies, room: room, listedErrors: listedErrors,
      metrics: metrics, gate: gate, clock: around.clock, receiptText: around.receiptText)
    let shelf = SnapshotShelf(
      writer: writer, committer: committer, cache: BlockCache(), monotonic: around.monotonic)
    let prices = CurrentPrices(book)
    let desk = QueryDesk(
      questions: around.questions, shelf: shelf, prices: prices, threads: queryThreads,
      limits: limits, metrics: metrics)
    stage.withLock {
      $0 = .serving(
        Service(
          intake: intake, committer: committer, answers: Answers(desk: desk, shelf: shelf),
          forwards: forwards,
          prices: PriceIntake(
            writer: writer, decoder: decoder, prices: prices, threads: queryThreads,
            limits: limits, clock: around.clock),
          alerts: alerts.map { AlertCalls(service: $0, clock: around.clock) },
          monitor: monitor, isolations: isolations.map { IsolationCalls(service: $0) },
          decisions: isolations.map {
            DecisionCalls(desk: $0.decisions, monotonic: around.monotonic)
          }))
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
      decoder: decoder, committer: committer, workers: workers, limits: limits,
      bodies: bodies, room: room, metrics: metrics, gate: gate, clock: around.clock,
      receiptText: around.receiptText, notice: around.notice)
    return (committer, decoder, intake)
  }

  /// Stops accepting connections, answers what is at work, and ends.
  ///
  /// What is not answered after the configuration's time for it is broken off; nothing of it was
  /// acknowledged. The store is still open afterwards and the caller's to close.
  package func drain() async {
    let listening = listeners.withLock { channels in
      defer { channels = [] }
      return channels
    }
    for channel in listening { try? await channel.close().get() }
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
      Route(method: .GET, pattern: "/v1/report", scope: .read, body: .none) {
        self.ask(.report, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/inventory", scope: .read, body: .none) {
        self.ask(.inventory, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/budgets", scope: .read, body: .none) {
        self.ask(.budgets, $0, $1)
      },
      Route(
        method: .POST, pattern: "/v1/sql", scope: .read,
        body: .taken(types: Route.statementTypes)
      ) {
        self.ask(.sql, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/prices", scope: .read, body: .none) {
        self.ask(.prices, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/prices/show", scope: .read, body: .none) {
        self.ask(.price, $0, $1)
      },
      Route(method: .GET, pattern: "/v1/prices/missing", scope: .read, body: .none) {
        self.ask(.missingPrices, $0, $1)
      },
      Route(
        method: .POST, pattern: "/v1/prices", scope: .act, body: .taken(types: Route.listTypes)
      ) {
        self.with($1) { $0.prices?.take($1, $2) ?? Self.refuseAtAgent($2) }($0)
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
    ] + alertRoutes + isolationRoutes + [
      Route(method: .GET, pattern: "/healthz", scope: nil, body: .none) { _, reply in
        reply.send(.json(.ok, Array("{\"status\":\"alive\"}\n".utf8)))
      },
      Route(method: .GET, pattern: "/readyz", scope: nil, body: .none) { _, reply in
        Task {
          await self.look()
          reply.send(self.readiness)
        }
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

  private var alertRoutes: [Route] {
    let json = Route.Body.taken(types: Route.eventTypes)
    func route(
      _ method: HTTPMethod, _ pattern: String, _ scope: AccessScope, _ body: Route.Body = .none,
      _ handle: @escaping @Sendable (AlertCalls, Request, ReplyHandle) -> Void
    ) -> Route {
      Route(method: method, pattern: pattern, scope: scope, body: body) { request, reply in
        self.with(reply) { service, request, reply in
          guard let alerts = service.alerts else {
            return reply.send(RequestFault(.notFound, "no alerts are kept here"))
          }
          handle(alerts, request, reply)
        }(request)
      }
    }
    return [
      route(.GET, "/v1/alerts", .read) { $0.list($1, $2) },
      route(.GET, "/v1/alerts/{id}", .read) { $0.details($1, $2) },
      route(.POST, "/v1/alerts/{id}/ack", .act, json) { $0.acknowledge($1, $2) },
      route(.GET, "/v1/silences", .read) { $0.silences($1, $2) },
      route(.POST, "/v1/silences", .act, json) { $0.silence($1, $2) },
      route(.DELETE, "/v1/silences/{id}", .act) { $0.endSilence($1, $2) },
      route(.GET, "/v1/deliveries", .read) { $0.receipts($1, $2) },
      route(.POST, "/v1/receivers/{name}/test", .act, json) { $0.test($1, $2) },
    ]
  }

  private var isolationRoutes: [Route] {
    let json = Route.Body.taken(types: Route.eventTypes)
    func route(
      _ method: HTTPMethod, _ pattern: String, _ scope: AccessScope, _ body: Route.Body = .none,
      _ handle: @escaping @Sendable (IsolationCalls, Request, ReplyHandle) -> Void
    ) -> Route {
      Route(method: method, pattern: pattern, scope: scope, body: body) { request, reply in
        self.with(reply) { service, request, reply in
          guard let isolations = service.isolations else { return Self.refuseIsolations(reply) }
          handle(isolations, request, reply)
        }(request)
      }
    }
    func decision(_ method: HTTPMethod) -> Route {
      Route(method: method, pattern: "/v1/decision", scope: .read, body: .none) { request, reply in
        self.with(reply) { service, request, reply in
          guard let decisions = service.decisions else { return Self.refuseIsolations(reply) }
          decisions.decide(request, reply)
        }(request)
      }
    }
    return [
      decision(.GET), decision(.POST),
      route(.GET, "/v1/isolations", .read) { $0.list($1, $2) },
      route(.POST, "/v1/isolations", .act, json) { $0.isolate($1, $2) },
      route(.GET, "/v1/isolations/state", .read) { $0.state($1, $2) },
      route(.GET, "/v1/isolations/verify", .read) { $0.verify($1, $2) },
      route(.POST, "/v1/isolations/off", .act, json) { $0.turn(off: true, $1, $2) },
      route(.POST, "/v1/isolations/on", .act, json) { $0.turn(off: false, $1, $2) },
      route(.GET, "/v1/isolations/{id}", .read) { $0.details($1, $2) },
      route(.POST, "/v1/isolations/{id}/release", .act, json) { $0.release($1, $2) },
      route(.POST, "/v1/isolations/{id}/approve", .act, json) { $0.approve($1, $2) },
      route(.POST, "/v1/isolations/{id}/extend", .act, json) { $0.extend($1, $2) },
    ]
  }

  private static func refuseIsolations(_ reply: ReplyHandle) {
    reply.send(RequestFault(.notFound, "nothing is isolated from here; ask the server"))
  }

  private func otlpRoute(_ signal: OTLPSignal) -> Route {
    Route(
      method: .POST, pattern: signal.path, scope: .ingest, body: .taken(types: Route.otlpTypes),
      fault: EventsIntake.otlpFault
    ) {
      self.with($1) { $0.intake.otlp(signal, $1, $2) }($0)
    }
  }

  /// OTLP's methods of gRPC, which a description of HTTP calls has no words for.
  private var grpcRoutes: [Route] {
    OTLPSignal.allCases.map { signal in
      Route(
        method: .POST, pattern: signal.grpcPath, scope: .ingest, body: .taken(types: GRPC.types),
        isGRPC: true, fault: GRPC.fault
      ) {
        self.with($1) { $0.intake.grpc(signal, $1, $2) }($0)
      }
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

  private func look() async {
    if case .serving(let service) = stage.withLock({ $0 }) { await service.committer.look() }
  }

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
      await serving.committer.look()
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
      decoding: room.figures,
      waitingUploads: service?.committer.waitingCount ?? 0,
      openQueries: service?.answers?.desk.open.load(ordering: .relaxed) ?? 0,
      agents: service?.forwards?.registry.all, spool: await service?.spool?.survey, units: units,
      alerts: await service?.alerts?.service.desk.figures,
      monitor: service?.monitor?.desk.figures,
      isolations: await service?.isolations?.service.desk.figures,
      decisions: service?.isolations?.service.decisions,
      budgets: budgets)
    return .text(.ok, page.text, type: MetricsText.contentType)
  }
}
