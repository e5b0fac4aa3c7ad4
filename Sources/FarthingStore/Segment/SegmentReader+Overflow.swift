// Reading tags and units that have no column of their own; see `OverflowEntries`.

extension SegmentReader {
  /// The counts of a unit, out of the column that it shares with others.
  func readOverflow(
    _ name: ColumnName, in shared: ColumnName, block: Int, into column: inout IntegerColumn,
    scratch: ScanScratch
  ) throws(StoreError) {
    let entries = try overflowEntries(shared, block: block, scratch: scratch)
    do throws(EncodingFault) {
      try OverflowEntries.counts(
        named: Array((name.entryName ?? "").utf8), in: entries, into: &column)
    } catch {
      throw damaged("column \(shared) block \(block)", error)
    }
  }

  /// The values of a tag, out of the column that it shares with others.
  func readOverflow(
    _ name: ColumnName, in shared: ColumnName, block: Int, into column: inout TextColumn,
    scratch: ScanScratch
  ) throws(StoreError) {
    let entries = try overflowEntries(shared, block: block, scratch: scratch)
    do throws(EncodingFault) {
      try OverflowEntries.texts(
        named: Array((name.entryName ?? "").utf8), in: entries, into: &column)
    } catch {
      throw damaged("column \(shared) block \(block)", error)
    }
  }

  private func overflowEntries(
    _ shared: ColumnName, block: Int, scratch: ScanScratch
  ) throws(StoreError) -> TextColumn {
    var entries = TextColumn()
    try readText(shared, block: block, into: &entries, scratch: scratch)
    return entries
  }

  /// Calls `body` with every tag, or unit, of a block that has no column of its own: the row, the
  /// name, and the value of a tag or the count of a unit.
  ///
  /// - Throws: `damaged`.
  package func forEachOverflowEntry(
    isTags: Bool, block: Int, scratch: ScanScratch,
    _ body: (Int, ArraySlice<UInt8>, ArraySlice<UInt8>, Int64) -> Void
  ) throws(StoreError) {
    let shared: ColumnName = isTags ? .overflowTags : .overflowUnits
    guard places[shared] != nil else { return }
    let entries = try overflowEntries(shared, block: block, scratch: scratch)
    do throws(EncodingFault) {
      try OverflowEntries.forEach(in: entries, isTags: isTags, body)
    } catch {
      throw damaged("column \(shared) block \(block)", error)
    }
  }
}
