import FarthingCore
import FarthingDetection
import FarthingPipeline
import FarthingStore
import Testing

@testable import FarthingServer

@Suite("Calls about alerts")
struct AlertCallTests {
  private func withAlerts(
    _ body: (TestServer, AlertService) async throws -> Void
  ) async throws {
    let server = try await TestServer(opensStore: false)
    let service = AlertService(
      try AlertDesk(
        directory: server.directory, settings: AlertingSettings(), now: HostProcess.now()),
      around: AlertService.Surroundings(
        clock: { HostProcess.now() }, pause: {}, environment: { _ in nil }, warn: { _ in },
        version: "test"))
    await service.start(ticks: false)
    try server.serve(alerts: service)
    let now = HostProcess.now()
    try await service.take(
      ["aaaa1", "bbbb2"].map { .fired(AlertBench.incident($0, .critical, now)) })
    try await body(server, service)
    await service.stop()
    try await server.stop()
  }

  private func root(_ reply: WireReply) throws -> JSONValue { try JSONTree(reply.body).root }

  @Test func `alerts are listed, filtered and shown`() async throws {
    try await withAlerts { server, _ in
      let all = try root(try await server.call("GET", "/v1/alerts"))
      #expect(all.elements.map { $0["id"]?.text } == ["aaaa1", "bbbb2"])
      #expect(all.elements.first?["status"]?.text == "firing")
      #expect(all.elements.first?["dimensions.identity"]?.text == "svc-aaaa1")
      let one = try root(try await server.call("GET", "/v1/alerts?match=identity=~%22.*b2%22"))
      #expect(one.elements.count == 1)
      let none = try root(try await server.call("GET", "/v1/alerts?status=resolved&since=24h"))
      #expect(none.elements.isEmpty)
      let shown = try root(try await server.call("GET", "/v1/alerts/aaaa"))
      #expect(shown["alert.id"]?.text == "aaaa1")
      #expect(shown["history"]?.elements.map { $0["to"]?.text } == ["firing"])
      for target in [
        "/v1/alerts?status=open", "/v1/alerts?since=x", "/v1/alerts?limit=0", "/v1/alerts?a=b",
        "/v1/alerts?match=(", "/v1/deliveries?limit=-1",
      ] {
        #expect(try await server.call("GET", target).status == 400, "\(target)")
      }
      #expect(try await server.call("GET", "/v1/alerts/none").status == 404)
    }
  }

  @Test func `an acknowledgement is kept with who and why`() async throws {
    try await withAlerts { server, _ in
      let reply = try await server.call(
        "POST", "/v1/alerts/aaaa1/ack", Array("{\"note\":\"on it\"}".utf8))
      #expect(reply.status == 200)
      #expect(try root(reply)["alert.status"]?.text == "acknowledged")
      #expect(try root(reply)["acknowledged.note"]?.text == "on it")
      #expect(try await server.call("POST", "/v1/alerts/aaaa1/ack").status == 200)
      #expect(try await server.call("POST", "/v1/alerts/nope/ack").status == 404)
      for body in ["[]", "{\"not\":1}", "{\"note\":{}}", "{", "{\"note\":\"a\"} x"] {
        let reply = try await server.call("POST", "/v1/alerts/bbbb2/ack", Array(body.utf8))
        #expect(reply.status == 400, "\(body)")
      }
    }
  }

  @Test func `silences are made, shown and ended`() async throws {
    try await withAlerts { server, _ in
      let made = try await server.call(
        "POST", "/v1/silences",
        Array("{\"matchers\":[\"identity=svc-aaaa1\"],\"duration\":\"2h\",\"comment\":\"x\"}".utf8))
      let id = try #require(try root(made).elements.first?["id"]?.text)
      func statuses() async throws -> [String?] {
        try root(try await server.call("GET", "/v1/alerts")).elements.map { $0["status"]?.text }
      }
      #expect(try await statuses() == ["silenced", "firing"])
      #expect(try root(try await server.call("GET", "/v1/silences")).elements.count == 1)
      #expect(try await server.call("DELETE", "/v1/silences/\(id)").status == 200)
      #expect(try await statuses() == ["firing", "firing"])
      #expect(try root(try await server.call("GET", "/v1/silences")).elements.isEmpty)
      #expect(try root(try await server.call("GET", "/v1/silences?all=true")).elements.count == 1)
      #expect(try await server.call("DELETE", "/v1/silences/\(id)").status == 404)
      for body in [
        "{}", "{\"matchers\":[],\"duration\":\"2h\"}",
        "{\"matchers\":[\"kind\"],\"duration\":\"2h\"}",
        "{\"matchers\":[\"kind=a\"]}", "{\"matchers\":[\"kind=a\"],\"duration\":\"x\"}",
        "{\"matchers\":[\"kind=a\"],\"ends_at\":\"2020-01-01\"}", "{\"matchers\":\"kind=a\"}",
      ] {
        let reply = try await server.call("POST", "/v1/silences", Array(body.utf8))
        #expect(reply.status == 400, "\(body)")
      }
    }
  }

  @Test func `metrics count alerts, and an unknown receiver has no test`() async throws {
    try await withAlerts { server, _ in
      let page = try await server.call("GET", "/metrics").text
      #expect(page.contains("farthing_alerts{status=\"firing\",kind=\"spend_spike\"} 2"))
      #expect(try await server.call("POST", "/v1/receivers/ops/test").status == 404)
    }
  }
}
