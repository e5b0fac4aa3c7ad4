package import ArgumentParser

/// `farthing store`: looking after the folder of the store.
package struct StoreCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Look after the store: what it holds, whether it is intact, its size, its backups.",
    discussion: """
      "info", "verify", "expire --dry-run" and "backup" read only and run beside a command that writes.
      """,
    subcommands: [
      StoreInfoCommand.self, StoreVerifyCommand.self, StoreCompactCommand.self,
      StoreExpireCommand.self, StoreBackupCommand.self, StoreRestoreCommand.self,
    ])

  package init() {}
}

extension OutputOptions {
  /// Refuses the form that only metrics have.
  func expectNoChart() throws(CommandFailure) {
    if output == .chart {
      throw .usage("a chart draws metrics; use farthing query, or another --output")
    }
  }
}
