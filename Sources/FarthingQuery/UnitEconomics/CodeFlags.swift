internal import FarthingStore

/// Which texts of a dictionary field each group has, for exact counts of different values.
struct CodeFlags {
  private let slot: ColumnSlot
  private let universe: CodeUniverse
  /// One a group and text; 1 where the group has it. The text of number 0 is absence.
  private var flags: [UInt8] = []
  /// Takes over where the flags would be too many.
  private var pairs: KeyInterner?
  private var map: [UInt32] = []
  private var groupCount = 0

  private static let flagLimit = 1 << 25

  init(_ slot: ColumnSlot, _ universe: CodeUniverse) {
    self.slot = slot
    self.universe = universe
  }

  var byteCount: Int { flags.count + (pairs?.byteCount ?? 0) }

  mutating func enterSegment(_ place: Int) { map = universe.map(ofSegment: place) ?? [] }

  mutating func grow(to groupCount: Int) {
    self.groupCount = max(self.groupCount, groupCount)
    if pairs != nil { return }
    let wanted = self.groupCount * universe.count
    if wanted <= CodeFlags.flagLimit {
      flags.append(contentsOf: repeatElement(0, count: wanted - flags.count))
      return
    }
    var table = KeyInterner()
    for (place, flag) in flags.enumerated() where flag != 0 {
      _ = table.intern(UInt64(place / universe.count) << 32 | UInt64(place % universe.count))
    }
    pairs = table
    flags = []
  }

  mutating func add(_ reader: BlockReader, _ block: BlockGroups) throws(StoreError) {
    if slot.kind == nil && universe.absent == 0 && !slot.isUsage { return }
    try reader.loadCodes(slot)
    if pairs == nil {
      CodeFlags.set(&flags, slot.codes, map, block, width: universe.count)
      return
    }
    let codes = slot.codes
    for index in 0..<block.selection.count {
      let text = map[Int(codes[block.selection.row(index)])]
      if text != 0 { _ = pairs?.intern(UInt64(block.group(index)) << 32 | UInt64(text)) }
    }
  }

  private static func set(
    _ flags: inout [UInt8], _ codes: [UInt32], _ map: [UInt32], _ block: BlockGroups, width: Int
  ) {
    let codes = codes.span
    let texts = map.span
    let groups = block.groups.span
    let list = block.selection.list
    let isSingle = block.isSingle
    var target = flags.mutableSpan
    for index in 0..<block.selection.count {
      let text = Int(texts[Int(codes[list.map { Int($0[index]) } ?? index])])
      let group = isSingle ? 0 : Int(groups[index])
      target[group &* width &+ text] = 1
    }
  }

  /// Adds what another worker's groups have.
  mutating func merge(_ other: CodeFlags, _ numbers: [UInt32]) {
    other.visit { group, text in
      let target = Int(numbers[group])
      if pairs == nil {
        flags[target * universe.count + text] = 1
      } else {
        _ = pairs?.intern(UInt64(target) << 32 | UInt64(text))
      }
    }
  }

  private func visit(_ body: (Int, Int) -> Void) {
    if let pairs {
      for key in pairs.keys { body(Int(key >> 32), Int(key & 0xffff_ffff)) }
      return
    }
    for (place, flag) in flags.enumerated() where flag != 0 {
      if place % universe.count != 0 { body(place / universe.count, place % universe.count) }
    }
  }

  /// How many texts each group has.
  func counts() -> [Int64] {
    var counts = [Int64](repeating: 0, count: groupCount)
    visit { group, _ in counts[group] += 1 }
    return counts
  }
}
