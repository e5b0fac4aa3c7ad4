import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

/// A store at rest with segments, a log that holds acknowledged batches, and a catalogue.
private struct DamagedStore {
  let folder: TemporaryDirectory
  let directory: String
  let expected: Ledger
  private let files = PosixFileSystem()

  init() async throws {
    folder = try TemporaryDirectory()
    directory = folder.path + "/store"
    var expected = Ledger()
    let writer = try StoreWriter.open(directory)
    for part in 0..<2 {
      let batch = Batches.make(part * 24..<part * 24 + 24)
      _ = try await writer.append(batch, receivedTime: arrival, durability: .segment)
      try await writer.flush()
      expected.add(batch)
    }
    for part in 0..<3 {
      let batch = Batches.make(100 + part * 5..<105 + part * 5)
      _ = try await writer.append(batch, receivedTime: arrival, durability: .log)
      expected.add(batch)
    }
    await writer.abandon()
    self.expected = expected
  }

  /// All files but the lock, and SQLite's side files, whose loss SQLite itself mends.
  func targets() throws -> [String] {
    var names: [String] = ["catalog.sqlite"]
    for folder in ["segments", "log"] {
      names += try (files.list("\(directory)/\(folder)") ?? []).map { "\(folder)/\($0)" }
    }
    return names
  }

  func copy(to destination: String) throws {
    for folder in ["segments", "log"] { try files.createDirectory("\(destination)/\(folder)") }
    for name in try targets() where name != "catalog.sqlite" {
      try write(try files.contents(of: "\(directory)/\(name)"), to: "\(destination)/\(name)")
    }
    try CatalogReader.backUp(
      "\(directory)/catalog.sqlite", to: "\(destination)/catalog.sqlite")
  }

  func write(_ bytes: [UInt8], to path: String) throws {
    try files.unlink(path)
    try files.open(path, .create).write(bytes[...], offset: 0)
  }
}

@Suite struct `Damage at rest` {
  @Test func `never gives a wrong answer and is always named`() async throws {
    let store = try await DamagedStore()
    let files = PosixFileSystem()
    var random = SplitMix(seed: 20_261_121)
    let targets = try store.targets()
    var harmless = 0
    let count = HostProcess.environment("FARTHING_DAMAGES").flatMap { Int($0) } ?? 100
    for number in 0..<count {
      let place = "\(store.folder.path)/case-\(number)"
      try store.copy(to: place)
      let name = targets[number % targets.count]
      let path = "\(place)/\(name)"
      var bytes = try files.contents(of: path)
      let what = spoil(&bytes, case: number / targets.count, other: targets, in: place, &random)
      if let bytes = what.bytes {
        try store.write(bytes, to: path)
      } else {
        try files.unlink(path)
      }
      if judge(place, expected: store.expected, "\(number): \(what.name) of \(name)") {
        harmless += 1
      }
      await restart(
        place, expected: store.expected, "\(number): \(what.name) of \(name), restarted")
      files.removeTree(place)
    }
    // Most cases hit bytes that matter.
    #expect(harmless < count * 2 / 5, "\(harmless)")
  }

  private func spoil(
    _ bytes: inout [UInt8], case number: Int, other targets: [String], in place: String,
    _ random: inout SplitMix
  ) -> (name: String, bytes: [UInt8]?) {
    func offset(_ size: Int) -> Int { Int(random.next() % UInt64(max(1, size))) }
    switch number % 6 {
    case 0, 1:
      let at = offset(bytes.count)
      bytes[at] ^= 1 << UInt8(random.next() % 8)
      return ("flip at \(at) of \(bytes.count)", bytes)
    case 2:
      let size = offset(bytes.count)
      return ("truncation to \(size) of \(bytes.count)", Array(bytes.prefix(size)))
    case 3:
      let at = offset(bytes.count / 512 + 1) * 512
      for index in at..<min(bytes.count, at + 512) { bytes[index] = 0 }
      return ("zeros at \(at) of \(bytes.count)", bytes)
    case 4:
      let blocks = bytes.count / 512
      guard blocks > 1 else { return ("removal", nil) }
      let first = offset(blocks) * 512
      let second = offset(blocks) * 512
      for index in 0..<512 { bytes.swapAt(first + index, second + index) }
      return ("swap of \(first) and \(second) of \(bytes.count)", bytes)
    default: return ("removal", nil)
    }
  }

  /// - Returns: whether the answer is whole all the same.
  private func judge(_ place: String, expected: Ledger, _ what: String) -> Bool {
    do {
      let snapshot = try StoreReader.snapshot(directory: place)
      let reports = snapshot.verified()
      guard let ledger = try? Ledger(snapshot) else {
        #expect(!reports.isEmpty, "\(what): unreadable without a name")
        return false
      }
      let whole = ledger == expected
      #expect(whole || !reports.isEmpty, "\(what): rows are missing without a word")
      // What is served is right, row by row.
      for (id, entry) in ledger.entries where expected.entries[id] != entry {
        Issue.record("\(what): \(id) is \(entry)")
      }
      return whole
    } catch {
      #expect(error.message.contains("catalog.sqlite"), "\(what): \(error)")
      return false
    }
  }

  private func restart(_ place: String, expected: Ledger, _ what: String) async {
    do {
      let writer = try StoreWriter.open(place)
      let more = Batches.make(500..<502)
      let result = try await writer.append(more, receivedTime: arrival, durability: .log)
      #expect(result.accepted == more.decoded.events.count, "\(what)")
      try await writer.close()
      var all = expected
      all.add(more)
      _ = judge(place, expected: all, what)
    } catch {
      #expect(error.message.contains("catalog.sqlite"), "\(what): \(error)")
    }
  }
}
