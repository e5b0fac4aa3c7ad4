/// One element of `isolation.hooks`: what is called to bring isolations into force, and how.
package struct HookSettings: Sendable, Equatable {
  /// What is called; the raw values are the configuration's.
  package enum Kind: String, Sendable, CaseIterable {
    /// LiteLLM's proxy: keys are blocked and unblocked.
    case litellm
    /// HAProxy's runtime interface: maps that its rules look values up in.
    case haproxy
    /// A policy rendered and applied by `kubectl`.
    case kubernetes
    /// A POST of JSON, signed as Standard Webhooks say.
    case webhook
    /// A command of one's own, without a shell.
    case exec
  }

  package var name: String
  package var kind: Kind
  /// What it is called for; nil for all that its kind can.
  package var dimensions: [IsolationTarget.Dimension]?
  /// After how long an attempt is given up.
  package var timeout = Duration.seconds(10)
  /// Of `webhook` and `litellm`: where it is called; nil where a secret says so.
  package var url: String?
  package var urlSource: SecretSource?
  /// The key of signatures (`webhook`) or the key of the administrator (`litellm`).
  package var secret: SecretSource?
  /// PEM file of the roots to trust; nil for the machine's.
  package var authorityFile: String?
  /// Whether an address of this machine may be called.
  package var allowsLoopback = false
  /// Of `exec`: the program and its arguments. Of `kubernetes`: how `kubectl` is called.
  package var command: [String] = []
  /// Of `haproxy`: the socket's path, or HOST:PORT.
  package var socket: String?
  /// Of `haproxy`: the map of each dimension, as HAProxy names it.
  package var maps: [String: String] = [:]
  /// Of `kubernetes`: the namespace of the workloads.
  package var namespace: String?
  /// Of `kubernetes`: `network` or `cilium`.
  package var policyKind: String?
  /// Of `kubernetes`: the label of the pods of each dimension's values.
  package var labels: [String: String] = [:]

  package init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }

  package static let limit = 50
}
