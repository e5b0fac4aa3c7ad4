package import ArgumentParser

/// The options that every command takes.
package struct GlobalOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder of the embedded store.",
      discussion: """
        Else FARTHING_DATA, else `data` of the configuration, else $XDG_DATA_HOME/farthing, else \
        ~/.local/share/farthing.
        """,
      valueName: "dir"),
    completion: .directory)
  package var data: String?

  @Option(
    help: ArgumentHelp("Configuration file (YAML). Else FARTHING_CONFIG.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  package var config: String?

  @Option(
    help: ArgumentHelp("Ask a running server instead. Else FARTHING_SERVER.", valueName: "url"))
  package var server: String?

  package init() {}

  /// What the options, the environment and the configuration file say together.
  ///
  /// - Throws: ``CommandFailure`` with status 2 for a wrong configuration; with status 1 where a
  ///   server is to be asked, which this version does not do.
  func settings() throws -> Settings {
    let settings = try Settings.resolved(
      data: data, config: config, environment: { EnvironmentVariables.value(of: $0) })
    if let server = server ?? EnvironmentVariables.value(of: "FARTHING_SERVER") ?? settings.server {
      throw CommandFailure.failed(
        "cannot ask the server \(server.printable): this version reads and writes the embedded "
          + "store only; leave out --server and FARTHING_SERVER")
    }
    return settings
  }
}
