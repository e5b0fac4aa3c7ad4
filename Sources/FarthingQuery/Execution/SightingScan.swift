package import FarthingCore
package import FarthingStore

/// When a value of a field was first and last seen.
package struct Sighting: Sendable, Equatable {
  package var value: String
  /// Unix nanoseconds of the first and of the last request that has it.
  package var first: Int64
  package var last: Int64
}

extension QueryExecutor {
  /// When each value of each field was first and last seen, in no order; requests without a value are left out.
  ///
  /// Blocks in which no value can be earlier or later than it is known to be are not read: of a field with few
  /// values that is nearly all.
  /// - Parameters:
  ///   - fields: fields of text.
  ///   - plan: its filter and window; columns and limit are not looked at.
  /// - Returns: One list for each field.
  /// - Throws: ``QueryError`` of code `memory` or `store`.
  /// - Complexity: O(rows · fields) at most.
  package func sightings(
    of fields: [RequestField], _ plan: EventsPlan, over snapshot: StoreSnapshot
  ) throws(QueryError) -> [[Sighting]] {
    let segments = snapshot.requests.filter { segment in
      let isBefore = plan.since.map { segment.maximumTime < $0 } ?? false
      let isAfter = plan.until.map { segment.minimumTime >= $0 } ?? false
      return !isBefore && !isAfter
    }
    if segments.isEmpty { return fields.map { _ in [] } }
    var universes: [CodeUniverse] = []
    do {
      for field in fields { universes.append(try CodeUniverse(ColumnName(field.name), segments)) }
    } catch {
      throw QueryError(.store, error.description)
    }
    // The ends of a segment first: they mostly hold every value's earliest and latest request.
    let units = segments.indices.flatMap { place in
      let count = segments[place].blockCount
      let order = [0, count - 1] + (1..<max(1, count - 1))
      return order.prefix(count).map { ScanUnit(segment: place, block: $0) }
    }
    let scan = ParallelScan(
      threads: threads, memory: MemoryBudget(limit: memoryLimit), blocksPerThread: blocksPerThread)
    let known = universes
    let workers = try scan.run(
      units,
      make: { SightingWorker(fields, plan, segments, known) },
      enter: { (worker, place) throws(StoreError) in
        try worker.enter(segments[place], place: place)
      },
      read: { (worker, unit) throws(StoreError) in try worker.read(block: unit.block ?? 0) },
      byteCount: { $0.byteCount })
    for worker in workers.dropFirst() { workers[0].absorb(worker) }
    return workers[0].sightings
  }
}

/// Reads a share of the blocks and keeps the earliest and latest time of each value.
///
/// `@unchecked Sendable`: one thread uses it at a time. The scan hands it to its thread and takes it
/// back after that thread was joined.
private final class SightingWorker: @unchecked Sendable {
  private struct Track {
    var dimension: GroupDimension
    /// By the dimension's numbers; the first greater than the last where none was seen.
    var first: [Int64] = []
    var last: [Int64] = []

    mutating func grow(to count: Int) {
      guard first.count < count else { return }
      first += [Int64](repeating: .max, count: count - first.count)
      last += [Int64](repeating: .min, count: count - last.count)
    }
  }

  private let reader: BlockReader
  private let filter: RowFilter?
  private let time: ColumnSlot
  private let since: Int64?
  private let until: Int64?
  private var tracks: [Track]
  private let universes: [CodeUniverse]
  private var mask: [UInt8] = []
  private var selection: [UInt32] = []
  private var place = 0

  init(
    _ fields: [RequestField], _ plan: EventsPlan, _ segments: [SegmentReader],
    _ universes: [CodeUniverse]
  ) {
    let reader = BlockReader(segments)
    self.reader = reader
    self.universes = universes
    filter = plan.filter.map { RowFilter($0, reader) }
    time = reader.slot(.time)
    (since, until) = (plan.since, plan.until)
    tracks = zip(fields, universes).map { field, universe in
      Track(dimension: GroupDimension(.text(reader.slot(ColumnName(field.name)), universe)))
    }
    for place in tracks.indices { tracks[place].grow(to: universes[place].count) }
  }

