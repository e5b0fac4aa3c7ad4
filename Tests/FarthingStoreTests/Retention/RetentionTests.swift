import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

private let day: Int64 = 86_400_000_000_000

private func entry(
  _ id: Int64, _ kind: EventKind = .request, days: ClosedRange<Int64>, arrived: Int64? = nil,
  bytes: Int = 100
) -> SegmentEntry {
  let received = (arrived ?? days.upperBound) * day
  return SegmentEntry(
    id: id, kind: kind, rowCount: 10, byteCount: bytes,
    time: days.lowerBound * day...days.upperBound * day, receivedTime: received...received)
}

private func plan(
  _ entries: [SegmentEntry], days: Int64? = nil, bytes: Int? = nil, now: Int64 = 1000
) -> RetentionPlan {
  RetentionPlan(
    entries, Retention(age: days.map { $0 * day }, byteLimit: bytes), window: 7 * day,
    now: now * day)
}

@Suite("Retention") struct RetentionTests {
  @Test func `drops segments whose every row is older than the age`() {
    let entries = [
      entry(1, days: 800...850), entry(2, days: 850...899), entry(3, days: 890...900),
      entry(4, days: 990...999),
    ]
    let plan = plan(entries, days: 100)
    #expect(plan.dropped.map(\.entry.id) == [1, 2])
    #expect(plan.dropped.map(\.cause) == [.age, .age])
    #expect(plan.keptBytes == 200)
    #expect(plan.heldBack.isEmpty)
  }

  @Test func `drops the oldest first until the size is kept`() {
    let entries = [
      entry(5, days: 900...910), entry(2, days: 850...899), entry(3, .capacity, days: 700...890),
      entry(4, days: 990...999),
    ]
    #expect(plan(entries, bytes: 400).dropped.isEmpty)
    #expect(plan(entries, bytes: 399).dropped.map(\.entry.id) == [3])
    let most = plan(entries, bytes: 150)
    #expect(most.dropped.map(\.entry.id) == [3, 2, 5])
    #expect(most.dropped.allSatisfy { $0.cause == .size })
    #expect(most.keptBytes == 100)
  }

  @Test func `keeps everything where nothing is set`() {
    #expect(plan([entry(1, days: 1...2)]).dropped.isEmpty)
    #expect(plan([], days: 1, bytes: 1).dropped.isEmpty)
  }

  @Test func `keeps outcomes while a request is kept that may be of their tasks`() {
    let entries = [
      entry(1, .outcome, days: 850...860), entry(2, days: 855...950),
      entry(3, days: 700...800), entry(4, .outcome, days: 700...790),
    ]
    #expect(plan(entries, days: 100).dropped.map(\.entry.id) == [3, 4])
    // Once that segment goes, its outcomes go with it.
    #expect(plan(entries, days: 40).dropped.map(\.entry.id) == [3, 4, 2, 1])
  }

  @Test func `holds what arrived within the window of ids`() {
    let entries = [
      entry(1, days: 100...200, arrived: 995), entry(2, days: 300...400),
      entry(3, days: 998...999),
    ]
    let byAge = plan(entries, days: 100)
    #expect(byAge.dropped.map(\.entry.id) == [2])
    #expect(byAge.heldBack.map(\.id) == [1])
    // A younger segment does not go in place of an older one.
    let bySize = plan(entries, bytes: 200)
    #expect(bySize.dropped.isEmpty)
    #expect(bySize.heldBack.map(\.id) == [1])
    #expect(plan(entries, days: 100, now: 1010).dropped.map(\.entry.id) == [1, 2])
  }

  @Test func `says which segments keep rows past the age, and why`() {
    let entries = [
      entry(1, days: 850...950), entry(2, days: 100...200, arrived: 995),
      entry(3, .outcome, days: 851...860), entry(4, days: 900...990),
      entry(5, .capacity, days: 10...20),
    ]
    let byAge = plan(entries, days: 100)
    #expect(byAge.dropped.map(\.entry.id) == [5])
    #expect(byAge.kept.map(\.entry.id) == [2, 3, 1])
    #expect(byAge.kept.map(\.hold) == [.ids, .requests, .youngerRows])
    #expect(plan(entries, bytes: 1000).kept.isEmpty)
  }

  @Test func `merges over a tenth of the age, and at least a day`() {
    #expect(Retention(age: 30 * day).mergedSpan == 3 * day)
    #expect(Retention(age: 2 * day).mergedSpan == day)
    #expect(Retention(byteLimit: 1).mergedSpan == nil)
  }

