import Testing

@testable import FarthingCore

@Suite("Civil time")
struct CivilTimeTests {
  @Test(arguments: [
    ("2026-03-02", "2026-03-02T00:00:00Z"),
    ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
    ("2026-03-02T01:30+02:00", "2026-03-01T23:30:00Z"),
    ("2026-12-31T23:30:05-01:00", "2027-01-01T00:30:05Z"),
    ("2000-02-29", "2000-02-29T00:00:00Z"),
  ])
  func `a time that is read is written the same, in UTC`(_ text: String, _ expected: String) {
    #expect(CivilTime.parse(text).map(CivilTime.text) == expected)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2026-00-10", "2026-02-29", "2026-04-31", "2026-03-02T", "9999-01-01",
    "2026-03-02T24:00Z", "2026-03-02T10:60Z", "2026-03-02T10:00", "2026-03-02T10:00Zx",
    "2026-03-02T10:00+25:00", "2026-3-2", "twelve",
  ])
  func `what is no time is refused`(_ text: String) {
    #expect(CivilTime.parse(text) == nil)
  }

  @Test(arguments: [
    ("90s", 90 * CivilTime.second), ("1h30m", 90 * CivilTime.minute), ("2d", 2 * CivilTime.day),
    ("1w", 7 * CivilTime.day), ("", nil), ("4", nil), ("h", nil), ("0h", nil), ("-1h", nil),
    ("99999999999999999999h", nil), ("9999w", nil),
  ])
  func `a length of time is a number and a unit`(_ text: String, _ expected: Int64?) {
    #expect(CivilTime.parseDuration(text) == expected)
  }

  @Test func `day numbers and dates are each other's inverse over a whole cycle and before year 0`()
  {
    // 400 years have every kind of year; each day follows the one before.
    var expected = (year: 1899, month: 12, day: 31)
    for number in CivilTime.days(
      year: 1899, month: 12, day: 31)..<CivilTime.days(
        year: 2300, month: 1, day: 1)
    {
      let date = CivilTime.date(ofDay: Int64(number))
      guard date == (Int64(expected.year), Int64(expected.month), Int64(expected.day)),
        CivilTime.days(year: expected.year, month: expected.month, day: expected.day) == number
      else {
        Issue.record("day \(number) is \(date), expected \(expected)")
        return
      }
      expected.day += 1
      if expected.day > CivilTime.length(ofMonth: expected.month, year: expected.year) {
        expected = (expected.year, expected.month + 1, 1)
        if expected.month == 13 { expected = (expected.year + 1, 1, 1) }
      }
    }
    for number in [-719_528, -719_529, -1_000_000, 10_000_000] {
      let date = CivilTime.date(ofDay: Int64(number))
      #expect(
        CivilTime.days(year: Int(date.year), month: Int(date.month), day: Int(date.day)) == number)
      #expect(CivilTime.year(ofDay: number) == Int(date.year))
    }
  }

  @Test func `seconds beyond 64 bits of nanoseconds become the bound`() {
    #expect(CivilTime.nanoseconds(seconds: 1, fraction: 5) == 1_000_000_005)
    #expect(CivilTime.nanoseconds(seconds: Int128(Int64.max)) == .max)
    #expect(CivilTime.nanoseconds(seconds: Int128(Int64.min)) == .min)
  }
}
