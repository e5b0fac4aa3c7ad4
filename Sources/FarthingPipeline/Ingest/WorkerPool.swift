internal import FarthingCore
internal import FarthingStore
internal import Synchronization

/// A piece after decoding and pricing.
struct DecodedPiece: Sendable {
  var batch: ChargedBatch
  /// Its events laid out for the sink; `batch` has only the refusals then.
  var prepared: [PreparedBatch] = []
  /// Lines or elements of the input that the piece covers.
  var lineCount: Int
  /// An array broke or ended here, in bytes of the plain input: what follows is not read.
  var unreadStart: Int?
}

/// Decoders and pricers, one pair for each piece that is being worked on.
///
/// Both keep what they learned (buffers, resolved prices) from piece to piece, so pairs are handed
/// back and used again; there are never more than pieces in flight.
final class WorkerPool: Sendable {
  private struct Worker {
    var decoder: EventDecoder
    var pricer: EventPricer
  }

  private let book: PriceBook
  private let preparation: BatchPreparation?
  private let now: Int64
  /// Pairs that nothing works with at the moment.
  private let idle = Mutex<[Worker]>([])

  init(book: PriceBook, preparation: BatchPreparation? = nil, now: Int64) {
    self.book = book
    self.preparation = preparation
    self.now = now
  }

  /// Decodes and prices a piece of the contract's own events. Its lines count from 1.
  func decode(_ piece: InputPiece) -> DecodedPiece {
    withWorker { worker in
      let decoded =
        switch piece.content {
        case .lines(let bytes): worker.decoder.decode(bytes, layout: .lines)
        case .document(let bytes, _): worker.decoder.decode(bytes, layout: .document)
        case .oversized(let rejection): DecodedBatch(refusing: rejection)
        }
      // Each line that holds something became an event or a refusal.
      let last = max(
        decoded.events.last?.line ?? 0, decoded.rejections.lazy.map(\.line).max() ?? 0)
      let unreadStart = decoded.unreadStart.map { $0 + piece.start }
      var batch = worker.pricer.charge(decoded, source: SourceFormat.events.rawValue)
      let prepared = preparation?.prepare(batch) ?? []
      if preparation != nil { batch.dropEvents() }
      return DecodedPiece(
        batch: batch, prepared: prepared, lineCount: last + piece.blankLinesAtEnd,
        unreadStart: unreadStart)
    }
  }

  /// Prices a batch that a collector made.
  func charge(_ decoded: DecodedBatch, source: String) -> ChargedBatch {
    withWorker { $0.pricer.charge(decoded, source: source) }
  }

  private func withWorker<Result>(_ body: (inout Worker) -> Result) -> Result {
    var worker =
      idle.withLock { $0.popLast() }
      ?? Worker(decoder: EventDecoder(now: now), pricer: EventPricer(book: book))
    let result = body(&worker)
    idle.withLock { $0.append(worker) }
    return result
  }
}

extension ChargedBatch {
  /// Leaves the refusals and what was counted.
  fileprivate mutating func dropEvents() {
    decoded.events = []
    decoded.entries = []
    decoded.bytes = []
    charges = []
    prices = []
  }
}

extension DecodedBatch {
  /// A batch of nothing but a refusal.
  init(refusing rejection: EventRejection) {
    self.init()
    rejections = [rejection]
  }
}
