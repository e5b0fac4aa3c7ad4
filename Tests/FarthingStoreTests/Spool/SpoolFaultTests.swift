import FarthingTestSupport
import Testing

@testable import FarthingStore

/// A short life of a spool that makes every kind of call: appends, some of them large, hands out and
/// acknowledges, over several files.
private struct SpoolLife {
  var appended: [Int] = []
  var acknowledged = 0
  static let all = 1...40

  mutating func run(_ directory: String, _ disk: FaultyFileSystem) async {
    do throws(StoreError) {
      let spool = try Spool.open(directory, fileSystem: disk) { $0.fileBytes = 12_000 }
      for number in Self.all {
        do throws(StoreError) {
          try await spool.append([SpoolEntries.make(number)])
          appended.append(number)
        } catch {}
        if number % 9 == 0 { await take(spool, 5) }
      }
      await take(spool, 9)
      do { try await spool.close() } catch { await spool.abandon() }
    } catch {}
  }

  private mutating func take(_ spool: Spool, _ count: Int) async {
    guard let records = try? await spool.next(textBytes: 1 << 20, events: count),
      let last = records.last
    else { return }
    acknowledged = max(acknowledged, records.compactMap(SpoolEntries.number).max() ?? 0)
    try? await spool.acknowledge(through: last.sequence, now: arrival)
  }

  /// What is wrong with what a spool hands out after the life.
  func faults(_ numbers: [Int], positions: [String: Int]) -> [String] {
    var faults: [String] = []
    let mustBeThere = appended.filter { $0 > acknowledged }
    let lost = Set(mustBeThere).subtracting(numbers)
    if !lost.isEmpty { faults.append("lost: \(lost.sorted())") }
    if numbers != numbers.sorted() || Set(numbers).count != numbers.count {
      faults.append("doubled or out of order: \(numbers)")
    }
    // The position of a source covers its last event and none that is not there.
    for source in 0..<3 {
      let there = Set(numbers).union(appended).filter { $0 % 3 == source }.max() ?? 0
      if positions["file-\(source)", default: 0] != there {
        faults.append("file-\(source) is at \(positions["file-\(source)"] ?? 0), not \(there)")
      }
    }
    return faults
  }
}

@Suite struct `Faults of a spool` {
  private static func check(_ directory: String, _ life: SpoolLife, _ when: String) async {
    do {
      let spool = try Spool.open(directory)
      let numbers = try await spool.numbers()
      var positions: [String: Int] = [:]
      for position in await spool.positions {
        positions[position.source] = Int(String(decoding: position.state, as: UTF8.self))
      }
      let faults = life.faults(numbers, positions: positions)
      #expect(faults.isEmpty, "\(when)")
      #expect(await spool.takeDamage() == [], "\(when)")
      try await spool.append([SpoolEntries.make(99)])
      #expect(try await spool.numbers() == [99], "\(when)")
      try await spool.close()
    } catch {
      Issue.record("\(when): \(error)")
    }
  }

  @Test(arguments: FileFault.allCases)
  func `each call failing loses nothing acknowledged and doubles nothing`(
    fault: FileFault
  ) async throws {
    var call = fault.firstCall - FileFault.stride
    while true {
      call += FileFault.stride
      let folder = try TemporaryDirectory()
      let disk = FaultyFileSystem()
      disk.plan(fault, atCall: call)
      var life = SpoolLife()
      await life.run(folder.path, disk)
      guard disk.didFault else { break }
      let name = disk.calls.indices.contains(call - 1) ? disk.calls[call - 1] : "?"
      disk.kill()
      await Self.check(folder.path, life, "\(fault) at call \(call), \(name)")
    }
    #expect(call > 100)
  }

  @Test func `a power cut at any call loses nothing acknowledged`() async throws {
    for state in 0..<60 {
      let folder = try TemporaryDirectory()
      let disk = FaultyFileSystem()
      disk.plan(.crashAfter, atCall: 1 + state * 3)
      var life = SpoolLife()
      await life.run(folder.path + "/before", disk)
      disk.kill()
      try disk.powerCut(
        of: folder.path + "/before", into: folder.path + "/after", seed: UInt64(state))
      await Self.check(folder.path + "/after", life, "power cut after call \(1 + state * 3)")
    }
  }
}

@Suite struct `Damage of a spool` {
  /// A spool of 30 records in three files or more, closed.
  private static func make(_ directory: String) async throws -> [String] {
    let spool = try Spool.open(directory) { $0.fileBytes = 12_000 }
    for number in 1...30 { try await spool.append([SpoolEntries.make(number)]) }
    try await spool.close()
    let names = try #require(try PosixFileSystem().list(directory))
    return names.filter { $0.hasSuffix(".spool") }.sorted()
  }

