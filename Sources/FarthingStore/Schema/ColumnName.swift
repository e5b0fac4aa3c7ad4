package import FarthingCore

/// The name of a column at rest.
///
/// Fields of the event contract keep their contract names. `tags.NAME` and `units.NAME` are one
/// column for each name that occurs. A money column whose values need more than 62 bits has a
/// companion `NAME.high`.
package struct ColumnName: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let rawValue: String

  package init(_ rawValue: String) { self.rawValue = rawValue }

  package var description: String { rawValue }

  package static func < (left: ColumnName, right: ColumnName) -> Bool {
    left.rawValue < right.rawValue
  }

  /// The column of one tag.
  package static func tag(_ name: String) -> ColumnName { ColumnName(tagPrefix + name) }

  /// The column of one metered unit.
  package static func unit(_ name: String) -> ColumnName { ColumnName(unitPrefix + name) }

  package static func field(_ field: TextField) -> ColumnName { ColumnName(field.contractName) }
  package static func field(_ field: IntegerField) -> ColumnName { ColumnName(field.contractName) }
  package static func field(_ field: RealField) -> ColumnName { ColumnName(field.contractName) }
  package static func field(_ field: MoneyField) -> ColumnName { ColumnName(field.contractName) }

  package var isTag: Bool { rawValue.hasPrefix(Self.tagPrefix) }
  package var isUnit: Bool { rawValue.hasPrefix(Self.unitPrefix) }

  /// The tag or unit that this column is for; nil for other columns.
  package var entryName: String? {
    if isTag { return String(rawValue.dropFirst(Self.tagPrefix.count)) }
    if isUnit { return String(rawValue.dropFirst(Self.unitPrefix.count)) }
    return nil
  }

  /// The companion of a money column: value = high · 2^62 + low with 0 ≤ low < 2^62.
  package var high: ColumnName { ColumnName(rawValue + ".high") }

  package static let tagPrefix = "tags."
  package static let unitPrefix = "units."

  /// Tags whose names have no column of their own in a segment, several a row; see the format.
  static let overflowTags = ColumnName("tags")
  /// Likewise of units.
  static let overflowUnits = ColumnName("units")

  /// Unix nanoseconds; never absent.
  package static let time = ColumnName("time")
  /// When the event reached the store, Unix nanoseconds; never absent.
  package static let receivedTime = ColumnName("received_time")
  /// End of a capacity period, Unix nanoseconds.
  package static let until = ColumnName("until")
  /// Picodollars; present in every request, 0 where unpriced.
  package static let cost = ColumnName("cost")
  /// `priced`, `estimated` or `unpriced`; present in every request.
  package static let costState = ColumnName("cost_state")
  /// The part of `cost` for generated tokens, picodollars; present in every request.
  package static let outputCost = ColumnName("output_cost")
  /// The part of `cost` for metered units, picodollars; present in every request.
  package static let unitsCost = ColumnName("units_cost")
  /// Picodollars, may be negative; present in every request.
  package static let cacheSavings = ColumnName("cache_savings")
  /// Key of the price in force; absent where there was none.
  package static let price = ColumnName("price")
  /// The collector that the event came through; never absent.
  package static let source = ColumnName("source")
}

/// How a column's values are read.
package enum ColumnKind: UInt8, Sendable, CaseIterable {
  /// Texts of a dictionary that the segment holds once; read as codes, 0 is absent.
  case codes = 0
  /// Texts that mostly differ from row to row; read as bytes.
  case text = 1
  /// Signed 64-bit integers, times and money included.
  case integers = 2
  /// Binary64 numbers.
  case reals = 3
}
