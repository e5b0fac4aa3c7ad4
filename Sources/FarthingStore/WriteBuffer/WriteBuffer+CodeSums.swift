internal import FarthingCore

/// How much a segment may spend on knowing its rows by the codes of its columns.
package struct CodeSumsBudget: Sendable {
  /// Bytes for the sums of a segment, for each 1,000 of its rows.
  package var sumBytes: Int
  /// Bytes for its sketches, likewise.
  package var sketchBytes: Int
  /// A column has sums only where its codes stand for at least so many rows each, on average: fewer
  /// are scanned about as fast as their sum is read.
  package var rowsOfCode: Int
  /// A column has sketches only where its codes stand for so many rows each: with fewer, most
  /// buckets count one value and cost more than the value itself.
  package var rowsOfSketch: Int

  package init(sumBytes: Int, sketchBytes: Int, rowsOfCode: Int, rowsOfSketch: Int) {
    self.sumBytes = sumBytes
    self.sketchBytes = sketchBytes
    self.rowsOfCode = rowsOfCode
    self.rowsOfSketch = rowsOfSketch
  }

  /// Measured in `docs/decisions/0008-sums-by-dimension.md`.
  package static let standard = CodeSumsBudget(
    sumBytes: 250, sketchBytes: 250, rowsOfCode: 64, rowsOfSketch: 1024)

  /// Everything that can be known: for tests, whose segments are small.
  package static let unlimited = CodeSumsBudget(
    sumBytes: 1 << 40, sketchBytes: 1 << 40, rowsOfCode: 0, rowsOfSketch: 0)
}

/// What a segment will know by the codes of one column, as bytes.
struct SealedCodeSums {
  var column: ColumnName
  var measures: [AdditiveMeasure]
  var sums: [UInt8]
  var sketches: [(field: RealField, bytes: [UInt8])] = []
}

extension WriteBuffer {
  /// What the segment will know of its rows by the codes of its columns, by the definitions of
  /// ``AdditiveMeasure``: the columns of the fewest codes first, as long as the budget lasts.
  ///
  /// - Parameter masks: of ``totals(_:)``.
  func codeSums(
    _ budget: CodeSumsBudget, masks: [AdditiveMeasure.Condition: [UInt8]],
    scratch: EncodingScratch
  ) -> [SealedCodeSums] {
    guard kind == .request, rowCount > 0 else { return [] }
    let columns = self.columns(of: budget)
    let sums = sums(by: columns.map(\.column), masks)
    var spent = 0
    var sealed: [SealedCodeSums] = []
    for (index, entry) in columns.enumerated() {
      let bytes = sums[index].serialised(scratch: scratch)
      spent += bytes.count
      if spent * 1000 > budget.sumBytes * rowCount { break }
      sealed.append(
        SealedCodeSums(
          column: entry.name, measures: sums[index].sums.keys.sorted { $0.rawValue < $1.rawValue },
          sums: bytes))
    }
    addSketches(to: &sealed, columns.map(\.column), budget)
    return sealed
  }

  /// Fields of times, the one that most questions are about first.
  private func addSketches(
    to sealed: inout [SealedCodeSums], _ columns: [RowTable.CodeColumn], _ budget: CodeSumsBudget
  ) {
    var spent = 0
    for field in RealField.allCases where field != .tokensPerSecond {
      let place = RowTable.Place.reals + Int(field.rawValue)
      guard table.isUsed(place) else { continue }
      let reals = table.reals(at: place)
      for index in sealed.indices where Self.servingColumns.contains(sealed[index].column) {
        let codeCount = columns[index].codeCount
        if codeCount * budget.rowsOfSketch > rowCount { break }
        if codeCount * reals.bucketCount > Self.mostBuckets { break }
        let sketches = table.sketches(of: reals, by: columns[index])
        let bytes = CodeSketches.serialise(sketches)
        spent += bytes.count
        if spent * 1000 > budget.sketchBytes * rowCount { return }
        sealed[index].sketches.append((field, bytes))
      }
    }
  }

  /// What served a request, on which its times depend. Who asked, and for what, is asked of costs.
  private static let servingColumns: Set<ColumnName> = [
    .field(.provider), .field(.model), .field(.operation), .field(.endpoint), .field(.site),
    .field(.serviceTier),
  ]

  /// 16 MiB of counts; times of an hour and less by 1,000 codes take half of it.
  private static let mostBuckets = 1 << 22

  /// The columns whose codes are few enough, those with the fewest first. A column whose rows all
  /// have one code is not among them: the sums of the segment are its own.
  private func columns(
    of budget: CodeSumsBudget
  ) -> [(name: ColumnName, column: RowTable.CodeColumn)] {
    var found: [(name: ColumnName, column: RowTable.CodeColumn)] = []
    for (name, place, kind) in columns where kind == .codes && table.isUsed(place) {
      // What an absent `usage` means depends on the row's counts.
      if name == .field(.usage) { continue }
      let codeCount = table.texts(at: place).count + 1
      if codeCount * budget.rowsOfCode > rowCount { continue }
      if codeCount == 2, table.isComplete(at: place) { continue }
      found.append((name, RowTable.CodeColumn(place: place, codeCount: codeCount)))
    }
    return found.enumerated().sorted {
      ($0.element.column.codeCount, $0.offset) < ($1.element.column.codeCount, $1.offset)
    }.map(\.element)
  }

