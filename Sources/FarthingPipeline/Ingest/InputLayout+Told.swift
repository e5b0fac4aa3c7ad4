extension InputLayout {
  /// How the events lie in an input that begins with these bytes.
  ///
  /// A bracket opens an array. A first line that leaves a brace open is the beginning of an object
  /// over several lines, unless the next line starts an object of its own: then it is a broken line
  /// among others. Everything else is lines.
  static func told(by beginning: [UInt8]) -> InputLayout {
    var position = 0
    while position < beginning.count, beginning[position].isJSONSpace { position += 1 }
    guard position < beginning.count else { return .lines }
    if beginning[position] == UInt8(ascii: "[") { return .array }
    guard beginning[position] == UInt8(ascii: "{") else { return .lines }
    var depth = 0
    var isInString = false
    var isEscaped = false
    while position < beginning.count {
      let byte = beginning[position]
      if byte == UInt8(ascii: "\n") { break }
      position += 1
      if isEscaped {
        isEscaped = false
      } else if isInString {
        isEscaped = byte == UInt8(ascii: "\\")
        if byte == UInt8(ascii: "\"") { isInString = false }
      } else {
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
      }
    }
    guard depth > 0, !isInString, position < beginning.count else { return .lines }
    while position < beginning.count, beginning[position].isJSONSpace { position += 1 }
    guard position < beginning.count else { return .lines }
    let next = beginning[position]
    return next == UInt8(ascii: "\"") || next == UInt8(ascii: "}") ? .value : .lines
  }
}
