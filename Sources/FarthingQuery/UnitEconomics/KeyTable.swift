internal import FarthingStore

/// Numbers the different keys, or (key, group) pairs, of one partition in the order of their first
/// appearance.
///
/// Keys and slots are arrays that a method takes as spans once for a run of records: an access
/// through a property would be checked for overlap at every record. Room is made before each run.
struct KeyTable {
  /// How many were numbered: every number is below.
  private(set) var count = 0
  private var lower: [UInt64]
  private var upper: [UInt64]
  /// The group of each number; empty where keys alone are numbered.
  private(set) var groups: [UInt32]
  /// Number plus one; 0 where the place is free.
  private var slots: [UInt32]
  private var shift: UInt64

  /// - Parameter capacity: About how many records will be numbered; more are no error.
  init(capacity: Int, hasGroups: Bool) {
    let size = KeyTable.slotCount(capacity)
    slots = [UInt32](repeating: 0, count: size)
    shift = UInt64(64 - size.trailingZeroBitCount)
    lower = [UInt64](repeating: 0, count: capacity)
    upper = lower
    groups = hasGroups ? [UInt32](repeating: 0, count: capacity) : []
  }

  private static func slotCount(_ capacity: Int) -> Int {
    var size = 64
    while size < capacity + capacity / 2 { size *= 2 }
    return size
  }

  /// Makes room for `more` further keys.
  private mutating func reserve(_ more: Int, hasGroups: Bool) {
    let wanted = count + more
    if lower.count < wanted {
      let added = repeatElement(0 as UInt64, count: max(wanted, lower.count * 2) - lower.count)
      lower.append(contentsOf: added)
      upper.append(contentsOf: added)
      if hasGroups {
        groups.append(contentsOf: repeatElement(0, count: lower.count - groups.count))
      }
    }
    let size = KeyTable.slotCount(wanted)
    if size <= slots.count { return }
    slots = [UInt32](repeating: 0, count: size)
    shift = UInt64(64 - size.trailingZeroBitCount)
    for entry in 0..<count {
      let digest = KeyTable.digest(lower[entry], upper[entry], hasGroups ? groups[entry] : 0)
      var place = Int(truncatingIfNeeded: digest &>> shift)
      while slots[place] != 0 { place = (place + 1) & (size - 1) }
      slots[place] = UInt32(entry + 1)
    }
  }

  /// About the bytes that it takes.
  var byteCount: Int { lower.count * 16 + groups.count * 4 + slots.count * 4 }

  /// A digest that has nothing in common with the choice of the partition.
  @inline(__always)
  static func digest(_ lower: UInt64, _ upper: UInt64, _ group: UInt32) -> UInt64 {
    // The partition took the top bits. The product wraps by intent: only its spread matters.
    ((TextKey.mix(lower, upper) &<< RecordPartitions.bits) ^ UInt64(group)) &* 0x9e37_79b9_7f4a_7c15
  }

  /// Numbers every record of a run into the front of `numbers`.
  ///
  /// - Parameters:
  ///   - groupWord: Where a record has its group; nil to number keys alone.
  ///   - map: From the record's group to the one that counts.
  mutating func number(
    _ run: Span<UInt64>, _ layout: RecordLayout, groupWord: Int?, _ map: [UInt32],
    into numbers: inout [UInt32]
  ) {
    let records = run.count / layout.stride
    if numbers.count < records { numbers = [UInt32](repeating: 0, count: records) }
    reserve(records, hasGroups: groupWord != nil)
    KeyTable.number(
      run, layout, groupWord: groupWord, map, shift: shift, &slots, &lower, &upper, &groups,
      known: &count, into: &numbers)
  }

  private static func number(
    _ run: Span<UInt64>, _ layout: RecordLayout, groupWord: Int?, _ map: [UInt32],
    shift: UInt64, _ slotArray: inout [UInt32], _ lowerArray: inout [UInt64],
    _ upperArray: inout [UInt64], _ groupArray: inout [UInt32], known count: inout Int,
    into numbers: inout [UInt32]
  ) {
    let records = run.count / layout.stride
    let mask = slotArray.count - 1
    var known = count
    let groupNumbers = map.span
    var target = numbers.mutableSpan
    var slots = slotArray.mutableSpan
    var lower = lowerArray.mutableSpan
    var upper = upperArray.mutableSpan
    var groups = groupArray.mutableSpan
    for record in 0..<records {
      let first = record &* layout.stride
      let low = run[first]
      let high = layout.upperHalf ?? run[first &+ 1]
      var group: UInt32 = 0
      if let groupWord { group = groupNumbers[Int(truncatingIfNeeded: run[first &+ groupWord])] }
      var place = Int(truncatingIfNeeded: KeyTable.digest(low, high, group) &>> shift)
      while true {
        let entry = Int(slots[place]) &- 1
        if entry < 0 {
          lower[known] = low
          upper[known] = high
          if groupWord != nil { groups[known] = group }
          known &+= 1
          slots[place] = UInt32(truncatingIfNeeded: known)
          target[record] = UInt32(truncatingIfNeeded: known &- 1)
          break
        }
        if lower[entry] == low, upper[entry] == high, groupWord == nil || groups[entry] == group {
          target[record] = UInt32(truncatingIfNeeded: entry)
          break
        }
        place = (place &+ 1) & mask
      }
    }
    count = known
  }

  /// The number of a key, or nil where it is not known; for tables of keys alone.
  @inline(__always)
  func find(_ low: UInt64, _ high: UInt64) -> Int? {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: KeyTable.digest(low, high, 0) &>> shift)
    while true {
      let entry = Int(slots[place]) - 1
      if entry < 0 { return nil }
      if lower[entry] == low, upper[entry] == high { return entry }
      place = (place + 1) & mask
    }
  }

  /// Finds every record of a run: writes its number plus one into the front of `numbers`, 0 where
  /// its key is not known.
  func find(_ run: Span<UInt64>, _ layout: RecordLayout, into numbers: inout [UInt32]) {
    let records = run.count / layout.stride
    if numbers.count < records { numbers = [UInt32](repeating: 0, count: records) }
    let mask = slots.count - 1
    var target = numbers.mutableSpan
    let slots = slots.span
    let lower = lower.span
    let upper = upper.span
    for record in 0..<records {
      let first = record &* layout.stride
      let low = run[first]
      let high = layout.upperHalf ?? run[first &+ 1]
      var place = Int(truncatingIfNeeded: KeyTable.digest(low, high, 0) &>> shift)
      while true {
        let entry = slots[place]
        if entry == 0 {
          target[record] = 0
          break
        }
        let index = Int(entry) &- 1
        if lower[index] == low, upper[index] == high {
          target[record] = entry
          break
        }
        place = (place &+ 1) & mask
      }
    }
  }
}
