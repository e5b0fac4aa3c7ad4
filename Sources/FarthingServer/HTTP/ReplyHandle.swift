internal import NIOCore
internal import Synchronization

/// Whether a connection is over, for threads that work for it.
final class ConnectionLife: Sendable {
  private let ended = Atomic<Bool>(false)

  var isOver: Bool { ended.load(ordering: .relaxed) }

  func end() { ended.store(true, ordering: .relaxed) }
}

/// Where the answer to one request goes, from any thread.
struct ReplyHandle: Sendable {
  let loop: any EventLoop
  let handler: NIOLoopBound<ConnectionHandler>
  let number: Int
  let life: ConnectionLife

  /// Answers, once.
  func send(_ reply: Reply) {
    if loop.inEventLoop {
      handler.value.finish(reply, number: number)
    } else {
      loop.execute { handler.value.finish(reply, number: number) }
    }
  }

  func send(_ fault: RequestFault) { send(fault.reply) }
}
