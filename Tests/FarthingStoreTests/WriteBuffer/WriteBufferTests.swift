import FarthingCore
import Testing

@testable import FarthingStore

@Suite struct `A write buffer` {
  @Test func `seals what the events said, field by field`() throws {
    let batch = SegmentFixtures.batch(SegmentFixtures.lines(300))
    #expect(batch.rejections.isEmpty)
    let reader = try SegmentFixtures.reader(SegmentFixtures.buffer(batch))
    let scratch = ScanScratch()
    // Input tokens and output tokens together tell which event a row is.
    var events: [String: Int] = [:]
    for (index, event) in batch.events.enumerated() {
      events["\(event.time)"] = index
    }
    let times = try SegmentFixtures.values(of: .time, block: 0, reader, scratch)
    let rows = times.compactMap { events[$0 ?? ""] }
    #expect(Set(rows).count == 300)
    func check(_ name: ColumnName, _ expected: (Int, DecodedEvent) -> String?) throws {
      let found = try SegmentFixtures.values(of: name, block: 0, reader, scratch)
      let wanted = rows.map { expected($0, batch.events[$0]) }
      #expect(found == wanted, "\(name)")
    }
    for field in TextField.allCases {
      try check(.field(field)) { $1.range(of: field).map { batch.string($0) } }
    }
    for field in IntegerField.allCases {
      try check(.field(field)) { $1.integer(field).map { "\($0)" } }
    }
    for field in RealField.allCases {
      try check(.field(field)) { $1.real(field).map { "\($0)" } }
    }
    try check(.field(.reportedCostUSD)) { $1.money(.reportedCostUSD).map { "\($0)" } }
    for name in ["team", "env"] {
      try check(.tag(name)) { _, event in
        batch.entries[event.tags].first { batch.string($0.name) == name }
          .map { batch.string($0.text) }
      }
    }
    try check(.unit("web_search")) { _, event in
      batch.entries[event.units].first.map { "\($0.count)" }
    }
    try check(.cost) { index, _ in "\(SegmentFixtures.charge(index).cost)" }
    try check(.outputCost) { index, _ in "\(SegmentFixtures.charge(index).outputCost)" }
    try check(.unitsCost) { index, _ in "\(SegmentFixtures.charge(index).unitsCost)" }
    try check(.cacheSavings) { index, _ in "\(SegmentFixtures.charge(index).cacheSavings)" }
    try check(.costState) { index, _ in "\(SegmentFixtures.charge(index).state)" }
    try check(.price) { index, _ in
      let price = SegmentFixtures.charge(index).price
      return price < 0 ? nil : SegmentFixtures.prices[Int(price)].key
    }
    try check(.source) { _, _ in "events" }
    try check(.receivedTime) { _, _ in "1780000000000000000" }
    #expect(try reader.storedPrices() == SegmentFixtures.prices)
  }

  @Test func `knows the sums and sketches of its rows`() throws {
    let batch = SegmentFixtures.batch(SegmentFixtures.lines(300))
    let reader = try SegmentFixtures.reader(SegmentFixtures.buffer(batch))
    var expected = SegmentTotals()
    for (index, event) in batch.events.enumerated() {
      expected.measures.add(
        MeasuredRow(event: event, charge: SegmentFixtures.charge(index), bytes: batch.bytes))
      for field in RealField.allCases {
        guard let value = event.real(field) else { continue }
        expected.sketches[field, default: QuantileSketch()].add(value)
      }
    }
    #expect(reader.measures == expected.measures)
    for (field, sketch) in expected.sketches {
      let found = try #require(try reader.totals().sketches[field])
      #expect(found.count == sketch.count && found.maximum == sketch.maximum)
      #expect(found.quantile(0.95) == sketch.quantile(0.95))
    }
  }

