/// One event that has been decided but has not arrived yet: numbers and places in the fleet.
struct PendingEvent: Sendable {
  /// When the event happened, Unix nanoseconds (whole microseconds), and when it arrives.
  var time: Int64 = 0
  var arrival: Int64 = 0
  var isOutcome = false
  /// Lost on its way by a telemetry gap: it takes part in all but the stream.
  var isLost = false
  var client: Int32 = 0
  var model: Int16 = 0
  var site: Int16 = 0
  /// The model first asked, or −1.
  var fallbackFrom: Int16 = -1
  var feature: UInt8 = 0
  var status: CallStatus = .ok
  /// 0 for none, 1 for success, 2 for failure.
  var outcome: UInt8 = 0
  /// 0 for no response cache, 1 hit, 2 semantic hit, 3 miss.
  var responseCache: UInt8 = 0
  /// 0 reported, 1 estimated, 2 missing.
  var usage: UInt8 = 0
  var isColdStart = false
  var inputTokens: Int32 = 0
  var cachedTokens: Int32 = 0
  var writtenTokens: Int32 = 0
  var writtenLongTokens: Int32 = 0
  var outputTokens: Int32 = 0
  /// −1 where the model does not reason.
  var reasoningTokens: Int32 = -1
  var audioTokens: Int32 = 0
  var webSearches: Int32 = 0
  var retrievals: Int32 = 0
  var retrievalFailures: Int32 = 0
  /// Tenths of a millisecond; −1 where absent.
  var latency: Int64 = 0
  var firstToken: Int64 = -1
  var queue: Int64 = -1
  var compute: Int64 = -1
  var network: Int64 = -1
  var retrieval: Int64 = -1
  /// 0 for no task.
  var task: UInt64 = 0
  var step: Int32 = 0
  var attempt: Int32 = 1
  /// 0 for none.
  var promptHash: UInt64 = 0
  var idHigh: UInt64 = 0
  var idLow: UInt64 = 0
  /// Cents that a success was worth; 0 for unknown.
  var valueCents: Int64 = 0
}

/// How a synthetic call ended; the text of each is the contract's.
enum CallStatus: UInt8, Sendable {
  case ok, error, timeout, rateLimited, blocked, cancelled
}

/// Decided events by arrival, ties in the order in which they were decided.
struct PendingEvents: Sendable {
  private struct Place: Sendable {
    var arrival: Int64
    var sequence: UInt64
    var slot: Int32
  }

  private var heap: [Place] = []
  private var slots: [PendingEvent] = []
  private var free: [Int32] = []
  private var sequence: UInt64 = 0

  /// The earliest arrival; the largest integer where nothing waits.
  var nextArrival: Int64 { heap.first?.arrival ?? .max }

  /// - Complexity: O(log waiting).
  mutating func insert(_ event: PendingEvent) {
    let slot: Int32
    if let reused = free.popLast() {
      slots[Int(reused)] = event
      slot = reused
    } else {
      slot = Int32(slots.count)
      slots.append(event)
    }
    heap.append(Place(arrival: event.arrival, sequence: sequence, slot: slot))
    sequence += 1
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Self.isBefore(heap[child], heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the event that arrives first; nil where nothing waits.
  mutating func takeFirst() -> PendingEvent? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      siftDown()
    }
    free.append(first.slot)
    return slots[Int(first.slot)]
  }

  private mutating func siftDown() {
    var parent = 0
    while true {
      var least = 2 * parent + 1
      guard least < heap.count else { return }
      if least + 1 < heap.count, Self.isBefore(heap[least + 1], heap[least]) { least += 1 }
      guard Self.isBefore(heap[least], heap[parent]) else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }

  private static func isBefore(_ left: Place, _ right: Place) -> Bool {
    left.arrival < right.arrival
      || (left.arrival == right.arrival && left.sequence < right.sequence)
  }
}
