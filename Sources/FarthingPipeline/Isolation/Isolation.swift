internal import FarthingCore
package import FarthingDetection

/// The two clocks that isolations go by.
package struct IsolationTime: Sendable, Equatable {
  /// Unix nanoseconds: what people are told.
  package var wall: Int64
  /// Nanoseconds of a clock that never goes back: what lasts.
  package var monotonic: Int64

  package init(wall: Int64, monotonic: Int64) {
    self.wall = wall
    self.monotonic = monotonic
  }
}

/// How far an isolation has come; the raw values are the interface's.
///
///     proposed → applying | lapsed        applying → active | releasing | released
///     active → releasing | released       releasing → released        refused → proposed | applying | active
package enum IsolationStatus: String, Sendable, CaseIterable {
  /// It waits for a person to agree.
  case proposed
  /// It is decided, and hooks have not all answered.
  case applying
  /// It is in force, or in a dry run would be.
  case active
  /// It is over, and hooks have not all given the target back.
  case releasing
  case released
  /// A guardrail did not let it be.
  case refused
  /// Nobody agreed in time, or there was nothing left to do.
  case lapsed

  /// Whether nothing more will come of it by itself.
  package var isOver: Bool {
    switch self {
    case .proposed, .applying, .active, .releasing: false
    case .released, .refused, .lapsed: true
    }
  }

  /// Whether its target is to be kept from calling.
  package var isInForce: Bool { self == .applying || self == .active }
}

/// What one guardrail said, and what it saw.
package struct GuardrailVerdict: Sendable, Equatable {
  package var name: String
  package var holds: Bool
  /// A sentence without a full stop.
  package var saw: String

  package init(_ name: Guardrail, holds: Bool, saw: String) {
    self.name = name.rawValue
    self.holds = holds
    self.saw = saw
  }

  init(name: String, holds: Bool, saw: String) {
    self.name = name
    self.holds = holds
    self.saw = saw
  }
}

/// What must hold before anything is isolated, in the order in which it is consulted.
package enum Guardrail: String, Sendable, CaseIterable {
  case killSwitch = "kill_switch"
  case target
  case fresh
  case protected
  case oneAction = "one_action"
  case coolDown = "cool_down"
  case rate
  case tooMuchBad = "too_much_bad"
  case atOnce = "at_once"
  case tenantAtOnce = "tenant_at_once"
  case lastHealthy = "last_healthy"
}

/// What came of the last attempt of one call.
package struct HookCall: Sendable, Equatable {
  package var hook: String
  package var verb: String
  /// Unix nanoseconds.
  package var at: Int64
  /// 1-based.
  package var attempt: Int
  /// `done`, `not_in_force`, `refused` or `unreachable`.
  package var result: String
  package var evidence: String
}

/// One target that is, was, or was to be kept from calling, and all that led to it.
package struct Isolation: Sendable, Equatable {
  package var id: String
  /// The alert that it answers; empty where a person asked for it.
  package var alert: String
  package var target: IsolationTarget
  package var action: IsolationAction
  package var mode: IsolationMode
  /// The policy's name; `manual` where a person asked for it.
  package var policy: String
  /// How many isolations of the target came before it without a pause; 0 for the first.
  package var repetition = 0
  package var status: IsolationStatus
  /// When it was decided, Unix nanoseconds.
  package var startedAt: Int64
  /// When it was in force first; nil while it is not, and in a dry run.
  package var effectiveAt: Int64?
  /// When it ends by itself.
  package var releaseAt: Int64
  /// When the target was given back everywhere; nil while it is not.
  package var releasedAt: Int64?
  package var changedAt: Int64
  /// Nanoseconds that it lasts at most.
  package var length: Int64
  /// Nanoseconds between the end of its incident and the release.
  package var hold: Int64 = 0
  /// Who or what decided it.
  package var actor: String
  /// Who or what ended it; nil while it goes on.
  package var releasedBy: String?
  /// One line for people.
  package var reason: String
  /// What was known of the incident at the decision; nil where a person asked for it.
  package var incident: Incident?
  package var guardrails: [GuardrailVerdict] = []
  /// The hooks that were told to bring it into force.
  package var hooks: [String] = []
  /// The last call of each hook and verb.
  package var calls: [HookCall] = []
  /// When its incident was over, Unix nanoseconds; nil while it goes on.
  package var recoveredAt: Int64?
  /// Whether somebody was told that it does not hold.
  package var isDoubted = false

  package init(
    id: String, alert: String, target: IsolationTarget, action: IsolationAction,
    mode: IsolationMode, policy: String, status: IsolationStatus, startedAt: Int64, length: Int64,
    actor: String, reason: String
  ) {
    self.id = id
    self.alert = alert
    self.target = target
    self.action = action
    self.mode = mode
    self.policy = policy
    self.status = status
    self.startedAt = startedAt
    self.length = length
    self.actor = actor
    self.reason = reason
    releaseAt = startedAt.addingReportingOverflow(length).partialValue
    changedAt = startedAt
  }

  /// What a person asked for has no policy.
  package static let manual = "manual"

  /// Whether callers are answered by it now.
  package var isEnforced: Bool {
    mode == .enforced && status.isInForce && action != .observe
  }

  /// Notes a call, in place of the one before it of the same hook and verb.
  mutating func note(_ call: HookCall) {
    if let place = calls.firstIndex(where: { $0.hook == call.hook && $0.verb == call.verb }) {
      calls[place] = call
    } else {
      calls.append(call)
    }
  }

  /// US dollars that were kept from being spent, estimated: the excess an hour of the incident at the decision times the
  /// time in force. Of a dry run what would have been; nil where it cannot be said.
  package func saved(until now: Int64) -> Double? {
    guard action == .isolate, let rate = incident?.usdPerHour, rate > 0 else { return nil }
    let start = mode == .enforced ? effectiveAt : startedAt
    guard let start, !status.isOver || status == .released else { return nil }
    let length = max(0, min(releasedAt ?? now, releaseAt) - start)
    return rate * Double(length) / Double(CivilTime.hour)
  }
}

extension IsolationTarget {
  /// `identity svc-7 of tenant acme`
  package var text: String {
    "\(dimension.rawValue) \(value)" + (tenant.map { " of tenant \($0)" } ?? "")
  }
}
