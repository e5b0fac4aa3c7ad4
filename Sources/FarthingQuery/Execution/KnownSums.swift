internal import FarthingCore
internal import FarthingStore

// A segment knows the sums of its rows as a whole and by the codes of some of its columns. A plan
// that asks for sums and distributions only, looks at no more than one such column (as its group,
// in its filter, or both), and whose window and bucket hold all rows of the segment is answered
// from them; the others are scanned. Both read the definitions of `AdditiveMeasure`, so it does not
// show which way a segment went.

/// Which segments answer a plan without a scan.
struct KnownSums: Sendable {
  enum Answer: Sendable {
    /// What the segment knows of all its rows, which have one code of the column, if there is one.
    case totals(code: Int)
    /// What it knows by the codes of a column.
    case codes(ColumnName)
  }

  /// By place of the segment.
  private let answers: [Int: Answer]
  /// The one column that the plan looks at, where a segment answers.
  let column: ColumnName?

  subscript(place: Int) -> Answer? { answers[place] }

  /// No segment answers.
  static let none = KnownSums(answers: [:], column: nil)

  private init(answers: [Int: Answer], column: ColumnName?) {
    self.answers = answers
    self.column = column
  }

  init(_ plan: QueryPlan, _ needs: ScanRequirements, _ segments: [SegmentReader]) {
    guard needs.isAdditive, let columns = KnownSums.columns(plan), columns.count <= 1 else {
      self = .none
      return
    }
    let column = columns.first
    // Sums by code are of the charges as they are now, and codes of the columns as they are now.
    if plan.prices == .booked, column != nil {
      self = .none
      return
    }
    let buckets = plan.every.map { TimeBuckets(width: $0, zone: plan.timeZone) }
    var answers: [Int: Answer] = [:]
    for (place, segment) in segments.enumerated()
    where KnownSums.isInside(segment, plan, buckets)
      && !(plan.prices == .booked && segment.hasBookings)
    {
      answers[place] = KnownSums.answer(segment, column, needs)
    }
    self.init(answers: answers, column: column)
  }

  /// The columns of texts that groups and filter look at; nil where they look at anything else.
  private static func columns(_ plan: QueryPlan) -> Set<ColumnName>? {
    var names: Set<ColumnName> = []
    var fields = plan.groups
    plan.filter?.collectFields(into: &fields)
    for field in fields {
      // What an absent `usage` shows as depends on the row.
      guard case .text(let name) = FieldSource(field), name != .field(.usage) else { return nil }
      names.insert(name)
    }
    return names
  }

  private static func isInside(
    _ segment: SegmentReader, _ plan: QueryPlan, _ buckets: TimeBuckets?
  ) -> Bool {
    if let since = plan.since, segment.minimumTime < since { return false }
    if let until = plan.until, segment.maximumTime >= until { return false }
    guard let buckets else { return true }
    let first = buckets.bucket(containing: segment.minimumTime).start
    return buckets.bucket(containing: segment.maximumTime).start == first
  }

  private static func answer(
    _ segment: SegmentReader, _ column: ColumnName?, _ needs: ScanRequirements
  ) -> Answer? {
    let hasTotals =
      needs.measures.allSatisfy { segment.measures[$0] != nil }
      && segment.measures[.requests] == Int128(segment.rowCount)
    guard let column else { return hasTotals ? .totals(code: 0) : nil }
    switch segment.kind(of: column) {
    case nil: return hasTotals ? .totals(code: 0) : nil
    case .codes:
      if segment.hasOneCode(column) { return hasTotals ? .totals(code: 1) : nil }
      let measures = needs.measures + [.requests]
      return segment.hasCodeSums(by: column, of: measures, needs.statistics)
        ? .codes(column) : nil
    default: return nil
    }
  }
}

extension FilterExpression {
  /// Adds the fields that it looks at.
  fileprivate func collectFields(into fields: inout [RequestField]) {
    switch self {
    case .comparison(let field, _, _), .membership(let field, _), .like(let field, _),
      .isNull(let field):
      fields.append(field)
    case .and(let parts), .or(let parts):
      for part in parts { part.collectFields(into: &fields) }
    case .not(let inner): inner.collectFields(into: &fields)
    }
  }
}
