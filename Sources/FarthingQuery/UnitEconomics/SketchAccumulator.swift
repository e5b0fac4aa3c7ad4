internal import FarthingCore
internal import FarthingStore

// One quantile sketch for each group, filled a block at a time.
//
// The bucket counts of all groups stand in one matrix whose columns span the buckets in use, so
// that a row costs one increment. Bucket 0 lies far from the others and has counts of its own. With so many groups that the matrix would be mostly empty, the
// counts move into a table by (group, bucket).

/// The distribution of one field for each group.
struct SketchAccumulator {
  let slot: ColumnSlot
  private var counts: [UInt32] = []
  private var firstBucket = 0
  private var width = 0
  private var zeros: [Int64] = []
  private var sparse: SparseCounts?
  private var sums: [Double] = []
  private var least: [Double] = []
  private var greatest: [Double] = []
  private var groupCount = 0
  private var whole: [Int: QuantileSketch] = [:]

  /// 16 million counts are 64 MiB.
  private static let denseLimit = 1 << 24

  init(_ slot: ColumnSlot) { self.slot = slot }

  var byteCount: Int {
    counts.count * 4 + groupCount * 32 + (sparse?.byteCount ?? 0) + whole.count * 16_384
  }

  mutating func grow(to groupCount: Int) {
    let added = groupCount - self.groupCount
    if added <= 0 { return }
    self.groupCount = groupCount
    sums.append(contentsOf: repeatElement(0, count: added))
    zeros.append(contentsOf: repeatElement(0, count: added))
    least.append(contentsOf: repeatElement(.infinity, count: added))
    greatest.append(contentsOf: repeatElement(-.infinity, count: added))
    if sparse != nil { return }
    if groupCount * width > SketchAccumulator.denseLimit {
      thinOut()
    } else {
      counts.append(contentsOf: repeatElement(0, count: groupCount * width - counts.count))
    }
  }

  /// Adds what a segment knows of all its rows.
  mutating func add(_ sketch: QuantileSketch, to group: Int) {
    whole[group, default: QuantileSketch()].merge(sketch)
  }

  mutating func add(_ reader: BlockReader, _ block: BlockGroups) throws(StoreError) {
    guard slot.kind == .reals else { return }
    try reader.loadReals(slot)
    let values = slot.reals.values
    let validity = slot.reals.validity
    var low = Int.max
    var high = -1
    for index in 0..<block.selection.count {
      let row = block.selection.row(index)
      if let validity, validity[row] == 0 { continue }
      let value = values[row]
      let group = block.group(index)
      let bucket = QuantileSketch.bucket(of: value)
      if bucket > 0 {
        low = min(low, bucket)
        high = max(high, bucket)
      } else {
        zeros[group] += 1
      }
      sums[group] += value * 0x1p-64
      least[group] = min(least[group], value)
      greatest[group] = max(greatest[group], value)
    }
    if high < 0 { return }
    span(low...high)
    count(values, validity, block)
  }

  private mutating func count(_ values: [Double], _ validity: [UInt8]?, _ block: BlockGroups) {
    for index in 0..<block.selection.count {
      let row = block.selection.row(index)
      if let validity, validity[row] == 0 { continue }
      let bucket = QuantileSketch.bucket(of: values[row])
      if bucket == 0 { continue }
      let group = block.group(index)
      if sparse != nil {
        sparse?.add(1, SparseCounts.key(group: group, bucket: bucket))
      } else {
        counts[group * width + bucket - firstBucket] &+= 1
      }
    }
  }

  /// Makes the matrix span at least `buckets`.
  private mutating func span(_ buckets: ClosedRange<Int>) {
    if sparse != nil { return }
    if width > 0, buckets.lowerBound >= firstBucket, buckets.upperBound < firstBucket + width {
      return
    }
    // Widened a little further than asked, so that it settles soon.
    let oldEnd = width == 0 ? buckets.upperBound + 1 : firstBucket + width
    let start = width == 0 ? buckets.lowerBound : min(firstBucket, buckets.lowerBound)
    let first = max(1, start - 64)
    let end = min(QuantileSketch.bucketLimit, max(oldEnd, buckets.upperBound + 1) + 64)
    if groupCount * (end - first) > SketchAccumulator.denseLimit {
      thinOut()
      return
    }
    var wider = [UInt32](repeating: 0, count: groupCount * (end - first))
    for group in 0..<groupCount {
      for column in 0..<width {
        wider[group * (end - first) + firstBucket - first + column] = counts[group * width + column]
      }
    }
    counts = wider
    firstBucket = first
    width = end - first
  }

