// A synthetic company's inference events, as a collector would see them arrive.
//
// 1. Each client begins tasks by its own renewal process (ArrivalProcess).
// 2. A task that begins is played to its end at once: its steps, their attempts, its outcome
//    (TaskSynthesis); each event waits in a heap until it arrives, at its start plus its latency.
// 3. No task that begins later can have an event that arrives before its beginning, so everything
//    that waits for a time before the next beginning can be written out (EventRendering).
//
// Memory holds the fleet and what is under way, whatever the span. Invariants: the stream is
// ordered by arrival; equal options give equal bytes; an incident changes no draw of a request that
// it does not touch.

/// A stream of synthetic events as NDJSON, in the order of arrival, equal for equal options.
package struct EventSynthesis {
  let options: SynthesisOptions
  let fleet: Fleet
  /// First moment that is not watched any more.
  let end: Int64
  let fragments: EventFragments
  var arrivals: ArrivalProcess
  var pending = PendingEvents()
  var incidents: IncidentEffects
  private var requestsLeft: Int
  /// Requests and outcomes written so far.
  package private(set) var requestCount = 0
  package private(set) var outcomeCount = 0

  /// Builds the fleet; no event is made yet.
  ///
  /// - Throws: ``SynthesisError`` where an option is out of range or an incident's target names
  ///   nothing in the fleet.
  package init(_ options: SynthesisOptions) throws(SynthesisError) {
    try options.validate()
    var fleet = Fleet(options)
    let finish = options.start + options.duration
    var streams = fleet.clients.indices.map { index in
      TaskStream(
        client: index, key: UInt64(index) + 1, rate: fleet.clients[index].rate,
        burstiness: fleet.clients[index].burstiness,
        season: fleet.workloads[fleet.clients[index].workload].season,
        from: options.start, until: finish, next: options.start)
    }
    incidents = try IncidentEffects.plan(options, fleet: &fleet, streams: &streams)
    for index in streams.indices {
      streams[index].from = max(streams[index].from, options.start)
      streams[index].until = min(streams[index].until, finish)
    }
    arrivals = ArrivalProcess(
      seed: options.seed, streams: streams,
      hoursAhead: streams.map { fleet.sites[fleet.clients[$0.client].homeSite].hoursAhead })
    fragments = EventFragments(fleet)
    self.fleet = fleet
    self.options = options
    end = finish
    requestsLeft = options.requestLimit ?? .max
  }

  /// Appends the next event, one line with its newline.
  ///
  /// - Returns: false, with nothing appended, once the stream has ended.
  /// - Complexity: O(log of what is under way) in the mean; about 2 µs.
  package mutating func next(into bytes: inout [UInt8]) -> Bool {
    while requestsLeft > 0 {
      if pending.nextArrival <= arrivals.nextTime {
        guard let event = pending.takeFirst() else { return false }
        if event.isOutcome {
          outcomeCount += 1
          fragments.appendOutcome(event, to: &bytes)
        } else {
          requestCount += 1
          requestsLeft -= 1
          fragments.appendRequest(event, fleet, to: &bytes)
        }
        return true
      }
      guard let task = arrivals.takeNext() else { return false }
      play(stream: task.stream, number: task.number, beginning: task.time)
    }
    return false
  }

  /// Appends events until at least `count` bytes were added or the stream ends.
  ///
  /// - Returns: false once the stream has ended and nothing was appended.
  package mutating func fill(_ bytes: inout [UInt8], atLeast count: Int) -> Bool {
    let before = bytes.count
    while bytes.count - before < count {
      guard next(into: &bytes) else { break }
    }
    return bytes.count > before
  }

  /// Lets an event wait for its arrival; what arrives after the end is never seen.
  mutating func wait(_ event: PendingEvent) {
    if !event.isLost, event.arrival < end { pending.insert(event) }
  }
}
