package import FarthingCore
internal import FarthingStore

// From inputs to the store, in order and in bounded memory.
//
// One task reads an input and cuts it into pieces; workers decode and price them side by side; the
// reading task hands the results to the store in the order of the input. At most `piecesInFlight`
// pieces exist at once: where the workers or the store are slow, reading waits.

/// Where priced batches go.
package protocol EventSink: Sendable {
  /// Takes the batch's events, leaving out those whose id is known.
  ///
  /// - Parameter receivedTime: Arrival, Unix nanoseconds.
  func append(_ batch: ChargedBatch, receivedTime: Int64) async throws -> AppendCount
  /// Returns once everything appended before would survive a crash.
  func flush() async throws
}

/// How many events of a batch were new.
package struct AppendCount: Sendable, Equatable {
  package var accepted: Int
  package var duplicates: Int

  package init(accepted: Int, duplicates: Int) {
    self.accepted = accepted
    self.duplicates = duplicates
  }
}

/// How far an ingest has come.
package struct IngestProgress: Sendable {
  /// The input being read.
  package var input: String
  /// Its raw bytes read, of how many where that is known.
  package var bytesRead: Int
  package var size: Int?
  /// Events handled in all inputs so far.
  package var events: Int
}

/// Takes events from inputs to a sink.
package struct Ingestion {
  package struct Options: Sendable {
    package var limits = InputLimits()
    /// Most refusals that are listed.
    package var listedErrors = 1000
    /// Decoders that work side by side.
    package var workers = 2
    /// Name of the format; nil to tell it by the first bytes of each input.
    package var format: InputFormat?

    package init() {}
  }

  private let options: Options
  private let sink: any EventSink
  private let clock: @Sendable () -> Int64
  private let workers: WorkerPool
  private let onProgress: (IngestProgress) -> Void
  /// Whether refusals name their input.
  private var namesInputs = false
  package private(set) var receipt = IngestReceipt()

  /// - Parameters:
  ///   - clock: The time now in Unix nanoseconds: arrival, and the bound of events' own times.
  ///   - onProgress: Called for each piece that was handed over.
  package init(
    options: Options, book: PriceBook, sink: any EventSink, clock: @escaping @Sendable () -> Int64,
    onProgress: @escaping (IngestProgress) -> Void = { _ in }
  ) {
    self.options = options
    self.sink = sink
    self.clock = clock
    self.onProgress = onProgress
    workers = WorkerPool(book: book, now: clock())
  }

  /// Ingests the inputs one after the other; returns once all accepted events are durable.
  ///
  /// An input that cannot be read is named in the receipt and does not stop the others.
  /// - Throws: what the sink throws. ``receipt`` then counts what was handed over before.
  package mutating func run(_ inputs: [IngestInput]) async throws -> IngestReceipt {
    namesInputs = inputs.count > 1
    for input in inputs {
      let bytes: DecompressedInput
      do throws(StoreError) {
        bytes = try DecompressedInput(try input.open())
      } catch {
        receipt.failures.append(.init(input: input.name, message: error.description))
        continue
      }
      try await ingest(bytes, name: input.name)
    }
    try await sink.flush()
    return receipt
  }

  private mutating func ingest(_ bytes: DecompressedInput, name: String) async throws {
    var cursor = InputCursor(
      bytes, format: options.format, limits: options.limits, named: name)
    let pool = workers
    let inFlight = options.workers + 2
    var issued = 0
    var appended = 0
    var finished: [Int: DecodedPiece] = [:]
    var line = 0
    var isBrokenOff = false
    try await withThrowingTaskGroup(of: (Int, DecodedPiece).self) { group in
      while true {
        while !isBrokenOff, issued - appended < inFlight, let piece = cursor.next() {
          let index = issued
          issued += 1
          group.addTask { (index, pool.decode(piece)) }
        }
        if let next = finished.removeValue(forKey: appended) {
          appended += 1
          if isBrokenOff { continue }
          isBrokenOff = next.isBrokenOff
          line = try await append(next, input: name, lineOffset: line)
          onProgress(
            IngestProgress(
              input: name, bytesRead: bytes.rawBytesRead, size: bytes.rawSize,
              events: receipt.accepted + receipt.duplicates + receipt.rejected))
        } else if let (index, piece) = try await group.next() {
          finished[index] = piece
        } else {
          break
        }
      }
    }
    if let failure = cursor.failure {
      receipt.failures.append(.init(input: name, message: "\(name): \(failure)"))
    }
  }

  /// Hands a piece's events to the sink and its refusals to the receipt.
  ///
  /// - Returns: the number of lines up to and with the piece.
  private mutating func append(
    _ piece: DecodedPiece, input: String, lineOffset: Int
  ) async throws -> Int {
    var last = piece.batch.decoded.events.last?.line ?? 0
    for rejection in piece.batch.decoded.rejections {
      last = max(last, rejection.line)
      var named = rejection
      named.line += lineOffset
      receipt.add(named, input: namesInputs ? input : nil, limit: options.listedErrors)
    }
    receipt.add(unknownFields: piece.batch.decoded.unknownFields)
    if !piece.batch.decoded.events.isEmpty {
      let count = try await sink.append(piece.batch, receivedTime: clock())
      receipt.accepted += count.accepted
      receipt.duplicates += count.duplicates
    }
    return lineOffset + last + piece.blankLinesAtEnd
  }
}
