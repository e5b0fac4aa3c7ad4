/// The end of a JSON string that could not be taken as it stands: it has an escape, or a character
/// outside of printable ASCII.
struct ReadText: Sendable {
  /// Where its characters are: in the input, or in the tail where it had escapes.
  var range: ByteRange
  /// The index after its closing quote.
  var end: Int
  /// Whether it has a character that no text of an event may have.
  var isUnclean: Bool
}

/// What is wrong inside a JSON string.
enum TextFault: Error, Equatable {
  case unterminated(at: Int)
  case controlCharacter(at: Int)
  case escape(at: Int)
  case surrogate(at: Int)
  case encoding(at: Int)
}

/// Reads strings of a JSON text with escapes and characters outside ASCII.
///
/// The reader checks all that RFC 8259 and UTF-8 ask for: no raw control character, only the escapes
/// that the grammar names, surrogates in pairs, no overlong or truncated sequence.
enum TextReader {
  /// Reads the string whose first character is at `start`, the one after its quote.
  ///
  /// - Parameters:
  ///   - base: Where the tail begins, in the numbering of ranges: the input's length.
  ///   - tail: Receives the characters where they differ from the input.
  ///   - tolerant: Whether what is not Unicode is passed over as U+FFFD.
  /// - Complexity: O(n) in the string's bytes.
  static func read(
    _ bytes: Span<UInt8>, from start: Int, base: Int, tolerant: Bool = false,
    tail: inout [UInt8]
  ) throws(TextFault) -> ReadText {
    var at = start
    var isUnclean = false
    var tailStart = -1
    while true {
      let byte = bytes.byte(at)
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        if tailStart < 0 {
          tailStart = tail.count
          for index in start..<at { tail.append(bytes[index]) }
        }
        let (scalar, next) = try escape(bytes, at: at, tolerant: tolerant)
        isUnclean = isUnclean || TextRules.forbids(scalar)
        append(scalar, to: &tail)
        at = next
        continue
      }
      if byte < 0x20 {
        throw at >= bytes.count ? .unterminated(at: at) : .controlCharacter(at: at)
      }
      let length: Int
      if byte < 0x80 {
        length = 1
        isUnclean = isUnclean || byte == 0x7F
      } else {
        let (scalar, size) = try self.scalar(bytes, at: at, tolerant: tolerant)
        length = size
        isUnclean = isUnclean || TextRules.forbids(scalar)
      }
      if tailStart >= 0 {
        for index in at..<(at &+ length) { tail.append(bytes[index]) }
      }
      at &+= length
    }
    let range =
      tailStart < 0
      ? ByteRange(
        offset: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: at - start))
      : ByteRange(
        offset: UInt32(truncatingIfNeeded: base + tailStart),
        length: UInt32(truncatingIfNeeded: tail.count - tailStart))
    return ReadText(range: range, end: at &+ 1, isUnclean: isUnclean)
  }

  /// The scalar that the escape at `at` stands for, and the index after it.
  private static func escape(
    _ bytes: Span<UInt8>, at: Int, tolerant: Bool
  ) throws(TextFault) -> (UInt32, Int) {
    switch bytes.byte(at &+ 1) {
    case UInt8(ascii: "\""): return (0x22, at &+ 2)
    case UInt8(ascii: "\\"): return (0x5C, at &+ 2)
    case UInt8(ascii: "/"): return (0x2F, at &+ 2)
    case UInt8(ascii: "b"): return (0x08, at &+ 2)
    case UInt8(ascii: "f"): return (0x0C, at &+ 2)
    case UInt8(ascii: "n"): return (0x0A, at &+ 2)
    case UInt8(ascii: "r"): return (0x0D, at &+ 2)
    case UInt8(ascii: "t"): return (0x09, at &+ 2)
    case UInt8(ascii: "u"): break
    default: throw .escape(at: at)
    }
    guard let unit = hexadecimal(bytes, at: at &+ 2) else { throw .escape(at: at) }
    if unit < 0xD800 || unit > 0xDFFF { return (unit, at &+ 6) }
    guard unit < 0xDC00, bytes.byte(at &+ 6) == UInt8(ascii: "\\"),
      bytes.byte(at &+ 7) == UInt8(ascii: "u"), let low = hexadecimal(bytes, at: at &+ 8),
      low >= 0xDC00, low <= 0xDFFF
    else {
      if tolerant { return (0xFFFD, at &+ 6) }
      throw .surrogate(at: at)
    }
    return (0x10000 &+ ((unit &- 0xD800) &<< 10) &+ (low &- 0xDC00), at &+ 12)
  }

  private static func hexadecimal(_ bytes: Span<UInt8>, at: Int) -> UInt32? {
    var value: UInt32 = 0
    for index in at..<(at &+ 4) {
      let byte = bytes.byte(index)
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte &- 0x30
      case 0x41...0x46: digit = byte &- 0x37
      case 0x61...0x66: digit = byte &- 0x57
      default: return nil
      }
      value = value &<< 4 | UInt32(digit)
    }
    return value
  }

  /// The scalar of the UTF-8 sequence at `at`, whose first byte is outside ASCII, and its length.
  ///
  /// The ranges are those of table 3-7 of the Unicode standard: overlong forms, surrogates and
  /// values above U+10FFFF are no sequences.
  private static func scalar(
    _ bytes: Span<UInt8>, at: Int, tolerant: Bool
  ) throws(TextFault) -> (UInt32, Int) {
    if let sequence = sequence(bytes, at: at) { return sequence }
    if tolerant { return (0xFFFD, 1) }
    throw .encoding(at: at)
  }

  private static func sequence(_ bytes: Span<UInt8>, at: Int) -> (UInt32, Int)? {
    let first = bytes.byte(at)
    let second = bytes.byte(at &+ 1)
    if first >= 0xC2 && first <= 0xDF {
      guard second & 0xC0 == 0x80 else { return nil }
      return (UInt32(first & 0x1F) &<< 6 | UInt32(second & 0x3F), 2)
    }
    let third = bytes.byte(at &+ 2)
    if first >= 0xE0 && first <= 0xEF {
      let least: UInt8 = first == 0xE0 ? 0xA0 : 0x80
      let most: UInt8 = first == 0xED ? 0x9F : 0xBF
      guard second >= least, second <= most, third & 0xC0 == 0x80 else { return nil }
      let high = UInt32(first & 0x0F) &<< 12
      return (high | UInt32(second & 0x3F) &<< 6 | UInt32(third & 0x3F), 3)
    }
    let fourth = bytes.byte(at &+ 3)
    let least: UInt8 = first == 0xF0 ? 0x90 : 0x80
    let most: UInt8 = first == 0xF4 ? 0x8F : 0xBF
    guard first >= 0xF0, first <= 0xF4, second >= least, second <= most, third & 0xC0 == 0x80,
      fourth & 0xC0 == 0x80
    else { return nil }
    let high = UInt32(first & 0x07) &<< 18 | UInt32(second & 0x3F) &<< 12
    return (high | UInt32(third & 0x3F) &<< 6 | UInt32(fourth & 0x3F), 4)
  }

  /// Appends the scalar's UTF-8.
  static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
    if scalar < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: scalar))
    } else if scalar < 0x800 {
      bytes.append(UInt8(truncatingIfNeeded: 0xC0 | scalar &>> 6))
      bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    } else if scalar < 0x10000 {
      bytes.append(UInt8(truncatingIfNeeded: 0xE0 | scalar &>> 12))
      bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar &>> 6 & 0x3F))
      bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    } else {
      bytes.append(UInt8(truncatingIfNeeded: 0xF0 | scalar &>> 18))
      bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar &>> 12 & 0x3F))
      bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar &>> 6 & 0x3F))
      bytes.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
    }
  }
}
