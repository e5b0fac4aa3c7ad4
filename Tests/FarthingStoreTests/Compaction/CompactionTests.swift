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

  /// Seals one small segment after the other, merging and dropping as a writer does.
  ///
  /// - Parameter times: of the segments' rows, in the order of arrival, an hour each.
  /// - Returns: the most segments that were there at once, and the longest that a row was past the age.
  private func run(
    _ times: [(arrival: Int64, time: Int64)], retention: Retention
  ) -> (segments: Int, overdue: Int64, merges: Int) {
    let hour: Int64 = 3_600_000_000_000
    var entries: [SegmentEntry] = []
    var most = 0
    var overdue: Int64 = 0
    var merges = 0
    var id: Int64 = 0
    for (arrival, time) in times {
      id += 1
      entries.append(
        SegmentEntry(
          id: id, kind: .request, rowCount: 50, byteCount: 2_000, time: time...time + hour - 1,
          receivedTime: arrival...arrival))
      while let plan = CompactionPlan.next(
        entries, segmentRows: SegmentFormat.maximumRows, fanIn: 8, span: retention.mergedSpan,
        excluding: [])
      {
        let ids = Set(plan.merged.map(\.id))
        id += 1
        let times = plan.merged.flatMap { [$0.minimumTime, $0.maximumTime] }.sorted()
        let arrivals = plan.merged.flatMap { [$0.minimumReceivedTime, $0.maximumReceivedTime] }
          .sorted()
        entries.removeAll { ids.contains($0.id) }
        merges += plan.merged.count
        entries.append(
          SegmentEntry(
            id: id, kind: .request, rowCount: plan.merged.reduce(0) { $0 + $1.rowCount },
            byteCount: 2_000, time: times[0]...times[times.count - 1],
            receivedTime: arrivals[0]...arrivals[arrivals.count - 1]))
      }
      let plan = RetentionPlan(entries, retention, window: 7 * 24 * hour, now: arrival)
      let dropped = Set(plan.dropped.map(\.entry.id))
      entries.removeAll { dropped.contains($0.id) }
      most = max(most, entries.count)
      if let age = retention.age, let oldest = entries.map(\.minimumTime).min() {
        overdue = max(overdue, arrival - age - oldest)
      }
    }
    return (most, overdue, merges)
  }

  @Test func `lets rows go within a tenth of the retention, in few segments`() {
    let hour: Int64 = 3_600_000_000_000
    let times = (0..<200 * 8).map { step in
      let arrival = Int64(step) * 3 * hour
      return (arrival: arrival, time: arrival - hour)
    }
    let result = run(times, retention: Retention(age: 30 * 24 * hour))
    #expect(result.overdue <= 3 * 24 * hour, "\(result)")
    #expect(result.segments <= 2 * 11 + 14, "\(result)")
    // Each segment is copied a few times in its life.
    #expect(result.merges <= times.count * 5 / 2, "\(result)")
  }

  @Test func `keeps the number of segments bounded where late data come between`() {
    let hour: Int64 = 3_600_000_000_000
    let times = (0..<600).map { step in
      let arrival = Int64(step) * hour
      let late = step % 2 == 0 ? 0 : Int64(step * 7919 % 4000) * hour
      return (arrival: arrival, time: arrival - hour - late)
    }
    let result = run(times, retention: Retention(age: 1_000 * 24 * hour / 10))
    #expect(result.segments <= CompactionPlan.spannedSegments + 8, "\(result)")
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
