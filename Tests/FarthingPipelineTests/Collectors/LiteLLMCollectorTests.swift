import Testing

@testable import FarthingCore
@testable import FarthingPipeline

@Suite("LiteLLM callback records")
struct LiteLLMCollectorTests {
  static let captures = ["litellm-proxy-json_array/s20proxy", "litellm-proxy-ndjson/s21proxynd"]

  /// Every call of the capture in its order, through one collector.
  private func collect(_ capture: String) throws -> [String: [PlainEvent]] {
    var collector = LiteLLMCollector()
    var result: [String: [PlainEvent]] = [:]
    let bodies = Set(
      try Fixtures.expected(capture)["calls"]?.elements.compactMap { $0["body"]?.text } ?? [])
    for body in bodies.sorted() {
      let bytes = try Fixtures.bytes("\(capture)/\(body)")
      #expect(SourceFormat.detect(bytes) == .litellm)
      let batch = collector.decode(bytes, CollectionContext(now: clock))
      #expect(batch.rejections == [])
      result[body] = batch.events.map { PlainEvent(event: $0, batch: batch) }
    }
    return result
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"), arguments: captures)
  func `captured records come out as they were served`(_ capture: String) throws {
    let calls = try Fixtures.expected(capture)["calls"]?.elements ?? []
    let collected = try collect(capture)
    #expect(collected.values.reduce(0) { $0 + $1.count } == calls.count)
    #expect(calls.count == 25)
    for call in calls {
      let body = try #require(call["body"]?.text)
      let index = try #require(call["index"]?.integer)
      let got = try #require(collected[body]?[Int(index)])
      let name = call["case"]?.text ?? ""
      #expect(got.event.time == call["time_unix_nano"]?.integer, "\(name)")
      for field in [RealField.latencyMs, .ttftMs] {
        let expected = Fixtures.literal(call, field.contractName).flatMap(Double.init)
        let difference = (got.event.real(field) ?? -1) - (expected ?? -1)
        #expect(abs(difference) <= 0.01, "\(name) \(field)")
      }
      for field in [
        TextField.model, .provider, .operation, .identity, .tenant, .fallbackFrom,
        .responseCache,
      ] {
        #expect(
          got.text(field) == Fixtures.literal(call, field.contractName), "\(name) \(field)")
      }
      #expect(got.text(.status) ?? "ok" == Fixtures.literal(call, "status"), "\(name)")
      #expect(got.text(.error) == Fixtures.literal(call, "error_raw"), "\(name)")
      #expect(got.event.integer(.httpStatus) == call["http_status"]?.integer, "\(name)")
      #expect(got.event.integer(.attempt) ?? 1 == call["attempt"]?.integer ?? 1, "\(name)")
      for field in [
        IntegerField.inputTokens, .outputTokens, .cachedInputTokens, .reasoningTokens,
      ] {
        #expect(
          got.event.integer(field) == call[JSONPath(key: field.contractName)]?.integer,
          "\(name) \(field)")
      }
      for field in [IntegerField.cacheWriteTokens, .cacheWrite1hTokens] {
        if let expected = call[JSONPath(key: field.contractName)]?.integer {
          #expect(got.event.integer(field) == expected, "\(name) \(field)")
        }
      }
      let cost = call["reported_cost_usd"]?.integer(scaledBy: 12)
      #expect(got.event.money(.reportedCostUSD) == cost.map { Int128($0) }, "\(name)")
      #expect(got.tags["model_group"] == Fixtures.literal(call, "model_group"))
      #expect(got.tags["end_user"] == Fixtures.literal(call, "end_user"))
      #expect(got.text(.serviceTier) == "flex" || call["truth.service_tier"] == nil, "\(name)")
    }
  }

  @Test(.enabled(if: Fixtures.areThere, "no captured payloads here"), arguments: captures)
  func `each captured call has an id of its own, and no key or prompt is kept`(
    _ capture: String
  ) throws {
    var ids: Set<String> = []
    for events in try collect(capture).values {
      for event in events {
        let id = try #require(event.text(.id))
        #expect(ids.insert(id).inserted, "\(id)")
        let kept = String(decoding: event.batch.bytes, as: UTF8.self)
        for secret in ["key-checkout", "key-research", "Check the invoice", "agreed budget"] {
          #expect(!kept.contains(secret))
        }
      }
    }
  }

  // MARK: Made-up records

  private func record(_ members: String) -> String {
    #"{"call_type":"acompletion","startTime":1795240660.758718,"endTime":1795240661.25,"#
      + #""custom_llm_provider":"openai","model":"openai/m","prompt_tokens":5,"#
      + #""completion_tokens":3,"status":"success",\#(members)}"#
  }

  private func decode(_ text: String) -> DecodedBatch {
    var collector = LiteLLMCollector()
    return collector.decode(Array(text.utf8), CollectionContext(now: clock))
  }

  @Test func `a single object, lines and an array give the same`() {
    let one = record(#""litellm_call_id":"a""#)
    for text in [one, one + "\n", "[\(one)]", "\n\(one)\n\n"] {
      let batch = decode(text)
      #expect(batch.events.count == 1)
      #expect(batch.rejections == [])
    }
    #expect(decode("\(one)\nbroken\n\(one)").rejections.map(\.line) == [2])
  }

  @Test func `a failure's zeros are unknown and its attempts are told apart`() throws {
    let batch = decode(
      record(
        #""litellm_call_id":"a","status":"failure","prompt_tokens":0,"completion_tokens":0,"#
          + #""response_cost":0.0,"error_information":{"error_class":"Timeout","error_code":"408"}"#
      ))
    let event = PlainEvent(event: try #require(batch.events.first), batch: batch)
    #expect(event.event.integer(.inputTokens) == nil)
    #expect(event.event.integer(.outputTokens) == nil)
    #expect(event.event.money(.reportedCostUSD) == nil)
    #expect(event.text(.status) == "timeout")
    #expect(event.event.integer(.httpStatus) == nil)
    #expect(event.text(.id) == "a:1795240660758718000")
  }

  @Test func `a cost of zero is kept only for a cache hit`() {
    #expect(decode(record(#""response_cost":0.0"#)).events[0].money(.reportedCostUSD) == nil)
    #expect(
      decode(record(#""response_cost":0.0,"cache_hit":true"#)).events[0].money(.reportedCostUSD)
        == 0)
    #expect(
      decode(record(#""response_cost":4.34e-06"#)).events[0].money(.reportedCostUSD) == 4_340_000)
  }

  @Test func `a record without a model is kept without one`() {
    let batch = decode(#"{"call_type":"acompletion","startTime":1795240660.5,"model":null}"#)
    #expect(batch.rejections == [])
    #expect(batch.events[0].range(of: .model) == nil)
  }

  @Test func `a record without a start is refused by its line`() {
    let batch = decode("{\"call_type\":\"acompletion\",\"model\":\"m\"}\n5")
    #expect(
      batch.rejections == [
        EventRejection(
          line: 1, field: "time", value: nil, expected: "a value, since the field is required"),
        EventRejection(line: 2, field: nil, value: nil, expected: "a LiteLLM record"),
      ])
  }

  @Test func `request tags become tags`() throws {
    let batch = decode(
      record(#""request_tags":["feature:search","gold","User-Agent: x","a: b:c"]"#))
    let event = PlainEvent(event: try #require(batch.events.first), batch: batch)
    #expect(event.tags == ["feature": "search", "gold": "true", "a": "b:c"])
  }

  @Test func `attempts are linked over batches, and a success ends the chain`() {
    func attempt(_ time: String, _ group: String, _ model: String, _ status: String) -> String {
      #"{"call_type":"acompletion","startTime":\#(time),"trace_id":"t","model_group":"\#(group)","#
        + #""model":"\#(model)","status":"\#(status)"}"#
    }
    var collector = LiteLLMCollector()
    func decode(_ lines: [String]) -> [[String?]] {
      let batch = collector.decode(
        Array(lines.joined(separator: "\n").utf8), CollectionContext(now: clock))
      return batch.events.map { event in
        let plain = PlainEvent(event: event, batch: batch)
        return [event.integer(.attempt).map { "\($0)" }, plain.text(.fallbackFrom)]
      }
    }
    // Out of order in the batch; and the first delivered twice.
    let first = attempt("1795240660.0", "a", "ma", "failure")
    #expect(
      decode([attempt("1795240661.0", "a", "ma", "failure"), first, first])
        == [["2", nil], [nil, nil], [nil, nil]])
    #expect(decode([attempt("1795240662.0", "b", "mb", "failure")]) == [[nil, "ma"]])
    #expect(decode([attempt("1795240663.0", "b", "mb", "success")]) == [["2", "ma"]])
    #expect(decode([attempt("1795240664.0", "a", "ma", "success")]) == [[nil, nil]])
  }

  @Test func `what waits for a retry is bounded`() {
    var links = AttemptLinks(generationLimit: 10)
    for index in 0..<100 {
      _ = links.link(
        trace: "t\(index)", time: Int64(index), model: "m", route: "r", isFailure: true)
    }
    func retry(_ index: Int) -> Int64 {
      links.link(
        trace: "t\(index)", time: 1000, model: "m", route: "r", isFailure: false
      ).attempt
    }
    #expect(retry(0) == 1)
    #expect(retry(99) == 2)
  }

  @Test func `ids beyond the limit stay different and stable`() {
    let long = String(repeating: "x", count: 300)
    #expect(DescriptiveText.id("short") == "short")
    #expect(DescriptiveText.id(long).utf8.count == 128)
    #expect(DescriptiveText.id(long) == DescriptiveText.id(long))
    #expect(DescriptiveText.id(long + "a") != DescriptiveText.id(long + "b"))
  }
}
