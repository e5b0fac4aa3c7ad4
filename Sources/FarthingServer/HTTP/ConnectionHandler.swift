internal import FarthingPipeline
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL
internal import NIOTLS

/// One connection of HTTP/1.1, or one stream of HTTP/2, which is as a connection with one request:
/// receives requests one after the other within the limits, hands each over once it has come whole,
/// and writes what it is answered with.
///
/// Confined to the connection's event loop.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let core: ServerCore
  private var exchange = Exchange()
  private var context: ChannelHandlerContext?
  private var request: Request?
  private var route: Route?
  private var isHead = false
  private var version = HTTPVersion.http1_1
  /// Bytes of the budget that the request at hand holds.
  private var held = 0
  /// Bytes of the body that came, as they came.
  private var received = 0
  private var start = NIODeadline.now()
  /// When a part of the body came last.
  private var lastPiece = NIODeadline.now()
  /// When the connection is given up if it is still where it is.
  private var deadline = NIODeadline.now()
  private var timer: Scheduled<Void>?
  private var isDraining = false
  private let life = ConnectionLife()
  /// Whether a whole reply waits for the socket to take it before its end is written.
  private var awaitsSocket = false
  private var heldTrailers: HTTPHeaders?
  /// Whether TLS has not come to terms yet.
  private var isHandshaking: Bool

  private let isStream: Bool

  /// - Parameter isStream: Whether it is for a stream of a connection that is counted already.
  init(_ core: ServerCore, isStream: Bool = false) {
    self.core = core
    self.isStream = isStream
    isHandshaking = core.security != nil && !isStream
  }

  // MARK: Connection

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    deadline = .now() + TimeAmount(core.limits.headerTimeout)
    arm(context)
    if !isStream { core.connections.add(context.channel) }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    timer = nil
    endHandshake(failure: isDraining ? nil : .closed)
    giveBack()
    life.end()
    request = nil
    self.context = nil
    if !isStream { core.connections.remove(context.channel) }
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case is DrainEvent:
      isDraining = true
      if exchange.isBetween { context.close(promise: nil) } else { exchange.closeAfterReply() }
    case TLSUserEvent.handshakeCompleted:
      endHandshake(failure: nil)
      deadline = .now() + TimeAmount(core.limits.headerTimeout)
    case is HTTP2Event: timer?.cancel()
    case ChannelEvent.inputClosed:
      // The client has said all it will say. What it asked for whole is still answered.
      if exchange.request == .complete {
        exchange.closeAfterReply()
      } else {
        context.close(promise: nil)
      }
    default:
      context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A caller that hangs up without TLS's farewell. Lengths and chunks say whether something is
    // missing, and that its side is closed comes as an event.
    if case NIOSSLError.uncleanShutdown = error { return }
    endHandshake(failure: HandshakeFailure(error))
    if let fault = error as? HTTPParserError, exchange.reply == .none || exchange.reply == .awaited
    {
      // The decoder closes the channel when this returns, so the reply goes out now.
      core.metrics.countRefusal("head")
      if exchange.isBetween { isHead = false }
      var reply = ConnectionHandler.fault(for: fault, core.limits).reply
      reply.closes = true
      write(reply, context)
    }
    context.close(promise: nil)
  }

  /// - Parameter failure: nil where it came through, or where nobody is to blame.
  private func endHandshake(failure: HandshakeFailure?) {
    guard isHandshaking else { return }
    isHandshaking = false
    if let failure { core.metrics.countHandshakeFailure(failure) }
  }

  private static func fault(for error: HTTPParserError, _ limits: ServerLimits) -> RequestFault {
    if error == .headerOverflow { return tooManyHeaders(limits) }
    return RequestFault(.badRequest, "this is no HTTP/1.1 request: \(error)")
  }

  private static func tooManyHeaders(_ limits: ServerLimits) -> RequestFault {
    RequestFault(
      .headersTooLarge,
      "the request's head is too large: at most \(limits.headers) fields of together "
        + "\(limits.headerBytes) bytes")
  }

  // MARK: Time

  /// One timer for the connection's life: it looks whether the deadline, which each request moves, has
  /// passed. Cheaper than a timer a request; a deadline is kept within the time that a head may take.
  private func arm(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    let latest = NIODeadline.now() + TimeAmount(core.limits.headerTimeout)
    timer = context.eventLoop.scheduleTask(deadline: min(deadline, latest)) { bound.value.look() }
  }

  private func look() {
    guard let context else { return }
    guard NIODeadline.now() >= deadline else { return arm(context) }
    endHandshake(failure: .timeout)
    switch (exchange.request, exchange.reply) {
    case (.receiving, .awaited):
      let pace = max(1, core.limits.bodyBytesPerSecond)
      // What came fast earns time for what is slow, but none to be silent in.
      let patience = TimeAmount(core.limits.bodyTimeout)
      let earned = min(start + patience + .seconds(Int64(received / pace)), lastPiece + patience)
      if NIODeadline.now() < earned {
        deadline = earned
        return arm(context)
      }
      core.metrics.countRefusal("timeout")
      refuse(
        RequestFault(.requestTimeout, "the body came too slowly; send it faster or in parts"),
        context)
      context.close(promise: nil)
    case (.complete, .awaited):
      // The work has bounds of its own.
      deadline = .now() + TimeAmount(core.limits.writeTimeout)
      arm(context)
    default:
      if !exchange.isBetween { core.metrics.countRefusal("timeout") }
      context.close(promise: nil)
    }
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head, context)
    case .body(let part): take(part, context)
    case .end: end(context)
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    start = .now()
    lastPiece = start
    deadline = start + TimeAmount(core.limits.bodyTimeout)
    exchange.begin(keepsAlive: head.isKeepAlive && !isDraining)
    isHead = head.method == .HEAD
    version = head.version
    received = 0
    var request = Request(head)
    do throws(RequestFault) {
      if head.uri.utf8.count > core.limits.targetBytes {
        core.metrics.countRefusal("head")
        throw RequestFault(
          .targetTooLong,
          "the path and query are longer than \(core.limits.targetBytes) bytes")
      }
      request.contentType = MediaType(head.headers)
      if version.major < 2 { try Self.checkFraming(head) }
      if version.major >= 2 {
        if GRPC.isMeant(request.contentType) { request.fault = GRPC.fault }
        // The decoder of HTTP/1.1 counts them itself.
        if head.headers.count > core.limits.headers { throw Self.tooManyHeaders(core.limits) }
      }
      let route = try core.router.route(&request)
      self.route = route
      if route.isGRPC, version.major < 2 {
        throw RequestFault(.unsupportedMediaType, "gRPC needs HTTP/2")
      }
      request.fault = route.fault
      try core.admit(&request, to: route)
      try core.check(&request, for: route)
      if head.headers.contains(name: "expect"), head.version != .http1_0 {
        try answerExpectation(head, context)
      }
      if case .none = route.body {
        // What some clients send with a GET means nothing.
        request.body = []
      } else if let length = head.headers.first(name: "content-length").flatMap({ Int($0) }) {
        request.body.reserveCapacity(min(length, 1 << 20))
      }
      self.request = request
    } catch {
      self.request = request
      refuse(error, context)
    }
  }

  /// What HTTP/1.1 asks of a head so that nobody on the way takes the request for another one.
  ///
  /// - Throws: `badRequest`, or `notImplemented` for a coding of the transfer besides chunks.
  /// - Source: RFC 9112, 3.2 and 6.1.
  private static func checkFraming(_ head: HTTPRequestHead) throws(RequestFault) {
    let hosts = head.headers["host"].count
    guard hosts == 1 || hosts == 0 && head.version != .http1_1 else {
      throw RequestFault(
        .badRequest, "Host: expected once in a request of HTTP/1.1, found \(hosts) times")
    }
    let codings = head.headers[canonicalForm: "transfer-encoding"]
    if codings.isEmpty { return }
    guard head.version == .http1_1 else {
      throw RequestFault(
        .badRequest, "Transfer-Encoding: HTTP/1.0 knows none; send a Content-Length")
    }
    guard codings.count == 1, codings[0].lowercased() == "chunked" else {
      throw RequestFault(
        .notImplemented, "Transfer-Encoding: only chunked is understood; see Content-Encoding")
    }
  }

  private func answerExpectation(
    _ head: HTTPRequestHead, _ context: ChannelHandlerContext
  ) throws(RequestFault) {
    guard head.headers["expect"].map({ $0.lowercased() }) == ["100-continue"] else {
      throw RequestFault(.expectationFailed, "Expect: only 100-continue is understood")
    }
    let interim = HTTPResponseHead(version: .http1_1, status: .continue)
    context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
  }

  private func take(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
    let count = part.readableBytes
    switch exchange.request {
    case .discarding:
      if exchange.discard(count) == .close { context.close(promise: nil) }
    case .receiving:
      received += count
      lastPiece = .now()
      guard case .taken = route?.body else {
        if received > ServerBounds.strayBytes {
          refuse(RequestFault(.payloadTooLarge, "this call takes no body"), context)
        }
        return
      }
      // A compressed body is at most a little larger than what it holds.
      let limit = core.limits.bodyBytes
      guard received <= (request?.encoding == .identity ? limit : limit + limit / 512 + 4096) else {
        return refuse(core.tooLarge, context)
      }
      guard core.bodies.take(count) else {
        core.metrics.countRefusal("bodies_in_flight")
        return refuse(ServerCore.fullOfBodies, context)
      }
      held += count
      request?.body.append(contentsOf: part.readableBytesView)
    case .between, .complete: break
    }
  }

  private func end(_ context: ChannelHandlerContext) {
    let wasReceiving = exchange.request == .receiving
    let step = exchange.endOfRequest()
    guard wasReceiving, let route, let request else { return perform(step, context) }
    self.request = nil
    deadline = .now() + TimeAmount(core.limits.writeTimeout)
    route.handle(
      request,
      ReplyHandle(
        loop: context.eventLoop, handler: NIOLoopBound(self, eventLoop: context.eventLoop),
        number: exchange.number, life: life))
  }

  /// Answers before the request has come whole; the rest of it is read and thrown away for a while,
  /// since a client that is still sending would see a reset instead of the reply.
  private func refuse(_ fault: RequestFault, _ context: ChannelHandlerContext) {
    guard exchange.reply == .awaited else { return }
    exchange.discardRest(atMost: ServerBounds.discardedBytes)
    request?.body = []
    let reply = request?.reply(fault) ?? fault.reply
    giveBack()
    deadline = .now() + TimeAmount(core.limits.headerTimeout)
    finish(reply, context)
  }

  private func giveBack() {
    if held > 0 { core.bodies.giveBack(held) }
    held = 0
  }

  // MARK: Replying

  /// Answers the request of this number; a reply to an earlier one, whose connection broke, is lost.
  func finish(_ reply: Reply, number: Int) {
    guard let context, exchange.number == number, exchange.reply == .awaited else { return }
    giveBack()
    finish(reply, context)
  }

  private func finish(_ reply: Reply, _ context: ChannelHandlerContext) {
    if reply.closes || isDraining { exchange.closeAfterReply() }
    core.metrics.countReply(
      route, status: Int(reply.status.code),
      nanoseconds: (NIODeadline.now() - start).nanoseconds)
    write(reply, context)
  }

  private func write(_ reply: Reply, _ context: ChannelHandlerContext) {
    var head = HTTPResponseHead(version: .http1_1, status: reply.status)
    if let type = reply.contentType { head.headers.add(name: "Content-Type", value: type) }
    let trailers = version.major >= 2 ? reply.trailers : nil
    if reply.status != .noContent, trailers == nil {
      head.headers.add(name: "Content-Length", value: String(reply.body.count))
    }
    for (name, value) in reply.headers { head.headers.add(name: name, value: value) }
    if exchange.closes || reply.closes {
      head.headers.add(name: "Connection", value: "close")
    } else if version == .http1_0 {
      head.headers.add(name: "Connection", value: "keep-alive")
    }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !isHead, !reply.body.isEmpty {
      context.write(
        wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: reply.body)))),
        promise: nil)
    }
    guard !context.channel.isWritable else { return writeEnd(context, trailers) }
    context.flush()
    guard !context.channel.isWritable else { return writeEnd(context, trailers) }
    exchange.beginReply()
    awaitSocket(trailers)
  }

  /// Holds the end of the reply back until the socket has taken the reply.
  ///
  /// The pipeline in front hands over no further request before that end, so a client that asks and
  /// does not read has one reply held for it.
  private func awaitSocket(_ trailers: HTTPHeaders?) {
    awaitsSocket = true
    heldTrailers = trailers
    deadline = .now() + TimeAmount(core.limits.writeTimeout)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if awaitsSocket, context.channel.isWritable {
      awaitsSocket = false
      writeEnd(context, heldTrailers)
      heldTrailers = nil
    }
    context.fireChannelWritabilityChanged()
  }

  /// Writes the end of a reply and goes on to what follows it.
  ///
  /// The pipeline in front hands over the next request in the middle of that write, so the state is
  /// settled before.
  private func writeEnd(_ context: ChannelHandlerContext, _ trailers: HTTPHeaders? = nil) {
    let step = exchange.endOfReply()
    switch step {
    case .proceed, .nothing:
      perform(step, context)
      context.writeAndFlush(wrapOutboundOut(.end(trailers)), promise: nil)
    case .close:
      // What the socket did not take yet would be lost with it.
      let channel = context.channel
      let written = context.eventLoop.makePromise(of: Void.self)
      written.futureResult.whenComplete { _ in channel.close(promise: nil) }
      context.writeAndFlush(wrapOutboundOut(.end(trailers)), promise: written)
    }
  }

  /// Begins a reply of a length that is not known yet.
  func begin(_ reply: Reply, number: Int) {
    guard let context, exchange.number == number, exchange.reply == .awaited else { return }
    giveBack()
    exchange.beginReply()
    // HTTP/1.0 has no chunks: there the end of the connection is the end of the reply.
    let isOld = version == .http1_0 || version.major == 0
    if isOld { exchange.closeAfterReply() }
    var head = HTTPResponseHead(
      version: isOld ? version : .http1_1, status: reply.status)
    if let type = reply.contentType { head.headers.add(name: "Content-Type", value: type) }
    for (name, value) in reply.headers { head.headers.add(name: name, value: value) }
    if exchange.closes { head.headers.add(name: "Connection", value: "close") }
    // An answer to HEAD has no chunks, and not their end either.
    if !isOld, version.major < 2, !isHead {
      head.headers.add(name: "Transfer-Encoding", value: "chunked")
    }
    deadline = .now() + TimeAmount(core.limits.writeTimeout)
    context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
  }

  /// Writes a piece of the reply; `taken` hears whether the socket took it.
  func write(piece: [UInt8], number: Int, taken: @escaping @Sendable (Bool) -> Void) {
    guard let context, exchange.number == number, exchange.reply == .streaming, !isHead else {
      return taken(isHead && context != nil)
    }
    deadline = .now() + TimeAmount(core.limits.writeTimeout)
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.assumeIsolated().whenComplete { [self] result in
      guard case .success = result else { return taken(false) }
      // Of several pieces on their way each has its time.
      if exchange.number == number, exchange.reply == .streaming {
        deadline = .now() + TimeAmount(core.limits.writeTimeout)
      }
      taken(true)
    }
    let buffer = context.channel.allocator.buffer(bytes: piece)
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: promise)
  }

  /// Ends a reply in pieces: whole, or broken off so that the client sees that it is not whole.
  func endReply(isWhole: Bool, number: Int) {
    guard let context, exchange.number == number, exchange.reply == .streaming else { return }
    core.metrics.countReply(
      route, status: isWhole ? 200 : 499,
      nanoseconds: (NIODeadline.now() - start).nanoseconds)
    guard isWhole else { return context.close(promise: nil) }
    if context.channel.isWritable { writeEnd(context) } else { awaitSocket(nil) }
  }

  private func perform(_ step: Exchange.Step, _ context: ChannelHandlerContext) {
    switch step {
    case .nothing: break
    case .proceed:
      exchange.proceed()
      request = nil
      route = nil
      deadline = .now() + TimeAmount(core.limits.idleTimeout)
    case .close: context.close(promise: nil)
    }
  }
}

/// Asks connections to end with the request at hand.
struct DrainEvent: Sendable {}
