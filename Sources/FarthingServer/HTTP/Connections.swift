internal import NIOCore
internal import Synchronization

/// The open connections: counted, bounded, and to be told when the server ends.
final class Connections: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var limit: Int
    var isDraining = false
    /// Called once the last connection is gone.
    var onEmpty: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>
  /// Connections that were opened, and those that found no room.
  let opened = Atomic<Int>(0)
  let refused = Atomic<Int>(0)

  init(limit: Int) { state = Mutex(State(limit: limit)) }

  /// Goes on with another limit; connections above a lower one are not ended.
  func change(limit: Int) { state.withLock { $0.limit = limit } }

  var count: Int { state.withLock { $0.channels.count } }

  /// Whether there is room for one more; counts it as refused where there is none.
  func hasRoom() -> Bool {
    let has = state.withLock { $0.channels.count < $0.limit && !$0.isDraining }
    if !has { refused.add(1, ordering: .relaxed) }
    return has
  }

  func add(_ channel: any Channel) {
    opened.add(1, ordering: .relaxed)
    let isLate = state.withLock { state in
      state.channels[ObjectIdentifier(channel)] = channel
      return state.isDraining
    }
    if isLate { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
  }

  func remove(_ channel: any Channel) {
    let last = state.withLock { state in
      state.channels[ObjectIdentifier(channel)] = nil
      guard state.isDraining, state.channels.isEmpty else { return nil as (@Sendable () -> Void)? }
      defer { state.onEmpty = nil }
      return state.onEmpty
    }
    last?()
  }

  /// Asks all connections to end with the request that they have at hand.
  ///
  /// - Parameter onEmpty: called once, when none is left.
  func drain(onEmpty: @escaping @Sendable () -> Void) {
    let open = state.withLock { state in
      state.isDraining = true
      state.onEmpty = state.channels.isEmpty ? nil : onEmpty
      return Array(state.channels.values)
    }
    if open.isEmpty { onEmpty() }
    for channel in open { channel.pipeline.fireUserInboundEventTriggered(DrainEvent()) }
  }

  /// Ends all connections at once.
  func closeAll() {
    for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
  }
}
