internal import FarthingCore
internal import FarthingPipeline
package import FarthingStore
internal import Synchronization

/// Where uploads become durable.
package protocol UploadStore: Sendable {
  /// What became of each, once all of them are durable or refused.
  func append(_ uploads: [Upload]) async -> [Result<AppendResult, StoreError>]
  /// Whether an upload could be stored now; throws why not.
  func probe() async throws(StoreError)
  /// Whether so little space is left that a probe may fail.
  var isLowOnSpace: Bool { get }
}

extension StoreWriter: UploadStore {}

/// Brings the uploads of all connections to the writer, many at a time.
///
/// While one group is on its way to the disk the next one gathers; where that has much to lay out, it
/// does not wait for the first one's sync. What waits is bounded by `uploadsWaiting` and by the bytes of
/// the bodies at work; at the bound an upload is refused with 503.
///
/// Where the log cannot be written, everything is refused at once until a probe has found room
/// again: each attempt on a full disk would cost a log file.
final class Committer: Sendable {
  typealias Finish = @Sendable (Result<AppendResult, StoreError>) -> Void

  private struct Waiting {
    var upload: Upload
    var finish: Finish
  }

  private struct State {
    var waiting: [Waiting] = []
    /// Groups on their way.
    var groups = 0
    /// Why nothing can be stored at the moment.
    var outage: StoreError?
    var isProbing = false
    /// When something was stored or tried last, by the monotonic clock.
    var lastAttempt = Int64.min
  }

  /// One is synced while ids of the next are looked up. Only for large uploads: small ones are cheaper
  /// the more of them share a group.
  private static let groupsAtOnce = 2
  /// Seconds after which a client may try again where the disk is the trouble.
  private static let outageRetry = 5

  /// Nanoseconds between two looks at a disk with little space: each writes and syncs 8 MiB.
  private static let lookInterval: Int64 = 5_000_000_000

  private let store: any UploadStore
  private let limits: CurrentLimits
  private let metrics: ServerMetrics
  private let monotonic: @Sendable () -> Int64
  /// Waits between two probes.
  private let pause: @Sendable () async -> Void
  private let state = Mutex(State())
  /// Grows with each group that became durable.
  let appended = Atomic<Int>(0)

  init(
    store: any UploadStore, limits: CurrentLimits, metrics: ServerMetrics,
    monotonic: @escaping @Sendable () -> Int64, pause: @escaping @Sendable () async -> Void
  ) {
    self.store = store
    self.limits = limits
    self.metrics = metrics
    self.monotonic = monotonic
    self.pause = pause
  }

  /// Uploads that wait for their group.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  /// Why nothing can be stored at the moment; nil where all is well.
  var outage: StoreError? { state.withLock { $0.outage } }

  /// Stores an upload; `finish` hears what became of it once that is durable, on any thread.
  ///
  /// - Throws: `overloaded` where too many wait, `storageFull` or `unavailable` during an outage.
  func submit(_ upload: Upload, finish: @escaping Finish) throws(RequestFault) {
    let limit = limits.current.uploadsWaiting
    let (fault, starts) = state.withLock { state -> (RequestFault?, Bool) in
      if let outage = state.outage { return (Self.fault(outage), false) }
      guard state.waiting.count < limit else {
        return (
          RequestFault(.overloaded, "too many uploads wait for the disk", retryAfter: 1), false
        )
      }
      state.waiting.append(Waiting(upload: upload, finish: finish))
      let limit = upload.prepared.isEmpty ? 1 : Self.groupsAtOnce
      guard state.groups < limit else { return (nil, false) }
      state.groups += 1
      return (nil, true)
    }
    if let fault {
      if fault.code == .storageFull { metrics.countRefusal("storage") }
      throw fault
    }
    if starts { Task { await work() } }
  }

  static func fault(_ error: StoreError) -> RequestFault {
    switch error.code {
    case .diskFull:
      RequestFault(
        .storageFull, "no room is left: nothing of this request was acknowledged; send it again",
        retryAfter: outageRetry)
    case .limitExceeded:
      RequestFault(
        .storageFull,
        "there is no room for so much at once: nothing of this request was "
          + "acknowledged; send it in smaller parts, or again later", retryAfter: outageRetry)
    case .closed:
      RequestFault(.unavailable, "the server is ending; send this again", retryAfter: 1)
    default:
      RequestFault(
        .unavailable,
        "the store cannot be written: nothing of this request was acknowledged; send it again",
        retryAfter: outageRetry)
    }
  }

  /// Takes groups until none waits.
  private func work() async {
    while let group = next() {
      let start = monotonic()
      let results = await store.append(group.map(\.upload))
      metrics.countCommit(nanoseconds: monotonic() - start)
      appended.add(1, ordering: .releasing)
      state.withLock { $0.lastAttempt = start }
      for (waiting, result) in zip(group, results) {
        if case .failure(let error) = result { note(error) }
        waiting.finish(result)
      }
    }
  }

  private func next() -> [Waiting]? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.groups -= 1
        return nil
      }
      var group: [Waiting] = []
      swap(&group, &state.waiting)
      return group
    }
  }

  private func note(_ error: StoreError) {
    // What is too large for the room that is left says nothing of smaller ones.
    guard error.code != .closed, error.code != .limitExceeded else { return }
    let starts = state.withLock { state in
      state.outage = error
      defer { state.isProbing = true }
      return !state.isProbing
    }
    if starts { Task { await probe() } }
  }

  /// Tries whether anything can be stored where little space is left and nobody has tried lately: a
  /// disk that was filled while nothing came, or before the start, is an outage that nobody has met.
  func look() async {
    guard store.isLowOnSpace else { return }
    let now = monotonic()
    let isDue = state.withLock { state in
      let age = now.subtractingReportingOverflow(state.lastAttempt)
      guard state.outage == nil, age.overflow || age.partialValue >= Self.lookInterval else {
        return false
      }
      state.lastAttempt = now
      return true
    }
    guard isDue else { return }
    do throws(StoreError) {
      try await store.probe()
    } catch {
      note(error)
    }
  }

  /// Ends once the log can be written again.
  private func probe() async {
    while true {
      await pause()
      do throws(StoreError) {
        try await store.probe()
        state.withLock { state in
          state.outage = nil
          state.isProbing = false
        }
        return
      } catch {
        state.withLock { $0.outage = error }
        if error.code == .closed { return }
      }
    }
  }
}
