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

  /// The companion of a column of the charge: what a row was booked at when it arrived, present where a repricing
  /// has changed the row's charge since. Read ``asBooked`` instead, which answers for every row.
  var booked: ColumnName { ColumnName(rawValue + ".booked") }

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

extension ColumnName {
  /// As ``cost``, as booked when the request arrived, whatever was repriced since. Not stored by this name.
  package static let bookedCost = ColumnName("booked_cost")
  /// As ``costState``, as booked.
  package static let bookedCostState = ColumnName("booked_cost_state")
  /// As ``price``, as booked.
  package static let bookedPrice = ColumnName("booked_price")

  /// The columns of the charge, by the column that answers as booked.
  private static let bookedBases: [ColumnName: ColumnName] = {
    var bases: [ColumnName: ColumnName] = [.bookedCostState: .costState, .bookedPrice: .price]
    for money in [ColumnName.cost, .outputCost, .unitsCost, .cacheSavings] {
      let booked = ColumnName(bookedPrefix + money.rawValue)
      bases[booked] = money
      bases[booked.high] = money.high
    }
    return bases
  }()

  private static let asBookedNames = Dictionary(
    bookedBases.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })

  private static let bookedPrefix = "booked_"

  /// The column that answers as booked where this one is of the charge; this one otherwise.
  package var asBooked: ColumnName { Self.asBookedNames[self] ?? self }

  /// The column of the charge that this one answers as booked for; nil for any other column.
  var bookedBase: ColumnName? {
    rawValue.hasPrefix(Self.bookedPrefix) ? Self.bookedBases[self] : nil
  }

  /// The stored companion of a column of the charge. That of `cost.high` is `cost.booked.high`.
  var bookedCompanion: ColumnName {
    guard rawValue.hasSuffix(".high") else { return booked }
    return ColumnName(String(rawValue.dropLast(5))).booked.high
  }
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
