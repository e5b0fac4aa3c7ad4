import FarthingTestSupport
import Testing

@testable import FarthingCore

@Suite("Times of events")
struct EventTimeTests {
  private func read(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    var time = EventTime()
    return time.read(bytes.span, from: 0, to: bytes.count)
  }

  @Test func `times are read to the nanosecond, with any offset`() {
    let cases: [(String, Int64?)] = [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000000001Z", 1),
      ("1969-12-31T23:59:59.999999999Z", -1), ("2026-03-01T00:00:00Z", 1_772_323_200_000_000_000),
      ("2026-03-01t00:00:00z", 1_772_323_200_000_000_000),
      ("2026-03-01T05:30:00+05:30", 1_772_323_200_000_000_000),
      ("2026-02-28T19:00:00.5-05:00", 1_772_323_200_500_000_000),
      ("2026-03-01T00:00:00-00:00", 1_772_323_200_000_000_000),
      ("2000-02-29T00:00:00Z", 951_782_400_000_000_000), ("1900-02-29T00:00:00Z", nil),
      ("2024-02-29T23:59:59Z", 1_709_251_199_000_000_000),
      ("2262-04-11T23:47:16.854775807Z", .max), ("2262-04-11T23:47:16.854775808Z", .max),
      ("1677-09-21T00:12:43.145224192Z", .min), ("1677-09-21T00:12:43.145224191Z", .min),
      ("0000-01-01T00:00:00Z", .min), ("9999-12-31T23:59:59Z", .max),
    ]
    for (text, time) in cases { #expect(read(text) == time, "\(text)") }
  }

  @Test func `a leap second means the instant that follows, and stands only where one may`() {
    #expect(read("2016-12-31T23:59:60Z") == read("2017-01-01T00:00:00Z"))
    #expect(read("2015-06-30T23:59:60.5Z") == read("2015-07-01T00:00:00.5Z"))
    #expect(read("2017-01-01T00:59:60+01:00") == read("2017-01-01T00:00:00Z"))
    for text in [
      "2016-12-30T23:59:60Z", "2016-12-31T22:59:60Z", "2016-03-31T23:59:60Z",
      "2016-12-31T23:59:60+01:00", "2016-12-31T23:58:60Z",
    ] {
      #expect(read(text) == nil, "\(text)")
    }
  }

  @Test func `a time read after another does not depend on it`() {
    var time = EventTime()
    for text in ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-01x00:00:00Z"] {
      let bytes = Array(text.utf8)
      #expect(time.read(bytes.span, from: 0, to: bytes.count) == read(text))
    }
  }

  @Test func `every day of four centuries is one day after the day before`() {
    var days = EventTime.daysSinceEpoch(year: 1800, month: 1, day: 1)
    for year in Int64(1800)..<2200 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      for (month, length) in lengths.enumerated() {
        for day in [1, length] {
          let got = EventTime.daysSinceEpoch(year: year, month: Int64(month) + 1, day: day)
          #expect(got == days + day - 1)
        }
        days += length
      }
    }
  }
}

@Suite("Numbers of events")
struct EventNumberTests {
  /// What an event says that it cost, or why not.
  private func dollars(_ text: String, quoted: Bool = false) -> Money? {
    let value = quoted ? "\"\(text)\"" : text
    let batch = EventSamples.decode(EventSamples.request("\"reported_cost_usd\":\(value)"))
    if let event = batch.events.first { return event.money(.reportedCostUSD).map(Money.exact) }
    return batch.rejections.first?.expected.hasPrefix("at most 15") == true ? .tooLarge : nil
  }

  private enum Money: Equatable {
    case exact(Int128)
    case tooLarge
  }

  @Test func `money is exact to the picodollar and rounded half to even beyond`() {
    let cases: [(String, Money?)] = [
      ("0", .exact(0)), ("0e99", .exact(0)), ("1", .exact(1_000_000_000_000)),
      ("1.2e-05", .exact(12_000_000)), ("0.000000000001", .exact(1)),
      ("0.0000000000005", .exact(0)), ("0.00000000000050000000000000000001", .exact(1)),
      ("0.0000000000015", .exact(2)), ("0.0000000000025", .exact(2)), ("1e-13", .exact(0)),
      ("5e-13", .exact(0)), ("6e-13", .exact(1)), ("1e-999999999", .exact(0)),
      ("999999999999999", .exact(999_999_999_999_999_000_000_000_000)),
      ("999999999999999.999999999999", .exact(999_999_999_999_999_999_999_999_999)),
      ("999999999999999.9999999999995", .exact(1_000_000_000_000_000_000_000_000_000)),
      ("123456789012345.123456789012345678", .exact(123_456_789_012_345_123_456_789_012)),
      ("1000000000000000", .tooLarge), ("1e15", .tooLarge), ("0.1e16", .tooLarge),
      ("123456789012345678901234567890123456789", .tooLarge),
      ("1e14", .exact(100_000_000_000_000_000_000_000_000)),
      ("100000000000000000000e-20", .exact(1_000_000_000_000)),
      ("0.00000000000000000000000000000000000000001e41", .exact(1_000_000_000_000)),
      ("12345678901234567890123456789e-20", .exact(123_456_789_012_345_678_901)),
      ("", nil), ("-", nil), ("1.", nil), (".1", nil), ("01", nil), ("1e", nil), ("1_0", nil),
    ]
    for (text, money) in cases { #expect(dollars(text) == money, "\(text)") }
    for (text, money) in cases where !text.isEmpty && text != "01" {
      #expect(dollars(text, quoted: true) == money, "\(text)")
    }
    #expect(dollars("\\u0031.5", quoted: true) == .exact(1_500_000_000_000))
  }

  @Test func `random decimals agree with arithmetic on their digits`() {
    let seed: UInt64 = 20_260_301
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    for _ in 0..<2_000 {
      let whole = Int64.random(in: 0..<1_000_000_000, using: &random)
      let picodollars = Int64.random(in: 0..<1_000_000_000_000, using: &random)
      let digits = String(picodollars)
      let fraction = String(repeating: "0", count: 12 - digits.count) + digits
      let value = Int128(whole) * 1_000_000_000_000 + Int128(picodollars)
      #expect(dollars("\(whole).\(fraction)") == .exact(value))
      // The same written as an integer with an exponent.
      #expect(dollars("\(value)e-12") == .exact(value))
      let half = "\(whole).\(fraction)5"
      #expect(dollars(half) == .exact(value + (value % 2)))
    }
  }

  @Test func `durations are the nearest doubles`() throws {
    let seed: UInt64 = 7
    print("seed \(seed)")
    var random = SplitMix(seed: seed)
    var texts = [
      "0", "0.1", "1e22", "1e23", "1e-5", "123456789012345.6", "1234567890123456789012345",
      "0.30000000000000004", "179769313486231570000e288", "5e-324", "1e-400", "2.5E+3",
      "9007199254740993", String(repeating: "1", count: 900) + "e-890",
    ]
    for _ in 0..<1_000 {
      texts.append("\(Double.random(in: 0..<100_000, using: &random))")
      texts.append(
        "\(UInt32.random(in: 0...99_999, using: &random)).\(UInt16.random(in: 0...999, using: &random))"
      )
    }
    for text in texts {
      let batch = EventSamples.decode(EventSamples.request("\"latency_ms\":\(text)"))
      let event = try #require(batch.events.first, "\(text)")
      #expect(event.real(.latencyMs) == Double(text), "\(text)")
    }
  }
}
