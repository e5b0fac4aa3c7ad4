import FarthingCore
import FarthingPipeline
import FarthingStore
import Foundation
import Synchronization
import Testing

/// A folder with a store and logs, followed step by step: each step runs when nothing is new.
final class Scene: Sendable {
  let folder: URL
  let clock = Mutex<Int64>(1_795_219_200_000_000_000)

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "farthing-follow-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func path(_ name: String) -> String { folder.appending(path: name).path }

  static func line(_ number: Int) -> String {
    "{\"time\":\"2026-11-20T00:00:00Z\",\"model\":\"m\",\"task\":\"t\(number)\",\"input_tokens\":\(number)}\n"
  }

  func append(_ name: String, _ text: String) {
    if !FileManager.default.fileExists(atPath: path(name)) {
      _ = FileManager.default.createFile(atPath: path(name), contents: nil)
    }
    guard let file = FileHandle(forWritingAtPath: path(name)) else { return }
    _ = try? file.seekToEnd()
    try? file.write(contentsOf: Data(text.utf8))
    try? file.close()
  }

  func append(_ name: String, _ numbers: ClosedRange<Int>) {
    append(name, numbers.map { Self.line($0) }.joined())
  }

  func rename(_ name: String, _ other: String) {
    try? FileManager.default.moveItem(atPath: path(name), toPath: path(other))
  }

  func copyAndTruncate(_ name: String, _ copy: String) throws {
    try FileManager.default.copyItem(atPath: path(name), toPath: path(copy))
    let file = FileHandle(forWritingAtPath: path(name))
    try file?.truncate(atOffset: 0)
    try file?.close()
  }

  /// Has `gzip` compress a file.
  /// - Parameter writtenAt: Unix nanoseconds of the file's last write.
  func compress(
    _ name: String, _ suffix: String, keep: Bool = false, writtenAt: Int64? = nil
  ) throws {
    if let writtenAt {
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSince1970: Double(writtenAt / 1_000_000_000))],
        ofItemAtPath: path(name))
    }
    let zip = Process()
    zip.executableURL = URL(filePath: "/usr/bin/env")
    zip.arguments = ["gzip"] + (keep ? ["-k"] : []) + ["-S", suffix, path(name)]
    try zip.run()
    zip.waitUntilExit()
  }

  /// Follows until all steps are done and nothing is new twice.
  @discardableResult
  func follow(
    _ words: String..., mapping: Mapping? = nil, fromEnd: Bool = false,
    crash: Bool = false, disk: any FileSystem = PosixFileSystem(),
    configure: (inout Following.Options) -> Void = { _ in },
    steps: [@Sendable () throws -> Void] = []
  ) async throws -> (receipt: IngestReceipt, notes: [String]) {
    let state = Mutex<(step: Int, idle: Int, notes: [String])>((0, 0, []))
    let writer = try openStore(disk)
    var options = Following.Options()
    configure(&options)
    options.mapping = mapping
    options.isFromEnd = fromEnd
    let around = Following.Surroundings(
      clock: { self.clock.withLock { $0 } },
      pause: {
        self.clock.withLock { $0 += 1_000_000_000 }
        let step = state.withLock { state in
          state.idle += 1
          guard state.idle % 2 == 0 else { return Int?.none }
          state.step += 1
          return state.step - 1
        }
        if let step, step < steps.count { try? steps[step]() }
      },
      isStopping: { state.withLock { $0.step > steps.count } },
      note: { note in state.withLock { $0.notes.append(note) } })
    var following = Following(
      words.map { path($0) }, options: options, book: try PriceBook(lists: []),
      sink: WriterSink(writer: writer, losesSeals: crash), around: around)
    let receipt: IngestReceipt
    do {
      receipt = try await following.run()
    } catch {
      await writer.abandon()
      throw error
    }
    if crash { await writer.abandon() } else { try await writer.close() }
    return (receipt, state.withLock { $0.notes })
  }

  /// A store that seals and begins new log files often.
  func openStore(
    _ disk: any FileSystem = PosixFileSystem(), directory: String = "data"
  ) throws -> StoreWriter {
    var options = StoreOptions()
    options.segmentRows = 16
    options.logFileBytes = 4_096
    return try StoreWriter(
      directory: path(directory), options: options, fileSystem: disk,
      now: clock.withLock { $0 }, randomBytes: Array(0..<16))
  }

  /// The input tokens of all stored requests, in order.
  func stored(_ directory: String = "data") throws -> [Int64] {
    let snapshot = try StoreReader.snapshot(directory: path(directory))
    var values: [Int64] = []
    let scratch = ScanScratch()
    for segment in snapshot.requests {
      for block in 0..<segment.blockCount {
        var column = IntegerColumn()
        try segment.readIntegers(
          .field(.inputTokens), block: block, into: &column, scratch: scratch)
        values += column.values
      }
    }
    return values.sorted()
  }
}

