internal import FarthingCore
package import FarthingStore

// The requests themselves, oldest first.
//
// First the time and id of the kept rows are read, and with a limit only those rows are remembered
// that may still be among the first: segments whose earliest row is later than the last of them are
// not read at all. Then the columns of the remaining rows are read, block by block. So the
// memory grows with the rows of the answer, not with the rows of the store.

extension QueryExecutor {
  /// The requests that a plan asks for, oldest first, ties by `id`, then by order of arrival.
  ///
  /// - Throws: ``QueryError`` of code `memory` or `store`.
  package func run(
    _ plan: EventsPlan, over snapshot: StoreSnapshot
  ) throws(QueryError) -> QueryResult {
    try run(plan, requests: snapshot.requests)
  }

  /// The requests that a plan asks for.
  /// - Parameter requests: All segments of requests, in the order in which their rows arrived.
  package func run(
    _ plan: EventsPlan, requests: [SegmentReader]
  ) throws(QueryError) -> QueryResult {
    var result = QueryResult(
      columns: plan.columns.map { ResultColumn(name: $0.name, kind: .field($0)) }, rows: [])
    let memory = MemoryBudget(limit: memoryLimit)
    let segments = requests.filter { segment in
      let isBefore = plan.since.map { segment.maximumTime < $0 } ?? false
      let isAfter = plan.until.map { segment.minimumTime >= $0 } ?? false
      return !isBefore && !isAfter
    }
    if segments.isEmpty || plan.limit == 0 { return result }
    do {
      var search = EventSearch(plan, segments)
      let places = try search.places(memory)
      result.rows = try EventRows(plan, segments).rows(places, memory)
    } catch let error as StoreError {
      throw QueryError(.store, error.description)
    } catch let error as QueryError {
      throw error
    } catch {
      throw QueryError(.store, "\(error)")
    }
    return result
  }
}

/// Where a row of an answer stands, and what it is ordered by.
struct EventPlace {
  let time: Int64
  let segment: Int32
  let row: Int32
  /// Where its id stands in ``EventPlaces/ids``; the length is −1 where it has none.
  var idStart: Int
  let idLength: Int32
}

/// Rows of an answer, with their ids in one array.
struct EventPlaces {
  var places: [EventPlace] = []
  var ids: [UInt8] = []

  /// About the bytes that they take.
  var byteCount: Int { places.count * MemoryLayout<EventPlace>.stride + ids.count }

  func id(_ place: EventPlace) -> ArraySlice<UInt8>? {
    place.idLength < 0 ? nil : ids[place.idStart..<place.idStart + Int(place.idLength)]
  }

  /// Oldest first, then by id with the absent ones last, then as they came.
  private func precedes(_ left: EventPlace, _ right: EventPlace) -> Bool {
    if left.time != right.time { return left.time < right.time }
    switch (id(left), id(right)) {
    case (let leftID?, let rightID?):
      if leftID != rightID { return leftID.lexicographicallyPrecedes(rightID) }
    case (nil, nil): break
    case (let leftID, _): return leftID != nil
    }
    return (left.segment, left.row) < (right.segment, right.row)
  }

  /// The numbers below `count` by ascending key. Plain numbers sort several times as fast as
  /// records that a closure compares.
  static func order(_ count: Int, _ key: (Int) -> UInt64) -> [Int] {
    var keys: [UInt128] = []
    keys.reserveCapacity(count)
    for index in 0..<count { keys.append(UInt128(key(index)) << 64 | UInt128(UInt64(index))) }
    keys.sort()
    return keys.map { Int(UInt64(truncatingIfNeeded: $0)) }
  }

  mutating func append(_ time: Int64, segment: Int, row: Int, id: ArraySlice<UInt8>?) {
    places.append(
      EventPlace(
        time: time, segment: Int32(segment), row: Int32(row), idStart: ids.count,
        idLength: Int32(id?.count ?? -1)))
    if let id { ids.append(contentsOf: id) }
  }

  /// Sorts, and keeps only the first `limit`.
  mutating func sort(limit: Int?) {
    let unsorted = places
    // Mostly the time decides; flipping its sign bit makes it a number without sign.
    var sorted = EventPlaces.order(unsorted.count) { UInt64(bitPattern: unsorted[$0].time ^ .min) }
      .map { unsorted[$0] }
    var start = 0
    while start < sorted.count {
      let time = sorted[start].time
      var end = start + 1
      while end < sorted.count, sorted[end].time == time { end += 1 }
      if end - start > 1 { sorted[start..<end].sort { precedes($0, $1) } }
      start = end
    }
    places = sorted
    guard let limit, places.count > limit else { return }
    places.removeLast(places.count - limit)
    var kept: [UInt8] = []
    for index in places.indices {
      let id = id(places[index])
      places[index].idStart = kept.count
      if let id { kept.append(contentsOf: id) }
    }
    ids = kept
  }
}

/// Finds the rows of an answer.
private struct EventSearch {
  private let plan: EventsPlan
  private let segments: [SegmentReader]
  private let reader: BlockReader
  private let filter: RowFilter?
  private let time: ColumnSlot
  private let id: ColumnSlot
  private var found = EventPlaces()
  /// No row later than this can be among the first `limit`.
  private var latest: Int64 = .max
  private var mask: [UInt8] = []
  /// The ids of the kept rows of the block at hand.
  private var ids = TextColumn()
  private var counted = 0

  init(_ plan: EventsPlan, _ segments: [SegmentReader]) {
    self.plan = plan
    self.segments = segments
    let reader = BlockReader(segments, prices: plan.prices)
    self.reader = reader
    filter = plan.filter.map { RowFilter($0, reader) }
    time = reader.slot(.time)
    id = reader.slot(.field(.id))
  }

