import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `Rows that a worker laid out` {
  private static let receivedTime: Int64 = 1_780_000_000_000_000_000

  /// The events of a batch in a small table, as a worker fills it.
  private func table(_ batch: DecodedBatch, reusing spare: RowTable? = nil) -> RowTable {
    let table = spare ?? RowTable(capacity: max(1024, batch.events.count))
    _ = table.append(
      batch, kind: .request, charges: batch.events.indices.map(SegmentFixtures.charge),
      selection: Array(batch.events.indices),
      arrival: RowTable.Arrival(
        source: Array("events".utf8), receivedTime: 0, priceKeys: SegmentFixtures.prices.map(\.key)),
      byteLimit: .max)
    return table
  }

  private func appended(_ batches: [(DecodedBatch, [Int])]) throws -> [String] {
    let buffer = WriteBuffer(kind: .request)
    for (batch, selection) in batches {
      buffer.append(
        batch, charges: batch.events.indices.map(SegmentFixtures.charge),
        prices: SegmentFixtures.prices, source: "events", selection: selection,
        receivedTime: Self.receivedTime)
    }
    return try SegmentFixtures.dump(SegmentFixtures.reader(buffer))
  }

  private func absorbed(_ tables: [(RowTable, [Int]?)]) throws -> [String] {
    let buffer = WriteBuffer(kind: .request)
    var codes: [UInt32] = []
    for (table, taken) in tables {
      buffer.absorb(
        table, taken.map { $0.map(UInt32.init) }, prices: SegmentFixtures.prices,
        receivedTime: Self.receivedTime, codes: &codes)
    }
    return try SegmentFixtures.dump(SegmentFixtures.reader(buffer))
  }

  @Test func `seal to what their events seal to`() throws {
    let first = SegmentFixtures.batch(SegmentFixtures.lines(300))
    let second = SegmentFixtures.batch(SegmentFixtures.lines(90))
    let all = [(first, Array(first.events.indices)), (second, Array(second.events.indices))]
    #expect(try absorbed([(table(first), nil), (table(second), nil)]) == appended(all))
  }

  @Test func `may be taken in part`() throws {
    let batch = SegmentFixtures.batch(SegmentFixtures.lines(300))
    let odd = batch.events.indices.filter { $0 % 2 == 1 }
    let even = batch.events.indices.filter { $0 % 2 == 0 }
    let rows = table(batch)
    #expect(try absorbed([(rows, odd)]) == appended([(batch, odd)]))
    #expect(try absorbed([(rows, odd), (rows, even)]) == appended([(batch, odd), (batch, even)]))
    #expect(try absorbed([(rows, [7])]) == appended([(batch, [7])]))
  }

  @Test func `come out of a table that was used before as out of a new one`() throws {
    let first = SegmentFixtures.batch(SegmentFixtures.lines(300))
    let second = SegmentFixtures.batch(
      #"{"time":1772000000000000000,"model":"m","tags":{"other":"x"},"units":{"u":3}}"#)
    let spare = table(first)
    spare.removeAll()
    let rows = table(second, reusing: spare)
    #expect(try absorbed([(rows, nil)]) == appended([(second, [0])]))
  }

  @Test(arguments: [true, false])
  func `keep tags and units for which there is no column`(isWhole: Bool) throws {
    // Each batch has fewer names than columns, both together have more.
    let batches = (0..<2).map { part in
      SegmentFixtures.batch(
        (0..<40).map { index in
          let names = (0..<20).map { part * 400 + index * 10 + $0 % 10 + ($0 / 10) * 5 }
          let tags = Set(names).sorted().map { "\"k\($0)\":\"v\(index)\"" }.joined(separator: ",")
          let units = (0..<3).map { "\"u\(part * 120 + index * 3 + $0)\":\(index + 1)" }
            .joined(separator: ",")
          return #"{"time":\#(1_772_000_000_000_000_000 + index),"model":"m","tags":{\#(tags)},"#
            + #""units":{\#(units)}}"#
        }.joined(separator: "\n"))
    }
    #expect(batches.allSatisfy { $0.rejections.isEmpty })
    func values(_ buffer: WriteBuffer) throws -> [[String?]] {
      let reader = try SegmentFixtures.reader(buffer)
      let names = (0..<820).map { ColumnName.tag("k\($0)") } + (0..<260).map { .unit("u\($0)") }
      return try names.map {
        try SegmentFixtures.values(of: $0, block: 0, reader, ScanScratch())
      }
    }
    let expected = WriteBuffer(kind: .request)
    let found = WriteBuffer(kind: .request)
    var codes: [UInt32] = []
    for batch in batches {
      let rows = isWhole ? Array(0..<40) : Array(0..<40).filter { $0 % 3 != 0 }
      expected.append(
        batch, charges: batch.events.map { _ in .unpriced }, prices: [], source: "events",
        selection: rows, receivedTime: 5)
      found.absorb(
        table(batch), isWhole ? nil : rows.map(UInt32.init), prices: [], receivedTime: 5,
        codes: &codes)
    }
    #expect(try values(found) == values(expected))
  }

  @Test func `stand apart by day where they are late`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    let hour: Int64 = 3_600_000_000_000
    let start: Int64 = 1_772_000_000_000_000_000
    func batch(_ times: [Int64]) -> ChargedBatch {
      Batches.charge(
        times.map { #"{"time":\#($0),"model":"m"}"# }.joined(separator: "\n"))
    }
    let fresh = (0..<20).map { start + Int64($0) * hour }
    for part in 0..<10 {
      let late = part == 0 ? [] : [fresh[part * 2] - 30 * hour, fresh[part * 2] - 54 * hour]
      _ = try await writer.append(
        batch(late + fresh[part * 2...part * 2 + 1] + [fresh[part * 2 + 1], fresh[part * 2 + 1]]),
        receivedTime: arrival, durability: .segment)
    }
    try await writer.flush()
    let entries = await writer.catalogState.segments
    #expect(entries.reduce(0) { $0 + $1.rowCount } == 58)
    let whole = entries.filter { $0.rowCount == 40 }
    #expect(whole.map(\.minimumTime) == [start] && whole.map(\.maximumTime) == [fresh[19]])
    let day = 24 * hour
    #expect(
      entries.allSatisfy { $0.rowCount == 40 || $0.minimumTime / day == $0.maximumTime / day })
    try await writer.close()
  }

  @Test func `of a stream of older times stand together`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    for start: Int64 in [1_772_000_000_000_000_000, 1_771_000_000_000_000_000] {
      let lines = (0..<10).map { #"{"time":\#(start + Int64($0) * 1_000_000_000),"model":"m"}"# }
      for _ in 0..<3 {
        _ = try await writer.append(
          Batches.charge(lines.joined(separator: "\n")), receivedTime: arrival,
          durability: .segment)
      }
    }
    try await writer.flush()
    #expect(await writer.catalogState.segments.map(\.rowCount) == [60])
    try await writer.close()
  }

  @Test func `are known by their ids when the store is opened again`() async throws {
    let folder = try TemporaryDirectory()
    var writer = try StoreWriter.open(folder.path)
    let batch = Batches.make(0..<40)
    let first = try await writer.append(batch, receivedTime: arrival, durability: .segment)
    try await writer.close()
    writer = try StoreWriter.open(folder.path)
    let plain = Batches.charge(#"{"time":"2026-11-20T10:00:02Z","model":"m"}"#)
    _ = try await writer.append(plain, receivedTime: arrival, durability: .segment)
    #expect(await !writer.knowsStoredIDs)
    let again = try await writer.append(batch, receivedTime: arrival, durability: .segment)
    #expect(await writer.knowsStoredIDs)
    #expect(first.accepted - again.accepted == again.duplicateLines.count)
    #expect(!again.duplicateLines.isEmpty)
    try await writer.close()
  }
}
