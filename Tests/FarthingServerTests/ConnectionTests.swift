import FarthingPipeline
import FarthingStore
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(2))) struct `A connection` {
  @Test func `takes requests one behind the other and answers in their order`() async throws {
    try await withServer { server in
      let connection = try await server.connect()
      var requests: [UInt8] = []
      for number in 0..<20 {
        requests += TestServer.request("POST", "/v1/events", Array(event("k\(number)").utf8))
        requests += TestServer.request("GET", "/nothing")
        requests += TestServer.request("GET", "/healthz")
      }
      await connection.send(requests)
      for _ in 0..<20 {
        #expect(await connection.reply()?.text.hasPrefix("{\"accepted\":1,") == true)
        #expect(await connection.reply()?.status == 404)
        #expect(await connection.reply()?.text == "{\"status\":\"alive\"}\n")
      }
      await connection.close()
    }
  }

  @Test func `is told what is not there and what is not possible`() async throws {
    try await withServer { server in
      let nothing = try await server.call("GET", "/v1/event")
      #expect(nothing.status == 404)
      #expect(nothing.text.hasPrefix("{\"error\":{\"code\":\"not_found\",\"message\":"))
      let put = try await server.call("PUT", "/v1/events", Array("x".utf8))
      #expect(put.status == 405)
      #expect(put.headers["allow"] == "POST, GET, HEAD")
      let get = try await server.call("GET", "/v1/collect/litellm")
      #expect(get.status == 405)
      #expect(get.headers["allow"] == "POST")
      let head = try await server.call("HEAD", "/healthz")
      #expect(head.status == 200)
      #expect(head.headers["content-length"] == "19")
    }
  }

  @Test func `is ended with 400 where it speaks no HTTP, with 431 where the head is too large`()
    async throws
  {
    try await withServer { server in
      for nonsense in ["\u{16}\u{3}\u{1}\r\n\r\n", "GET / HTTP/1.1 x\r\n\r\n", "{}\r\n\r\n"] {
        let connection = try await server.connect()
        await connection.send(nonsense)
        #expect(await connection.reply()?.status == 400, "\(nonsense)")
        _ = await connection.end()
      }
      let many = (0..<200).map { "X-\($0): 1" }
      #expect(try await server.call("GET", "/healthz", headers: many).status == 431)
      let long = "X: " + String(repeating: "a", count: 40_000)
      #expect(try await server.call("GET", "/healthz", headers: [long]).status == 431)
      let target = "/v1/query?metrics=" + String(repeating: "a", count: 40_000)
      #expect(try await server.call("GET", target).status == 431)
      let longish = "/v1/query?metrics=" + String(repeating: "a", count: 20_000)
      #expect(try await server.call("GET", longish).status == 414)
    }
  }

  @Test func `with two lengths, or a length and chunks, is refused`() async throws {
    try await withServer { server in
      for headers in [
        ["Content-Length: 2", "Content-Length: 3"],
        ["Content-Length: 2", "Transfer-Encoding: chunked"],
        ["Content-Length: -1"], ["Content-Length: 99999999999999999999"],
      ] {
        let connection = try await server.connect()
        await connection.send(
          "POST /v1/events HTTP/1.1\r\nHost: t\r\n" + headers.joined(separator: "\r\n")
            + "\r\n\r\n{}")
        let status = await connection.reply()?.status
        #expect([400, 413].contains(status), "\(headers)")
        await connection.close()
      }
    }
  }

  @Test func `that never says what it wants is ended`() async throws {
    var limits = ServerLimits()
    limits.headerTimeout = .seconds(1)
    try await withServer(limits: limits) { server in
      let silent = try await server.connect()
      let halting = try await server.connect()
      await halting.send("GET /healthz HTTP/1.1\r\nX: ")
      #expect(await silent.end().isEmpty)
      #expect(await halting.end().isEmpty)
    }
  }

  @Test func `whose body comes too slowly is told so and ended`() async throws {
    var limits = ServerLimits()
    // Long enough that a busy machine has read the head before.
    limits.bodyTimeout = .seconds(5)
    limits.headerTimeout = .seconds(5)
    try await withServer(limits: limits) { server in
      let slow = try await server.connect()
      await slow.send("POST /v1/events HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n{")
      #expect(await slow.reply()?.status == 408)
      _ = await slow.end()
    }
  }

  @Test func `whose body begins fast and then stops has earned no silence`() async throws {
    var limits = ServerLimits()
    limits.bodyTimeout = .milliseconds(200)
    limits.headerTimeout = .seconds(2)
    try await withServer(limits: limits) { server in
      let connection = try await server.connect()
      // At 16 KiB a second a mebibyte is worth a minute.
      let start = ContinuousClock.now
      await connection.send(
        "POST /v1/events HTTP/1.1\r\nHost: t\r\nContent-Length: 2000000\r\n\r\n")
      await connection.send([UInt8](repeating: 0x20, count: 1 << 20))
      // The answer of 408 may be lost with what the client still has under way.
      _ = await connection.end()
      #expect(ContinuousClock.now - start < .seconds(40))
      let page = try await server.call("GET", "/metrics").text
      #expect(page.contains("farthing_http_refused_total{reason=\"timeout\"} 1\n"))
      await connection.close()
    }
  }

  @Test func `that could be taken for another one on the way is refused`() async throws {
    try await withServer { server in
      let requests = [
        ("GET /healthz HTTP/1.1\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("GET http://a.example/healthz HTTP/1.1\r\nHost: a.example\r\n\r\n", 200),
        (
          "POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
          501
        ),
      ]
      for (text, status) in requests {
        let connection = try await server.connect()
        await connection.send(text)
        let reply = await connection.reply()
        #expect(reply?.status == status, "\(text)")
        await connection.close()
      }
    }
  }

  @Test func `that asks for a head alone gets no more, whatever the answer would be`() async throws
  {
    try await withServer { server in
      for part in 0..<3 {
        let lines = (0..<2000).map { event("h\(part)-\($0)") }.joined(separator: "\n")
        #expect(try await server.post(lines).status == 200)
      }
      let connection = try await server.connect()
      await connection.send(
        TestServer.request("HEAD", "/v1/events") + TestServer.request("GET", "/healthz"))
      let head = await connection.reply(isHead: true)
      #expect(head?.status == 200)
      #expect(head?.headers["transfer-encoding"] == nil)
      #expect(await connection.reply()?.text == "{\"status\":\"alive\"}\n")
      await connection.close()
    }
  }

  @Test func `beyond the most is closed, and has room once another went`() async throws {
    var limits = ServerLimits()
    limits.connections = 2
    try await withServer(limits: limits) { server in
      let first = try await server.connect()
      await first.send(TestServer.request("GET", "/healthz"))
      #expect(await first.reply()?.status == 200)
      let second = try await server.connect()
      await second.send(TestServer.request("GET", "/healthz"))
      #expect(await second.reply()?.status == 200)
      let third = try await server.connect()
      #expect(await third.end().isEmpty)
      await second.send(TestServer.request("GET", "/healthz", headers: ["Connection: close"]))
      #expect(await second.reply()?.headers["connection"] == "close")
      _ = await second.end()
      var status = 0
      let deadline = HostProcess.monotonic() + 10_000_000_000
      while status != 200, HostProcess.monotonic() < deadline {
        status = try await server.call("GET", "/healthz").status
      }
      #expect(status == 200)
      await first.close()
    }
  }

  @Test func `that is idle ends with the server, one with a request is answered first`()
    async throws
  {
    let server = try await TestServer()
    let idle = try await server.connect()
    await idle.send(TestServer.request("GET", "/healthz"))
    #expect(await idle.reply()?.status == 200)
    let busy = try await server.connect()
    let body = event("last")
    await busy.send(
      "POST /v1/events HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n")
    #expect(await busy.reply()?.status == 100)
    async let stopped: Void = server.stop()
    #expect(await idle.end().isEmpty)
    await busy.send(body)
    let reply = await busy.reply()
    #expect(reply?.text.hasPrefix("{\"accepted\":1,") == true)
    #expect(reply?.headers["connection"] == "close")
    try await stopped
    await #expect(throws: (any Error).self) { try await server.connect() }
  }

  @Test func `is judged before its body is read`() async throws {
    func token(_ name: String, _ scopes: AccessScopes, perDay: Int? = nil) -> AccessToken {
      var allowance = AccessAllowance()
      allowance.eventsPerDay = perDay
      return AccessToken(
        name: name, digest: TokenText.digest(of: "\(name)-0123456789abcdef"), scopes: scopes,
        allowance: allowance)
    }
    let policy = AccessPolicy(tokens: [
      token("reader", AccessScopes([.read])), token("writer", AccessScopes([.ingest])),
      token("busy", AccessScopes([.ingest]), perDay: 1),
    ])
    try await withServer(policy: policy) { server in
      let connection = try await server.connect()
      await connection.send("POST /v1/events HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n")
      let reply = await connection.reply()
      #expect(reply?.status == 401)
      #expect(reply?.headers["www-authenticate"] == "Bearer realm=\"farthing\"")
      await connection.close()
      let forbidden = try await server.post(
        event("a"), headers: ["Authorization: Bearer reader-0123456789abcdef"])
      #expect(forbidden.status == 403)
      #expect(forbidden.text.contains("\"forbidden\""))
      let busy = "Authorization: Bearer busy-0123456789abcdef"
      #expect(try await server.post(event("x"), headers: [busy]).status == 200)
      let throttled = try await server.post(
        event("a"), headers: ["Authorization: Bearer busy-0123456789abcdef"])
      #expect(throttled.status == 429)
      #expect(throttled.headers["retry-after"].flatMap { Int($0) } ?? 0 > 0)
      #expect(
        try await server.post(
          event("a"), headers: ["Authorization: Bearer writer-0123456789abcdef"]
        ).status == 200)
      #expect(try await server.call("GET", "/healthz").status == 200)
      #expect(try await server.call("GET", "/metrics").status == 401)
    }
  }

  @Test
  func `that asks and does not read is asked for nothing more, and has all answers when it reads`()
    async throws
  {
    try await withServer { server in
      let count = 1500
      func answered() async throws -> Int {
        let page = try await server.call("GET", "/metrics").text
        let line = page.split(separator: "\n").first {
          $0.hasPrefix("farthing_http_requests_total{") && $0.contains("\"/openapi.yaml\"")
        }
        return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
      }
      let connection = try await server.connect()
      try await connection.reads(false)
      let request = TestServer.request("GET", "/openapi.yaml")
      await connection.send((0..<count).flatMap { _ in request })
      // Answers are written until the sockets' own buffers are full.
      var before = -1
      var same = 0
      while same < 40 {
        let now = try await answered()
        same = now == before ? same + 1 : 0
        before = now
      }
      #expect(before < count - 200)
      try await connection.reads(true)
      while try await answered() < count {}
      await connection.close()
    }
  }
}
