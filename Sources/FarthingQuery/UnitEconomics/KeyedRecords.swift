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

  mutating func append(_ key: TextKey, group: UInt32 = 0, low: Int64 = 0, high: Int64 = 0) {
    if high != 0, !isWide { widen() }
    let place = KeyedRecords.partition(key.low, key.high)
    partitions[place].low.append(key.low)
    partitions[place].high.append(key.high)
    if hasGroups { partitions[place].groups.append(group) }
    if hasAmounts { partitions[place].amounts.append(low) }
    if isWide { partitions[place].amountsHigh.append(high) }
    count += 1
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
