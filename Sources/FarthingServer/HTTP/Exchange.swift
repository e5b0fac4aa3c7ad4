/// Where a connection is between two requests: what came of one and what was answered to it.
///
/// A request side and a reply side, since a reply may be given before its request has come whole:
///
///     request   between → receiving → complete → between
///                            ↘ discarding ↗      (refused, or answered early)
///     reply     none → awaited → streaming → done → none
///
/// The next request begins when both sides are through. The pipeline in front holds it back until
/// then.
struct Exchange {
  enum RequestSide: Equatable {
    case between
    case receiving
    /// What still comes is thrown away, up to so many bytes.
    case discarding(left: Int)
    case complete
  }

  enum ReplySide: Equatable {
    case none
    case awaited
    case streaming
    case done
  }

  /// What the connection does next.
  enum Step: Equatable {
    case nothing
    /// Both sides are through: wait for the next request.
    case proceed
    case close
  }

  private(set) var request = RequestSide.between
  private(set) var reply = ReplySide.none
  /// Whether the connection ends once the reply is out.
  private(set) var closes = false
  /// Tells replies that come late from those of the request at hand.
  private(set) var number = 0

  /// A head came.
  mutating func begin(keepsAlive: Bool) {
    number += 1
    request = .receiving
    reply = .awaited
    closes = !keepsAlive
  }

  /// The rest of the request is of no interest any more.
  mutating func discardRest(atMost bytes: Int) {
    if request == .receiving { request = .discarding(left: bytes) }
  }

  /// A part of a body that is thrown away.
  mutating func discard(_ count: Int) -> Step {
    guard case .discarding(let left) = request else { return .nothing }
    guard count <= left else { return .close }
    request = .discarding(left: left - count)
    return .nothing
  }

  /// The request has come whole.
  mutating func endOfRequest() -> Step {
    request = .complete
    return step
  }

  /// A reply that goes out in pieces has begun.
  mutating func beginReply() { reply = .streaming }

  mutating func closeAfterReply() { closes = true }

  /// The reply is handed to the socket.
  mutating func endOfReply() -> Step {
    reply = .done
    return step
  }

  private var step: Step {
    guard request == .complete, reply == .done else { return .nothing }
    return closes ? .close : .proceed
  }

  /// Makes room for the next request.
  mutating func proceed() {
    request = .between
    reply = .none
  }

  var isBetween: Bool { request == .between && reply == .none }
}
