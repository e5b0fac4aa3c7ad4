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
    #expect(next.map(\.receivedTime) == [52])
  }

  @Test func `what arrives within a second shares one arrival where no two outcomes meet`() {
    var order = ArrivalOrder()
    let batch = batch([("a", 1, true), ("b", 1, true), ("c", 1, true), ("d", 1, false)])
    let first = order.parts(of: [0], in: batch, receivedTime: 5_000_000_000)
    let second = order.parts(of: [1, 3], in: batch, receivedTime: 5_900_000_000)
    let third = order.parts(of: [3, 0, 2], in: batch, receivedTime: 5_950_000_000)
    let fourth = order.parts(of: [0], in: batch, receivedTime: 6_000_000_000)
    #expect(first.map(\.receivedTime) == [5_000_000_000])
    #expect(second.map(\.receivedTime) == [5_000_000_000])
    #expect(third.map { Array($0.selection) } == [[3], [0, 2]])
    #expect(third.map(\.receivedTime) == [5_000_000_000, 5_000_000_001])
    #expect(fourth.map(\.receivedTime) == [6_000_000_000])
  }

  @Test func `a clock that steps back a little does not turn the order`() {
    var order = ArrivalOrder()
    let batch = batch([("a", 1, true)])
    var last = Int64.min
    for time: Int64 in [9_000_000_000, 8_900_000_000, 10_100_000_000, 9_500_000_000] {
      let parts = order.parts(of: [0], in: batch, receivedTime: time)
      #expect(parts.allSatisfy { $0.receivedTime > last })
      last = parts.last?.receivedTime ?? last
    }
  }

  @Test func `a clock that was set back is followed`() {
    var order = ArrivalOrder()
    let batch = batch([("a", 1, true)])
    _ = order.parts(of: [0], in: batch, receivedTime: 9_000_000_000)
    let later = order.parts(of: [0], in: batch, receivedTime: 2_000_000_000)
    #expect(later.map(\.receivedTime) == [2_000_000_000])
  }

  @Test func `nothing selected is no part`() {
    var order = ArrivalOrder()
    #expect(order.parts(of: [], in: batch([]), receivedTime: 1).isEmpty)
  }
}
