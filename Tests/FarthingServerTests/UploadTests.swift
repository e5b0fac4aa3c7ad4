import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(2))) struct `An upload` {
  private static let clean =
    "{\"accepted\":1,\"duplicates\":0,\"rejected\":0,\"errors\":[],\"warnings\":[]}\n"

  @Test func `is answered with its receipt`() async throws {
    try await withServer { server in
      let first = try await server.post(event("a"))
      #expect(first.status == 200)
      #expect(first.headers["content-type"] == "application/json")
      #expect(first.text == Self.clean)
      let again = try await server.post(event("a") + "\n" + event("b") + "\nnonsense\n")
      #expect(again.status == 200)
      #expect(
        again.text
          == "{\"accepted\":1,\"duplicates\":1,\"rejected\":1,\"errors\":[{\"line\":3,\"field\":null,"
          + "\"value\":\"nonsense\",\"expected\":\"a JSON object\"}],\"warnings\":[]}\n")
    }
  }

  @Test func `is 400 only where something was refused and nothing was taken`() async throws {
    try await withServer { server in
      let refused = try await server.post("nonsense")
      #expect(refused.status == 400)
      #expect(refused.text.hasPrefix("{\"accepted\":0,\"duplicates\":0,\"rejected\":1,"))
      let empty = try await server.post("")
      #expect(empty.status == 200)
      #expect(empty.text.hasPrefix("{\"accepted\":0,\"duplicates\":0,\"rejected\":0,"))
      #expect(try await server.post(event("a")).status == 200)
      let duplicate = try await server.post(event("a"))
      #expect(duplicate.status == 200)
      #expect(duplicate.text.hasPrefix("{\"accepted\":0,\"duplicates\":1,\"rejected\":0,"))
      #expect(try await server.post(event("a") + "\nnonsense").status == 200)
    }
  }

  @Test(arguments: [
    nil, "application/json", "application/x-ndjson", "application/ndjson; charset=utf-8",
    "text/plain", "application/x-www-form-urlencoded",
  ])
  func `may say any of the types of JSON, or none`(type: String?) async throws {
    try await withServer { server in
      let reply = try await server.post(
        "[\(event("a"))]", headers: type.map { ["Content-Type: \($0)"] } ?? [])
      #expect(reply.text == Self.clean)
    }
  }

  @Test func `of another type or encoding is 415`() async throws {
    try await withServer { server in
      for header in [
        "Content-Type: image/png", "Content-Type: application/json; charset=utf-16",
        "Content-Encoding: br", "Content-Encoding: gzip, zstd",
      ] {
        let reply = try await server.post(event("a"), headers: [header])
        #expect(reply.status == 415, "\(header)")
        #expect(
          reply.text.hasPrefix("{\"error\":{\"code\":\"unsupported_media_type\",\"message\":"))
      }
    }
  }

  @Test func `may be compressed, said or not`() async throws {
    try await withServer { server in
      let body = Array((0..<300).map { event("z\($0)") + "\n" }.joined().utf8)
      let zstd = try Compressed.zstd(body)
      let reply = try await server.call(
        "POST", "/v1/events", zstd, headers: ["Content-Encoding: zstd"])
      #expect(reply.text.hasPrefix("{\"accepted\":300,"))
      let again = try await server.call("POST", "/v1/events", zstd)
      #expect(again.text.hasPrefix("{\"accepted\":0,\"duplicates\":300,"))
      let gzip = Compressed.gzip(Array(event("g").utf8))
      let third = try await server.call(
        "POST", "/v1/events", gzip, headers: ["Content-Encoding: gzip"])
      #expect(third.text == Self.clean)
    }
  }

  @Test func `that expands beyond the limit is 413, one that is damaged 400`() async throws {
    var limits = ServerLimits()
    limits.bodyBytes = 1 << 20
    try await withServer(limits: limits) { server in
      let bomb = try Compressed.zstd([UInt8](repeating: 0x20, count: 8 << 20))
      #expect(bomb.count < 10_000)
      let reply = try await server.call(
        "POST", "/v1/events", bomb, headers: ["Content-Encoding: zstd"])
      #expect(reply.status == 413)
      #expect(reply.text.contains("\"payload_too_large\""))
      let cut = try await server.call(
        "POST", "/v1/events", Array(bomb.dropLast(3)), headers: ["Content-Encoding: zstd"])
      #expect([400, 413].contains(cut.status))
      let noise = try await server.call(
        "POST", "/v1/events", Array("no gzip".utf8), headers: ["Content-Encoding: gzip"])
      #expect(noise.status == 400)
      #expect(noise.text.contains("the body's gzip data is damaged or cut short"))
    }
  }

  @Test func `beyond the limit is 413, said or not, and its sender hears so`() async throws {
    var limits = ServerLimits()
    limits.bodyBytes = 1 << 16
    try await withServer(limits: limits) { server in
      let body = [UInt8](repeating: 0x20, count: 1 << 17)
      let said = try await server.call("POST", "/v1/events", body)
      #expect(said.status == 413)
      let connection = try await server.connect()
      await connection.send(
        "POST /v1/events HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
      for _ in 0..<4 {
        await connection.send("8000\r\n")
        await connection.send([UInt8](repeating: 0x20, count: 0x8000))
        await connection.send("\r\n")
      }
      #expect(await connection.reply()?.status == 413)
      // The rest is read and thrown away, and the connection goes on.
      await connection.send("0\r\n\r\n")
      await connection.send(TestServer.request("GET", "/healthz"))
      #expect(await connection.reply()?.status == 200)
      await connection.close()
    }
  }

  @Test func `of several pieces has line numbers of the whole`() async throws {
    try await withServer { server in
      var lines = (0..<9000).map { event("p\($0)") }
      lines[8999] = "nonsense"
      let reply = try await server.post(lines.joined(separator: "\n"))
      #expect(
        reply.text.hasPrefix(
          "{\"accepted\":8999,\"duplicates\":0,\"rejected\":1,\"errors\":[{\"line\":9000,"))
    }
  }

  @Test func `that waits for 100-continue is asked for`() async throws {
    try await withServer { server in
      let connection = try await server.connect()
      let body = event("a")
      await connection.send(
        "POST /v1/events HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
          + "Content-Length: \(body.utf8.count)\r\n\r\n")
      #expect(await connection.reply()?.status == 100)
      await connection.send(body)
      #expect(await connection.reply()?.text == Self.clean)
      await connection.close()
    }
  }

  @Test func `of another source is told by the path`() async throws {
    try await withServer { server in
      let unknown = try await server.call("POST", "/v1/collect/nothing", Array("{}".utf8))
      #expect(unknown.status == 404)
      let native = try await server.call(
        "POST", "/v1/collect/events", Array(event("c").utf8))
      #expect(native.text == Self.clean)
      let record =
        "{\"id\":\"x1\",\"model\":\"gpt-4o\",\"startTime\":1763632800.0,\"endTime\":1763632801.0,"
        + "\"status\":\"success\",\"prompt_tokens\":10,\"completion_tokens\":2}"
      let litellm = try await server.call("POST", "/v1/collect/litellm", Array(record.utf8))
      #expect(litellm.status == 200, "\(litellm.text)")
    }
  }

  @Test func `of OTLP is answered in OTLP's own words`() async throws {
    try await withServer { server in
      let json = ["Content-Type: application/json"]
      let protobuf = ["Content-Type: application/x-protobuf"]
      let span =
        "{\"traceId\":\"5b8efff798038103d269b633813fc60c\",\"spanId\":\"eee19b7ec3c1b174\",\"name\":\"chat\","
        + "\"kind\":3,\"startTimeUnixNano\":\"1763632800000000000\","
        + "\"endTimeUnixNano\":\"1763632801000000000\",\"attributes\":["
        + attribute("gen_ai.operation.name", "\"stringValue\":\"chat\"") + ","
        + attribute("gen_ai.system", "\"stringValue\":\"openai\"") + ","
        + attribute("gen_ai.request.model", "\"stringValue\":\"gpt-4o\"") + ","
        + attribute("gen_ai.usage.input_tokens", "\"intValue\":\"1000\"") + ","
        + attribute("gen_ai.usage.output_tokens", "\"intValue\":\"10\"") + "]}"
      let body = Array(
        "{\"resourceSpans\":[{\"scopeSpans\":[{\"scope\":{\"name\":\"x\"},\"spans\":[\(span)]}]}]}"
          .utf8)
      for _ in 0..<2 {
        let reply = try await server.call("POST", "/v1/traces", body, headers: json)
        #expect(reply.status == 200, "\(reply.text)")
        #expect(reply.headers["content-type"] == "application/json")
      }
      let stored = try await server.call("GET", "/v1/query?metrics=cost,requests&by=model")
      #expect(stored.text == "[\n{\"model\":\"gpt-4o\",\"cost\":\"0.0026\",\"requests\":1}\n]\n")
      for path in ["/v1/traces", "/v1/metrics", "/v1/logs"] {
        let empty = try await server.call("POST", path, [], headers: protobuf)
        #expect(empty.status == 200)
        #expect(empty.headers["content-type"] == "application/x-protobuf")
        #expect(empty.body.isEmpty)
        let broken = try await server.call("POST", path, [0x0A, 0xFF], headers: protobuf)
        #expect(broken.status == 400, "\(path)")
        // google.rpc.Status: field 1 is the code, INVALID_ARGUMENT.
        #expect(broken.body.starts(with: [0x08, 0x03]))
        let other = try await server.call(
          "POST", path, [0x20], headers: ["Content-Type: text/plain"])
        #expect(other.status == 415)
        #expect(other.text.hasPrefix("{\"code\":3,\"message\":"))
      }
    }
  }

  private func attribute(_ key: String, _ value: String) -> String {
    "{\"key\":\"\(key)\",\"value\":{\(value)}}"
  }

  @Test func `is refused with 503 before the store is open`() async throws {
    let server = try await TestServer(opensStore: false)
    let early = try await server.post(event("a"))
    #expect(early.status == 503)
    #expect(early.headers["retry-after"] == "1")
    #expect(try await server.call("GET", "/healthz").status == 200)
    #expect(try await server.call("GET", "/readyz").status == 503)
    try server.serve()
    #expect(try await server.call("GET", "/readyz").status == 200)
    #expect(try await server.post(event("a")).text == Self.clean)
    try await server.stop()
  }

  @Test func `is refused with 503 while the disk is full, and taken once it is not`() async throws {
    let disk = FaultyFileSystem()
    try await withServer(fileSystem: disk) { server in
      #expect(try await server.post(event("a")).status == 200)
      disk.setFull(true)
      let full = try await server.post(event("b"))
      #expect(full.status == 503)
      #expect(full.headers["retry-after"] == "5")
      #expect(full.text.contains("\"storage_full\""))
      #expect(try await server.call("GET", "/readyz").status == 503)
      #expect(try await server.call("GET", "/healthz").status == 200)
      disk.setFull(false)
      let deadline = HostProcess.monotonic() + 10_000_000_000
      while try await server.call("GET", "/readyz").status != 200 {
        try #require(HostProcess.monotonic() < deadline)
      }
      #expect(try await server.post(event("b")).text == Self.clean)
      #expect(try await server.post(event("a")).text.hasPrefix("{\"accepted\":0,\"duplicates\":1"))
    }
  }

  @Test func `is refused with 503 where bodies take all their memory`() async throws {
    var limits = ServerLimits()
    limits.bodiesInFlightBytes = 1 << 16
    try await withServer(limits: limits) { server in
      let slow = try await server.connect()
      await slow.send("POST /v1/events HTTP/1.1\r\nHost: t\r\nContent-Length: 60001\r\n\r\n")
      await slow.send([UInt8](repeating: 0x20, count: 60_000))
      var reply = try await server.post(event("first"))
      // The slow one's bytes may still be on their way.
      let deadline = HostProcess.monotonic() + 10_000_000_000
      while reply.status == 200, HostProcess.monotonic() < deadline {
        reply = try await server.call(
          "POST", "/v1/events", [UInt8](repeating: 0x20, count: 10_000))
      }
      #expect(reply.status == 503)
      #expect(reply.headers["retry-after"] == "1")
      await slow.send(" ")
      #expect(await slow.reply()?.status == 200)
      #expect(try await server.post(event("second")).status == 200)
      await slow.close()
    }
  }
}

