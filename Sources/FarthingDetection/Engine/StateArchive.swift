// The bytes of a snapshot: variable-length integers, reals by their bits, little-endian.
//
// One method a type lists its fields, and serves both ways: writing appends them, reading replaces them. So what
// is written and what is read cannot drift apart. Reading checks every length, since the bytes may be damaged;
// after the first fault nothing more is read and the whole is refused.

/// Writes the fields of a state to bytes, or reads them back.
struct StateArchive {
  private(set) var bytes: [UInt8]
  private var position = 0
  let isReading: Bool
  private(set) var hasFailed = false

  /// For writing.
  init() {
    bytes = []
    isReading = false
  }

  /// For reading.
  init(reading bytes: [UInt8]) {
    self.bytes = bytes
    isReading = true
  }

  /// Whether everything was read without fault.
  var isComplete: Bool { !hasFailed && position == bytes.count }

  mutating func refuse() { hasFailed = true }

  mutating func field(_ value: inout UInt64) {
    if isReading { value = readNumber() } else { writeNumber(value) }
  }

  mutating func field(_ value: inout Int64) {
    // Zigzag, so that small negative values stay short.
    var folded = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    field(&folded)
    if isReading { value = Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1) }
  }

  mutating func field(_ value: inout Int) {
    var wide = Int64(value)
    field(&wide)
    value = Int(wide)
  }

  mutating func field(_ value: inout UInt32) {
    var wide = UInt64(value)
    field(&wide)
    guard let narrow = UInt32(exactly: wide) else { return refuse() }
    value = narrow
  }

  mutating func field(_ value: inout Bool) {
    var wide: UInt64 = value ? 1 : 0
    field(&wide)
    value = wide == 1
    if wide > 1 { refuse() }
  }

  mutating func field(_ value: inout Double) {
    if !isReading {
      append(value.bitPattern, count: 8)
      return
    }
    let read = Double(bitPattern: take(8))
    if read.isFinite { value = read } else { refuse() }
  }

  mutating func field(_ value: inout Float) {
    if !isReading {
      append(UInt64(value.bitPattern), count: 4)
      return
    }
    let read = Float(bitPattern: UInt32(truncatingIfNeeded: take(4)))
    if read.isFinite { value = read } else { refuse() }
  }

  mutating func field(_ value: inout String) {
    var length = value.utf8.count
    size(&length, each: 1)
    if !isReading {
      bytes.append(contentsOf: value.utf8)
    } else if !hasFailed {
      value = String(decoding: bytes[position..<position + length], as: UTF8.self)
      position += length
    }
  }

  mutating func field(_ value: inout [UInt8]) {
    var length = value.count
    size(&length, each: 1)
    if !isReading {
      bytes.append(contentsOf: value)
    } else if !hasFailed {
      value = Array(bytes[position..<position + length])
      position += length
    }
  }

  mutating func field(_ value: inout ObservedName) {
    var code = value.code
    field(&code)
    value = ObservedName(code: code)
  }

  mutating func field<Value: RawRepresentable>(_ value: inout Value)
  where Value.RawValue == String {
    var raw = value.rawValue
    field(&raw)
    if isReading {
      if let known = Value(rawValue: raw) { value = known } else { refuse() }
    }
  }

  mutating func field<Value: RawRepresentable>(_ value: inout Value)
  where Value.RawValue == UInt8 {
    var raw = UInt64(value.rawValue)
    field(&raw)
    if isReading {
      if let known = UInt8(exactly: raw).flatMap(Value.init(rawValue:)) {
        value = known
      } else {
        refuse()
      }
    }
  }

  /// A length; what is read is at most what the rest of the bytes can hold.
  mutating func size(_ value: inout Int, each least: Int) {
    var wide = UInt64(value)
    field(&wide)
    if isReading, wide > UInt64(bytes.count - position) / UInt64(least) {
      refuse()
      wide = 0
    }
    value = Int(wide)
  }

  /// An array of values, each archived by `body`.
  mutating func array<Value>(
    _ values: inout [Value], _ empty: @autoclosure () -> Value,
    _ body: (inout Value, inout StateArchive) -> Void
  ) {
    var length = values.count
    size(&length, each: 1)
    if isReading { values = [] }
    for place in 0..<length {
      if hasFailed { return }
      if isReading {
        var value = empty()
        body(&value, &self)
        values.append(value)
      } else {
        body(&values[place], &self)
      }
    }
  }

  mutating func field(_ values: inout [Float]) { array(&values, 0) { $1.field(&$0) } }
  mutating func field(_ values: inout [Double]) { array(&values, 0) { $1.field(&$0) } }
  mutating func field(_ values: inout [UInt32]) { array(&values, 0) { $1.field(&$0) } }
  mutating func field(_ values: inout [String]) { array(&values, "") { $1.field(&$0) } }

  /// An optional value.
  mutating func optional<Value>(
    _ value: inout Value?, _ empty: @autoclosure () -> Value,
    _ body: (inout Value, inout StateArchive) -> Void
  ) {
    var isPresent = value != nil
    field(&isPresent)
    guard isPresent else {
      value = nil
      return
    }
    var present = value ?? empty()
    body(&present, &self)
    value = present
  }

  private mutating func writeNumber(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func readNumber() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while !hasFailed, position < bytes.count, shift < 64 {
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    refuse()
    return 0
  }

  private mutating func append(_ bits: UInt64, count: Int) {
    for place in 0..<count {
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * place)))
    }
  }

  private mutating func take(_ count: Int) -> UInt64 {
    guard !hasFailed, bytes.count - position >= count else {
      refuse()
      return 0
    }
    var bits: UInt64 = 0
    for place in 0..<count { bits |= UInt64(bytes[position + place]) << UInt64(8 * place) }
    position += count
    return bits
  }
}

/// A state that a snapshot holds.
protocol Archivable {
  /// Writes or reads every field.
  mutating func archive(_ archive: inout StateArchive)
}

extension StateArchive {
  mutating func field<Value: Archivable>(_ value: inout Value) { value.archive(&self) }

  mutating func field<Value: Archivable>(
    _ values: inout [Value], _ empty: @autoclosure () -> Value
  ) {
    array(&values, empty()) { $0.archive(&$1) }
  }
}
