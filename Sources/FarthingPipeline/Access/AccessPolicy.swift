/// Who may do what on a server: the section `access` of the configuration.
package struct AccessPolicy: Sendable, Equatable {
  /// Most tokens of a policy.
  package static let tokenLimit = 10_000

  package var tokens: [AccessToken]
  /// What a call without a token may do; nil where the configuration does not say.
  package var anonymous: AccessScopes?
  /// Whether the configuration says that a server without tokens may listen to other machines.
  package var isOpen: Bool

  package init(tokens: [AccessToken] = [], anonymous: AccessScopes? = nil, isOpen: Bool = false) {
    self.tokens = tokens
    self.anonymous = anonymous
    self.isOpen = isOpen
  }

  /// What a call without a token may do: where tokens are named nothing, else all, unless the
  /// configuration says otherwise.
  package var anonymousScopes: AccessScopes { anonymous ?? (tokens.isEmpty ? .all : []) }

  /// Why a server must not start at these addresses; nil where it may.
  ///
  /// On loopback the machine's own users are trusted, as with any development server. Beyond it, a
  /// server that anybody may write to has to be meant.
  ///
  /// - Parameter grpc: A second address; nil for none.
  package func objection(to address: ListenAddress, grpc: ListenAddress? = nil) -> String? {
    objection(to: address, setting: "server.listen")
      ?? grpc.flatMap { objection(to: $0, setting: "server.otlp_grpc_listen") }
  }

  /// Why a running server must not go on by this policy; nil where it may.
  ///
  /// - Parameter last: What it went by until now.
  package func objection(toFollow last: AccessPolicy) -> String? {
    guard tokens.isEmpty, anonymous == nil, !isOpen, !last.tokens.isEmpty else { return nil }
    return
      "access names no tokens any more, so everybody who reaches the server could write and read; "
      + "name one, say what calls without a token may do with access.anonymous, or restart if that "
      + "is meant"
  }

  private func objection(to address: ListenAddress, setting: String) -> String? {
    guard tokens.isEmpty, !isOpen, !address.isLoopback else { return nil }
    return
      "\(setting) \(address) is open to other machines and access names no tokens, so anybody "
      + "could write and read; add access.tokens (farthing token create NAME), listen on "
      + "127.0.0.1, or say access.open: true if that is meant"
  }
}
