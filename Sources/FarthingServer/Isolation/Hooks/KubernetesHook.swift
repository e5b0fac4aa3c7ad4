internal import FarthingPipeline
internal import FarthingStore

/// Applies and deletes a policy by `kubectl`.
///
/// A probe says whether the cluster has the policy; that its network enforces it, only the network's own tools
/// can say.
struct KubernetesHook: IsolationHook {
  let tools: HookTools

  var name: String { tools.settings.name }

  func supports(_ action: IsolationAction, on dimension: IsolationTarget.Dimension) -> Bool {
    action == .isolate && tools.isMeant(dimension)
      && tools.settings.labels[dimension.rawValue] != nil
  }

  /// Where `kubectl` finds its cluster; paths and addresses, no secrets.
  private static let variables = [
    "KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "HOME",
  ]

  func perform(_ order: IsolationOrder) async -> HookAnswer {
    let policy: NetworkPolicyText
    do throws(HookObjection) {
      guard order.action == .isolate else {
        throw HookObjection("pods can be cut off, and nothing else")
      }
      guard let kind = NetworkPolicyText.Kind(rawValue: tools.settings.policyKind ?? "network")
      else { throw HookObjection("policy: expected network or cilium") }
      policy = try NetworkPolicyText(
        order, kind: kind, namespace: tools.settings.namespace ?? "default",
        labels: tools.settings.labels)
    } catch {
      return .refused(evidence: error.reason)
    }
    let deadline = tools.deadline()
    let words = Self.words(policy, order.verb)
    let base = tools.settings.command.isEmpty ? ["/usr/bin/kubectl"] : tools.settings.command
    let seconds = max(1, deadline.leftMilliseconds / 1000)
    let command = base + ["--namespace", policy.namespace, "--request-timeout", "\(seconds)s"]
    let what = "kubectl \(words.joined(separator: " ")) (\(policy.name))"
    do throws(DeliveryFailure) {
      let outcome = try await tools.commands.run(
        command + words,
        more: Self.variables.compactMap { name in
          tools.around.environment(name).map { (name, $0) }
        },
        input: order.verb == .apply ? Array(policy.yaml.utf8) : [],
        milliseconds: deadline.leftMilliseconds)
      return Self.meaning(of: outcome, order.verb, what, seconds)
    } catch {
      return HookAnswer(error, hidden: []).prefixed(by: what)
    }
  }

  private static func words(
    _ policy: NetworkPolicyText, _ verb: IsolationOrder.Verb
  ) -> [String] {
    switch verb {
    case .apply: ["apply", "--filename", "-"]
    case .release:
      ["delete", policy.kind.resource, policy.name, "--ignore-not-found", "--wait=false"]
    case .probe: ["get", policy.kind.resource, policy.name, "--ignore-not-found", "--output=name"]
    }
  }

  private static func meaning(
    of outcome: ChildProcess.Outcome, _ verb: IsolationOrder.Verb, _ what: String, _ seconds: Int
  ) -> HookAnswer {
    let evidence = "\(what): \(CommandCall.words(of: outcome, seconds: seconds, limit: 240))"
    guard outcome.status == 0 else {
      // `kubectl` has one status for all faults; these come of the order or of rights, and stay.
      let said = String(decoding: outcome.output, as: UTF8.self)
      let isRefusal = [
        "Forbidden", "Unauthorized", "is invalid", "NotFound", "no matches for kind",
      ]
      .contains { said.contains($0) }
      return isRefusal ? .refused(evidence: evidence) : .unreachable(evidence: evidence)
    }
    guard verb == .probe else { return .done(evidence: evidence) }
    return outcome.output.isEmpty
      ? .notInForce(evidence: evidence) : .done(evidence: evidence)
  }
}
