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

  /// Memory that the events take until they are stored, about: as they were decoded, and laid out.
  package var footprint: Int {
    batches.reduce(0) { $0 + $1.footprint } + prepared.reduce(0) { $0 + $1.footprint }
  }

  package var eventCount: Int {
    batches.reduce(0) { $0 + $1.decoded.events.count }
      + prepared.reduce(0) { $0 + $1.eventCount }
  }

  /// Leaves nothing to store.
  package mutating func dropEvents() {
    dropStored()
    newest = nil
  }

  /// Lets go of the events that were handed on.
  package mutating func dropStored() {
    batches = []
    prepared = []
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
  private let partEvents: Int

  /// - Parameters:
  ///   - partEvents: events after which a part of a body above 1 MiB ends. The default is two records of the
  ///     log, and 20 MB of events.
  ///   - preparation: of the store that the events go to; nil where they go elsewhere.
  ///   - listedErrors: most refusals that a receipt lists.
  ///   - now: Unix nanoseconds.
  package init(
    book: PriceBook, preparation: BatchPreparation? = nil, listedErrors: Int, now: Int64,
    partEvents: Int = 32_768
  ) {
    self.partEvents = partEvents
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
  /// - Parameter now: Unix nanoseconds; a time more than a day after it is refused.
  /// - Complexity: O(n) in the bytes of the body.
  package func decode(_ body: consuming [UInt8], now: Int64) -> DecodedBody {
    var reading = BodyReading(body, now: now)
    while decodePart(of: &reading, laysOut: false) {}
    return reading.decoded
  }

  /// Decodes the next part of a body: all of it up to 1 MiB, else some of its pieces, so that a body
  /// of short lines does not become hundreds of megabytes of events at once.
  ///
  /// - Parameters:
  ///   - reading: gets the events; what was there may be dropped before.
  ///   - laysOut: whether the events are laid out for the store, if it is known: worth it for more than a
  ///     handful, while small bodies are laid out together later.
  /// - Returns: whether more of the body follows.
  /// - Complexity: O(n) in the bytes of the part.
  fileprivate func decodePart(of reading: inout BodyReading, laysOut: Bool) -> Bool {
    let workers = workers(reading.now)
    let preparation = laysOut ? self.preparation : nil
    var unreadStart: Int?
    var hasMore = false
    if reading.size <= Self.wholeBytes {
      let body = reading.takeWhole()
      let layout = EventDecoder.layout(of: body.span)
      let content: InputPiece.Content =
        layout == .lines ? .lines(body) : .document(body, isLast: true)
      let piece = workers.decode(
        InputPiece(content: content, blankLinesAtEnd: 0, inputBytesRead: reading.size))
      reading.decoded.take(
        piece.batch, lineOffset: 0, listedErrors: listedErrors, preparation: preparation)
      unreadStart = piece.unreadStart
    } else {
      var count = 0
      // Reading from memory throws nothing.
      while unreadStart == nil, let piece = try? reading.next(limits) {
        let part = workers.decode(piece)
        count += part.batch.decoded.events.count
        reading.decoded.take(
          part.batch, lineOffset: reading.line, listedErrors: listedErrors,
          preparation: preparation)
        reading.line += part.lineCount
        unreadStart = part.unreadStart
        hasMore = unreadStart == nil && count >= partEvents
        if hasMore { break }
      }
    }
    if let unreadStart {
      reading.decoded.receipt.add(unread: reading.size - unreadStart, input: nil)
    }
    return hasMore
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
}

/// A body that is decoded part by part, each on whatever thread has its turn.
package final class OpenBody: Sendable {
  private let reading: Mutex<BodyReading>

  /// - Parameter now: Unix nanoseconds; a time more than a day after it is refused.
  package init(_ body: consuming [UInt8], now: Int64) {
    reading = Mutex(BodyReading(body, now: now))
  }

  /// The events of the next part, with the receipt of all parts so far, and whether another one follows.
  ///
  /// - Parameter laysOut: whether the events are laid out for the store, if it is known: worth it for more
  ///   than a handful, while small bodies are laid out together later.
  package func next(_ decoder: BodyDecoder, laysOut: Bool) -> (decoded: DecodedBody, hasMore: Bool)
  {
    reading.withLock { reading in
      let hasMore = decoder.decodePart(of: &reading, laysOut: laysOut)
      let decoded = reading.decoded
      reading.decoded.dropStored()
      return (decoded, hasMore)
    }
  }
}

/// How far a body is decoded.
struct BodyReading {
  /// What was decoded so far; its events may be dropped between two parts.
  var decoded = DecodedBody()
  let now: Int64
  let size: Int
  /// Lines before the next piece.
  var line = 0
  private var body: [UInt8]
  private var reader: PieceReader?

  init(_ body: consuming [UInt8], now: Int64) {
    size = body.count
    self.body = body
    self.now = now
  }

  mutating func takeWhole() -> [UInt8] {
    var whole: [UInt8] = []
    swap(&whole, &body)
    return whole
  }

  mutating func next(_ limits: InputLimits) throws -> InputPiece? {
    var reader = self.reader ?? PieceReader(limits: limits, read: Self.stream(takeWhole()))
    self.reader = nil
    defer { self.reader = reader }
    return try reader.next()
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
  /// - Parameters:
  ///   - limit: most of them.
  ///   - claim: asked for bytes beyond those of the body before they are there, in steps of 256 KiB; false
  ///     ends it.
  /// - Returns: nil where `claim` said no.
  /// - Throws: `limitExceeded` beyond the limit, however small the body was; `damaged`.
  package static func expand(
    _ body: [UInt8], _ compression: StreamCompression, limit: Int,
    claim: (Int) -> Bool = { _ in true }
  ) throws(StoreError) -> [UInt8]? {
    let stream = try StreamDecompressor(
      compression, maximumOutput: limit, largestWindow: windowLogarithm)
    stream.supply(body)
    var plain: [UInt8] = []
    var claimed = body.count
    repeat {
      let needed = min(limit, plain.count + stepBytes)
      if needed > claimed {
        guard claim(needed - claimed) else { return nil }
        claimed = needed
      }
    } while try stream.produce(into: &plain, upTo: stepBytes)
    try stream.finish()
    return plain
  }

  private static let stepBytes = 1 << 18

  /// The largest window of a zstd body, as a power of two: 32 MiB, more than a whole body has by
  /// default, and little enough that many bodies at once cannot exhaust the memory.
  private static let windowLogarithm = 25
}
