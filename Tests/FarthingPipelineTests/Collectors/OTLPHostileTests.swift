import Testing

@testable import FarthingCore
@testable import FarthingPipeline

@Suite("OTLP from hostile clients")
struct OTLPHostileTests {
  private func collect(
    _ bytes: [UInt8], _ encoding: OTLPEncoding = .protobuf, _ signal: OTLPSignal = .traces
  ) -> Collected {
    var collector = OTLPCollector()
    return collector.collect(
      bytes, signal: signal, encoding: encoding, CollectionContext(now: clock))
  }

  @Test func `a request cut at any byte is refused whole or read as far as it is one`() {
    let whole = SpanMessage.request([SpanMessage.call("a", 5, 3)])
    #expect(collect(whole).batch.events.count == 1)
    for end in 0..<whole.count {
      let collected = collect(Array(whole[..<end]))
      #expect(end == 0 || collected.failure != nil, "\(end)")
      #expect(collected.batch.events.isEmpty)
    }
  }

  @Test func `any byte may be any other`() {
    let whole = SpanMessage.request([SpanMessage.call("a", 5, 3), SpanMessage.call("b", 7, 1)])
    for index in whole.indices {
      for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF, whole[index] ^ 1, whole[index] &+ 8] {
        var bytes = whole
        bytes[index] = value
        #expect(collect(bytes).batch.events.count <= 2)
      }
    }
  }

  @Test(arguments: [
    ([UInt8]([0x0B, 0x0C]), true), ([0x0B], false), ([0x0B, 0x14], false),
    ([0x0C], false), ([0x0E], false), ([0x00], false), ([0x0A, 0xFF], false),
    ([0x08] + Array(repeating: 0xFF, count: 9) + [0x01], true),
    ([0x08] + Array(repeating: 0xFF, count: 9) + [0x02], false),
    ([0x08] + Array(repeating: 0xFF, count: 30), false),
    ([0x0A] + Array(repeating: 0xFF, count: 9) + [0x01], false),
    (Array(repeating: 0x0B, count: 40), false), ([0x09, 1, 2, 3, 4, 5, 6, 7, 8], true),
    ([0x09, 1, 2], false), ([0x0D, 1, 2, 3, 4], true), ([0x0D, 1], false),
  ])
  func `what protobuf allows is passed over and all else refused`(
    _ bytes: [UInt8], _ isMessage: Bool
  ) {
    for signal in OTLPSignal.allCases {
      #expect((collect(bytes, .protobuf, signal).failure == nil) == isMessage, "\(bytes)")
    }
  }

  @Test func `values in each other to any depth are not entered`() {
    var value = ProtobufWriter()
    value.text(1, "deep")
    for _ in 0..<2000 {
      var list = ProtobufWriter()
      list.message(1, value)
      value = ProtobufWriter()
      value.message(5, list)
    }
    var span = SpanMessage.call("a", 5, 3)
    span.message(9, SpanMessage.attribute("gen_ai.input.messages", value))
    span.message(9, SpanMessage.attribute("gen_ai.conversation.id", value))
    let collected = collect(SpanMessage.request([span]))
    #expect(collected.failure == nil)
    #expect(collected.batch.events.count == 1)
    #expect(collected.batch.events[0].range(of: .task) == nil)
  }

  @Test func `a hundred thousand attributes cost no more than their bytes`() {
    var span = SpanMessage.call("a", 5, 3)
    for index in 0..<100_000 {
      span.message(9, SpanMessage.text("farthing.tags.t\(index % 900)", "v"))
    }
    let collected = collect(SpanMessage.request([span]))
    #expect(collected.batch.events.count == 1)
    #expect(collected.batch.events[0].tags.count == EventLimits.entries)
  }

  @Test func `texts that no event may have are made to fit`() throws {
    var span = SpanMessage.call("a", 5, 3)
    span.message(9, SpanMessage.text("gen_ai.response.model", String(repeating: "m", count: 5000)))
    var value = ProtobufWriter()
    value.raw(1, [0x66, 0xFF, 0x0A, 0x6F, 0xC0])
    span.message(9, SpanMessage.attribute("gen_ai.conversation.id", value))
    let batch = collect(SpanMessage.request([span])).batch
    let event = PlainEvent(event: try #require(batch.events.first), batch: batch)
    #expect(event.text(.model) == String(repeating: "m", count: 1024))
    #expect(event.text(.task) == "f\u{FFFD}o\u{FFFD}")
  }

  @Test func `counts that are no counts are unknown`() throws {
    var span = SpanMessage.call("a", 5, 3)
    span.message(9, SpanMessage.count("gen_ai.usage.input_tokens", -1))
    span.message(9, SpanMessage.count("gen_ai.usage.cache_read.input_tokens", .max))
    span.message(9, SpanMessage.text("gen_ai.usage.output_tokens", "12"))
    span.message(9, SpanMessage.text("gen_ai.usage.reasoning.output_tokens", "many"))
    let collected = collect(SpanMessage.request([span]))
    #expect(collected.batch.events.isEmpty)
    #expect(collected.rejectedSpans == 1)
    #expect(
      collected.batch.rejections == [
        EventRejection(
          line: 1, field: "cached_input_tokens", value: "9223372036854775807",
          expected: "an integer of at most 9007199254740992")
      ])
  }

  @Test func `a call without ids or with a time that cannot be is rejected by itself`() {
    var lost = ProtobufWriter()
    lost.fixed(7, UInt64(clock))
    lost.message(9, SpanMessage.text("gen_ai.operation.name", "chat"))
    var late = SpanMessage.call("b", 5, 3)
    late.fixed(7, .max)
    let collected = collect(SpanMessage.request([lost, SpanMessage.call("a", 5, 3), late]))
    #expect(collected.batch.events.count == 1)
    #expect(collected.rejectedSpans == 2)
    // The rejected count, 2, and after it the message.
    #expect(collected.response().body.dropFirst(3).starts(with: [0x08, 2, 0x12]))
    #expect(
      String(decoding: collected.response().body, as: UTF8.self).contains(
        "span 1: id expected a trace id of 16 bytes and a span id of 8, or the provider's response "
          + "id; span 3: time \"9223372036854775807\" expected a time from 2000"))
  }

  @Test(arguments: [
    "", "5", "[]", "{", #"{"resourceSpans":5}"#, #"{"resourceSpans":[5]}"#,
    #"{"resourceSpans":[{"scopeSpans":{}}]}"#, #"{} x"#,
    #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":{}}]}]}]}"#,
  ])
  func `JSON that is no request is refused`(_ text: String) {
    let collected = collect(Array(text.utf8), .json)
    #expect(collected.failure != nil)
    #expect(collected.response().status == 400)
    #expect(collected.response().contentType == "application/json")
  }

  @Test(arguments: [#"{}"#, #"{"resourceSpans":[]}"#, #"{"resourceSpans":null,"more":[[1]]}"#])
  func `an empty request is a success`(_ text: String) {
    for signal in OTLPSignal.allCases {
      let collected = collect(Array(text.utf8), .json, signal)
      #expect(collected.failure == nil)
      #expect(collected.response().body == Array("{}".utf8))
      #expect(collect([], .protobuf, signal).response().body == [])
    }
  }
}

/// Spans as clients write them, for tests.
enum SpanMessage {
  /// A request of one resource and scope.
  static func request(
    _ spans: [ProtobufWriter], scope: String = "opentelemetry.instrumentation.genai.openai",
    version: String = "1.3b0", resource: [ProtobufWriter] = []
  ) -> [UInt8] {
    var library = ProtobufWriter()
    library.text(1, scope)
    library.text(2, version)
    var scopeSpans = ProtobufWriter()
    scopeSpans.message(1, library)
    for span in spans { scopeSpans.message(2, span) }
    var attributes = ProtobufWriter()
    for attribute in resource { attributes.message(1, attribute) }
    var resourceSpans = ProtobufWriter()
    resourceSpans.message(1, attributes)
    resourceSpans.message(2, scopeSpans)
    var request = ProtobufWriter()
    request.message(1, resourceSpans)
    return request.bytes
  }

  /// A span with ids made of a letter, of one second's length.
  static func span(
    _ letter: Character, parent: Character? = nil, trace: Character = "t", seconds: UInt64 = 1
  ) -> ProtobufWriter {
    var span = ProtobufWriter()
    span.raw(1, Array(repeating: trace.asciiValue ?? 1, count: 16))
    span.raw(2, Array(repeating: letter.asciiValue ?? 1, count: 8))
    if let parent { span.raw(4, Array(repeating: parent.asciiValue ?? 1, count: 8)) }
    span.fixed(7, UInt64(clock))
    span.fixed(8, UInt64(clock) + seconds * 1_000_000_000)
    return span
  }

  /// A chat with its counts.
  static func call(
    _ letter: Character, _ input: Int64, _ output: Int64, parent: Character? = nil,
    trace: Character = "t", seconds: UInt64 = 1
  ) -> ProtobufWriter {
    var span = span(letter, parent: parent, trace: trace, seconds: seconds)
    span.message(9, text("gen_ai.operation.name", "chat"))
    span.message(9, text("gen_ai.provider.name", "openai"))
    span.message(9, text("gen_ai.request.model", "m"))
    span.message(9, count("gen_ai.usage.input_tokens", input))
    span.message(9, count("gen_ai.usage.output_tokens", output))
    return span
  }

  static func attribute(_ key: String, _ value: ProtobufWriter) -> ProtobufWriter {
    var pair = ProtobufWriter()
    pair.text(1, key)
    pair.message(2, value)
    return pair
  }

  static func text(_ key: String, _ text: String) -> ProtobufWriter {
    var value = ProtobufWriter()
    value.raw(1, Array(text.utf8))
    return attribute(key, value)
  }

  static func count(_ key: String, _ count: Int64) -> ProtobufWriter {
    var value = ProtobufWriter()
    value.chosen(3, UInt64(bitPattern: count))
    return attribute(key, value)
  }

  static func real(_ key: String, _ real: Double) -> ProtobufWriter {
    var value = ProtobufWriter()
    value.fixed(4, real.bitPattern)
    return attribute(key, value)
  }
}
