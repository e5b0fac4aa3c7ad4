import FarthingPipeline
import FarthingStore
import FarthingTestSupport
import Testing

@testable import FarthingServer

@Suite(.timeLimit(.minutes(10))) struct `A hostile body` {
  /// 600, or what `FARTHING_HOSTILE_BODIES` says.
  private static let count =
    HostProcess.environment("FARTHING_HOSTILE_BODIES").flatMap { Int($0) } ?? 600

  private struct Body {
    var bytes: [UInt8]
    var headers: [String] = []
    var path = "/v1/events"
  }

  private static let texts: [String] = [
    "", " ", "\n\n\n", "\u{0}", "null", "true", "0", "\"\"", "[]", "{}", "[[]]", "[{}]", "{\"a\"",
    "[1,2",
    "{\"time\":}", "{\"time\":1e999}", "{\"time\":-1}", "{\"time\":99999999999999999999999999}",
    "{\"time\":\"9999-99-99T99:99:99Z\"}", "{\"time\":\"2026-11-20\"}", "\u{FEFF}{}", "\u{FEFF}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\"}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"input_tokens\":9223372036854775808}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"input_tokens\":1.5}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"input_tokens\":-4}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"input_tokens\":1e400}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"latency_ms\":NaN}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"reported_cost_usd\":1e-9999999999}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"reported_cost_usd\":\"1e999999\"}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"\\ud800\"}",
    "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"\\u0000\"}",
    "{\"type\":\"capacity\",\"time\":\"2026-11-20T10:00:00Z\",\"until\":\"2026-11-19T10:00:00Z\"}",
    "{\"type\":\"nothing\",\"time\":\"2026-11-20T10:00:00Z\"}", "<xml/>", "a=b&c=d", "%PDF-1.7",
  ]

  /// One of many sorts, by number; the same number is the same body.
  private static func body(_ number: Int, _ random: inout SplitMix) throws -> Body {
    let good = Array(event("h\(number)").utf8)
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(max(1, bound))) }
    switch number % 12 {
    case 0: return Body(bytes: Array(texts[below(texts.count)].utf8))
    case 1:  // bytes flipped
      var bytes = good
      for _ in 0...below(6) { bytes[below(bytes.count)] ^= UInt8(1 << below(8)) }
      return Body(bytes: bytes)
    case 2: return Body(bytes: Array(good.prefix(below(good.count))))
    case 3:
      return Body(bytes: (0..<below(3000)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    case 4:  // nesting
      let depth = 1 << below(13)
      let open = below(2) == 0 ? "[" : "{\"a\":"
      return Body(bytes: Array(String(repeating: open, count: depth).utf8))
    case 5:  // a bomb, or what says it is one
      let bytes = try Compressed.zstd([UInt8](repeating: 0x5B, count: 1 << (8 + below(12))))
      return Body(bytes: bytes, headers: ["Content-Encoding: zstd"])
    case 6:  // a damaged archive
      var bytes = number % 24 < 12 ? try Compressed.zstd(good + good + good) : Compressed.gzip(good)
      bytes[below(bytes.count)] ^= UInt8(1 << below(8))
      if below(3) == 0 { bytes.removeLast(below(bytes.count)) }
      return Body(
        bytes: bytes, headers: ["Content-Encoding: \(number % 24 < 12 ? "zstd" : "gzip")"])
    case 7:  // a long text, a long number, many fields
      let long = String(repeating: "9", count: 1 + below(20_000))
      let line = [
        "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"\(long)\"}",
        "{\"time\":\"2026-11-20T10:00:00Z\",\"model\":\"m\",\"input_tokens\":\(long)}",
        "{" + (0..<below(300)).map { "\"f\($0)\":1" }.joined(separator: ",") + "}",
      ][below(3)]
      return Body(bytes: Array(line.utf8))
    case 8:  // a good event between bad ones
      return Body(bytes: Array("\u{0}\n".utf8) + good + Array("\n{\n[\n".utf8))
    case 9:
      return Body(
        bytes: Array(texts[below(texts.count)].utf8) + good, headers: ["Content-Encoding: gzip"])
    case 10:
      return Body(
        bytes: Array(texts[below(texts.count)].utf8),
        path: "/v1/collect/" + ["litellm", "openai", "anthropic", "gemini", "bedrock"][below(5)])
    default:
      var bytes = good
      bytes.insert(contentsOf: [0xC3, 0x28, 0xFF, 0xED, 0xA0, 0x80], at: below(bytes.count))
      return Body(bytes: bytes)
    }
  }

  @Test func `ends nothing, is never the server's fault, and stores nothing that is not an event`()
    async throws
  {
    var limits = ServerLimits()
    limits.bodyBytes = 1 << 16
    try await withServer(limits: limits) { server in
      var random = SplitMix(seed: 17)
      var accepted = 0
      for number in 0..<Self.count {
        let body = try Self.body(number, &random)
        let reply = try await server.call("POST", body.path, body.bytes, headers: body.headers)
        #expect(
          [200, 400, 413].contains(reply.status), "body \(number): \(reply.status) \(reply.text)")
        if let range = reply.text.firstRange(of: "{\"accepted\":") {
          accepted += Int(reply.text[range.upperBound...].prefix { $0.isNumber }) ?? 0
        }
      }
      let count = try await server.call("GET", "/v1/query?metrics=requests")
      #expect(count.text == "[\n{\"requests\":\(accepted)}\n]\n")
      #expect(try await server.call("GET", "/readyz").status == 200)
    }
  }
}
