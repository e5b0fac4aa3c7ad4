// The dollar CUSUM: how much one identity, workload or tenant spends beyond what is expected of it.
//
//     G ← max(0, G + c − d)        c: dollars of a bucket of ten seconds; d: what is tolerated
//     alarm when G > h
//
// d follows the expectation μ: the largest of the mean of this hour of day, the means over a day and over two
// hours, and the mean while active; where the hour of day alone predicts much better, it counts alone. K, the
// largest half hour of late of this hour of day, covers what comes every night. E, the largest excursion of
// late, covers what comes in bursts. h is in dollars too, so that an alarm is always about money.
//
// 1. A bucket without events is zero while a site that the series uses is heard, else it is missing and nothing
//    is learnt of it.
// 2. All states change only when buckets close, in their order; how many pass at once makes no difference while
//    nothing happens in them but decay.
// 3. No division without a guard: every mean starts at zero with no weight.

internal import FarthingCore

/// What is known of all series together when a bucket closes.
struct FleetRates: Sendable {
  /// The bucket's number.
  var bucket: Int64
  /// Three quarters of the known identities spend less than this a bucket; dollars.
  var upperQuartile: Double
  /// When the first bucket ever was.
  var firstBucket: Int64
  /// Today's spend against what is expected, over all; at most 1.
  var ratio: Double
}

/// Dollars of a bucket.
struct BucketSpend: Sendable {
  /// At prices that follow changes slowly, and without what was announced: levels are of this.
  var steady = 0.0
  /// As charged.
  var actual = 0.0

  mutating func add(_ sums: CellSums, factor: Double) {
    steady += estimatedDollars(sums.steadyCost) / factor
    actual += estimatedDollars(sums.cost)
  }
}

struct SpendSeries: Sendable, Archivable {
  static let bucketsPerHour: Int64 = 360
  static let bucketsPerDay: Int64 = 8640

  // Where it stands.
  private(set) var first: Int64 = -1
  /// The next bucket that is not accounted for.
  private(set) var next: Int64 = 0
  /// The last bucket with an event.
  private(set) var lastActive: Int64 = -1
  /// Up to twelve sites that it is heard from.
  private(set) var sites: [ObservedName] = []

  // What is expected.
  private(set) var day = ForgettingMean()
  private(set) var short = ForgettingMean()
  private(set) var active = ForgettingMean()
  /// By hour of day: mean, largest half hour; empty until an hour is over. Dollars a bucket; −1 is unknown.
  private(set) var hours: [Float] = []
  private(set) var peaks: [Float] = []
  private(set) var hourSum = 0.0
  private(set) var hourSeen = 0.0
  private(set) var halfSum = 0.0
  private(set) var halfSeen = 0.0
  private(set) var hoursSeen = 0.0
  /// Mean absolute errors of two predictions of an hour: by its profile, and by the day's mean.
  private var profileError = ForgettingMean()
  private var meanError = ForgettingMean()
  /// Largest spend within half a minute of late; for the path by arrival.
  private(set) var burst = 0.0
  private(set) var total = 0.0

  // The excursion.
  private(set) var excess = 0.0
  private(set) var excessStart: Int64 = 0
  private(set) var excessPeak = 0.0
  private(set) var excursionCost = 0.0
  /// What was spent in it at the prices in force, announced events included.
  private(set) var excursionSpent = 0.0
  private(set) var habit = 0.0
  private var habitAt: Int64 = 0
  /// When the open alarm began; −1 for none.
  private(set) var alarmStart: Int64 = -1
  private(set) var alarmedAt: Int64 = -1
  /// What was expected when the alarm was raised: later ones have seen the attack.
  private(set) var expectedThen = 0.0
  private var calm: Int64 = 0
  private(set) var recent = 0.0
  /// Unclipped mean over two hours, for the level that is accepted after a day.
  private var raw = ForgettingMean()

  /// Costs of the two buckets before.
  private var previous: (Double, Double) = (0, 0)