  @Test func `does not trap at the ends of time`() {
    let entries = [entry(1, days: 1...2)]
    let far = RetentionPlan(
      entries, Retention(age: .max), window: .max, now: .min)
    #expect(far.dropped.isEmpty)
    let record = ExpiryRecord(
      [
        SegmentEntry(
          id: 1, kind: .request, rowCount: 1, byteCount: 1, time: Int64.min...Int64.max,
          receivedTime: 0...0)
      ], appliedAt: -1)
    #expect(record?.day == -day)
    #expect([record].compactMap { $0 }.gap(since: nil, until: nil)?.before == .max)
  }

  @Test func `tells of a window that reaches into what was dropped`() throws {
    let first = try #require(ExpiryRecord([entry(1, days: 10...19)], appliedAt: 100 * day))
    let second = try #require(ExpiryRecord([entry(2, days: 20...29)], appliedAt: 110 * day + 5))
    let records = [first, second]
    #expect(records.gap(since: nil, until: nil)?.before == 29 * day + 1)
    #expect(records.gap(since: nil, until: 15 * day)?.appliedAt == 100 * day)
    #expect(records.gap(since: 29 * day, until: nil)?.appliedAt == 110 * day + 5)
    #expect(records.gap(since: 29 * day + 1, until: nil) == nil)
    #expect(records.gap(since: nil, until: 10 * day) == nil)
    #expect([ExpiryRecord]().gap(since: nil, until: nil) == nil)
  }

  @Test func `goes in one step that a restart remembers`() async throws {
    let folder = try TemporaryDirectory()
    var writer = try StoreWriter.open(folder.path)
    _ = try await writer.append(
      Batches.make(0..<8), receivedTime: arrival, durability: .segment)
    try await writer.flush()
    let retention = Retention(age: 30 * day)
    #expect(try await writer.expire(retention, now: arrival + 28 * day).dropped.isEmpty)
    let now = arrival + 32 * day
    #expect(
      try StoreReader.retentionPlan(directory: folder.path, retention, now: now).dropped.count == 2)
    let plan = try await writer.expire(retention, now: now)
    #expect(plan.dropped.map(\.entry.kind) == [.request, .outcome])
    #expect(try await writer.snapshot().requests.isEmpty)
    try await writer.close()
    #expect(try PosixFileSystem().list(folder.path + "/segments") == [])
    writer = try StoreWriter.open(folder.path)
    let more = Batches.make(100..<104)
    _ = try await writer.append(more, receivedTime: now, durability: .segment)
    try await writer.flush()
    _ = try await writer.expire(retention, now: now + 10 * day)
    try await writer.close()
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(snapshot.expiries.count == 2)
    #expect(snapshot.expiries.map(\.requests) == [8, 4])
    #expect(snapshot.expiries.map(\.outcomes) == [2, 1])
    let start = 1_795_168_800_000_000_000 as Int64
    #expect(snapshot.expiries[0].earliest == start)
    #expect(snapshot.expiries.gap(since: start, until: start + 1)?.appliedAt == now)
  }

  @Test(arguments: FileFault.allCases)
  func `each call failing drops all or nothing, and says so`(fault: FileFault) async throws {
    var call = fault.firstCall - FileFault.stride
    while true {
      call += FileFault.stride
      let folder = try TemporaryDirectory()
      var writer = try StoreWriter.open(folder.path)
      let batch = Batches.make(0..<8)
      _ = try await writer.append(batch, receivedTime: arrival, durability: .segment)
      try await writer.close()
      let disk = FaultyFileSystem()
      writer = try StoreWriter.open(folder.path, fileSystem: disk)
      disk.plan(fault, atCall: call)
      _ = try? await writer.expire(Retention(age: day), now: arrival + 30 * day)
      let didFault = disk.didFault
      disk.kill()
      await writer.abandon()
      let snapshot = try StoreReader.snapshot(directory: folder.path)
      #expect(snapshot.damage.isEmpty, "\(fault) at \(call): \(snapshot.damage)")
      var whole = Ledger()
      whole.add(batch)
      let ledger = try Ledger(snapshot)
      #expect(
        snapshot.expiries.isEmpty ? ledger == whole : ledger.entries.isEmpty,
        "\(fault) at \(call)")
      writer = try StoreWriter.open(folder.path)
      try await writer.close()
      let left = try PosixFileSystem().list(folder.path + "/segments")?.count
      #expect(left == (snapshot.expiries.isEmpty ? 2 : 0), "\(fault) at \(call)")
      if !didFault { break }
    }
    #expect(call > 3)
  }
}
