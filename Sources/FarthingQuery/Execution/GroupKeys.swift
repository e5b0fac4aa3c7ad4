/// The groups of an answer in the order of their values: one number each.
struct GroupKeys {
  /// The numbers of each group's values, one a dimension, group after group.
  private(set) var ids: [UInt32]
  /// By dimension.
  let greatestIDs: [UInt32]
  /// Ascending in the order of rows, one a group: the ranks of its values side by side.
  private(set) var keys: [UInt64]
  /// Keys are below 2 to the power of this.
  private var bits = 0

  init(_ groups: [Int], _ index: GroupIndex) {
    let dimensions = index.dimensions
    ids = [UInt32](repeating: 0, count: groups.count * dimensions.count)
    keys = [UInt64](repeating: 0, count: groups.count)
    for (place, group) in groups.enumerated() {
      index.writeIDs(ofGroup: group, into: &ids, at: place * dimensions.count)
    }
    var greatest = [UInt32](repeating: 0, count: dimensions.count)
    for place in ids.indices {
      let dimension = place % dimensions.count
      greatest[dimension] = max(greatest[dimension], ids[place])
    }
    greatestIDs = greatest
    for (place, dimension) in dimensions.enumerated() {
      append(dimension, at: place, of: dimensions.count)
    }
  }

  /// Appends the ranks of one dimension's values to the keys.
  private mutating func append(_ dimension: GroupDimension, at place: Int, of count: Int) {
    var isUsed = [Bool](repeating: false, count: Int(greatestIDs[place]) + 1)
    for group in keys.indices { isUsed[Int(ids[group * count + place])] = true }
    let used = isUsed.indices.filter { isUsed[$0] }
    let sorted = used.map { ($0, dimension.value(UInt32($0))) }
      .sorted { GroupValue.precedes($0.1, $1.1) }
    var ranks = [UInt64](repeating: 0, count: isUsed.count)
    for (rank, entry) in sorted.enumerated() { ranks[entry.0] = UInt64(rank) }
    let width = GroupKeys.width(of: used.count)
    if bits + width > 64 { compress() }
    for group in keys.indices {
      keys[group] = keys[group] << UInt64(width) | ranks[Int(ids[group * count + place])]
    }
    bits += width
  }

  /// Replaces keys by their ranks among each other, which take fewer bits.
  private mutating func compress() {
    var rank: UInt64 = 0
    var before: UInt64?
    let sorted = sortedPlaces()
    var ranks = keys
    for place in sorted {
      if let before, before != keys[place] { rank += 1 }
      before = keys[place]
      ranks[place] = rank
    }
    keys = ranks
    bits = GroupKeys.width(of: keys.count)
  }

  /// The places of the groups in the order of their keys.
  func sortedPlaces() -> [Int] {
    let width = GroupKeys.width(of: keys.count)
    guard bits + width <= 64 else { return keys.indices.sorted { keys[$0] < keys[$1] } }
    // Plain numbers sort several times as fast as places that are compared by their keys.
    var packed = keys
    for place in packed.indices { packed[place] = packed[place] << UInt64(width) | UInt64(place) }
    packed.sort()
    let mask = (UInt64(1) << UInt64(width)) - 1
    return packed.map { Int($0 & mask) }
  }

  /// The bits of the numbers below `count`.
  private static func width(of count: Int) -> Int {
    count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount
  }
}
