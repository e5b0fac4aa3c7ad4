// What isolation would have done over history, as if it had run then.
//
// The loop is closed: a call of a target that would have been cut off is taken out of history, so neither detection nor the
// guardrails see it, and what it cost is what would have been saved, to the picodollar. What a caller would have done instead
// (given up, tried again, come by another key) is not known.

internal import FarthingCore
package import FarthingDetection
internal import FarthingStore

/// One isolation of a backtest.
package struct ReplayedIsolation: Sendable {
  package var isolation: Isolation
  /// Calls that would have been answered 403 or 429.
  package var refused = 0
  /// Of those, calls without a cost.
  package var unpriced = 0
  /// What they cost, picodollars.
  package var saved: Int128 = 0
  /// Events of the target within the day before: what is usual for it.
  package var usualCalls = 0

  /// Nanoseconds in force.
  package var length: Int64 {
    max(0, (isolation.releasedAt ?? isolation.releaseAt) - isolation.startedAt)
  }
}

/// A book of isolations that is run over history.
package struct IsolationReplay: Sendable {
  private var book: IsolationBook
  private var population: ActivePopulation
  private var found: [String: ReplayedIsolation] = [:]
  private var order: [String] = []
  /// What is in force now, with the hash of its value.
  private var held: [(isolation: Isolation, hash: UInt64)] = []
  private var throttles: [String: TokenBucket] = [:]
  private var advancedAt = Int64.min
  private var now = Int64.min
  private let since: Int64?
  /// Calls of each target within the day at hand and the one before.
  private var days: [UInt64: (day: Int64, now: Int, before: Int)] = [:]

  /// - Parameters:
  ///   - settings: their mode does not matter: what is enforced is what is shown.
  ///   - since: before it history only teaches, and nothing is isolated; nil for all.
  package init(_ settings: IsolationSettings, since: Int64?) {
    var settings = settings
    settings.mode = .enforced
    // Hooks are nobody's history.
    settings.hooks = []
    book = IsolationBook(settings)
    population = ActivePopulation(window: settings.guardrails.activeWindow)
    self.since = since
  }

  /// Takes the next event in the order of time.
  ///
  /// - Returns: whether it would have happened; where not, detection must not see it either.
  package mutating func take(_ observation: Observation, _ engine: DetectionEngine) -> Bool {
    guard observation.kind == .request else { return true }
    now = max(now, observation.time)
    advance()
    let held = held
    for (isolation, hash) in held where refuses(isolation, hash, observation, engine) {
      found[isolation.id]?.refused += 1
      if observation.isPriced {
        found[isolation.id]?.saved += Int128(observation.cost)
      } else {
        found[isolation.id]?.unpriced += 1
      }
      return false
    }
    population.observe(observation, engine)
    let identity = engine.hash(of: observation.identity, in: .identity)
    if identity != 0 { count(identity) }
    return true
  }

  private mutating func count(_ hash: UInt64) {
    let day = CivilTime.floorDivide(now, CivilTime.day)
    var known = days[hash] ?? (day, 0, 0)
    if known.day != day { known = (day, 0, known.day == day - 1 ? known.now : 0) }
    known.now += 1
    days[hash] = known
  }

  private mutating func refuses(
    _ isolation: Isolation, _ hash: UInt64, _ observation: Observation, _ engine: DetectionEngine
  ) -> Bool {
    let dimension = isolation.target.dimension.observed
    let name = observation.name(in: dimension)
    guard engine.hash(of: name, in: dimension) == hash else { return false }
    if let tenant = isolation.target.tenant, observation.tenant != .absent,
      engine.text(of: observation.tenant, in: .tenant) != tenant
    {
      return false
    }
    switch isolation.action {
    case .observe, .degrade: return false
    case .isolate: return true
    case .throttle(let calls):
      var bucket =
        throttles[isolation.id]
        ?? TokenBucket(
          rate: calls, burstSeconds: max(10, (59 + calls) / max(1, calls)), now: now)
      let wait = bucket.wait(for: 60, now: now)
      if wait == nil { bucket.take(60, now: now) }
      throttles[isolation.id] = bucket
      return wait != nil
    }
  }

  /// Takes what detection says.
  package mutating func note(_ changes: [IncidentChange]) {
    guard !changes.isEmpty else { return }
    if let since, now < since { return }
    let known = found
    keep(
      book.take(changes, population: population, now: time) { alert in
        known.values.map(\.isolation).filter { $0.alert == alert }
      })
  }

  private var time: IsolationTime { IsolationTime(wall: now, monotonic: now) }

  private mutating func advance() {
    guard advancedAt == .min || now - advancedAt >= CivilTime.second else { return }
    advancedAt = now
    keep(book.advance(population: population, now: time))
  }

  private mutating func keep(_ outcome: IsolationBook.Outcome) {
    guard !outcome.change.isolations.isEmpty else { return }
    for row in outcome.change.isolations {
      guard let isolation = Isolation(row) else { continue }
      if found[row.id] == nil {
        order.append(row.id)
        found[row.id] = ReplayedIsolation(isolation: isolation)
        let hash = StableHash.of(isolation.target.value)
        if isolation.target.dimension == .identity, let known = days[hash] {
          found[row.id]?.usualCalls = max(known.before, known.now)
        }
      }
      found[row.id]?.isolation = isolation
    }
    held = book.enforced.map { ($0, StableHash.of($0.target.value)) }
  }

  /// Goes on to the end of history: what is in force has its time.
  package mutating func finish() {
    for isolation in book.enforced.sorted(by: { $0.releaseAt < $1.releaseAt }) {
      now = max(now, isolation.releaseAt)
      advancedAt = .min
      advance()
    }
  }

  /// In the order in which they began; those that a guardrail refused too.
  package var result: [ReplayedIsolation] { order.compactMap { found[$0] } }
}

extension IsolationTarget.Dimension {
  fileprivate var observed: ObservedDimension {
    switch self {
    case .identity: .identity
    case .endpoint: .endpoint
    case .model: .model
    case .site: .site
    }
  }
}

extension Observation {
  fileprivate func name(in dimension: ObservedDimension) -> ObservedName {
    switch dimension {
    case .identity: identity
    case .endpoint: endpoint
    case .model: model
    case .site: site
    default: .absent
    }
  }
}
