internal import FarthingCore
internal import FarthingQuery

/// An answer as aligned columns for people: numbers to the right, `–` for what has no value.
///
/// Money of a column is shown with as many digits as its largest amount needs to be read, rates as
/// percentages, long counts with commas. The exact figures are in the JSON and CSV forms.
struct TableText {
  let text: String

  init(_ answer: Answer, page: Page, bucketWidth: Int64?, zone: TimeZoneRules = .utc) {
    let cells = ReadableCells(answer, bucketWidth: bucketWidth, zone: zone)
    let gap = "  "
    // Days are shown without their distance from UTC, so the heading says whose days they are.
    let names = answer.columns.map { column in
      column.role == .bucket && !zone.isUTC
        ? "\(column.name) (\(zone.name))".printable : column.name.printable
    }
    var widths = names.map(\.displayWidth)
    for row in cells.rows {
      for (column, cell) in row.enumerated() {
        widths[column] = max(widths[column], cell.displayWidth)
      }
    }

    func line(_ row: [String], _ style: (Int, String) -> String) -> String {
      var parts: [String] = []
      for (column, cell) in row.enumerated() {
        let isLast = column == row.count - 1
        let alignRight = cells.isNumeric[column]
        // No trailing spaces: a left-aligned last column is not padded.
        let shown =
          isLast && !alignRight ? cell : cell.padded(to: widths[column], alignRight: alignRight)
        parts.append(style(column, shown))
      }
      return parts.joined(separator: gap) + "\n"
    }

    var text = line(names) { page.bold($1) }
    for row in cells.rows {
      text += line(row) { column, shown in
        row[column] == ReadableCells.missing ? page.dim(shown) : shown
      }
    }
    self.text = text
  }
}

/// The values of an answer as people read them.
struct ReadableCells {
  /// Stands where there is no value.
  static let missing = "–"

  let rows: [[String]]
  /// Whether a column holds numbers (aligned to the right); by column.
  let isNumeric: [Bool]

  init(_ answer: Answer, bucketWidth: Int64?, zone: TimeZoneRules = .utc) {
    let amounts = answer.columns.indices.map { column in
      answer.rows.compactMap { ReadableCells.amount($0[column]) }
    }
    let digits = amounts.map { AmountText.readableFractionDigits(of: $0) }
    isNumeric = answer.columns.map { $0.role == .figure }
    rows = answer.rows.map { row in
      row.enumerated().map { column, value in
        answer.hasPlainNumbers
          ? ReadableCells.plain(value)
          : ReadableCells.text(
            value, fractionDigits: digits[column], bucketWidth: bucketWidth, zone: zone)
      }
    }
  }

  /// A value with all its digits.
  static func plain(_ value: QueryValue) -> String {
    switch value {
    case .count(let count): String(count)
    case .real(let number): number.isFinite ? NumberText.json(number) : "\(number)"
    default: text(value, fractionDigits: 12, bucketWidth: nil)
    }
  }

  static func text(
    _ value: QueryValue, fractionDigits: Int, bucketWidth: Int64?, zone: TimeZoneRules = .utc
  ) -> String {
    switch value {
    case .null: missing
    case .text(let text), .object(let text): text.printable
    case .boolean(let flag): flag ? "yes" : "no"
    case .real(let number): NumberText.readable(number, fractionDigits: 1)
    case .count(let count): AmountText.readable(count: count)
    case .money(let picodollars):
      AmountText.readable(picodollars, fractionDigits: fractionDigits)
    case .moneyRatio(let decimal):
      AmountText.picodollars(of: decimal)
        .map { AmountText.readable($0, fractionDigits: fractionDigits) } ?? "$" + decimal
    case .ratio(let share): NumberText.percentage(share)
    case .milliseconds(let number):
      NumberText.readable(number, fractionDigits: number.magnitude < 1000 ? 1 : 0)
    case .time(let nanoseconds): TimeText.bucket(nanoseconds, width: bucketWidth ?? 0, in: zone)
    }
  }

  /// The amount of a money cell in picodollars.
  static func amount(_ value: QueryValue) -> Int128? {
    switch value {
    case .money(let picodollars): picodollars
    case .moneyRatio(let decimal): AmountText.picodollars(of: decimal)
    default: nil
    }
  }
}
