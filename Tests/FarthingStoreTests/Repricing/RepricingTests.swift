import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

extension RepricingOrder {
  /// An order of the tests.
  static func by(
    _ prices: FlatPrices, selection: any RequestSelection = EveryRequest(), reason: String? = nil
  ) -> RepricingOrder {
    RepricingOrder(
      book: PriceBook(sources: [prices]), selection: selection, by: "tester", reason: reason,
      time: arrival)
  }
}

/// Every second row of each block.
private struct EverySecondRow: RequestSelection {
  private final class Rows: SegmentSelection {
    let segment: SegmentReader
    init(_ segment: SegmentReader) { self.segment = segment }
    func mask(block: Int) throws(StoreError) -> [UInt8]? {
      segment.rows(inBlock: block).map { $0 % 2 == 0 ? 1 : 0 }
    }
  }

  func requests(of segment: SegmentReader) throws(StoreError) -> (any SegmentSelection)? {
    Rows(segment)
  }
}

@Suite struct `Repricing` {
  /// Cost, state and price of each request by id.
  typealias Charges = [String: [String]]

  static let dear = FlatPrices(id: "dear#2", input: "0.000007", output: "0.00003")

  /// - Parameter isBooked: as booked on arrival instead of as now.
  private func charges(_ snapshot: StoreSnapshot, isBooked: Bool = false) throws -> Charges {
    let scratch = ScanScratch()
    var charges: Charges = [:]
    for segment in snapshot.requests {
      for block in 0..<segment.blockCount {
        func amounts(_ name: ColumnName) throws(StoreError) -> [Int64] {
          var column = IntegerColumn()
          try segment.readIntegers(
            isBooked ? name.asBooked : name, block: block, into: &column, scratch: scratch)
          return column.values
        }
        func texts(_ name: ColumnName) throws(StoreError) -> [String] {
          let name = isBooked ? name.asBooked : name
          var codes: [UInt32] = []
          try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
          let dictionary = try segment.dictionary(name)
          return codes.map { dictionary.string(of: $0) ?? "none" }
        }
        var ids = TextColumn()
        try segment.readText(.field(.id), block: block, into: &ids, scratch: scratch)
        let columns: [[String]] = [
          try amounts(.cost).map(String.init), try amounts(ColumnName.cost.high).map(String.init),
          try amounts(.outputCost).map(String.init), try amounts(.unitsCost).map(String.init),
          try amounts(.cacheSavings).map(String.init), try texts(.costState), try texts(.price),
        ]
        for row in 0..<ids.count { charges[ids.string(row) ?? ""] = columns.map { $0[row] } }
      }
    }
    return charges
  }

  /// The charges of requests that are stored as they come.
  private func charges(of batches: [ChargedBatch]) async throws -> Charges {
    let folder = try TemporaryDirectory()
    try await store(batches, in: folder.path)
    return try charges(StoreReader.snapshot(directory: folder.path))
  }

  /// A segment for each batch.
  private func store(_ batches: [ChargedBatch], in directory: String) async throws {
    var options = StoreOptions()
    options.compactionFanIn = 1_000
    let writer = try StoreWriter.open(directory, options: options)
    for (place, batch) in batches.enumerated() {
      _ = try await writer.append(
        batch, receivedTime: arrival + Int64(place), durability: .segment)
      try await writer.flush()
    }
    try await writer.close()
  }

  private func reprice(
    _ directory: String, _ order: RepricingOrder
  ) async throws -> (summary: RepricingSummary, record: RepricingRecord?) {
    let writer = try StoreWriter.open(directory)
    let result = try await writer.reprice(order)
    try await writer.close()
    return result
  }

