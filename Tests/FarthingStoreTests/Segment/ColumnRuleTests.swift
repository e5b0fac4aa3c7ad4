import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

/// Prices and charges like those of the pricing room, and others that no rule explains.
@Suite struct `A column that follows a rule` {
  /// Rates as decimals of a dollar a token; nil where a part has no price of its own.
  static func price(
    _ key: String, _ rates: [String?], above: [String?]? = nil
  ) -> ResolvedPrice {
    func parsed(_ texts: [String?]) -> [Rate?] {
      (0..<PricePart.tokenPartCount).map { part in
        part < texts.count ? texts[part].flatMap { Rate(decimal: $0) } : nil
      }
    }
    var bands = [PriceBand(above: -1, rates: parsed(rates))]
    if let above { bands.append(PriceBand(above: 500, rates: parsed(above))) }
    return ResolvedPrice(key: key, bands: bands)
  }

  static let prices = [
    price("whole", ["0.000003", "0.0000003", "0.00000375", nil, "0.000015"]),
    price("reasoning", ["0.000001", nil, nil, nil, "0.000004", "0.000008"]),
    price("fraction", ["0.00000012345678901", "0.00000001234567", nil, nil, "0.0000005"]),
    price(
      "bands", ["0.000002", "0.0000002", nil, nil, "0.00001"],
      above: ["0.000004", "0.0000004", nil, nil, "0.00002"]),
  ]

