internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore

/// What `farthing help TOPIC` prints beside the help of commands: lists made from the catalogues
/// that define what they name.
enum HelpTopic: String, CaseIterable {
  case metrics
  case fields
  case sql

  /// nil where the words ask for no topic.
  init?(_ words: [String]) {
    guard words.count == 2, words[0] == "help", let topic = HelpTopic(rawValue: words[1]) else {
      return nil
    }
    self = topic
  }

  /// One line for each metric or field: its name and what it is.
  var text: String {
    switch self {
    case .metrics:
      HelpTopic.list(Metric.catalogue.map { ($0.name, $0.summary) })
    case .fields:
      HelpTopic.list(
        RequestField.all.map { ($0.name, "\($0.kind)") } + [
          ("tags.NAME", "text"), ("units.NAME", "integer"),
        ])
    case .sql: HelpTopic.sqlText
    }
  }

  private static var sqlText: String {
    var text =
      "farthing sql STATEMENT: one SELECT, WITH, VALUES or EXPLAIN; \"farthing sql --help\" has the options.\n"
    for table in SQLSchema.tables {
      text += "\nTable \(table.name): \(table.summary)\n\n"
      text += list(
        table.columns.map { column in
          let note = column.isHidden ? ", not part of SELECT *" : ""
          return ("  " + column.name, column.kind.rawValue.lowercased() + note)
        })
    }
    text +=
      "\nThe columns \"tags.NAME\" and \"units.NAME\" of requests are named in double quotes.\n"
    text += "\nFunctions beside those of SQLite\n\n"
    return text + list(SQLSchema.functions.map { ("  " + $0.form, $0.summary) })
  }

  private static func list(_ rows: [(name: String, meaning: String)]) -> String {
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { row in
      row.name + String(repeating: " ", count: width - row.name.count + 2) + row.meaning + "\n"
    }.joined()
  }
}
