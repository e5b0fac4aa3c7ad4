// Idle capacity: what a pool costs beyond what its requests use.
//
// Each hour of a period that was announced by a capacity event is judged when it is over, so that a month's
// reservation is not judged at its end: idle dollars = rate × (1 − used compute ÷ accelerators × time). A CUSUM in
// dollars over 1.5 × the usual idle cost of an hour, by the mean and by the hour of day, finds steps and drifts.

internal import FarthingCore

struct PoolSeries: Sendable, Archivable {
  private(set) var period = CapacityPeriod()
  /// Periods that begin later, in order.
  private(set) var coming: [CapacityPeriod] = []
  /// Microseconds of accelerators used in this hour.
  private var used: Int64 = 0
  private var mean = ForgettingMean()
  private var hours: [Float] = []
  private(set) var excess = 0.0
  private(set) var start: Int64 = 0
  private(set) var alarmedAt: Int64 = -1
  private var calm = 0
  private(set) var idle = 0.0
  private(set) var expected = 0.0
  private(set) var utilization = 0.0

  var isAlarmed: Bool { alarmedAt >= 0 }

  enum Verdict: Sendable {
    case nothing, opened, goingOn, closed
  }

  mutating func add(_ new: CapacityPeriod) {
    guard new.until > new.time, coming.count < 64 else { return }
    let place = coming.firstIndex { $0.time > new.time } ?? coming.count
    coming.insert(new, at: place)
  }

  func serves(site: ObservedName, model: ObservedName) -> Bool {
    period.site == site && (period.model == .absent || period.model == model)
  }

  mutating func use(_ compute: Int64) { used = used.addingClamped(compute) }

  /// Turns to the period in force at `time` (Unix nanoseconds).
  mutating func turn(to time: Int64) {
    while let next = coming.first, next.time <= time {
      period = next
      coming.removeFirst()
    }
  }

  /// Judges the hour that ends at `time`, a full hour.
  mutating func finishHour(_ time: Int64, isHeard: Bool, _ settings: DetectionSettings) -> Verdict {
    defer { used = 0 }
    let from = max(period.time, time - CivilTime.hour)
    let to = min(period.until, time)
    guard to > from, isHeard, period.until > period.time, period.cost > 0 else { return .nothing }
    let part = Double(to - from)
    let cost = estimatedDollars(period.cost) * part / Double(period.until - period.time)
    let available = Double(max(1, period.accelerators)) * part / 1000
    utilization = min(1, Double(used) / available)
    idle = cost * (1 - utilization)
    let hour = SpendSeries.hour((time - 1) / OpenBucket.nanoseconds)
    if hours.isEmpty { hours = Array(repeating: -1, count: 24) }
    let usual = max(mean.value, Double(max(0, hours[hour])))
    expected = usual
    let isReady = mean.weight >= 24
    if excess == 0 { start = from }
    if isReady { excess = max(0, excess + idle - 1.5 * usual) }
    let rate = isAlarmed ? 0.1 : 1.0
    mean.add(idle, memory: 72, rate: rate)
    let old = Double(hours[hour])
    hours[hour] = Float(old < 0 ? idle : old + 0.3 * rate * (idle - old))
    return verdict(time, usual, settings)
  }

  private mutating func verdict(
    _ time: Int64, _ usual: Double, _ settings: DetectionSettings
  ) -> Verdict {
    guard isAlarmed else {
      guard excess > settings.minUSD else { return .nothing }
      alarmedAt = time
      calm = 0
      return .opened
    }
    calm = idle <= 1.5 * usual ? calm + 1 : 0
    if calm >= 2 || time - alarmedAt >= 2 * CivilTime.day {
      alarmedAt = -1
      excess = 0
      return .closed
    }
    return .goingOn
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&period)
    archive.field(&coming, CapacityPeriod())
    archive.field(&used)
    archive.field(&mean)
    archive.field(&hours)
    archive.field(&excess)
    archive.field(&start)
    archive.field(&alarmedAt)
    archive.field(&calm)
    archive.field(&idle)
    archive.field(&expected)
    archive.field(&utilization)
    if archive.isReading, !hours.isEmpty, hours.count != 24 { archive.refuse() }
  }
}
