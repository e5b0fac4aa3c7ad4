// How many terminal cells a text takes, and which characters may reach a terminal at all.
//
// A cell count is needed per grapheme, not per scalar: an accent adds nothing, an emoji made of
// five scalars takes two cells. The wide ranges are those of Unicode's East Asian Width classes W
// and F, coarsened to whole blocks: a rare unassigned scalar inside one counts as wide.

/// Blocks whose scalars take two cells.
///
/// Source: Unicode 15.1, EastAsianWidth.txt, classes W and F.
private let wideRanges: [ClosedRange<UInt32>] = [
  0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
  0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
  0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1B000...0x1B2FF, 0x20000...0x3FFFD,
]

extension Unicode.Scalar {
  /// Whether the scalar could move the cursor, reorder or hide text, or is no character at all.
  ///
  /// The joiner U+200D stays: emoji are built with it and alone it only takes no space.
  package var isHostileToTerminals: Bool {
    if value >= 0x20, value < 0x7F { return false }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
      return true
    case .format:
      return value != 0x200D
    default:
      return false
    }
  }

  fileprivate var cells: Int {
    if value < 0x300 { return 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if properties.isEmojiPresentation { return 2 }
    return wideRanges.contains { $0.contains(value) } ? 2 : 1
  }
}

extension String {
  /// The number of terminal cells that the text takes.
  ///
  /// - Complexity: O(n); ASCII text costs no more than its length.
  package var displayWidth: Int {
    if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return utf8.count }
    return reduce(0) { width, character in
      // A variation selector 16 asks for the emoji form of what stands before it.
      let scalars = character.unicodeScalars
      if scalars.contains(where: { $0.value == 0xFE0F }) { return width + 2 }
      return width + (scalars.map(\.cells).max() ?? 0)
    }
  }

  /// The text as it may be shown on a terminal: hostile scalars written as `\u{202E}`.
  package var printable: String {
    if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return self }
    var shown = ""
    for scalar in unicodeScalars {
      if scalar.isHostileToTerminals {
        shown += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }

  /// The text with spaces on one side so that it takes `width` cells; unchanged where it is wider.
  package func padded(to width: Int, alignRight: Bool = false) -> String {
    let missing = width - displayWidth
    guard missing > 0 else { return self }
    let spaces = String(repeating: " ", count: missing)
    return alignRight ? spaces + self : self + spaces
  }

  /// The text cut to at most `width` cells, its last one `…` where something was cut.
  package func truncated(to width: Int) -> String {
    guard displayWidth > width else { return self }
    guard width > 1 else { return width == 1 ? "…" : "" }
    var kept = ""
    var used = 0
    for character in self {
      let cells = String(character).displayWidth
      if used + cells > width - 1 { break }
      kept.append(character)
      used += cells
    }
    return kept + "…"
  }
}
