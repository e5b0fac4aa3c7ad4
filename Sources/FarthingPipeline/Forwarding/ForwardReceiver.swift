package import FarthingCore
package import FarthingStore

// The server's side of forwarding: each record of an agent once, in order.
//
// The store keeps how far it has an agent's stream as the position of a source, durable in one step with
// the events. So a batch that comes again, since its answer was lost or the agent or the server died, is
// recognised without trusting the ids of its events: what of it is stored is left out. Batches of one
// agent are taken one after the other; agents do not wait for each other, but only so many batches are
// worked on at once.

/// Where forwarded events go.
package protocol ForwardSink: Sendable {
  /// The position that is durable for a source; nil where there is none.
  func position(of source: String) async -> SourcePosition?
  /// Stores batches in order, each in one step with its position.
  func append(
    _ batches: [(batch: ChargedBatch, progress: SourceProgress)], receivedTime: Int64
  ) async -> Result<AppendCount, StoreError>
}

/// What an agent is answered.
package enum ForwardReply: Sendable {
  /// Everything up to a record is stored.
  case stored(through: Int64, IngestReceipt)
  /// The batch begins behind what is stored and what the agent has settled.
  case gap(stored: Int64)
  /// Not now.
  case busy(retryAfter: Int)
  case failed(StoreError)
}

/// Takes the batches of agents into the store.
package actor ForwardReceiver {
  private let sink: any ForwardSink
  private let registry: AgentRegistry
  /// Batches that are worked on at once.
  private let limit: Int
  private var open = 0
  private var refusedInARow = 0
  /// Streams of which a batch is being stored.
  private var busy: Set<UInt64> = []

  package init(sink: any ForwardSink, registry: AgentRegistry, limit: Int) {
    self.sink = sink
    self.registry = registry
    self.limit = limit
  }

  /// Begins with a batch, before it is decoded. What is begun has to be stored or given up.
  ///
  /// - Parameter random: at least 0 and below 1.
  /// - Returns: nil where it may be worked on, else after how many seconds to come again. They spread
  ///   the more, the more agents were sent away: each is to find the door open when it is back.
  package func begin(_ head: ForwardHead, now: Int64, random: Double) -> Int? {
    registry.hear(head, now: now)
    if open >= limit {
      refusedInARow += 1
      let spread = min(60, 2 + refusedInARow / max(1, limit))
      return 1 + Int(random * Double(spread))
    }
    // An attempt of the same agent that is still at work: its answer was lost on the way.
    if busy.contains(head.stream) { return 1 }
    refusedInARow = 0
    open += 1
    busy.insert(head.stream)
    return nil
  }

  /// Ends with a batch that was begun and cannot be stored.
  package func giveUp(_ head: ForwardHead) {
    open -= 1
    busy.remove(head.stream)
  }

  /// Stores what of a batch is not stored yet, and ends with it.
  package func store(_ forward: DecodedForward, now: Int64) async -> ForwardReply {
    defer { giveUp(forward.head) }
    let head = forward.head
    let known = await position(head)
    guard head.records == 0 || head.first <= max(known.sequence, head.settled) + 1 else {
      return .gap(stored: known.sequence)
    }
    let batches = forward.batches(after: known)
    var receipt = forward.receipt
    if head.last <= known.sequence || batches.isEmpty {
      // Refusals were told with the first answer, should it have arrived.
      receipt.duplicates = forward.eventCount
    } else {
      receipt.duplicates =
        forward.eventCount - batches.reduce(0) { $0 + $1.batch.decoded.events.count }
      switch await sink.append(batches, receivedTime: now) {
      case .failure(let error): return .failed(error)
      case .success(let count):
        registry.note(head.stream, sites: Self.sites(batches))
        receipt.accepted = count.accepted
        receipt.duplicates += count.duplicates
      }
    }
    // What the agent settled with a server that had more than this one; what damage took there is none.
    let passed = min(head.settled, head.first - 1) - known.sequence - head.lostRecords
    let through = max(known.sequence, head.records == 0 ? 0 : head.last)
    registry.count(
      head.stream, stored: through, accepted: receipt.accepted, duplicates: receipt.duplicates,
      rejected: batches.isEmpty ? 0 : receipt.rejected,
      missing: known.sequence > 0 ? max(0, passed) : 0)
    return .stored(through: through, receipt)
  }

  /// The sites that events name; of many, two are enough to know that the agent stands at none of them.
  private static func sites(
    _ batches: [(batch: ChargedBatch, progress: SourceProgress)]
  ) -> Set<String> {
    var found: Set<String> = []
    for batch in batches {
      for event in batch.batch.decoded.events {
        guard let range = event.range(of: .site) else { continue }
        found.insert(batch.batch.decoded.string(range))
        if found.count > 1 { return found }
      }
    }
    return found
  }

  private func position(_ head: ForwardHead) async -> ForwardPosition {
    let source = ForwardPosition.source(head.stream)
    return await sink.position(of: source).flatMap { ForwardPosition($0.state) }
      ?? ForwardPosition(agent: head.agent)
  }
}
