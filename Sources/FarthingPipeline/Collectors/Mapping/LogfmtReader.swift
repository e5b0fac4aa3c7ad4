/// Reads the pairs of a logfmt line: `level=info msg="two words" took=12ms ok`.
///
/// A quoted value knows the escapes `\"`, `\\`, `\n`, `\r`, `\t`; a key alone means `true`.
struct LogfmtReader {
  private(set) var pairs: [(key: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = []

  /// - Returns: what was expected where the line is broken, or nil.
  mutating func read(_ line: ArraySlice<UInt8>) -> String? {
    pairs.removeAll(keepingCapacity: true)
    var rest = line
    var hasValue = false
    while true {
      rest = rest.drop { $0 <= 0x20 }
      guard let first = rest.first else { break }
      guard first != UInt8(ascii: "="), first != UInt8(ascii: "\"") else { return "a key" }
      let key = rest.prefix { $0 > 0x20 && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\"") }
      rest = rest.dropFirst(key.count)
      guard rest.first == UInt8(ascii: "=") else {
        if rest.first == UInt8(ascii: "\"") { return "= after a key" }
        pairs.append((key, [UInt8]("true".utf8)[...]))
        continue
      }
      hasValue = true
      rest = rest.dropFirst()
      if rest.first == UInt8(ascii: "\"") {
        guard let value = Self.quoted(&rest) else { return "a closing quote" }
        pairs.append((key, value))
      } else {
        let value = rest.prefix { $0 > 0x20 }
        rest = rest.dropFirst(value.count)
        pairs.append((key, value))
      }
    }
    return hasValue ? nil : "pairs of key=value"
  }

  private static func quoted(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let start = rest.startIndex + 1
    var at = start
    var hasEscapes = false
    while at < rest.endIndex, rest[at] != UInt8(ascii: "\"") {
      if rest[at] == UInt8(ascii: "\\") {
        hasEscapes = true
        at += 1
      }
      at += 1
    }
    guard at < rest.endIndex else { return nil }
    let content = rest[start..<at]
    rest = rest[(at + 1)...]
    guard hasEscapes else { return content }
    var text: [UInt8] = []
    var isEscape = false
    for byte in content {
      if isEscape {
        isEscape = false
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        default: text.append(byte)
        }
      } else if byte == UInt8(ascii: "\\") {
        isEscape = true
      } else {
        text.append(byte)
      }
    }
    return text[...]
  }
}
