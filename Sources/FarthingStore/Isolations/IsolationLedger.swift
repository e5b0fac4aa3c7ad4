// What is kept of isolations: `isolations.sqlite` in the data folder, beside the catalogue and the alerts.
//
// Invariants:
// 1. One process writes it: the one that holds the folder's lock.
// 2. A change is one transaction, synced before the call returns: what was decided, the calls that follow
//    from it and their lines in the audit log are all there after a kill, or none is.
// 3. Entries of the audit log are only ever added; see `AuditChain`.

/// The ledger of isolations as its one writer holds it; one thread at a time uses it.
package final class IsolationLedger {
  static let file = LedgerFile(
    // "FrtI"
    applicationID: 0x4672_7449, version: 1,
    tables: [.isolations, .orders, .audit, .blobs],
    indexes: [
      "CREATE INDEX isolations_by_alert ON isolations (alert)",
      "CREATE INDEX isolations_by_start ON isolations (started_at)",
      "CREATE INDEX audit_by_isolation ON audit (isolation)",
    ])
  static let headBlob = "audit head"

  package let path: String
  private let connection: SQLiteConnection
  /// Held where the ledger was opened by itself; nil where a store's writer holds the folder.
  private let lock: (any FileLock)?
  private var head: AuditHead

  /// Opens the ledger of a folder that this process holds already, or makes it.
  ///
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `diskFull`, `io`.
  package convenience init(directory: String) throws(StoreError) {
    try self.init(StoreLayout(directory: directory), lock: nil)
  }

  /// Takes a folder's lock for as long as the ledger lives, and opens the ledger or makes it.
  ///
  /// - Throws: `locked`, naming the server or process that writes the folder; `notFound` where there is no such
  ///   folder; as the other one.
  package static func exclusively(
    directory: String, fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) -> IsolationLedger {
    let layout = StoreLayout(directory: directory)
    let lock = try LockHolder.take(
      layout: layout, fileSystem: fileSystem,
      holder: LockHolder(processID: PosixFileSystem.processID))
    do throws(StoreError) {
      return try IsolationLedger(layout, lock: lock)
    } catch {
      lock.release()
      throw error
    }
  }

  private init(_ layout: StoreLayout, lock: (any FileLock)?) throws(StoreError) {
    path = layout.isolationsPath
    self.lock = lock
    connection = try Self.file.open(path)
    head = try IsolationReader(connection: connection, path: path).auditHead()
  }

  deinit { lock?.release() }

  /// Makes a change durable.
  ///
  /// - Throws: after which nothing of it is kept, but where the failure was that of the sync itself:
  ///   then all of it may be.
  package func commit(_ change: IsolationChange) throws(StoreError) {
    guard !change.isEmpty else { return }
    var next = head
    try connection.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      try write(change, &next)
      try connection.execute("COMMIT")
    } catch {
      try? connection.execute("ROLLBACK")
      // Where the sync failed the entries may be there all the same.
      head = (try? reader.auditHead()) ?? head
      throw error
    }
    head = next
  }

  private func write(
    _ change: IsolationChange, _ head: inout AuditHead
  ) throws(StoreError) {
    for row in change.isolations { try LedgerTable.isolations.put(row.values, connection) }
    for row in change.removedOrders {
      try connection.run(
        "DELETE FROM orders WHERE id = ? AND hook = ?", .text(row.id), .text(row.hook))
    }
    for row in change.orders { try LedgerTable.orders.put(row.values, connection) }
    for entry in change.audit {
      head = head.adding(entry)
      try LedgerTable.audit.add(AuditRow.values(entry, head), connection)
    }
    var blobs = change.blobs
    if !change.audit.isEmpty { blobs[Self.headBlob] = Array(head.description.utf8) }
    for (name, value) in blobs.sorted(by: { $0.key < $1.key }) {
      if let value {
        try LedgerTable.blobs.put([.text(name), .blob(value)], connection)
      } else {
        try connection.run("DELETE FROM blobs WHERE name = ?", .text(name))
      }
    }
  }

  /// Drops isolations that were over before a moment; what the audit log says of them stays.
  ///
  /// - Parameter moment: Unix nanoseconds.
  package func expire(before moment: Int64) throws(StoreError) {
    try connection.run(
      "DELETE FROM isolations WHERE released_at IS NOT NULL AND changed_at < ?",
      .integer(moment))
  }

  /// What is kept, to be read.
  package var reader: IsolationReader { IsolationReader(connection: connection, path: path) }
}

