internal import ArgumentParser
internal import FarthingCore
internal import FarthingDashboard
internal import FarthingStore

/// What `--output` of `farthing top` may be.
package enum FrameOutput: String, CaseIterable, ExpressibleByArgument, Sendable {
  case text, plain, svg, html
}

/// What `--colour` may be.
package enum ColourChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
  case auto
  case trueColour = "true"
  case palette = "256"
  case sixteen = "16"
  case none
}

/// What `--theme` may be.
package enum ThemeChoice: String, CaseIterable, ExpressibleByArgument, Sendable {
  case auto, dark, light
}

/// How frames look.
package struct FrameOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Colours of the terminal: auto, true, 256, 16 or none.", valueName: "depth"))
  package var colour = ColourChoice.auto

  @Option(help: ArgumentHelp("auto, dark or light.", valueName: "scheme"))
  package var theme = ThemeChoice.auto

  @Flag(help: "Draw with ASCII alone.")
  package var ascii = false

  package init() {}

  /// - Parameter isTerminal: whether the frame goes to one.
  func theme(isTerminal: Bool) -> Theme {
    Theme(
      depth: depth(isTerminal: isTerminal), scheme: scheme,
      glyphs: ascii || !Self.knowsUnicode ? .ascii : .unicode)
  }

  private func depth(isTerminal: Bool) -> Theme.Depth {
    switch colour {
    case .trueColour: return .trueColour
    case .palette: return .palette
    case .sixteen: return .sixteen
    case .none: return .none
    case .auto: break
    }
    let term = HostProcess.environment("TERM") ?? "dumb"
    guard isTerminal, HostProcess.environment("NO_COLOR") == nil, term != "dumb" else {
      return .none
    }
    let said = HostProcess.environment("COLORTERM") ?? ""
    if said == "truecolor" || said == "24bit" || term.contains("direct") { return .trueColour }
    if term.contains("256color") || term.contains("kitty") || term.contains("alacritty") {
      return .palette
    }
    return .sixteen
  }

  /// Some terminals say their colours as `15;0`: text, then ground.
  private var scheme: Theme.Scheme {
    switch theme {
    case .dark: return .dark
    case .light: return .light
    case .auto:
      let ground = HostProcess.environment("COLORFGBG")?.split(separator: ";").last
      return ground == "15" || ground == "7" ? .light : .dark
    }
  }

  /// The locale's encoding; a locale that says nothing is taken for UTF-8, as almost all are.
  private static var knowsUnicode: Bool {
    let said =
      HostProcess.environment("LC_ALL") ?? HostProcess.environment("LC_CTYPE")
      ?? HostProcess.environment("LANG")
    guard let said, said != "C.UTF-8" else { return true }
    if said.contains(".") { return said.lowercased().contains("utf") }
    return said != "POSIX" && said != "C" || !HostProcess.isTerminal(.output)
  }
}

/// A frame's size in cells.
struct FrameSize: Equatable {
  static let columns = 40...400
  static let lines = 10...200

  var width: Int
  var height: Int

  /// `120x40`
  init?(_ text: String) {
    let parts = text.split(separator: "x", omittingEmptySubsequences: false)
    guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]),
      Self.columns.contains(width), Self.lines.contains(height)
    else { return nil }
    self.width = width
    self.height = height
  }

  init(width: Int, height: Int) {
    self.width = max(1, min(Self.columns.upperBound, width))
    self.height = max(1, min(Self.lines.upperBound, height))
  }
}
