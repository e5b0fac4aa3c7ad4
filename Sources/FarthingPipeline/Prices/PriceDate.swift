internal import FarthingCore

/// Dates and times of day as price lists write them, in UTC.
package enum PriceDate {
  /// Midnight, UTC, of a date such as `2026-11-02`, or nil where `text` is none between 1970 and 2200.
  package static func nanoseconds(_ text: String) -> Int64? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
      parts[2].utf8.count == 2, parts.allSatisfy({ $0.utf8.allSatisfy { $0 &- 0x30 < 10 } }),
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
      (1970...2200).contains(year), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let time = CivilTime.nanoseconds(year: year, month: month, day: day)
    // A day that the month lacks lands in the next month.
    return self.text(time) == text ? time : nil
  }

  /// The UTC date of a time, such as `2026-11-02`.
  package static func text(_ time: Int64) -> String {
    String(CivilTime.text(time).prefix(10))
  }

  /// Nanoseconds from midnight UTC of a time of day such as `16:30:00+00:00`, `00:30:00Z` or `16:30`.
  static func timeOfDay(_ text: String) -> Int64? {
    var clock = Substring(text)
    var offset: Int64 = 0
    if clock.hasSuffix("Z") {
      clock = clock.dropLast()
    } else if let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) {
      guard let value = seconds(clock[clock.index(after: sign)...]) else { return nil }
      offset = clock[sign] == "-" ? -value : value
      clock = clock[..<sign]
    }
    guard let seconds = seconds(clock) else { return nil }
    let day: Int64 = 86_400
    return ((seconds - offset) % day + day) % day * CivilTime.second
  }

  private static func seconds(_ clock: Substring) -> Int64? {
    let parts = clock.split(separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count) else { return nil }
    var total: Int64 = 0
    for (part, limit) in zip(parts, [24, 60, 60]) {
      guard let value = Int64(part), value >= 0, value < limit else { return nil }
      total = total * 60 + value
    }
    return parts.count == 2 ? total * 60 : total
  }
}

/// A part of every day, in UTC: its start included, its end excluded; it may cross midnight.
package struct DailyWindow: Sendable, Equatable {
  /// Nanoseconds from midnight.
  package let start: Int64
  package let end: Int64

  func contains(_ time: Int64) -> Bool {
    let ofDay = Self.ofDay(time)
    return end < start ? ofDay >= start || ofDay < end : ofDay >= start && ofDay < end
  }

  /// Shortens `period` so that it crosses neither bound of the window on any day.
  func narrow(_ period: inout PricePeriod, around time: Int64) {
    let midnight = time - Self.ofDay(time)
    for day: Int64 in -1...1 {
      for bound in [start, end] {
        let (moment, overflow) = midnight.addingReportingOverflow(day * CivilTime.day + bound)
        if !overflow { period.narrow(at: moment, around: time) }
      }
    }
  }

  private static func ofDay(_ time: Int64) -> Int64 {
    let rest = time % CivilTime.day
    return rest < 0 ? rest + CivilTime.day : rest
  }
}
