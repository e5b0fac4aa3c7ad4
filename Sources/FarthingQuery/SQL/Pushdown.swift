internal import FarthingCore
internal import FarthingStore

/// What conditions of a SQL statement mean for a scan of segments.
///
/// Every row that SQLite would keep is kept here, too: a condition that does not translate without
/// loss is left to SQLite, which tests every row again in any case.
struct Pushdown {
  /// Bounds of `time`, both included.
  private(set) var earliest = Int64.min
  private(set) var latest = Int64.max
  /// Whether no row can meet the conditions.
  private(set) var isEmpty = false
  /// What the query engine's filter can test; nil where nothing.
  private(set) var filter: FilterExpression?

  init(_ conditions: [SQLCondition], _ columns: [StoredColumn]) {
    var parts: [FilterExpression] = []
    for condition in conditions {
      let column = columns[condition.column]
      switch column.source {
      case .time(.time): narrow(condition, instants: true)
      case .integer(.time): narrow(condition, instants: false)
      default:
        if let field = column.field,
          let part = Pushdown.expression(condition, field, column.source)
        {
          parts.append(part)
        }
      }
    }
    if parts.count == 1 { filter = parts[0] } else if !parts.isEmpty { filter = .and(parts) }
    if earliest > latest { isEmpty = true }
  }

  /// Whether a condition can be told to a scan at all, before its values are known.
  static func isUseful(_ constraint: SQLConstraint, _ column: StoredColumn) -> Bool {
    switch column.source {
    case .time(.time), .integer(.time):
      return constraint.comparison != .notEqual && constraint.comparison != .isNull
        && constraint.comparison != .isNotNull
    case .time, .money, .object:
      // A price may be hidden: only its absence is a test of the engine's own.
      return column.field != nil
        && (constraint.comparison == .isNull || constraint.comparison == .isNotNull)
    case .text, .integer, .real, .picodollars: return column.field != nil
    }
  }

  // MARK: - Time

  private mutating func narrow(_ condition: SQLCondition, instants: Bool) {
    let bounds = condition.values.map { value -> (least: Int64, greatest: Int64)? in
      instants ? Pushdown.instant(value) : Pushdown.nanoseconds(value)
    }
    // One value that cannot be read leaves the whole condition to SQLite.
    guard !bounds.contains(where: { $0 == nil }), !bounds.isEmpty else { return }
    let least = bounds.compactMap { $0?.least }.min() ?? .min
    let greatest = bounds.compactMap { $0?.greatest }.max() ?? .max
    switch condition.comparison {
    case .equal:
      earliest = max(earliest, least)
      latest = min(latest, greatest)
    case .greater, .greaterOrEqual: earliest = max(earliest, least)
    case .less, .lessOrEqual: latest = min(latest, greatest)
    case .notEqual, .isNull, .isNotNull: break
    }
  }

  /// The nanoseconds on both sides of an instant; the same where it is whole.
  private static func instant(_ value: SQLValue) -> (least: Int64, greatest: Int64)? {
    guard case .text(let text) = value else { return nil }
    let bytes = Array(text.utf8)
    guard let instant = TextInstant(bytes.span) else { return nil }
    let nanoseconds = instant.unixNanoseconds
    return (nanoseconds, nanoseconds)
  }

  private static func nanoseconds(_ value: SQLValue) -> (least: Int64, greatest: Int64)? {
    switch value {
    case .integer(let number): return (number, number)
    case .real(let number):
      guard number.isFinite, number.magnitude < 9e18 else { return nil }
      return (Int64(number.rounded(.down)), Int64(number.rounded(.up)))
    default: return nil
    }
  }

  // MARK: - Other fields

  private static func expression(
    _ condition: SQLCondition, _ field: RequestField, _ source: StoredColumn.Source
  ) -> FilterExpression? {
    if condition.comparison == .isNull { return .isNull(field) }
    if condition.comparison == .isNotNull { return .not(.isNull(field)) }
    var literals: [FilterExpression.Literal] = []
    for value in condition.values {
      guard let literal = literal(value, source) else { return nil }
      literals.append(literal)
    }
    guard let first = literals.first else { return nil }
    if literals.count > 1 {
      return condition.comparison == .equal ? .membership(field, literals) : nil
    }
    let comparison: FilterExpression.Comparison? =
      switch condition.comparison {
      case .equal: .equal
      case .notEqual: .notEqual
      case .less: .less
      case .lessOrEqual: .lessOrEqual
      case .greater: .greater
      case .greaterOrEqual: .greaterOrEqual
      case .isNull, .isNotNull: nil
      }
    return comparison.map { .comparison(field, $0, first) }
  }

  /// The value as the engine compares it; nil where SQLite would convert one side first.
  private static func literal(
    _ value: SQLValue, _ source: StoredColumn.Source
  ) -> FilterExpression.Literal? {
    switch (source, value) {
    case (.text, .text(let text)): return .text(text)
    case (.integer, .integer(let number)), (.picodollars, .integer(let number)):
      return .number(ExactDecimal(number))
    case (.integer, .real(let number)), (.picodollars, .real(let number)):
      return Int64(exactly: number).map { .number(ExactDecimal($0)) }
    case (.real, .integer(let number)):
      return number.magnitude < 1 << 53 ? .number(ExactDecimal(number)) : nil
    case (.real, .real(let number)):
      return number.isFinite ? ExactDecimal("\(number)").map { .number($0) } : nil
    default: return nil
    }
  }
}
