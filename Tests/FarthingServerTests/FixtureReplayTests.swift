import Foundation
import Testing

@testable import FarthingPipeline

/// Captured payloads of real clients, where the machine has them: named by `FARTHING_SHARED`, or in
/// `shared` beside the package or one level above it.
private enum Captures {
  static let root: URL? = {
    if let path = ProcessInfo.processInfo.environment["FARTHING_SHARED"] {
      return existing(URL(filePath: path))
    }
    var folder = URL(filePath: #filePath)
    for _ in 0..<4 { folder.deleteLastPathComponent() }
    return existing(folder.appending(path: "shared"))
      ?? existing(folder.deletingLastPathComponent().appending(path: "shared"))
  }()

  private static func existing(_ shared: URL) -> URL? {
    let fixtures = shared.appending(path: "fixtures")
    return FileManager.default.fileExists(atPath: fixtures.path) ? fixtures : nil
  }

  static let rawAnswers = "raw-api-responses"

  /// Every capture of requests, as `SOURCE/CAPTURE`.
  static let all: [String] = {
    guard let root else { return [] }
    return names(in: root).filter { $0 != rawAnswers }.flatMap { source in
      names(in: root.appending(path: source)).map { "\(source)/\($0)" }
    }.filter {
      FileManager.default.fileExists(atPath: root.appending(path: "\($0)/expected.json").path)
    }
  }()

  static func names(in folder: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: try #require(root).appending(path: path)))
  }

  static func object(_ path: String) throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(
      with: Data(contentsOf: try #require(root).appending(path: path)))
    return try #require(value as? [String: Any])
  }
}

/// What clients sent, posted as they sent it, against what the server then says is stored.
@Suite(.timeLimit(.minutes(5))) struct `Captured payloads over HTTP` {
  private static let texts = [
    "model", "provider", "operation", "status", "response_cache", "fallback_from",
  ]
  private static let tokens = [
    "input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens",
    "cache_write_tokens", "cache_write_1h_tokens",
  ]
  /// Parts of which none is the same said or unsaid.
  private static let parts = ["input_audio_tokens", "output_audio_tokens", "input_image_tokens"]
  private static let columns =
    ["id", "time_unix_nano", "error", "http_status", "attempt", "latency_ms", "ttft_ms"]
    + ["reported_cost_usd", "identity", "tenant"] + texts + tokens + parts

  /// Posts a capture's bodies in their order.
  private func replay(_ capture: String, to server: TestServer) async throws {
    let folder = try #require(Captures.root).appending(path: capture)
    for name in Captures.names(in: folder) where name.hasSuffix(".body") {
      let meta = try Captures.object("\(capture)/\(name.dropLast(5)).meta.json")
      let path = try #require(meta["path"] as? String)
      let sent = try #require(meta["headers"] as? [String: String])
      let headers = ["content-type", "content-encoding", "user-agent"].compactMap { name in
        sent[name].map { "\(name): \($0)" }
      }
      let reply = try await server.call(
        "POST", path == "/litellm" ? "/v1/collect/litellm" : path,
        try Captures.bytes("\(capture)/\(name)"), headers: headers)
      #expect(reply.status == 200, "\(capture) \(name): \(reply.text)")
      if path != "/litellm" {
        #expect(reply.headers["content-type"] == sent["content-type"])
        #expect(!reply.text.contains("rejectedSpans"), "\(capture) \(name)")
      }
    }
  }

  private func stored(_ server: TestServer) async throws -> [[String: Any]] {
    let reply = try await server.call(
      "GET", "/v1/events?columns=\(Self.columns.joined(separator: ","))")
    #expect(reply.status == 200, "\(reply.text.prefix(300))")
    return try #require(
      try JSONSerialization.jsonObject(with: Data(reply.body)) as? [[String: Any]])
  }

  @Test(.enabled(if: Captures.root != nil, "no captured payloads here"), arguments: Captures.all)
  func `are stored as they were served, and nothing else is`(_ capture: String) async throws {
    let expected = try Captures.object("\(capture)/expected.json")
    let calls = try #require(expected["calls"] as? [[String: Any]])
    try await withServer { server in
      try await replay(capture, to: server)
      let rows = try await stored(server)
      #expect(rows.count == calls.count, "\(capture)")
      var left = rows
      for call in calls {
        // Times and latencies of any span of the call are acceptable.
        let reports = [call] + (call["also_reported_by"] as? [[String: Any]] ?? [])
        let times = reports.compactMap { ($0["time_unix_nano"] as? String).flatMap { Int64($0) } }
        let place = try #require(
          left.firstIndex { row in
            (row["time_unix_nano"] as? NSNumber).map { times.contains($0.int64Value) } == true
              && differences(row, call, reports).isEmpty
          }, "\(capture) \(call["case"] ?? ""): no row of \(near(times, left)) is it: \(call)")
        left.remove(at: place)
      }
      try await replay(capture, to: server)
      let count = try await stored(server).count
      #expect(count == rows.count, "\(capture) once more")
    }
  }

