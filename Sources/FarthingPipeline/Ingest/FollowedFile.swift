internal import FarthingCore
internal import FarthingStore

/// Turns whole lines of one source into events.
final class LineReader {
  private let mapping: Mapping?
  private let format: SourceFormat
  private var collector: (any EventCollector)?
  /// How CSV records end; nil for lines.
  let dialect: CSVDialect?

  init(mapping: Mapping?, format: SourceFormat, now: Int64) {
    self.mapping = mapping
    self.format = format
    if case .csv(let dialect) = mapping?.format { self.dialect = dialect } else { dialect = nil }
    collector = mapping.map { MappingCollector($0) }
    if collector == nil, format != .events { collector = format.makeCollector(now: now) }
  }

  /// Reads the header of a source that is taken up behind it.
  func prepare(head: [UInt8], offset: Int) throws {
    guard let dialect, offset > 0 else { return }
    var boundary = CSVDialect.Boundary()
    guard let end = boundary.lastEnd(in: head, from: 0, dialect) else { return }
    _ = collector?.decode(Array(head[..<end]), CollectionContext(now: 0))
  }

  /// Events and refusals with lines that count from `firstLine`.
  func decode(
    _ piece: [UInt8], firstLine: Int, now: Int64, _ workers: WorkerPool
  ) -> ChargedBatch {
    if collector != nil {
      let batch = collector?.decode(piece, CollectionContext(now: now, firstLine: firstLine))
      return workers.charge(
        batch ?? DecodedBatch(), source: collector?.name ?? format.rawValue)
    }
    var batch = workers.decode(
      InputPiece(content: .lines(piece), blankLinesAtEnd: 0, inputBytesRead: 0)
    ).batch
    for place in batch.decoded.events.indices {
      batch.decoded.events[place].line += firstLine - 1
    }
    for place in batch.decoded.rejections.indices {
      batch.decoded.rejections[place].line += firstLine - 1
    }
    return batch
  }
}

/// Bytes of one source from its position on.
struct FollowedContent {
  /// Under what its position is kept; nil where it has none to go back to.
  let key: String?
  var state: FollowState
  let reader: LineReader
  /// The source's first bytes, as many as are known and at most ``FollowState/headLimit``.
  var head: [UInt8]
  /// From the position on.
  var buffer: [UInt8] = []
  /// Of the buffer: bytes in which no end of a record was found.
  private var lookedAt = 0
  private var boundary = CSVDialect.Boundary()

  init(key: String?, state: FollowState, reader: LineReader, head: [UInt8]) {
    self.key = key
    self.state = state
    self.reader = reader
    self.head = head
  }

  enum Cut {
    case lines([UInt8])
    /// The rest of a line that is too long.
    case skipped
    /// A line that is too long begins: its number.
    case oversized(Int)
  }

  /// The whole lines of the buffer; nil where it holds none.
  ///
  /// - Parameter isLast: what the last line feed follows is a line, too.
  mutating func cut(limit: Int, isLast: Bool) -> Cut? {
    if state.isSkipping { return skip() }
    if let end = end() { return .lines(Array(buffer[..<end])) }
    if buffer.count > limit {
      let line = state.lines + 1
      drop(buffer.count)
      state.isSkipping = true
      return .oversized(line)
    }
    return isLast && !buffer.isEmpty ? .lines(buffer) : nil
  }

  private mutating func end() -> Int? {
    if let dialect = reader.dialect {
      let end = boundary.lastEnd(in: buffer, from: lookedAt, dialect)
      lookedAt = buffer.count
      return end
    }
    let end = buffer[lookedAt...].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 }
    lookedAt = buffer.count
    return end
  }

  private mutating func skip() -> Cut? {
    guard !buffer.isEmpty else { return nil }
    guard let feed = buffer.firstIndex(of: UInt8(ascii: "\n")) else {
      drop(buffer.count)
      return nil
    }
    drop(feed + 1)
    state.isSkipping = false
    state.lines += 1
    return .skipped
  }

  private mutating func drop(_ count: Int) {
    if state.offset == head.count, head.count < FollowState.headLimit {
      head += buffer.prefix(min(count, FollowState.headLimit - head.count))
    }
    state.offset += count
    // Hashes of before say nothing of the new place.
    state.tailLength = 0
    state.tailHash = FollowState.hash([])
    buffer.removeFirst(count)
    lookedAt = 0
    boundary = CSVDialect.Boundary()
  }

  /// Goes on behind lines that are stored.
  mutating func advance(to next: FollowState) {
    let count = next.offset - state.offset
    let path = state.path
    if state.offset == head.count, head.count < FollowState.headLimit {
      head += buffer.prefix(min(count, FollowState.headLimit - head.count))
    }
    buffer.removeFirst(count)
    lookedAt = max(0, lookedAt - count)
    state = next
    state.path = path
  }
}

/// What the positions within a piece of lines are made from.
struct PositionFrame: Sendable {
  private let key: String
  private let base: FollowState
  private let head: [UInt8]
  private let piece: [UInt8]

  init(_ content: FollowedContent, _ piece: [UInt8]) {
    key = content.key ?? ""
    base = content.state
    var head = content.head
    if base.offset == head.count, head.count < FollowState.headLimit {
      head += piece.prefix(FollowState.headLimit - head.count)
    }
    self.head = head
    self.piece = piece
  }

