/// Which server commands ask, and how they prove themselves: the section `client`.
package struct ClientSettings: Sendable, Equatable {
  /// nil where commands work on the embedded store.
  package var server: ServerURL?
  /// A file that holds the token; nil where none is sent.
  package var tokenFile: String?
  /// PEM file of the roots to trust instead of the machine's; nil for the machine's.
  package var authorityFile: String?

  package init() {}
}

/// What `farthing agent` does at a site: the section `agent`.
package struct AgentSettings: Sendable, Equatable {
  /// Where events are held until the server has them.
  package struct Spool: Sendable, Equatable {
    /// nil where the configuration does not say.
    package var folder: String?
    /// At the limit senders are told to come back later and files wait; nothing that was taken is lost.
    package var limitBytes = 1 << 30

    package init() {}
  }

  /// How much is forwarded at once: whichever bound is met first.
  package struct Batch: Sendable, Equatable {
    package var events = 5000
    package var bytes = 4 << 20
    /// How long the first event of a batch waits for others.
    package var wait: Duration = .seconds(1)

    package init() {}
  }

  /// The server that events are forwarded to; nil where the configuration does not say.
  package var server: ServerURL?
  /// A file that holds the token; nil where none is sent.
  package var tokenFile: String?
  /// PEM file of the roots to trust instead of the machine's; nil for the machine's.
  package var authorityFile: String?
  /// The `site` of events that name none; nil where they stay without one.
  package var site: String?
  package var listen = ListenAddress(host: "127.0.0.1", port: 7878)
  /// Patterns of files to follow, as `farthing ingest --follow` takes them.
  package var follow: [String] = []
  package var spool = Spool()
  package var batch = Batch()
  /// The longest pause between two attempts to reach the server.
  package var longestRetry: Duration = .seconds(60)

  package init() {}
}
