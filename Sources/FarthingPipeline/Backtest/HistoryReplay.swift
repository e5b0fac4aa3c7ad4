internal import FarthingCore
package import FarthingDetection
internal import FarthingQuery
package import FarthingStore

/// Takes detection, rules and budgets through stored history together, as if they had run then.
///
/// What happens is handed on one change at a time, in the order of event time: what acts on incidents can follow it as it
/// would have followed a server.
package struct HistoryReplay {
  private let detection: DetectionSettings
  private var watch: ConfiguredWatch
  /// Unix nanoseconds of the window that is judged; nil for all that is stored.
  private let since: Int64?
  private let until: Int64?
  private let answers: HistoryAnswers
  private let span: Range<Int64>
  private let asking: Asking
  /// When rules and budgets are evaluated next.
  private var dueAt: Int64

  /// How long before the window the detectors may learn.
  private static let lesson = 35 * CivilTime.day
  /// What closes the newest buckets, and lets rules and budgets see the newest events.
  private static let closing = CivilTime.minute

  /// Over a snapshot.
  ///
  /// - Parameters:
  ///   - since: where the window begins. What comes before teaches detection (up to five weeks of it), and rules and
  ///     budgets begin as much earlier as it takes them to tell what held already then.
  ///   - until: where it ends, excluded.
  ///   - asking: answers the questions of rules and budgets over the same snapshot.
  package init(
    over snapshot: StoreSnapshot, since: Int64?, until: Int64?, detection: DetectionSettings,
    watch: ConfiguredWatch, asking: @escaping Asking
  ) {
    self.since = since
    self.until = until
    self.watch = watch
    self.asking = asking
    self.detection = detection
    let segments = snapshot.requests + snapshot.outcomes + snapshot.capacities
    let oldest = segments.map(\.minimumTime).min() ?? 0
    let newest = segments.map(\.maximumTime).max() ?? 0
    let first = since.map { max(oldest, $0.subtractingClamped(watch.settling)) } ?? oldest
    let end = min(until ?? .max, newest.addingClamped(Self.closing))
    span = first..<max(first, end)
    answers = HistoryAnswers(from: span.lowerBound, until: span.upperBound)
    dueAt = span.isEmpty || watch.isEmpty ? .max : span.lowerBound
  }

  /// What could not be asked, by `rule NAME` and `budget NAME`, and why.
  package var faults: [(what: String, why: String)] { watch.faults }

  /// Runs it to its end.
  ///
  /// - Parameters:
  ///   - isInterrupted: ends it early.
  ///   - note: takes each change with the time (Unix nanoseconds) at which it would have been known.
  /// - Throws: ``StoreError`` where a block is damaged.
  package mutating func run(
    _ snapshot: StoreSnapshot, selection: (any RequestSelection)?, isInterrupted: () -> Bool,
    note: (IncidentChange, Int64) -> Void
  ) throws(StoreError) {
    var events = StoredObservations(
      snapshot, since: since.map { $0.subtractingClamped(Self.lesson) }, until: until,
      selection: selection)
    var engine = DetectionEngine(settings: detection)
    try events.forEach(naming: &engine, isInterrupted: isInterrupted) { engine, observation in
      if !observation.isAhead { advance(&engine, to: observation.time, isInterrupted, note) }
      engine.observe(observation)
    }
    if let watermark = engine.watermark {
      advance(&engine, to: watermark.addingClamped(Self.closing), isInterrupted, note)
    }
    while dueAt < span.upperBound, !isInterrupted() { evaluateNext(note) }
  }

  /// Detection up to a time, and rules and budgets that are due on the way.
  private mutating func advance(
    _ engine: inout DetectionEngine, to time: Int64, _ isInterrupted: () -> Bool,
    _ note: (IncidentChange, Int64) -> Void
  ) {
    while dueAt <= time, !isInterrupted() {
      for change in engine.advance(to: dueAt) { note(change, dueAt) }
      evaluateNext(note)
    }
    for change in engine.advance(to: time) { note(change, time) }
  }

  private mutating func evaluateNext(_ note: (IncidentChange, Int64) -> Void) {
    let time = dueAt
    let changes = watch.evaluate(at: time) { [answers, asking] (plan) throws(QueryError) in
      try answers.answer(plan, asking: asking)
    }
    for change in changes { note(change, time) }
    let next = watch.nextDue(after: time) ?? .max
    dueAt = next < span.upperBound ? next : .max
  }
}

extension ConfiguredWatch {
  /// Nanoseconds after which it tells all that it would tell had it run for ever, but for what fired before.
  var settling: Int64 {
    let rules = rules.rules.map {
      $0.pendingFor.addingClamped($0.keepFiringFor).addingClamped($0.interval)
    }
    return max(2 * BudgetMonitor.interval, rules.max() ?? 0)
  }
}

extension Int64 {
  fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? .min : difference
  }

  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
