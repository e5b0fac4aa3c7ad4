package import FarthingCore
internal import Synchronization

// What a segment knows of its rows by the codes of some columns. Damage in it is kept apart from
// damage in the rows: whoever asked reads the rows instead, and the answer lacks nothing.

extension SegmentReader {
  /// What the first read of a damaged sum or sketch by code said; nil while all that were read are
  /// intact.
  package var foundSumsDamage: StoreError? { firstSumsDamage.withLock { $0 } }

  /// Whether the segment knows the sums of all `measures`, and the sketches of all `fields` that it
  /// has, by the codes of a column.
  package func hasCodeSums(
    by name: ColumnName, of measures: [AdditiveMeasure], _ fields: [RealField]
  ) -> Bool {
    guard let directory = codeSumsDirectory(of: name) else { return false }
    return measures.allSatisfy(directory.knows)
      && fields.allSatisfy { field in
        kind(of: .field(field)) == nil || directory.sketches[field] != nil
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
    guard let directory = codeSumsDirectory(of: name) else { return CodeSums(codeCount: 0) }
    let codeCount = try dictionary(name).count
    let what = "sums by \(name)"
    try loadSums(directory.sums, what: what, scratch: scratch)
    do throws(EncodingFault) {
      let loaded = scratch.block
      return try CodeSums(
        loaded.span, codeCount: codeCount, measures: measures, scratch: scratch)
    } catch {
      throw damagedSums(what, error)
    }
  }

  /// The sketch of a field for each code of a column, of which ``hasCodeSums(by:of:_:)`` has been
  /// asked; nil where no row has the field.
  ///
  /// - Throws: `damaged`, which ``foundSumsDamage`` keeps: the rows are not concerned.
  package func codeSketches(
    by name: ColumnName, of field: RealField, scratch: ScanScratch
  ) throws(StoreError) -> [QuantileSketch]? {
    guard let part = codeSumsDirectory(of: name)?.sketches[field] else { return nil }
    let codeCount = try dictionary(name).count
    let what = "\(field.contractName) by \(name)"
    try loadSums(part, what: what, scratch: scratch)
    do throws(EncodingFault) {
      let loaded = scratch.block
      return try CodeSketches.deserialise(loaded.span, codeCount: codeCount)
    } catch {
      throw damagedSums(what, error)
    }
  }

  /// Reads all that is known by code.
  ///
  /// - Throws: `damaged`, naming the first bad part; `io`.
  func verifyCodeSums(scratch: ScanScratch) throws(StoreError) {
    for name in columnNames {
      guard let directory = codeSumsDirectory(of: name) else { continue }
      _ = try codeSums(by: name, of: AdditiveMeasure.allCases, scratch: scratch)
      for field in directory.sketches.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
        _ = try codeSketches(by: name, of: field, scratch: scratch)
      }
    }
    if let found = foundSumsDamage { throw found }
  }

  /// Where the sums by a column stand; nil where there are none, or the list of them is damaged.
  func codeSumsDirectory(of name: ColumnName) -> CodeSumsDirectory? {
    if let known = codeSums.withLock({ $0 }) { return known[name] }
    let read = readCodeSums()
    codeSums.withLock { $0 = read }
    return read[name]
  }

  private func readCodeSums() -> [ColumnName: CodeSumsDirectory] {
    guard let part = sections[.codeSums] else { return [:] }
    let scratch = ScanScratch()
    do throws(StoreError) {
      try loadSums(part, what: "section codeSums", scratch: scratch)
    } catch {
      return [:]
    }
    do throws(EncodingFault) {
      return try CodeSumsDirectory.deserialise(scratch.block.span, limit: byteCount)
    } catch {
      _ = damagedSums("section codeSums", error)
      return [:]
    }
  }

  private func loadSums(
    _ part: SegmentPart, what: String, scratch: ScanScratch
  ) throws(StoreError) {
    do throws(StoreError) {
      try loadUnnoted(part, what: what, scratch: scratch)
    } catch {
      throw notedSums(error)
    }
  }

  private func damagedSums(_ what: String, _ fault: EncodingFault) -> StoreError {
    notedSums(StoreError(.damaged, "segment \(name) \(what) is damaged: \(fault.reason)"))
  }

  private func notedSums(_ error: StoreError) -> StoreError {
    guard error.code == .damaged else { return error }
    firstSumsDamage.withLock { first in if first == nil { first = error } }
    return error
  }
}
