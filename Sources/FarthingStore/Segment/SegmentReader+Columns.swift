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
    let key = cacheKey(name, block)
    if let key, let known = cache?.codes(key) {
      codes = known
      return
    }
    guard let column = try load(name, block: block, as: .codes, scratch: scratch) else {
      codes = [UInt32](repeating: 0, count: rows)
      return
    }
    if scratch.block.first == CodeBlock.Tag.rule.rawValue, let place = places[name] {
      return try readByRule(place, block: block, into: &codes, scratch: scratch)
    }
    let isDear = scratch.block.first == CodeBlock.Tag.appearance.rawValue
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try CodeBlock.decode(
        bytes, cursor: &cursor, count: rows, limit: UInt32(column.entryCount) + 1, into: &codes,
        scratch: scratch)
      if isDear, let key { cache?.insert(codes, key) }
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Reads a block of integers. An absent column is absent in every row.
  ///
  /// - Parameter part: The rows that matter, numbered from the block's first: others may get any
  ///   value. Nil for all.
  package func readIntegers(
    _ name: ColumnName, block: Int, rows part: Range<Int>? = nil,
    into column: inout IntegerColumn, scratch: ScanScratch
  ) throws(StoreError) {
    if let base = name.bookedBase {
      return try readBookedIntegers(of: base, block: block, into: &column, scratch: scratch)
    }
    let rows = rows(inBlock: block).count
    if let shared = overflow(of: name) {
      return try readOverflow(name, in: shared, block: block, into: &column, scratch: scratch)
    }
    let key = cacheKey(name, block)
    if let key, let known = cache?.integers(key) {
      column.values = known
      return column.markAllPresent()
    }
    guard try load(name, block: block, as: .integers, scratch: scratch) != nil else {
      column.values = [Int64](repeating: 0, count: rows)
      column.validity = [UInt8](repeating: 0, count: rows)
      return
    }
    if scratch.block.first == IntegerBlock.Tag.rule.rawValue, let place = places[name] {
      try readByRule(place, block: block, into: &column, scratch: scratch)
      if let key { cache?.insert(column.values, key) }
      return
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try IntegerBlock.decode(
        bytes, cursor: &cursor, count: rows, rows: part, into: &column, scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }

  /// Where the cache keeps a block; nil without a cache, and for columns that are cheap to decode.
  private func cacheKey(_ name: ColumnName, _ block: Int) -> BlockCache.Key? {
    guard cache != nil, let place = places[name] else { return nil }
    let column = columns[place]
    let isDear =
      column.kind == .codes
      ? column.entryCount > SegmentFormat.renumberedEntries
      : column.kind == .integers && column.rule != nil
    return isDear ? BlockCache.Key(segment: contentChecksum, column: place, block: block) : nil
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
    try decodeText(name, block: block, scratch: scratch) {
      bytes, cursor throws(EncodingFault) in
      try TextBlock.decode(
        bytes, cursor: &cursor, count: rows, times: scratch.times.values, into: &column,
        scratch: scratch)
    }
  }

  /// Decodes the block of texts that is loaded, with the rows' times at hand where its texts borrow
  /// from them.
  ///
  /// - Throws: `damaged`, naming the block, where `decode` throws.
  func decodeText(
    _ name: ColumnName, block: Int, scratch: ScanScratch,
    _ decode: (Span<UInt8>, inout ByteCursor) throws(EncodingFault) -> Void
  ) throws(StoreError) {
    if TextBlock.followsTime(scratch.block.span) {
      let own = scratch.block
      try readIntegers(.time, block: block, into: &scratch.times, scratch: scratch)
      scratch.block = own
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      try decode(bytes, &cursor)
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
