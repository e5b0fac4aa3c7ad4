package import FarthingPipeline
internal import Synchronization

/// What is in force, as it is looked up: a value that is made anew whenever anything changes.
struct DecisionTable: Sendable {
  struct Rule: Sendable {
    var id: String
    /// nil for every tenant.
    var tenant: String?
    var action: IsolationAction
  }

  /// By dimension, then value.
  fileprivate let rules: [[String: [Rule]]]
  let isEmpty: Bool

  init(_ isolations: [Isolation]) {
    var rules = [[String: [Rule]]](repeating: [:], count: 4)
    for isolation in isolations {
      rules[Self.place(isolation.target.dimension)][isolation.target.value, default: []].append(
        Rule(id: isolation.id, tenant: isolation.target.tenant, action: isolation.action))
    }
    self.rules = rules
    isEmpty = isolations.isEmpty
  }

  static func place(_ dimension: IsolationTarget.Dimension) -> Int {
    switch dimension {
    case .identity: 0
    case .endpoint: 1
    case .model: 2
    case .site: 3
    }
  }

  /// The strictest rule for a call; nil for none.
  ///
  /// - Complexity: O(1) for each dimension that the call names.
  func rule(for call: DecisionCall) -> Rule? {
    var strictest: Rule?
    func look(_ place: Int, _ value: String) {
      guard let found = rules[place][value] else { return }
      for rule in found {
        // A call that names no tenant may be of any.
        if let tenant = rule.tenant, let own = call.tenant, own != tenant { continue }
        if let known = strictest, known.action.strictness >= rule.action.strictness { continue }
        strictest = rule
      }
    }
    for value in call.identities { look(0, value) }
    for value in call.endpoints { look(1, value) }
    if let model = call.model { look(2, model) }
    if let site = call.site { look(3, site) }
    return strictest
  }
}

/// What a gateway says of a call that it asks about. A header that is there twice counts with each of its values, so that
/// nobody hides behind a second one.
struct DecisionCall: Sendable {
  var identities: [String] = []
  var endpoints: [String] = []
  var tenant: String?
  var model: String?
  var site: String?
}

extension IsolationAction {
  fileprivate var strictness: Int {
    switch self {
    case .observe: 0
    case .degrade: 1
    case .throttle: 2
    case .isolate: 3
    }
  }
}

/// What is answered to a gateway.
enum Decision: Sendable, Equatable {
  case allowed
  /// - Parameter model: nil for the cache.
  case degraded(id: String, model: String?)
  case throttled(id: String, retryAfter: Int)
  case isolated(id: String)
}

/// Answers from memory whether a call may be made: readers take the table as it is and never wait for who makes the
/// next one.
package final class DecisionDesk: Sendable {
  private struct Counts {
    var allowed = 0
    var degraded = 0
    var throttled = 0
    var isolated = 0
  }

  private let table = Mutex(DecisionTable([]))
  /// Of throttled targets, by isolation.
  private let buckets = Mutex<[String: TokenBucket]>([:])
  private let counts = Mutex(Counts())

  package init() {}

  /// Goes on by what is in force now.
  package func publish(_ isolations: [Isolation]) {
    let next = DecisionTable(isolations)
    let ids = Set(isolations.map(\.id))
    table.withLock { $0 = next }
    buckets.withLock { buckets in
      if buckets.keys.contains(where: { !ids.contains($0) }) {
        buckets = buckets.filter { ids.contains($0.key) }
      }
    }
  }

  /// - Parameter now: monotonic nanoseconds.
  func decide(_ call: DecisionCall, now: Int64) -> Decision {
    let decision = answer(call, now: now)
    counts.withLock { counts in
      switch decision {
      case .allowed: counts.allowed += 1
      case .degraded: counts.degraded += 1
      case .throttled: counts.throttled += 1
      case .isolated: counts.isolated += 1
      }
    }
    return decision
  }

  private func answer(_ call: DecisionCall, now: Int64) -> Decision {
    let table = table.withLock { $0 }
    guard !table.isEmpty, let rule = table.rule(for: call) else { return .allowed }
    switch rule.action {
    case .observe: return .allowed
    case .degrade(let model): return .degraded(id: rule.id, model: model)
    case .isolate: return .isolated(id: rule.id)
    case .throttle(let perMinute):
      // A call takes sixty units of a bucket that gains one for each call a minute, a second; it holds ten
      // seconds' worth, or one call.
      let wait = buckets.withLock { buckets -> Int? in
        var bucket =
          buckets[rule.id]
          ?? TokenBucket(
            rate: perMinute, burstSeconds: max(10, (59 + perMinute) / max(1, perMinute)), now: now)
        let wait = bucket.wait(for: 60, now: now)
        if wait == nil { bucket.take(60, now: now) }
        buckets[rule.id] = bucket
        return wait
      }
      return wait.map { .throttled(id: rule.id, retryAfter: $0) } ?? .allowed
    }
  }

  func write(to page: inout MetricsText) {
    let counts = counts.withLock { $0 }
    page.family(
      "farthing_decisions_total", .counter, "Calls of gateways that were decided, by answer.")
    for (answer, count) in [
      ("allowed", counts.allowed), ("degraded", counts.degraded), ("isolated", counts.isolated),
      ("throttled", counts.throttled),
    ] {
      page.sample("farthing_decisions_total", [("answer", answer)], count)
    }
  }
}
