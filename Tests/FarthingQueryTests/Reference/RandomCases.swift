import FarthingCore

/// A small deterministic generator (SplitMix64), so that a failure can be repeated by its seed.
struct Dice: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &self)]
  }

  mutating func below(_ bound: Int64) -> Int64 { Int64.random(in: 0..<bound, using: &self) }
}

/// Random events that collide often: few values of everything, some absent, some enormous.
struct RandomEvents {
  static let start: Int64 = 1_772_409_600_000_000_000
  static let hour: Int64 = 3_600_000_000_000

  static func request(_ dice: inout Dice, arrival: Int64) -> ReferenceRequest {
    var request = ReferenceRequest()
    request.time = start + dice.below(72) * hour / 2 + dice.below(3) * 250_000_000
    request.receivedTime = arrival
    let texts: [(TextField, [String], Int)] = [
      (.id, (0..<40).map { "id-\($0)" }, 80), (.model, ["atlas", "borea", "it's", "ö"], 98),
      (.provider, ["openai", "self"], 70), (.operation, ["chat", "rerank"], 60),
      (.endpoint, ["e1", "e2", "e3"], 60), (.site, ["sin1", "ams1", "SIN1"], 80),
      (.clientSite, ["c1"], 20), (.workload, ["search", "support", "s"], 80),
      (.identity, (0..<12).map { "spiffe://prod/identity/\($0)" }, 80),
      (.tenant, ["t1", "t2", "t10"], 70), (.usage, ["reported", "estimated", "missing"], 20),
      (.responseCache, ["hit", "semantic_hit", "miss"], 30),
      (
        .promptHash,
        (0..<6).map { "0123456789abcde\($0)" } + ["short", "A-prompt-of-some-length-\(1)"], 70
      ),
      (.status, ["ok", "error", "timeout", "blocked"], 50), (.error, ["overloaded"], 15),
      (.fallbackFrom, ["atlas"], 15), (.serviceTier, ["standard", "priority"], 25),
      (.dataClass, ["public", "restricted"], 30), (.jurisdiction, ["EU"], 30),
      (.task, (0..<8).map { "task-00000000000000\($0)" }, 60),
      (.outcome, ["success", "failure"], 15),
    ]
    for (field, values, percent) in texts where dice.chance(percent) {
      request.texts[field] = dice.pick(values)
    }
    fillNumbers(&request, &dice)
    fillCharge(&request, &dice)
    return request
  }

  /// Lets a repricing have changed some of the requests.
  static func reprice(_ requests: inout [ReferenceRequest], _ dice: inout Dice) {
    for place in requests.indices where dice.chance(30) {
      requests[place].booking = requests[place].charge
      requests[place].charge = .unpriced
      fillCharge(&requests[place], &dice)
    }
  }

  private static func fillNumbers(_ request: inout ReferenceRequest, _ dice: inout Dice) {
    let isHuge = dice.chance(2)
    for field in IntegerField.allCases where field != .accelerators {
      guard dice.chance(field == .inputTokens || field == .outputTokens ? 85 : 30) else { continue }
      switch field {
      case .coldStart, .batch: request.integers[field] = dice.below(2)
      case .attempt, .step: request.integers[field] = 1 + dice.below(3)
      case .httpStatus: request.integers[field] = dice.pick([200, 429, 500])
      default: request.integers[field] = isHuge ? 1 << 53 : dice.below(20)
      }
    }
    for field in RealField.allCases where field != .tokensPerSecond && dice.chance(60) {
      request.reals[field] =
        dice.chance(5) ? dice.pick([0, 1e300, 1e-9]) : Double(dice.below(5_000)) / 10
    }
    if dice.chance(30) { request.reportedCost = amount(&dice) }
    for (name, values) in [("team", ["a", "b"]), ("env", ["prod"]), ("cost-center", ["cc 1"])] {
      if dice.chance(40) { request.tags[name] = dice.pick(values) }
    }
    for name in ["web_search", "image"] where dice.chance(20) {
      request.units[name] = dice.below(4)
    }
  }

  private static func fillCharge(_ request: inout ReferenceRequest, _ dice: inout Dice) {
    if dice.chance(15) { return }
    let output = amount(&dice)
    let units = dice.chance(20) ? amount(&dice) : 0
    request.charge = Charge(
      state: dice.chance(20) ? .estimated : .priced, cost: amount(&dice) + output + units,
      outputCost: output, unitsCost: units,
      cacheSavings: dice.chance(30) ? amount(&dice) - amount(&dice) : 0, price: -1)
  }

  /// Mostly below a dollar, sometimes beyond 64 bits of picodollars.
  private static func amount(_ dice: inout Dice) -> Int128 {
    if dice.chance(1) { return Int128(dice.below(.max)) << Int128(dice.below(20)) }
    if dice.chance(20) { return Int128(dice.below(3)) }
    return Int128(dice.below(1_000_000_000_000))
  }

