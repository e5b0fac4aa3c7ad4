/// What lies over the panels: help, a question to the reader, or a page of text.
struct OverlayWidget {
  let overlay: Overlay
  let scene: Scene

  func draw(on canvas: inout Canvas) {
    switch overlay {
    case .search, .command: return
    case .help: page("help", HelpText.lines(canAct: scene.canAct), offset: 0, &canvas)
    case .page(let title, let lines, let offset):
      page(title, lines ?? ["…"], offset: offset, &canvas)
    case .confirmation(let proposal):
      let lines =
        wrapped(proposal.words, width: max(20, min(60, canvas.width - 8))) + [
          "", "y yes    n no",
        ]
      box("confirm", lines, &canvas, isWarning: true)
    }
  }

  private func page(_ title: String, _ lines: [String], offset: Int, _ canvas: inout Canvas) {
    let widest = lines.map { SafeText.width($0) }.max() ?? 20
    let width = min(canvas.width - 2, max(40, widest + 4))
    let height = min(canvas.height - 2, lines.count + 2)
    let room = max(0, height - 2)
    let first = max(0, min(offset, lines.count - room))
    let shown = Array(lines.dropFirst(first).prefix(room))
    let note = lines.count > room ? "\(first + shown.count) of \(lines.count)" : "esc closes"
    let place = Box(
      x: (canvas.width - width) / 2, y: (canvas.height - height) / 2, width: width, height: height)
    canvas.clear(place)
    canvas.frame(place, title: title, note: note, isFocused: true)
    for (number, line) in shown.enumerated() {
      canvas.put(SafeText.fitted(line, to: width - 4), x: place.x + 2, y: place.y + 1 + number)
    }
  }

  private func box(
    _ title: String, _ lines: [String], _ canvas: inout Canvas, isWarning: Bool
  ) {
    let width = min(canvas.width, (lines.map { SafeText.width($0) }.max() ?? 0) + 4)
    let height = min(canvas.height, lines.count + 2)
    let place = Box(
      x: (canvas.width - width) / 2, y: (canvas.height - height) / 2, width: width, height: height)
    canvas.clear(place)
    canvas.frame(place, title: title, isFocused: true)
    for (number, line) in lines.enumerated() {
      canvas.put(
        SafeText.fitted(line, to: width - 4), x: place.x + 2, y: place.y + 1 + number,
        isWarning && number == 0 ? .heading : .text)
    }
  }

  private func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, SafeText.width(line) + SafeText.width(String(word)) + 1 > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}

/// All keys.
enum HelpText {
  static func lines(canAct: Bool) -> [String] {
    let act = canAct ? "" : "  (needs a server: --server)"
    return [
      "arrows h j k l   move            tab, shift-tab   next panel",
      "enter            drill down      esc              back",
      "/                filter rows     :                command",
      "g G              group by        s S              sort by, turn",
      "t T              time range      z                panel alone",
      "space            pause, go on    < >              back, on in time",
      "home end         first, last     pgup pgdn        a page",
      "e                explain         x                exact figures",
      "a                acknowledge an incident\(act)",
      "i                isolate or release\(act)",
      "? help           q quit          mouse: click, wheel",
      "",
      "commands  :range 7d   :at 2026-03-14T12:00Z   :live   :where site = 'fra1'",
      "          :group tenant   :sort latency_p95   :overview :workload :site",
      "          :incidents :finance   :quit",
      "",
      "* beside a cost: requests without a price are missing from it",
      "–  no value: unknown, or a ratio over zero",
    ]
  }
}
