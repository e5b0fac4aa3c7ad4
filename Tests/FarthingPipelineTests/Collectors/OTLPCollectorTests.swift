import Testing

@testable import FarthingCore
@testable import FarthingPipeline

@Suite("Calls out of spans")
struct OTLPCollectorTests {
  private let context = CollectionContext(now: clock)

  private func events(
    _ spans: [ProtobufWriter], scope: String = "opentelemetry.instrumentation.genai.openai",
    version: String = "1.3b0", resource: [ProtobufWriter] = []
  ) -> [PlainEvent] {
    var collector = OTLPCollector()
    let collected = collector.collect(
      SpanMessage.request(spans, scope: scope, version: version, resource: resource),
      signal: .traces, encoding: .protobuf, context)
    #expect(collected.failure == nil)
    return collected.batch.events.map { PlainEvent(event: $0, batch: collected.batch) }
  }

  private func event(
    _ attributes: [ProtobufWriter], scope: String = "opentelemetry.instrumentation.genai.openai",
    version: String = "1.3b0", resource: [ProtobufWriter] = []
  ) throws -> PlainEvent {
    var span = SpanMessage.span("a")
    for attribute in attributes { span.message(9, attribute) }
    return try #require(
      events([span], scope: scope, version: version, resource: resource).first)
  }

  private static let chat = SpanMessage.text("gen_ai.operation.name", "chat")

  // MARK: Which spans are calls

  @Test(arguments: [
    "invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval",
    "search_memory",
  ])
  func `agents, tools and pipelines are no calls, whatever usage they sum`(_ operation: String) {
    var span = SpanMessage.span("a")
    span.message(9, SpanMessage.text("gen_ai.operation.name", operation))
    span.message(9, SpanMessage.text("gen_ai.request.model", "m"))
    span.message(9, SpanMessage.count("gen_ai.usage.input_tokens", 5))
    #expect(events([span]).isEmpty)
  }

  @Test(arguments: ["CHAIN", "AGENT", "TOOL", "RETRIEVER", "PROMPT", "GUARDRAIL", "EVALUATOR"])
  func `kinds of OpenInference that are no calls are none`(_ kind: String) {
    var span = SpanMessage.span("a")
    span.message(9, SpanMessage.text("openinference.span.kind", kind))
    span.message(9, SpanMessage.count("llm.token_count.prompt", 5))
    #expect(events([span], scope: "openinference.instrumentation.openai").isEmpty)
  }

  @Test(arguments: [
    ("chat", "chat"), ("generate_content", "chat"), ("embeddings", "embeddings"),
    ("text_completion", "text_completion"), ("rerank", "rerank"), ("Chat", "chat"),
  ])
  func `operations are called as the contract calls them`(_ name: String, _ meaning: String) throws
  {
    let event = try event([SpanMessage.text("gen_ai.operation.name", name)])
    #expect(event.text(.operation) == meaning)
  }

  // MARK: What users say of their calls

  @Test(arguments: ["true", "True", "1"])
  func `a yes of an environment variable is one`(_ text: String) throws {
    let event = try event(
      [Self.chat], resource: [SpanMessage.text("farthing.batch", text)])
    #expect(event.event.integer(.batch) == 1)
  }

  @Test func `an attribute of ours that fills nothing is told once`() {
    var collector = OTLPCollector()
    var span = SpanMessage.call("a", 1, 1)
    span.message(9, SpanMessage.text("farthing.tenent", "x"))
    span.message(9, SpanMessage.text("farthing.batch", "perhaps"))
    var warnings: [[String]] = []
    for _ in 0..<2 {
      let collected = collector.collect(
        SpanMessage.request([span]), signal: .traces, encoding: .protobuf, context)
      collector.confirm(collected)
      warnings.append(collected.warnings)
    }
    #expect(warnings[0].count == 2)
    #expect(warnings[0].last?.contains("did you mean \"farthing.tenant\"?") == true)
    #expect(warnings[1].isEmpty)
  }

  @Test func `metadata and tags of OpenInference become tags, and what names a task its task`()
    throws
  {
    var list = ProtobufWriter()
    for tag in ["beta", "region: eu", ":none", "", String(repeating: "x", count: 300)] {
      var text = ProtobufWriter()
      text.raw(1, Array(tag.utf8))
      list.message(1, text)
    }
    var tags = ProtobufWriter()
    tags.message(5, list)
    let metadata = #"""
      {"squad":"red","tier":2,"paid":true,"thread_id":"t-1","user_id":"u-1","none":null,"empty":"",
       "nested":{"a":1},"many":[1],"prompt":"\#(String(repeating: "p", count: 300))"}
      """#
    let event = try event(
      [
        SpanMessage.text("openinference.span.kind", "LLM"),
        SpanMessage.text("user.id", "svc-a"), SpanMessage.text("metadata", metadata),
        SpanMessage.attribute("tag.tags", tags),
      ], scope: "openinference.instrumentation.openai")
    #expect(
      event.tags == ["squad": "red", "tier": "2", "paid": "true", "beta": "true", "region": "eu"])
    #expect(event.text(.task) == "t-1")
    #expect(event.text(.identity) == "svc-a")
  }

  @Test(arguments: ["[1]", "{", "\"text\"", "null", "{\"a\":}"])
  func `metadata that is no object says nothing`(_ metadata: String) throws {
    let event = try event(
      [
        SpanMessage.text("openinference.span.kind", "LLM"), SpanMessage.text("metadata", metadata),
        SpanMessage.text("tag.tags", "no list"),
      ], scope: "openinference.instrumentation.openai")
    #expect(event.tags.isEmpty)
  }

  @Test func `lists are read of JSON as of protobuf`() throws {
    var collector = OTLPCollector()
    let body = #"""
      {"resourceSpans":[{"scopeSpans":[{"scope":{"name":"openinference.instrumentation.openai"},"spans":[
      {"traceId":"000102030405060708090a0b0c0d0e0f","spanId":"0001020304050607",
       "startTimeUnixNano":"1795240000000000000","endTimeUnixNano":"1795240001000000000","attributes":[
       {"key":"openinference.span.kind","value":{"stringValue":"LLM"}},
       {"key":"llm.model_name","value":{"stringValue":"m"}},
       {"key":"tag.tags","value":{"arrayValue":{"values":[{"stringValue":"squad:red"},{"intValue":"3"}]}}}]}]}]}]}
      """#
    let collected = collector.collect(
      Array(body.utf8), signal: .traces, encoding: .json, context)
    let event = PlainEvent(
      event: try #require(collected.batch.events.first), batch: collected.batch)
    #expect(event.tags == ["squad": "red"])
  }

  // MARK: Tokens

  @Test(arguments: [
    ("opentelemetry.instrumentation.genai.openai", Int64(100), Int64(100)),
    ("opentelemetry.instrumentation.botocore.bedrock-runtime", 100, 160),
    // Fewer than the cached ones: they are left out for certain.
    ("opentelemetry.instrumentation.genai.openai", 20, 80),
    ("somebody.else", 20, 80), ("somebody.else", 100, 100),
    ("litellm", 20, 20),
  ])
  func `input includes cached tokens under both conventions`(
    _ scope: String, _ input: Int64, _ whole: Int64
  ) throws {
    let event = try event(
      [
        Self.chat, SpanMessage.count("gen_ai.usage.input_tokens", input),
        SpanMessage.count("gen_ai.usage.cache_read.input_tokens", 40),
        SpanMessage.count("gen_ai.usage.cache_creation.input_tokens", 20),
      ], scope: scope)
    #expect(event.event.integer(.inputTokens) == whole)
    #expect(event.event.integer(.cachedInputTokens) == 40)
    #expect(event.event.integer(.cacheWriteTokens) == 20)
  }

  @Test func `zeros without an answer are unknown`() throws {
    let event = try event([
      Self.chat, SpanMessage.count("gen_ai.usage.input_tokens", 0),
      SpanMessage.count("gen_ai.usage.output_tokens", 0),
    ])
    #expect(event.event.integer(.inputTokens) == nil)
    #expect(event.event.integer(.outputTokens) == nil)
  }

  @Test func `older names are read, and current ones come first`() throws {
    let older = try event(
      [
        SpanMessage.text("llm.request.type", "chat"), SpanMessage.text("gen_ai.system", "OpenAI"),
        SpanMessage.count("gen_ai.usage.prompt_tokens", 9),
        SpanMessage.count("gen_ai.usage.completion_tokens", 4),
        SpanMessage.count("gen_ai.usage.cache_read_input_tokens", 2),
      ], scope: "opentelemetry.instrumentation.openai.v1", version: "0.33.1")
    #expect(older.text(.provider) == "openai")
    #expect(older.event.integer(.inputTokens) == 9)
    #expect(older.event.integer(.outputTokens) == 4)
    #expect(older.event.integer(.cachedInputTokens) == 2)
    let both = try event([
      Self.chat, SpanMessage.count("gen_ai.usage.prompt_tokens", 9),
      SpanMessage.count("gen_ai.usage.input_tokens", 7),
    ])
    #expect(both.event.integer(.inputTokens) == 7)
  }

  @Test(arguments: [
    ("az.ai.openai", "azure.ai.openai"), ("vertex_ai", "gcp.vertex_ai"), ("gemini", "gcp.gemini"),
    ("xai", "x_ai"), ("AWS", "aws.bedrock"), ("Anthropic", "anthropic"), ("openai", "openai"),
    ("Acme", "acme"),
  ])
  func `providers are called by their current names`(_ name: String, _ current: String) throws {
    #expect(
      try event([Self.chat, SpanMessage.text("gen_ai.system", name)]).text(.provider) == current)
  }

  // MARK: How it ended

  @Test(
    arguments: [
      ("openai.RateLimitError", "rate_limited", nil), ("429", "rate_limited", 429),
      ("rate_limit_error", "rate_limited", nil), ("ThrottlingException", "rate_limited", nil),
      ("APITimeoutError", "timeout", nil), ("500", "error", 500), ("BadRequestError", "error", nil),
    ] as [(String, String, Int64?)])
  func `errors tell the status`(_ type: String, _ status: String, _ code: Int64?) throws {
    let event = try event([Self.chat, SpanMessage.text("error.type", type)])
    #expect(event.text(.status) == status)
    #expect(event.text(.error) == type)
    #expect(event.event.integer(.httpStatus) == code)
  }

  // MARK: Counting once

  @Test func `a call under a call is one, with the outer's times and the inner's parts`() throws {
    var inner = SpanMessage.call("b", 5, 3, parent: "h")
    inner.message(9, SpanMessage.count("gen_ai.usage.reasoning.output_tokens", 2))
    // An HTTP client's span stands between.
    let between = SpanMessage.span("h", parent: "a", seconds: 2)
    let got = events([inner, between, SpanMessage.call("a", 5, 3, seconds: 3)])
    #expect(got.count == 1)
    #expect(got[0].event.real(.latencyMs) == 3000)
    #expect(got[0].event.integer(.reasoningTokens) == 2)
  }

  @Test func `calls under an agent are calls of their own`() {
    var agent = SpanMessage.span("g", parent: "a")
    agent.message(9, SpanMessage.text("gen_ai.operation.name", "invoke_agent"))
    let got = events([
      SpanMessage.call("a", 5, 3, seconds: 9), agent, SpanMessage.call("b", 6, 4, parent: "g"),
      SpanMessage.call("c", 6, 4, parent: "g"),
    ])
    #expect(got.count == 3)
  }

  @Test func `one answer reported in two traces is one call, unless its id is anybody's`() {
    func pair(_ id: String) -> [ProtobufWriter] {
      [("a", "t"), ("b", "u")].map { (letter: Character, trace: Character) in
        var span = SpanMessage.call(letter, 5, 3, trace: trace)
        span.message(9, SpanMessage.text("gen_ai.response.id", id))
        return span
      }
    }
    let unique = events(pair("chatcmpl-abcdef0123"))
    #expect(unique.map { $0.text(.id) } == ["chatcmpl-abcdef0123"])
    let common = events(pair("chatcmpl-512"))
    #expect(Set(common.compactMap { $0.text(.id) }).count == 2)
    #expect(
      common[0].text(.id)
        == String(repeating: "74", count: 16) + "-" + String(repeating: "61", count: 8))
  }

  @Test(arguments: [true, false])
  func `a failure and the span around it count once over requests`(_ innerComesFirst: Bool) {
    var collector = OTLPCollector()
    func failure(_ letter: Character, parent: Character?) -> [UInt8] {
      var span = SpanMessage.span(letter, parent: parent)
      span.message(9, Self.chat)
      span.message(9, SpanMessage.text("error.type", "timeout"))
      return SpanMessage.request([span])
    }
    let both = [failure("b", parent: "a"), failure("a", parent: nil)]
    let bodies = innerComesFirst ? both : both.reversed()
    func collect(_ body: [UInt8]) -> Collected {
      collector.collect(body, signal: .traces, encoding: .protobuf, context)
    }
    let first = collect(bodies[0])
    #expect(first.batch.events.count == 1)
    // Not stored: what was collected must not stand in the way of the next.
    #expect(collect(bodies[1]).batch.events.count == 1)
    collector.confirm(first)
    let second = collect(bodies[1])
    #expect(second.batch.events.isEmpty)
    #expect(second.repeatedSpans == 1)
    // Sent again, the first is the same event with the same id.
    #expect(collect(bodies[0]).batch.events.count == 1)
  }

  @Test func `what is remembered is bounded`() {
    var recent = RecentCalls(generationLimit: 10)
    let ids = (1...100).map { SpanID(traceHigh: 1, traceLow: 2, span: $0) }
    for id in ids { recent.remember([RecentCalls.counted(id)]) }
    #expect(!recent.isCounted(ids[0]))
    #expect(recent.isCounted(ids[99]))
    #expect(!recent.hasCountedChild(ids[99]))
  }

  @Test func `attempts of one gateway request are linked by its id`() {
    func attempt(_ letter: Character, _ group: String, _ error: String?) -> ProtobufWriter {
      var span = SpanMessage.span(letter, trace: letter)
      // After the one before it.
      span.fixed(7, UInt64(clock) + UInt64(letter.asciiValue ?? 0) * 1_000_000)
      span.message(9, SpanMessage.text("gen_ai.operation.name", "acompletion"))
      span.message(9, SpanMessage.text("litellm.call_id", "call"))
      span.message(9, SpanMessage.text("litellm.model_group", group))
      span.message(9, SpanMessage.text("gen_ai.request.model", "model-" + group))
      if let error { span.message(9, SpanMessage.text("error.type", error)) }
      return span
    }
    let got = events(
      [attempt("a", "x", "Timeout"), attempt("b", "x", "Timeout"), attempt("c", "y", nil)],
      scope: "litellm", version: "")
    #expect(got.map { $0.event.integer(.attempt) } == [nil, 2, nil])
    #expect(got.map { $0.text(.fallbackFrom) } == [nil, nil, "model-x"])
    #expect(
      got.map { $0.text(.id) } == [
        "call:1795300000097000000", "call:1795300000098000000", "call",
      ])
  }

  // MARK: Fields by name

  @Test func `attributes of our own fill any field, a span's before a resource's`() throws {
    let event = try event(
      [
        Self.chat, SpanMessage.text("farthing.tenant", "acme"),
        SpanMessage.text("farthing.tags.squad", "search"),
        SpanMessage.count("farthing.retrievals", 3), SpanMessage.text("farthing.nothing", "x"),
        SpanMessage.text("traceloop.association.properties.customer_id", "other"),
        SpanMessage.text("traceloop.association.properties.plan", "gold"),
        SpanMessage.text("traceloop.association.properties.session_id", "s-1"),
      ],
      resource: [
        SpanMessage.text("service.name", "shop"), SpanMessage.text("farthing.site", "fra-1"),
        SpanMessage.text("farthing.tenant", "nobody"), SpanMessage.text("cloud.region", "eu-1"),
        SpanMessage.text("deployment.environment", "staging"),
      ])
    #expect(event.text(.tenant) == "acme")
    #expect(event.text(.site) == "fra-1")
    #expect(event.text(.clientSite) == "eu-1")
    #expect(event.text(.workload) == "shop")
    #expect(event.text(.task) == "s-1")
    #expect(event.event.integer(.retrievals) == 3)
    #expect(event.tags == ["squad": "search", "plan": "gold", "environment": "staging"])
  }

  // MARK: Warnings, signals and files

  @Test func `an unknown source is read by the convention and named once`() {
    var collector = OTLPCollector()
    let body = SpanMessage.request([SpanMessage.call("a", 5, 3)], scope: "x.y", version: "2")
    let first = collector.collect(body, signal: .traces, encoding: .json, context)
    #expect(first.failure != nil)
    let second = collector.collect(body, signal: .traces, encoding: .protobuf, context)
    #expect(
      second.warnings == [
        "instrumentation scope \"x.y\" 2 is not known: its spans are read by the GenAI semantic "
          + "conventions, with cached tokens taken to be inside input tokens"
      ])
    #expect(second.batch.events.count == 1)
    collector.confirm(second)
    let third = collector.collect(body, signal: .traces, encoding: .protobuf, context)
    #expect(third.warnings.isEmpty)
    #expect(third.response().body.isEmpty)
  }

  @Test func `JSON says the same as protobuf, in either spelling of keys`() throws {
    let span =
      #"{"traceId":"\#(String(repeating: "74", count: 16))","spanId":"6161616161616161","#
      + #""startTimeUnixNano":"1795300000000000000","endTimeUnixNano":1795300001000000000,"#
      + #""unknown":{"a":[1]},"status":{"code":2},"attributes":["#
      + #"{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},"#
      + #"{"key":"gen_ai.usage.input_tokens","value":{"intValue":"5"}},"#
      + #"{"key":"gen_ai.usage.output_tokens","value":{"intValue":3}},"#
      + #"{"key":"gen_ai.response.time_to_first_chunk","value":{"doubleValue":0.25}}]}"#
    let camel =
      #"{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{"name":"litellm"},"spans":[\#(span)]}]}]}"#
    var snake = camel
    for (name, other) in [
      ("resourceSpans", "resource_spans"), ("scopeSpans", "scope_spans"), ("traceId", "trace_id"),
      ("stringValue", "string_value"), ("startTimeUnixNano", "start_time_unix_nano"),
    ] {
      snake = snake.split(separator: name, omittingEmptySubsequences: false).joined(
        separator: other)
    }
    for text in [camel, snake] {
      var collector = OTLPCollector()
      let batch = collector.decode(Array("\(text)\n\(text)\n".utf8), context)
      #expect(batch.rejections == [])
      #expect(batch.events.map(\.line) == [1, 2])
      let event = PlainEvent(event: batch.events[1], batch: batch)
      #expect(event.text(.status) == "error")
      #expect(event.event.integer(.inputTokens) == 5)
      #expect(event.event.integer(.outputTokens) == 3)
      #expect(event.event.real(.ttftMs) == 250)
      #expect(event.event.real(.latencyMs) == 1000)
    }
  }

  @Test func `answers are written as the specification says`() {
    #expect(OTLPResponse.success(.traces, .protobuf).body == [])
    #expect(OTLPResponse.success(.logs, .json).body == Array("{}".utf8))
    let partial = OTLPResponse.success(.traces, .json, rejected: 3, message: "a \"b\"\n")
    #expect(
      String(decoding: partial.body, as: UTF8.self)
        == #"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"a \"b\"\u000a"}}"#)
    #expect(
      OTLPResponse.success(.metrics, .protobuf, rejected: 300, message: "x").body
        == [0x0A, 6, 0x08, 0xAC, 2, 0x12, 1, 0x78])
    let failure = OTLPResponse.failure(status: 503, message: "later", .json)
    #expect(failure.status == 503)
    #expect(String(decoding: failure.body, as: UTF8.self) == #"{"code":14,"message":"later"}"#)
    #expect(
      OTLPResponse.failure(status: 400, message: "x", .protobuf).body == [8, 3, 0x12, 1, 0x78])
    #expect(OTLPEncoding(contentType: "Application/JSON; charset=utf-8") == .json)
    #expect(OTLPEncoding(contentType: "application/x-protobuf") == .protobuf)
    #expect(OTLPEncoding(contentType: "text/plain") == nil)
  }

  @Test func `versions are compared by their numbers`() {
    #expect(Instrumentation.isVersion("0.49.7", below: [0, 50]))
    #expect(!Instrumentation.isVersion("0.50", below: [0, 50]))
    #expect(!Instrumentation.isVersion("1.3b0", below: [1, 3]))
    #expect(!Instrumentation.isVersion("", below: [1]))
    let row = Instrumentation.row(scope: "openinference.instrumentation.langchain", version: "0.1")
    #expect(Instrumentation.table[row].isFramework)
  }
}
