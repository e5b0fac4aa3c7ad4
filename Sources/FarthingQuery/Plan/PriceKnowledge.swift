internal import FarthingStore

/// By which knowledge of prices a question is answered.
package enum PriceKnowledge: String, Sendable, CaseIterable {
  /// With every repricing that was applied.
  case current
  /// As each request was booked when it arrived, whatever was repriced since.
  case booked

  /// The column to read for one of the charge; any other column is itself.
  func column(_ name: ColumnName) -> ColumnName { self == .booked ? name.asBooked : name }
}