  /// The rows in their order.
  mutating func places(_ memory: MemoryBudget) throws -> EventPlaces {
    let byTime = segments.indices.sorted {
      (segments[$0].minimumTime, $0) < (segments[$1].minimumTime, $1)
    }
    for place in byTime {
      if segments[place].minimumTime > latest { break }
      try reader.enter(segments[place])
      filter?.enterSegment()
      for block in 0..<segments[place].blockCount { try search(block, place) }
      let bytes = found.byteCount
      try memory.add(bytes - counted)
      counted = bytes
    }
    cut()
    return found
  }

  /// Sorts, and with a limit forgets what cannot be in the answer.
  private mutating func cut() {
    found.sort(limit: plan.limit)
    if let limit = plan.limit, found.places.count >= limit {
      latest = found.places.last?.time ?? .max
    }
  }

  private mutating func search(_ block: Int, _ segment: Int) throws(StoreError) {
    let low = plan.since ?? .min
    let high = plan.until ?? .max
    if let zone = reader.zone(.time, block: block) {
      if zone.upperBound < low || zone.lowerBound > latest { return }
      if plan.until != nil, zone.lowerBound >= high { return }
    }
    let verdict = filter?.verdict(reader, block: block) ?? .all
    if verdict == .none { return }
    reader.enter(block: block)
    let rows = reader.rowCount
    mask.removeAll(keepingCapacity: true)
    mask.append(contentsOf: repeatElement(1, count: rows))
    if verdict == .mixed { try filter?.fill(&mask, reader) }
    try reader.loadIntegers(time)
    let times = time.integers.values
    let first = reader.segment.rows(inBlock: block).lowerBound
    var kept: [UInt32] = []
    for row in 0..<rows where mask[row] == 1 {
      let instant = times[row]
      if instant < low || instant > latest || (plan.until != nil && instant >= high) { continue }
      kept.append(UInt32(row))
    }
    if kept.isEmpty { return }
    try readIDs(kept)
    for (index, row) in kept.enumerated() {
      found.append(
        times[Int(row)], segment: segment, row: first + Int(row),
        id: ids.range(index).map { ids.bytes[$0] })
    }
    if let limit = plan.limit, found.places.count > limit + 4_096 { cut() }
  }

  /// Reads the ids of the kept rows of the block.
  private mutating func readIDs(_ kept: [UInt32]) throws(StoreError) {
    if id.kind == .text {
      try reader.readText(id, rows: kept, into: &ids)
      return
    }
    ids = TextColumn()
    try reader.loadCodes(id)
    var validity: [UInt8] = []
    for row in kept {
      let range = id.dictionary?.range(of: id.codes[Int(row)])
      if let dictionary = id.dictionary, let range {
        ids.append(dictionary.bytes[range])
      } else {
        ids.append([])
      }
      validity.append(range == nil ? 0 : 1)
    }
    ids.validity = validity
  }
}

/// Reads the columns of chosen rows.
private struct EventRows {
  /// Where a value comes from: the search knows `time` and `id`, which are not read again.
  private enum Source {
    case time
    case id
    case column(FieldReader)
  }

  private let sources: [Source]
  private let reader: BlockReader
  private let segments: [SegmentReader]

  init(_ plan: EventsPlan, _ segments: [SegmentReader]) {
    self.segments = segments
    let reader = BlockReader(segments, prices: plan.prices)
    self.reader = reader
    sources = plan.columns.map { field in
      switch field.name {
      case "time": .time
      case "id": .id
      default: .column(FieldReader(field, reader))
      }
    }
  }

  /// The values of the places of one block, one for each of `rows`.
  private func values(
    _ source: Source, _ found: EventPlaces, _ order: ArraySlice<Int>, _ rows: [Int]
  ) throws(StoreError) -> [QueryValue] {
    switch source {
    case .time: return order.map { .time(found.places[$0].time) }
    case .id:
      return order.map { place in
        found.id(found.places[place]).map { .text(String(decoding: $0, as: UTF8.self)) } ?? .null
      }
    case .column(let field): return try field.values(rows, reader)
    }
  }

  /// The rows at `found`, in that order.
  func rows(_ found: EventPlaces, _ memory: MemoryBudget) throws -> [[QueryValue]] {
    let places = found.places
    var rows = [[QueryValue]](repeating: [], count: places.count)
    try memory.add(places.count * (32 + sources.count * MemoryLayout<QueryValue>.stride))
    // Read in the order of the store, so that each block is read once.
    let order = EventPlaces.order(places.count) { index in
      UInt64(UInt32(places[index].segment)) << 32 | UInt64(UInt32(places[index].row))
    }
    var segment = -1
    var next = 0
    while next < order.count {
      let first = places[order[next]]
      if Int(first.segment) != segment {
        segment = Int(first.segment)
        try reader.enter(segments[segment])
        for case .column(let field) in sources { field.enterSegment() }
      }
      let block = Int(first.row) / max(1, segments[segment].rows(inBlock: 0).count)
      let range = segments[segment].rows(inBlock: block)
      reader.enter(block: block)
      var end = next
      var chosen: [Int] = []
      while end < order.count {
        let place = places[order[end]]
        guard Int(place.segment) == segment, range.contains(Int(place.row)) else { break }
        chosen.append(Int(place.row) - range.lowerBound)
        rows[order[end]].reserveCapacity(sources.count)
        end += 1
      }
      for source in sources {
        let values = try values(source, found, order[next..<end], chosen)
        for (number, place) in order[next..<end].enumerated() {
          rows[place].append(values[number])
        }
      }
      next = end
    }
    return rows
  }
}
