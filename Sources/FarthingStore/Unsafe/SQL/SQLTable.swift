// The safe side of SQL: what a table has to be so that SQLite can read it.
//
// SQLite asks row by row and column by column. A table answers in batches: a scan moves from batch
// to batch, and a column of the batch at hand is made only where a statement reads it. The
// callbacks that hand out single values are in `SQLCursor.swift`.

/// A value of a statement's row or of a condition.
package enum SQLValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)
  case blob([UInt8])
}

/// A column as SQLite is told of it.
package struct SQLColumn: Sendable, Hashable {
  /// What SQL calls the column's type; it decides how SQLite converts what the column is compared
  /// with.
  package enum Kind: String, Sendable {
    case text = "TEXT"
    case integer = "INTEGER"
    case real = "REAL"
  }

  package let name: String
  package let kind: Kind
  /// Name of the collation that orders the column's texts; nil for the order of their bytes.
  package let collation: String?
  /// Whether `SELECT *` leaves it out.
  package let isHidden: Bool

  package init(_ name: String, _ kind: Kind, collation: String? = nil, isHidden: Bool = false) {
    self.name = name
    self.kind = kind
    self.collation = collation
    self.isHidden = isHidden
  }
}

/// How a column is compared in a condition that SQLite offers to a table.
package enum SQLComparison: Int, Sendable, CaseIterable {
  /// Equal to one value, or to any of several.
  case equal = 0
  case notEqual = 1
  case less = 2
  case lessOrEqual = 3
  case greater = 4
  case greaterOrEqual = 5
  case isNull = 6
  case isNotNull = 7
}

/// A condition that a statement has on one column, before the values are known.
package struct SQLConstraint: Sendable, Hashable {
  package let column: Int
  package let comparison: SQLComparison
  /// The value where the statement spells it out; nil where it is known only later.
  package let value: SQLValue?
}

/// A condition with its values.
package struct SQLCondition: Sendable, Hashable {
  package let column: Int
  package let comparison: SQLComparison
  /// One value, several where any of them may equal, none for the tests of null.
  package let values: [SQLValue]

  package init(column: Int, comparison: SQLComparison, values: [SQLValue]) {
    self.column = column
    self.comparison = comparison
    self.values = values
  }
}

/// How a table would answer a set of conditions, so that SQLite can choose the order of a join.
package struct SQLAccess: Sendable, Hashable {
  /// The conditions that the scan is to be told, by their place; the others it never sees.
  package var used: [Bool]
  /// In units of about one row read.
  package var effort: Double
  package var rowCount: Int64
  /// Whether at most one row can come.
  package var isUnique: Bool

  package init(used: [Bool], effort: Double, rowCount: Int64, isUnique: Bool = false) {
    self.used = used
    self.effort = effort
    self.rowCount = rowCount
    self.isUnique = isUnique
  }
}

/// A table that statements may read.
package protocol SQLTable: AnyObject {
  var name: String { get }
  /// At least one; the same at every call.
  var columns: [SQLColumn] { get }

  /// What a scan under these conditions would cost.
  func access(_ constraints: [SQLConstraint]) -> SQLAccess

  /// A scan that has not begun.
  func scan() -> any SQLScan
}

/// One pass over a table, begun as often as a statement asks.
package protocol SQLScan: AnyObject {
  /// Goes to the beginning.
  ///
  /// - Parameters:
  ///   - conditions: What the statement asks of the rows. A scan may hand out rows that do not meet
  ///     them, since SQLite tests each row again; it must hand out every row that does.
  ///   - columns: Whether the statement reads a column, by its place; others are not filled.
  func begin(_ conditions: [SQLCondition], columns: [Bool]) throws

  /// Moves to the next batch of rows.
  /// - Returns: How many rows it has; 0 at the end.
  func nextBatch() throws -> Int

  /// Makes a column of the batch at hand; asked at most once a batch and column.
  func fill(_ target: SQLColumnBuffer, column: Int) throws

  /// A number of a row of the batch at hand that no other row of the table has.
  func rowID(_ place: Int) -> Int64
}

/// Which rows of a decoded block a batch has.
package struct SQLRows: Sendable {
  /// The rows by number; nil where they are `first` and those after it.
  package var list: [UInt32]?
  /// The first row of the batch, or its place in `list`.
  package var first: Int
  package var count: Int

  package init(list: [UInt32]? = nil, first: Int, count: Int) {
    self.list = list
    self.first = first
    self.count = count
  }

  /// The row at a place of the batch.
  @inline(__always)
  package func row(_ place: Int) -> Int {
    if let list { return Int(list[first + place]) }
    return first + place
  }
}

/// Why a statement has no answer.
package struct SQLFailure: Error, Sendable, Equatable {
  package enum Code: Sendable {
    /// The statement is wrong, or does more than read.
    case statement
    /// It began and failed: an overflow, a malformed JSON text.
    case execution
    /// It needs more memory, or longer values, than the limits allow.
    case limit
    /// It took longer than it may.
    case timeout
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
