extension EventDecoder {
  /// Tells from its first bytes how the objects of a text follow each other.
  ///
  /// A text that starts with `[` is an array, but where no object stands in it and its first line says
  /// that it is none: it is no JSON there, or the array closes and more follows. So are log lines that
  /// begin with a time in brackets, and arrays line by line. One that starts with `{` is NDJSON where its first
  /// object ends on the line that it starts on; where it goes on after a line feed it is one object
  /// written over lines, unless JSON is broken there by a `{`: then the first of many lines was cut
  /// off. Whatever is neither is read as lines, each refused by itself.
  /// - Parameter isWhole: Whether `prefix` is the whole text rather than its beginning.
  /// - Complexity: O(n) in the bytes of the first object; of an array that begins with something else,
  ///   in those of the array.
  package static func layout(of prefix: Span<UInt8>) -> Layout {
    var scanner = JSONScanner()
    scanner.toleratesEncoding = true
    scanner.base = prefix.count
    let mark = prefix.count >= 3 && prefix.word(0) & 0xFF_FFFF == 0xBF_BBEF ? 3 : 0
    let start = scanner.afterBlanks(prefix, mark)
    switch prefix.byte(start) {
    case UInt8(ascii: "["): return arrayLayout(prefix, from: start, scanner)
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
  /// As ``layout(of:)`` for a text whose bracket is at `start`.
  private static func arrayLayout(
    _ prefix: Span<UInt8>, from start: Int, _ unused: JSONScanner
  ) -> Layout {
    var scanner = unused
    let first = scanner.afterBlanks(prefix, start + 1)
    if first >= prefix.count || prefix[first] == UInt8(ascii: "{") { return .document }
    let end: Int
    do {
      end = try scanner.skipValue(prefix, at: start, depth: 0)
      if scanner.afterBlanks(prefix, end) >= prefix.count { return .document }
    } catch {
      switch error {
      case .syntax(let at, _), .text(.unterminated(let at)), .text(.controlCharacter(let at)),
        .text(.escape(let at)), .text(.surrogate(let at)), .text(.encoding(let at)):
        end = at
      case .repeatedKey, .tooDeep: return .document
      }
      if end >= prefix.count { return .document }
    }
    if end > prefix.endOfLine(from: start) { return .document }
    // Elements before a fault are kept: an array that holds an object is worth reading as one.
    for at in start...end where prefix.byte(at) == UInt8(ascii: "{") { return .document }
    return .lines
  }
}
