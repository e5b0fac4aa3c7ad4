internal import FarthingCore
internal import FarthingQuery

/// Draws the charts of a report.
enum ChartDrawing {
  private static let width = 760.0

  static func svg(_ chart: ReportChart) -> String {
    let drawing =
      switch chart.kind {
      case .columns(let columns): self.columns(columns)
      case .bridge(let before, let steps, let after): bridge(before, steps, after)
      case .bars(let bars): self.bars(bars)
      case .gauges(let gauges): self.gauges(gauges)
      }
    return drawing.element(id: chart.id, title: chart.title, summary: chart.summary.plain)
  }

  private static func length(_ part: Int128, _ whole: Int128, _ pixels: Double) -> Double {
    whole <= 0 ? 0 : Double(part) / Double(whole) * pixels
  }

  private static func exact(_ amount: Int128) -> String { "$" + AmountText.exact(amount) }

  // MARK: Columns

  private static func columns(_ columns: [ReportChart.Column]) -> SVGDrawing {
    let (left, right, top, bottom) = (64.0, 8.0, 10.0, 26.0)
    var drawing = SVGDrawing(width: width, height: 230)
    let greatest = columns.flatMap { [$0.value ?? 0, $0.previous ?? 0] }.max() ?? 0
    let axis = AxisSteps(to: greatest)
    let (wide, high) = (width - left - right, drawing.height - top - bottom)
    for value in axis.values {
      let y = top + high - length(value, axis.top, high)
      drawing.line(left, y, width - right, y, value == 0 ? "axis" : "grid")
      drawing.text(left - 8, y + 4, axis.text(value), "t n", anchor: "end")
    }
    let room = wide / Double(max(1, columns.count))
    let thick = min(46, max(1, room * 0.66))
    // As many labels as fit, evenly.
    let labelWidth = Double(columns.map(\.label.count).max() ?? 1) * 7 + 10
    let every = max(1, Int((labelWidth / room).rounded(.up)))
    for (place, column) in columns.enumerated() {
      let middle = left + room * (Double(place) + 0.5)
      let tip = tip(column)
      if let value = column.value {
        let size = length(value, axis.top, high)
        drawing.rectangle(
          middle - thick / 2, top + high - size, thick, size, "bar", title: tip)
      }
      if let previous = column.previous {
        let y = top + high - length(previous, axis.top, high)
        drawing.line(
          middle - min(room, thick + 6) / 2, y, middle + min(room, thick + 6) / 2, y, "mark",
          title: tip)
      }
      if place % every == 0 {
        drawing.text(middle, drawing.height - 8, column.label, "t", anchor: "middle")
      }
    }
    return drawing
  }

  private static func tip(_ column: ReportChart.Column) -> String {
    let now = column.value.map { exact($0) } ?? "–"
    return "\(column.title): \(now), before \(column.previous.map { exact($0) } ?? "–")"
  }

  // MARK: The bridge

  private static func bridge(
    _ before: Int128, _ steps: [ReportChart.Step], _ after: Int128
  ) -> SVGDrawing {
    let (left, right, row) = (176.0, 96.0, 27.0)
    var drawing = SVGDrawing(width: width, height: Double(steps.count + 2) * row + 26)
    var sums = [before]
    for step in steps { sums.append(sums[sums.count - 1] + step.change) }
    let (least, most) = (sums.min() ?? 0, max(1, sums.max() ?? 0))
    // Small steps between great totals are looked at from near; the axis then says where it begins.
    let isNear = least > 0 && (most - least) * 4 < most
    let origin = isNear ? least - (most - least) / 3 : min(0, least)
    let range = max(1, most - origin)
    let wide = width - left - right
    func x(_ amount: Int128) -> Double { left + length(amount - origin, range, wide) }
    let digits = ReportFigure.digits(of: [before, after] + steps.map(\.change))
    func total(_ name: String, _ amount: Int128, _ place: Int) {
      let y = Double(place) * row + 4
      if isNear {
        drawing.line(x(amount), y - 2, x(amount), y + row - 6, "limit", title: exact(amount))
      } else {
        drawing.rectangle(x(0), y, x(amount) - x(0), row - 9, "total", title: exact(amount))
      }
      drawing.text(left - 10, y + 13, name, "t strong", anchor: "end")
      drawing.text(
        width - 2, y + 13, AmountText.readable(amount, fractionDigits: digits), "t n strong",
        anchor: "end", title: exact(amount))
    }
    total("cost before", before, 0)
    for (place, step) in steps.enumerated() {
      let y = Double(place + 1) * row + 4
      let (from, to) = (x(sums[place]), x(sums[place + 1]))
      drawing.line(from, y - row + 4, from, y + row - 9, "thread")
      drawing.rectangle(
        min(from, to), y, max(1.5, (from - to).magnitude), row - 9,
        step.change > 0 ? "up" : "down", title: "\(step.name): \(exact(step.change))")
      drawing.text(left - 10, y + 13, step.name, "t", anchor: "end")
      let change = FigureChange.money(step.change, digits: digits)
      drawing.text(
        width - 2, y + 13, change.text, "t n", anchor: "end", title: exact(step.change))
    }
    total("cost now", after, steps.count + 1)
    let end = drawing.height - 22
    drawing.line(left, end, left + wide, end, "axis")
    let start = AmountText.readable(max(0, origin), fractionDigits: isNear ? digits : 0)
    drawing.text(left, end + 15, isNear ? "axis from \(start)" : start, "t")
    drawing.text(
      left + wide, end + 15, AmountText.readable(most, fractionDigits: digits), "t n",
      anchor: "end")
    return drawing
  }

