import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

/// A store with two segments of requests, two of outcomes, and acknowledged batches in its log.
private struct LiveStore {
  let folder: TemporaryDirectory
  let directory: String
  let target: String
  var expected = Ledger()
  let writer: StoreWriter

  init() async throws {
    folder = try TemporaryDirectory()
    directory = folder.path + "/store"
    target = folder.path + "/backup"
    writer = try StoreWriter.open(directory)
    for part in 0..<2 {
      let batch = Batches.make(part * 24..<part * 24 + 24)
      _ = try await writer.append(batch, receivedTime: arrival, durability: .segment)
      try await writer.flush()
      expected.add(batch)
    }
    try await log(100..<105)
  }

  mutating func log(_ numbers: Range<Int>) async throws {
    let batch = Batches.make(numbers)
    _ = try await writer.append(batch, receivedTime: arrival, durability: .log)
    expected.add(batch)
  }

  func backUp(
    _ fileSystem: any FileSystem = PosixFileSystem(), now: Int64 = arrival
  ) throws(StoreError) -> BackupReport {
    try StoreBackup.run(
      directory: directory, target: target, now: now, fileSystem: fileSystem)
  }

  /// Restores the backup into a new folder and compares.
  func expectRestored(_ name: String, _ expected: Ledger, _ what: String = "") throws {
    let place = "\(folder.path)/\(name)"
    let report = try StoreRestore.run(source: target, directory: place)
    #expect(report.faults.isEmpty, "\(what)")
    let snapshot = try StoreReader.snapshot(directory: place)
    #expect(snapshot.damage.isEmpty, "\(what): \(snapshot.damage)")
    #expect(try Ledger(snapshot) == expected, "\(what)")
  }
}

@Suite struct `Backups` {
  @Test func `hold what a live store has, its log included, and remember its ids`() async throws {
    let store = try await LiveStore()
    let report = try store.backUp()
    #expect(report.faults.isEmpty)
    #expect(report.manifest.copies.count == 6 && report.copiedFiles == 6)
    try store.expectRestored("again", store.expected)
    let writer = try StoreWriter.open(store.folder.path + "/again")
    for numbers in [0..<48, 100..<105] {
      let result = try await writer.append(
        Batches.make(numbers), receivedTime: arrival + 1, durability: .log)
      #expect(result.accepted == 0)
    }
    try await writer.close()
    await store.writer.abandon()
  }

  @Test func `hold what is kept of alerts, as it is while it is written`() async throws {
    let store = try await LiveStore()
    let ledger = try AlertLedger(directory: store.directory)
    var change = LedgerChange()
    change.blobs = ["detection": [1, 2, 3]]
    change.alerts = [
      AlertRow(
        id: "inc-1", kind: "budget", severity: "warning", status: "firing", startedAt: arrival,
        resolvedAt: nil,
        changedAt: arrival, body: [7])
    ]
    try ledger.commit(change)
    let report = try store.backUp()
    #expect(report.manifest.copies.contains { $0.original == "alerts.sqlite" })
    change.blobs = ["detection": [4]]
    try ledger.commit(change)
    _ = try store.backUp()
    let names = try PosixFileSystem().list(store.target + "/files") ?? []
    #expect(names.filter { $0.hasPrefix("alerts") }.count == 1, "\(names)")
    try store.expectRestored("again", store.expected)
    let kept = try LedgerReader.reading(directory: store.folder.path + "/again") {
      (reader) throws(StoreError) in (try reader.blob("detection"), try reader.alerts().map(\.id))
    }
    #expect(kept?.0 == [4])
    #expect(kept?.1 == ["inc-1"])
    await store.writer.abandon()
  }

