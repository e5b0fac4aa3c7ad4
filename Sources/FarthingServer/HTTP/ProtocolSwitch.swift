internal import NIOCore

/// Tells HTTP/2 from HTTP/1.1 by the first bytes of a connection.
///
/// A client of HTTP/2 begins with a preface that no request of HTTP/1.1 begins with (RFC 9113, 3.4),
/// whether it knows beforehand that the server speaks it or TLS has agreed on it. The handlers of
/// HTTP/1.1 stand behind from the start and keep the times of a connection that is silent; where the
/// preface comes, those of HTTP/2 are put before them, and nothing reaches them any more.
final class ProtocolSwitch: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private let core: ServerCore
  /// What came before it was clear.
  private var beginning: ByteBuffer?
  private var isDecided = false

  init(_ core: ServerCore) { self.core = core }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDecided else { return context.fireChannelRead(data) }
    var bytes = unwrapInboundIn(data)
    if var before = beginning {
      before.writeBuffer(&bytes)
      bytes = before
    }
    let isHTTP2 = zip(bytes.readableBytesView, Self.preface).allSatisfy { $0 == $1 }
    if isHTTP2, bytes.readableBytes < Self.preface.count {
      beginning = bytes
      return
    }
    isDecided = true
    beginning = nil
    if isHTTP2 {
      do {
        try HTTP2Connection.configure(context, after: self, core)
      } catch {
        return context.close(promise: nil)
      }
    }
    context.fireChannelRead(NIOAny(bytes))
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}