  static func outcome(_ dice: inout Dice, arrival: Int64) -> ReferenceOutcome {
    ReferenceOutcome(
      time: start + dice.below(72) * hour / 2, receivedTime: arrival,
      task: "task-00000000000000\(dice.below(10))", isSuccess: dice.chance(60),
      value: dice.chance(70) ? amount(&dice) : nil)
  }
}

/// Random queries over such events.
enum RandomQueries {
  static let fields =
    RequestField.all.filter(\.isComparable).map(\.name) + [
      "tags.team", "tags.env", "tags.cost-center", "tags.none", "units.web_search",
    ]

  /// Fields of few values, which make groups that are worth looking at.
  static let usualFields = [
    "model", "site", "workload", "tenant", "identity", "tags.team", "status", "attempt", "usage",
    "batch", "task", "service_tier", "cost_state", "booked_cost_state", "booked_price",
  ]

  static let metrics = Metric.catalogue.filter { $0.definition != .unavailable }.map(\.name)

  static func query(_ dice: inout Dice, _ requests: [ReferenceRequest]) -> ReferenceQuery {
    var query = ReferenceQuery()
    for _ in 0...dice.below(5) {
      let name = dice.pick(metrics)
      if !query.metrics.contains(name) { query.metrics.append(name) }
    }
    if dice.chance(40) { query.every = dice.pick([1, 24, 7 * 24, 6]) * RandomEvents.hour }
    for _ in 0..<dice.below(4) {
      let name = dice.chance(80) ? dice.pick(usualFields) : dice.pick(fields)
      if query.groups.contains(name) || (name == "time" && query.every != nil) { continue }
      query.groups.append(name)
    }
    if query.every == 7 * 24 * RandomEvents.hour { query.every = 3 * 24 * RandomEvents.hour }
    if dice.chance(50) { query.condition = condition(&dice, requests, depth: 0) }
    if dice.chance(40) { query.since = RandomEvents.start + dice.below(72) * RandomEvents.hour / 2 }
    if dice.chance(40) {
      query.until = RandomEvents.start + dice.below(72) * RandomEvents.hour / 2 + 1
    }
    // A window that ends before it begins is refused.
    if let since = query.since, let until = query.until, until < since {
      query.since = until
      query.until = since
    }
    if dice.chance(30) {
      // Approximate values could order differently without being wrong.
      let sure = metrics.filter { !$0.contains("_p") || $0.hasPrefix("cost_per") }
        .filter { !$0.hasSuffix("_mean") }
      query.order = dice.pick(sure)
    }
    if dice.chance(20) { query.limit = Int(dice.below(6)) }
    query.closedCohort = dice.chance(8)
    return query
  }

  /// A query that looks at one column of texts at most, for which segments know sums.
  static func oneColumn(_ dice: inout Dice, _ requests: [ReferenceRequest]) -> ReferenceQuery {
    var query = query(&dice, requests)
    let additive = metrics.filter { !$0.hasPrefix("distinct_") && !$0.contains("task") }
      .filter { !$0.hasPrefix("repeated_") }
    query.metrics = []
    for _ in 0...dice.below(5) {
      let name = dice.pick(additive)
      if !query.metrics.contains(name) { query.metrics.append(name) }
    }
    if let order = query.order, !additive.contains(order) { query.order = nil }
    query.closedCohort = false
    let field = dice.pick([
      "model", "site", "tenant", "status", "service_tier", "tags.team", "tags.none", "cost_state",
      "response_cache", "identity", "usage",
    ])
    query.groups = dice.chance(60) ? [field] : []
    query.condition =
      dice.chance(50) ? condition(&dice, requests, depth: 2, fields: [field]) : nil
    return query
  }

  static func condition(
    _ dice: inout Dice, _ requests: [ReferenceRequest], depth: Int, fields only: [String]? = nil
  ) -> ReferenceCondition {
    if depth < 4, dice.chance(50) {
      let left = condition(&dice, requests, depth: depth + 1, fields: only)
      if dice.chance(25) { return .not(left) }
      let right = condition(&dice, requests, depth: depth + 1, fields: only)
      return dice.chance(50) ? .and(left, right) : .or(left, right)
    }
    let field = dice.pick(only ?? (dice.chance(60) ? usualFields : fields))
    if dice.chance(12) { return .isNull(field) }
    // A value that occurs, so that conditions divide the rows.
    var literal: ReferenceValue?
    for _ in 0..<10 where literal == nil && !requests.isEmpty {
      literal = dice.pick(requests).value(field)
    }
    guard let literal else { return .isNull(field) }
    if case .text(let text) = literal, dice.chance(20) {
      let prefix = String(text.prefix(Int(dice.below(3))))
      let middle = String(text.suffix(Int(dice.below(2))))
      if !(prefix + middle).contains(where: { "%_'".contains($0) }) {
        return .like(field, prefix: prefix, middle: middle)
      }
    }
    if dice.chance(20) {
      let more = (0..<3).compactMap { _ in dice.pick(requests).value(field) }
      return .oneOf(field, [literal] + more)
    }
    if case .boolean = literal { return .compare(field, dice.pick(["=", "!="]), literal) }
    return .compare(field, dice.pick(["=", "!=", "<", "<=", ">", ">="]), literal)
  }
}
