internal import FarthingCore
internal import FarthingStore

/// What a plan has to know of the rows: the same for every worker.
struct ScanRequirements: Sendable {
  let measures: [AdditiveMeasure]
  let statistics: [RealField]
  /// Different values of fields that every segment holds as codes, and how they are numbered.
  let codeFields: [(field: RequestField, universe: CodeUniverse)]
  /// Different values of other fields.
  let keyFields: [RequestField]
  let wantsTasks: Bool
  let wantsOutcomes: Bool
  let wantsValues: Bool
  let wantsRepeats: Bool
  /// Of text fields that are grouped, by their place among the groups.
  let universes: [Int: CodeUniverse]
  /// All buckets where they are few; nil without buckets or with too many.
  let buckets: BucketList?

  /// Dictionaries of more texts in all are cheaper to count by key than to number up front.
  private static let universeLimit = 1 << 18
  private static let bucketLimit = 1 << 16

  init(_ plan: QueryPlan, _ segments: [SegmentReader]) throws(StoreError) {
    let metrics = plan.metrics + (plan.order.map { [$0] } ?? [])
    var quantities: Set<Metric.Quantity> = []
    var statistics: Set<RealField> = []
    for metric in metrics {
      quantities.formUnion(metric.quantities)
      if case .statistic(_, let field) = metric.definition { statistics.insert(field) }
    }
    measures = AdditiveMeasure.allCases.filter {
      $0 != .requests && quantities.contains(.sum($0))
    }
    self.statistics = statistics.sorted { $0.rawValue < $1.rawValue }
    wantsValues = quantities.contains(.outcomeValue)
    wantsOutcomes =
      wantsValues || quantities.contains(.successfulTasks) || quantities.contains(.failedTasks)
    wantsTasks = wantsOutcomes || quantities.contains(.tasks)
    wantsRepeats = !quantities.isDisjoint(
      with: [.repeatedPrompts, .repeatedRequests, .repeatedCost])
    var universes: [Int: CodeUniverse] = [:]
    for (place, field) in plan.groups.enumerated() {
      if case .text(let name) = FieldSource(field) {
        universes[place] = try CodeUniverse(plan.prices.column(name), segments)
      }
    }
    self.universes = universes
    var codeFields: [(field: RequestField, universe: CodeUniverse)] = []
    var keyFields: [RequestField] = []
    let distinct = quantities.compactMap { quantity in
      if case .distinct(let field) = quantity { field } else { nil }
    }
    for field in distinct.sorted(by: { $0.name < $1.name }) {
      if let name = try ScanRequirements.codesName(field, plan.prices, segments) {
        codeFields.append((field, try CodeUniverse(name, segments)))
      } else {
        keyFields.append(field)
      }
    }
    self.codeFields = codeFields
    self.keyFields = keyFields
    buckets = ScanRequirements.buckets(plan, segments)
  }

  /// The column of a text field that all segments hold as codes of few texts.
  private static func codesName(
    _ field: RequestField, _ prices: PriceKnowledge, _ segments: [SegmentReader]
  ) throws(StoreError) -> ColumnName? {
    guard case .text(let plain) = FieldSource(field) else { return nil }
    let name = prices.column(plain)
    var total = 0
    for segment in segments {
      switch segment.kind(of: name) {
      case nil: continue
      case .codes: total += try segment.codeCount(of: name)
      default: return nil
      }
    }
    return total <= universeLimit ? name : nil
  }

  private static func buckets(_ plan: QueryPlan, _ segments: [SegmentReader]) -> BucketList? {
    guard let width = plan.every else { return nil }
    let buckets = TimeBuckets(width: width, zone: plan.timeZone)
    guard var time = segments.map(\.minimumTime).min(),
      var last = segments.map(\.maximumTime).max()
    else { return BucketList() }
    if let since = plan.since { time = max(time, since) }
    if let until = plan.until { last = min(last, until) }
    var list = BucketList()
    while time <= last {
      let bucket = buckets.bucket(containing: time)
      if list.starts.last != bucket.start {
        list.starts.append(bucket.start)
        list.bounds.append(time)
      }
      if list.starts.count > bucketLimit { return nil }
      if bucket.until <= time || bucket.until == Int64.max { break }
      time = bucket.until
    }
    return list
  }

  /// Whether all that is asked of a segment as a whole is in its totals.
  var isAdditive: Bool {
    codeFields.isEmpty && keyFields.isEmpty && !wantsTasks && !wantsRepeats
  }
}

/// The buckets of a query in the order of time.
struct BucketList: Sendable {
  /// What the rows of a bucket show as its time.
  var starts: [Int64] = []
  /// The first instant of each that a row of the query can have. Where a zone's clocks change this is
  /// not always its start.
  var bounds: [Int64] = []

  /// The place of the bucket of an instant; the first one of instants before all.
  func place(of time: Int64) -> Int {
    var low = 0
    var high = bounds.count
    while low < high {
      let middle = (low + high) / 2
      if bounds[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return max(low - 1, 0)
  }
}
