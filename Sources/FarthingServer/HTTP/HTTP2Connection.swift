internal import FarthingPipeline
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTP2

/// The end of an HTTP/2 connection: after its last stream where the server ends, or after a while
/// without any.
///
/// Each stream is a request and has a ``ConnectionHandler`` of its own, which keeps the limits and
/// times of a request.
final class HTTP2Connection: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// Streams that a connection may have open; exporters use one or two.
  private static let streamsAtOnce = 100
  /// Bytes that a stream and a connection may send before they are read.
  private static let streamWindow = 1 << 18
  private static let connectionWindow = 1 << 20

  private let core: ServerCore
  private var open = 0
  private var last = HTTP2StreamID.rootStream
  private var isDraining = false
  private var timer: Scheduled<Void>?

  private init(_ core: ServerCore) { self.core = core }

  /// Makes a connection speak HTTP/2, with requests as HTTP/1.1's handler knows them.
  ///
  /// - Parameter handler: What the handlers of HTTP/2 come behind.
  static func configure(
    _ context: ChannelHandlerContext, after handler: any ChannelHandler, _ core: ServerCore
  ) throws {
    // The handler of HTTP/1.1 has no more to wait for.
    context.fireUserInboundEventTriggered(HTTP2Event())
    var connection = NIOHTTP2Handler.ConnectionConfiguration()
    connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: streamsAtOnce),
      HTTP2Setting(parameter: .maxHeaderListSize, value: core.limits.headerBytes),
      HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
    ]
    connection.targetWindowSize = connectionWindow
    var stream = NIOHTTP2Handler.StreamConfiguration()
    stream.targetWindowSize = streamWindow
    let streams = NIOHTTP2Handler(
      mode: .server, eventLoop: context.eventLoop, connectionConfiguration: connection,
      streamConfiguration: stream
    ) { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHandlers(
          HTTP2FramePayloadToHTTP1ServerCodec(), ConnectionHandler(core, isStream: true))
      }
    }
    try context.pipeline.syncOperations.addHandlers(
      streams, HTTP2Connection(core), position: .after(handler))
  }

  func handlerAdded(context: ChannelHandlerContext) { awaitStream(context) }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // Frames of streams went to the streams; of the others nothing is left to do.
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let created as NIOHTTP2StreamCreatedEvent:
      timer?.cancel()
      open += 1
      last = max(last, created.streamID)
    case is StreamClosedEvent:
      open -= 1
      guard open == 0 else { break }
      if isDraining { closeSoon(context) } else { awaitStream(context) }
    case is DrainEvent:
      isDraining = true
      sayGoodbye(context)
      if open == 0 { closeSoon(context) }
    case ChannelEvent.inputClosed: context.close(promise: nil)
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What is wrong with one stream ends that stream alone.
    if error is NIOHTTP2Errors.StreamError { return }
    context.close(promise: nil)
  }

  private func awaitStream(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: TimeAmount(core.limits.idleTimeout)) {
      let (connection, context) = bound.value
      connection.sayGoodbye(context)
      connection.closeSoon(context)
    }
  }

  /// Streams that the client opens from now on are known to it not to have been heard.
  private func sayGoodbye(_ context: ChannelHandlerContext) {
    let frame = HTTP2Frame(
      streamID: .rootStream,
      payload: .goAway(lastStreamID: last, errorCode: .noError, opaqueData: nil))
    context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
  }

  /// Closes once what was written in this turn of the loop has been flushed.
  private func closeSoon(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.eventLoop.execute { bound.value.close(promise: nil) }
  }
}

/// Tells the handler of HTTP/1.1 that the connection has turned out to speak HTTP/2.
struct HTTP2Event: Sendable {}
