import FarthingCore
import FarthingPipeline
import FarthingQuery
import FarthingStore
import FarthingTestSupport
import Foundation
import Testing

@testable import FarthingApp

@Suite("farthing store")
struct StoreCommandTests {
  private let folder: ScratchFolder
  private static let query = [
    "query", "requests,cost,tokens,cost_per_successful_task", "--by", "model", "--output", "json",
  ]

  init() throws {
    folder = try ScratchFolder()
    try folder.write("cards.yaml", CommandLineTests.cards)
    for (place, name) in ["a", "b"].enumerated() {
      var lines = (0..<30).map { number in
        """
        {"time":"2026-0\(place + 1)-01T10:00:\(10 + number)Z","id":"\(name)\(number)",\
        "model":"\(number % 3 == 0 ? "atlas" : "borealis")","provider":"acme","task":"t\(number / 2)",\
        "input_tokens":\(1000 + number * 7),"output_tokens":\(number * 11)}
        """
      }
      lines.append(
        #"{"type":"outcome","time":"2026-02-02T00:00:00Z","id":"o\#(name)","task":"t1","outcome":"success"}"#
      )
      try folder.write("\(name).ndjson", lines.joined(separator: "\n"))
    }
    _ = try folder.farthing("prices", "import", "cards.yaml", "--format", "yaml")
    for name in ["a", "b"] { _ = try folder.farthing("ingest", "\(name).ndjson") }
  }

  private func run(_ words: String...) throws -> CommandRun {
    try CommandRun(words, in: folder.url)
  }

