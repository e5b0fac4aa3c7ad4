import FarthingStore
import FarthingTestSupport
import Foundation
import Synchronization
import Testing

@testable import FarthingPipeline

@Suite struct `Faults while a file is followed` {
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