  private static func edit(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = try PosixFileSystem().contents(of: path)
    change(&bytes)
    try PosixFileSystem().unlink(path)
    let file = try PosixFileSystem().open(path, .create)
    try file.write(bytes[...], offset: 0)
    file.close()
  }

  @Test func `is named and counted, and the rest goes on`() async throws {
    let folder = try TemporaryDirectory()
    let names = try await Self.make(folder.path)
    #expect(names.count >= 3)
    let path = folder.path + "/" + names[1]
    try Self.edit(path) { $0[LogFormat.recordsOffset + 600] ^= 1 }
    let spool = try Spool.open(folder.path)
    let damage = await spool.takeDamage()
    #expect(damage.count == 1)
    #expect(damage.first?.file == names[1])
    #expect(damage.first?.message.contains("are lost; the others are sent") == true)
    let numbers = try await spool.numbers()
    let lost = await spool.survey.lostRecords
    #expect(lost > 0)
    // Of the lost records one may be that of the positions alone.
    #expect(30 - numbers.count <= Int(lost) && 30 - numbers.count >= Int(lost) - 1)
    #expect(numbers == numbers.sorted())
    #expect(await spool.takeDamage() == [])
    try await spool.append([SpoolEntries.make(31)])
    #expect(try await spool.numbers() == [31])
    try await spool.acknowledge(through: await spool.survey.lastSequence, now: arrival)
    let after = try #require(try PosixFileSystem().list(folder.path))
    #expect(after.contains(names[1] + ".bad"))
    #expect(!after.contains(names[0]))
    try await spool.close()
  }

  @Test func `that comes while the spool is open is told of, too`() async throws {
    let folder = try TemporaryDirectory()
    let spool = try Spool.open(folder.path)
    for number in 1...10 { try await spool.append([SpoolEntries.make(number)]) }
    let name = try #require(
      try PosixFileSystem().list(folder.path)?.last { $0.hasSuffix(".spool") })
    let file = try PosixFileSystem().open(folder.path + "/" + name, .readWrite)
    try file.write([0xFF, 0xFF, 0xFF], offset: LogFormat.recordsOffset + 100)
    let numbers = try await spool.numbers()
    #expect(numbers == Array(2...10))
    #expect(await spool.survey.lostRecords == 1)
    #expect(await spool.takeDamage().count == 1)
    #expect(await spool.takeDamage().count == 0)
    try await spool.close()
  }

  @Test func `of a whole file, or of the state, costs no more than that`() async throws {
    let folder = try TemporaryDirectory()
    let names = try await Self.make(folder.path)
    try PosixFileSystem().unlink(folder.path + "/" + names[1])
    try Self.edit(folder.path + "/state") { $0[20] ^= 1 }
    let spool = try Spool.open(folder.path)
    let damage = await spool.takeDamage()
    #expect(damage.map(\.file).contains("state"))
    #expect(damage.contains { $0.message.contains("are lost") })
    #expect(await spool.survey.stream == 0xFA27_71AA)
    let numbers = try await spool.numbers()
    #expect(numbers.first == 1 && numbers.last == 30)
    #expect(numbers.count < 30)
    try await spool.close()
  }

  @Test func `at any byte of a file ends no start`() async throws {
    let folder = try TemporaryDirectory()
    let names = try await Self.make(folder.path + "/whole")
    let bytes = try PosixFileSystem().contents(of: folder.path + "/whole/" + names[1])
    for place in stride(from: 0, to: bytes.count, by: 97) {
      let directory = folder.path + "/\(place)"
      try PosixFileSystem().createDirectory(directory)
      for name in try #require(try PosixFileSystem().list(folder.path + "/whole")) {
        var copy = try PosixFileSystem().contents(of: folder.path + "/whole/" + name)
        if name == names[1] { copy[place] ^= 0x40 }
        let file = try PosixFileSystem().open(directory + "/" + name, .create)
        try file.write(copy[...], offset: 0)
      }
      let spool = try Spool.open(directory)
      let numbers = try await spool.numbers()
      let lost = await spool.survey.lostRecords
      #expect(numbers.count >= 30 - Int(lost), "byte \(place)")
      #expect(numbers.count >= 29, "byte \(place)")
      #expect(numbers == numbers.sorted(), "byte \(place)")
      try await spool.close()
    }
  }
}
