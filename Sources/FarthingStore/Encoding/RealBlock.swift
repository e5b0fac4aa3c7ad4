/// A block of binary64 numbers at rest: as decimals where every value is one, else bit for bit.
enum RealBlock {
  enum Tag: UInt8 {
    case absent = 0
    case decimal = 1
    case raw = 2
  }

  /// More digits after the point than this are kept as raw bits.
  static let maximumDigits = 9

  /// 10^k, exact in binary64.
  static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

  static func encode(
    _ values: [Double], validity: [UInt8]?, into bytes: inout [UInt8],
    scratch: EncodingScratch
  ) {
    let rows = values.count
    resize(&scratch.integers, to: rows)
    for digits in 0...maximumDigits {
      guard scaled(values, validity: validity, digits: digits, into: &scratch.integers) else {
        continue
      }
      bytes.append(Tag.decimal.rawValue)
      bytes.append(UInt8(digits))
      IntegerBlock.encode(
        scratch.integers, validity: validity, into: &bytes, scratch: scratch)
      return
    }
    bytes.append(Tag.raw.rawValue)
    for row in 0..<rows {
      scratch.integers[row] = Int64(bitPattern: values[row].bitPattern)
    }
    IntegerBlock.encode(scratch.integers, validity: validity, into: &bytes, scratch: scratch)
  }

  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, into column: inout RealColumn,
    scratch: ScanScratch
  ) throws(EncodingFault) {
    let tag = Tag(rawValue: try cursor.byte(bytes))
    if column.values.count != count {
      column.values = [Double](repeating: 0, count: count)
    }
    switch tag {
    case .decimal:
      let digits = Int(try cursor.byte(bytes))
      guard digits <= maximumDigits else { throw EncodingFault("a decimal has \(digits) digits") }
      try decodeIntegers(bytes, cursor: &cursor, count: count, scratch: scratch)
      let power = powers[digits]
      for row in 0..<count {
        column.values[row] = Double(scratch.integers.values[row]) / power
      }
    case .raw:
      try decodeIntegers(bytes, cursor: &cursor, count: count, scratch: scratch)
      for row in 0..<count {
        column.values[row] = Double(
          bitPattern: UInt64(bitPattern: scratch.integers.values[row]))
      }
    case .absent, nil:
      throw EncodingFault("it has an unknown real encoding")
    }
    column.validity = scratch.integers.validity
  }

  private static func decodeIntegers(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, scratch: ScanScratch
  ) throws(EncodingFault) {
    var integers = IntegerColumn()
    swap(&integers, &scratch.integers)
    defer { swap(&integers, &scratch.integers) }
    try IntegerBlock.decode(
      bytes, cursor: &cursor, count: count, into: &integers, scratch: scratch)
  }

  /// Every value times 10^`digits`; false where one is no such integer or does not come back.
  private static func scaled(
    _ values: [Double], validity: [UInt8]?, digits: Int, into integers: inout [Int64]
  ) -> Bool {
    let power = powers[digits]
    for row in 0..<values.count {
      if let validity, validity[row] == 0 {
        integers[row] = 0
        continue
      }
      let value = values[row]
      let product = (value * power).rounded(.toNearestOrEven)
      // Beyond 2^53 neighbouring integers share a binary64 number.
      guard product.magnitude <= 0x1p53,
        (product / power).bitPattern == value.bitPattern
      else { return false }
      integers[row] = Int64(product)
    }
    return true
  }
}
