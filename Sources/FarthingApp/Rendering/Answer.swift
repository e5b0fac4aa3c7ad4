package import FarthingQuery

/// What a command has to say on standard output: named columns and rows of typed values.
///
/// Answers of the query engine and the lists that the command line makes itself take this one form,
/// so that all output formats know all of them.
package struct Answer: Sendable, Equatable {
  /// What a column is for: it decides alignment, and what a chart draws along which axis.
  package enum Role: Sendable, Equatable {
    /// The start of a time bucket: the axis of a chart.
    case bucket
    /// Text that names the row.
    case label
    /// A number.
    case figure
  }

  package struct Column: Sendable, Equatable {
    package var name: String
    package var role: Role

    package init(_ name: String, _ role: Role = .label) {
      self.name = name
      self.role = role
    }
  }

  package var columns: [Column]
  /// One value for each column.
  package var rows: [[QueryValue]]
  /// Whether people too read numbers as they are, without commas and with all their digits: where
  /// nobody knows whether a number is a count, a year or a share.
  package var hasPlainNumbers = false

  package init(columns: [Column], rows: [[QueryValue]]) {
    self.columns = columns
    self.rows = rows
  }

  package init(_ result: QueryResult) {
    columns = result.columns.map { column in
      switch column.kind {
      case .bucket: Column(column.name, .bucket)
      case .group: Column(column.name, .label)
      case .metric: Column(column.name, .figure)
      case .field: Column(column.name, .label)
      }
    }
    rows = result.rows
    // A field of the requests is a figure where its values are: only the rows can tell.
    for index in columns.indices where columns[index].role == .label {
      let values = rows.lazy.map { $0[index] }.filter { $0 != .null }
      if let first = values.first(where: { _ in true }), first.isFigure {
        columns[index].role = .figure
      }
    }
  }
}

extension Answer {
  /// Leaves out the columns in which no row has a value.
  mutating func dropEmptyColumns() {
    let kept = columns.indices.filter { column in rows.contains { $0[column] != .null } }
    columns = kept.map { columns[$0] }
    rows = rows.map { row in kept.map { row[$0] } }
  }
}

extension QueryValue {
  /// Whether the value is a number.
  var isFigure: Bool {
    switch self {
    case .count, .money, .moneyRatio, .ratio, .milliseconds, .real: true
    case .null, .text, .boolean, .time, .object: false
    }
  }
}
