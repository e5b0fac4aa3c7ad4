import Testing

@testable import FarthingDashboard

@Suite("A canvas")
struct CanvasTests {
  static let theme = Theme(depth: .trueColour)

  @Test(arguments: [
    ("evil\u{1B}[2Jname", "evil\\u{1B}[2Jname"), ("a\u{202E}b", "a\\u{202E}b"),
    ("tab\there\n", "tab\\u{9}here\\u{A}"), ("\u{200B}", "\\u{200B}"), ("\u{301}x", "\\u{301}x"),
    ("e\u{301}", "e\u{301}"), ("日本", "日本"), ("👨‍👩‍👧", "👨"), ("\u{9B}31m", "\\u{9B}31m"),
    ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"), ("\u{7F}", "\\u{7F}"),
  ])
  func `a hostile text is shown and does nothing`(text: String, shown: String) {
    #expect(SafeText.graphemes(text).map(\.text).joined() == shown)
  }

  @Test func `no text of any scalars brings a control or zero-width character into a cell`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      var view = String.UnicodeScalarView()
      for _ in 0..<20 {
        if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) {
          view.append(scalar)
        }
      }
      var canvas = Canvas(width: 40, height: 1, glyphs: .unicode)
      canvas.put(String(view), x: 0, y: 0)
      var x = 0
      while x < 40 {
        let cell = canvas[x, 0]
        #expect(cell.width == 1 || cell.width == 2)
        for scalar in cell.text.unicodeScalars {
          let category = scalar.properties.generalCategory
          #expect(category != .control && category != .format, "U+\(scalar.value)")
        }
        x += max(1, Int(cell.width))
      }
    }
  }

  @Test func `what does not fit is cut, wherever it is put`() {
    var canvas = Canvas(width: 6, height: 2, glyphs: .unicode)
    canvas.put("日本語日本", x: 1, y: 0)
    canvas.put("left", x: -2, y: 1)
    canvas.put("below", x: 0, y: 2)
    canvas.put("above", x: 0, y: -1)
    #expect((0..<6).map { canvas[$0, 0].text }.joined() == " 日本 ")
    #expect((0..<6).map { canvas[$0, 1].text }.joined() == "ft    ")
  }

  @Test func `half a wide character never stays behind`() {
    var canvas = Canvas(width: 4, height: 1, glyphs: .unicode)
    canvas.put("日本", x: 0, y: 0)
    canvas.put("x", x: 1, y: 0)
    #expect((0..<4).map { canvas[$0, 0].text } == [" ", "x", "本", ""])
    canvas.put("y", x: 2, y: 0)
    #expect((0..<4).map { canvas[$0, 0].text } == [" ", "x", "y", " "])
  }

  @Test func `a text is cut with an ellipsis, a path in its middle`() {
    #expect(SafeText.fitted("abcdef", to: 6) == "abcdef")
    #expect(SafeText.fitted("abcdefg", to: 6) == "abcde…")
    #expect(SafeText.fitted("日本語", to: 4) == "日…")
    #expect(SafeText.fitted("x", to: 0) == "")
    let path = "spiffe://prod.example.org/ns/tenant-001/sa/research-agent-049"
    let fitted = SafeText.fitted(path, to: 24)
    #expect(fitted == "spiffe:…search-agent-049")
    #expect(SafeText.width(fitted) == 24)
  }

  @Test func `the difference of two frames turns one screen into the other`() {
    var random = SeededRandom(7)
    let signs = ["a", "b", " ", "日", "█", "e\u{301}", "▁"]
    let inks: [Ink] = [.text, .accent, .dim, .trouble, .heat(3)]
    var old: Canvas?
    var screen = Screen(width: 30, height: 6)
    for step in 0..<60 {
      var canvas = old ?? Canvas(width: 30, height: 6, glyphs: .unicode)
      for _ in 0..<(step == 0 ? 200 : 12) {
        canvas.put(
          signs[random.next(signs.count)], x: random.next(30), y: random.next(6),
          Style(inks[random.next(inks.count)], bold: random.next(2) == 0))
      }
      let bytes = TerminalText.difference(from: old, to: canvas, theme: Self.theme)
      let isKnown = screen.take(bytes)
      #expect(isKnown)
      for y in 0..<6 {
        for x in 0..<30 {
          #expect(screen.cells[y][x] == canvas[x, y].text, "step \(step) at \(x), \(y)")
          if canvas[x, y].width > 0, canvas[x, y].text != " " || screen.styles[y][x] != "0" {
            #expect(screen.styles[y][x] == Self.theme.parameters(canvas[x, y].style))
          }
        }
      }
      old = canvas
    }
  }

  @Test func `equal frames need no byte, and a new size everything`() {
    var canvas = Canvas(width: 10, height: 2, glyphs: .unicode)
    canvas.put("hello", x: 0, y: 0)
    #expect(TerminalText.difference(from: canvas, to: canvas, theme: Self.theme).isEmpty)
    var other = canvas
    other.put("j", x: 0, y: 0)
    let bytes = TerminalText.difference(from: canvas, to: other, theme: Self.theme)
    #expect(String(decoding: bytes, as: UTF8.self).contains("\u{1B}[1;1H"))
    #expect(bytes.count < 60)
    let smaller = Canvas(width: 9, height: 2, glyphs: .unicode)
    let all = TerminalText.difference(from: canvas, to: smaller, theme: Self.theme)
    #expect(String(decoding: all, as: UTF8.self).contains("\u{1B}[2J"))
  }

  @Test func `without colour no sequence colours, and trouble is still told`() {
    let theme = Theme(depth: .none)
    #expect(theme.parameters(Style(.accent)) == "0")
    #expect(theme.parameters(Style(.trouble)) == "0;1")
    #expect(theme.parameters(Style(.text, selected: true)) == "0;7")
  }
}

/// Numbers from a seed, the same on every machine.
struct SeededRandom {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next(_ bound: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(bound))
  }
}
