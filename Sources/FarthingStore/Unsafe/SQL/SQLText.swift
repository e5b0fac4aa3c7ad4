/// What can be told of a statement's text without SQLite.
package enum SQLText {
  /// The first word in capitals, or the first character where it is no letter; nil where the text
  /// has nothing but spaces, comments and semicolons.
  package static func verb(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    var place = 0
    while place < bytes.count {
      switch bytes[place] {
      case 0x09...0x0D, 0x20, UInt8(ascii: ";"): place += 1
      case UInt8(ascii: "-") where place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: "-"):
        while place < bytes.count, bytes[place] != 0x0A { place += 1 }
      case UInt8(ascii: "/") where place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: "*"):
        // The star that ends it is not the one that begins it.
        place += 3
        while place < bytes.count,
          !(bytes[place - 1] == UInt8(ascii: "*") && bytes[place] == UInt8(ascii: "/"))
        { place += 1 }
        place += 1
      case 0xEF where bytes[place...].starts(with: [0xEF, 0xBB, 0xBF]): place += 3
      default: return word(bytes[place...])
      }
    }
    return nil
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> String {
    let letters = bytes.prefix { byte in
      let lower = byte | 0x20
      return (lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z"))
        || byte == UInt8(ascii: "_")
    }
    if letters.isEmpty {
      return String(String(decoding: bytes.prefix(8), as: UTF8.self).prefix(1))
    }
    return String(decoding: letters.prefix(32), as: UTF8.self).uppercased()
  }

  /// The names in quotes that begin with one of `prefixes`, such as `tags.team` of `"tags.team"`, each once.
  ///
  /// What only looks like one, within a text or a comment, is named too: it does no harm to know a
  /// column that nobody reads.
  package static func quotedNames(_ text: String, prefixes: [String]) -> [String] {
    var names: [String] = []
    let ends: [Character: Character] = ["\"": "\"", "`": "`", "[": "]"]
    var rest = text[...]
    while let open = rest.firstIndex(where: { ends[$0] != nil }) {
      let after = rest.index(after: open)
      let end = ends[rest[open]] ?? "\""
      rest = rest[after...]
      guard prefixes.contains(where: { rest.hasPrefix($0) }),
        let close = rest.firstIndex(of: end)
      else { continue }
      let name = String(rest[..<close])
      if !prefixes.contains(name), !names.contains(name) { names.append(name) }
    }
    return names
  }
}
