internal import FarthingPipeline
internal import NIOCore
internal import NIOPosix

/// HAProxy's runtime interface: a line out, and all that comes until the other side closes.
///
/// Nobody is asked for a password there, so beside a socket of this machine's file system only its own
/// addresses are called.
struct RuntimeSocket: Sendable {
  let loops: any EventLoopGroup
  /// A path that begins with a slash, or HOST:PORT.
  let place: String

  /// More of an answer than this is not read: a command of ours has a short one, but the list of servers
  /// has a line for each.
  private static let answerBytes = 1 << 20

  /// - Throws: where no whole answer came.
  func send(_ command: String, within timeout: TimeAmount) async throws(DeliveryFailure) -> String {
    let loop = loops.next()
    let answer = loop.makePromise(of: [UInt8].self)
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(timeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            Collector(command: command, answer: answer, limit: Self.answerBytes))
        }
      }
    let patience = loop.scheduleTask(in: timeout) {
      answer.fail(DeliveryFailure(message: "\(place): no answer came in time"))
    }
    defer { patience.cancel() }
    let channel: any Channel
    do {
      channel = try await connect(bootstrap)
    } catch let error as DeliveryFailure {
      answer.fail(error)
      throw error
    } catch {
      let failure = DeliveryFailure(message: "\(place): \(ServerCaller.words(of: error))")
      answer.fail(failure)
      throw failure
    }
    do {
      let bytes = try await answer.futureResult.get()
      channel.close(promise: nil)
      return String(decoding: bytes, as: UTF8.self)
    } catch let error as DeliveryFailure {
      channel.close(promise: nil)
      throw error
    } catch {
      channel.close(promise: nil)
      throw DeliveryFailure(message: "\(place): \(ServerCaller.words(of: error))")
    }
  }

  private func connect(_ bootstrap: ClientBootstrap) async throws -> any Channel {
    if place.hasPrefix("/") {
      return try await bootstrap.connect(unixDomainSocketPath: place).get()
    }
    guard let address = ListenAddress(place), address.isLoopback, address.port > 0 else {
      throw DeliveryFailure(
        message: "\(place) is not called: expected a socket's path, or HOST:PORT of this machine",
        isFinal: true)
    }
    let host = address.host.lowercased() == "localhost" ? "127.0.0.1" : address.host
    return try await bootstrap.connect(host: host, port: address.port).get()
  }

  /// Sends the command when the connection stands, and keeps what comes until its end.
  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let command: String
    private let answer: EventLoopPromise<[UInt8]>
    private let limit: Int
    private var bytes: [UInt8] = []

    init(command: String, answer: EventLoopPromise<[UInt8]>, limit: Int) {
      self.command = command
      self.answer = answer
      self.limit = limit
    }

    func channelActive(context: ChannelHandlerContext) {
      context.writeAndFlush(
        wrapOutboundOut(ByteBuffer(string: command + "\n")), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      bytes += Array(unwrapInboundIn(data).readableBytesView)
      guard bytes.count > limit else { return }
      answer.fail(DeliveryFailure(message: "its answer is longer than \(limit) bytes"))
      context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.succeed(bytes) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      answer.fail(error)
      context.close(promise: nil)
    }
  }
}
