import FarthingCore
import Testing

@testable import FarthingStore

@Suite struct `A sealed write buffer` {
  /// A batch whose texts are put in one by one.
  struct BatchMaker {
    var batch = DecodedBatch()

    mutating func text(_ value: String) -> ByteRange {
      let offset = batch.bytes.count
      batch.bytes.append(contentsOf: value.utf8)
      return ByteRange(offset: UInt32(offset), length: UInt32(value.utf8.count))
    }
  }

  @Test func `gives every value back, sorted by time, absent ones absent`() throws {
    var maker = BatchMaker()
    for index in 0..<100 {
      var event = DecodedEvent(kind: .request, line: index + 1)
      event.time = Int64(1_000_000 - index * 1000)
      event.set(.model, maker.text("model-\(index % 7)"))
      event.set(.id, maker.text("id-\(index)"))
      if index % 3 == 0 { event.set(.inputTokens, Int64(index)) }
      if index % 5 == 0 { event.set(.latencyMs, Double(index) / 10) }
      let start = maker.batch.entries.count
      if index % 2 == 0 {
        maker.batch.entries.append(
          NamedEntry(name: maker.text("team"), text: maker.text("t\(index % 4)")))
      }
      event.tags = start..<maker.batch.entries.count
      maker.batch.events.append(event)
    }
    let charges = (0..<100).map {
      Charge(
        state: .priced, cost: Int128($0) << 60, outputCost: 1, unitsCost: 0, cacheSavings: -5,
        price: 0)
    }
    let buffer = WriteBuffer(kind: .request)
    let taken = buffer.append(
      maker.batch, charges: charges, prices: [StoredPrice(key: "list", bytes: [1, 2])],
      source: "events", selection: 0..<100, receivedTime: 77)
    #expect(taken == 100)
    let sealed = try #require(buffer.sealed(id: 42))
    let reader = try SegmentReader.open(
      MemorySegmentSource(name: "42", bytes: sealed.bytes), expectedID: 42)
    #expect(reader.rowCount == 100)
    #expect(reader.minimumTime == 901_000 && reader.maximumTime == 1_000_000)
    let scratch = ScanScratch()
    var times = IntegerColumn()
    try reader.readIntegers(.time, block: 0, into: &times, scratch: scratch)
    #expect(times.values == (0..<100).map { Int64(901_000 + $0 * 1000) })
    #expect(times.validity == nil)
    var codes: [UInt32] = []
    try reader.readCodes(.field(.model), block: 0, into: &codes, scratch: scratch)
    let models = try reader.dictionary(.field(.model))
    #expect(codes.map { models.string(of: $0) } == (0..<100).map { "model-\((99 - $0) % 7)" })
    var tokens = IntegerColumn()
    try reader.readIntegers(.field(.inputTokens), block: 0, into: &tokens, scratch: scratch)
    for row in 0..<100 {
      let index = 99 - row
      #expect(tokens.values[row] == (index % 3 == 0 ? Int64(index) : 0))
      #expect(tokens.validity?[row] == (index % 3 == 0 ? 1 : 0))
    }
    var low = IntegerColumn()
    var high = IntegerColumn()
    try reader.readIntegers(.cost, block: 0, into: &low, scratch: scratch)
    try reader.readIntegers(ColumnName.cost.high, block: 0, into: &high, scratch: scratch)
    for row in 0..<100 {
      #expect(Int128(high.values[row]) << 62 + Int128(low.values[row]) == Int128(99 - row) << 60)
    }
    var latencies = RealColumn()
    try reader.readReals(.field(.latencyMs), block: 0, into: &latencies, scratch: scratch)
    #expect(latencies.values[4] == 9.5 && latencies.validity?[4] == 1)
    var ids = TextColumn()
    try reader.readText(.field(.id), block: 0, into: &ids, scratch: scratch)
    #expect((0..<100).map { ids.string($0) } == (0..<100).map { "id-\(99 - $0)" })
    try reader.readCodes(.tag("team"), block: 0, into: &codes, scratch: scratch)
    #expect(codes[0] == 0 && codes[1] != 0)
    #expect(reader.kind(of: .field(.site)) == nil)
    #expect(reader.totals.measures[.cost] == (0..<100).reduce(Int128(0)) { $0 + Int128($1) << 60 })
  }
}
