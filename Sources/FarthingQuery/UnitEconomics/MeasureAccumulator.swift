internal import FarthingCore
internal import FarthingStore

/// Sums one additive measure by group.
struct MeasureAccumulator {
  let measure: AdditiveMeasure
  var sum = SumAccumulator()
  private let values: ColumnSlot?
  private let high: ColumnSlot?
  private var masked: [Int64] = []

  init(_ measure: AdditiveMeasure, _ reader: BlockReader) {
    self.measure = measure
    switch measure.amount {
    case .one:
      values = nil
      high = nil
    case .integer(let field):
      values = reader.slot(.field(field))
      high = nil
    case .money(let column):
      values = reader.slot(column.name)
      high = reader.slot(column.name.high)
    }
  }

  mutating func add(
    _ reader: BlockReader, _ conditions: ConditionMasks, _ block: BlockGroups
  ) throws(StoreError) {
    let verdict = conditions.verdict(measure.condition, reader)
    if verdict == .none { return }
    guard let values else {
      if verdict == .all {
        sum.addOnes(block)
      } else {
        sum.addMask(try conditions.mask(measure.condition, reader), block)
      }
      return
    }
    if values.kind == nil { return }
    let isNarrow = high?.kind == nil
    let zone = reader.zone(values.name, block: reader.block)
    let isPartEnough = isNarrow && zone != nil && verdict == .all
    try reader.loadIntegers(values, rows: isPartEnough ? block.selection.span : nil)
    if let high, !isNarrow {
      try addWide(reader, high, verdict, conditions, block)
      return
    }
    // Absent values read as 0, so the bound of the zone map holds for them too.
    let magnitude =
      zone.map { max($0.lowerBound.magnitude, $0.upperBound.magnitude) }
      ?? Kernels.greatestMagnitude(values.integers.values, rows: reader.rowCount)
    if magnitude == 0 { return }
    if verdict == .all {
      sum.add(values.integers.values, magnitude: magnitude, block)
      return
    }
    let mask = try conditions.mask(measure.condition, reader)
    if masked.count < reader.rowCount {
      masked = [Int64](repeating: 0, count: reader.rowCount)
    }
    Kernels.masked(values.integers.values, mask, rows: reader.rowCount, into: &masked)
    sum.add(masked, magnitude: magnitude, block)
  }

  private mutating func addWide(
    _ reader: BlockReader, _ high: ColumnSlot, _ verdict: MaskVerdict,
    _ conditions: ConditionMasks, _ block: BlockGroups
  ) throws(StoreError) {
    guard let values else { return }
    try reader.loadIntegers(high)
    let mask = verdict == .all ? nil : try conditions.mask(measure.condition, reader)
    for index in 0..<block.selection.count {
      let row = block.selection.row(index)
      if let mask, mask[row] == 0 { continue }
      sum.add(
        wideAmount(high: high.integers.values[row], low: values.integers.values[row]),
        to: block.group(index))
    }
  }
}
