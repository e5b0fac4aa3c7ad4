internal import FarthingPipeline
internal import NIOHTTP1
internal import Synchronization

/// Judges callers by the heads of their requests, before anything of a body is read.
final class Gate: Sendable {
  private let control: Mutex<AccessControl>
  private let clock: @Sendable () -> Int64
  private let monotonic: @Sendable () -> Int64

  init(
    _ policy: AccessPolicy, clock: @escaping @Sendable () -> Int64,
    monotonic: @escaping @Sendable () -> Int64
  ) {
    control = Mutex(AccessControl(policy, monotonicNow: monotonic()))
    self.clock = clock
    self.monotonic = monotonic
  }

  private var now: AccessTime {
    AccessTime(unixNanoseconds: clock(), monotonicNanoseconds: monotonic())
  }

  /// - Throws: the refusal as HTTP says it.
  func admit(_ headers: HTTPHeaders, to scope: AccessScope) throws(RequestFault) -> AccessGrant {
    let authorization = headers["authorization"]
    let verdict = control.withLock { [now] in
      $0.authorise(authorization, needs: scope, at: now)
    }
    switch verdict {
    case .admitted(let grant): return grant
    case .refused(let refusal): throw RequestFault(refusal)
    }
  }

  /// Charges the events that an admitted request stored.
  func charge(_ events: Int, to grant: AccessGrant) {
    guard events > 0 else { return }
    control.withLock { [now] in $0.charge(events, to: grant, at: now) }
  }

  /// Goes on by another policy.
  func replace(_ policy: AccessPolicy) {
    control.withLock { [now] in $0.replace(policy, monotonicNow: now.monotonicNanoseconds) }
  }

  var counts: [(token: String?, counts: AccessCounts)] { control.withLock { $0.counts } }
}

extension RequestFault {
  fileprivate init(_ refusal: AccessRefusal) {
    let code: Code =
      switch refusal.reason {
      case .tokenMissing, .tokenUnknown, .tokenExpired: .unauthorized
      case .scopeMissing: .forbidden
      case .rate: .rateLimited
      case .quota: .quotaExceeded
      }
    self.init(code, refusal.message)
    // The refusal's own headers have Retry-After where there is one.
    headers = refusal.headers.map { ($0.name, $0.value) }
  }
}
