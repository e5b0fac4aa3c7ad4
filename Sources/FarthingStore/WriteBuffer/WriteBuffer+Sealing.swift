internal import FarthingCore

extension WriteBuffer {
  /// The rows so far as a segment. The buffer keeps them.
  ///
  /// - Parameter budget: What the segment may spend on sums by the codes of its columns; nil for
  ///   none.
  /// - Returns: nil where there is no row.
  /// - Complexity: O(values), some 20 ns each.
  package func sealed(id: Int64, budget: CodeSumsBudget? = .standard) -> SealedSegment? {
    guard let time, let receivedTime else { return nil }
    let order = rowOrder()
    var builder = SegmentBuilder(segmentID: id, kind: kind, rowCount: rowCount)
    let rules = rules()
    for (name, place, kind) in columns where table.isUsed(place) {
      if append(name, place, order, by: rules, to: &builder) { continue }
      append(name, place, kind, order, to: &builder)
    }
    let used = usedPrices()
    var masks: [AdditiveMeasure.Condition: [UInt8]] = [:]
    let totals = totals(&masks)
    if let budget {
      builder.appendCodeSums(codeSums(budget, masks: masks, scratch: builder.scratch))
    }
    let bytes = builder.finish(
      time: time, receivedTime: receivedTime, prices: used, totals: totals)
    return SealedSegment(
      id: id, kind: kind, rowCount: rowCount, time: time, receivedTime: receivedTime,
      bytes: bytes)
  }

  /// Every column that may be there, in the order of storage: the fixed ones, then tags and units
  /// by name, then what overflows.
  var columns: [(ColumnName, Int, ColumnKind)] {
    var columns = EventColumns.fixed(of: kind).map {
      ($0.name, RowTable.Place.fixed[$0.name] ?? 0, $0.kind)
    }
    let tags = table.entryNames(units: false).enumerated().map {
      (ColumnName.tag($1), RowTable.Place.tags + $0, ColumnKind.codes)
    }
    let units = table.entryNames(units: true).enumerated().map {
      (ColumnName.unit($1), RowTable.Place.units + $0, ColumnKind.integers)
    }
    columns += tags.sorted { $0.0 < $1.0 } + units.sorted { $0.0 < $1.0 }
    columns.append((.overflowTags, RowTable.Place.overflowTags, .text))
    columns.append((.overflowUnits, RowTable.Place.overflowUnits, .text))
    return columns
  }

  private func append(
    _ name: ColumnName, _ place: Int, _ kind: ColumnKind, _ order: [UInt32],
    to builder: inout SegmentBuilder
  ) {
    switch kind {
    case .codes:
      appendCodes(name, place, order, to: &builder)
    case .text:
      let offsets = table.plainOffsets(at: place)
      builder.appendTexts(
        name,
        times: { rows, times in
          table.gatherNumbers(at: RowTable.Place.time, order: order, rows: rows, into: &times)
        },
        fill: { rows, column in
          table.gatherTexts(
            at: place, offsets: offsets, order: order, rows: rows, into: &column)
        })
    case .integers:
      builder.appendIntegers(name) { rows, values in
        table.gatherNumbers(at: place, order: order, rows: rows, into: &values)
      }
    case .reals:
      builder.appendReals(name) { rows, values in
        table.gatherNumbers(at: place, order: order, rows: rows, into: &values)
      }
    }
  }

  /// Appends a column that follows a rule; false where it follows none.
  private func append(
    _ name: ColumnName, _ place: Int, _ order: [UInt32], by rules: BufferRules,
    to builder: inout SegmentBuilder
  ) -> Bool {
    if let sealed = rules.codes[name] {
      let exceptions = sealed.remainders.map { words in
        { (rows: Range<Int>, target: inout [UInt32]) in
          target.removeAll(keepingCapacity: true)
          for row in order[rows] { target.append(words[Int(row)]) }
        }
      }
      builder.appendCodes(
        name, texts: table.texts(at: place), rule: sealed.rule, exceptions: exceptions)
      return true
    }
    guard let sealed = rules.money[name] else { return false }
    let remainders = sealed.remainders.map { values in
      { (rows: Range<Int>, target: inout [Int64]) in
        target.removeAll(keepingCapacity: true)
        for row in order[rows] { target.append(values[Int(row)]) }
      }
    }
    builder.appendIntegers(
      name, rule: sealed.rule, range: table.range(at: place), remainders: remainders)
    return true
  }

  /// Whether the codes of a column are numbered anew for the segment.
  func isRenumbered(at place: Int) -> Bool {
    table.entryCount(at: place) > SegmentFormat.renumberedEntries
  }

  private func appendCodes(
    _ name: ColumnName, _ place: Int, _ order: [UInt32], to builder: inout SegmentBuilder
  ) {
    let texts = table.texts(at: place)
    guard texts.count > SegmentFormat.renumberedEntries else {
      builder.appendCodes(name, texts: texts, isByAppearance: false) { rows, codes in
        table.gatherCodes(at: place, order: order, rows: rows, into: &codes)
      }
      return
    }
    var all: [UInt32] = []
    table.gatherCodes(at: place, order: order, rows: 0..<rowCount, into: &all)
    let renumbered = Self.renumber(&all, texts: texts)
    builder.appendCodes(name, texts: renumbered, isByAppearance: true) { rows, codes in
      codes.removeAll(keepingCapacity: true)
      codes.append(contentsOf: all[rows])
    }
  }

  /// Numbers the codes in the order of their first appearance.
  private static func renumber(_ codes: inout [UInt32], texts: TextColumn) -> TextColumn {
    var numbers = [UInt32](repeating: 0, count: texts.count + 1)
    var renumbered = TextColumn()
    renumbered.bytes.reserveCapacity(texts.bytes.count)
    renumbered.offsets.reserveCapacity(texts.offsets.count)
    // Neighbours have one code more often than not.
    var before = 0
    for row in codes.indices {
      let code = Int(codes[row])
      if code == 0 { continue }
      if code != before, numbers[code] == 0 {
        let range = Int(texts.offsets[code - 1])..<Int(texts.offsets[code])
        renumbered.append(texts.bytes[range])
        numbers[code] = UInt32(renumbered.count)
      }
      before = code
      codes[row] = numbers[code]
    }
    return renumbered
  }

  private func rowOrder() -> [UInt32] {
    var identity = (0..<UInt32(rowCount)).map { $0 }
    var times: [Int64] = []
    table.gatherNumbers(
      at: RowTable.Place.time, order: identity, rows: 0..<rowCount, into: &times)
    var order = RowOrder.byTime(times)
    guard isClustered else { return order }
    let keys = Self.clusterFields.compactMap { field -> (codes: [UInt32], greatest: UInt32)? in
      let place = Int(field.rawValue)
      guard table.isUsed(place) else { return nil }
      var codes: [UInt32] = []
      table.gatherCodes(at: place, order: identity, rows: 0..<rowCount, into: &codes)
      return (codes, WordKernels.greatest(codes))
    }
    identity = []
    RowOrder.cluster(&order, keys: keys)
    return order
  }

  /// What rows of a block are brought together by, least important first.
  private static let clusterFields: [TextField] = [.task, .workload, .identity, .tenant]

  /// The prices that rows of this buffer use, by key.
  func usedPrices() -> [[UInt8]] {
    let keys = table.texts(at: RowTable.Place.price)
    return (0..<keys.count).map { prices[keys.string($0) ?? ""] ?? [] }
  }
}
