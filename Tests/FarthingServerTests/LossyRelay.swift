import NIOCore
import NIOPosix
import Synchronization

/// A line between two ends that loses every third answer: what was asked has arrived and was done, and
/// whoever asked never learns of it.
final class LossyRelay: Sendable {
  private let answers = Atomic<Int>(0)
  let lost = Atomic<Int>(0)
  private let target: Int
  private let every: Int
  private let listener = Mutex<(any Channel)?>(nil)
  let port = Mutex(0)

  /// - Parameter target: the port that is called.
  init(to target: Int, losingEvery every: Int) async throws {
    self.target = target
    self.every = every
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.autoRead, value: true)
      .childChannelInitializer { inbound in
        inbound.eventLoop.makeCompletedFuture {
          try inbound.pipeline.syncOperations.addHandler(Inbound(self))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    listener.withLock { $0 = channel }
    port.withLock { $0 = channel.localAddress?.port ?? 0 }
  }

  func close() async { try? await listener.withLock { $0 }?.close().get() }

  /// Whether the answer that has just begun is to be lost.
  private func loses() -> Bool {
    guard answers.add(1, ordering: .relaxed).newValue % every == 0 else { return false }
    lost.add(1, ordering: .relaxed)
    return true
  }

  /// From the one who asks.
  private final class Inbound: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let relay: LossyRelay
    private var outbound: (any Channel)?
    /// What came before the other side was connected.
    private var early: [ByteBuffer] = []

    init(_ relay: LossyRelay) { self.relay = relay }

    func channelActive(context: ChannelHandlerContext) {
      let inbound = context.channel
      let relay = relay
      let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
      ClientBootstrap(group: context.eventLoop)
        .channelInitializer { outbound in
          outbound.eventLoop.makeCompletedFuture {
            try outbound.pipeline.syncOperations.addHandler(Outbound(relay, inbound))
          }
        }
        .connect(host: "127.0.0.1", port: relay.target)
        .whenComplete { result in
          let handler = bound.value
          switch result {
          case .success(let channel):
            handler.outbound = channel
            for bytes in handler.early { channel.writeAndFlush(bytes, promise: nil) }
            handler.early = []
            // The caller may have gone before it was connected.
            if !inbound.isActive { channel.close(promise: nil) }
          case .failure: inbound.close(promise: nil)
          }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = unwrapInboundIn(data)
      if let outbound { outbound.writeAndFlush(bytes, promise: nil) } else { early.append(bytes) }
    }

    func channelInactive(context: ChannelHandlerContext) { outbound?.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }

  /// From the one who answers.
  private final class Outbound: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let relay: LossyRelay
    private let inbound: any Channel

    init(_ relay: LossyRelay, _ inbound: any Channel) {
      self.relay = relay
      self.inbound = inbound
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      // Answers to an agent are short: each comes in one piece.
      if relay.loses() {
        inbound.close(promise: nil)
        context.close(promise: nil)
      } else {
        inbound.writeAndFlush(unwrapInboundIn(data), promise: nil)
      }
    }

    func channelInactive(context: ChannelHandlerContext) { inbound.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }
}
