internal import FarthingCore
internal import FarthingStore

/// Collects the records of one keyed quantity while a worker scans.
final class KeyedScan {
  private let keys: FieldKeys
  private(set) var records: KeyedRecords
  private let cost: ColumnSlot?
  private let costHigh: ColumnSlot?
  /// Group plus one in which a code of the segment at hand was recorded last: most codes only ever
  /// meet one group, and need one record a segment.
  private var recordedGroup: [UInt32] = []

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
      for index in 0..<block.selection.count {
        let row = block.selection.row(index)
        if keys.presence[row] == 0 { continue }
        records.append(
          keys.keys[row], group: UInt32(block.group(index)), low: cost.integers.values[row],
          high: costHigh.kind == nil ? 0 : costHigh.integers.values[row])
      }
    } else if let slot = keys.codeSlot {
      try addCodes(slot, reader, block)
    } else {
      try keys.load(reader)
      for index in 0..<block.selection.count {
        let row = block.selection.row(index)
        if keys.presence[row] == 0 { continue }
        records.append(keys.keys[row], group: UInt32(block.group(index)))
      }
    }
  }

  private func addCodes(
    _ slot: ColumnSlot, _ reader: BlockReader, _ block: BlockGroups
  ) throws(StoreError) {
    try reader.loadCodes(slot)
    if recordedGroup.isEmpty {
      recordedGroup.append(contentsOf: repeatElement(0, count: slot.codeCount))
    }
    let codes = slot.codes
    for index in 0..<block.selection.count {
      let code = Int(codes[block.selection.row(index)])
      let group = UInt32(block.group(index))
      if recordedGroup[code] == group + 1 { continue }
      recordedGroup[code] = group + 1
      if let key = keys.key(ofCode: UInt32(code)) { records.append(key, group: group) }
    }
  }
}
