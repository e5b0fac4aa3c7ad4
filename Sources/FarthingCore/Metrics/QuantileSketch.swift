// A mergeable sketch of a distribution of times, from which any quantile is read within 1 %.
//
// A bucket is all values that share their sign, exponent and first six mantissa bits, so its place
// is a shift of the value's bit pattern and no logarithm is taken. A bucket is at most 1/64 of its
// lower edge wide; its middle is therefore within 1/128 = 0.78 % of every value in it. Buckets are
// counted exactly, so the bucket that holds an order statistic is known for certain: the error of a
// quantile against the nearest-rank definition is that of its bucket's middle and nothing else,
// after any number of merges in any order.
//
// Buckets stand in one array that spans those in use, but for the bucket of zero, which lies far from
// the others and is common: its count stands alone. All finite values fit into 131,008 buckets; times
// between a microsecond and an hour take at most 2,048.

/// Counts of values by logarithmic bucket, with exact count, minimum and maximum.
///
/// Values are non-negative and finite (milliseconds in this project). Merging is associative and
/// commutative for everything but the last bits of ``sum``. Values below 2⁻¹⁰²² count as zero.
package struct QuantileSketch: Sendable, Equatable {
  /// Number of mantissa bits that choose a bucket inside its power of two.
  @usableFromInline
  static let mantissaShift: UInt64 = 46
  /// One above the greatest bucket that a finite value has.
  package static let bucketLimit = 2_047 * 64

  /// How many values were added.
  package private(set) var count: Int64
  /// Least value added; positive infinity in an empty sketch.
  package private(set) var minimum: Double
  /// Greatest value added; negative infinity in an empty sketch.
  package private(set) var maximum: Double
  /// The sum times 2⁻⁶⁴, so that even sums of the greatest values stay finite.
  private var scaledSum: Double
  /// How many values were in bucket 0.
  private var zeroCount: Int64
  /// Bucket of `counts[0]`, at least 1.
  private var firstBucket: Int
  private var counts: [Int64]

  private static let sumScale = 0x1p-64

  package init() {
    count = 0
    minimum = .infinity
    maximum = -.infinity
    scaledSum = 0
    zeroCount = 0
    firstBucket = 1
    counts = []
  }

  /// The values of a sketch that was taken apart by ``parts``, or nil where they are what no sketch
  /// has: nothing is trusted.
  package init?(_ parts: Parts) {
    var count = parts.zeroCount
    var isSound = count >= 0
    for here in parts.counts {
      let (next, overflow) = count.addingReportingOverflow(here)
      isSound = isSound && !overflow && here >= 0
      count = next
    }
    guard isSound, count > 0, parts.firstBucket >= 1,
      parts.firstBucket <= QuantileSketch.bucketLimit - parts.counts.count,
      parts.scaledSum.isFinite, parts.scaledSum >= 0, parts.minimum >= 0, parts.maximum.isFinite,
      parts.minimum <= parts.maximum
    else { return nil }
    self.count = count
    minimum = parts.minimum
    maximum = parts.maximum
    scaledSum = parts.scaledSum
    zeroCount = parts.zeroCount
    firstBucket = parts.firstBucket
    counts = parts.counts
  }

  /// What a sketch is made of, for whoever stores it.
  package struct Parts: Sendable {
    /// How many values were in bucket 0.
    package var zeroCount: Int64
    /// At least 1.
    package var firstBucket: Int
    /// How many values fell into each bucket from ``firstBucket`` on.
    package var counts: [Int64]
    /// The sum of all values × 2⁻⁶⁴.
    package var scaledSum: Double
    /// The exact bounds of the values.
    package var minimum: Double
    package var maximum: Double

    package init(
      zeroCount: Int64, firstBucket: Int, counts: [Int64], scaledSum: Double, minimum: Double,
      maximum: Double
    ) {
      self.zeroCount = zeroCount
      self.firstBucket = firstBucket
      self.counts = counts
      self.scaledSum = scaledSum
      self.minimum = minimum
      self.maximum = maximum
    }
  }

  /// Without the empty buckets at both ends.
  package var parts: Parts {
    let first = counts.firstIndex { $0 != 0 } ?? 0
    let last = counts.lastIndex { $0 != 0 } ?? -1
    return Parts(
      zeroCount: zeroCount, firstBucket: firstBucket + first,
      counts: Array(counts[first..<max(last + 1, first)]), scaledSum: scaledSum,
      minimum: minimum, maximum: maximum)
  }

  /// The bucket of a non-negative finite value, below ``bucketLimit``; 0 for zero.
  @inlinable
  package static func bucket(of value: Double) -> Int {
    value > 0 ? Int(truncatingIfNeeded: value.bitPattern >> mantissaShift) : 0
  }

  /// The middle of a bucket: within 0.78 % of each of its values; 0 for the first.
  package static func middle(ofBucket bucket: Int) -> Double {
    if bucket < 64 { return 0 }
    let low = Double(bitPattern: UInt64(bucket) << mantissaShift)
    return low + low.ulp * 0x1p45
  }

  /// The arithmetic mean of the values, or nil where there are none.
  package var mean: Double? {
    if count == 0 { return nil }
    let mean = scaledSum / Double(count) / QuantileSketch.sumScale
    return Swift.min(Swift.max(mean, minimum), maximum)
  }

  /// Adds a value `times` times.
  /// - Complexity: O(1) amortised; O(buckets) where the spanned range grows.
  package mutating func add(_ value: Double, times: Int64 = 1) {
    if times <= 0 { return }
    addCount(times, bucket: QuantileSketch.bucket(of: value))
    minimum = Swift.min(minimum, value)
    maximum = Swift.max(maximum, value)
    scaledSum += value * QuantileSketch.sumScale * Double(times)
  }

  /// Adds what was counted elsewhere by bucket.
  ///
  /// - Parameters:
  ///   - bucketCounts: How many values fell into each bucket from `first` on; bucket 0 is added with
  ///     ``addCount(_:bucket:)``.
  ///   - scaledSum: Sum of those values × 2⁻⁶⁴; `minimum` and `maximum` are their exact bounds.
  package mutating func add(
    bucketCounts: [UInt32], first: Int, scaledSum: Double, minimum: Double, maximum: Double
  ) {
    span(first..<first + bucketCounts.count)
    for (offset, added) in bucketCounts.enumerated() {
      counts[first - firstBucket + offset] += Int64(added)
      count += Int64(added)
    }
    self.minimum = Swift.min(self.minimum, minimum)
    self.maximum = Swift.max(self.maximum, maximum)
    self.scaledSum += scaledSum
  }

  /// Adds to the count of one bucket only; the caller has given sum and bounds with
  /// ``add(bucketCounts:first:scaledSum:minimum:maximum:)``.
  package mutating func addCount(_ added: Int64, bucket: Int) {
    count += added
    if bucket == 0 {
      zeroCount += added
      return
    }
    span(bucket..<bucket + 1)
    counts[bucket - firstBucket] += added
  }

  /// Adds all values of another sketch.
  /// - Complexity: O(buckets of the other).
  package mutating func merge(_ other: QuantileSketch) {
    if other.count == 0 { return }
    zeroCount += other.zeroCount
    if !other.counts.isEmpty { merge(counts: other) }
    count += other.count
    minimum = Swift.min(minimum, other.minimum)
    maximum = Swift.max(maximum, other.maximum)
    scaledSum += other.scaledSum
  }

  private mutating func merge(counts other: QuantileSketch) {
    span(other.firstBucket..<other.firstBucket + other.counts.count)
    for (offset, added) in other.counts.enumerated() {
      counts[other.firstBucket - firstBucket + offset] += added
    }
  }

  /// The value of rank ⌈q·n⌉ within 1 %, or nil where there are no values.
  /// - Parameter q: From 0 (the minimum, exact) to 1 (the maximum, exact).
  package func quantile(_ q: Double) -> Double? {
    // The subtrahend undoes the rounding of a product such as 0.07 × 100.
    value(atRank: Int64((q * Double(count) - 1e-9).rounded(.up)))
  }

  /// The value of rank ⌈permille·n ÷ 1000⌉ within 1 %, or nil where there are no values.
  package func quantile(permille: Int) -> Double? {
    value(atRank: (count * Int64(permille) + 999) / 1_000)
  }

  /// The value of a 1-based rank within 1 %; ranks outside 1…n mean the nearest of them.
  /// - Complexity: O(buckets).
  package func value(atRank rank: Int64) -> Double? {
    if count == 0 { return nil }
    if rank <= 1 { return minimum }
    if rank >= count { return maximum }
    var seen = zeroCount
    if seen >= rank { return minimum }
    for (offset, here) in counts.enumerated() {
      seen += here
      if seen >= rank {
        let middle = QuantileSketch.middle(ofBucket: firstBucket + offset)
        return Swift.min(Swift.max(middle, minimum), maximum)
      }
    }
    return maximum
  }

  /// Makes the array span at least `buckets`.
  private mutating func span(_ buckets: Range<Int>) {
    if buckets.isEmpty { return }
    if counts.isEmpty {
      firstBucket = buckets.lowerBound
      counts = [Int64](repeating: 0, count: buckets.count)
      return
    }
    let end = firstBucket + counts.count
    if buckets.upperBound > end {
      counts.append(contentsOf: repeatElement(0, count: buckets.upperBound - end))
    }
    if buckets.lowerBound < firstBucket {
      let added = firstBucket - buckets.lowerBound
      counts.insert(contentsOf: repeatElement(0, count: added), at: 0)
      firstBucket = buckets.lowerBound
    }
  }
}

