internal import FarthingCore

// Sums over whole columns. Unsafe as in `RowTable.swift`: a slab has `maximumRows` cells, loops run
// below `rowCount`, masks are checked to have as many elements.

extension RowTable {
  /// The sum of the present numbers of the rows whose mask is 1; all rows without a mask.
  func sum(at place: Int, mask: [UInt8]? = nil) -> Int128 {
    if let mask { precondition(mask.count == rowCount, "BUG: a mask of \(mask.count) rows") }
    return unsafe withNumbers(at: place) { cells in
      guard let cells = unsafe cells else { return 0 }
      // Halves of 32 bits are summed apart: 2^18 rows cannot carry either sum beyond 64 bits.
      var low: UInt64 = 0
      var high: Int64 = 0
      for row in 0..<rowCount {
        let cell = unsafe cells[row]
        let value = cell == 0 ? 0 : cell ^ 1 &<< 63
        let kept = mask.map { value & (0 &- UInt64($0[row])) } ?? value
        low &+= kept & 0xFFFF_FFFF
        high &+= Int64(bitPattern: kept) &>> 32
      }
      return Int128(high) << 32 + Int128(low)
    }
  }

  /// Calls `body` with every present number of a column.
  func forEachNumber(at place: Int, _ body: (Int, Int64) -> Void) {
    unsafe withNumbers(at: place) { cells in
      guard let cells = unsafe cells else { return }
      for row in 0..<rowCount {
        let cell = unsafe cells[row]
        if cell != 0 { body(row, Int64(bitPattern: cell ^ 1 &<< 63)) }
      }
    }
  }

  /// One byte a row: 1 where `isIn` holds for the row's code.
  func mask(at place: Int, where isIn: [UInt8]) -> [UInt8] {
    var mask = [UInt8](repeating: 0, count: rowCount)
    unsafe withCodes(at: place) { cells in
      for row in 0..<rowCount {
        let code = unsafe cells.map { unsafe Int($0[row]) } ?? 0
        mask[row] = isIn[code]
      }
    }
    return mask
  }
}

extension WriteBuffer {
  /// What the segment will know of its rows, by the definitions of ``AdditiveMeasure``.
  ///
  /// - Parameter masks: of the conditions met so far, one byte a row; gains the others.
  func totals(_ masks: inout [AdditiveMeasure.Condition: [UInt8]]) -> SegmentTotals {
    var totals = SegmentTotals()
    guard kind == .request else { return totals }
    for measure in AdditiveMeasure.allCases {
      var mask: [UInt8]?
      if measure.condition != .always {
        let known = masks[measure.condition] ?? self.mask(of: measure.condition)
        masks[measure.condition] = known
        mask = known
      }
      totals.measures[measure] = sum(measure.amount, mask)
    }
    for field in RealField.allCases {
      let place = RowTable.Place.reals + Int(field.rawValue)
      guard table.isUsed(place) else { continue }
      var sketch = QuantileSketch()
      table.forEachNumber(at: place) { _, pattern in
        sketch.add(Double(bitPattern: UInt64(bitPattern: pattern)))
      }
      totals.sketches[field] = sketch
    }
    return totals
  }

  /// nil where the sum leaves 128 bits: the measure is then unknown, and a scan says so.
  private func sum(_ amount: AdditiveMeasure.Amount, _ mask: [UInt8]?) -> Int128? {
    switch amount {
    case .one:
      return mask.map { $0.reduce(0) { $0 + Int128($1) } } ?? Int128(rowCount)
    case .integer(let field):
      return table.sum(at: RowTable.Place.integers + Int(field.rawValue), mask: mask)
    case .money(let column):
      let index = RowTable.Place.moneyIndex(column)
      let low = table.sum(at: RowTable.Place.moneyLow + index, mask: mask)
      let high = table.sum(at: RowTable.Place.moneyHigh + index, mask: mask)
      let (shifted, first) = high.multipliedReportingOverflow(by: 1 << 62)
      let (sum, second) = shifted.addingReportingOverflow(low)
      return first || second ? nil : sum
    }
  }

  private func mask(of condition: AdditiveMeasure.Condition) -> [UInt8] {
    switch condition {
    case .always:
      return [UInt8](repeating: 1, count: rowCount)
    case .costState(let state):
      return codeMask(RowTable.Place.costState) { $0 == "\(state)" }
    case .firstAttempt, .retry:
      let isRetry = condition == .retry
      var mask = [UInt8](repeating: isRetry ? 0 : 1, count: rowCount)
      let place = RowTable.Place.integers + Int(IntegerField.attempt.rawValue)
      table.forEachNumber(at: place) { row, attempt in
        mask[row] = (isRetry ? attempt > 1 : attempt == 1) ? 1 : 0
      }
      return mask
    case .failed:
      return codeMask(Int(TextField.status.rawValue)) { RequestStatus($0) != .ok }
    case .timedOut:
      return codeMask(Int(TextField.status.rawValue)) { RequestStatus($0) == .timeout }
    case .present(let field):
      return codeMask(Int(field.rawValue)) { $0 != nil }
    case .responseCacheHit:
      return codeMask(Int(TextField.responseCache.rawValue)) { ResponseCacheState($0) == .hit }
    }
  }

  private func codeMask(_ place: Int, _ holds: (String?) -> Bool) -> [UInt8] {
    let texts = table.texts(at: place)
    var isIn: [UInt8] = [holds(nil) ? 1 : 0]
    for row in 0..<texts.count { isIn.append(holds(texts.string(row)) ? 1 : 0) }
    return table.mask(at: place, where: isIn)
  }
}
