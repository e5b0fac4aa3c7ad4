// From the disk to the forwarder, in order.

extension Spool {
  /// A record that was handed out.
  struct Outstanding {
    var sequence: Int64
    var file: Int64
    var events: Int
    var receivedTime: Int64
  }

  /// The next records in order, each handed out once.
  ///
  /// - Parameters:
  ///   - textBytes: most bytes of their sections together; a single record may have more.
  ///   - events: likewise for events.
  /// - Returns: records without a gap between them; none where everything durable was handed out.
  /// - Throws: `io`, `accessDenied`, with nothing handed out. Damaged records are passed over and told
  ///   of by ``takeDamage()``.
  package func next(textBytes: Int, events: Int) throws(StoreError) -> [SpoolRecord] {
    var records: [SpoolRecord] = []
    var size = 0
    var count = 0
    while readThrough < lastSequence {
      guard let record = try peek() else {
        // Nothing readable is left.
        readThrough = lastSequence
        break
      }
      if let last = records.last,
        record.record.sequence != last.sequence + 1
          || size + record.record.textBytes > textBytes || count + record.record.events > events
      {
        break
      }
      // Everything before the first one that nobody holds was lost.
      if outstanding.isEmpty { settle(through: record.record.sequence - 1) }
      size += record.record.textBytes
      count += record.record.events
      readThrough = record.record.sequence
      readPlace = (record.file, record.next)
      outstanding.append(
        Outstanding(
          sequence: record.record.sequence, file: record.file, events: record.record.events,
          receivedTime: record.record.receivedTime))
      records.append(record.record)
    }
    window = nil
    if records.isEmpty, outstanding.isEmpty { settle(through: readThrough) }
    return records
  }

  /// Gives up records that damage took: nobody will acknowledge them.
  private func settle(through sequence: Int64) {
    guard sequence > state.acknowledged else { return }
    state.acknowledged = sequence
    for place in files.indices where files[place].lastSequence <= sequence {
      files[place].waitingEvents = 0
      files[place].oldestTime = nil
    }
  }

  /// Hands out again, from the first, what is not acknowledged.
  package func rewind() {
    readThrough = state.acknowledged
    readPlace = nil
    outstanding = []
  }

  /// Some bytes of a file.
  struct Window {
    var number: Int64
    var start: Int
    var bytes: [UInt8]
  }

  private struct Found {
    var record: SpoolRecord
    var file: Int64
    /// Where the record behind it begins.
    var next: Int
  }

  /// The record after ``readThrough``, or the next readable one; nil where there is none.
  private func peek() throws(StoreError) -> Found? {
    while let place = files.firstIndex(where: { $0.lastSequence > readThrough }) {
      let file = files[place]
      if file.firstSequence > readThrough + 1 {
        lose((readThrough + 1)...(file.firstSequence - 1), "the file before \(file.name)", nil)
      }
      let offset = try placeOfNext(file)
      if let found = try record(of: file, at: offset), found.record.sequence == readThrough + 1 {
        return found
      }
      if let found = try nextReadable(file) { return found }
    }
    return nil
  }

  /// Where the record after ``readThrough`` begins, unless it is damaged.
  private func placeOfNext(_ file: SpoolFile) throws(StoreError) -> Int {
    if let readPlace, readPlace.number == file.number { return readPlace.offset }
    var offset = LogFormat.recordsOffset
    guard file.firstSequence <= readThrough else { return offset }
    let bytes = try contents(of: file, from: offset, count: file.end - offset)
    while let header = LogRecordHeader.read(
      bytes, at: offset - LogFormat.recordsOffset, identity(of: file)),
      header.sequence <= readThrough
    {
      offset += header.size
    }
    return offset
  }

  /// Bytes that are read at once: some batches of records.
  private static let windowBytes = 2 << 20

  /// The record at a place; nil where none is valid there.
  private func record(of file: SpoolFile, at offset: Int) throws(StoreError) -> Found? {
    func find(in window: Window) -> (needs: Int, found: Found?)? {
      let place = offset - window.start
      guard place >= 0,
        let header = LogRecordHeader.read(window.bytes, at: place, identity(of: file))
      else { return nil }
      if window.bytes.count - place < header.size { return (header.size, nil) }
      guard let payload = header.payload(window.bytes, at: place, identity(of: file)) else {
        return nil
      }
      return (0, found(header, window.bytes[payload], file, at: offset))
    }
    if let window, window.number == file.number, let result = find(in: window), result.needs == 0 {
      return result.found
    }
    var count = Self.windowBytes
    while true {
      let start = offset
      let fresh = Window(
        number: file.number, start: start,
        bytes: try contents(of: file, from: start, count: min(count, file.end - start)))
      window = fresh
      guard let result = find(in: fresh) else { return nil }
      if result.needs == 0 { return result.found }
      guard count < result.needs, offset + result.needs <= file.end else { return nil }
      count = result.needs
    }
  }

  private func found(
    _ header: LogRecordHeader, _ payload: ArraySlice<UInt8>, _ file: SpoolFile, at offset: Int
  ) -> Found? {
    guard let head = try? SpoolPayload.head(payload) else { return nil }
    return Found(
      record: SpoolRecord(
        sequence: header.sequence, receivedTime: head.receivedTime, events: head.events,
        textBytes: head.textBytes, frame: Array(payload[head.frame])),
      file: file.number, next: offset + header.size)
  }

  private func identity(of file: SpoolFile) -> LogIdentity {
    LogIdentity(store: state.identity, file: file.number)
  }

  private func contents(
    of file: SpoolFile, from offset: Int, count: Int
  ) throws(StoreError) -> [UInt8] {
    guard count > 0 else { return [] }
    let handle = try fileSystem.open("\(directory)/\(file.name)", .read)
    defer { handle.close() }
    var bytes: [UInt8] = []
    _ = try handle.read(into: &bytes, offset: offset, count: count)
    return bytes
  }

  /// Where a record of a file is damaged: what can be read behind it, and what is lost between.
  private func nextReadable(_ file: SpoolFile) throws(StoreError) -> Found? {
    let bytes = try contents(of: file, from: 0, count: file.end)
    let scan = try LogScan(
      bytes, identity: identity(of: file), firstSequence: file.firstSequence,
      nextFirstSequence: file.lastSequence + 1, name: file.name)
    for record in scan.records where record.sequence > readThrough {
      let offset = record.payload.lowerBound - LogFormat.recordHeaderSize
      guard let header = LogRecordHeader.read(bytes, at: offset, identity(of: file)),
        let found = found(header, bytes[record.payload], file, at: offset)
      else { continue }
      if record.sequence > readThrough + 1 {
        lose((readThrough + 1)...(record.sequence - 1), file.name, file.number)
      }
      return found
    }
    lose((readThrough + 1)...file.lastSequence, file.name, file.number)
    return nil
  }

  /// Passes over records that nothing can read any more, and tells of those that nobody was told of.
  private func lose(_ sequences: ClosedRange<Int64>, _ what: String, _ number: Int64?) {
    readThrough = sequences.upperBound
    readPlace = nil
    if let place = files.firstIndex(where: { $0.number == number }) {
      files[place].isDamaged = true
    }
    var from = sequences.lowerBound
    for known in knownLosses where known.contains(from) { from = known.upperBound + 1 }
    guard from <= sequences.upperBound else { return }
    let lost = from...sequences.upperBound
    knownLosses.append(lost)
    lostRecords += Int64(lost.count)
    untold.append(SpoolOpening.report(what, lost))
  }
}
