// The order of arrival, as far as answers depend on it.
//
// Of two outcomes of a task at one `time` the one that arrived last wins. Segments keep rows in
// another order than that of arrival, so `received_time` has to tell. A batch has one arrival time;
// where an outcome meets one of the same task and time before it in its batch, the rest of the
// batch counts as arrived a nanosecond later. Such pairs are rare, so the column stays constant.

internal import FarthingCore

/// Gives batches and parts of batches arrival times that grow with their order.
struct ArrivalOrder {
  /// A clock that steps back by more than this is followed.
  private static let greatestCorrection: Int64 = 1_000_000_000

  private var last = Int64.min

  /// A part of a batch that may share one arrival time.
  struct Part {
    var selection: ArraySlice<Int>
    /// Unix nanoseconds.
    var receivedTime: Int64
  }

  /// The time of arrival of a batch that counts as arrived by and by, in so many steps of a
  /// nanosecond after it.
  mutating func next(_ receivedTime: Int64, steps: Int) -> Int64 {
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
