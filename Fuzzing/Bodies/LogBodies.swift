import FarthingCore
import FarthingTestSupport

@testable import FarthingStore

enum LogBodies {
  private static let identity = LogIdentity(store: 7, file: 3)

  static var batchSeeds: [[UInt8]] {
    let batches = [1, 3, 12].map { FuzzStore.batch($0) }
    let byEvent = batches.map { batch in
      BatchRecord.encode(
        batch, selection: batch.decoded.events.indices, receivedTime: fuzzClock)
    }
    let preparation = BatchPreparation(seed: Array(1...16))
    let byColumn = batches.map { batch in
      BatchRecord.columnHead(receivedTime: fuzzClock)
        + preparation.prepareForLog(batch).flatMap { $0.makeRecordBody() }
    }
    return byEvent + byColumn
  }

  /// Records without the head of their file, which the body makes.
  static var logSeeds: [[UInt8]] {
    var bytes: [UInt8] = [0]
    var result: [[UInt8]] = []
    for (place, payload) in batchSeeds.enumerated() {
      LogRecordHeader.append(
        LogPayload(head: payload), type: LogFormat.batchType, sequence: 10 + Int64(place),
        durableSequence: 9 + Int64(place), identity: identity, to: &bytes)
      result.append(bytes)
    }
    return result
  }

  /// A byte of what surrounds the file, then its records: as they are, and with their checksums and
  /// sequence numbers made to hold.
  static func log(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let flags = input.byte()
    let records = input.bytes
    try scan(records, flags)
    try scan(resealed(records, keepsSequences: flags & 8 != 0), flags)
  }

  private static func scan(_ records: [UInt8], _ flags: UInt8) throws(BrokenProperty) {
    var file = LogFormat.preamble(store: 7, file: 3, firstSequence: 10) + records
    if flags & 1 != 0 {
      let mark = DurableMark(sequence: 9 + Int64(flags >> 4), end: file.count).bytes(identity)
      file.replaceSubrange(LogFormat.markOffset..<LogFormat.markOffset + mark.count, with: mark)
    }
    if flags & 2 != 0 { file.removeLast(min(file.count, Int(flags >> 3))) }
    let next = flags & 4 != 0 ? 10 + Int64(flags >> 4) : nil
    let scan: LogScan
    do throws(StoreError) {
      scan = try LogScan(
        file, identity: identity, firstSequence: 10, nextFirstSequence: next, name: "log/3")
    } catch {
      return try require(error.code == .unsupportedVersion, "a log file is refused: \(error)")
    }
    // Every sequence number up to the last is told of once: as a record or as a gap.
    var expected: Int64 = 10
    var gaps = scan.gaps[...]
    for record in scan.records {
      while let gap = gaps.first, gap.sequences.lowerBound == expected {
        expected = gap.sequences.upperBound + 1
        gaps = gaps.dropFirst()
      }
      try require(record.sequence == expected, "record \(record.sequence), not \(expected)")
      try require(
        record.payload.lowerBound >= LogFormat.recordsOffset
          && record.payload.upperBound <= file.count, "a payload beyond the file")
      expected += 1
      try batches(Array(file[record.payload]))
    }
    for gap in gaps {
      try require(gap.sequences.lowerBound == expected, "a gap out of order")
      expected = gap.sequences.upperBound + 1
    }
    try require(scan.lastSequence == expected - 1, "the last sequence number is another")
    try require(scan.tornBytes >= 0 && scan.end >= LogFormat.recordsOffset, "a tail out of place")
  }

  /// Gives every record the checksums that its bytes ask for.
  private static func resealed(_ records: [UInt8], keepsSequences: Bool) -> [UInt8] {
    var result: [UInt8] = []
    var place = 0
    var sequence: Int64 = 10
    while records.count - place > LogFormat.recordHeaderSize {
      var cursor = ByteCursor(place: place, end: records.count)
      let start = place + LogFormat.recordHeaderSize
      let length = min(
        Int((try? cursor.word(records.span, bytes: 4)) ?? 0), records.count - start)
      _ = try? cursor.word(records.span, bytes: 4)
      let own = (try? cursor.word(records.span, bytes: 8)) ?? 0
      let durable = (try? cursor.word(records.span, bytes: 8)) ?? 0
      LogRecordHeader.append(
        LogPayload(head: Array(records[start..<start + length])), type: LogFormat.batchType,
        sequence: keepsSequences ? Int64(bitPattern: own) : sequence,
        durableSequence: Int64(bitPattern: durable), identity: identity, to: &result)
      sequence += 1
      place = start + LogFormat.padded(length)
    }
    return result
  }

  /// A payload behind a checksum that holds: it is refused, or it goes the whole way into a segment.
  static func batches(_ bytes: [UInt8]) throws(BrokenProperty) {
    guard let (batch, receivedTime) = try? BatchRecord.decode(bytes) else { return }
    let all = batch.decoded.events.indices
    let encoded = BatchRecord.encode(batch, selection: all, receivedTime: receivedTime)
    guard let (again, _) = try? BatchRecord.decode(encoded) else {
      throw BrokenProperty(description: "what was written again is refused")
    }
    try require(
      BatchRecord.encode(again, selection: all, receivedTime: receivedTime) == encoded,
      "what was written again is another batch")
    let index = DeduplicationIndex(window: 1 << 40, seed: Array(1...16), now: fuzzClock)
    for event in batch.decoded.events {
      guard let id = event.range(of: .id) else { continue }
      index.restore(index.key(of: batch.decoded.span(id)), receivedTime: receivedTime)
    }
    guard all.count <= 500 else { return }
    var snapshot = StoreSnapshot()
    for kind in EventKind.allCases {
      let buffer = WriteBuffer(kind: kind)
      let selection = all.filter { batch.decoded.events[$0].kind == kind }
      let taken = buffer.append(batch, selection: selection, receivedTime: receivedTime)
      try require(taken == selection.count, "\(taken) of \(selection.count) rows are taken")
      do throws(StoreError) {
        try snapshot.add(buffer)
      } catch {
        throw BrokenProperty(description: "what was sealed cannot be opened: \(error)")
      }
    }
    let rows = snapshot.requests + snapshot.outcomes + snapshot.capacities
    try require(rows.reduce(0) { $0 + $1.rowCount } == all.count, "rows are lost")
    try require(snapshot.verified().isEmpty, "what was sealed is damaged")
    SegmentBodies.ask(snapshot)
  }
}
