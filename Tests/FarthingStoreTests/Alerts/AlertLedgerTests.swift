import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite("The ledger of alerts")
struct AlertLedgerTests {
  private func row(_ id: String, status: String = "firing", at: Int64 = 1) -> AlertRow {
    AlertRow(
      id: id, kind: "spend_spike", severity: "warning", status: status, startedAt: at,
      resolvedAt: nil, changedAt: at, body: Array("{}".utf8))
  }

  private func step(_ id: String, at: Int64 = 1) -> TransitionRow {
    TransitionRow(
      alert: id, at: at, from: nil, to: "firing", cause: "detector", note: nil, evidence: [1])
  }

  @Test func `all of a change is kept, and a second time changes nothing`() throws {
    let folder = try TemporaryDirectory()
    var change = LedgerChange()
    change.alerts = [row("a"), row("b", status: "resolved", at: 2)]
    change.transitions = [step("a")]
    change.silences = [
      SilenceRow(
        id: "s", matchers: "kind=\"x\"", startsAt: 1, endsAt: 5, author: "p", comment: "",
        createdAt: 1)
    ]
    change.groups = [GroupRow(receiver: "ops", key: "", body: [2])]
    change.messages = [
      MessageRow(
        id: "m", receiver: "ops", group: "g", createdAt: 1, attempts: 0, dueAt: 1, body: [3])
    ]
    change.receipts = [
      ReceiptRow(message: "m", receiver: "ops", at: 1, attempt: 1, result: "failed", detail: nil)
    ]
    change.blobs = ["engine": [9]]
    do {
      let ledger = try AlertLedger(directory: folder.path)
      try ledger.commit(change)
      try ledger.commit(change)
    }
    let ledger = try AlertLedger(directory: folder.path)
    let reader = ledger.reader
    #expect(try reader.alerts() == change.alerts)
    #expect(try reader.alerts(AlertSelection(statuses: ["firing"])) == [row("a")])
    #expect(try reader.alerts(AlertSelection(since: 2)).map(\.id) == ["b"])
    #expect(try reader.transitions(of: "a") == change.transitions)
    #expect(try reader.silences(endingAfter: 4) == change.silences)
    #expect(try reader.silences(endingAfter: 5).isEmpty)
    #expect(try reader.groups() == change.groups)
    #expect(try reader.messages() == change.messages)
    #expect(try reader.receipts(limit: 5) == change.receipts)
    #expect(try reader.blob("engine") == [9])
    #expect(try reader.alertIDs(prefix: "a", limit: 3) == ["a"])
  }

  @Test func `attempts are noted, and what is done with goes`() throws {
    let folder = try TemporaryDirectory()
    let ledger = try AlertLedger(directory: folder.path)
    var change = LedgerChange()
    change.messages = [
      MessageRow(
        id: "m", receiver: "ops", group: "g", createdAt: 1, attempts: 0, dueAt: 1, body: [3])
    ]
    change.alerts = [row("a"), row("b", status: "resolved")]
    change.transitions = [step("a"), step("b")]
    try ledger.commit(change)
    var later = LedgerChange()
    later.attempted = [.init(id: "m", attempts: 3, dueAt: 77)]
    try ledger.commit(later)
    #expect(try ledger.reader.message("m")?.attempts == 3)
    #expect(try ledger.reader.message("m")?.dueAt == 77)
    try ledger.expire(before: 10)
    #expect(try ledger.reader.alerts().map(\.id) == ["a"])
    #expect(try ledger.reader.transitions(of: "b").isEmpty)
    #expect(try ledger.reader.transitions(of: "a").count == 1)
  }

  @Test func `a changed value is found by its checksum and named`() throws {
    let folder = try TemporaryDirectory()
    do {
      let ledger = try AlertLedger(directory: folder.path)
      var change = LedgerChange()
      change.alerts = [row("a")]
      try ledger.commit(change)
    }
    let path = folder.path + "/alerts.sqlite"
    let connection = try SQLiteConnection(path: path, access: .readWrite)
    try connection.run("UPDATE alerts SET status = 'resolved'")
    let error = #expect(throws: StoreError.self) {
      try LedgerReader.reading(directory: folder.path) { (reader) throws(StoreError) in
        try reader.alerts()
      }
    }
    #expect(error?.code == .damaged)
    #expect(error?.message.contains("alerts.sqlite") == true)
  }

  @Test func `a folder that somebody writes is not written by another`() throws {
    let folder = try TemporaryDirectory()
    _ = try AlertLedger(directory: folder.path)
    let first = try AlertLedger.exclusively(directory: folder.path)
    let error = #expect(throws: StoreError.self) {
      _ = try AlertLedger.exclusively(directory: folder.path)
    }
    #expect(error?.code == .locked)
    _ = first
  }

  @Test func `a folder without alerts has none`() throws {
    let folder = try TemporaryDirectory()
    let rows = try LedgerReader.reading(directory: folder.path) { (reader) throws(StoreError) in
      try reader.alerts()
    }
    #expect(rows == nil)
  }
}

@Suite("Commands that are run")
struct ChildProcessTests {
  @Test func `they get their input and arguments as they are, and an environment of their own`()
    throws
  {
    let outcome = try ChildProcess.run(
      ["/bin/sh", "-c", "cat; printf '%s|' \"$0\" \"$A\" \"$HOME\"", "$(id) ; x"],
      environment: [("A", "b c")], input: Array("in".utf8), milliseconds: 10_000)
    #expect(outcome.status == 0)
    #expect(String(decoding: outcome.output, as: UTF8.self) == "in$(id) ; x|b c||")
  }

  @Test func `they end with all that they started when their time is over`() throws {
    let start = HostProcess.monotonic()
    let outcome = try ChildProcess.run(
      ["/bin/sh", "-c", "sleep 100 & sleep 100"], environment: [], input: [], milliseconds: 200)
    #expect(outcome.isTimedOut && outcome.signal == 9)
    #expect(HostProcess.monotonic() - start < 30_000_000_000)
  }

  @Test func `a status other than zero is told, and more output than is kept is read`() throws {
    let outcome = try ChildProcess.run(
      ["/bin/sh", "-c", "head -c 300000 /dev/zero; exit 3"],
      environment: [("PATH", "/usr/bin:/bin")],
      input: [UInt8](repeating: 65, count: 300_000), milliseconds: 20_000)
    #expect(outcome.status == 3)
    #expect(outcome.output.count == 4096)
  }

  @Test func `what cannot be run is an error`() {
    #expect(throws: StoreError.self) {
      try ChildProcess.run(["/no/such"], environment: [], input: [], milliseconds: 100)
    }
    #expect(throws: StoreError.self) {
      try ChildProcess.run(["true"], environment: [], input: [], milliseconds: 100)
    }
  }
}
