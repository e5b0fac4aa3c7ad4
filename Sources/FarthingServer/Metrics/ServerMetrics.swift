internal import FarthingCore
internal import FarthingPipeline
internal import NIOHTTP1
internal import Synchronization

/// What the server counts of itself.
///
/// Every set of labels is bounded: routes, statuses, reasons and sources are of fixed lists.
final class ServerMetrics: Sendable {
  struct RouteStatus: Hashable {
    var method: String
    var route: String
    var status: Int
  }

  struct State {
    var replies: [RouteStatus: Int] = [:]
    var durations: [String: Histogram] = [:]
    var refusals: [String: Int] = [:]
    var handshakeFailures: [HandshakeFailure: Int] = [:]
    var rejections: [String: Int] = [:]
    var warnings: [String: Int] = [:]
    var accepted: [String: Int] = [:]
    var duplicates: [String: Int] = [:]
    /// By source: the newest `time` of an accepted event, Unix nanoseconds.
    var newest: [String: Int64] = [:]
    var commits = Histogram(Histogram.syncBounds)
  }

  private let state = Mutex(State())

  /// Counts a request that got its reply.
  ///
  /// - Parameter route: nil where there is none.
  func countReply(_ route: Route?, status: Int, nanoseconds: Int64) {
    let method = route?.method.rawValue ?? "any"
    let pattern = route?.pattern ?? "other"
    state.withLock { state in
      let key = RouteStatus(method: method, route: pattern, status: status)
      state.replies[key, default: 0] += 1
      state.durations[method + " " + pattern, default: Histogram(Histogram.requestBounds)]
        .add(nanoseconds)
    }
  }

  /// Counts what a limit turned away; `reason` is a word of the code.
  func countRefusal(_ reason: String) {
    state.withLock { $0.refusals[reason, default: 0] += 1 }
  }

  /// Counts a connection that ended before its TLS handshake was through.
  func countHandshakeFailure(_ reason: HandshakeFailure) {
    state.withLock { $0.handshakeFailures[reason, default: 0] += 1 }
  }

  /// Counts the refused events of a body by what was wrong: a field of the contract, or the JSON.
  func count(_ receipt: IngestReceipt) {
    guard receipt.rejected > 0 else { return }
    state.withLock { state in
      for refusal in receipt.refusals {
        state.rejections[Self.reason(refusal.rejection.field), default: 0] += 1
      }
      let unlisted = receipt.rejected - receipt.refusals.count
      if unlisted > 0 { state.rejections["unlisted", default: 0] += unlisted }
    }
  }

  /// Counts a warning of what a source sends, which is said once.
  func countWarning(_ source: String) {
    state.withLock { $0.warnings[source, default: 0] += 1 }
  }

  /// Sources told apart; the others are one.
  private static let sourceLimit = 64
  private static let otherSources = "(other)"

  private static let fieldNames = Set(ContractField.names)

  private static func reason(_ field: String?) -> String {
    guard let field else { return "json" }
    let name = String(field.prefix { $0 != "." })
    return fieldNames.contains(name) ? name : "other"
  }

  /// Counts what was stored of an upload.
  ///
  /// - Parameter newest: the newest `time` among its events; nil where there is none.
  func count(source: String, accepted: Int, duplicates: Int, newest: Int64?) {
    state.withLock { state in
      // Agents name the sources of what they forward.
      let isKnown = state.accepted[source] != nil || state.accepted.count < Self.sourceLimit
      let source = isKnown ? source : Self.otherSources
      state.accepted[source, default: 0] += accepted
      if duplicates > 0 { state.duplicates[source, default: 0] += duplicates }
      if let newest { state.newest[source] = max(state.newest[source] ?? .min, newest) }
    }
  }

  /// Counts a wait for the log's sync.
  func countCommit(nanoseconds: Int64) { state.withLock { $0.commits.add(nanoseconds) } }

  var current: State { state.withLock { $0 } }
}

/// Counts of durations below fixed bounds.
struct Histogram: Sendable {
  /// Nanoseconds, ascending.
  let bounds: [Int64]
  /// One for each bound, and one for what is above all.
  private(set) var counts: [Int]
  /// Nanoseconds.
  private(set) var sum: Int64 = 0

  /// From half a millisecond, a kept connection's answer, to what a long query takes.
  static let requestBounds: [Int64] = [
    500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000, 50_000_000, 100_000_000,
    250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 10_000_000_000,
  ]
  /// From what a virtual disk claims to what a failing one takes.
  static let syncBounds: [Int64] = [
    100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000, 20_000_000,
    50_000_000, 100_000_000, 500_000_000, 1_000_000_000, 10_000_000_000,
  ]

  init(_ bounds: [Int64]) {
    self.bounds = bounds
    counts = Array(repeating: 0, count: bounds.count + 1)
  }

  mutating func add(_ nanoseconds: Int64) {
    let place = bounds.firstIndex { nanoseconds <= $0 } ?? bounds.count
    counts[place] += 1
    sum = sum.addingReportingOverflow(max(0, nanoseconds)).partialValue
  }

  var count: Int { counts.reduce(0, +) }
}
