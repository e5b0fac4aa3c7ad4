import FarthingCore
import Testing

@testable import FarthingStore

/// Of two outcomes at one time the later arrival wins, so arrival has to be told apart.
@Suite struct `The order of arrival` {
  /// A batch of events with the task and time (and no outcome where it is nil) that each pair says.
  private func batch(_ events: [(task: String, time: Int64, hasOutcome: Bool)]) -> DecodedBatch {
    var batch = DecodedBatch()
    for (index, event) in events.enumerated() {
      var decoded = DecodedEvent(
        kind: index.isMultiple(of: 2) ? .request : .outcome, line: index + 1)
      decoded.time = event.time
      let start = batch.bytes.count
      batch.bytes += Array(event.task.utf8)
      let range = ByteRange(offset: UInt32(start), length: UInt32(event.task.utf8.count))
      decoded.set(.task, range)
      if event.hasOutcome { decoded.set(.outcome, range) }
      batch.events.append(decoded)
    }
    return batch
  }

  @Test func `one batch has one arrival where no two outcomes meet`() {
    var order = ArrivalOrder()
    let batch = batch([("a", 1, true), ("a", 2, true), ("b", 1, true), ("a", 1, false)])
    let parts = order.parts(of: [0, 1, 2, 3], in: batch, receivedTime: 50)
    #expect(parts.map { Array($0.selection) } == [[0, 1, 2, 3]])
    #expect(parts.map(\.receivedTime) == [50])
  }

  @Test func `an outcome that meets one of its task and time arrives after it`() {
    var order = ArrivalOrder()
    let batch = batch([("a", 1, true), ("b", 1, true), ("a", 1, true), ("a", 1, true)])
    let parts = order.parts(of: [0, 1, 2, 3], in: batch, receivedTime: 50)
    #expect(parts.map { Array($0.selection) } == [[0, 1], [2], [3]])
    #expect(parts.map(\.receivedTime) == [50, 51, 52])
    let next = order.parts(of: [1], in: batch, receivedTime: 50)
    #expect(next.map(\.receivedTime) == [53])
  }

  @Test func `a clock that was set back is followed`() {
    var order = ArrivalOrder()
    let batch = batch([("a", 1, true)])
    _ = order.parts(of: [0], in: batch, receivedTime: 9_000_000_000)
    let later = order.parts(of: [0], in: batch, receivedTime: 2_000_000_000)
    #expect(later.map(\.receivedTime) == [2_000_000_000])
  }

  @Test func `pieces of a file share an arrival for a second while no outcomes meet`() {
    var order = ArrivalOrder()
    #expect(order.next(5_000_000_000, steps: 0, outcomes: [1, 2]) == 5_000_000_000)
    #expect(order.next(5_200_000_000, steps: 0, outcomes: [3]) == 5_000_000_000)
    // One that meets an earlier one arrives after it, and so do those behind it.
    #expect(order.next(5_300_000_000, steps: 2, outcomes: [2, 4]) == 5_300_000_000)
    #expect(order.next(5_400_000_000, steps: 0, outcomes: [1]) == 5_300_000_002)
    #expect(order.next(6_300_000_000, steps: 0, outcomes: []) == 6_300_000_000)
    // A clock that was set back a little does not turn the order, one set back far is followed.
    #expect(order.next(6_200_000_000, steps: 0, outcomes: [9]) == 6_300_000_001)
    #expect(order.next(2_000_000_000, steps: 0, outcomes: [9]) == 2_000_000_000)
  }

  @Test func `a batch of the log shares no arrival with pieces of a file`() {
    var order = ArrivalOrder()
    let batch = batch([("a", 1, true)])
    let piece = order.next(50, steps: 0, outcomes: [7])
    let logged = order.parts(of: [0], in: batch, receivedTime: 50)
    #expect(logged.map(\.receivedTime) == [piece + 1])
    #expect(order.next(50, steps: 0, outcomes: [8]) == piece + 2)
  }

  @Test func `nothing selected is no part`() {
    var order = ArrivalOrder()
    #expect(order.parts(of: [], in: batch([]), receivedTime: 1).isEmpty)
  }
}
