import FarthingDetection
import Testing

@testable import FarthingPipeline

@Suite("What an inventory raises")
struct InventoryWatchTests {
  private static let minute: Int64 = 60_000_000_000

  private static func inventory(_ names: [String]) -> Inventory {
    Inventory(
      items: names.map { name in
        Inventory.Item(
          kind: .endpoint, name: name, firstSeen: 0, lastSeen: 5, requests: 3, cost: 0, unpriced: 0,
          owner: nil, flags: [.shadow, .new], reasons: ["not registered", "new"])
      })
  }

  private static func incidents(_ changes: [IncidentChange], isEnd: Bool = false) -> [Incident] {
    changes.compactMap { change in
      switch change {
      case .fired(let incident): isEnd ? nil : incident
      case .resolved(let incident): isEnd ? incident : nil
      default: nil
      }
    }
  }

  @Test func `each odd thing raises one incident, over a restart, which ends when it is put right`()
    throws
  {
    var watch = InventoryWatch()
    let stranger = Self.inventory(["stranger"])
    let fired = Self.incidents(watch.take(stranger, now: Self.minute))
    let incident = try #require(fired.first)
    #expect(fired.count == 1 && incident.kind == .shadowEndpoint)
    #expect(incident.dimensions == [DimensionValue(dimension: "endpoint", value: "stranger")])
    var next = InventoryWatch()
    let isRestored = next.restore(watch.snapshot)
    #expect(isRestored)
    let again = next.take(stranger, now: 6 * Self.minute)
    let soon = next.take(Inventory(), now: 50 * Self.minute)
    #expect(again.isEmpty && soon.isEmpty)
    let ended = Self.incidents(next.take(Inventory(), now: 70 * Self.minute), isEnd: true)
    #expect(ended.map(\.id) == [incident.id])
    let later = next.take(Inventory(), now: 80 * Self.minute)
    #expect(later.isEmpty)
  }

  @Test func `a registry that fits nothing does not raise one of everything`() {
    var watch = InventoryWatch()
    let changes = watch.take(Self.inventory((0..<300).map { "e\($0)" }), now: Self.minute)
    #expect(changes.count == InventoryWatch.limit && watch.untold == 100)
    let over = Self.incidents(watch.take(nil, now: 2 * Self.minute), isEnd: true)
    #expect(over.count == InventoryWatch.limit)
  }

  @Test func `bytes that are no state change nothing`() {
    var watch = InventoryWatch()
    for bytes: [UInt8] in [[], [1, 2, 3], [2, 9, 9, 9, 9], [4]] {
      let isRestored = watch.restore(bytes)
      #expect(!isRestored)
    }
  }
}
