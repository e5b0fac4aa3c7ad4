package import FarthingCore
package import FarthingStore

// From inputs to the store, in order and in bounded memory.
//
// One task reads an input and cuts it into pieces; workers decode and price them side by side; the
// reading task hands the results to the store in the order of the input. At most `piecesInFlight`
// pieces exist at once: where the workers or the store are slow, reading waits.

/// Where priced batches go.
package protocol EventSink: Sendable {
  /// How workers lay batches out for the sink; nil where it takes them as they were decoded.
  var preparation: BatchPreparation? { get }
  /// Takes a batch that ``preparation`` made, as below.
  func append(_ batch: PreparedBatch, receivedTime: Int64) async throws -> AppendCount
  /// Takes the batch's events, leaving out those whose id is known.
  ///
  /// - Parameter receivedTime: Arrival, Unix nanoseconds.
  func append(_ batch: ChargedBatch, receivedTime: Int64) async throws -> AppendCount
  /// Returns once everything appended before would survive a crash.
  func flush() async throws
}

extension EventSink {
  package var preparation: BatchPreparation? { nil }

  package func append(_ batch: PreparedBatch, receivedTime: Int64) async throws -> AppendCount {
    preconditionFailure("BUG: a prepared batch for a sink that prepares none")
  }
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
    package var format: SourceFormat?
    /// Whether the contract's own events are taken line by line, whatever the first bytes look like.
    package var isLineByLine = false
    /// How records of an unknown format become events; comes before ``format``.
    package var mapping: Mapping?
    /// Whether to stop reading: asked before each piece.
    package var isInterrupted: @Sendable () -> Bool = { false }

    package init() {}

