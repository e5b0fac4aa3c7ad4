/// A second reader of JSON, written from RFC 8259 alone and as plainly as it can be, to judge the
/// real ones by.
struct JSONWalk {
  /// Whether bytes that are not UTF-8 and lone surrogates are passed over.
  var toleratesEncoding = false
  var refusesRepeatedKeys = true
  var nestingLimit = 16

  private var bytes: [UInt8] = []
  private var place = 0

  init() {}

  private struct Refusal: Error {}

  /// Whether the bytes are one value with nothing but white space around it.
  mutating func accepts(_ text: some Collection<UInt8>) -> Bool {
    bytes = Array(text)
    place = 0
    do {
      try value(depth: 0)
    } catch {
      return false
    }
    blanks()
    return place == bytes.count
  }

  private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  private mutating func blanks() {
    while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { place += 1 }
  }

  private mutating func take(_ closing: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: closing) else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ text: String) throws(Refusal) {
    for byte in text.utf8 {
      guard next == byte else { throw Refusal() }
      place += 1
    }
  }

  private mutating func value(depth: Int) throws(Refusal) {
    blanks()
    switch next {
    case UInt8(ascii: "{"):
      guard depth < nestingLimit else { throw Refusal() }
      try object(depth: depth + 1)
    case UInt8(ascii: "["):
      guard depth < nestingLimit else { throw Refusal() }
      try array(depth: depth + 1)
    case UInt8(ascii: "\""): _ = try text()
    case UInt8(ascii: "t"): try expect("true")
    case UInt8(ascii: "f"): try expect("false")
    case UInt8(ascii: "n"): try expect("null")
    default: try number()
    }
  }

  private mutating func object(depth: Int) throws(Refusal) {
    try expect("{")
    blanks()
    if take("}") { return }
    var keys: Set<[UInt8]> = []
    while true {
      blanks()
      let isNew = keys.insert(try text()).inserted
      guard isNew || !refusesRepeatedKeys else { throw Refusal() }
      blanks()
      try expect(":")
      try value(depth: depth)
      blanks()
      if take("}") { return }
      try expect(",")
    }
  }

  private mutating func array(depth: Int) throws(Refusal) {
    try expect("[")
    blanks()
    if take("]") { return }
    while true {
      try value(depth: depth)
      blanks()
      if take("]") { return }
      try expect(",")
    }
  }

  private mutating func digits() throws(Refusal) {
    let start = place
    while let byte = next, (0x30...0x39).contains(byte) { place += 1 }
    guard place > start else { throw Refusal() }
  }

  private mutating func number() throws(Refusal) {
    if next == UInt8(ascii: "-") { place += 1 }
    if next == UInt8(ascii: "0") { place += 1 } else { try digits() }
    if next == UInt8(ascii: ".") {
      place += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      place += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
      try digits()
    }
  }

  private mutating func unit() throws(Refusal) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw Refusal()
      }
      value = value << 4 | UInt16(digit)
      place += 1
    }
    return value
  }

  /// The text at the quote, without its escapes; lone surrogates as the three bytes they would take.
  private mutating func text() throws(Refusal) -> [UInt8] {
    try expect("\"")
    var result: [UInt8] = []
    while let byte = next {
      place += 1
      if byte == UInt8(ascii: "\"") {
        let isText = String(validating: result, as: UTF8.self) != nil
        guard isText || toleratesEncoding else { throw Refusal() }
        return result
      }
      guard byte >= 0x20 else { throw Refusal() }
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      try escape(into: &result)
    }
    throw Refusal()
  }

  private mutating func escape(into result: inout [UInt8]) throws(Refusal) {
    guard let letter = next else { throw Refusal() }
    place += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(letter)
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "f"): result.append(0x0C)
    case UInt8(ascii: "n"): result.append(0x0A)
    case UInt8(ascii: "r"): result.append(0x0D)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "u"):
      let first = try unit()
      guard (0xD800...0xDFFF).contains(first) else {
        return append(UInt32(first), to: &result)
      }
      let mark = place
      if first < 0xDC00, next == UInt8(ascii: "\\") {
        place += 1
        if next == UInt8(ascii: "u") {
          place += 1
          let second = try unit()
          if (0xDC00...0xDFFF).contains(second) {
            let high = UInt32(first - 0xD800) << 10
            return append(0x10000 + high + UInt32(second - 0xDC00), to: &result)
          }
        }
        place = mark
      }
      append(UInt32(first), to: &result)
    default: throw Refusal()
    }
  }

  private func append(_ scalar: UInt32, to result: inout [UInt8]) {
    func tail(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift & 0x3F)) }
    switch scalar {
    case ..<0x80: result.append(UInt8(scalar))
    case ..<0x800: result += [UInt8(0xC0 | scalar >> 6), tail(0)]
    case ..<0x10000: result += [UInt8(0xE0 | scalar >> 12), tail(6), tail(0)]
    default: result += [UInt8(0xF0 | scalar >> 18), tail(12), tail(6), tail(0)]
    }
  }
}
