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
    metrics: ServerMetrics, gate: Gate, clock: @escaping @Sendable () -> Int64,
    receiptText: @escaping @Sendable (IngestReceipt) -> [UInt8],
    notice: @escaping @Sendable (String) -> Void
  ) {
    self.decoder = decoder
    self.committer = committer
    self.workers = workers
    self.limits = limits
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
  }

  /// The contract's own events.
  func events(_ request: Request, _ reply: ReplyHandle) {
    take(request, reply) { [self] body, now, laysOut in
      Taken(decoded: decoder.decode(body, now: now, laysOut: laysOut), answer: receiptReply)
    }
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

  /// Expands and decodes a body, here or on a worker's thread, and stores what it holds.
  ///
  /// - Parameter isShared: whether `decode` waits for others that use the same collector.
  private func take(
    _ request: Request, _ reply: ReplyHandle, isShared: Bool = false,
    decode: @escaping @Sendable (consuming [UInt8], Int64, _ laysOut: Bool) -> Taken
  ) {
    let compression = compression(of: request)
    let waits = isShared && collecting.load(ordering: .relaxed) > 0
    if compression == nil, !waits, request.body.count <= Self.inlineBytes {
      let now = clock()
      return store(decode(request.body, now, false), now, request, reply)
    }
    workers.submit { [self] state in
      guard state == .active else {
        return reply.send(
          request.reply(Committer.fault(StoreError(.closed, "the server is ending"))))
      }
      if isShared { collecting.add(1, ordering: .relaxed) }
      defer { if isShared { collecting.subtract(1, ordering: .relaxed) } }
      let now = clock()
      do throws(RequestFault) {
        let body =
          if let compression { try expand(request.body, compression) } else { request.body }
        store(decode(body, now, true), now, request, reply)
      } catch {
        reply.send(request.reply(error))
      }
    }
  }

  private func compression(of request: Request) -> StreamCompression? {
    switch request.encoding {
    case .gzip: .gzip
    case .zstd: .zstd
    // A compressed file that was sent as it is.
    case .identity: StreamCompression.detect(request.body.prefix(4))
    }
  }

  private func expand(
    _ body: [UInt8], _ compression: StreamCompression
  ) throws(RequestFault) -> [UInt8] {
    if body.isEmpty { return [] }
    do throws(StoreError) {
      return try BodyExpansion.expand(body, compression, limit: limits.current.bodyBytes)
    } catch {
      if error.code == .limitExceeded {
        metrics.countRefusal("body")
        throw RequestFault(
          .payloadTooLarge,
          "the body expands to more than \(limits.current.bodyBytes) bytes, the most that is taken; send it "
            + "in parts")
      }
      metrics.countRefusal("damaged")
      throw RequestFault(.badRequest, "the body's \(compression) data is damaged or cut short")
    }
  }

  private func store(
    _ taken: Taken, _ now: Int64, _ request: Request, _ reply: ReplyHandle
  ) {
    let decoded = taken.decoded
    metrics.count(decoded.receipt)
    guard let newest = decoded.newest else { return reply.send(taken.answer(decoded.receipt)) }
    let receipt = decoded.receipt
    let source = decoded.source
    let answer = taken.answer
    // What waits for the disk holds its events once, not the body that they came in too.
    var request = request
    request.body = []
    let upload =
      decoded.prepared.isEmpty
      ? Upload(batches: decoded.batches, receivedTime: now)
      : Upload(prepared: decoded.prepared, receivedTime: now)
    do throws(RequestFault) {
      try committer.submit(upload) { [self, request] result in
        switch result {
        case .success(let stored):
          var receipt = receipt
          receipt.accepted = stored.accepted
          receipt.duplicates = stored.duplicateLines.count
          metrics.count(
            source: source, accepted: receipt.accepted, duplicates: receipt.duplicates,
            newest: stored.accepted > 0 ? newest : nil)
          if let grant = request.grant { gate.charge(stored.accepted, to: grant) }
          reply.send(answer(receipt))
        case .failure(let error):
          metrics.countRefusal("storage")
          reply.send(request.reply(Committer.fault(error)))
        }
      }
    } catch {
      metrics.countRefusal(error.code.rawValue)
      reply.send(request.reply(error))
    }
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