    /// How records lie, where the options say so.
    var layout: InputLayout? {
      switch mapping?.format {
      case .csv(let dialect): .records(dialect)
      case .json, .logfmt, .text: .lines
      case nil: isLineByLine ? .lines : nil
      }
    }
  }

  private let options: Options
  private let sink: any EventSink
  private let clock: @Sendable () -> Int64
  private let workers: WorkerPool
  private let onProgress: (IngestProgress) -> Void
  /// Collectors of other formats; each sees all batches of the run, in order.
  private var collectors: [SourceFormat: any EventCollector] = [:]
  /// What works through ``Options/mapping``; knows afterwards which paths were never found.
  package private(set) var mappingCollector: MappingCollector?
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
    workers = WorkerPool(book: book, preparation: sink.preparation, now: clock())
    mappingCollector = options.mapping.map { MappingCollector($0) }
  }

  /// Ingests the inputs one after the other; returns once all accepted events are durable.
  ///
  /// An input that cannot be read is named in the receipt and does not stop the others.
  /// - Throws: what the sink throws. ``receipt`` then counts what was handed over before.
  package mutating func run(_ inputs: [IngestInput]) async throws -> IngestReceipt {
    let read = inputs.filter { !$0.isMetadata(among: inputs) }
    namesInputs = read.count > 1
    for input in read {
      if options.isInterrupted() { break }
      guard let bytes = receipt.open(input) else { continue }
      let metadata = input.metadata()
      var cursor = InputCursor(
        bytes, format: options.mapping == nil ? options.format : .events,
        layout: options.layout, metadata: metadata, limits: options.limits)
      if mappingCollector == nil, cursor.format.isDivisible {
        try await ingest(&cursor, bytes, name: input.name)
      } else {
        try await collect(&cursor, bytes, metadata: metadata, name: input.name)
      }
      if let failure = cursor.failure, !options.isInterrupted() {
        receipt.failures.append(.init(input: input.name, message: "\(input.name): \(failure)"))
      }
    }
    try await sink.flush()
    receipt.isInterrupted = options.isInterrupted()
    return receipt
  }

  // MARK: The contract's own events

  private mutating func ingest(
    _ cursor: inout InputCursor, _ bytes: DecompressedInput, name: String
  ) async throws {
    let pool = workers
    let inFlight = options.workers + 2
    var issued = 0
    var appended = 0
    var finished: [Int: DecodedPiece] = [:]
    var line = 0
    var unreadStart: Int?
    try await withThrowingTaskGroup(of: (Int, DecodedPiece).self) { group in
      while true {
        while unreadStart == nil, issued - appended < inFlight, !options.isInterrupted(),
          let piece = cursor.next()
        {
          let index = issued
          issued += 1
          group.addTask { (index, pool.decode(piece)) }
        }
        if let next = finished.removeValue(forKey: appended) {
          appended += 1
          if unreadStart != nil { continue }
          unreadStart = next.unreadStart
          try await append(
            next.batch, prepared: next.prepared, input: name, lineOffset: line)
          line += next.lineCount
          report(bytes, name: name)
        } else if let (index, piece) = try await group.next() {
          finished[index] = piece
        } else {
          break
        }
      }
    }
    if let unreadStart {
      let end = cursor.end(of: bytes, unless: options.isInterrupted)
      receipt.add(unread: end - unreadStart, input: namesInputs ? name : nil)
    }
  }

  // MARK: Other formats

  private mutating func collect(
    _ cursor: inout InputCursor, _ bytes: DecompressedInput, metadata: [UInt8]?, name: String
  ) async throws {
    let format = cursor.format
    var collector =
      mappingCollector ?? collectors[format] ?? format.makeCollector(now: clock())
    let source = collector.name
    var context = CollectionContext(
      now: clock(), fallbackTime: bytes.modificationTime, metadata: metadata)
    var isEmpty = true
    while !options.isInterrupted(), let piece = cursor.next() {
      isEmpty = false
      var batch: DecodedBatch
      var lines = 0
      switch piece.content {
      case .lines(let text):
        batch = collector.decode(text, context)
        lines = text.count { $0 == UInt8(ascii: "\n") }
      case .document(let text, _):
        batch = collector.decode(text, context)
        lines = batch.events.count + batch.rejections.count
      case .oversized(var rejection):
        rejection.line = context.firstLine
        batch = DecodedBatch(refusing: rejection)
        lines = 1
      }
      context.firstLine += lines
      try await append(
        workers.charge(batch, source: source), input: name, lineOffset: 0)
      report(bytes, name: name)
    }
    if isEmpty, metadata != nil, !options.isInterrupted(), cursor.failure == nil {
      // A failed call may have no body at all; what stands beside it tells of it.
      let batch = collector.decode([], context)
      try await append(
        workers.charge(batch, source: source), input: name, lineOffset: 0)
    }
    if let mapped = collector as? MappingCollector {
      mappingCollector = mapped
    } else {
      collectors[format] = collector
    }
  }

  // MARK: Handing over

  private func report(_ bytes: DecompressedInput, name: String) {
    onProgress(
      IngestProgress(
        input: name, bytesRead: bytes.rawBytesRead, size: bytes.rawSize,
        events: receipt.accepted + receipt.duplicates + receipt.rejected))
  }

  /// Hands a batch's events to the sink and its refusals to the receipt.
  ///
  /// - Parameter prepared: the events, where they are not in `batch` any more.
  private mutating func append(
    _ batch: ChargedBatch, prepared: [PreparedBatch] = [], input: String, lineOffset: Int
  ) async throws {
    for var rejection in batch.decoded.rejections {
      rejection.line += lineOffset
      receipt.add(rejection, input: namesInputs ? input : nil, limit: options.listedErrors)
    }
    receipt.add(unknownFields: batch.decoded.unknownFields)
    for part in prepared {
      let count = try await sink.append(part, receivedTime: clock())
      receipt.accepted += count.accepted
      receipt.duplicates += count.duplicates
    }
    guard !batch.decoded.events.isEmpty else { return }
    let count = try await sink.append(batch, receivedTime: clock())
    receipt.accepted += count.accepted
    receipt.duplicates += count.duplicates
  }
}
