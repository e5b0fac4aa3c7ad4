package import ArgumentParser
internal import FarthingCore
internal import FarthingDashboard
internal import FarthingStore

/// `farthing dashboard`: dashboards as files.
package struct DashboardCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "dashboard",
    abstract: "Check dashboards of your own, and print those that are shipped.",
    discussion: """
      farthing dashboard list
      farthing dashboard show overview > mine.yaml
      farthing dashboard check mine.yaml

      docs/dashboard.md says what may stand in a dashboard.
      """,
    subcommands: [DashboardCheck.self, DashboardList.self, DashboardShow.self])

  package init() {}
}

/// `farthing dashboard check`
package struct DashboardCheck: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Tell everything that is wrong with dashboards.")

  @Argument(
    help: ArgumentHelp("Files with dashboards.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  package var files: [String]

  package init() {}

  package mutating func run() async throws {
    var faults: [String] = []
    for file in files {
      let bytes: [UInt8]
      do {
        bytes = try WholeInput.bytes(of: file, limit: YAMLDocument.limit)
      } catch {
        faults.append(error.message.printable)
        continue
      }
      let (board, found) = BoardFile.read(bytes, file: file.printable)
      faults += found.prefix(ConfigurationFault.listed).map(\.description)
      if let board {
        try Console.result(
          "\(file.printable): \(board.name.printable), \(board.rows.count) rows, \(board.panels.count) panels"
        )
      }
    }
    guard faults.isEmpty else {
      throw CommandFailure.usage(faults.joined(separator: "\n          "))
    }
  }
}

/// `farthing dashboard list`
package struct DashboardList: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The dashboards that are shipped.")

  package init() {}

  package mutating func run() async throws {
    for shipped in ShippedBoards.texts {
      let board = try BoardFile.load(shipped.name)
      try Console.result("\(shipped.name.padded(to: 12))\(board.title)")
    }
  }
}

/// `farthing dashboard show`
package struct DashboardShow: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show", abstract: "The text of a shipped dashboard, to begin one's own with.")

  @Argument(help: ArgumentHelp("Its name.", valueName: "name"))
  package var name: String

  package init() {}

  package mutating func run() async throws {
    guard let shipped = ShippedBoards.texts.first(where: { $0.name == name }) else {
      let names = ShippedBoards.texts.map(\.name)
      let near = Suggestion.nearest(to: name, among: names).map { "; did you mean \"\($0)\"?" }
      throw CommandFailure.usage(
        "there is no dashboard \"\(name.printable)\"\(near ?? "; shipped are \(names.joined(separator: ", "))")"
      )
    }
    try Console.result(shipped.text)
  }
}