  @Test func `cuts blocks that follow each other in time and keeps tasks together inside`() throws {
    var batch = DecodedBatch(bytes: Array("task-0task-1task-2".utf8))
    let count = SegmentFormat.blockRows + 500
    for index in 0..<count {
      var event = DecodedEvent(kind: .request, line: index)
      event.time = 1_772_000_000_000_000_000 + Int64((index * 7919) % count) * 1000
      event.set(.task, ByteRange(offset: UInt32(index % 3 * 6), length: 6))
      batch.events.append(event)
    }
    let reader = try SegmentFixtures.reader(SegmentFixtures.buffer(batch))
    #expect(reader.blockCount == 2 && reader.rows(inBlock: 1).count == 500)
    let first = try #require(reader.zone(.time, block: 0))
    let second = try #require(reader.zone(.time, block: 1))
    #expect(first.maximum < second.minimum)
    let scratch = ScanScratch()
    for block in 0..<2 {
      var codes: [UInt32] = []
      try reader.readCodes(.field(.task), block: block, into: &codes, scratch: scratch)
      var times = IntegerColumn()
      try reader.readIntegers(.time, block: block, into: &times, scratch: scratch)
      var runs = 1
      for row in 1..<codes.count {
        if codes[row] != codes[row - 1] {
          runs += 1
        } else {
          #expect(times.values[row] > times.values[row - 1])
        }
      }
      #expect(runs == 3)
    }
  }

  @Test func `keeps money beyond 62 bits in two columns`() throws {
    let amounts: [Int128] = [
      0, 1, (1 << 62) - 1, 1 << 62, 1 << 100, -1, -(1 << 62), -(1 << 62) - 1, (1 << 124) - 1,
    ]
    let batch = SegmentFixtures.batch(SegmentFixtures.lines(amounts.count))
    let buffer = SegmentFixtures.buffer(batch) { index in
      Charge(
        state: .priced, cost: amounts[index], outputCost: 0, unitsCost: 0,
        cacheSavings: -amounts[index], price: 0)
    }
    let reader = try SegmentFixtures.reader(buffer)
    #expect(reader.measures[.cost] == amounts.reduce(0, +))
    for (name, sign) in [(ColumnName.cost, 1 as Int128), (.cacheSavings, -1)] {
      let scratch = ScanScratch()
      let low = try SegmentFixtures.values(of: name, block: 0, reader, scratch)
      let high = try SegmentFixtures.values(of: name.high, block: 0, reader, scratch)
      let found = zip(low, high).map { low, high in
        (Int128(high ?? "0") ?? 0) << 62 + (Int128(low ?? "") ?? 0)
      }
      #expect(found.sorted() == amounts.map { $0 * sign }.sorted())
    }
  }

  @Test func `a sum beyond 128 bits is unknown, not wrapped`() throws {
    // The largest cost that one event can have, so often that their sum leaves 128 bits.
    let largest: Int128 = 20_000_000_000_000_000_000_000_000_000_000_000
    let batch = SegmentFixtures.batch(SegmentFixtures.lines(9000))
    let buffer = SegmentFixtures.buffer(batch) { _ in
      Charge(
        state: .priced, cost: largest, outputCost: 0, unitsCost: 0, cacheSavings: 0, price: 0)
    }
    let reader = try SegmentFixtures.reader(buffer)
    #expect(reader.measures[.cost] == nil)
    #expect(reader.measures[.requests] == 9000)
  }

  @Test func `reads tags and units beyond its columns as if they had one`() throws {
    let lines = (0..<60).map { index in
      let tags = (0..<20).map { "\"k\(index * 20 + $0)\":\"v\($0)\"" }.joined(separator: ",")
      let units = (0..<4).map { "\"u\(index * 4 + $0)\":\($0 + 1)" }.joined(separator: ",")
      return #"{"time":\#(1_772_000_000_000_000_000 + index),"model":"m","tags":{\#(tags)}"#
        + #","units":{\#(units)}}"#
    }.joined(separator: "\n")
    let batch = SegmentFixtures.batch(lines)
    #expect(batch.events.count == 60)
    let reader = try SegmentFixtures.reader(SegmentFixtures.buffer(batch))
    let scratch = ScanScratch()
    #expect(reader.columnNames.filter(\.isTag).count == 512)
    #expect(reader.columnNames.filter(\.isUnit).count == 128)
    for index in stride(from: 0, to: 1200, by: 37) {
      let values = try SegmentFixtures.values(of: .tag("k\(index)"), block: 0, reader, scratch)
      #expect(values == (0..<60).map { $0 == index / 20 ? "v\(index % 20)" : nil })
    }
    for index in stride(from: 0, to: 240, by: 13) {
      let values = try SegmentFixtures.values(of: .unit("u\(index)"), block: 0, reader, scratch)
      #expect(values == (0..<60).map { $0 == index / 4 ? "\(index % 4 + 1)" : nil })
    }
    let none = try SegmentFixtures.values(of: .tag("none"), block: 0, reader, scratch)
    #expect(none == [String?](repeating: nil, count: 60))
  }

