internal import FarthingCore
internal import FarthingPipeline
internal import FarthingStore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// `POST /v1/events` and the other calls that bring events: from a body to its receipt.
final class EventsIntake: Sendable {
  /// A body up to this size is decoded where it arrived: handing it to another thread and back costs
  /// more than decoding it.
  private static let inlineBytes = 16 << 10

  private let decoder: BodyDecoder
  private let committer: Committer
  private let workers: NIOThreadPool
  private let limits: CurrentLimits
  private let bodies: ByteBudget
  private let room: DecodingRoom
  private let metrics: ServerMetrics
  private let gate: Gate
  private let clock: @Sendable () -> Int64
  private let receiptText: @Sendable (IngestReceipt) -> [UInt8]
  private let notice: @Sendable (String) -> Void
  /// All OTLP requests go to one collector, which remembers the spans that it took lately.
  private let spans = Mutex(OTLPCollector())
  /// By name. A collector sees all bodies of its source in the order in which they came.
  private let collectors = Mutex<[String: any EventCollector]>([:])
  /// Bodies that workers bring to collectors which others share: while one is there, no event loop waits
  /// for it.
  private let collecting = Atomic<Int>(0)

  init(
    decoder: BodyDecoder, committer: Committer, workers: NIOThreadPool, limits: CurrentLimits,
    bodies: ByteBudget, room: DecodingRoom, metrics: ServerMetrics, gate: Gate,
    clock: @escaping @Sendable () -> Int64,
    receiptText: @escaping @Sendable (IngestReceipt) -> [UInt8],
    notice: @escaping @Sendable (String) -> Void
  ) {
    self.decoder = decoder
    self.committer = committer
    self.workers = workers
    self.limits = limits
    self.bodies = bodies
    self.room = room
    self.metrics = metrics
    self.gate = gate
    self.clock = clock
    self.receiptText = receiptText
    self.notice = notice
  }

  /// What a body holds, and how its sender is answered once that is stored.
  struct Taken: Sendable {
    var decoded: DecodedBody
    var answer: @Sendable (IngestReceipt) -> Reply
    /// Decodes what follows, once this is stored; nil where this is all, or the last of it.
    var next: (@Sendable () -> Taken)?
  }

  /// An upload on its way.
  private struct Work: Sendable {
    var request: Request
    var reply: ReplyHandle
    var now: Int64
    /// Bytes of the bodies' budget, beyond those that the connection holds.
    var expanded = 0
    /// Bytes of the room for decoded events.
    var room = 0
    /// Of the parts that are stored.
    var accepted = 0
    var duplicates = 0
  }

  /// The contract's own events.
  func events(_ request: Request, _ reply: ReplyHandle) {
    take(request, reply) { [self] body, now, laysOut in
      part(of: OpenBody(body, now: now), laysOut: laysOut)
    }
  }

  private func part(of body: OpenBody, laysOut: Bool) -> Taken {
    let (decoded, hasMore) = body.next(decoder, laysOut: laysOut)
    var taken = Taken(decoded: decoded, answer: receiptReply)
    if hasMore { taken.next = { [self] in part(of: body, laysOut: true) } }
    return taken
  }

  /// Another source's own format, which the path names.
  func collect(_ request: Request, _ reply: ReplyHandle) {
    let name = request.name ?? ""
    guard let format = SourceFormat(rawValue: name) else {
      let names = SourceFormat.allCases.map(\.rawValue)
      return reply.send(
        RequestFault(
          .notFound,
          "\"\(name.prefix(64))\" is no source that is collected here; expected one of "
            + names.joined(separator: ", ")))
    }
    if format == .events { return events(request, reply) }
    let metadata = format.isRawResponse ? ResponseMetadata.text(request.headers) : nil
    take(request, reply, isShared: true) { [self] body, now, laysOut in
      let batch = collectors.withLock { collectors in
        var collector = collectors[name] ?? format.makeCollector(now: now)
        collectors[name] = nil
        let batch = collector.decode(body, CollectionContext(now: now, metadata: metadata))
        collectors[name] = collector
        return batch
      }
      return Taken(
        decoded: decoder.charge(batch, source: name, now: now, laysOut: laysOut),
        answer: receiptReply)
    }
  }

  /// An OTLP request, answered as its specification says.
  func otlp(_ signal: OTLPSignal, _ request: Request, _ reply: ReplyHandle) {
    guard let encoding = Self.encoding(request.contentType) else {
      return reply.send(
        request.reply(
          RequestFault(
            .unsupportedMediaType,
            "Content-Type: expected application/x-protobuf or application/json")))
    }
    collect(signal, encoding, request, reply) { Reply($0.response()) }
  }

