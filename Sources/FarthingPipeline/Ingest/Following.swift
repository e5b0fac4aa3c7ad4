package import FarthingCore
package import FarthingStore

// Files that grow, read as they grow, each event once over restarts, crashes and rotations.
//
// A round looks at what the patterns name, reads what is new of every open file, and hands whole
// lines to the store together with the position behind them; the store makes both durable in one
// step. Nothing else is remembered on disk, so whatever happens between two steps, the next start
// goes on exactly behind the last stored line.
//
// A file is told by device and inode and by what it holds:
//  - renamed: its descriptor stays open and is read until it is quiet; the name's new file begins
//    at 0. After a restart it is found by its inode beside the old name.
//  - cut to nothing (copytruncate): the copy beside it holds the lines that were not read yet; it
//    is found by its content and read on from the position, and the file itself begins at 0.
//  - compressed after its rotation: the rest is read out of the compressed file, all of it where no
//    run had seen the file before (`Following+Compressed.swift`).
// Files are polled: it works on every file system, and a look costs a microsecond a file.

/// Where followed events go.
package protocol FollowSink: Sendable {
  /// Makes the batch's new events durable together with the position of their source.
  func append(
    _ batch: ChargedBatch, receivedTime: Int64, progress: SourceProgress?
  ) async throws -> AppendCount
  /// Seals what is in memory.
  func flush() async throws
  /// The positions that earlier runs left.
  func positions() async -> [SourcePosition]
}

