// Who calls, who answers, and how well it goes: what guardrails measure caps and health by.
//
// By dimension one entry for each value, found by a hash of its bytes; so an event costs four look-ups and no
// text is made for a value that is known. "Now" is the newest event's time, so a stream that is replayed, or that
// stands still, is measured by its own clock.

package import FarthingCore
internal import FarthingDetection

/// The values of each dimension that were active recently, with their health.
package struct ActivePopulation: Sendable {
  /// Most values of one dimension that are told apart; further ones are not counted, which makes caps tighter.
  static let limit = 200_000
  /// Health is that of two spans of this many nanoseconds.
  static let span = 5 * CivilTime.minute
  /// Dollars are summed over spans of this many nanoseconds.
  static let meter = 10 * CivilTime.second
  private static let modelLimit = 64

  struct Entry: Sendable {
    var value: String
    /// The newest event; Unix nanoseconds.
    var seenAt: Int64
    /// The start of the newest call that was let through.
    var passedAt = Int64.min
    /// Of an identity: its newest tenant, by hash; 0 for none.
    var tenant: UInt64 = 0
    /// Of an endpoint: the models that it answered.
    var models: [UInt64] = []
    // Calls that went well and that failed, in the span at hand and in the one before.
    var spanNumber = Int64.min
    var good: (now: Int, before: Int) = (0, 0)
    var bad: (now: Int, before: Int) = (0, 0)
    // Picodollars by arrival, in the span at hand and in the one before.
    var meterNumber = Int64.min
    var spent: (now: Int64, before: Int64) = (0, 0)

    /// Whether it answers: at most half of its recent calls failed.
    func isHealthy(at newest: Int64) -> Bool {
      let age = CivilTime.floorDivide(newest, ActivePopulation.span) - spanNumber
      guard age <= 1 else { return false }
      let good = age == 0 ? self.good.now + self.good.before : self.good.now
      let bad = age == 0 ? self.bad.now + self.bad.before : self.bad.now
      return good > 0 && bad <= good
    }

    mutating func count(isGood: Bool, at time: Int64) {
      let number = CivilTime.floorDivide(time, ActivePopulation.span)
      if number > spanNumber {
        let isNext = number - 1 == spanNumber
        good = (0, isNext ? good.now : 0)
        bad = (0, isNext ? bad.now : 0)
        spanNumber = number
      }
      if isGood { good.now += 1 } else { bad.now += 1 }
    }

    mutating func spend(_ amount: Int64, at time: Int64) {
      let number = CivilTime.floorDivide(time, ActivePopulation.meter)
      if number > meterNumber {
        spent = (0, number - 1 == meterNumber ? spent.now : 0)
        meterNumber = number
      }
      // What does not fit is above anything that it is compared with.
      spent.now = spent.now.addingReportingOverflow(amount).overflow ? .max : spent.now + amount
    }
  }

  private struct Table: Sendable {
    var places: [UInt64: Int] = [:]
    var entries: [Entry] = []
  }

  private var tables = [Table](
    repeating: Table(), count: IsolationTarget.Dimension.allCases.count)
  private var tenants: [UInt64: String] = [:]
  /// The newest time of an event that was not ahead of the clock; Unix nanoseconds.
  package internal(set) var newest = Int64.min
  private var prunedAt = Int64.min
  /// Nanoseconds after which a value is not active any more.
  package var window: Int64

  package init(window: Duration) { self.window = window.wholeNanoseconds }

  // MARK: - Events

  /// Takes the requests of a priced batch.
  ///
  /// - Parameters:
  ///   - places: those of them that are new.
  ///   - now: Unix nanoseconds; what is ahead of it does not move the clock.
  /// - Complexity: O(places); well below a microsecond each.
  package mutating func observe(_ batch: ChargedBatch, _ places: [Int], now: Int64) {
    for place in places { observe(batch, place, now: now) }
    prune(every: window / 4)
  }

  /// - Parameter pause: nanoseconds.
  mutating func prune(every pause: Int64) {
    if newest > prunedAt.addingReportingOverflow(pause).partialValue { prune() }
  }

  private mutating func observe(_ batch: ChargedBatch, _ place: Int, now: Int64) {
    let event = batch.decoded.events[place]
    guard event.kind == .request, event.time <= now else { return }
    newest = max(newest, event.time)
    let status = event.range(of: .status).map { batch.decoded.string($0) } ?? "ok"
    let charge = batch.charges[place]
    let call = Call(
      time: event.time, now: now, isGood: status == "ok",
      isPassed: status != "blocked" && status != "rate_limited",
      cost: charge.state == .unpriced ? 0 : Observation.clamped(charge.cost))
    let model = note(.model, event.range(of: .model), batch, call)
    if let identity = note(.identity, event.range(of: .identity), batch, call) {
      let range = event.range(of: .tenant).flatMap { $0.length > 0 ? $0 : nil }
      set(tenant: range.map { Self.hash($0, batch) } ?? 0, ofIdentity: identity) {
        range.map { batch.decoded.string($0) } ?? ""
      }
    }
    if let endpoint = note(.endpoint, event.range(of: .endpoint), batch, call), model != nil,
      let range = event.range(of: .model)
    {
      add(model: Self.hash(range, batch), toEndpoint: endpoint)
    }
    _ = note(.site, event.range(of: .site), batch, call)
  }

  mutating func set(tenant: UInt64, ofIdentity identity: Int, _ text: () -> String) {
    tables[Self.place(.identity)].entries[identity].tenant = tenant
    if tenant != 0, tenants[tenant] == nil, tenants.count < Self.limit {
      tenants[tenant] = text()
    }
  }

  mutating func add(model: UInt64, toEndpoint endpoint: Int) {
    let table = Self.place(.endpoint)
    guard !tables[table].entries[endpoint].models.contains(model),
      tables[table].entries[endpoint].models.count < Self.modelLimit
    else { return }
    tables[table].entries[endpoint].models.append(model)
  }

  /// What is noted of one event.
  struct Call {
    var time: Int64
    var now: Int64
    var isGood: Bool
    var isPassed: Bool
    var cost: Int64
  }

  private mutating func note(
    _ dimension: IsolationTarget.Dimension, _ range: ByteRange?, _ batch: ChargedBatch,
    _ call: Call
  ) -> Int? {
    guard let range, range.length > 0 else { return nil }
    return note(dimension, hash: Self.hash(range, batch), call) { batch.decoded.string(range) }
  }

  /// - Returns: the place of the value's entry; nil where there is no room for it.
  mutating func note(
    _ dimension: IsolationTarget.Dimension, hash: UInt64, _ call: Call, _ text: () -> String
  ) -> Int? {
    let table = Self.place(dimension)
    let place: Int
    if let known = tables[table].places[hash] {
      place = known
    } else {
      guard tables[table].entries.count < Self.limit else { return nil }
      place = tables[table].entries.count
      tables[table].places[hash] = place
      tables[table].entries.append(
        Entry(value: text(), seenAt: call.time))
    }
    tables[table].entries[place].seenAt = max(tables[table].entries[place].seenAt, call.time)
    if call.isPassed {
      tables[table].entries[place].passedAt = max(
        tables[table].entries[place].passedAt, call.time)
      // A call that was turned away says nothing of who answers.
      tables[table].entries[place].count(isGood: call.isGood, at: call.time)
    }
    if call.cost > 0 { tables[table].entries[place].spend(call.cost, at: call.now) }
    return place
  }

  private static func place(_ dimension: IsolationTarget.Dimension) -> Int {
    switch dimension {
    case .identity: 0
    case .endpoint: 1
    case .model: 2
    case .site: 3
    }
  }

  private static func hash(_ range: ByteRange, _ batch: ChargedBatch) -> UInt64 {
    StableHash.of(
      batch.decoded.bytes.span.extracting(
        Int(range.offset)..<Int(range.offset) + Int(range.length)))
  }

  /// Forgets what is not active any more.
  private mutating func prune() {
    prunedAt = newest
    let since = since
    for table in tables.indices {
      guard tables[table].entries.contains(where: { $0.seenAt < since }) else { continue }
      var kept = Table()
      for entry in tables[table].entries where entry.seenAt >= since {
        kept.places[StableHash.of(entry.value)] = kept.entries.count
        kept.entries.append(entry)
      }
      tables[table] = kept
    }
    let known = Set(tables[0].entries.map(\.tenant))
    tenants = tenants.filter { known.contains($0.key) }
  }

  private var since: Int64 { newest.subtractingReportingOverflow(window).partialValue }

  // MARK: - Questions

  private func entries(_ dimension: IsolationTarget.Dimension) -> [Entry] {
    tables[Self.place(dimension)].entries
  }

  private func entry(_ target: IsolationTarget) -> Entry? {
    let table = tables[Self.place(target.dimension)]
    guard let place = table.places[StableHash.of(target.value)],
      table.entries[place].value == target.value, table.entries[place].seenAt >= since
    else { return nil }
    return table.entries[place]
  }

  /// How many values of a dimension are active.
  /// - Complexity: O(values).
  package func count(_ dimension: IsolationTarget.Dimension) -> Int {
    let since = since
    return entries(dimension).count { $0.seenAt >= since }
  }

  /// How many identities of a tenant are active.
  func count(ofTenant tenant: String) -> Int {
    let hash = StableHash.of(tenant)
    let since = since
    return entries(.identity).count { $0.seenAt >= since && $0.tenant == hash }
  }

  func isActive(_ target: IsolationTarget) -> Bool { entry(target) != nil }

  /// The tenant of an identity's newest call; nil where it has none.
  func tenant(of target: IsolationTarget) -> String? {
    guard target.dimension == .identity, let hash = entry(target)?.tenant, hash != 0 else {
      return nil
    }
    return tenants[hash]
  }

  /// The start of the newest call of a target that was let through; Unix nanoseconds.
  func passedAt(_ target: IsolationTarget) -> Int64? {
    entry(target).flatMap { $0.passedAt == .min ? nil : $0.passedAt }
  }

  /// US dollars an hour that a target has spent by arrival within the last ten to twenty seconds.
  func dollarsAnHour(_ target: IsolationTarget, now: Int64) -> Double {
    guard let entry = entry(target) else { return 0 }
    let age = CivilTime.floorDivide(now, Self.meter) - entry.meterNumber
    let spent: Double
    switch age {
    case ...0: spent = Double(entry.spent.now) + Double(entry.spent.before)
    case 1: spent = Double(entry.spent.now)
    default: return 0
    }
    return spent / 1e12 * Double(CivilTime.hour) / Double(2 * Self.meter)
  }

  /// Values of a dimension most of whose recent calls fail; none for identities, whose failures need not be theirs.
  func failing(_ dimension: IsolationTarget.Dimension) -> Set<String> {
    guard dimension != .identity else { return [] }
    let since = newest.subtractingReportingOverflow(2 * Self.span).partialValue
    return Set(
      entries(dimension).filter { $0.seenAt >= since && !$0.isHealthy(at: newest) }.map(\.value))
  }

  /// Whether somebody else can do what a target does: of an endpoint, answer each model that it answers.
  ///
  /// - Parameter gone: values that cannot be counted on, such as those that are isolated.
  /// - Returns: whether it holds, and what was seen.
  func others(
    than target: IsolationTarget, without gone: Set<String>
  ) -> (isEnough: Bool, saw: String) {
    let others = entries(target.dimension).filter {
      $0.value != target.value && !gone.contains($0.value) && $0.isHealthy(at: newest)
    }
    let word = target.dimension.rawValue
    guard let first = others.first else { return (false, "no other \(word) is healthy") }
    if target.dimension == .endpoint, let own = entry(target) {
      for model in own.models where !others.contains(where: { $0.models.contains(model) }) {
        let table = tables[Self.place(.model)]
        let name = table.places[model].map { table.entries[$0].value } ?? "one of its models"
        return (false, "no other healthy endpoint answers \(name)")
      }
    }
    return (
      true,
      others.count == 1
        ? "\(word) \(first.value) is healthy" : "\(others.count) other \(word)s are healthy"
    )
  }
}