  /// The same over gRPC.
  func grpc(_ signal: OTLPSignal, _ request: Request, _ reply: ReplyHandle) {
    var request = request
    do throws(RequestFault) {
      try GRPC.unwrap(&request)
    } catch {
      return reply.send(request.reply(error))
    }
    collect(signal, .protobuf, request, reply) { collected in
      if let failure = collected.failure { return GRPC.reply(.invalidArgument, failure) }
      return GRPC.reply(message: collected.response().body)
    }
  }

  private func collect(
    _ signal: OTLPSignal, _ encoding: OTLPEncoding, _ request: Request, _ reply: ReplyHandle,
    answer: @escaping @Sendable (Collected) -> Reply
  ) {
    take(request, reply, isShared: true) { [self] body, now, laysOut in
      let collected = spans.withLock {
        $0.collect(
          body, signal: signal, encoding: encoding, CollectionContext(now: now))
      }
      var decoded = decoder.charge(
        collected.batch, source: SourceFormat.otlp.rawValue, now: now, laysOut: laysOut)
      if collected.failure != nil { decoded.dropEvents() }
      return Taken(decoded: decoded) { [self] _ in
        spans.withLock { $0.confirm(collected) }
        // The client's developer has it in the answer, which few exporters show anybody.
        for warning in collected.warnings {
          metrics.countWarning(SourceFormat.otlp.rawValue)
          notice("\(signal.path): \(warning)")
        }
        return answer(collected)
      }
    }
  }

  private static func encoding(_ type: MediaType?) -> OTLPEncoding? {
    type.flatMap { OTLPEncoding(contentType: $0.name) }
  }

  /// A fault as `google.rpc.Status`, written as the request was.
  static let otlpFault: @Sendable (RequestFault, MediaType?) -> Reply = { fault, type in
    Reply(
      OTLPResponse.failure(
        status: Int(fault.code.status.code), message: fault.message, encoding(type) ?? .json))
  }

  private typealias Decode = @Sendable (consuming [UInt8], Int64, _ laysOut: Bool) -> Taken

  /// Memory that the events of a body take for each byte of it, before they are known: some 600 bytes for
  /// a line of 250.
  static let expansion = 3

  /// Expands and decodes a body, here or on a worker's thread, and stores what it holds.
  ///
  /// - Parameter isShared: whether `decode` waits for others that use the same collector.
  private func take(
    _ request: Request, _ reply: ReplyHandle, isShared: Bool = false, decode: @escaping Decode
  ) {
    var work = Work(request: request, reply: reply, now: 0)
    guard let compression = compression(of: request) else {
      let waits = isShared && collecting.load(ordering: .relaxed) > 0
      work.room = request.body.count * Self.expansion
      if !waits, request.body.count <= Self.inlineBytes, room.take(work.room) {
        work.now = clock()
        return store(decode(request.body, work.now, false), work)
      }
      return begin(work, isShared: isShared, decode)
    }
    onWorker(work) { [self] work in
      do throws(RequestFault) {
        var work = work
        try expand(&work, compression)
        work.room = work.request.body.count * Self.expansion
        begin(work, isShared: isShared, decode)
      } catch {
        work.reply.send(work.request.reply(error))
      }
    }
  }

  /// Waits for room and decodes on a worker's thread.
  private func begin(_ work: Work, isShared: Bool, _ decode: @escaping Decode) {
    room.take(work.room) { [self] in
      onWorker(work) { [self] work in
        // Its client has gone: nobody was told that anything was taken.
        if work.reply.life.isOver { return end(work) }
        if isShared { collecting.add(1, ordering: .relaxed) }
        defer { if isShared { collecting.subtract(1, ordering: .relaxed) } }
        var work = work
        work.now = clock()
        var body: [UInt8] = []
        swap(&body, &work.request.body)
        store(decode(body, work.now, true), work)
      }
    }
  }

  private func onWorker(_ work: Work, _ body: @escaping @Sendable (Work) -> Void) {
    workers.submit { [self] state in
      guard state == .active else {
        end(work)
        let fault = Committer.fault(StoreError(.closed, "the server is ending"))
        return work.reply.send(work.request.reply(fault))
      }
      body(work)
    }
  }

  /// Gives back what an upload held.
  private func end(_ work: Work) {
    if work.room > 0 { room.giveBack(work.room) }
    if work.expanded > 0 { bodies.giveBack(work.expanded) }
  }

