import FarthingCore

/// A condition in the three-valued logic of SQL, evaluated the plain way: nil is unknown.
indirect enum ReferenceCondition {
  case compare(String, String, ReferenceValue)
  case oneOf(String, [ReferenceValue])
  case like(String, prefix: String, middle: String)
  case isNull(String)
  case and(ReferenceCondition, ReferenceCondition)
  case or(ReferenceCondition, ReferenceCondition)
  case not(ReferenceCondition)

  func holds(_ request: ReferenceRequest) -> Bool? {
    switch self {
    case .compare(let field, let sign, let literal):
      guard let value = request.value(field) else { return nil }
      let isLess = ReferenceOrder.precedes(value, literal)
      let isEqual = value == literal
      switch sign {
      case "=": return isEqual
      case "!=": return !isEqual
      case "<": return isLess
      case "<=": return isLess || isEqual
      case ">": return !isLess && !isEqual
      default: return !isLess
      }
    case .oneOf(let field, let literals): return request.value(field).map { literals.contains($0) }
    case .like(let field, let prefix, let middle):
      guard case .text(let text)? = request.value(field) else { return nil }
      guard text.hasPrefix(prefix) else { return false }
      let rest = text.dropFirst(prefix.count)
      return rest.indices.contains { rest[$0...].hasPrefix(middle) } || middle.isEmpty
    case .isNull(let field): return request.value(field) == nil
    case .and(let left, let right):
      let (left, right) = (left.holds(request), right.holds(request))
      if left == false || right == false { return false }
      return left == nil || right == nil ? nil : true
    case .or(let left, let right):
      let (left, right) = (left.holds(request), right.holds(request))
      if left == true || right == true { return true }
      return left == nil || right == nil ? nil : false
    case .not(let inner): return inner.holds(request).map { !$0 }
    }
  }

  /// As a user would write it.
  var text: String {
    switch self {
    case .compare(let field, let sign, let literal):
      "\(field) \(sign) \(ReferenceCondition.literal(literal))"
    case .oneOf(let field, let literals):
      "\(field) in (\(literals.map(ReferenceCondition.literal).joined(separator: ", ")))"
    case .like(let field, let prefix, let middle): "\(field) like '\(prefix)%\(middle)%'"
    case .isNull(let field): "\(field) is null"
    case .and(let left, let right): "(\(left.text) and \(right.text))"
    case .or(let left, let right): "(\(left.text) or \(right.text))"
    case .not(let inner): "not (\(inner.text))"
    }
  }

  private static func literal(_ value: ReferenceValue) -> String {
    switch value {
    case .text(let text):
      "'"
        + text.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "''") + "'"
    case .integer(let integer): "\(integer)"
    case .boolean(let flag): "\(flag)"
    case .real(let real): "\(real)"
    case .money(let amount):
      (amount < 0 ? "-" : "") + "\(amount.magnitude / 1_000_000_000_000)."
        + String("\(amount.magnitude % 1_000_000_000_000 + 1_000_000_000_000)".dropFirst())
    case .time(let time): "\(time)"
    }
  }
}

/// The order of values: by size, text by its UTF-8 bytes.
enum ReferenceOrder {
  static func precedes(_ left: ReferenceValue, _ right: ReferenceValue) -> Bool {
    switch (left, right) {
    case (.text(let left), .text(let right)): Array(left.utf8).lexicographicallyPrecedes(right.utf8)
    case (.integer(let left), .integer(let right)): left < right
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.real(let left), .real(let right)): left < right
    case (.money(let left), .money(let right)): left < right
    case (.time(let left), .time(let right)): left < right
    default: false
    }
  }

  /// Absent values last.
  static func precedes(_ left: [ReferenceValue?], _ right: [ReferenceValue?]) -> Bool {
    for (left, right) in zip(left, right) where left != right {
      guard let left else { return false }
      guard let right else { return true }
      return precedes(left, right)
    }
    return false
  }
}

/// A query in the reference's own terms.
struct ReferenceQuery {
  var metrics: [String] = []
  var groups: [String] = []
  var condition: ReferenceCondition?
  var since: Int64?
  var until: Int64?
  /// Nanoseconds; nil without buckets.
  var every: Int64?
  var order: String?
  var limit: Int?
  var closedCohort = false
}
