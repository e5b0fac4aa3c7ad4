internal import FarthingCore
internal import FarthingStore
internal import Synchronization

/// Scans a share of the blocks and keeps what they add up to, by group.
///
/// `@unchecked Sendable`: one thread uses it at a time. The scan hands it to its thread and takes it
/// back after that thread was joined.
final class ScanWorker: @unchecked Sendable {
  let index: GroupIndex
  var rowCounts = SumAccumulator()
  var measures: [MeasureAccumulator]
  var sketches: [(field: RealField, accumulator: SketchAccumulator)]
  private(set) var flags: [(field: RequestField, flags: CodeFlags)]
  /// By quantity: tasks, different values, repeated prompts.
  let keyed: [(quantity: Metric.Quantity, scan: KeyedScan)]

  let reader: BlockReader
  let filter: RowFilter?
  private let conditions: ConditionMasks
  private let time: ColumnSlot
  private let since: Int64?
  private let until: Int64?
  private let cohort: CohortLookup?
  private var mask: [UInt8] = []
  private var selection: [UInt32] = []
  private var groups: [UInt32] = []

  init(
    _ plan: QueryPlan, _ needs: ScanRequirements, _ segments: [SegmentReader],
    cohort: TaskCohort?
  ) {
    let reader = BlockReader(segments, prices: plan.prices)
    self.reader = reader
    time = reader.slot(.time)
    since = cohort == nil ? plan.since : nil
    until = cohort == nil ? plan.until : nil
    self.cohort = cohort.map { CohortLookup($0, reader) }
    index = GroupIndex(ScanWorker.dimensions(plan, needs, reader))
    filter = plan.filter.map { RowFilter($0, reader) }
    conditions = ConditionMasks(Set(needs.measures.map(\.condition)), reader)
    measures = needs.measures.map { MeasureAccumulator($0, reader) }
    sketches = needs.statistics.map { ($0, SketchAccumulator(reader.slot(.field($0)))) }
    flags = needs.codeFields.map { entry in
      (entry.field, CodeFlags(reader.slot(ColumnName(entry.field.name)), entry.universe))
    }
    let hasGroups = !index.isSingle
    var keyed: [(quantity: Metric.Quantity, scan: KeyedScan)] = needs.keyFields.map { field in
      (.distinct(field), KeyedScan(field, hasGroups: hasGroups, wantsCost: false, reader))
    }
    if needs.wantsTasks {
      keyed.append((.tasks, KeyedScan(.task, hasGroups: hasGroups, wantsCost: false, reader)))
    }
    if needs.wantsRepeats {
      let scan = KeyedScan(.promptHash, hasGroups: hasGroups, wantsCost: true, reader)
      keyed.append((.repeatedPrompts, scan))
    }
    self.keyed = keyed
    grow()
  }

  private static func dimensions(
    _ plan: QueryPlan, _ needs: ScanRequirements, _ reader: BlockReader
  ) -> [GroupDimension] {
    var dimensions: [GroupDimension] = []
    if let width = plan.every {
      let buckets = TimeBuckets(width: width, zone: plan.timeZone)
      dimensions.append(
        GroupDimension(.bucket(reader.slot(.time), buckets, listed: needs.buckets)))
    }
    for (place, field) in plan.groups.enumerated() {
      dimensions.append(GroupDimension(kind(field, needs.universes[place], reader)))
    }
    return dimensions
  }

  private static func kind(
    _ field: RequestField, _ universe: CodeUniverse?, _ reader: BlockReader
  ) -> GroupDimension.Kind {
    switch FieldSource(field) {
    case .text(let name):
      guard let universe else { preconditionFailure("BUG: got no universe of a text group") }
      return .text(reader.slot(name), universe)
    case .boolean(let name): return .boolean(reader.slot(name))
    case .real(let name): return .real(reader.slot(name))
    case .time(let name): return .time(reader.slot(name))
    case .integer(let name): return .integer(reader.slot(name))
    case .money(let name, let state):
      let test = TextTest(.oneOf([Array("unpriced".utf8)]))
      return .money(
        reader.slot(name), high: reader.slot(name.high),
        unpriced: state.map { TextMask(reader.slot($0), test) })
    case .object: preconditionFailure("BUG: got a group by an object, which no plan may hold")
    }
  }

