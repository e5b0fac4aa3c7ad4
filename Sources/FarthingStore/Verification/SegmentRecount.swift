// What a segment says of its rows, computed again from the rows.
//
// Checksums find bytes that changed since they were written. They do not find a sum that was wrong
// when it was written; this does. It reads through the same calls as queries, column by column.

internal import FarthingCore

/// Recomputes sums, sketches, zone maps and ranges of one segment.
struct SegmentRecount {
  private let segment: SegmentReader
  private let scratch: ScanScratch
  private var measures = MeasureTotals()
  private var sketches: [RealField: QuantileSketch] = [:]
  private var time: ClosedRange<Int64>?
  private var receivedTime: ClosedRange<Int64>?
  private var codeSums: [ColumnName: AmountsByCode] = [:]
  private var faults: [String] = []

  /// The sums of all measures by the codes of one column.
  private struct AmountsByCode {
    let codeCount: Int
    /// By measure, then by code.
    var amounts: [Int128]

    init(codeCount: Int) {
      self.codeCount = codeCount
      let measures = (AdditiveMeasure.allCases.map { Int($0.rawValue) }.max() ?? 0) + 1
      amounts = [Int128](repeating: 0, count: codeCount * measures)
    }
  }

  init(_ segment: SegmentReader, scratch: ScanScratch) {
    self.segment = segment
    self.scratch = scratch
  }

  /// Whole sentences, one for each thing that the segment or the catalogue says and the rows deny.
  ///
  /// - Throws: `damaged` where a block cannot be read; `io`.
  /// - Complexity: O(values); memory for one block.
  mutating func disagreements(with entry: SegmentEntry) throws(StoreError) -> [String] {
    for block in 0..<segment.blockCount {
      let rows = segment.rows(inBlock: block).count
      try checkZones(block)
      guard segment.kind == .request else { continue }
      try addMeasures(block, rows: rows)
      try addSketches(block)
    }
    compare(time, segment.minimumTime...segment.maximumTime, "times", in: "its footer")
    compare(
      receivedTime, segment.minimumReceivedTime...segment.maximumReceivedTime, "times of arrival",
      in: "its footer")
    compare(time, entry.minimumTime...entry.maximumTime, "times", in: "the catalogue")
    compare(
      receivedTime, entry.minimumReceivedTime...entry.maximumReceivedTime, "times of arrival",
      in: "the catalogue")
    if segment.kind == .request {
      try compareTotals()
      // Damage there costs no row and is told apart.
      if segment.foundSumsDamage == nil { try compareCodeSums() }
    }
    return faults
  }

  private mutating func compare(
    _ found: ClosedRange<Int64>?, _ said: ClosedRange<Int64>, _ what: String, in place: String
  ) {
    guard let found, found != said else { return }
    faults.append(
      "\(place) says \(what) from \(said.lowerBound) to \(said.upperBound), its rows go from "
        + "\(found.lowerBound) to \(found.upperBound)")
  }

  private mutating func compareTotals() throws(StoreError) {
    let said = try segment.totals()
    for measure in AdditiveMeasure.allCases {
      // A measure that is younger than the segment is not known in it.
      guard let sum = said.measures[measure], sum != measures[measure] else { continue }
      let found = measures[measure].map { "\($0)" } ?? "more than 128 bits"
      faults.append("its sum of \(measure) is \(sum), its rows add up to \(found)")
    }
    for field in Set(said.sketches.keys).union(sketches.keys).sorted(by: {
      $0.rawValue < $1.rawValue
    }) {
      let (left, right) = (said.sketches[field], sketches[field])
      // The sum of a sketch depends on the order of adding in its last bits; nothing else does.
      if left?.count != right?.count || left?.minimum != right?.minimum
        || left?.maximum != right?.maximum
      {
        faults.append("its distribution of \(field.contractName) is not that of its rows")
      }
    }
  }

  // MARK: - Ranges

  private mutating func checkZones(_ block: Int) throws(StoreError) {
    var column = IntegerColumn()
    for name in segment.columnNames where segment.kind(of: name) == .integers {
      try segment.readIntegers(name, block: block, into: &column, scratch: scratch)
      guard let found = Self.range(column) else { continue }
      if name == .time { time = Self.union(time, found) }
      if name == .receivedTime { receivedTime = Self.union(receivedTime, found) }
      if let zone = segment.zone(name, block: block),
        zone.minimum > found.lowerBound || zone.maximum < found.upperBound
      {
        faults.append(
          "column \(name) block \(block) says values from \(zone.minimum) to \(zone.maximum), has "
            + "\(found.lowerBound) to \(found.upperBound)")
      }
    }
  }

  private static func range(_ column: IntegerColumn) -> ClosedRange<Int64>? {
    var least = Int64.max
    var greatest = Int64.min
    for row in column.values.indices where column.validity?[row] != 0 {
      least = min(least, column.values[row])
      greatest = max(greatest, column.values[row])
    }
    return least <= greatest ? least...greatest : nil
  }

  private static func union(
    _ left: ClosedRange<Int64>?, _ right: ClosedRange<Int64>
  ) -> ClosedRange<Int64> {
    guard let left else { return right }
    return min(left.lowerBound, right.lowerBound)...max(left.upperBound, right.upperBound)
  }

  // MARK: - Sums

  private mutating func addSketches(_ block: Int) throws(StoreError) {
    var column = RealColumn()
    for field in RealField.allCases where segment.kind(of: .field(field)) != nil {
      try segment.readReals(.field(field), block: block, into: &column, scratch: scratch)
      for row in column.values.indices where column.validity?[row] != 0 {
        sketches[field, default: QuantileSketch()].add(column.values[row])
      }
    }
  }