  private mutating func thinOut() {
    var table = SparseCounts()
    for (place, count) in counts.enumerated() where count > 0 {
      table.add(
        Int64(count), SparseCounts.key(group: place / width, bucket: firstBucket + place % width))
    }
    sparse = table
    counts = []
    width = 0
  }

  /// Adds the sketches of another worker's groups.
  mutating func merge(_ other: SketchAccumulator, _ numbers: [UInt32]) {
    if other.groupCount == 0 { return }
    for group in 0..<other.groupCount {
      let target = Int(numbers[group])
      sums[target] += other.sums[group]
      zeros[target] += other.zeros[group]
      least[target] = min(least[target], other.least[group])
      greatest[target] = max(greatest[target], other.greatest[group])
    }
    for (group, sketch) in other.whole { add(sketch, to: Int(numbers[group])) }
    if sparse == nil, other.sparse == nil, other.width > 0 {
      span(other.firstBucket...other.firstBucket + other.width - 1)
    }
    if sparse == nil, other.sparse == nil {
      for (place, count) in other.counts.enumerated() where count > 0 {
        let group = Int(numbers[place / other.width])
        counts[group * width + other.firstBucket + place % other.width - firstBucket] &+= count
      }
      return
    }
    if sparse == nil { thinOut() }
    other.forEachCount { group, bucket, count in
      sparse?.add(count, SparseCounts.key(group: Int(numbers[group]), bucket: bucket))
    }
  }

  private func forEachCount(_ body: (Int, Int, Int64) -> Void) {
    sparse?.visit { key, count in body(Int(key >> 18), Int(key & 0x3ffff), count) }
    for (place, count) in counts.enumerated() where count > 0 {
      body(place / width, firstBucket + place % width, Int64(count))
    }
  }

  /// The sketch of every group, in their order.
  func sketches() -> [QuantileSketch] {
    var sketches = [QuantileSketch](repeating: QuantileSketch(), count: groupCount)
    if sparse == nil {
      for group in 0..<groupCount where greatest[group] >= 0 {
        sketches[group].add(
          bucketCounts: Array(counts[group * width..<(group + 1) * width]), first: firstBucket,
          scaledSum: sums[group], minimum: least[group], maximum: greatest[group])
      }
    } else {
      // Buckets of a group come in no order, so each is spanned once by its extremes.
      for group in 0..<groupCount where greatest[group] >= 0 {
        let first = max(QuantileSketch.bucket(of: least[group]), 1)
        let last = max(QuantileSketch.bucket(of: greatest[group]), first)
        sketches[group].add(
          bucketCounts: [UInt32](repeating: 0, count: last - first + 1), first: first,
          scaledSum: sums[group], minimum: least[group], maximum: greatest[group])
      }
      sparse?.visit { key, count in
        sketches[Int(key >> 18)].addCount(count, bucket: Int(key & 0x3ffff))
      }
    }
    for group in 0..<groupCount where zeros[group] > 0 {
      sketches[group].addCount(zeros[group], bucket: 0)
    }
    for (group, sketch) in whole { sketches[group].merge(sketch) }
    return sketches
  }
}

/// Counts by (group, bucket) where few of the possible pairs occur.
struct SparseCounts {
  private var interner = KeyInterner()
  private var counts: [Int64] = []

  static func key(group: Int, bucket: Int) -> UInt64 { UInt64(group) << 18 | UInt64(bucket) }

  var byteCount: Int { interner.byteCount + counts.capacity * 8 }

  mutating func add(_ count: Int64, _ key: UInt64) {
    let place = Int(interner.intern(key))
    if place == counts.count { counts.append(0) }
    counts[place] += count
  }

  func visit(_ body: (UInt64, Int64) -> Void) {
    for (place, count) in counts.enumerated() { body(interner.keys[place], count) }
  }
}