  /// About the bytes that the accumulated state takes.
  var byteCount: Int {
    index.byteCount + rowCounts.byteCount + measures.reduce(0) { $0 + $1.sum.byteCount }
      + sketches.reduce(0) { $0 + $1.accumulator.byteCount }
      + flags.reduce(0) { $0 + $1.flags.byteCount }
      + keyed.reduce(0) { $0 + $1.scan.records.byteCount }
  }

  // MARK: - Scanning

  /// - Parameter place: Of the segment among all of the query's.
  func enter(_ segment: SegmentReader, place: Int) throws(StoreError) {
    try reader.enter(segment)
    filter?.enterSegment()
    conditions.enterSegment()
    index.enterSegment(place)
    cohort?.enterSegment()
    for place_ in flags.indices { flags[place_].flags.enterSegment(place) }
    for (_, scan) in keyed { scan.enterSegment() }
  }

  func scan(block: Int) throws(StoreError) {
    guard try select(block) else { return }
    let rows = reader.rowCount
    var rowSelection = RowSelection(count: rows, list: nil)
    if !mask.isEmpty {
      if selection.count <= rows { selection = [UInt32](repeating: 0, count: rows + 1) }
      rowSelection.count = Kernels.select(mask, rows: rows, into: &selection)
      if rowSelection.count == 0 { return }
      if rowSelection.count < rows { rowSelection.list = selection }
    }
    if groups.count < rows { groups = [UInt32](repeating: 0, count: rows) }
    if !index.isSingle {
      try index.number(reader, rowSelection, starts: cohort?.starts, into: &groups)
      grow()
    }
    let block = BlockGroups(
      selection: rowSelection, groups: groups, isSingle: index.isSingle,
      groupCount: index.groupCount)
    rowCounts.addOnes(block)
    for place in measures.indices { try measures[place].add(reader, conditions, block) }
    for place in sketches.indices { try sketches[place].accumulator.add(reader, block) }
    for place in flags.indices { try flags[place].flags.add(reader, block) }
    for (_, scan) in keyed { try scan.add(reader, block) }
  }

  /// Fills the mask with the rows of a block that are kept; leaves it empty where all are.
  /// - Returns: false where it is known that none is.
  private func select(_ block: Int) throws(StoreError) -> Bool {
    var window = MaskVerdict.all
    if since != nil || until != nil {
      window = .mixed
      if let zone = reader.zone(.time, block: block) {
        let low = since ?? .min
        let high = until ?? .max
        if zone.upperBound < low || zone.lowerBound >= high { return false }
        let isInside = zone.lowerBound >= low && (until == nil || zone.upperBound < high)
        if isInside { window = .all }
      }
    }
    let verdict = filter?.verdict(reader, block: block) ?? .all
    if verdict == .none { return false }
    reader.enter(block: block)
    mask.removeAll(keepingCapacity: true)
    if verdict == .all && window == .all && cohort == nil { return true }
    mask.append(contentsOf: repeatElement(1, count: reader.rowCount))
    if verdict == .mixed { try filter?.fill(&mask, reader) }
    if window == .mixed {
      try reader.loadIntegers(time)
      let low = since ?? .min
      let high = until ?? .max
      let times = time.integers.values
      for row in 0..<reader.rowCount {
        let isInside = times[row] >= low && (until == nil || times[row] < high)
        mask[row] &= isInside ? 1 : 0
      }
    }
    try cohort?.narrow(&mask, reader)
    return true
  }

  func grow() {
    let count = index.groupCount
    rowCounts.grow(to: count)
    for place in measures.indices { measures[place].sum.grow(to: count) }
    for place in sketches.indices { sketches[place].accumulator.grow(to: count) }
    for place in flags.indices { flags[place].flags.grow(to: count) }
  }

  // MARK: - Merging

  /// Takes over the sums of another worker.
  /// - Returns: The number here of each of its groups.
  func absorb(_ other: ScanWorker) -> [UInt32] {
    let numbers = index.absorb(other.index) { (other.rowCounts.sum($0) ?? 1) != 0 }
    grow()
    rowCounts.merge(other.rowCounts, numbers)
    for place in measures.indices {
      measures[place].sum.merge(other.measures[place].sum, numbers)
    }
    for place in sketches.indices {
      sketches[place].accumulator.merge(other.sketches[place].accumulator, numbers)
    }
    for place in flags.indices { flags[place].flags.merge(other.flags[place].flags, numbers) }
    return numbers
  }
}