  // Spend as it arrives, for the path without a watermark: where most events are, and what lies behind that by more
  // than half a minute. One event with a time of its own must not hide the others.
  private var front = ArrivalWindow()
  private var behind = ArrivalWindow()
  /// The bucket at whose sum the fast path last told.
  var toldAt: Int64 = -1

  var isKnown: Bool { first >= 0 }
  var isAlarmed: Bool { alarmStart >= 0 }
  /// Whether every bucket must be looked at.
  var isBusy: Bool { excess > 0 || alarmStart >= 0 }

  func age(at bucket: Int64) -> Int64 { bucket - first }

  /// By what figures are multiplied before people are told them: dollars as charged for each one that was judged.
  var toldScale: Double {
    excursionCost > 1e-9 && excursionSpent > 0 ? excursionSpent / excursionCost : 1
  }

  /// How many times the usual spend of this hour, or of the day, the excursion is.
  func towering(_ bucket: Int64, over span: Double) -> Double {
    let usual = max(profile(at: bucket) ?? 0, day.value)
    return excursionCost / max(span, 1) / max(usual, 1e-9)
  }

  /// A series is young for a day, unless the whole system is.
  func isYoung(_ fleet: FleetRates) -> Bool {
    age(at: fleet.bucket) < Self.bucketsPerDay
      && first - fleet.firstBucket >= Self.bucketsPerDay
  }

  /// Multiples of the usual up to which the expectation of two hours follows an excursion.
  private static let followed = 3.0

  /// Within this long of the very first event even who spends much at once is no stranger.
  static let coldBuckets: Int64 = 360

  mutating func begin(_ bucket: Int64) {
    guard first < 0 else { return }
    first = bucket
    next = bucket
    habitAt = bucket
  }

  mutating func hear(from site: ObservedName) {
    guard site != .absent, !sites.contains(site) else { return }
    if sites.count == 12 { sites.removeFirst() }
    sites.append(site)
  }
}

// MARK: - Expectation

extension SpendSeries {
  /// Dollars expected in a bucket.
  func expectation(_ fleet: FleetRates) -> Double {
    let profile = profile(at: fleet.bucket)
    var expected: Double
    if hasProfile, let profile {
      expected = profile
    } else {
      expected = max(profile ?? 0, day.value, short.weight >= 180 ? short.value : 0)
      if fleet.bucket - lastActive <= 60 { expected = max(expected, active.value) }
    }
    if isYoung(fleet) {
      let own = total / Double(Self.bucketsPerDay)
      expected = min(expected, max(fleet.upperQuartile, own))
    }
    return expected
  }

  /// Whether the hour of day predicts at least 40 % better than the mean.
  var hasProfile: Bool {
    hoursSeen >= 36 && profileError.value < 0.6 * meanError.value
  }

  /// The mean of this hour of day, going over into the next hour's; nil where it is unknown.
  func profile(at bucket: Int64) -> Double? {
    guard !hours.isEmpty else { return nil }
    let hour = Self.hour(bucket)
    let now = Double(hours[hour])
    guard now >= 0 else { return nil }
    let following = Double(hours[(hour + 1) % 24])
    guard following >= 0 else { return now }
    let part = Double(bucket % Self.bucketsPerHour) / Double(Self.bucketsPerHour)
    return now + (following - now) * part
  }

  /// What is tolerated in a bucket without being counted as excess.
  func tolerated(_ expected: Double, _ fleet: FleetRates, _ settings: DetectionSettings) -> Double {
    if isYoung(fleet) { return settings.tolerance * expected }
    var peak = 0.0
    if !peaks.isEmpty {
      let hour = Self.hour(fleet.bucket)
      peak = 1.15 * Double(peaks[hour])
      let beside = max(peaks[(hour + 23) % 24], peaks[(hour + 1) % 24])
      peak = max(peak, 1.04 * Double(beside))
    }
    if age(at: fleet.bucket) < Self.bucketsPerDay {
      // The first day: no hour was seen twice, so only what towers over all of it is told.
      let largest = peaks.max().map(Double.init) ?? 0
      return max(3 * expected, 2 * largest, 1e-6)
    }
    return max(settings.tolerance * expected, peak, 1e-9)
  }

