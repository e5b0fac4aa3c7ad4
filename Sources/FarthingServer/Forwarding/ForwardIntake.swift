internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore
internal import NIOHTTP1
internal import NIOPosix

/// `POST /v1/forward` and `GET /v1/agents`: what agents at sites bring, and how they stand.
final class ForwardIntake: Sendable {
  /// Batches that are worked on at once: each may be of ten thousand events, and more would only wait
  /// for each other at the log.
  static let batchesAtOnce = 8

  private let receiver: ForwardReceiver
  let registry: AgentRegistry
  private let decoder: BodyDecoder
  private let workers: NIOThreadPool
  private let limits: CurrentLimits
  private let bodies: ByteBudget
  private let room: DecodingRoom
  private let listedErrors: Int
  private let gate: Gate
  private let metrics: ServerMetrics
  private let clock: @Sendable () -> Int64
  private let receiptText: @Sendable (IngestReceipt) -> [UInt8]

  init(
    sink: CommitterSink, registry: AgentRegistry, decoder: BodyDecoder, workers: NIOThreadPool,
    limits: CurrentLimits, bodies: ByteBudget, room: DecodingRoom, listedErrors: Int,
    metrics: ServerMetrics, gate: Gate,
    clock: @escaping @Sendable () -> Int64,
    receiptText: @escaping @Sendable (IngestReceipt) -> [UInt8]
  ) {
    receiver = ForwardReceiver(sink: sink, registry: registry, limit: Self.batchesAtOnce)
    self.registry = registry
    self.decoder = decoder
    self.workers = workers
    self.limits = limits
    self.bodies = bodies
    self.room = room
    self.listedErrors = listedErrors
    self.gate = gate
    self.metrics = metrics
    self.clock = clock
    self.receiptText = receiptText
  }

  func forward(_ request: Request, _ reply: ReplyHandle) {
    let head: ForwardHead
    switch ForwardHead.read({ request.headers.first(name: $0) }) {
    case .success(let read): head = read
    case .failure(let fault):
      return reply.send(
        RequestFault(
          .badRequest,
          "\(fault.field): missing or malformed; agents and servers of one version belong together")
      )
    }
    Task { [self] in
      let random = Double.random(in: 0..<1)
      if let seconds = await receiver.begin(head, now: clock(), random: random) {
        metrics.countRefusal("agents")
        return reply.send(
          RequestFault(.overloaded, "many agents forward at once", retryAfter: seconds))
      }
      onWorker(Call(head: head, reply: reply, grant: request.grant)) { [self] call in
        expand(request, call)
      }
    }
  }

  /// A call that was begun.
  private struct Call: Sendable {
    var head: ForwardHead
    var reply: ReplyHandle
    var grant: AccessGrant?
    /// Bytes of the bodies' budget, beyond those that the connection holds.
    var expanded = 0
    /// Bytes of the room for decoded events.
    var room = 0
  }

  private func onWorker(_ call: Call, _ body: @escaping @Sendable (Call) -> Void) {
    workers.submit { [self] state in
      guard state == .active else {
        return end(call, Committer.fault(StoreError(.closed, "the server is ending")))
      }
      body(call)
    }
  }

  private func giveBack(_ call: Call) {
    if call.room > 0 { room.giveBack(call.room) }
    if call.expanded > 0 { bodies.giveBack(call.expanded) }
  }

  private func end(_ call: Call, _ fault: RequestFault) {
    giveBack(call)
    Task { await receiver.giveUp(call.head) }
    call.reply.send(fault)
  }

  private func expand(_ request: Request, _ call: Call) {
    var call = call
    var text: [UInt8] = []
    if call.head.records > 0 {
      text = request.body
      if let compression = StreamCompression.detect(text.prefix(4)) {
        do throws(RequestFault) {
          // What came damaged may be whole at the agent.
          text = try EventsIntake.expand(
            request.body, compression, limit: limits.current.bodyBytes, bodies, metrics)
        } catch {
          return end(call, error)
        }
        call.expanded = max(0, text.count - request.body.count)
      }
    }
    call.room = text.count * EventsIntake.expansion
    room.take(call.room) { [self, call, text] in
      onWorker(call) { [self] call in decode(text, call) }
    }
  }

  private func decode(_ text: [UInt8], _ call: Call) {
    var call = call
    let now = clock()
    let forward = DecodedForward(text, call.head, listedErrors: listedErrors, now: now) {
      decoder.price($0, source: $1, now: now)
    }
    guard let forward else {
      var fault = RequestFault(
        .badRequest, "the batch is not made of \(call.head.records) sections of events")
      fault.headers = [(ForwardHead.refusedField, "batch")]
      return end(call, fault)
    }
    room.change(call.room, to: forward.footprint)
    call.room = forward.footprint
    Task { [call] in
      await store(forward, now, call.grant, call.reply)
      giveBack(call)
    }
  }

  private func store(
    _ forward: DecodedForward, _ now: Int64, _ grant: AccessGrant?, _ reply: ReplyHandle
  ) async {
    let result = await receiver.store(forward, now: now)
    switch result {
    case .stored(let through, let receipt):
      metrics.count(receipt)
      if let grant { gate.charge(receipt.accepted, to: grant) }
      let sources = forward.sources
      let isOne = Set(sources.map(\.source)).count == 1
      metrics.count(
        source: isOne ? sources[0].source : "agents", accepted: receipt.accepted,
        duplicates: receipt.duplicates,
        newest: receipt.accepted > 0 ? sources.compactMap(\.newest).max() : nil)
      var answer = Reply.json(.ok, receiptText(receipt))
      answer.headers.append((ForwardHead.storedField, "\(through)"))
      if receipt.rejected > 0 {
        answer.headers.append((ForwardHead.rejectedField, "\(receipt.rejected)"))
      }
      reply.send(answer)
    case .gap(let stored):
      var fault = RequestFault(
        .conflict,
        "records from \(stored + 1) on are expected; the batch begins with "
          + "\(forward.head.first)")
      fault.headers = [(ForwardHead.storedField, "\(stored)")]
      reply.send(fault)
    case .busy(let seconds):
      reply.send(RequestFault(.overloaded, "many agents forward at once", retryAfter: seconds))
    case .failed(let error):
      metrics.countRefusal("storage")
      reply.send(Committer.fault(error))
    }
  }

  /// `{"agents":[…]}`.
  func agents(_ request: Request, _ reply: ReplyHandle) {
    reply.send(.json(.ok, AgentsText.json(registry.all, now: clock())))
  }
}

/// The committer as the place where forwarded events go: they share its groups and its outages.
final class CommitterSink: ForwardSink {
  private let writer: StoreWriter
  private let committer: Committer

  init(_ writer: StoreWriter, _ committer: Committer) {
    self.writer = writer
    self.committer = committer
  }

  func position(of source: String) async -> SourcePosition? {
    await writer.sourcePosition(of: source)
  }

  func append(
    _ batches: [(batch: ChargedBatch, progress: SourceProgress)], receivedTime: Int64
  ) async -> Result<AppendCount, StoreError> {
    let upload = Upload(
      batches: batches.map(\.batch), receivedTime: receivedTime, progress: batches.map(\.progress))
    let result: Result<AppendResult, StoreError> = await withCheckedContinuation { continuation in
      do throws(RequestFault) {
        try committer.submit(upload) { continuation.resume(returning: $0) }
      } catch {
        continuation.resume(
          returning: .failure(
            StoreError(error.code == .storageFull ? .diskFull : .io, error.message)))
      }
    }
    return result.map {
      AppendCount(accepted: $0.accepted, duplicates: $0.duplicateLines.count)
    }
  }
}
