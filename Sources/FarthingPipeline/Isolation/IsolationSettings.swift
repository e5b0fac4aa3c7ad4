internal import FarthingCore
package import FarthingDetection
package import FarthingQuery

/// Whether isolations are brought into force, or only written down.
package enum IsolationMode: String, Sendable, Equatable, CaseIterable {
  case dryRun = "dry_run"
  case enforced
}

/// Which incidents lead to which action. Of a list the first that holds counts.
package struct IsolationPolicy: Sendable, Equatable {
  package var name: String
  /// Empty for every kind.
  package var kinds: [AlertKind] = []
  /// The least severity.
  package var severity = AlertSeverity.warning
  /// Least excess an hour in whole US dollars; an incident whose rate is not known is below it unless it is 0.
  package var minimumRate = 0
  /// Whether only incidents count that were found by a path that sees attacks within seconds.
  package var containableOnly = true
  /// All have to hold; none for every incident.
  package var matchers: [AlertMatcher] = []
  /// What may be isolated; the narrowest that the incident names is.
  package var targets: [IsolationTarget.Dimension] = [.identity, .endpoint]
  /// The first is done at first, each next one at the next repetition; never empty.
  package var actions: [IsolationAction] = [.isolate]
  /// How long the first isolation lasts at most.
  package var duration = Duration.seconds(240)
  /// By how much each repetition lasts longer than the one before; at least 1.
  package var backoff = 3
  /// How long any lasts at most.
  package var longest = Duration.seconds(86_400)
  /// How long after the end of its incident a target is given back; times ``backoff`` at each repetition.
  package var hold = Duration.seconds(60)
  /// Whether a person has to agree first.
  package var needsApproval = false
  /// The hooks that are called; nil for all that can do it.
  package var hooks: [String]?

  package init(name: String) { self.name = name }

  /// What holds where the configuration names no policy: strangers and known identities that burn money.
  package static let builtIn: [IsolationPolicy] = {
    var policy = IsolationPolicy(name: "denial-of-wallet")
    policy.kinds = [.denialOfWallet, .newIdentitySpend]
    return [policy]
  }()

  package static let limit = 100

  /// What is done at a repetition; 0 is the first time.
  package func action(at repetition: Int) -> IsolationAction {
    actions[min(max(0, repetition), actions.count - 1)]
  }

  /// Nanoseconds that an isolation lasts at a repetition; 0 is the first time.
  package func length(at repetition: Int) -> Int64 {
    Self.grown(duration.wholeNanoseconds, backoff, repetition, atMost: longest.wholeNanoseconds)
  }

  /// Nanoseconds between the end of the incident and the release, at a repetition.
  func hold(at repetition: Int) -> Int64 {
    Self.grown(hold.wholeNanoseconds, backoff, repetition, atMost: longest.wholeNanoseconds)
  }

  private static func grown(
    _ first: Int64, _ factor: Int, _ times: Int, atMost longest: Int64
  ) -> Int64 {
    var length = min(first, longest)
    for _ in 0..<min(max(0, times), 64) where length < longest {
      let (next, isLarge) = length.multipliedReportingOverflow(by: Int64(max(1, factor)))
      length = isLarge ? longest : min(next, longest)
    }
    return length
  }

  /// Whether an incident is one that it is about.
  package func holds(for incident: Incident) -> Bool {
    guard kinds.isEmpty || kinds.contains(incident.kind), incident.severity >= severity,
      incident.isContainable || !containableOnly
    else { return false }
    if minimumRate > 0 {
      guard let rate = incident.usdPerHour, rate >= Double(minimumRate) else { return false }
    }
    let alert = Alert(incident, phase: .firing, changedAt: 0)
    return matchers.allSatisfy { $0.holds(for: alert) }
  }
}

/// What must hold before anything is isolated.
package struct IsolationGuardrails: Sendable, Equatable {
  /// Most values of one dimension that are isolated at once, in percent of those active; at least one may be.
  package var sharePercent = 10
  /// Most of them in number; nil for no bound but the share.
  package var atOnce: Int?
  /// The same among the identities of one tenant.
  package var tenantSharePercent = 10
  /// Percent of a dimension's active values that may look bad: above it nothing is isolated.
  package var badPercent = 40
  /// How long after its release nothing is done to a target.
  package var coolDown = Duration.seconds(30)
  /// Most automatic actions in any hour.
  package var actionsAnHour = 30
  /// Values that are never isolated, by dimension: themselves, or patterns of `like`.
  package var protected: [IsolationTarget.Dimension: [LikePattern]] = [:]
  /// How long after its last request a value counts as active.
  package var activeWindow = Duration.seconds(3600)

  package init() {}

  /// The pattern that protects a value; nil where none does.
  func protection(of target: IsolationTarget) -> String? {
    protected[target.dimension]?.first {
      $0.text == target.value || $0.matches(target.value)
    }?.text
  }
}

/// Section `isolation` of the configuration.
package struct IsolationSettings: Sendable, Equatable {
  package var mode = IsolationMode.dryRun
  package var policies = IsolationPolicy.builtIn
  package var guardrails = IsolationGuardrails()
  package var hooks: [HookSettings] = []
  /// How long after it was brought into force somebody is told that an isolation does not hold.
  package var probeWithin = Duration.seconds(30)
  /// How long a proposal waits for a person.
  package var approvalWithin = Duration.seconds(3600)
  /// For how long what is over is kept; the audit log is kept for good.
  package var retentionDays = 400

  package init() {}

  package func hook(_ name: String) -> HookSettings? { hooks.first { $0.name == name } }

  package func policy(_ name: String) -> IsolationPolicy? { policies.first { $0.name == name } }
}
