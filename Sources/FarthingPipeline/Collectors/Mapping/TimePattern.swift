internal import FarthingCore
internal import FarthingQuery

/// How a format writes times.
enum TimePattern: Sendable {
  /// RFC 3339, or an integer of Unix nanoseconds: what the contract itself takes.
  case contract
  case rfc3339
  /// Unix time; the power of ten from its unit to nanoseconds.
  case unix(power: Int)
  /// Directives in the manner of `strftime`.
  case pattern([TimeDirective], zone: TimeZoneRules?)

  /// nginx's `$time_local` and Apache's `%t` without its brackets.
  static let nginx = "%d/%b/%Y:%H:%M:%S %z"

  /// Names of patterns that are not directives.
  static let names: [(String, TimePattern)] = [
    ("rfc3339", .rfc3339), ("unix_s", .unix(power: 9)), ("unix_ms", .unix(power: 6)),
    ("unix_us", .unix(power: 3)), ("unix_ns", .unix(power: 0)),
  ]

  /// What a time has to look like: the end of the sentence "expected …".
  var expectation: String {
    switch self {
    case .contract: "an RFC 3339 time with an offset, or an integer of Unix nanoseconds"
    case .rfc3339: "an RFC 3339 time with an offset"
    case .unix(let power):
      "a number of Unix "
        + (["seconds", "milliseconds", "microseconds"][safe: 3 - power / 3]
          ?? "nanoseconds")
    case .pattern(let directives, _):
      "a time such as " + TimeDirective.example(directives)
    }
  }

  /// Unix nanoseconds; nil where the text is no such time.
  func read(_ text: ArraySlice<UInt8>) -> Int64? {
    switch self {
    case .contract:
      return Self.rfc3339(text) ?? DecimalReading.integer(text)
    case .rfc3339: return Self.rfc3339(text)
    case .unix(let power): return DecimalReading.rounded(text, scale: power)
    case .pattern(let directives, let zone):
      return CivilReading.read(text, directives, zone: zone)
    }
  }

  private static func rfc3339(_ text: ArraySlice<UInt8>) -> Int64? {
    let bytes = Array(text)
    var reader = EventTime()
    return reader.read(bytes.span, from: 0, to: bytes.count)
  }
}

/// One part of a time pattern.
enum TimeDirective: Sendable, Equatable {
  case literal(UInt8)
  /// Any number of blanks.
  case blanks
  case year, shortYear, month, monthName, day, hour, hour12, half, minute, second, fraction
  case unixSeconds, offset, zoneName, weekday, dayOfYear

  private static let letters: [UInt8: [TimeDirective]] = [
    UInt8(ascii: "Y"): [.year], UInt8(ascii: "y"): [.shortYear], UInt8(ascii: "m"): [.month],
    UInt8(ascii: "b"): [.monthName], UInt8(ascii: "B"): [.monthName],
    UInt8(ascii: "h"): [.monthName], UInt8(ascii: "d"): [.day], UInt8(ascii: "e"): [.day],
    UInt8(ascii: "H"): [.hour], UInt8(ascii: "I"): [.hour12], UInt8(ascii: "p"): [.half],
    UInt8(ascii: "M"): [.minute], UInt8(ascii: "S"): [.second], UInt8(ascii: "f"): [.fraction],
    UInt8(ascii: "s"): [.unixSeconds], UInt8(ascii: "z"): [.offset],
    UInt8(ascii: "Z"): [.zoneName], UInt8(ascii: "a"): [.weekday], UInt8(ascii: "A"): [.weekday],
    UInt8(ascii: "j"): [.dayOfYear], UInt8(ascii: "n"): [.blanks], UInt8(ascii: "t"): [.blanks],
    UInt8(ascii: "%"): [.literal(UInt8(ascii: "%"))],
    UInt8(ascii: "T"): [
      .hour, .literal(UInt8(ascii: ":")), .minute, .literal(UInt8(ascii: ":")), .second,
    ],
    UInt8(ascii: "F"): [
      .year, .literal(UInt8(ascii: "-")), .month, .literal(UInt8(ascii: "-")), .day,
    ],
  ]

