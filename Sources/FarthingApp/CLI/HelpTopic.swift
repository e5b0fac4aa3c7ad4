internal import FarthingCore

/// What `farthing help TOPIC` prints beside the help of commands: lists made from the catalogues
/// that define what they name.
enum HelpTopic: String, CaseIterable {
  case metrics
  case fields

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
    }
  }

  private static func list(_ rows: [(name: String, meaning: String)]) -> String {
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { row in
      row.name + String(repeating: " ", count: width - row.name.count + 2) + row.meaning + "\n"
    }.joined()
  }
}
