internal import FarthingPipeline
internal import FarthingStore
internal import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// `GET /v1/query` and `GET /v1/events`: questions, worked on by threads of their own so that events
/// go on being taken.
///
/// At most `queriesAtOnce` are worked on at once; `queriesWaiting`
/// wait, and beyond them a question is answered with 503.
final class QueryDesk: Sendable {
  private let questions: any Questions
  private let shelf: SnapshotShelf
  private let threads: NIOThreadPool
  private let limits: CurrentLimits
  private let metrics: ServerMetrics
  /// Questions at work or waiting.
  let open = Atomic<Int>(0)

  init(
    questions: any Questions, shelf: SnapshotShelf, threads: NIOThreadPool, limits: CurrentLimits,
    metrics: ServerMetrics
  ) {
    self.questions = questions
    self.shelf = shelf
    self.threads = threads
    self.limits = limits
    self.metrics = metrics
  }

  func ask(_ kind: QuestionKind, _ request: Request, _ reply: ReplyHandle) {
    let limits = limits.current
    let before = open.add(1, ordering: .relaxed).oldValue
    guard before < limits.queriesAtOnce + limits.queriesWaiting else {
      open.subtract(1, ordering: .relaxed)
      metrics.countRefusal("queries")
      return reply.send(
        RequestFault(.overloaded, "too many questions wait for their answers", retryAfter: 1))
    }
    let question: any PreparedQuestion
    do throws(RequestFault) {
      question = try questions.prepare(kind, try QueryParameters(request.query))
    } catch {
      open.subtract(1, ordering: .relaxed)
      return reply.send(error)
    }
    Task {
      do throws(StoreError) {
        let snapshot = try await shelf.current()
        threads.submit { [self] state in
          if state == .active {
            answer(question, snapshot, reply)
          } else {
            reply.send(Committer.fault(StoreError(.closed, "the server is ending")))
          }
          open.subtract(1, ordering: .relaxed)
        }
      } catch {
        open.subtract(1, ordering: .relaxed)
        reply.send(RequestFault(.failed, "the store could not be read: \(error.message)"))
      }
    }
  }

  private func answer(
    _ question: any PreparedQuestion, _ snapshot: StoreSnapshot, _ reply: ReplyHandle
  ) {
    let answer: QuestionAnswer
    do throws(RequestFault) {
      answer = try question.answer(over: snapshot)
    } catch {
      return reply.send(error)
    }
    var head = Reply(status: .ok, contentType: question.contentType)
    for warning in answer.warnings.prefix(16) {
      head.headers.append(("Farthing-Warning", Self.headerText(warning)))
    }
    if answer.lacksRows { head.headers.append(("Farthing-Incomplete", "rows of damaged files")) }
    let stream = ReplyStream(reply, head, patience: limits.current.writeTimeout.components.seconds)
    do {
      try answer.render { try stream.write($0) }
      try stream.end()
    } catch {
      stream.breakOff()
    }
  }

  /// Header fields carry visible ASCII only.
  private static func headerText(_ text: String) -> String {
    String(
      decoding: text.utf8.prefix(1000).map { (0x20..<0x7F).contains($0) ? $0 : 0x3F },
      as: UTF8.self)
  }
}

/// A reply that is written by one thread as it is made, no faster than its client takes it.
final class ReplyStream: Sendable {
  /// An answer up to this size goes out whole, with its length.
  private static let wholeBytes = 1 << 20

  private struct Abandoned: Error {}

  private let reply: ReplyHandle
  private let head: Reply
  /// Seconds.
  private let patience: Int64
  private let state = Mutex(State())
  /// 0 while a piece may be written, 1 while one is on its way.
  private let gate = ConditionLock(value: 0)
  private let isBroken = Atomic<Bool>(false)

  private struct State {
    var gathered: [UInt8] = []
    var hasBegun = false
  }

  init(_ reply: ReplyHandle, _ head: Reply, patience: Int64) {
    self.reply = reply
    self.head = head
    self.patience = patience
  }

  /// - Throws: where the client is gone or does not read.
  func write(_ bytes: [UInt8]) throws {
    let full = state.withLock { state -> [UInt8]? in
      state.gathered += bytes
      guard state.gathered.count >= Self.wholeBytes else { return nil }
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
    guard gate.lock(whenValue: 0, timeoutSeconds: .init(patience)) else { throw Abandoned() }
    gate.unlock(withValue: 1)
    if isBroken.load(ordering: .acquiring) { throw Abandoned() }
    reply.loop.execute { [self] in
      reply.handler.value.write(piece: piece, number: reply.number) { [self] isTaken in
        if !isTaken { isBroken.store(true, ordering: .releasing) }
        gate.lock()
        gate.unlock(withValue: 0)
      }
    }
  }

  /// - Throws: as ``write(_:)``.
  func end() throws {
    let (rest, hasBegun) = state.withLock { ($0.gathered, $0.hasBegun) }
    guard hasBegun else {
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
