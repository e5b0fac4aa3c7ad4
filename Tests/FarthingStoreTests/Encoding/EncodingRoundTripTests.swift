import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `An encoded block` {
  static let counts = [1, 2, 3, 100, 1024, 2500]

  /// Columns of many shapes, `Int64.min` being absent.
  static func shapes(_ count: Int, _ generator: inout SplitMix) -> [[Int64]] {
    var shapes: [[Int64]] = []
    func add(_ value: (Int) -> Int64) { shapes.append((0..<count).map(value)) }
    add { _ in 42 }
    add { _ in .min }
    add { Int64($0) * 1000 }
    add { _ in Int64.random(in: 0..<5000, using: &generator) }
    add { _ in Int64.random(in: -9...9, using: &generator) * 128 }
    add { _ in Bool.random(using: &generator) ? .min : Int64.random(in: 0...7, using: &generator) }
    add { _ in Int64.random(in: (.min + 1)...Int64.max, using: &generator) }
    add { $0 % 2 == 0 ? .max : .min + 1 }
    add { $0 % 3 == 0 ? .min : $0 % 2 == 0 ? .max : .min + 1 }
    add { $0 % 97 == 5 ? 1 << 50 : Int64.random(in: 0..<100, using: &generator) }
    add { $0 % 211 == 5 ? 1 << 30 : Int64.random(in: 0..<100, using: &generator) }
    add { Int64($0 / 50) * 1_000_000_007 }
    add { _ in [3, 1 << 40, 5_000_000_000][Int.random(in: 0..<3, using: &generator)] }
    add { _ in [3, 1 << 20, 5_000_000][Int.random(in: 0..<3, using: &generator)] }
    var sum: Int64 = -5_000
    add { _ in
      sum += Int64.random(in: 0...300, using: &generator) * 1000
      return sum
    }
    add { $0 < count / 2 ? .min : 1 << 61 }
    return shapes
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func `of integers gives back what went in`(
    seed: UInt64
  ) throws {
    var generator = SplitMix(seed: seed)
    let scratch = EncodingScratch()
    let reading = ScanScratch()
    var column = IntegerColumn()
    for count in Self.counts {
      for (shape, values) in Self.shapes(count, &generator).enumerated() {
        var bytes: [UInt8] = []
        IntegerBlock.encode(values, into: &bytes, scratch: scratch)
        let span = bytes.span
        var cursor = ByteCursor(span)
        try IntegerBlock.decode(
          span, cursor: &cursor, count: count, into: &column, scratch: reading)
        let back = (0..<count).map { row in
          column.validity.map { $0[row] == 0 } ?? false ? Int64.min : column.values[row]
        }
        #expect(back == values, "seed \(seed), shape \(shape), \(count) rows")
        #expect(cursor.remaining == 0)
        #expect(
          (0..<count).allSatisfy { column.values[$0] == (values[$0] == .min ? 0 : values[$0]) })
      }
    }
  }

  @Test(arguments: [4, 5] as [UInt64]) func `of codes gives back what went in`(
    seed: UInt64
  ) throws {
    var generator = SplitMix(seed: seed)
    let scratch = EncodingScratch()
    let reading = ScanScratch()
    for count in Self.counts {
      for limit: UInt32 in [1, 2, 5, 300, 70_000] {
        for isSorted in [false, true] {
          var codes = (0..<count).map { _ in UInt32.random(in: 0..<limit, using: &generator) }
          if isSorted { codes.sort() }
          var bytes: [UInt8] = []
          CodeBlock.encode(codes, seen: nil, into: &bytes, scratch: scratch)
          #expect(
            try Self.codes(bytes, count, limit, reading) == codes, "seed \(seed), \(count) rows")
          #expect(throws: EncodingFault.self) {
            try Self.codes(bytes, count, codes.max() ?? 0, reading)
          }
        }
      }
    }
  }

  @Test func `of codes by appearance gives back what went in, over several blocks`() throws {
    var generator = SplitMix(seed: 6)
    let scratch = EncodingScratch()
    let reading = ScanScratch()
    var seen: UInt32 = 0
    for _ in 0..<5 {
      var greatest = seen
      let codes = (0..<500).map { _ -> UInt32 in
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return 0
        case 1:
          greatest += 1
          return greatest
        default: return greatest == 0 ? 0 : UInt32.random(in: 1...greatest, using: &generator)
        }
      }
      var bytes: [UInt8] = []
      CodeBlock.encode(codes, seen: seen, into: &bytes, scratch: scratch)
      #expect(try Self.codes(bytes, 500, greatest + 1, reading) == codes)
      seen = max(seen, codes.max() ?? 0)
    }
  }

  static func codes(
    _ bytes: [UInt8], _ count: Int, _ limit: UInt32, _ scratch: ScanScratch
  ) throws -> [UInt32] {
    var codes: [UInt32] = []
    let span = bytes.span
    var cursor = ByteCursor(span)
    try CodeBlock.decode(
      span, cursor: &cursor, count: count, limit: limit, into: &codes, scratch: scratch)
    return codes
  }

  @Test func `of reals gives back every bit`() throws {
    var generator = SplitMix(seed: 7)
    let scratch = EncodingScratch()
    let reading = ScanScratch()
    let shapes: [(Int) -> Double?] = [
      { Double($0) / 10.0 }, { _ in 0.0 }, { $0 % 3 == 0 ? nil : Double($0) * 0.25 },
      { _ in Double(bitPattern: UInt64.random(in: 0..<0x7FF0 << 48, using: &generator)) },
      { $0 == 1 ? 1e300 : 1.5 }, { $0 % 2 == 0 ? 0.1 + 0.2 : .leastNonzeroMagnitude },
      { Double($0) * 1e-9 }, { _ in nil }, { _ in 4_503_599_627_370_497.5 },
    ]
    for (shape, value) in shapes.enumerated() {
      for count in [1, 50, 1500] {
        let values = (0..<count).map(value)
        let patterns = values.map { $0.map { Int64(bitPattern: $0.bitPattern) } ?? .min }
        var bytes: [UInt8] = []
        var digits = 0
        RealBlock.encode(patterns, digits: &digits, into: &bytes, scratch: scratch)
        var column = RealColumn()
        let span = bytes.span
        var cursor = ByteCursor(span)
        try RealBlock.decode(
          span, cursor: &cursor, count: count, into: &column, scratch: reading)
        for row in 0..<count {
          let isPresent = column.validity.map { $0[row] != 0 } ?? true
          #expect(isPresent == (values[row] != nil), "shape \(shape) row \(row)")
          let expected = values[row] ?? 0
          let found = column.values[row]
          #expect(!isPresent || found.bitPattern == expected.bitPattern, "shape \(shape)")
        }
      }
    }
  }

  @Test func `of texts gives back every byte, and the shape saves what it should`() throws {
    var generator = SplitMix(seed: 8)
    func digits(_ count: Int, _ alphabet: String = "0123456789abcdef") -> String {
      let all = Array(alphabet)
      return String((0..<count).map { _ in all[Int.random(in: 0..<all.count, using: &generator)] })
    }
    let times = (0..<500).map { 1_772_000_000_000_000_000 + Int64($0) * 121_000_000 }
    func version7(_ row: Int) -> String {
      let stamp = hex(UInt64(times[row] / 1_000_000)).suffix(12)
      return stamp.prefix(8) + "-" + stamp.suffix(4) + "-7" + digits(3) + "-" + digits(1, "89ab")
        + digits(3) + "-" + digits(12)
    }
    let shapes: [(name: String, most: Double, text: (Int) -> String?)] = [
      ("hash", 8.2, { _ in digits(16) }),
      ("task", 8.3, { _ in "task-" + digits(16) }),
      ("upper", 8.2, { _ in digits(16, "0123456789ABCDEF") }),
      (
        "uuid 4", 16, { _ in "\(digits(8))-\(digits(4))-4\(digits(3))-a\(digits(3))-\(digits(12))" }
      ),
      ("uuid 7", 9.5, version7),
      ("base 64", 18.5, { _ in digits(22, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ_-") }),
      ("half absent", 4.2, { $0 % 2 == 0 ? nil : digits(16) }),
      ("words", 3, { "word \($0 % 7)" }), ("numbers", 3.2, { "\($0)" }),
      ("unicode", 8, { "é\($0 % 10)漢" }), ("absent", 0.2, { _ in nil }),
      ("long", 150, { _ in digits(200) }), ("lengths", 60, { digits($0 % 100) }),
    ]
    let scratch = EncodingScratch()
    let reading = ScanScratch()
    for shape in shapes {
      for count in [1, 60, 500] {
        let texts = (0..<count).map(shape.text)
        var column = TextColumn()
        for text in texts { column.append((text ?? "").utf8) }
        let validity = texts.map { $0 == nil ? 0 : 1 as UInt8 }
        column.validity = validity.contains(0) ? validity : nil
        var bytes: [UInt8] = []
        TextBlock.encode(
          column, times: Array(times.prefix(count)), into: &bytes, scratch: scratch)
        if count == 500 {
          #expect(Double(bytes.count) <= shape.most * 500 + 80, "\(shape.name)")
        }
        var back = TextColumn()
        let span = bytes.span
        var cursor = ByteCursor(span)
        try TextBlock.decode(
          span, cursor: &cursor, count: count, times: Array(times.prefix(count)), into: &back,
          scratch: reading)
        #expect((0..<count).map { back.string($0) } == texts, "\(shape.name), \(count) texts")
      }
    }
  }

  @Test func `of hashes gives keys that are equal where the texts are`() throws {
    var generator = SplitMix(seed: 9)
    let pool = (0..<200).map { _ in hex(generator.next()) }
    let texts = (0..<800).map { row in row % 5 == 0 ? nil : pool[(row * 7) % 200] }
    var column = TextColumn()
    for text in texts { column.append((text ?? "").utf8) }
    column.validity = texts.map { $0 == nil ? 0 : 1 }
    var bytes: [UInt8] = []
    TextBlock.encode(column, times: nil, into: &bytes, scratch: EncodingScratch())
    var keys = KeyColumn()
    let span = bytes.span
    var cursor = ByteCursor(span)
    let hasKeys = try TextBlock.decodeKeys(
      span, cursor: &cursor, count: 800, into: &keys, scratch: ScanScratch())
    #expect(hasKeys)
    var known: [UInt64: String] = [:]
    for row in 0..<800 {
      #expect((keys.validity?[row] ?? 1) == (texts[row] == nil ? 0 : 1))
      guard let text = texts[row] else { continue }
      #expect(known[keys.keys[row], default: text] == text)
      known[keys.keys[row]] = text
    }
    #expect(known.count == Set(texts.compactMap { $0 }).count)
  }
}
