import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Foundation
import Testing

@testable import FarthingServer

/// Makes hooks and orders for them.
enum HookBench {
  static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  static let masterKey = "sk-geheimer-schluessel"

  static func hook(
    _ kind: HookSettings.Kind, _ change: (inout HookSettings) -> Void
  ) throws -> any IsolationHook {
    var settings = HookSettings(name: "gate", kind: kind)
    change(&settings)
    let made = IsolationHooks.make(
      [settings], clock: { 1_795_000_000_000_000_000 },
      environment: {
        ["HOOK_SECRET": secret, "MASTER_KEY": masterKey, "HOOK_URL": "http://127.0.0.1:1/x"][$0]
      }, version: "test")
    return try #require(made.first)
  }

  static func order(
    _ verb: IsolationOrder.Verb = .apply, _ value: String = "svc-search", tenant: String? = nil,
    dimension: IsolationTarget.Dimension = .identity, action: IsolationAction = .isolate
  ) -> IsolationOrder {
    IsolationOrder(
      id: "iso_1.\(verb.rawValue)", isolation: "iso_1", alert: "inc_1", verb: verb,
      target: IsolationTarget(dimension: dimension, value: value, tenant: tenant), action: action,
      releaseAt: 1_795_000_600_000_000_000, reason: "it burns $40 an hour")
  }
}

@Suite("Hooks that call out", .serialized)
struct HookTests {
  private func webhook(
    _ port: Int, _ change: (inout HookSettings) -> Void = { _ in }
  ) throws -> any IsolationHook {
    try HookBench.hook(.webhook) {
      $0.url = "http://127.0.0.1:\(port)/gate/geheimnis"
      $0.secret = .environment("HOOK_SECRET")
      $0.allowsLoopback = true
      change(&$0)
    }
  }

