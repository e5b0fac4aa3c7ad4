import FarthingCore
import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Foundation
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(20))) struct `Notifications of a killed server` {
  /// 12, or what `FARTHING_ALERT_KILLS` says.
  private static let rounds =
    HostProcess.environment("FARTHING_ALERT_KILLS").flatMap { Int($0) } ?? 12

  private static func configuration(_ port: Int, in folder: TemporaryDirectory) throws -> String {
    let file = folder.path + "/farthing.yaml"
    let text = """
      detection:
        enabled: false
      alerting:
        receivers:
          - name: ops
            type: webhook
            url: http://127.0.0.1:\(port)/hook
            secret_env: HOOK_SECRET
            allow_loopback: true
      """
    try HostProcess.replaceFile(file, with: Array(text.utf8))
    return file
  }

  /// The ids of all notifications that ever became durable: those that wait and those of receipts.
  private static func notifications(in directory: String) throws -> Set<String> {
    try LedgerReader.reading(directory: directory) { (reader) throws(StoreError) in
      Set(try reader.messages().map(\.id) + reader.receipts(limit: 100_000).map(\.message))
    } ?? []
  }

  @Test func `all arrive, each signed, over a receiver that fails, hangs and resets`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let directory = folder.path + "/store"
    let receiver = try await TestReceiver { number in
      switch number % 4 {
      case 0: .status(503)
      case 1: .resets
      case 2: .hangs
      default: .status(200)
      }
    }
    let file = try Self.configuration(receiver.port, in: folder)
    let words = [
      "serve", "--listen", "127.0.0.1:0", "--data", directory, "--config", file,
    ]
    let secret = ["HOOK_SECRET": AlertBench.secret]
    var random = SystemRandomNumberGenerator()
    for round in 0..<Self.rounds {
      let server = try ServerProcess(words, environment: secret)
      try #require(server.port > 0, "round \(round): \(server.said)")
      let (port, kill) = (server.port, server.kill)
      let calls = Int.random(in: 1...3, using: &random)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<calls {
          group.addTask {
            // Answered once the first attempt is through; the kill comes before, or after.
            guard let connection = try? await TestConnection(port: port) else { return }
            await connection.send(TestServer.request("POST", "/v1/receivers/ops/test"))
            _ = await connection.reply()
          }
        }
        let seen = receiver.calls.count
        // One of a group is under way at a time, and one that hangs stays so.
        let goal = seen + Int.random(in: 0...1, using: &random)
        group.addTask {
          await receiver.waitForCalls(goal)
          kill()
        }
        await group.waitForAll()
      }
      _ = server.end()
    }
    let expected = try Self.notifications(in: directory)
    try #require(!expected.isEmpty)
    receiver.change { _ in .status(200) }
    let server = try ServerProcess(words, environment: secret)
    // Pauses after failures are some seconds, and the first delivery brings forward the rest.
    while !expected.isSubset(of: Set(receiver.taken.compactMap { $0.fields["webhook-id"] })) {
      await receiver.waitForTaken(receiver.taken.count + 1)
    }
    #expect(receiver.calls.allSatisfy(AlertBench.isSigned))
    server.terminate()
    _ = server.end()
    let left: Int? = try LedgerReader.reading(directory: directory) { (reader) throws(StoreError) in
      try reader.messages().count
    }
    #expect(left == 0)
    await receiver.close()
  }
}

@Suite(.timeLimit(.minutes(10))) struct `Detection of a running server` {
  private static func time(_ nanoseconds: Int64) -> String { InstantText.text(nanoseconds) }

  private static func request(_ identity: String, _ time: Int64, tokens: Int, id: String) -> String
  {
    "{\"time\":\"\(self.time(time))\",\"id\":\"\(id)\",\"model\":\"gpt-4o\",\"provider\":\"openai\","
      + "\"identity\":\"\(identity)\",\"workload\":\"search\",\"tenant\":\"acme\","
      + "\"input_tokens\":\(tokens),\"output_tokens\":100,\"status\":\"ok\"}"
  }

  private static func configuration(_ port: Int, in folder: TemporaryDirectory) throws -> String {
    let file = folder.path + "/farthing.yaml"
    let text = """
      alerting:
        receivers:
          - name: ops
            type: webhook
            url: http://127.0.0.1:\(port)/hook
            secret_env: HOOK_SECRET
            allow_loopback: true
      """
    try HostProcess.replaceFile(file, with: Array(text.utf8))
    return file
  }

  /// Two days of three identities that call every ten minutes, up to an hour ago.
  private static func history(_ now: Int64) -> [String] {
    let step = 10 * CivilTime.minute
    return (0..<288).flatMap { number -> [String] in
      let time = now - CivilTime.hour - Int64(288 - number) * step
      return (0..<3).map { identity in
        request(
          "svc-\(identity)", time + Int64(identity) * CivilTime.second, tokens: 2000,
          id: "h\(number)-\(identity)")
      }
    }
  }

  @Test func `tells of a stolen key within seconds, and once over a kill`() async throws {
    let folder = try TemporaryDirectory()
    let receiver = try await TestReceiver()
    let words = [
      "serve", "--listen", "127.0.0.1:0", "--data", folder.path + "/store", "--config",
      try Self.configuration(receiver.port, in: folder),
    ]
    let secret = ["HOOK_SECRET": AlertBench.secret]
    let now = HostProcess.now()
    var server = try ServerProcess(words, environment: secret)
    let first = try await TestConnection(port: server.port)
    for lines in [Self.history(now), [Self.request("svc-0", now, tokens: 2000, id: "n")]] {
      await first.send(
        TestServer.request("POST", "/v1/events", Array(lines.joined(separator: "\n").utf8)))
      #expect(await first.reply()?.status == 200)
    }
    await first.close()
    // What was not kept before the kill is learned from the store again.
    server.kill()
    _ = server.end()
    server = try ServerProcess(words, environment: secret)
    let connection = try await TestConnection(port: server.port)
    #expect(receiver.calls.isEmpty)
    let start = HostProcess.monotonic()
    var number = 0
    while receiver.taken.isEmpty, HostProcess.monotonic() - start < 120 * CivilTime.second {
      let lines = (0..<4).map { part in
        Self.request(
          "stolen", HostProcess.now(), tokens: 100_000, id: "a\(number)-\(part)")
      }
      number += 1
      await connection.send(
        TestServer.request("POST", "/v1/events", Array(lines.joined(separator: "\n").utf8)))
      #expect(await connection.reply()?.status == 200)
    }
    let seconds = (HostProcess.monotonic() - start) / CivilTime.second
    let call = try #require(receiver.taken.first)
    #expect(seconds <= 60)
    #expect(AlertBench.isSigned(call))
    let alert = try #require(try JSONTree(call.body).root["data.alerts"]?.elements.first)
    #expect(alert["kind"]?.text == "new_identity_spend")
    #expect(alert["dimensions.identity"]?.text == "stolen")
    server.terminate()
    _ = server.end()
    let rows: [AlertRow]? = try LedgerReader.reading(directory: folder.path + "/store") {
      (reader) throws(StoreError) in try reader.alerts()
    }
    #expect(rows?.count { $0.kind == "new_identity_spend" } == 1)
    await receiver.close()
  }
}
