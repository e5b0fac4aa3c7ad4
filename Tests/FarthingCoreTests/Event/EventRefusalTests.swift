import Testing

@testable import FarthingCore

/// One bad event and the whole of its rejection.
struct Refusal: Sendable, CustomTestStringConvertible {
  var text: String
  var field: String?
  var value: String?
  var expected: String

  init(_ text: String, _ field: String?, _ value: String?, _ expected: String) {
    self.text = text
    self.field = field
    self.value = value
    self.expected = expected
  }

  /// A request that is good but for these members.
  static func member(
    _ members: String, _ field: String?, _ value: String?, _ expected: String
  ) -> Refusal {
    Refusal(EventSamples.request(members), field, value, expected)
  }

  var testDescription: String { String(text.prefix(120)) }
}

@Suite("What is refused")
struct EventRefusalTests {
  private func check(_ refusal: Refusal) {
    // Between two good events, so that the refusal is seen to concern one line only.
    let good = "{\(EventSamples.required)}"
    let batch = EventSamples.decode("\(good)\n\(refusal.text)\n\(good)\n")
    #expect(batch.events.map(\.line) == [1, 3])
    let rejection = EventRejection(
      line: 2, field: refusal.field, value: refusal.value, expected: refusal.expected)
    #expect(batch.rejections == [rejection])
  }

  /// So many entries `"t0":VALUE`.
  private static func entries(_ count: Int, _ value: String) -> String {
    (0..<count).map { "\"t\($0)\":\(value)" }.joined(separator: ",")
  }

