// YAML of a file that somebody else may have written.
//
// The library's parser is strict about keys given twice, control characters and nesting (1,000
// levels). It hashes the keys of each mapping as whole trees, so a few hundred bytes of anchors
// within anchors could keep it busy for years. Nothing here needs anchors: a text that could hold
// one is refused before it is parsed.

internal import Yams

enum YAMLDocument {
  /// Most bytes of a file.
  static let limit = 1 << 20

  /// The document's root; nil where nothing but comments is in it.
  static func root(_ bytes: [UInt8], file: String) throws(ConfigurationFault) -> Node? {
    guard bytes.count <= limit else {
      throw ConfigurationFault(place: file, line: nil, message: "it has more than 1 MiB")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationFault(place: file, line: nil, message: "not YAML: expected UTF-8 text")
    }
    if let line = lineOfAnchor(bytes) {
      throw ConfigurationFault(
        place: file, line: line,
        message: "\"&\" before a name begins an anchor of YAML, which this file may not have; "
          + "write the value out")
    }
    do {
      return try Yams.compose(yaml: text)
    } catch {
      throw fault(error, text, file: file)
    }
  }

  /// The 1-based line of the first ampersand that could begin an anchor; nil where none could.
  ///
  /// An anchor is an ampersand with a letter, digit, `-` or `_` behind it. Behind a letter or a digit
  /// it belongs to a plain scalar, a tag or a name. A comment has none, but a line that begins with
  /// `#` may stand in quotes and end them.
  static func lineOfAnchor(_ bytes: [UInt8]) -> Int? {
    func isName(_ byte: UInt8) -> Bool {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    }
    for (number, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
      .enumerated()
    {
      guard line.contains(UInt8(ascii: "&")) else { continue }
      let first = line.first { $0 != 0x20 && $0 != 0x09 }
      let hasQuote = line.contains(UInt8(ascii: "\"")) || line.contains(UInt8(ascii: "'"))
      if first == UInt8(ascii: "#"), !hasQuote, !line.contains(0x0D) { continue }
      for place in line.indices where line[place] == UInt8(ascii: "&") {
        let next = line.index(after: place)
        guard next < line.endIndex, isName(line[next]) else { continue }
        if place == line.startIndex || !isName(line[place - 1]) { return number + 1 }
      }
    }
    return nil
  }

  private static func fault(_ error: any Error, _ text: String, file: String) -> ConfigurationFault
  {
    func fault(_ line: Int?, _ message: String) -> ConfigurationFault {
      ConfigurationFault(place: file, line: line, message: message)
    }
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let hasTab =
        mark.line >= 1 && mark.line <= lines.count && lines[mark.line - 1].contains("\t")
      return fault(
        mark.line, "not YAML: \(problem)" + (hasTab ? "; indent with blanks, not with tabs" : ""))
    case .reader(let problem, _, _, _):
      return fault(nil, "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      let names = keys.prefix(5).map(\.shownValue).joined(separator: ", ")
      return fault(context.mark.line, "\(names) is given twice; keep one")
    default:
      return fault(nil, "not YAML")
    }
  }
}