  /// Dollars of excess from which it is an alarm.
  func threshold(_ expected: Double, _ fleet: FleetRates, _ settings: DetectionSettings) -> Double {
    let usual = settings.excessSeconds / 10 * expected
    // A stranger's spend is beyond doubt with less money.
    let floor = isYoung(fleet) ? 0.5 * settings.minUSD : settings.minUSD
    return max(floor, 2 * habitNow(fleet.bucket), usual)
  }

  /// The largest excursion of late, less 5 % a day.
  private func habitNow(_ bucket: Int64) -> Double {
    guard habit > 0 else { return 0 }
    let days = Double(bucket - habitAt) / Double(Self.bucketsPerDay)
    return habit * ReproducibleMath.exponential(-0.0513 * days)
  }

  static func hour(_ bucket: Int64) -> Int {
    let hour = CivilTime.floorDivide(bucket, bucketsPerHour)
    return Int(hour - CivilTime.floorDivide(hour, 24) * 24)
  }
}

/// What a bucket made of a series.
enum SpendVerdict: Sendable {
  case nothing
  case opened(expected: Double, threshold: Double, ratio: Double)
  case goingOn(expected: Double)
  case closed
  case accepted
}

// MARK: - Buckets

extension SpendSeries {
  /// Passes over buckets without events up to the given one, not itself.
  ///
  /// - Parameter missing: how many of them nothing was heard in.
  mutating func skip(to bucket: Int64, missing: Int64) {
    guard first >= 0, next < bucket else { return }
    var left = max(0, bucket - next - missing)
    // What is missing is taken to be the first part; only counts matter for means, hours for profiles.
    next = bucket - left
    if left < bucket - next { left = bucket - next }
    while next < bucket {
      let hourEnd = (CivilTime.floorDivide(next, 180) + 1) * 180
      let count = min(bucket, hourEnd) - next
      let zeros = Double(count)
      day.addZeros(zeros, memory: 8640)
      // A session lasts ten minutes beyond its last event: its pauses count in the mean while active.
      let pause = min(bucket, lastActive + 61) - next
      if lastActive >= 0, pause > 0 {
        active.addZeros(Double(min(pause, count)), memory: 25_920)
      }
      short.addZeros(zeros, memory: 720)
      raw.addZeros(zeros, memory: 720)
      recent *= ReproducibleMath.exponential(-0.2 * zeros)
      hourSeen += zeros
      halfSeen += zeros
      next += count
      if next == hourEnd { finishHalfHour(hourEnd) }
    }
  }

  /// Accounts for one bucket.
  ///
  /// - Parameters:
  ///   - spend: dollars of it.
  ///   - isActive: whether any request fell into it.
  mutating func close(
    _ spend: BucketSpend, isActive: Bool, _ fleet: FleetRates, _ settings: DetectionSettings
  ) -> SpendVerdict {
    let bucket = fleet.bucket
    let cost = spend.steady
    if isActive { lastActive = bucket }
    let expected = expectation(fleet)
    let tolerated = tolerated(expected, fleet, settings)
    let threshold = threshold(expected, fleet, settings)
    let verdict = judge(spend, expected, tolerated, threshold, fleet)
    learn(cost, expected: expected, isActive: isActive)
    learnBurst(cost, expected: expected)
    next = bucket + 1
    if next % 180 == 0 { finishHalfHour(next) }
    return verdict
  }

