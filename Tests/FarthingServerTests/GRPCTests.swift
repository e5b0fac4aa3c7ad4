import FarthingCore
import FarthingTestSupport
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Testing

@testable import FarthingPipeline
@testable import FarthingServer

/// What a call over HTTP/2 came to.
struct StreamAnswer: Sendable {
  var status = 0
  var headers: HTTPHeaders = [:]
  var body: [UInt8] = []
  var trailers: HTTPHeaders = [:]

  var grpcStatus: Int? { trailers.first(name: "grpc-status").flatMap { Int($0) } }
}

/// A connection that speaks HTTP/2 by prior knowledge.
final class StreamConnection: Sendable {
  private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    private let promise: EventLoopPromise<StreamAnswer>
    private var answer = StreamAnswer()

    init(_ promise: EventLoopPromise<StreamAnswer>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        answer.status = Int(head.status.code)
        answer.headers = head.headers
      case .body(let part): answer.body += Array(part.readableBytesView)
      case .end(let trailers):
        answer.trailers = trailers ?? [:]
        promise.succeed(answer)
      }
    }

    func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
  }

  let channel: any Channel
  private let multiplexer: NIOHTTP2Handler.StreamMultiplexer

  /// - Parameter security: what it speaks TLS by, offering HTTP/2 alone; nil for no TLS.
  init(port: Int, security: TLSConfiguration? = nil) async throws {
    let tls = try security.map { configuration in
      var configuration = configuration
      configuration.applicationProtocols = ["h2"]
      return try NIOSSLContext(configuration: configuration)
    }
    (channel, multiplexer) = try await ClientBootstrap(
      group: MultiThreadedEventLoopGroup.singleton
    ).connect(host: "127.0.0.1", port: port) { channel in
      channel.eventLoop.makeCompletedFuture {
        if let tls {
          try channel.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
        }
        let multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
          mode: .client, connectionConfiguration: .init(), streamConfiguration: .init()
        ) { $0.close() }
        return (channel, multiplexer)
      }
    }
  }

  func call(
    _ method: HTTPMethod, _ path: String, _ body: [UInt8] = [], _ headers: HTTPHeaders = [:]
  ) async throws -> StreamAnswer {
    let answer = channel.eventLoop.makePromise(of: StreamAnswer.self)
    let stream = try await multiplexer.createStreamChannel { stream in
      stream.eventLoop.makeCompletedFuture {
        try stream.pipeline.syncOperations.addHandlers(
          HTTP2FramePayloadToHTTP1ClientCodec(httpProtocol: .http), Receiver(answer))
      }
    }.get()
    var head = HTTPRequestHead(version: .http2, method: method, uri: path, headers: headers)
    head.headers.add(name: "host", value: "test")
    stream.write(HTTPClientRequestPart.head(head), promise: nil)
    if !body.isEmpty {
      stream.write(
        HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
    }
    stream.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    return try await answer.futureResult.get()
  }

  /// A call of gRPC with a message as it is.
  func export(
    _ message: [UInt8], _ headers: HTTPHeaders = [:], as signal: OTLPSignal = .traces,
    isCompressed: Bool = false
  ) async throws -> StreamAnswer {
    var all = headers
    all.add(name: "content-type", value: "application/grpc")
    all.add(name: "te", value: "trailers")
    let size = UInt32(message.count)
    var framed: [UInt8] = [isCompressed ? 1 : 0]
    for shift: UInt32 in [24, 16, 8, 0] { framed.append(UInt8(truncatingIfNeeded: size >> shift)) }
    return try await call(.POST, signal.grpcPath, framed + message, all)
  }

  func close() async { try? await channel.close().get() }
}

struct GRPCTests {
  /// A request with one call of 1,000 and 10 tokens.
  private static let body: [UInt8] = {
    func attribute(_ name: String, _ fill: (inout ProtobufWriter) -> Void) -> ProtobufWriter {
      var value = ProtobufWriter()
      fill(&value)
      var attribute = ProtobufWriter()
      attribute.text(1, name)
      attribute.message(2, value)
      return attribute
    }
    var span = ProtobufWriter()
    span.raw(1, Array(1...16))
    span.raw(2, Array(1...8))
    span.fixed(7, 1_763_632_800_000_000_000)
    span.fixed(8, 1_763_632_801_000_000_000)
    span.message(9, attribute("gen_ai.operation.name") { $0.text(1, "chat") })
    span.message(9, attribute("gen_ai.provider.name") { $0.text(1, "openai") })
    span.message(9, attribute("gen_ai.request.model") { $0.text(1, "gpt-4o") })
    span.message(9, attribute("gen_ai.usage.input_tokens") { $0.chosen(3, 1000) })
    span.message(9, attribute("gen_ai.usage.output_tokens") { $0.chosen(3, 10) })
    var scope = ProtobufWriter()
    scope.text(1, "opentelemetry.instrumentation.genai.openai")
    var scopeSpans = ProtobufWriter()
    scopeSpans.message(1, scope)
    scopeSpans.message(2, span)
    var resourceSpans = ProtobufWriter()
    resourceSpans.message(2, scopeSpans)
    var request = ProtobufWriter()
    request.message(1, resourceSpans)
    return request.bytes
  }()

