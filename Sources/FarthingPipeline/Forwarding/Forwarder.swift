package import FarthingStore
internal import Synchronization

/// Brings batches to the server, whatever the protocol beneath.
package protocol ForwardTransport: Sendable {
  /// Sends a batch, or without records word of how the spool stands. Never throws: what goes wrong is an
  /// answer.
  func send(_ head: ForwardHead, _ body: [UInt8]) async -> ForwardAnswer
}

/// Takes records from the spool to the server, in order, for as long as it runs.
package actor Forwarder {
  /// What the process that runs it gives.
  package struct Surroundings: Sendable {
    /// Unix nanoseconds.
    package var clock: @Sendable () -> Int64
    /// Waits for so many nanoseconds, or until its task is cancelled.
    package var sleep: @Sendable (Int64) async -> Void
    /// At least 0 and below 1.
    package var random: @Sendable () -> Double
    /// Tells a person something: a sentence without a full stop.
    package var note: @Sendable (String) -> Void

    package init(
      clock: @escaping @Sendable () -> Int64, sleep: @escaping @Sendable (Int64) async -> Void,
      random: @escaping @Sendable () -> Double, note: @escaping @Sendable (String) -> Void
    ) {
      self.clock = clock
      self.sleep = sleep
      self.random = random
      self.note = note
    }
  }

  private let spool: Spool
  private let transport: any ForwardTransport
  private let name: String
  private let version: String
  private let around: Surroundings
  /// Rung when the spool has new records, and when it is time to end.
  private let bell: Doorbell
  private var state: ForwardingState
  private var records: [SpoolRecord] = []
  private var body: [UInt8] = []
  /// nil while it is not to end.
  private var deadline: Int64?
  /// What was forwarded since the start.
  package private(set) var forwardedEvents = 0
  package private(set) var forwardedBatches = 0
  /// Batches that were kept aside since the start.
  package private(set) var refusedBatches = 0

  package init(
    spool: Spool, transport: any ForwardTransport, name: String, version: String,
    options: ForwardingOptions = ForwardingOptions(), bell: Doorbell, around: Surroundings
  ) {
    self.spool = spool
    self.transport = transport
    self.name = name
    self.version = version
    self.around = around
    self.bell = bell
    state = ForwardingState(options, now: around.clock(), random: around.random())
  }

  /// Ends once nothing waits any more, at the latest at a time, Unix nanoseconds.
  package func finish(by deadline: Int64) {
    self.deadline = deadline
    bell.ring()
  }

  /// Forwards until it is asked to finish or its task is cancelled.
  package func run() async {
    await spool.rewind()
    while !Task.isCancelled {
      for report in await spool.takeDamage() { around.note(report.message) }
      let now = around.clock()
      if let deadline {
        if now >= deadline { return }
        if state.batch == nil, await !spool.hasUnread { return }
      }
      switch state.step(now: now, hasEvents: await spool.hasUnread) {
      case .rest(let until, let endsWithEvents):
        await rest(until: min(until, deadline ?? .max), endsWithEvents: endsWithEvents)
      case .read(let textBytes, let events):
        await read(textBytes: textBytes, events: events)
      case .send:
        await send()
      }
    }
  }

  private func rest(until: Int64, endsWithEvents: Bool) async {
    let length = max(0, until - around.clock())
    // By the time that has gone, not by the clock alone: it may be set back meanwhile.
    let over = RestEnd()
    let timer = Task { [bell, around, over] in
      await around.sleep(length)
      over.reach()
      bell.ring()
    }
    defer { timer.cancel() }
    repeat {
      await withTaskCancellationHandler {
        await bell.wait()
      } onCancel: {
        bell.ring()
      }
      if endsWithEvents || Task.isCancelled || deadline != nil { return }
    } while around.clock() < until && !over.isReached
  }

  private func read(textBytes: Int, events: Int) async {
    do {
      records = try await spool.next(textBytes: textBytes, events: events)
      body = try ForwardBody.make(records)
      guard let first = records.first, let last = records.last else {
        return state.take(nil, now: around.clock())
      }
      state.take(
        ForwardingState.Batch(
          first: first.sequence, last: last.sequence, records: records.count),
        now: around.clock())
    } catch {
      await spool.rewind()
      await perform(
        state.readingFailed("\(error)", now: around.clock(), random: around.random()))
    }
  }

  private func send() async {
    let head = await head(now: around.clock())
    let answer = await transport.send(head, state.batch == nil ? [] : body)
    if Task.isCancelled { return }
    let lastSequence = await spool.survey.lastSequence
    await perform(
      state.answer(
        answer, lastSequence: lastSequence, now: around.clock(), random: around.random()))
  }

  private func head(now: Int64) async -> ForwardHead {
    let survey = await spool.survey
    let sent = state.batch == nil ? 0 : records.reduce(0) { $0 + $1.events }
    let waiting = max(0, survey.waitingEvents - sent)
    let age = survey.oldestTime.map { max(0, now - $0) / 1_000_000 } ?? 0
    return ForwardHead(
      agent: name, version: version, stream: survey.stream,
      first: state.batch?.first ?? survey.acknowledged + 1,
      records: state.batch?.records ?? 0,
      settled: survey.acknowledged,
      waitingEvents: waiting, lagMilliseconds: waiting > 0 ? age : 0, spoolBytes: survey.bytes,
      spoolCapacity: survey.capacity, lostRecords: survey.lostRecords)
  }

  private func perform(_ actions: [ForwardingState.Action]) async {
    for action in actions {
      switch action {
      case .acknowledge(let through):
        let done = records.filter { $0.sequence <= through }
        forwardedEvents += done.reduce(0) { $0 + $1.events }
        forwardedBatches += 1
        await tolerate {
          try await self.spool.acknowledge(through: through, now: self.around.clock())
        }
      case .setAside(let words):
        refusedBatches += 1
        await setAside(words)
      case .rewind:
        await spool.rewind()
      case .renew:
        let name = UInt64(around.random() * 0x1p63) ^ UInt64(around.random() * 0x1p63) &<< 20
        await tolerate { try await self.spool.renewStream(name) }
      case .note(let words):
        around.note(words)
      }
    }
    if state.batch == nil {
      records = []
      body = []
    }
  }

  /// Keeps the batch at hand in files, trying again until the disk takes them: it may be lost nowhere.
  private func setAside(_ words: String) async {
    let events = records.reduce(0) { $0 + $1.events }
    while !Task.isCancelled {
      do {
        let path = try await spool.setAside(records, answer: words)
        around.note(
          "the server refused a batch of \(events) events for good: \(words); it is kept in \(path)"
        )
        return
      } catch {
        around.note("a refused batch cannot be kept aside: \(error); trying again")
        await around.sleep(5_000_000_000)
      }
    }
  }

  /// What fails here is made good by the next acknowledgement, or sent again after a start.
  private func tolerate(_ body: () async throws -> Void) async {
    do { try await body() } catch { around.note("the spool's state cannot be kept: \(error)") }
  }
}

/// Whether a rest has lasted as long as it was to.
private final class RestEnd: Sendable {
  private let reached = Atomic<Bool>(false)

  var isReached: Bool { reached.load(ordering: .acquiring) }

  func reach() { reached.store(true, ordering: .releasing) }
}
