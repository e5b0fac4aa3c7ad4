internal import FarthingCore
internal import FarthingPipeline
package import FarthingQuery

/// From an instant to another, the end excluded; Unix nanoseconds.
package struct ReportWindow: Sendable, Hashable {
  package var since: Int64
  package var until: Int64

  package init(since: Int64, until: Int64) {
    self.since = since
    self.until = until
  }
}

/// What a report is over: a period and the four before it.
///
/// A period that is not over is looked at up to now, and the ones before up to as far from their own starts: part of a
/// week is never compared with a whole one.
package struct ReportPeriod: Sendable, Equatable {
  package enum Kind: String, Sendable {
    /// An ISO week: from Monday.
    case week
    /// A calendar month.
    case month
    /// From one instant to another, as somebody said.
    case span
  }

  package var kind: Kind
  package var zone: TimeZoneRules
  /// When it is over; ``current`` ends before where that is still to come.
  package var end: Int64
  /// The period, and the four before it, the latest first. Five where all of them fit time.
  package var windows: [ReportWindow]

  package var current: ReportWindow { windows[0] }
  package var previous: ReportWindow { windows[1] }
  package var isOver: Bool { current.until == end }

  /// How many periods a trend shows beside the current one.
  static let historyCount = 4
}

/// The words of `farthing report` and of `GET /v1/report`.
package struct ReportWords: Sendable, Equatable {
  /// `weekly` or `monthly`.
  package var period: String?
  package var since: String?
  package var until: String?
  package var filter: String?
  package var prices: String?

  package init(
    period: String? = nil, since: String? = nil, until: String? = nil, filter: String? = nil,
    prices: String? = nil
  ) {
    self.period = period
    self.since = since
    self.until = until
    self.filter = filter
    self.prices = prices
  }
}

/// A question for a report.
package struct ReportPlan: Sendable, Equatable {
  package var kind: ReportPeriod.Kind
  /// As given; what is not given follows from the clock.
  package var since: Int64?
  package var until: Int64?
  package var filter: FilterExpression?
  /// ``filter`` as it was written.
  package var filterText: String?
  package var prices: PriceKnowledge
  package var zone: TimeZoneRules
  package var now: Int64

  /// - Throws: One ``QueryError`` of code `usage` that names every fault of the words, a line each.
  package static func parse(
    _ words: ReportWords, now: Int64, timeZone: TimeZoneRules = .utc
  ) throws(QueryError) -> ReportPlan {
    var faults: [String] = []
    var selection = QueryPlan(metrics: [])
    do throws(QueryError) {
      selection = try QueryPlan.parse(
        QueryWords(
          metrics: "cost", filter: words.filter, since: words.since, until: words.until,
          prices: words.prices), now: now, timeZone: timeZone)
    } catch {
      faults.append(error.message)
    }
    var kind = ReportPeriod.Kind.week
    switch words.period {
    case nil, "": kind = selection.since == nil ? .week : .span
    case "weekly": kind = .week
    case "monthly": kind = .month
    case .some(let text):
      faults.append("period: \"\(text.prefix(64))\" is neither weekly nor monthly")
    }
    // Both ends say all that there is to say of a period.
    if selection.since != nil, selection.until != nil { kind = .span }
    let plan = ReportPlan(
      kind: kind, since: selection.since, until: selection.until, filter: selection.filter,
      filterText: words.filter, prices: selection.prices, zone: timeZone, now: now)
    if kind == .span, let since = plan.since {
      if since >= min(plan.until ?? now, now) {
        let end = plan.until.map { $0 < now } ?? false ? "until" : "now"
        faults.append("since is not before \(end), so there is no period to report")
      } else if plan.period() == nil {
        faults.append("since: the periods before would begin before all time")
      }
    }
    guard faults.isEmpty else { throw QueryError(.usage, faults.joined(separator: "\n")) }
    return plan
  }

  /// The period that is meant: what was said, else the last one that is over.
  ///
  /// - Parameter instant: look at the period that it lies in, instead.
  /// - Returns: nil where the periods before would leave all time.
  package func period(containing instant: Int64? = nil) -> ReportPeriod? {
    let bounds: (start: Int64, end: Int64)
    switch kind {
    case .span:
      guard let since else { return nil }
      bounds = (since, until ?? now)
    case .week, .month:
      if let instant = instant ?? since {
        bounds = self.bounds(at: min(instant, now))
      } else {
        // The last one that is over by then.
        bounds = self.bounds(at: self.bounds(at: min(until ?? now, now)).start &- 1)
      }
    }
    return made(bounds.start, bounds.end)
  }

  private func bounds(at instant: Int64) -> (start: Int64, end: Int64) {
    (kind == .month ? BudgetPeriod.month(zone) : .week(zone)).bounds(at: instant)
  }

  private func made(_ start: Int64, _ end: Int64) -> ReportPeriod? {
    let until = min(end, now)
    guard start < until else { return nil }
    var kind = kind
    if kind == .span {
      if BudgetPeriod.week(zone).bounds(at: start) == (start, end) { kind = .week }
      if BudgetPeriod.month(zone).bounds(at: start) == (start, end) { kind = .month }
    }
    var windows = [ReportWindow(since: start, until: until)]
    var bounds = (start: start, end: end)
    for _ in 0..<ReportPeriod.historyCount {
      guard let earlier = before(bounds, kind) else { return nil }
      bounds = earlier
      let stop = until == end ? earlier.end : min(earlier.end, earlier.start + (until - start))
      windows.append(ReportWindow(since: earlier.start, until: stop))
    }
    return ReportPeriod(kind: kind, zone: zone, end: end, windows: windows)
  }

  private func before(
    _ bounds: (start: Int64, end: Int64), _ kind: ReportPeriod.Kind
  ) -> (start: Int64, end: Int64)? {
    switch kind {
    case .week: return BudgetPeriod.week(zone).bounds(at: bounds.start - 1)
    case .month: return BudgetPeriod.month(zone).bounds(at: bounds.start - 1)
    case .span:
      let first = LocalDay(bounds.start, zone)
      let last = LocalDay(bounds.end, zone)
      if first.isStart, last.isStart {
        // Whole days of the zone, though a change of the clocks may lie between.
        return (zone.startOfDay(first.day * 2 - last.day), bounds.start)
      }
      let length = bounds.end.subtractingReportingOverflow(bounds.start)
      let start = bounds.start.subtractingReportingOverflow(length.partialValue)
      return length.overflow || start.overflow ? nil : (start.partialValue, bounds.start)
    }
  }
}

