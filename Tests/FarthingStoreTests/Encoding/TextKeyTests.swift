import FarthingTestSupport
import Testing

@testable import FarthingStore

struct TextKeyTests {
  /// Texts around every border between the forms of a key.
  private static let texts: [String] = {
    let hex = "0123456789abcdef"
    var texts = ["", "a", "0", "task-", "fifteen bytes!!", "sixteen bytes!!!"]
    for prefix in ["", "t", "task-", "prefix-", "eight-by", "00000000", "0", "abc"] {
      texts += [prefix + hex, prefix + hex.uppercased(), prefix + "g123456789abcdef"]
      texts += [prefix + hex.reversed(), prefix + hex + "-", prefix + hex + hex.prefix(7)]
    }
    return texts
  }()

  @Test func `different texts have different keys`() {
    var known: [TextKey: String] = [:]
    for text in Self.texts {
      let key = TextKey(Array(text.utf8))
      #expect(known[key, default: text] == text)
      known[key] = text
    }
    #expect(known.count == Set(Self.texts).count)
  }

  @Test func `the words that a block packs are the keys of its texts`() throws {
    var generator = SplitMix(seed: 11)
    for prefix in ["", "task-", "seven..", "eight..."] {
      let texts = (0..<2_000).map { row -> String? in
        let digits = String(generator.next(), radix: 16)
        return row % 7 == 0
          ? nil : prefix + String(repeating: "0", count: 16 - digits.count) + digits
      }
      var column = TextColumn()
      for text in texts { column.append((text ?? "").utf8) }
      column.validity = texts.map { $0 == nil ? 0 : 1 }
      var bytes: [UInt8] = []
      TextBlock.encode(column, times: nil, into: &bytes, scratch: EncodingScratch())
      let span = bytes.span
      var cursor = ByteCursor(span)
      var keys = KeyColumn()
      let hasKeys = try TextBlock.decodeKeys(
        span, cursor: &cursor, count: texts.count, into: &keys, scratch: ScanScratch())
      #expect(hasKeys == (prefix.utf8.count <= 7))
      guard hasKeys else { continue }
      for (row, text) in texts.enumerated() {
        #expect((keys.validity?[row] ?? 1) == (text == nil ? 0 : 1))
        guard let text else { continue }
        #expect(
          TextKey(low: keys.keys[row], high: keys.upperHalf) == TextKey(Array(text.utf8)))
      }
    }
  }

  @Test func `keys are packed too where a place has few of the digits`() throws {
    var generator = SplitMix(seed: 13)
    // Of each of the sixteen places: the digits that occur there.
    let alphabets: [[String]] = [
      ["01234567"] + Array(repeating: "0123456789abcdef", count: 15),
      Array(repeating: "0123456789abcdef", count: 15) + ["9"],
      ["a", "bf"] + Array(repeating: "0123456789abcdef", count: 10) + ["01", "02", "ace", "9"],
      Array(repeating: "01", count: 16), ["01"] + Array(repeating: "7", count: 15),
    ]
    for digits in alphabets {
      let texts = (0..<1_200).map { _ in
        "task-" + String(digits.map { Array($0)[Int(generator.next() % UInt64($0.count))] })
      }
      var column = TextColumn()
      for text in texts { column.append(text.utf8) }
      var bytes: [UInt8] = []
      TextBlock.encode(column, times: nil, into: &bytes, scratch: EncodingScratch())
      let span = bytes.span
      var cursor = ByteCursor(span)
      var keys = KeyColumn()
      let hasKeys = try TextBlock.decodeKeys(
        span, cursor: &cursor, count: texts.count, into: &keys, scratch: ScanScratch())
      #expect(hasKeys)
      for (row, text) in texts.enumerated() {
        #expect(
          TextKey(low: keys.keys[row], high: keys.upperHalf) == TextKey(Array(text.utf8)))
      }
    }
  }

  @Test func `chosen rows of a block are read as the whole block says`() throws {
    var generator = SplitMix(seed: 12)
    let shapes: [(Int) -> String?] = [
      { "id-\(1_000_000 + $0 * 37)" }, { $0 % 5 == 0 ? nil : "id-\(1_000_000 + $0)" },
      { String(repeating: "free text ", count: $0 % 9) }, { $0 % 3 == 0 ? "word \($0)" : nil },
      { _ in nil },
    ]
    for (number, shape) in shapes.enumerated() {
      let texts = (0..<1_500).map(shape)
      var column = TextColumn()
      for text in texts { column.append((text ?? "").utf8) }
      if texts.contains(nil) { column.validity = texts.map { $0 == nil ? 0 : 1 } }
      var bytes: [UInt8] = []
      TextBlock.encode(column, times: nil, into: &bytes, scratch: EncodingScratch())
      let span = bytes.span
      for count in [0, 1, 40] {
        let rows = (0..<count).map { _ in UInt32(generator.next() % 1_500) }.sorted()
        var cursor = ByteCursor(span)
        var back = TextColumn()
        try TextBlock.decode(
          span, cursor: &cursor, count: texts.count, rows: rows, times: [], into: &back,
          scratch: ScanScratch())
        #expect(
          (0..<count).map { back.string($0) } == rows.map { texts[Int($0)] }, "shape \(number)")
      }
      var cursor = ByteCursor(span)
      var back = TextColumn()
      #expect(throws: EncodingFault.self) {
        try TextBlock.decode(
          span, cursor: &cursor, count: texts.count, rows: [1_500], times: [], into: &back,
          scratch: ScanScratch())
      }
    }
  }
}
