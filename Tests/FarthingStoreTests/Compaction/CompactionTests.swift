import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `Compaction` {
  /// All values of all rows, as text, sorted.
  private func rows(_ snapshot: StoreSnapshot) throws -> [String] {
    let scratch = ScanScratch()
    var rows: [String] = []
    for segment in snapshot.requests + snapshot.outcomes + snapshot.capacities {
      for block in 0..<segment.blockCount {
        var texts = segment.rows(inBlock: block).map { _ in "\(segment.kind)" }
        for name in segment.columnNames.sorted() {
          switch segment.kind(of: name) {
          case .codes:
            var codes: [UInt32] = []
            try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
            let dictionary = try segment.dictionary(name)
            for row in texts.indices where codes[row] != 0 {
              texts[row] += " \(name)=\(dictionary.string(of: codes[row]) ?? "?")"
            }
          case .text:
            var column = TextColumn()
            try segment.readText(name, block: block, into: &column, scratch: scratch)
            for row in texts.indices {
              if let text = column.string(row) { texts[row] += " \(name)=\(text)" }
            }
          case .integers:
            var column = IntegerColumn()
            try segment.readIntegers(name, block: block, into: &column, scratch: scratch)
            for row in texts.indices where column.validity?[row] != 0 {
              texts[row] += " \(name)=\(column.values[row])"
            }
          case .reals:
            var column = RealColumn()
            try segment.readReals(name, block: block, into: &column, scratch: scratch)
            for row in texts.indices where column.validity?[row] != 0 {
              texts[row] += " \(name)=\(column.values[row])"
            }
          case nil: break
          }
        }
        rows += texts
      }
    }
    return rows.sorted()
  }

  @Test func `merges small segments without changing a value`() async throws {
    let folder = try TemporaryDirectory()
    var options = StoreOptions()
    options.compactionFanIn = 1_000
    var writer = try StoreWriter.open(folder.path, options: options)
    for part in 0..<5 {
      let batch = Batches.make(part * 12..<part * 12 + 12)
      _ = try await writer.append(
        batch, receivedTime: arrival + Int64(part), durability: .segment)
      try await writer.flush()
    }
    try await writer.close()
    let before = try StoreReader.snapshot(directory: folder.path)
    #expect(before.requests.count == 5 && before.outcomes.count == 5)
    options.compactionFanIn = 4
    writer = try StoreWriter.open(folder.path, options: options)
    #expect(try await writer.compact() == 10)
    try await writer.close()
    let after = try StoreReader.snapshot(directory: folder.path)
    #expect(after.requests.count == 1 && after.outcomes.count == 1)
    #expect(try rows(after) == rows(before))
    #expect(after.damage.isEmpty)
    #expect(try PosixFileSystem().list(folder.path + "/segments")?.count == 2)
    // A reader that opened the old files before goes on with them.
    #expect(try rows(before).count == 75)
  }

  @Test func `runs by itself when enough small segments are there`() async throws {
    let folder = try TemporaryDirectory()
    var options = StoreOptions()
    options.compactionFanIn = 3
    var expected = Ledger()
    for part in 0..<7 {
      let writer = try StoreWriter.open(folder.path, options: options)
      let batch = Batches.make(part * 4..<part * 4 + 4)
      _ = try await writer.append(
        batch, receivedTime: arrival + Int64(part), durability: .log)
      try await writer.close()
      expected.add(batch)
    }
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(snapshot.requests.count < 4)
    #expect(try Ledger(snapshot) == expected)
  }
}
