import FarthingTestSupport
import Testing

@testable import FarthingCore

/// Input made to break a parser. Nothing may trap, and each line is an event or one rejection.
@Suite("Hostile input")
struct EventHostilityTests {
  private static let good =
    #"{"time":"2026-03-01T00:00:00.5Z","id":"é\u00e9","model":"m","tags":{"a":"b","c":"😀"},"#
    + #""units":{"image":2},"input_tokens":12,"latency_ms":1.5,"cold_start":true,"#
    + #""reported_cost_usd":"1.25","x":[1,{"y":null}],"status":"ok"}"#

  /// Decodes as lines, as a document, as an array and as a tree.
  private func survive(_ bytes: [UInt8]) {
    let layout = EventDecoder.layout(of: bytes.span)
    let lines = bytes.split(separator: 0x0A).count { line in
      line.contains { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
    }
    let batch = EventSamples.decode(bytes: bytes)
    #expect(batch.events.count + batch.rejections.count == lines)
    let document = EventSamples.decode(bytes: bytes, layout: .document)
    #expect(document.events.count + document.rejections.count <= bytes.count)
    _ = EventSamples.decode(bytes: [0x5B] + bytes + [0x5D], layout: .document)
    _ = EventSamples.decode(bytes: bytes, layout: layout)
    _ = try? JSONTree(bytes)
    _ = try? JSONTree(partial: bytes, from: 0)
  }

  @Test func `a line cut off after any byte is refused`() {
    let bytes = Array(Self.good.utf8)
    for length in 1..<bytes.count {
      survive(Array(bytes[..<length]))
      let batch = EventSamples.decode(bytes: Array(bytes[..<length]))
      #expect(batch.events.isEmpty)
      #expect(batch.rejections.count == 1)
    }
  }

  @Test func `every byte replaced by every troublesome one`() {
    let bytes = Array(Self.good.utf8)
    let troublesome: [UInt8] = [
      0, 0x09, 0x0A, 0x22, 0x5C, 0x7B, 0x7D, 0x2D, 0x7F, 0x80, 0xED, 0xFF,
    ]
    for index in bytes.indices where index % 3 == 0 {
      for byte in troublesome {
        var changed = bytes
        changed[index] = byte
        survive(changed)
      }
    }
  }

  @Test func `deep nesting`() {
    for depth in [15, 16, 17, 511, 512, 513, 100_000] {
      for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let inner = String(repeating: open, count: depth)
        survive(Array(inner.utf8))
        survive(Array((inner + "1" + String(repeating: close, count: depth)).utf8))
        survive(Array(EventSamples.request("\"x\":" + inner).utf8))
        survive(Array(EventSamples.request("\"tags\":" + inner).utf8))
      }
    }
  }

  @Test func `numbers of absurd length and size`() {
    let numbers = [
      String(repeating: "9", count: 100_000), "-" + String(repeating: "9", count: 400),
      "0." + String(repeating: "0", count: 100_000) + "1",
      "1e" + String(repeating: "9", count: 5000),
      "1e-" + String(repeating: "9", count: 5000), "9223372036854775807", "9223372036854775808",
      "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
      "18446744073709551616", "1e308", "1e309", "-1e309", "4.9e-324", "1E400",
      String(repeating: "1", count: 5000) + "e-4990", "-0", "-0.0", "0e0", "--1", "1-", "1..2",
    ]
    let fields = [
      "time", "input_tokens", "attempt", "latency_ms", "reported_cost_usd", "units", "x", "tags",
      "model", "cold_start",
    ]
    for number in numbers {
      for field in fields {
        survive(Array("{\(EventSamples.required),\"\(field)\":\(number)}".utf8))
        survive(Array("{\"model\":\"m\",\"\(field)\":\(number)}".utf8))
        survive(Array("{\(EventSamples.required),\"\(field)\":\"\(number)\"}".utf8))
        survive(Array("{\(EventSamples.required),\"units\":{\"\(field)\":\(number)}}".utf8))
      }
    }
  }

