internal import Synchronization

/// A clock that stands still until a test moves it.
///
/// A sleeper wakes when the clock is moved to or past its deadline, or when its task is cancelled.
package final class ManualClock: Clock, Sendable {
  package struct Instant: InstantProtocol, Sendable {
    /// Since the clock was made.
    package let offset: Duration

    package func advanced(by duration: Duration) -> Instant {
      Instant(offset: offset + duration)
    }

    package func duration(to other: Instant) -> Duration { other.offset - offset }

    package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  private struct Sleeper {
    let deadline: Instant
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Instant(offset: .zero)
    var sleepers: [Int: Sleeper] = [:]
    var nextSleeper = 0
  }

  /// Guards the time and the sleepers, so that none misses a move.
  private let state = Mutex(State())
  /// What the wall clock shows when the manual one is at zero, Unix nanoseconds.
  private let origin: Int64

  /// - Parameter unixNanoseconds: the wall clock at the beginning.
  package init(unixNanoseconds: Int64 = 1_760_000_000_000_000_000) {
    origin = unixNanoseconds
  }

  package var now: Instant { state.withLock { $0.now } }
  package var minimumResolution: Duration { .nanoseconds(1) }

  /// The wall clock, Unix nanoseconds.
  package var unixNanoseconds: Int64 {
    let (seconds, attoseconds) = now.offset.components
    return origin + seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  /// How many tasks sleep on this clock.
  package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// Moves the clock and wakes whoever is due.
  package func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now = state.now.advanced(by: duration)
      let due = state.sleepers.filter { $0.value.deadline <= state.now }
      for key in due.keys { state.sleepers[key] = nil }
      return due.sorted { $0.value.deadline < $1.value.deadline }.map(\.value.continuation)
    }
    for continuation in due { continuation.resume() }
  }

  package func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
    let key = state.withLock { state in
      state.nextSleeper += 1
      return state.nextSleeper
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Void, any Error>) in
        let isDone = state.withLock { state in
          if state.now >= deadline || Task.isCancelled { return true }
          state.sleepers[key] = Sleeper(deadline: deadline, continuation: continuation)
          return false
        }
        guard isDone else { return }
        if Task.isCancelled {
          continuation.resume(throwing: CancellationError())
        } else {
          continuation.resume()
        }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: key) }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }
}
