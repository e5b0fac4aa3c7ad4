internal import FarthingCore

/// One log file read back.
struct LogReplay {
  private let bytes: [UInt8]
  private let name: String
  let scan: LogScan
  /// What the file lost; empty where it is whole.
  private(set) var damage: [DamageReport] = []

  /// - Throws: `io`, `accessDenied`, `unsupportedVersion`. A missing or damaged file is no error
  ///   but in ``damage``.
  init(
    entry: LogEntry, nextFirstSequence: Int64?, layout: StoreLayout, fileSystem: any FileSystem,
    store: UInt64
  ) throws(StoreError) {
    let name = StoreLayout.logName(entry.id)
    self.name = name
    var bytes: [UInt8] = []
    var isMissing = false
    do throws(StoreError) {
      let file = try layout.open(name, .read, fileSystem)
      defer { file.close() }
      let identity = LogIdentity(store: store, file: entry.id)
      // A writer may append meanwhile: its mark, read before the records, must not point beyond
      // what was read of a file that has grown since.
      while true {
        let size = try file.size()
        _ = try file.read(into: &bytes, offset: 0, count: size)
        guard let mark = DurableMark.read(bytes, identity), mark.end > bytes.count,
          try file.size() > size
        else { break }
      }
    } catch {
      guard error.code == .notFound else { throw error }
      isMissing = true
    }
    self.bytes = bytes
    scan = try LogScan(
      bytes, identity: LogIdentity(store: store, file: entry.id),
      firstSequence: entry.firstSequence, nextFirstSequence: nextFirstSequence, name: name)
    if isMissing {
      damage.append(
        DamageReport(
          file: name,
          message: "\(name) is missing; the batches \(entry.firstSequence) to "
            + "\(nextFirstSequence.map { String($0 - 1) } ?? "the last") that it held are lost"))
      return
    }
    if scan.isCut {
      damage.append(
        DamageReport(
          file: name,
          message: "\(name) was cut to \(bytes.count) bytes; the batches from "
            + "\(entry.firstSequence) on that it held are lost"))
    } else if scan.headerDamaged {
      damage.append(
        DamageReport(
          file: name, message: "\(name): its header is damaged; its batches are read all the same",
          lostRows: 0))
    }
    for gap in scan.gaps {
      damage.append(
        DamageReport(
          file: name,
          message: "\(name): bytes \(gap.bytes.lowerBound) to \(gap.bytes.upperBound) are damaged; "
            + "batches \(gap.sequences.lowerBound) to \(gap.sequences.upperBound) are lost"))
    }
  }

  /// Hands over the positions of sources that each record holds, in order.
  func forEachPosition(_ body: ([SourcePosition], _ sequence: Int64) -> Void) {
    for record in scan.records {
      // One that cannot be read is reported with its batch.
      guard let positions = try? BatchRecord.positions(Array(bytes[record.payload])),
        !positions.isEmpty
      else { continue }
      body(positions, record.sequence)
    }
  }

  /// Hands over each record's batch in order.
  ///
  /// A record whose checksum holds but whose form is unknown is left out and reported.
  mutating func forEachBatch(
    after covered: Int64 = -1,
    _ body: (ChargedBatch, _ receivedTime: Int64, _ sequence: Int64) throws(StoreError) -> Void
  ) throws(StoreError) {
    for record in scan.records where record.sequence > covered {
      let logged: (batch: ChargedBatch, receivedTime: Int64)
      do throws(EncodingFault) {
        logged = try BatchRecord.decode(Array(bytes[record.payload]))
      } catch {
        damage.append(
          DamageReport(
            file: name,
            message: "\(name): batch \(record.sequence) is left out: \(error.reason)"))
        continue
      }
      try body(logged.batch, logged.receivedTime, record.sequence)
    }
  }
}

extension StoreLayout {
  /// Opens a listed segment; its footer must agree with the catalogue.
  func openSegment(
    _ entry: SegmentEntry, _ fileSystem: any FileSystem
  ) throws(StoreError) -> SegmentReader {
    let name = StoreLayout.segmentName(entry.id)
    let file = try open(name, .read, fileSystem)
    let segment = try SegmentReader.open(
      FileSegmentSource(name: name, file: file), expectedID: entry.id)
    guard segment.rowCount == entry.rowCount, segment.kind == entry.kind,
      segment.byteCount == entry.byteCount
    else {
      throw StoreError(
        .damaged,
        "\(name) has \(segment.rowCount) rows in \(segment.byteCount) bytes, the catalogue "
          + "expects \(entry.rowCount) in \(entry.byteCount)")
    }
    return segment
  }
}

extension DecodedBatch {
  /// The text at `range` as bytes.
  @_lifetime(borrow self)
  func span(_ range: ByteRange) -> Span<UInt8> {
    let start = Int(range.offset)
    return bytes.span.extracting(start..<start + Int(range.length))
  }
}

extension WriteBuffer {
  /// Appends selected events of this buffer's kind; the buffer must have room for them.
  ///
  /// - Returns: how many of the selection were taken.
  @discardableResult
  func append(
    _ batch: borrowing ChargedBatch, selection: some Collection<Int>, receivedTime: Int64
  ) -> Int {
    append(
      batch.decoded, charges: batch.charges,
      prices: batch.prices.map { StoredPrice(key: $0.key, bytes: $0.serialised()) },
      source: batch.source, selection: selection, receivedTime: receivedTime)
  }
}

/// Ids on their way into an index, some hundred at a time, so that their cache misses overlap.
struct RestoredIDs {
  private var keys: [DeduplicationIndex.Key] = []
  private var times: [Int64] = []
  private var warmth: UInt64 = 0

  mutating func add(
    _ key: DeduplicationIndex.Key, receivedTime: Int64, to index: DeduplicationIndex
  ) {
    keys.append(key)
    times.append(receivedTime)
    if keys.count == 256 { flush(to: index) }
  }

  /// Puts in what waits.
  mutating func flush(to index: DeduplicationIndex) {
    warmth ^= index.warm(keys[...])
    for place in keys.indices { index.restore(keys[place], receivedTime: times[place]) }
    keys.removeAll(keepingCapacity: true)
    times.removeAll(keepingCapacity: true)
  }
}