/// Follows files until it is asked to stop.
package struct Following {
  package struct Options: Sendable {
    /// `events` or `litellm`; others are no lines.
    package var format = SourceFormat.events
    package var mapping: Mapping?
    /// Longest line in bytes.
    package var eventBytes = 20 << 20
    /// Most refusals that the receipt lists.
    package var listedErrors = 1000
    /// Whether files that no run has read before begin at their end. Only those of the first round:
    /// one that comes later is read whole.
    package var isFromEnd = false
    /// Most bytes that are read of a file before the others have their turn.
    package var pieceBytes = 1 << 20
    /// Nanoseconds that a rotated file is kept open after its last line.
    package var quietTime: Int64 = 60_000_000_000
    /// Nanoseconds between two seals of what waits in memory.
    package var sealTime: Int64 = 60_000_000_000
    /// Seconds after which the position of a file that is gone is forgotten.
    package var goneTime: Int64 = 90 * 86_400
    /// Most positions of files that are not followed now; beyond, those of files that are gone are
    /// forgotten, oldest first.
    package var goneLimit = 10_000

    package init() {}
  }

  /// What the run does besides reading; the command line's part.
  package struct Surroundings: Sendable {
    /// Unix nanoseconds.
    package var clock: @Sendable () -> Int64
    /// Waits for a moment; called where nothing was new.
    package var pause: @Sendable () async -> Void
    package var isStopping: @Sendable () -> Bool
    /// Tells a person something: a sentence without a full stop.
    package var note: @Sendable (String) -> Void
    /// Called after each round with the receipt so far.
    package var onRound: @Sendable (IngestReceipt, IngestProgress) -> Void

    package init(
      clock: @escaping @Sendable () -> Int64, pause: @escaping @Sendable () async -> Void,
      isStopping: @escaping @Sendable () -> Bool,
      note: @escaping @Sendable (String) -> Void = { _ in },
      onRound: @escaping @Sendable (IngestReceipt, IngestProgress) -> Void = { _, _ in }
    ) {
      self.clock = clock
      self.pause = pause
      self.isStopping = isStopping
      self.note = note
      self.onRound = onRound
    }
  }

  let options: Options
  let sink: any FollowSink
  let around: Surroundings
  let workers: WorkerPool
  let patterns: [FollowPattern]
  private var input: FollowedInput?
  var files: [FollowedFile] = []
  /// By the text of the identity: how far each known file is read.
  var known: [String: FollowState] = [:]
  var told: Set<String> = []
  /// Compressed files that the patterns name now.
  var compressed: [FileIdentity: CompressedSight] = [:]
  /// When an earlier run first saw any of what is known, in Unix seconds; nil where none did.
  var followedSince: Int64?
  /// nil before the first.
  private var lastLook: Int64?
  private var lastSeal: Int64
  /// When positions were last looked through; nil before the first time.
  var lastForgetting: Int64?
  private var hasUnsealed = false
  var isFirstRound = true
  package private(set) var receipt = IngestReceipt()
  private var bytesRead = 0

  /// - Parameter words: paths, paths with `*` or `?` in their last part, folders, or `-`.
  package init(
    _ words: [String], options: Options, book: PriceBook, sink: any FollowSink,
    around: Surroundings
  ) {
    self.options = options
    self.sink = sink
    self.around = around
    patterns = words.filter { $0 != "-" }.map {
      FollowPattern(text: HostProcess.absolutePath($0))
    }
    workers = WorkerPool(book: book, now: around.clock())
    lastSeal = around.clock()
    if words.contains("-") { input = FollowedInput(makeReader()) }
  }

  func makeReader() -> LineReader {
    LineReader(mapping: options.mapping, format: options.format, now: around.clock())
  }

  /// Follows until ``Surroundings/isStopping`` says so, or standard input ends and was all there is.
  ///
  /// - Throws: what the store throws, but for a full disk, which is waited for.
  package mutating func run() async throws -> IngestReceipt {
    for position in await sink.positions() {
      known[position.source] = FollowState(position.state)
    }
    followedSince = known.values.compactMap { $0.seenAt > 0 ? $0.seenAt : nil }.min()
    while !around.isStopping() {
      let now = around.clock()
      if lastLook.map({ now &- $0 >= 150_000_000 || now < $0 }) ?? true {
        lastLook = now
        try await look()
        isFirstRound = false
      }
      var hasMoved = false
      for file in files where !around.isStopping() {
        if try await step(file) { hasMoved = true }
      }
      if try await stepInput() { hasMoved = true }
      around.onRound(
        receipt,
        IngestProgress(
          input: "\(files.count) files", bytesRead: bytesRead, size: nil,
          events: receipt.accepted + receipt.duplicates + receipt.rejected))
      if hasMoved { continue }
      if let input, input.isAtEnd, patterns.isEmpty { break }
      retire()
      try await forgetGone()
      if hasUnsealed, around.clock() &- lastSeal >= options.sealTime { try await seal() }
      await around.pause()
    }
    try await seal()
    return receipt
  }

  private mutating func seal() async throws {
    lastSeal = around.clock()
    hasUnsealed = false
    try await patiently { [sink] in try await sink.flush() }
  }

  // MARK: Finding files

  private mutating func look() async throws {
    var compressedPaths: [String] = []
    for pattern in patterns {
      let named = pattern.files()
      compressedPaths += named.compressed
      for path in named.plain {
        guard let seen = GrowingFile.look(at: path) else {
          // What a star or a folder stands for may be anything.
          if path == pattern.text, told.insert("missing " + path).inserted {
            around.note("\(path) is not there; waiting for it")
          }
          continue
        }
        told.remove("missing " + path)
        if let file = files.first(where: { $0.file.identity == seen.identity }) {
          file.state.path = path
          continue
        }
        do throws(StoreError) {
          guard let file = try GrowingFile.open(path) else { continue }
          told.remove("unreadable " + path)
          try await begin(file)
        } catch {
          if told.insert("unreadable " + path).inserted { around.note("\(error); trying again") }
        }
      }
    }
    if isFirstRound { try await lookForRotated() }
    try await lookForCompressed(among: compressedPaths)
  }

  /// Begins to follow a file, where an earlier run ended or at its beginning.
  private mutating func begin(_ file: GrowingFile) async throws(StoreError) {
    let size = try file.status().size
    if isCompressed(try file.read(at: 0, count: 4)) {
      if told.insert("compressed " + file.identity.text).inserted {
        around.note("\(file.path) is compressed; it is not followed")
      }
      return
    }
    if var state = known[file.identity.text] {
      if size >= state.offset, try matches(state, file) {
        state.path = file.path
        try open(file, at: state)
        return
      }
      // Another content under the same number: what the old one held may stand beside it.
      try await rescue(state, of: file.identity.text)
    } else if let copy = try knownContent(of: file) {
      try await adopt(file, at: copy)
      return
    }
    var state = FollowState(path: file.path)
    if options.isFromEnd, isFirstRound, known[file.identity.text] == nil, size > 0 {
      state.offset = size
      state.isSkipping = try file.read(at: size - 1, count: 1) != [UInt8(ascii: "\n")]
      try state.settle { (offset, count) throws(StoreError) in
        try file.read(at: offset, count: count)
      }
      try await adopt(file, at: state)
      return
    }
    try open(file, at: state)
  }

  func matches(_ state: FollowState, _ file: GrowingFile) throws(StoreError) -> Bool {
    try state.matches { (offset, count) throws(StoreError) in
      try file.read(at: offset, count: count)
    }
  }

  /// The position of a known file that this one is a copy of: named after it, with all that was
  /// read of it.
  private func knownContent(of file: GrowingFile) throws(StoreError) -> FollowState? {
    let size = try file.status().size
    for state in known.values
    where state.offset > 0 && state.path != file.path && file.path.hasPrefix(state.path)
      && size >= state.offset
    {
      if try matches(state, file) { return state }
    }
    return nil
  }

  /// Follows a file from a position that is made durable first, so that no later start takes the
  /// file for a new one.
  private mutating func adopt(
    _ file: GrowingFile, at state: FollowState
  ) async throws(StoreError) {
    var state = state
    state.path = file.path
    do {
      try await keep(state, of: file.identity.text)
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(.io, "\(error)")
    }
    try open(file, at: state)
  }

  /// Makes a position durable that no new event comes with.
  mutating func keep(_ state: FollowState, of identity: String) async throws {
    var state = state
    state.seenAt = around.clock() / 1_000_000_000
    let position = SourcePosition(source: identity, state: state.bytes)
    let batch = workers.charge(DecodedBatch(), source: SourceFormat.events.rawValue)
    _ = try await sink.append(
      batch, receivedTime: around.clock(),
      progress: SourceProgress(end: position, before: { _ in position }))
    known[identity] = state
  }

  private mutating func open(_ file: GrowingFile, at state: FollowState) throws(StoreError) {
    let followed = FollowedFile(file, state, makeReader(), now: around.clock())
    try followed.prepare()
    files.append(followed)
  }

  /// Files that were rotated while nothing followed: known, named by the patterns once, and not
  /// there under that name now.
  private mutating func lookForRotated() async throws {
    let current = Set(files.map(\.file.identity.text))
    for (identity, state) in known where !current.contains(identity) {
      guard patterns.contains(where: { $0.covers(state.path) }) else { continue }
      try await rescue(state, of: identity)
    }
  }

  /// Reads on what an earlier content held, wherever beside its old name it stands now.
  private mutating func rescue(_ state: FollowState, of identity: String) async throws(StoreError) {
    for path in FollowPattern.siblings(of: state.path) {
      guard let seen = GrowingFile.look(at: path),
        !files.contains(where: { $0.file.identity == seen.identity })
      else { continue }
      guard let file = try GrowingFile.open(path) else { continue }
      if isCompressed(try file.read(at: 0, count: 4)) {
        if try !isWholeKnown(file), try await readCompressed(file, from: state, of: identity) {
          return
        }
      } else if seen.size >= state.offset, try matches(state, file) {
        if seen.identity.text == identity {
          var moved = state
          moved.path = path
          try open(file, at: moved)
        } else {
          try await adopt(file, at: state)
        }
        return
      }
    }
  }

  // MARK: Reading

  /// Reads what is new of a file, up to a piece.
  ///
  /// - Returns: whether there was anything.
  private mutating func step(_ file: FollowedFile) async throws -> Bool {
    switch try file.fill(upTo: options.pieceBytes) {
    case .nothing: return false
    case .replaced:
      around.note("\(file.state.path) was cut or replaced; reading it from its beginning")
      try await rescue(file.content.state, of: file.file.identity.text)
      file.restart(makeReader())
      return true
    case .bytes(let count):
      bytesRead += count
      file.lastGrowth = around.clock()
    }
    while try await take(&file.content, isLast: false) {}
    return true
  }

  private mutating func stepInput() async throws -> Bool {
    guard let input, !input.isAtEnd, ByteSource.standardInputIsReady(milliseconds: 0) else {
      return false
    }
    bytesRead += try input.fill(upTo: options.pieceBytes)
    while try await take(&input.content, isLast: input.isAtEnd) {}
    return true
  }

  /// Hands the whole lines of a buffer to the store, at most a piece of them.
  ///
  /// - Returns: whether lines may be left.
  mutating func take(_ content: inout FollowedContent, isLast: Bool) async throws -> Bool {
    guard let cut = content.cut(limit: options.eventBytes, isLast: isLast) else { return false }
    switch cut {
    case .skipped: return true
    case .oversized(let line):
      let limit = ByteCountText.text(options.eventBytes)
      refuse(
        EventRejection(line: line, field: nil, value: nil, expected: "a line of at most \(limit)"),
        content)
      return true
    case .lines(let piece):
      content.state.seenAt = around.clock() / 1_000_000_000
      let frame = PositionFrame(content, piece)
      let batch = content.reader.decode(
        piece, firstLine: content.state.lines + 1, now: around.clock(), workers)
      for rejection in batch.decoded.rejections { refuse(rejection, content) }
      receipt.add(unknownFields: batch.decoded.unknownFields)
      let lines = batch.decoded.events.map(\.line)
      let progress =
        content.key.map { _ in
          SourceProgress(end: frame.position, before: { frame.position(beforeLine: lines[$0]) })
        }
      let now = around.clock()
      let count = try await patiently { [sink] in
        try await sink.append(batch, receivedTime: now, progress: progress)
      }
      receipt.accepted += count.accepted
      receipt.duplicates += count.duplicates
      hasUnsealed = true
      content.advance(to: frame.state)
      if let key = content.key { known[key] = content.state }
      return true
    }
  }

  private mutating func refuse(_ rejection: EventRejection, _ content: FollowedContent) {
    receipt.add(
      rejection, input: content.key == nil ? "standard input" : content.state.path,
      limit: options.listedErrors)
  }

  /// Does what a full disk stops as soon as it can be done. The batch stays in memory meanwhile and
  /// no further one is read.
  func patiently<Result>(_ body: () async throws -> Result) async throws -> Result {
    var isWaiting = false
    while true {
      do {
        let result = try await body()
        if isWaiting { around.note("there is space again; going on") }
        return result
      } catch let error as StoreError where error.code == .diskFull && !around.isStopping() {
        if !isWaiting { around.note("\(error); waiting for space") }
        isWaiting = true
        await around.pause()
      }
    }
  }
}
