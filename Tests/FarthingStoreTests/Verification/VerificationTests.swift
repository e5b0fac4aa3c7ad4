import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

/// A store at rest with segments and a log; files can be spoiled and put back.
private struct SpoilableStore {
  let folder: TemporaryDirectory
  let directory: String
  let files = PosixFileSystem()

  init() async throws {
    folder = try TemporaryDirectory()
    directory = folder.path + "/store"
    let writer = try StoreWriter.open(directory)
    for part in 0..<2 {
      let batch = Batches.make(part * 24..<part * 24 + 24)
      _ = try await writer.append(batch, receivedTime: arrival, durability: .segment)
      try await writer.flush()
    }
    for part in 0..<3 {
      let batch = Batches.make(100 + part * 5..<105 + part * 5)
      _ = try await writer.append(batch, receivedTime: arrival, durability: .log)
    }
    await writer.abandon()
  }

  func verify() throws -> (summary: VerificationSummary, faults: [StoreFault]) {
    var faults: [StoreFault] = []
    let summary = try StoreVerifier.run(directory: directory) { faults.append($0) }
    return (summary, faults)
  }

  func contents(_ name: String) throws -> [UInt8] {
    try files.contents(of: "\(directory)/\(name)")
  }

  func put(_ bytes: [UInt8], _ name: String) throws {
    try files.unlink("\(directory)/\(name)")
    try files.open("\(directory)/\(name)", .create).write(bytes[...], offset: 0)
  }
}

@Suite struct `Verification` {
  @Test func `finds nothing wrong with an intact store, and reads all of it`() async throws {
    let store = try await SpoilableStore()
    let (summary, faults) = try store.verify()
    #expect(faults == [])
    #expect(summary.files == 6)
    #expect(summary.events == 48 + 12 + 15 + 3)
    var bytes = try store.files.size(store.directory + "/catalog.sqlite") ?? 0
    for folder in ["segments", "log"] {
      for name in try store.files.list("\(store.directory)/\(folder)") ?? [] {
        bytes += try store.files.size("\(store.directory)/\(folder)/\(name)") ?? 0
      }
    }
    #expect(summary.bytes == bytes)
  }

