internal import NIOConcurrencyHelpers
internal import NIOCore
internal import Synchronization

/// A reply that is written by one thread as it is made.
///
/// Pieces that the client has not taken yet wait in a budget that all answers share, so that a slow
/// client does not hold its thread; beyond the budget a reply goes no faster than its client takes it.
final class ReplyStream: Sendable {
  /// Bytes of all answers together that wait for their clients.
  static let budgetBytes = 64 << 20
  /// An answer up to this size goes out whole, with its length.
  private static let wholeBytes = 64 << 10
  private static let pieceBytes = 1 << 20
  /// Seconds that a client may take for a piece while other questions wait for the thread.
  private static let crowdedPatience: Int64 = 10

  private struct Abandoned: Error {}

  private let reply: ReplyHandle
  private let head: Reply
  private let budget: ByteBudget
  /// Seconds.
  private let patience: Int64
  private let isCrowded: @Sendable () -> Bool
  private let state = Mutex(State())
  /// 0 while a piece beyond the budget may be written, 1 while one is on its way.
  private let gate = ConditionLock(value: 0)
  private let isBroken = Atomic<Bool>(false)

  private struct State {
    var gathered: [UInt8] = []
    var hasBegun = false
  }

  /// - Parameter isCrowded: whether other questions wait for the thread that writes.
  init(
    _ reply: ReplyHandle, _ head: Reply, budget: ByteBudget, patience: Int64,
    isCrowded: @escaping @Sendable () -> Bool
  ) {
    self.reply = reply
    self.head = head
    self.budget = budget
    self.patience = patience
    self.isCrowded = isCrowded
  }

  /// - Throws: where the client is gone or does not read.
  func write(_ bytes: [UInt8]) throws {
    let full = state.withLock { state -> [UInt8]? in
      state.gathered += bytes
      guard state.gathered.count >= Self.pieceBytes else { return nil }
      var full: [UInt8] = []
      swap(&full, &state.gathered)
      return full
    }
    if let full { try send(full) }
  }

  private func send(_ piece: [UInt8]) throws {
    let isFirst = state.withLock { state in
      defer { state.hasBegun = true }
      return !state.hasBegun
    }
    let (reply, head) = (reply, head)
    if isFirst {
      reply.loop.execute { reply.handler.value.begin(head, number: reply.number) }
    }
    if isBroken.load(ordering: .acquiring) { throw Abandoned() }
    let count = piece.count
    let isBudgeted = budget.take(count)
    if !isBudgeted {
      let seconds = isCrowded() ? min(patience, Self.crowdedPatience) : patience
      guard gate.lock(whenValue: 0, timeoutSeconds: .init(seconds)) else { throw Abandoned() }
      gate.unlock(withValue: 1)
      if isBroken.load(ordering: .acquiring) { throw Abandoned() }
    }
    reply.loop.execute { [self] in
      reply.handler.value.write(piece: piece, number: reply.number) { [self] isTaken in
        if !isTaken { isBroken.store(true, ordering: .releasing) }
        if isBudgeted {
          budget.giveBack(count)
        } else {
          gate.lock()
          gate.unlock(withValue: 0)
        }
      }
    }
  }

  /// - Throws: as ``write(_:)``.
  func end() throws {
    let (rest, hasBegun) = state.withLock { ($0.gathered, $0.hasBegun) }
    guard hasBegun || rest.count > Self.wholeBytes else {
      var whole = head
      whole.body = rest
      return reply.send(whole)
    }
    if !rest.isEmpty { try send(rest) }
    let reply = reply
    reply.loop.execute { reply.handler.value.endReply(isWhole: true, number: reply.number) }
  }

  /// The reply stays unfinished, and the connection is closed so that its client knows.
  func breakOff() {
    let hasBegun = state.withLock { $0.hasBegun }
    let reply = reply
    guard hasBegun else {
      return reply.send(RequestFault(.failed, "the answer could not be written"))
    }
    reply.loop.execute { reply.handler.value.endReply(isWhole: false, number: reply.number) }
  }
}