  @Test func `requests take today's prices and keep what they were booked at`() async throws {
    let folder = try TemporaryDirectory()
    let ranges = [0..<40, 40..<90, 90..<97]
    let cheap = ranges.map { Batches.make($0) }
    try await store(cheap, in: folder.path)
    let booked = try await charges(of: cheap)
    let now = try await charges(of: ranges.map { Batches.make($0, prices: Self.dear) })
    let old = try StoreReader.snapshot(directory: folder.path)
    let dryRun = try RepricingSummary.survey(
      old, book: PriceBook(sources: [Self.dear]), selection: EveryRequest())

    let (summary, record) = try await reprice(
      folder.path, .by(Self.dear, reason: "prices were wrong"))

    #expect(summary == dryRun)
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(try charges(snapshot) == now)
    #expect(try charges(snapshot, isBooked: true) == booked)
    #expect(snapshot.requests.allSatisfy { $0.hasBookings })
    #expect(try charges(old) == booked, "a snapshot from before goes on as it was")
    let before = cheap.reduce(0) { $0 + $1.charges.reduce(0) { $0 + $1.cost } }
    #expect(summary.totals.costBefore == before && summary.totals.costAfter == 2 * before)
    #expect(summary.totals.requests == 97 && summary.totals.changed == 97)
    #expect(summary.rows.map(\.model) == ["m-0", "m-1", "m-2"])
    #expect(summary.rows.allSatisfy { $0.day == arrival - CivilTime.day })
    #expect(summary.rows[0].pricesBefore == ["flat#1/any"])
    #expect(summary.rows[0].pricesAfter == ["dear#2/any"])
    // What segments know of themselves is of the charges as they are now.
    let known = snapshot.requests.reduce(0) { $0 + ($1.measures[.cost] ?? 0) }
    #expect(known == 2 * before)
    var expected = try #require(record)
    #expect(expected.id == 1 && expected.segments == 3 && expected.lists == ["dear#2"])
    #expect(expected.totals == summary.totals && expected.reason == "prices were wrong")
    let layout = StoreLayout(directory: folder.path)
    expected.id = 1
    #expect(
      try CatalogReader.repricings(layout: layout, fileSystem: PosixFileSystem()) == [expected])
  }

  @Test func `the second time nothing changes and nothing is recorded`() async throws {
    let folder = try TemporaryDirectory()
    try await store([Batches.make(0..<30)], in: folder.path)
    #expect(try await reprice(folder.path, .by(Self.dear)).record != nil)
    let files = try PosixFileSystem().list(folder.path + "/segments")
    let (summary, record) = try await reprice(folder.path, .by(Self.dear))
    #expect(record == nil && summary.rows.isEmpty && summary.totals.changed == 0)
    #expect(summary.totals.costBefore == summary.totals.costAfter)
    #expect(try PosixFileSystem().list(folder.path + "/segments") == files)
  }

  @Test func `a price under another key that comes to the same changes nothing`() async throws {
    let folder = try TemporaryDirectory()
    try await store([Batches.make(0..<30)], in: folder.path)
    #expect(try await reprice(folder.path, .by(FlatPrices(id: "again#2"))).record == nil)
  }

  @Test func `what was booked outlives several repricings and goes with a return to it`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let batch = Batches.make(0..<30)
    try await store([batch], in: folder.path)
    let booked = try await charges(of: [batch])
    for prices in [
      Self.dear, FlatPrices(id: "none#3", models: []), FlatPrices(id: "more#4", input: "1"),
    ] {
      _ = try await reprice(folder.path, .by(prices))
      let snapshot = try StoreReader.snapshot(directory: folder.path)
      #expect(try charges(snapshot, isBooked: true) == booked)
      let expected = try await charges(of: [Batches.make(0..<30, prices: prices)])
      #expect(try charges(snapshot) == expected)
    }
    _ = try await reprice(folder.path, .by(FlatPrices()))
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(try charges(snapshot) == booked)
    #expect(snapshot.requests.allSatisfy { !$0.hasBookings })
    let layout = StoreLayout(directory: folder.path)
    #expect(
      try CatalogReader.repricings(layout: layout, fileSystem: PosixFileSystem()).map(\.id)
        == [1, 2, 3, 4])
  }

  @Test func `unpriced requests become priced, and priced ones unpriced`() async throws {
    let folder = try TemporaryDirectory()
    try await store(
      [Batches.make(0..<30, prices: FlatPrices(models: ["m-0"]))], in: folder.path)
    let (summary, _) = try await reprice(folder.path, .by(FlatPrices(models: ["m-1", "m-2"])))
    #expect(summary.totals.unpricedBefore == 20 && summary.totals.unpricedAfter == 10)
    #expect(summary.rows.map(\.pricesBefore) == [["flat#1/any"], [], []])
    #expect(summary.rows.map(\.pricesAfter) == [[], ["flat#1/any"], ["flat#1/any"]])
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    let now = try charges(snapshot)
    #expect(now["r-0"]?.suffix(2) == ["unpriced", "none"] && now["r-0"]?.first == "0")
    let booked = try charges(snapshot, isBooked: true)
    #expect(booked["r-1"]?.suffix(2) == ["unpriced", "none"] && booked["r-1"]?.first == "0")
    #expect(snapshot.requests[0].measures[.unpricedRequests] == 10)
  }

  @Test func `amounts of more than 62 bits keep every digit on both sides`() async throws {
    let folder = try TemporaryDirectory()
    let vast = FlatPrices(id: "vast#2", input: "1000000", output: "999999.999999999999")
    let batches = [Batches.make(0..<20, prices: vast), Batches.make(20..<40)]
    try await store(batches, in: folder.path)
    let booked = try await charges(of: batches)
    _ = try await reprice(folder.path, .by(Self.dear))
    var snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(try charges(snapshot, isBooked: true) == booked)
    _ = try await reprice(folder.path, .by(vast))
    snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(try charges(snapshot, isBooked: true) == booked)
    let expected = try await charges(of: [Batches.make(0..<40, prices: vast)])
    #expect(try charges(snapshot) == expected)
  }

  @Test func `only the selected requests change, and merging keeps every row as it is`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let batches = (0..<4).map { Batches.make($0 * 20..<$0 * 20 + 20) }
    try await store(batches, in: folder.path)
    let booked = try await charges(of: batches)
    let (summary, _) = try await reprice(
      folder.path, .by(Self.dear, selection: EverySecondRow()))
    #expect(summary.totals.requests == 40 && summary.totals.changed == 40)
    let before = try StoreReader.snapshot(directory: folder.path)
    let now = try charges(before)
    #expect(now.count { $0.value.last == "dear#2/any" } == 40)
    var options = StoreOptions()
    options.compactionFanIn = 2
    let writer = try StoreWriter.open(folder.path, options: options)
    _ = try await writer.append(
      Batches.make(80..<90), receivedTime: arrival + 9, durability: .segment)
    try await writer.flush()
    _ = try await writer.compact()
    try await writer.close()
    let after = try StoreReader.snapshot(directory: folder.path)
    #expect(after.requests.count == 1)
    #expect(try charges(after).filter { now[$0.key] != nil } == now)
    #expect(try charges(after, isBooked: true).filter { booked[$0.key] != nil } == booked)
  }

  @Test func `what only the log has is repriced too`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    _ = try await writer.append(Batches.make(0..<12), receivedTime: arrival, durability: .log)
    let (summary, record) = try await writer.reprice(.by(Self.dear))
    #expect(summary.totals.changed == 12 && record?.segments == 1)
    // Ids stay known, and what comes now is priced as it comes.
    let again = try await writer.append(
      Batches.make(6..<16), receivedTime: arrival, durability: .log)
    #expect(again.duplicateLines.count == 8)
    try await writer.close()
    let now = try charges(StoreReader.snapshot(directory: folder.path))
    #expect(now.count { $0.value.last == "dear#2/any" } == 12 && now.count == 16)
  }

  @Test func `too little free space is told before anything is written`() async throws {
    let folder = try TemporaryDirectory()
    try await store([Batches.make(0..<30)], in: folder.path)
    let disk = FaultyFileSystem()
    disk.setAvailableBytes(1 << 20)
    let writer = try StoreWriter.open(folder.path, fileSystem: disk)
    let error = await #expect(throws: StoreError.self) {
      try await writer.reprice(.by(Self.dear))
    }
    #expect(error?.code == .diskFull)
    #expect(error?.message.contains("needs 16 MiB free") == true)
    #expect(error?.message.hasSuffix("1 MiB are; nothing was changed") == true)
    try await writer.close()
    let now = try charges(StoreReader.snapshot(directory: folder.path))
    #expect(now.values.allSatisfy { $0.last == "flat#1/any" })
  }
}