/// The day of a zone in which an instant lies.
struct LocalDay {
  /// Counted from 1970.
  let day: Int64
  /// Whether the instant is its first.
  let isStart: Bool
  let second: Int64

  init(_ time: Int64, _ zone: TimeZoneRules) {
    let second = CivilTime.floorDivide(time, CivilTime.second)
    let local = second + Int64(zone.offset(at: second))
    day = CivilTime.floorDivide(local, 86_400)
    self.second = local - day * 86_400
    isStart = zone.startOfDay(day) == time
  }
}

/// Periods in words.
enum PeriodText {
  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let days = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]

  /// `week 11 of 2026`, `March 2026`, `9 March to 15 March 2026`.
  static func name(_ period: ReportPeriod) -> String {
    let day = LocalDay(period.current.since, period.zone).day
    switch period.kind {
    case .week:
      let week = isoWeek(day)
      return "week \(week.number) of \(week.year)"
    case .month:
      let date = CivilTime.date(ofDay: day)
      return "\(months[Int(date.month) - 1]) \(date.year)"
    case .span: return span(ReportWindow(since: period.current.since, until: period.end), period)
    }
  }

  /// How the period before is called beside it.
  static func previous(_ period: ReportPeriod) -> String {
    switch period.kind {
    case .week: "the week before"
    case .month: "the month before"
    case .span: "the period before"
    }
  }

  /// `9 to 15 March 2026`, with times of day where it does not begin and end with a day.
  static func span(_ window: ReportWindow, _ period: ReportPeriod) -> String {
    let zone = period.zone
    let (first, end) = (LocalDay(window.since, zone), LocalDay(window.until, zone))
    let name = zone.isUTC ? "UTC" : zone.name.printable
    guard first.isStart, end.isStart else {
      return "\(moment(window.since, zone)) to \(moment(window.until, zone)) (\(name))"
    }
    let last = end.day - 1
    if first.day == last { return "\(date(last)) (\(name))" }
    let (from, to) = (CivilTime.date(ofDay: first.day), CivilTime.date(ofDay: last))
    let start =
      from.year == to.year
      ? from.month == to.month ? "\(from.day)" : "\(from.day) \(months[Int(from.month) - 1])"
      : date(first.day)
    return "\(start) to \(date(last)) (\(name))"
  }

  /// `15 March 2026`
  static func date(_ day: Int64) -> String {
    let date = CivilTime.date(ofDay: day)
    return "\(date.day) \(months[Int(date.month) - 1]) \(date.year)"
  }

  /// `15 March 2026, 14:05`
  static func moment(_ time: Int64, _ zone: TimeZoneRules) -> String {
    let local = LocalDay(time, zone)
    return "\(date(local.day)), \(two(local.second / 3600)):\(two(local.second / 60 % 60))"
  }

  /// `11 Mar 13:40`
  static func short(_ time: Int64, _ zone: TimeZoneRules) -> String {
    let local = LocalDay(time, zone)
    let date = CivilTime.date(ofDay: local.day)
    return "\(date.day) \(months[Int(date.month) - 1].prefix(3)) "
      + "\(two(local.second / 3600)):\(two(local.second / 60 % 60))"
  }

  /// `Mon 9`, `9 Mar`, `14:00`: of a bucket of a chart.
  static func bucket(_ time: Int64, _ width: BucketWidth, _ zone: TimeZoneRules) -> (
    label: String, title: String
  ) {
    let local = LocalDay(time, zone)
    let date = CivilTime.date(ofDay: local.day)
    let clock = "\(two(local.second / 3600)):\(two(local.second / 60 % 60))"
    let weekday = days[Int(((local.day + 3) % 7 + 7) % 7)]
    let month = months[Int(date.month) - 1]
    switch width.unit {
    case .day: return ("\(date.day)", "\(weekday) \(date.day) \(month)")
    case .week: return ("\(date.day) \(month.prefix(3))", "week from \(date.day) \(month)")
    default: return (clock, "\(weekday) \(date.day) \(month), \(clock)")
    }
  }

  static func weekday(_ time: Int64, _ zone: TimeZoneRules) -> String {
    let day = LocalDay(time, zone).day
    return String(days[Int(((day + 3) % 7 + 7) % 7)].prefix(3))
  }

  private static func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// The week that has the year's first Thursday is its first (ISO 8601).
  static func isoWeek(_ day: Int64) -> (year: Int64, number: Int64) {
    let monday = day - ((day + 3) % 7 + 7) % 7
    let thursday = monday + 3
    let year = CivilTime.date(ofDay: thursday).year
    let first = Int64(CivilTime.days(year: Int(year), month: 1, day: 1))
    return (year, (thursday - first) / 7 + 1)
  }
}
