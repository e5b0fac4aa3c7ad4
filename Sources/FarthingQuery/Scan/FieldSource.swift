internal import FarthingCore
internal import FarthingStore

/// Where the values of a field stand in a segment.
enum FieldSource {
  case text(ColumnName)
  case integer(ColumnName)
  case boolean(ColumnName)
  case real(ColumnName)
  /// Picodollars; `null` where the request is unpriced by the column of states, if one is named.
  case money(ColumnName, state: ColumnName?)
  case time(ColumnName)
  /// All columns of tags, or of units, together.
  case object(isTags: Bool)

  init(_ field: RequestField) {
    let name = ColumnName(field.name)
    switch field.kind {
    case .text: self = .text(name)
    case .boolean: self = .boolean(name)
    case .real: self = .real(name)
    case .time: self = .time(name)
    case .money:
      switch field.name {
      case "reported_cost_usd": self = .money(name, state: nil)
      case "booked_cost": self = .money(name, state: .bookedCostState)
      default: self = .money(name, state: .costState)
      }
    case .object: self = .object(isTags: field.name == "tags")
    case .integer:
      switch field.name {
      case "cost_picodollars": self = .money(.cost, state: .costState)
      case "time_unix_nano": self = .integer(.time)
      default: self = .integer(name)
      }
    }
  }
}

extension MoneyColumn {
  var name: ColumnName { ColumnName(columnName) }
}

/// The picodollars of a row out of the two columns of a wide amount: high · 2^62 + low.
@inline(__always)
func wideAmount(high: Int64, low: Int64) -> Int128 { Int128(high) << 62 + Int128(low) }
