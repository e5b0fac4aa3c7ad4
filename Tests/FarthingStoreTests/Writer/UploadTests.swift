import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `Uploads of many clients at once` {
  private func upload(_ batch: ChargedBatch, prepared by: BatchPreparation? = nil) -> Upload {
    if let by { return Upload(prepared: by.prepareForLog(batch), receivedTime: arrival) }
    return Upload(batches: [batch], receivedTime: arrival)
  }

  @Test func `each hear what of theirs was new, however they were laid out`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    var other = Batches.make(20..<22)
    other.source = "litellm"
    let results = await writer.append([
      upload(Batches.make(0..<1)), upload(Batches.make(0..<3)),
      upload(Batches.make(2..<8), prepared: writer.preparation), upload(other),
      upload(Batches.make(7..<9)), upload(Batches.make(0..<1)),
    ])
    let told = try results.map { try $0.get() }
    // Each fourth request brings its outcome.
    #expect(told.map(\.accepted) == [1, 2, 7, 2, 1, 0])
    #expect(told.map(\.duplicateLines) == [[], [1], [1], [], [1, 2], [1]])
    await writer.abandon()
    var expected = Ledger()
    expected.add(Batches.make(0..<9))
    expected.add(other)
    #expect(try Ledger(StoreReader.snapshot(directory: folder.path)) == expected)
    let second = try StoreWriter.open(folder.path)
    let again = await second.append([upload(Batches.make(0..<9)), upload(other)])
    #expect(try again.map { try $0.get().accepted } == [0, 0])
    try await second.close()
    #expect(try Ledger(StoreReader.snapshot(directory: folder.path)) == expected)
  }

  @Test func `keep the order of outcomes that contradict each other, over a crash`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    func outcome(_ id: Int, _ outcome: String) -> String {
      #"{"type":"outcome","time":"2026-11-20T10:00:00Z","id":"\#(id)","task":"t","outcome":"\#(outcome)"}"#
        + "\n"
    }
    let batch = Batches.charge(
      outcome(1, "success") + #"{"time":"2026-11-20T10:00:00Z","id":"r","model":"m-1","task":"t"}"#
        + "\n" + outcome(2, "failure") + outcome(1, "failure") + outcome(3, "success"))
    let results = await writer.append([
      upload(batch), upload(Batches.charge(outcome(4, "failure"))),
    ])
    #expect(
      try results.map { try $0.get() } == [
        AppendResult(accepted: 4, duplicateLines: [4]),
        AppendResult(accepted: 1, duplicateLines: []),
      ])
    func order(_ snapshot: StoreSnapshot) throws -> [String] {
      let scratch = ScanScratch()
      var arrivals: [(time: Int64, id: String)] = []
      for segment in snapshot.outcomes {
        for block in 0..<segment.blockCount {
          var ids = TextColumn()
          var times = IntegerColumn()
          try segment.readText(.field(.id), block: block, into: &ids, scratch: scratch)
          try segment.readIntegers(.receivedTime, block: block, into: &times, scratch: scratch)
          for row in 0..<ids.count { arrivals.append((times.values[row], ids.string(row) ?? "")) }
        }
      }
      return arrivals.sorted { $0.time < $1.time }.map(\.id)
    }
    let before = try await order(writer.snapshot())
    #expect(before == ["1", "2", "3", "4"])
    await writer.abandon()
    #expect(try order(StoreReader.snapshot(directory: folder.path)) == before)
  }

  @Test func `larger than a record become several`() async throws {
    let folder = try TemporaryDirectory()
    var options = StoreOptions()
    options.segmentRows = 5_000
    let writer = try StoreWriter.open(folder.path, options: options)
    let text = String(
      repeating: #"{"time":"2026-11-20T10:00:00Z","model":"m-1","output_tokens":3}"# + "\n",
      count: RecordColumn.maximumRows + 10)
    let batch = Batches.charge(text)
    let results = await writer.append([upload(batch), upload(batch, prepared: writer.preparation)])
    #expect(
      try results.map { try $0.get().accepted } == [
        RecordColumn.maximumRows + 10, RecordColumn.maximumRows + 10,
      ])
    await writer.abandon()
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(snapshot.requests.reduce(0) { $0 + $1.rowCount } == 2 * RecordColumn.maximumRows + 20)
  }
}
