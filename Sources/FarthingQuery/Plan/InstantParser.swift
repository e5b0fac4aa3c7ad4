internal import FarthingCore

/// Reads the ways in which a query names an instant.
package enum InstantParser {
  /// What a user may write, for messages.
  package static let expectation =
    "an RFC 3339 time such as 2026-11-21T08:00:00Z, a date, or a time ago such as 24h or 7d"

  /// - Parameters:
  ///   - text: RFC 3339, a date (its 00:00 in `zone`), a span before `now` (`90s`, `5m`, `24h`,
  ///     `7d`, `2w`) or `now`.
  ///   - now: Unix nanoseconds.
  /// - Returns: Unix nanoseconds; nil where it is none of these.
  package static func parse(_ text: String, now: Int64, zone: TimeZoneRules) -> Int64? {
    let trimmed = text.trimmingSpaces()
    if trimmed == "now" { return now }
    if let span = BucketWidth(trimmed) {
      let seconds = Int128(span.count) * Int128(span.unit.seconds)
      return Int64(clamping: Int128(now) - seconds * Int128(CivilTime.second))
    }
    var scanner = DigitScanner(trimmed)
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2),
      scanner.take("-"), let day = scanner.number(2), (1...12).contains(month), day >= 1,
      day <= CivilTime.length(ofMonth: month, year: year)
    else { return nil }
    let days = CivilTime.days(year: year, month: month, day: day)
    if scanner.isAtEnd { return zone.startOfDay(Int64(days)) }
    guard scanner.take("T") || scanner.take("t") || scanner.take(" ") else { return nil }
    return clock(&scanner, days: days)
  }

  private static func clock(_ scanner: inout DigitScanner, days: Int) -> Int64? {
    guard let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2),
      scanner.take(":"), let second = scanner.number(2), hour < 24, minute < 60, second <= 60
    else { return nil }
    var fraction: Int64 = 0
    if scanner.take(".") {
      guard let read = scanner.fraction() else { return nil }
      fraction = read
    }
    var offset = 0
    if !scanner.take("Z") && !scanner.take("z") {
      let isWest = scanner.take("-")
      guard isWest || scanner.take("+"), let hours = scanner.number(2), scanner.take(":"),
        let minutes = scanner.number(2), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 3_600 + minutes * 60) * (isWest ? -1 : 1)
    }
    guard scanner.isAtEnd else { return nil }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    return CivilTime.nanoseconds(seconds: Int128(seconds), fraction: fraction)
  }
}

/// Takes fixed runs of digits and single characters from the front of a text.
struct DigitScanner {
  private var rest: ArraySlice<UInt8>

  init(_ text: String) { rest = Array(text.utf8)[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Character) -> Bool {
    guard let byte = character.asciiValue, rest.first == byte else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// Exactly `count` digits.
  mutating func number(_ count: Int) -> Int? {
    guard rest.count >= count else { return nil }
    var value = 0
    for byte in rest.prefix(count) {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    rest = rest.dropFirst(count)
    return value
  }

  /// One to nine digits after a point, as nanoseconds.
  mutating func fraction() -> Int64? {
    var value: Int64 = 0
    var digits = 0
    while let byte = rest.first, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      if digits == 9 { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
      digits += 1
      rest = rest.dropFirst()
    }
    if digits == 0 { return nil }
    for _ in digits..<9 { value *= 10 }
    return value
  }
}

extension String {
  /// Without spaces at its ends.
  func trimmingSpaces() -> String {
    var slice = self[...]
    while slice.first?.isWhitespace == true { slice = slice.dropFirst() }
    while slice.last?.isWhitespace == true { slice = slice.dropLast() }
    return String(slice)
  }
}
