internal import FarthingStore

// From the numbers of a row's grouped values to the number of its group.
//
// Dimensions of known, small cardinality are folded into one slot by mixed radix; a table of all
// slots gives the group. With few slots the slot is the group. What is left is folded in pairwise:
// (group so far, number) is numbered by a hash table. Every step can be undone, so a group knows
// its values without their being stored.

/// The groups that one worker has met.
final class GroupIndex {
  let dimensions: [GroupDimension]
  /// Places in `dimensions` in the order of folding.
  private let order: [Int]
  private let denseCount: Int
  /// By dimension; 1 where it has none.
  private let cardinalities: [Int]
  private let slotCount: Int
  /// Whether a slot's number is its group's.
  private let isDirect: Bool
  /// Group of a slot plus one; 0 where none was met.
  private var slotGroups: [UInt32] = []
  private var groupSlots: [UInt32] = []
  private var pairs: [KeyInterner]

  /// Slots of more than this would take longer to clear than a hash table takes to fill.
  private static let slotLimit = 1 << 22
  private static let directLimit = 1 << 13

  init(_ dimensions: [GroupDimension]) {
    self.dimensions = dimensions
    var dense: [Int] = []
    var slots = 1
    for (place, dimension) in dimensions.enumerated() {
      guard let cardinality = dimension.cardinality,
        slots * max(cardinality, 1) <= GroupIndex.slotLimit
      else { continue }
      slots *= max(cardinality, 1)
      dense.append(place)
    }
    let rest = dimensions.indices.filter { !dense.contains($0) }
    order = dense + rest
    denseCount = dense.count
    cardinalities = dimensions.map { max($0.cardinality ?? 1, 1) }
    slotCount = slots
    isDirect = slots <= GroupIndex.directLimit
    pairs = rest.map { _ in KeyInterner() }
    if !isDirect { slotGroups = [UInt32](repeating: 0, count: slots) }
  }

  /// Groups are numbered below this. Not every number below need have been met.
  var groupCount: Int {
    if let last = pairs.last { return last.count }
    return isDirect ? slotCount : groupSlots.count
  }

  /// Whether all rows are one group.
  var isSingle: Bool { dimensions.isEmpty }

  var byteCount: Int {
    slotGroups.count * 4 + groupSlots.capacity * 4 + pairs.reduce(0) { $0 + $1.byteCount }
      + dimensions.reduce(0) { $0 + $1.byteCount }
  }

  func enterSegment(_ place: Int) {
    for dimension in dimensions { dimension.enterSegment(place) }
  }

  /// Writes the group of each selected row.
  func number(
    _ reader: BlockReader, _ rows: RowSelection, starts: [Int64]?, into groups: inout [UInt32]
  ) throws(StoreError) {
    var isFirst = true
    for place in order[..<denseCount] {
      let dimension = dimensions[place]
      let factor = UInt32(dimension.cardinality ?? 1)
      if starts == nil, let id = dimension.commonID(reader) {
        Kernels.fold(id: id, count: rows.count, factor: isFirst ? 0 : factor, into: &groups)
      } else if let (slot, map) = try dimension.codesAndMap(reader) {
        Kernels.fold(slot.codes, map, rows, factor: isFirst ? 0 : factor, into: &groups)
      } else {
        try dimension.fill(reader, rows, starts: starts)
        Kernels.fold(dimension.ids, rows, factor: isFirst ? 0 : factor, into: &groups)
      }
      isFirst = false
    }
    if isFirst { Kernels.clear(&groups, count: rows.count) }
    if !isDirect {
      Kernels.assign(&groups, count: rows.count, table: &slotGroups, slots: &groupSlots)
    }
    for (index, place) in order[denseCount...].enumerated() {
      let dimension = dimensions[place]
      try dimension.fill(reader, rows, starts: starts)
      for index_ in 0..<rows.count {
        let id = dimension.ids[rows.row(index_)]
        groups[index_] = pairs[index].intern(UInt64(groups[index_]) << 32 | UInt64(id))
      }
    }
  }

  /// The group of a row whose numbers are known.
  func number(_ ids: [UInt32]) -> UInt32 {
    var slot: UInt32 = 0
    for place in order[..<denseCount] {
      slot = slot * UInt32(dimensions[place].cardinality ?? 1) + ids[place]
    }
    if isDirect, pairs.isEmpty { return slot }
    var group = [slot]
    if !isDirect { Kernels.assign(&group, count: 1, table: &slotGroups, slots: &groupSlots) }
    for (index, place) in order[denseCount...].enumerated() {
      group[0] = pairs[index].intern(UInt64(group[0]) << 32 | UInt64(ids[place]))
    }
    return group[0]
  }

  /// The numbers of a group's values, one a dimension.
  func ids(ofGroup group: Int) -> [UInt32] {
    var ids = [UInt32](repeating: 0, count: dimensions.count)
    writeIDs(ofGroup: group, into: &ids, at: 0)
    return ids
  }

  /// Writes the numbers of a group's values, one a dimension, from a place on.
  func writeIDs(ofGroup group: Int, into ids: inout [UInt32], at start: Int) {
    var rest = group
    for index in pairs.indices.reversed() {
      let key = pairs[index].keys[rest]
      ids[start + order[denseCount + index]] = UInt32(truncatingIfNeeded: key)
      rest = Int(key >> 32)
    }
    if !isDirect { rest = Int(groupSlots[rest]) }
    for index in (0..<denseCount).reversed() {
      let place = order[index]
      let cardinality = cardinalities[place]
      ids[start + place] = UInt32(rest % cardinality)
      rest /= cardinality
    }
  }

  /// Takes over the groups of another worker.
  /// - Returns: The number here of each of its groups that `isMet`; 0 for the others.
  func absorb(_ other: GroupIndex, isMet: (Int) -> Bool) -> [UInt32] {
    let maps = zip(dimensions, other.dimensions).map { $0.absorb($1) }
    var numbers = [UInt32](repeating: 0, count: other.groupCount)
    for group in 0..<other.groupCount where isMet(group) {
      var ids = other.ids(ofGroup: group)
      for (place, map) in maps.enumerated() {
        if let map { ids[place] = map[Int(ids[place])] }
      }
      numbers[group] = number(ids)
    }
    return numbers
  }
}

/// The rows of a block that are kept: all of them, or a list.
struct RowSelection {
  /// How many are kept.
  var count: Int
  /// Their numbers, of which the first `count` count; nil where all are kept.
  var list: [UInt32]?

  @inline(__always)
  func row(_ index: Int) -> Int { list.map { Int($0[index]) } ?? index }

  /// From the first kept row to the last one.
  var span: Range<Int> {
    guard let list, count > 0 else { return 0..<count }
    return Int(list[0])..<Int(list[count - 1]) + 1
  }
}
