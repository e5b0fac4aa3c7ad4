import FarthingCore
import FarthingPipeline
import FarthingServer
import FarthingStore
import FarthingTestSupport

@testable import FarthingApp

/// A server over a store of its own, on a port of its own.
final class TestServer: Sendable {
  let folder: TemporaryDirectory
  let writer: StoreWriter
  let server: Server
  let port: Int

  var directory: String { folder.path + "/store" }

  init(
    limits: ServerLimits = ServerLimits(), policy: AccessPolicy = AccessPolicy(),
    security: TransportSecurity? = nil,
    fileSystem: any FileSystem = PosixFileSystem(), opensStore: Bool = true
  ) async throws {
    folder = try TemporaryDirectory()
    writer = try StoreWriter(
      directory: folder.path + "/store", fileSystem: fileSystem, now: HostProcess.now(),
      randomBytes: Array(0..<16))
    let figures = StoredFigures(queryBytes: 64 << 20) { HostProcess.monotonic() }
    var settings = ServerSettings()
    settings.limits = limits
    server = Server(
      settings, policy: policy, security: security, listedErrors: 1000,
      around: ServerSurroundings(
        clock: { HostProcess.now() }, monotonic: { HostProcess.monotonic() },
        pause: { await Task.yield() },
        receiptText: { Array((ReceiptText.json($0) + "\n").utf8) },
        questions: StoreQuestions(
          queryBytes: 64 << 20, threads: 1, clock: { HostProcess.now() }),
        unitFigures: { figures.figures(of: $0) },
        version: "test"), threads: 2)
    port = try await server.listen(host: "127.0.0.1", port: 0)
    if opensStore { try serve() }
  }

  func serve(alerts: AlertService? = nil) throws {
    server.serve(writer, book: try PriceBook(lists: []), alerts: alerts)
  }

  func stop() async throws {
    await server.drain()
    try await writer.close()
  }

  func connect() async throws -> TestConnection { try await TestConnection(port: port) }

  /// One request on a connection of its own.
  func call(
    _ method: String, _ target: String, _ body: [UInt8] = [], headers: [String] = []
  ) async throws -> WireReply {
    let connection = try await connect()
    await connection.send(Self.request(method, target, body, headers: headers))
    let reply = await connection.reply(isHead: method == "HEAD")
    await connection.close()
    return reply ?? WireReply(status: 0, headers: [:], body: [])
  }

  func post(_ text: String, headers: [String] = []) async throws -> WireReply {
    try await call("POST", "/v1/events", Array(text.utf8), headers: headers)
  }

  static func request(
    _ method: String, _ target: String, _ body: [UInt8] = [], headers: [String] = []
  ) -> [UInt8] {
    var lines = ["\(method) \(target) HTTP/1.1", "Host: test"] + headers
    if !body.isEmpty || method == "POST" { lines.append("Content-Length: \(body.count)") }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
  }
}

/// Runs a test against a server and ends it, whatever came of the test.
func withServer(
  limits: ServerLimits = ServerLimits(), policy: AccessPolicy = AccessPolicy(),
  security: TransportSecurity? = nil, fileSystem: any FileSystem = PosixFileSystem(),
  _ body: (TestServer) async throws -> Void
) async throws {
  let server = try await TestServer(
    limits: limits, policy: policy, security: security, fileSystem: fileSystem)
  do {
    try await body(server)
  } catch {
    try? await server.stop()
    throw error
  }
  try await server.stop()
}

/// A request event of the contract as one line without a line feed.
func event(_ id: String, model: String = "gpt-4o", tokens: Int = 1000) -> String {
  "{\"time\":\"2026-11-20T10:00:00Z\",\"id\":\"\(id)\",\"model\":\"\(model)\",\"provider\":\"openai\","
    + "\"input_tokens\":\(tokens),\"output_tokens\":10}"
}
