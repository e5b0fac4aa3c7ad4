import FarthingStore
import FarthingTestSupport
import Foundation
import Synchronization
import Testing

@testable import FarthingPipeline

@Suite struct `Faults while a file is followed` {
  private static let lines = 1...40

  /// Follows a file of lines without ids in batches of a few lines, until all is read or a call of
  /// the disk ends it.
  private static func follow(_ scene: Scene, _ disk: FaultyFileSystem) async {
    scene.append("a.log", Self.lines)
    _ = try? await scene.follow("a.log", disk: disk) { $0.pieceBytes = 700 }
    disk.kill()
  }

  /// How many lines a store says were read, and how many events it holds.
  private static func counts(_ scene: Scene, _ directory: String) async throws -> (Int, Int) {
    guard FileManager.default.fileExists(atPath: scene.path(directory)) else { return (0, 0) }
    let writer = try scene.openStore(directory: directory)
    let position = await writer.sourcePositions.first
    await writer.abandon()
    return (
      position.flatMap { FollowState($0.state)?.lines } ?? 0, try scene.stored(directory).count
    )
  }

  @Test(arguments: FileFault.allCases)
  func `each call failing leaves positions and events in step`(fault: FileFault) async throws {
    var call = fault.firstCall - FileFault.stride
    while true {
      call += FileFault.stride
      let scene = try Scene()
      let disk = FaultyFileSystem()
      disk.plan(fault, atCall: call)
      await Self.follow(scene, disk)
      let didFault = disk.didFault
      let (read, held) = try await Self.counts(scene, "data")
      let name = disk.calls.indices.contains(call - 1) ? disk.calls[call - 1] : "the end"
      #expect(read == held, "\(fault) at call \(call), \(name)")
      try await scene.follow("a.log")
      #expect(
        try scene.stored() == Self.lines.map(Int64.init), "\(fault) at call \(call), \(name)")
      if !didFault { break }
    }
    #expect(call > 25)
  }

  @Test func `a power cut leaves positions and events in step`() async throws {
    for state in 0..<12 {
      let scene = try Scene()
      let disk = FaultyFileSystem()
      disk.plan(.crashAfter, atCall: 3 + state * 7 % 60)
      await Self.follow(scene, disk)
      try disk.powerCut(of: scene.path("data"), into: scene.path("after"), seed: UInt64(state))
      let (read, held) = try await Self.counts(scene, "after")
      #expect(read == held, "power cut \(state)")
      try? FileManager.default.removeItem(atPath: scene.path("data"))
      scene.rename("after", "data")
      try await scene.follow("a.log")
      #expect(try scene.stored() == Self.lines.map(Int64.init), "power cut \(state)")
    }
  }

  @Test func `a full disk is waited for, said once, and gone on from`() async throws {
    let scene = try Scene()
    let disk = FaultyFileSystem()
    scene.append("a.log", 1...3)
    let (receipt, notes) = try await scene.follow(
      "a.log", disk: disk,
      steps: [
        {
          disk.setFull(true)
          scene.append("a.log", 4...9)
        },
        {
          let stored = try scene.stored()
          #expect(stored == [1, 2, 3])
        },
        { scene.append("a.log", 10...12) },
        { disk.setFull(false) },
        {},
      ])
    #expect(try scene.stored() == (1...12).map(Int64.init))
    #expect(receipt.accepted == 12)
    #expect(notes.count == 2)
    #expect(notes.first?.hasSuffix("; waiting for space") == true)
    #expect(notes.last == "there is space again; going on")
  }
}

@Suite struct `Positions of files that are gone` {
  private func known(_ scene: Scene) async throws -> [String] {
    let writer = try scene.openStore()
    let positions = await writer.sourcePositions
    try await writer.close()
    return positions.compactMap { FollowState($0.state)?.path }
      .map { URL(filePath: $0).lastPathComponent }.sorted()
  }

  @Test func `are forgotten after a time, and those of quiet files are not`() async throws {
    let scene = try Scene()
    for name in ["gone.log", "quiet.log", "moved.log"] { scene.append(name, 1...2) }
    try await scene.follow("*.log")
    // Before the other goes, whose number it would be given.
    scene.append("other", 3...3)
    try FileManager.default.removeItem(atPath: scene.path("gone.log"))
    scene.rename("moved.log", "moved.log.1")
    scene.clock.withLock { $0 += 80 * 86_400_000_000_000 }
    try await scene.follow("other")
    #expect(try await known(scene) == ["gone.log", "moved.log", "other", "quiet.log"])
    scene.clock.withLock { $0 += 11 * 86_400_000_000_000 }
    try await scene.follow("other")
    #expect(try await known(scene) == ["moved.log", "other", "quiet.log"])
    try await scene.follow("*.log*")
    #expect(try scene.stored().count == 7)
  }

  @Test func `are forgotten oldest first where they are too many`() async throws {
    let scene = try Scene()
    for number in 1...5 {
      scene.append("\(number).log", number...number)
      try await scene.follow("\(number).log")
      scene.clock.withLock { $0 += 60_000_000_000 }
    }
    scene.append("other", 6...6)
    for number in [1, 3, 4, 5] {
      try FileManager.default.removeItem(atPath: scene.path("\(number).log"))
    }
    try await scene.follow("other", configure: { $0.goneLimit = 3 })
    #expect(try await known(scene) == ["2.log", "4.log", "5.log", "other"].sorted())
  }

  @Test func `are read in the form of before`() throws {
    let old = Array("1 10 2 10 5 10 7 0 /var/log/a b.log".utf8)
    let state = try #require(FollowState(old))
    #expect(state.path == "/var/log/a b.log")
    #expect(state.seenAt == 0)
    #expect(FollowState(state.bytes) == state)
    #expect(FollowState(Array("3 10 2 10 5 10 7 0 9 /a".utf8)) == nil)
  }
}