/// Reads a ledger of isolations; one thread at a time uses it.
package struct IsolationReader {
  let connection: SQLiteConnection
  let path: String

  /// Reads the ledger of a folder that another process may write.
  ///
  /// - Returns: nil where the folder keeps no isolations.
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `io`; what `body` throws.
  package static func reading<Result>(
    directory: String, fileSystem: any FileSystem = PosixFileSystem(),
    _ body: (IsolationReader) throws(StoreError) -> Result
  ) throws(StoreError) -> Result? {
    let path = StoreLayout(directory: directory).isolationsPath
    return try IsolationLedger.file.reading(path, fileSystem) {
      (connection) throws(StoreError) in
      try body(IsolationReader(connection: connection, path: path))
    }
  }

  /// The isolations, the earliest first, ties by id; of a limited number the latest.
  ///
  /// - Parameters:
  ///   - statuses: empty for all.
  ///   - since: those that began or changed at or after it; nil for all.
  ///   - limit: nil for all.
  package func isolations(
    statuses: [String] = [], since: Int64? = nil, limit: Int? = nil
  ) throws(StoreError) -> [IsolationRow] {
    var conditions: [String] = []
    var parameters: [SQLiteValue] = []
    if !statuses.isEmpty {
      let places = Array(repeating: "?", count: statuses.count)
      conditions.append("status IN (\(places.joined(separator: ", ")))")
      parameters += statuses.map { .text($0) }
    }
    if let since {
      conditions.append("(started_at >= ? OR changed_at >= ?)")
      parameters += [.integer(since), .integer(since)]
    }
    var clause = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    clause += " ORDER BY started_at DESC, id DESC"
    if let limit {
      clause += " LIMIT ?"
      parameters.append(.integer(Int64(limit)))
    }
    return try rows(clause, parameters).reversed()
  }

  private func rows(
    _ clause: String, _ parameters: [SQLiteValue]
  ) throws(StoreError) -> [IsolationRow] {
    try LedgerTable.isolations.rows(connection, path: path, clause, parameters)
      .compactMap { IsolationRow($0) }
  }

  /// One isolation; nil where there is none of this id.
  package func isolation(_ id: String) throws(StoreError) -> IsolationRow? {
    try rows("WHERE id = ?", [.text(id)]).first
  }

  /// Those that answer an alert, the earliest first.
  package func isolations(of alert: String) throws(StoreError) -> [IsolationRow] {
    try rows("WHERE alert = ? ORDER BY started_at, id", [.text(alert)])
  }

  /// Ids that begin so, at most `limit`; for people who type the first characters.
  package func ids(prefix: String, limit: Int) throws(StoreError) -> [String] {
    let rows = try connection.run(
      "SELECT id FROM isolations WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT ?",
      .integer(Int64(prefix.unicodeScalars.count)), .text(prefix), .integer(Int64(limit)))
    return rows.compactMap { $0.first?.text }
  }

  /// The calls that have to be made.
  package func orders() throws(StoreError) -> [OrderRow] {
    try LedgerTable.orders.rows(connection, path: path, "ORDER BY due_at, id, hook")
      .compactMap { OrderRow($0) }
  }

  /// A blob by its name; nil where there is none.
  package func blob(_ name: String) throws(StoreError) -> [UInt8]? {
    try LedgerTable.blobs.rows(connection, path: path, "WHERE name = ?", [.text(name)])
      .first?.last?.bytes
  }
}
