package import FarthingCore

/// One value of an answer, exact where it is money or a count.
package enum QueryValue: Sendable, Hashable {
  /// No value: an absent field, a ratio over zero, a quantile of nothing.
  case null
  case text(String)
  /// A count, or the value of an integer field.
  case count(Int128)
  case boolean(Bool)
  /// A sum of money, or the cost of one event: whole picodollars.
  case money(Int128)
  /// Dollars as decimal text, already rounded half to even at 10⁻¹², no exponent, no trailing zeros.
  case moneyRatio(String)
  case ratio(Double)
  case milliseconds(Double)
  /// The value of a field that is a real number.
  case real(Double)
  /// Unix nanoseconds; the renderer writes RFC 3339 in UTC.
  case time(Int64)
  /// JSON text of an object (`tags`, `units`), names in UTF-8 order.
  case object(String)
}

/// A column of an answer.
package struct ResultColumn: Sendable, Hashable {
  /// What its values are, so that a renderer can align and format them.
  package enum Kind: Sendable, Hashable {
    /// The start of a time bucket.
    case bucket
    case group(RequestField)
    case metric(Metric)
    /// A column of ``EventsPlan``.
    case field(RequestField)
  }

  package let name: String
  package let kind: Kind

  package init(name: String, kind: Kind) {
    self.name = name
    self.kind = kind
  }
}

/// The rows that answer a plan.
///
/// Shape: each row has one value for each column: `time` where the plan has buckets, then the
/// groups, then the metrics, as the plan names them.
package struct QueryResult: Sendable, Equatable {
  package var columns: [ResultColumn]
  package var rows: [[QueryValue]]

  package init(columns: [ResultColumn], rows: [[QueryValue]]) {
    self.columns = columns
    self.rows = rows
  }
}

/// Why a query has no answer: one message that names what is wrong and what to do.
package struct QueryError: Error, Sendable, Equatable {
  package enum Code: String, Sendable {
    /// The words of the query are wrong: an unknown name, a malformed expression, time or number.
    case usage
    /// The metric is known, and no answer is available yet.
    case unavailable
    /// It would take more memory than the limit.
    case memory
    /// A sum left 128 bits.
    case overflow
    /// The store could not be read; `cause` says why.
    case store
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}

extension QueryError: CustomStringConvertible {
  package var description: String { message }
}
