import FarthingTestSupport
import Testing

@testable import FarthingStore

@Suite("The ledger of isolations")
struct IsolationLedgerTests {
  private func entry(_ number: Int) -> AuditEntry {
    AuditEntry(
      at: Int64(number) * 1000, event: number % 3 == 0 ? "released" : "started",
      isolation: "iso-\(number % 7)", actor: "policy p\(number % 2)",
      detail: Array("{\"n\":\(number)}".utf8))
  }

  private func filled(_ folder: TemporaryDirectory, entries: Int) throws {
    let ledger = try IsolationLedger(directory: folder.path)
    for number in 0..<entries {
      var change = IsolationChange()
      change.audit = [entry(number)]
      change.isolations = [
        IsolationRow(
          id: "iso-\(number % 7)", alert: "a", status: "active", startedAt: Int64(number),
          releasedAt: nil, changedAt: 1, body: [1])
      ]
      try ledger.commit(change)
    }
  }

  private func verified(
    _ folder: TemporaryDirectory, noted: AuditHead? = nil
  ) throws -> AuditFinding {
    let finding = try IsolationReader.reading(directory: folder.path) {
      (reader) throws(StoreError) in try reader.verifyAudit(noted: noted)
    }
    return try #require(finding)
  }

  @Test func `all of a change is kept over a restart`() throws {
    let folder = try TemporaryDirectory()
    var change = IsolationChange()
    change.isolations = [
      IsolationRow(
        id: "iso-1", alert: "a", status: "applying", startedAt: 5, releasedAt: nil, changedAt: 5,
        body: [7])
    ]
    change.orders = [
      OrderRow(id: "o", hook: "h", isolation: "iso-1", attempts: 0, dueAt: 5, verb: "apply")
    ]
    change.audit = [entry(1)]
    change.blobs = ["state": [1, 2]]
    try IsolationLedger(directory: folder.path).commit(change)
    let reader = try IsolationLedger(directory: folder.path).reader
    #expect(try reader.isolations() == change.isolations)
    #expect(try reader.isolations(of: "a").map(\.id) == ["iso-1"])
    #expect(try reader.orders() == change.orders)
    #expect(try reader.audit(of: "iso-1", limit: 9).map(\.entry) == [entry(1)])
    #expect(try reader.blob("state") == [1, 2])
    #expect(try reader.auditHead().count == 1)
    var later = IsolationChange()
    later.removedOrders = change.orders
    let ledger = try IsolationLedger(directory: folder.path)
    try ledger.commit(later)
    #expect(try ledger.reader.orders().isEmpty)
  }

  @Test func `an untouched log is intact, and goes through every head it had`() throws {
    let folder = try TemporaryDirectory()
    #expect(try IsolationLedger(directory: folder.path).reader.verifyAudit().fault == nil)
    try filled(folder, entries: 5)
    let early = try verified(folder).head
    try filled(folder, entries: 600)
    let finding = try verified(folder, noted: early)
    #expect(finding.fault == nil && finding.head.count == 605)
    var wrong = early
    wrong.count = 7
    #expect(try verified(folder, noted: wrong).fault != nil)
    #expect(AuditHead("\(early)") == early && AuditHead("5:ab") == nil)
  }

  @Test func `of a thousand random edits none is unseen`() throws {
    let folder = try TemporaryDirectory()
    try filled(folder, entries: 40)
    let path = folder.path + "/isolations.sqlite"
    let connection = try SQLiteConnection(path: path, access: .readWrite)
    let reader = IsolationReader(connection: connection, path: path)
    let noted = try reader.auditHead()
    var random = SplitMix(seed: 20_261_121)
    var unseen: [Int] = []
    for round in 0..<1000 {
      try connection.execute("BEGIN")
      try edit(connection, &random)
      if try reader.verifyAudit(noted: noted).fault == nil { unseen.append(round) }
      try connection.execute("ROLLBACK")
    }
    #expect(unseen == [])
    #expect(try reader.verifyAudit(noted: noted).fault == nil)
  }

  /// Changes the log as somebody might who can write the file.
  private func edit(
    _ connection: SQLiteConnection, _ random: inout SplitMix
  ) throws(StoreError) {
    let row = Int.random(in: 1...40, using: &random)
    let other = row == 40 ? 1 : row + 1
    let left = min(row, 39)
    let digit = Int.random(in: 0...9, using: &random)
    func at(_ change: String) throws(StoreError) {
      try connection.execute("UPDATE audit SET \(change) WHERE sequence = \(row)")
    }
    switch Int.random(in: 0..<12, using: &random) {
    case 0: try at("at = at + \(digit + 1)")
    case 1: try at("event = event || 'x'")
    case 2: try at("isolation = 'iso-99'")
    case 3: try at("actor = substr(actor, 2)")
    case 4: try at("detail = x'7b3\(digit)3\(digit)7d'")
    case 5: try at("hash = substr(hash, 2) || substr(hash, 1, 1) || 'a'")
    case 6: try at("checksum = checksum + 1")
    case 7: try connection.execute("DELETE FROM audit WHERE sequence = \(row)")
    case 8: try connection.execute("DELETE FROM audit WHERE sequence > \(left)")
    case 9:
      try connection.execute("UPDATE audit SET sequence = -1 WHERE sequence = \(row)")
      try connection.execute("UPDATE audit SET sequence = \(row) WHERE sequence = \(other)")
      try connection.execute("UPDATE audit SET sequence = \(other) WHERE sequence = -1")
    case 10:
      try connection.execute(
        """
        INSERT INTO audit SELECT \(row % 2 == 0 ? 41 : -row), at, event, isolation, actor, detail, hash, checksum
        FROM audit WHERE sequence = \(row)
        """)
    default:
      // The tail goes, and the head is made to fit what is left: only who noted the old head can see it.
      try connection.execute("DELETE FROM audit WHERE sequence > \(left)")
      let hash = try connection.run(
        "SELECT hash FROM audit WHERE sequence = ?", .integer(Int64(left))
      ).first?.first?.text
      try LedgerTable.blobs.put(
        [.text(IsolationLedger.headBlob), .blob(Array("\(left):\(hash ?? "")".utf8))], connection)
    }
  }

  @Test func `a folder that somebody writes is not written by another`() throws {
    let folder = try TemporaryDirectory()
    let first = try IsolationLedger.exclusively(directory: folder.path)
    let error = #expect(throws: StoreError.self) {
      _ = try IsolationLedger.exclusively(directory: folder.path)
    }
    #expect(error?.code == .locked)
    _ = first
  }
}