  private func compression(of request: Request) -> StreamCompression? {
    switch request.encoding {
    case .gzip: .gzip
    case .zstd: .zstd
    // A compressed file that was sent as it is.
    case .identity: StreamCompression.detect(request.body.prefix(4))
    }
  }

  /// Puts the plain body in the place of the compressed one.
  private func expand(
    _ work: inout Work, _ compression: StreamCompression
  ) throws(RequestFault) {
    let body = work.request.body
    if body.isEmpty { return }
    let plain = try Self.expand(
      body, compression, limit: limits.current.bodyBytes, bodies, metrics)
    work.expanded = max(0, plain.count - body.count)
    work.request.body = plain
  }

  /// The plain bytes of a body; those beyond its own are taken from the budget.
  ///
  /// - Throws: `overloaded` where the bodies at work have used it up.
  static func expand(
    _ body: [UInt8], _ compression: StreamCompression, limit: Int, _ bodies: ByteBudget,
    _ metrics: ServerMetrics
  ) throws(RequestFault) -> [UInt8] {
    var claimed = 0
    do throws(StoreError) {
      let plain = try BodyExpansion.expand(body, compression, limit: limit) { count in
        guard bodies.take(count) else { return false }
        claimed += count
        return true
      }
      if let plain {
        bodies.giveBack(claimed - max(0, plain.count - body.count))
        return plain
      }
      bodies.giveBack(claimed)
      metrics.countRefusal("bodies_in_flight")
    } catch {
      bodies.giveBack(claimed)
      if error.code == .limitExceeded {
        metrics.countRefusal("body")
        throw RequestFault(
          .payloadTooLarge,
          "the body expands to more than \(limit) bytes, the most that is taken; send it in parts")
      }
      metrics.countRefusal("damaged")
      throw RequestFault(.badRequest, Self.damage(error, compression))
    }
    throw ServerCore.fullOfBodies
  }

  private static func damage(_ error: StoreError, _ compression: StreamCompression) -> String {
    error.code == .invalidArgument
      ? error.message : "the body's \(compression) data is damaged or cut short"
  }

  private func store(_ taken: Taken, _ work: Work) {
    var work = work
    // What waits for the disk holds its events once, not the body that they came in too.
    work.request.body = []
    let decoded = taken.decoded
    if taken.next == nil { metrics.count(decoded.receipt) }
    guard decoded.newest != nil, decoded.eventCount > 0 else { return goOn(taken, work) }
    let footprint = decoded.footprint
    room.change(work.room, to: footprint)
    work.room = footprint
    let upload =
      decoded.prepared.isEmpty
      ? Upload(batches: decoded.batches, receivedTime: work.now)
      : Upload(prepared: decoded.prepared, receivedTime: work.now)
    var rest = taken
    rest.decoded.dropStored()
    do throws(RequestFault) {
      try committer.submit(upload) { [self, work, rest] result in
        var work = work
        switch result {
        case .success(let stored):
          work.accepted += stored.accepted
          work.duplicates += stored.duplicateLines.count
          metrics.count(
            source: rest.decoded.source, accepted: stored.accepted,
            duplicates: stored.duplicateLines.count,
            newest: stored.accepted > 0 ? rest.decoded.newest : nil)
          if let grant = work.request.grant { gate.charge(stored.accepted, to: grant) }
          goOn(rest, work)
        case .failure(let error):
          metrics.countRefusal("storage")
          end(work)
          work.reply.send(work.request.reply(Committer.fault(error)))
        }
      }
    } catch {
      metrics.countRefusal(error.code.rawValue)
      end(work)
      work.reply.send(work.request.reply(error))
    }
  }

  /// Decodes what follows, or answers.
  private func goOn(_ taken: Taken, _ work: Work) {
    if let next = taken.next {
      return onWorker(work) { [self] work in store(next(), work) }
    }
    end(work)
    var receipt = taken.decoded.receipt
    receipt.accepted = work.accepted
    receipt.duplicates = work.duplicates
    work.reply.send(taken.answer(receipt))
  }

  @Sendable private func receiptReply(_ receipt: IngestReceipt) -> Reply {
    let isRefused = receipt.rejected > 0 && receipt.accepted == 0 && receipt.duplicates == 0
    return .json(isRefused ? .badRequest : .ok, receiptText(receipt))
  }
}

extension Reply {
  fileprivate init(_ response: OTLPResponse) {
    self.init(
      status: HTTPResponseStatus(statusCode: response.status),
      contentType: response.contentType, body: response.body)
  }
}
