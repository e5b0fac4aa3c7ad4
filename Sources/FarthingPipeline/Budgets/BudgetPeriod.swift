internal import FarthingCore
package import FarthingQuery

/// The time that a budget is for.
package enum BudgetPeriod: Sendable, Equatable {
  case day(TimeZoneRules)
  /// From Monday.
  case week(TimeZoneRules)
  case month(TimeZoneRules)
  case quarter(TimeZoneRules)
  case year(TimeZoneRules)
  /// The last so many nanoseconds, at any time.
  case rolling(Int64)

  package static let expectation =
    "day, week, month, quarter or year, or rolling and a length of time, such as \"rolling 30d\""

  /// - Parameter text: `month`, or `rolling 30d`.
  package init?(_ text: String, zone: TimeZoneRules) {
    switch text {
    case "day": self = .day(zone)
    case "week": self = .week(zone)
    case "month": self = .month(zone)
    case "quarter": self = .quarter(zone)
    case "year": self = .year(zone)
    default:
      guard text.hasPrefix("rolling "),
        let length = CivilTime.parseDuration(text.dropFirst(8).drop { $0 == " " }),
        length >= CivilTime.hour, length <= 366 * CivilTime.day,
        length % CivilTime.hour == 0
      else { return nil }
      self = .rolling(length)
    }
  }

  /// As it is written.
  package var words: String {
    switch self {
    case .day: "day"
    case .week: "week"
    case .month: "month"
    case .quarter: "quarter"
    case .year: "year"
    case .rolling(let length): "rolling \(DurationText.text(length))"
    }
  }

  package var zone: TimeZoneRules {
    switch self {
    case .day(let zone), .week(let zone), .month(let zone), .quarter(let zone), .year(let zone):
      zone
    case .rolling: .utc
    }
  }

  package var isRolling: Bool {
    if case .rolling = self { true } else { false }
  }

  /// Nanoseconds, of a month 30 days.
  package var nominalLength: Int64 {
    switch self {
    case .day: CivilTime.day
    case .week: 7 * CivilTime.day
    case .month: 30 * CivilTime.day
    case .quarter: 91 * CivilTime.day
    case .year: 365 * CivilTime.day
    case .rolling(let length): length
    }
  }

  /// The period that an instant lies in, its end excluded; for a rolling one the length before the instant.
  package func bounds(at time: Int64) -> (start: Int64, end: Int64) {
    if case .rolling(let length) = self {
      let (start, overflow) = time.subtractingReportingOverflow(length)
      return (overflow ? .min : start, time)
    }
    let second = Self.floored(time, CivilTime.second)
    let local = second + Int64(zone.offset(at: second))
    let day = Self.floored(local, 86_400)
    var bounds = bounds(ofDay: day)
    // Around a change of the clocks at midnight the day by the offset in force may be a neighbour.
    if time < bounds.start { bounds = self.bounds(ofDay: day - 1) }
    if time >= bounds.end { bounds = self.bounds(ofDay: day + 1) }
    return bounds
  }

  /// - Parameter day: counted from 1970, in the zone.
  private func bounds(ofDay day: Int64) -> (start: Int64, end: Int64) {
    let date = CivilTime.date(ofDay: day)
    func starts(_ year: Int64, _ month: Int64) -> Int64 {
      let months = year * 12 + month - 1
      let first = CivilTime.days(year: Int(months / 12), month: Int(months % 12) + 1, day: 1)
      return zone.startOfDay(Int64(first))
    }
    switch self {
    case .day, .rolling: return (zone.startOfDay(day), zone.startOfDay(day + 1))
    case .week:
      // 1 January 1970 was a Thursday.
      let monday = Self.floored(day + 3, 7) * 7 - 3
      return (zone.startOfDay(monday), zone.startOfDay(monday + 7))
    case .month: return (starts(date.year, date.month), starts(date.year, date.month + 1))
    case .quarter:
      let first = (date.month - 1) / 3 * 3 + 1
      return (starts(date.year, first), starts(date.year, first + 3))
    case .year: return (starts(date.year, 1), starts(date.year + 1, 1))
    }
  }

  private static func floored(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}
