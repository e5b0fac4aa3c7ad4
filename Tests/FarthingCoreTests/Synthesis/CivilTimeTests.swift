import Testing

@testable import FarthingCore

@Suite("Civil time of the synthetic stream")
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
}
