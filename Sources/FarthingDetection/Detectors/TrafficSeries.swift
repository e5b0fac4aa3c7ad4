// Jumps in the number of requests: the level of the last hour against the next ten minutes.
//
// Spend of agents is heavy-tailed, their number of requests is less so, and a level that wanders by half over a
// day hardly moves within ten minutes. So the forecast of a step is the level of late times the shape of the day,
//
//     λ = A/B · q(s)      A, B: forgetting means of counts and of the shape q over the last hour
//     z = (x − λ)/√(v·(λ + 1))      v: the series' own dispersion
//     U ← max(0, U + min(z, 4) − 1)      D ← max(0, D + min(−z, 4) − 1)
//
// and a step up or down shows within half an hour where the CUSUM in dollars, which must tolerate the largest half
// hours of days before, takes hours. While U or D is up the level hardly learns.

internal import FarthingCore

struct TrafficSeries: Sendable, Archivable {
  /// What U or D must exceed at least.
  static let threshold = 9.0
  /// Buckets of a step: ten minutes.
  static let step: Int64 = 60
  private static let slots = 144

  private(set) var count = 0.0
  private(set) var cost = 0.0
  /// Usual counts by step of the day; empty until something is known, −1 where a slot is not.
  private(set) var shape: [Float] = []
  private var level = 0.0
  private var base = 0.0
  private var dispersion = ForgettingMean()
  private var unitCost = ForgettingMean()
  private(set) var steps = 0.0
  private(set) var up = 0.0
  private(set) var down = 0.0
  private(set) var start: Int64 = 0
  private var seen = 0.0
  private var foreseen = 0.0
  private(set) var dollars = 0.0
  private(set) var expectedDollars = 0.0
  private(set) var alarmedAt: Int64 = -1
  private(set) var isDrop = false
  private var calm = 0
  /// The largest statistic of the excursion at hand, and of those of late that came to nothing.
  private var peak = 0.0
  private(set) var habit = 0.0

  var isAlarmed: Bool { alarmedAt >= 0 }
  /// Requests of the excursion for each one that was forecast.
  var ratio: Double { seen / max(foreseen, 1e-9) }
  /// Dollars beyond the forecast since the excursion began; negative for a drop.
  var excess: Double { dollars - expectedDollars }

  enum Verdict: Sendable {
    case nothing, opened, goingOn, closed
  }

  mutating func add(count requests: Double, cost spent: Double) {
    count += requests
    cost += spent
  }

  /// What is usual at a slot of the day, with its neighbours, never zero.
  private func usual(_ slot: Int) -> Double? {
    guard !shape.isEmpty else { return nil }
    let now = Double(shape[slot])
    guard now >= 0 else { return nil }
    let before = Double(max(0, shape[(slot + Self.slots - 1) % Self.slots]))
    let after = Double(max(0, shape[(slot + 1) % Self.slots]))
    // A step as sharp as a nightly job's start is kept: neighbours count as far as they are alike.
    let near = (min(before, 2 * now) + 2 * now + min(after, 2 * now)) / 4
    return max(near, now) + 0.3
  }

  /// What the step at hand is forecast to be; nil where too little is known.
  func forecast(_ bucket: Int64) -> Double? {
    guard steps >= 144, base > 0, let usual = usual(Self.slot(bucket - 1)) else { return nil }
    return level / base * usual
  }

  private static func slot(_ bucket: Int64) -> Int {
    let step = CivilTime.floorDivide(bucket, step)
    return Int(step - CivilTime.floorDivide(step, Int64(slots)) * Int64(slots))
  }

  /// Forgets the step at hand: parts of it were not heard.
  mutating func skip() {
    count = 0
    cost = 0
  }

  /// Judges the step that ends before `bucket`.
  ///
  /// - Parameters:
  ///   - share: how all requests together stand against their forecast, at most 1.
  ///   - least: US dollars beyond the forecast that an alarm is about.
  mutating func finish(
    _ bucket: Int64, share: Double, least: Double
  ) -> Verdict {
    defer { skip() }
    var verdict = Verdict.nothing
    let known = forecast(bucket)
    if let known { verdict = judge(known, share, bucket, least) }
    learn(bucket, known)
    return verdict
  }

