@testable import FarthingDashboard

/// A terminal as far as frames use one: addresses, styles and text. It puts a wide character on two cells, and
/// fails on any other control sequence.
struct Screen {
  var cells: [[String]]
  var styles: [[String]]
  var isCleared = false
  private var x = 0
  private var y = 0
  private var style = "0"

  init(width: Int, height: Int) {
    cells = Array(repeating: Array(repeating: " ", count: width), count: height)
    styles = Array(repeating: Array(repeating: "0", count: width), count: height)
  }

  /// - Returns: false where the bytes have something that is not known.
  mutating func take(_ bytes: [UInt8]) -> Bool {
    let text = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    var place = 0
    while place < text.count {
      if text[place] == "\u{1B}" {
        guard place + 1 < text.count, text[place + 1] == "[" else { return false }
        var end = place + 2
        while end < text.count, !("@"..."~").contains(text[end]) { end += 1 }
        guard end < text.count else { return false }
        let body = String(String.UnicodeScalarView(text[place + 2..<end]))
        guard control(body, text[end]) else { return false }
        place = end + 1
        continue
      }
      put(text[place])
      place += 1
    }
    return true
  }

  private mutating func control(_ body: String, _ final: Unicode.Scalar) -> Bool {
    switch final {
    case "H":
      let numbers = body.split(separator: ";").compactMap { Int($0) }
      guard numbers.count == 2 else { return false }
      (y, x) = (numbers[0] - 1, numbers[1] - 1)
    case "m": style = body
    case "J":
      isCleared = true
      self = cleared()
    case "h", "l": return body == "?2026"
    default: return false
    }
    return true
  }

  private func cleared() -> Screen {
    var screen = Screen(width: cells[0].count, height: cells.count)
    screen.isCleared = true
    return screen
  }

  private mutating func put(_ scalar: Unicode.Scalar) {
    if scalar.properties.generalCategory == .nonspacingMark {
      if x > 0 { cells[y][x - 1].unicodeScalars.append(scalar) }
      return
    }
    let width = SafeText.width(String(scalar))
    guard y >= 0, y < cells.count, x >= 0, x + width <= cells[0].count else { return }
    cells[y][x] = String(scalar)
    styles[y][x] = style
    if width == 2 {
      cells[y][x + 1] = ""
      styles[y][x + 1] = style
    }
    x += width
  }
}
