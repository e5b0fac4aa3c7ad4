import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Foundation
import Synchronization
import Testing

/// A site: an agent that listens and follows a file, a line that loses every third answer, and a server.
private final class Site {
  let folder: TemporaryDirectory
  private(set) var server: ServerProcess
  private(set) var agent: ServerProcess
  let relay: LossyRelay
  private let serverPort: Int

  var file: String { folder.path + "/calls.ndjson" }

  init() async throws {
    folder = try TemporaryDirectory()
    server = try ServerProcess(folder.path + "/store")
    serverPort = server.port
    relay = try await LossyRelay(to: serverPort, losingEvery: 3)
    agent = try Self.agent(folder.path, relay.port.withLock { $0 })
    _ = FileManager.default.createFile(atPath: folder.path + "/calls.ndjson", contents: nil)
  }

  private static func agent(_ folder: String, _ port: Int) throws -> ServerProcess {
    try ServerProcess(
      [
        "agent", "--server", "http://127.0.0.1:\(port)", "--listen", "127.0.0.1:0", "--data",
        folder + "/agent", "--name", "ber1", folder + "/calls*.ndjson",
      ],
      environment: [
        "FARTHING_AGENT_BATCH_EVENTS": "40", "FARTHING_AGENT_BATCH_WAIT_MS": "10",
        "FARTHING_AGENT_LONGEST_RETRY_S": "1",
      ])
  }

  func killAgent() throws {
    agent.kill()
    _ = agent.end()
    agent = try Self.agent(folder.path, relay.port.withLock { $0 })
  }

  func killServer() throws {
    server.kill()
    _ = server.end()
    server = try ServerProcess(folder.path + "/store", port: serverPort)
  }

  func append(_ lines: [String]) throws {
    let handle = try #require(FileHandle(forWritingAtPath: file))
    defer { try? handle.close() }
    try handle.seekToEnd()
    try handle.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
  }

  /// Posts until the agent has acknowledged it; the ids make that safe.
  func post(_ lines: [String]) async throws {
    let body = Array(lines.joined(separator: "\n").utf8)
    while true {
      guard let connection = try? await TestConnection(port: agent.port) else {
        await Task.yield()
        continue
      }
      await connection.send(TestServer.request("POST", "/v1/events", body))
      let reply = await connection.reply()
      await connection.close()
      if reply?.status == 200 { return }
    }
  }

  /// Requests and tokens, as the server says.
  func counted() async throws -> [Int]? {
    guard let connection = try? await TestConnection(port: serverPort) else { return nil }
    await connection.send(
      TestServer.request("GET", "/v1/query?metrics=requests,input_tokens&output=csv", []))
    let reply = await connection.reply()
    await connection.close()
    guard let reply, reply.status == 200 else { return nil }
    return reply.text.split(whereSeparator: \.isNewline).dropFirst().first?
      .split(separator: ",").compactMap { Int($0) }
  }

  func wait(for expected: [Int], seconds: TimeInterval) async throws -> [Int]? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    var seen = try await counted()
    while seen?.first ?? 0 < expected[0], Date() < deadline { seen = try await counted() }
    return seen
  }

  func end() async {
    agent.terminate()
    server.terminate()
    _ = agent.end()
    _ = server.end()
    await relay.close()
  }
}

@Suite(.timeLimit(.minutes(30))) struct `An agent and a server under kill` {
  /// 20, or what `FARTHING_AGENT_ROUNDS` says.
  private static let rounds =
    HostProcess.environment("FARTHING_AGENT_ROUNDS").flatMap { Int($0) } ?? 20

  @Test func `lose nothing and double nothing, while every third answer is lost`() async throws {
    let site = try await Site()
    var (events, tokens) = (0, 0)
    func next(_ count: Int, id: String?) -> [String] {
      (0..<count).map { _ in
        events += 1
        tokens += events
        let id = id.map { "\"id\":\"\($0)-\(events)\"," } ?? ""
        return "{\(id)\"time\":\"2026-11-20T00:00:00Z\",\"model\":\"m\",\"input_tokens\":\(events)}"
      }
    }
    var random = SystemRandomNumberGenerator()
    for round in 0..<Self.rounds {
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        // Of the file's lines only the place in the file says which were taken.
        try site.append(next(Int.random(in: 1...120, using: &random), id: nil))
        try await site.post(next(Int.random(in: 1...60, using: &random), id: "r\(round)"))
      }
      // Half of the rounds end in the middle of the forwarding, half after it.
      if round % 4 < 2 { _ = try await site.wait(for: [events / 2, 0], seconds: 60) }
      if round % 2 == 0 { try site.killAgent() } else { try site.killServer() }
      let seen = try await site.counted()
      #expect(seen.map { $0[0] <= events } ?? true, "round \(round): \(events), \(seen ?? [])")
    }
    let seen = try await site.wait(for: [events, tokens], seconds: 120)
    #expect(seen == [events, tokens])
    #expect(site.relay.lost.load(ordering: .relaxed) > Self.rounds / 2)
    await site.end()
    // No later attempt has brought anything twice.
    let stored = try StoreReader.snapshot(directory: site.folder.path + "/store")
    #expect(stored.requests.reduce(0) { $0 + $1.rowCount } == events)
    #expect(stored.damage.isEmpty)
  }

  @Test func `tell each other how they stand, and end in good order`() async throws {
    let site = try await Site()
    try await site.post(["{\"id\":\"a\",\"time\":\"2026-11-20T00:00:00Z\",\"model\":\"m\"}"])
    _ = try await site.wait(for: [1, 0], seconds: 60)
    let agents = try await TestConnection(port: site.server.port)
    await agents.send(TestServer.request("GET", "/v1/agents", []))
    let text = try #require(await agents.reply()?.text)
    #expect(text.contains("\"agent\":\"ber1\",\"version\":\"0.1.0\""))
    #expect(text.contains("\"waiting_events\":0"))
    await agents.send(TestServer.request("GET", "/metrics", []))
    let metrics = try #require(await agents.reply()?.text)
    #expect(metrics.contains("farthing_agent_lag_seconds{agent=\"ber1\"} "))
    await agents.close()
    let own = try await TestConnection(port: site.agent.port)
    await own.send(TestServer.request("GET", "/metrics", []))
    let spool = try #require(await own.reply()?.text)
    #expect(spool.contains("farthing_spool_capacity_bytes 1073741824"))
    await own.send(TestServer.request("GET", "/v1/query?metrics=cost", []))
    let refusal = try #require(await own.reply())
    #expect(refusal.status == 404)
    #expect(refusal.text.contains("this is an agent, which holds no store"))
    await own.close()
    site.agent.terminate()
    let (status, said) = site.agent.end()
    #expect(status == 0)
    #expect(said.contains("everything is forwarded"))
    site.server.terminate()
    #expect(site.server.end().status == 0)
    await site.relay.close()
  }
}
