internal import FarthingCore

/// A command as the argument parser describes it.
struct CommandDescription {
  /// An argument or option.
  struct Argument {
    /// How it is written: `--since <time>`, `<file>`.
    var label: String
    var meaning: String
    /// As it stands in a synopsis: in brackets where it may be left out.
    var synopsis: String
  }

  /// Its words, `farthing` first.
  var path: [String]
  var abstract: String
  var discussion: String
  var isShown: Bool
  var arguments: [Argument]
  var children: [CommandDescription]

  init(_ value: JSONValue, path parent: [String]) {
    let path = parent + [value["commandName"]?.text ?? ""]
    self.path = path
    abstract = value["abstract"]?.text ?? ""
    discussion = value["discussion"]?.text ?? ""
    isShown = value["shouldDisplay"]?.boolean ?? true
    let described = (value["arguments"]?.elements ?? []).filter {
      $0["shouldDisplay"]?.boolean ?? true
    }
    arguments = described.compactMap(Argument.init)
    children = (value["subcommands"]?.elements ?? []).map {
      CommandDescription($0, path: path)
    }.filter { $0.path.last != "help" }
  }

  /// The commands that do something, in order: those without commands of their own.
  var leaves: [CommandDescription] {
    children.isEmpty ? [self] : children.flatMap(\.leaves)
  }

  /// The words with the arguments that have no name of their own.
  var synopsis: String {
    let positional = arguments.filter { !$0.label.hasPrefix("-") }
    return (path + positional.map(\.synopsis) + ["[options]"]).joined(separator: " ")
  }

  /// The options that most of the commands have: they are described once.
  static func common(to commands: [CommandDescription]) -> Set<String> {
    var counts: [String: Int] = [:]
    for command in commands {
      for label in Set(command.arguments.map(\.label)) { counts[label, default: 0] += 1 }
    }
    return Set(
      counts.filter { $0.value * 3 > commands.count * 2 }.keys.filter { $0.hasPrefix("-") })
  }
}

extension CommandDescription.Argument {
  init?(_ value: JSONValue) {
    let valueName = "<\(value["valueName"]?.text ?? "value")>"
    switch value["kind"]?.text {
    case "positional": label = valueName
    case "option": label = "\(CommandDescription.Argument.names(value)) \(valueName)"
    case "flag": label = CommandDescription.Argument.names(value)
    default: return nil
    }
    let repeated = value["isRepeating"]?.boolean == true ? label + " ..." : label
    synopsis = value["isOptional"]?.boolean == true ? "[\(repeated)]" : repeated
    var sentences = [value["abstract"]?.text, value["discussion"]?.text].compactMap { $0 }
    if let standard = value["defaultValue"]?.text { sentences.append("Default: \(standard).") }
    meaning = sentences.joined(separator: "\n")
  }

  private static func names(_ value: JSONValue) -> String {
    (value["names"]?.elements ?? []).compactMap { name in
      name["name"]?.text.map { (name["kind"]?.text == "long" ? "--" : "-") + $0 }
    }.joined(separator: ", ")
  }
}
