/// Writes messages in protobuf's wire format. A value that is its type's default is left out.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  /// A varint: `int32`, `int64`, `uint64`, an enumeration or a boolean.
  mutating func integer(_ field: UInt64, _ value: UInt64) {
    guard value != 0 else { return }
    varint(field << 3)
    varint(value)
  }

  /// A varint that is written even where it is 0: a member of a `oneof`.
  mutating func chosen(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  /// A `fixed64` or a `double`'s bits, written even where they are 0.
  mutating func fixed(_ field: UInt64, _ value: UInt64) {
    varint(field << 3 | 1)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  mutating func text(_ field: UInt64, _ text: String) {
    if !text.isEmpty { raw(field, Array(text.utf8)) }
  }

  /// Bytes, a text's bytes or a message's, written even where there are none.
  mutating func raw(_ field: UInt64, _ content: some Collection<UInt8>) {
    varint(field << 3 | 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  mutating func message(_ field: UInt64, _ message: ProtobufWriter) { raw(field, message.bytes) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
