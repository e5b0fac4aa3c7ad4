// Repricing a store as one step.
//
// 1. What is not in segments yet is sealed, and no merge runs until the end.
// 2. Every segment is surveyed: what would change in it.
// 3. Each segment in which something changes is written anew beside the old one, durable but unlisted.
// 4. One catalogue transaction lists the new segments, gives up the old ones, and records the repricing.
//
// A failure or crash before 4 leaves unlisted `.new` files, which this call or the next start removes; after 4 the old
// files are in the catalogue's list of removals. So a reader sees all of a repricing or nothing of it. Appends go on
// meanwhile: their segments are not touched.

package import FarthingCore

/// A repricing that is asked for.
package struct RepricingOrder: Sendable {
  package var book: PriceBook
  package var selection: any RequestSelection
  /// The selection in the words that were given; empty for all requests.
  package var selectionWords: String
  /// Who asks, for the record.
  package var by: String
  package var reason: String?
  /// Unix nanoseconds.
  package var time: Int64

  package init(
    book: PriceBook, selection: any RequestSelection = EveryRequest(), selectionWords: String = "",
    by: String, reason: String? = nil, time: Int64
  ) {
    self.book = book
    self.selection = selection
    self.selectionWords = selectionWords
    self.by = by
    self.reason = reason
    self.time = time
  }
}

extension RepricingSummary {
  /// What a book would change in the requests of a snapshot.
  ///
  /// - Throws: `damaged` where a segment is; `limitExceeded` where sums leave 128 bits.
  /// - Complexity: O(requests), some columns of each; memory for one block of rows.
  package static func survey(
    _ snapshot: StoreSnapshot, book: PriceBook, selection: any RequestSelection
  ) throws(StoreError) -> RepricingSummary {
    var repricer = SegmentRepricer(book: book, selection: selection)
    for segment in snapshot.requests { _ = try repricer.survey(segment) }
    return try repricer.tally.summary()
  }
}

extension StoreWriter {
  /// Prices stored requests anew, all of the selection or, where this throws, none.
  ///
  /// - Returns: what changed, and the record of it; no record where nothing changes.
  /// - Throws: `damaged` where a segment cannot be read; `diskFull`, before anything is written where the free
  ///   space is known to be too small; `io`; `closed`.
  package func reprice(
    _ order: RepricingOrder
  ) async throws(StoreError) -> (summary: RepricingSummary, record: RepricingRecord?) {
    guard !isClosed else { throw Self.closedError }
    while isMerging { await withCheckedContinuation { mergeWaiters.append($0) } }
    isMerging = true
    defer { endMerging() }
    try await flush()
    try catalog.refresh()
    let entries = catalog.state.segments.inArrivalOrder.filter { $0.kind == .request }
    let work = RepricingWork(order)
    var affected: [SegmentEntry] = []
    for entry in entries where try await sealer.survey(entry, work) > 0 {
      affected.append(entry)
    }
    let summary = try work.summary()
    guard !affected.isEmpty else { return (summary, nil) }
    try expectRoom(for: affected)
    var written: [SegmentEntry] = []
    do throws(StoreError) {
      for entry in affected {
        guard !isAbandoned else { throw Self.closedError }
        let id = nextSegmentID
        nextSegmentID += 1
        written.append(try await sealer.rewrite(entry, id: id, work))
      }
      guard !isAbandoned else { throw Self.closedError }
      let record = try publish(written, insteadOf: affected, order, summary.totals)
      return (summary, record)
    } catch {
      discard(written)
      throw error
    }
  }

  private func endMerging() {
    isMerging = false
    let waiters = mergeWaiters
    mergeWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  /// The new segments may be somewhat larger than the old ones, which stay until the end.
  private func expectRoom(for affected: [SegmentEntry]) throws(StoreError) {
    guard let free = try fileSystem.availableBytes(layout.directory) else { return }
    let bytes = affected.reduce(0) { $0 + $1.byteCount }
    let needed = bytes + bytes / 4 + 16 << 20
    guard free < needed else { return }
    throw StoreError(
      .diskFull,
      "repricing writes \(affected.count) segments of \(bytes >> 20) MiB anew before the old ones go: "
        + "it needs \(needed >> 20) MiB free in \(layout.directory), \(free >> 20) MiB are; nothing was "
        + "changed")
  }

  private func publish(
    _ written: [SegmentEntry], insteadOf affected: [SegmentEntry], _ order: RepricingOrder,
    _ totals: RepricingTotals
  ) throws(StoreError) -> RepricingRecord {
    try catalog.refresh()
    let lists = order.book.lists.map(\.id)
    var sum = RowChecksum(table: "book")
    for list in lists { sum.add(list) }
    for list in try catalog.priceLists() { sum.add(list.checksum) }
    var record = RepricingRecord(
      appliedAt: order.time, appliedBy: order.by, reason: order.reason,
      selection: order.selectionWords, lists: lists, book: hex(UInt64(bitPattern: sum.value)),
      segments: written.count, totals: totals)
    var change = CatalogChange()
    change.addedSegments = written
    change.removedSegments = affected.map(\.id)
    change.repricing = record
    try catalog.commit(change)
    for entry in written { publisher.settle(StoreLayout.segmentName(entry.id)) }
    record.id = (try? catalog.repricings().last?.id) ?? 0
    // The step is done; files that stay now go with the next start.
    try? forgetRemovals()
    return record
  }

  /// Removes segments that were written and are not listed.
  private func discard(_ written: [SegmentEntry]) {
    // Where a commit's fate is open, only the catalogue knows whether they are.
    guard !isAbandoned, (try? catalog.refresh()) != nil else { return }
    let listed = Set(catalog.state.segments.map(\.id))
    for entry in written where !listed.contains(entry.id) {
      try? fileSystem.unlink(layout.path(StoreLayout.segmentName(entry.id)) + ".new")
    }
  }

  /// All repricings, the earliest first.
  package func repricings() throws(StoreError) -> [RepricingRecord] { try catalog.repricings() }
}

/// A repricing on its way through the segments.
///
/// `@unchecked Sendable`: the writer's step hands it to the sealing thread and waits for each answer before it goes on,
/// so one thread at a time touches it; the hand-over between actors orders the accesses.
final class RepricingWork: @unchecked Sendable {
  fileprivate var repricer: SegmentRepricer

  init(_ order: RepricingOrder) {
    repricer = SegmentRepricer(book: order.book, selection: order.selection)
  }

  func summary() throws(StoreError) -> RepricingSummary { try repricer.tally.summary() }
}

extension SegmentSealer {
  /// - Returns: how many requests of the segment would change.
  func survey(_ entry: SegmentEntry, _ work: RepricingWork) throws(StoreError) -> Int {
    try work.repricer.survey(try publisher.layout.openSegment(entry, publisher.fileSystem))
  }

  /// Writes a segment anew with today's charges, durable under its `.new` name.
  func rewrite(
    _ entry: SegmentEntry, id: Int64, _ work: RepricingWork
  ) throws(StoreError) -> SegmentEntry {
    let segment = try publisher.layout.openSegment(entry, publisher.fileSystem)
    let buffer = try work.repricer.rewritten(segment)
    guard let sealed = buffer.sealed(id: id), sealed.rowCount == entry.rowCount else {
      throw StoreError(
        .damaged, "segment \(entry.id) has other rows than the \(entry.rowCount) expected")
    }
    return try publisher.write(sealed)
  }
}
