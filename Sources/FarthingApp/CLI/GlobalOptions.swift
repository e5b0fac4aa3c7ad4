package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline

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

  @Option(
    help: ArgumentHelp(
      "Token for the server. Better FARTHING_TOKEN or client.token_file: others on this machine see options.",
      valueName: "token"))
  package var token: String?

  @Option(
    help: ArgumentHelp(
      "PEM file of the roots to trust for an https server, instead of the machine's.",
      valueName: "file"),
    completion: .file())
  package var ca: String?

  package init() {}

  /// What the options, the environment and the configuration file say together, for a command that
  /// works on the store's folder alone.
  ///
  /// - Throws: ``CommandFailure`` with status 2 for a wrong configuration; with status 1 where a
  ///   server is to be asked.
  func settings() throws -> Settings {
    let settings = try resolved()
    if let server = settings.server {
      throw CommandFailure.failed(
        "cannot do this at the server \(Self.shown(server)): query, explain, report, top, budgets, inventory, events, ingest, alerts, isolations, "
          + "agents, sql and prices list, show, missing and import can be sent to a server; this command "
          + "works on the store's folder. Run it on the server's machine with "
          + "--data DIR, while the server is stopped if it writes")
    }
    return settings
  }

  /// The same for a command that a server can be asked instead, with that server; nil for the folder.
  ///
  /// - Throws: ``CommandFailure`` with status 2 for a wrong configuration or URL.
  func place() throws -> (settings: Settings, server: RemoteServer?) {
    let settings = try resolved()
    guard let server = settings.server else { return (settings, nil) }
    guard let url = ServerURL(server) else {
      throw CommandFailure.usage(
        "--server \"\(Self.shown(server))\": expected \(ServerURL.expectation)")
    }
    return (settings, try RemoteServer(url, self, settings))
  }

  /// An option wins over variables and the file: `--data` alone means the folder, whatever they say of
  /// a server.
  private func resolved() throws -> Settings {
    var settings = try Settings.resolved(
      data: data, config: config, server: server,
      environment: { EnvironmentVariables.value(of: $0) })
    if data != nil, server == nil { settings.server = nil }
    return settings
  }

  /// A URL for a message: without what stands before an @, which may be a password.
  private static func shown(_ url: String) -> String {
    guard let at = url.lastIndex(of: "@") else { return url.printable }
    return "…" + String(url[at...]).printable
  }

  /// The token of an option, of `FARTHING_TOKEN`, else of a file, which is read anew for each call.
  ///
  /// - Returns: it, and what messages call the place it is from; nil where there is none.
  func bearer(_ file: String?) throws -> (read: @Sendable () -> String?, origin: String?) {
    let given =
      token.map { ($0, "--token") }
      ?? EnvironmentVariables.value(of: "FARTHING_TOKEN").map { ($0, "FARTHING_TOKEN") }
    if let (token, origin) = given {
      // What a header field cannot hold is no token, and must not be shown either.
      guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw CommandFailure.usage("\(origin): expected a token as farthing token create prints it")
      }
      return ({ token }, origin)
    }
    return (try AgentCommand.token(file), file)
  }
}
