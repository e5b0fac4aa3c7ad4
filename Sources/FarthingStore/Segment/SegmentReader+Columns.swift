// Reading one block of one column.

extension SegmentReader {
  /// Reads a block of codes into `codes`, one a row. An absent column is all 0.
  package func readCodes(
    _ name: ColumnName, block: Int, into codes: inout [UInt32], scratch: ScanScratch
  ) throws(StoreError) {
    if let base = name.bookedBase {
      return try readBookedCodes(of: base, block: block, into: &codes, scratch: scratch)
    }
    let rows = rows(inBlock: block).count
    guard let column = try load(name, block: block, as: .codes, scratch: scratch) else {
      codes = [UInt32](repeating: 0, count: rows)
      return
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try CodeBlock.decode(
        bytes, cursor: &cursor, count: rows, limit: UInt32(column.entryCount) + 1, into: &codes,
        scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of integers. An absent column is absent in every row.
  package func readIntegers(
    _ name: ColumnName, block: Int, into column: inout IntegerColumn, scratch: ScanScratch
  ) throws(StoreError) {
    if let base = name.bookedBase {
      return try readBookedIntegers(of: base, block: block, into: &column, scratch: scratch)
    }
    let rows = rows(inBlock: block).count
    if let shared = overflow(of: name) {
      return try readOverflow(name, in: shared, block: block, into: &column, scratch: scratch)
    }
    guard try load(name, block: block, as: .integers, scratch: scratch) != nil else {
      column.values = [Int64](repeating: 0, count: rows)
      column.validity = [UInt8](repeating: 0, count: rows)
      return
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try IntegerBlock.decode(
        bytes, cursor: &cursor, count: rows, into: &column, scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of reals. An absent column is absent in every row.
  package func readReals(
    _ name: ColumnName, block: Int, into column: inout RealColumn, scratch: ScanScratch
  ) throws(StoreError) {
    let rows = rows(inBlock: block).count
    guard try load(name, block: block, as: .reals, scratch: scratch) != nil else {
      column.values = [Double](repeating: 0, count: rows)
      column.validity = [UInt8](repeating: 0, count: rows)
      return
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try RealBlock.decode(bytes, cursor: &cursor, count: rows, into: &column, scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of texts. An absent column is absent in every row.
  package func readText(
    _ name: ColumnName, block: Int, into column: inout TextColumn, scratch: ScanScratch
  ) throws(StoreError) {
    let rows = rows(inBlock: block).count
    if let shared = overflow(of: name) {
      return try readOverflow(name, in: shared, block: block, into: &column, scratch: scratch)
    }
    guard try load(name, block: block, as: .text, scratch: scratch) != nil else {
      column.removeAll()
      column.offsets = [UInt32](repeating: 0, count: rows + 1)
      column.validity = [UInt8](repeating: 0, count: rows)
      return
    }
    if TextBlock.followsTime(scratch.block.span) {
      let own = scratch.block
      try readIntegers(.time, block: block, into: &scratch.times, scratch: scratch)
      scratch.block = own
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try TextBlock.decode(
        bytes, cursor: &cursor, count: rows, times: scratch.times.values, into: &column,
        scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of texts as 64-bit keys, without making the texts.
  ///
  /// - Returns: false, with `column` unspecified, where this block's texts do not fit into keys.
  package func readKeys(
    _ name: ColumnName, block: Int, into column: inout KeyColumn, scratch: ScanScratch
  ) throws(StoreError) -> Bool {
    guard try load(name, block: block, as: .text, scratch: scratch) != nil else { return false }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      return try TextBlock.decodeKeys(
        bytes, cursor: &cursor, count: rows(inBlock: block).count, into: &column,
        scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }
}
