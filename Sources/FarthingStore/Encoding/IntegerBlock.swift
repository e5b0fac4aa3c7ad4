/// A block of integers at rest: how its values become small words, and those words bytes.
///
/// The bytes begin with a tag; see `docs/format/segment.md` for each layout.
enum IntegerBlock {
  enum Tag: UInt8 {
    case absent = 0
    case packed = 1
    case packedOrAbsent = 2
    case delta = 3
  }

  /// Appends the smallest form of `values` to `bytes`.
  ///
  /// - Parameter validity: one byte a row, 0 where absent (its value is then ignored); nil where
  ///   every row is present.
  static func encode(
    _ values: [Int64], validity: [UInt8]?, into bytes: inout [UInt8],
    scratch: EncodingScratch
  ) {
    let rows = values.count
    var least = Int64.max
    var greatest = Int64.min
    var present = 0
    for row in 0..<rows where validity.map({ $0[row] != 0 }) ?? true {
      least = min(least, values[row])
      greatest = max(greatest, values[row])
      present += 1
    }
    guard present > 0 else {
      bytes.append(Tag.absent.rawValue)
      return
    }
    let scale = divisor(values, validity: validity, base: least)
    let span = UInt64(bitPattern: greatest &- least) / scale
    if present == rows, isAscending(values), encodeDelta(values, span: span, into: &bytes, scratch)
    {
      return
    }
    // Absent rows take the word 0, so the greatest present word must leave room for one more.
    let hasAbsent = present < rows && span < UInt64.max
    bytes.append((hasAbsent ? Tag.packedOrAbsent : .packed).rawValue)
    bytes.append(signed: least)
    bytes.append(variable: scale)
    let shift: UInt64 = hasAbsent ? 1 : 0
    resize(&scratch.wideWords, to: rows)
    for row in 0..<rows {
      let isPresent = validity.map { $0[row] != 0 } ?? true
      scratch.wideWords[row] =
        isPresent ? UInt64(bitPattern: values[row] &- least) / scale &+ shift : 0
    }
    WordStream.encode(greatest: span &+ shift, into: &bytes, scratch: scratch)
  }

  /// Reads a block of `count` rows.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, into column: inout IntegerColumn,
    scratch: ScanScratch
  ) throws(EncodingFault) {
    resize(&column.values, to: count)
    guard let tag = Tag(rawValue: try cursor.byte(bytes)) else {
      throw EncodingFault("it has an unknown integer encoding")
    }
    switch tag {
    case .absent:
      var validity = column.takeValidity(count: count)
      for row in 0..<count {
        column.values[row] = 0
        validity[row] = 0
      }
      column.validity = validity
    case .packed, .packedOrAbsent:
      let base = try cursor.signed(bytes)
      let scale = Int64(bitPattern: try cursor.variable(bytes))
      try WordStream.decode(bytes, cursor: &cursor, count: count, scratch: scratch)
      if tag == .packed {
        column.markAllPresent()
        for row in 0..<count {
          column.values[row] = base &+ Int64(bitPattern: scratch.wideWords[row]) &* scale
        }
      } else {
        var validity = column.takeValidity(count: count)
        for row in 0..<count {
          let word = scratch.wideWords[row]
          validity[row] = word == 0 ? 0 : 1
          column.values[row] = word == 0 ? 0 : base &+ Int64(bitPattern: word &- 1) &* scale
        }
        column.validity = validity
      }
    case .delta:
      column.markAllPresent()
      var value = try cursor.signed(bytes)
      let least = try cursor.signed(bytes)
      let scale = Int64(bitPattern: try cursor.variable(bytes))
      guard count > 0 else { return }
      try WordStream.decode(bytes, cursor: &cursor, count: count - 1, scratch: scratch)
      column.values[0] = value
      for row in 1..<count {
        value = value &+ least &+ Int64(bitPattern: scratch.wideWords[row - 1]) &* scale
        column.values[row] = value
      }
    }
  }

  /// Ascending values as distances to the one before; false where that takes more bits.
  private static func encodeDelta(
    _ values: [Int64], span: UInt64, into bytes: inout [UInt8], _ scratch: EncodingScratch
  ) -> Bool {
    let rows = values.count
    guard rows > 1 else { return false }
    resize(&scratch.wideWords, to: rows - 1)
    var least = UInt64.max
    var greatest: UInt64 = 0
    var scale: UInt64 = 0
    for row in 1..<rows {
      let delta = UInt64(bitPattern: values[row] &- values[row - 1])
      scratch.wideWords[row - 1] = delta
      least = min(least, delta)
      greatest = max(greatest, delta)
      scale = greatestCommonDivisor(scale, delta)
    }
    scale = max(scale, 1)
    guard least <= UInt64(Int64.max) else { return false }
    let range = (greatest &- least) / scale
    guard BitPacking.width(of: range) < BitPacking.width(of: span) else { return false }
    for row in 0..<rows - 1 {
      scratch.wideWords[row] = (scratch.wideWords[row] &- least) / scale
    }
    bytes.append(Tag.delta.rawValue)
    bytes.append(signed: values[0])
    bytes.append(signed: Int64(bitPattern: least))
    bytes.append(variable: scale)
    WordStream.encode(greatest: range, into: &bytes, scratch: scratch)
    return true
  }

  private static func isAscending(_ values: [Int64]) -> Bool {
    for row in 1..<max(values.count, 1) where values[row] < values[row - 1] { return false }
    return true
  }

  /// The greatest number that divides the distance of every present value to `base`; at least 1.
  private static func divisor(_ values: [Int64], validity: [UInt8]?, base: Int64) -> UInt64 {
    var divisor: UInt64 = 0
    for row in 0..<values.count where validity.map({ $0[row] != 0 }) ?? true {
      let distance = UInt64(bitPattern: values[row] &- base)
      if divisor != 0, distance % divisor == 0 { continue }
      divisor = greatestCommonDivisor(divisor, distance)
      if divisor == 1 { break }
    }
    return max(divisor, 1)
  }

  private static func greatestCommonDivisor(_ left: UInt64, _ right: UInt64) -> UInt64 {
    var (a, b) = (left, right)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}

