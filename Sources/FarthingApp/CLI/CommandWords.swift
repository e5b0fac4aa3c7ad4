internal import ArgumentParser
internal import FarthingCore

/// The words of a command line before they are parsed.
enum CommandWords {
  /// Options that may stand before the command as well as after it.
  private static let global = ["--data", "--config", "--server", "--token", "--ca"]

  /// The commands in the order of the overview.
  static var names: [String] { FarthingCommand.configuration.subcommands.map { name(of: $0) } }

  /// Moves options that hold everywhere behind the command that they precede.
  ///
  /// `farthing --data DIR query cost` becomes `farthing query cost --data DIR`. Words after `--` are
  /// left where they are. A number below zero behind an option is its value, for the option to judge:
  /// the parser would take it for an option of its own.
  static func normalised(_ words: [String]) -> [String] {
    joined(ordered(words))
  }

  private static func joined(_ words: [String]) -> [String] {
    var result: [String] = []
    var isOver = false
    for word in words {
      isOver = isOver || word == "--"
      let isNegative =
        word.first == "-" && word.utf8.dropFirst().first.map { (0x30...0x39).contains($0) } == true
      if !isOver, isNegative, let option = result.last, option.hasPrefix("--"),
        !option.contains("=")
      {
        result[result.count - 1] = option + "=" + word
      } else {
        result.append(word)
      }
    }
    return result
  }

  private static func ordered(_ words: [String]) -> [String] {
    var moved: [String] = []
    var rest = words[...]
    while let word = rest.first {
      if global.contains(word), rest.count >= 2 {
        moved += rest.prefix(2)
        rest = rest.dropFirst(2)
      } else if global.contains(where: { word.hasPrefix($0 + "=") }) {
        moved.append(word)
        rest = rest.dropFirst()
      } else {
        break
      }
    }
    guard !moved.isEmpty, !rest.isEmpty else { return words }
    let end = rest.firstIndex(of: "--") ?? rest.endIndex
    return Array(rest[..<end]) + moved + Array(rest[end...])
  }

  /// What to say where the first words name a command that is not there; nil where they do.
  ///
  /// - Parameter topics: Other names that may stand in the first place.
  static func unknownCommand(in words: [String], besides topics: [String] = []) -> String? {
    var command: any ParsableCommand.Type = FarthingCommand.self
    var path = "farthing"
    for word in normalised(words) {
      let children = command.configuration.subcommands
      guard !children.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
      let names = children.map { name(of: $0) } + (path == "farthing" ? topics : [])
      guard let next = children.first(where: { name(of: $0) == word }) else {
        let near = Suggestion.nearest(to: word, among: names)
        let hint =
          near.map { "did you mean \"\($0)\"?" } ?? "it has: \(names.joined(separator: ", "))"
        let kind = topics.isEmpty ? "command" : "command or topic"
        return "\"\(word.printable)\" is no \(kind) of \(path); \(hint)"
      }
      command = next
      path += " " + word
    }
    return nil
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? ""
  }
}
