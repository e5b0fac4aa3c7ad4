/// Reads times as the contract writes them.
///
/// The grammar is `date-time` of RFC 3339, §5.6: four-digit year, upper- or lower-case `T` and `Z`,
/// seconds always present, an offset always present, `24:00` not a time of day. Where the grammar
/// leaves a choice: a fraction has 1 to 9 digits; second 60 is accepted only where UTC is 23:59:60
/// on the last day of June or December, and means the instant that follows, as in Unix time.
package struct EventTime: Sendable {
  /// The first eight and the last three bytes of the date read last, `YYYY-MM-DDT`, and its start
  /// in Unix seconds: consecutive events mostly share a day.
  private var dateHead: UInt64
  private var dateTail: UInt64
  private var daySeconds: Int64 = 0

  package init() {
    let epoch = Array("1970-01-01T".utf8)
    dateHead = epoch.span.word(0)
    dateTail = epoch.span.word(3)
  }

  /// The time that exactly the bytes `start..<end` spell, in Unix nanoseconds.
  /// - Returns: nil where they are no such time. One outside of signed 64 bits, before 1677 or after
  ///   2262, is the nearest inside: the end of a capacity period may be `9999-12-31T23:59:59Z`.
  @inline(__always)
  package mutating func read(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int64? {
    // The shortest is 2026-01-01T00:00:00Z.
    guard end &- start >= 20 else { return nil }
    let head = bytes.word(start)
    let tail = bytes.word(start &+ 3)
    if head != dateHead || tail != dateTail {
      guard let day = Self.startOfDay(bytes, at: start) else { return nil }
      dateHead = head
      dateTail = tail
      daySeconds = day
    }
    let clock = bytes.word(start &+ 11)
    let hour = Self.twoDigits(clock)
    let minute = Self.twoDigits(clock &>> 24)
    let second = Self.twoDigits(clock &>> 48)
    let colons = clock & 0x0000_FF00_00FF_0000
    guard colons == 0x0000_3A00_003A_0000, hour <= 23, minute <= 59, second <= 60 else {
      return nil
    }
    var at = start &+ 19
    var nanoseconds: Int64 = 0
    if bytes.byte(at) == UInt8(ascii: ".") {
      at &+= 1
      let first = at
      while at &- first <= 9 {
        let digit = bytes.byte(at) &- 48
        guard digit <= 9 else { break }
        nanoseconds = nanoseconds &* 10 &+ Int64(digit)
        at &+= 1
      }
      let digits = at &- first
      guard digits >= 1, digits <= 9 else { return nil }
      nanoseconds &*= Self.powerOfTen(9 &- digits)
    }
    guard let offset = Self.offsetSeconds(bytes, at: at, end: end) else { return nil }
    let ofDay = Int64(hour) &* 3600 &+ Int64(minute) &* 60 &+ Int64(second)
    let seconds = daySeconds &+ ofDay &- offset
    if second == 60 && !Self.isLeapSecond(followedBy: seconds) { return nil }
    // Written so that the earliest representable instants, whose whole second is not, are read.
    let (scaled, overflow) = (seconds &+ (seconds < 0 ? 1 : 0)).multipliedReportingOverflow(
      by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let rest = seconds < 0 ? nanoseconds &- 1_000_000_000 : nanoseconds
    let (total, carried) = scaled.addingReportingOverflow(rest)
    return carried ? (seconds < 0 ? .min : .max) : total
  }

  /// The value of the two ASCII digits in a word's lowest bytes, or at least 100 where they are none.
  @inline(__always)
  private static func twoDigits(_ word: UInt64) -> UInt64 {
    let tens = (word & 0xFF) &- 48
    let ones = ((word &>> 8) & 0xFF) &- 48
    return tens <= 9 && ones <= 9 ? tens &* 10 &+ ones : 100
  }

  private static func powerOfTen(_ exponent: Int) -> Int64 {
    switch exponent {
    case 0: 1
    case 1: 10
    case 2: 100
    case 3: 1_000
    case 4: 10_000
    case 5: 100_000
    case 6: 1_000_000
    case 7: 10_000_000
    default: 100_000_000
    }
  }

  /// Reads `Z` or `±HH:MM`, which must end at `end`.
  @inline(__always)
  private static func offsetSeconds(_ bytes: Span<UInt8>, at: Int, end: Int) -> Int64? {
    let first = bytes.byte(at)
    if first | 0x20 == UInt8(ascii: "z") { return at &+ 1 == end ? 0 : nil }
    guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-"), at &+ 6 == end else {
      return nil
    }
    let text = bytes.word(at &+ 1)
    let hour = twoDigits(text)
    let minute = twoDigits(text &>> 24)
    guard (text &>> 16) & 0xFF == 0x3A, hour <= 23, minute <= 59 else { return nil }
    let seconds = Int64(hour) &* 3600 &+ Int64(minute) &* 60
    return first == UInt8(ascii: "-") ? -seconds : seconds
  }

  /// Reads `YYYY-MM-DDT` and gives the day's start in Unix seconds.
  private static func startOfDay(_ bytes: Span<UInt8>, at: Int) -> Int64? {
    let head = bytes.word(at)
    let century = twoDigits(head)
    let years = twoDigits(head &>> 16)
    let month = twoDigits(head &>> 40)
    let day = twoDigits(bytes.word(at &+ 8))
    guard century <= 99, years <= 99, bytes.byte(at &+ 4) == UInt8(ascii: "-"),
      bytes.byte(at &+ 7) == UInt8(ascii: "-"), month >= 1, month <= 12, day >= 1,
      bytes.byte(at &+ 10) | 0x20 == UInt8(ascii: "t")
    else { return nil }
    let year = Int64(century &* 100 &+ years)
    guard Int64(day) <= daysInMonth(Int64(month), of: year) else { return nil }
    return daysSinceEpoch(year: year, month: Int64(month), day: Int64(day)) &* 86_400
  }

  private static func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1970-01-01 to a date of the Gregorian calendar, proleptic before 1582.
  static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    Int64(CivilTime.days(year: Int(year), month: Int(month), day: Int(day)))
  }

  /// Whether a leap second may stand right before `seconds`: a UTC midnight that starts 1 January or
  /// 1 July.
  private static func isLeapSecond(followedBy seconds: Int64) -> Bool {
    guard seconds % 86_400 == 0 else { return false }
    let day = seconds / 86_400
    // A midnight of a year that four digits can write, or of the one after it.
    let year = 1970 + (day >= 0 ? day : day - 365) * 400 / 146_097
    for candidate in (year - 1)...(year + 1) {
      if day == daysSinceEpoch(year: candidate, month: 1, day: 1)
        || day == daysSinceEpoch(year: candidate, month: 7, day: 1)
      {
        return true
      }
    }
    return false
  }
}
