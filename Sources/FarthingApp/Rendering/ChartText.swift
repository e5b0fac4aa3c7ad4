internal import FarthingCore
internal import FarthingQuery

/// An answer drawn in the terminal.
///
/// - Groups: one bar a group, a block of bars a metric.
/// - Time buckets of one series: columns over a time axis.
/// - Time buckets of several groups: a sparkline for each, on its own scale, its peak beside it.
///
/// Lengths are worked out in integers; a bucket without requests is a gap, not a zero.
struct ChartText {
  private(set) var text = ""

  private let answer: Answer
  private let page: Page
  private let bucketWidth: Int64?
  private let zone: TimeZoneRules
  private let readable: ReadableCells

  init(_ answer: Answer, page: Page, bucketWidth: Int64?, zone: TimeZoneRules = .utc) {
    self.answer = answer
    self.page = page
    self.bucketWidth = bucketWidth
    self.zone = zone
    readable = ReadableCells(answer, bucketWidth: bucketWidth, zone: zone)
    let metrics = answer.columns.indices.filter { readable.isNumeric[$0] }
    guard !metrics.isEmpty, !answer.rows.isEmpty else {
      text = TableText(answer, page: page, bucketWidth: bucketWidth, zone: zone).text
      return
    }
    let time = answer.columns.firstIndex { $0.role == .bucket }
    let groups = answer.columns.indices.filter { !metrics.contains($0) && $0 != time }
    for (index, metric) in metrics.enumerated() {
      if index > 0 { text += "\n" }
      if let time {
        let series = Series.all(in: answer, time: time, groups: groups, metric: metric, readable)
        if groups.isEmpty, let only = series.first {
          drawColumns(only, metric: metric)
        } else {
          drawSparklines(series, metric: metric)
        }
      } else {
        drawBars(metric: metric, groups: groups)
      }
    }
  }

  private func timeText(_ time: Int64?) -> String {
    TimeText.bucket(time ?? 0, width: bucketWidth ?? 0, in: zone)
  }

  // MARK: Bars

  private mutating func drawBars(metric: Int, groups: [Int]) {
    let labels = answer.rows.indices.map { row in
      groups.isEmpty ? "all" : groups.map { readable.rows[row][$0] }.joined(separator: " · ")
    }
    let labelWidth = min(labels.map(\.displayWidth).max() ?? 0, page.columns * 2 / 5)
    let values = answer.rows.map { drawable($0[metric]) }
    let largest = values.compactMap { $0?.magnitude }.max() ?? 0
    let valueWidth = readable.rows.map { $0[metric].displayWidth }.max() ?? 0
    let barWidth = max(8, page.columns - labelWidth - valueWidth - 4)
    text += page.bold(answer.columns[metric].name.printable) + "\n"
    for row in answer.rows.indices {
      let bar = Glyphs.bar(values[row] ?? 0, largest: largest, cells: barWidth)
      let label = labels[row].truncated(to: labelWidth).padded(to: labelWidth)
      let value = readable.rows[row][metric].padded(to: valueWidth, alignRight: true)
      text += label + "  " + value + (bar.isEmpty ? "" : "  " + page.accent(bar)) + "\n"
    }
  }

  // MARK: Columns over time

  private mutating func drawColumns(_ series: Series, metric: Int) {
    let axisWidth = max(series.peakText.displayWidth, 6)
    let room = page.columns - axisWidth - 2
    var slots = series.slots(bucketWidth: bucketWidth)
    let total = slots.count
    if slots.count > room { slots = Array(slots.suffix(room)) }
    let cells = max(1, min(6, room / slots.count))
    let height = 8
    let largest = slots.compactMap { $0.value?.magnitude }.max() ?? 0
    text += page.bold(answer.columns[metric].name.printable)
    if !zone.isUTC { text += page.dim("  in \(zone.name.printable)") }
    if slots.count < total { text += page.dim("  the last \(slots.count) of \(total) buckets") }
    text += "\n"
    for level in stride(from: height - 1, through: 0, by: -1) {
      let label = level == height - 1 ? series.peakText : level == 0 ? "0" : ""
      var line = ""
      for slot in slots {
        let block = Glyphs.column(slot.value ?? 0, largest: largest, level: level, height: height)
        let width = cells > 1 ? cells - 1 : 1
        line += String(repeating: block, count: width) + (cells > 1 ? " " : "")
      }
      while line.last == " " { line.removeLast() }
      text += label.padded(to: axisWidth, alignRight: true) + " ┤" + page.accent(line) + "\n"
    }
    let first = timeText(slots.first?.time)
    let last = timeText(slots.last?.time)
    let span = max(0, slots.count * cells - first.count - last.count)
    let indent = String(repeating: " ", count: axisWidth + 2)
    text +=
      indent
      + page.dim(
        slots.count > 1 ? first + String(repeating: " ", count: max(2, span)) + last : first)
    text += "\n"
  }

  // MARK: Sparklines