  private func withConnection(
    limits: ServerLimits = ServerLimits(), policy: AccessPolicy = AccessPolicy(),
    _ body: (TestServer, StreamConnection) async throws -> Void
  ) async throws {
    try await withServer(limits: limits, policy: policy) { server in
      let connection = try await StreamConnection(port: server.port)
      try await body(server, connection)
      await connection.close()
    }
  }

  @Test func `an export is stored, compressed or not, and counted once`() async throws {
    try await withConnection { server, connection in
      let first = try await connection.export(Self.body)
      #expect(first.status == 200)
      #expect(first.grpcStatus == 0, "\(first)")
      #expect(first.headers.first(name: "content-type") == "application/grpc")
      #expect(first.body == [0, 0, 0, 0, 0])
      let second = try await connection.export(
        Compressed.gzip(Self.body), ["grpc-encoding": "gzip"], isCompressed: true)
      #expect(second.grpcStatus == 0, "\(second)")
      // The same port speaks HTTP/1.1 to those who do.
      let stored = try await server.call("GET", "/v1/query?metrics=cost,requests&by=model")
      #expect(stored.text == "[\n{\"model\":\"gpt-4o\",\"cost\":\"0.0026\",\"requests\":1}\n]\n")
      for signal in [OTLPSignal.metrics, .logs] {
        #expect(try await connection.export([], as: signal).grpcStatus == 0)
      }
    }
  }

