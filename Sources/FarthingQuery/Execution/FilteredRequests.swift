internal import FarthingCore
package import FarthingStore

/// The requests of a window that a filter keeps, for work on the store that is not a query.
package struct FilteredRequests: RequestSelection {
  private let filter: FilterExpression?
  private let since: Int64?
  private let until: Int64?

  /// - Parameter plan: Its filter and window; columns and limit are not looked at.
  package init(_ plan: EventsPlan) {
    filter = plan.filter
    since = plan.since
    until = plan.until
  }

  package func requests(
    of segment: SegmentReader
  ) throws(StoreError) -> (any SegmentSelection)? {
    if let since, segment.maximumTime < since { return nil }
    if let until, segment.minimumTime >= until { return nil }
    return try SegmentRequests(segment, filter, since: since, until: until)
  }
}

private final class SegmentRequests: SegmentSelection {
  private let reader: BlockReader
  private let filter: RowFilter?
  private let time: ColumnSlot
  private let since: Int64?
  private let until: Int64?
  private var mask: [UInt8] = []

  init(
    _ segment: SegmentReader, _ expression: FilterExpression?, since: Int64?, until: Int64?
  ) throws(StoreError) {
    let reader = BlockReader([segment])
    self.reader = reader
    filter = expression.map { RowFilter($0, reader) }
    time = reader.slot(.time)
    self.since = since.flatMap { $0 > segment.minimumTime ? $0 : nil }
    self.until = until.flatMap { $0 <= segment.maximumTime ? $0 : nil }
    try reader.enter(segment)
    filter?.enterSegment()
  }

  func mask(block: Int) throws(StoreError) -> [UInt8]? {
    let verdict = filter?.verdict(reader, block: block) ?? .all
    reader.enter(block: block)
    if verdict == .all, since == nil, until == nil { return nil }
    mask.removeAll(keepingCapacity: true)
    mask.append(contentsOf: repeatElement(verdict == .none ? 0 : 1, count: reader.rowCount))
    if verdict == .none { return mask }
    if verdict == .mixed { try filter?.fill(&mask, reader) }
    guard since != nil || until != nil else { return mask }
    try reader.loadIntegers(time)
    let times = time.integers.values
    for row in mask.indices {
      if let since, times[row] < since { mask[row] = 0 }
      if let until, times[row] >= until { mask[row] = 0 }
    }
    return mask
  }
}
