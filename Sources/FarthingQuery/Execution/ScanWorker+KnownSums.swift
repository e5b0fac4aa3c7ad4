internal import FarthingCore
internal import FarthingStore

extension ScanWorker {
  /// Adds all rows of a segment by what it knows of them; by reading them where that is damaged.
  ///
  /// - Throws: what reading the rows does.
  func addKnown(
    _ answer: KnownSums.Answer, of segment: SegmentReader, place: Int
  ) throws(StoreError) {
    let bucket = index.dimensions.first?.bucketID(containing: segment.minimumTime)
    switch answer {
    case .totals(let code):
      try enterKnown(segment, place)
      guard filter?.passes(code: code) ?? true else { return }
      let totals =
        sketches.isEmpty ? SegmentTotals(measures: segment.measures) : try segment.totals()
      let group = group(bucket, code: code)
      grow()
      add(totals, rowCount: segment.rowCount, to: group)
    case .codes(let column):
      do throws(StoreError) {
        try addKnown(by: column, of: segment, place, bucket)
      } catch {
        // Nothing was added yet. Damage of the rows themselves comes up again.
        guard error.code == .damaged else { throw error }
        try enter(segment, place: place)
        for block in 0..<segment.blockCount { try scan(block: block) }
      }
    }
  }

  /// Reads everything before it adds anything.
  private func addKnown(
    by column: ColumnName, of segment: SegmentReader, _ place: Int, _ bucket: UInt32?
  ) throws(StoreError) {
    let known = measures.map(\.measure) + [.requests]
    let sums = try segment.codeSums(by: column, of: known, scratch: reader.scratch)
    var distributions: [[QuantileSketch]?] = []
    for entry in sketches {
      distributions.append(
        try segment.codeSketches(by: column, of: entry.field, scratch: reader.scratch))
    }
    try enterKnown(segment, place)
    let codes = (0..<sums.codeCount).filter { code in
      sums.sum(.requests, code: code) != 0 && (filter?.passes(code: code) ?? true)
    }
    let groups = codes.map { group(bucket, code: $0) }
    grow()
    for (code, group) in zip(codes, groups) {
      rowCounts.add(sums.sum(.requests, code: code), to: group)
      for place in measures.indices {
        measures[place].sum.add(sums.sum(measures[place].measure, code: code), to: group)
      }
      for place in sketches.indices {
        guard let sketch = distributions[place]?[code], sketch.count > 0 else { continue }
        sketches[place].accumulator.add(sketch, to: group)
      }
    }
  }

  /// Prepares the filter and the groups for the codes of a segment whose rows are not read.
  private func enterKnown(_ segment: SegmentReader, _ place: Int) throws(StoreError) {
    index.enterSegment(place)
    guard let filter else { return }
    try reader.enter(segment, only: filter.columns)
    filter.enterSegment()
  }

  private func group(_ bucket: UInt32?, code: Int) -> Int {
    var ids: [UInt32] = []
    for dimension in index.dimensions {
      ids.append(dimension.id(ofCode: code) ?? bucket ?? 0)
    }
    return ids.isEmpty ? 0 : Int(index.number(ids))
  }

  private func add(_ totals: SegmentTotals, rowCount: Int, to group: Int) {
    rowCounts.add(Int128(rowCount), to: group)
    for place in measures.indices {
      if let sum = totals.measures[measures[place].measure] {
        measures[place].sum.add(sum, to: group)
      }
    }
    for place in sketches.indices {
      if let sketch = totals.sketches[sketches[place].field] {
        sketches[place].accumulator.add(sketch, to: group)
      }
    }
  }
}
