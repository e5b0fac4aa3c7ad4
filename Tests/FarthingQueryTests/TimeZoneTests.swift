import FarthingQuery
import Foundation
import Testing

@Suite struct `Days of a time zone` {
  private static func zone(_ name: String) -> TimeZoneRules? {
    guard let bytes = try? Data(contentsOf: URL(filePath: "/usr/share/zoneinfo/" + name)) else {
      return nil
    }
    return TimeZoneRules(name: name, tzif: Array(bytes))
  }

  /// Foundation has its own reading of the zones.
  @Test(
    .enabled(if: zone("Europe/Berlin") != nil, "this machine has no zone files"),
    arguments: [
      "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
      "America/Sao_Paulo",
      "Pacific/Apia", "Asia/Beirut", "UTC",
    ])
  func `begin where Foundation says, for years to come`(name: String) throws {
    let zone = try #require(Self.zone(name))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: name))
    let buckets = TimeBuckets(width: try #require(BucketWidth("1d")), zone: zone)
    var day = Date(timeIntervalSince1970: 1_262_304_000)
    for _ in 0..<160 {
      day.addTimeInterval(86_400 * 61 + 3_600 * 5)
      let expected = calendar.startOfDay(for: day)
      let found = buckets.bucket(containing: Int64(day.timeIntervalSince1970) * 1_000_000_000)
      #expect(found.start == Int64(expected.timeIntervalSince1970) * 1_000_000_000)
    }
  }

  @Test(.enabled(if: zone("Europe/Berlin") != nil, "this machine has no zone files"))
  func `have 23 and 25 hours when the clocks change`() throws {
    let zone = try #require(Self.zone("Europe/Berlin"))
    let buckets = TimeBuckets(width: try #require(BucketWidth("1d")), zone: zone)
    func hours(_ text: String) -> Int64? {
      InstantParser.parse(text, now: 0, zone: zone).map { noon in
        let bucket = buckets.bucket(containing: noon)
        return (bucket.until - bucket.start) / 3_600_000_000_000
      }
    }
    #expect(hours("2026-03-29T12:00:00+02:00") == 23)
    #expect(hours("2026-10-25T12:00:00+01:00") == 25)
    #expect(hours("2026-06-01T12:00:00+02:00") == 24)
  }

  @Test(.enabled(if: zone("Europe/Berlin") != nil, "this machine has no zone files"))
  func `short ones begin where they begin when the clocks go back`() throws {
    let zone = try #require(Self.zone("Europe/Berlin"))
    let buckets = TimeBuckets(width: try #require(BucketWidth("45m")), zone: zone)
    // At 01:00Z the clocks go from 03:00 back to 02:00, within the slice from 02:15.
    let change = try #require(InstantParser.parse("2026-10-25T01:00:00Z", now: 0, zone: zone))
    let before = buckets.bucket(containing: change - 1)
    let after = buckets.bucket(containing: change)
    #expect(before.start == change - 45 * 60_000_000_000 && before.until == change)
    #expect(after.start == change && after.until == change + 15 * 60_000_000_000)
  }

  @Test func `refuse bytes that are no zone file`() {
    #expect(TimeZoneRules(name: "x", tzif: []) == nil)
    #expect(
      TimeZoneRules(name: "x", tzif: Array("TZif2".utf8) + [UInt8](repeating: 255, count: 90))
        == nil)
    #expect(TimeZoneRules.relativePath(of: "../etc/passwd") == nil)
    #expect(TimeZoneRules.relativePath(of: "Europe/Berlin") == "Europe/Berlin")
  }

  @Test func `weeks begin on Monday`() throws {
    let buckets = TimeBuckets(width: try #require(BucketWidth("1w")), zone: .utc)
    let sunday: Int64 = 1_772_323_200_000_000_000  // 2026-03-01
    #expect(buckets.bucket(containing: sunday).start == 1_771_804_800_000_000_000)
  }
}
