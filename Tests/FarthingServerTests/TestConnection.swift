import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A reply as it came over the wire.
struct WireReply: Equatable {
  var status: Int
  /// Names in lower case.
  var headers: [String: String]
  var body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }
}

/// One connection to a server, byte by byte.
final class TestConnection: Sendable {
  private struct Inbox {
    var bytes: [UInt8] = []
    var isClosed = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let connection: TestConnection

    init(_ connection: TestConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      connection.update { $0.bytes.append(contentsOf: unwrapInboundIn(data).readableBytesView) }
    }

    func channelInactive(context: ChannelHandlerContext) {
      connection.update { $0.isClosed = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }
  }

  private let inbox = Mutex(Inbox())
  private let channel = Mutex<(any Channel)?>(nil)

  /// - Parameter security: whom it trusts where it speaks TLS; nil for plain HTTP.
  init(port: Int, security: TLSConfiguration? = nil) async throws {
    let tls = try security.map { try NIOSSLContext(configuration: $0) }
    let connected = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let tls {
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
          }
          try channel.pipeline.syncOperations.addHandler(Receiver(self))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    channel.withLock { $0 = connected }
  }

  private func update(_ body: (inout Inbox) -> Void) {
    let waiter = inbox.withLock { inbox in
      body(&inbox)
      defer { inbox.waiter = nil }
      return inbox.waiter
    }
    waiter?.resume()
  }

  /// Waits for more bytes than those that were looked at, or for the end.
  private func change(from size: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = inbox.withLock { inbox in
        if inbox.isClosed || inbox.bytes.count > size { return true }
        inbox.waiter = continuation
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Sends bytes; a connection that is gone takes them and loses them.
  func send(_ bytes: [UInt8]) async {
    let channel = channel.withLock { $0 }
    try? await channel?.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  func send(_ text: String) async { await send(Array(text.utf8)) }

  /// Begins or ceases to take what the other side sends.
  func reads(_ isReading: Bool) async throws {
    let channel = channel.withLock { $0 }
    try await channel?.setOption(.autoRead, value: isReading).get()
  }

  func close() async { try? await channel.withLock { $0 }?.close().get() }

  /// Waits until the other side has closed.
  ///
  /// - Returns: what came and was not read.
  func end() async -> [UInt8] {
    while true {
      let (bytes, isClosed) = inbox.withLock { ($0.bytes, $0.isClosed) }
      if isClosed { return bytes }
      await change(from: bytes.count)
    }
  }

  /// The next reply; nil where the connection ends without a whole one.
  func reply(isHead: Bool = false) async -> WireReply? {
    while true {
      let (bytes, isClosed) = inbox.withLock { ($0.bytes, $0.isClosed) }
      if let (reply, count) = Self.parse(bytes, isHead: isHead) {
        inbox.withLock { $0.bytes.removeFirst(count) }
        return reply
      }
      if isClosed { return nil }
      await change(from: bytes.count)
    }
  }

  private static func parse(_ bytes: [UInt8], isHead: Bool) -> (WireReply, Int)? {
    guard let split = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
    let lines = String(decoding: bytes[..<split.lowerBound], as: UTF8.self)
      .split(separator: "\r\n")
    guard let first = lines.first, let status = Int(first.split(separator: " ")[1]) else {
      return nil
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts[1].drop { $0 == " " }.description
    }
    let start = split.upperBound
    if isHead || status == 204 || status == 100 {
      return (WireReply(status: status, headers: headers, body: []), start)
    }
    if headers["transfer-encoding"] == "chunked" {
      return chunks(bytes, from: start).map {
        (WireReply(status: status, headers: headers, body: $0.0), $0.1)
      }
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    guard bytes.count >= start + length else { return nil }
    let body = Array(bytes[start..<start + length])
    return (WireReply(status: status, headers: headers, body: body), start + length)
  }

  private static func chunks(_ bytes: [UInt8], from start: Int) -> ([UInt8], Int)? {
    var body: [UInt8] = []
    var at = start
    while let end = bytes[at...].firstRange(of: [0x0D, 0x0A]) {
      guard let size = Int(String(decoding: bytes[at..<end.lowerBound], as: UTF8.self), radix: 16)
      else { return nil }
      let next = end.upperBound + size + 2
      guard bytes.count >= next else { return nil }
      if size == 0 { return (body, next) }
      body += bytes[end.upperBound..<end.upperBound + size]
      at = next
    }
    return nil
  }
}
