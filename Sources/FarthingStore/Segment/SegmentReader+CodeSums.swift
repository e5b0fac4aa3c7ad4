package import FarthingCore

/// Where a segment keeps what it knows by the codes of one column.
struct CodeSumsDirectory: Sendable, Equatable {
  var column: ColumnName
  /// Bit n is set where the measure of raw value n is known.
  var knownMeasures: UInt64
  var sums: SegmentPart
  var sketches: [(field: RealField, part: SegmentPart)]

  static func == (left: CodeSumsDirectory, right: CodeSumsDirectory) -> Bool {
    left.column == right.column && left.knownMeasures == right.knownMeasures
      && left.sums == right.sums
      && left.sketches.elementsEqual(right.sketches) { $0.field == $1.field && $0.part == $1.part }
  }

  func knows(_ measure: AdditiveMeasure) -> Bool {
    knownMeasures & 1 << UInt64(measure.rawValue) != 0
  }
}

extension SegmentReader {
  /// Whether the segment knows the sums of all `measures`, and the distributions of all `fields`
  /// that it has, by the codes of a column.
  package func hasCodeSums(
    by name: ColumnName, of measures: [AdditiveMeasure], _ fields: [RealField]
  ) -> Bool {
    guard let directory = codeSums[name] else { return false }
    return measures.allSatisfy(directory.knows)
      && fields.allSatisfy { field in
        kind(of: .field(field)) == nil || directory.sketches.contains { $0.field == field }
      }
  }

  /// Whether every row has the first code of a column: then the totals of the segment are its own.
  package func hasOneCode(_ name: ColumnName) -> Bool {
    (0..<blockCount).allSatisfy { block in
      zone(name, block: block).map { $0.minimum == 1 && $0.maximum == 1 } ?? false
    }
  }

  /// The sums of measures by the codes of a column, of which ``hasCodeSums(by:of:_:)`` has been asked.
  ///
  /// - Throws: `damaged`, which ``foundSumsDamage`` keeps: the rows are not concerned.
  package func codeSums(
    by name: ColumnName, of measures: [AdditiveMeasure], scratch: ScanScratch
  ) throws(StoreError) -> CodeSums {
    guard let directory = codeSums[name] else { return CodeSums(codeCount: 0) }
    let codeCount = try dictionary(name).count
    try loadSums(directory.sums, what: "sums by \(name)", scratch: scratch)
    do throws(EncodingFault) {
      let loaded = scratch.block
      return try CodeSums(
        loaded.span, codeCount: codeCount, measures: measures, scratch: scratch)
    } catch {
      throw notedSums("sums by \(name)", error)
    }
  }

  /// The distribution of a field for each code of a column, of which ``hasCodeSums(by:of:_:)`` has
  /// been asked; nil where no row has the field.
  ///
  /// - Throws: `damaged`, which ``foundSumsDamage`` keeps: the rows are not concerned.
  package func codeSketches(
    by name: ColumnName, of field: RealField, scratch: ScanScratch
  ) throws(StoreError) -> [QuantileSketch]? {
    guard let entry = codeSums[name]?.sketches.first(where: { $0.field == field }) else {
      return nil
    }
    let codeCount = try dictionary(name).count
    let what = "\(field.contractName) by \(name)"
    try loadSums(entry.part, what: what, scratch: scratch)
    do throws(EncodingFault) {
      let loaded = scratch.block
      return try CodeSketches.deserialise(loaded.span, codeCount: codeCount, scratch: scratch)
    } catch {
      throw notedSums(what, error)
    }
  }

  /// Reads all that is known by code.
  ///
  /// - Throws: `damaged`, naming the first bad part.
  func verifyCodeSums(scratch: ScanScratch) throws(StoreError) {
    for (name, directory) in codeSums.sorted(by: { $0.key < $1.key }) {
      _ = try codeSums(by: name, of: AdditiveMeasure.allCases, scratch: scratch)
      for (field, _) in directory.sketches {
        _ = try codeSketches(by: name, of: field, scratch: scratch)
      }
    }
  }

  private func loadSums(
    _ part: SegmentPart, what: String, scratch: ScanScratch
  ) throws(StoreError) {
    do throws(StoreError) {
      try load(part, what: what, scratch: scratch)
    } catch {
      throw noteSums(error)
    }
  }

  private func notedSums(_ what: String, _ fault: EncodingFault) -> StoreError {
    noteSums(StoreError(.damaged, "segment \(name) \(what) is damaged: \(fault.reason)"))
  }
}