  @Test func `a hundred thousand keys, equal or not, known or not`() {
    let count = 100_000
    func members(_ key: (Int) -> String) -> String {
      (0..<count).map { "\"\(key($0))\":1" }.joined(separator: ",")
    }
    let different = EventSamples.decode(EventSamples.request(members { "k\($0)" }))
    #expect(different.events.count == 1)
    #expect(different.unknownFields.count == 65)
    let nested = EventSamples.decode(EventSamples.request("\"x\":{\(members { "k\($0)" })}"))
    #expect(nested.events.count == 1)
    for text in [
      EventSamples.request(members { _ in "same" }),
      EventSamples.request("\"x\":{\(members { "k\($0 % 99_999)" })}"),
      EventSamples.request("\"tags\":{\(members { "k\($0)" })}"),
      EventSamples.request("\"units\":{\(members { "k\($0)" })}"),
    ] {
      let batch = EventSamples.decode(text)
      #expect(batch.events.isEmpty)
      #expect(batch.rejections.count == 1)
    }
  }

  @Test func `long keys and texts`() {
    for length in [7, 8, 9, 15, 16, 17, 23, 24, 25, 63, 64, 65, 1_000_000] {
      let text = String(repeating: "k", count: length)
      for members in [
        "\"\(text)\":1", "\"provider\":\"\(text)\"", "\"tags\":{\"\(text)\":\"\(text)\"}",
        "\"\(text)", "\"provider\":\"\(text)", "\"\(text)\\u0041\":1", "\"id\":\"\(text)é\"",
        "\"status\":\"\(text)\"", "\"type\":\"\(text)\"", "\"time\":\"\(text)\"",
      ] {
        survive(Array(EventSamples.request(members).utf8))
      }
    }
  }

  @Test func `surrogates and escapes in all orders`() {
    let units = ["\\ud83d", "\\ude00", "\\u0041", "\\u", "\\", "\\u00", "é", "\"", "\\\\"]
    for first in units {
      for second in units {
        for third in units {
          survive(Array(EventSamples.request("\"provider\":\"\(first)\(second)\(third)\"").utf8))
          survive(Array(EventSamples.request("\"\(first)\(second)\(third)\":1").utf8))
        }
      }
    }
  }
}

@Suite("Properties of decoding")
struct EventPropertyTests {
  /// A random event as JSON in random spelling, and what it says.
  private struct Sample {
    var members: [(String, String)] = []
    var texts: [TextField: String] = [:]
    var integers: [IntegerField: Int64] = [:]
    var reals: [RealField: Double] = [:]
    var tags: [String: String] = [:]
    var time: Int64 = 0
  }

  /// JSON of a text, with some of its characters escaped at random.
  private func quoted(_ text: String, _ random: inout SplitMix) -> String {
    var result = "\""
    for unit in text.utf16 {
      let isPlain =
        unit != 0x22 && unit != 0x5C && unit < 0x80 && Bool.random(using: &random)
      if isPlain, let scalar = Unicode.Scalar(unit) {
        result.unicodeScalars.append(scalar)
      } else {
        let hex = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      }
    }
    return result + "\""
  }

  private func text(_ random: inout SplitMix) -> String {
    let alphabet = Array("abcXYZ019-_./:\"\\é漢😀 ")
    let count = Int.random(in: 1...20, using: &random)
    return String((0..<count).map { _ in alphabet.randomElement(using: &random) ?? "x" })
  }

