import FarthingTestSupport
import Testing

@testable import FarthingPipeline

@Suite("The token bucket")
struct TokenBucketTests {
  private static let second: Int64 = 1_000_000_000

  @Test func `a full bucket gives its burst at once and then its rate`() {
    var bucket = TokenBucket(rate: 10, burstSeconds: 2, now: 0)
    for _ in 0..<20 {
      #expect(bucket.wait(for: 1, now: 0) == nil)
      bucket.take(1, now: 0)
    }
    #expect(bucket.wait(for: 1, now: 0) == 1)
    #expect(bucket.wait(for: 1, now: Self.second / 10 - 1) == 1)
    #expect(bucket.wait(for: 1, now: Self.second / 10) == nil)
  }

  @Test func `a batch larger than the bucket passes whole and is paid by waiting`() {
    var bucket = TokenBucket(rate: 100, burstSeconds: 1, now: 0)
    #expect(bucket.wait(for: 0, now: 0) == nil)
    bucket.take(1000, now: 0)
    #expect(bucket.wait(for: 0, now: 0) == 10)
    #expect(bucket.wait(for: 0, now: 9 * Self.second) == 1)
    #expect(bucket.wait(for: 0, now: 9 * Self.second + 1) == nil)
  }

  @Test func `a clock that goes back fills nothing`() {
    var bucket = TokenBucket(rate: 1, burstSeconds: 1, now: 100 * Self.second)
    bucket.take(1, now: 100 * Self.second)
    #expect(bucket.wait(for: 1, now: 0) == 1)
    #expect(bucket.wait(for: 1, now: 100 * Self.second) == 1)
    #expect(bucket.wait(for: 1, now: 101 * Self.second) == nil)
  }

  @Test func `the farthest numbers neither trap nor wrap`() {
    for rate in [Int.min, 0, 1, AccessAllowance.greatestRate, .max] {
      var bucket = TokenBucket(rate: rate, burstSeconds: .max, now: .min)
      for now in [Int64.min, 0, .max, .min] {
        for count in [Int.min, -1, 0, 1, .max] {
          bucket.take(count, now: now)
          let wait = bucket.wait(for: count, now: now)
          #expect(wait ?? 1 >= 1)
        }
      }
      // A debt of 2^63 stays one.
      #expect(bucket.wait(for: 0, now: .max) != nil)
    }
  }

  @Test func `another rate keeps what was used`() {
    var bucket = TokenBucket(rate: 10, burstSeconds: 10, now: 0)
    bucket.take(50, now: 0)
    bucket.change(rate: 100, burstSeconds: 10, now: 0)
    // Half of ten seconds was used; half of ten seconds is left.
    #expect(bucket.wait(for: 500, now: 0) == nil)
    #expect(bucket.wait(for: 501, now: 0) == 1)
    var same = bucket
    same.change(rate: 100, burstSeconds: 10, now: 0)
    #expect(same == bucket)
  }

  /// Whatever is asked for and when: no stretch of time sees more than capacity + rate × time and
  /// one batch; and who waits as long as was said passes.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func `over any stretch no more passes than the rate allows`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let rate = Int.random(in: 1...1000, using: &random)
    let burst = Int.random(in: 1...20, using: &random)
    let largest = Int.random(in: 1...3000, using: &random)
    var bucket = TokenBucket(rate: rate, burstSeconds: burst, now: 0)
    var now: Int64 = 0
    var passed: [(time: Int64, count: Int)] = []
    for _ in 0..<600 {
      now += Int64.random(in: 0...2 * Self.second, using: &random)
      let count = Int.random(in: 1...largest, using: &random)
      if let wait = bucket.wait(for: 0, now: now) {
        var later = bucket
        #expect(later.wait(for: 0, now: now + Int64(wait) * Self.second) == nil)
        var before = bucket
        #expect(before.wait(for: 0, now: now + Int64(wait - 1) * Self.second) != nil || wait == 1)
      } else {
        bucket.take(count, now: now)
        passed.append((now, count))
      }
    }
    for first in passed.indices {
      var sum = 0
      for last in first..<passed.count {
        sum += passed[last].count
        let seconds = Double(passed[last].time - passed[first].time) / 1e9
        #expect(Double(sum) <= Double(rate * burst) + Double(rate) * seconds + Double(largest))
      }
    }
  }

  @Test func `a day's count begins anew at midnight and not when the clock is set back`() {
    let midnight: Int64 = 1_795_046_400 * Self.second
    var count = DailyCount()
    count.add(7, now: midnight - 1)
    #expect(count.wait(limit: 7, now: midnight - 1) == 1)
    #expect(count.wait(limit: 8, now: midnight - 1) == nil)
    #expect(count.wait(limit: 7, now: midnight) == nil)
    count.add(.max, now: midnight)
    count.add(.max, now: midnight)
    #expect(count.count == .max)
    #expect(count.wait(limit: 7, now: midnight - 86_400 * Self.second) != nil)
    #expect(count.wait(limit: 7, now: midnight) == 86_400)
    var early = DailyCount()
    early.add(1, now: .min)
    #expect(early.wait(limit: 1, now: .min) ?? 1 >= 1)
    #expect(early.wait(limit: 1, now: .max) == nil)
  }
}
