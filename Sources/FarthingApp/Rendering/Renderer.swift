package import FarthingQuery

/// Writes an answer in one of the output formats.
///
/// Every format passes through here, so that a new one does not compile until it is complete.
package struct Renderer: Sendable {
  package var format: OutputFormat
  package var page: Page
  /// The width of the answer's time buckets in nanoseconds; nil where it has none.
  package var bucketWidth: Int64?
  /// The zone whose clocks tables and charts show; the machine formats are in UTC.
  package var zone: TimeZoneRules

  package init(
    format: OutputFormat, page: Page, bucketWidth: Int64? = nil, zone: TimeZoneRules = .utc
  ) {
    self.format = format
    self.page = page
    self.bucketWidth = bucketWidth
    self.zone = zone
  }

  /// The whole answer, ending in a line feed, handed over in pieces of some 64 KiB.
  ///
  /// - Complexity: O(n) in the number of cells; tables and charts hold all their text at once.
  package func render(_ answer: Answer, to write: ([UInt8]) throws -> Void) rethrows {
    switch format {
    case .json: try renderJSON(answer, to: write)
    case .csv: try renderCSV(answer, to: write)
    case .table:
      let table = TableText(answer, page: page, bucketWidth: bucketWidth, zone: zone)
      try write(Array(table.text.utf8))
    case .chart:
      let chart = ChartText(answer, page: page, bucketWidth: bucketWidth, zone: zone)
      try write(Array(chart.text.utf8))
    }
  }

  /// The whole answer as one text.
  package func text(_ answer: Answer) -> String {
    var bytes: [UInt8] = []
    render(answer) { bytes += $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Size of the pieces that machine formats are handed over in.
  static let pieceBytes = 1 << 16
}
