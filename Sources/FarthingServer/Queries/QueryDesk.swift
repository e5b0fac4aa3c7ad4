internal import FarthingPipeline
internal import FarthingStore
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// `GET /v1/query`, `GET /v1/events`, `POST /v1/sql` and the like: questions, worked on by threads of their own so that events
/// go on being taken.
///
/// At most `queriesAtOnce` are worked on at once; `queriesWaiting`
/// wait, and beyond them a question is answered with 503.
final class QueryDesk: Sendable {
  private let questions: any Questions
  private let shelf: SnapshotShelf
  private let prices: CurrentPrices
  private let threads: NIOThreadPool
  private let limits: CurrentLimits
  private let metrics: ServerMetrics
  /// Most bytes of a statement.
  private static let statementBytes = 1 << 20
  /// What answers wait in for clients that read slowly.
  private let unread = ByteBudget(limit: ReplyStream.budgetBytes)
  /// Questions at work or waiting.
  let open = Atomic<Int>(0)

  init(
    questions: any Questions, shelf: SnapshotShelf, prices: CurrentPrices, threads: NIOThreadPool,
    limits: CurrentLimits, metrics: ServerMetrics
  ) {
    self.questions = questions
    self.shelf = shelf
    self.prices = prices
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
      question = try questions.prepare(
        kind, try QueryParameters(request.query),
        QuestionContext(
          body: try request.plainBody(limit: Self.statementBytes), book: prices.book))
    } catch {
      open.subtract(1, ordering: .relaxed)
      return reply.send(error)
    }
    Task {
      do throws(StoreError) {
        let snapshot = try await shelf.current()
        threads.submit { [self] state in
          if state == .active {
            // Nobody waits for an answer any more where the client has hung up.
            if !reply.life.isOver { answer(question, snapshot, reply) }
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
    for note in answer.notes.prefix(16) {
      head.headers.append(("Farthing-Note", Self.headerText(note)))
    }
    if answer.lacksRows { head.headers.append(("Farthing-Incomplete", "rows of damaged files")) }
    let limits = limits.current
    let stream = ReplyStream(
      reply, head, budget: unread, patience: limits.writeTimeout.components.seconds
    ) { [self] in open.load(ordering: .relaxed) > limits.queriesAtOnce }
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
