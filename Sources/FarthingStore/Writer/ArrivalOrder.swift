// The order of arrival, as far as answers depend on it.
//
// Of two outcomes of a task at one `time` the one that arrived last wins. Segments keep rows in
// another order than that of arrival, so `received_time` has to tell. What arrives within a second
// shares one arrival time; where an outcome meets one of the same task and time that arrived in that
// second, what follows counts as arrived a nanosecond later. Such pairs are rare, so the column takes
// next to nothing: with a time of its own for each batch it took 1.3 bytes an event.

internal import FarthingCore

/// Gives batches and parts of batches arrival times that grow with their order.
struct ArrivalOrder {
  /// A clock that steps back by more than this is followed.
  private static let greatestCorrection: Int64 = 1_000_000_000
  /// Batches that arrive within this span may share one arrival time; nanoseconds.
  private static let granularity: Int64 = 1_000_000_000
  /// Beyond this many outcomes at one arrival time a new one begins; bounds the memory.
  private static let maximumOutcomes = 16_384

  private var last = Int64.min
  /// When the clock was last followed.
  private var anchor = Int64.min
  /// The outcomes that arrived at ``last``, hashed. Two that share a hash merely count as if they
  /// met.
  private var known: Set<UInt64> = []

  /// A part of a batch that may share one arrival time.
  struct Part {
    var selection: ArraySlice<Int>
    /// Unix nanoseconds.
    var receivedTime: Int64
  }

  /// Cuts a selection of a batch's events into parts, most often one.
  ///
  /// - Complexity: O(selected events), with a hash of the task for each that has an outcome.
  mutating func parts(
    of selection: [Int], in batch: borrowing DecodedBatch, receivedTime: Int64
  ) -> [Part] {
    follow(receivedTime)
    var parts: [Part] = []
    var start = 0
    for (index, place) in selection.enumerated() {
      guard let moment = Self.outcomeMoment(batch.events[place], batch) else { continue }
      if known.insert(moment).inserted { continue }
      if start < index {
        parts.append(Part(selection: selection[start..<index], receivedTime: last))
      }
      last += 1
      start = index
      known = [moment]
    }
    if start < selection.count {
      parts.append(Part(selection: selection[start...], receivedTime: last))
    }
    return parts
  }

  /// Moves on to a new arrival time where the one at hand is too old or knows too many outcomes.
  private mutating func follow(_ time: Int64) {
    let age = time.subtractingReportingOverflow(anchor)
    let isCurrent =
      !age.overflow && age.partialValue > -Self.greatestCorrection
      && age.partialValue < Self.granularity
    if isCurrent, known.count < Self.maximumOutcomes { return }
    known.removeAll(keepingCapacity: true)
    if isCurrent || (time <= last && age.partialValue > -Self.greatestCorrection) {
      last = max(time, last + 1)
    } else {
      last = time
    }
    anchor = last
  }

  /// What two outcomes share where only their arrival tells which wins, hashed; nil where the event
  /// says no outcome of a task.
  private static func outcomeMoment(
    _ event: borrowing DecodedEvent, _ batch: borrowing DecodedBatch
  ) -> UInt64? {
    guard event.range(of: .outcome) != nil, let task = event.range(of: .task) else { return nil }
    var hash = UInt64(bitPattern: event.time) &* 0x9E37_79B9_7F4A_7C15
    for place in Int(task.offset)..<Int(task.offset) + Int(task.length) {
      hash = (hash ^ UInt64(batch.bytes[place])) &* 0x0000_0100_0000_01B3
    }
    return hash ^ hash >> 29
  }
}