  private mutating func judge(
    _ spend: BucketSpend, _ expected: Double, _ tolerated: Double, _ threshold: Double,
    _ fleet: FleetRates
  ) -> SpendVerdict {
    let cost = spend.steady
    recent += 0.2 * (cost - recent)
    if excess == 0, cost > tolerated {
      excessStart = fleet.bucket
      excursionCost = 0
      excursionSpent = 0
    }
    excess = max(0, excess + cost - tolerated)
    if excess > 0 {
      excessPeak = max(excessPeak, excess)
      excursionCost += cost
      excursionSpent += spend.actual
    } else if !isAlarmed, excessPeak > 0 {
      remember(excessPeak, fleet.bucket)
      excessPeak = 0
    }
    guard isAlarmed else {
      // Before a series' third hour nothing is known that a verdict could rest on.
      let isReady = isYoung(fleet) || age(at: fleet.bucket) >= 1080
      guard excess > threshold, isReady else { return .nothing }
      alarmStart = excessStart
      alarmedAt = fleet.bucket
      expectedThen = expected
      calm = 0
      let span = Double(max(1, fleet.bucket - excessStart + 1))
      return .opened(
        expected: expected, threshold: threshold,
        ratio: excursionCost / span / max(expected, 1e-9))
    }
    calm = recent <= tolerated ? calm + 1 : 0
    if calm >= 90 {
      endAlarm(fleet.bucket)
      return .closed
    }
    if fleet.bucket - alarmedAt >= Self.bucketsPerDay {
      accept()
      endAlarm(fleet.bucket)
      return .accepted
    }
    return .goingOn(expected: expectedThen)
  }

  private mutating func endAlarm(_ bucket: Int64) {
    remember(0.5 * excessPeak, bucket)
    alarmStart = -1
    alarmedAt = -1
    excess = 0
    excessPeak = 0
  }

  private mutating func remember(_ excursion: Double, _ bucket: Int64) {
    // On the first day everything is an excursion, since nothing is expected yet.
    let isCold = age(at: bucket) < Self.bucketsPerDay
    habit = max(habitNow(bucket), isCold ? min(excursion, 0.5) : excursion)
    habitAt = bucket
  }

  /// Takes the level of the last hours for the usual one.
  private mutating func accept() {
    let usual = max(day.value, 1e-9)
    let factor = raw.value / usual
    guard factor > 1 else { return }
    day.scale(factor)
    short.scale(max(1, raw.value / max(short.value, 1e-9)))
    for hour in hours.indices where hours[hour] >= 0 {
      hours[hour] = Float(min(Double(hours[hour]) * factor, max(raw.value, Double(hours[hour]))))
    }
  }

  private mutating func learn(_ cost: Double, expected: Double, isActive: Bool) {
    total += cost
    raw.add(cost, memory: 720)
    var sample = cost
    var rate = 1.0
    if isAlarmed {
      sample = min(cost, 8 * max(expected, 1e-9))
      rate = 0.2
    }
    day.add(sample, memory: 8640, rate: rate)
    // What two hours expect must not follow an excursion that began within them.
    let usual = max(day.value, active.value, profile(at: next) ?? 0)
    let bounded = excess > 0 ? min(sample, Self.followed * usual) : sample
    short.add(bounded, memory: 720, rate: rate)
    if isActive || next - lastActive <= 60 { active.add(sample, memory: 25_920, rate: rate) }
    hourSum += sample * (isAlarmed ? 0.2 : 1) + (isAlarmed ? 0.8 * min(expected, sample) : 0)
    halfSum += sample * (isAlarmed ? 0.2 : 1) + (isAlarmed ? 0.8 * min(expected, sample) : 0)
    hourSeen += 1
    halfSeen += 1
  }

  /// At each full and half hour: the peak, the profile and its error.
  private mutating func finishHalfHour(_ end: Int64) {
    let hour = Self.hour(end - 1)
    if hours.isEmpty {
      hours = Array(repeating: -1, count: 24)
      peaks = Array(repeating: 0, count: 24)
    }
    if halfSeen >= 90 {
      let mean = halfSum / halfSeen
      let old = Double(peaks[hour])
      // One day raises it at most threefold, and an excursion that goes on is no habit yet.
      let first = excess > 0.5 ? min(mean, 3 * max(day.value, active.value)) : mean
      let grown = old > 0 ? min(mean, 3 * old) : first
      peaks[hour] = Float(max(grown, old))
    }
    halfSum = 0
    halfSeen = 0
    guard end % Self.bucketsPerHour == 0 else { return }
    // A day later the same hour's peak counts a fifth less; the hour that ends has just been renewed.
    peaks[(hour + 1) % 24] *= 0.8
    if hourSeen >= 180 {
      let mean = hourSum / hourSeen
      let old = Double(hours[hour])
      if old >= 0 {
        profileError.add(abs(mean - old), memory: 72)
        meanError.add(abs(mean - day.value), memory: 72)
        hours[hour] = Float(old + 0.3 * (mean - old))
      } else {
        hours[hour] = Float(mean)
      }
      hoursSeen += 1
    }
    hourSum = 0
    hourSeen = 0
    burst *= 0.99
  }
}

