extension EventDecoder {
  /// Tells from its first bytes how the objects of a text follow each other.
  ///
  /// A text that starts with `[` is an array. One that starts with `{` is NDJSON where its first
  /// object ends on the line that it starts on; where it goes on after a line feed it is one object
  /// written over lines, unless JSON is broken there by a `{`: then the first of many lines was cut
  /// off. Whatever is neither is read as lines, each refused by itself.
  /// - Parameter isWhole: Whether `prefix` is the whole text rather than its beginning.
  /// - Complexity: O(n) in the bytes of the first object.
  package static func layout(of prefix: Span<UInt8>) -> Layout {
    var scanner = JSONScanner()
    scanner.toleratesEncoding = true
    scanner.base = prefix.count
    let mark = prefix.count >= 3 && prefix.word(0) & 0xFF_FFFF == 0xBF_BBEF ? 3 : 0
    let start = scanner.afterBlanks(prefix, mark)
    switch prefix.byte(start) {
    case UInt8(ascii: "["): return .document
    case UInt8(ascii: "{"): break
    default: return .lines
    }
    let lineEnd = prefix.endOfLine(from: start)
    do {
      let end = try scanner.skipValue(prefix, at: start, depth: 0)
      return end <= lineEnd ? .lines : .document
    } catch {
      let at: Int
      switch error {
      case .syntax(let place, _): at = place
      case .text(.unterminated(let place)), .text(.controlCharacter(let place)),
        .text(.escape(let place)), .text(.surrogate(let place)), .text(.encoding(let place)):
        at = place
      case .repeatedKey, .tooDeep: at = start
      }
      return at <= lineEnd || prefix.byte(at) == UInt8(ascii: "{") ? .lines : .document
    }
  }
}
