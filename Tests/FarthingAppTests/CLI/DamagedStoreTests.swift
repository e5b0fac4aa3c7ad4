import FarthingStore
import Foundation
import Testing

/// Three segments of forty requests; the middle one is going to be damaged.
@Suite("A store with a damaged segment")
struct DamagedStoreTests {
  private let folder: ScratchFolder
  private static let name = "segments/0000000002.seg"
  private static let query = [
    "query", "requests,cost,tokens,latency_p95", "--by", "model", "--output", "json",
  ]
  private static let events = [
    "events", "--columns", "time,id,model,site,task,input_tokens,cost", "--output", "json",
  ]
  private static let sql = [
    "sql", "SELECT model, count(*), sum_usd(cost), max(latency_ms) FROM requests GROUP BY model",
    "--output", "json",
  ]

  init() throws {
    folder = try ScratchFolder()
    try folder.write("cards.yaml", CommandLineTests.cards)
    for (place, name) in ["a", "b", "c"].enumerated() {
      let lines = (0..<40).map { number in
        """
        {"time":"2026-03-0\(place + 1)T10:00:\(10 + number)Z","id":"\(name)\(number)",\
        "model":"\(number % 3 == 0 ? "atlas" : "borealis")","provider":"acme","site":"s\(number % 4)",\
        "task":"t\(number / 2)","input_tokens":\(1000 + number * 7),"output_tokens":\(number * 11),\
        "latency_ms":\(100 + number * 13)}
        """
      }
      try folder.write("\(name).ndjson", lines.joined(separator: "\n"))
    }
    try fill("data", ["a", "b", "c"])
    try fill("rest", ["a", "c"])
  }

  private func fill(_ store: String, _ names: [String]) throws {
    let prices = try folder.farthing(
      "prices", "import", "cards.yaml", "--format", "yaml", "--data", store)
    #expect(prices.status == 0)
    for name in names {
      let run = try folder.farthing("ingest", "\(name).ndjson", "--data", store)
      #expect(run.output == "40 events accepted, 0 duplicates, 0 refused\n")
    }
  }

  private var segment: URL { folder.url.appending(path: "data/\(Self.name)") }

  private func run(_ words: [String], _ store: String = "data") throws -> CommandRun {
    try CommandRun(words + ["--data", store], in: folder.url)
  }

  /// The answer is that of a store without the segment, and says so.
  private func expectTheRest(_ words: [String], _ when: String) throws {
    let found = try run(words)
    #expect(found.output == (try run(words, "rest")).output, "\(when)")
    #expect(found.status == 1, "\(when)")
    let warnings = found.error.split(separator: "\n")
    #expect(warnings.count == 1, "\(when): \(found.error)")
    #expect(found.error.hasPrefix("farthing: warning: "), "\(when): \(found.error)")
    #expect(found.error.contains(Self.name), "\(when): \(found.error)")
    #expect(found.error.contains("answers lack its 40 request rows"), "\(when): \(found.error)")
  }

  @Test func `answers from the others and says what is missing`() throws {
    let whole = try Data(contentsOf: segment)
    try whole.prefix(whole.count / 2).write(to: segment)
    try expectTheRest(Self.query, "truncated")
    try expectTheRest(Self.events, "truncated")
    try FileManager.default.removeItem(at: segment)
    try expectTheRest(Self.query, "deleted")
    try expectTheRest(Self.events, "deleted")
    try Data().write(to: segment)
    try expectTheRest(Self.query, "emptied")
    try whole.write(to: segment)
    let healed = try run(Self.query)
    #expect(healed.error == "")
    #expect(healed.status == 0)
  }

  /// Whatever byte it is: the answer is whole, or it is that of the rest and says so.
  @Test(arguments: [Self.query, Self.events, Self.sql])
  func `never gives a wrong number for a flipped byte`(_ words: [String]) throws {
    let whole = try Array(Data(contentsOf: segment))
    let expected = try run(words)
    #expect(expected.status == 0)
    // The footer's offset is the first word of the last 32 bytes.
    let trailer = whole.count - 32
    let footer = (0..<8).reduce(0) { $0 | Int(whole[trailer + $1]) << ($1 * 8) }
    try #require(footer > 100 && footer < trailer)
    var found = 0
    for place in stride(from: 24, to: footer, by: max(1, footer / 20)) {
      var bytes = whole
      bytes[place] ^= 0x10
      try Data(bytes).write(to: segment)
      let answer = try run(words)
      if answer.status == 0 {
        #expect(answer.output == expected.output, "byte \(place)")
        #expect(answer.error == "", "byte \(place)")
      } else {
        found += 1
        try expectTheRest(words, "byte \(place)")
      }
    }
    #expect(found >= 4, "\(found)")
  }

  @Test func `answers by totals alone while they are intact`() throws {
    var bytes = try Array(Data(contentsOf: segment))
    bytes[40] ^= 1
    try Data(bytes).write(to: segment)
    let run = try run(["query", "requests", "--output", "csv"])
    #expect(run.output == "requests\n120\n")
    #expect(run.error == "")
    #expect(run.status == 0)
  }

  @Test func `takes events all the same`() throws {
    var bytes = try Array(Data(contentsOf: segment))
    for place in 40..<bytes.count / 2 { bytes[place] ^= 1 }
    try Data(bytes).write(to: segment)
    let ingest = try run(["ingest", "c.ndjson"])
    #expect(ingest.output == "0 events accepted, 40 duplicates, 0 refused\n")
    #expect(ingest.status == 0)
    #expect(ingest.error.hasPrefix("farthing: warning: segment \(Self.name)"))
    #expect(ingest.error.contains("events of it that come again are not known for duplicates"))
    try expectTheRest(Self.query, "after an ingest")
  }
}
