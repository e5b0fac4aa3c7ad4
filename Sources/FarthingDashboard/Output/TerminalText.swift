/// Frames as bytes for a terminal.
package enum TerminalText {
  /// Begins and ends a batch of changes that a terminal shows at once; one that does not know it ignores it.
  ///
  /// Source: the synchronized output extension, DEC private mode 2026.
  private static let begin = "\u{1B}[?2026h"
  private static let end = "\u{1B}[?2026l"

  /// Only what differs between two frames; all of the new one where there is no old one, or one of
  /// another size.
  ///
  /// Every run of cells begins with its address, and after a cell whose width terminals may disagree
  /// about the next one gets its own, so that nothing a cell holds can shift what follows.
  /// - Returns: nothing where the frames are the same.
  package static func difference(
    from old: Canvas?, to new: Canvas, theme: Theme
  ) -> [UInt8] {
    let isSameSize = old.map { $0.width == new.width && $0.height == new.height } ?? false
    var text = ""
    var style: Style?
    for y in 0..<new.height {
      var cursor = -1
      for x in 0..<new.width {
        let cell = new[x, y]
        if isSameSize, let old, old[x, y] == cell { continue }
        // The right half of a wide cell is drawn with its left one.
        if cell.width == 0 {
          if isSameSize, x > 0, let old, old[x - 1, y] == new[x - 1, y] {
            text += address(x - 1, y) + run(new[x - 1, y], &style, theme)
          }
          cursor = -1
          continue
        }
        if cursor != x { text += address(x, y) }
        text += run(cell, &style, theme)
        cursor = cell.width == 1 && cell.text.unicodeScalars.count == 1 ? x + 1 : -1
      }
    }
    guard !text.isEmpty else { return [] }
    let head = isSameSize ? "" : "\u{1B}[0m\u{1B}[2J"
    return Array((begin + head + text + "\u{1B}[0m" + end).utf8)
  }

  private static func address(_ x: Int, _ y: Int) -> String { "\u{1B}[\(y + 1);\(x + 1)H" }

  private static func run(_ cell: Cell, _ style: inout Style?, _ theme: Theme) -> String {
    guard cell.style != style else { return cell.text }
    style = cell.style
    return "\u{1B}[" + theme.parameters(cell.style) + "m" + cell.text
  }

  /// The frame as lines for a pipe: coloured where the theme has colour, without blanks at their ends.
  package static func lines(_ canvas: Canvas, theme: Theme) -> String {
    var text = ""
    for y in 0..<canvas.height {
      var last = canvas.width - 1
      while last >= 0, canvas[last, y].text == " ", !canvas[last, y].style.isSelected { last -= 1 }
      var style: Style?
      if last >= 0 {
        for x in 0...last {
          let cell = canvas[x, y]
          text += theme.depth == .none ? cell.text : run(cell, &style, theme)
        }
      }
      if style != nil { text += "\u{1B}[0m" }
      text += "\n"
    }
    return text
  }
}
