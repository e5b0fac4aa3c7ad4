internal import FarthingCore

/// The yearly rule of a zone in the notation of the POSIX variable TZ, such as
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
struct RecurringRule: Sendable, Hashable {
  /// A day of every year at which the clocks change.
  enum Day: Sendable, Hashable {
    /// `Jn`: 1…365, the leap day never counted.
    case ordinalWithoutLeapDay(Int)
    /// `n`: 0…365, the leap day counted.
    case ordinal(Int)
    /// `Mm.w.d`: weekday d (0 is Sunday) of week w (5 is the last) of month m.
    case weekday(month: Int, week: Int, day: Int)
  }

  struct Change: Sendable, Hashable {
    let day: Day
    /// Seconds after local midnight; may be negative or beyond a day.
    let second: Int
  }

  /// Seconds east of UTC.
  let standardOffset: Int
  let summerOffset: Int
  /// nil where there is no summer time.
  let summer: (begins: Change, ends: Change)?

  static func == (left: RecurringRule, right: RecurringRule) -> Bool {
    left.standardOffset == right.standardOffset && left.summerOffset == right.summerOffset
      && left.summer?.begins == right.summer?.begins && left.summer?.ends == right.summer?.ends
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(standardOffset)
    hasher.combine(summerOffset)
  }

  /// Seconds east of UTC at a Unix second.
  func offset(at second: Int64) -> Int {
    guard let summer else { return standardOffset }
    let localDay = (second + Int64(standardOffset)).floored(by: 86_400)
    let year = CivilTime.year(ofDay: Int(localDay))
    let begins = RecurringRule.second(of: summer.begins, year: year) - Int64(standardOffset)
    let ends = RecurringRule.second(of: summer.ends, year: year) - Int64(summerOffset)
    let isSummer =
      begins < ends ? second >= begins && second < ends : second >= begins || second < ends
    return isSummer ? summerOffset : standardOffset
  }

  /// The local second, counted from 1970, of a change in a year.
  private static func second(of change: Change, year: Int) -> Int64 {
    let newYear = CivilTime.days(year: year, month: 1, day: 1)
    let day: Int
    switch change.day {
    case .ordinalWithoutLeapDay(let ordinal):
      day = newYear + ordinal - 1 + (CivilTime.isLeap(year) && ordinal >= 60 ? 1 : 0)
    case .ordinal(let ordinal):
      day = newYear + ordinal
    case .weekday(let month, let week, let weekday):
      let first = CivilTime.days(year: year, month: month, day: 1)
      // 1 January 1970 was a Thursday, day 4 of a week that begins on Sunday.
      let firstWeekday = (((first + 4) % 7) + 7) % 7
      var place = first + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
      if place >= first + CivilTime.length(ofMonth: month, year: year) { place -= 7 }
      day = place
    }
    return Int64(day) * 86_400 + Int64(change.second)
  }
}

extension RecurringRule {
  init?(_ text: String) {
    var scanner = RuleScanner(text)
    guard scanner.name(), let west = scanner.clock() else { return nil }
    standardOffset = -west
    if scanner.isAtEnd {
      summerOffset = -west
      summer = nil
      return
    }
    guard scanner.name() else { return nil }
    var summerOffset = -west + 3_600
    if !scanner.isNext(",") {
      guard let summerWest = scanner.clock() else { return nil }
      summerOffset = -summerWest
    }
    self.summerOffset = summerOffset
    guard scanner.take(","), let begins = scanner.change(), scanner.take(","),
      let ends = scanner.change(), scanner.isAtEnd
    else { return nil }
    summer = (begins, ends)
  }
}

private struct RuleScanner {
  private var rest: Substring

  init(_ text: String) { rest = text[...] }

  var isAtEnd: Bool { rest.isEmpty }

  func isNext(_ character: Character) -> Bool { rest.first == character }

  mutating func take(_ character: Character) -> Bool {
    guard rest.first == character else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// An abbreviation: letters, or anything in angle brackets.
  mutating func name() -> Bool {
    if take("<") {
      while let next = rest.first, next != ">" { rest = rest.dropFirst() }
      return take(">")
    }
    let before = rest.count
    while let next = rest.first, next.isLetter { rest = rest.dropFirst() }
    return rest.count < before
  }

  mutating func number() -> Int? {
    let digits = rest.prefix { $0 >= "0" && $0 <= "9" }
    guard !digits.isEmpty, digits.count <= 3 else { return nil }
    rest = rest.dropFirst(digits.count)
    return Int(digits)
  }

  /// `[+-]h[:m[:s]]` in seconds.
  mutating func clock() -> Int? {
    let sign = take("-") ? -1 : 1
    if sign == 1 { _ = take("+") }
    guard let hours = number(), hours <= 167 else { return nil }
    var seconds = hours * 3_600
    for unit in [60, 1] where take(":") {
      guard let part = number(), part < 60 else { return nil }
      seconds += part * unit
    }
    return seconds * sign
  }

  mutating func change() -> RecurringRule.Change? {
    let day: RecurringRule.Day
    if take("J") {
      guard let ordinal = number(), (1...365).contains(ordinal) else { return nil }
      day = .ordinalWithoutLeapDay(ordinal)
    } else if take("M") {
      guard let month = number(), take("."), let week = number(), take("."), let weekday = number(),
        (1...12).contains(month), (1...5).contains(week), weekday <= 6
      else { return nil }
      day = .weekday(month: month, week: week, day: weekday)
    } else {
      guard let ordinal = number(), ordinal <= 365 else { return nil }
      day = .ordinal(ordinal)
    }
    var second = 7_200
    if take("/") {
      guard let read = clock() else { return nil }
      second = read
    }
    return RecurringRule.Change(day: day, second: second)
  }
}

extension Int64 {
  /// Division that rounds down for negative numbers too.
  func floored(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
