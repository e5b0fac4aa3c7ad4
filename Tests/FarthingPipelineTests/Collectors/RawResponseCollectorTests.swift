import Testing

@testable import FarthingCore
@testable import FarthingPipeline

@Suite("Raw API responses")
struct RawResponseCollectorTests {
  private func decode(
    _ text: String, metadata: String? = nil, as format: SourceFormat? = nil
  ) -> DecodedBatch {
    let bytes = Array(text.utf8)
    let beside = metadata.map { Array($0.utf8) }
    var collector = (format ?? SourceFormat.detect(bytes, metadata: beside)).makeCollector(
      now: clock)
    return collector.decode(
      bytes, CollectionContext(now: clock, fallbackTime: clock - 5, metadata: beside))
  }

  private func only(_ batch: DecodedBatch) throws -> PlainEvent {
    #expect(batch.rejections == [])
    #expect(batch.events.count == 1)
    return PlainEvent(event: try #require(batch.events.first), batch: batch)
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"))
  func `every response in the shapes of the public APIs comes out as served`() throws {
    let calls = try Fixtures.expected("raw-api-responses")["calls"]?.elements ?? []
    #expect(calls.count == 23)
    for call in calls {
      let file = try #require(call["file"]?.text)
      let body = try Fixtures.bytes("raw-api-responses/\(file)")
      let metadata = try Fixtures.bytes(
        SourceFormat.metadataPath(of: "raw-api-responses/\(file)"))
      let format = SourceFormat.detect(body, metadata: metadata)
      #expect(format.rawValue == file.prefix { $0 != "-" }, "\(file)")
      var collector = format.makeCollector(now: clock)
      let got = try only(
        collector.decode(
          body, CollectionContext(now: clock, fallbackTime: clock - 5, metadata: metadata)))
      for field in [TextField.provider, .operation, .model] {
        #expect(
          got.text(field) == Fixtures.literal(call, field.contractName), "\(file) \(field)")
      }
      #expect(got.text(.status) ?? "ok" == Fixtures.literal(call, "status"), "\(file)")
      #expect(got.event.integer(.httpStatus) == call["http_status"]?.integer, "\(file)")
      for field in IntegerField.allCases where field.contractName.hasSuffix("_tokens") {
        let expected = call[JSONPath(key: field.contractName)]?.integer
        // What the answer does not say is absent; the server meant 0 there.
        #expect((got.event.integer(field) ?? 0) == expected ?? 0, "\(file) \(field)")
      }
      #expect(
        (got.event.integer(.inputTokens) == nil) == (call["input_tokens"] == nil), "\(file)")
      #expect(!String(decoding: got.batch.bytes, as: UTF8.self).contains("agreed"))
    }
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"))
  func `bodies alone are recognised`() throws {
    let calls = try Fixtures.expected("raw-api-responses")["calls"]?.elements ?? []
    for call in calls {
      let file = try #require(call["file"]?.text)
      // InvokeModel answers with the model's own body: only the path tells Bedrock.
      let expected = file.hasPrefix("bedrock-02") ? "anthropic" : String(file.prefix { $0 != "-" })
      let body = try Fixtures.bytes("raw-api-responses/\(file)")
      #expect(SourceFormat.detect(body).rawValue == expected, "\(file)")
    }
  }

  @Test func `a whole answer of each API`() throws {
    let openAI = try only(
      decode(
        #"{"id":"c","object":"chat.completion","created":1795241263,"model":"m","#
          + #""service_tier":"default","choices":[],"usage":{"prompt_tokens":10,"#
          + #""completion_tokens":5,"prompt_tokens_details":null}}"#))
    #expect(openAI.event.time == 1_795_241_263_000_000_000)
    #expect(openAI.text(.serviceTier) == "standard")
    #expect(openAI.event.integer(.inputTokens) == 10)
    #expect(openAI.event.integer(.cachedInputTokens) == nil)

    let anthropic = try only(
      decode(
        #"{"id":"a","type":"message","role":"assistant","model":"m","content":[],"usage":"#
          + #"{"input_tokens":1,"cache_creation_input_tokens":2,"cache_read_input_tokens":4,"#
          + #""output_tokens":8,"service_tier":"batch"}}"#))
    #expect(anthropic.event.time == clock - 5)
    #expect(anthropic.event.integer(.inputTokens) == 7)
    #expect(anthropic.event.integer(.cacheWriteTokens) == 2)
    #expect(anthropic.event.integer(.cacheWrite1hTokens) == nil)
    #expect(anthropic.event.integer(.batch) == 1)
    #expect(anthropic.text(.serviceTier) == nil)

    let bedrock = try only(
      decode(
        #"{"output":{},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2},"#
          + #""metrics":{"latencyMs":77}}"#,
        metadata: #"{"request_path":"/model/amazon.Nova-v1:0/converse","status":200}"#))
    #expect(bedrock.text(.model) == "amazon.Nova-v1:0")
    #expect(bedrock.event.real(.latencyMs) == 77)
  }

  @Test func `counts in headers serve where the body has none`() throws {
    let event = try only(
      decode(
        "{\"generation\":\"x\"}",
        metadata:
          #"{"request_path":"/model/meta.llama/invoke","request_model":"meta.llama","status":200,"#
          + #""response_headers":{"x-amzn-bedrock-input-token-count":"12","#
          + #""x-amzn-bedrock-output-token-count":"3"}}"#))
    #expect(event.event.integer(.inputTokens) == 12)
    #expect(event.event.integer(.outputTokens) == 3)
    #expect(event.text(.provider) == "aws.bedrock")
  }

  @Test func `a stream that broke off does not pass its placeholder for usage`() throws {
    let start =
      #"data: {"type":"message_start","message":{"id":"a","model":"m","usage":{"input_tokens":7,"#
      + #""output_tokens":1}}}"#
    let broken = try only(decode("event: message_start\n\(start)\n\ndata: {\"type\":\"cont"))
    #expect(broken.event.integer(.inputTokens) == 7)
    #expect(broken.event.integer(.outputTokens) == nil)
    let whole = try only(
      decode(start + "\n\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":9}}\n"))
    #expect(whole.event.integer(.inputTokens) == 7)
    #expect(whole.event.integer(.outputTokens) == 9)

    let gemini =
      #"{"candidates":[{}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":1}}"#
    let cut = try only(decode("data: \(gemini)\n\n"))
    #expect(cut.text(.usage) == "estimated")
    let finished = gemini.replacing("[{}]", with: "[{\"finishReason\":\"STOP\"}]")
      .replacing("Count\":1", with: "Count\":3")
    let array = try only(decode("[\(gemini),\n\(finished)]"))
    #expect(array.event.integer(.outputTokens) == 3)
    #expect(array.text(.usage) == nil)
  }

  @Test func `lines of answers are one call each`() {
    let line = #"{"object":"chat.completion","created":1795241263,"model":"m"}"#
    let batch = decode("\(line)\n\(line)\nbroken\n")
    #expect(batch.events.map(\.line) == [1, 2])
    #expect(batch.rejections.map(\.line) == [3])
  }

  @Test func `an object that says nothing of a call is refused`() {
    for format in [SourceFormat.openai, .anthropic, .gemini, .bedrock] {
      let batch = decode(#"{"a":1}"# + "\n{}\n[]\n", as: format)
      #expect(batch.events.isEmpty)
      #expect(batch.rejections.map(\.line) == [1, 2, 3])
      #expect(
        batch.rejections.allSatisfy { $0.expected == "an answer of the \(format.rawValue) API" })
      let stream = decode("data: {\"hello\":1}\n\ndata: [DONE]\n", as: format)
      #expect(stream.events.isEmpty && stream.rejections.count == 1)
    }
    for (format, body) in [
      (SourceFormat.openai, #"{"choices":[]}"#), (.anthropic, #"{"content":[]}"#),
      (.gemini, #"{"candidates":[]}"#), (.bedrock, #"{"generation":"x"}"#),
      (.openai, #"{"error":{"message":"no"}}"#), (.anthropic, #"{"type":"error","error":{}}"#),
    ] {
      #expect(decode(body, as: format).events.count == 1, "\(body)")
    }
  }

  @Test func `errors are told by status, class and words`() throws {
    let cases: [(String, String?, String, String?, String?)] = [
      (
        "openai", "429",
        #"{"error":{"message":"x","type":"requests","code":"rate_limit_exceeded"}}"#,
        "rate_limited", "rate_limit_exceeded"
      ),
      (
        "openai", nil, #"{"error":{"message":"x","type":"requests","code":"rate_limit_exceeded"}}"#,
        "rate_limited", "rate_limit_exceeded"
      ),
      (
        "openai", "400", #"{"error":{"message":"x","type":"invalid_request_error","code":null}}"#,
        "error", "invalid_request_error"
      ),
      ("openai", "504", "{\"error\":{\"message\":\"x\"}}", "timeout", nil),
      (
        "anthropic", "529", #"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#,
        "error", "overloaded_error"
      ),
      (
        "anthropic", nil, #"{"type":"error","error":{"type":"rate_limit_error","message":"x"}}"#,
        "rate_limited", "rate_limit_error"
      ),
      (
        "gemini", "429", #"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}"#, "rate_limited",
        "RESOURCE_EXHAUSTED"
      ),
      (
        "gemini", nil, #"{"error":{"code":504,"status":"DEADLINE_EXCEEDED"}}"#, "timeout",
        "DEADLINE_EXCEEDED"
      ),
      ("gemini", nil, #"{"promptFeedback":{"blockReason":"SAFETY"}}"#, "blocked", nil),
      (
        "bedrock", "429", #"{"__type":"ThrottlingException","message":"x"}"#, "rate_limited",
        "ThrottlingException"
      ),
      ("openai", "503", "", "error", nil),
    ]
    for (name, httpStatus, body, status, error) in cases {
      let metadata = httpStatus.map { "{\"status\":\($0),\"request_model\":\"m\"}" }
      let event = try only(decode(body, metadata: metadata, as: SourceFormat(rawValue: name)))
      #expect(event.text(.status) == status, "\(body)")
      #expect(event.text(.error) == error, "\(body)")
      #expect(event.event.integer(.httpStatus).map { "\($0)" } == httpStatus)
    }
  }
}

@Suite("Recognising formats")
struct SourceFormatTests {
  @Test func `the first object tells the format`() {
    let cases: [(String, SourceFormat)] = [
      ("", .events), ("garbage", .events), (#"{"time":1,"model":"m"}"#, .events),
      (#"[{"type":"outcome","task":"t"}]"#, .events), (#"{"type":"message"}"#, .events),
      (#"[{"litellm_call_id":"x"}]"#, .litellm),
      // What else an event of ours carries does not make it another's.
      (#"{"time":1,"model":"m","choices":1}"#, .events),
      (#"{"type":"error","error":"overloaded","time":1,"model":"m"}"#, .events),
      (#"{"type":"outcome","time":1,"litellm_call_id":"x"}"#, .events),
      (#"{"call_type":"acompletion","startTime":1.5}"#, .litellm),
      (#"{"object":"list","data":[],"model":"m"}"#, .openai),
      (#"data: {"choices":[],"object":"chat.completion.chunk"}"#, .openai),
      ("event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}", .openai),
      ("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}", .anthropic),
      (#"{"type":"error","error":{"type":"overloaded_error"}}"#, .anthropic),
      (#"[{"candidates":[]"#, .gemini), (#"{"error":{"code":429,"status":"X"}}"#, .gemini),
      (#"{"error":{"message":"m","type":"t","code":"c"}}"#, .openai),
      (#"{"output":{},"stopReason":"end_turn","usage":{}}"#, .bedrock),
      // The prefix may end anywhere after what tells.
      (#"{"id":"x","object":"chat.completion","choices":[{"message":{"content":"cut o"#, .openai),
    ]
    for (text, format) in cases {
      #expect(SourceFormat.detect(Array(text.utf8)) == format, "\(text)")
    }
  }

  @Test func `the request path tells what the body does not`() {
    let cases: [(String, SourceFormat)] = [
      ("/v1/chat/completions", .openai), ("/v1/completions", .openai), ("/v1/embeddings", .openai),
      ("/openai/deployments/x/chat/completions?api-version=1", .openai),
      ("/v1/messages", .anthropic),
      ("/v1beta/models/g:streamGenerateContent?alt=sse", .gemini),
      ("/model/us.anthropic.claude/invoke", .bedrock), ("/model/x/converse-stream", .bedrock),
    ]
    for (path, format) in cases {
      let metadata = Array("{\"request_path\":\"\(path)\"}".utf8)
      #expect(SourceFormat.detect(Array("{}".utf8), metadata: metadata) == format)
    }
    #expect(SourceFormat.metadataPath(of: "a.b/c.body") == "a.b/c.meta.json")
    #expect(SourceFormat.metadataPath(of: "a.b/c") == "a.b/c.meta.json")
  }

  @Test func `no collector traps on hostile bodies`() {
    let texts = [
      "", "[", "{", "]", "[]", "{}", "null", "[null]", "[[[]]]", "data:", "data: {", "data: {}",
      "event: x", "data: [DONE]", "\u{FEFF}", "[{},{}]", "{\"usage\":5}", "{\"usage\":[]}",
      #"{"usage":{"prompt_tokens":-1,"completion_tokens":1e300}}"#,
      #"{"usage":{"input_tokens":9223372036854775807,"cache_read_input_tokens":9223372036854775807}}"#,
      #"{"created":1e300,"model":"m"}"#, #"{"created":-5,"model":{"a":1}}"#,
      #"{"startTime":1e300,"endTime":-1e300,"call_type":5}"#,
      #"{"startTime":"x","response_cost":"y","request_tags":{"a":1}}"#,
      #"{"startTime":1795240660,"response_cost":-5}"#,
      #"{"candidates":5,"usageMetadata":{"promptTokensDetails":[5,{"modality":5}]}}"#,
      String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
      "{\"model\":\"\\ud800\"}", "{\"id\":\"\(String(repeating: "é", count: 5000))\"}",
    ]
    for text in texts {
      let bytes = Array(text.utf8)
      _ = SourceFormat.detect(bytes)
      for format in SourceFormat.allCases {
        for metadata in [nil, bytes, Array(#"{"status":999,"response_headers":[]}"#.utf8)] {
          var collector = format.makeCollector(now: clock)
          let batch = collector.decode(
            bytes, CollectionContext(now: clock, metadata: metadata))
          for event in batch.events {
            #expect(EventRules.check(event, in: batch, now: clock, from: .otherFormat) == nil)
          }
        }
      }
    }
  }
}
