/// The signs that boxes, bars and lines are made of.
package struct Glyphs: Sendable, Hashable {
  /// Whether nothing but ASCII may be written.
  package var isASCII: Bool

  package static let unicode = Glyphs(isASCII: false)
  package static let ascii = Glyphs(isASCII: true)

  var horizontal: String { isASCII ? "-" : "─" }
  var vertical: String { isASCII ? "|" : "│" }
  /// Upper left, upper right, lower left, lower right.
  var corners: (String, String, String, String) {
    isASCII ? ("+", "+", "+", "+") : ("╭", "╮", "╰", "╯")
  }
  var rising: String { isASCII ? "^" : "▲" }
  var falling: String { isASCII ? "v" : "▼" }
  var steady: String { isASCII ? "=" : "·" }
  var dot: String { isASCII ? "*" : "●" }
  var ring: String { isASCII ? "o" : "○" }
  var into: String { isASCII ? ">" : "›" }
  var missing: String { isASCII ? "-" : "–" }
  var ground: String { isASCII ? "." : "·" }

  /// A column of a sparkline by eighths of its height, 0 to 8.
  func eighth(_ count: Int) -> String {
    let signs =
      isASCII
      ? [" ", "_", ".", ".", "-", "-", "=", "#", "#"]
      : [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    return signs[min(8, max(0, count))]
  }

  /// A bar from the left: whole cells and a last one by eighths.
  func bar(eighths: Int) -> String {
    if isASCII { return String(repeating: "#", count: (eighths + 4) / 8) }
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }

  /// A cell of a heat map without colour, by step.
  func shade(_ step: Int) -> String {
    let signs =
      isASCII
      ? [".", ":", "-", "=", "+", "*", "#", "@"]
      : ["·", "░", "░", "▒", "▒", "▓", "▓", "█"]
    return signs[min(Ink.heatSteps, max(0, step))]
  }

  /// The text in ASCII: our own signs have their stand-ins, everything else is `?`.
  func ascii(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var shown = ""
    for character in text {
      if let standIn = Self.standIns[character] {
        shown += standIn
      } else if character.isASCII {
        shown.append(character)
      } else {
        shown += String(repeating: "?", count: max(1, SafeText.width(String(character))))
      }
    }
    return shown
  }

  private static let standIns: [Character: String] = [
    "–": "-", "—": "-", "…": "~", "·": ".", "→": ">", "←": "<", "↑": "^", "↓": "v", "▲": "^",
    "▼": "v", "›": ">", "●": "*", "○": "o", "≥": ">", "≤": "<", "×": "x", "─": "-", "│": "|",
    "█": "#", "µ": "u", "÷": "/", "±": "~",
  ]
}
