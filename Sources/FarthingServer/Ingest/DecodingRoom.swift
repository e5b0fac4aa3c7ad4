internal import Synchronization

/// The memory that decoded events may take until they are stored; bodies wait for it, in their order.
///
/// A body is at most a few hundred bytes for each of its own: 20 MiB of short lines are 300 MB of events.
/// What waits here are bodies as they came or were expanded, which have a budget of their own, and
/// nothing that holds room waits for a body, so the wait ends. A body that finds nobody at work goes
/// on however large it is: no limit keeps one out for ever.
final class DecodingRoom: Sendable {
  typealias Turn = @Sendable () -> Void

  private struct State {
    var limit: Int
    var held = 0
    var waiting: [(bytes: Int, turn: Turn)] = []
    /// The first of ``waiting`` that still waits.
    var first = 0

    var hasWaiting: Bool { first < waiting.count }

    mutating func take(_ bytes: Int) -> Bool {
      guard held == 0 || held + bytes <= limit else { return false }
      held += bytes
      return true
    }

    /// Those whose turn it is, with the room they asked for.
    mutating func next() -> [Turn] {
      var turns: [Turn] = []
      while hasWaiting, take(waiting[first].bytes) {
        turns.append(waiting[first].turn)
        first += 1
      }
      if !hasWaiting {
        waiting.removeAll(keepingCapacity: true)
        first = 0
      } else if first > 1_024 {
        waiting.removeFirst(first)
        first = 0
      }
      return turns
    }
  }

  private let state: Mutex<State>

  init(limit: Int) { state = Mutex(State(limit: limit)) }

  /// Goes on with another limit.
  func change(limit: Int) {
    let turns = state.withLock { state in
      state.limit = limit
      return state.next()
    }
    for turn in turns { turn() }
  }

  /// Takes room at once, or none where there is too little or others wait.
  func take(_ bytes: Int) -> Bool {
    state.withLock { !$0.hasWaiting && $0.take(bytes) }
  }

  /// Takes room and calls `turn`: at once, or on the thread that gives back what it waited for.
  func take(_ bytes: Int, then turn: @escaping Turn) {
    let isReady = state.withLock { state in
      if !state.hasWaiting, state.take(bytes) { return true }
      state.waiting.append((bytes, turn))
      return false
    }
    if isReady { turn() }
  }

  /// Holds so much in place of what was asked for: what it really takes is known once it is there.
  func change(_ before: Int, to bytes: Int) {
    let turns = state.withLock { state in
      state.held += bytes - before
      return bytes < before ? state.next() : []
    }
    for turn in turns { turn() }
  }

  func giveBack(_ bytes: Int) { change(bytes, to: 0) }

  /// Bytes held now, and bodies that wait.
  var figures: (held: Int, waiting: Int) {
    state.withLock { ($0.held, $0.waiting.count - $0.first) }
  }
}
