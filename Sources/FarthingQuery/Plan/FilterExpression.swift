package import FarthingCore

/// A condition on a request, in the three-valued logic of SQL: a comparison with an absent field is
/// unknown, and a request is kept only where the whole condition is true.
package indirect enum FilterExpression: Sendable, Hashable {
  case comparison(RequestField, Comparison, Literal)
  /// `FIELD in (…)`.
  case membership(RequestField, [Literal])
  /// `FIELD like 'pattern'`: `%` any run of characters, `_` one character, case-sensitive.
  case like(RequestField, LikePattern)
  case isNull(RequestField)
  case and([FilterExpression])
  case or([FilterExpression])
  case not(FilterExpression)

  package enum Comparison: String, Sendable, Hashable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
  }

  /// A constant of the type of the field that it is compared with.
  package enum Literal: Sendable, Hashable {
    case text(String)
    /// For integer and boolean fields; a fraction is kept as the bounds that it means.
    case number(ExactDecimal)
    /// For time fields: Unix nanoseconds.
    case time(Int64)
  }
}
