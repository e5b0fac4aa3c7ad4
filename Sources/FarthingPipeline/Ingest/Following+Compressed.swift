internal import FarthingCore
internal import FarthingStore

// Compressed files beside followed ones.
//
// What a rotation compresses was read before, all of it or a part, or was never seen: nobody followed
// while it was written and rotated, or nothing more was taken, since the store was full. The former is read on
// from its position, which its decompressed content proves; the latter from its beginning. What is older than the first
// position that any run kept was there before anything was followed, and is left alone.
//
// A file that is done is remembered by its compressed bytes like any other file that is read to its end. Until
// then its position, within the decompressed content, stands under a name of its own.

/// What is known of a compressed file in this run.
enum CompressedSight {
  /// Somebody may still write it: its size, and since when it has it.
  case waiting(size: Int, since: Int64, isNew: Bool)
  case done
}

extension Following {
  /// Nanoseconds without growth after which a compressed file is taken for whole.
  private static let settlingTime: Int64 = 5_000_000_000

  /// Reads what compressed files have that was not read of the plain ones.
  mutating func lookForCompressed(among paths: [String]) async throws(StoreError) {
    let now = around.clock()
    var seenNow: Set<FileIdentity> = []
    for path in paths {
      guard let seen = GrowingFile.look(at: path) else { continue }
      seenNow.insert(seen.identity)
      switch compressed[seen.identity] {
      case .done: continue
      case .waiting(let size, let since, let isNew) where size == seen.size:
        guard now &- since >= Self.settlingTime || now < since else { continue }
        compressed[seen.identity] = .done
        try await readWhole(path, isNew: isNew)
      case .waiting(_, _, let isNew):
        compressed[seen.identity] = .waiting(size: seen.size, since: now, isNew: isNew)
      case nil:
        compressed[seen.identity] = .waiting(size: seen.size, since: now, isNew: !isFirstRound)
      }
    }
    for identity in compressed.keys where !seenNow.contains(identity) {
      compressed[identity] = nil
    }
  }

  func isCompressed(_ beginning: [UInt8]) -> Bool {
    StreamCompression.detect(beginning) != nil
  }

  /// Whether the compressed file was read to its end.
  func isWholeKnown(_ file: GrowingFile) throws(StoreError) -> Bool {
    guard let state = known[file.identity.text], try file.status().size == state.offset else {
      return false
    }
    return try matches(state, file)
  }

  private mutating func readWhole(_ path: String, isNew: Bool) async throws(StoreError) {
    do throws(StoreError) {
      guard let file = try GrowingFile.open(path), try !isWholeKnown(file),
        isCompressed(try file.read(at: 0, count: 4))
      else { return }
      let key = file.identity.text + ".content"
      if let state = known[key] {
        if try await readCompressed(file, from: state, of: key) { return }
      }
      let head = try DecompressedHead(path).bytes
      for (identity, state) in known
      where state.offset > 0 && path.hasPrefix(state.path)
        && FollowState.hash(head.prefix(state.headLength)) == state.headHash
      {
        if try await readCompressed(file, from: state, of: identity) { return }
      }
      if !isNew {
        guard let followedSince, try file.writtenAt() >= followedSince else { return }
      }
      around.note("\(path) was rotated and compressed before it was read; reading it now")
      var state = FollowState(path: path)
      state.settle { (_, _) -> [UInt8] in [] }
      _ = try await readCompressed(file, from: state, of: key)
    } catch {
      guard error.code != .closed, error.code != .diskFull else { throw error }
      if told.insert("compressed " + path).inserted { around.note("\(error)") }
    }
  }

  /// Reads on in the decompressed content.
  ///
  /// - Returns: false where it does not hold what the position was taken in.
  mutating func readCompressed(
    _ file: GrowingFile, from state: FollowState, of identity: String
  ) async throws(StoreError) -> Bool {
    let rest: CompressedRest?
    do throws(StoreError) {
      rest = try CompressedRest(file.path, from: state)
    } catch {
      around.note("\(error)")
      return false
    }
    guard let rest else { return false }
    do {
      let isWhole = try await read(rest, from: state, of: identity)
      guard isWhole else { return true }
      try await remember(file)
      if !isThere(identity, state) { try await forget(identity) }
      return true
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(.io, "\(error)")
    }
  }

  /// - Returns: false where the compressed file ends too early: what could be read is stored, and a later
  ///   run tries the rest again.
  private mutating func read(
    _ rest: CompressedRest, from state: FollowState, of identity: String
  ) async throws -> Bool {
    let reader = makeReader()
    var source = FollowedContent(key: identity, state: state, reader: reader, head: rest.head)
    try reader.prepare(head: rest.head, offset: state.offset)
    var isAtEnd = false
    while !isAtEnd {
      var fault: StoreError?
      do throws(StoreError) {
        isAtEnd = try !rest.read(appendingTo: &source.buffer, count: options.pieceBytes)
      } catch {
        fault = error
      }
      while try await take(&source, isLast: isAtEnd) {}
      if let fault {
        around.note("\(fault)")
        return false
      }
    }
    return true
  }

  /// Makes durable that all of a compressed file is stored.
  private mutating func remember(_ file: GrowingFile) async throws {
    var state = FollowState(path: file.path)
    state.offset = try file.status().size
    try state.settle { (offset, count) throws(StoreError) in
      try file.read(at: offset, count: count)
    }
    try await keep(state, of: file.identity.text)
    compressed[file.identity] = .done
  }
}

/// The first bytes of a compressed file's content.
private struct DecompressedHead {
  var bytes: [UInt8] = []

  init(_ path: String) throws(StoreError) {
    let input = try DecompressedInput(try ByteSource.open(path, regularOnly: true))
    while bytes.count < FollowState.headLimit,
      try input.read(appendingTo: &bytes, count: FollowState.headLimit) > 0
    {}
  }
}
