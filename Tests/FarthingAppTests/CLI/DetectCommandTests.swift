import Foundation
import Testing

@testable import FarthingApp

@Suite("farthing detect")
struct DetectCommandTests {
  private static func series(_ rows: Int) -> String {
    (0..<rows).map { row in
      let value = row == rows - 10 ? 50 : Double(row * 7 % 5) / 4
      let minute = row * 5
      let day = 1 + minute / 1440
      return String(
        format: "2026-01-%02d %02d:%02d:00,%g\n", day, minute / 60 % 24, minute % 60, value)
    }.joined()
  }

  @Test func `prints each row with a score, the first rows the same however many follow`() throws {
    let folder = try ScratchFolder()
    try folder.write("s.csv", "timestamp,value\n" + Self.series(400))
    let run = try folder.farthing("detect", "s.csv")
    #expect(run.status == 0)
    #expect(run.error.isEmpty)
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 401)
    #expect(lines[0] == "timestamp,value,anomaly_score")
    #expect(lines[1] == "2026-01-01 00:00:00,0,0")
    let scores = try lines.dropFirst().map { line in
      try #require(Double(line.split(separator: ",")[2]))
    }
    #expect(scores.allSatisfy { (0...1).contains($0) })
    #expect(scores.firstIndex(of: try #require(scores.max())) == 390)
    #expect(scores[390] > 0.5)
    let half = try folder.farthing(
      "detect", "-",
      input: "timestamp,value\n"
        + Self.series(400).split(separator: "\n")
        .prefix(200).joined(separator: "\n"))
    #expect(half.output.split(separator: "\n") == Array(lines[..<201]))
  }

  @Test func `reads gzip, byte order marks, quotes and line ends of any kind`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      "s.csv",
      "\u{FEFF}value,note,\"Timestamp\"\r\n1,a,2026-01-01T00:00:00Z\r\n\r\n2,\"x\ny\",1767225900\r\n"
    )
    let run = try folder.farthing("detect", "s.csv")
    #expect(run.error.isEmpty)
    #expect(
      run.output.hasPrefix(
        "timestamp,value,anomaly_score\n2026-01-01T00:00:00Z,1,0\n1767225900,2,0"))
    #expect(run.output.split(separator: "\n").count == 3)
    // gzip -n of "timestamp,value\n0,1\n".
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "printf 'timestamp,value\\n0,1\\n' | gzip -n > s.gz"]
    process.currentDirectoryURL = folder.url
    try process.run()
    process.waitUntilExit()
    #expect(
      try folder.farthing("detect", "s.gz").output == "timestamp,value,anomaly_score\n0,1,0\n")
  }

  @Test func `what is missing scores nothing, and what cannot be read is named by its line`() throws
  {
    let folder = try ScratchFolder()
    try folder.write(
      "s.csv", "timestamp,value\n0,1\n300,\n600,NaN\nsoon,2\n900,abc\n1200\n1500,1\n")
    let run = try folder.farthing("detect", "s.csv")
    #expect(run.status == 0)
    let rows = run.output.split(separator: "\n").dropFirst()
    #expect(
      rows.map { $0.prefix { $0 != "," } } == ["0", "300", "600", "soon", "900", "1200", "1500"])
    #expect(rows[2] == "300,,0")
    #expect(rows[3] == "600,,0")
    #expect(
      run.error == """
        farthing: s.csv line 5: "soon" is no time; the row counts by its order alone
        farthing: s.csv line 6: "abc" is no number; taken as missing
        farthing: s.csv line 7: the row has no value; taken as missing

        """)
    #expect(try folder.farthing("detect", "--strict", "s.csv").status == 1)
  }

  @Test func `of many faults ten are told and the rest counted`() throws {
    let folder = try ScratchFolder()
    let run = try folder.farthing(
      "detect", "-", input: "timestamp,value\n" + String(repeating: "0,x\n", count: 25))
    #expect(run.error.split(separator: "\n").count == 11)
    #expect(run.error.hasSuffix("farthing: 15 more rows of standard input like these\n"))
  }

  @Test(arguments: ["", "timestamp,value\n", "timestamp,value", "\n\n"])
  func `an input without rows has a header and no rows`(input: String) throws {
    let folder = try ScratchFolder()
    let run = try folder.farthing("detect", "-", input: input)
    #expect(run.status == 0)
    #expect(run.output == "timestamp,value,anomaly_score\n")
    let json = try folder.farthing("detect", "--output", "json", "-", input: input)
    #expect(json.output == "[]\n")
  }

  @Test func `columns of other names are asked for, or are the only two`() throws {
    let folder = try ScratchFolder()
    try folder.write("c.csv", "time,requests,cost_usd\n2026-01-01,3,0.5\n")
    let refused = try folder.farthing("detect", "c.csv")
    #expect(refused.status == 1)
    #expect(
      refused.error == """
        farthing: c.csv line 1: expected a header with the columns timestamp and value, found "time", "requests", "cost_usd"; \
        --timestamp-column and --value-column name others

        """)
    let asked = try folder.farthing(
      "detect", "--timestamp-column", "time", "--value-column", "cost_usd", "c.csv")
    #expect(asked.output == "timestamp,value,anomaly_score\n2026-01-01,0.5,0\n")
    let wrong = try folder.farthing(
      "detect", "--timestamp-column", "time", "--value-column", "usd", "c.csv")
    #expect(wrong.error.contains("line 1: no column \"usd\"; the header has \"time\""))
    let two = try folder.farthing("detect", "-", input: "when,what\n5,1\n")
    #expect(two.output == "timestamp,value,anomaly_score\n5,1,0\n")
    let none = try folder.farthing("detect", "-", input: "5,1\n6,1\n")
    #expect(none.output == "timestamp,value,anomaly_score\n5,1,0\n6,1,0\n")
  }

  @Test func `what is no text is refused, and what is cut short ends with what it had`() throws {
    let folder = try ScratchFolder()
    try folder.write("s.bin", bytes: [0x89, 0x50, 0x2C, 0x00, 0x01, 0x0A, 0xFF, 0x2C, 0x31])
    let refused = try folder.farthing("detect", "s.bin")
    #expect(refused.status == 1)
    #expect(refused.error.contains("s.bin line 1: expected a header"))
    try folder.write("cut.gz", bytes: [0x1F, 0x8B, 0x08, 0x00, 0x00])
    let cut = try folder.farthing("detect", "cut.gz")
    #expect(cut.status == 1)
    #expect(cut.error.contains("gzip"))
  }

  @Test func `JSON has the same rows, and explanations say which view saw it`() throws {
    let folder = try ScratchFolder()
    try folder.write("s.csv", "timestamp,value\n" + Self.series(400))
    let run = try folder.farthing("detect", "--output", "json", "--alarms", "--explain", "s.csv")
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
    let alarm = try #require(rows.last)
    #expect(alarm["timestamp"] as? String == "2026-01-02 08:30:00")
    #expect(alarm["value"] as? Double == 50)
    #expect(alarm["alarm"] as? Bool == true)
    #expect((alarm["anomaly_score"] as? Double ?? 0) >= 0.5)
    #expect(alarm["nearest"] as? Double == 1)
    let csv = try folder.farthing("detect", "--explain", "s.csv")
    #expect(
      csv.output.hasPrefix("timestamp,value,anomaly_score,alarm,novelty,view,nearest\n"))
  }

  @Test func `wrong words are wrong usage`() throws {
    let folder = try ScratchFolder()
    try folder.write("s.csv", "timestamp,value\n0,1\n")
    #expect(try folder.farthing("detect", "--output", "chart", "s.csv").status == 2)
    #expect(try folder.farthing("detect", "--threshold", "2", "s.csv").status == 2)
    let missing = try folder.farthing("detect", "absent.csv")
    #expect(missing.status == 1)
    #expect(missing.error.contains("absent.csv"))
  }

  @Test(arguments: [
    ("2026-01-05T10:20:30Z", 1_767_608_430_000_000_000),
    ("2026-01-05 10:20:30", 1_767_608_430_000_000_000),
    ("2026-01-05T12:20:30+02:00", 1_767_608_430_000_000_000),
    ("2026/1/5 10:20", 1_767_608_400_000_000_000),
    ("2026-01-05 10:20:30.25", 1_767_608_430_250_000_000),
    ("2026-01-05", 1_767_571_200_000_000_000),
    ("2026-01-05 10:20:30 UTC", 1_767_608_430_000_000_000),
    ("1767608430", 1_767_608_430_000_000_000),
    ("1767608430.5", 1_767_608_430_500_000_000), ("1767608430000", 1_767_608_430_000_000_000),
    ("1767608430000000", 1_767_608_430_000_000_000),
    ("1767608430000000000", 1_767_608_430_000_000_000),
    (" 1.767608430e9 ", 1_767_608_430_000_000_000), ("-1", -1_000_000_000),
  ])
  func `times of many forms are read`(text: String, time: Int64) {
    #expect(SeriesTime.parse(Array(text.utf8)[...]) == time)
  }

  @Test(arguments: [
    "", "soon", "2026-13-01", "2026-02-30", "2026-01-05T25:00:00Z", "2026-01-05T10", "nan", "inf",
    "2026-01-05T10:20:30+99:00", "2026-01-05x", "0x10", "1e300", "9999-01-01", "--",
    "2026-01-05T10:20:30.", "2026-", "1234-6",
  ])
  func `what is no time is told`(text: String) {
    #expect(SeriesTime.parse(Array(text.utf8)[...]) == nil)
  }
}
