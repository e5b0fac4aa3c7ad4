import FarthingTestSupport
import Testing

@testable import FarthingStore

/// Entries with a number in their text, so that a test can say which record is where.
enum SpoolEntries {
  static func make(_ number: Int, bytes: Int = 1_000) -> SpoolEntry {
    var random = SplitMix(seed: UInt64(number))
    // Digits that compression cannot take away.
    let filler = (0..<bytes).map { _ in UInt8(ascii: "0") + UInt8(random.next() % 10) }
    return SpoolEntry(
      receivedTime: arrival + Int64(number), events: 1, text: Array("\(number) ".utf8) + filler,
      positions: [SourcePosition(source: "file-\(number % 3)", state: Array("\(number)".utf8))])
  }

  static func number(_ record: SpoolRecord) -> Int? {
    guard record.events > 0 else { return nil }
    var text: [UInt8] = []
    guard ZstdExpander().expand(record.frame.span, count: record.textBytes, into: &text) else {
      return nil
    }
    return Int(String(decoding: text.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
  }
}

extension Spool {
  static func open(
    _ directory: String, fileSystem: any FileSystem = PosixFileSystem(),
    configure: (inout SpoolOptions) -> Void = { _ in }
  ) throws(StoreError) -> Spool {
    var options = SpoolOptions()
    options.stateInterval = 0
    configure(&options)
    return try Spool(
      directory: directory, options: options, fileSystem: fileSystem, random: 0xFA27_71AA)
  }

  /// The numbers of everything that waits, in order.
  func numbers(_ limit: Int = .max) throws(StoreError) -> [Int] {
    var numbers: [Int] = []
    while numbers.count < limit {
      let records = try next(textBytes: 1 << 20, events: min(7, limit - numbers.count))
      if records.isEmpty { break }
      numbers += records.compactMap(SpoolEntries.number)
    }
    return numbers
  }
}

@Suite struct `A spool` {
  @Test func `hands out what was appended once and in order, over restarts`() async throws {
    let folder = try TemporaryDirectory()
    let spool = try Spool.open(folder.path)
    for number in 1...20 { try await spool.append([SpoolEntries.make(number)]) }
    #expect(try await spool.numbers() == Array(1...20))
    #expect(try await spool.numbers() == [])
    try await spool.acknowledge(through: 8, now: arrival)
    try await spool.close()

    let again = try Spool.open(folder.path)
    #expect(try await again.numbers() == Array(9...20))
    try await again.append([SpoolEntries.make(21), SpoolEntries.make(22)])
    #expect(try await again.numbers() == [21, 22])
    await again.rewind()
    #expect(try await again.numbers() == Array(9...22))
    let survey = await again.survey
    // The first record of the new file is that of the positions.
    #expect(survey.lastSequence == 23)
    #expect(survey.acknowledged == 8)
    #expect(survey.waitingEvents == 14)
    #expect(survey.oldestTime == arrival + 9)
    #expect(survey.stream == 0xFA27_71AA)
    try await again.close()
  }

  @Test func `keeps the newest position of each source when its files have gone`() async throws {
    let folder = try TemporaryDirectory()
    var spool = try Spool.open(folder.path) { $0.fileBytes = 20_000 }
    for number in 1...100 { try await spool.append([SpoolEntries.make(number)]) }
    #expect(try await spool.numbers().count == 100)
    try await spool.acknowledge(through: await spool.survey.lastSequence, now: arrival)
    let files = try #require(try PosixFileSystem().list(folder.path))
    #expect(files.count { $0.hasSuffix(".spool") } == 1)
    try await spool.close()
    spool = try Spool.open(folder.path)
    let positions = await spool.positions.map {
      "\($0.source) \(String(decoding: $0.state, as: UTF8.self))"
    }
    #expect(positions.sorted() == ["file-0 99", "file-1 100", "file-2 98"])
    #expect(try await spool.numbers() == [])
    #expect(await spool.survey.waitingEvents == 0)
    #expect(await spool.survey.oldestTime == nil)
    try await spool.close()
  }

  @Test func `takes no more than its capacity and goes on once there is room`() async throws {
    let folder = try TemporaryDirectory()
    let spool = try Spool.open(folder.path) { $0.capacity = 200_000 }
    var taken = 0
    var refusal: StoreError?
    while refusal == nil {
      do throws(StoreError) {
        try await spool.append([SpoolEntries.make(taken + 1, bytes: 4_000)])
        taken += 1
      } catch { refusal = error }
    }
    #expect(refusal?.code == .diskFull)
    #expect(refusal?.message.contains("of 200000 bytes wait for the server") == true)
    #expect(taken > 50)
    let survey = await spool.survey
    #expect(survey.bytes <= 200_000)
    #expect(survey.refusedAppends == 1)
    #expect(try await spool.numbers(taken / 2) == Array(1...taken / 2))
    let through = await spool.outstanding.last?.sequence ?? 0
    try await spool.acknowledge(through: through, now: arrival)
    try await spool.append([SpoolEntries.make(taken + 1, bytes: 4_000)])
    #expect(try await spool.numbers() == Array(taken / 2 + 1...taken + 1))
    try await spool.close()
  }

  @Test func `lets appends of several tasks share a sync`() async throws {
    let folder = try TemporaryDirectory()
    let disk = FaultyFileSystem()
    let spool = try Spool.open(folder.path, fileSystem: disk)
    await withTaskGroup(of: Void.self) { group in
      for number in 1...64 {
        group.addTask { try? await spool.append([SpoolEntries.make(number)]) }
      }
    }
    #expect(try await spool.numbers().sorted() == Array(1...64))
    #expect(disk.calls.count { $0.hasPrefix("sync ") } < 40)
    try await spool.close()
  }

  @Test func `belongs to one process`() async throws {
    let folder = try TemporaryDirectory()
    let spool = try Spool.open(folder.path)
    #expect(throws: StoreError.self) { try Spool.open(folder.path) }
    try await spool.close()
    let again = try Spool.open(folder.path)
    try await again.close()
  }

  @Test func `keeps aside what the server refuses for good`() async throws {
    let folder = try TemporaryDirectory()
    let spool = try Spool.open(folder.path)
    for number in 1...3 { try await spool.append([SpoolEntries.make(number)]) }
    let records = try await spool.next(textBytes: 1 << 20, events: 10)
    let path = try await spool.setAside(records, answer: "400 no")
    let bytes = try PosixFileSystem().contents(of: path)
    let stream = try StreamDecompressor(.zstd)
    stream.supply(bytes)
    var text: [UInt8] = []
    while try stream.produce(into: &text, upTo: 1 << 16) {}
    try stream.finish()
    #expect(text == (1...3).flatMap { SpoolEntries.make($0).text })
    let answer = try PosixFileSystem().contents(of: folder.path + "/refused/1-3.txt")
    #expect(answer == Array("400 no".utf8))
    try await spool.close()
  }

  @Test func `goes on under a new name when its stream was renewed`() async throws {
    let folder = try TemporaryDirectory()
    var spool = try Spool.open(folder.path)
    for number in 1...3 { try await spool.append([SpoolEntries.make(number)]) }
    try await spool.renewStream(77)
    try await spool.close()
    spool = try Spool.open(folder.path)
    #expect(await spool.survey.stream == 77)
    #expect(try await spool.numbers() == [1, 2, 3])
    try await spool.close()
  }
}
