internal import FarthingCore
internal import FarthingStore

// Inputs to a server: read and cut as for the store's folder, sent body by body, one after the other,
// so that a server that is slow makes the reading wait and lines can be counted on.

/// What became of a body.
package enum UploadOutcome: Sendable {
  case taken(IngestReceipt)
  /// The server takes no body of this size.
  case tooLarge
}

/// Takes bodies to a server, and tries again where that may help.
package protocol UploadTransport: Sendable {
  /// - Parameters:
  ///   - format: what the body is written in.
  ///   - isLines: whether it is JSON lines.
  /// - Throws: where the body could not be handed over, for good.
  func upload(
    _ body: [UInt8], format: SourceFormat, isLines: Bool
  ) async throws -> UploadOutcome
}

/// Takes events from inputs to a server.
package struct RemoteIngestion {
  private let options: Ingestion.Options
  private let transport: any UploadTransport
  private let clock: @Sendable () -> Int64
  private let onProgress: (IngestProgress) -> Void
  private var namesInputs = false
  /// What was taken so far.
  package private(set) var receipt = IngestReceipt()

  /// Bytes of a body: below the least that a server can be told to take, with room for the beginning
  /// of an event.
  private static let bodyBytes = 768 << 10

  /// - Parameters:
  ///   - options: its mapping and its workers are not used.
  ///   - clock: Unix nanoseconds.
  ///   - onProgress: called for each body that was taken.
  package init(
    options: Ingestion.Options, transport: any UploadTransport,
    clock: @escaping @Sendable () -> Int64,
    onProgress: @escaping (IngestProgress) -> Void = { _ in }
  ) {
    var options = options
    options.limits.pieceBytes = Self.bodyBytes
    self.options = options
    self.transport = transport
    self.clock = clock
    self.onProgress = onProgress
  }

  /// Sends the inputs one after the other; returns once the server has made everything durable that
  /// the receipt counts.
  ///
  /// An input that cannot be read is named in the receipt and does not stop the others.
  /// - Throws: what the transport throws; ``receipt`` then counts what was taken before.
  package mutating func run(_ inputs: [IngestInput]) async throws -> IngestReceipt {
    let read = inputs.filter { !$0.isMetadata(among: inputs) }
    namesInputs = read.count > 1
    for input in read {
      if options.isInterrupted() { break }
      guard let bytes = receipt.open(input) else { continue }
      guard input.metadata() == nil else {
        receipt.failures.append(
          .init(
            input: input.name,
            message:
              "\(input.name): what stands in its .meta.json cannot be sent to a server; ingest "
              + "it where the store is"))
        continue
      }
      var cursor = InputCursor(
        bytes, format: options.format, layout: options.layout, metadata: nil,
        limits: options.limits)
      try await send(&cursor, bytes, name: input.name)
      if let failure = cursor.failure, !options.isInterrupted() {
        receipt.failures.append(.init(input: input.name, message: "\(input.name): \(failure)"))
      }
    }
    receipt.isInterrupted = options.isInterrupted()
    return receipt
  }

  private mutating func send(
    _ cursor: inout InputCursor, _ bytes: DecompressedInput, name: String
  ) async throws {
    let format = cursor.format
    var line = 0
    while !options.isInterrupted(), let piece = cursor.next() {
      switch piece.content {
      case .oversized(let rejection):
        add(rejection, line, name)
        line += 1
      case .lines(let text):
        line += try await send(lines: text, format, line, name)
      case .document(let text, _):
        let before = receipt
        let unread = try await send(document: text, format, line, name)
        line +=
          receipt.accepted + receipt.duplicates + receipt.rejected
          - (before.accepted + before.duplicates + before.rejected)
        if let unread {
          let start = piece.start + text.count - unread
          let end = cursor.end(of: bytes, unless: options.isInterrupted)
          receipt.add(unread: end - start, input: namesInputs ? name : nil)
        }
      }
      onProgress(
        IngestProgress(
          input: name, bytesRead: bytes.rawBytesRead, size: bytes.rawSize,
          events: receipt.accepted + receipt.duplicates + receipt.rejected))
    }
  }

  private mutating func add(_ rejection: EventRejection, _ offset: Int, _ name: String) {
    var rejection = rejection
    rejection.line += offset
    receipt.add(rejection, input: namesInputs ? name : nil, limit: options.listedErrors)
  }

  /// - Parameter line: lines of the input before these.
  /// - Returns: how many lines these are.
  private mutating func send(
    lines text: [UInt8], _ format: SourceFormat, _ line: Int, _ name: String
  ) async throws -> Int {
    var (text, line) = (text, line)
    let start = line
    // A server tells lines by how a body begins. What would make it take these for something else is
    // a line that is no event: it is refused here.
    while format == .events, EventDecoder.layout(of: text.span) != .lines {
      let length = (text.firstIndex(of: UInt8(ascii: "\n")) ?? text.count - 1) + 1
      var decoder = EventDecoder(now: clock())
      for rejection in decoder.decode(Array(text[..<length]), layout: .lines).rejections {
        add(rejection, line, name)
      }
      text.removeFirst(length)
      line += 1
    }
    let feeds = text.count { $0 == UInt8(ascii: "\n") }
    let count = feeds + (text.last.map { $0 != UInt8(ascii: "\n") } == true ? 1 : 0)
    if !text.isEmpty {
      switch try await transport.upload(text, format: format, isLines: true) {
      case .taken(let taken): add(taken, line, name)
      case .tooLarge: try await halve(text, format, line, name)
      }
    }
    return line + count - start
  }

  /// Sends lines in two parts, or refuses the one that they are.
  private mutating func halve(
    _ text: [UInt8], _ format: SourceFormat, _ line: Int, _ name: String
  ) async throws {
    let feed = UInt8(ascii: "\n")
    let middle = text.count / 2
    let cut =
      text[..<middle].lastIndex(of: feed)
      ?? text[middle..<max(middle, text.count - 1)].firstIndex(of: feed)
    guard let cut else {
      let rejection = EventRejection(
        line: 1, field: nil, value: nil,
        expected: "a line no longer than the server takes, and this has "
          + ByteCountText.text(text.count))
      return add(rejection, line, name)
    }
    let first = try await send(lines: Array(text[...cut]), format, line, name)
    _ = try await send(lines: Array(text[(cut + 1)...]), format, line + first, name)
  }

  /// - Returns: bytes at its end that the server did not read, for the array had broken; nil for none.
  private mutating func send(
    document text: [UInt8], _ format: SourceFormat, _ line: Int, _ name: String
  ) async throws -> Int? {
    switch try await transport.upload(text, format: format, isLines: false) {
    case .taken(let taken):
      add(taken, line, name)
      return taken.unread.first?.bytes
    case .tooLarge:
      let rejection = EventRejection(
        line: 1, field: nil, value: nil,
        expected: "a JSON value no larger than the server takes, and this has "
          + ByteCountText.text(text.count))
      add(rejection, line, name)
      return nil
    }
  }

  /// Adds a body's receipt, whose lines count from 1.
  private mutating func add(_ taken: IngestReceipt, _ offset: Int, _ name: String) {
    receipt.accepted += taken.accepted
    receipt.duplicates += taken.duplicates
    for refusal in taken.refusals { add(refusal.rejection, offset, name) }
    // Those that the server did not list.
    receipt.rejected += taken.rejected - taken.refusals.count
    receipt.add(unknownFields: taken.unknownFields)
    receipt.otherUnknownFields += taken.otherUnknownFields
  }
}
