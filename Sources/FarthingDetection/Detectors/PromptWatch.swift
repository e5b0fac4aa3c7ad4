// One prompt sent again and again: a loop, a crawler, a stuck client.
//
// For each identity that sends prompts, Space-Saving counters of the hour: a prompt that has none takes the
// place of the rarest, whose count it inherits as possible error (Metwally et al. 2005). Counts are read less their
// error, so what is told is at least true.

internal import FarthingCore

/// A prompt's counter.
struct PromptCounter: Sendable, Archivable {
  var hash: UInt64 = 0
  var count: Int64 = 0
  var error: Int64 = 0
  var cost: Int64 = 0

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&hash)
    archive.field(&count)
    archive.field(&error)
    archive.field(&cost)
  }
}

/// The prompts of one identity within the hour.
struct PromptSeries: Sendable, Archivable {
  static let counters = 32

  private(set) var calls: Int64 = 0
  private(set) var top: [PromptCounter] = []
  /// Usual count of an hour's most frequent prompt.
  private(set) var usual = ForgettingMean()
  private(set) var hour: Int64 = 0
  private(set) var alarmedAt: Int64 = -1
  private(set) var alarmedHash: UInt64 = 0
  private(set) var alarmedCost: Int64 = 0
  private(set) var alarmedCount: Int64 = 0
  private var quietHours = 0
  private var hourAlarmedCount: Int64 = 0

  var isAlarmed: Bool { alarmedAt >= 0 }

  enum Verdict: Sendable {
    case nothing
    case opened(PromptCounter)
    case goingOn
    case closed
  }

  /// Ends the hour where a new one has begun.
  mutating func turn(to hour: Int64) -> Verdict {
    guard hour != self.hour else { return .nothing }
    var verdict = Verdict.nothing
    if calls > 0 || isAlarmed {
      let largest = top.map { $0.count - $0.error }.max() ?? 0
      if isAlarmed {
        let isStillLoop = hourAlarmedCount * 10 >= max(calls, 1) * 2 && hourAlarmedCount >= 10
        quietHours = isStillLoop ? 0 : quietHours + 1
        let isLong = hour - alarmedAt / SpendSeries.bucketsPerHour >= 24
        if quietHours >= 1 || isLong {
          alarmedAt = -1
          verdict = .closed
        }
      } else {
        usual.add(Double(largest), memory: 24)
      }
    }
    self.hour = hour
    calls = 0
    top.removeAll(keepingCapacity: true)
    hourAlarmedCount = 0
    return verdict
  }

  mutating func add(
    _ sums: PromptSums, bucket: Int64, _ settings: DetectionSettings
  ) -> Verdict {
    calls += sums.count
    let place = count(sums)
    if isAlarmed {
      guard sums.hash == alarmedHash else { return .nothing }
      hourAlarmedCount += sums.count
      alarmedCount += sums.count
      alarmedCost = alarmedCost.addingClamped(sums.cost)
      return .goingOn
    }
    let sure = top[place].count - top[place].error
    guard sure >= 20, sure * 10 >= calls * 3, Double(sure) > 2.5 * usual.value,
      estimatedDollars(top[place].cost) >= settings.minHitUSD
    else { return .nothing }
    alarmedAt = bucket
    alarmedHash = sums.hash
    alarmedCost = top[place].cost
    alarmedCount = sure
    hourAlarmedCount = sure
    quietHours = 0
    return .opened(top[place])
  }

  private mutating func count(_ sums: PromptSums) -> Int {
    if let place = top.firstIndex(where: { $0.hash == sums.hash }) {
      top[place].count += sums.count
      top[place].cost = top[place].cost.addingClamped(sums.cost)
      return place
    }
    if top.count < Self.counters {
      top.append(PromptCounter(hash: sums.hash, count: sums.count, cost: sums.cost))
      return top.count - 1
    }
    var least = 0
    for place in top.indices.dropFirst()
    where (top[place].count, top[place].hash) < (top[least].count, top[least].hash) {
      least = place
    }
    let inherited = top[least].count
    top[least] = PromptCounter(
      hash: sums.hash, count: inherited + sums.count, error: inherited, cost: sums.cost)
    return least
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&calls)
    archive.field(&top, PromptCounter())
    archive.field(&usual)
    archive.field(&hour)
    archive.field(&alarmedAt)
    archive.field(&alarmedHash)
    archive.field(&alarmedCost)
    archive.field(&alarmedCount)
    archive.field(&quietHours)
    archive.field(&hourAlarmedCount)
  }
}
