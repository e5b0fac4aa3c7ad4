package import FarthingCore
package import FarthingStore
internal import Synchronization

/// A body of events after decoding and pricing, before any of it is stored.
package struct DecodedBody: Sendable {
  /// Refusals and warnings; nothing is accepted yet.
  package var receipt = IngestReceipt()
  /// The events, in the order of the body; no batch without one. None where they are in ``prepared``.
  package var batches: [ChargedBatch] = []
  /// The events, laid out for the store.
  package var prepared: [PreparedBatch] = []
  /// What they came through; empty where there is none.
  package private(set) var source = ""
  /// The newest `time` of the events, Unix nanoseconds; nil where there is none.
  package private(set) var newest: Int64?

  package init() {}

  package var eventCount: Int {
    batches.reduce(0) { $0 + $1.decoded.events.count }
      + prepared.reduce(0) { $0 + $1.eventCount }
  }

  /// Leaves nothing to store.
  package mutating func dropEvents() {
    batches = []
    prepared = []
    newest = nil
  }

  /// - Parameter preparation: how the events are laid out at once, while they are in the cache; nil
  ///   to keep them as they are.
  fileprivate mutating func take(
    _ batch: ChargedBatch, lineOffset: Int, listedErrors: Int, preparation: BatchPreparation?
  ) {
    for var rejection in batch.decoded.rejections {
      rejection.line += lineOffset
      receipt.add(rejection, input: nil, limit: listedErrors)
    }
    receipt.add(unknownFields: batch.decoded.unknownFields)
    guard !batch.decoded.events.isEmpty else { return }
    source = batch.source
    var latest = newest ?? .min
    for place in batch.decoded.events.indices {
      latest = max(latest, batch.decoded.events[place].time)
    }
    newest = latest
    if let preparation {
      prepared += preparation.prepareForLog(batch)
    } else {
      batches.append(batch)
    }
  }
}

/// Decodes and prices bodies that arrived whole, on whatever thread asks.
///
/// What decoders and pricers learn is kept from body to body; there are as many of them as bodies
/// were worked on at once.
package final class BodyDecoder: Sendable {
  /// What decodes since when. Decoders know the time of their making, by which they tell times in
  /// the future.
  private struct Era {
    var workers: WorkerPool
    var book: PriceBook
    var start: Int64
  }

  /// A decoder's clock is at most this old; nanoseconds.
  private static let eraLength: Int64 = 60_000_000_000
  /// A body up to this size is decoded at once. Larger ones are cut, so that a piece and its events
  /// stay in the cache.
  private static let wholeBytes = 1 << 20

  private let era: Mutex<Era>
  private let limits: InputLimits
  private let listedErrors: Int
  private let preparation: BatchPreparation?

  /// - Parameters:
  ///   - preparation: of the store that the events go to; nil where they go elsewhere.
  ///   - listedErrors: most refusals that a receipt lists.
  ///   - now: Unix nanoseconds.
  package init(
    book: PriceBook, preparation: BatchPreparation? = nil, listedErrors: Int, now: Int64
  ) {
    self.preparation = preparation
    era = Mutex(Era(workers: WorkerPool(book: book, now: now), book: book, start: now))
    limits = InputLimits(eventBytes: .max)
    self.listedErrors = listedErrors
  }

  /// Prices what comes from now on by another book.
  package func replace(book: PriceBook, now: Int64) {
    era.withLock { $0 = Era(workers: WorkerPool(book: book, now: now), book: book, start: now) }
  }

  private func workers(_ now: Int64) -> WorkerPool {
    era.withLock { era in
      let age = now.subtractingReportingOverflow(era.start)
      if age.overflow || age.partialValue < 0 || age.partialValue > Self.eraLength {
        era.workers = WorkerPool(book: era.book, now: now)
        era.start = now
      }
      return era.workers
    }
  }

  /// The events of a body in the contract's own JSON: lines, one object, or an array.
  ///
  /// - Parameters:
  ///   - now: Unix nanoseconds; a time more than a day after it is refused.
  ///   - laysOut: whether the events are laid out for the store, if it is known: worth it for more than a
  ///     handful, while small bodies are laid out together later.
  /// - Complexity: O(n) in the bytes of the body.
  package func decode(
    _ body: consuming [UInt8], now: Int64, laysOut: Bool = false
  ) -> DecodedBody {
    let workers = workers(now)
    let preparation = laysOut ? self.preparation : nil
    var result = DecodedBody()
    let size = body.count
    var unreadStart: Int?
    if size <= Self.wholeBytes {
      let layout = EventDecoder.layout(of: body.span)
      let content: InputPiece.Content =
        layout == .lines ? .lines(body) : .document(body, isLast: true)
      let piece = workers.decode(
        InputPiece(content: content, blankLinesAtEnd: 0, inputBytesRead: size))
      result.take(
        piece.batch, lineOffset: 0, listedErrors: listedErrors, preparation: preparation)
      unreadStart = piece.unreadStart
    } else {
      var reader = PieceReader(limits: limits, read: Self.stream(body))
      var line = 0
      // Reading from memory throws nothing.
      while unreadStart == nil, let piece = try? reader.next() {
        let decoded = workers.decode(piece)
        result.take(
          decoded.batch, lineOffset: line, listedErrors: listedErrors, preparation: preparation)
        line += decoded.lineCount
        unreadStart = decoded.unreadStart
      }
    }
    if let unreadStart { result.receipt.add(unread: size - unreadStart, input: nil) }
    return result
  }

  /// Prices a batch that a collector made.
  package func charge(
    _ decoded: DecodedBatch, source: String, now: Int64, laysOut: Bool = false
  ) -> DecodedBody {
    var result = DecodedBody()
    result.take(
      workers(now).charge(decoded, source: source), lineOffset: 0, listedErrors: listedErrors,
      preparation: laysOut ? preparation : nil)
    return result
  }

  /// A batch that was decoded elsewhere with what its events cost.
  package func price(_ decoded: DecodedBatch, source: String, now: Int64) -> ChargedBatch {
    workers(now).charge(decoded, source: source)
  }

  private static func stream(_ body: [UInt8]) -> PieceReader.Read {
    var place = 0
    return { buffer, count in
      let length = min(count, body.count - place)
      buffer.append(contentsOf: body[place..<place + length])
      place += length
      return length
    }
  }
}

/// What an upload's bytes were before they were compressed.
package enum BodyExpansion {
  /// The plain bytes of a compressed body.
  ///
  /// - Parameter limit: most of them.
  /// - Throws: `limitExceeded` beyond the limit, however small the body was; `damaged`.
  package static func expand(
    _ body: [UInt8], _ compression: StreamCompression, limit: Int
  ) throws(StoreError) -> [UInt8] {
    let stream = try StreamDecompressor(
      compression, maximumOutput: limit, largestWindow: windowLogarithm)
    stream.supply(body)
    var plain: [UInt8] = []
    plain.reserveCapacity(min(limit, body.count * 4))
    while try stream.produce(into: &plain, upTo: 1 << 18) {}
    try stream.finish()
    return plain
  }

  /// The largest window of a zstd body, as a power of two: 32 MiB, more than a whole body has by
  /// default, and little enough that many bodies at once cannot exhaust the memory.
  private static let windowLogarithm = 25
}
