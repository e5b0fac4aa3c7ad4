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
  private var faults: [String] = []

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
    if segment.kind == .request { try compareTotals() }
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
    var integers: [IntegerField: [Int64]] = [:]
    var moneys: [MoneyColumn: [Int128]] = [:]
    for measure in AdditiveMeasure.allCases {
      if masks[measure.condition] == nil {
        masks[measure.condition] = try mask(measure.condition, block, rows: rows)
      }
      let mask = masks[measure.condition] ?? []
      switch measure.amount {
      case .one:
        measures.add(Int128(mask.reduce(0) { $0 + ($1 ? 1 : 0) }), to: measure)
      case .integer(let field):
        if integers[field] == nil {
          integers[field] = try self.integers(.field(field), block)
        }
        let values = integers[field] ?? []
        var sum: Int128 = 0
        for row in 0..<rows where mask[row] { sum += Int128(values[row]) }
        measures.add(sum, to: measure)
      case .money(let column):
        if moneys[column] == nil {
          moneys[column] = try money(ColumnName(column.columnName), block)
        }
        let values = moneys[column] ?? []
        for row in 0..<rows where mask[row] && values[row] != 0 {
          measures.add(values[row], to: measure)
        }
      }
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
