import FarthingCore
import FarthingTestSupport
import Testing

@testable import FarthingStore

/// A short life of a store that makes every kind of call of the write path.
struct StoreLife {
  var acknowledged: [ChargedBatch] = []
  var refusals: [StoreError] = []

  static let batches = [
    Batches.make(0..<6), Batches.make(6..<9), Batches.make(3..<14), Batches.make(14..<40),
    Batches.make(40..<44), Batches.make(44..<48),
  ]

  static var options: StoreOptions {
    var options = StoreOptions()
    options.segmentRows = 16
    options.logFileBytes = 4_096
    return options
  }

  /// Lives through all batches, noting what was acknowledged, until the process dies.
  mutating func run(_ directory: String, _ disk: FaultyFileSystem) async {
    do throws(StoreError) {
      let writer = try StoreWriter.open(directory, options: Self.options, fileSystem: disk)
      await append(Self.batches[0...2], to: writer)
      var loaded: [ChargedBatch] = []
      do {
        _ = try await writer.append(
          Self.batches[3], receivedTime: arrival, durability: .segment)
        loaded.append(Self.batches[3])
        try await writer.flush()
        acknowledged += loaded
      } catch { refusals.append(error) }
      await append(Self.batches[4...5], to: writer)
      do { try await writer.close() } catch {
        refusals.append(error)
        await writer.abandon()
      }
    } catch {
      refusals.append(error)
    }
  }

  private mutating func append(
    _ batches: ArraySlice<ChargedBatch>, to writer: StoreWriter
  ) async {
    for batch in batches {
      do throws(StoreError) {
        _ = try await writer.append(batch, receivedTime: arrival, durability: .log)
        acknowledged.append(batch)
      } catch { refusals.append(error) }
    }
  }

  /// What must be there, to the picodollar.
  var ledger: Ledger {
    var ledger = Ledger()
    for batch in acknowledged { ledger.addOnce(batch) }
    return ledger
  }

  /// Everything, each id once.
  static var whole: Ledger {
    var ledger = Ledger()
    for batch in batches { ledger.addOnce(batch) }
    return ledger
  }
}

extension Ledger {
  /// Adds the events of a batch whose ids are new here.
  mutating func addOnce(_ batch: ChargedBatch) {
    var more = Ledger()
    more.add(batch)
    entries.merge(more.entries) { old, _ in old }
  }

  /// What is wrong with a store that must hold `acknowledged` and may hold no more than `all`.
  func faults(acknowledged: Ledger, all: Ledger) -> [String] {
    var faults: [String] = []
    let lost = acknowledged.ids.subtracting(ids)
    if !lost.isEmpty { faults.append("lost: \(lost.sorted())") }
    if !doubled.isEmpty { faults.append("doubled: \(doubled)") }
    for (id, entry) in entries where all.entries[id] != entry {
      faults.append("\(id) is \(entry), not \(String(describing: all.entries[id]))")
    }
    return faults
  }
}

@Suite struct `Faults of the write path` {
  @Test(arguments: FileFault.allCases)
  func `each call failing loses nothing acknowledged and stops no start`(
    fault: FileFault
  ) async throws {
    var call = 0
    var calls = 0
    while true {
      call += 1
      let folder = try TemporaryDirectory()
      let directory = folder.path + "/store"
      let disk = FaultyFileSystem()
      disk.plan(fault, atCall: call)
      var life = StoreLife()
      await life.run(directory, disk)
      guard disk.didFault else {
        #expect(life.acknowledged.count == StoreLife.batches.count)
        break
      }
      calls += 1
      let name = disk.calls.indices.contains(call - 1) ? disk.calls[call - 1] : "?"
      disk.kill()
      await Self.check(directory, life: life, "\(fault) at call \(call), \(name)")
    }
    #expect(calls > 60)
  }

  /// Reads the store as it lies, starts it anew, sends everything once more, and compares.
  static func check(_ directory: String, life: StoreLife, _ what: String) async {
    let all = StoreLife.whole
    do {
      if try PosixFileSystem().list(directory) != nil {
        let seen = try StoreReader.snapshot(directory: directory)
        let faults = try Ledger(seen).faults(acknowledged: life.ledger, all: all)
        #expect(faults.isEmpty && seen.damage.isEmpty, "\(what): \(faults) \(seen.damage)")
      }
      let writer = try StoreWriter.open(directory, options: StoreLife.options)
      let recovered = try await writer.snapshot()
      let faults = try Ledger(recovered).faults(acknowledged: life.ledger, all: all)
      #expect(faults.isEmpty && recovered.damage.isEmpty, "\(what), restarted: \(faults)")
      for batch in StoreLife.batches {
        _ = try await writer.append(batch, receivedTime: arrival, durability: .log)
      }
      try await writer.close()
      let last = try StoreReader.snapshot(directory: directory)
      #expect(try Ledger(last) == all && last.damage.isEmpty, "\(what), sent again")
      let remains = try PosixFileSystem().list(directory + "/segments") ?? []
      #expect(remains.allSatisfy { $0.hasSuffix(".seg") }, "\(what): \(remains)")
    } catch {
      Issue.record("\(what): \(error)")
    }
  }

  @Test func `a power cut leaves everything acknowledged`() async throws {
    let states = HostProcess.environment("FARTHING_POWER_CUTS").flatMap { Int($0) } ?? 100
    for state in 0..<states {
      let folder = try TemporaryDirectory()
      let directory = folder.path + "/store"
      let disk = FaultyFileSystem()
      // A life makes some 120 calls; the cut comes before, between and after all of them.
      disk.plan(.crashAfter, atCall: 3 + state * 7 % 130)
      var life = StoreLife()
      await life.run(directory, disk)
      let after = folder.path + "/after"
      try disk.powerCut(of: directory, into: after, seed: UInt64(state))
      await Self.check(after, life: life, "power cut \(state)")
    }
  }

  @Test func `a full disk refuses clearly, loses nothing and takes writes again at once`()
    async throws
  {
    let folder = try TemporaryDirectory()
    let directory = folder.path + "/store"
    let disk = FaultyFileSystem()
    let writer = try StoreWriter.open(directory, options: StoreLife.options, fileSystem: disk)
    _ = try await writer.append(
      StoreLife.batches[0], receivedTime: arrival, durability: .log)
    disk.setFull(true)
    for durability in [AppendDurability.log, .log] {
      let error = await #expect(throws: StoreError.self) {
        try await writer.append(
          StoreLife.batches[1], receivedTime: arrival, durability: durability)
      }
      #expect(error?.code == .diskFull)
    }
    _ = try await writer.append(
      StoreLife.batches[3], receivedTime: arrival, durability: .segment)
    let error = await #expect(throws: StoreError.self) { try await writer.flush() }
    #expect(error?.code == .diskFull)
    disk.setFull(false)
    try await writer.flush()
    for batch in StoreLife.batches {
      _ = try await writer.append(batch, receivedTime: arrival, durability: .log)
    }
    #expect(try await Ledger(writer.snapshot()) == StoreLife.whole)
    try await writer.close()
    #expect(try Ledger(StoreReader.snapshot(directory: directory)) == StoreLife.whole)
  }
}
