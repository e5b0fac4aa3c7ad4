internal import FarthingCore

// Text of events on its way into cells.
//
// A tag may hold anything. What moves the cursor, turns the writing direction or takes no room is
// shown as its code. What terminals disagree about is cut down to what all of them agree on: of a
// grapheme of several scalars the first stays, with at most two accents; joined emoji and flags
// become their first part. So a cell's width is the same here and there.

/// A grapheme that takes the same number of cells in every terminal.
struct SafeGrapheme {
  var text: String
  var width: Int
}

enum SafeText {
  /// Most accents that stay on one character.
  private static let accents = 2

  /// The text as graphemes that can stand in cells.
  ///
  /// - Complexity: O(n).
  static func graphemes(_ text: String) -> [SafeGrapheme] {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
      return text.utf8.map {
        SafeGrapheme(text: String(UnicodeScalar($0)), width: 1)
      }
    }
    var graphemes: [SafeGrapheme] = []
    for character in text.printable {
      guard let first = character.unicodeScalars.first else { continue }
      var kept = String.UnicodeScalarView([first])
      var count = 0
      for scalar in character.unicodeScalars.dropFirst()
      where scalar.properties.generalCategory == .nonspacingMark && count < accents
        && scalar.value < 0xFE00
      {
        kept.append(scalar)
        count += 1
      }
      let shown = String(kept)
      let width = String(first).displayWidth
      if width == 0 {
        // An accent, or a joiner, on nothing.
        let code = "\\u{\(String(first.value, radix: 16, uppercase: true))}"
        graphemes += code.utf8.map { SafeGrapheme(text: String(UnicodeScalar($0)), width: 1) }
      } else {
        graphemes.append(SafeGrapheme(text: shown, width: width))
      }
    }
    return graphemes
  }

  /// The number of cells that a text takes on a canvas.
  static func width(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
    return graphemes(text).reduce(0) { $0 + $1.width }
  }

  /// The text cut to at most so many cells, the last one `…` where something was cut; of a long path, its
  /// end says more than its beginning, so the middle goes.
  static func fitted(_ text: String, to width: Int) -> String {
    guard self.width(text) > width else { return text }
    guard width > 1 else { return width == 1 ? "…" : "" }
    let all = graphemes(text)
    guard text.contains("/"), !text.contains(" "), width >= 16 else {
      return taken(all[...], width - 1) + "…"
    }
    let head = (width - 1) / 3
    var tail: [SafeGrapheme] = []
    var used = 0
    for grapheme in all.reversed() {
      guard used + grapheme.width <= width - 1 - head else { break }
      tail.append(grapheme)
      used += grapheme.width
    }
    return taken(all[...], head) + "…" + tail.reversed().map(\.text).joined()
  }

  private static func taken(_ graphemes: ArraySlice<SafeGrapheme>, _ width: Int) -> String {
    var text = ""
    var used = 0
    for grapheme in graphemes {
      guard used + grapheme.width <= width else { break }
      text += grapheme.text
      used += grapheme.width
    }
    return text
  }
}
