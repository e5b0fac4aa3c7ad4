internal import FarthingCore
internal import FarthingStore

/// Collects the records of one keyed quantity while a worker scans.
final class KeyedScan {
  private let keys: FieldKeys
  private(set) var records: KeyedRecords
  private var stage: RecordStage
  private let cost: ColumnSlot?
  private let costHigh: ColumnSlot?
  /// Group plus one in which a code of the segment at hand was recorded last: most codes only ever
  /// meet one group, and need one record a segment.
  private var recordedGroup: [UInt32] = []

  /// - Parameter wantsCost: Whether every row counts, with its cost; else different values only.
  init(_ field: RequestField, hasGroups: Bool, wantsCost: Bool, _ reader: BlockReader) {
    keys = FieldKeys(field, reader)
    records = KeyedRecords(hasGroups: hasGroups, hasAmounts: wantsCost)
    stage = RecordStage(hasGroups: hasGroups, hasAmounts: wantsCost)
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
      try addCosts(cost, costHigh, reader, block)
    } else if let slot = keys.codeSlot {
      try addCodes(slot, reader, block)
    } else {
      try keys.load(reader)
      let texts = keys.keys
      let presence = keys.presence
      var stage = takeStage()
      for index in 0..<block.selection.count {
        let row = block.selection.row(index)
        if presence[row] == 0 { continue }
        stage.append(texts[row], group: UInt32(block.group(index)), low: 0, high: 0)
      }
      self.stage = stage
    }
    records.append(&stage)
  }

  private func addCosts(
    _ cost: ColumnSlot, _ costHigh: ColumnSlot, _ reader: BlockReader, _ block: BlockGroups
  ) throws(StoreError) {
    try reader.loadIntegers(cost)
    if costHigh.kind != nil { try reader.loadIntegers(costHigh) }
    try keys.load(reader)
    let texts = keys.keys
    let presence = keys.presence
    let low = cost.integers.values
    let high = costHigh.kind == nil ? nil : costHigh.integers.values
    var stage = takeStage()
    for index in 0..<block.selection.count {
      let row = block.selection.row(index)
      if presence[row] == 0 { continue }
      stage.append(
        texts[row], group: UInt32(block.group(index)), low: low[row], high: high?[row] ?? 0)
    }
    self.stage = stage
  }

  /// The stage as a local value: a class's property would be checked for overlapping access at
  /// every row.
  private func takeStage() -> RecordStage {
    var taken = RecordStage(hasGroups: records.hasGroups, hasAmounts: records.hasAmounts)
    swap(&taken, &stage)
    return taken
  }

  private func addCodes(
    _ slot: ColumnSlot, _ reader: BlockReader, _ block: BlockGroups
  ) throws(StoreError) {
    try reader.loadCodes(slot)
    if recordedGroup.isEmpty {
      recordedGroup.append(contentsOf: repeatElement(0, count: slot.codeCount))
    }
    let codes = slot.codes
    let (keysOfCodes, presence) = try keys.keysOfCodes(reader)
    var stage = takeStage()
    var recorded: [UInt32] = []
    swap(&recorded, &recordedGroup)
    for index in 0..<block.selection.count {
      let code = Int(codes[block.selection.row(index)])
      let group = UInt32(block.group(index))
      if recorded[code] == group + 1 { continue }
      recorded[code] = group + 1
      if presence[code] != 0 { stage.append(keysOfCodes[code], group: group, low: 0, high: 0) }
    }
    swap(&recorded, &recordedGroup)
    self.stage = stage
  }
}
