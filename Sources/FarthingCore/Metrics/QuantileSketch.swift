// A mergeable sketch of a distribution of times, from which any quantile is read within 1 %.
//
// A bucket is all values that share their sign, exponent and first six mantissa bits, so its place
// is a shift of the value's bit pattern and no logarithm is taken. A bucket is at most 1/64 of its
// lower edge wide; its middle is therefore within 1/128 = 0.78 % of every value in it. Buckets are
// counted exactly, so the bucket that holds an order statistic is known for certain: the error of a
// quantile against the nearest-rank definition is that of its bucket's middle and nothing else,
// after any number of merges in any order.
//
// Buckets stand in one array that spans those in use. All finite values fit into 131,008 buckets;
// times between a microsecond and an hour take at most 2,048.

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
  /// Bucket of `counts[0]`.
  private var firstBucket: Int
  private var counts: [Int64]

  private static let sumScale = 0x1p-64

  package init() {
    count = 0
    minimum = .infinity
    maximum = -.infinity
    scaledSum = 0
    firstBucket = 0
    counts = []
  }

  /// The values of a sketch that was taken apart by ``parts``, or nil where they are what no sketch
  /// has: nothing is trusted.
  package init?(_ parts: Parts) {
    let (count, overflow) = parts.counts.reduce((Int64(0), false)) { sum, here in
      let (next, overflow) = sum.0.addingReportingOverflow(here)
      return (next, sum.1 || overflow || here < 0)
    }
    guard !overflow, count > 0, parts.firstBucket >= 0,
      parts.firstBucket <= QuantileSketch.bucketLimit - parts.counts.count,
      parts.scaledSum.isFinite, parts.scaledSum >= 0, parts.minimum >= 0, parts.maximum.isFinite,
      parts.minimum <= parts.maximum
    else { return nil }
    self.count = count
    minimum = parts.minimum
    maximum = parts.maximum
    scaledSum = parts.scaledSum
    firstBucket = parts.firstBucket
    counts = parts.counts
  }

  /// What a sketch is made of, for whoever stores it: how many values fell into each bucket from
  /// the first on, the sum of all × 2⁻⁶⁴ and their exact bounds.
  package struct Parts: Sendable {
    package var firstBucket: Int
    package var counts: [Int64]
    package var scaledSum: Double
    package var minimum: Double
    package var maximum: Double

    package init(
      firstBucket: Int, counts: [Int64], scaledSum: Double, minimum: Double, maximum: Double
    ) {
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
      firstBucket: firstBucket + first, counts: Array(counts[first..<max(last + 1, first)]),
      scaledSum: scaledSum, minimum: minimum, maximum: maximum)
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
    let bucket = QuantileSketch.bucket(of: value)
    span(bucket..<bucket + 1)
    counts[bucket - firstBucket] += times
    count += times
    minimum = Swift.min(minimum, value)
    maximum = Swift.max(maximum, value)
    scaledSum += value * QuantileSketch.sumScale * Double(times)
  }

  /// Adds what was counted elsewhere by bucket.
  ///
  /// - Parameters:
  ///   - bucketCounts: How many values fell into each bucket from `first` on.
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
    span(bucket..<bucket + 1)
    counts[bucket - firstBucket] += added
    count += added
  }

  /// Adds all values of another sketch.
  /// - Complexity: O(buckets of the other).
  package mutating func merge(_ other: QuantileSketch) {
    if other.count == 0 { return }
    span(other.firstBucket..<other.firstBucket + other.counts.count)
    for (offset, added) in other.counts.enumerated() {
      counts[other.firstBucket - firstBucket + offset] += added
    }
    count += other.count
    minimum = Swift.min(minimum, other.minimum)
    maximum = Swift.max(maximum, other.maximum)
    scaledSum += other.scaledSum
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
    var seen: Int64 = 0
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
  /// Appends the sketch: first bucket, number of buckets, the counts of all buckets (LEB128 each),
  /// then scaled sum, minimum and maximum as little-endian bit patterns. An empty sketch is two
  /// zero bytes.
  package func serialise(into bytes: inout [UInt8]) {
    if count == 0 {
      bytes.append(contentsOf: [0, 0])
      return
    }
    Varint.append(UInt128(firstBucket), to: &bytes)
    Varint.append(UInt128(counts.count), to: &bytes)
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
    guard let first = Varint.read(bytes, at: &position), first < UInt128(bucketLimit),
      let width = Varint.read(bytes, at: &position), width <= UInt128(bucketLimit) - first
    else { return nil }
    var sketch = QuantileSketch()
    if width == 0 { return sketch }
    sketch.firstBucket = Int(first)
    sketch.counts.reserveCapacity(min(Int(width), bytes.count))
    for _ in 0..<Int(width) {
      guard let here = Varint.read(bytes, at: &position), here <= UInt128(Int64.max) else {
        return nil
      }
      let (sum, overflow) = sketch.count.addingReportingOverflow(Int64(here))
      if overflow { return nil }
      sketch.count = sum
      sketch.counts.append(Int64(here))
    }
    guard let sum = real(bytes, at: &position), let least = real(bytes, at: &position),
      let greatest = real(bytes, at: &position),
      sketch.count > 0, sum.isFinite, sum >= 0, least.isFinite, greatest.isFinite,
      least >= 0, least <= greatest
    else { return nil }
    sketch.scaledSum = sum
    sketch.minimum = least
    sketch.maximum = greatest
    return sketch
  }

  private static func real(_ bytes: [UInt8], at position: inout Int) -> Double? {
    if bytes.count - position < 8 { return nil }
    var pattern: UInt64 = 0
    for offset in (0..<8).reversed() { pattern = pattern << 8 | UInt64(bytes[position + offset]) }
    position += 8
    return Double(bitPattern: pattern)
  }
}
