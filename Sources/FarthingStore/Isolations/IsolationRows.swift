// The rows of the ledger of isolations. What they mean is their writer's to know: this room knows which
// values are kept, looked up and ordered by, and that all of one change become durable together.

/// One isolation as it is known now.
package struct IsolationRow: Sendable, Equatable {
  package var id: String
  /// The alert that it answers; empty where a person asked for it.
  package var alert: String
  package var status: String
  /// Unix nanoseconds.
  package var startedAt: Int64
  /// Unix nanoseconds; nil while it is not over.
  package var releasedAt: Int64?
  /// Unix nanoseconds.
  package var changedAt: Int64
  /// All else, as its writer reads it.
  package var body: [UInt8]

  package init(
    id: String, alert: String, status: String, startedAt: Int64, releasedAt: Int64?,
    changedAt: Int64, body: [UInt8]
  ) {
    self.id = id
    self.alert = alert
    self.status = status
    self.startedAt = startedAt
    self.releasedAt = releasedAt
    self.changedAt = changedAt
    self.body = body
  }
}

/// A call that has to be made.
package struct OrderRow: Sendable, Equatable {
  /// One for all attempts.
  package var id: String
  package var hook: String
  package var isolation: String
  /// Attempts so far.
  package var attempts: Int
  /// When the next attempt is due, Unix nanoseconds.
  package var dueAt: Int64
  /// `apply`, `release` or `probe`.
  package var verb: String

  package init(
    id: String, hook: String, isolation: String, attempts: Int, dueAt: Int64, verb: String
  ) {
    self.id = id
    self.hook = hook
    self.isolation = isolation
    self.attempts = attempts
    self.dueAt = dueAt
    self.verb = verb
  }
}

/// One thing that was decided, done or said; what the audit log is made of.
package struct AuditEntry: Sendable, Equatable {
  /// Unix nanoseconds of the clock of the process that keeps it.
  package var at: Int64
  /// What it was, such as `applied`.
  package var event: String
  /// The isolation's id; empty where it is about none.
  package var isolation: String
  /// Who did it: `policy NAME`, `deadline`, a person's name, a hook.
  package var actor: String
  /// All else: JSON, which the chain covers byte by byte.
  package var detail: [UInt8]

  package init(at: Int64, event: String, isolation: String, actor: String, detail: [UInt8]) {
    self.at = at
    self.event = event
    self.isolation = isolation
    self.actor = actor
    self.detail = detail
  }
}

/// What one transaction of the ledger changes.
package struct IsolationChange: Sendable, Equatable {
  /// Each replaces what is kept under its id.
  package var isolations: [IsolationRow] = []
  /// Each replaces what is kept under its id and hook.
  package var orders: [OrderRow] = []
  package var removedOrders: [OrderRow] = []
  /// Put behind what the audit log has.
  package var audit: [AuditEntry] = []
  /// Blobs by name; nil removes one.
  package var blobs: [String: [UInt8]?] = [:]

  package init() {}

  package var isEmpty: Bool {
    isolations.isEmpty && orders.isEmpty && removedOrders.isEmpty && audit.isEmpty
      && blobs.isEmpty
  }
}

extension LedgerTable {
  static let isolations = LedgerTable(
    name: "isolations",
    columns: [
      "id TEXT PRIMARY KEY", "alert TEXT NOT NULL", "status TEXT NOT NULL",
      "started_at INTEGER NOT NULL", "released_at INTEGER", "changed_at INTEGER NOT NULL",
      "body BLOB NOT NULL",
    ])
  static let orders = LedgerTable(
    name: "orders",
    columns: [
      "id TEXT NOT NULL", "hook TEXT NOT NULL", "isolation TEXT NOT NULL",
      "attempts INTEGER NOT NULL", "due_at INTEGER NOT NULL", "verb TEXT NOT NULL",
    ], constraint: ", PRIMARY KEY (id, hook)")
  static let audit = LedgerTable(
    name: "audit",
    columns: [
      "sequence INTEGER PRIMARY KEY", "at INTEGER NOT NULL", "event TEXT NOT NULL",
      "isolation TEXT NOT NULL", "actor TEXT NOT NULL", "detail BLOB NOT NULL",
      "hash TEXT NOT NULL",
    ])
}

extension IsolationRow {
  var values: [SQLiteValue] {
    [
      .text(id), .text(alert), .text(status), .integer(startedAt), SQLiteValue(releasedAt),
      .integer(changedAt), .blob(body),
    ]
  }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 7, let id = row[0].text, let alert = row[1].text,
      let status = row[2].text, let startedAt = row[3].number, let changedAt = row[5].number,
      let body = row[6].bytes
    else { return nil }
    self.init(
      id: id, alert: alert, status: status, startedAt: startedAt, releasedAt: row[4].number,
      changedAt: changedAt, body: body)
  }
}

extension OrderRow {
  var values: [SQLiteValue] {
    [
      .text(id), .text(hook), .text(isolation), .integer(Int64(attempts)), .integer(dueAt),
      .text(verb),
    ]
  }

  init?(_ row: [SQLiteValue]) {
    guard row.count == 6, let id = row[0].text, let hook = row[1].text,
      let isolation = row[2].text, let attempts = row[3].number, let dueAt = row[4].number,
      let verb = row[5].text
    else { return nil }
    self.init(
      id: id, hook: hook, isolation: isolation, attempts: Int(clamping: attempts), dueAt: dueAt,
      verb: verb)
  }
}
