internal import FarthingStore

/// The keys of a block's rows.
struct KeyBlock {
  /// The lower half of each row's key; unspecified where the row has no value.
  var lower: [UInt64] = []
  /// The upper half of every key, where it is the same for all; else nil.
  var upperHalf: UInt64?
  /// The upper half of each row's key where they differ; not looked at otherwise.
  var upper: [UInt64] = []
  /// 1 where the row has a value; nil where every row has one.
  var validity: [UInt8]?

  @inline(__always)
  func isPresent(_ row: Int) -> Bool { validity.map { $0[row] != 0 } ?? true }

  /// The key of a row that has a value.
  subscript(row: Int) -> TextKey { TextKey(low: lower[row], high: upperHalf ?? upper[row]) }
}

/// The keys of the codes of a segment.
struct CodeKeys {
  /// The lower half of each code's key.
  var lower: [UInt64] = []
  /// The upper half of every key, where it is the same for all; else nil.
  var upperHalf: UInt64?
  /// The upper half of each code's key where they differ; else empty.
  var upper: [UInt64] = []
  /// Whether code 0 stands for a value.
  var hasDefault = false

  subscript(code: Int) -> TextKey { TextKey(low: lower[code], high: upperHalf ?? upper[code]) }

  /// The keys of the codes of the segment that the reader has entered.
  ///
  /// - Throws: ``StoreError`` where the dictionary cannot be read.
  init(_ slot: ColumnSlot, _ reader: BlockReader) throws(StoreError) {
    if slot.kind == .codes, slot.defaultText == nil, !slot.isUsage {
      let known = try reader.segment.dictionaryKeys(slot.name)
      lower = known.lower
      upperHalf = known.upperHalf
      upper = known.upper
      return
    }
    var lower: [UInt64] = []
    var upper: [UInt64] = []
    var hasDefault = false
    slot.forEachCode { code, bytes, range, isPresent in
      let key = isPresent ? TextKey(bytes, range) : TextKey(low: 0, high: 0)
      if code == 0 { hasDefault = isPresent }
      lower.append(key.low)
      upper.append(key.high)
    }
    self.lower = lower
    self.upper = upper
    self.hasDefault = hasDefault
  }
}
