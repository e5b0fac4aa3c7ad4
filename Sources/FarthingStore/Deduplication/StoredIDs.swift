// The ids of stored events, read back for the index.

internal import FarthingCore
internal import Synchronization

/// Reads ids out of segments.
struct StoredIDs {
  let layout: StoreLayout
  let fileSystem: any FileSystem
  /// Segments whose keys are in memory at a time, 16 bytes a key.
  private static let roundSegments = 8

  /// Puts the ids of all rows of the segments into an index.
  ///
  /// - Returns: segments whose ids could not be read.
  /// - Throws: `io`, `accessDenied`.
  /// - Complexity: O(ids), some 0.15 µs of CPU an id, on as many threads as there are cores.
  func restore(
    _ segments: [SegmentEntry], into index: DeduplicationIndex
  ) throws(StoreError) -> [DamageReport] {
    let threads = max(1, min(8, HostProcess.processorCount()))
    var unread: [DamageReport] = []
    for start in stride(from: 0, to: segments.count, by: Self.roundSegments) {
      let round = Array(segments[start..<min(start + Self.roundSegments, segments.count)])
      let read = Mutex<[Int: Result<ArrivedKeys, StoreError>]>([:])
      let next = Atomic<Int>(0)
      let hash = index.hash
      ThreadTeam.run(min(threads, round.count)) { _ in
        let scratch = ScanScratch()
        while true {
          let place = next.add(1, ordering: .relaxed).oldValue
          guard place < round.count else { return }
          let keys = Result { () throws(StoreError) in
            try layout.openSegment(round[place], fileSystem).ids(hash, scratch: scratch)
          }
          read.withLock { $0[place] = keys }
        }
      }
      var batches: [ArrivedKeys] = []
      let results = read.withLock { $0 }
      for place in round.indices {
        switch results[place] {
        case .success(let keys): batches.append(keys)
        case .failure(let error):
          guard error.code == .damaged || error.code == .notFound else { throw error }
          unread.append(Self.report(round[place], error))
        case nil: preconditionFailure("BUG: segment \(round[place].id) was not looked at")
        }
      }
      index.restore(batches, threads: threads)
    }
    return unread
  }

  private static func report(_ entry: SegmentEntry, _ error: StoreError) -> DamageReport {
    let name = StoreLayout.segmentName(entry.id)
    return DamageReport(
      file: name,
      message: "\(error.description); events of it that come again are not known for "
        + "duplicates; restore \(name) from a backup",
      lostRows: entry.rowCount, kind: entry.kind)
  }
}

extension SegmentReader {
  /// The ids of all rows that have one.
  func ids(
    _ hash: KeyedHash, scratch: ScanScratch
  ) throws(StoreError) -> ArrivedKeys {
    var keys = ArrivedKeys()
    guard kind(of: .field(.id)) != nil else { return keys }
    var ids = TextColumn()
    var times = IntegerColumn()
    for block in 0..<blockCount {
      try readText(.field(.id), block: block, into: &ids, scratch: scratch)
      try readIntegers(.receivedTime, block: block, into: &times, scratch: scratch)
      let bytes = ids.bytes.span
      for row in 0..<ids.count {
        guard let range = ids.range(row) else { continue }
        keys.append(
          DeduplicationIndex.Key(hash: hash.hash(bytes.extracting(range))),
          receivedTime: times.values[row])
      }
    }
    return keys
  }
}
