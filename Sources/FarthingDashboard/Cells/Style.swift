/// What a cell's ink says. A theme turns it into a colour, or into none.
package enum Ink: Sendable, Hashable {
  case text
  /// What stands back: labels, units, headings of columns.
  case dim
  /// Borders, axes and the grounds of bars.
  case quiet
  /// What leads the eye: the one accent.
  case accent
  case warning
  case trouble
  /// A step of a heat map, from 0 to ``Ink/heatSteps``.
  case heat(Int)

  /// Steps of a heat map above nothing.
  package static let heatSteps = 7
}

/// How a cell is drawn.
package struct Style: Sendable, Hashable {
  package var ink: Ink
  package var isBold: Bool
  /// Whether the cell belongs to what is selected.
  package var isSelected: Bool

  package init(_ ink: Ink = .text, bold: Bool = false, selected: Bool = false) {
    self.ink = ink
    isBold = bold
    isSelected = selected
  }

  package static let text = Style()
  package static let dim = Style(.dim)
  package static let quiet = Style(.quiet)
  package static let accent = Style(.accent)
  package static let heading = Style(.text, bold: true)

  func selected(_ isSelected: Bool) -> Style {
    var style = self
    style.isSelected = isSelected
    return style
  }
}

/// One cell of a canvas.
package struct Cell: Sendable, Hashable {
  /// One grapheme; empty where the cell is the right half of a wide one to its left.
  package var text: String
  /// 1, or 2 for a wide grapheme; 0 for its right half.
  package var width: UInt8
  package var style: Style

  package static let blank = Cell(text: " ", width: 1, style: .text)
}