  private mutating func addMeasures(_ block: Int, rows: Int) throws(StoreError) {
    var masks: [AdditiveMeasure.Condition: [Bool]] = [:]
    var amounts: [AdditiveMeasure.Amount: [Int128]] = [:]
    let codes = try readCodes(block)
    for measure in AdditiveMeasure.allCases {
      if masks[measure.condition] == nil {
        masks[measure.condition] = try mask(measure.condition, block, rows: rows)
      }
      if amounts[measure.amount] == nil {
        amounts[measure.amount] = try values(measure.amount, block, rows: rows)
      }
      guard let mask = masks[measure.condition], let values = amounts[measure.amount] else {
        continue
      }
      for row in 0..<rows where mask[row] && values[row] != 0 {
        measures.add(values[row], to: measure)
      }
      for (name, codes) in codes {
        guard var sums = codeSums[name] else { continue }
        codeSums[name] = nil
        let start = Int(measure.rawValue) * sums.codeCount
        // Wraps like no stored sum does, so a sum that leaves 128 bits is found to differ.
        for row in 0..<rows where mask[row] && values[row] != 0 {
          sums.amounts[start + Int(codes[row])] &+= values[row]
        }
        codeSums[name] = sums
      }
    }
  }

  /// The codes of the columns that the segment knows sums by.
  private mutating func readCodes(_ block: Int) throws(StoreError) -> [ColumnName: [UInt32]] {
    var found: [ColumnName: [UInt32]] = [:]
    for name in segment.columnNames where segment.kind(of: name) == .codes {
      guard segment.codeSumsDirectory(of: name) != nil else { continue }
      var codes: [UInt32] = []
      try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
      found[name] = codes
      if codeSums[name] == nil {
        codeSums[name] = AmountsByCode(codeCount: try segment.dictionary(name).count)
      }
    }
    return found
  }

  private mutating func compareCodeSums() throws(StoreError) {
    for (name, found) in codeSums.sorted(by: { $0.key < $1.key }) {
      guard let directory = segment.codeSumsDirectory(of: name) else { continue }
      let said = try segment.codeSums(by: name, of: AdditiveMeasure.allCases, scratch: scratch)
      for measure in AdditiveMeasure.allCases where directory.knows(measure) {
        let start = Int(measure.rawValue) * found.codeCount
        let isSame = (0..<found.codeCount).allSatisfy {
          said.sum(measure, code: $0) == found.amounts[start + $0]
        }
        if !isSame { faults.append("its sums of \(measure) by \(name) are not those of its rows") }
      }
    }
  }

  private func values(
    _ amount: AdditiveMeasure.Amount, _ block: Int, rows: Int
  ) throws(StoreError) -> [Int128] {
    switch amount {
    case .one: return [Int128](repeating: 1, count: rows)
    case .integer(let field): return try integers(.field(field), block).map { Int128($0) }
    case .money(let column): return try money(ColumnName(column.columnName), block)
    }
  }

  private func mask(
    _ condition: AdditiveMeasure.Condition, _ block: Int, rows: Int
  ) throws(StoreError) -> [Bool] {
    switch condition {
    case .always: return [Bool](repeating: true, count: rows)
    case .costState(let state): return try texts(.costState, block, rows) { $0 == "\(state)" }
    case .firstAttempt:
      return try attempts(block, rows).map { $0 == nil || $0 == 1 }
    case .retry: return try attempts(block, rows).map { $0.map { $0 > 1 } ?? false }
    case .failed: return try texts(.field(.status), block, rows) { RequestStatus($0) != .ok }
    case .timedOut: return try texts(.field(.status), block, rows) { RequestStatus($0) == .timeout }
    case .present(let field): return try texts(.field(field), block, rows) { $0 != nil }
    case .responseCacheHit:
      return try texts(.field(.responseCache), block, rows) { ResponseCacheState($0) == .hit }
    }
  }

  private func attempts(_ block: Int, _ rows: Int) throws(StoreError) -> [Int64?] {
    var column = IntegerColumn()
    try segment.readIntegers(.field(.attempt), block: block, into: &column, scratch: scratch)
    return column.values.indices.map { column.validity?[$0] == 0 ? nil : column.values[$0] }
  }

  private func texts(
    _ name: ColumnName, _ block: Int, _ rows: Int, where holds: (String?) -> Bool
  ) throws(StoreError) -> [Bool] {
    switch segment.kind(of: name) {
    case .codes:
      var codes: [UInt32] = []
      try segment.readCodes(name, block: block, into: &codes, scratch: scratch)
      let dictionary = try segment.dictionary(name)
      let flags = (0..<dictionary.count).map { holds(dictionary.string(of: UInt32($0))) }
      return codes.map { flags[Int($0)] }
    case .text:
      var column = TextColumn()
      try segment.readText(name, block: block, into: &column, scratch: scratch)
      return (0..<column.count).map { holds(column.string($0)) }
    default: return [Bool](repeating: holds(nil), count: rows)
    }
  }

  private func integers(_ name: ColumnName, _ block: Int) throws(StoreError) -> [Int64] {
    var column = IntegerColumn()
    try segment.readIntegers(name, block: block, into: &column, scratch: scratch)
    return column.values
  }

  private func money(_ name: ColumnName, _ block: Int) throws(StoreError) -> [Int128] {
    let low = try integers(name, block)
    guard segment.kind(of: name.high) != nil else { return low.map { Int128($0) } }
    let high = try integers(name.high, block)
    return low.indices.map { Int128(high[$0]) << 62 + Int128(low[$0]) }
  }
}
