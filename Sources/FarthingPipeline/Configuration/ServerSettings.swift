/// How the daemon listens and what it bears: the section `server` of the configuration.
package struct ServerSettings: Sendable, Equatable {
  package var listen = ListenAddress(host: "127.0.0.1", port: 7878)
  /// A second address for exporters that send OTLP over gRPC to its own port; nil where the first is
  /// enough. Both take every call.
  package var grpcListen: ListenAddress?
  /// nil where it speaks plain HTTP.
  package var tls: TLSFiles?
  package var limits = ServerLimits()
  /// How long calls that run may go on after SIGTERM.
  package var drainTimeout: Duration = .seconds(25)

  package init() {}
}

/// The files that a server proves itself by.
package struct TLSFiles: Sendable, Equatable {
  /// PEM: the server's certificate, and behind it those between it and a root.
  package var certificate: String
  /// PEM: its private key.
  package var key: String

  package init(certificate: String, key: String) {
    self.certificate = certificate
    self.key = key
  }
}

/// The absolute bounds of a server; docs/limits.md says what happens at each.
package struct ServerLimits: Sendable, Equatable {
  /// Bytes of one body, decompressed.
  package var bodyBytes = 20 << 20
  /// Bytes of all bodies that are being read or stored, decompressed.
  package var bodiesInFlightBytes = 64 << 20
  /// Uploads that wait for the log.
  package var uploadsWaiting = 4096
  /// Connections at once.
  package var connections = 4096
  /// Header lines of a call.
  package var headers = 100
  /// Bytes of all header lines of a call.
  package var headerBytes = 32 << 10
  /// Bytes of the path and query of a call.
  package var targetBytes = 16 << 10
  /// How long a connection without a call stays open.
  package var idleTimeout: Duration = .seconds(75)
  /// How long a caller may take for a call's head.
  package var headerTimeout: Duration = .seconds(10)
  /// How long a caller may take for a body, and a second more for each ``bodyBytesPerSecond`` that
  /// came.
  package var bodyTimeout: Duration = .seconds(20)
  package var bodyBytesPerSecond = 16 << 10
  /// How long a caller may take for a piece of an answer.
  package var writeTimeout: Duration = .seconds(60)
  /// Queries that run at once.
  package var queriesAtOnce = 2
  /// Queries that wait for one of them to end.
  package var queriesWaiting = 64

  package init() {}
}
