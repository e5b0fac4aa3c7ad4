internal import Synchronization

/// Wakes one task that waits for something to do.
package final class Doorbell: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  package init() {}

  /// Wakes the waiting task, or the next that waits.
  package func ring() {
    let waiter = state.withLock { state in
      guard let waiter = state.waiter else {
        state.isRung = true
        return CheckedContinuation<Void, Never>?.none
      }
      state.waiter = nil
      return waiter
    }
    waiter?.resume()
  }

  /// Returns once the bell is rung; at once where it was since the last wait. For one task at a time.
  package func wait() async {
    await withCheckedContinuation { continuation in
      let isRung = state.withLock { state in
        if state.isRung {
          state.isRung = false
          return true
        }
        state.waiter = continuation
        return false
      }
      if isRung { continuation.resume() }
    }
  }
}