// MARK: - The path by arrival

extension SpendSeries {
  /// Adds a cost (picodollars) at a bucket of its time.
  ///
  /// - Returns: dollars of the half minute up to there.
  mutating func addArrival(_ cost: Int64, bucket: Int64) -> Double {
    estimatedDollars(
      front.add(cost, bucket: bucket, turnsBack: false)
        ?? behind.add(cost, bucket: bucket, turnsBack: true) ?? 0)
  }

  /// Adds to an open alarm what came after its bucket had closed.
  ///
  /// - Parameter isMuch: whether the spend that it is part of is far beyond the expectation: it goes on.
  mutating func addLate(_ cost: Double, isMuch: Bool) {
    excursionCost += cost
    excursionSpent += cost
    if isMuch { calm = 0 }
  }

  /// Dollars within half a minute from which spend is an attack, whatever will come of it.
  func burstLimit(_ fleet: FleetRates, _ settings: DetectionSettings) -> Double {
    if isYoung(fleet) {
      return max(settings.minUSD, 15 * fleet.upperQuartile, 3 * burst)
    }
    let usual = max(expectation(fleet), day.value, active.value)
    return max(0.5 * settings.minUSD, 60 * usual, 4 * burst)
  }

  /// Keeps the largest half minute; of an alarm only what is not far beyond it.
  private mutating func learnBurst(_ cost: Double, expected: Double) {
    let sum = cost + previous.0 + previous.1
    previous = (cost, previous.0)
    burst = max(burst, isAlarmed ? min(sum, 2 * burst + 3 * expected) : sum)
  }

  /// Opens an alarm at once: spend by arrival has gone beyond doubt.
  mutating func alarmNow(_ dollars: Double, expected: Double, bucket: Int64) {
    if excess == 0 { excessStart = bucket - 2 }
    alarmStart = excessStart
    alarmedAt = bucket
    expectedThen = expected
    calm = 0
    excess = max(excess, dollars)
    excessPeak = max(excessPeak, excess)
    toldAt = bucket
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&first)
    archive.field(&next)
    archive.field(&lastActive)
    archive.array(&sites, .absent) { $1.field(&$0) }
    archive.field(&day)
    archive.field(&short)
    archive.field(&active)
    archive.field(&hours)
    archive.field(&peaks)
    archive.field(&hourSum)
    archive.field(&hourSeen)
    archive.field(&halfSum)
    archive.field(&halfSeen)
    archive.field(&hoursSeen)
    archive.field(&profileError)
    archive.field(&meanError)
    archive.field(&burst)
    archive.field(&total)
    archive.field(&excess)
    archive.field(&excessStart)
    archive.field(&excessPeak)
    archive.field(&excursionCost)
    archive.field(&excursionSpent)
    archive.field(&habit)
    archive.field(&habitAt)
    archive.field(&alarmStart)
    archive.field(&alarmedAt)
    archive.field(&expectedThen)
    archive.field(&calm)
    archive.field(&recent)
    archive.field(&raw)
    archive.field(&previous.0)
    archive.field(&previous.1)
    archive.field(&front)
    archive.field(&behind)
    archive.field(&toldAt)
    let isWhole = hours.isEmpty || hours.count == 24 && peaks.count == 24
    if archive.isReading, !isWhole { archive.refuse() }
  }
}
