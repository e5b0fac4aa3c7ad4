/// A block of texts at rest.
enum TextBlock {
  enum Tag: UInt8 {
    case raw = 0
  }

  static func encode(
    _ column: TextColumn, into bytes: inout [UInt8], scratch: EncodingScratch
  ) {
    bytes.append(Tag.raw.rawValue)
    resize(&scratch.integers, to: column.count)
    for row in 0..<column.count {
      scratch.integers[row] = Int64(column.offsets[row + 1] - column.offsets[row])
    }
    IntegerBlock.encode(
      scratch.integers, validity: column.validity, into: &bytes, scratch: scratch)
    bytes.append(contentsOf: column.bytes)
  }

  static func decode(
    _ bytes: Span<UInt8>, cursor: inout ByteCursor, count: Int, into column: inout TextColumn,
    scratch: ScanScratch
  ) throws(EncodingFault) {
    guard Tag(rawValue: try cursor.byte(bytes)) != nil else {
      throw EncodingFault("it has an unknown text encoding")
    }
    var lengths = IntegerColumn()
    swap(&lengths, &scratch.integers)
    defer { swap(&lengths, &scratch.integers) }
    try IntegerBlock.decode(
      bytes, cursor: &cursor, count: count, into: &lengths, scratch: scratch)
    resize(&column.offsets, to: count + 1)
    column.offsets[0] = 0
    var total = 0
    for row in 0..<count {
      let length = lengths.values[row]
      guard length >= 0, length <= Int64(cursor.remaining - total) else {
        throw EncodingFault("a text is longer than what is left")
      }
      total += Int(length)
      column.offsets[row + 1] = UInt32(truncatingIfNeeded: total)
    }
    guard total <= Int(UInt32.max) else { throw EncodingFault("its texts exceed 4 GiB") }
    let range = try cursor.take(total)
    column.validity = lengths.validity
    column.bytes.removeAll(keepingCapacity: true)
    column.bytes.reserveCapacity(total)
    for place in range { column.bytes.append(bytes[place]) }
  }
}
