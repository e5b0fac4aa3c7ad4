// From a batch to the rows of the buffers: ids that are known are left out, the rest is laid out.

package import FarthingCore

extension StoreWriter {
  /// Stores the events of a batch whose ids are new within the window.
  ///
  /// - Parameters:
  ///   - receivedTime: when the batch arrived, Unix nanoseconds.
  ///   - durability: whether the events are durable on return or with the next ``flush()``.
  ///   - progress: with `log`: how far the batch's source is read. Durable in the same step as the
  ///     events, of which none is stored without the position that covers it.
  /// - Returns: once what `durability` promises holds, for duplicates too: an event is called a
  ///   duplicate only when the event that it repeats is durable.
  /// - Throws: `diskFull` or `io`, after which no event of the batch is stored and no id of it is
  ///   remembered; the same batch may be sent again. Of a batch of more than 16,384 events without
  ///   progress the first ones may be stored. `closed`.
  package func append(
    _ batch: ChargedBatch, receivedTime: Int64, durability: AppendDurability,
    progress: SourceProgress? = nil
  ) async throws(StoreError) -> AppendResult {
    switch durability {
    case .segment:
      var result = AppendResult(accepted: 0, duplicateLines: [])
      for prepared in preparation.prepare(batch) {
        let part = try await append(prepared, receivedTime: receivedTime)
        result.accepted += part.accepted
        result.duplicateLines += part.duplicateLines
      }
      return result
    case .log:
      let upload = Upload(
        batches: [batch], receivedTime: receivedTime, progress: progress.map { [$0] } ?? [])
      return try await append([upload])[0].get()
    }
  }

  /// Stores the events of a prepared batch whose ids are new within the window.
  ///
  /// - Parameters:
  ///   - batch: made by this writer's ``preparation``; to be appended once.
  ///   - receivedTime: when the batch arrived, Unix nanoseconds.
  /// - Returns: at once; the events are durable with the next ``flush()``.
  /// - Throws: as above, with nothing of the batch stored.
  package func append(
    _ batch: PreparedBatch, receivedTime: Int64
  ) async throws(StoreError) -> AppendResult {
    try await waitForSealRoom()
    guard !isClosed else { throw Self.closedError }
    index.advance(to: receivedTime)
    if !batch.keys.isEmpty { try readStoredIDs(now: receivedTime) }
    let duplicates = insert(batch.keys).map { batch.keyedEvents?[$0] ?? UInt32($0) }
    unloggedAppends += 1
    let cuts = batch.rows.map(\.cuts.count).max() ?? 0
    let first = arrivals.next(receivedTime, steps: cuts, outcomes: batch.outcomes)
    let prices = batch.prices.map { stored($0) }
    for rows in batch.rows {
      for part in rows.parts(without: duplicates, from: first) where part.taken?.isEmpty != true {
        apply(rows, part.taken, prices: prices, receivedTime: part.receivedTime)
      }
    }
    sealLargeBuffers()
    return AppendResult(
      accepted: batch.eventCount - duplicates.count,
      duplicateLines: duplicates.map { Int(batch.lines[Int($0)]) })
  }

  // MARK: - Ids

  /// Reads the ids of the window into the index, once.
  ///
  /// - Throws: `io`, `accessDenied`; the next call tries again then.
  func readStoredIDs(now: Int64) throws(StoreError) {
    guard !knowsStoredIDs else { return }
    let oldest = now.subtractingReportingOverflow(options.deduplicationWindow)
    // As the catalogue stands now: a merge may have replaced what was there at the start.
    let segments = catalog.state.segments.filter {
      oldest.overflow || $0.maximumReceivedTime >= oldest.partialValue
    }
    unreadIDs += try StoredIDs(layout: layout, fileSystem: fileSystem)
      .restore(segments, into: index)
    knowsStoredIDs = true
  }

  struct SortedBatch {
    var selection: [Int] = []
    var duplicateLines: [Int] = []
    /// Of the selection, where they have an id.
    var keys: [DeduplicationIndex.Key] = []
  }

  /// Remembers the new ids, in the order of the batch: of two equal ids in it the first is new.
  func sortOut(_ batch: borrowing DecodedBatch) -> SortedBatch {
    var keys: [DeduplicationIndex.Key] = []
    for place in batch.events.indices {
      if let id = batch.events[place].range(of: .id) {
        keys.append(index.key(of: batch.span(id)))
      }
    }
    let known = insert(keys)
    var sorted = SortedBatch()
    var next = 0
    var nextKnown = 0
    for place in batch.events.indices {
      if batch.events[place].range(of: .id) != nil {
        next += 1
        if nextKnown < known.count, known[nextKnown] == next - 1 {
          nextKnown += 1
          sorted.duplicateLines.append(batch.events[place].line)
          continue
        }
        sorted.keys.append(keys[next - 1])
      }
      sorted.selection.append(place)
    }
    return sorted
  }

  /// Remembers ids.
  ///
  /// - Returns: the places of those that were known, ascending.
  func insert(_ keys: [DeduplicationIndex.Key]) -> [Int] {
    var known: [Int] = []
    // Some hundred searches at a time, so that their cache misses overlap.
    for start in stride(from: 0, to: keys.count, by: 256) {
      let end = min(start + 256, keys.count)
      warmth ^= index.warm(keys[start..<end])
      for place in start..<end where !index.insert(keys[place]) { known.append(place) }
    }
    return known
  }