  var byteCount: Int {
    tracks.reduce(0) { $0 + $1.dimension.byteCount + $1.first.count * 16 }
  }

  func enter(_ segment: SegmentReader, place: Int) throws(StoreError) {
    self.place = place
    try reader.enter(segment)
    filter?.enterSegment()
    for track in tracks { track.dimension.enterSegment(place) }
  }

  func read(block: Int) throws(StoreError) {
    let verdict = filter?.verdict(reader, block: block) ?? .all
    if verdict == .none { return }
    let zone = reader.zone(.time, block: block)
    let open = tracks.indices.filter { !isSettled($0, zone) }
    if open.isEmpty { return }
    reader.enter(block: block)
    try reader.loadIntegers(time)
    let rows = reader.rowCount
    var kept = RowSelection(count: rows, list: nil)
    if verdict == .mixed || since != nil || until != nil {
      mask.removeAll(keepingCapacity: true)
      mask.append(contentsOf: repeatElement(1, count: rows))
      if verdict == .mixed { try filter?.fill(&mask, reader) }
      for row in 0..<rows {
        let at = time.integers.values[row]
        if at < since ?? .min || (until.map { at >= $0 } ?? false) { mask[row] = 0 }
      }
      if selection.count <= rows { selection = [UInt32](repeating: 0, count: rows + 1) }
      kept.count = Kernels.select(mask, rows: rows, into: &selection)
      if kept.count == 0 { return }
      if kept.count < rows { kept.list = selection }
    }
    for place in open { try add(place, kept) }
  }

  /// Whether no row of a block can change anything: all that the segment holds was seen before its first row's
  /// time and after its last one's. Rows without a value are not looked for: what is absent is told of nowhere.
  private func isSettled(_ number: Int, _ zone: ClosedRange<Int64>?) -> Bool {
    guard let zone, let map = universes[number].map(ofSegment: place), map.count < 4096 else {
      return false
    }
    let track = tracks[number]
    return map.allSatisfy { id in
      id == 0
        || (track.first[Int(id)] <= zone.lowerBound && track.last[Int(id)] >= zone.upperBound)
    }
  }

  private func add(_ number: Int, _ kept: RowSelection) throws(StoreError) {
    try tracks[number].dimension.fill(reader, kept, starts: nil)
    let ids = tracks[number].dimension.ids
    var (first, last): ([Int64], [Int64]) = ([], [])
    swap(&first, &tracks[number].first)
    swap(&last, &tracks[number].last)
    let times = time.integers.values
    for index in 0..<kept.count {
      let row = kept.row(index)
      let id = Int(ids[row])
      if id >= first.count {
        // Beyond the numbers known before the scan: of segments that hold the field as text.
        let more = id + 1 - first.count + first.count / 2
        first += [Int64](repeating: .max, count: more)
        last += [Int64](repeating: .min, count: more)
      }
      let at = times[row]
      if at < first[id] { first[id] = at }
      if at > last[id] { last[id] = at }
    }
    swap(&first, &tracks[number].first)
    swap(&last, &tracks[number].last)
  }

  func absorb(_ other: SightingWorker) {
    for place in tracks.indices {
      let theirs = other.tracks[place]
      let numbers = tracks[place].dimension.absorb(theirs.dimension)
      for id in theirs.first.indices where theirs.first[id] <= theirs.last[id] {
        let own = numbers.map { Int($0[id]) } ?? id
        tracks[place].grow(to: own + 1)
        tracks[place].first[own] = min(tracks[place].first[own], theirs.first[id])
        tracks[place].last[own] = max(tracks[place].last[own], theirs.last[id])
      }
    }
  }

  var sightings: [[Sighting]] {
    tracks.map { track in
      track.first.indices.compactMap { id in
        guard track.first[id] <= track.last[id],
          case .text(let value) = track.dimension.value(UInt32(id))
        else { return nil }
        return Sighting(value: value, first: track.first[id], last: track.last[id])
      }
    }
  }
}