  private func near(_ times: [Int64], _ rows: [[String: Any]]) -> [[String: Any]] {
    rows.filter {
      ($0["time_unix_nano"] as? NSNumber).map { times.contains($0.int64Value) } == true
    }
  }

  /// The fields in which a row is not the call.
  private func differences(
    _ row: [String: Any], _ call: [String: Any], _ reports: [[String: Any]]
  ) -> [String] {
    var result: [String] = []
    func check(_ field: String, _ holds: Bool) { if !holds { result.append(field) } }
    func number(_ value: Any?) -> Double? {
      (value as? NSNumber)?.doubleValue ?? (value as? String).flatMap { Double($0) }
    }
    let misreported = call["misreported"] as? [String: Any] ?? [:]
    let truth = call["truth"] as? [String: Any] ?? [:]
    let isCallback = call["litellm_call_id"] != nil
    for field in Self.texts where field != "fallback_from" || isCallback {
      check(field, row[field] as? String == call[field] as? String)
    }
    check("error", row["error"] as? String == call["error_raw"] as? String)
    for field in Self.tokens {
      let value = number(row[field])
      // A written part may be the sum of both classes, where the payload has no split.
      let isLost = isCallback && field.hasPrefix("cache_write") && call[field] == nil
      check(
        field,
        value == number(call[field]) || (value != nil && value == number(misreported[field]))
          || isLost)
    }
    for field in Self.parts where !isCallback {
      check(field, number(row[field]) ?? 0 == number(call[field]) ?? 0)
    }
    let status = number(row["http_status"])
    check(
      "http_status",
      status == number(call["http_status"])
        || call["http_status"] == nil && status == number(truth["http_status"]))
    check(
      "latency_ms",
      reports.contains {
        abs((number($0["latency_ms"]) ?? -9) - (number(row["latency_ms"]) ?? -1)) <= 0.01
      })
    check("ttft_ms", abs((number(row["ttft_ms"]) ?? -1) - (number(call["ttft_ms"]) ?? -1)) <= 0.01)
    let told = number(row["reported_cost_usd"]) ?? -1
    let due = number(call["reported_cost_usd"]) ?? -1
    check("reported_cost_usd", abs(told - due) < 1e-12)
    if isCallback {
      for field in ["identity", "tenant"] {
        check(field, row[field] as? String == call[field] as? String)
      }
      check("attempt", number(row["attempt"]) == number(call["attempt"]) ?? 1)
    }
    return result
  }

  @Test(.enabled(if: Captures.root != nil, "no captured payloads here"))
  func `of one gateway's callback and spans are counted once where both name the answer`()
    async throws
  {
    try await withServer { server in
      try await replay("litellm-proxy-json_array/s20proxy", to: server)
      let before = try await stored(server).filter { $0["status"] as? String == "ok" }.count
      try await replay("litellm-proxy-otel/s20proxy", to: server)
      let after = try await stored(server).filter { $0["status"] as? String == "ok" }.count
      #expect(before == after)
    }
  }

  @Test(.enabled(if: Captures.root != nil, "no captured payloads here"))
  func `of raw answers are stored as they were served, with what stands beside them in the head`()
    async throws
  {
    let expected = try Captures.object("\(Captures.rawAnswers)/expected.json")
    let calls = try #require(expected["calls"] as? [[String: Any]])
    for call in calls {
      try await withServer { server in
        let file = try #require(call["file"] as? String)
        let meta = try Captures.object("\(Captures.rawAnswers)/\(file.dropLast(5)).meta.json")
        var headers = (meta["response_headers"] as? [String: String] ?? [:]).filter {
          $0.key.lowercased().hasPrefix("x-amzn-")
        }.map { "\($0.key): \($0.value)" }
        for (field, name) in [
          ("request_path", "Path"), ("request_model", "Model"),
        ] {
          if let value = meta[field] as? String {
            headers.append("Farthing-Request-\(name): \(value)")
          }
        }
        if let status = meta["status"] as? Int {
          headers.append("Farthing-Response-Status: \(status)")
        }
        let reply = try await server.call(
          "POST", "/v1/collect/\(file.prefix { $0 != "-" })",
          try Captures.bytes("\(Captures.rawAnswers)/\(file)"), headers: headers)
        #expect(reply.text.hasPrefix("{\"accepted\":1,"), "\(file): \(reply.text)")
        let rows = try await stored(server)
        #expect(rows.count == 1, "\(file)")
        let row = try #require(rows.first)
        for field in ["provider", "operation", "model", "status"] {
          #expect(row[field] as? String == call[field] as? String, "\(file) \(field)")
        }
        #expect(row["http_status"] as? Int == call["http_status"] as? Int, "\(file)")
        for field in Self.tokens + Self.parts {
          // What the answer does not say is absent; the server meant 0 there.
          #expect(row[field] as? Int ?? 0 == call[field] as? Int ?? 0, "\(file) \(field)")
        }
      }
    }
  }
}
