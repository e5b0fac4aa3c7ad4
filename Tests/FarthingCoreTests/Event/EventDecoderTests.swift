import Testing

@testable import FarthingCore

@Suite("Decoding events")
struct EventDecoderTests {
  @Test func `field codes follow the enumerations`() {
    #expect(Int(FieldCode.firstInteger) == TextField.allCases.count)
    #expect(
      Int(FieldCode.firstReal - FieldCode.firstInteger) == IntegerField.allCases.count)
    #expect(Int(FieldCode.firstMoney - FieldCode.firstReal) == RealField.allCases.count)
    #expect(
      Int(FieldCode.time.rawValue - FieldCode.firstMoney) == MoneyField.allCases.count)
    for raw in 0..<FieldCode.count {
      let code = FieldCode(rawValue: UInt8(raw))
      let name = Array(code.contractName.utf8)
      #expect(name.count <= FieldTable.longestName)
      #expect(FieldTable.shared.code(of: name.span) == code)
      #expect(FieldTable.shared.code(of: (name + [0x73]).span) != code)
    }
  }

  @Test func `every field of a request is read`() throws {
    let text = """
      {"time":"2026-03-01T12:34:56.123456789+01:30","id":"i","model":"m","provider":"p",\
      "operation":"chat","endpoint":"e","site":"s","client_site":"c","workload":"w",\
      "identity":"spiffe://x","tenant":"t","tags":{"env":"prod","team":"ü"},"input_tokens":100,\
      "cached_input_tokens":50,"cache_write_tokens":30,"cache_write_1h_tokens":20,\
      "output_tokens":9007199254740992,"reasoning_tokens":7,"input_audio_tokens":8,\
      "output_audio_tokens":9,"input_image_tokens":10,"units":{"web_search":3,"image":0},\
      "usage":"reported","response_cache":"semantic_hit","prompt_hash":"h","latency_ms":577.25,\
      "ttft_ms":0,"queue_ms":1e2,"compute_ms":2.5E-1,"network_ms":3,"retrieval_ms":4,\
      "status":"rate_limited","http_status":429,"error":"overloaded","attempt":2,\
      "fallback_from":"n","retrievals":5,"retrieval_failures":5,"cold_start":true,\
      "batch":false,"service_tier":"flex","data_class":"restricted","jurisdiction":"EU",\
      "task":"k","step":3,"outcome":"failure","reported_cost_usd":"0.000012345678"}
      """
    let batch = EventSamples.decode(text)
    #expect(batch.rejections == [])
    #expect(batch.unknownFields == [:])
    let event = try #require(batch.events.first)
    #expect(event.kind == .request)
    #expect(event.time == 1_772_363_096_123_456_789)
    let texts: [TextField: String] = [
      .id: "i", .model: "m", .provider: "p", .operation: "chat", .endpoint: "e", .site: "s",
      .clientSite: "c", .workload: "w", .identity: "spiffe://x", .tenant: "t",
      .usage: "reported", .responseCache: "semantic_hit", .promptHash: "h",
      .status: "rate_limited", .error: "overloaded", .fallbackFrom: "n", .serviceTier: "flex",
      .dataClass: "restricted", .jurisdiction: "EU", .task: "k", .outcome: "failure",
    ]
    for field in TextField.allCases {
      #expect(event.range(of: field).map(batch.string) == texts[field])
    }
    let integers: [IntegerField: Int64] = [
      .inputTokens: 100, .cachedInputTokens: 50, .cacheWriteTokens: 30,
      .cacheWrite1hTokens: 20, .outputTokens: 9_007_199_254_740_992, .reasoningTokens: 7,
      .inputAudioTokens: 8, .outputAudioTokens: 9, .inputImageTokens: 10, .httpStatus: 429,
      .attempt: 2, .retrievals: 5, .retrievalFailures: 5, .step: 3, .coldStart: 1, .batch: 0,
    ]
    for field in IntegerField.allCases { #expect(event.integer(field) == integers[field]) }
    let reals: [RealField: Double] = [
      .latencyMs: 577.25, .ttftMs: 0, .queueMs: 100, .computeMs: 0.25, .networkMs: 3,
      .retrievalMs: 4,
    ]
    for field in RealField.allCases { #expect(event.real(field) == reals[field]) }
    #expect(event.money(.reportedCostUSD) == 12_345_678)
    #expect(
      batch.entries[event.tags].map { [batch.string($0.name), batch.string($0.text)] }
        == [["env", "prod"], ["team", "ü"]])
    #expect(batch.entries[event.units].map(\.count) == [3, 0])
  }

  @Test func `outcomes and capacity are read, wherever their type stands`() throws {
    let batch = EventSamples.decode(
      """
      {"type":"outcome","time":1772323200000000000,"task":"k","outcome":"success","value_usd":1.25}
      {"time":1772323200000000000,"task":"k","outcome":"failure","id":"o","type":"outcome"}
      {"time":1772323200000000000,"until":"2099-01-01T00:00:00Z","site":"s","pool":"p","model":"m",\
      "accelerators":8,"usd_per_accelerator_hour":"2.75","tokens_per_second":5200,"type":"capacity"}
      {"model":"x","time":1772323200000000000,"type":null}
      {"model":"x","time":1772323200000000000,"type":"request"}
      """)
    #expect(batch.rejections == [])
    #expect(batch.events.map(\.kind) == [.outcome, .outcome, .capacity, .request, .request])
    #expect(batch.events[0].money(.valueUSD) == 1_250_000_000_000)
    #expect(batch.events[2].until == 4_070_908_800_000_000_000)
    #expect(batch.events[2].integer(.accelerators) == 8)
    #expect(batch.events[2].money(.usdPerAcceleratorHour) == 2_750_000_000_000)
    #expect(batch.events[2].real(.tokensPerSecond) == 5200)
  }

  @Test func `a field of another kind of event is unknown, whatever its value`() {
    let batch = EventSamples.decode(
      """
      {"time":1772323200000000000,"task":"k","outcome":"success","model":5,"type":"outcome"}
      {"type":"outcome","time":1772323200000000000,"task":"k","outcome":"success","tags":3}
      {"time":1772323200000000000,"model":"m","pool":"p","until":"never"}
      """)
    #expect(batch.rejections == [])
    #expect(batch.events.count == 3)
    #expect(batch.unknownFields == ["model": 1, "tags": 1, "pool": 1, "until": 1])
  }

  @Test func `null and empty texts are absent in every optional field`() throws {
    for raw in 0..<FieldCode.count {
      let code = FieldCode(rawValue: UInt8(raw))
      guard EventShape.request & code.bit != 0, code != FieldCode(.id),
        code != FieldCode(.model), code != .time
      else { continue }
      for empty in ["null", "\"\""] {
        let batch = EventSamples.decode(
          EventSamples.request("\"\(code.contractName)\":\(empty)"))
        let event = try #require(batch.events.first, "\(code.contractName):\(empty)")
        #expect(event.textPresence == 1 << UInt32(TextField.model.rawValue))
        #expect(event.integerPresence == 0)
        #expect(event.realPresence == 0)
        #expect(event.moneyPresence == 0)
        #expect(event.tags.isEmpty && event.units.isEmpty)
      }
    }
  }

  @Test func `absent tags and units leave no entries`() throws {
    let batch = EventSamples.decode(
      EventSamples.request(
        #""tags":{"a":null,"b":"x","c":"","d":"y"},"units":{"a":null,"b":0,"c":""}"#))
    let event = try #require(batch.events.first)
    #expect(
      batch.entries[event.tags].map { batch.string($0.name) + batch.string($0.text) }
        == ["bx", "dy"])
    #expect(batch.entries[event.units].map { batch.string($0.name) } == ["b"])
  }

  @Test func `limits are inclusive`() {
    let tags = (0..<32).map { "\"t\($0)\":\"v\"" }.joined(separator: ",")
    let deep = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)
    let good = [
      EventSamples.request("\"tags\":{\(tags)}"), EventSamples.request("\"x\":\(deep)"),
      EventSamples.request("\"id\":\"\(String(repeating: "x", count: 128))\""),
      EventSamples.request("\"provider\":\"\(String(repeating: "é", count: 512))\""),
      EventSamples.request(#""reported_cost_usd":"999999999999999.9999999999999""#),
      EventSamples.request(#""input_tokens":-0,"latency_ms":-0.0"#),
      #"{"time":"2026-03-03T00:00:00Z","model":"m"}"#,
      #"{"time":"2000-01-01T00:00:00Z","model":"m"}"#,
      #"{"time":"2026-03-01T00:00:00\u005a","model":"m"}"#,
      EventSamples.request(
        #""input_tokens":10,"cached_input_tokens":4,"cache_write_tokens":4,"#
          + #""cache_write_1h_tokens":2,"input_audio_tokens":10,"input_image_tokens":10"#),
      EventSamples.request(#""cached_input_tokens":4,"reasoning_tokens":3"#),
    ]
    for text in good {
      let batch = EventSamples.decode(text)
      #expect(batch.rejections == [], "\(text)")
      #expect(batch.events.count == 1)
    }
  }

  @Test func `escapes are read and count as what they stand for`() throws {
    let batch = EventSamples.decode(
      EventSamples.request(
        #""provider":"a\"\\\/\u00e9\ud83d\ude00b","tags":{"k\u0065y":"\u0041"},"st\u0061tus":"\u006fk""#
      ))
    let event = try #require(batch.events.first)
    #expect(batch.string(try #require(event.range(of: .provider))) == "a\"\\/é😀b")
    let tag = try #require(batch.entries[event.tags].first)
    #expect(batch.string(tag.name) == "key")
    #expect(batch.string(tag.text) == "A")
    #expect(batch.string(try #require(event.range(of: .status))) == "ok")
  }

  @Test func `unknown fields are counted once an event and never kept`() {
    let batch = EventSamples.decode(
      """
      {\(EventSamples.required),"prompt":"\\u0000 \u{85} anything","n":{"a":[1,{"b":null}]}}
      {\(EventSamples.required),"prompt":5}
      {\(EventSamples.required),"prompt":5,"input_tokens":-1}
      """)
    #expect(batch.events.count == 2)
    #expect(batch.unknownFields == ["prompt": 2, "n": 1])
  }

  @Test func `names of unknown fields are bounded and printable`() {
    var lines = ""
    for index in 0..<100 {
      lines += "{\(EventSamples.required),\"f\(index)\":1,\"\\u001b[31m\":2}\n"
    }
    let batch = EventSamples.decode(lines)
    #expect(batch.events.count == 100)
    #expect(batch.unknownFields.count == 65)
    #expect(batch.unknownFields["\\u{1b}[31m"] == 100)
    #expect(batch.unknownFields["…"] == 37)
  }
}

@Suite("How events follow each other")
struct EventLayoutTests {
  private let good = "{\(EventSamples.required)}"

  @Test func `lines may be blank, end in CRLF, begin with a byte order mark and lack an end`() {
    let batch = EventSamples.decode(
      "\u{FEFF}\(good)\r\n\n  \t\r\n\(good)\nbad\r\n\(good)  ")
    #expect(batch.events.map(\.line) == [1, 4, 6])
    #expect(batch.rejections.map(\.line) == [5])
  }

  @Test func `a line feed inside an object ends its line`() {
    let batch = EventSamples.decode("{\"time\":1772323200000000000,\n\"model\":\"m\"}\n\(good)")
    #expect(batch.events.map(\.line) == [3])
    #expect(batch.rejections.map(\.line) == [1, 2])
    #expect(batch.rejections.map(\.expected) == ["a key in quotes at byte 29", "a JSON object"])
  }

  @Test func `the first line has the number it is given`() {
    var decoder = EventDecoder(now: EventSamples.now)
    let batch = decoder.decode(Array("\(good)\nx\n".utf8), firstLine: 41)
    #expect(batch.events.map(\.line) == [41])
    #expect(batch.rejections.map(\.line) == [42])
  }

  @Test func `an array names elements by position and goes on after a bad one`() {
    let batch = EventSamples.decode(
      """
      \u{FEFF}
      [ \(good), 5, {"time":1,"model":"m","x":[{"y":"}"}]},
        {"provider":"\\ud800"}, {\(EventSamples.required),"type":"nothing"}, \(good)
      ]
      """, layout: .document)
    #expect(batch.events.map(\.line) == [1, 6])
    #expect(batch.rejections.map(\.line) == [2, 3, 4, 5])
    #expect(batch.rejections.map(\.field) == [nil, "time", "provider", "type"])
  }

  @Test func `broken JSON ends an array and keeps the elements before`() {
    for (text, line, expected) in [
      ("[\(good),\(good),{\"time\":]", 3, "a value at byte 9"),
      ("[\(good),\(good) \(good)]", 3, "a comma or ] at byte 45"),
      ("[\(good),\(good)", 3, "a comma or ] at byte 44"),
      ("[\(good),\(good),", 3, "a value at byte 1"),
      ("[\(good),\(good),]", 3, "a value at byte 1"),
      ("[\(good),\(good)] x", 3, "the end of the text after the array at byte 1"),
    ] {
      let batch = EventSamples.decode(text, layout: .document)
      #expect(batch.events.map(\.line) == [1, 2], "\(text)")
      #expect(batch.rejections.map(\.line) == [line])
      #expect(batch.rejections.map(\.expected) == [expected])
    }
  }

  @Test func `empty texts and arrays hold nothing`() {
    for text in ["", "\n\n", "  ", "\u{FEFF}", "[]", " [ ] \n"] {
      let layout = EventDecoder.layout(of: Array(text.utf8).span)
      let batch = EventSamples.decode(text, layout: layout)
      #expect(batch.events.isEmpty && batch.rejections.isEmpty, "\(text)")
    }
  }

  @Test func `one object over lines is one event, and nothing may follow it`() {
    let pretty = "{\n  \"time\": \"2026-03-01T00:00:00Z\",\r\n  \"model\": \"m\"\n}\n"
    #expect(EventSamples.decode(pretty, layout: .document).events.map(\.line) == [1])
    let batch = EventSamples.decode(pretty + "{}", layout: .document)
    #expect(batch.events.isEmpty)
    #expect(batch.rejections.count == 1)
  }

  @Test func `the layout is told by the first bytes`() {
    let cases: [(String, EventDecoder.Layout)] = [
      ("", .lines), ("{\"a\":1}\n{\"a\":2}\n", .lines), ("{\"a\":1}", .lines),
      ("[{\"a\":1}]", .document), ("\u{FEFF} \n [", .document), ("{\n\"a\":1}", .document),
      ("\n{\"a\":1,\n\"b\":2}", .document), ("{\"a\":{\n}}", .document),
      ("{\"a\":1\n{\"a\":2}\n", .lines), ("{\"a\":\n{\"a\":2}\n{\"b\":3}\n", .lines),
      ("{\"a\":x\n}", .lines), ("{\"a\":\"cut\n{\"a\":2}\n", .lines),
      ("{\n\"a\":x\n}", .document), ("{\n", .document), ("garbage\n{}", .lines),
      ("{\"a\":1} x\n", .lines), ("{\n  \"a\": [1,\n", .document),
    ]
    for (text, layout) in cases {
      #expect(EventDecoder.layout(of: Array(text.utf8).span) == layout, "\(text)")
    }
  }

  @Test func `a bracket opens an array only where the first line does not say otherwise`() {
    let arrays = [
      "[", "[]", "[ ]\n\n", "[{", "[\n{\"a\":1},", "[5,{\"a\":1}]", "[5,{\"a\":1}] x", "[1,2]\n",
      "[{\"a\":1}]\n[{\"a\":2}]\n", "[{\"a\":1}] x", "[1,\n2]\n[3]", "[1,\nx", "[5,{\"a\":x",
      "[\"a", "[12",
    ]
    let lines = [
      "[2026-11-21] started\n{}", "[1,2]\n[3,4]\n", "[12] x\n", "[error, 5]\n", "[]\n[]\n",
      "[\"a\"] {\"a\":1}\n", "[2026-11-21T10:00:00Z] {\"a\":1}\n", "\n [x]\n",
    ]
    for text in arrays {
      #expect(EventDecoder.layout(of: Array(text.utf8).span) == .document, "\(text)")
    }
    for text in lines {
      #expect(EventDecoder.layout(of: Array(text.utf8).span) == .lines, "\(text)")
    }
  }
}
