internal import FarthingCore

/// What detection sees of one event: numbers and numbered names, no texts but ids.
///
/// Names are numbered by the engine that the observation is for; see ``DetectionEngine/name(_:_:)``.
package struct Observation: Sendable {
  package enum Kind: UInt8, Sendable {
    case request, outcome, capacity
    /// Nothing happened, but the site is heard: its silence about everything else is a true zero.
    case heartbeat
  }

  /// How a call ended, as the contract's `status`.
  package enum Status: UInt8, Sendable {
    case ok, error, timeout, rateLimited, blocked, cancelled
  }

  package var kind: Kind
  /// When it was over and its cost was known: of a request its start and latency, of an outcome its
  /// time, of a capacity period its beginning. Unix nanoseconds.
  package var time: Int64
  /// When it arrived; Unix nanoseconds.
  package var receivedTime: Int64
  package var identity = ObservedName.absent
  package var workload = ObservedName.absent
  package var tenant = ObservedName.absent
  package var endpoint = ObservedName.absent
  package var model = ObservedName.absent
  package var provider = ObservedName.absent
  package var site = ObservedName.absent
  /// The model that was asked first, where another one answered.
  package var fallbackFrom = ObservedName.absent
  package var pool = ObservedName.absent
  package var status = Status.ok
  package var attempt: Int64 = 1
  /// Of its tokens; −1 where the event does not say.
  package var inputTokens: Int64 = -1
  package var cachedInputTokens: Int64 = 0
  package var outputTokens: Int64 = -1
  package var reasoningTokens: Int64 = 0
  /// Whether the request has a cost; an unpriced one adds nothing and is no zero.
  package var isPriced = false
  /// Picodollars; of a capacity period its whole cost.
  package var cost: Int64 = 0
  /// What it would cost at the first price that was seen for its model: a price that changes is no
  /// anomaly of use. Picodollars.
  package var constantCost: Int64 = 0
  /// What it would cost at a price that goes over from the one before within two weeks: levels of spend
  /// are of this. Picodollars.
  package var steadyCost: Int64 = 0
  /// What it costs more than at the price before, where that changed without the book knowing beforehand;
  /// picodollars.
  package var unforeseenCost: Int64 = 0
  /// The part of ``cost`` that is for output; picodollars.
  package var outputCost: Int64 = 0
  /// Microseconds; −1 where unknown.
  package var latency: Int64 = -1
  /// Of the pool's accelerators; microseconds.
  package var compute: Int64 = 0
  /// Hash of the task, 0 for none.
  package var task: UInt64 = 0
  package var promptHash: UInt64 = 0
  /// Of the task, where known.
  package var succeeded: Bool?
  /// End of a capacity period; Unix nanoseconds.
  package var until: Int64 = 0
  package var accelerators: Int64 = 0
  /// For evidence; empty where it has none.
  package var id = ""
  package var taskText = ""

  package init(kind: Kind, time: Int64, receivedTime: Int64) {
    self.kind = kind
    self.time = time
    self.receivedTime = receivedTime
  }
}

extension Observation {
  /// Picodollars as 64 bits, which hold nine million dollars a request; more counts as that.
  package static func clamped(_ amount: Int128) -> Int64 { Int64(clamping: amount) }

  /// When a request that began at `start` was over.
  ///
  /// Cost is known, and spent, when a call ends. A call of minutes would come too late for every watermark by its
  /// start; latencies of more than an hour count as one. None ended after it was told of.
  package static func end(start: Int64, latencyMs: Double?, receivedAt: Int64) -> Int64 {
    guard let latencyMs, latencyMs > 0 else { return start }
    let (end, overflow) = start.addingReportingOverflow(Int64(min(latencyMs, 3_600_000) * 1e6))
    return overflow ? start : min(end, max(start, receivedAt))
  }

  /// Whether it lies further ahead of its arrival than clocks differ: it says nothing of what time it is, and waits
  /// for nothing.
  package var isAhead: Bool { time > receivedTime && time - receivedTime > Self.clockDifference }

  private static let clockDifference = 10 * CivilTime.minute
}
