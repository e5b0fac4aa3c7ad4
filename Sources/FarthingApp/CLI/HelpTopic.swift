internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore

/// What `farthing help TOPIC` prints beside the help of commands: lists made from the catalogues
/// that define what they name.
enum HelpTopic: String, CaseIterable {
  case metrics
  case fields
  case filters
  case times
  case sql

  /// What the topic lists, for the overview.
  var abstract: String {
    switch self {
    case .metrics: "every metric of query"
    case .fields: "every field to group by, filter and show"
    case .filters: "how --where is written"
    case .times: "how --since, --until and --every are written"
    case .sql: "the tables, columns and functions of sql"
    }
  }

  /// The sections of the topic, each with a title and a line for each name.
  var sections: [HelpSection] {
    switch self {
    case .metrics:
      [HelpSection(title: nil, rows: Metric.catalogue.map { ($0.name, $0.summary) })]
    case .fields:
      [
        HelpSection(
          title: nil,
          rows: RequestField.all.map { ($0.name, "\($0.kind)") }
            + [("tags.NAME", "text"), ("units.NAME", "integer")])
      ]
    case .filters:
      [
        HelpSection(title: "Filters", FilterExpression.forms),
        HelpSection(
          title: "A comparison with an absent field is neither true nor false, as in SQL: "
            + "neither \"site = 'a'\" nor \"not site = 'a'\" keeps a request without a site.",
          rows: []),
      ]
    case .times:
      [
        HelpSection(title: "Times, for --since, --until and in filters", InstantParser.forms),
        HelpSection(title: "Widths of time buckets, for --every", BucketWidth.forms),
        HelpSection(
          title: "A window includes its start and excludes its end. Buckets and dates are aligned "
            + "in UTC unless --tz names a zone, such as Europe/Berlin.",
          rows: []),
      ]
    case .sql: HelpTopic.sqlSections
    }
  }

  private static var sqlSections: [HelpSection] {
    let tables = SQLSchema.tables.map { table in
      HelpSection(
        title: "Table \(table.name): \(table.summary)",
        rows: table.columns.map { column in
          let note = column.isHidden ? ", not part of SELECT *" : ""
          return (column.name, column.kind.rawValue.lowercased() + note)
        })
    }
    return [
      HelpSection(
        title: "farthing sql STATEMENT: one SELECT, WITH, VALUES or EXPLAIN; "
          + "\"farthing sql --help\" has the options.", rows: [])
    ] + tables + [
      HelpSection(
        title: "The columns \"tags.NAME\" and \"units.NAME\" of requests are named in double "
          + "quotes.", rows: []),
      HelpSection(
        title: "Functions beside those of SQLite",
        rows: SQLSchema.functions.map { ($0.form, $0.summary) }),
    ]
  }

  /// One line for each name: the name and what it is.
  var text: String { sections.map(\.text).joined(separator: "\n") }

  /// What the words ask for, where they begin with `help`; nil where they do not, or name a
  /// command whose own help answers.
  ///
  /// - Throws: ``CommandFailure`` with status 2 where there is no such topic or command.
  static func asked(_ words: [String]) throws(CommandFailure) -> HelpTopic? {
    guard words.first == "help" else { return nil }
    let names = words.dropFirst().filter { !$0.hasPrefix("-") }
    if names.count == 1, let topic = HelpTopic(rawValue: names[0]) { return topic }
    if let unknown = CommandWords.unknownCommand(
      in: Array(names), besides: HelpTopic.allCases.map(\.rawValue))
    {
      throw .usage(unknown)
    }
    return nil
  }
}

/// Names and their meanings under a title.
struct HelpSection {
  /// A line above the rows; without rows a sentence of its own.
  var title: String?
  var rows: [(name: String, meaning: String)]

  init(title: String?, rows: [(name: String, meaning: String)]) {
    self.title = title
    self.rows = rows
  }

  init(title: String, _ forms: [WordForm]) {
    self.init(title: title, rows: forms.map { ($0.example, $0.meaning) })
  }

  /// The section with its meanings in one column.
  var text: String {
    let width = rows.map(\.name.count).max() ?? 0
    let margin = title == nil ? "" : "  "
    let lines = rows.map { row in
      let gap = String(repeating: " ", count: width - row.name.count + 2)
      return margin + row.name + gap + row.meaning + "\n"
    }
    guard let title else { return lines.joined() }
    return title + (rows.isEmpty ? "\n" : ":\n\n") + lines.joined()
  }
}