  func forget(_ keys: [DeduplicationIndex.Key]) {
    for key in keys { index.remove(key) }
  }

  // MARK: - Rows past the log

  /// Puts rows of one kind into the buffers, sealing those that are full.
  private func apply(
    _ rows: PreparedBatch.Rows, _ taken: [UInt32]?, prices: [StoredPrice], receivedTime: Int64
  ) {
    let place = Int(rows.kind.rawValue)
    var fresh = taken
    if let newest = newestTimes[place], rows.times.lowerBound < newest - LateBuffers.tolerance {
      let split = LateBuffers.split(rows, taken, before: newest - LateBuffers.tolerance)
      if split.lateCount * 2 <= taken?.count ?? rows.table.rowCount {
        fresh = split.fresh
        for (day, behind) in split.late {
          if let full = late.makeRoom(for: rows.kind, day: day, rows: behind.count, options) {
            rotate(late: full)
          }
          late.buffer(rows.kind, day: day).absorb(
            rows.table, behind, prices: prices, receivedTime: receivedTime, codes: &codes)
        }
        newestTimes[place] = max(newest, rows.times.upperBound)
      } else {
        // Another stream begins, which has times of its own.
        newestTimes[place] = rows.times.upperBound
      }
    } else {
      newestTimes[place] = max(newestTimes[place] ?? .min, rows.times.upperBound)
    }
    put(rows, fresh, prices: prices, receivedTime: receivedTime)
  }

  private func put(
    _ rows: PreparedBatch.Rows, _ taken: [UInt32]?, prices: [StoredPrice], receivedTime: Int64
  ) {
    let place = Int(rows.kind.rawValue)
    var rest = taken
    while true {
      let count = rest?.count ?? rows.table.rowCount
      guard count > 0 else { return }
      let buffer = active[place] ?? WriteBuffer(kind: rows.kind, spares: spares)
      active[place] = buffer
      let room = max(0, options.segmentRows - buffer.rowCount)
      if buffer.rowCount > 0, room == 0 || buffer.isNearlyFull(with: rows.table) {
        rotate(rows.kind)
        continue
      }
      var part = rest
      rest = []
      if count > room {
        let all = part ?? (0..<UInt32(rows.table.rowCount)).map { $0 }
        part = Array(all[..<room])
        rest = Array(all[room...])
      }
      buffer.absorb(
        rows.table, part, prices: prices, receivedTime: receivedTime, codes: &codes)
      if buffer.rowCount >= options.segmentRows { rotate(rows.kind) }
    }
  }

  // MARK: - Rows of the log

  /// Puts the rows of the next record of the log into the buffers, those of one kind into one, and
  /// notes the source positions that it carries.
  func apply(_ record: LogRecord) {
    // A buffer that goes now has no row of this record: its segment must not be taken to cover it.
    for kind in EventKind.allCases {
      let count = record.rowCount(kind)
      if count > 0, let buffer = active[Int(kind.rawValue)],
        buffer.rowCount + count > options.segmentRows
          || buffer.approximateByteCount > options.bufferBytes
      {
        rotate(kind)
      }
    }
    appliedSequence += 1
    sources.take(record.positions, sequence: appliedSequence)
    // A buffer below `bufferBytes` takes any record whole, so none of its rows is left over.
    switch record.rows {
    case .events(let batch, let selection):
      let prices = batch.prices.map { stored($0) }
      for kind in EventKind.allCases where record.rowCount(kind) > 0 {
        buffer(of: kind).append(
          batch.decoded, charges: batch.charges, prices: prices, source: batch.source,
          selection: selection.filter { batch.decoded.events[$0].kind == kind },
          receivedTime: record.receivedTime)
      }
    case .prepared(let batch):
      let prices = batch.prices.map { stored($0) }
      for rows in batch.rows {
        buffer(of: rows.kind).absorb(
          rows.table, nil, prices: prices, receivedTime: record.receivedTime, codes: &codes)
      }
    }
    sealLargeBuffers()
  }

  private func buffer(of kind: EventKind) -> WriteBuffer {
    let buffer = active[Int(kind.rawValue)] ?? WriteBuffer(kind: kind, spares: spares)
    active[Int(kind.rawValue)] = buffer
    return buffer
  }

  private func stored(_ price: ResolvedPrice) -> StoredPrice {
    if let known = storedPrices[ObjectIdentifier(price)] { return known.stored }
    if storedPrices.count >= 4_096 { storedPrices = [:] }
    let stored = StoredPrice(key: price.key, bytes: price.serialised())
    // Keeping the price keeps its identity from being given to another.
    storedPrices[ObjectIdentifier(price)] = (price, stored)
    return stored
  }

  /// Memory grows with the length of the texts as well as with the rows.
  private func sealLargeBuffers() {
    appendsSinceSizeCheck += 1
    guard appendsSinceSizeCheck >= 16 else { return }
    appendsSinceSizeCheck = 0
    for kind in EventKind.allCases {
      guard let buffer = active[Int(kind.rawValue)] else { continue }
      if buffer.approximateByteCount > options.bufferBytes { rotate(kind) }
    }
    while let large = late.largest(above: options.bufferBytes / 2) { rotate(late: large) }
  }
}
