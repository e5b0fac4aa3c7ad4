/// Guesses an event's next key from its last, as the events before it were written.
///
/// One writer writes its fields in one order, leaving some out, so the field that followed last time
/// mostly follows again. A guess is checked by comparing words with `NAME":`, which is a third of the
/// work of finding where a key ends and looking it up.
struct KeyForecast: Sendable {
  /// A name with its closing quote and colon: the bytes as words, and which bytes count.
  private struct Pattern: Sendable {
    var words: (UInt64, UInt64, UInt64, UInt64)
    var masks: (UInt64, UInt64, UInt64, UInt64)
    var length: Int
  }

  /// Stands for the beginning of an event.
  static var start: UInt8 { UInt8(FieldCode.count) }

  private var patterns: [Pattern] = []
  private var following: [UInt8] = Array(repeating: 0, count: FieldCode.count + 1)

  init() {
    for raw in 0..<FieldCode.count {
      let text = Array((FieldCode(rawValue: UInt8(raw)).contractName + "\":").utf8)
      func word(_ index: Int) -> UInt64 { text.span.word(index * 8) }
      func mask(_ index: Int) -> UInt64 {
        ByteWord.low(max(0, min(8, text.count - index * 8)), of: .max)
      }
      patterns.append(
        Pattern(
          words: (word(0), word(1), word(2), word(3)),
          masks: (mask(0), mask(1), mask(2), mask(3)), length: text.count))
    }
  }

  /// The field that is expected after `last`, where its name, quote and colon stand at `at`.
  /// - Returns: The field and the index after the colon, or nil.
  @inline(__always)
  func match(_ bytes: Span<UInt8>, at: Int, after last: UInt8) -> (FieldCode, Int)? {
    let code = following[Int(last)]
    let pattern = patterns[Int(code)]
    var difference = (bytes.word(at) ^ pattern.words.0) & pattern.masks.0
    if pattern.length > 8 {
      difference |= (bytes.word(at &+ 8) ^ pattern.words.1) & pattern.masks.1
      if pattern.length > 16 {
        difference |= (bytes.word(at &+ 16) ^ pattern.words.2) & pattern.masks.2
        difference |= (bytes.word(at &+ 24) ^ pattern.words.3) & pattern.masks.3
      }
    }
    return difference == 0 ? (FieldCode(rawValue: code), at &+ pattern.length) : nil
  }

  /// Remembers that `code` followed `last`.
  @inline(__always)
  mutating func learn(_ code: FieldCode, after last: UInt8) {
    following[Int(last)] = code.rawValue
  }
}
