// What an agent does next, as a value: the time and what happened in, what to do out.
//
//     resting ──(pause over, or events came)── reading ──(records)── sending ─┐
//        ↑ ↑                                     │ none                       │ answer
//        │ └─────────────────────────────────────┘                            │
//        └──── stored · refused · too large · busy · unreachable ─────────────┘
//
// resting → reading; reading → sending, resting; sending → resting. One batch is under way at a time, so
// records are stored in their order. What is not acknowledged stays in the spool, and the batch in memory
// is sent again as it is.

/// What came of a batch.
package enum ForwardAnswer: Sendable, Equatable {
  /// Stored up to and with a record, which may lie behind the batch or before its end.
  case stored(through: Int64, rejected: Int, note: String?)
  /// The server asks for an earlier record first.
  case gap(stored: Int64)
  /// The body is more than is taken: by the server itself, or by something on the way to it.
  case tooLarge(String, byServer: Bool)
  /// The server will never take this batch.
  case refused(String)
  /// No token, or one that may not do this.
  case forbidden(String)
  /// Not now; after so many seconds where the server says so.
  case busy(retryAfter: Int?, String)
  /// No answer.
  case unreachable(String)
}

/// What an agent forwards, how much at once, and when it tries again.
package struct ForwardingOptions: Sendable, Equatable {
  /// Most bytes of a batch's sections, and most of its events; a single record may have more.
  package var textBytes = 4 << 20
  package var events = 10_000
  /// The first attempt waits for up to so many nanoseconds, at random: agents that start together do
  /// not come together.
  package var startSpread: Int64 = 2_000_000_000
  /// The longest pause after a first failure; each further one doubles it.
  package var shortestRetry: Int64 = 1_000_000_000
  package var longestRetry: Int64 = 60_000_000_000
  /// The pause where the token is refused, or the server is none of ours.
  package var forbiddenRetry: Int64 = 30_000_000_000
  /// How long the first event after a rest waits for others. Events that wait already go at once.
  package var linger: Int64 = 0
  /// How often an agent without events says that it is there.
  package var heartbeat: Int64 = 30_000_000_000

  package init() {}
}

