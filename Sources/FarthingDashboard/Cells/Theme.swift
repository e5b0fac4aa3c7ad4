/// Colours and signs of a frame.
package struct Theme: Sendable, Hashable {
  /// How many colours the terminal has.
  package enum Depth: String, Sendable, CaseIterable {
    case trueColour = "true"
    case palette = "256"
    case sixteen = "16"
    case none
  }

  /// What the terminal's ground is.
  package enum Scheme: String, Sendable, CaseIterable { case dark, light }

  package var depth: Depth
  package var scheme: Scheme
  package var glyphs: Glyphs

  package init(depth: Depth, scheme: Scheme = .dark, glyphs: Glyphs = .unicode) {
    self.depth = depth
    self.scheme = scheme
    self.glyphs = glyphs
  }
}

/// A colour of 24 bits.
struct Colour: Hashable {
  var red: UInt8
  var green: UInt8
  var blue: UInt8

  init(_ hex: UInt32) {
    red = UInt8(hex >> 16 & 255)
    green = UInt8(hex >> 8 & 255)
    blue = UInt8(hex & 255)
  }

  var hex: String {
    let digits = Array("0123456789abcdef")
    return [red, green, blue].reduce(into: "#") {
      $0.append(digits[Int($1 >> 4)])
      $0.append(digits[Int($1 & 15)])
    }
  }
}

extension Theme {
  /// The colours of the ramp that heat maps climb, coldest first.
  private static let darkHeat: [UInt32] = [
    0x2A3038, 0x1F3D45, 0x235761, 0x2B717B, 0x378C93, 0x4BA8AA, 0x7AC5BF, 0xC2E8DD,
  ]
  private static let lightHeat: [UInt32] = [
    0xE8EBEE, 0xD3E6E6, 0xB3D6D6, 0x8CC2C3, 0x60A9AC, 0x378E93, 0x1C6F76, 0x0B4C54,
  ]
  private static let paletteDarkHeat = [236, 237, 23, 30, 37, 73, 116, 195]
  private static let paletteLightHeat = [254, 253, 152, 116, 73, 37, 30, 23]

  /// The colour of an ink; nil where the terminal's own text colour will do.
  func colour(_ ink: Ink) -> Colour? {
    let isDark = scheme == .dark
    switch ink {
    case .text: return nil
    case .dim: return Colour(isDark ? 0x8B949E : 0x59636E)
    case .quiet: return Colour(isDark ? 0x444C56 : 0xC5CDD5)
    case .accent: return Colour(isDark ? 0x56B6C2 : 0x0B7285)
    case .warning: return Colour(isDark ? 0xD9A441 : 0x9A6700)
    case .trouble: return Colour(isDark ? 0xF0625D : 0xC62828)
    case .heat(let step):
      let ramp = isDark ? Self.darkHeat : Self.lightHeat
      return Colour(ramp[min(Ink.heatSteps, max(0, step))])
    }
  }

  /// The ground and the text of a picture; a terminal keeps its own.
  var ground: Colour { Colour(scheme == .dark ? 0x14181D : 0xFFFFFF) }
  var foreground: Colour { Colour(scheme == .dark ? 0xD8DEE4 : 0x1F2328) }
  var selection: Colour { Colour(scheme == .dark ? 0x26333D : 0xDDEBF0) }

  private func palette(_ ink: Ink) -> Int? {
    let isDark = scheme == .dark
    switch ink {
    case .text: return nil
    case .dim: return isDark ? 246 : 241
    case .quiet: return isDark ? 239 : 251
    case .accent: return isDark ? 73 : 24
    case .warning: return isDark ? 179 : 94
    case .trouble: return isDark ? 203 : 160
    case .heat(let step):
      let ramp = isDark ? Self.paletteDarkHeat : Self.paletteLightHeat
      return ramp[min(Ink.heatSteps, max(0, step))]
    }
  }

  private func sixteen(_ ink: Ink) -> Int? {
    switch ink {
    case .text: nil
    case .dim: scheme == .dark ? 37 : 90
    case .quiet: scheme == .dark ? 90 : 37
    case .accent: scheme == .dark ? 36 : 34
    case .warning: 33
    case .trouble: 31
    case .heat(let step): step >= 6 ? 33 : step >= 3 ? 36 : step >= 1 ? 34 : 90
    }
  }

  /// The parameters of the control sequence that switches from the terminal's own style to this one.
  ///
  /// Without colour, trouble is bold and a selection reversed, for a difference has to be seen.
  func parameters(_ style: Style) -> String {
    var codes = ["0"]
    var isBold = style.isBold
    if depth == .none, style.ink == .trouble { isBold = true }
    if isBold { codes.append("1") }
    switch depth {
    case .trueColour:
      if let colour = colour(style.ink) {
        codes.append("38;2;\(colour.red);\(colour.green);\(colour.blue)")
      }
      if style.isSelected {
        codes.append("48;2;\(selection.red);\(selection.green);\(selection.blue)")
      }
    case .palette:
      if let number = palette(style.ink) { codes.append("38;5;\(number)") }
      if style.isSelected { codes.append(scheme == .dark ? "48;5;237" : "48;5;253") }
    case .sixteen:
      if style.isSelected {
        codes.append("7")
      } else if let number = sixteen(style.ink) {
        codes.append("\(number)")
      }
    case .none:
      if style.isSelected {
        codes.append("7")
      } else if style.ink == .dim || style.ink == .quiet {
        codes.append("2")
      }
    }
    return codes.joined(separator: ";")
  }

  /// Whether heat maps may rely on colour.
  var hasHeat: Bool { depth == .trueColour || depth == .palette }
}
