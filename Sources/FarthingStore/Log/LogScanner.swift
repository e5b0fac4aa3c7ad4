// What a log file still holds.
//
// Records follow one another with ascending sequence numbers. At the first place where no valid
// record stands there are three possibilities, and only one of them is harmless:
//
// - Nothing was acknowledged beyond it: the torn tail of a write that no answer waited for. It is
//   cut, by letting the next log file supersede it. Only the newest file can have one.
// - A newer file supersedes everything from here on, because a sync failed here and the records
//   were written again there.
// - Acknowledged records stood there: the durable mark, a later record, or the file's successor
//   says so. That is damage; what follows it is read on, and the gap is reported.

/// The valid records of one log file.
struct LogScan: Sendable {
  struct Record: Sendable, Equatable {
    var sequence: Int64
    var type: UInt8
    /// The payload's place in the file's bytes.
    var payload: Range<Int>
  }

  var records: [Record] = []
  /// Lost places: from where to where, and the first and last sequence number that are missing.
  var gaps: [(bytes: Range<Int>, sequences: ClosedRange<Int64>)] = []
  /// Bytes of a torn tail, those of zeros left out; 0 where the file ends cleanly.
  var tornBytes = 0
  /// Where the first torn byte stands.
  var end = LogFormat.recordsOffset
  /// Whether the file ends before its first record. It was made longer than that before the
  /// catalogue listed it, so something cut it, and what it held is unknown.
  var isCut = false
  /// Whether the header fails its checksum; records do not depend on it.
  var headerDamaged = false

  /// The last valid sequence number; that before the first where there is none.
  var lastSequence: Int64

  /// Finds the records of a file.
  ///
  /// - Parameters:
  ///   - file: all bytes of the file.
  ///   - firstSequence: of this file, from the catalogue.
  ///   - nextFirstSequence: of the next newer file; nil for the newest.
  ///   - name: for messages.
  /// - Throws: `unsupportedVersion` where a newer build wrote the file or a record of it.
  init(
    _ file: [UInt8], identity: LogIdentity, firstSequence: Int64, nextFirstSequence: Int64?,
    name: String
  ) throws(StoreError) {
    lastSequence = firstSequence - 1
    try checkHeader(file, identity: identity, name: name)
    isCut = file.count < LogFormat.recordsOffset
    let mark = DurableMark.read(file, identity)
    // No sequence number from here on is this file's business.
    let bound = nextFirstSequence ?? Int64.max
    var place = LogFormat.recordsOffset
    while lastSequence + 1 < bound {
      if let header = LogRecordHeader.read(file, at: place, identity),
        header.sequence == lastSequence + 1,
        let payload = header.payload(file, at: place, identity)
      {
        guard header.type == LogFormat.batchType else {
          throw StoreError(
            .unsupportedVersion,
            "\(name) holds a record of type \(header.type), which this build does not know; "
              + "use the newer build")
        }
        records.append(Record(sequence: header.sequence, type: header.type, payload: payload))
        lastSequence = header.sequence
        place += header.size
        continue
      }
      guard let resumed = resume(file, after: place, identity, mark: mark, bound: bound) else {
        break
      }
      gaps.append((place..<resumed.place, (lastSequence + 1)...(resumed.sequence - 1)))
      lastSequence = resumed.sequence - 1
      place = resumed.place
    }
    end = place
    finish(file, mark: mark, bound: nextFirstSequence)
  }

  private mutating func checkHeader(
    _ file: [UInt8], identity: LogIdentity, name: String
  ) throws(StoreError) {
    let expected = LogFormat.preamble(store: identity.store, file: identity.file, firstSequence: 0)
    guard file.count >= 44 else {
      headerDamaged = true
      return
    }
    var cursor = ByteCursor(place: 8, end: 44)
    let span = file.span
    let version = try? cursor.word(span, bytes: 8)
    var checksumCursor = ByteCursor(place: 40, end: 44)
    let checksum = try? checksumCursor.word(span, bytes: 4)
    guard checksum == UInt64(CRC32C.checksum(span.extracting(0..<40))),
      file[0..<8] == expected[0..<8], file[16..<32] == expected[16..<32]
    else {
      headerDamaged = true
      return
    }
    guard let version, version <= LogFormat.version else {
      throw StoreError(
        .unsupportedVersion,
        "\(name) has log version \(version ?? 0), this build reads up to \(LogFormat.version); "
          + "use the newer build")
    }
  }

  /// The next valid record after a broken place, where what stood between was acknowledged.
  private func resume(
    _ file: [UInt8], after place: Int, _ identity: LogIdentity, mark: DurableMark?, bound: Int64
  ) -> (place: Int, sequence: Int64)? {
    var candidate = place + 8
    while candidate + LogFormat.recordHeaderSize <= file.count {
      if let header = LogRecordHeader.read(file, at: candidate, identity),
        header.sequence > lastSequence + 1, header.sequence < bound,
        header.payload(file, at: candidate, identity) != nil
      {
        let acknowledged =
          bound != Int64.max || header.durableSequence > lastSequence
          || (mark.map { $0.sequence > lastSequence } ?? false)
        return acknowledged ? (candidate, header.sequence) : nil
      }
      candidate += 8
    }
    return nil
  }

  /// Judges what stands after the last valid record.
  private mutating func finish(_ file: [UInt8], mark: DurableMark?, bound: Int64?) {
    let tail = end..<max(end, file.count)
    if let bound {
      guard lastSequence + 1 < bound else { return }
      gaps.append((tail, (lastSequence + 1)...(bound - 1)))
      lastSequence = bound - 1
    } else if let mark, mark.sequence > lastSequence {
      gaps.append((end..<max(end, mark.end), (lastSequence + 1)...mark.sequence))
      lastSequence = mark.sequence
    } else {
      let last = file[tail.clamped(to: 0..<file.count)].lastIndex { $0 != 0 }
      tornBytes = last.map { $0 + 1 - end } ?? 0
    }
  }
}
