import FarthingCore
import FarthingQuery
import Testing

@testable import FarthingApp

@Suite("Renderers")
struct RendererTests {
  static let hour: Int64 = 3_600_000_000_000
  static let start: Int64 = 1_773_014_400_000_000_000

  static let byModel = Answer(
    columns: [
      .init("model"), .init("requests", .figure), .init("cost", .figure),
      .init("cost_per_1m_tokens", .figure), .init("cache_hit_rate", .figure),
      .init("latency_p95", .figure),
    ],
    rows: [
      [
        .text("atlas-mini"), .count(1_234_567), .money(12_345_678_901_234_567),
        .moneyRatio("1.234567890123"), .ratio(0.8342), .milliseconds(812.349),
      ],
      [
        .text("模型-大"), .count(3), .money(42), .moneyRatio("0.000014"), .ratio(0.000_01),
        .milliseconds(12_345.6),
      ],
      [.null, .count(0), .money(0), .null, .null, .null],
    ])

  static let byHour = Answer(
    columns: [.init("time", .bucket), .init("cost", .figure)],
    rows: [0, 1, 2, 4, 5, 6, 7].map { hours in
      [.time(start + hours * hour), .money(Int128(hours * hours) * 1_500_000_000_000)]
    })

  static let bySiteAndHour = Answer(
    columns: [.init("time", .bucket), .init("site"), .init("requests", .figure)],
    rows: (0..<12).flatMap { hours -> [[QueryValue]] in
      let time = QueryValue.time(start + Int64(hours) * hour)
      let fra: [QueryValue] = [time, .text("fra1"), .count(Int128(100 + hours * 10))]
      let sin: [QueryValue] = [time, .text("sin1"), .count(Int128((hours * 7) % 5))]
      return hours == 3 ? [fra] : [fra, sin]
    })

  static let hostile = Answer(
    columns: [.init("tags.=key"), .init("cost", .figure), .init("note")],
    rows: [
      [.text("=SUM(A1)"), .money(-1_500_000_000_000), .text("a \"quoted\", text")],
      [.text("-5"), .money(-1), .text("right\u{202E}left")],
      [.text("@home"), .null, .text("zero\u{200B}width é 👩‍💻")],
    ])

  /// A zone file of nothing but today's rule.
  static let centralEurope: [UInt8] = {
    let head =
      Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15 + 4 * 4) + [0, 0, 0, 1, 0, 0, 0, 4]
    let block: [UInt8] = [0, 0, 14, 16, 0, 0] + Array("CET\0".utf8)
    return head + block + head + block + Array("\nCET-1CEST,M3.5.0,M10.5.0/3\n".utf8)
  }()

  private func render(_ answer: Answer, _ format: OutputFormat, bucket: Int64? = nil) -> String {
    Renderer(format: format, page: Page(columns: 72), bucketWidth: bucket).text(answer)
  }

  @Test(arguments: OutputFormat.allCases)
  func `groups are written in every format`(format: OutputFormat) throws {
    try Golden.expect(render(Self.byModel, format), matches: "groups.\(format)")
  }

  @Test(arguments: OutputFormat.allCases)
  func `time buckets are written in every format`(format: OutputFormat) throws {
    try Golden.expect(render(Self.byHour, format, bucket: Self.hour), matches: "buckets.\(format)")
  }

  @Test(arguments: OutputFormat.allCases)
  func `several series are written in every format`(format: OutputFormat) throws {
    try Golden.expect(
      render(Self.bySiteAndHour, format, bucket: Self.hour), matches: "series.\(format)")
  }

  @Test(arguments: OutputFormat.allCases)
  func `times are in the zone that was asked for people and in UTC for programs`(
    format: OutputFormat
  ) throws {
    // Central Europe in the night of 25 October 2026, when 02:00 comes twice.
    let zone = try #require(TimeZoneRules(name: "Europe/Berlin", tzif: Self.centralEurope))
    let first: Int64 = 1_792_879_200_000_000_000
    func text(_ answer: Answer, _ width: Int64?) -> String {
      Renderer(format: format, page: Page(columns: 72), bucketWidth: width, zone: zone)
        .text(answer)
    }
    func answer(_ times: [Int64]) -> Answer {
      Answer(
        columns: [.init("time", .bucket), .init("requests", .figure)],
        rows: times.enumerated().map { [.time($1), .count(Int128($0 + 1))] })
    }
    let hours = answer((0..<6).map { first + $0 * Self.hour })
    // Local midnights: the second day has 25 hours.
    let days = answer([first - 24 * Self.hour, first, first + 25 * Self.hour])
    let instants = answer([first + 500_000_000])
    let shown =
      text(hours, Self.hour) + text(days, 24 * Self.hour) + text(instants, nil)
    try Golden.expect(shown, matches: "zone.\(format)")
    let utc = Renderer(format: format, page: Page(columns: 72), bucketWidth: Self.hour)
    if format == .json || format == .csv { #expect(text(hours, Self.hour) == utc.text(hours)) }
  }

  @Test(arguments: OutputFormat.allCases)
  func `hostile texts are written harmlessly in every format`(format: OutputFormat) throws {
    let text = render(Self.hostile, format)
    #expect(!text.unicodeScalars.contains { $0.isHostileToTerminals && $0 != "\n" })
    try Golden.expect(text, matches: "hostile.\(format)")
  }

  @Test(arguments: OutputFormat.allCases)
  func `an answer without rows is written in every format`(format: OutputFormat) throws {
    let empty = Answer(columns: Self.byModel.columns, rows: [])
    try Golden.expect(render(empty, format), matches: "empty.\(format)")
  }

  @Test func `colour is written only where the page has it`() {
    let plain = Renderer(format: .table, page: Page()).text(Self.byModel)
    let coloured = Renderer(format: .table, page: Page(hasColour: true)).text(Self.byModel)
    #expect(!plain.contains("\u{1B}"))
    #expect(coloured.contains("\u{1B}[1m"))
  }

  @Test func `a long answer comes in pieces that make up the whole`() {
    let rows = (0..<20_000).map { [QueryValue.text("row \($0)"), .count(Int128($0))] }
    let answer = Answer(columns: [.init("name"), .init("n", .figure)], rows: rows)
    let renderer = Renderer(format: .csv, page: Page())
    var pieces = 0
    var bytes: [UInt8] = []
    renderer.render(answer) {
      pieces += 1
      bytes += $0
    }
    #expect(pieces > 3)
    #expect(bytes.count(where: { $0 == UInt8(ascii: "\n") }) == 20_001)
  }
}