  /// The parts of a pattern.
  /// - Returns: a sentence about what is wrong with it, where something is.
  static func parse(_ text: String) -> (directives: [TimeDirective], fault: String?) {
    var directives: [TimeDirective] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        directives.append(byte == 0x20 ? .blanks : .literal(byte))
        continue
      }
      guard let letter = rest.popFirst(), let parts = letters[letter] else {
        return (directives, "unknown directive after % in \"\(text)\"; docs/mappings.md lists them")
      }
      directives += parts
    }
    func has(_ parts: TimeDirective...) -> Bool { parts.contains { directives.contains($0) } }
    if has(.unixSeconds) { return (directives, nil) }
    let hasDate =
      has(.year, .shortYear) && (has(.day) && has(.month, .monthName) || has(.dayOfYear))
    if !hasDate { return (directives, "\"\(text)\" lacks a year, month or day") }
    if has(.hour12) != has(.half) {
      return (directives, "\"\(text)\" needs %I and %p together, or %H")
    }
    return (directives, nil)
  }

  /// Whether the pattern itself says the distance from UTC.
  static func namesZone(_ directives: [TimeDirective]) -> Bool {
    directives.contains(.offset) || directives.contains(.zoneName)
      || directives.contains(.unixSeconds)
  }

  static func example(_ directives: [TimeDirective]) -> String {
    directives.map { part in
      switch part {
      case .literal(let byte): String(UnicodeScalar(byte))
      case .blanks: " "
      case .year: "2026"
      case .shortYear: "26"
      case .month: "03"
      case .monthName: "Mar"
      case .day: "09"
      case .hour, .hour12: "10"
      case .half: "AM"
      case .minute: "15"
      case .second: "30"
      case .fraction: "123"
      case .unixSeconds: "1773051330"
      case .offset: "+0000"
      case .zoneName: "UTC"
      case .weekday: "Mon"
      case .dayOfYear: "068"
      }
    }.joined()
  }
}

/// A date and a time of day on their way from a text.
private struct CivilParts {
  var year: Int64 = 1970
  var month: Int64 = 1
  var day: Int64 = 1
  var dayOfYear: Int64?
  var hour: Int64 = 0
  var isAfternoon: Bool?
  var minute: Int64 = 0
  var second: Int64 = 0
  var nanoseconds: Int64 = 0
  var offset: Int64?
  var unixSeconds: Int64?
}

