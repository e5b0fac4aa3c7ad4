import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Foundation
import Testing

@testable import FarthingServer

/// A program of this machine that a test needs.
enum Program {
  static func isThere(_ path: String) -> Bool { FileManager.default.isExecutableFile(atPath: path) }
  static let haproxy = "/usr/sbin/haproxy"
  static let kubectl = "/usr/bin/kubectl"
}

/// A real HAProxy that asks two maps about each call's identity, and has a backend of two servers.
private final class HAProxy {
  let folder: TemporaryDirectory
  private let process = Process()
  let port: Int
  var socket: String { folder.path + "/admin.sock" }
  var map: String { folder.path + "/isolated.map" }
  var degraded: String { folder.path + "/degraded.map" }

  init() async throws {
    folder = try TemporaryDirectory()
    let chosen = try await TestReceiver()
    port = chosen.port
    await chosen.close()
    try Data().write(to: URL(filePath: folder.path + "/isolated.map"))
    try Data().write(to: URL(filePath: folder.path + "/degraded.map"))
    let text = """
      global
        stats socket \(folder.path)/admin.sock mode 600 level admin
      defaults
        mode http
        timeout connect 5s
        timeout client 30s
        timeout server 30s
      frontend models
        bind 127.0.0.1:\(port)
        http-request deny deny_status 403 if { req.hdr(x-identity),map_str(\(folder.path)/isolated.map) -m found }
        http-request return status 200 hdr x-model %[req.hdr(x-identity),map_str(\(folder.path)/degraded.map,none)]
      backend pool
        server gpu-1 127.0.0.1:1
        server gpu-2 127.0.0.1:2

      """
    try Data(text.utf8).write(to: URL(filePath: folder.path + "/haproxy.cfg"))
    process.executableURL = URL(filePath: Program.haproxy)
    process.arguments = ["-f", folder.path + "/haproxy.cfg", "-db", "-q"]
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, await call("") == nil { await Task.yield() }
  }

  func end() {
    process.terminate()
    process.waitUntilExit()
  }

  /// A call's status and the model that answers it.
  func call(_ identity: String) async -> (status: Int, model: String?)? {
    guard let connection = try? await TestConnection(port: port) else { return nil }
    await connection.send(
      "GET / HTTP/1.1\r\nHost: models\r\nX-Identity: \(identity)\r\nConnection: close\r\n\r\n")
    guard let reply = await connection.reply() else { return nil }
    await connection.close()
    return (reply.status, reply.headers["x-model"])
  }

  func hook(_ place: String? = nil) throws -> any IsolationHook {
    try HookBench.hook(.haproxy) {
      $0.socket = place ?? socket
      $0.maps = ["identity": map, "identity_degrade": degraded, "endpoint_server": "pool"]
    }
  }
}

@Suite(
  "HAProxy's runtime interface", .serialized,
  .enabled(if: Program.isThere(Program.haproxy), "haproxy is not installed"))
struct HAProxyHookTests {
  @Test func `an identity is cut off, found cut off, and given back`() async throws {
    let proxy = try await HAProxy()
    defer { proxy.end() }
    let hook = try proxy.hook()
    #expect(await proxy.call("svc-search")?.status == 200)
    guard case .notInForce = await hook.perform(HookBench.order(.probe)) else {
      Issue.record("what is not cut off is said to be")
      return
    }
    // The same order again, as after a lost answer, makes no second entry.
    for _ in 0..<2 {
      let answer = await hook.perform(HookBench.order())
      guard case .done = answer else {
        Issue.record("it was not entered: \(answer)")
        return
      }
    }
    #expect(await proxy.call("svc-search")?.status == 403)
    #expect(await proxy.call("svc-other")?.status == 200)
    guard case .done(let said) = await hook.perform(HookBench.order(.probe)) else {
      Issue.record("what is cut off is said not to be")
      return
    }
    #expect(said.contains("found=yes"))
    for _ in 0..<2 {
      guard case .done = await hook.perform(HookBench.order(.release)) else {
        Issue.record("it was not given back")
        return
      }
    }
    #expect(await proxy.call("svc-search")?.status == 200)
  }

  @Test func `a degraded identity goes on with the model that is named`() async throws {
    let proxy = try await HAProxy()
    defer { proxy.end() }
    let hook = try proxy.hook()
    #expect(hook.supports(.degrade(model: nil), on: .identity))
    #expect(!hook.supports(.throttle(callsPerMinute: 1), on: .identity))
    let order = HookBench.order(action: .degrade(model: "gpt-4o-mini"))
    guard case .done = await hook.perform(order) else {
      Issue.record("it was not entered")
      return
    }
    let call = await proxy.call("svc-search")
    #expect(call?.status == 200 && call?.model == "gpt-4o-mini")
    #expect(await proxy.call("svc-other")?.model == "none")
  }