  @Test(.enabled(if: Certificates.canBeMade, "the openssl program makes the certificates"))
  func `an export over TLS agrees on HTTP/2, and the same port speaks HTTP/1.1`() async throws {
    let folder = try TemporaryDirectory()
    let certificates = Certificates(folder: folder.path)
    let security = try TransportSecurity(reading: certificates.make("a"))
    var limits = ServerLimits()
    limits.headerTimeout = .seconds(1)
    try await withServer(limits: limits, security: security) { server in
      let client = try certificates.client(trusting: "a")
      let connection = try await StreamConnection(port: server.port, security: client)
      #expect(try await connection.export(Self.body).grpcStatus == 0)
      let plain = try await TestConnection(port: server.port, security: client)
      await plain.send(TestServer.request("GET", "/v1/query?metrics=requests"))
      #expect(await plain.reply()?.text == "[\n{\"requests\":1}\n]\n")
      await plain.close()
      // Through the handshake, and silent then.
      let idle = try await TestConnection(port: server.port, security: client)
      #expect(await idle.end().isEmpty)
      let page = try await connection.call(.GET, "/metrics")
      #expect(
        !String(decoding: page.body, as: UTF8.self).contains(
          "farthing_tls_handshake_failures_total{"))
      await connection.close()
    }
  }

  @Test func `what is no export is told apart`() async throws {
    var limits = ServerLimits()
    limits.bodyBytes = 1000
    try await withConnection(limits: limits) { server, connection in
      let grpc: HTTPHeaders = ["content-type": "application/grpc"]
      let path = OTLPSignal.traces.grpcPath
      func status(_ path: String, _ body: [UInt8]) async throws -> Int? {
        try await connection.call(.POST, path, body, grpc).grpcStatus
      }
      #expect(try await status("/farthing.Nothing/Export", [0, 0, 0, 0, 0]) == 12)
      #expect(try await status(path, []) == 3)
      #expect(try await status(path, [0, 0, 0, 0, 9, 1]) == 3)
      #expect(try await status(path, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) == 3)
      #expect(try await status(path, Array(repeating: 0, count: 5000)) == 3)
      let broken = try await connection.export([0x0A, 0xFF])
      #expect(broken.grpcStatus == 3)
      #expect(broken.trailers.first(name: "grpc-message")?.isEmpty == false)
      let damaged = try await connection.export(
        [1, 2, 3], ["grpc-encoding": "gzip"], isCompressed: true)
      #expect(damaged.grpcStatus == 3)
      let other = try await connection.export(
        [1, 2, 3], ["grpc-encoding": "snappy"], isCompressed: true)
      #expect(other.grpcStatus == 12)
      #expect(other.headers.first(name: "grpc-accept-encoding") == "gzip,identity")
      // Without gRPC's type it is a call of HTTP like any other, and there is none at this path.
      let plain = try await connection.call(.POST, path, [1], ["content-type": "text/plain"])
      #expect(plain.status == 415)
      let old = try await server.call(
        "POST", path, [0, 0, 0, 0, 0], headers: ["Content-Type: application/grpc"])
      #expect(old.status == 415)
      #expect(old.text.contains("HTTP/2"))
    }
  }

  @Test func `tokens are judged as over HTTP`() async throws {
    func token(_ name: String, _ scopes: AccessScopes) -> AccessToken {
      AccessToken(
        name: name, digest: TokenText.digest(of: "\(name)-0123456789abcdef"), scopes: scopes,
        allowance: AccessAllowance())
    }
    let policy = AccessPolicy(tokens: [
      token("reader", AccessScopes([.read])), token("writer", AccessScopes([.ingest])),
    ])
    try await withConnection(policy: policy) { _, connection in
      #expect(try await connection.export(Self.body).grpcStatus == 16)
      for (name, status) in [("reader", 7), ("writer", 0)] {
        let answer = try await connection.export(
          Self.body, ["authorization": "Bearer \(name)-0123456789abcdef"])
        #expect(answer.grpcStatus == status)
      }
    }
  }

  @Test func `a server that cannot take it yet says when to come again`() async throws {
    let server = try await TestServer(opensStore: false)
    let connection = try await StreamConnection(port: server.port)
    let answer = try await connection.export(Self.body)
    #expect(answer.grpcStatus == 14)
    // A google.rpc.Status of code 14; its last field is RetryInfo's one second.
    let details = try #require(answer.trailers.first(name: "grpc-status-details-bin"))
    #expect(details.hasPrefix("CA4S"))
    #expect(details.hasSuffix("ECgIIAQ"))
    await connection.close()
    try await server.stop()
  }

  @Test func `other calls are answered over HTTP/2, many at once`() async throws {
    try await withConnection { _, connection in
      try await withThrowingTaskGroup(of: StreamAnswer.self) { group in
        for number in 0..<20 {
          group.addTask {
            number % 2 == 0
              ? try await connection.call(.GET, "/healthz")
              : try await connection.call(.POST, "/v1/events", Array(event("h\(number)").utf8))
          }
        }
        for try await answer in group { #expect(answer.status == 200) }
      }
      let answer = try await connection.call(.GET, "/v1/query?metrics=requests")
      #expect(String(decoding: answer.body, as: UTF8.self) == "[\n{\"requests\":10}\n]\n")
      #expect(answer.trailers.isEmpty)
    }
  }

  @Test func `a connection is ended in good order where the server ends`() async throws {
    let server = try await TestServer()
    let connection = try await StreamConnection(port: server.port)
    #expect(try await connection.call(.GET, "/readyz").status == 200)
    try await server.stop()
    try await connection.channel.closeFuture.get()
  }

  @Test func `a connection that says nothing, or half a preface, is closed`() async throws {
    var limits = ServerLimits()
    limits.headerTimeout = .milliseconds(20)
    limits.idleTimeout = .milliseconds(20)
    try await withServer(limits: limits) { server in
      for beginning in ["", "P", "PRI * HTTP/2.0\r\n"] {
        let connection = try await server.connect()
        await connection.send(beginning)
        #expect(await connection.end().isEmpty)
      }
      let idle = try await StreamConnection(port: server.port)
      try await idle.channel.closeFuture.get()
    }
  }

  @Test func `a preface that comes byte by byte is one, and a request that begins like it is none`()
    async throws
  {
    try await withServer { server in
      let connection = try await server.connect()
      for byte in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8 { await connection.send([byte]) }
      // An empty SETTINGS frame, which is acknowledged behind the server's own, and a GOAWAY.
      await connection.send([0, 0, 0, 4, 0, 0, 0, 0, 0])
      await connection.send([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      await connection.close()
      let other = try await server.connect()
      await other.send("P")
      await other.send("OST /v1/events HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
      #expect(await other.reply()?.status == 200)
      await other.close()
    }
  }
}
