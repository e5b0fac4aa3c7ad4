import FarthingCore
import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Foundation
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(5))) struct `Rules and budgets of a running server` {
  private let folder: TemporaryDirectory
  private var file: String { folder.path + "/farthing.yaml" }
  private var directory: String { folder.path + "/store" }

  init() throws { folder = try TemporaryDirectory() }

  private func configure(_ port: Int, watch: String) throws {
    let text = """
      detection: {enabled: false}
      alerting:
        receivers:
          - {name: ops, type: webhook, url: "http://127.0.0.1:\(port)/", allow_loopback: true}
        route: {receivers: [ops], group_by: [alertname, rule, budget], group_wait_s: 0, group_interval_s: 1}
      \(watch)
      """
    try HostProcess.replaceFile(file, with: Array(text.utf8))
  }

  private static let watch = """
    rules:
      - {name: busy, expr: requests > 2, window: 1h, interval: 1s, by: [workload]}
    budgets:
      - {name: month, amount: 0.01, period: month}
    """

  private func start() throws -> ServerProcess {
    let server = try ServerProcess(
      ["serve", "--listen", "127.0.0.1:0", "--data", directory, "--config", file])
    try #require(server.port > 0, "\(server.said)")
    return server
  }

  private func alerts(_ port: Int) async throws -> [[String: Any]] {
    let connection = try await TestConnection(port: port)
    await connection.send(TestServer.request("GET", "/v1/alerts"))
    let reply = try #require(await connection.reply())
    await connection.close()
    #expect(reply.status == 200)
    let object = try JSONSerialization.jsonObject(with: Data(reply.body))
    return try #require(object as? [[String: Any]])
  }

  private func post(_ port: Int, count: Int) async throws {
    let now = HostProcess.now() - CivilTime.minute * 2
    let events = (0..<count).map { number in
      "{\"time\":\(now + Int64(number)),\"model\":\"gpt-4o\",\"workload\":\"chat\","
        + "\"input_tokens\":9000,\"output_tokens\":900}"
    }
    let connection = try await TestConnection(port: port)
    let body = Array(events.joined(separator: "\n").utf8)
    await connection.send(TestServer.request("POST", "/v1/events", body))
    #expect(await connection.reply()?.status == 200)
    await connection.close()
  }

  @Test func `fire through to the webhook and the list, once over a kill, and end with their rule`()
    async throws
  {
    let receiver = try await TestReceiver()
    try configure(receiver.port, watch: Self.watch)
    var server = try start()
    try await post(server.port, count: 5)
    // The rule, and the budget at the next full minute.
    await receiver.waitForTaken(2)
    let found = try await alerts(server.port)
    #expect(Set(found.compactMap { $0["kind"] as? String }) == ["rule", "budget"])
    #expect(found.allSatisfy { $0["status"] as? String == "firing" })
    let rule = try #require(found.first { $0["kind"] as? String == "rule" })
    #expect(rule["dimensions"] as? [String: String] == ["workload": "chat"])
    server.kill()
    _ = server.end()
    server = try start()
    // The same ones go on; nothing is raised anew. What is taken away is over.
    let again = try await alerts(server.port)
    #expect(
      Set(again.compactMap { $0["id"] as? String }) == Set(found.compactMap { $0["id"] as? String })
    )
    try configure(receiver.port, watch: "")
    server.reload()
    await receiver.waitForTaken(4)
    let over = try await alerts(server.port)
    #expect(over.count == 2)
    #expect(over.allSatisfy { $0["status"] as? String == "resolved" })
    server.terminate()
    #expect(server.end().status == 0)
  }
}