  // MARK: - Sums

  /// The sums of every measure by each of the columns; a measure is left out where a sum leaves 128
  /// bits.
  private func sums(
    by columns: [RowTable.CodeColumn], _ masks: [AdditiveMeasure.Condition: [UInt8]]
  ) -> [CodeSums] {
    var result = columns.map { CodeSums(codeCount: $0.codeCount) }
    var lanes: [AdditiveMeasure.Amount: RowTable.Lane?] = [:]
    var unconditional: [LaneMeasure] = []
    var conditional: [AdditiveMeasure.Condition: [LaneMeasure]] = [:]
    for measure in AdditiveMeasure.allCases {
      let lane = lanes[measure.amount] ?? lane(measure.amount)
      lanes[measure.amount] = .some(lane)
      if lane == .zero {
        for index in result.indices {
          result[index].sums[measure] = [Int128](repeating: 0, count: columns[index].codeCount)
        }
      } else if let lane {
        if measure.condition == .always {
          unconditional.append((measure, lane))
        } else {
          conditional[measure.condition, default: []].append((measure, lane))
        }
      } else {
        addWide(measure, columns, masks, to: &result)
      }
    }
    let joints = table.joints(of: columns)
    add(unconditional, rows: nil, joints, to: &result)
    for (condition, measures) in conditional {
      guard let mask = masks[condition] else { preconditionFailure("BUG: no mask of \(condition)") }
      // Where the condition holds for most rows, those for which it does not are fewer to add up.
      let isMostlyTrue = mask.reduce(0) { $0 + Int($1) } * 2 > rowCount
      add(
        measures, rows: table.rows(of: mask, where: isMostlyTrue ? 0 : 1), joints, to: &result)
      if isMostlyTrue { complement(measures.map(\.measure), in: &result) }
    }
    return result
  }

  private typealias LaneMeasure = (measure: AdditiveMeasure, lane: RowTable.Lane)

  private func add(
    _ measures: [LaneMeasure], rows: [UInt32]?, _ joints: [RowTable.JointColumn],
    to result: inout [CodeSums]
  ) {
    var start = 0
    while start < measures.count {
      let group = Array(measures[start..<min(start + RowTable.lanesOfVector, measures.count)])
      let sums = table.sums(of: group.map(\.lane), rows: rows, by: joints)
      for index in result.indices {
        for (lane, entry) in group.enumerated() {
          result[index].sums[entry.measure] = sums[index].map { Int128($0[lane]) }
        }
      }
      start += RowTable.lanesOfVector
    }
  }

  /// Makes sums over the rows where a condition does not hold ones over the rows where it does.
  private func complement(_ measures: [AdditiveMeasure], in result: inout [CodeSums]) {
    for measure in measures {
      let whole = AdditiveMeasure.allCases.first {
        $0.condition == .always && $0.amount == measure.amount
      }
      for index in result.indices {
        guard let whole, let all = result[index].sums[whole],
          let rest = result[index].sums[measure]
        else { preconditionFailure("BUG: got no unconditional form of \(measure)") }
        result[index].sums[measure] = zip(all, rest).map { $0 - $1 }
      }
    }
  }

  /// Where the amounts stand whose sums are certain to fit into 64 bits; nil for others.
  private func lane(_ amount: AdditiveMeasure.Amount) -> RowTable.Lane? {
    let place: Int
    switch amount {
    case .one: return .one
    case .integer(let field): place = RowTable.Place.integers + Int(field.rawValue)
    case .money(let column):
      let index = RowTable.Place.moneyIndex(column)
      if table.isUsed(RowTable.Place.moneyHigh + index) { return nil }
      place = RowTable.Place.moneyLow + index
    }
    guard let magnitude = table.magnitude(at: place) else { return nil }
    return magnitude == 0 ? .zero : .number(place)
  }

  /// Sums in 128 bits, row by row.
  private func addWide(
    _ measure: AdditiveMeasure, _ columns: [RowTable.CodeColumn],
    _ masks: [AdditiveMeasure.Condition: [UInt8]], to result: inout [CodeSums]
  ) {
    var amounts = [Int128](repeating: 0, count: rowCount)
    switch measure.amount {
    case .one: return
    case .integer(let field):
      table.forEachNumber(at: RowTable.Place.integers + Int(field.rawValue)) { row, value in
        amounts[row] = Int128(value)
      }
    case .money(let column):
      let index = RowTable.Place.moneyIndex(column)
      table.forEachNumber(at: RowTable.Place.moneyLow + index) { amounts[$0] = Int128($1) }
      table.forEachNumber(at: RowTable.Place.moneyHigh + index) { amounts[$0] += Int128($1) << 62 }
    }
    let mask = masks[measure.condition]
    let order = (0..<UInt32(rowCount)).map { $0 }
    var codes: [UInt32] = []
    for (index, column) in columns.enumerated() {
      table.gatherCodes(at: column.place, order: order, rows: 0..<rowCount, into: &codes)
      var sums = [Int128](repeating: 0, count: column.codeCount)
      var isKnown = true
      for row in 0..<rowCount where mask.map({ $0[row] != 0 }) ?? true {
        let (sum, overflow) = sums[Int(codes[row])].addingReportingOverflow(amounts[row])
        sums[Int(codes[row])] = sum
        isKnown = isKnown && !overflow
      }
      if isKnown { result[index].sums[measure] = sums }
    }
  }
}
