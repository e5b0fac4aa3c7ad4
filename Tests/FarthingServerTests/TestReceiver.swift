import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A receiver of notifications that does what a test wants with each call.
final class TestReceiver: Sendable {
  enum Behaviour: Sendable {
    case status(Int, fields: [(String, String)] = [], body: [UInt8] = [])
    /// Answers 200 and begins a body that comes byte by byte and never ends.
    case drips
    /// Takes the call and never answers.
    case hangs
    /// Takes the call and breaks the connection off.
    case resets
  }

  struct Call: Sendable {
    var target: String
    var fields: [String: String]
    var body: [UInt8]
    /// Whether it was answered with success.
    var isTaken: Bool
  }

  private struct State {
    var calls: [Call] = []
    var connections = 0
    var behaviour: @Sendable (Int) -> Behaviour
    var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var callWaiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var taken: Int { calls.count(where: \.isTaken) }
  }

  private let state: Mutex<State>
  private let channel: Mutex<(any Channel)?> = Mutex(nil)
  let port: Int

  /// - Parameter behaviour: what to do with the call of a number, from 0.
  init(
    host: String = "127.0.0.1",
    _ behaviour: @escaping @Sendable (Int) -> Behaviour = { _ in .status(204) }
  ) async throws {
    state = Mutex(State(behaviour: behaviour))
    let box = Mutex<TestReceiver?>(nil)
    let shared = Box(box)
    let bound = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(shared))
        }
      }.bind(host: host, port: 0).get()
    port = bound.localAddress?.port ?? 0
    channel.withLock { $0 = bound }
    shared.value.withLock { $0 = self }
  }

  final class Box: Sendable {
    let value: Mutex<TestReceiver?>
    init(_ value: consuming Mutex<TestReceiver?>) { self.value = value }
  }

  var calls: [Call] { state.withLock { $0.calls } }
  var taken: [Call] { calls.filter(\.isTaken) }
  var connections: Int { state.withLock { $0.connections } }

  func change(_ behaviour: @escaping @Sendable (Int) -> Behaviour) {
    state.withLock { $0.behaviour = behaviour }
  }

  /// Returns once so many calls were answered with success.
  func waitForTaken(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.taken >= count { return true }
        state.waiters.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Returns once so many calls have come, whatever came of them.
  func waitForCalls(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.calls.count >= count { return true }
        state.callWaiters.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  func close() async {
    let channel = channel.withLock { $0 }
    try? await channel?.close().get()
  }

  fileprivate func connect() { state.withLock { $0.connections += 1 } }

  fileprivate func take(
    _ target: String, _ fields: [String: String], _ body: [UInt8]
  ) -> Behaviour {
    let (behaviour, ready) = state.withLock { state in
      let behaviour = state.behaviour(state.calls.count)
      var isTaken = false
      if case .status(let code, _, _) = behaviour { isTaken = (200..<300).contains(code) }
      state.calls.append(Call(target: target, fields: fields, body: body, isTaken: isTaken))
      let taken = state.taken
      let count = state.calls.count
      let ready =
        state.waiters.filter { $0.count <= taken }.map(\.continuation)
        + state.callWaiters.filter { $0.count <= count }.map(\.continuation)
      state.callWaiters.removeAll { $0.count <= count }
      state.waiters.removeAll { $0.count <= taken }
      return (behaviour, ready)
    }
    for continuation in ready { continuation.resume() }
    return behaviour
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let owner: Box
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ owner: Box) { self.owner = owner }

    func channelActive(context: ChannelHandlerContext) {
      owner.value.withLock { $0 }?.connect()
      context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        self.head = head
        body = []
      case .body(let piece): body += Array(piece.readableBytesView)
      case .end: answer(context)
      }
    }

    private func answer(_ context: ChannelHandlerContext) {
      guard let head, let receiver = owner.value.withLock({ $0 }) else { return }
      var fields: [String: String] = [:]
      for (name, value) in head.headers { fields[name.lowercased()] = value }
      switch receiver.take(head.uri, fields, body) {
      case .hangs: break
      case .resets: context.close(promise: nil)
      case .drips: drip(context)
      case .status(let code, let fields, let body):
        var headers = HTTPHeaders(fields)
        headers.replaceOrAdd(name: "Content-Length", value: "\(body.count)")
        let reply = HTTPResponseHead(
          version: .http1_1, status: .init(statusCode: code), headers: headers)
        context.write(wrapOutboundOut(.head(reply)), promise: nil)
        if !body.isEmpty {
          let buffer = context.channel.allocator.buffer(bytes: body)
          context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }

    private func drip(_ context: ChannelHandlerContext) {
      let head = HTTPResponseHead(version: .http1_1, status: .ok)
      context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
      let channel = context.channel
      channel.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) {
        task in
        guard channel.isActive else { return task.cancel() }
        let byte = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: " ")))
        channel.writeAndFlush(byte, promise: nil)
      }
    }
  }
}
