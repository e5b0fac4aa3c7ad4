/// A rectangle on a canvas: cells from the left and lines from the top, both from 0.
package struct Box: Sendable, Hashable {
  package var x: Int
  package var y: Int
  package var width: Int
  package var height: Int

  package init(x: Int, y: Int, width: Int, height: Int) {
    self.x = x
    self.y = y
    self.width = max(0, width)
    self.height = max(0, height)
  }

  package var right: Int { x + width }
  package var bottom: Int { y + height }

  func contains(x: Int, y: Int) -> Bool {
    x >= self.x && x < right && y >= self.y && y < bottom
  }

  func inset(x dx: Int, y dy: Int) -> Box {
    Box(x: x + dx, y: y + dy, width: width - 2 * dx, height: height - 2 * dy)
  }
}

/// A grid of cells that is drawn into; what does not fit is cut off, wherever it is put.
package struct Canvas: Sendable, Hashable {
  package let width: Int
  package let height: Int
  /// Line after line.
  package private(set) var cells: [Cell]
  /// Which signs boxes, bars and lines are made of.
  package let glyphs: Glyphs
  /// Whether heat maps are made of shades, for want of colours.
  var usesShades = false

  package init(width: Int, height: Int, glyphs: Glyphs) {
    self.width = max(1, width)
    self.height = max(1, height)
    self.glyphs = glyphs
    cells = Array(repeating: .blank, count: self.width * self.height)
  }

  package subscript(x: Int, y: Int) -> Cell { cells[y * width + x] }

  /// Writes a text from a place to the right, at most `room` cells of it.
  ///
  /// - Returns: how many cells it took.
  @discardableResult
  mutating func put(
    _ text: String, x: Int, y: Int, _ style: Style = .text, room: Int = .max
  ) -> Int {
    guard y >= 0, y < height else { return 0 }
    let end = min(width, room > width ? width : x + room)
    var place = x
    let shown = glyphs.isASCII ? glyphs.ascii(text) : text
    for grapheme in SafeText.graphemes(shown) {
      guard place + grapheme.width <= end else { break }
      if place >= 0 { set(grapheme, place, y, style) }
      place += grapheme.width
    }
    return place - x
  }

  /// Writes a text that ends before `right`.
  mutating func put(_ text: String, right: Int, y: Int, _ style: Style = .text) {
    put(text, x: right - SafeText.width(glyphs.isASCII ? glyphs.ascii(text) : text), y: y, style)
  }

  private mutating func set(_ grapheme: SafeGrapheme, _ x: Int, _ y: Int, _ style: Style) {
    let place = y * width + x
    // Half of a wide grapheme must not stay behind.
    if cells[place].width == 0, x > 0 { cells[place - 1] = .blank }
    let last = place + grapheme.width - 1
    if cells[last].width == 2, x + grapheme.width < width { cells[last + 1] = .blank }
    cells[place] = Cell(text: grapheme.text, width: UInt8(grapheme.width), style: style)
    if grapheme.width == 2 { cells[place + 1] = Cell(text: "", width: 0, style: style) }
  }

  /// Fills a box with blanks of a style.
  mutating func clear(_ box: Box, _ style: Style = .text) {
    let blanks = String(repeating: " ", count: max(0, min(box.right, width) - max(0, box.x)))
    for y in max(0, box.y)..<max(0, min(box.bottom, height), box.y) {
      put(blanks, x: max(0, box.x), y: y, style)
    }
  }

  /// Marks all cells of a line of a box as selected.
  mutating func select(x: Int, y: Int, width: Int) {
    guard y >= 0, y < height else { return }
    for place in max(0, x)..<max(0, min(self.width, x + width), x) {
      cells[y * self.width + place].style.isSelected = true
    }
  }

  /// A quiet line from one side to the other.
  mutating func rule(x: Int, y: Int, width: Int, _ style: Style = .quiet) {
    put(String(repeating: glyphs.horizontal, count: max(0, width)), x: x, y: y, style)
  }

  /// A box with a title in its upper edge.
  mutating func frame(_ box: Box, title: String, note: String = "", isFocused: Bool = false) {
    guard box.width >= 2, box.height >= 2 else { return }
    let style = isFocused ? Style.accent : .quiet
    let across = String(repeating: glyphs.horizontal, count: box.width - 2)
    put(glyphs.corners.0 + across + glyphs.corners.1, x: box.x, y: box.y, style)
    put(glyphs.corners.2 + across + glyphs.corners.3, x: box.x, y: box.bottom - 1, style)
    for y in (box.y + 1)..<max(box.y + 1, box.bottom - 1) {
      put(glyphs.vertical, x: box.x, y: y, style)
      put(glyphs.vertical, x: box.right - 1, y: y, style)
    }
    let room = box.width - 6
    guard room > 0 else { return }
    let shown = SafeText.fitted(title, to: room)
    put(
      " \(shown) ", x: box.x + 2, y: box.y,
      Style(isFocused ? .accent : .text, bold: true), room: room + 2)
    let left = box.width - 8 - SafeText.width(shown)
    if !note.isEmpty, left > 6 {
      let fitted = SafeText.fitted(note, to: left - 2)
      put(" \(fitted) ", right: box.right - 2, y: box.y, .dim)
    }
  }
}
