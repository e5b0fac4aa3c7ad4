internal import FarthingStore

// What tasks, prompts and other values of many kinds need: all records of one value together.
//
// Records are dealt out to partitions by a digest of their key while the blocks are scanned, in
// batches, so that memory is written in long runs. Afterwards one partition at a time is put into a
// table small enough for the cache. The same digest is used by all workers, so partition p of one
// belongs with partition p of every other.

/// Records of one worker: a key, and what the accumulator asks for beside it.
struct KeyedRecords {
  static let partitionBits: UInt64 = 7
  static let partitionCount = 1 << Int(partitionBits)

  struct Partition {
    var low: [UInt64] = []
    var high: [UInt64] = []
    var groups: [UInt32] = []
    var amounts: [Int64] = []
    var amountsHigh: [Int64] = []
  }

  private(set) var partitions = [Partition](repeating: Partition(), count: partitionCount)
  let hasGroups: Bool
  let hasAmounts: Bool
  /// Whether an amount needed its upper half; then every record has one.
  private(set) var isWide = false
  private(set) var count = 0

  init(hasGroups: Bool, hasAmounts: Bool) {
    self.hasGroups = hasGroups
    self.hasAmounts = hasAmounts
  }

  var byteCount: Int {
    count * (16 + (hasGroups ? 4 : 0) + (hasAmounts ? 8 : 0) + (isWide ? 8 : 0))
  }

  static func partition(_ low: UInt64, _ high: UInt64) -> Int {
    Int(TextKey.mix(low, high) >> (64 - partitionBits))
  }

  /// Adds the records that are staged, and empties the stage.
  mutating func append(_ stage: inout RecordStage) {
    if stage.count == 0 { return }
    if stage.hasHighAmounts, !isWide { widen() }
    stage.sort()
    count += stage.count
    for place in 0..<KeyedRecords.partitionCount {
      let range = stage.range(place)
      if range.isEmpty { continue }
      partitions[place].low.append(contentsOf: stage.sortedLow[range])
      partitions[place].high.append(contentsOf: stage.sortedHigh[range])
      if hasGroups { partitions[place].groups.append(contentsOf: stage.sortedGroups[range]) }
      if hasAmounts { partitions[place].amounts.append(contentsOf: stage.sortedAmounts[range]) }
      if isWide { partitions[place].amountsHigh.append(contentsOf: stage.sortedHighAmounts[range]) }
    }
    stage.removeAll()
  }

  private mutating func widen() {
    isWide = true
    for place in partitions.indices {
      partitions[place].amountsHigh = [Int64](
        repeating: 0, count: partitions[place].amounts.count)
    }
  }

  /// Gives up a partition's memory.
  mutating func release(_ place: Int) { partitions[place] = Partition() }
}

/// Records of one block on their way to the partitions: sorted by partition in one pass, so that
/// each partition is appended to once a block.
struct RecordStage {
  private(set) var count = 0
  private(set) var hasHighAmounts = false
  private let hasGroups: Bool
  private let hasAmounts: Bool
  private var low: [UInt64] = []
  private var high: [UInt64] = []
  private var groups: [UInt32] = []
  private var amounts: [Int64] = []
  private var highAmounts: [Int64] = []
  fileprivate(set) var sortedLow: [UInt64] = []
  fileprivate(set) var sortedHigh: [UInt64] = []
  fileprivate(set) var sortedGroups: [UInt32] = []
  fileprivate(set) var sortedAmounts: [Int64] = []
  fileprivate(set) var sortedHighAmounts: [Int64] = []
  /// Where each partition's records begin, and at last where they end.
  private var starts = [Int](repeating: 0, count: KeyedRecords.partitionCount + 1)
  private var places: [UInt32] = []
  /// Whether `sortedHighAmounts` holds zeros only.
  private var isHighZero = true

  init(hasGroups: Bool, hasAmounts: Bool) {
    self.hasGroups = hasGroups
    self.hasAmounts = hasAmounts
  }

  @inline(__always)
  mutating func append(_ key: TextKey, group: UInt32, low amount: Int64, high highAmount: Int64) {
    low.append(key.low)
    high.append(key.high)
    if hasGroups { groups.append(group) }
    if hasAmounts {
      amounts.append(amount)
      highAmounts.append(highAmount)
      if highAmount != 0 { hasHighAmounts = true }
    }
    count += 1
  }

  fileprivate func range(_ partition: Int) -> Range<Int> {
    starts[partition]..<starts[partition + 1]
  }

  fileprivate mutating func removeAll() {
    count = 0
    hasHighAmounts = false
    low.removeAll(keepingCapacity: true)
    high.removeAll(keepingCapacity: true)
    groups.removeAll(keepingCapacity: true)
    amounts.removeAll(keepingCapacity: true)
    highAmounts.removeAll(keepingCapacity: true)
  }