/// Reads times by directives.
enum CivilReading {
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ].map { Array($0.utf8) }

  /// Unix nanoseconds; nil where the text does not follow the directives to its end, or names a day
  /// that no calendar has. A local time that the clocks show twice is the earlier one.
  static func read(
    _ text: ArraySlice<UInt8>, _ directives: [TimeDirective], zone: TimeZoneRules?
  ) -> Int64? {
    var parts = CivilParts()
    var rest = text
    for directive in directives {
      guard take(directive, &rest, &parts) else { return nil }
    }
    guard rest.isEmpty else { return nil }
    let seconds: Int64
    if let unix = parts.unixSeconds {
      seconds = unix
    } else {
      guard let local = localSeconds(parts) else { return nil }
      if let offset = parts.offset {
        seconds = local - offset
      } else {
        seconds = zone.map { $0.isUTC ? local : $0.firstSecond(showing: local) } ?? local
      }
    }
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return nil }
    let (total, carried) = scaled.addingReportingOverflow(parts.nanoseconds)
    return carried ? nil : total
  }

  private static func localSeconds(_ parts: CivilParts) -> Int64? {
    var hour = parts.hour
    if let isAfternoon = parts.isAfternoon {
      guard (1...12).contains(hour) else { return nil }
      hour = hour % 12 + (isAfternoon ? 12 : 0)
    }
    guard hour <= 23, parts.minute <= 59, parts.second <= 60 else { return nil }
    let day: Int64
    if let ordinal = parts.dayOfYear {
      let length = days(parts.year + 1, 1, 1) - days(parts.year, 1, 1)
      guard (1...length).contains(ordinal) else { return nil }
      day = days(parts.year, 1, 1) + ordinal - 1
    } else {
      guard (1...12).contains(parts.month), parts.day >= 1 else { return nil }
      let next =
        parts.month == 12 ? days(parts.year + 1, 1, 1) : days(parts.year, parts.month + 1, 1)
      day = days(parts.year, parts.month, parts.day)
      guard day < next else { return nil }
    }
    return day * 86_400 + hour * 3600 + parts.minute * 60 + parts.second
  }

  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    Int64(CivilTime.days(year: Int(year), month: Int(month), day: Int(day)))
  }

  private static func take(
    _ directive: TimeDirective, _ rest: inout ArraySlice<UInt8>, _ parts: inout CivilParts
  ) -> Bool {
    func number(_ digits: ClosedRange<Int>) -> Int64? {
      let text = rest.prefix(digits.upperBound).prefix { $0 &- 48 <= 9 }
      guard text.count >= digits.lowerBound else { return nil }
      rest = rest.dropFirst(text.count)
      return text.reduce(0) { $0 * 10 + Int64($1 &- 48) }
    }
    func assign(_ target: WritableKeyPath<CivilParts, Int64>, _ digits: ClosedRange<Int>) -> Bool {
      guard let value = number(digits) else { return false }
      parts[keyPath: target] = value
      return true
    }
    switch directive {
    case .literal(let byte):
      return rest.popFirst() == byte
    case .blanks:
      rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
      return true
    case .year: return assign(\.year, 4...4)
    case .shortYear:
      // As POSIX has it: 69 to 99 are of the twentieth century.
      guard let value = number(2...2) else { return false }
      parts.year = value + (value >= 69 ? 1900 : 2000)
      return true
    case .month: return assign(\.month, 1...2)
    case .day:
      rest = rest.drop { $0 == 0x20 }
      return assign(\.day, 1...2)
    case .hour, .hour12: return assign(\.hour, 1...2)
    case .minute: return assign(\.minute, 1...2)
    case .second: return assign(\.second, 1...2)
    case .dayOfYear:
      parts.dayOfYear = number(1...3)
      return parts.dayOfYear != nil
    case .unixSeconds:
      parts.unixSeconds = number(1...11)
      return parts.unixSeconds != nil
    case .fraction:
      let digits = rest.prefix { $0 &- 48 <= 9 }
      guard !digits.isEmpty, let value = number(1...9) else { return false }
      // Digits beyond the ninth are finer than a nanosecond.
      rest = rest.drop { $0 &- 48 <= 9 }
      parts.nanoseconds = (min(digits.count, 9)..<9).reduce(value) { value, _ in value * 10 }
      return true
    case .monthName: return takeMonthName(&rest, &parts)
    case .half, .weekday, .zoneName, .offset: return takeWord(directive, &rest, &parts)
    }
  }

  private static func takeMonthName(
    _ rest: inout ArraySlice<UInt8>, _ parts: inout CivilParts
  ) -> Bool {
    let letters = rest.prefix { ($0 | 0x20) &- 97 < 26 }
    let start = letters.prefix(3).map { $0 | 0x20 }
    guard let month = months.firstIndex(of: start) else { return false }
    parts.month = Int64(month + 1)
    rest = rest.dropFirst(letters.count)
    return true
  }

  private static func takeWord(
    _ directive: TimeDirective, _ rest: inout ArraySlice<UInt8>, _ parts: inout CivilParts
  ) -> Bool {
    if directive == .offset { return takeOffset(&rest, &parts) }
    let letters = rest.prefix { ($0 | 0x20) &- 97 < 26 }
    let word = String(decoding: letters, as: UTF8.self).lowercased()
    rest = rest.dropFirst(letters.count)
    switch directive {
    case .half:
      guard word == "am" || word == "pm" else { return false }
      parts.isAfternoon = word == "pm"
      return true
    case .zoneName:
      // Other abbreviations mean different offsets in different places.
      guard ["utc", "gmt", "z"].contains(word) else { return false }
      parts.offset = 0
      return true
    default: return !word.isEmpty
    }
  }

  private static func takeOffset(
    _ rest: inout ArraySlice<UInt8>, _ parts: inout CivilParts
  ) -> Bool {
    guard let sign = rest.popFirst() else { return false }
    if sign | 0x20 == UInt8(ascii: "z") {
      parts.offset = 0
      return true
    }
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return false }
    var digits: [Int64] = []
    while digits.count < 4, let byte = rest.first {
      if byte == UInt8(ascii: ":"), digits.count == 2 {
        rest = rest.dropFirst()
        continue
      }
      guard byte &- 48 <= 9 else { break }
      digits.append(Int64(byte &- 48))
      rest = rest.dropFirst()
    }
    guard digits.count == 4 || digits.count == 2 else { return false }
    let hours = digits[0] * 10 + digits[1]
    let minutes = digits.count == 4 ? digits[2] * 10 + digits[3] : 0
    guard hours <= 23, minutes <= 59 else { return false }
    parts.offset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    return true
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? {
    indices.contains(index) ? self[index] : nil
  }
}
