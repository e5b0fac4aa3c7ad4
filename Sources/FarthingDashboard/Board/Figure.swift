/// One value of an answer, exact where it is money or a count.
package enum Figure: Sendable, Hashable {
  /// No value: an absent field, a ratio over zero, a quantile of nothing.
  case missing
  case text(String)
  case count(Int128)
  /// Whole picodollars.
  case money(Int128)
  case ratio(Double)
  case milliseconds(Double)
  case real(Double)
  /// Unix nanoseconds.
  case time(Int64)

  /// The value as a number to compare and draw with; nil where it is none. Never what is shown.
  package var magnitude: Double? {
    switch self {
    case .missing, .text: nil
    case .count(let count): Double(count)
    // A length on the screen, not an amount.
    case .money(let amount): Double(amount)
    case .ratio(let number), .milliseconds(let number), .real(let number): number
    case .time(let time): Double(time)
    }
  }

  var isNumber: Bool {
    switch self {
    case .missing, .text, .time: false
    default: true
    }
  }

  var words: String? { if case .text(let text) = self { text } else { nil } }
}

/// Named columns and their rows: what a question was answered with.
package struct FigureTable: Sendable, Hashable {
  package var columns: [String]
  /// One value for each column.
  package var rows: [[Figure]]

  package init(columns: [String], rows: [[Figure]]) {
    self.columns = columns
    self.rows = rows
  }

  package static let empty = FigureTable(columns: [], rows: [])

  func place(_ column: String) -> Int? { columns.firstIndex(of: column) }

  /// The value of a column in a row; missing where there is no such column.
  package func value(_ row: Int, _ column: String) -> Figure {
    guard rows.indices.contains(row), let place = place(column), place < rows[row].count else {
      return .missing
    }
    return rows[row][place]
  }
}

/// What a question was answered with, and what is to be said of it.
package struct PanelAnswer: Sendable, Hashable {
  package var table: FigureTable
  /// Unix nanoseconds of the window that was asked for.
  package var since: Int64
  package var until: Int64
  /// Why there is no answer; nil where there is one.
  package var fault: String?
  /// Whether rows are missing that a damaged file holds.
  package var lacksRows: Bool

  package init(
    table: FigureTable, since: Int64, until: Int64, fault: String? = nil, lacksRows: Bool = false
  ) {
    self.table = table
    self.since = since
    self.until = until
    self.fault = fault
    self.lacksRows = lacksRows
  }
}
