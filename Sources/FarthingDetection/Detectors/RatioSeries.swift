// The ratio CUSUM: what a request costs, and what drives it.
//
// Requests of a slice are gathered into blocks; y is the logarithm of a block's ratio, or the plain share for
// cache hits, and m and s its usual mean and spread:
//
//     z = clip((y − m)/s · √(n/N), ±w)     G1 ← max(0, G1 + z − k1)     G2 ← max(0, G2 + z − k2)
//
// G1 finds steps within a few blocks, G2 drifts within a day or two. An alarm also needs money: the cost of the
// blocks of the excursion beyond what they would have cost at m.

internal import FarthingCore

/// What is watched of a slice's requests.
enum Driver: UInt8, Sendable, CaseIterable {
  case cost, input, output, reasoning, mix, cache, latency

  struct Shape {
    /// Requests that a block needs.
    var block: Double
    /// Whether less is worse.
    var falls = false
    var step: (k: Double, h: Double)
    var drift: (k: Double, h: Double)
    var clip: Double
  }

  var shape: Shape {
    switch self {
    case .cost: Shape(block: 40, step: (0.8, 9), drift: (0.3, 18), clip: 3)
    case .cache:
      Shape(block: 20, falls: true, step: (0.9, 12), drift: (0.35, 24), clip: 4)
    case .latency: Shape(block: 40, step: (1.2, 16), drift: (0.7, 40), clip: 4)
    default: Shape(block: 20, step: (0.9, 12), drift: (0.35, 24), clip: 4)
    }
  }

  /// What an alarm of it is called.
  var kind: AlertKind {
    switch self {
    case .cost: .unitCostDrift
    case .input: .promptBloat
    case .output: .outputBloat
    case .reasoning: .reasoningCreep
    case .mix: .modelMix
    case .cache: .cacheCollapse
    case .latency: .latencySurge
    }
  }

  /// The unit metric as `farthing query` names it, and how it is told.
  var metric: String {
    switch self {
    case .cost, .mix: "cost_per_request"
    case .input: "input_tokens"
    case .output: "output_tokens"
    case .reasoning: "reasoning_tokens"
    case .cache: "cache_hit_rate"
    case .latency: "latency_mean"
    }
  }
}

/// Sums of a block: of the numerator, of the denominator, and the money that the driver moves.
struct BlockSums: Sendable, Archivable {
  var requests = 0.0
  var numerator = 0.0
  var denominator = 0.0
  /// Dollars of the part of the cost that is proportional to the ratio.
  var dollars = 0.0

  mutating func add(_ other: BlockSums) {
    requests += other.requests
    numerator += other.numerator
    denominator += other.denominator
    dollars += other.dollars
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&requests)
    archive.field(&numerator)
    archive.field(&denominator)
    archive.field(&dollars)
  }
}

struct RatioSeries: Sendable, Archivable {
  private(set) var block = BlockSums()
  private(set) var blockStart: Int64 = -1
  private(set) var mean = 0.0
  private(set) var spread = 0.0
  private(set) var blocks = 0.0
  private(set) var step = 0.0
  private(set) var drift = 0.0
  private var habitStep = 0.0
  private var habitDrift = 0.0
  private(set) var start: Int64 = 0
  /// Dollars beyond the usual since the excursion began.
  private(set) var excess = 0.0
  private(set) var alarmedAt: Int64 = -1
  private var calm = 0
  /// The value of the last block.
  private(set) var last = 0.0
  /// Mean of the excursion's blocks, for telling.
  private var excursionSum = 0.0
  private var excursionBlocks = 0.0
  private(set) var expectedThen = 0.0
  private var recentExcess = 0.0

  var isAlarmed: Bool { alarmedAt >= 0 }
  /// Where the excursion stands on average.
  var excursionMean: Double { excursionBlocks > 0 ? excursionSum / excursionBlocks : last }
  /// Dollars an hour beyond the usual, lately.
  var excessPerHour: Double { recentExcess }

  enum Verdict: Sendable {
    case nothing, opened, goingOn, closed
  }

  /// Adds a bucket's sums; a block that is full is judged.
  mutating func add(
    _ sums: BlockSums, bucket: Int64, _ driver: Driver, _ settings: DetectionSettings
  ) -> Verdict {
    guard sums.requests > 0 else { return .nothing }
    if block.requests == 0 { blockStart = bucket }
    block.add(sums)
    let shape = driver.shape
    let age = bucket - blockStart
    let isFull = block.requests >= shape.block && age >= 30
    let isOld = block.requests >= shape.block / 4 && age >= 4 * SpendSeries.bucketsPerHour
    guard isFull || isOld else { return .nothing }
    defer { block = BlockSums() }
    guard let value = value(driver) else { return .nothing }
    return judge(value, bucket: bucket, driver, shape, settings)
  }