  /// Requests of every kind of usage that a price knows, and what each costs.
  static func buffer(
    _ count: Int, prices used: [ResolvedPrice], seed: UInt64, spoiled: Int = .max,
    leastRuledRows: Int = 1
  ) -> WriteBuffer {
    var generator = SplitMix(seed: seed)
    let lines = (0..<count).map { index in
      let model = Int.random(in: 0...used.count, using: &generator)
      let input = Int.random(in: 0..<1000, using: &generator)
      let cached = Int.random(in: 0...input, using: &generator)
      let written = Int.random(in: 0...(input - cached), using: &generator)
      let output = Int.random(in: 0..<400, using: &generator)
      var line =
        #"{"time":\#(1_772_000_000_000 + index)000000,"model":"m\#(model)","provider":"p\#(model / 2)""#
      line += #","site":"s\#(index % 3)","endpoint":"e\#(model * 3 + index % 3)""#
      line += #","input_tokens":\#(input),"output_tokens":\#(output)"#
      if index % 2 == 0 { line += #","cached_input_tokens":\#(cached)"# }
      if index % 3 == 0 { line += #","cache_write_tokens":\#(written)"# }
      if index % 5 == 0 { line += #","reasoning_tokens":\#(output / 2)"# }
      if index % 7 == 0 { line += #","response_cache":"\#(["hit", "miss"][index % 2])""# }
      return line + "}"
    }.joined(separator: "\n")
    let batch = SegmentFixtures.batch(lines)
    let bytes = batch.bytes.span
    var charges: [Charge] = []
    for (index, event) in batch.events.enumerated() {
      let range = event.range(of: .model) ?? ByteRange()
      let model = Int(bytes[Int(range.offset) + 1] - UInt8(ascii: "0"))
      var charge = Charge.unpriced
      if model < used.count {
        charge = used[model].charge(TokenUsage(event: event, in: bytes), price: Int32(model))
      }
      if index % spoiled == spoiled - 1 { charge.cost += Int128(index) * 1_000_003 - 7 }
      charges.append(charge)
    }
    let buffer = WriteBuffer(kind: .request)
    buffer.leastRuledRows = leastRuledRows
    buffer.append(
      batch, charges: charges,
      prices: used.map { StoredPrice(key: $0.key, bytes: $0.serialised()) }, source: "events",
      selection: batch.events.indices, receivedTime: 1_780_000_000_000_000_000)
    return buffer
  }

  /// The values of all rows by column.
  static func values(_ reader: SegmentReader) throws -> [ColumnName: [String?]] {
    var values: [ColumnName: [String?]] = [:]
    let scratch = ScanScratch()
    for name in reader.columnNames {
      for block in 0..<reader.blockCount {
        values[name, default: []] += try SegmentFixtures.values(
          of: name, block: block, reader, scratch)
      }
    }
    return values
  }

  static func hasRule(_ reader: SegmentReader, _ name: ColumnName) -> Bool {
    reader.places[name].map { reader.columns[$0].rule != nil } ?? false
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `reads as if it were stored, whole picodollars or not`(seed: UInt64) throws {
    for used in [Array(Self.prices.prefix(2)), Self.prices] {
      let plain = try SegmentFixtures.reader(
        Self.buffer(700, prices: used, seed: seed, leastRuledRows: .max))
      let ruled = try SegmentFixtures.reader(Self.buffer(700, prices: used, seed: seed))
      #expect(try Self.values(ruled) == Self.values(plain), "seed \(seed)")
      #expect(Self.hasRule(ruled, .cost))
      #expect(Self.hasRule(ruled, .cacheSavings))
      #expect(Self.hasRule(ruled, .field(.provider)))
      #expect(Self.hasRule(ruled, .field(.endpoint)))
      #expect(Self.hasRule(ruled, .price))
      #expect(!Self.hasRule(plain, .cost))
    }
  }

  @Test func `takes a few bytes where nothing is left over`() throws {
    let buffer = Self.buffer(3000, prices: Array(Self.prices.prefix(2)), seed: 9)
    let reader = try SegmentFixtures.reader(buffer)
    for name in [ColumnName.cost, .outputCost, .cacheSavings] {
      #expect(Self.hasRule(reader, name))
      #expect(reader.byteCount(of: name) < 260, "\(name)")
      let range = try #require(reader.zone(name, block: 0))
      let values = try Self.values(reader)[name]?.compactMap { $0.flatMap { Int64($0) } } ?? []
      #expect(values.min() == range.minimum && values.max() == range.maximum)
    }
  }

  @Test func `keeps rows that differ exactly`() throws {
    for spoiled in [100, 40, 3] {
      let plain = try SegmentFixtures.reader(
        Self.buffer(900, prices: Self.prices, seed: 4, spoiled: spoiled, leastRuledRows: .max))
      let ruled = try SegmentFixtures.reader(
        Self.buffer(900, prices: Self.prices, seed: 4, spoiled: spoiled))
      #expect(try Self.values(ruled) == Self.values(plain), "one in \(spoiled)")
      // Where many differ the amounts themselves are smaller.
      #expect(Self.hasRule(ruled, .cost) == (spoiled > 20))
    }
  }

  @Test func `is refused by name, or reads as before, whichever of its bytes is flipped`() throws {
    let buffer = Self.buffer(9, prices: Array(Self.prices.prefix(2)), seed: 3)
    let whole = try #require(buffer.sealed(id: 9)).bytes
    let intact = try SegmentReader.open(MemorySegmentSource(name: "9", bytes: whole))
    let expected = try Self.values(intact)
    #expect(Self.hasRule(intact, .cost))
    var places: [Int] = []
    for (place, column) in intact.columns.enumerated() where column.rule != nil {
      let parts = try intact.blocks(ofColumn: place).parts + [column.rule].compactMap { $0 }
      for part in parts { places += part.offset..<part.offset + part.length }
    }
    for place in places {
      var bytes = whole
      bytes[place] ^= UInt8(1 << (place % 8))
      let error = #expect(throws: StoreError.self) {
        let reader = try SegmentReader.open(MemorySegmentSource(name: "9", bytes: bytes))
        #expect(try Self.values(reader) == expected)
      }
      #expect(error?.message.hasPrefix("segment 9 column") == true)
    }
  }

  @Test func `of random bytes behind valid checksums never crashes`() throws {
    var generator = SplitMix(seed: 8)
    let scratch = ScanScratch()
    for _ in 0..<2000 {
      let count = Int.random(in: 0..<60, using: &generator)
      var bytes = (0..<count).map { _ in
        UInt8.random(in: 0...(Bool.random(using: &generator) ? 4 : 255), using: &generator)
      }
      if count > 3 { bytes.replaceSubrange(0..<4, with: [1, 1, 0x61, 2]) }
      let span = bytes.span
      _ = try? CodeRule(span, limit: 5, scratch)
      guard let rule = try? MoneyRule(span, scratch) else { continue }
      let column = IntegerColumn(values: [0, 5, .max])
      var target: [Int64] = []
      _ = rule.evaluate(
        classes: [0, 1, 0], values: rule.inputs.map { _ in column }, into: &target)
    }
  }

  @Test func `comes out of a cache as it went in, within the bound`() throws {
    let bytes = try #require(Self.buffer(3000, prices: Self.prices, seed: 5).sealed(id: 3)).bytes
    let source = MemorySegmentSource(name: "3", bytes: bytes)
    let expected = try Self.values(try SegmentReader.open(source))
    let cache = BlockCache(byteLimit: 60_000)
    for _ in 0..<4 {
      // Another reader of the same bytes shares what the first one decoded.
      #expect(try Self.values(try SegmentReader.open(source, cache: cache)) == expected)
      #expect(cache.byteCount <= 60_000)
    }
    #expect(cache.byteCount == 48_000)
    #expect(cache.lookups.hits > 0)
  }
}

extension IntegerColumn {
  fileprivate init(values: [Int64]) {
    self.init()
    self.values = values
  }
}