@Suite("Amounts as text")
struct AmountTextTests {
  @Test(arguments: [
    (Int128(0), "0"), (1, "0.000000000001"), (-1, "-0.000000000001"),
    (1_000_000_000_000, "1"), (1_500_000_000_000, "1.5"), (12_345_000_000_000_000, "12345"),
    (.max, "170141183460469231731687303.715884105727"),
    (.min, "-170141183460469231731687303.715884105728"),
  ])
  func `dollars are exact, without exponent or trailing zeros`(amount: Int128, text: String) {
    #expect(AmountText.exact(amount) == text)
    if amount != .min { #expect(AmountText.picodollars(of: text) == amount) }
  }

  @Test(arguments: [
    (Int128(12_345_678_901_234), 2, "$12.35"), (125_000_000_000, 2, "$0.12"),
    (135_000_000_000, 2, "$0.14"), (1, 2, "<$0.01"), (-1, 2, "<-$0.01"), (0, 2, "$0.00"),
    (-2_500_000_000_000, 1, "-$2.5"), (1_234_567_000_000_000_000, 0, "$1,234,567"),
  ])
  func `dollars for people are rounded half to even`(amount: Int128, digits: Int, text: String) {
    #expect(AmountText.readable(amount, fractionDigits: digits) == text)
  }

  @Test(arguments: ["", "-", ".", "1.2.3", "1e3", "0x1", "1.1234567890123"])
  func `what is no decimal is no amount`(text: String) {
    #expect(text == "." || AmountText.picodollars(of: text) == nil)
  }

  @Test func `writes a time into bytes as it writes it as text`() {
    var seed: UInt64 = 5
    var times: [Int64] = [
      .min, .min + 1, .max, .max - 1, 0, -1, 86_399_999_999_999, 86_400_000_000_000,
    ]
    for _ in 0..<500 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let time = Int64(bitPattern: seed)
      let step: Int64 = [1, 1000, 1_000_000, 1_000_000_000][Int(seed >> 33 & 3)]
      times += [
        time, time / 1_000_000_000 * 1_000_000_000 / step * step,
        1_772_000_000_000_000_000 + time % 200_000_000_000_000 / step * step,
      ]
    }
    var bytes = TimeBytes()
    for time in times + times.reversed() {
      var written: [UInt8] = []
      bytes.append(time, to: &written)
      #expect(String(decoding: written, as: UTF8.self) == TimeText.rfc3339(time))
    }
  }

  @Test func `writes numbers digit by digit as Swift writes them`() {
    for value in [
      0, 7, -7, 10, -10, 99, 100, 1_000_000, Int128(Int64.max), Int128(Int64.min),
      Int128(UInt64.max), .max, .min,
    ] {
      var written: [UInt8] = []
      DecimalBytes.append(value, to: &written)
      #expect(String(decoding: written, as: UTF8.self) == "\(value)")
    }
  }

  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
    (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
    (1_773_014_400_123_000_000, "2026-03-09T00:00:00.123Z"),
    (1_773_014_400_123_456_000, "2026-03-09T00:00:00.123456Z"),
    (.max, "2262-04-11T23:47:16.854775807Z"), (.min, "1677-09-21T00:12:43.145224192Z"),
  ])
  func `times are RFC 3339 in UTC`(time: Int64, text: String) {
    #expect(TimeText.rfc3339(time) == text)
  }

  @Test(arguments: [
    (0.0, "0"), (1, "1"), (0.1, "0.1"), (0.000_012, "1.2e-05"), (.infinity, "null"),
    (1e300, "1e+300"),
  ])
  func `numbers are JSON`(number: Double, text: String) {
    #expect(NumberText.json(number) == text)
  }

  @Test(arguments: [
    ("abc", 3), ("模型", 4), ("é", 1), ("e\u{301}", 1), ("👩‍💻", 2), ("❤️", 2), ("", 0),
  ])
  func `a text takes as many cells as it shows`(text: String, cells: Int) {
    #expect(text.displayWidth == cells)
  }
}