@Suite("What an upload takes")
struct UploadMemoryTests {
  @Test func `of a small body that expands counts as what it expands to`() async throws {
    var limits = ServerLimits()
    limits.bodiesInFlightBytes = 1 << 20
    try await withServer(limits: limits) { server in
      let spaces = String(repeating: " ", count: 700_000)
      let fits = try await server.call(
        "POST", "/v1/events", Compressed.zstd(Array((event("a") + spaces).utf8)),
        headers: ["Content-Encoding: zstd"])
      #expect(fits.status == 200)
      let large = try await server.call(
        "POST", "/v1/events", Compressed.zstd(Array((event("b") + spaces + spaces).utf8)),
        headers: ["Content-Encoding: zstd"])
      #expect(large.status == 503)
      #expect(large.headers["retry-after"] == "1")
      #expect(large.text.contains("\"overloaded\""))
      let page = try await server.call("GET", "/metrics").text
      for line in [
        "farthing_http_refused_total{reason=\"bodies_in_flight\"} 1",
        "farthing_bodies_held_bytes 0",
        "farthing_decoded_held_bytes 0", "farthing_bodies_waiting 0",
        "farthing_events_accepted_total{source=\"events\"} 1",
      ] { #expect(page.contains("\n" + line + "\n"), "\(line)") }
    }
  }

  @Test func `is waited for where many are decoded at once, and every one is stored`()
    async throws
  {
    var limits = ServerLimits()
    // Room for the events of three bodies or so.
    limits.bodiesInFlightBytes = 400_000
    try await withServer(limits: limits) { server in
      let replies = try await withThrowingTaskGroup(of: Int.self) { group in
        for sender in 0..<12 {
          group.addTask {
            let lines = (0..<200).map { event("\(sender)-\($0)") }.joined(separator: "\n")
            return try await server.post(lines).status
          }
        }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
      }
      #expect(replies.count { $0 == 200 } > 0)
      #expect(replies.allSatisfy { $0 == 200 || $0 == 503 })
      let page = try await server.call("GET", "/metrics").text
      let stored = replies.count { $0 == 200 } * 200
      #expect(page.contains("\nfarthing_events_accepted_total{source=\"events\"} \(stored)\n"))
      #expect(page.contains("\nfarthing_decoded_held_bytes 0\n"))
    }
  }

  @Test func `is told by readiness where a disk was filled while nothing came`() async throws {
    let disk = FaultyFileSystem()
    try await withServer(fileSystem: disk) { server in
      #expect(try await server.call("GET", "/readyz").status == 200)
      disk.setFull(true)
      disk.setAvailableBytes(0)
      let full = try await server.call("GET", "/readyz")
      #expect(full.status == 503)
      #expect(full.text.contains("\"storage_full\""))
      disk.setFull(false)
      disk.setAvailableBytes(nil)
      let deadline = HostProcess.monotonic() + 10_000_000_000
      while try await server.call("GET", "/readyz").status != 200 {
        try #require(HostProcess.monotonic() < deadline)
      }
    }
  }
}

/// Compressed forms for tests.
enum Compressed {
  static func zstd(_ bytes: [UInt8]) throws -> [UInt8] {
    var output: [UInt8] = []
    try #require(
      ZstdCompressor().compress(bytes.span, limit: bytes.count + 1024, into: &output))
    return output
  }

  /// One stored block, at most 65,535 bytes.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    precondition(bytes.count <= 65_535)
    let size = UInt16(bytes.count)
    var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1]
    for word in [size, ~size] { output += [UInt8(word & 0xFF), UInt8(word >> 8)] }
    output += bytes
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    for word in [~sum, UInt32(size)] {
      for shift in [0, 8, 16, 24] {
        output.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
      }
    }
    return output
  }
}
