package import FarthingCore
internal import FarthingStore
internal import Synchronization

/// Committed batches on their way to detection.
///
/// The writer puts them in and never waits: where too much waits, further events are not seen by
/// detection, and are counted.
package final class DetectionFeed: Sendable {
  /// A batch that became durable.
  struct Item: Sendable {
    var batch: ChargedBatch
    var places: [Int]
    var receivedAt: Int64
  }

  /// Most events, and most bytes of their lines, that wait: some seconds of the greatest rate.
  static let eventLimit = 500_000
  static let byteLimit = 64 << 20

  private struct State {
    var items: [Item] = []
    var events = 0
    var bytes = 0
    var unseen = 0
    var seen = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// For ``StoreWriter/watch(_:)``.
  package func put(_ batch: ChargedBatch, _ places: [Int], _ receivedAt: Int64) {
    // A record is a part of its batch, and the batch is held whole as long as any part of it waits.
    let share = batch.decoded.bytes.count * places.count / max(1, batch.decoded.events.count)
    state.withLock { state in
      guard state.events + places.count <= Self.eventLimit,
        state.bytes + share <= Self.byteLimit || state.items.isEmpty
      else {
        state.unseen += places.count
        return
      }
      state.items.append(Item(batch: batch, places: places, receivedAt: receivedAt))
      state.events += places.count
      state.bytes += share
    }
  }

  /// Everything that waits, in the order of the log.
  func take() -> [Item] {
    state.withLock { state in
      var items: [Item] = []
      swap(&items, &state.items)
      state.seen += state.events
      state.events = 0
      state.bytes = 0
      return items
    }
  }

  /// Events that were handed on, those that were not, and those that wait.
  var counts: (seen: Int, unseen: Int, waiting: Int) {
    state.withLock { ($0.seen, $0.unseen, $0.events) }
  }
}
