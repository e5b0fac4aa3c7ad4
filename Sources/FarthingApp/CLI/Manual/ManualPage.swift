internal import ArgumentParser
internal import FarthingCore

/// The manual page farthing(1), written from what the commands say of themselves and from the
/// catalogues of metrics, fields, filters and times.
struct ManualPage {
  private var text = ManualText()

  /// The page in the macros of man(7); the same bytes for the same build.
  ///
  /// - Throws: ``CommandFailure`` where the commands' description cannot be read, which a test rules
  ///   out.
  static func rendered() throws(CommandFailure) -> String {
    let dump = FarthingCommand._dumpHelp()
    guard let tree = try? JSONTree(Array(dump.utf8)), let root = tree.root["command"] else {
      throw .failed("the description of the commands could not be read")
    }
    var page = ManualPage()
    page.write(CommandDescription(root, path: []))
    return page.text.text
  }

  private mutating func write(_ root: CommandDescription) {
    let leaves = root.leaves.filter(\.isShown)
    let common = CommandDescription.common(to: leaves)
    text.title("farthing", source: "Farthing \(Version.text)")
    text.section("NAME")
    text.paragraph("farthing - exact unit costs of LLM inference")
    text.section("SYNOPSIS")
    text.verbatim(leaves.map(\.synopsis))
    text.section("DESCRIPTION")
    text.discussion(root.discussion)
    text.section("COMMON OPTIONS")
    for option in leaves.first?.arguments ?? [] where common.contains(option.label) {
      text.item(option.label, option.meaning)
    }
    text.section("COMMANDS")
    for leaf in leaves { write(leaf, without: common) }
    for topic in HelpTopic.allCases { write(topic) }
    writeSurroundings()
  }

  private mutating func write(_ command: CommandDescription, without common: Set<String>) {
    text.subsection(command.synopsis)
    text.paragraph(command.abstract)
    text.discussion(command.discussion)
    for argument in command.arguments where !common.contains(argument.label) {
      text.item(argument.label, argument.meaning)
    }
  }

  private mutating func write(_ topic: HelpTopic) {
    text.section(topic.rawValue.uppercased())
    for section in topic.sections {
      if let title = section.title {
        text.paragraph(section.rows.isEmpty ? title : title + ":")
      }
      for row in section.rows { text.item(row.name, row.meaning) }
    }
  }

  private mutating func writeSurroundings() {
    text.section("EXIT STATUS")
    text.item("0", "Done.")
    text.item("1", "Ran and failed.")
    text.item("2", "Wrong usage or configuration.")
    text.section("ENVIRONMENT")
    for variable in EnvironmentVariables.documented {
      text.item(variable.name, variable.meaning)
    }
    text.section("FILES")
    text.item(
      "$XDG_DATA_HOME/farthing, else ~/.local/share/farthing",
      "The store where neither an option, the environment nor the configuration names one.")
  }
}
