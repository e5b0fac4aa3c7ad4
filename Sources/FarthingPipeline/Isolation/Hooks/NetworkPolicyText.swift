internal import FarthingCore
internal import FarthingStore

/// A policy that cuts the pods of a target off, as `kubectl` takes it.
///
/// Kubernetes' own NetworkPolicy can only allow: this one allows nothing, and what other policies allow to the
/// same pods stays allowed. Cilium's can deny, which wins over what others allow.
package struct NetworkPolicyText: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case network
    case cilium

    /// As `kubectl` names the resource.
    package var resource: String {
      switch self {
      case .network: "networkpolicies.networking.k8s.io"
      case .cilium: "ciliumnetworkpolicies.cilium.io"
      }
    }
  }

  package var kind: Kind
  /// The same for all orders of one target.
  package var name: String
  package var namespace: String
  /// Labels of the pods meant, all of which must hold; never empty.
  package var selector: [(name: String, value: String)]
  package var order: IsolationOrder

  /// - Parameter labels: the label of the pods of each dimension, and of `tenant`.
  /// - Throws: ``HookObjection`` where the target is no value that a label can have, or a label is missing: a
  ///   policy that selects by less than was asked for would cut others off.
  package init(
    _ order: IsolationOrder, kind: Kind, namespace: String, labels: [String: String]
  ) throws(HookObjection) {
    let target = order.target
    var parts = [(target.dimension.rawValue, target.value)]
    if let tenant = target.tenant { parts.append(("tenant", tenant)) }
    selector = []
    for (dimension, value) in parts {
      guard let label = labels[dimension] else {
        throw HookObjection("no label is configured for \(dimension)")
      }
      guard Self.isLabelName(label) else {
        throw HookObjection("\(label.printable) is no name of a label")
      }
      guard Self.isLabelValue(value) else {
        throw HookObjection("the \(dimension) is no value that a label can have")
      }
      selector.append((label, value))
    }
    guard Self.isName(namespace) else {
      throw HookObjection("\(namespace.printable) is no name of a namespace")
    }
    self.kind = kind
    self.namespace = namespace
    self.order = order
    let key = selector.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
    let digest = SHA256Digest(hashing: Array(key.utf8).span).hexadecimal
    name = "farthing-\(digest.prefix(24))"
  }

  package static func == (left: NetworkPolicyText, right: NetworkPolicyText) -> Bool {
    left.yaml == right.yaml
  }

  /// The document. Every value is a quoted one, with the escapes that YAML and JSON share.
  package var yaml: String {
    var lines = [
      "apiVersion: \(kind == .network ? "networking.k8s.io/v1" : "cilium.io/v2")",
      "kind: \(kind == .network ? "NetworkPolicy" : "CiliumNetworkPolicy")",
      "metadata:",
      "  name: \(Self.quoted(name))",
      "  namespace: \(Self.quoted(namespace))",
      "  labels:",
      "    \"app.kubernetes.io/managed-by\": \"farthing\"",
      "  annotations:",
      "    \"farthing/isolation\": \(Self.quoted(order.isolation))",
      "    \"farthing/alert\": \(Self.quoted(order.alert))",
      "    \"farthing/release-at\": \(Self.quoted(CivilTime.text(order.releaseAt)))",
      "    \"farthing/reason\": \(Self.quoted(order.reason))",
      "spec:",
      kind == .network ? "  podSelector:" : "  endpointSelector:",
      "    matchLabels:",
    ]
    for (label, value) in selector {
      lines.append("      \(Self.quoted(label)): \(Self.quoted(value))")
    }
    switch kind {
    case .network:
      lines += ["  policyTypes: [\"Ingress\", \"Egress\"]", "  ingress: []", "  egress: []"]
    case .cilium:
      lines += [
        "  ingressDeny:", "  - fromEntities: [\"all\"]", "  egressDeny:",
        "  - toEntities: [\"all\"]",
      ]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func quoted(_ text: String) -> String {
    var writer = JSONWriter()
    writer.string(Payloads.oneLine(text, 1000))
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  // MARK: Rules of Kubernetes for names

  /// At most 63 letters, digits, dashes, underscores and dots, with a letter or digit at both ends.
  static func isLabelValue(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard (1...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else {
      return false
    }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || [0x2D, 0x2E, 0x5F].contains($0) }
  }

  /// The same behind a name of a domain and a slash, which may be missing.
  static func isLabelName(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return isLabelValue(text)
    case 2:
      return isLabelValue(String(parts[1])) && parts[0].utf8.count <= 253
        && parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
          isName(String($0))
        }
    default: return false
    }
  }

  /// At most 63 small letters, digits and dashes, with no dash at its ends.
  static func isName(_ text: String) -> Bool {
    isLabelValue(text)
      && text.utf8.allSatisfy { $0 == 0x2D || (isAlphanumeric($0) && !(0x41...0x5A).contains($0)) }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }
}
