internal import FarthingCore

/// What `:` understands.
package enum TopCommandLine: Sendable, Hashable {
  case range(Int64)
  /// As it was typed: the composition root reads times.
  case moment(String)
  case live
  case filter(String?)
  case group(String)
  case sort(String)
  case board(String)
  case explain
  case help
  case quit
}

enum CommandWords {
  static let verbs = [
    "range", "at", "live", "where", "group", "sort", "explain", "help", "quit", "q",
  ]

  /// - Parameter boards: names of dashboards, each a command too.
  /// - Returns: the command, or a sentence that says what is wrong.
  static func parse(_ text: String, boards: [String]) -> (command: TopCommandLine?, fault: String?)
  {
    let words = text.split(separator: " ", maxSplits: 1)
    guard let verb = words.first.map(String.init) else { return (nil, nil) }
    let rest = words.count > 1 ? words[1].drop { $0 == " " } : ""
    func needs(_ what: String) -> (TopCommandLine?, String?) { (nil, ":\(verb) needs \(what)") }
    switch verb {
    case "range":
      guard let length = CivilTime.parseDuration(rest), length >= CivilTime.minute,
        length <= 366 * CivilTime.day
      else { return needs("a length of time from 1m to 366d, such as 7d") }
      return (.range(length), nil)
    case "at":
      return rest.isEmpty
        ? needs("a time, such as 2026-03-14T12:00:00Z") : (.moment(String(rest)), nil)
    case "live": return (.live, nil)
    case "where": return (.filter(rest.isEmpty ? nil : String(rest)), nil)
    case "group":
      return rest.isEmpty ? needs("a field, such as tenant") : (.group(String(rest)), nil)
    case "sort": return rest.isEmpty ? needs("a metric, such as cost") : (.sort(String(rest)), nil)
    case "explain": return (.explain, nil)
    case "help": return (.help, nil)
    case "quit", "q": return (.quit, nil)
    case "dashboard" where !rest.isEmpty: return (.board(String(rest)), nil)
    default:
      if boards.contains(verb) { return (.board(verb), nil) }
      let near = Suggestion.nearest(to: verb, among: verbs + boards)
      return (
        nil, "there is no :\(verb)" + (near.map { "; did you mean :\($0)?" } ?? "; ? lists all")
      )
    }
  }

  /// What could come next.
  static func hint(_ text: String) -> String {
    guard !text.isEmpty else { return verbs.dropLast().joined(separator: " ") }
    let fitting = verbs.filter { $0.hasPrefix(text) && $0 != text }
    return fitting.joined(separator: " ")
  }
}