  private mutating func judge(
    _ known: Double, _ share: Double, _ bucket: Int64, _ least: Double
  ) -> Verdict {
    let spread = max(dispersion.value, 1)
    let z = (count - known) / (spread * (known + 1)).squareRoot()
    let low = known * share
    let fall = (low - count) / (spread * (low + 1)).squareRoot()
    if up == 0, down == 0, !isAlarmed {
      start = bucket - Self.step
      seen = 0
      foreseen = 0
      dollars = 0
      expectedDollars = 0
    }
    up = min(60, max(0, up + min(z, 4) - 1))
    down = min(60, max(0, down + min(fall, 4) - 0.7))
    peak = max(peak, up, down)
    if up == 0, down == 0 {
      if !isAlarmed { habit = max(habit, min(peak, 30)) }
      peak = 0
    }
    // 5 % a day.
    habit *= 0.99965
    if up > 0 || down > 0 || isAlarmed {
      seen += count
      foreseen += isDrop || down > up ? low : known
      dollars += cost
      expectedDollars += (isDrop || down > up ? low : known) * unitCost.value
    }
    dispersion.add(
      min((count - known) * (count - known) / (known + 1), 9 * spread), memory: 1000,
      rate: up > 4 || down > 4 ? 0.1 : 1)
    return isAlarmed ? follow(known, low, bucket) : open(bucket, least)
  }

  private mutating func open(_ bucket: Int64, _ least: Double) -> Verdict {
    // A series that jumps every day must jump further.
    let limit = max(Self.threshold, 1.2 * habit)
    let isUp = up > limit && ratio > 1.7 && excess >= least
    let isDown = down > limit && ratio < 0.45 && -excess >= 0.7 * least
    guard steps >= 432, isUp || isDown else { return .nothing }
    isDrop = isDown
    alarmedAt = bucket
    calm = 0
    return .opened
  }

  private mutating func follow(_ known: Double, _ low: Double, _ bucket: Int64) -> Verdict {
    let isOver = isDrop ? count > 0.65 * low : count < 1.35 * known
    calm = isOver ? calm + 1 : 0
    guard calm >= 3 || bucket - alarmedAt >= SpendSeries.bucketsPerDay else { return .goingOn }
    if calm < 3 {
      // The level of a day is the usual one now.
      level = count
      base = usual(Self.slot(bucket - 1)) ?? 1
    }
    close()
    return .closed
  }

  mutating func close() {
    alarmedAt = -1
    isDrop = false
    habit = max(habit, 0.5 * min(peak, 30))
    peak = 0
    up = 0
    down = 0
    calm = 0
  }

  private mutating func learn(_ bucket: Int64, _ known: Double?) {
    let slot = Self.slot(bucket - 1)
    if shape.isEmpty { shape = Array(repeating: -1, count: Self.slots) }
    var value = count
    if isAlarmed, let known { value = known }
    let old = Double(shape[slot])
    shape[slot] = Float(old < 0 ? value : old + 0.3 * (value - old))
    let usual = usual(slot) ?? 1
    let rate = isAlarmed ? 0 : up > 3 || down > 3 ? 0.015 : 0.15
    level += rate * (count - level)
    base += rate * (usual - base)
    if count > 0, !isAlarmed { unitCost.add(cost / count, memory: 432) }
    steps += 1
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&count)
    archive.field(&cost)
    archive.field(&shape)
    archive.field(&level)
    archive.field(&base)
    archive.field(&dispersion)
    archive.field(&unitCost)
    archive.field(&steps)
    archive.field(&up)
    archive.field(&down)
    archive.field(&start)
    archive.field(&seen)
    archive.field(&foreseen)
    archive.field(&dollars)
    archive.field(&expectedDollars)
    archive.field(&alarmedAt)
    archive.field(&isDrop)
    archive.field(&calm)
    archive.field(&peak)
    archive.field(&habit)
    if archive.isReading, !shape.isEmpty, shape.count != Self.slots { archive.refuse() }
  }
}
