import Synchronization
import Testing

@testable import FarthingServer

@Suite struct `The room for decoded events` {
  private final class Turns: Sendable {
    private let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
    var all: [String] { names.withLock { $0 } }
  }

  @Test func `is given in the order in which it was asked for`() {
    let room = DecodingRoom(limit: 100)
    let turns = Turns()
    for (name, bytes) in [("a", 60), ("b", 50), ("c", 10), ("d", 40)] {
      room.take(bytes) { turns.add(name) }
    }
    // The third would fit, and waits behind the second.
    #expect(turns.all == ["a"])
    #expect(!room.take(1))
    #expect(room.figures == (60, 3))
    room.giveBack(60)
    #expect(turns.all == ["a", "b", "c", "d"])
    #expect(room.figures == (100, 0))
    #expect(!room.take(1))
    room.giveBack(100)
    #expect(room.take(1))
  }

  @Test func `lets in one that is larger than all of it, alone`() {
    let room = DecodingRoom(limit: 100)
    let turns = Turns()
    room.take(1) { turns.add("small") }
    room.take(1_000) { turns.add("large") }
    #expect(turns.all == ["small"])
    room.giveBack(1)
    #expect(turns.all == ["small", "large"])
    room.take(1) { turns.add("next") }
    // It turned out to be small.
    room.change(1_000, to: 10)
    #expect(turns.all == ["small", "large", "next"])
    #expect(room.figures == (11, 0))
  }

  @Test func `may grow beyond its limit by what nobody knew, and keeps others out then`() {
    let room = DecodingRoom(limit: 100)
    let turns = Turns()
    #expect(room.take(10))
    room.change(10, to: 500)
    room.take(1) { turns.add("next") }
    #expect(turns.all.isEmpty)
    room.change(limit: 1_000)
    #expect(turns.all == ["next"])
  }
}