  @Test func `a webhook is signed, and each attempt of an order has its id and its bytes`()
    async throws
  {
    let receiver = try await TestReceiver { .status($0 == 0 ? 503 : 204) }
    let hook = try webhook(receiver.port)
    let first = await hook.perform(HookBench.order())
    #expect(
      first == .unreachable(evidence: "POST http://127.0.0.1:\(receiver.port): status 503"))
    let second = await hook.perform(HookBench.order())
    #expect(second == .done(evidence: "POST http://127.0.0.1:\(receiver.port): status 204"))
    let calls = receiver.calls
    #expect(calls.map { $0.fields["webhook-id"] } == ["iso_1.apply", "iso_1.apply"])
    #expect(calls[0].body == calls[1].body && calls[0].target == "/gate/geheimnis")
    let expected = WebhookKeys(HookBench.secret)?.fields(
      id: "iso_1.apply", time: 1_795_000_000, body: calls[0].body)
    #expect(calls[0].fields["webhook-signature"] == expected?.last?.value)
    await receiver.close()
  }

  @Test func `a probe is what the webhook says of it, and silence is no yes`() async throws {
    let bodies = ["{\"in_force\":true}", "{\"in_force\":false}", "", "yes", "{\"in_force\":null}"]
    let receiver = try await TestReceiver { .status(200, body: Array(bodies[$0].utf8)) }
    let hook = try webhook(receiver.port)
    for number in bodies.indices {
      let answer = await hook.perform(HookBench.order(.probe))
      switch (number, answer) {
      case (0, .done), (1, .notInForce), (2..., .refused): break
      default: Issue.record("\(bodies[number]) became \(answer)")
      }
    }
    await receiver.close()
  }

  @Test func `no secret that an answer repeats is kept as evidence, however long it is`()
    async throws
  {
    let body =
      Array("key \(HookBench.secret) at /gate/geheimnis\u{1B}[2J\n".utf8)
      + [UInt8](repeating: 0x20, count: 5 << 20)
    let receiver = try await TestReceiver { _ in .status(400, body: body) }
    let answer = await (try webhook(receiver.port)).perform(HookBench.order())
    guard case .refused(let evidence) = answer else {
      Issue.record("400 became \(answer)")
      return
    }
    #expect(evidence.contains("status 400: key (withheld) at (withheld)"))
    #expect(!evidence.contains("geheimnis") && !evidence.contains("MfKQ") && evidence.count < 400)
    await receiver.close()
  }

  @Test func `what never answers is given up in its time, and may be tried again`() async throws {
    for behaviour in [TestReceiver.Behaviour.hangs, .drips, .resets] {
      let receiver = try await TestReceiver { _ in behaviour }
      let hook = try webhook(receiver.port) { $0.timeout = .seconds(1) }
      let start = HostProcess.monotonic()
      let answer = await hook.perform(HookBench.order())
      #expect(HostProcess.monotonic() - start < 8_000_000_000)
      guard case .unreachable = answer else {
        Issue.record("\(behaviour) became \(answer)")
        return
      }
      await receiver.close()
    }
  }

  @Test func `a redirect is refused and not followed`() async throws {
    let target = try await TestReceiver()
    let receiver = try await TestReceiver { [port = target.port] _ in
      .status(307, fields: [("Location", "http://127.0.0.1:\(port)/")])
    }
    let answer = await (try webhook(receiver.port)).perform(HookBench.order())
    guard case .refused = answer else {
      Issue.record("a redirect became \(answer)")
      return
    }
    #expect(target.connections == 0)
    await target.close()
    await receiver.close()
  }

  @Test(arguments: [HookSettings.Kind.webhook, .litellm])
  func `what must not be called is not, however it is spelled`(kind: HookSettings.Kind) async throws
  {
    let receiver = try await TestReceiver(host: "0.0.0.0")
    #expect(ForbiddenHosts.all.count == 60)
    for host in ForbiddenHosts.all {
      let hook = try HookBench.hook(kind) {
        $0.url = "http://\(host):\(receiver.port)/latest/meta-data"
        $0.secret = .environment(kind == .litellm ? "MASTER_KEY" : "HOOK_SECRET")
        $0.timeout = .seconds(2)
      }
      switch await hook.perform(HookBench.order()) {
      case .refused, .unreachable: break
      case .done, .notInForce: Issue.record("\(host) was called")
      }
    }
    #expect(receiver.connections == 0)
    await receiver.close()
  }

  @Test func `a missing secret or a wrong one calls nobody`() async throws {
    let receiver = try await TestReceiver()
    for source in [SecretSource.environment("NONE"), .file("/nowhere"), .environment("HOOK_URL")] {
      let hook = try webhook(receiver.port) { $0.secret = source }
      guard case .unreachable(let evidence) = await hook.perform(HookBench.order()) else {
        Issue.record("\(source) was enough")
        continue
      }
      #expect(evidence.contains("secret"))
    }
    #expect(receiver.connections == 0)
    await receiver.close()
  }

  // MARK: LiteLLM

  @Test func `LiteLLM is asked for the alias's key, which is then blocked`() async throws {
    let hash = String(repeating: "ab", count: 32)
    let list = "{\"keys\":[{\"token\":\"\(hash)\",\"key_alias\":\"svc-search\"}],\"total_pages\":1}"
    let receiver = try await TestReceiver {
      .status(200, body: Array(($0 == 0 ? list : "{\"blocked\":true}").utf8))
    }
    let hook = try HookBench.hook(.litellm) {
      $0.url = "http://127.0.0.1:\(receiver.port)/proxy/"
      $0.secret = .environment("MASTER_KEY")
      $0.allowsLoopback = true
    }
    #expect(hook.supports(.isolate, on: .identity))
    #expect(!hook.supports(.throttle(callsPerMinute: 5), on: .identity))
    #expect(!hook.supports(.isolate, on: .endpoint))
    let answer = await hook.perform(HookBench.order())
    #expect(
      answer
        == .done(
          evidence: "POST http://127.0.0.1:\(receiver.port)/key/block: status 200: key abababab…"))
    let calls = receiver.calls
    #expect(
      calls.map(\.target) == [
        "/proxy/key/list?return_full_object=true&size=100&key_alias=svc-search", "/proxy/key/block",
      ])
    #expect(calls.allSatisfy { $0.fields["authorization"] == "Bearer \(HookBench.masterKey)" })
    #expect(calls[1].body == Array("{\"key\":\"\(hash)\"}".utf8))
    await receiver.close()
  }

  @Test func `no alias, two of one, and rubbish block nobody`() async throws {
    let key = "{\"token\":\"\(String(repeating: "a", count: 64))\",\"key_alias\":\"svc-search\"}"
    for answer in ["{\"keys\":[]}", "{\"keys\":[\(key),\(key)]}", "", "<html>", "[1"] {
      let receiver = try await TestReceiver { _ in .status(200, body: Array(answer.utf8)) }
      let hook = try HookBench.hook(.litellm) {
        $0.url = "http://127.0.0.1:\(receiver.port)"
        $0.secret = .environment("MASTER_KEY")
        $0.allowsLoopback = true
      }
      let found = await hook.perform(HookBench.order())
      guard case .refused = found else {
        Issue.record("\(answer) became \(found)")
        return
      }
      #expect(receiver.calls.count == 1)
      await receiver.close()
    }
  }

  @Test func `neither the master key nor a key that is an identity is in evidence`() async throws {
    let key = "sk-gestohlen-1234567890"
    let receiver = try await TestReceiver { _ in
      .status(401, body: Array("no \(HookBench.masterKey), no \(key)".utf8))
    }
    let hook = try HookBench.hook(.litellm) {
      $0.url = "http://127.0.0.1:\(receiver.port)"
      $0.secret = .environment("MASTER_KEY")
      $0.allowsLoopback = true
    }
    for verb in [IsolationOrder.Verb.apply, .release, .probe] {
      let evidence = await hook.perform(HookBench.order(verb, key)).evidence
      #expect(evidence.hasSuffix(": status 401: no (withheld), no (withheld)"), "\(evidence)")
    }
    #expect(!receiver.calls.contains { $0.target.contains(key) })
    await receiver.close()
  }

  // MARK: Commands

  @Test func `a command's status is the answer, and it has neither shell nor environment`()
    async throws
  {
    let folder = try TemporaryDirectory()
    func exec(_ script: String) throws -> any IsolationHook {
      try HookBench.hook(.exec) {
        $0.command = ["/bin/sh", "-c", script, "{{verb}}", "{{identity}}"]
      }
    }
    let value = "$(touch \(folder.path)/pwned); `id` \"x\" ${HOME} é"
    let hook = try exec(
      "cat > \(folder.path)/json; env > \(folder.path)/env; printf %s \"$1\" > \(folder.path)/value; echo \"$0\""
    )
    #expect(
      await hook.perform(HookBench.order(.apply, value))
        == .done(evidence: "/bin/sh: exit status 0: apply "))
    #expect(try String(contentsOfFile: "\(folder.path)/value", encoding: .utf8) == value)
    let environment = try String(contentsOfFile: "\(folder.path)/env", encoding: .utf8)
    let names = Set(
      environment.split(separator: "\n").compactMap { $0.split(separator: "=").first })
    #expect(names.isSubset(of: ["PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"]))
    let json = try Data(contentsOf: URL(filePath: "\(folder.path)/json"))
    #expect(Array(json) == OrderJSON.body(HookBench.order(.apply, value)))
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/pwned"))
    for (status, verb) in [(1, IsolationOrder.Verb.apply), (75, .apply), (3, .probe)] {
      let answer = await (try exec("exit \(status)")).perform(HookBench.order(verb))
      guard case .unreachable = answer else {
        Issue.record("\(status) became \(answer)")
        continue
      }
    }
    guard case .refused = await (try exec("exit 65")).perform(HookBench.order()),
      case .notInForce = await (try exec("exit 1")).perform(HookBench.order(.probe))
    else {
      Issue.record("65 is no refusal, or 1 of a probe something else than not in force")
      return
    }
  }

  @Test func `a command that goes on or talks without end is ended in its time`() async throws {
    for script in ["while :; do :; done", "yes", "trap '' TERM INT; cat /dev/zero"] {
      let hook = try HookBench.hook(.exec) {
        $0.command = ["/bin/sh", "-c", script]
        $0.timeout = .seconds(1)
      }
      let start = HostProcess.monotonic()
      guard case .unreachable(let evidence) = await hook.perform(HookBench.order()) else {
        Issue.record("\(script) ended by itself")
        continue
      }
      #expect(evidence.contains("longer than 1 s") && evidence.count < 400)
      #expect(HostProcess.monotonic() - start < 8_000_000_000)
    }
  }

  @Test func `a hook is called for the dimensions that it is meant for`() throws {
    let hook = try HookBench.hook(.exec) {
      $0.command = ["/bin/true"]
      $0.dimensions = [.endpoint]
    }
    #expect(hook.supports(.isolate, on: .endpoint) && !hook.supports(.isolate, on: .identity))
  }
}