  @Test func `take up what is new and keep what they have`() async throws {
    var store = try await LiveStore()
    _ = try store.backUp()
    let before = try PosixFileSystem().list(store.target + "/files") ?? []
    try await store.log(200..<210)
    let second = try store.backUp()
    #expect(second.keptFiles == 4)
    #expect(second.copiedFiles == 2, "the catalogue and the log")
    try store.expectRestored("second", store.expected)
    try await store.writer.flush()
    _ = try store.backUp()
    try store.expectRestored("third", store.expected)
    let after = try PosixFileSystem().list(store.target + "/files") ?? []
    #expect(Set(before.filter { $0.hasSuffix(".seg") }).isSubset(of: after))
    #expect(after.filter { $0.contains("catalog") }.count == 1)
    // The same state once more: nothing but the catalogue is copied.
    let idle = try store.backUp()
    #expect(idle.manifest.copies.filter { $0.name.hasSuffix(".seg") }.count == idle.keptFiles)
    try store.expectRestored("fourth", store.expected)
    await store.writer.abandon()
  }

  @Test(arguments: FileFault.allCases)
  func `each call failing leaves the backup before or the new one, and the store alone`(
    fault: FileFault
  ) async throws {
    var store = try await LiveStore()
    _ = try store.backUp()
    let first = store.expected
    try await store.log(300..<304)
    try await store.writer.flush()
    try await store.log(400..<404)
    let names = try PosixFileSystem().list(store.directory + "/segments")
    var call = fault.firstCall - FileFault.stride
    while true {
      call += FileFault.stride
      let disk = FaultyFileSystem()
      disk.plan(fault, atCall: call)
      let report = try? store.backUp(disk, now: arrival + Int64(call))
      let didFault = disk.didFault
      disk.kill()
      let what = "\(fault) at \(call)"
      let manifest = try #require(
        try BackupManifest.read(store.target, fileSystem: PosixFileSystem()))
      let isNew = manifest.createdAt == arrival + Int64(call)
      if report != nil { #expect(isNew, "\(what)") }
      let place = "\(store.folder.path)/restored"
      _ = try StoreRestore.run(source: store.target, directory: place)
      let ledger = try Ledger(StoreReader.snapshot(directory: place))
      #expect(ledger == first || ledger == store.expected, "\(what)")
      if isNew { #expect(ledger == store.expected, "\(what)") }
      PosixFileSystem().removeTree(place)
      #expect(try PosixFileSystem().list(store.directory + "/segments") == names, "\(what)")
      if !didFault { break }
    }
    #expect(call > 10, "\(call)")
    #expect(try Ledger(StoreReader.snapshot(directory: store.directory)) == store.expected)
    await store.writer.abandon()
  }

  @Test(arguments: FileFault.allCases)
  func `a first backup that is cut off is none, and is taken up again`(
    fault: FileFault
  ) async throws {
    let store = try await LiveStore()
    var call = fault.firstCall - FileFault.stride
    while true {
      call += FileFault.stride
      let disk = FaultyFileSystem()
      disk.plan(fault, atCall: call)
      let report = try? store.backUp(disk)
      let didFault = disk.didFault
      disk.kill()
      if report == nil, try BackupManifest.read(store.target, fileSystem: PosixFileSystem()) == nil
      {
        let error = #expect(throws: StoreError.self) {
          try StoreRestore.run(source: store.target, directory: store.folder.path + "/none")
        }
        #expect(error?.code == .notFound)
      }
      _ = try store.backUp()
      let place = "\(store.folder.path)/restored"
      _ = try StoreRestore.run(source: store.target, directory: place)
      #expect(
        try Ledger(StoreReader.snapshot(directory: place)) == store.expected,
        "\(fault) at \(call)")
      PosixFileSystem().removeTree(place)
      PosixFileSystem().removeTree(store.target)
      if !didFault { break }
    }
    #expect(call > 10, "\(call)")
    await store.writer.abandon()
  }

  @Test(arguments: FileFault.allCases)
  func `a restore that is cut off leaves no store, and can be run again`(
    fault: FileFault
  ) async throws {
    let store = try await LiveStore()
    _ = try store.backUp()
    await store.writer.abandon()
    var call = fault.firstCall - FileFault.stride
    while true {
      call += FileFault.stride
      let place = "\(store.folder.path)/restored"
      let disk = FaultyFileSystem()
      disk.plan(fault, atCall: call)
      let report = try? StoreRestore.run(
        source: store.target, directory: place, fileSystem: disk)
      let didFault = disk.didFault
      disk.kill()
      let files = PosixFileSystem()
      if try files.size(place + "/catalog.sqlite") == nil {
        #expect(report == nil)
        #expect(throws: Never.self, "\(fault) at \(call)") {
          try StoreRestore.run(source: store.target, directory: place)
        }
      }
      #expect(
        try Ledger(StoreReader.snapshot(directory: place)) == store.expected,
        "\(fault) at \(call)")
      files.removeTree(place)
      if !didFault { break }
    }
    #expect(call > 15, "\(call)")
  }

  @Test func `name a damaged and a missing original and keep an older copy that is whole`()
    async throws
  {
    let store = try await LiveStore()
    _ = try store.backUp()
    await store.writer.abandon()
    let files = PosixFileSystem()
    let segment = store.directory + "/segments/0000000001.seg"
    var bytes = try files.contents(of: segment)
    bytes[40] ^= 1
    try files.unlink(segment)
    try files.open(segment, .create).write(bytes[...], offset: 0)
    #expect(try store.backUp().faults.isEmpty)
    try store.expectRestored("whole", store.expected)
    files.removeTree(store.target)
    let damaged = try store.backUp()
    #expect(damaged.faults.count == 1)
    #expect(damaged.faults.first?.contains("segments/0000000001.seg") == true)
    #expect(damaged.manifest.copies.filter(\.isDamaged).count == 1)
    try files.unlink(segment)
    let missing = try store.backUp()
    #expect(missing.faults == ["segments/0000000001.seg is missing; the backup goes without it"])
    let report = try StoreRestore.run(
      source: store.target, directory: store.folder.path + "/lacking")
    #expect(
      report.faults == ["segments/0000000001.seg was missing when the backup was made"])
    let snapshot = try StoreReader.snapshot(directory: store.folder.path + "/lacking")
    #expect(snapshot.damage.map(\.file) == ["segments/0000000001.seg"])
  }

  @Test func `refuse folders that are something else`() async throws {
    let store = try await LiveStore()
    let files = PosixFileSystem()
    let other = try TemporaryDirectory()
    try files.open(other.path + "/notes.txt", .create).close()
    var error = #expect(throws: StoreError.self) {
      try StoreBackup.run(directory: store.directory, target: other.path, now: 0)
    }
    #expect(error?.message.contains("notes.txt") == true)
    try files.open(other.path + "/file", .create).close()
    error = #expect(throws: StoreError.self) {
      try StoreBackup.run(directory: store.directory, target: other.path + "/file", now: 0)
    }
    #expect(error?.message.contains("/file is no folder; name a folder that is empty") == true)
    try files.unlink(other.path + "/file")
    for inside in [store.directory, store.directory + "/backup", store.directory + "/"] {
      error = #expect(throws: StoreError.self) {
        try StoreBackup.run(directory: store.directory, target: inside, now: 0)
      }
      #expect(error?.code == .invalidArgument)
    }
    error = #expect(throws: StoreError.self) {
      try StoreBackup.run(directory: other.path, target: store.target, now: 0)
    }
    #expect(error?.code == .notFound)
    #expect(throws: StoreError.self) {
      try StoreBackup.run(directory: store.directory, target: "", now: 0)
    }
    #expect(throws: StoreError.self) {
      try StoreRestore.run(source: "", directory: other.path + "/new")
    }
    _ = try store.backUp()
    let second = try TemporaryDirectory()
    let writer = try StoreWriter(
      directory: second.path, now: arrival, randomBytes: Array(2...17))
    try await writer.close()
    error = #expect(throws: StoreError.self) {
      try StoreBackup.run(directory: second.path, target: store.target, now: 0)
    }
    #expect(error?.message.contains("backup of another store") == true)
    error = #expect(throws: StoreError.self) {
      try StoreRestore.run(source: store.target, directory: other.path)
    }
    #expect(
      error?.message
        == "\(other.path) is not empty: it holds notes.txt; a restore needs an empty or missing folder"
    )
    error = #expect(throws: StoreError.self) {
      try StoreRestore.run(source: store.target, directory: store.directory)
    }
    #expect(error?.code == .invalidArgument)
    await store.writer.abandon()
  }

  @Test func `are checked as they are restored, byte for byte`() async throws {
    let store = try await LiveStore()
    let manifest = try store.backUp().manifest
    await store.writer.abandon()
    let files = PosixFileSystem()
    for copy in manifest.copies {
      let path = "\(store.target)/files/\(copy.name)"
      let whole = try files.contents(of: path)
      for change in 0..<3 {
        var bytes = whole
        switch change {
        case 0: bytes[bytes.count / 2] ^= 0x20
        case 1: bytes.removeLast()
        default: bytes.append(0)
        }
        try files.unlink(path)
        try files.open(path, .create).write(bytes[...], offset: 0)
        let place = "\(store.folder.path)/spoiled"
        let error = #expect(throws: StoreError.self) {
          try StoreRestore.run(source: store.target, directory: place)
        }
        #expect(error?.code == .damaged && error?.message.contains(copy.original) == true)
        #expect(try files.size(place + "/catalog.sqlite") == nil)
        if copy.original.hasPrefix("segments/") {
          let report = try StoreRestore.run(
            source: store.target, directory: place, skipsDamaged: true)
          #expect(report.faults.count == 1)
          #expect(
            try StoreReader.snapshot(directory: place).damage.map(\.file) == [copy.original])
        }
        files.removeTree(place)
      }
      try files.unlink(path)
      try files.open(path, .create).write(whole[...], offset: 0)
    }
    try store.expectRestored("whole", store.expected)
  }

  @Test func `mend copies that have rotted or are gone, and tell them before`() async throws {
    let store = try await LiveStore()
    let first = try store.backUp()
    let copies = first.manifest.copies.filter { $0.name.hasSuffix(".seg") }.map(\.name)
    let files = PosixFileSystem()
    func rot(_ name: String) throws {
      let file = try files.open("\(store.target)/files/\(name)", .readWrite)
      try file.write([7, 7, 7, 7, 7, 7, 7, 7], offset: 40)
      file.close()
    }
    func faults() throws -> [String] {
      var faults: [String] = []
      let summary = try BackupVerifier.run(directory: store.target) { faults.append($0.file) }
      #expect(summary.damaged == faults.count && summary.files == first.manifest.copies.count)
      return faults
    }
    #expect(try faults() == [])
    try rot(copies[0])
    try files.unlink("\(store.target)/files/\(copies[1])")
    #expect(try faults() == copies.prefix(2).map { "files/\($0)" })
    let second = try store.backUp()
    #expect(second.mendedFiles == 2 && second.keptFiles == 2 && second.faults.isEmpty)
    #expect(try faults() == [])
    try store.expectRestored("mended", store.expected)
    #expect(try store.backUp().mendedFiles == 0)

    // With the original gone as well, what is left of the copy stays, and passes for nothing better.
    try rot(copies[0])
    try files.unlink("\(store.directory)/segments/\(copies[0])")
    let last = try store.backUp()
    #expect(last.mendedFiles == 0 && last.faults.count == 2, "\(last.faults)")
    #expect(last.manifest.copies.filter(\.isDamaged).map(\.name) == [copies[0]])
    let report = try StoreRestore.run(
      source: store.target, directory: store.folder.path + "/rest")
    #expect(report.faults.count == 2)
    var damaged: Set<String> = []
    _ = try StoreVerifier.run(directory: store.folder.path + "/rest") { damaged.insert($0.file) }
    #expect(damaged == ["segments/\(copies[0])"])
    await store.writer.abandon()
  }

  @Test func `that were restored in part are no store and no place for one`() async throws {
    let store = try await LiveStore()
    let name = try #require(
      try store.backUp().manifest.copies.last { $0.name.hasSuffix(".seg") }?.name)
    let path = "\(store.target)/files/\(name)"
    let files = PosixFileSystem()
    let bytes = try files.contents(of: path)
    try files.open(path, .readWrite).truncate(to: 100)
    let place = store.folder.path + "/part"
    #expect(throws: StoreError.self) {
      try StoreRestore.run(source: store.target, directory: place)
    }
    func refused(_ what: String, _ open: () throws -> Void) {
      let error = #expect(throws: StoreError.self, "\(what)") { try open() }
      #expect(error?.code == .damaged, "\(what)")
      #expect(error?.message.contains("restore into it was not finished") == true, "\(what)")
    }
    refused("reading") { _ = try StoreReader.snapshot(directory: place) }
    refused("lists") { _ = try StoreReader.priceLists(directory: place) }
    refused("writing") { _ = try StoreWriter.open(place) }
    refused("verifying") { _ = try StoreVerifier.run(directory: place) { _ in } }
    refused("backing up") {
      _ = try StoreBackup.run(directory: place, target: store.folder.path + "/none", now: 0)
    }
    #expect(try files.size(place + "/catalog.sqlite") == nil)
    let file = try files.open(path, .readWrite)
    try file.write(bytes[...], offset: 0)
    file.close()
    try store.expectRestored("part", store.expected)
    #expect(try files.size(place + "/RESTORING") == nil)
    // Left over by a cut after the last file, the mark goes with the next command that writes.
    try files.open(place + "/RESTORING", .create).close()
    #expect(try StoreVerifier.run(directory: place) { _ in }.harmless == 0)
    let writer = try StoreWriter.open(place)
    try await writer.close()
    #expect(try files.size(place + "/RESTORING") == nil)
    await store.writer.abandon()
  }

  @Test func `have a list of which no byte can change unseen`() async throws {
    let store = try await LiveStore()
    let manifest = try store.backUp().manifest
    await store.writer.abandon()
    let bytes = manifest.serialised()
    #expect(BackupManifest(bytes) == manifest)
    for place in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[place] ^= 1 << UInt8(bit)
        #expect(BackupManifest(changed) == nil, "bit \(bit) of byte \(place)")
      }
    }
    for size in bytes.indices { #expect(BackupManifest(Array(bytes.prefix(size))) == nil) }
    // A name that leads out of the folder is none.
    var hostile = manifest
    for name in ["../x", "/etc/x", "segments/../../x", ".x", ""] {
      hostile.copies[0].original = name
      #expect(BackupManifest(hostile.serialised()) == nil, "\(name)")
    }
  }

  @Test func `go on beside a writer that seals and merges`() async throws {
    let folder = try TemporaryDirectory()
    let directory = folder.path + "/store"
    var options = StoreOptions()
    options.compactionFanIn = 2
    let writer = try StoreWriter.open(directory, options: options)
    _ = try await writer.append(
      Batches.make(0..<4), receivedTime: arrival, durability: .log)
    let writing = Task {
      for part in 1..<30 {
        let batch = Batches.make(part * 4..<part * 4 + 4)
        _ = try await writer.append(
          batch, receivedTime: arrival + Int64(part), durability: .log)
        try await writer.flush()
      }
      try await writer.close()
    }
    for round in 0..<5 {
      let report = try StoreBackup.run(
        directory: directory, target: folder.path + "/backup", now: arrival)
      #expect(report.faults.isEmpty)
      let place = "\(folder.path)/\(round)"
      _ = try StoreRestore.run(source: folder.path + "/backup", directory: place)
      let snapshot = try StoreReader.snapshot(directory: place)
      #expect(snapshot.damage.isEmpty)
      // A prefix of what was written, each event once.
      let ledger = try Ledger(snapshot)
      #expect(ledger.doubled.isEmpty)
      let numbers = ledger.ids.filter { $0.hasPrefix("r-") }.compactMap { Int($0.dropFirst(2)) }
      #expect(numbers.sorted() == Array(0..<numbers.count))
    }
    try await writing.value
    var all = Ledger()
    for part in 0..<30 { all.add(Batches.make(part * 4..<part * 4 + 4)) }
    _ = try StoreBackup.run(
      directory: directory, target: folder.path + "/backup", now: arrival)
    _ = try StoreRestore.run(
      source: folder.path + "/backup", directory: folder.path + "/last")
    #expect(try Ledger(StoreReader.snapshot(directory: folder.path + "/last")) == all)
  }
}
