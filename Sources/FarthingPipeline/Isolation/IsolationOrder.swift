/// One thing to be done at a gateway or by a program: what a hook is given.
///
/// An order may be performed twice, after a crash or a lost answer; its id tells the other side that it is the same one.
package struct IsolationOrder: Sendable, Hashable {
  package enum Verb: String, Sendable, Hashable {
    /// Bring the action into force.
    case apply
    /// Give the target back.
    case release
    /// Say whether the target is cut off now, and change nothing.
    case probe
  }

  /// One for each isolation and verb, over all attempts and restarts.
  package var id: String
  /// The isolation's id.
  package var isolation: String
  /// The id of the alert that it answers.
  package var alert: String
  package var verb: Verb
  package var target: IsolationTarget
  package var action: IsolationAction
  /// When the isolation ends by itself, in Unix nanoseconds.
  package var releaseAt: Int64
  /// One line for people.
  package var reason: String

  package init(
    id: String, isolation: String, alert: String, verb: Verb, target: IsolationTarget,
    action: IsolationAction, releaseAt: Int64, reason: String
  ) {
    self.id = id
    self.isolation = isolation
    self.alert = alert
    self.verb = verb
    self.target = target
    self.action = action
    self.releaseAt = releaseAt
    self.reason = reason
  }
}

/// What came of one attempt to perform an order. The texts are evidence for people: what was called and what it
/// answered, shortened, without a secret.
package enum HookAnswer: Sendable, Hashable {
  /// It is done; of a probe: the target is cut off.
  case done(evidence: String)
  /// Of a probe alone: the target still gets through.
  case notInForce(evidence: String)
  /// The other side said no, and will again.
  case refused(evidence: String)
  /// No answer, or one that may differ next time: to be tried again with the same id.
  case unreachable(evidence: String)
}

/// What brings isolations into force somewhere: a gateway's own interface, a cluster, a webhook or a program.
package protocol IsolationHook: Sendable {
  /// The name in the configuration.
  var name: String { get }
  /// Which actions it can bring into force: a hook that only blocks cannot throttle.
  func supports(_ action: IsolationAction, on dimension: IsolationTarget.Dimension) -> Bool
  /// Performs an order once, within the hook's own time limit; never throws, never retries.
  func perform(_ order: IsolationOrder) async -> HookAnswer
}
