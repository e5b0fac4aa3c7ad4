// The small parts of the format: little-endian words, and integers of seven bits a byte.

/// Bytes that break their format. The segment reader adds which segment, column and block.
package struct EncodingFault: Error, Equatable {
  /// Words that end the sentence "… is damaged: ".
  package let reason: String

  package init(_ reason: String) { self.reason = reason }
}

/// Appends the parts of the format to a byte array.
extension [UInt8] {
  /// Appends the low `count` bytes of `word`, lowest first.
  mutating func append(word: UInt64, bytes count: Int) {
    for index in 0..<count {
      append(UInt8(truncatingIfNeeded: word >> UInt64(index * 8)))
    }
  }

  /// Appends seven bits a byte, lowest first; the high bit says that more follow.
  mutating func append(variable value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends a signed integer with its sign in the lowest bit.
  mutating func append(signed value: Int64) {
    append(variable: zigzag(value))
  }

  /// Appends a length and the bytes.
  mutating func append(counted text: some Collection<UInt8>) {
    append(variable: UInt64(text.count))
    append(contentsOf: text)
  }

  /// Appends the sixteen bytes of a 128-bit integer, lowest first.
  mutating func append(wide value: Int128) {
    append(word: UInt64(truncatingIfNeeded: value), bytes: 8)
    append(word: UInt64(truncatingIfNeeded: value >> 64), bytes: 8)
  }
}

/// 0, −1, 1, −2, … as 0, 1, 2, 3, …
@inlinable
func zigzag(_ value: Int64) -> UInt64 {
  UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
}

/// The inverse of ``zigzag(_:)``.
@inlinable
func unzigzag(_ value: UInt64) -> Int64 {
  Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
}

/// A place in bytes of unknown origin. Every read checks that it stays inside.
///
/// The bytes are handed to each call rather than kept, so a cursor is a plain value.
struct ByteCursor {
  private(set) var place: Int
  let end: Int

  /// A cursor over all of `bytes`.
  init(_ bytes: Span<UInt8>) {
    place = 0
    end = bytes.count
  }

  /// A cursor over a part of some bytes, which holds `end` of them at least.
  init(place: Int, end: Int) {
    self.place = place
    self.end = end
  }

  var remaining: Int { end - place }

  mutating func byte(_ bytes: Span<UInt8>) throws(EncodingFault) -> UInt8 {
    guard place < end else { throw EncodingFault("it ends early") }
    defer { place += 1 }
    return bytes[place]
  }

  mutating func word(_ bytes: Span<UInt8>, bytes count: Int) throws(EncodingFault) -> UInt64 {
    guard remaining >= count else { throw EncodingFault("it ends early") }
    var word: UInt64 = 0
    for index in 0..<count {
      word |= UInt64(bytes[place + index]) << UInt64(index * 8)
    }
    place += count
    return word
  }

  mutating func variable(_ bytes: Span<UInt8>) throws(EncodingFault) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte(bytes)
      let bits = UInt64(next & 0x7F)
      guard shift < 63 || (shift == 63 && bits <= 1) else {
        throw EncodingFault("an integer has more than 64 bits")
      }
      value |= bits << shift
      if next < 0x80 { return value }
      shift += 7
    }
  }

  mutating func signed(_ bytes: Span<UInt8>) throws(EncodingFault) -> Int64 {
    unzigzag(try variable(bytes))
  }

  /// A non-negative integer that must not exceed `limit`.
  mutating func count(
    _ bytes: Span<UInt8>, upTo limit: Int
  ) throws(EncodingFault) -> Int {
    let value = try variable(bytes)
    guard value <= UInt64(limit) else {
      throw EncodingFault("a count is \(value), at most \(limit) is possible")
    }
    return Int(value)
  }

  mutating func wide(_ bytes: Span<UInt8>) throws(EncodingFault) -> Int128 {
    let low = try word(bytes, bytes: 8)
    let high = try word(bytes, bytes: 8)
    return Int128(truncatingIfNeeded: high) << 64 | Int128(low)
  }

  /// The next `count` bytes.
  mutating func take(_ count: Int) throws(EncodingFault) -> Range<Int> {
    guard count >= 0, remaining >= count else { throw EncodingFault("it ends early") }
    defer { place += count }
    return place..<place + count
  }

  /// A length and as many bytes.
  mutating func counted(_ bytes: Span<UInt8>) throws(EncodingFault) -> Range<Int> {
    let length = try count(bytes, upTo: remaining)
    return try take(length)
  }
}