  static let shapes: [Refusal] = [
    Refusal("5", nil, "5", "a JSON object"),
    Refusal("\"text\"", nil, "\"text\"", "a JSON object"),
    Refusal("[1,2]", nil, "[…]", "a JSON object"),
    Refusal("null", nil, "null", "a JSON object"),
    Refusal("{}", "time", nil, "a value, since the field is required"),
    Refusal(#"{"model":"m"}"#, "time", nil, "a value, since the field is required"),
    Refusal(
      #"{"time":1772323200000000000}"#, "model", nil, "a value, since the field is required"),
    Refusal(
      #"{"time":null,"model":"m"}"#, "time", nil, "a value, since the field is required"),
    Refusal(#"{"time":"","model":"m"}"#, "time", nil, "a value, since the field is required"),
    Refusal(
      #"{"time":1772323200000000000,"model":null}"#, "model", "null", "a non-empty string"),
    Refusal(
      #"{"time":1772323200000000000,"model":""}"#, "model", "\"\"", "a non-empty string"),
    .member(#""id":null"#, "id", "null", "a non-empty string"),
    .member(#""id":"""#, "id", "\"\"", "a non-empty string"),
    Refusal(
      #"{"type":"outcome","task":"t","outcome":"success"}"#, "time", nil,
      "a value, since the field is required"),
    Refusal(
      #"{"type":"outcome","time":1772323200000000000,"outcome":"success"}"#, "task", nil,
      "a value, since the field is required"),
    Refusal(
      #"{"type":"outcome","time":1772323200000000000,"task":""}"#, "task", nil,
      "a value, since the field is required"),
    Refusal(
      #"{"type":"outcome","time":1772323200000000000,"task":"t"}"#, "outcome", nil,
      "a value, since the field is required"),
    Refusal(
      #"{"type":"outcome","time":1772323200000000000,"task":"t","outcome":"won"}"#, "outcome",
      "won", "one of success, failure"),
    Refusal(
      #"{"type":"outcome","id":"","time":1772323200000000000,"task":"t","outcome":"success"}"#,
      "id", "\"\"", "a non-empty string"),
    Refusal(
      #"{"time":1772323200000000000,"task":"t","outcome":"won","type":"outcome"}"#, "outcome",
      "won", "one of success, failure"),
    Refusal(
      #"{"type":"capacity","time":1772323200000000000,"site":"s","pool":"p","accelerators":1}"#,
      "until", nil, "a value, since the field is required"),
    Refusal(
      #"{"type":"capacity","time":1772323200000000000,"until":1772323200000000001,"site":"s","#
        + #""pool":"p","accelerators":1}"#, "usd_per_accelerator_hour", nil,
      "a value, since the field is required"),
    Refusal(
      #"{"type":"capacity","time":1772323200000000000,"until":1772323199999999999,"site":"s","#
        + #""pool":"p","accelerators":1,"usd_per_accelerator_hour":1}"#, "until",
      "1772323199999999999", "a time not before the event's time"),
    Refusal(
      "{\"type\":\"invoice\",\(EventSamples.required)}", "type", "invoice",
      "one of request, outcome, capacity"),
    Refusal(
      "{\(EventSamples.required),\"type\":3}", "type", "3", "one of request, outcome, capacity"),
  ]

  static let types: [Refusal] = [
    .member(#""provider":5"#, "provider", "5", "a string"),
    .member(#""provider":true"#, "provider", "true", "a string"),
    .member(#""provider":["a"]"#, "provider", "[…]", "a string"),
    .member(#""provider":{"a":1}"#, "provider", "{…}", "a string"),
    .member(#""tags":"a""#, "tags", "\"a\"", "an object of strings"),
    .member(#""tags":["a"]"#, "tags", "[…]", "an object of strings"),
    .member(#""tags":{"a":1}"#, "tags.a", "1", "a string"),
    .member(#""tags":{"a":{"b":"c"}}"#, "tags.a", "{…}", "a string"),
    .member(#""tags":{"":"c"}"#, "tags", "\"\"", "a name that is not empty"),
    .member(#""units":5"#, "units", "5", "an object of integers of at least 0"),
    .member(#""units":{"image":"1"}"#, "units.image", "\"1\"", "an integer of at least 0"),
    .member(#""units":{"image":-1}"#, "units.image", "-1", "an integer of at least 0"),
    .member(#""units":{"image":1.0}"#, "units.image", "1.0", "an integer of at least 0"),
    .member(
      #""units":{"image":9007199254740993}"#, "units.image", "9007199254740993",
      "an integer of at most 9007199254740992"),
    .member(#""input_tokens":"5""#, "input_tokens", "\"5\"", "an integer of at least 0"),
    .member(#""input_tokens":true"#, "input_tokens", "true", "an integer of at least 0"),
    .member(#""input_tokens":5.0"#, "input_tokens", "5.0", "an integer of at least 0"),
    .member(#""input_tokens":1e3"#, "input_tokens", "1e3", "an integer of at least 0"),
    .member(#""input_tokens":1E3"#, "input_tokens", "1E3", "an integer of at least 0"),
    .member(#""input_tokens":-4"#, "input_tokens", "-4", "an integer of at least 0"),
    .member(#""http_status":-1"#, "http_status", "-1", "an integer of at least 0"),
    .member(
      #""input_tokens":9007199254740993"#, "input_tokens", "9007199254740993",
      "an integer of at most 9007199254740992"),
    .member(
      #""input_tokens":123456789012345678901234567890"#, "input_tokens",
      "123456789012345678901234567890", "an integer of at most 9007199254740992"),
    .member(#""attempt":0"#, "attempt", "0", "an integer of at least 1"),
    .member(#""step":0"#, "step", "0", "an integer of at least 1"),
    .member(#""step":-1"#, "step", "-1", "an integer of at least 1"),
    .member(#""cold_start":1"#, "cold_start", "1", "true or false"),
    .member(#""batch":"true""#, "batch", "\"true\"", "true or false"),
    .member(#""latency_ms":"5""#, "latency_ms", "\"5\"", "a number of at least 0"),
    .member(#""latency_ms":-0.5"#, "latency_ms", "-0.5", "a number of at least 0"),
    .member(#""latency_ms":1e999"#, "latency_ms", "1e999", "a finite number"),
    .member(
      #""reported_cost_usd":-1"#, "reported_cost_usd", "-1",
      "a decimal number of at least 0, as a number or a string"),
    .member(
      #""reported_cost_usd":-1e-30"#, "reported_cost_usd", "-1e-30",
      "a decimal number of at least 0, as a number or a string"),
    .member(
      #""reported_cost_usd":"-0.0000000000004""#, "reported_cost_usd", "\"-0.0000000000004\"",
      "a decimal number of at least 0, as a number or a string"),
    .member(
      #""reported_cost_usd":"1,5""#, "reported_cost_usd", "\"1,5\"",
      "a decimal number of at least 0, as a number or a string"),
    .member(
      #""reported_cost_usd":"NaN""#, "reported_cost_usd", "\"NaN\"",
      "a decimal number of at least 0, as a number or a string"),
    .member(
      #""reported_cost_usd":" 1""#, "reported_cost_usd", "\" 1\"",
      "a decimal number of at least 0, as a number or a string"),
    .member(
      #""reported_cost_usd":1000000000000000"#, "reported_cost_usd", "1000000000000000",
      "at most 15 digits before the decimal point"),
    .member(
      #""reported_cost_usd":"1e15""#, "reported_cost_usd", "\"1e15\"",
      "at most 15 digits before the decimal point"),
    .member(
      #""reported_cost_usd":1e999999999999"#, "reported_cost_usd", "1e999999999999",
      "at most 15 digits before the decimal point"),
    .member(
      #""status":"failed""#, "status", "failed",
      "one of ok, error, timeout, rate_limited, blocked, cancelled"),
    .member(
      #""status":"OK""#, "status", "OK",
      "one of ok, error, timeout, rate_limited, blocked, cancelled"),
    .member(#""usage":"none""#, "usage", "none", "one of reported, estimated, missing"),
    .member(
      #""response_cache":"semantic_hits""#, "response_cache", "semantic_hits",
      "one of hit, semantic_hit, miss"),
    .member(
      #""data_class":"secret""#, "data_class", "secret",
      "one of public, internal, confidential, restricted"),
    .member(#""outcome":"ok""#, "outcome", "ok", "one of success, failure"),
  ]

  static let parts: [Refusal] = [
    .member(
      #""input_tokens":10,"cached_input_tokens":11"#, "cached_input_tokens", "11",
      "cached and written tokens of together at most input_tokens, which is 10"),
    .member(
      #""cache_write_tokens":6,"input_tokens":10,"cached_input_tokens":5"#,
      "cache_write_tokens", "6",
      "cached and written tokens of together at most input_tokens, which is 10"),
    .member(
      #""input_tokens":10,"cached_input_tokens":4,"cache_write_tokens":4,"#
        + #""cache_write_1h_tokens":3"#, "cache_write_1h_tokens", "3",
      "cached and written tokens of together at most input_tokens, which is 10"),
    .member(
      #""output_tokens":1,"reasoning_tokens":2"#, "reasoning_tokens", "2",
      "at most output_tokens, which is 1"),
    .member(
      #""input_tokens":1,"input_audio_tokens":2"#, "input_audio_tokens", "2",
      "at most input_tokens, which is 1"),
    .member(
      #""input_tokens":1,"input_image_tokens":2"#, "input_image_tokens", "2",
      "at most input_tokens, which is 1"),
    .member(
      #""output_tokens":1,"output_audio_tokens":2"#, "output_audio_tokens", "2",
      "at most output_tokens, which is 1"),
    .member(
      #""retrievals":1,"retrieval_failures":2"#, "retrieval_failures", "2",
      "at most retrievals, which is 1"),
  ]

  static let texts: [Refusal] = [
    .member(
      #""provider":"\#(String(repeating: "x", count: 1025))""#, "provider",
      String(repeating: "x", count: 63) + "…", "at most 1,024 bytes"),
    .member(
      #""id":"\#(String(repeating: "x", count: 129))""#, "id",
      String(repeating: "x", count: 63) + "…", "at most 128 bytes"),
    .member(
      #""provider":"a\u001bb""#, "provider", "a\\u{1b}b",
      "text without control characters or bidirectional overrides"),
    .member(
      "\"provider\":\"a\u{7F}b\"", "provider", "a\\u{7f}b",
      "text without control characters or bidirectional overrides"),
    .member(
      "\"provider\":\"a\u{85}b\"", "provider", "a\\u{85}b",
      "text without control characters or bidirectional overrides"),
    .member(
      "\"provider\":\"a\u{202E}b\"", "provider", "a\\u{202e}b",
      "text without control characters or bidirectional overrides"),
    .member(
      #""provider":"a\u2066b""#, "provider", "a\\u{2066}b",
      "text without control characters or bidirectional overrides"),
    .member(
      "\"tags\":{\"a\":\"\u{9B}\"}", "tags.a", "\\u{9b}",
      "text without control characters or bidirectional overrides"),
    .member(
      "\"provider\":\"a\tb\"", "provider", "\\u{9}",
      "text without control characters or bidirectional overrides"),
    .member(#""provider":"\ud800x""#, "provider", "\\ud800", "surrogate escapes in pairs"),
    .member(#""provider":"\udc00\ud800""#, "provider", "\\udc00", "surrogate escapes in pairs"),
    .member(#""other":"\ud800""#, "other", "\\ud800", "surrogate escapes in pairs"),
  ]

  private static let notTimes = [
    "2026-03-01", "2026-03-01T00:00:00", "2026-03-01 00:00:00Z", "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-03-00T00:00:00Z",
    "2026-03-01T24:00:00Z", "2026-03-01T00:60:00Z", "2026-03-01T00:00:61Z",
    "2026-03-01T12:00:60Z", "2026-03-01T00:00:00.Z", "2026-03-01T00:00:00.1234567890Z",
    "2026-03-01T00:00:00+0100", "2026-03-01T00:00:00+24:00", "2026-03-01T00:00:00+01:60",
    "2026-03-01T00:00Z", "20260301T000000Z", "2026-3-1T00:00:00Z", "yesterday",
    "2026-03-01T00:00:00ZZ", "2026-03-01T00:00:00,5Z",
  ]

  static let times: [Refusal] =
    notTimes.map { (text: String) -> Refusal in
      Refusal(
        "{\"time\":\"" + text + "\",\"model\":\"m\"}", "time", text,
        "an RFC 3339 time with an offset, or an integer of Unix nanoseconds")
    } + timesOutOfRange

  private static let timesOutOfRange: [Refusal] = [
    Refusal(
      #"{"time":1.5,"model":"m"}"#, "time", "1.5",
      "an RFC 3339 time with an offset, or an integer of Unix nanoseconds"),
    Refusal(
      #"{"time":true,"model":"m"}"#, "time", "true",
      "an RFC 3339 time with an offset, or an integer of Unix nanoseconds"),
    Refusal(
      #"{"time":9223372036854775808,"model":"m"}"#, "time", "9223372036854775808",
      "an RFC 3339 time with an offset, or an integer of Unix nanoseconds"),
    Refusal(
      #"{"time":1,"model":"m"}"#, "time", "1",
      "a time from 2000-01-01T00:00:00Z to one day ahead of the clock"),
    Refusal(
      #"{"time":-9223372036854775808,"model":"m"}"#, "time", "-9223372036854775808",
      "a time from 2000-01-01T00:00:00Z to one day ahead of the clock"),
    Refusal(
      #"{"time":"1999-12-31T23:59:59.999999999Z","model":"m"}"#, "time",
      "1999-12-31T23:59:59.999999999Z",
      "a time from 2000-01-01T00:00:00Z to one day ahead of the clock"),
    Refusal(
      #"{"time":"2026-03-03T00:00:00.000000001Z","model":"m"}"#, "time",
      "2026-03-03T00:00:00.000000001Z",
      "a time from 2000-01-01T00:00:00Z to one day ahead of the clock"),
    Refusal(
      #"{"time":"9999-12-31T00:00:00Z","model":"m"}"#, "time", "9999-12-31T00:00:00Z",
      "a time from 2000-01-01T00:00:00Z to one day ahead of the clock"),
  ]

  static let keys: [Refusal] = [
    .member(#""model":"n""#, "model", "\"n\"", "each key once in an object"),
    .member(#""mod\u0065l":"n""#, "model", "\"n\"", "each key once in an object"),
    .member(#""step":null,"step":1"#, "step", "1", "each key once in an object"),
    .member(#""x":1,"x":2"#, "x", "x", "each key once in an object"),
    .member(#""x":1,"y":3,"\u0078":2"#, "x", "x", "each key once in an object"),
    .member(#""x":{"a":1,"b":2,"a":3}"#, "x", "a", "each key once in an object"),
    .member(#""x":[{"a":{"b":1,"b":2}}]"#, "x", "b", "each key once in an object"),
    .member(#""tags":{"a":"1","a":"2"}"#, "tags.a", "\"2\"", "each key once in an object"),
    .member(#""tags":{"a":null,"\u0061":"2"}"#, "tags.a", "\"2\"", "each key once in an object"),
    .member(#""units":{"a":1,"a":1}"#, "units.a", "1", "each key once in an object"),
    .member(
      #""tags":{\#(EventRefusalTests.entries(33, "\"v\""))}"#, "tags",
      "t32", "at most 32 tags"),
    .member(
      #""units":{\#(EventRefusalTests.entries(257, "1"))}"#, "units", "t256",
      "at most 256 units"),
    .member(
      "\"x\":" + String(repeating: "[", count: 16) + String(repeating: "]", count: 16), "x", nil,
      "at most 16 levels of nesting"),
    .member(
      "\"x\":" + String(repeating: "{\"a\":", count: 16) + "1"
        + String(repeating: "}", count: 16), "x", nil, "at most 16 levels of nesting"),
  ]

  static let syntax: [Refusal] = [
    Refusal("{", nil, nil, "a key in quotes at byte 2"),
    Refusal("{\"time\"}", nil, "}", "a colon at byte 8"),
    Refusal("{\"time\" 5}", nil, "5", "a colon at byte 9"),
    Refusal("{\(EventSamples.required)", nil, nil, "a comma or } at byte 43"),
    Refusal("{\(EventSamples.required),}", nil, "}", "a key in quotes at byte 44"),
    Refusal(
      "{\(EventSamples.required)} x", nil, "x", "the end of the line after the object at byte 45"),
    Refusal(
      "{\(EventSamples.required)}{}", nil, "{", "the end of the line after the object at byte 44"),
    .member("\"input_tokens\":012", nil, "0", "a value at byte 59"),
    .member("\"input_tokens\":+1", nil, "+", "a value at byte 59"),
    .member("\"latency_ms\":NaN", nil, "N", "a value at byte 57"),
    .member("\"latency_ms\":Infinity", nil, "I", "a value at byte 57"),
    .member("\"latency_ms\":-Infinity", nil, "-", "a value at byte 57"),
    .member("\"latency_ms\":1.", nil, "1", "a value at byte 57"),
    .member("\"latency_ms\":.5", nil, ".", "a value at byte 57"),
    .member("\"latency_ms\":1e", nil, "1", "a value at byte 57"),
    .member("\"latency_ms\":00.5", nil, "0", "a value at byte 57"),
    .member("\"latency_ms\":0x10", nil, "x", "a comma or } at byte 58"),
    .member("\"cold_start\":True", nil, "T", "a value at byte 57"),
    .member("\"cold_start\":truex", nil, "x", "a comma or } at byte 61"),
    .member("'provider':'x'", nil, "'", "a key in quotes at byte 44"),
    .member("\"provider\":\"x", nil, nil, "a closing quote at byte 58"),
    .member("\"provider\":\"\\x\"", nil, "\\", "an escape of JSON at byte 56"),
    .member("\"provider\":\"\\u12g4\"", nil, "\\", "an escape of JSON at byte 56"),
    .member("\"x\":[1,]", nil, "]", "a value at byte 51"),
    .member("\"x\":[1 2]", nil, "2", "a comma or ] at byte 51"),
    .member("\"x\":{1:2}", nil, "1", "a key in quotes at byte 49"),
    .member("\"x\":nul", nil, "n", "a value at byte 48"),
  ]

  @Test(arguments: shapes) func `an event of a wrong shape`(_ refusal: Refusal) {
    check(refusal)
  }
  @Test(arguments: types) func `a value of a wrong type or out of range`(_ refusal: Refusal) {
    check(refusal)
  }
  @Test(arguments: parts) func `parts above their whole`(_ refusal: Refusal) { check(refusal) }
  @Test(arguments: texts) func `texts that are too long or unclean`(_ refusal: Refusal) {
    check(refusal)
  }
  @Test(arguments: times) func `times that are none or out of range`(_ refusal: Refusal) {
    check(refusal)
  }
  @Test(arguments: keys) func `keys given twice, too many or too deep`(_ refusal: Refusal) {
    check(refusal)
  }
  @Test(arguments: syntax) func `text that is not JSON`(_ refusal: Refusal) { check(refusal) }

  @Test func `invalid UTF-8 is refused in texts, keys and unknown fields`() {
    let sequences: [[UInt8]] = [
      [0x80], [0xBF], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xE0, 0x80, 0xAF], [0xE2, 0x82],
      [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x92], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
    ]
    for sequence in sequences {
      for (head, tail, field) in [
        ("\"provider\":\"a", "b\"", "provider"), ("\"x\":\"a", "\"", "x"),
        ("\"x\":[\"", "\"]", "x"), ("\"tags\":{\"a\":\"", "\"}", "tags.a"),
      ] {
        let line =
          Array("{\(EventSamples.required),\(head)".utf8) + sequence + Array("\(tail)}".utf8)
        let batch = EventSamples.decode(bytes: line)
        #expect(batch.events.isEmpty)
        let value = "byte 0x" + String(sequence[0], radix: 16, uppercase: true)
        #expect(
          batch.rejections == [
            EventRejection(line: 1, field: field, value: value, expected: "valid UTF-8")
          ])
      }
    }
  }
}
