internal import FarthingCore
internal import FarthingStore

/// A SQL table over the segments of one kind of event.
final class SegmentTable: SQLTable {
  let name: String
  let columns: [SQLColumn]
  private let stored: [StoredColumn]
  private let segments: [SegmentReader]
  private let kept = KeptTexts()

  /// - Parameter segments: In the order in which their rows arrived.
  init(_ name: String, _ stored: [StoredColumn], _ segments: [SegmentReader]) {
    self.name = name
    self.stored = stored
    self.segments = segments
    columns = stored.map(\.column)
  }

  func scan() -> any SQLScan { SegmentScan(stored, segments, kept) }

  func access(_ constraints: [SQLConstraint]) -> SQLAccess {
    let used = constraints.map { Pushdown.isUseful($0, stored[$0.column]) }
    let known = zip(constraints, used).compactMap { constraint, isUsed -> SQLCondition? in
      guard isUsed, let value = constraint.value else { return nil }
      return SQLCondition(
        column: constraint.column, comparison: constraint.comparison, values: [value])
    }
    let window = Pushdown(known, stored)
    var scanned = Double(rows(from: window.earliest, to: window.latest))
    var kept = scanned
    for (constraint, isUsed) in zip(constraints, used) where isUsed {
      let isTime = stored[constraint.column].source.isTime
      if isTime, constraint.value != nil { continue }
      // Without a known value a bound of time leaves about a quarter, and so does the scan.
      if isTime { scanned /= 4 }
      switch constraint.comparison {
      case .equal: kept /= stored[constraint.column].source == .text(.field(.id)) ? 1e6 : 20
      case .isNull, .notEqual, .isNotNull: kept *= 0.9
      case .less, .lessOrEqual, .greater, .greaterOrEqual: kept /= 4
      }
    }
    // A scan reads its blocks whatever it keeps, so that a join begins with the requests.
    return SQLAccess(
      used: used, effort: 100 + scanned, rowCount: max(1, Int64(kept.rounded(.up))))
  }

  private func rows(from earliest: Int64, to latest: Int64) -> Int {
    var count = 0
    for segment in segments
    where segment.minimumTime <= latest && segment.maximumTime >= earliest {
      let span = Double(segment.maximumTime) - Double(segment.minimumTime) + 1
      let overlap =
        Double(min(latest, segment.maximumTime)) - Double(max(earliest, segment.minimumTime)) + 1
      count += Int(Double(segment.rowCount) * min(1, overlap / span))
    }
    return count
  }
}

extension StoredColumn.Source {
  /// Whether it is the time by which blocks are skipped.
  fileprivate var isTime: Bool { self == .time(.time) || self == .integer(.time) }
}

/// Reads segment after segment, block after block, and hands the kept rows out in batches.
private final class SegmentScan: SQLScan {
  private let stored: [StoredColumn]
  private let segments: [SegmentReader]
  private let kept: KeptTexts
  private var reader: BlockReader?
  private var columns: [StoredColumnReader?] = []
  private var filter: RowFilter?
  private var time: ColumnSlot?
  private var pushdown = Pushdown([], [])
  private var segment = -1
  private var block = 0
  private var mask: [UInt8] = []
  /// Kept rows of the block that are not handed out yet, and the batch at hand.
  private var pending = SQLRows(first: 0, count: 0)
  private var batch = SQLRows(first: 0, count: 0)
  private var batchLimit = 0

  /// The first batches are small: a statement with a LIMIT makes no texts for rows it never reads.
  private static let firstBatch = 64

  init(_ stored: [StoredColumn], _ segments: [SegmentReader], _ kept: KeptTexts) {
    self.stored = stored
    self.segments = segments
    self.kept = kept
  }

  func begin(_ conditions: [SQLCondition], columns used: [Bool]) throws {
    pushdown = Pushdown(conditions, stored)
    segment = -1
    block = 0
    pending = SQLRows(first: 0, count: 0)
    batchLimit = SegmentScan.firstBatch
    guard !segments.isEmpty, !pushdown.isEmpty else {
      segment = segments.count
      return
    }
    let reader = BlockReader(segments)
    self.reader = reader
    columns = zip(stored, used).map { column, isUsed in
      isUsed ? StoredColumnReader(column.source, reader, kept) : nil
    }
    filter = pushdown.filter.map { RowFilter($0, reader) }
    time = reader.slot(.time)
  }

  func nextBatch() throws -> Int {
    guard let reader else { return 0 }
    while pending.count == 0 {
      if segment < 0 || block >= segments[segment].blockCount {
        guard try enterNextSegment(reader) else { return 0 }
      }
      try select(block, reader)
      block += 1
    }
    batch = pending
    batch.count = min(pending.count, batchLimit)
    pending.first += batch.count
    pending.count -= batch.count
    batchLimit = min(batchLimit * 8, 1 << 20)
    return batch.count
  }

  private func enterNextSegment(_ reader: BlockReader) throws -> Bool {
    repeat { segment += 1 } while segment < segments.count && isOutside(segments[segment])
    guard segment < segments.count else {
      segment = segments.count
      self.reader = nil
      return false
    }
    try reader.enter(segments[segment])
    filter?.enterSegment()
    for column in columns { column?.enterSegment(segment) }
    block = 0
    return true
  }

  private func isOutside(_ segment: SegmentReader) -> Bool {
    segment.minimumTime > pushdown.latest || segment.maximumTime < pushdown.earliest
  }

  /// Finds the rows of a block that may be kept.
  private func select(_ block: Int, _ reader: BlockReader) throws {
    pending = SQLRows(first: 0, count: 0)
    var isInside = true
    if let zone = reader.zone(.time, block: block) {
      if zone.lowerBound > pushdown.latest || zone.upperBound < pushdown.earliest { return }
      isInside =
        zone.lowerBound >= pushdown.earliest && zone.upperBound <= pushdown.latest
    }
    let verdict = filter?.verdict(reader, block: block) ?? .all
    if verdict == .none { return }
    reader.enter(block: block)
    let rows = reader.rowCount
    if verdict == .all, isInside {
      pending.count = rows
      return
    }
    if mask.count != rows { mask = [UInt8](repeating: 1, count: rows) }
    if verdict == .mixed {
      try filter?.fill(&mask, reader)
    } else {
      Kernels.set(&mask, 1, rows: rows)
    }
    if !isInside, let time {
      try reader.loadIntegers(time)
      let times = time.integers.values
      for row in 0..<rows where times[row] < pushdown.earliest || times[row] > pushdown.latest {
        mask[row] = 0
      }
    }
    var list = [UInt32](repeating: 0, count: rows + 1)
    pending.count = Kernels.select(mask, rows: rows, into: &list)
    if pending.count < rows { pending.list = list }
  }

  func fill(_ target: SQLColumnBuffer, column: Int) throws {
    guard let reader, let source = columns[column] else {
      throw SQLFailure(.execution, "BUG: column \(column) is read, and no one said so")
    }
    try source.fill(target, rows: batch, reader)
  }

  func rowID(_ place: Int) -> Int64 {
    guard let reader else { return 0 }
    let first = reader.segment.rows(inBlock: reader.block).lowerBound
    return Int64(segment) << 32 | Int64(first + batch.row(place))
  }
}
