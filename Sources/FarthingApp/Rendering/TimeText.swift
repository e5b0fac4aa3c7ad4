internal import FarthingCore
internal import FarthingQuery

/// Times as text, without a calendar library: only the proleptic Gregorian calendar in UTC,
/// and the offsets of the zones that people ask for.
package enum TimeText {
  static let nanosecondsPerDay: Int64 = 86_400_000_000_000

  /// RFC 3339 in UTC with as few of 0, 3, 6 or 9 fraction digits as the time needs.
  ///
  /// - Parameter nanoseconds: Unix nanoseconds, any signed 64-bit value.
  package static func rfc3339(_ nanoseconds: Int64) -> String {
    var text = ""
    text.reserveCapacity(30)
    append(nanoseconds, to: &text)
    return text
  }

  /// What the zone's clocks show, as if that were UTC, and how far that is from UTC: empty where the
  /// zone is UTC, and for times so far off that a local time has no 64 bits.
  private static func local(
    _ nanoseconds: Int64, in zone: TimeZoneRules
  ) -> (Int64, offset: String) {
    guard !zone.isUTC else { return (nanoseconds, "") }
    let (second, _) = floorDivide(nanoseconds, by: 1_000_000_000)
    let offset = Int64(zone.offset(at: second))
    let (local, overflow) = nanoseconds.addingReportingOverflow(offset * 1_000_000_000)
    guard !overflow else { return (nanoseconds, "") }
    let distance = abs(offset)
    var text = (offset < 0 ? "-" : "+") + padded(distance / 3600, 2)
    text += ":" + padded(distance / 60 % 60, 2)
    // Before standard time clocks went by the sun.
    if distance % 60 != 0 { text += ":" + padded(distance % 60, 2) }
    return (local, text)
  }

  private static func append(_ nanoseconds: Int64, to text: inout String) {
    let (day, rest) = floorDivide(nanoseconds, by: nanosecondsPerDay)
    let (year, month, date) = CivilTime.date(ofDay: day)
    let seconds = rest / 1_000_000_000
    let fraction = rest % 1_000_000_000
    text += padded(year, 4) + "-" + padded(month, 2) + "-" + padded(date, 2) + "T"
    text += padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":"
    text += padded(seconds % 60, 2)
    if fraction != 0 {
      if fraction % 1_000_000 == 0 {
        text += "." + padded(fraction / 1_000_000, 3)
      } else if fraction % 1000 == 0 {
        text += "." + padded(fraction / 1000, 6)
      } else {
        text += "." + padded(fraction, 9)
      }
    }
    text += "Z"
  }

  /// A bucket's start for people: as much of the time as a bucket of this width can differ in.
  ///
  /// - Parameters:
  ///   - width: The bucket's width in nanoseconds; whole days show the date alone.
  ///   - zone: Whose clocks show the time; but for UTC their distance from it stands behind.
  static func bucket(_ nanoseconds: Int64, width: Int64, in zone: TimeZoneRules = .utc) -> String {
    let (local, offset) = local(nanoseconds, in: zone)
    let text = rfc3339(local)
    let (_, rest) = floorDivide(local, by: nanosecondsPerDay)
    if width > 0, width % nanosecondsPerDay == 0, rest == 0 { return String(text.prefix(10)) }
    if width > 0, width % 60_000_000_000 == 0 {
      return text.prefix(10) + " " + text.dropFirst(11).prefix(5) + offset
    }
    return offset.isEmpty ? text : text.dropLast() + offset
  }

  private static func floorDivide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}
