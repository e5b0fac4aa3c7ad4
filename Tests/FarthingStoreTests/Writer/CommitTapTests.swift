import FarthingCore
import FarthingTestSupport
import Synchronization
import Testing

@testable import FarthingStore

/// What a tap heard: ids and times of arrival.
private final class Listener: Sendable {
  private let heard = Mutex<[(time: Int64, id: String)]>([])

  func listen(to writer: StoreWriter) async {
    await writer.watch { [self] batch, places, time in
      let ids = places.map { place in
        let id = batch.decoded.events[place].range(of: .id)
        return id.map { batch.decoded.string($0) } ?? ""
      }
      heard.withLock { $0 += ids.map { (time, $0) } }
    }
  }

  var lines: [String] { heard.withLock { $0.map { "\($0.time) \($0.id)" } } }
  var times: [Int64] { heard.withLock { $0.map(\.time) } }
  var ids: [String] { heard.withLock { $0.map(\.id) } }
}

@Suite struct `What a writer tells of its commits` {
  private static func id(_ name: String) -> String {
    #"{"time":"2026-11-20T10:00:00Z","id":"\#(name)","model":"m-1"}"# + "\n"
  }

  private static func outcome(_ name: String, _ task: String) -> String {
    #"{"type":"outcome","time":"2026-11-20T10:00:00Z","id":"\#(name)","task":"\#(task)","outcome":"success"}"#
      + "\n"
  }

  /// Ids and times of arrival of a store's rows, sorted.
  private static func stored(_ snapshot: StoreSnapshot) throws -> [String] {
    let scratch = ScanScratch()
    var lines: [String] = []
    for segment in snapshot.requests + snapshot.outcomes {
      for block in 0..<segment.blockCount {
        var ids = TextColumn()
        var times = IntegerColumn()
        try segment.readText(.field(.id), block: block, into: &ids, scratch: scratch)
        try segment.readIntegers(.receivedTime, block: block, into: &times, scratch: scratch)
        lines += (0..<ids.count).map { "\(times.values[$0]) \(ids.string($0) ?? "")" }
      }
    }
    return lines.sorted()
  }

  @Test func `are the events that it stored, each once, with the times that it stored`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    let listener = Listener()
    await listener.listen(to: writer)
    func upload(_ text: String, isLaidOut: Bool = false) -> Upload {
      let batch = Batches.charge(text)
      return isLaidOut
        ? Upload(prepared: writer.preparation.prepareForLog(batch), receivedTime: arrival)
        : Upload(batches: [batch], receivedTime: arrival)
    }
    let id = Self.id
    let outcome = Self.outcome
    let end = SourcePosition(source: "file", state: [1])
    let progress = SourceProgress(end: end) { SourcePosition(source: "file", state: [UInt8($0)]) }
    // Small ones that are laid out together, larger ones that came laid out, outcomes that meet others
    // of their task, and ids that were there: within a batch, in the one before it, in another call.
    _ = await writer.append([
      upload(id("a") + id("b")), upload(id("b")), upload(id("c") + id("a") + id("d")),
      upload(outcome("e", "t") + id("f") + outcome("g", "t") + id("c") + id("h"), isLaidOut: true),
      upload(outcome("i", "u") + outcome("j", "u") + id("k")),
      upload(id("d") + id("a"), isLaidOut: true),
    ])
    _ = await writer.append([
      upload(id("k") + id("l")),
      Upload(
        batches: [Batches.charge(id("l") + id("m") + id("a") + id("n"))], receivedTime: arrival,
        progress: [progress]),
      Upload(
        batches: [Batches.charge(outcome("o", "v") + outcome("p", "v") + id("q"))],
        receivedTime: arrival, progress: [progress]),
      upload(id("q")),
    ])
    #expect(listener.ids == "abcdefghijklmnopq".map { String($0) })
    #expect(listener.times == listener.times.sorted())
    #expect(Set(listener.times).count > 5)
    let snapshot = try await writer.snapshot()
    #expect(try Self.stored(snapshot) == listener.lines.sorted())
    try await writer.close()
  }

  @Test func `are the places of each part of a batch that takes several records`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    let listener = Listener()
    let count = RecordColumn.maximumRows + 7
    let batch = Batches.charge((0..<count).map { Self.id("r\($0)") }.joined())
    let first = Batches.charge(Self.id("r3") + Self.id("r\(count - 2)"))
    _ = await writer.append([Upload(batches: [first], receivedTime: arrival)])
    await listener.listen(to: writer)
    _ = await writer.append([Upload(batches: [batch], receivedTime: arrival)])
    #expect(listener.ids == (0..<count).filter { $0 != 3 && $0 != count - 2 }.map { "r\($0)" })
    await writer.abandon()
  }

  @Test func `are nothing that was refused`() async throws {
    let folder = try TemporaryDirectory()
    let disk = FaultyFileSystem()
    let writer = try StoreWriter.open(folder.path + "/store", fileSystem: disk)
    let listener = Listener()
    await listener.listen(to: writer)
    func append(_ names: [String]) async -> [Result<AppendResult, StoreError>] {
      await writer.append(
        names.map { Upload(batches: [Batches.charge(Self.id($0))], receivedTime: arrival) })
    }
    _ = await append(["a"])
    disk.setFull(true)
    let refused = await append(["b", "c"])
    #expect(throws: StoreError.self) { try refused[0].get() }
    disk.setFull(false)
    _ = await append(["b", "d"])
    #expect(listener.ids == ["a", "b", "d"])
    await writer.abandon()
  }
}
