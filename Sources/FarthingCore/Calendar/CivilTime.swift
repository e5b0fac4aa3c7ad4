// Dates and clock readings without a calendar library: the proleptic Gregorian calendar in UTC.
//
// Years are counted from March, which makes the leap day the last of its year: 400 of them have
// 146,097 days, and 719,468 days lie between 1 March 0 and 1970.

/// Conversions between dates, day numbers, Unix nanoseconds and RFC 3339 text in UTC.
package enum CivilTime {
  package static let second: Int64 = 1_000_000_000
  package static let minute: Int64 = 60 * second
  package static let hour: Int64 = 60 * minute
  package static let day: Int64 = 24 * hour

  /// Days from 1 January 1970 to a date; a day that the month lacks lands in the next one.
  package static func days(year: Int, month: Int, day: Int) -> Int {
    let marchYear = month <= 2 ? year - 1 : year
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Midnight, UTC, of a civil date, as Unix nanoseconds.
  package static func nanoseconds(year: Int, month: Int, day: Int) -> Int64 {
    Int64(days(year: year, month: month, day: day)) * CivilTime.day
  }

  /// Whole seconds to nanoseconds; instants outside the years 1678 to 2262 become the bound.
  package static func nanoseconds(seconds: Int128, fraction: Int64 = 0) -> Int64 {
    Int64(clamping: seconds * Int128(second) + Int128(fraction))
  }

  /// The year in which a day (counted from 1 January 1970) lies.
  package static func year(ofDay day: Int) -> Int { Int(date(ofDay: Int64(day)).year) }

  /// Whether a year has a 29 February.
  package static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  /// How many days a month, 1 to 12, has in a year.
  package static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// The civil date, UTC, of a day number counted from 1970-01-01.
  package static func date(ofDay number: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = number + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  /// `2026-03-09T10:00:00Z`: the time in UTC to the whole second.
  package static func text(_ time: Int64) -> String {
    var bytes: [UInt8] = []
    appendDate(floorDivide(time, day), to: &bytes)
    let seconds = (time - floorDivide(time, day) * day) / second
    bytes.append(0x54)
    appendTwoDigits(seconds / 3600, to: &bytes)
    bytes.append(0x3A)
    appendTwoDigits(seconds / 60 % 60, to: &bytes)
    bytes.append(0x3A)
    appendTwoDigits(seconds % 60, to: &bytes)
    bytes.append(0x5A)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends `2026-03-09` for a day number counted from 1970-01-01.
  static func appendDate(_ dayNumber: Int64, to bytes: inout [UInt8]) {
    let (year, month, day) = date(ofDay: dayNumber)
    appendTwoDigits(year / 100, to: &bytes)
    appendTwoDigits(year % 100, to: &bytes)
    bytes.append(0x2D)
    appendTwoDigits(month, to: &bytes)
    bytes.append(0x2D)
    appendTwoDigits(day, to: &bytes)
  }

  @inline(__always)
  static func appendTwoDigits(_ value: Int64, to bytes: inout [UInt8]) {
    bytes.append(0x30 + UInt8(truncatingIfNeeded: value / 10))
    bytes.append(0x30 + UInt8(truncatingIfNeeded: value % 10))
  }

  package static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// Reads `2026-03-09`, `2026-03-09T10:00Z`, `2026-03-09T10:00:30Z` or the same with an offset
  /// such as `+02:00`.
  ///
  /// - Returns: Unix nanoseconds, or nil where the text is none of these or no date at all.
  package static func parse(_ text: some StringProtocol) -> Int64? {
    let bytes = Array(text.utf8)
    func number(_ from: Int, _ count: Int) -> Int? {
      guard from + count <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[from..<from + count] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    func isByte(_ place: Int, _ byte: UInt8) -> Bool { place < bytes.count && bytes[place] == byte }
    guard let year = number(0, 4), isByte(4, 0x2D), let month = number(5, 2), isByte(7, 0x2D),
      let dayOfMonth = number(8, 2), (1900...2200).contains(year), (1...12).contains(month),
      (1...31).contains(dayOfMonth)
    else { return nil }
    let midnight = nanoseconds(year: year, month: month, day: dayOfMonth)
    // A day that the month lacks comes back as another date.
    guard date(ofDay: floorDivide(midnight, day)).day == Int64(dayOfMonth) else { return nil }
    if bytes.count == 10 { return midnight }
    guard isByte(10, 0x54), let hours = number(11, 2), isByte(13, 0x3A),
      let minutes = number(14, 2),
      hours < 24, minutes < 60
    else { return nil }
    var place = 16
    var seconds = 0
    if isByte(16, 0x3A) {
      guard let value = number(17, 2), value < 60 else { return nil }
      seconds = value
      place = 19
    }
    let local = midnight + Int64(hours) * hour + Int64(minutes) * minute + Int64(seconds) * second
    if isByte(place, 0x5A), bytes.count == place + 1 { return local }
    guard isByte(place, 0x2B) || isByte(place, 0x2D), let offsetHours = number(place + 1, 2),
      isByte(place + 3, 0x3A), let offsetMinutes = number(place + 4, 2), bytes.count == place + 6,
      offsetHours < 24, offsetMinutes < 60
    else { return nil }
    let offset = Int64(offsetHours) * hour + Int64(offsetMinutes) * minute
    return bytes[place] == 0x2B ? local - offset : local + offset
  }

  /// Reads a length of time: a whole number and `s`, `m`, `h`, `d` or `w`, several in a row allowed
  /// (`1h30m`).
  ///
  /// - Returns: Nanoseconds above 0, or nil.
  package static func parseDuration(_ text: some StringProtocol) -> Int64? {
    // Twenty years: any year that is accepted, plus twice this, still fits 64 bits.
    let longest = 20 * 366 * day
    var total: Int64 = 0
    var value: Int64?
    for byte in text.utf8 {
      if byte >= 0x30, byte <= 0x39 {
        let (next, overflow) = (value ?? 0).multipliedReportingOverflow(by: 10)
        guard !overflow, next < 1_000_000_000 else { return nil }
        value = next + Int64(byte - 0x30)
        continue
      }
      let unit: Int64
      switch byte {
      case 0x73: unit = second
      case 0x6D: unit = minute
      case 0x68: unit = hour
      case 0x64: unit = day
      case 0x77: unit = 7 * day
      default: return nil
      }
      guard let count = value else { return nil }
      let (length, overflow) = count.multipliedReportingOverflow(by: unit)
      guard !overflow, length <= longest, total <= longest else { return nil }
      total += length
      value = nil
    }
    return value == nil && total > 0 ? total : nil
  }
}