  @Test func `keeps entries without a column when segments are merged`() throws {
    let lines = (0..<40).map { index in
      let tags = (0..<20).map { "\"k\(index * 20 + $0)\":\"v\"" }.joined(separator: ",")
      return #"{"time":\#(1_772_000_000_000_000_000 + index),"model":"m","tags":{\#(tags)}}"#
    }.joined(separator: "\n")
    let buffer = WriteBuffer(kind: .request)
    let batch = SegmentFixtures.batch(lines)
    buffer.append(
      batch, charges: batch.events.map { _ in .unpriced }, prices: [], source: "events",
      selection: batch.events.indices, receivedTime: 5)
    let merged = try SegmentMerge().merge([SegmentFixtures.reader(buffer)], kind: .request)
    let reader = try SegmentFixtures.reader(merged, id: 2)
    for index in stride(from: 0, to: 800, by: 53) {
      let values = try SegmentFixtures.values(
        of: .tag("k\(index)"), block: 0, reader, ScanScratch())
      #expect(values == (0..<40).map { $0 == index / 20 ? "v" : nil })
    }
  }

  @Test func `takes outcomes and capacity, and passes over other kinds`() throws {
    let lines = """
      {"type":"outcome","time":"2026-03-02T00:00:01Z","task":"a","outcome":"success","value_usd":"1.25"}
      {"type":"capacity","time":"2026-03-02T00:00:00Z","until":"2026-03-03T00:00:00Z","site":"s","pool":"p","accelerators":8,"usd_per_accelerator_hour":"2.75"}
      {"time":"2026-03-02T00:00:02Z","model":"m"}
      """
    let batch = SegmentFixtures.batch(lines)
    #expect(batch.events.count == 3)
    let scratch = ScanScratch()
    let outcomes = try SegmentFixtures.reader(SegmentFixtures.buffer(batch, kind: .outcome))
    #expect(outcomes.rowCount == 1 && outcomes.kind == .outcome)
    #expect(
      try SegmentFixtures.values(of: .field(.valueUSD), block: 0, outcomes, scratch)
        == ["1250000000000"])
    let pools = try SegmentFixtures.reader(SegmentFixtures.buffer(batch, kind: .capacity))
    #expect(
      try SegmentFixtures.values(of: .until, block: 0, pools, scratch) == ["1772496000000000000"])
    #expect(
      try SegmentFixtures.values(of: .field(.accelerators), block: 0, pools, scratch) == ["8"])
    #expect(pools.kind(of: .cost) == nil)
  }

  @Test func `without rows seals to nothing`() {
    #expect(WriteBuffer(kind: .request).sealed(id: 1) == nil)
  }

  @Test func `can go on after it was sealed for a reader`() throws {
    let batch = SegmentFixtures.batch(SegmentFixtures.lines(20))
    let buffer = SegmentFixtures.buffer(batch)
    #expect(try SegmentFixtures.reader(buffer).rowCount == 20)
    buffer.append(
      batch, charges: batch.events.indices.map(SegmentFixtures.charge),
      prices: SegmentFixtures.prices, source: "litellm", selection: [0, 3, 5],
      receivedTime: 1_780_000_000_000_000_009)
    let reader = try SegmentFixtures.reader(buffer)
    #expect(reader.rowCount == 23)
    #expect(reader.minimumReceivedTime == 1_780_000_000_000_000_000)
    #expect(reader.maximumReceivedTime == 1_780_000_000_000_000_009)
  }

  @Test func `reports more bytes for more distinct texts`() {
    var batch = DecodedBatch()
    for index in 0..<2000 {
      let text = "value-\(index)"
      var event = DecodedEvent(kind: .request, line: index)
      event.set(
        .tenant,
        ByteRange(offset: UInt32(batch.bytes.count), length: UInt32(text.utf8.count)))
      batch.bytes.append(contentsOf: text.utf8)
      batch.events.append(event)
    }
    let buffer = SegmentFixtures.buffer(batch)
    #expect(buffer.approximateByteCount > 2000 * (8 + 20))
    #expect(!buffer.isFull)
  }
}
