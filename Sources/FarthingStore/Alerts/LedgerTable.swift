/// One table of the ledger. Each row carries a checksum over its values, for SQLite checks its own
/// structure and not what stands in it.
struct LedgerTable: Sendable {
  let name: String
  /// The declarations of the columns; the first word of each is its name.
  let columns: [String]
  /// What follows the columns, such as a primary key of two.
  var constraint = ""

  static let alerts = LedgerTable(
    name: "alerts",
    columns: [
      "id TEXT PRIMARY KEY", "kind TEXT NOT NULL", "severity TEXT NOT NULL",
      "status TEXT NOT NULL", "started_at INTEGER NOT NULL", "resolved_at INTEGER",
      "changed_at INTEGER NOT NULL", "body BLOB NOT NULL",
    ])
  static let transitions = LedgerTable(
    name: "transitions",
    columns: [
      "alert TEXT NOT NULL", "at INTEGER NOT NULL", "from_status TEXT", "to_status TEXT NOT NULL",
      "cause TEXT NOT NULL", "note TEXT", "evidence BLOB NOT NULL",
    ],
    // A change may be made twice.
    constraint: ", UNIQUE (alert, at, to_status, cause)")
  static let silences = LedgerTable(
    name: "silences",
    columns: [
      "id TEXT PRIMARY KEY", "matchers TEXT NOT NULL", "starts_at INTEGER NOT NULL",
      "ends_at INTEGER NOT NULL", "author TEXT NOT NULL", "comment TEXT NOT NULL",
      "created_at INTEGER NOT NULL",
    ])
  static let groups = LedgerTable(
    name: "groups",
    columns: ["receiver TEXT NOT NULL", "key TEXT NOT NULL", "body BLOB NOT NULL"],
    constraint: ", PRIMARY KEY (receiver, key)")
  static let messages = LedgerTable(
    name: "messages",
    columns: [
      "id TEXT PRIMARY KEY", "receiver TEXT NOT NULL", "group_key TEXT NOT NULL",
      "created_at INTEGER NOT NULL", "attempts INTEGER NOT NULL", "due_at INTEGER NOT NULL",
      "body BLOB NOT NULL",
    ])
  static let receipts = LedgerTable(
    name: "receipts",
    columns: [
      "message TEXT NOT NULL", "receiver TEXT NOT NULL", "at INTEGER NOT NULL",
      "attempt INTEGER NOT NULL", "result TEXT NOT NULL", "detail TEXT",
    ], constraint: ", UNIQUE (message, attempt, result)")
  static let blobs = LedgerTable(
    name: "blobs", columns: ["name TEXT PRIMARY KEY", "value BLOB NOT NULL"])

  static let all = [alerts, transitions, silences, groups, messages, receipts, blobs]

  var creation: String {
    "CREATE TABLE \(name) (\(columns.joined(separator: ", ")), checksum INTEGER NOT NULL"
      + "\(constraint)) STRICT;"
  }

  private var names: String {
    columns.map { String($0.prefix { $0 != " " }) }.joined(separator: ", ")
  }

  func checksum(_ values: [SQLiteValue]) -> Int64 {
    var sum = RowChecksum(table: "ledger " + name)
    for value in values {
      switch value {
      case .null: sum.add(nil)
      case .integer(let number): sum.add(number)
      case .text(let text): sum.add(text)
      case .blob(let bytes): sum.add(bytes)
      }
    }
    return sum.value
  }

  /// Adds a row, or replaces the one of its key.
  func put(_ values: [SQLiteValue], _ connection: SQLiteConnection) throws(StoreError) {
    let places = Array(repeating: "?", count: values.count + 1).joined(separator: ", ")
    try connection.run(
      "INSERT OR REPLACE INTO \(name) (\(names), checksum) VALUES (\(places))",
      parameters: values + [.integer(checksum(values))])
  }

  /// Adds a row that must not be there yet.
  func add(_ values: [SQLiteValue], _ connection: SQLiteConnection) throws(StoreError) {
    let places = Array(repeating: "?", count: values.count + 1).joined(separator: ", ")
    try connection.run(
      "INSERT INTO \(name) (\(names), checksum) VALUES (\(places))",
      parameters: values + [.integer(checksum(values))])
  }

