import FarthingCore
import FarthingDetection
import FarthingPipeline
import FarthingStore
import Synchronization
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(5))) struct `Calls about isolations` {
  private final class RecordingHook: IsolationHook {
    let name = "h"
    let orders = Mutex<[IsolationOrder]>([])

    func supports(_ action: IsolationAction, on dimension: IsolationTarget.Dimension) -> Bool {
      action == .isolate
    }

    func perform(_ order: IsolationOrder) async -> HookAnswer {
      orders.withLock { $0.append(order) }
      return .done(evidence: "noted")
    }
  }

  private static func attack(_ identity: String, id: String) -> Incident {
    let now = HostProcess.now()
    return Incident(
      id: id, kind: .denialOfWallet, severity: .critical, metric: "cost",
      dimensions: [DimensionValue(dimension: "identity", value: identity)], startedAt: now,
      detectedAt: now, usdPerHour: 500, summary: "\(identity) spends 26 times what it does",
      isContainable: true)
  }

  private func withIsolations(
    _ settings: IsolationSettings,
    _ body: (TestServer, IsolationService, RecordingHook) async throws -> Void
  ) async throws {
    let server = try await TestServer(opensStore: false)
    let alerts = AlertService(
      try AlertDesk(
        directory: server.directory, settings: AlertingSettings(), now: HostProcess.now()),
      around: AlertService.Surroundings(
        clock: { HostProcess.now() }, pause: {}, environment: { _ in nil }, warn: { _ in },
        version: "test"))
    await alerts.start(ticks: false)
    let hook = RecordingHook()
    let service = try IsolationService(
      directory: server.directory, settings: settings, alerts: alerts,
      around: IsolationService.Surroundings(
        now: { IsolationTime(wall: HostProcess.now(), monotonic: HostProcess.monotonic()) },
        pause: {}, hooks: { $0.isEmpty ? [] : [hook] }, warn: { _ in }))
    await service.start(ticks: false)
    server.server.serve(
      server.writer, book: try PriceBook(lists: []), alerts: alerts, isolations: service)
    let lines = (0..<20).map { number in
      "{\"time\":\(HostProcess.now() - 1_000_000_000),\"identity\":\"svc-\(number)\",\"model\":\"gpt-4o\",\"input_tokens\":1}"
    }
    let decoded = BodyDecoder(
      book: try PriceBook(lists: []), listedErrors: 1, now: HostProcess.now()
    ).decode(Array(lines.joined(separator: "\n").utf8), now: HostProcess.now())
    let batch = try #require(decoded.batches.first)
    service.population.observe(batch, Array(0..<20), now: HostProcess.now())
    try await body(server, service, hook)
    await service.stop()
    await alerts.stop()
    try await server.stop()
  }

  private func enforced(hooks: [String] = []) -> IsolationSettings {
    var settings = IsolationSettings()
    settings.mode = .enforced
    settings.hooks = hooks.map { HookSettings(name: $0, kind: .exec) }
    return settings
  }

  private func root(_ reply: WireReply) throws -> JSONValue { try JSONTree(reply.body).root }

  private func decide(_ server: TestServer, _ headers: String...) async throws -> WireReply {
    try await server.call("GET", "/v1/decision", headers: headers)
  }

  @Test func `an attacker is answered 403 as soon as the incident is taken, others never`()
    async throws
  {
    try await withIsolations(enforced()) { server, service, _ in
      #expect(try await decide(server, "X-Farthing-Identity: svc-7").status == 204)
      await service.take([.fired(Self.attack("svc-7", id: "inc-1"))])
      let refused = try await decide(
        server, "X-Farthing-Identity: svc-7", "X-Farthing-Endpoint: e1")
      #expect(refused.status == 403)
      #expect(try root(refused)["error.code"]?.text == "isolated")
      #expect(refused.headers["x-farthing-isolation"]?.hasPrefix("iso-") == true)
      // Nobody hides behind a second header, in whatever letters, and no tenant is any tenant.
      let hidden = try await decide(
        server, "x-farthing-identity: svc-1", "X-FARTHING-IDENTITY: svc-7")
      #expect(hidden.status == 403)
      for headers in [
        "X-Farthing-Identity: svc-6", "X-Farthing-Identity: svc-70", "X-Farthing-Identity:",
        "X-Farthing-Endpoint: svc-7", "X-Other: svc-7",
      ] {
        #expect(try await decide(server, headers).status == 204, "\(headers)")
      }
      #expect(try await server.call("GET", "/v1/decision").status == 204)
      #expect(try await server.call("POST", "/v1/decision?allow=200").status == 200)
      #expect(try await server.call("GET", "/v1/decision?allow=201").status == 400)
    }
  }

  @Test func `it is listed as the contract says, and says why`() async throws {
    try await withIsolations(enforced()) { server, service, _ in
      await service.take([.fired(Self.attack("svc-7", id: "inc-1"))])
      let list = try root(try await server.call("GET", "/v1/isolations"))
      let one = try #require(list.elements.first)
      #expect(
        one.keys == [
          "id", "alert", "target", "action", "mode", "status", "started_at", "effective_at",
          "release_at", "released_at", "why",
        ])
      #expect(one["alert"]?.text == "inc-1" && one["target.identity"]?.text == "svc-7")
      #expect(one["action"]?.text == "isolate" && one["mode"]?.text == "enforced")
      let why = (one["why"]?.elements ?? []).compactMap(\.text)
      #expect(why.first == "svc-7 spends 26 times what it does")
      for guardrail in Guardrail.allCases {
        #expect(why.contains { $0.hasPrefix("Guardrail \(guardrail.rawValue) holds: ") })
      }
      #expect(why.contains { $0.hasPrefix("Policy denial-of-wallet: isolate identity svc-7") })
      let id = try #require(one["id"]?.text)
      let shown = try root(try await server.call("GET", "/v1/isolations/\(id.prefix(9))"))
      #expect(shown["isolation.id"]?.text == id && shown["incident.id"]?.text == "inc-1")
      #expect(shown["audit"]?.elements.first?["event"]?.text == "started")
      for target in [
        "/v1/isolations?status=open", "/v1/isolations?since=x", "/v1/isolations?limit=0",
        "/v1/isolations?a=b", "/v1/isolations/verify?head=1",
      ] {
        #expect(try await server.call("GET", target).status == 400, "\(target)")
      }
      #expect(try await server.call("GET", "/v1/isolations/iso-none").status == 404)
    }
  }

  @Test func `a release gives it back at once, and again changes nothing`() async throws {
    try await withIsolations(enforced()) { server, service, _ in
      await service.take([.fired(Self.attack("svc-7", id: "inc-1"))])
      let list = try root(try await server.call("GET", "/v1/isolations"))
      let id = try #require(list.elements.first?["id"]?.text)
      let released = try await server.call("POST", "/v1/isolations/\(id)/release")
      #expect(released.status == 200)
      #expect(try root(released)["isolation.status"]?.text == "released")
      #expect(try await decide(server, "X-Farthing-Identity: svc-7").status == 204)
      #expect(try await server.call("POST", "/v1/isolations/\(id)/release").status == 200)
      #expect(try await server.call("POST", "/v1/isolations/\(id)/approve").status == 404)
      #expect(try await server.call("POST", "/v1/isolations/nope/release").status == 404)
      await service.take([.updated(Self.attack("svc-7", id: "inc-1"))])
      #expect(try await decide(server, "X-Farthing-Identity: svc-7").status == 204)
    }
  }

  @Test func `the kill switch ends everything within a second, at hooks too`() async throws {
    try await withIsolations(enforced(hooks: ["h"])) { server, service, hook in
      // The quickest of three: that other tests hold the processors at times is no delay of the switch.
      var quickest = Int64.max
      for identity in ["svc-7", "svc-6", "svc-5"] where quickest >= 1_000_000_000 {
        #expect(try await server.call("POST", "/v1/isolations/on").status == 200)
        await service.take([.fired(Self.attack(identity, id: "inc-\(identity)"))])
        #expect(try await decide(server, "X-Farthing-Identity: \(identity)").status == 403)
        func isDone(_ verb: IsolationOrder.Verb) -> Bool {
          hook.orders.withLock { $0.contains { $0.verb == verb && $0.target.value == identity } }
        }
        while !isDone(.apply) { await Task.yield() }
        let start = HostProcess.monotonic()
        let state = try await server.call("POST", "/v1/isolations/off")
        #expect(try root(state)["isolations"]?.text == "off")
        #expect(try await decide(server, "X-Farthing-Identity: \(identity)").status == 204)
        while !isDone(.release) { await Task.yield() }
        quickest = min(quickest, HostProcess.monotonic() - start)
      }
      #expect(quickest < 1_000_000_000)
      await service.take([.fired(Self.attack("svc-8", id: "inc-2"))])
      #expect(try await decide(server, "X-Farthing-Identity: svc-8").status == 204)
      #expect(try await server.call("POST", "/v1/isolations/on").status == 200)
      await service.take([.fired(Self.attack("svc-9", id: "inc-3"))])
      #expect(try await decide(server, "X-Farthing-Identity: svc-9").status == 403)
      let ids = hook.orders.withLock { $0.map { "\($0.id)" } }
      #expect(Set(ids).count == ids.count)
    }
  }

  @Test func `a person isolates, throttles and degrades by hand`() async throws {
    try await withIsolations(enforced()) { server, _, _ in
      func add(_ body: String) async throws -> WireReply {
        try await server.call("POST", "/v1/isolations", Array(body.utf8))
      }
      #expect(
        try await add(
          "{\"target\":{\"identity\":\"a\"},\"action\":\"throttle\",\"calls_per_minute\":6}"
        ).status == 200)
      let answers = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<15 {
          group.addTask { try await decide(server, "X-Farthing-Identity: a").status }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(answers.contains(204) && answers.contains(429))
      let throttled = try await decide(server, "X-Farthing-Identity: a")
      #expect(
        throttled.status == 429
          && (1...10).contains(Int(throttled.headers["retry-after"] ?? "") ?? 0))
      _ = try await add(
        "{\"target\":{\"identity\":\"b\",\"tenant\":\"t\"},\"action\":\"degrade\","
          + "\"degrade_model\":\"small\"}"
      )
      let degraded = try await decide(server, "X-Farthing-Identity: b", "X-Farthing-Tenant: t")
      #expect(degraded.status == 204 && degraded.headers["x-farthing-action"] == "degrade")
      #expect(degraded.headers["x-farthing-model"] == "small")
      let other = try await decide(server, "X-Farthing-Identity: b", "X-Farthing-Tenant: u")
      #expect(other.status == 204 && other.headers["x-farthing-action"] == nil)
      for body in [
        "{}", "[]", "{\"target\":{}}", "{\"target\":{\"identity\":\"\"}}",
        "{\"target\":{\"identity\":\"a\",\"site\":\"b\"}}",
        "{\"target\":{\"identity\":\"a\"},\"duration\":\"0s\"}",
        "{\"target\":{\"identity\":\"a\"},\"action\":\"burn\"}",
        "{\"target\":{\"identity\":{}}}",
        "{\"target\":{\"identity\":\"a\"},\"calls_per_minute\":0}",
      ] {
        #expect(try await add(body).status == 400, "\(body)")
      }
      // The last endpoint, and one that is isolated already.
      #expect(try await add("{\"target\":{\"endpoint\":\"e\"}}").status == 409)
      #expect(try await add("{\"target\":{\"identity\":\"b\"}}").status == 409)
    }
  }

  @Test func `what is in force is so after a restart, and figures are counted`() async throws {
    try await withIsolations(enforced()) { server, service, _ in
      await service.take([.fired(Self.attack("svc-7", id: "inc-1"))])
      let decisions = DecisionDesk()
      let again = try IsolationDesk(
        directory: server.directory, settings: enforced(),
        population: PopulationShelf(window: .seconds(3600)), decisions: decisions,
        now: IsolationTime(wall: HostProcess.now(), monotonic: HostProcess.monotonic()))
      var call = DecisionCall()
      call.identities = ["svc-7"]
      let answer = decisions.decide(call, now: HostProcess.monotonic())
      guard case .isolated = answer else {
        Issue.record("\(answer)")
        return
      }
      _ = again
      let page = try await server.call("GET", "/metrics").text
      for line in [
        "farthing_isolations{action=\"isolate\",mode=\"enforced\",status=\"active\"} 1",
        "farthing_isolations_started_total{action=\"isolate\",mode=\"enforced\"} 1",
        "farthing_isolations_off 0", "farthing_isolation_audit_entries 1",
      ] {
        #expect(page.contains(line), "\(line)")
      }
      let checked = try root(try await server.call("GET", "/v1/isolations/verify"))
      #expect(checked["intact"]?.boolean == true && checked["entries"]?.integer == 1)
    }
  }
}
