// How many requests or events a caller may still ask for at once.
//
// The level is counted in billionths, so that a rate a second times nanoseconds is a level without
// any division, and the bucket neither loses nor gains over the years. A batch is taken whole as
// long as anything is left, and what it takes beyond the level is a debt that time pays: a batch
// larger than the bucket can pass, and yet no more passes in the long run than the rate allows.

/// A token bucket in whole numbers.
///
/// Over any stretch of time it lets pass no more than `capacity` + rate × time, and one batch.
package struct TokenBucket: Sendable, Equatable {
  private static let one: Int64 = 1_000_000_000

  private var rate: Int64
  private var capacity: Int64
  private var level: Int64
  /// The latest time seen, in monotonic nanoseconds.
  private var time: Int64

  /// A full bucket.
  ///
  /// - Parameters:
  ///   - rate: Units a second, 1 to `AccessAllowance.greatestRate`; what is outside counts as the
  ///     nearest inside.
  ///   - burstSeconds: Seconds of the rate that the bucket holds, 1 to `AccessAllowance.greatestBurst`.
  ///   - now: Monotonic nanoseconds.
  package init(rate: Int, burstSeconds: Int, now: Int64) {
    self.rate = Int64(min(max(rate, 1), AccessAllowance.greatestRate))
    let seconds = Int64(min(max(burstSeconds, 1), AccessAllowance.greatestBurst))
    // At most 10^7 × 600 × 10^9, which 63 bits hold.
    capacity = self.rate * seconds * Self.one
    level = capacity
    time = now
  }

  /// Whether `count` units, or the beginning of a batch where it is 0, may pass now.
  ///
  /// - Returns: nil where they may; else the whole seconds, at least 1, after which they will, if
  ///   nobody takes anything meanwhile.
  package mutating func wait(for count: Int, now: Int64) -> Int? {
    fill(now)
    let needed = min(max(Int64(clamping: count), 0), capacity / Self.one) * Self.one
    // The beginning of a batch needs anything above nothing.
    let missing = Int128(max(needed, 1)) - Int128(level)
    guard missing > 0 else { return nil }
    let perSecond = Int128(rate) * Int128(Self.one)
    return Int(clamping: (missing + perSecond - 1) / perSecond)
  }

  /// Takes `count` units, into debt where so many are not there.
  package mutating func take(_ count: Int, now: Int64) {
    fill(now)
    let (amount, isLarge) = Int64(clamping: max(count, 0)).multipliedReportingOverflow(by: Self.one)
    let (rest, isDeep) = level.subtractingReportingOverflow(isLarge ? .max : amount)
    level = isDeep ? .min : rest
  }

  /// Goes on with another rate: what was used stays used, in seconds.
  package mutating func change(rate: Int, burstSeconds: Int, now: Int64) {
    fill(now)
    let fresh = TokenBucket(rate: rate, burstSeconds: burstSeconds, now: now)
    guard fresh.rate != self.rate || fresh.capacity != capacity else { return }
    let used = (Int128(capacity) - Int128(level)) * Int128(fresh.rate) / Int128(self.rate)
    self = fresh
    level = Int64(clamping: Int128(capacity) - used)
  }

  /// A clock that goes back fills nothing.
  private mutating func fill(_ now: Int64) {
    let (elapsed, isFar) = now.subtractingReportingOverflow(time)
    guard isFar ? now > time : elapsed > 0 else { return }
    time = now
    let (gain, isLarge) = (isFar ? Int64.max : elapsed).multipliedReportingOverflow(by: rate)
    let (sum, isFull) = level.addingReportingOverflow(isLarge ? .max : gain)
    // A debt so deep that the gain overflows first is paid as far as 64 bits can tell.
    level = isFull ? capacity : min(sum, capacity)
  }
}

/// What was counted since the last midnight UTC.
package struct DailyCount: Sendable, Equatable {
  private static let day: Int64 = 86_400_000_000_000

  private var number: Int64 = .min
  /// Events of the day seen last.
  package private(set) var count = 0

  package init() {}

  /// Whole seconds, at least 1, until the next midnight where `limit` is used up; nil where it is not.
  package mutating func wait(limit: Int, now: Int64) -> Int? {
    roll(now)
    guard count >= limit else { return nil }
    let sinceMidnight = now % Self.day
    let left = sinceMidnight < 0 ? -sinceMidnight : Self.day - sinceMidnight
    return Int((left + 999_999_999) / 1_000_000_000)
  }

  /// Counts what was taken.
  package mutating func add(_ amount: Int, now: Int64) {
    roll(now)
    let (sum, isLarge) = count.addingReportingOverflow(max(amount, 0))
    count = isLarge ? .max : sum
  }

  /// A clock that is set back does not give the day again.
  private mutating func roll(_ now: Int64) {
    let today = Self.floor(now)
    if today > number {
      number = today
      count = 0
    }
  }

  private static func floor(_ now: Int64) -> Int64 {
    let quotient = now / day
    return now % day < 0 ? quotient - 1 : quotient
  }
}