extension QuantileSketch {
  /// Appends the sketch: the count of bucket 0, the number of other buckets and, where there are any,
  /// the first of them and their counts (LEB128 each), then scaled sum, minimum and maximum as
  /// little-endian bit patterns. An empty sketch is two zero bytes.
  package func serialise(into bytes: inout [UInt8]) {
    if count == 0 {
      bytes.append(contentsOf: [0, 0])
      return
    }
    Varint.append(UInt128(zeroCount), to: &bytes)
    Varint.append(UInt128(counts.count), to: &bytes)
    if !counts.isEmpty { Varint.append(UInt128(firstBucket), to: &bytes) }
    for here in counts { Varint.append(UInt128(here), to: &bytes) }
    for real in [scaledSum, minimum, maximum] {
      var pattern = real.bitPattern
      for _ in 0..<8 {
        bytes.append(UInt8(truncatingIfNeeded: pattern))
        pattern >>= 8
      }
    }
  }

  /// Reads what ``serialise(into:)`` wrote, moving `position` past it.
  /// - Returns: nil where the bytes end early or say what no sketch can; nothing is trusted.
  package static func deserialise(_ bytes: [UInt8], at position: inout Int) -> QuantileSketch? {
    guard let zeros = Varint.read(bytes, at: &position), zeros <= UInt128(Int64.max),
      let width = Varint.read(bytes, at: &position), width < UInt128(bucketLimit)
    else { return nil }
    if zeros == 0, width == 0 { return QuantileSketch() }
    var parts = Parts(
      zeroCount: Int64(zeros), firstBucket: 1, counts: [], scaledSum: 0, minimum: 0, maximum: 0)
    if width > 0 {
      guard let first = Varint.read(bytes, at: &position), first < UInt128(bucketLimit) else {
        return nil
      }
      parts.firstBucket = Int(first)
      parts.counts.reserveCapacity(min(Int(width), bytes.count))
    }
    for _ in 0..<Int(width) {
      guard let here = Varint.read(bytes, at: &position), here <= UInt128(Int64.max) else {
        return nil
      }
      parts.counts.append(Int64(here))
    }
    guard let sum = real(bytes, at: &position), let least = real(bytes, at: &position),
      let greatest = real(bytes, at: &position)
    else { return nil }
    parts.scaledSum = sum
    parts.minimum = least
    parts.maximum = greatest
    return QuantileSketch(parts)
  }

  private static func real(_ bytes: [UInt8], at position: inout Int) -> Double? {
    if bytes.count - position < 8 { return nil }
    var pattern: UInt64 = 0
    for offset in (0..<8).reversed() { pattern = pattern << 8 | UInt64(bytes[position + offset]) }
    position += 8
    return Double(bitPattern: pattern)
  }
}
