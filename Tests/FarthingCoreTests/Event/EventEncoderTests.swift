import FarthingTestSupport
import Testing

@testable import FarthingCore

@Suite struct `Events written as lines` {
  private static let now = EventSamples.now

  private func lines(_ batch: DecodedBatch) -> [UInt8] {
    var text: [UInt8] = []
    for event in batch.events { EventEncoder.append(event, of: batch, to: &text) }
    return text
  }

  /// Whether two batches hold the same events, wherever their texts stand.
  private func differences(_ left: DecodedBatch, _ right: DecodedBatch) -> [String] {
    guard left.events.count == right.events.count else {
      return ["\(left.events.count) events, \(right.events.count)"]
    }
    func entries(_ range: Range<Int>, _ batch: DecodedBatch) -> [String] {
      batch.entries[range].map { "\(batch.string($0.name))=\(batch.string($0.text)) \($0.count)" }
    }
    func units(_ range: Range<Int>, _ batch: DecodedBatch) -> [String] {
      batch.entries[range].map { "\(batch.string($0.name))=\($0.count)" }
    }
    var found: [String] = []
    for (one, other) in zip(left.events, right.events) {
      if one.kind != other.kind { found.append("kind") }
      if one.time != other.time || one.until != other.until { found.append("time") }
      for field in TextField.allCases
      where one.range(of: field).map(left.string) != other.range(of: field).map(right.string) {
        found.append(field.contractName)
      }
      for field in IntegerField.allCases where one.integer(field) != other.integer(field) {
        found.append(field.contractName)
      }
      for field in RealField.allCases
      where one.real(field)?.bitPattern != other.real(field)?.bitPattern {
        found.append("\(field.contractName): \(String(describing: one.real(field)))")
      }
      for field in MoneyField.allCases where one.money(field) != other.money(field) {
        found.append(field.contractName)
      }
      if entries(one.tags, left) != entries(other.tags, right) { found.append("tags") }
      if units(one.units, left) != units(other.units, right) { found.append("units") }
    }
    return found
  }

  private func check(_ batch: DecodedBatch, from source: EventOrigin = .contract) {
    let text = lines(batch)
    var decoder = EventDecoder(now: Self.now, from: source)
    let again = decoder.decode(text)
    #expect(again.rejections.isEmpty)
    #expect(again.unknownFields.isEmpty)
    let found = differences(batch, again)
    #expect(found.isEmpty, "\(String(decoding: text.prefix(500), as: UTF8.self))")
  }

  @Test func `say what was decoded and nothing else`() {
    let batch = EventSamples.decode(
      #"{"time":"2026-03-01T10:00:00.5+01:00","model":"m\"\\é\u0041","prompt":"secret","#
        + #""latency_ms":12.5,"reported_cost_usd":0.000001,"cold_start":true,"tags":{"a":"b"},"#
        + #""units":{"web_search":3},"input_tokens":7}"#)
    #expect(
      String(decoding: lines(batch), as: UTF8.self)
        == #"{"time":1772355600500000000,"model":"m\"\\éA","input_tokens":7,"cold_start":true,"#
        + #""latency_ms":12.5,"reported_cost_usd":"0.000001","tags":{"a":"b"},"#
        + #""units":{"web_search":3}}"# + "\n")
    check(batch)
    check(
      EventSamples.decode(
        #"{"type":"outcome","time":"2026-03-01T10:00:00Z","task":"t","outcome":"success"}"# + "\n"
          + #"{"type":"capacity","time":1772355600000000001,"until":"9999-12-31T23:59:59Z","#
          + #""site":"s","pool":"p","accelerators":8,"usd_per_accelerator_hour":"2.75"}"#))
  }

  @Test func `read back as themselves in every field`() {
    var random = SplitMix(seed: 20_261_121)
    for round in 0..<400 {
      let source: EventOrigin = round % 2 == 0 ? .contract : .otherFormat
      let batch = Self.batch(source, &random)
      #expect(!batch.events.isEmpty)
      check(batch, from: source)
    }
  }

  @Test func `keep what other formats are allowed, which the contract is not`() {
    var builder = EventBatchBuilder(now: Self.now)
    builder.begin(.request, line: 1)
    builder.setTime(Self.now - 1)
    builder.set(.inputTokens, 5)
    builder.set(.cachedInputTokens, 9)
    builder.finish()
    let batch = builder.take()
    #expect(batch.events.count == 1)
    check(batch, from: .otherFormat)
    var strict = EventDecoder(now: Self.now)
    #expect(strict.decode(lines(batch)).rejections.count == 1)
  }

  // MARK: Random events

  private static let texts = [
    "a", "gpt-4o", "\"", "\\", "a\"b\\c", "é", "日本語", "😀", "/x/{y}", "#1 2 3",
    String(repeating: "x", count: 128),
  ]

  private static func batch(
    _ source: EventOrigin, _ random: inout SplitMix
  ) -> DecodedBatch {
    var builder = EventBatchBuilder(now: now)
    for line in 1...4 {
      let kind: EventKind =
        source == .otherFormat
        ? .request : [.request, .request, .outcome, .capacity].randomElement(using: &random)!
      builder.begin(kind, line: line)
      builder.setTime(
        Int64.random(in: EventLimits.earliestTime...(now + 1), using: &random))
      if kind == .capacity {
        builder.setUntil([now + 5, .max].randomElement(using: &random)!)
      }
      fill(&builder, kind, source, &random)
      builder.finish()
    }
    return builder.take()
  }

  private static func fill(
    _ builder: inout EventBatchBuilder, _ kind: EventKind, _ source: EventOrigin,
    _ random: inout SplitMix
  ) {
    let shape = EventShape.fields(of: kind)
    let required = EventShape.required(of: kind)
    func isSet(_ code: FieldCode) -> Bool {
      shape & code.bit != 0 && (required.contains(code) || Bool.random(using: &random))
    }
    for field in TextField.allCases where isSet(FieldCode(field)) {
      builder.set(
        field, (EventShape.values(of: field) ?? texts).randomElement(using: &random)!)
    }
    for field in IntegerField.allCases where isSet(FieldCode(field)) {
      // Parts stay below their wholes where the contract asks for it.
      let isWhole = [.inputTokens, .outputTokens, .retrievals].contains(field)
      let most: Int64 =
        field.isBoolean ? 1 : source == .otherFormat || isWhole ? EventLimits.integer : 9
      let least: Int64 =
        source == .contract && isWhole ? 100 : field.isBoolean ? 0 : field.minimum
      builder.set(field, Int64.random(in: least...max(least, most), using: &random))
    }
    for field in RealField.allCases where isSet(FieldCode(field)) {
      let values = [
        0, 1, 12.5, 0.1, 1e-7, 1234.567, 1e21, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
        1.0 / 3,
        Double.random(in: 0..<100_000, using: &random),
      ]
      builder.set(field, values.randomElement(using: &random)!)
    }
    for field in MoneyField.allCases where isSet(FieldCode(field)) {
      let limit = Int128(1_000_000_000_000_000) * Picodollars.perDollar
      let values = [
        0, 1, limit, limit - 1, 1_250_000_000_000,
        Int128(Int64.random(in: 0...(.max), using: &random)),
      ]
      builder.set(field, picodollars: values.randomElement(using: &random)!)
    }
    guard kind == .request else { return }
    for number in 0..<Int.random(in: 0...5, using: &random) {
      builder.tag("t\(number)", texts.randomElement(using: &random)!)
      builder.unit("u\(number)\"", Int64.random(in: 0...EventLimits.integer, using: &random))
    }
  }
}