  @Test func `names every flipped byte of a segment`() async throws {
    let store = try await SpoilableStore()
    let name = "segments/0000000001.seg"
    let whole = try store.contents(name)
    for place in stride(from: 0, to: whole.count, by: max(1, whole.count / 60)) {
      var bytes = whole
      bytes[place] ^= 0x08
      try store.put(bytes, name)
      let (summary, faults) = try store.verify()
      #expect(summary.damaged == 1, "byte \(place): \(faults)")
      #expect(faults.map(\.file) == [name], "byte \(place)")
      // Sums by column stand beside the rows, which answer in their place.
      let isOfSums = faults.first?.remedy.contains("computed from its rows") == true
      #expect(faults.first?.lostRows == (isOfSums ? 0 : 24), "byte \(place)")
    }
    // A flipped version number is that of another build: nothing to set aside, and the rest is read.
    var foreign = whole
    foreign[8] = 9
    try store.put(foreign, name)
    let (summary, faults) = try store.verify()
    #expect(faults.map(\.file) == [name] && faults.allSatisfy { $0.segment == nil })
    #expect(faults.first?.what.contains("it has format version 9") == true)
    #expect(summary.events == 24 + 12 + 15 + 3)
    try store.put(Array(whole.prefix(whole.count / 2)), name)
    #expect(try store.verify().faults.map(\.lostRows) == [24])
    try store.files.unlink("\(store.directory)/\(name)")
    #expect(
      try store.verify().faults.first?.what
        == "\(store.directory)/\(name) does not exist (No such file or directory)")
    try store.put(whole, name)
    #expect(try store.verify().faults.isEmpty)
  }

  @Test func `finds sums that their own checksum covers and the rows deny`() async throws {
    let folder = try TemporaryDirectory()
    let writer = try StoreWriter.open(folder.path)
    _ = try await writer.append(
      Batches.make(0..<20), receivedTime: arrival, durability: .segment)
    try await writer.close()
    let snapshot = try StoreReader.snapshot(directory: folder.path)
    let segment = try #require(snapshot.requests.first)
    let state = try CatalogReader.state(
      layout: StoreLayout(directory: folder.path), fileSystem: PosixFileSystem())
    let entry = try #require(state.segments.first { $0.id == segment.segmentID })
    var honest = SegmentRecount(segment, scratch: ScanScratch())
    #expect(try honest.disagreements(with: entry) == [])
    var wrong = entry
    wrong.minimumTime -= 1
    var recount = SegmentRecount(segment, scratch: ScanScratch())
    let found = try recount.disagreements(with: wrong)
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("the catalogue says times from") == true)
  }

  @Test func `names damage of the log, of the catalogue, and files that nobody lists`()
    async throws
  {
    let store = try await SpoilableStore()
    let log = "log/0000000001.log"
    let whole = try store.contents(log)
    var bytes = whole
    bytes[8_300] ^= 1
    try store.put(bytes, log)
    let spoiled = try store.verify()
    #expect(spoiled.faults.map(\.file) == [log] && spoiled.summary.damaged == 1)
    try store.put(whole, log)

    try store.put([1, 2, 3], "segments/0000000099.seg")
    try store.put([1], "segments/0000000098.seg.tmp")
    try store.put([1], "segments/0000000097.seg.bad")
    try store.put([1], "notes.txt")
    let strays = try store.verify()
    #expect(
      Set(strays.faults.map { "\($0.severity) \($0.file)" }) == [
        "damage segments/0000000099.seg", "harmless segments/0000000098.seg.tmp",
        "harmless segments/0000000097.seg.bad", "harmless notes.txt",
      ])
    for name in [
      "segments/0000000099.seg", "segments/0000000098.seg.tmp", "segments/0000000097.seg.bad",
      "notes.txt",
    ] { try store.files.unlink("\(store.directory)/\(name)") }

    // Merged into the file, so that the side files do not hide it.
    let copy = store.folder.path + "/copy.sqlite"
    try CatalogReader.backUp("\(store.directory)/catalog.sqlite", to: copy)
    for ending in ["-wal", "-shm"] {
      try store.files.unlink("\(store.directory)/catalog.sqlite\(ending)")
    }
    var catalogue = try store.files.contents(of: copy)
    for place in 4_096..<catalogue.count { catalogue[place] ^= 0x40 }
    try store.put(catalogue, "catalog.sqlite")
    let broken = try store.verify()
    #expect(broken.summary.damaged >= 1)
    #expect(broken.faults.allSatisfy { $0.file == "catalog.sqlite" })
    try store.files.unlink("\(store.directory)/catalog.sqlite")
    #expect(try store.verify().faults.map(\.what) == ["it is missing beside 4 segments"])
  }

  @Test func `takes damaged segments out of service when asked, and remembers it`() async throws {
    let store = try await SpoilableStore()
    let name = "segments/0000000001.seg"
    var bytes = try store.contents(name)
    bytes[40] ^= 1
    try store.put(bytes, name)
    let fault = try #require(try store.verify().faults.first)
    let entry = try #require(fault.segment)
    let writer = try StoreWriter.open(store.directory)
    let report = try await writer.setAside(entry, what: fault.what, date: "2026-11-21")
    #expect(
      report?.message.hasPrefix("\(name) was set aside on 2026-11-21 as \(name).bad: ") == true)
    #expect(try await writer.setAside(entry, what: fault.what, date: "2026-11-22") == nil)
    try await writer.close()
    let snapshot = try StoreReader.snapshot(directory: store.directory)
    #expect(snapshot.damage == [report].compactMap { $0 })
    #expect(!snapshot.lacksRows, "it is settled")
    #expect(try store.contents(name + ".bad") == bytes)
    let (summary, faults) = try store.verify()
    #expect(summary.damaged == 0 && summary.recorded == 1)
    #expect(faults.map(\.severity) == [.harmless, .recorded])
  }

  @Test func `refuses a folder without a store`() throws {
    let folder = try TemporaryDirectory()
    for place in [folder.path, folder.path + "/none"] {
      let error = #expect(throws: StoreError.self) {
        try StoreVerifier.run(directory: place) { _ in }
      }
      #expect(error?.code == .notFound)
    }
  }
}
