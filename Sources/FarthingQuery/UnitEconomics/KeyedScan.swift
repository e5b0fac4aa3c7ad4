internal import FarthingCore
internal import FarthingStore

/// Collects the records of one keyed quantity while a worker scans.
final class KeyedScan {
  let records: KeyedRecords
  private let keys: FieldKeys
  private let cost: ColumnSlot?
  private let costHigh: ColumnSlot?
  /// Group plus one in which a code of the segment at hand was recorded last: most codes only ever
  /// meet one group, and need one record a segment.
  private var recordedGroup: [UInt32] = []
  /// Codes of the block at hand that are recorded, each with its group.
  private var found: [UInt32] = []

  /// - Parameter wantsCost: Whether every row counts, with its cost; else different values only.
  init(_ field: RequestField, hasGroups: Bool, wantsCost: Bool, _ reader: BlockReader) {
    keys = FieldKeys(field, reader)
    records = KeyedRecords(hasGroups: hasGroups, hasAmounts: wantsCost)
    cost = wantsCost ? reader.slot(.cost) : nil
    costHigh = wantsCost ? reader.slot(ColumnName.cost.high) : nil
  }

  func enterSegment() {
    keys.enterSegment()
    recordedGroup.removeAll(keepingCapacity: true)
  }

  func add(_ reader: BlockReader, _ block: BlockGroups) throws(StoreError) {
    if keys.isAbsent { return }
    if let cost, let costHigh {
      try reader.loadIntegers(cost)
      if costHigh.kind != nil { try reader.loadIntegers(costHigh) }
      try keys.load(reader)
      records.append(
        keys.block, block, amounts: cost.integers.values,
        highAmounts: costHigh.kind == nil ? nil : costHigh.integers.values)
    } else if let slot = keys.codeSlot {
      try addCodes(slot, reader, block)
    } else {
      try keys.load(reader)
      records.append(keys.block, block, amounts: [], highAmounts: nil)
    }
  }

  private func addCodes(
    _ slot: ColumnSlot, _ reader: BlockReader, _ block: BlockGroups
  ) throws(StoreError) {
    try reader.loadCodes(slot)
    let known = try keys.keysOfCodes(reader)
    // Local values: a class's property would be checked for overlapping access at every row.
    var recorded: [UInt32] = []
    var found: [UInt32] = []
    swap(&recorded, &recordedGroup)
    swap(&found, &self.found)
    if recorded.isEmpty {
      recorded.append(contentsOf: repeatElement(0, count: slot.codeCount))
      // Code 0 mostly stands for no value: then it counts as recorded in every group.
      if !known.hasDefault { recorded[0] = .max }
    }
    if found.count < block.selection.count * 2 {
      found = [UInt32](repeating: 0, count: block.selection.count * 2)
    }
    let count = KeyedScan.collect(slot.codes, block, &recorded, into: &found)
    records.append(found, count: count, known)
    swap(&recorded, &recordedGroup)
    swap(&found, &self.found)
  }

  /// Writes the code and the group of every kept row that is not recorded yet, and returns how many
  /// there are.
  private static func collect(
    _ codes: [UInt32], _ block: BlockGroups, _ recorded: inout [UInt32],
    into found: inout [UInt32]
  ) -> Int {
    let codes = codes.span
    let groups = block.groups.span
    let list = block.selection.list
    let isSingle = block.isSingle
    var recorded = recorded.mutableSpan
    var target = found.mutableSpan
    var count = 0
    for index in 0..<block.selection.count {
      let code = codes[list.map { Int($0[index]) } ?? index]
      let group = isSingle ? 0 : groups[index]
      let before = recorded[Int(code)]
      if before == group &+ 1 || before == .max { continue }
      recorded[Int(code)] = group &+ 1
      target[count &* 2] = code
      target[count &* 2 &+ 1] = group
      count &+= 1
    }
    return count
  }
}