  @Test func `backs up, restores, verifies and sets aside`() throws {
    let whole = try CommandRun(Self.query, in: folder.url)
    let intact = try run("store", "verify")
    #expect(intact.status == 0 && intact.output == "", "\(intact.error)")
    #expect(intact.error.hasPrefix("farthing: the store is intact: 5 files of "))
    #expect(intact.error.hasSuffix(", 62 events\n"))

    let backup = try run("store", "backup", "copy", "--output", "json")
    #expect(backup.status == 0 && backup.output.contains(#""sealed_events":62"#))
    let refused = try run("store", "restore", "copy")
    #expect(refused.status == 1)
    #expect(refused.error.contains("data is not empty: it holds catalog.sqlite"))
    let restored = try run("store", "restore", "copy", "--data", "second")
    #expect(restored.status == 0, "\(restored.error)")
    #expect(
      try CommandRun(Self.query + ["--data", "second"], in: folder.url).output == whole.output)
    #expect(
      try run("ingest", "a.ndjson", "--data", "second").output
        == "0 events accepted, 31 duplicates, 0 refused\n")

    let segment = folder.url.appending(path: "second/segments/0000000001.seg")
    var bytes = try Array(Data(contentsOf: segment))
    bytes[40] ^= 1
    try Data(bytes).write(to: segment)
    let damaged = try run("store", "verify", "--data", "second")
    #expect(damaged.status == 1)
    #expect(damaged.output.hasPrefix("segments/0000000001.seg: segment "))
    #expect(damaged.output.contains("; 30 rows lost; restore it from a backup"))
    let aside = try run("store", "verify", "--set-aside", "--data", "second")
    #expect(aside.status == 1 && aside.error.contains("was set aside on "))
    let rest = try CommandRun(Self.query + ["--data", "second"], in: folder.url)
    #expect(rest.status == 0 && rest.error.contains("30 request rows are in no answer"))
    let settled = try run("store", "verify", "--data", "second", "--output", "csv")
    #expect(settled.status == 0 && settled.output.contains("\nrecorded,segments/0000000001.seg,"))
  }

  @Test func `drops by the configuration and says so ever after`() async throws {
    // A store of long ago, with a request of that time and one of later.
    let year: Int64 = 365 * 86_400_000_000_000
    let old = arrival - 6 * year
    let writer = try StoreWriter(
      directory: folder.url.appending(path: "old").path, now: old, randomBytes: testKey)
    for time in ["2020-05-05T00:00:00Z", "2020-06-05T00:00:00Z"] {
      let event = #"{"time":"\#(time)","id":"\#(time)","model":"m","input_tokens":10}"#
      _ = try await writer.append(
        Batches.charge(event), receivedTime: old, durability: .segment)
      try await writer.flush()
    }
    try await writer.close()
    try folder.write("farthing.yaml", "retention_days: 365\n")
    // Any command that writes.
    let ingest = try run("ingest", "a.ndjson", "--data", "old", "--config", "farthing.yaml")
    #expect(ingest.status == 0)
    #expect(
      ingest.error.hasPrefix(
        "farthing: retention dropped 2 events up to 2020-06-05T00:00:00Z in 1 segment, "),
      "\(ingest.error)")
    let all = try run("query", "requests", "--data", "old", "--output", "csv")
    #expect(all.status == 0 && all.output == "requests\n30\n")
    #expect(
      all.error.hasPrefix(
        "farthing: warning: events before 2020-06-05T00:00:00.000000001Z were dropped by retention")
    )
    let later = try run("query", "requests", "--data", "old", "--since", "2021-01-01")
    #expect(later.error == "")
    let info = try run("store", "info", "--data", "old", "--output", "json")
    #expect(info.output.contains(#""requests":2,"outcomes":0,"capacity":0,"segments":1"#))
    #expect(try run("store", "verify", "--data", "old").status == 0)

    // All arrived just now, so nothing may go yet.
    try folder.write("farthing.yaml", "retention_days: 30\n")
    let dry = try run("store", "expire", "--dry-run", "--config", "farthing.yaml")
    #expect(dry.status == 0)
    #expect(dry.error.contains("nothing is past the retention"))
    #expect(dry.error.contains("past the retention arrived within seven days"))
    let nothing = try run("store", "expire")
    #expect(nothing.status == 2 && nothing.error.contains("everything is kept"))
    let wrong = try run("store", "expire", "--retention-days", "-1")
    #expect(wrong.status == 2)
    try folder.write("farthing.yaml", "retention_days: ten\nretention_gib: -1\n")
    let bad = try run("store", "info", "--config", "farthing.yaml")
    #expect(bad.status == 2)
    #expect(
      bad.error.contains(
        #"retention_days "ten": expected a whole number from 0 (keep all) to 100000"#))
    #expect(bad.error.contains(#"retention_gib "-1""#))
  }

  @Test func `verifies and mends a backup`() throws {
    #expect(try run("store", "backup", "copy").status == 0)
    let intact = try run("store", "verify", "--data", "copy")
    #expect(intact.status == 0 && intact.output == "")
    #expect(intact.error.hasPrefix("farthing: the backup is intact: "), "\(intact.error)")
    let path = folder.url.appending(path: "copy/files/0000000001.seg")
    var bytes = try Array(Data(contentsOf: path))
    for place in 40..<48 { bytes[place] ^= 0x55 }
    try Data(bytes).write(to: path)
    let rotten = try run("store", "verify", "--data", "copy")
    #expect(rotten.status == 1)
    #expect(
      rotten.output.hasPrefix("files/0000000001.seg: the copy of segments/0000000001.seg is not"))
    #expect(rotten.error.hasPrefix("farthing: the backup is damaged: 1 fault in "))
    #expect(try run("store", "verify", "--set-aside", "--data", "copy").status == 2)

    // A restore of it fails, and what it leaves passes for no store.
    #expect(try run("store", "restore", "copy", "--data", "part").status == 1)
    for words in [
      ["query", "requests"], ["ingest", "a.ndjson"], ["store", "info"], ["store", "verify"],
      ["store", "expire", "--retention-days", "9"], ["store", "compact"], ["sql", "select 1"],
    ] {
      let run = try CommandRun(words + ["--data", "part"], in: folder.url)
      #expect(run.status == 1, "\(words): \(run.error)")
      #expect(run.error.contains("restore into it was not finished"), "\(words): \(run.error)")
    }
    let mended = try run("store", "backup", "copy", "--output", "json")
    #expect(mended.status == 0 && mended.output.contains(#""mended_files":1"#))
    #expect(
      mended.error.contains("1 copy in copy had been damaged or lost and was made anew"),
      "\(mended.error)")
    #expect(try run("store", "verify", "--data", "copy").status == 0)
    #expect(try run("store", "restore", "copy", "--data", "part").status == 0)
    #expect(try run("store", "verify", "--data", "part").status == 0)
    let file = try run("store", "backup", "cards.yaml")
    #expect(file.status == 1 && file.error.contains("cards.yaml is no folder"), "\(file.error)")
  }

  @Test func `names what retention keeps past the age`() async throws {
    let year: Int64 = 365 * 86_400_000_000_000
    let writer = try StoreWriter(
      directory: folder.url.appending(path: "mixed").path, now: arrival - 6 * year,
      randomBytes: testKey)
    // A segment of six hours, in whose midst the retention ends.
    let hour: Int64 = 3_600_000_000_000
    let end = HostProcess.now() - 90 * 24 * hour
    let times = [end - 3 * hour, end + 3 * hour].map { TimeText.rfc3339($0) }
    for time in times {
      let event = #"{"time":"\#(time)","id":"\#(time)","model":"m","input_tokens":10}"#
      _ = try await writer.append(
        Batches.charge(event), receivedTime: arrival - 6 * year, durability: .segment)
    }
    try await writer.close()
    let dry = try run("store", "expire", "--retention-days", "90", "--dry-run", "--data", "mixed")
    #expect(dry.status == 0)
    #expect(
      dry.error.contains(
        "segments/0000000001.seg (2 request events) keeps events past the retention, from "
          + "\(times[0]) on, with younger ones up to \(times[1]); segments go as a whole, this one "
          + "from "), "\(dry.error)")
  }

  /// Runs the command where no file may grow, as on a full disk.
  private func runOnFullDisk(_ words: String) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c",
      "(trap '' XFSZ; ulimit -f 0; \"$0\" \(words); echo \"status $?\") 2>&1 | cat > full.txt",
      CommandRun.binary.path,
    ]
    process.currentDirectoryURL = folder.url
    try process.run()
    process.waitUntilExit()
    return try String(contentsOf: folder.url.appending(path: "full.txt"), encoding: .utf8)
  }

  @Test func `reads on a full disk, or says that it is full`() throws {
    let words = "query requests --output csv --data data"
    // A full disk lets SQLite make the index's first bytes and not the rest.
    let index = folder.url.appending(path: "data/catalog.sqlite-shm")
    try Data(repeating: 0, count: 3).write(to: index)
    let answer = try runOnFullDisk(words)
    #expect(answer == "requests\n60\nstatus 0\n", "\(answer)")
    // What only the catalogue's own log has, cannot be read without its index.
    let log = folder.url.appending(path: "data/catalog.sqlite-wal")
    try Data(repeating: 1, count: 4096).write(to: log)
    try Data(repeating: 0, count: 3).write(to: index)
    let refused = try runOnFullDisk(words)
    #expect(refused.contains("most likely no space is left there: free some"), "\(refused)")
    #expect(refused.hasSuffix("status 1\n"), "\(refused)")
    let doctor = try runOnFullDisk("doctor --data data")
    #expect(doctor.contains("nothing that is stored is damaged by this"), "\(doctor)")
    #expect(!doctor.contains("says what is damaged"), "\(doctor)")
  }

  @Test func `merges down to two and answers the same`() throws {
    let whole = try CommandRun(Self.query, in: folder.url)
    let run = try run("store", "compact", "--output", "csv")
    #expect(run.status == 0, "\(run.error)")
    #expect(run.output.contains("\nrequest,60,2,1,"))
    #expect(run.error.hasPrefix("farthing: 4 segments merged; "))
    #expect(try CommandRun(Self.query, in: folder.url).output == whole.output)
    #expect(try self.run("store", "compact").error.contains("nothing to merge"))
  }

  @Test func `refuses what is no store, and charts`() throws {
    for words in [["info"], ["verify"], ["compact"], ["expire", "--retention-days", "1"]] {
      let run = try CommandRun(["store"] + words + ["--data", "none"], in: folder.url)
      #expect(run.status == 1, "\(words): \(run.error)")
      #expect(run.error.contains("none holds no store"), "\(words): \(run.error)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "none").path))
    #expect(try run("store", "info", "--output", "chart").status == 2)
    let none = try run("store", "restore", "none", "--data", "third")
    #expect(none.error.contains("none holds no backup"))
    #expect(try run("store", "backup", "data/inside").error.contains("in the data folder itself"))
  }

  @Test func `tells what a store holds`() async throws {
    let directory = folder.url.appending(path: "survey").path
    let writer = try StoreWriter(directory: directory, now: arrival, randomBytes: testKey)
    _ = try await writer.append(
      Batches.make(0..<40), receivedTime: arrival, durability: .segment)
    try await writer.flush()
    try await writer.addPriceList(
      name: "own.yaml", format: "yaml", validFrom: nil, importedAt: arrival, bytes: [1, 2])
    _ = try await writer.append(
      Batches.make(40..<44), receivedTime: arrival + 1, durability: .log)
    let survey = try StoreSurvey(directory: directory, now: arrival)
    await writer.abandon()
    var settings = Settings(dataFolder: "/var/lib/farthing")
    settings.retention = Retention(age: 90 * 86_400_000_000_000, byteLimit: 5 << 30)
    let answer = StoreInfoText.answer(survey, settings)
    let json = answer.text(.json, page: Page())
    for part in [
      #"{"store":["#, #""folder":"/var/lib/farthing","events":55,"events_not_sealed":5,"#,
      #""log_files":1,"#, #""id_window_days":7,"events_in_id_window":55,"#,
      #""retention_days":90,"retention_bytes":5368709120}"#,
      #"{"type":"request","events":44,"not_sealed":4,"#,
      #"{"type":"outcome","events":11,"not_sealed":1,"#,
      #"{"list":"own.yaml","format":"yaml","from":null,"imported":"2026-11-21T00:00:00Z","bytes":2}"#,
      #""damage":[]"#,
    ] { #expect(json.contains(part), "\(part) in \(json)") }
    let columns = try #require(answer.sections.first { $0.name == "columns" }).answer
    #expect(columns.rows.contains { $0[1] == .text("time") })
    let csv = answer.text(.csv, page: Page())
    #expect(csv.hasPrefix("section,row,column,value\nstore,1,folder,/var/lib/farthing\n"))
    let table = answer.text(.table, page: Page())
    #expect(table.hasPrefix("STORE\nwhat "))
    #expect(table.contains("\n\nPRICE_LISTS\n") && !table.contains("DAMAGE"))
  }
}