  /// Behind the piece.
  var state: FollowState {
    let feeds = piece.count { $0 == UInt8(ascii: "\n") }
    return state(at: piece.count, lines: feeds + (piece.last == UInt8(ascii: "\n") ? 0 : 1))
  }

  var position: SourcePosition { SourcePosition(source: key, state: state.bytes) }

  /// Where a line of the source begins.
  func position(beforeLine line: Int) -> SourcePosition {
    var rest = line - base.lines - 1
    var at = 0
    while rest > 0, let feed = piece[at...].firstIndex(of: UInt8(ascii: "\n")) {
      at = feed + 1
      rest -= 1
    }
    return SourcePosition(
      source: key, state: state(at: at, lines: line - base.lines - 1 - rest).bytes)
  }

  private func state(at cut: Int, lines: Int) -> FollowState {
    var state = base
    state.offset += cut
    state.lines += lines
    let known = head.prefix(min(head.count, state.offset))
    state.headLength = known.count
    state.headHash = FollowState.hash(known)
    if cut > 0 {
      let tail = piece[..<cut].suffix(FollowState.tailLimit)
      state.tailLength = tail.count
      state.tailHash = FollowState.hash(tail)
    }
    return state
  }
}

/// One open file.
final class FollowedFile {
  let file: GrowingFile
  var content: FollowedContent
  /// Unix nanoseconds of when it last had something new.
  var lastGrowth: Int64
  /// The bytes before what is read next: where they differ, the file holds something else.
  private var before: [UInt8] = []

  /// What the position says; its path is where the file was seen last.
  var state: FollowState {
    get { content.state }
    set { content.state = newValue }
  }

  init(_ file: GrowingFile, _ state: FollowState, _ reader: LineReader, now: Int64) {
    self.file = file
    lastGrowth = now
    content = FollowedContent(
      key: file.identity.text, state: state, reader: reader, head: [])
  }

  /// Reads what has to be known of the bytes before the position.
  func prepare() throws(StoreError) {
    let offset = content.state.offset
    guard offset > 0 else { return }
    content.head = try file.read(at: 0, count: min(offset, FollowState.headLimit))
    before = try file.read(at: max(0, offset - 64), count: min(offset, 64))
    if content.reader.dialect != nil {
      let head = try file.read(at: 0, count: min(offset, 1 << 16))
      try? content.reader.prepare(head: head, offset: offset)
    }
  }

  enum Growth {
    case nothing
    case bytes(Int)
    case replaced
  }

  /// Reads up to `count` new bytes into the buffer.
  func fill(upTo count: Int) throws(StoreError) -> Growth {
    let end = content.state.offset + content.buffer.count
    let size = try file.status().size
    if size == end { return .nothing }
    if size < end { return .replaced }
    let bytes = try file.read(at: end - before.count, count: before.count + count)
    guard bytes.starts(with: before) else { return .replaced }
    let new = bytes.count - before.count
    if new == 0 { return .nothing }
    content.buffer += bytes[before.count...]
    before = Array(bytes.suffix(64))
    return .bytes(new)
  }

  /// Begins anew at the beginning.
  func restart(_ reader: LineReader) {
    content = FollowedContent(
      key: content.key, state: FollowState(path: content.state.path), reader: reader, head: [])
    before = []
  }
}

/// Standard input: read as it comes, with no position to go back to.
final class FollowedInput {
  private let source = ByteSource.standardInput()
  var content: FollowedContent
  private(set) var isAtEnd = false

  init(_ reader: LineReader) {
    content = FollowedContent(
      key: nil, state: FollowState(path: "standard input"), reader: reader, head: [])
  }

  /// - Returns: bytes that were read.
  func fill(upTo count: Int) throws(StoreError) -> Int {
    let read = try source.read(appendingTo: &content.buffer, count: count)
    if read == 0 { isAtEnd = true }
    return read
  }
}

/// What a compressed file holds behind a position.
final class CompressedRest {
  private let input: DecompressedInput
  private(set) var head: [UInt8] = []
  private var lookedAt: [UInt8] = []

  /// nil where the file does not hold what was read before the position.
  init?(_ path: String, from state: FollowState) throws(StoreError) {
    input = try DecompressedInput(try ByteSource.open(path))
    var window: [UInt8] = []
    var passed = 0
    while passed + window.count < state.offset {
      let count = min(1 << 16, state.offset - passed - window.count)
      guard try input.read(appendingTo: &window, count: count) > 0 else { return nil }
      if head.count < FollowState.headLimit, passed == 0 {
        head = Array(window.prefix(FollowState.headLimit))
      }
      if window.count > 1 << 17 {
        let surplus = window.count - FollowState.tailLimit
        passed += surplus
        window.removeFirst(surplus)
      }
    }
    // A decompressor may give more than it was asked for.
    let surplus = passed + window.count - state.offset
    lookedAt = Array(window.suffix(surplus))
    window.removeLast(surplus)
    head = Array(head.prefix(max(state.headLength, min(head.count, state.offset))))
    guard FollowState.hash(head.prefix(state.headLength)) == state.headHash,
      FollowState.hash(window.suffix(state.tailLength)) == state.tailHash
    else { return nil }
  }

  /// - Returns: false at the end.
  func read(appendingTo buffer: inout [UInt8], count: Int) throws(StoreError) -> Bool {
    if !lookedAt.isEmpty {
      buffer += lookedAt
      lookedAt = []
      return true
    }
    return try input.read(appendingTo: &buffer, count: count) > 0
  }
}