/// The state machine of forwarding.
package struct ForwardingState: Sendable {
  package enum Step: Sendable, Equatable {
    /// Nothing before this time, Unix nanoseconds; new events end the rest early where that is said.
    case rest(until: Int64, endsWithEvents: Bool)
    /// Take records from the spool.
    case read(textBytes: Int, events: Int)
    /// Send the batch at hand, or word of how the spool stands where there is none.
    case send
  }

  /// What is done about an answer, in this order.
  package enum Action: Sendable, Equatable {
    /// Forget the records up to one.
    case acknowledge(Int64)
    /// Keep the batch aside with the server's words, then forget it.
    case setAside(String)
    /// Take the records that are not acknowledged from the spool anew.
    case rewind
    /// Give the stream a new name.
    case renew
    /// Tell a person.
    case note(String)
  }

  /// The records at hand.
  package struct Batch: Sendable, Equatable {
    package var first: Int64
    package var last: Int64
    package var records: Int
    package init(first: Int64, last: Int64, records: Int) {
      self.first = first
      self.last = last
      self.records = records
    }
  }

  private let options: ForwardingOptions
  private var textBytes: Int
  private var events: Int
  private var failures = 0
  private var restUntil: Int64
  /// The clock when it was last asked what to do.
  private var latest: Int64 = .min
  private var endsWithEvents = false
  private var mustRead = true
  private var lastContact: Int64
  /// What was told last of a trouble; nil where there is none.
  private var trouble: String?
  package private(set) var batch: Batch?
  /// Whether anybody has answered since the start.
  package private(set) var hasReached = false

  /// - Parameter random: at least 0 and below 1.
  package init(_ options: ForwardingOptions, now: Int64, random: Double) {
    self.options = options
    textBytes = options.textBytes
    events = options.events
    restUntil = now + Self.part(of: options.startSpread, random)
    lastContact = now
  }

  private static func part(of nanoseconds: Int64, _ random: Double) -> Int64 {
    Int64(Double(nanoseconds) * min(max(random, 0), 1))
  }

  // MARK: Steps

  /// What to do now.
  package mutating func step(now: Int64, hasEvents: Bool) -> Step {
    // Where the clock was set back, the rest lasts as long as was left of it.
    if now < latest {
      let (back, isFar) = latest.subtractingReportingOverflow(now)
      restUntil = isFar ? now : restUntil.subtractingReportingOverflow(back).partialValue
      lastContact = min(lastContact, now)
    }
    latest = now
    if now < restUntil, restUntil - now <= longestRest {
      if endsWithEvents, hasEvents { rest(until: now + options.linger) }
      if now < restUntil { return .rest(until: restUntil, endsWithEvents: endsWithEvents) }
    }
    if batch != nil { return .send }
    if mustRead || hasEvents { return .read(textBytes: textBytes, events: events) }
    return .send
  }

  private var longestRest: Int64 {
    max(options.longestRetry, options.heartbeat, Int64(Self.longestAsked) * 1_000_000_000) * 2
  }

  /// Seconds of `Retry-After` beyond which a server is not obeyed: an hour.
  private static let longestAsked = 3_600

  /// Records were read: nil for none.
  package mutating func take(_ batch: Batch?, now: Int64) {
    self.batch = batch
    mustRead = false
    guard batch == nil else { return }
    restUntil = lastContact + options.heartbeat
    endsWithEvents = true
    if restUntil <= now { restUntil = now }
  }

  /// The spool could not be read: a failing disk is tried again.
  package mutating func readingFailed(_ words: String, now: Int64, random: Double) -> [Action] {
    mustRead = true
    return retry(words, now: now, random: random)
  }

  // MARK: Answers

  /// Takes the answer to what was sent.
  ///
  /// - Parameters:
  ///   - lastSequence: the last record that the spool holds.
  ///   - random: at least 0 and below 1.
  package mutating func answer(
    _ answer: ForwardAnswer, lastSequence: Int64, now: Int64, random: Double
  ) -> [Action] {
    switch answer {
    case .stored(let through, let rejected, let note):
      return stored(through, rejected, note, lastSequence: lastSequence, now: now, random: random)
    case .gap(let stored):
      // From the first record that is not acknowledged: what comes before it is settled, which the head
      // of a batch says.
      batch = nil
      mustRead = true
      return [.rewind]
        + retry("the server asks for records from \(stored + 1) on", now: now, random: random)
    case .tooLarge(let words, let byServer):
      if byServer { hasReached = true }
      guard let batch, batch.records > 1 else {
        // A proxy's limit is mended at the proxy; what one says must not empty a spool.
        return byServer
          ? setAside(words, now: now)
          : stayAway(
            "something before the server refuses a body for its size; raise its limit: \(words)",
            now: now, random: random)
      }
      textBytes = max(1, textBytes / 2)
      events = max(1, min(events, batch.records) / 2)
      self.batch = nil
      mustRead = true
      restUntil = now
      return [.rewind]
    case .refused(let words):
      hasReached = true
      return setAside(words, now: now)
    case .forbidden(let words):
      return stayAway(words, now: now, random: random)
    case .busy(let seconds, let words):
      hasReached = true
      guard let seconds else { return retry(words, now: now, random: random) }
      let asked = Int64(min(max(seconds, 0), Self.longestAsked)) * 1_000_000_000
      rest(until: now + asked + Self.part(of: max(asked / 2, options.shortestRetry), random))
      return trouble(words)
    case .unreachable(let words):
      return retry(words, now: now, random: random)
    }
  }

  private mutating func stored(
    _ through: Int64, _ rejected: Int, _ note: String?, lastSequence: Int64, now: Int64,
    random: Double
  ) -> [Action] {
    hasReached = true
    lastContact = now
    if through > lastSequence {
      // The server knows records that this spool never wrote: it was set back, or copied.
      batch = nil
      mustRead = true
      restUntil = now
      return [
        .renew, .rewind,
        .note(
          "the server has records up to \(through) of this spool, which holds \(lastSequence): the folder "
            + "was set back or copied; going on under a new name"),
      ]
    }
    var actions: [Action] = []
    if let batch {
      guard through >= batch.first else {
        // Nothing of it was stored.
        return retry("the server stored nothing of the batch", now: now, random: random)
      }
      actions.append(.acknowledge(through))
      if through < batch.last { actions.append(.rewind) }
      self.batch = nil
      mustRead = true
    }
    failures = 0
    // Back to whole batches step by step, so that one large record does not slow down all that follow.
    textBytes = min(options.textBytes, textBytes * 2)
    events = min(options.events, events * 2)
    restUntil = now
    endsWithEvents = true
    if trouble != nil { actions.append(.note("the server takes events again")) }
    trouble = nil
    if rejected > 0 {
      actions.append(
        .note("the server refused \(rejected) events of a batch\(note.map { ": \($0)" } ?? "")"))
    }
    if !mustRead { restUntil = now + options.heartbeat }
    return actions
  }

  private mutating func setAside(_ words: String, now: Int64) -> [Action] {
    guard let batch else {
      // Only word of how the spool stands: nothing to keep.
      restUntil = now + options.heartbeat
      endsWithEvents = true
      return trouble(words)
    }
    failures = 0
    self.batch = nil
    mustRead = true
    restUntil = now
    return [.setAside(words), .acknowledge(batch.last)]
  }

  // MARK: Pauses

  /// A pause for what a person has to mend.
  private mutating func stayAway(_ words: String, now: Int64, random: Double) -> [Action] {
    failures = 0
    rest(until: now + options.forbiddenRetry / 2 + Self.part(of: options.forbiddenRetry, random))
    return trouble(words)
  }

  /// A pause of up to twice the one before, at random from nothing: agents that failed together come
  /// back one by one.
  private mutating func retry(_ words: String, now: Int64, random: Double) -> [Action] {
    let doubled = options.shortestRetry.multipliedReportingOverflow(
      by: 1 << Int64(min(failures, 30)))
    let most =
      doubled.overflow ? options.longestRetry : min(doubled.partialValue, options.longestRetry)
    failures += 1
    rest(until: now + Self.part(of: most, random))
    return trouble(words)
  }

  private mutating func rest(until time: Int64) {
    restUntil = time
    endsWithEvents = false
  }

  private mutating func trouble(_ words: String) -> [Action] {
    defer { trouble = words }
    return trouble == words ? [] : [.note(words)]
  }
}
