import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

/// A repricing on a disk that fails: before or after, never half.
@Suite struct `Faults of a repricing` {
  private static let ranges = [0..<6, 6..<12, 12..<16]
  private static let dear = FlatPrices(id: "dear#2", input: "0.000007", output: "0.00003")
  private static let old = ledger(FlatPrices())
  private static let new = ledger(dear)

  private static func ledger(_ prices: FlatPrices) -> Ledger {
    var ledger = Ledger()
    for range in ranges { ledger.add(Batches.make(range, prices: prices)) }
    return ledger
  }

  /// Three segments of requests, and the rows of the last batch in the log only.
  private static func fill(_ directory: String, _ disk: FaultyFileSystem) async throws
    -> StoreWriter
  {
    var options = StoreOptions()
    options.compactionFanIn = 1_000
    let writer = try StoreWriter.open(directory, options: options, fileSystem: disk)
    for range in ranges.dropLast() {
      _ = try await writer.append(
        Batches.make(range), receivedTime: arrival, durability: .segment)
      try await writer.flush()
    }
    _ = try await writer.append(
      Batches.make(ranges[2]), receivedTime: arrival, durability: .log)
    return writer
  }

  /// What the store in a folder is: the old charges, the new ones, or something that must not be.
  private static func state(_ directory: String, _ what: String) throws -> String {
    let snapshot = try StoreReader.snapshot(directory: directory)
    let ledger = try Ledger(snapshot)
    let layout = StoreLayout(directory: directory)
    let records = try CatalogReader.repricings(layout: layout, fileSystem: PosixFileSystem())
    #expect(snapshot.damage.isEmpty, "\(what): \(snapshot.damage)")
    let isOld = ledger == old && records.isEmpty
    let isNew =
      ledger == new && records.count == 1 && records[0].totals.changed == 16
      && records[0].totals.costBefore == old.cost && records[0].totals.costAfter == new.cost
    #expect(isOld != isNew, "\(what): half: \(ledger.faults(acknowledged: new, all: old))")
    return isNew ? "new" : "old"
  }

  /// Looks at the store as it lies, starts it anew and, where it is to be thorough, reprices it to the end.
  private static func check(
    _ directory: String, acknowledged: Bool, isThorough: Bool, _ what: String
  ) async {
    do {
      let seen = try state(directory, what)
      #expect(seen == "new" || !acknowledged, "\(what): an applied repricing is gone")
      let writer = try StoreWriter.open(directory)
      let names = try PosixFileSystem().list(directory + "/segments") ?? []
      #expect(names.allSatisfy { $0.hasSuffix(".seg") }, "\(what): \(names)")
      #expect(try Ledger(await writer.snapshot()) == (seen == "new" ? new : old), "\(what)")
      guard isThorough else { return try await writer.close() }
      let again = try await writer.reprice(.by(dear))
      #expect((again.record == nil) == (seen == "new"), "\(what), again")
      try await writer.close()
      #expect(try state(directory, what + ", again") == "new")
      let segments = try PosixFileSystem().list(directory + "/segments") ?? []
      let state = try StoreReader.snapshot(directory: directory)
      let listed = state.requests.count + state.outcomes.count
      #expect(segments.count == listed, "\(what): \(segments)")
    } catch {
      Issue.record("\(what): \(error)")
    }
  }

  @Test(arguments: FileFault.allCases)
  func `each call failing leaves the store before or after the step`(
    fault: FileFault
  ) async throws {
    var call = 0
    var outcomes: Set<String> = []
    while true {
      call += 1
      let folder = try TemporaryDirectory()
      let directory = folder.path + "/store"
      let disk = FaultyFileSystem()
      let writer = try await Self.fill(directory, disk)
      let first = disk.callCount
      disk.plan(fault, atCall: call)
      let applied = try? await writer.reprice(.by(Self.dear))
      let name = disk.calls.dropFirst(first + call - 1).first ?? "?"
      await writer.abandon()
      guard disk.didFault else {
        #expect(applied?.record != nil)
        break
      }
      disk.kill()
      await Self.check(
        directory, acknowledged: applied?.record != nil, isThorough: call % 3 == 0,
        "\(fault) at call \(call), \(name)")
      outcomes.insert(applied?.record == nil ? "failed" : "applied")
    }
    #expect(call > 15 && outcomes.contains("failed"))
  }

  @Test func `a power cut leaves the store before or after the step`() async throws {
    for state in 0..<30 {
      let folder = try TemporaryDirectory()
      let directory = folder.path + "/store"
      let disk = FaultyFileSystem()
      let writer = try await Self.fill(directory, disk)
      disk.plan(.crashAfter, atCall: 1 + state)
      let applied = try? await writer.reprice(.by(Self.dear))
      await writer.abandon()
      let after = folder.path + "/after"
      try disk.powerCut(of: directory, into: after, seed: UInt64(state))
      await Self.check(
        after, acknowledged: applied?.record != nil, isThorough: state % 3 == 0,
        "power cut \(state)")
    }
  }

  @Test func `a full disk refuses the step, and the writer goes on`() async throws {
    let folder = try TemporaryDirectory()
    let directory = folder.path + "/store"
    let disk = FaultyFileSystem()
    let writer = try await Self.fill(directory, disk)
    try await writer.flush()
    disk.setFull(true)
    let error = await #expect(throws: StoreError.self) {
      try await writer.reprice(.by(Self.dear))
    }
    #expect(error?.code == .diskFull)
    disk.setFull(false)
    #expect(try await Ledger(writer.snapshot()) == Self.old)
    #expect(try await writer.reprice(.by(Self.dear)).record != nil)
    #expect(try await Ledger(writer.snapshot()) == Self.new)
    try await writer.close()
    #expect(try Self.state(directory, "after") == "new")
  }
}
