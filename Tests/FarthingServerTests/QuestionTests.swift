import FarthingPipeline
import FarthingStore
import Testing

@testable import FarthingApp
@testable import FarthingServer

@Suite(.timeLimit(.minutes(2))) struct `A question` {
  @Test func `sees what was acknowledged before it`() async throws {
    try await withServer { server in
      for number in 1...5 {
        #expect(try await server.post(event("q\(number)")).status == 200)
        let reply = try await server.call("GET", "/v1/query?metrics=cost,requests&by=model")
        #expect(reply.headers["content-type"] == "application/json")
        #expect(reply.text.contains("\"requests\":\(number)}"))
      }
    }
  }

  @Test func `is answered while others post and ask`() async throws {
    try await withServer { server in
      let posts = 40
      let answered = try await withThrowingTaskGroup(of: Int.self) { group in
        for poster in 0..<2 {
          group.addTask {
            for number in 0..<posts {
              let reply = try await server.post(event("p\(poster)-\(number)"))
              #expect(reply.status == 200)
            }
            return 0
          }
        }
        for _ in 0..<4 {
          group.addTask {
            var seen = 0
            for _ in 0..<posts {
              let reply = try await server.call("GET", "/v1/query?metrics=requests")
              #expect(reply.status == 200)
              let count = reply.text.split { !$0.isNumber }.first.flatMap { Int($0) } ?? -1
              #expect(count >= seen)
              seen = count
            }
            return posts
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(answered == 4 * posts)
      let last = try await server.call("GET", "/v1/query?metrics=requests")
      #expect(last.text == "[\n{\"requests\":\(2 * posts)}\n]\n")
    }
  }

  @Test func `has the parameters of the command line, in JSON and CSV`() async throws {
    try await withServer { server in
      let lines = (0..<20).map { event("q\($0)", model: $0 < 5 ? "gpt-4o" : "gpt-4o-mini") }
      #expect(try await server.post(lines.joined(separator: "\n")).status == 200)
      let json = try await server.call(
        "GET",
        "/v1/query?metrics=requests&by=model&order=requests&limit=1&where=input_tokens%20%3E%3D%201000"
      )
      #expect(json.text == "[\n{\"model\":\"gpt-4o-mini\",\"requests\":15}\n]\n")
      let csv = try await server.call(
        "GET", "/v1/query?metrics=requests&by=model&every=1d&tz=Europe/Berlin&output=csv")
      #expect(csv.headers["content-type"]?.hasPrefix("text/csv") == true)
      #expect(
        csv.text
          == "time,model,requests\n2026-11-19T23:00:00Z,gpt-4o,5\n"
          + "2026-11-19T23:00:00Z,gpt-4o-mini,15\n")
      let events = try await server.call(
        "GET", "/v1/events?columns=id&where=model+=+'gpt-4o'&limit=2")
      #expect(events.text == "[\n{\"id\":\"q0\"},\n{\"id\":\"q1\"}\n]\n")
      let head = try await server.call("HEAD", "/v1/query?metrics=requests")
      #expect(head.status == 200)
      #expect(head.headers["content-length"] == "20")
    }
  }

  @Test(arguments: [
    ("/v1/query", "name at least one metric, such as cost or cost_per_1m_tokens"),
    ("/v1/query?metrics=costt", "did you mean"),
    ("/v1/query?metrics=cost&wher=x", "\\\"wher\\\" is no parameter of this call; did you mean"),
    ("/v1/query?metrics=cost&metrics=requests&limit=1&limit=2", "limit: given 2 times"),
    ("/v1/query?metrics=cost&limit=-1", "is not a whole number of at least 0"),
    ("/v1/query?metrics=cost&output=table", "is neither json nor csv"),
    ("/v1/query?metrics=cost&tz=Mars/Base", "is no time zone of this machine"),
    ("/v1/query?metrics=cost%zz", "two hexadecimal digits"),
    ("/v1/query?metrics=%FF", "not UTF-8"),
    ("/v1/events?columns=nope", "nope"),
    ("/v1/explain", "since: say when the period to explain begins"),
    ("/v1/explain?since=24h&versuss=48h", "did you mean \\\"versus\\\"?"),
    ("/v1/budgets?at=never", "at: \\\"never\\\" is not"),
  ])
  func `with wrong words is 400 and says which`(target: String, words: String) async throws {
    try await withServer { server in
      let reply = try await server.call("GET", target)
      #expect(reply.status == 400)
      #expect(reply.text.hasPrefix("{\"error\":{\"code\":\"bad_request\",\"message\":\""))
      #expect(reply.text.contains(words), "\(reply.text)")
    }
  }

  @Test func `whose answer is long comes in pieces, whole`() async throws {
    try await withServer { server in
      let lines = (0..<4000).map { event("id-\($0 + 10_000)") + "\n" }
      #expect(try await server.post(lines.joined()).status == 200)
      let columns = (0..<24).map { "tags.t\($0)" }.joined(separator: ",")
      let reply = try await server.call("GET", "/v1/events?columns=id,model,time,\(columns)")
      #expect(reply.headers["transfer-encoding"] == "chunked")
      #expect(reply.text.split(separator: "\n").count == 4002)
      #expect(reply.text.hasSuffix("\n]\n"))
    }
  }

  @Test func `beyond those that may wait is 503`() async throws {
    var limits = ServerLimits()
    limits.queriesAtOnce = 1
    limits.queriesWaiting = 0
    try await withServer(limits: limits) { server in
      _ = try await server.post(event("a"))
      let statuses = await Self.ask(32, server)
      #expect(statuses.contains(200))
      #expect(statuses.allSatisfy { [200, 503].contains($0) })
      let after = try await server.call("GET", "/v1/query?metrics=cost")
      #expect(after.status == 200)
    }
  }
}

extension `A question` {
  /// Asks at once; the statuses of the replies.
  private static func ask(_ count: Int, _ server: TestServer) async -> [Int] {
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<count {
        group.addTask { (try? await server.call("GET", "/v1/query?metrics=cost"))?.status ?? 0 }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }
}

@Suite(.timeLimit(.minutes(2))) struct `The metrics page` {
  @Test func `counts what came, and knows the unit metrics`() async throws {
    try await withServer { server in
      _ = try await server.post(event("a") + "\n" + event("a") + "\nnonsense")
      _ = try await server.post(event("b", model: "we\\\"ird"))
      let page = try await server.call("GET", "/metrics")
      #expect(page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      for line in [
        "farthing_ready 1", "farthing_events_accepted_total{source=\"events\"} 2",
        "farthing_events_duplicate_total{source=\"events\"} 1",
        "farthing_events_rejected_total{reason=\"json\"} 1",
        "farthing_requests_total{model=\"gpt-4o\"} 1",
        "farthing_cost_usd_total{model=\"gpt-4o\"} 0.0026",
        "farthing_requests_total{model=\"we\\\"ird\"} 1",
        "farthing_http_requests_total{method=\"POST\",route=\"/v1/events\",code=\"200\"} 2",
      ] { #expect(page.text.contains("\n" + line + "\n"), "\(line)") }
    }
  }

  @Test func `never let a sum fall because a model came to cost more than others`() async throws {
    try await withServer { server in
      let lines = (0..<StoredFigures.nameLimit + 30).map {
        event("\($0)", model: $0 == 7 ? StoredFigures.others : "m\($0)", tokens: 1_000)
      }
      _ = try await server.post(lines.joined(separator: "\n"))
      func others() async throws -> [Substring] {
        try await server.call("GET", "/metrics").text.split(separator: "\n").filter {
          $0.hasPrefix("farthing_requests_total{model=\"(other)\"}")
        }
      }
      let before = try await others()
      let shown = try await server.call("GET", "/metrics").text
      let small = try #require(
        (0..<230).map { "m\($0)" }.first {
          !shown.contains("farthing_requests_total{model=\"\($0)\"}") && $0 != "m7"
        })
      _ = try await server.post(
        (0..<50).map { event("more-\($0)", model: small, tokens: 1_000_000) }
          .joined(separator: "\n"))
      let after = try await others()
      #expect(before == ["farthing_requests_total{model=\"(other)\"} 30"])
      #expect(after == ["farthing_requests_total{model=\"(other)\"} 80"])
    }
  }

  @Test func `shows nanoseconds as exact seconds`() {
    #expect(MetricsText.seconds(0) == "0")
    #expect(MetricsText.seconds(1_500_000_000) == "1.5")
    #expect(MetricsText.seconds(1) == "0.000000001")
    #expect(MetricsText.seconds(-1_250_000_000) == "-1.25")
    #expect(MetricsText.escaped("a\\b\"c\nd\u{1}") == "a\\\\b\\\"c\\nd?")
  }
}

@Suite(.timeLimit(.minutes(2))) struct `A report over HTTP` {
  @Test func `is made at the server, in every form`() async throws {
    try await withServer { server in
      #expect(try await server.post(event("r1")).status == 200)
      let types = [
        "json": "application/json", "markdown": "text/markdown; charset=utf-8",
        "html": "text/html; charset=utf-8",
      ]
      for (output, type) in types {
        let reply = try await server.call("GET", "/v1/report?period=monthly&output=\(output)")
        #expect(reply.status == 200)
        #expect(reply.headers["content-type"] == type)
        #expect(reply.text.contains("Unit cost review"))
      }
      for wrong in ["period=daily", "output=pdf", "since=soon", "per=weekly", "where=%20"] {
        #expect(try await server.call("GET", "/v1/report?\(wrong)").status == 400, "\(wrong)")
      }
    }
  }
}