  // MARK: Bars

  private static func bars(_ bars: [ReportChart.Bar]) -> SVGDrawing {
    let (left, right, row) = (236.0, 96.0, 25.0)
    var drawing = SVGDrawing(width: width, height: Double(bars.count) * row + 4)
    let wide = width - left - right
    let greatest = max(1, bars.flatMap { [$0.value, $0.previous ?? 0] }.max() ?? 1)
    let digits = ReportFigure.digits(of: bars.map(\.value))
    for (place, bar) in bars.enumerated() {
      let y = Double(place) * row + 3
      let name = bar.name.plain
      let before = bar.previous.map { ", before \(exact($0))" } ?? ""
      let tip = "\(name): \(exact(bar.value))\(before)"
      drawing.rectangle(
        left, y + 2, length(bar.value, greatest, wide), row - 9, "bar", title: tip)
      if let previous = bar.previous {
        let x = left + length(previous, greatest, wide)
        drawing.line(x, y - 1, x, y + row - 4, "mark", title: tip)
      }
      drawing.text(left - 10, y + 14, name.truncated(to: 34), "t", anchor: "end", title: name)
      drawing.text(
        width - 2, y + 14, AmountText.readable(bar.value, fractionDigits: digits), "t n",
        anchor: "end", title: exact(bar.value))
    }
    return drawing
  }

  // MARK: Gauges

  private static func gauges(_ gauges: [ReportChart.Gauge]) -> SVGDrawing {
    let (left, right, row) = (176.0, 190.0, 34.0)
    var drawing = SVGDrawing(width: width, height: Double(gauges.count) * row + 4)
    let wide = width - left - right
    for (place, gauge) in gauges.enumerated() {
      let y = Double(place) * row + 6
      let greatest = [gauge.spent, gauge.high ?? 0, gauge.limit ?? 0].max() ?? 1
      func x(_ amount: Double) -> Double {
        left + (greatest > 0 ? max(0, min(1, amount / (greatest * 1.04))) : 0) * wide
      }
      let name = gauge.name.plain
      drawing.rectangle(left, y + 2, wide, 14, "track")
      if let low = gauge.low, let high = gauge.high {
        drawing.rectangle(
          x(low), y + 2, max(1.5, x(high) - x(low)), 14, "band",
          title: "\(name): the forecast's band")
      }
      drawing.rectangle(left, y + 5, x(gauge.spent) - left, 8, "bar", title: "\(name): spent")
      if let expected = gauge.expected {
        drawing.line(x(expected), y, x(expected), y + 18, "expected", title: "\(name): forecast")
      }
      if let limit = gauge.limit {
        drawing.line(x(limit), y - 3, x(limit), y + 21, "limit", title: "\(name): the budget")
      }
      drawing.text(left - 10, y + 13, name.truncated(to: 26), "t", anchor: "end", title: name)
      drawing.text(width - 2, y + 13, gauge.text.plain, "t n", anchor: "end")
    }
    return drawing
  }

  // MARK: Trends

  /// A line of few points, the last of them marked; gaps where there is no value.
  static func trend(_ values: [QueryValue], title: String) -> String {
    let (wide, high) = (92.0, 24.0)
    var drawing = SVGDrawing(width: wide, height: high)
    let numbers = values.map(FigureChange.number)
    let known = numbers.compactMap { $0 }
    if known.isEmpty { return "" }
    let scale = TrendScale(known)
    func point(_ place: Int, _ number: Double) -> (x: Double, y: Double) {
      let share = scale.share(number)
      let step = (wide - 10) / Double(max(1, numbers.count - 1))
      return (5 + step * Double(place), high - 5 - share * (high - 10))
    }
    for place in numbers.indices.dropFirst() {
      guard let from = numbers[place - 1], let to = numbers[place] else { continue }
      let (a, b) = (point(place - 1, from), point(place, to))
      drawing.line(a.x, a.y, b.x, b.y, "trend")
    }
    for (place, number) in numbers.enumerated() {
      guard let number else { continue }
      let at = point(place, number)
      let size = place == numbers.count - 1 ? 6.0 : 3.0
      drawing.rectangle(
        at.x - size / 2, at.y - size / 2, size, size,
        place == numbers.count - 1 ? "dot last" : "dot", radius: size / 2)
    }
    let texts = values.map { ReportFigure($0).text }.joined(separator: ", ")
    return """
      <svg class="spark" viewBox="0 0 \(SVGDrawing.number(wide)) \(SVGDrawing.number(high))" role="img" \
      aria-label="\(HTMLText.escaped("\(title), oldest first: \(texts)"))"><title>\(HTMLText.escaped(texts))</title>
      \(drawing.body)</svg>
      """
  }
}

/// Where a small trend has its ends: a change of less than a fifth does not fill the height, so that it looks like what it is.
struct TrendScale {
  private let least: Double
  private let range: Double

  init(_ numbers: [Double]) {
    let (low, high) = (numbers.min() ?? 0, numbers.max() ?? 0)
    let width = max(high - low, max(low.magnitude, high.magnitude) / 5)
    least = (low + high - width) / 2
    range = width
  }

  /// From 0 to 1.
  func share(_ number: Double) -> Double {
    range > 0 ? min(1, max(0, (number - least) / range)) : 0.5
  }
}
