internal import FarthingQuery

/// Several answers of one command, each under a name of its own.
package struct SectionedAnswer: Sendable, Equatable {
  package struct Section: Sendable, Equatable {
    package var name: String
    package var answer: Answer
  }

  package var sections: [Section] = []

  package init() {}

  package mutating func add(_ name: String, _ answer: Answer) {
    sections.append(Section(name: name, answer: answer))
  }

  /// The whole as text that ends in a line feed.
  ///
  /// JSON is one object with an array for each section; CSV has a line for each value: section, row
  /// (from 1), column, value. For people a section without rows is left out, and a section of one row
  /// and more than six columns stands upright.
  package func text(_ format: OutputFormat, page: Page) -> String {
    switch format {
    case .json: json(page)
    case .csv: Renderer(format: .csv, page: page).text(flattened)
    case .table, .chart: table(page)
    }
  }

  private func json(_ page: Page) -> String {
    let renderer = Renderer(format: .json, page: page)
    let parts = sections.map { section in
      let rows = renderer.text(section.answer)
      return JSONText.string(section.name) + ":" + rows.dropLast()
    }
    return "{" + parts.joined(separator: ",\n") + "}\n"
  }

  private func table(_ page: Page) -> String {
    let renderer = Renderer(format: .table, page: page)
    return sections.filter { !$0.answer.rows.isEmpty }.map { section in
      page.bold(section.name.uppercased()) + "\n" + renderer.text(section.answer.uprighted)
    }.joined(separator: "\n")
  }

  private var flattened: Answer {
    var rows: [[QueryValue]] = []
    for section in sections {
      for (number, row) in section.answer.rows.enumerated() {
        for (column, value) in zip(section.answer.columns, row) {
          rows.append([
            .text(section.name), .count(Int128(number + 1)), .text(column.name), value,
          ])
        }
      }
    }
    return Answer(
      columns: [.init("section"), .init("row", .figure), .init("column"), .init("value")],
      rows: rows)
  }
}

extension Answer {
  /// A single row of many columns as a column of names and one of values.
  fileprivate var uprighted: Answer {
    guard rows.count == 1, columns.count > 6 else { return self }
    let cells = ReadableCells(self, bucketWidth: nil).rows[0]
    return Answer(
      columns: [.init("what"), .init("value")],
      rows: zip(columns, cells).map { [.text($0.name), .text($1)] })
  }
}
