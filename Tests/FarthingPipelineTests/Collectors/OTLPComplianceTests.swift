import Foundation
import Testing

@testable import FarthingCore
@testable import FarthingPipeline
@testable import FarthingStore

/// One suite for every capture of spans: what real clients sent, against what a correct collector
/// makes of it.
@Suite("OTLP captures")
struct OTLPComplianceTests {
  /// Every capture with spans, as `SOURCE/CAPTURE`.
  static let captures: [String] = {
    guard let root = Fixtures.directory?.path else { return [] }
    let files = FileManager.default
    return ((try? files.contentsOfDirectory(atPath: root)) ?? []).sorted().flatMap { source in
      ((try? files.contentsOfDirectory(atPath: root + "/" + source)) ?? []).sorted()
        .filter { capture in
          let bodies = try? files.contentsOfDirectory(atPath: "\(root)/\(source)/\(capture)")
          return bodies?.contains { $0.contains(".v1_") } == true
        }
        .map { "\(source)/\($0)" }
    }
  }()

  /// A request as the client sent it, decompressed.
  struct Request {
    var name: String
    var body: [UInt8]
    var signal: OTLPSignal
    var encoding: OTLPEncoding
  }

  static func requests(_ capture: String) throws -> [Request] {
    let folder = try #require(Fixtures.directory).path + "/" + capture
    let bodies = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".body") }.sorted()
    return try bodies.map { name in
      let input = try DecompressedInput(try ByteSource.open(folder + "/" + name))
      var body: [UInt8] = []
      while try input.read(appendingTo: &body, count: 1 << 16) > 0 {}
      let meta = try JSONTree(
        try Fixtures.bytes("\(capture)/\(name.dropLast(5)).meta.json")
      ).root
      let path = try #require(meta["path"]?.text)
      let type = try #require(meta["headers.content-type"]?.text)
      return Request(
        name: name, body: body,
        signal: try #require(OTLPSignal.allCases.first { $0.path == path }),
        encoding: try #require(OTLPEncoding(contentType: type)))
    }
  }

  /// All calls of a capture, its bodies sent in order through one collector and confirmed.
  static func collect(_ requests: [Request]) -> (calls: [PlainEvent], collected: [Collected]) {
    var collector = OTLPCollector()
    var calls: [PlainEvent] = []
    var all: [Collected] = []
    for request in requests {
      let collected = collector.collect(
        request.body, signal: request.signal, encoding: request.encoding,
        CollectionContext(now: clock))
      collector.confirm(collected)
      calls += collected.batch.events.map { PlainEvent(event: $0, batch: collected.batch) }
      all.append(collected)
    }
    return (calls, all)
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"), arguments: captures)
  func `captured spans come out as they were served`(_ capture: String) throws {
    let expected = try Fixtures.expected(capture)
    let calls = expected["calls"]?.elements ?? []
    let (got, collected) = Self.collect(try Self.requests(capture))
    #expect(collected.allSatisfy { $0.failure == nil && $0.rejectedSpans == 0 })
    #expect(collected.allSatisfy { $0.batch.rejections.isEmpty })
    #expect(got.count == calls.count)
    let spans = collected.filter { $0.signal == .traces }.map(\.records).reduce(0, +)
    #expect(spans == expected["counts.spans"]?.integer.map(Int.init))
    for call in calls {
      let name = call["case"]?.text ?? ""
      // Times of any span of the call are acceptable.
      let spans = [call] + (call["also_reported_by"]?.elements ?? [])
      let times = spans.compactMap { $0["time_unix_nano"]?.integer }
      let event = try #require(got.first { times.contains($0.event.time) }, "\(capture) \(name)")
      check(event, call, "\(capture) \(name)", latencies: spans)
    }
  }

  private func check(
    _ got: PlainEvent, _ call: JSONValue, _ name: String, latencies: [JSONValue]
  ) {
    for field in [TextField.model, .provider, .operation, .responseCache] {
      #expect(got.text(field) == Fixtures.literal(call, field.contractName), "\(name) \(field)")
    }
    #expect(got.text(.status) ?? "ok" == Fixtures.literal(call, "status"), "\(name)")
    #expect(got.text(.error) == Fixtures.literal(call, "error_raw"), "\(name)")
    if let status = call["http_status"]?.integer {
      #expect(got.event.integer(.httpStatus) == status, "\(name)")
    } else if let status = got.event.integer(.httpStatus) {
      #expect(status == call["truth.http_status"]?.integer, "\(name)")
    }
    for field in [
      IntegerField.inputTokens, .outputTokens, .cachedInputTokens, .reasoningTokens,
      .cacheWriteTokens, .cacheWrite1hTokens,
    ] {
      let wanted = call[JSONPath(key: field.contractName)]?.integer
      let reported = call[JSONPath(key: "misreported")]?[JSONPath(key: field.contractName)]
      let value = got.event.integer(field)
      #expect(value == wanted || value == reported?.integer, "\(name) \(field)")
    }
    for field in [IntegerField.inputAudioTokens, .outputAudioTokens, .inputImageTokens] {
      // A part of none is the same said or unsaid.
      let wanted = call[JSONPath(key: field.contractName)]?.integer ?? 0
      #expect(got.event.integer(field) ?? 0 == wanted, "\(name) \(field)")
    }
    let latency = got.event.real(.latencyMs) ?? -1
    let isKnown = latencies.contains { span in
      abs((Fixtures.literal(span, "latency_ms").flatMap(Double.init) ?? -9) - latency) <= 0.01
    }
    #expect(isKnown, "\(name) latency \(latency)")
    let first = Fixtures.literal(call, "ttft_ms").flatMap(Double.init)
    #expect(abs((got.event.real(.ttftMs) ?? -1) - (first ?? -1)) <= 0.01, "\(name) ttft")
    let cost = call["reported_cost_usd"]?.integer(scaledBy: 12)
    #expect(got.event.money(.reportedCostUSD) == cost.map { Int128($0) }, "\(name) cost")
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"), arguments: captures)
  func `no wrapper is counted, each call has its own id, and no prompt is kept`(
    _ capture: String
  ) throws {
    let (calls, collected) = Self.collect(try Self.requests(capture))
    var ids: Set<String> = []
    for call in calls {
      let id = try #require(call.text(.id))
      #expect(ids.insert(id).inserted, "\(id)")
    }
    for batch in collected.map(\.batch) {
      let kept = String(decoding: batch.bytes, as: UTF8.self)
      for secret in ["key-checkout", "key-research", "Check the invoice", "agreed budget", "terse"]
      {
        #expect(!kept.contains(secret))
      }
    }
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"), arguments: captures)
  func `what is sent again comes out with the same ids, or not at all`(_ capture: String) throws {
    let requests = try Self.requests(capture)
    let once = Set(Self.collect(requests).calls.compactMap { $0.text(.id) })
    let twice = Set(Self.collect(requests + requests).calls.compactMap { $0.text(.id) })
    #expect(twice == once)
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"), arguments: captures)
  func `a capture cut into a request for each span counts the same calls`(
    _ capture: String
  ) throws {
    let requests = try Self.requests(capture)
    let cut = try requests.flatMap { request -> [Request] in
      guard request.signal == .traces, request.encoding == .protobuf else { return [request] }
      return try SpanCutter.cut(request.body).map {
        Request(name: request.name, body: $0, signal: .traces, encoding: .protobuf)
      }
    }
    let whole = Self.collect(requests).calls
    let pieces = Self.collect(cut).calls
    // The third rule of counting once needs both spans in one request.
    guard !capture.contains("langchain") else { return }
    #expect(Set(pieces.compactMap { $0.text(.id) }).count == whole.count)
  }
}

/// Cuts a traces request into one request a span.
enum SpanCutter {
  static func cut(_ body: [UInt8]) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    for resourceSpans in try fields(body) where resourceSpans.number == 1 {
      let inner = try fields(resourceSpans.bytes)
      for scopeSpans in inner where scopeSpans.number == 2 {
        let parts = try fields(scopeSpans.bytes)
        for span in parts where span.number == 2 {
          var scope = ProtobufWriter()
          for part in parts where part.number == 1 { scope.raw(1, part.bytes) }
          scope.raw(2, span.bytes)
          var resource = ProtobufWriter()
          for part in inner where part.number == 1 { resource.raw(1, part.bytes) }
          resource.message(2, scope)
          var request = ProtobufWriter()
          request.message(1, resource)
          result.append(request.bytes)
        }
      }
    }
    return result
  }

  private static func fields(_ bytes: [UInt8]) throws -> [(number: UInt64, bytes: [UInt8])] {
    var reader = ProtobufReader(from: 0, to: bytes.count)
    var field = ProtobufField()
    var result: [(number: UInt64, bytes: [UInt8])] = []
    while try reader.next(bytes.span, &field) {
      guard field.wire == ProtobufWire.bytes else { continue }
      result.append((field.number, Array(bytes[field.start..<field.end])))
    }
    return result
  }
}
