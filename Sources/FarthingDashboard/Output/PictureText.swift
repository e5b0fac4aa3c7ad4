// The same frame as a picture: every cell where it stands on the screen.
//
// Text is written run by run of one style, at the x of its first cell and stretched to the width of its
// cells, so that columns line up whatever font a reader has.

/// Frames as SVG and HTML, each one file that needs nothing from a network.
package enum PictureText {
  private static let cellWidth = 8.4
  private static let cellHeight = 18.0
  private static let margin = 14.0
  private static let fonts =
    "ui-monospace, 'JetBrains Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace"

  /// The frame as an SVG document.
  ///
  /// - Parameter title: what readers of the picture by ear are told first.
  /// - Complexity: O(cells).
  package static func svg(_ canvas: Canvas, theme: Theme, title: String) -> String {
    let width = Double(canvas.width) * cellWidth + 2 * margin
    let height = Double(canvas.height) * cellHeight + 2 * margin
    var text =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(number(width))\" height=\"\(number(height))\" "
      + "viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\">\n"
    text += "<title>\(escaped(title))</title>\n"
    text += "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"\(theme.ground.hex)\"/>\n"
    text += "<g font-family=\"\(fonts)\" font-size=\"14\" xml:space=\"preserve\">\n"
    for y in 0..<canvas.height { text += line(canvas, y, theme) }
    return text + "</g>\n</svg>\n"
  }

  private static func line(_ canvas: Canvas, _ y: Int, _ theme: Theme) -> String {
    var text = ""
    let top = margin + Double(y) * cellHeight
    for run in runs(canvas, y) {
      let left = margin + Double(run.x) * cellWidth
      let width = Double(run.cells) * cellWidth
      let colour = (theme.colour(run.style.ink) ?? theme.foreground).hex
      if run.style.isSelected {
        text +=
          "<rect x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(width))\" "
          + "height=\"\(number(cellHeight))\" fill=\"\(theme.selection.hex)\"/>\n"
      }
      if run.text.allSatisfy({ $0 == " " }) { continue }
      if let blocks = blocks(run, left, top, colour) {
        text += blocks
        continue
      }
      let weight = run.style.isBold ? " font-weight=\"600\"" : ""
      text +=
        "<text x=\"\(number(left))\" y=\"\(number(top + 13.5))\" fill=\"\(colour)\"\(weight) "
        + "textLength=\"\(number(width))\" lengthAdjust=\"spacingAndGlyphs\">\(escaped(run.text))</text>\n"
    }
    return text
  }

  /// Block elements as rectangles: fonts leave gaps between them.
  private static func blocks(_ run: Run, _ left: Double, _ top: Double, _ colour: String) -> String?
  {
    let columns = Array("▁▂▃▄▅▆▇█")
    let bars = Array("▏▎▍▌▋▊▉")
    guard run.text.allSatisfy({ columns.contains($0) || bars.contains($0) || $0 == " " }) else {
      return nil
    }
    var path = ""
    for (place, sign) in run.text.enumerated() {
      let x = left + Double(place) * cellWidth
      if let eighths = columns.firstIndex(of: sign) {
        let height = cellHeight * Double(eighths + 1) / 8
        path +=
          "M\(number(x)) \(number(top + cellHeight - height))h\(number(cellWidth))v\(number(height))h-\(number(cellWidth))z"
      } else if let eighths = bars.firstIndex(of: sign) {
        let width = cellWidth * Double(eighths + 1) / 8
        path +=
          "M\(number(x)) \(number(top))h\(number(width))v\(number(cellHeight))h-\(number(width))z"
      }
    }
    return "<path d=\"\(path)\" fill=\"\(colour)\" shape-rendering=\"crispEdges\"/>\n"
  }

  private struct Run {
    var x: Int
    var text: String
    var cells: Int
    var style: Style
  }

  /// Cells of one style that stand together. Blanks end a run, so that a heading's words keep their places;
  /// blocks stand apart from words.
  private static func runs(_ canvas: Canvas, _ y: Int) -> [Run] {
    func isBlock(_ text: String) -> Bool {
      text.unicodeScalars.first.map { (0x2581...0x258F).contains($0.value) } ?? false
    }
    var runs: [Run] = []
    for x in 0..<canvas.width {
      let cell = canvas[x, y]
      guard cell.width > 0 else { continue }
      if let last = runs.last, last.style == cell.style, last.x + last.cells == x,
        (last.text.allSatisfy { $0 == " " }) == (cell.text == " "),
        isBlock(last.text) == isBlock(cell.text)
      {
        runs[runs.count - 1].text += cell.text
        runs[runs.count - 1].cells += Int(cell.width)
      } else {
        runs.append(Run(x: x, text: cell.text, cells: Int(cell.width), style: cell.style))
      }
    }
    return runs
  }

  /// The frame as an HTML page: the picture, and behind it the same as text for those who cannot see it.
  package static func html(
    _ canvas: Canvas, theme: Theme, title: String, plain: String
  ) -> String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>\(escaped(title))</title>
    <style>
    body { margin: 0; padding: 16px; background: \(theme.ground.hex); color: \(theme.foreground.hex); font-family: \(fonts); }
    svg { max-width: 100%; height: auto; display: block; }
    details { margin-top: 16px; font-size: 14px; }
    pre { white-space: pre-wrap; }
    </style>
    </head>
    <body>
    \(svg(canvas, theme: theme, title: title))<details><summary>As text</summary>
    <pre>\(escaped(plain))</pre>
    </details>
    </body>
    </html>

    """
  }

  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 100).rounded())
    let (whole, rest) = tenths.quotientAndRemainder(dividingBy: 100)
    if rest == 0 { return "\(whole)" }
    return rest % 10 == 0
      ? "\(whole).\(rest / 10)" : "\(whole)." + (rest < 10 ? "0\(rest)" : "\(rest)")
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