  private func sample(_ random: inout SplitMix) -> Sample {
    var sample = Sample()
    sample.time = Int64.random(
      in: EventLimits.earliestTime...EventSamples.now, using: &random)
    sample.members.append(("time", "\(sample.time)"))
    for field in TextField.allCases where field != .pool {
      guard field == .model || Bool.random(using: &random) else { continue }
      let value =
        EventShape.values(of: field)?.randomElement(using: &random) ?? text(&random)
      sample.texts[field] = value
      sample.members.append((field.contractName, quoted(value, &random)))
    }
    for field in IntegerField.allCases where field != .accelerators {
      guard Bool.random(using: &random) else { continue }
      if field.isBoolean {
        let value = Bool.random(using: &random)
        sample.integers[field] = value ? 1 : 0
        sample.members.append((field.contractName, "\(value)"))
        continue
      }
      // Wholes large, parts small, so that no part is above its whole.
      let isWhole = [.inputTokens, .outputTokens, .retrievals].contains(field)
      let value = Int64.random(
        in: isWhole ? 1_000_000...EventLimits.integer : field.minimum...300_000, using: &random)
      sample.integers[field] = value
      sample.members.append((field.contractName, "\(value)"))
    }
    for field in RealField.allCases where field != .tokensPerSecond {
      guard Bool.random(using: &random) else { continue }
      let value = Double.random(in: 0..<10_000, using: &random)
      sample.reals[field] = value
      sample.members.append((field.contractName, "\(value)"))
    }
    let tagCount = Int.random(in: 0...5, using: &random)
    for index in 0..<tagCount { sample.tags["t\(index)é"] = text(&random) }
    if tagCount > 0 {
      let entries = sample.tags.map { "\(quoted($0.key, &random)) :\(quoted($0.value, &random))" }
      sample.members.append(("tags", "{ \(entries.joined(separator: " , "))}"))
    }
    sample.members.shuffle(using: &random)
    return sample
  }

  @Test func `what is encoded in any order and spelling is decoded`() throws {
    let seed: UInt64 = 42
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    for _ in 0..<400 {
      let sample = sample(&random)
      let members = sample.members.map { "\(quoted($0.0, &random)): \($0.1)" }
      let batch = EventSamples.decode("{ \(members.joined(separator: ",\t")) }")
      let event = try #require(batch.events.first, "\(batch.rejections) of \(members)")
      #expect(event.time == sample.time)
      for field in TextField.allCases {
        #expect(event.range(of: field).map(batch.string) == sample.texts[field])
      }
      for field in IntegerField.allCases {
        #expect(event.integer(field) == sample.integers[field])
      }
      for field in RealField.allCases { #expect(event.real(field) == sample.reals[field]) }
      let tags = batch.entries[event.tags].map { (batch.string($0.name), batch.string($0.text)) }
      #expect(Dictionary(uniqueKeysWithValues: tags) == sample.tags)
      #expect(EventRules.check(event, in: batch, now: EventSamples.now, from: .contract) == nil)
    }
  }

  @Test func `a mutated line is an event that keeps the rules, or one rejection`() {
    let seed: UInt64 = 4711
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    for _ in 0..<3_000 {
      let sample = sample(&random)
      var bytes = Array(
        ("{" + sample.members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}").utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: index)
        default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
      }
      if bytes.contains(0x0A) { continue }
      let batch = EventSamples.decode(bytes: bytes)
      #expect(batch.events.count + batch.rejections.count == 1)
      for event in batch.events {
        let rejection = EventRules.check(
          event, in: batch, now: EventSamples.now, from: .contract)
        #expect(rejection == nil)
      }
      for rejection in batch.rejections {
        #expect((rejection.value ?? "").unicodeScalars.count <= Excerpt.length)
        #expect(
          !(rejection.value ?? "").unicodeScalars.contains { EventLimits.forbids($0) })
      }
    }
  }

  @Test func `pieces decode as their whole does`() {
    let seed: UInt64 = 99
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    var lines: [String] = []
    for _ in 0..<60 {
      let sample = sample(&random)
      lines.append("{" + sample.members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}")
    }
    lines[7] = "broken"
    let whole = EventSamples.decode(lines.joined(separator: "\n"))
    var decoder = EventDecoder(now: EventSamples.now)
    var first = 1
    var times: [Int64] = []
    var numbers: [Int] = []
    while first <= lines.count {
      let count = min(Int.random(in: 1...9, using: &random), lines.count - first + 1)
      let piece = lines[(first - 1)..<(first - 1 + count)].joined(separator: "\n")
      let batch = decoder.decode(Array(piece.utf8), firstLine: first)
      times += batch.events.map(\.time)
      numbers += batch.events.map(\.line) + batch.rejections.map(\.line)
      first += count
    }
    #expect(times == whole.events.map(\.time))
    #expect(numbers.sorted() == Array(1...lines.count))
  }
}