  fileprivate mutating func sort() {
    if places.count < count { places = [UInt32](repeating: 0, count: count) }
    var ends = [Int](repeating: 0, count: KeyedRecords.partitionCount + 1)
    RecordStage.place(low, high, count: count, into: &places, &ends)
    for partition in 0..<KeyedRecords.partitionCount { starts[partition + 1] = ends[partition] }
    RecordStage.deal(low, places, count: count, into: &sortedLow)
    RecordStage.deal(high, places, count: count, into: &sortedHigh)
    if hasGroups { RecordStage.deal(groups, places, count: count, into: &sortedGroups) }
    if hasAmounts { RecordStage.deal(amounts, places, count: count, into: &sortedAmounts) }
    if hasHighAmounts {
      RecordStage.deal(highAmounts, places, count: count, into: &sortedHighAmounts)
      isHighZero = false
    } else if hasAmounts, !isHighZero || sortedHighAmounts.count < count {
      sortedHighAmounts = [Int64](repeating: 0, count: count)
      isHighZero = true
    }
  }

  /// Gives each record its place in the order of partitions, and each partition its end.
  private static func place(
    _ low: [UInt64], _ high: [UInt64], count: Int, into places: inout [UInt32],
    _ ends: inout [Int]
  ) {
    let lows = low.span
    let highs = high.span
    var target = places.mutableSpan
    var next = ends.mutableSpan
    for index in 0..<count {
      let partition = KeyedRecords.partition(lows[index], highs[index])
      target[index] = UInt32(truncatingIfNeeded: partition)
      next[partition] &+= 1
    }
    var start = 0
    for partition in 0..<KeyedRecords.partitionCount {
      let size = next[partition]
      next[partition] = start
      start += size
    }
    for index in 0..<count {
      let partition = Int(target[index])
      target[index] = UInt32(truncatingIfNeeded: next[partition])
      next[partition] &+= 1
    }
  }

  private static func deal(
    _ values: [UInt64], _ places: [UInt32], count: Int, into sorted: inout [UInt64]
  ) {
    if sorted.count < count { sorted = [UInt64](repeating: 0, count: count) }
    let source = values.span
    let order = places.span
    var target = sorted.mutableSpan
    for index in 0..<count { target[Int(order[index])] = source[index] }
  }

  private static func deal(
    _ values: [Int64], _ places: [UInt32], count: Int, into sorted: inout [Int64]
  ) {
    if sorted.count < count { sorted = [Int64](repeating: 0, count: count) }
    let source = values.span
    let order = places.span
    var target = sorted.mutableSpan
    for index in 0..<count { target[Int(order[index])] = source[index] }
  }

  private static func deal(
    _ values: [UInt32], _ places: [UInt32], count: Int, into sorted: inout [UInt32]
  ) {
    if sorted.count < count { sorted = [UInt32](repeating: 0, count: count) }
    let source = values.span
    let order = places.span
    var target = sorted.mutableSpan
    for index in 0..<count { target[Int(order[index])] = source[index] }
  }
}

/// Numbers the different (key, group) pairs of one partition.
struct KeyTable {
  private(set) var low: [UInt64] = []
  private(set) var high: [UInt64] = []
  private(set) var groups: [UInt32] = []
  private var table: [UInt32]
  private var shift: UInt64

  /// - Parameter capacity: At most how many pairs will come; more are no error.
  init(capacity: Int) {
    var size = 64
    while size < capacity + capacity / 2 { size *= 2 }
    table = [UInt32](repeating: 0, count: size)
    shift = UInt64(64 - size.trailingZeroBitCount)
  }

  var count: Int { low.count }

  @inline(__always)
  private func start(_ low: UInt64, _ high: UInt64, _ group: UInt32) -> Int {
    // The partition took the top bits of the digest, so the table takes the ones below.
    let digest = (TextKey.mix(low, high) &<< KeyedRecords.partitionBits) ^ UInt64(group) &<< 40
    return Int(truncatingIfNeeded: (digest &* 0x9e37_79b9_7f4a_7c15) >> shift)
  }

  /// The number of the pair, or nil where it is not known.
  func find(_ key: TextKey, group: UInt32 = 0) -> Int? {
    let mask = table.count - 1
    var place = start(key.low, key.high, group)
    while true {
      let entry = Int(table[place])
      if entry == 0 { return nil }
      if low[entry - 1] == key.low, high[entry - 1] == key.high, groups[entry - 1] == group {
        return entry - 1
      }
      place = (place + 1) & mask
    }
  }

  /// The number of the pair, and whether it was given just now.
  mutating func insert(_ keyLow: UInt64, _ keyHigh: UInt64, group: UInt32) -> (Int, Bool) {
    let mask = table.count - 1
    var place = start(keyLow, keyHigh, group)
    while true {
      let entry = Int(table[place])
      if entry == 0 { break }
      if low[entry - 1] == keyLow, high[entry - 1] == keyHigh, groups[entry - 1] == group {
        return (entry - 1, false)
      }
      place = (place + 1) & mask
    }
    low.append(keyLow)
    high.append(keyHigh)
    groups.append(group)
    table[place] = UInt32(low.count)
    if low.count * 4 > table.count * 3 { grow() }
    return (low.count - 1, true)
  }

  private mutating func grow() {
    let size = table.count * 2
    shift -= 1
    table = [UInt32](repeating: 0, count: size)
    for entry in low.indices {
      var place = start(low[entry], high[entry], groups[entry])
      while table[place] != 0 { place = (place + 1) & (size - 1) }
      table[place] = UInt32(entry + 1)
    }
  }
}
