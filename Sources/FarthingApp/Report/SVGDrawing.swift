internal import FarthingCore
internal import FarthingQuery

// Charts as inline SVG, drawn here: no script, nothing from a network, the page's own colours by class. Each has a
// title and a description for who cannot see it; the figures themselves stand in the table beside it.

/// An SVG picture in the making.
struct SVGDrawing {
  private(set) var body = ""
  let width: Double
  let height: Double

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  /// The whole element.
  ///
  /// - Parameters:
  ///   - id: unique in the page.
  ///   - title: what it is; `summary`: what it shows.
  func element(id: String, title: String, summary: String) -> String {
    """
    <svg id="\(id)" class="chart" viewBox="0 0 \(Self.number(width)) \(Self.number(height))" role="img" \
    aria-labelledby="\(id)-title \(id)-desc">
    <title id="\(id)-title">\(HTMLText.escaped(title))</title>
    <desc id="\(id)-desc">\(HTMLText.escaped(summary))</desc>
    \(body)</svg>

    """
  }

  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String,
    title: String? = nil, radius: Double = 2
  ) {
    // What is there at all is seen.
    let (wide, high) = (max(width, 0), max(height, 0))
    let head =
      "<rect class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(wide))\" "
      + "height=\"\(Self.number(high))\" rx=\"\(Self.number(min(radius, wide / 2, high / 2)))\""
    body += close(head, "rect", title)
  }

  mutating func line(
    _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String, title: String? = nil
  ) {
    let head =
      "<line class=\"\(style)\" x1=\"\(Self.number(x1))\" y1=\"\(Self.number(y1))\" x2=\"\(Self.number(x2))\" y2=\"\(Self.number(y2))\""
    body += close(head, "line", title)
  }

  private func close(_ head: String, _ name: String, _ title: String?) -> String {
    guard let title else { return head + "/>\n" }
    return head + "><title>\(HTMLText.escaped(title))</title></\(name)>\n"
  }

  /// - Parameter anchor: `start`, `middle` or `end`.
  mutating func text(
    _ x: Double, _ y: Double, _ text: String, _ style: String = "t", anchor: String = "start",
    title: String? = nil
  ) {
    let tip = title.map { "<title>\(HTMLText.escaped($0))</title>" } ?? ""
    body +=
      "<text class=\"\(style)\" x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor)\">\(tip)\(HTMLText.escaped(text))</text>\n"
  }

  /// A coordinate with a digit after the point: the same text on every machine.
  static func number(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    guard tenths.isFinite, tenths.magnitude < 1e9 else { return "0" }
    let whole = Int(tenths)
    let text = "\(whole.magnitude / 10)"
    let rest = whole.magnitude % 10
    return (whole < 0 ? "-" : "") + text + (rest == 0 ? "" : ".\(rest)")
  }
}

/// The steps of an axis that starts at zero: 1, 2 or 5 times a power of ten apart.
struct AxisSteps {
  /// Picodollars.
  let step: Int128
  let top: Int128

  /// - Parameter count: about how many steps.
  init(to greatest: Int128, count: Int128 = 4) {
    // Far above all money that there is, and far enough below the ends of 128 bits.
    let greatest = min(greatest, 10_000_000_000_000_000_000_000_000_000_000_000_000)
    var step: Int128 = 1
    let least = max(1, greatest / count)
    while step < least {
      for factor in [2, 5, 10] as [Int128] where step < least {
        let power = Self.power(below: step)
        step = power * factor
      }
    }
    self.step = step
    top = max(step, (greatest + step - 1) / step * step)
  }

  private static func power(below value: Int128) -> Int128 {
    var power: Int128 = 1
    while power <= value / 10 { power *= 10 }
    return power
  }

  var values: [Int128] { (0...Int(top / step)).map { Int128($0) * step } }

  /// As few digits as tell the steps apart.
  func text(_ value: Int128) -> String {
    var digits = 0
    var unit: Int128 = AmountText.picodollarsPerDollar
    while step % unit != 0, digits < 12 {
      unit /= 10
      digits += 1
    }
    return AmountText.readable(value, fractionDigits: digits == 1 ? 2 : digits)
  }
}
