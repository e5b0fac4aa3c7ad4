/// A block of dictionary codes at rest.
enum CodeBlock {
  enum Tag: UInt8 {
    case packed = 0
  }

  static func encode(
    _ codes: [UInt32], into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    var least = UInt32.max
    var greatest: UInt32 = 0
    for row in 0..<codes.count {
      least = min(least, codes[row])
      greatest = max(greatest, codes[row])
    }
    // A base pays only where all rows are alike; otherwise readers want the code as it stands.
    let base = least == greatest ? least : 0
    bytes.append(Tag.packed.rawValue)
    bytes.append(variable: UInt64(base))
    let width = BitPacking.width(of: UInt64(codes.count == 0 ? 0 : greatest - base))
    bytes.append(UInt8(width))
    BitPacking.pack(codes, width: width, into: &bytes)
  }

  /// Reads a block of `count` rows.
  ///
  /// - Parameter limit: the number of entries of the dictionary; a code at or above it is damage.
  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, limit: UInt32,
    into codes: inout [UInt32]
  ) throws(EncodingFault) {
    guard Tag(rawValue: try cursor.byte(bytes)) != nil else {
      throw EncodingFault("it has an unknown code encoding")
    }
    let base = try cursor.variable(bytes)
    let width = Int(try cursor.byte(bytes))
    guard width <= 32, base < UInt64(limit) else {
      throw EncodingFault("a code is above the dictionary's \(limit)")
    }
    let range = try cursor.take(BitPacking.packedByteCount(count: count, width: width))
    resize(&codes, to: count)
    if width == 0 {
      for row in 0..<count { codes[row] = UInt32(base) }
      return
    }
    try WordStream.unpackWords(bytes.extracting(range), width: width, into: &codes)
    guard base == 0 else { throw EncodingFault("codes that differ have a base") }
    var greatest: UInt32 = 0
    for row in 0..<count { greatest = max(greatest, codes[row]) }
    guard greatest < limit else {
      throw EncodingFault("a code is above the dictionary's \(limit)")
    }
  }
}
