// The order of arrival, as far as answers depend on it.
//
// Of two outcomes of a task at one `time` the one that arrived last wins. Segments keep rows in
// another order than that of arrival, so `received_time` has to tell. A batch has one arrival time;
// where an outcome meets one of the same task and time before it in its batch, the rest of the
// batch counts as arrived a nanosecond later. Such pairs are rare, so the column stays constant.
//
// The pieces of a file share an arrival time for up to a second, as long as none has an outcome that
// meets one of those before it: with a time for each piece the column took 1.3 bytes an event.

internal import FarthingCore

/// Gives batches and parts of batches arrival times that grow with their order.
struct ArrivalOrder {
  /// A clock that steps back by more than this is followed.
  private static let greatestCorrection: Int64 = 1_000_000_000

  /// Pieces of a file that arrive within this span may share an arrival time; nanoseconds.
  private static let sharedSpan: Int64 = 1_000_000_000
  /// Beyond this many outcomes a new arrival time begins; bounds the memory.
  private static let maximumOutcomes = 16_384

  private var last = Int64.min
  /// When the first of the pieces that share ``last`` arrived; nil where none may join them.
  private var sharedSince: Int64?
  /// Hashes of the outcomes that have arrived since then.
  private var known: Set<UInt64> = []

  /// A part of a batch that may share one arrival time.
  struct Part {
    var selection: ArraySlice<Int>
    /// Unix nanoseconds.
    var receivedTime: Int64
  }

  /// The time of arrival of a batch that counts as arrived by and by, in so many steps of a
  /// nanosecond after it.
  ///
  /// - Parameter outcomes: hashes of its outcomes' tasks and times; a false match merely takes a
  ///   new time.
  /// - Complexity: O(outcomes).
  mutating func next(_ receivedTime: Int64, steps: Int, outcomes: [UInt64]) -> Int64 {
    let age = sharedSince.map { receivedTime.subtractingReportingOverflow($0) }
    if let age, !age.overflow, age.partialValue >= 0, age.partialValue < Self.sharedSpan,
      known.count + outcomes.count <= Self.maximumOutcomes, known.isDisjoint(with: outcomes)
    {
      known.formUnion(outcomes)
      let first = last
      last += Int64(steps)
      return first
    }
    let first = next(receivedTime, steps: steps)
    sharedSince = receivedTime
    known = Set(outcomes)
    return first
  }

  /// As above, shared with no other batch.
  mutating func next(_ receivedTime: Int64, steps: Int) -> Int64 {
    sharedSince = nil
    var time = receivedTime
    if time <= last, last.subtractingReportingOverflow(time).partialValue < Self.greatestCorrection
    {
      time = last + 1
    }
    last = time + Int64(steps)
    return time
  }

  /// Cuts a selection of a batch's events into parts, most often one.
  ///
  /// - Complexity: O(selected events), with a hash of the task for each that has an outcome.
  mutating func parts(
    of selection: [Int], in batch: borrowing DecodedBatch, receivedTime: Int64
  ) -> [Part] {
    var time = next(receivedTime, steps: 0)
    var parts: [Part] = []
    var start = 0
    var known: Set<OutcomeMoment> = []
    for (index, place) in selection.enumerated() {
      guard let moment = OutcomeMoment(batch.events[place], batch) else { continue }
      if known.insert(moment).inserted { continue }
      parts.append(Part(selection: selection[start..<index], receivedTime: time))
      time += 1
      start = index
      known = [moment]
    }
    if start < selection.count {
      parts.append(Part(selection: selection[start...], receivedTime: time))
    }
    last = time
    return parts
  }
}

/// What two outcomes share where only their arrival tells which wins.
private struct OutcomeMoment: Hashable {
  let time: Int64
  let task: ArraySlice<UInt8>

  /// nil where the event says no outcome of a task.
  init?(_ event: borrowing DecodedEvent, _ batch: borrowing DecodedBatch) {
    guard event.range(of: .outcome) != nil, let task = event.range(of: .task) else { return nil }
    time = event.time
    let start = Int(task.offset)
    self.task = batch.bytes[start..<start + Int(task.length)]
  }
}
