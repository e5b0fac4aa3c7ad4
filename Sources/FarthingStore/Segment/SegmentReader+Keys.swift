// Texts of many kinds (tasks, prompts) are counted by key. Where all texts of a part end in sixteen
// hexadecimal digits, their keys are the words that the part packs, and no text is made at all.

internal import Synchronization

/// The keys of the texts of a dictionary, by code.
package final class DictionaryKeys: Sendable {
  /// The lower half of each key; 0 for code 0, which stands for absent.
  package let lower: [UInt64]
  /// The upper half of every key, where it is the same for all; else nil.
  package let upperHalf: UInt64?
  /// The upper half of each key where they differ; else empty.
  package let upper: [UInt64]

  init(lower: [UInt64], upperHalf: UInt64) {
    self.lower = lower
    self.upperHalf = upperHalf
    upper = []
  }

  init(_ dictionary: TextDictionary) {
    var lower: [UInt64] = [0]
    var upper: [UInt64] = [0]
    lower.reserveCapacity(dictionary.count)
    upper.reserveCapacity(dictionary.count)
    let bytes = dictionary.bytes
    for code in 1..<max(dictionary.count, 1) {
      let key = TextKey(bytes.span, dictionary.range(of: UInt32(code)) ?? 0..<0)
      lower.append(key.low)
      upper.append(key.high)
    }
    let first = upper.count > 1 ? upper[1] : 0
    let isCommon = upper.dropFirst().allSatisfy { $0 == first }
    self.lower = lower
    upperHalf = isCommon ? first : nil
    self.upper = isCommon ? [] : upper
  }

  /// The key of a code; meaningless for 0.
  package subscript(code: Int) -> TextKey {
    TextKey(low: lower[code], high: upperHalf ?? upper[code])
  }
}

extension SegmentReader {
  /// How many codes a column has, the one for absent included: all are below; 1 where it is absent.
  ///
  /// - Throws: as ``dictionary(_:)``, for columns that are made out of others.
  package func codeCount(of name: ColumnName) throws(StoreError) -> Int {
    guard let place = places[name] else { return try dictionary(name).count }
    return columns[place].entryCount + 1
  }

  /// The keys of the texts of a column of codes. Read once, then kept: 8 bytes a text, 16 where
  /// their upper halves differ.
  ///
  /// - Throws: `damaged`; `invalidArgument` where the column is not one of codes.
  package func dictionaryKeys(_ name: ColumnName) throws(StoreError) -> DictionaryKeys {
    guard let place = places[name] else { return DictionaryKeys(try dictionary(name)) }
    if let known = keysOfDictionaries.withLock({ $0[place] }) { return known }
    let made: DictionaryKeys
    if let packed = try packedKeys(name, place) {
      made = packed
    } else {
      made = DictionaryKeys(try dictionary(name))
    }
    return keysOfDictionaries.withLock { known in
      if let first = known[place] { return first }
      known[place] = made
      return made
    }
  }

  /// The keys of a dictionary out of its packed words; nil where its texts have no such keys.
  private func packedKeys(
    _ name: ColumnName, _ place: Int
  ) throws(StoreError) -> DictionaryKeys? {
    let column = columns[place]
    guard column.kind == .codes, let part = column.dictionary else { return nil }
    let scratch = ScanScratch()
    try load(part, what: "column \(name) dictionary", scratch: scratch)
    var keys = KeyColumn()
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      let hasKeys = try TextBlock.decodeKeys(
        bytes, cursor: &cursor, count: column.entryCount, into: &keys, scratch: scratch)
      guard hasKeys, keys.validity == nil else { return nil }
    } catch {
      throw damaged("column \(name) dictionary", error)
    }
    return DictionaryKeys(lower: [0] + keys.keys, upperHalf: keys.upperHalf)
  }

  /// Reads the texts of chosen rows of a block: the column then has one for each of `rows`.
  ///
  /// - Parameter rows: numbered from the block's first; each below the rows of the block.
  package func readText(
    _ name: ColumnName, block: Int, rows: [UInt32], into column: inout TextColumn,
    scratch: ScanScratch
  ) throws(StoreError) {
    guard overflow(of: name) == nil,
      try load(name, block: block, as: .text, scratch: scratch) != nil
    else {
      var whole = TextColumn()
      try readText(name, block: block, into: &whole, scratch: scratch)
      column.removeAll()
      for row in rows { column.append(whole.range(Int(row)).map { whole.bytes[$0] } ?? []) }
      column.validity = rows.map { whole.range(Int($0)) == nil ? 0 : 1 }
      return
    }
    try decodeText(name, block: block, scratch: scratch) {
      bytes, cursor throws(EncodingFault) in
      try TextBlock.decode(
        bytes, cursor: &cursor, count: self.rows(inBlock: block).count, rows: rows,
        times: scratch.times.values, into: &column, scratch: scratch)
    }
  }

  /// Reads a block of codes as runs, where it is stored as such.
  ///
  /// - Returns: false, with `runs` unspecified, where it is stored otherwise.
  package func readRuns(
    _ name: ColumnName, block: Int, into runs: inout CodeRuns, scratch: ScanScratch
  ) throws(StoreError) -> Bool {
    guard let column = try load(name, block: block, as: .codes, scratch: scratch) else {
      return false
    }
    do throws(EncodingFault) {
      let loaded = scratch.block
      let bytes = loaded.span
      var cursor = ByteCursor(bytes)
      return try CodeBlock.decodeRuns(
        bytes, cursor: &cursor, count: rows(inBlock: block).count,
        limit: UInt32(column.entryCount) + 1, into: &runs, scratch: scratch)
    } catch {
      throw damaged("column \(name) block \(block)", error)
    }
  }
}

extension CodeRuns {
  /// Writes `table[code]` for each row.
  ///
  /// - Returns: false, with `mask` unspecified, where a code is not in the table or the runs are not
  ///   of that many rows.
  package func expand(_ table: [UInt8], rows: Int, into mask: inout [UInt8]) -> Bool {
    WordKernels.expandMask(codes, lengths: lengths, by: table, rows: rows, into: &mask)
  }
}
