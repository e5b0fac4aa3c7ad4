internal import FarthingPipeline
internal import Synchronization

/// The limits in force, which a reload of the configuration may replace.
final class CurrentLimits: Sendable {
  private let limits: Mutex<ServerLimits>

  init(_ limits: ServerLimits) { self.limits = Mutex(limits) }

  var current: ServerLimits { limits.withLock { $0 } }

  func replace(_ limits: ServerLimits) { self.limits.withLock { $0 = limits } }
}