  @Test func `a server is taken out, but never the last one`() async throws {
    let proxy = try await HAProxy()
    defer { proxy.end() }
    let hook = try proxy.hook()
    func answer(_ verb: IsolationOrder.Verb, _ name: String) async -> HookAnswer {
      await hook.perform(HookBench.order(verb, name, dimension: .endpoint))
    }
    guard case .notInForce = await answer(.probe, "gpu-1"),
      case .done = await answer(.apply, "gpu-1"),
      case .done = await answer(.probe, "gpu-1")
    else {
      Issue.record("gpu-1 was not taken out")
      return
    }
    guard case .refused(let said) = await answer(.apply, "gpu-2") else {
      Issue.record("the last one was taken out")
      return
    }
    #expect(said.hasSuffix("no other server of the backend would take its calls"))
    guard case .refused = await answer(.apply, "gpu-9"),
      case .done = await answer(.release, "gpu-1"),
      case .notInForce = await answer(.probe, "gpu-1")
    else {
      Issue.record("gpu-1 was not given back, or gpu-9 found")
      return
    }
  }

  @Test func `hostile values change nothing in HAProxy`() async throws {
    let proxy = try await HAProxy()
    defer { proxy.end() }
    let hook = try proxy.hook()
    for value in [
      "x;add map \(proxy.map) svc-search isolate", "x\nadd map \(proxy.map) svc-search isolate",
      "svc-search isolate", "#0x0", "<<", "@1 show info", "x\\ y", "\"svc-search\"",
      String(repeating: "y", count: 100_000),
    ] {
      for verb in [IsolationOrder.Verb.apply, .release, .probe] {
        guard case .refused = await hook.perform(HookBench.order(verb, value)) else {
          Issue.record("\(value.prefix(40)) was sent")
          continue
        }
      }
    }
    #expect(await proxy.call("svc-search")?.status == 200)
  }

  @Test func `a socket that is not there, of another machine, or silent is not waited for`()
    async throws
  {
    let proxy = try await HAProxy()
    defer { proxy.end() }
    guard case .unreachable = await (try proxy.hook("/nowhere.sock")).perform(HookBench.order())
    else {
      Issue.record("a socket that is not there answers")
      return
    }
    for place in [
      "192.0.2.1:9999", "haproxy.example.com:9999", "relative.sock", "", "169.254.169.254:80",
    ] {
      guard case .refused = await (try proxy.hook(place)).perform(HookBench.order()) else {
        Issue.record("\(place) was called")
        continue
      }
    }
    let silent = try await TestReceiver { _ in .hangs }
    let hook = try HookBench.hook(.haproxy) {
      $0.socket = "127.0.0.1:\(silent.port)"
      $0.maps = ["identity": "m"]
      $0.timeout = .seconds(1)
    }
    switch await hook.perform(HookBench.order()) {
    case .unreachable, .refused: break
    case .done, .notInForce: Issue.record("what is no HAProxy is believed")
    }
    await silent.close()
  }
}

@Suite(
  "Policies by kubectl", .serialized,
  .enabled(if: Program.isThere(Program.kubectl), "kubectl is not installed"))
struct KubernetesHookTests {
  /// Only this machine's `kubectl` is here and no cluster; it decodes the policy as its own type, which a wrong
  /// type of a field does not pass.
  @Test func `kubectl reads the policy as one`() throws {
    let policy = try NetworkPolicyText(
      HookBench.order(), kind: .network, namespace: "models", labels: ["identity": "app"])
    func read(_ text: String) throws -> ChildProcess.Outcome {
      try ChildProcess.run(
        [Program.kubectl, "set", "image", "--local", "--filename", "-", "a=b", "--output", "json"],
        environment: [("HOME", "/nonexistent")], input: Array(text.utf8), milliseconds: 30_000)
    }
    let said = String(decoding: try read(policy.yaml).output, as: UTF8.self)
    #expect(!said.contains("unable to decode"), "\(said)")
    let broken = policy.yaml.replacingOccurrences(of: "\"svc-search\"", with: "[1]")
    let refused = String(decoding: try read(broken).output, as: UTF8.self)
    #expect(refused.contains("unable to decode"), "\(refused)")
  }

  @Test func `without a cluster it is to be tried again, and says so`() async throws {
    let folder = try TemporaryDirectory()
    let config = """
      apiVersion: v1
      kind: Config
      clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
      contexts: [{name: c, context: {cluster: c, user: ""}}]
      current-context: c

      """
    try Data(config.utf8).write(to: URL(filePath: folder.path + "/config"))
    let hook = try HookBench.hook(.kubernetes) {
      $0.command = [Program.kubectl, "--kubeconfig", folder.path + "/config"]
      $0.labels = ["identity": "app"]
      $0.timeout = .seconds(20)
    }
    #expect(hook.supports(.isolate, on: .identity) && !hook.supports(.isolate, on: .site))
    for verb in [IsolationOrder.Verb.apply, .release, .probe] {
      let answer = await hook.perform(HookBench.order(verb))
      guard case .unreachable(let evidence) = answer else {
        Issue.record("\(verb) became \(answer)")
        continue
      }
      #expect(evidence.contains("kubectl") && evidence.contains("refused"), "\(evidence)")
    }
  }

  @Test func `a target that is no label's value reaches no kubectl`() async throws {
    let hook = try HookBench.hook(.kubernetes) {
      $0.command = ["/bin/false"]
      $0.labels = ["identity": "app"]
    }
    for value in ["a b", "a\n  - b", "", "a: b", "é", "--all"] where !value.isEmpty {
      guard case .refused(let evidence) = await hook.perform(HookBench.order(.apply, value)) else {
        Issue.record("\(value) was taken")
        continue
      }
      #expect(evidence == "the identity is no value that a label can have")
    }
  }
}
