/// A block of integers at rest: how its values become small words.
///
/// The bytes begin with a tag; see `docs/format/segment.md` for each layout. In memory an absent
/// row is `Int64.min`, a value that no column has.
enum IntegerBlock {
  enum Tag: UInt8 {
    case absent = 0
    case packed = 1
    case packedOrAbsent = 2
    case delta = 3
    /// The column's rule and what it leaves over; see `ColumnRule.swift`.
    case rule = 4
  }

  /// Appends `values` to `bytes`.
  static func encode(
    _ values: [Int64], into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    let (least, greatest) = WordKernels.range(values)
    guard least <= greatest else {
      bytes.append(Tag.absent.rawValue)
      return
    }
    let hasAbsent = values.contains(.min)
    if !hasAbsent, values.count > 2, isAscending(values),
      encodeDelta(values, span: UInt64(bitPattern: greatest &- least), into: &bytes, scratch)
    {
      return
    }
    let scale = WordKernels.divisor(values, base: least)
    bytes.append((hasAbsent ? Tag.packedOrAbsent : .packed).rawValue)
    bytes.append(signed: least)
    bytes.append(variable: scale)
    // With an absent row the greatest word is at most 2^64 − 1: no value is `Int64.min`.
    WordKernels.distances(
      values, base: least, scale: scale, shift: hasAbsent ? 1 : 0, into: &scratch.wideWords)
    WordStream.encode(scratch.wideWords, into: &bytes, scratch: scratch)
  }

  /// Appends a block that follows the column's rule but for these remainders; nil for none.
  static func encodeByRule(
    remainders: [Int64]?, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    bytes.append(Tag.rule.rawValue)
    guard let remainders else { return bytes.append(0) }
    scratch.wideWords.removeAll(keepingCapacity: true)
    scratch.wideWords.append(contentsOf: remainders.lazy.map { zigzag($0) })
    WordStream.encode(scratch.wideWords, into: &bytes, scratch: scratch)
  }

  /// Reads a block of `count` rows.
  ///
  /// - Parameter rows: The rows that matter: others may get any value. Nil for all.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, rows: Range<Int>? = nil,
    into column: inout IntegerColumn, scratch: ScanScratch
  ) throws(EncodingFault) {
    resize(&column.values, to: count)
    guard let tag = Tag(rawValue: try cursor.byte(bytes)) else {
      throw EncodingFault("it has an unknown integer encoding")
    }
    switch tag {
    case .absent:
      column.markAllAbsent(count: count)
    case .packed, .packedOrAbsent:
      let base = try cursor.signed(bytes)
      let scale = Int64(bitPattern: try cursor.variable(bytes))
      let isWide = try WordStream.decode(
        bytes, cursor: &cursor, count: count, rows: rows, scratch: scratch)
      if tag == .packed {
        column.markAllPresent()
        let part = rows ?? 0..<count
        if isWide {
          WordKernels.widen(
            scratch.wideWords, base: base, scale: scale, rows: part, into: &column.values)
        } else {
          WordKernels.widen(
            scratch.words, base: base, scale: scale, rows: part, into: &column.values)
        }
      } else {
        var validity = column.takeValidity(count: count)
        if isWide {
          WordKernels.widenPresent(
            scratch.wideWords, base: base, scale: scale, into: &column.values,
            validity: &validity)
        } else {
          WordKernels.widenPresent(
            scratch.words, base: base, scale: scale, into: &column.values, validity: &validity)
        }
        column.validity = validity
      }
    case .delta:
      column.markAllPresent()
      try decodeDelta(bytes, &cursor, count: count, into: &column.values, scratch)
    case .rule:
      throw EncodingFault("it follows a rule where there is none")
    }
  }

  private static func decodeDelta(
    _ bytes: Span<UInt8>, _ cursor: inout ByteCursor, count: Int, into values: inout [Int64],
    _ scratch: ScanScratch
  ) throws(EncodingFault) {
    let first = try cursor.signed(bytes)
    let step = try cursor.signed(bytes)
    let scale = Int64(bitPattern: try cursor.variable(bytes))
    guard count > 0 else { throw EncodingFault("no rows have a first value") }
    let isWide = try WordStream.decode(
      bytes, cursor: &cursor, count: count - 1, scratch: scratch)
    if !isWide {
      WordKernels.accumulate(
        scratch.words, first: first, step: step, scale: scale, into: &values)
      return
    }
    var value = first
    values[0] = value
    for row in 1..<count {
      value = value &+ step &+ Int64(bitPattern: scratch.wideWords[row - 1]) &* scale
      values[row] = value
    }
  }

  /// Ascending values as distances to the one before; false where that takes more bits.
  private static func encodeDelta(
    _ values: [Int64], span: UInt64, into bytes: inout [UInt8], _ scratch: EncodingScratch
  ) -> Bool {
    guard WordKernels.steps(values, into: &scratch.integers) else { return false }
    let (least, greatest) = WordKernels.range(scratch.integers)
    let scale = WordKernels.divisor(scratch.integers, base: least)
    let width = BitPacking.width(of: UInt64(greatest - least) / scale)
    guard width < BitPacking.width(of: span / WordKernels.divisor(values, base: values[0])) else {
      return false
    }
    WordKernels.distances(
      scratch.integers, base: least, scale: scale, shift: 0, into: &scratch.wideWords)
    bytes.append(Tag.delta.rawValue)
    bytes.append(signed: values[0])
    bytes.append(signed: least)
    bytes.append(variable: scale)
    WordStream.encode(scratch.wideWords, into: &bytes, scratch: scratch)
    return true
  }

  private static func isAscending(_ values: [Int64]) -> Bool {
    for row in 1..<max(values.count, 1) where values[row] < values[row - 1] { return false }
    return true
  }
}

/// What sealing needs, kept from block to block. One thread uses it at a time.
package final class EncodingScratch {
  var words: [UInt32] = []
  var wideWords: [UInt64] = []
  var integers: [Int64] = []
  var decimals: [Int64] = []
  var lengths: [Int64] = []
  let compressor = ZstdCompressor()

  package init() {}
}
