// An exact reader of JSON text.
//
// Price lists are JSON with prices such as `2.5e-06`. A decoder that makes numbers binary floating point would
// lose what the list says, so this one walks over the bytes and hands out numbers as text. It also lets a
// list of millions of bytes be indexed by its outermost keys and read entry by entry, when one is asked for.

/// Where and why a JSON text is broken.
package struct PriceTextFault: Error, Sendable, Equatable {
  /// Byte offset.
  package let position: Int
  /// What was expected there, as words that end the sentence "expected …".
  package let expected: String
}

/// A place in JSON bytes. The bytes themselves are handed in with each call, so that a cursor can be kept.
struct PriceTextCursor {
  var position: Int
  /// Deepest nesting that is followed.
  static let maximumDepth = 64

  init(at position: Int = 0) { self.position = position }

  /// The kind of a value, by its first byte.
  enum Kind {
    case object
    case array
    case string
    case number
    case literal
  }

  mutating func skipSpace(_ text: borrowing Span<UInt8>) {
    while position < text.count {
      switch text[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  /// The kind of the value that starts here, after any space.
  mutating func kind(_ text: borrowing Span<UInt8>) throws(PriceTextFault) -> Kind {
    skipSpace(text)
    guard position < text.count else { throw fault("a value") }
    switch text[position] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): return .literal
    default: throw fault("a value")
    }
  }

  /// Takes `byte`, after any space; false and no move where another stands there.
  mutating func take(_ byte: UInt8, _ text: borrowing Span<UInt8>) -> Bool {
    skipSpace(text)
    guard position < text.count, text[position] == byte else { return false }
    position += 1
    return true
  }

  mutating func expect(_ byte: UInt8, _ text: borrowing Span<UInt8>) throws(PriceTextFault) {
    guard take(byte, text) else { throw fault("“\(Character(Unicode.Scalar(byte)))”") }
  }

  func fault(_ expected: String) -> PriceTextFault {
    PriceTextFault(position: position, expected: expected)
  }

  /// Passes over a whole value and returns its bytes.
  mutating func skipValue(
    _ text: borrowing Span<UInt8>, depth: Int = 0
  ) throws(PriceTextFault) -> Range<Int> {
    let kind = try kind(text)
    let start = position
    switch kind {
    case .string: try skipString(text)
    case .number: skipScalar(text)
    case .literal:
      skipScalar(text)
      guard Self.isLiteral(text, start..<position) else {
        position = start
        throw fault("true, false or null")
      }
    case .object, .array:
      guard depth < Self.maximumDepth else { throw fault("at most \(Self.maximumDepth) levels") }
      try skipContainer(text, isObject: kind == .object, depth: depth)
    }
    return start..<position
  }

  private mutating func skipContainer(
    _ text: borrowing Span<UInt8>, isObject: Bool, depth: Int
  ) throws(PriceTextFault) {
    position += 1
    let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    if take(close, text) { return }
    repeat {
      if isObject {
        skipSpace(text)
        try skipString(text)
        try expect(UInt8(ascii: ":"), text)
      }
      _ = try skipValue(text, depth: depth + 1)
    } while take(UInt8(ascii: ","), text)
    try expect(close, text)
  }

  private mutating func skipString(_ text: borrowing Span<UInt8>) throws(PriceTextFault) {
    guard position < text.count, text[position] == UInt8(ascii: "\"") else {
      throw fault("a string")
    }
    let start = position
    position += 1
    while position < text.count {
      let byte = text[position]
      position += 1
      if byte == UInt8(ascii: "\"") { return }
      if byte == UInt8(ascii: "\\") { position += 1 }
    }
    position = start
    throw fault("a string that ends")
  }

  private mutating func skipScalar(_ text: borrowing Span<UInt8>) {
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x0A, 0x0D, 0x09: return
      default: position += 1
      }
    }
  }

  private static func isLiteral(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    ["true", "false", "null"].contains(string(text, range))
  }

  /// The bytes of a range as a string.
  static func string(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    for index in range { bytes.append(text[index]) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The string that starts here, unescaped.
  mutating func string(_ text: borrowing Span<UInt8>) throws(PriceTextFault) -> String {
    skipSpace(text)
    let start = position
    try skipString(text)
    let inside = (start + 1)..<(position - 1)
    for index in inside where text[index] == UInt8(ascii: "\\") {
      return try unescaped(text, inside)
    }
    return Self.string(text, inside)
  }

  private func unescaped(
    _ text: borrowing Span<UInt8>, _ range: Range<Int>
  ) throws(PriceTextFault) -> String {
    var units: [UInt16] = []
    var result = ""
    var plain: [UInt8] = []
    func flush() {
      result += String(decoding: units, as: UTF16.self)
      result += String(decoding: plain, as: UTF8.self)
      units = []
      plain = []
    }
    var index = range.lowerBound
    while index < range.upperBound {
      guard text[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound else {
        if !units.isEmpty { flush() }
        plain.append(text[index])
        index += 1
        continue
      }
      let escape = text[index + 1]
      if escape == UInt8(ascii: "u") {
        let digits = Self.string(
          text, min(index + 2, range.upperBound)..<min(index + 6, range.upperBound))
        guard digits.utf8.count == 4, let unit = UInt16(digits, radix: 16) else {
          throw PriceTextFault(position: index, expected: "four hexadecimal digits")
        }
        if !plain.isEmpty { flush() }
        units.append(unit)
        index += 6
        continue
      }
      if !units.isEmpty { flush() }
      plain.append(Self.meaning(of: escape))
      index += 2
    }
    flush()
    return result
  }

  private static func meaning(of escape: UInt8) -> UInt8 {
    switch escape {
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    default: escape
    }
  }
}