  private func value(_ driver: Driver) -> Double? {
    guard block.denominator > 0, block.numerator >= 0 else { return nil }
    switch driver {
    case .cache: return min(1, block.numerator / block.denominator)
    case .latency: return block.numerator / block.denominator
    default:
      guard block.numerator > 0 else { return nil }
      return ReproducibleMath.logarithm(block.numerator / block.denominator)
    }
  }

  private mutating func judge(
    _ value: Double, bucket: Int64, _ driver: Driver, _ shape: Driver.Shape,
    _ settings: DetectionSettings
  ) -> Verdict {
    last = value
    blocks += 1
    guard blocks > 12 else {
      learn(value, shape, rate: 1, learnsSpread: true)
      return .nothing
    }
    let weight = min(2, (block.requests / shape.block).squareRoot())
    let sign = shape.falls ? -1.0 : 1.0
    let floor = driver == .cache ? 0.01 : 0.02
    var z = sign * (value - mean) / max(spread, floor) * weight
    z = min(shape.clip, max(-shape.clip, z))
    let before = max(step, drift)
    step = max(0, step + z - shape.step.k)
    drift = max(0, drift + z - shape.drift.k)
    let extra = money(value, driver)
    if before == 0 || drift == 0 { beginExcursion(bucket) }
    if drift > 0 || step > 0 {
      excess += extra
      excursionSum += value
      excursionBlocks += 1
    }
    let hours = max(1.0 / 12, Double(bucket - blockStart + 1) / 360)
    recentExcess += 0.3 * (extra / hours - recentExcess)
    return verdict(value, z, bucket, driver, shape, settings)
  }

  private mutating func beginExcursion(_ bucket: Int64) {
    if !isAlarmed {
      habitStep = max(habitStep * 0.995, min(step, 12))
      start = blockStart
      excess = 0
      excursionSum = 0
      excursionBlocks = 0
      expectedThen = mean
    }
  }

  private mutating func verdict(
    _ value: Double, _ z: Double, _ bucket: Int64, _ driver: Driver, _ shape: Driver.Shape,
    _ settings: DetectionSettings
  ) -> Verdict {
    let isHigh = drift > shape.drift.h / 2
    learn(
      value, shape, rate: isHigh || isAlarmed ? 0.1 : 1, learnsSpread: !isHigh && !isAlarmed)
    guard isAlarmed else {
      let isStep = step > shape.step.h
      let isDrift = drift > shape.drift.h
      let isWorth =
        driver == .latency
        ? excursionMean - expectedThen > 0.3 : excess >= settings.minDriftUSD
      guard isStep || isDrift, isWorth else { return .nothing }
      alarmedAt = bucket
      calm = 0
      return .opened
    }
    calm = z < 1 ? calm + 1 : 0
    if bucket - alarmedAt >= 2 * SpendSeries.bucketsPerDay {
      mean = excursionMean
      close()
      return .closed
    }
    if calm >= 4 {
      close()
      return .closed
    }
    return .goingOn
  }

  /// Whether an alarm is open and no block was added for a day.
  func isStale(_ bucket: Int64) -> Bool {
    isAlarmed && bucket - max(blockStart, alarmedAt) > SpendSeries.bucketsPerDay
  }

  mutating func close() {
    alarmedAt = -1
    step = 0
    drift = 0
    calm = 0
  }

  private mutating func learn(
    _ value: Double, _ shape: Driver.Shape, rate: Double, learnsSpread: Bool
  ) {
    let memory = min(blocks, 300)
    guard blocks > 1 else {
      mean = value
      spread = 0.05
      return
    }
    var innovation = value - mean
    if blocks > 12 { innovation = min(3 * spread, max(-3 * spread, innovation)) }
    mean += innovation * rate / memory
    guard learnsSpread else { return }
    var deviation = abs(value - mean)
    if blocks > 12 { deviation = min(4 * spread, deviation) }
    // 1.25 mean absolute deviations are a standard deviation of what is normally distributed.
    spread += (1.25 * deviation - spread) / memory
  }

  /// Dollars of the block beyond what it would have cost at the usual ratio.
  private func money(_ value: Double, _ driver: Driver) -> Double {
    switch driver {
    case .latency: return 0
    case .cache:
      // A cached token costs a tenth to a quarter of a fresh one; a tenth is taken.
      let usual = 1 - 0.9 * min(1, max(0, mean))
      let now = 1 - 0.9 * value
      return block.dollars * (1 - usual / max(now, 0.1))
    default: return block.dollars * (1 - ReproducibleMath.exponential(mean - value))
    }
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&block)
    archive.field(&blockStart)
    archive.field(&mean)
    archive.field(&spread)
    archive.field(&blocks)
    archive.field(&step)
    archive.field(&drift)
    archive.field(&habitStep)
    archive.field(&habitDrift)
    archive.field(&start)
    archive.field(&excess)
    archive.field(&alarmedAt)
    archive.field(&calm)
    archive.field(&last)
    archive.field(&excursionSum)
    archive.field(&excursionBlocks)
    archive.field(&expectedThen)
    archive.field(&recentExcess)
  }
}