  /// The rows that a condition selects, each checked.
  ///
  /// - Throws: `damaged` where a row fails its checksum.
  func rows(
    _ connection: SQLiteConnection, path: String, _ condition: String = "",
    _ parameters: [SQLiteValue] = []
  ) throws(StoreError) -> [[SQLiteValue]] {
    let rows = try connection.run(
      "SELECT \(names), checksum FROM \(name) \(condition)", parameters: parameters)
    for row in rows {
      guard case .integer(let stored)? = row.last, stored == checksum(row.dropLast()) else {
        throw StoreError(
          .damaged,
          "a row of \(name) in \(path) fails its checksum; restore it from a backup, or move it away "
            + "to go on without what it keeps")
      }
    }
    return rows.map { $0.dropLast() }
  }
}

extension SQLiteValue {
  init(_ text: String?) { self = text.map { .text($0) } ?? .null }
  init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }

  var text: String? { if case .text(let text) = self { text } else { nil } }
  var number: Int64? { if case .integer(let number) = self { number } else { nil } }
  var bytes: [UInt8]? { if case .blob(let bytes) = self { bytes } else { nil } }
}

extension AlertRow {
  var values: [SQLiteValue] {
    [
      .text(id), .text(kind), .text(severity), .text(status), .integer(startedAt),
      SQLiteValue(resolvedAt), .integer(changedAt), .blob(body),
    ]
  }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 8, let id = row[0].text, let kind = row[1].text,
      let severity = row[2].text, let status = row[3].text, let startedAt = row[4].number,
      let changedAt = row[6].number, let body = row[7].bytes
    else { return nil }
    self.init(
      id: id, kind: kind, severity: severity, status: status, startedAt: startedAt,
      resolvedAt: row[5].number, changedAt: changedAt, body: body)
  }
}

extension TransitionRow {
  var values: [SQLiteValue] {
    [
      .text(alert), .integer(at), SQLiteValue(from), .text(to), .text(cause), SQLiteValue(note),
      .blob(evidence),
    ]
  }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 7, let alert = row[0].text, let at = row[1].number, let to = row[3].text,
      let cause = row[4].text, let evidence = row[6].bytes
    else { return nil }
    self.init(
      alert: alert, at: at, from: row[2].text, to: to, cause: cause, note: row[5].text,
      evidence: evidence)
  }
}

extension SilenceRow {
  var values: [SQLiteValue] {
    [
      .text(id), .text(matchers), .integer(startsAt), .integer(endsAt), .text(author),
      .text(comment), .integer(createdAt),
    ]
  }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 7, let id = row[0].text, let matchers = row[1].text,
      let startsAt = row[2].number, let endsAt = row[3].number, let author = row[4].text,
      let comment = row[5].text, let createdAt = row[6].number
    else { return nil }
    self.init(
      id: id, matchers: matchers, startsAt: startsAt, endsAt: endsAt, author: author,
      comment: comment, createdAt: createdAt)
  }
}

extension GroupRow {
  var values: [SQLiteValue] { [.text(receiver), .text(key), .blob(body)] }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 3, let receiver = row[0].text, let key = row[1].text,
      let body = row[2].bytes
    else { return nil }
    self.init(receiver: receiver, key: key, body: body)
  }
}

extension MessageRow {
  var values: [SQLiteValue] {
    [
      .text(id), .text(receiver), .text(group), .integer(createdAt), .integer(Int64(attempts)),
      .integer(dueAt), .blob(body),
    ]
  }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 7, let id = row[0].text, let receiver = row[1].text,
      let group = row[2].text, let createdAt = row[3].number, let attempts = row[4].number,
      let dueAt = row[5].number, let body = row[6].bytes
    else { return nil }
    self.init(
      id: id, receiver: receiver, group: group, createdAt: createdAt,
      attempts: Int(clamping: attempts), dueAt: dueAt, body: body)
  }
}

extension ReceiptRow {
  var values: [SQLiteValue] {
    [
      .text(message), .text(receiver), .integer(at), .integer(Int64(attempt)), .text(result),
      SQLiteValue(detail),
    ]
  }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 6, let message = row[0].text, let receiver = row[1].text,
      let at = row[2].number, let attempt = row[3].number, let result = row[4].text
    else { return nil }
    self.init(
      message: message, receiver: receiver, at: at, attempt: Int(clamping: attempt),
      result: result, detail: row[5].text)
  }
}
