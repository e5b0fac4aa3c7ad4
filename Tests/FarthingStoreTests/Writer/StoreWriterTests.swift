import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite struct `A store's writer` {
  @Test func `keeps what it acknowledged over a crash`() async throws {
    let folder = try TemporaryDirectory()
    var expected = Ledger()
    let writer = try StoreWriter.open(folder.path)
    for part in 0..<5 {
      let batch = Batches.make(part * 10..<part * 10 + 10)
      let result = try await writer.append(batch, receivedTime: arrival, durability: .log)
      #expect(result.accepted == batch.decoded.events.count)
      expected.add(batch)
    }
    #expect(try Ledger(StoreReader.snapshot(directory: folder.path)) == expected)
    await writer.abandon()
    let second = try StoreWriter.open(folder.path)
    #expect(try await Ledger(second.snapshot()) == expected)
    let again = try await second.append(
      Batches.make(0..<50), receivedTime: arrival, durability: .log)
    #expect(again.accepted == 0)
    #expect(again.duplicateLines.count == 62)
    try await second.close()
    #expect(try Ledger(StoreReader.snapshot(directory: folder.path)) == expected)
    let files = PosixFileSystem()
    #expect(try files.list(folder.path + "/log") == [])
    #expect(try files.list(folder.path + "/segments")?.count == 2)
  }

  @Test func `counts an id once within a batch, over batches and over kinds`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    let batch = Batches.charge(
      """
      {"time":"2026-11-20T10:00:00Z","id":"a","model":"m"}
      {"time":"2026-11-20T10:00:01Z","id":"a","model":"m"}
      {"time":"2026-11-20T10:00:02Z","model":"m"}
      {"time":"2026-11-20T10:00:02Z","model":"m"}
      {"type":"outcome","time":"2026-11-20T10:00:03Z","id":"a","task":"t","outcome":"success"}
      """)
    let first = try await writer.append(batch, receivedTime: arrival, durability: .log)
    #expect(first == AppendResult(accepted: 3, duplicateLines: [2, 5]))
    let second = try await writer.append(batch, receivedTime: arrival, durability: .segment)
    #expect(second == AppendResult(accepted: 2, duplicateLines: [1, 2, 5]))
    try await writer.close()
    #expect(try StoreReader.snapshot(directory: folder.path).requests.map(\.rowCount) == [5])
  }

  @Test func `forgets an id when the window has passed, and not before`() async throws {
    let folder = try TemporaryDirectory()
    let day: Int64 = 86_400_000_000_000
    let batch = Batches.make(0..<1)
    var writer = try StoreWriter.open(folder.path)
    _ = try await writer.append(batch, receivedTime: arrival, durability: .log)
    var result = try await writer.append(
      batch, receivedTime: arrival + 7 * day, durability: .log)
    #expect(result.accepted == 0)
    try await writer.close()
    writer = try StoreWriter.open(folder.path, now: arrival + 7 * day)
    result = try await writer.append(batch, receivedTime: arrival + 7 * day, durability: .log)
    #expect(result.accepted == 0)
    result = try await writer.append(
      batch, receivedTime: arrival + 7 * day + day / 8, durability: .log)
    #expect(result.accepted == 1)
    try await writer.close()
  }

  @Test func `loads in bulk past the log and seals in the background`() async throws {
    let folder = try TemporaryDirectory()
    var options = StoreOptions()
    options.segmentRows = 100
    let writer = try StoreWriter.open(folder.path, options: options)
    var expected = Ledger()
    for part in 0..<8 {
      let batch = Batches.make(part * 70..<part * 70 + 70)
      _ = try await writer.append(batch, receivedTime: arrival, durability: .segment)
      expected.add(batch)
    }
    #expect(try await Ledger(writer.snapshot()) == expected)
    try await writer.flush()
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    #expect(try Ledger(snapshot) == expected)
    #expect(snapshot.requests.map(\.rowCount) == [100, 100, 100, 100, 100, 60])
    #expect(snapshot.outcomes.map(\.rowCount) == [100, 40])
    #expect(try PosixFileSystem().list(folder.path + "/log") == [])
    try await writer.close()
  }

  @Test func `shares a sync between appends that wait together`() async throws {
    let folder = try TemporaryDirectory()
    let disk = FaultyFileSystem()
    let writer = try StoreWriter.open(folder.path, fileSystem: disk)
    var expected = Ledger()
    for number in 0..<64 { expected.add(Batches.make(number..<number + 1)) }
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<64 {
        group.addTask {
          let batch = Batches.make(number..<number + 1)
          _ = try? await writer.append(batch, receivedTime: arrival, durability: .log)
        }
      }
    }
    #expect(try await Ledger(writer.snapshot()) == expected)
    #expect(disk.calls.count { $0.hasPrefix("sync log/") } <= 65)
    try await writer.close()
  }

  @Test func `is the only one, and names itself to others`() async throws {
    let folder = try TemporaryDirectory()
    var options = StoreOptions()
    options.holder = LockHolder(processID: 4242, serverAddress: "http://127.0.0.1:7878")
    let writer = try StoreWriter.open(folder.path, options: options)
    #expect(LockHolder.current(directory: folder.path) == options.holder)
    let refusal = #expect(throws: StoreError.self) { try StoreWriter.open(folder.path) }
    #expect(refusal?.code == .locked)
    #expect(
      refusal?.message == """
        \(folder.path) is held by the server at http://127.0.0.1:7878 (process 4242); \
        send the command there with --server http://127.0.0.1:7878
        """)
    try await writer.close()
    try await StoreWriter.open(folder.path).close()
  }

  @Test func `keeps price lists in the order of their import`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    for name in ["b", "a"] {
      try await writer.addPriceList(
        name: name, format: "yaml", validFrom: name == "a" ? 7 : nil, importedAt: 9,
        bytes: Array(name.utf8))
    }
    let lists = try StoreReader.priceLists(directory: folder.path)
    #expect(lists.map(\.name) == ["b", "a"])
    #expect(lists.map(\.validFrom) == [nil, 7])
    #expect(lists.map(\.bytes) == [[98], [97]])
    try await writer.close()
  }

  @Test func `gives an empty view of an empty folder, and an error for a missing one`() throws {
    let folder = try TemporaryDirectory()
    #expect(try StoreReader.snapshot(directory: folder.path).requests.isEmpty)
    let error = #expect(throws: StoreError.self) {
      try StoreReader.snapshot(directory: folder.path + "/none")
    }
    #expect(
      error?.message == """
        \(folder.path)/none does not exist; store events there first with "farthing ingest", \
        or name another folder with --data
        """)
  }
}
