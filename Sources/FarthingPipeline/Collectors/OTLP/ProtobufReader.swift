// Protobuf's wire format, walked without a schema compiler: a message is a run of fields, each a
// varint (number × 8 + wire type) and a value whose length its wire type tells. The walk never
// copies, never recurses and never traps; every index is checked against the end of the innermost
// message before it is read. Source: protobuf.dev, "Encoding".

/// Why bytes are no protobuf message.
struct ProtobufFault: Error, Equatable {
  /// The index of the byte that cannot be understood.
  var offset: Int
  /// What is wrong there, as a clause.
  var reason: String
}

/// One field of a message, its value as a place in the bytes or as bits.
struct ProtobufField {
  var number: UInt64 = 0
  var wire: UInt8 = 0
  /// A varint, or the bits of a fixed value.
  var bits: UInt64 = 0
  /// A length-delimited value.
  var start = 0
  var end = 0

  @inline(__always)
  func isMessage(_ wanted: UInt64) -> Bool { number == wanted && wire == ProtobufWire.bytes }
}

enum ProtobufWire {
  static let varint: UInt8 = 0
  static let fixed64: UInt8 = 1
  static let bytes: UInt8 = 2
  static let group: UInt8 = 3
  static let groupEnd: UInt8 = 4
  static let fixed32: UInt8 = 5
  /// Groups open at once beyond which a message is refused. OTLP has none at all.
  static let groupLimit = 32
}

/// Reads the fields between `at` and `end` one after the other.
struct ProtobufReader {
  var at: Int
  let end: Int

  @inline(__always)
  init(from start: Int, to end: Int) {
    at = start
    self.end = end
  }

  /// Reads the next field; false at the end of the message.
  @inline(__always)
  mutating func next(
    _ bytes: Span<UInt8>, _ field: inout ProtobufField
  ) throws(ProtobufFault) -> Bool {
    if at >= end { return false }
    let tag = try varint(bytes)
    field.number = tag &>> 3
    field.wire = UInt8(truncatingIfNeeded: tag & 7)
    if field.number == 0 || tag > UInt64(UInt32.max) {
      throw ProtobufFault(offset: at, reason: "a field number that no message has")
    }
    switch field.wire {
    case ProtobufWire.varint: field.bits = try varint(bytes)
    case ProtobufWire.bytes:
      let length = try varint(bytes)
      guard length <= UInt64(end &- at) else {
        throw ProtobufFault(offset: at, reason: "a value that is longer than what holds it")
      }
      field.start = at
      at &+= Int(truncatingIfNeeded: length)
      field.end = at
    case ProtobufWire.fixed64:
      guard end &- at >= 8 else { throw Self.cut(at) }
      field.bits = bytes.littleEndian(at)
      at &+= 8
    case ProtobufWire.fixed32:
      guard end &- at >= 4 else { throw Self.cut(at) }
      field.bits =
        UInt64(bytes[at]) | UInt64(bytes[at &+ 1]) &<< 8 | UInt64(bytes[at &+ 2]) &<< 16
        | UInt64(bytes[at &+ 3]) &<< 24
      at &+= 4
    case ProtobufWire.group: try skipGroup(bytes, field.number)
    default: throw ProtobufFault(offset: at, reason: "a wire type that does not exist")
    }
    return true
  }

  @inline(__always)
  private mutating func varint(_ bytes: Span<UInt8>) throws(ProtobufFault) -> UInt64 {
    guard at < end else { throw Self.cut(at) }
    let first = bytes[at]
    if first < 0x80 {
      at &+= 1
      return UInt64(first)
    }
    return try longVarint(bytes)
  }

  @inline(never)
  private mutating func longVarint(_ bytes: Span<UInt8>) throws(ProtobufFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < end {
      let byte = bytes[at]
      at &+= 1
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 {
        // The tenth byte has one bit of 64 left.
        if shift == 63 && byte > 1 { break }
        return value
      }
      shift &+= 7
      if shift > 63 { break }
    }
    if shift > 63 || (shift == 63 && at < end) {
      throw ProtobufFault(offset: at, reason: "a number of more than 64 bits")
    }
    throw Self.cut(at)
  }

  /// Groups are the wire format's oldest nesting, kept by readers as unknown fields.
  @inline(never)
  private mutating func skipGroup(
    _ bytes: Span<UInt8>, _ number: UInt64
  ) throws(ProtobufFault) {
    var open = [number]
    while let innermost = open.last {
      guard at < end else { throw Self.cut(at) }
      let tag = try varint(bytes)
      switch UInt8(truncatingIfNeeded: tag & 7) {
      case ProtobufWire.varint: _ = try varint(bytes)
      case ProtobufWire.fixed64: try skip(8)
      case ProtobufWire.fixed32: try skip(4)
      case ProtobufWire.bytes: try skip(try varint(bytes))
      case ProtobufWire.group:
        guard open.count < ProtobufWire.groupLimit else {
          throw ProtobufFault(
            offset: at, reason: "more than \(ProtobufWire.groupLimit) groups in each other")
        }
        open.append(tag &>> 3)
      case ProtobufWire.groupEnd where tag &>> 3 == innermost: open.removeLast()
      default: throw ProtobufFault(offset: at, reason: "a wire type that does not exist")
      }
    }
  }

  private mutating func skip(_ count: UInt64) throws(ProtobufFault) {
    guard count <= UInt64(end &- at) else { throw Self.cut(at) }
    at &+= Int(truncatingIfNeeded: count)
  }

  private static func cut(_ at: Int) -> ProtobufFault {
    ProtobufFault(offset: at, reason: "the end of the bytes in the middle of a value")
  }
}

extension Span where Element == UInt8 {
  /// The eight bytes from `index`, which are there, as a little-endian word. `extracting` a range of
  /// constant length lets the optimiser merge the eight loads into one.
  @inline(__always)
  func littleEndian(_ index: Int) -> UInt64 {
    let window = extracting(index..<index &+ 8)
    return UInt64(window[0]) | UInt64(window[1]) << 8 | UInt64(window[2]) << 16
      | UInt64(window[3]) << 24 | UInt64(window[4]) << 32 | UInt64(window[5]) << 40
      | UInt64(window[6]) << 48 | UInt64(window[7]) << 56
  }

  /// The first `length` bytes from `index`, 1 to 8, as a little-endian word with zeros above.
  @inline(__always)
  func littleEndian(_ index: Int, length: Int) -> UInt64 {
    if index &+ 8 <= count {
      let word = littleEndian(index)
      return length >= 8 ? word : word & ((1 &<< UInt64(8 &* length)) &- 1)
    }
    var word: UInt64 = 0
    for place in 0..<length { word |= UInt64(self[index &+ place]) << UInt64(8 &* place) }
    return word
  }

  /// The eight bytes from `index`, which are there, most significant first.
  @inline(__always)
  func bigEndian(_ index: Int) -> UInt64 { littleEndian(index).byteSwapped }
}