struct WriterSink: FollowSink {
  let writer: StoreWriter
  /// As in a crash: nothing is sealed at the end.
  var losesSeals = false

  func append(
    _ batch: ChargedBatch, receivedTime: Int64, progress: SourceProgress?
  ) async throws -> AppendCount {
    let result = try await writer.append(
      batch, receivedTime: receivedTime, durability: .log, progress: progress)
    return AppendCount(accepted: result.accepted, duplicates: result.duplicateLines.count)
  }

  func flush() async throws { if !losesSeals { try await writer.flush() } }
  func positions() async -> [SourcePosition] { await writer.sourcePositions }
}

@Suite struct `Following a file` {
  @Test func `reads it from its beginning, what it grows by, and goes on there next time`()
    async throws
  {
    let scene = try Scene()
    scene.append("a.log", 1...3)
    try await scene.follow("a.log", steps: [{ scene.append("a.log", 4...5) }])
    #expect(try scene.stored() == [1, 2, 3, 4, 5])
    scene.append("a.log", 6...6)
    let (receipt, _) = try await scene.follow("a.log")
    #expect(receipt.accepted == 1)
    #expect(try scene.stored() == [1, 2, 3, 4, 5, 6])
  }

  @Test func `goes on from the log of a crash, which no seal has covered`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...300)
    for round in 1...3 {
      try await scene.follow("a.log", crash: true)
      scene.append("a.log", (300 * round + 1)...(300 * round + 300))
    }
    try await scene.follow("a.log")
    #expect(try scene.stored() == (1...1200).map(Int64.init))
    try await scene.follow("a.log")
    #expect(try scene.stored().count == 1200)
  }

  @Test func `leaves a line without its end until it is whole`() async throws {
    let scene = try Scene()
    let line = Scene.line(2)
    scene.append("a.log", Scene.line(1) + line.prefix(20))
    try await scene.follow("a.log")
    #expect(try scene.stored() == [1])
    try await scene.follow(
      "a.log",
      steps: [
        { scene.append("a.log", String(line.dropFirst(20).prefix(20))) },
        {
          scene.append("a.log", String(line.dropFirst(40)))
        },
      ])
    #expect(try scene.stored() == [1, 2])
  }

  @Test func `follows a rename, reads the old file's rest, and begins the new one`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...2)
    try await scene.follow(
      "a.log",
      steps: [
        { scene.rename("a.log", "a.log.1") },
        { scene.append("a.log.1", 3...3) },
        { scene.append("a.log", 4...5) },
        { scene.append("a.log.1", 6...6) },
      ])
    #expect(try scene.stored() == [1, 2, 3, 4, 5, 6])
  }

  @Test func `finds after a restart what was renamed meanwhile`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...2)
    try await scene.follow("a.log")
    scene.append("a.log", 3...4)
    scene.rename("a.log", "a.log.1")
    scene.append("a.log", 5...6)
    try await scene.follow("a.log")
    #expect(try scene.stored() == [1, 2, 3, 4, 5, 6])
    try await scene.follow("a.log")
    #expect(try scene.stored().count == 6)
  }

  @Test(arguments: ["a.log", "*"])
  func `reads the copy's rest when a file is copied and cut`(word: String) async throws {
    let scene = try Scene()
    scene.append("a.log", 1...20)
    try await scene.follow(
      word,
      steps: [
        {
          scene.append("a.log", 21...22)
          try scene.copyAndTruncate("a.log", "a.log.1")
          scene.append("a.log", 23...24)
        },
        { scene.append("a.log", 25...25) },
      ])
    #expect(try scene.stored() == (1...25).map(Int64.init))
    // The same while nothing follows.
    scene.append("a.log", 26...27)
    try scene.copyAndTruncate("a.log", "a.log.2")
    scene.append("a.log", 28...60)
    try await scene.follow(word)
    #expect(try scene.stored() == (1...60).map(Int64.init))
    try await scene.follow(word)
    #expect(try scene.stored().count == 60)
  }

  @Test func `reads whole what was rotated and compressed while nothing followed, once`()
    async throws
  {
    let scene = try Scene()
    // What was there before anything was followed is left alone.
    scene.append("a.log", 900...905)
    try scene.compress("a.log", ".0.gz", writtenAt: scene.clock.withLock { $0 - 3_600_000_000_000 })
    scene.append("a.log", 1...5)
    try await scene.follow("*")
    scene.append("a.log", 6...8)
    try scene.compress("a.log", ".1.gz")
    scene.append("a.log", 9...20)
    try scene.compress("a.log", ".2.gz", writtenAt: scene.clock.withLock { $0 })
    scene.append("a.log", 21...22)
    for round in 0..<3 {
      let (_, notes) = try await scene.follow("*", steps: [{}, {}, {}, {}, {}])
      #expect(try scene.stored() == (1...22).map(Int64.init), "\(round)")
      #expect(
        notes
          == (round == 0
            ? [
              "\(scene.path("a.log.2.gz")) was rotated and compressed before it was read; reading it now"
            ]
            : []))
    }
    // The same in a run: a file that comes and is compressed before it was looked at.
    scene.append("b.log", 23...30)
    try scene.compress("b.log", ".1.gz")
    let (_, notes) = try await scene.follow(
      "*",
      steps: [
        {
          scene.append("c.log", 31...33)
          try scene.compress("c.log", ".1.gz")
        }, {}, {}, {}, {}, {},
      ])
    #expect(notes.contains { $0.contains("c.log.1.gz") })
    #expect(try scene.stored().suffix(3) == [31, 32, 33])
  }

  @Test func `reads a plain file once that is also there compressed`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...30)
    try await scene.follow(
      "*", steps: [{ try scene.compress("a.log", ".1.gz", keep: true) }, {}, {}, {}, {}, {}])
    try await scene.follow("*", steps: [{}, {}, {}, {}, {}, {}])
    #expect(try scene.stored() == (1...30).map(Int64.init))
  }

  @Test func `takes what can be read of a compressed file that is cut short`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...1)
    try await scene.follow("*")
    scene.append("b.log", 2...4000)
    try scene.compress("b.log", ".1.gz", writtenAt: scene.clock.withLock { $0 })
    let path = scene.path("b.log.1.gz")
    let whole = try Data(contentsOf: URL(filePath: path))
    try whole.prefix(whole.count / 2).write(to: URL(filePath: path))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_800_000_000)], ofItemAtPath: path)
    let (_, notes) = try await scene.follow("*", steps: [{}, {}, {}, {}, {}, {}])
    let stored = try scene.stored()
    #expect(notes.count == 2, "\(notes)")
    #expect(stored.count > 100 && stored == (1...Int64(stored.count)).map { $0 })
    // Mended, it is read on.
    try whole.write(to: URL(filePath: path))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_800_000_000)], ofItemAtPath: path)
    try await scene.follow("*", steps: [{}, {}, {}, {}, {}, {}])
    #expect(try scene.stored() == (1...4000).map(Int64.init))
  }

  @Test func `reads the rest of a rotated file out of its gzip, once`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...50)
    try await scene.follow("a.log")
    scene.append("a.log", 51...60)
    try scene.compress("a.log", ".1.gz")
    scene.append("a.log", 61...62)
    try await scene.follow("*")
    try await scene.follow("*")
    #expect(try scene.stored() == (1...62).map(Int64.init))
  }

  @Test func `follows two files of equal content, and those that come later`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...3)
    scene.append("b.log", 1...3)
    let (_, notes) = try await scene.follow(
      "*.log", "late", steps: [{ scene.append("c.log", 4...4) }, { scene.append("late", 5...5) }])
    #expect(try scene.stored() == [1, 1, 2, 2, 3, 3, 4, 5])
    #expect(notes == ["\(scene.path("late")) is not there; waiting for it"])
  }

  @Test func `waits for a file that vanishes and reads the new one whole`() async throws {
    let scene = try Scene()
    scene.append("a.log", 1...3)
    try await scene.follow(
      "a.log",
      steps: [
        { try FileManager.default.removeItem(atPath: scene.path("a.log")) },
        { scene.append("a.log", 1...2) },
      ])
    #expect(try scene.stored() == [1, 1, 2, 2, 3])
  }

  @Test func `begins at the end where asked, but only with files that it never read`() async throws
  {
    let scene = try Scene()
    scene.append("a.log", Scene.line(1) + "half of a li")
    try await scene.follow(
      "a.log", fromEnd: true, steps: [{ scene.append("a.log", "ne\n" + Scene.line(2)) }])
    #expect(try scene.stored() == [2])
    scene.append("a.log", 3...3)
    try await scene.follow("a.log", fromEnd: true)
    #expect(try scene.stored() == [2, 3])
  }

  @Test func `keeps a CSV header over restarts`() async throws {
    let scene = try Scene()
    let mapping = try MappingFile.parse(
      Array("format: csv\nfields: {time: at, model: m, input_tokens: n, error: note}".utf8),
      file: "m.yaml")
    scene.append(
      "a.csv", "at,m,n,note\n2026-11-20T00:00:00Z,m,1,\"a b\"\n2026-11-20T00:00:00Z,m,2,\"c")
    try await scene.follow("a.csv", mapping: mapping)
    scene.append("a.csv", " d\"\n")
    try await scene.follow("a.csv", mapping: mapping)
    #expect(try scene.stored() == [1, 2])
  }

  @Test func `refuses a bad line by its number in the file, over restarts`() async throws {
    let scene = try Scene()
    scene.append("a.log", Scene.line(1) + "\nbad\n")
    try await scene.follow("a.log")
    scene.append("a.log", Scene.line(2) + "worse\n")
    let (receipt, _) = try await scene.follow("a.log")
    #expect(receipt.refusals.map(\.rejection.line) == [5])
    #expect(try scene.stored() == [1, 2])
  }
}