  private mutating func drawSparklines(_ series: [Series], metric: Int) {
    let labelWidth = min(series.map(\.label.displayWidth).max() ?? 0, page.columns * 2 / 5)
    let peakWidth = max(4, series.map(\.peakText.displayWidth).max() ?? 0)
    let room = max(8, page.columns - labelWidth - peakWidth - 4)
    // Every line covers the same buckets, so that what stands above each other happened together.
    let times = series.flatMap(\.points).map(\.time)
    let start = times.min() ?? 0
    let end = times.max() ?? 0
    let all = series.map { $0.slots(bucketWidth: bucketWidth, from: start, through: end) }
    let total = all.first?.count ?? 0
    let shown = min(total, room)
    let heading = answer.columns[metric].name.printable.truncated(to: labelWidth + room)
    text += page.bold(heading.padded(to: labelWidth)) + "  "
    let first = timeText(all.first?.suffix(shown).first?.time)
    let last = timeText(end)
    let headingRoom = labelWidth + shown - max(labelWidth, heading.displayWidth)
    let axis =
      headingRoom > first.count + last.count + 1
      ? first + String(repeating: " ", count: headingRoom - first.count - last.count) + last
      : String(repeating: " ", count: max(0, headingRoom))
    text += page.dim(axis) + "  " + page.dim("peak".padded(to: peakWidth, alignRight: true)) + "\n"
    for (line, slots) in zip(series, all) {
      let visible = slots.suffix(shown)
      let largest = visible.compactMap { $0.value?.magnitude }.max() ?? 0
      let spark = visible.map { Glyphs.spark($0.value, largest: largest) }.joined()
      text += line.label.truncated(to: labelWidth).padded(to: labelWidth) + "  "
      text += page.accent(spark) + "  "
      text += line.peakText.padded(to: peakWidth, alignRight: true) + "\n"
    }
    if shown < total { text += page.dim("the last \(shown) of \(total) buckets\n") }
  }
}

/// One line of values over time.
private struct Series {
  struct Point {
    var time: Int64
    var value: Int128?
  }

  var label: String
  var points: [Point] = []
  var peakText = ReadableCells.missing
  private var peak: Int128?

  static func all(
    in answer: Answer, time: Int, groups: [Int], metric: Int, _ readable: ReadableCells
  ) -> [Series] {
    var order: [[String]: Int] = [:]
    var series: [Series] = []
    for (index, row) in answer.rows.enumerated() {
      guard case .time(let instant) = row[time] else { continue }
      let key = groups.map { readable.rows[index][$0] }
      let place = order[key] ?? series.count
      if place == series.count {
        order[key] = place
        series.append(Series(label: key.joined(separator: " · ")))
      }
      series[place].add(instant, drawable(row[metric]), shownAs: readable.rows[index][metric])
    }
    // Rows come by time first, so a group that starts late would stand last: order by name.
    return series.sorted { left, right in
      let missing = ReadableCells.missing
      if left.label.hasPrefix(missing) != right.label.hasPrefix(missing) {
        return right.label.hasPrefix(missing)
      }
      return left.label.utf8.lexicographicallyPrecedes(right.label.utf8)
    }
  }

  private init(label: String) { self.label = label }

  private mutating func add(_ time: Int64, _ value: Int128?, shownAs shown: String) {
    points.append(Point(time: time, value: value))
    guard let value, peak.map({ value > $0 }) ?? true else { return }
    peak = value
    peakText = shown
  }

  /// A point for each bucket between two times, without a value where the answer has no row.
  ///
  /// Days of a zone with summer time are an hour longer or shorter; rounding to the nearest whole
  /// bucket places them, and a bucket of the answer keeps its own time. At most 4,096 buckets, the latest.
  func slots(bucketWidth: Int64?, from first: Int64? = nil, through last: Int64? = nil) -> [Point] {
    let start = first ?? points.map(\.time).min() ?? 0
    let end = last ?? points.map(\.time).max() ?? 0
    guard let width = bucketWidth, width > 0 else { return points }
    let span = end.subtractingReportingOverflow(start)
    guard !span.overflow else { return points }
    let count = span.partialValue / width + 1
    let skipped = max(0, count - 4096)
    var slots = (skipped..<count).map { Point(time: start + $0 * width, value: nil) }
    for point in points {
      let place = (point.time - start + width / 2) / width - skipped
      if slots.indices.contains(Int(place)) { slots[Int(place)] = point }
    }
    return slots
  }
}

/// A value as an integer that only ever is compared with others of its column.
private func drawable(_ value: QueryValue) -> Int128? {
  switch value {
  case .count(let count): count
  case .money, .moneyRatio: ReadableCells.amount(value)
  case .ratio(let number), .milliseconds(let number), .real(let number):
    Int128(exactly: (number * 1e6).rounded())
  case .null, .text, .time, .boolean, .object: nil
  }
}

/// The characters that charts are drawn with.
enum Glyphs {
  private static let eighthsAcross = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
  private static let eighthsUp = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// `value` of `largest` in eighths of `cells`; at least one eighth where it is not zero.
  static func eighths(_ value: Int128, largest: UInt128, cells: Int) -> Int {
    guard largest > 0, value != 0, cells > 0 else { return 0 }
    var magnitude = value.magnitude
    var bound = largest
    // Room for the multiplication below: 128 bits minus the 16 of any sensible cell count.
    while bound >> 112 != 0 {
      bound >>= 1
      magnitude >>= 1
    }
    return max(1, Int(min(magnitude * UInt128(cells * 8) / bound, UInt128(cells * 8))))
  }

  static func bar(_ value: Int128, largest: UInt128, cells: Int) -> String {
    let length = eighths(value, largest: largest, cells: cells)
    // An amount below zero is drawn hatched, since a bar has no direction.
    if value < 0 { return String(repeating: "░", count: max(1, length / 8)) }
    return String(repeating: "█", count: length / 8) + eighthsAcross[length % 8]
  }

  /// The part of a column of `height` cells that falls into the cell at `level`, from 0 below.
  static func column(_ value: Int128, largest: UInt128, level: Int, height: Int) -> String {
    let length = value < 0 ? 0 : eighths(value, largest: largest, cells: height)
    return eighthsUp[min(8, max(0, length - level * 8))]
  }

  /// One cell of a sparkline: a gap where there is no value, the lowest line for zero.
  static func spark(_ value: Int128?, largest: UInt128) -> String {
    guard let value else { return " " }
    return eighthsUp[max(1, value < 0 ? 1 : eighths(value, largest: largest, cells: 1))]
  }
}
