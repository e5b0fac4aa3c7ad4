/// Unsigned and signed integers of any size up to 128 bits in seven bits a byte, low bits first;
/// the top bit of a byte says that another follows (LEB128).
enum Varint {
  static func append(_ value: UInt128, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Signed values alternate: 0, −1, 1, −2, 2…, so that small ones of either sign are short.
  static func append(signed value: Int128, to bytes: inout [UInt8]) {
    append(UInt128(bitPattern: (value << 1) ^ (value >> 127)), to: &bytes)
  }

  /// - Returns: nil where the bytes end early or the value is above 128 bits.
  static func read(_ bytes: [UInt8], at position: inout Int) -> UInt128? {
    var value: UInt128 = 0
    var shift: UInt128 = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      let part = UInt128(byte & 0x7f)
      if shift > 126 || (shift == 126 && part > 3) { return nil }
      value |= part << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  static func readSigned(_ bytes: [UInt8], at position: inout Int) -> Int128? {
    guard let zigzag = read(bytes, at: &position) else { return nil }
    return Int128(bitPattern: zigzag >> 1) ^ -Int128(bitPattern: zigzag & 1)
  }
}
