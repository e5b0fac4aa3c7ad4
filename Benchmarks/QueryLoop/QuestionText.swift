/// One line of the loop's input: `query?metrics=cost&by=model` or `events?columns=time,id`.
struct QuestionText {
  /// `query` or `events`.
  let kind: String
  /// The parameters, decoded; a name given twice keeps its last value.
  let words: [String: String]

  init(_ line: String) {
    let parts = line.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    kind = parts.first.map(String.init) ?? ""
    var words: [String: String] = [:]
    for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
      let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      words[Self.decoded(halves[0])] = halves.count > 1 ? Self.decoded(halves[1]) : ""
    }
    self.words = words
  }

  /// A form-encoded text: `+` is a space, `%XX` a byte.
  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "+") {
        bytes.append(UInt8(ascii: " "))
      } else if byte == UInt8(ascii: "%"),
        let value = UInt8(String(Substring(rest.prefix(2))), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