/// What sealing needs, kept from block to block. One thread uses it at a time.
package final class EncodingScratch {
  var words: [UInt32] = []
  var wideWords: [UInt64] = []
  var integers: [Int64] = []
  var validity: [UInt8] = []
  var plain: [UInt8] = []
  let compressor = ZstdCompressor()

  package init() {}
}

/// Unsigned words at rest: a width, then the packed words.
enum WordStream {
  /// Appends `scratch.wideWords`, none above `greatest`.
  static func encode(greatest: UInt64, into bytes: inout [UInt8], scratch: EncodingScratch) {
    let width = BitPacking.width(of: greatest)
    bytes.append(UInt8(width))
    if width > 32 {
      BitPacking.pack(scratch.wideWords, width: width, into: &bytes)
    } else {
      resize(&scratch.words, to: scratch.wideWords.count)
      for row in scratch.wideWords.indices {
        scratch.words[row] = UInt32(truncatingIfNeeded: scratch.wideWords[row])
      }
      BitPacking.pack(scratch.words, width: width, into: &bytes)
    }
  }

  /// Reads `count` words into `scratch.wideWords`.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, scratch: ScanScratch
  ) throws(EncodingFault) {
    let width = Int(try cursor.byte(bytes))
    guard width <= 64 else { throw EncodingFault("a width is \(width) bits") }
    let range = try cursor.take(BitPacking.packedByteCount(count: count, width: width))
    resize(&scratch.wideWords, to: count)
    if width > 32 {
      let isWhole = BitPacking.unpack(
        bytes.extracting(range), width: width, into: &scratch.wideWords)
      guard isWhole else {
        throw EncodingFault("its words are cut short")
      }
      return
    }
    resize(&scratch.words, to: count)
    try unpackWords(bytes.extracting(range), width: width, into: &scratch.words)
    for row in 0..<count { scratch.wideWords[row] = UInt64(scratch.words[row]) }
  }

  static func unpackWords(
    _ bytes: Span<UInt8>, width: Int, into words: inout [UInt32]
  ) throws(EncodingFault) {
    guard BitPacking.unpack(bytes, width: width, into: &words) else {
      throw EncodingFault("its words are cut short")
    }
  }
}
