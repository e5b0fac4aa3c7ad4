// Text for man(1). A line is either a macro (it begins with a full stop) or words of a paragraph, so
// words from elsewhere are escaped: a backslash begins an escape, a hyphen is a dash unless escaped,
// and a full stop or an apostrophe at the start of a line would be a macro.

/// Builds a page in the macros of man(7).
struct ManualText {
  private(set) var lines: [String] = []

  /// The heading of the page: its name, in section 1, and what it belongs to.
  mutating func title(_ name: String, source: String) {
    lines.append(".TH \(name.uppercased()) 1 \"\" \"\(ManualText.escaped(source))\"")
  }

  mutating func section(_ title: String) { lines.append(".SH \(ManualText.escaped(title))") }

  mutating func subsection(_ title: String) {
    lines.append(".SS \"\(ManualText.escaped(title))\"")
  }

  mutating func paragraph(_ text: String) {
    lines.append(".PP")
    words(text)
  }

  /// A name in bold and what it is, indented below it.
  mutating func item(_ name: String, _ meaning: String) {
    lines.append(".TP")
    lines.append("\\fB\(ManualText.escaped(name))\\fR")
    words(meaning.isEmpty ? "." : meaning)
  }

  /// Lines that stay as they are.
  mutating func verbatim(_ text: [String]) {
    lines += [".PP", ".nf"] + text.map(ManualText.line) + [".fi"]
  }

  /// Paragraphs as a command's discussion has them: an indented line stays as it is.
  mutating func discussion(_ text: String) {
    for block in text.split(separator: "\n\n") {
      let rows = block.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let isExample = rows.contains { $0.hasPrefix("  ") || $0.hasPrefix("farthing ") }
      if isExample { verbatim(rows) } else { paragraph(rows.joined(separator: "\n")) }
    }
  }

  private mutating func words(_ text: String) {
    lines += text.split(separator: "\n").map { ManualText.line(String($0)) }
  }

  private static func line(_ text: String) -> String {
    let escaped = escaped(text)
    return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
  }

  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      case "\"": result += "\\(dq"
      case "…": result += "..."
      case let other where !other.isASCII:
        for scalar in other.unicodeScalars {
          let code = String(scalar.value, radix: 16, uppercase: true)
          result += "\\[u" + String(repeating: "0", count: max(0, 4 - code.count)) + code + "]"
        }
      default: result.append(character)
      }
    }
    return result
  }

  /// The page's bytes.
  var text: String { lines.joined(separator: "\n") + "\n" }
}
