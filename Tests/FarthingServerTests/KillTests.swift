import FarthingStore
import FarthingTestSupport
import Foundation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(20))) struct `A killed server` {
  /// 50, or what `FARTHING_SERVER_KILLS` says.
  private static let rounds =
    HostProcess.environment("FARTHING_SERVER_KILLS").flatMap { Int($0) } ?? 50

  private static let clients = 4
  private static let eventsOfBatch = 5

  /// What was sent and what was acknowledged, by all clients.
  private struct Books {
    var sent: Set<String> = []
    var acknowledged: Set<String> = []
    var acknowledgements = 0
  }

  private final class Ledgers: Sendable {
    private let books = Mutex(Books())

    func withLock<Result: Sendable>(_ body: (inout Books) -> Result) -> Result {
      books.withLock { body(&$0) }
    }
  }

  private static func ids(_ round: Int, _ client: Int, _ batch: Int) -> [String] {
    (0..<eventsOfBatch).map { "r\(round)-c\(client)-b\(batch)-\($0)" }
  }

  /// Posts batches until the connection breaks. Each third is sent once more right away, and each
  /// fifth has a line that is refused.
  private static func post(_ round: Int, _ client: Int, port: Int, _ books: Ledgers)
    async
  {
    guard let connection = try? await TestConnection(port: port) else { return }
    for batch in 0..<10_000 {
      let ids = ids(round, client, batch)
      var lines = ids.map { event($0) }
      if batch % 5 == 4 { lines.insert("{\"id\":\"refused-\(ids[0])\",\"time\":1}", at: 2) }
      books.withLock { $0.sent.formUnion(ids) }
      for _ in 0..<(batch % 3 == 2 ? 2 : 1) {
        let body = Array(lines.joined(separator: "\n").utf8)
        await connection.send(TestServer.request("POST", "/v1/events", body))
        guard let reply = await connection.reply(), reply.status == 200 else { return }
        books.withLock { books in
          books.acknowledged.formUnion(ids)
          books.acknowledgements += 1
        }
      }
    }
  }

  @Test func `loses nothing acknowledged and doubles nothing however often it is killed`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let directory = folder.path + "/store"
    let books = Ledgers()
    var random = SystemRandomNumberGenerator()
    for round in 0..<Self.rounds {
      let server = try ServerProcess(directory)
      try #require(server.port > 0, "round \(round): \(server.said)")
      let goal = books.withLock { $0.acknowledgements } + Int.random(in: 1...60, using: &random)
      let (port, kill) = (server.port, server.kill)
      await withTaskGroup(of: Void.self) { group in
        for client in 0..<Self.clients {
          group.addTask { await Self.post(round, client, port: port, books) }
        }
        group.addTask {
          while books.withLock({ $0.acknowledgements }) < goal { await Task.yield() }
          kill()
        }
      }
      _ = server.end()
      let stored = try Ledger(StoreReader.snapshot(directory: directory))
      let lost = books.withLock { $0.acknowledged.subtracting(stored.ids) }
      #expect(lost.isEmpty, "round \(round): acknowledged and lost: \(lost.count)")
      #expect(stored.doubled.isEmpty, "round \(round)")
      let strange = books.withLock { stored.ids.subtracting($0.sent) }
      #expect(strange.isEmpty, "round \(round): \(strange)")
    }
    // Everything once more: what is there is a duplicate, what is not comes in.
    let server = try ServerProcess(directory)
    let connection = try await TestConnection(port: server.port)
    let all = books.withLock { $0.sent.sorted() }
    let before = try Ledger(StoreReader.snapshot(directory: directory)).entries.count
    let body = Array(all.map { event($0) }.joined(separator: "\n").utf8)
    await connection.send(TestServer.request("POST", "/v1/events", body))
    let reply = await connection.reply()
    #expect(
      reply?.text.hasPrefix("{\"accepted\":\(all.count - before),\"duplicates\":\(before),") == true
    )
    await connection.close()
    server.terminate()
    #expect(server.end().status == 0)
    let stored = try Ledger(StoreReader.snapshot(directory: directory))
    #expect(stored.ids == Set(all))
    #expect(stored.doubled.isEmpty)
  }

  @Test func `that is asked to end answers first, and ends with 0`() async throws {
    let folder = try TemporaryDirectory()
    let directory = folder.path + "/store"
    let server = try ServerProcess(directory)
    let second = try ServerProcess(directory)
    let refusal = second.end()
    #expect(second.port == 0)
    #expect(refusal.status == 1)
    let said = second.said.joined() + refusal.said
    #expect(
      said.contains("is held by the server at http://127.0.0.1:\(server.port) (process"), "\(said)")
    let connection = try await TestConnection(port: server.port)
    let body = event("last")
    await connection.send(
      "POST /v1/events HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n")
    #expect(await connection.reply()?.status == 100)
    server.terminate()
    await connection.send(body)
    #expect(await connection.reply()?.text.hasPrefix("{\"accepted\":1,") == true)
    _ = await connection.end()
    #expect(server.end().status == 0)
    #expect(try Ledger(StoreReader.snapshot(directory: directory)).ids == ["last"])
  }
}
