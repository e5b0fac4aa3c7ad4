/// A block of binary64 numbers at rest: as decimals where every value is one, else bit for bit.
///
/// In memory before sealing, values are bit patterns as `Int64`; an absent row is the pattern of
/// −0.0, which is `Int64.min`.
enum RealBlock {
  enum Tag: UInt8 {
    case decimal = 1
    case raw = 2
  }

  /// Values with more digits after the point than this are kept as raw bits.
  static let maximumDigits = 9

  /// 10^k, exact in binary64.
  static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

  /// - Parameter digits: where the search for a decimal form begins: what the block before had.
  ///   Left at what this block has.
  static func encode(
    _ patterns: [Int64], digits: inout Int, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    var decimals = scratch.decimals
    scratch.decimals = []
    defer { scratch.decimals = decimals }
    for count in digits...maximumDigits {
      guard WordKernels.decimals(patterns, power: powers[count], into: &decimals) else {
        continue
      }
      digits = count
      bytes.append(Tag.decimal.rawValue)
      bytes.append(UInt8(count))
      IntegerBlock.encode(decimals, into: &bytes, scratch: scratch)
      return
    }
    bytes.append(Tag.raw.rawValue)
    IntegerBlock.encode(patterns, into: &bytes, scratch: scratch)
  }

  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, into column: inout RealColumn,
    scratch: ScanScratch
  ) throws(EncodingFault) {
    let tag = Tag(rawValue: try cursor.byte(bytes))
    if column.values.count != count {
      column.values = [Double](repeating: 0, count: count)
    }
    var digits = 0
    if tag == .decimal {
      digits = Int(try cursor.byte(bytes))
      guard digits <= maximumDigits else { throw EncodingFault("a decimal has \(digits) digits") }
    } else if tag != .raw {
      throw EncodingFault("it has an unknown real encoding")
    }
    var integers = IntegerColumn()
    swap(&integers, &scratch.integers)
    swap(&integers.validity, &column.validity)
    defer { swap(&integers, &scratch.integers) }
    try IntegerBlock.decode(
      bytes, cursor: &cursor, count: count, into: &integers, scratch: scratch)
    if tag == .decimal {
      WordKernels.divide(integers.values, by: powers[digits], into: &column.values)
    } else {
      WordKernels.reinterpret(integers.values, into: &column.values)
    }
    swap(&integers.validity, &column.validity)
  }
}
