/// How an answer is written.
package enum OutputFormat: String, CaseIterable, Sendable {
  /// Aligned columns for people.
  case table
  /// One array of objects; money as exact decimal strings.
  case json
  /// RFC 4180 with a header row; the values as in JSON.
  case csv
  /// Bars, columns or sparklines drawn in the terminal.
  case chart
}

/// What the place that an answer is written to can show.
package struct Page: Sendable {
  /// Cells in one line; at least 20.
  package var columns: Int
  /// Whether escape sequences for colour are understood and wanted.
  package var hasColour: Bool

  package init(columns: Int = 80, hasColour: Bool = false) {
    self.columns = max(20, columns)
    self.hasColour = hasColour
  }

  func bold(_ text: String) -> String { hasColour ? "\u{1B}[1m" + text + "\u{1B}[0m" : text }
  func dim(_ text: String) -> String { hasColour ? "\u{1B}[2m" + text + "\u{1B}[0m" : text }
  func accent(_ text: String) -> String { hasColour ? "\u{1B}[36m" + text + "\u{1B}[0m" : text }
}
