// What is kept of alerts: `alerts.sqlite` in the data folder, beside the catalogue.
//
// Invariants:
// 1. One process writes it: the one that holds the folder's lock.
// 2. A change is one transaction, synced before the call returns: after a kill all of it is there or
//    nothing.
// 3. Transitions and receipts are only ever added, and go with the retention.

/// The ledger of alerts as its one writer holds it; one thread at a time uses it.
package final class AlertLedger {
  static let file = LedgerFile(
    // "FrtA"
    applicationID: 0x4672_7441, version: 1, tables: LedgerTable.all,
    indexes: [
      "CREATE INDEX alerts_by_start ON alerts (started_at)",
      "CREATE INDEX transitions_by_alert ON transitions (alert)",
      "CREATE INDEX receipts_by_time ON receipts (at)",
    ])

  package let path: String
  private let connection: SQLiteConnection
  /// Held where the ledger was opened by itself; nil where a store's writer holds the folder.
  private let lock: (any FileLock)?

  /// Opens the ledger of a folder that this process holds already, or makes it.
  ///
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `diskFull`, `io`.
  package convenience init(directory: String) throws(StoreError) {
    try self.init(StoreLayout(directory: directory), lock: nil)
  }

  /// Takes a folder's lock for as long as the ledger lives, and opens it.
  ///
  /// - Throws: `locked`, naming the server or process that writes the folder; `notFound` where it
  ///   holds no ledger; as the other one.
  package static func exclusively(
    directory: String, fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) -> AlertLedger {
    let layout = StoreLayout(directory: directory)
    guard try fileSystem.size(layout.alertsPath) != nil else {
      throw StoreError(
        .notFound, "\(layout.directory) keeps no alerts: \(layout.alertsPath) does not exist")
    }
    let lock = try LockHolder.take(
      layout: layout, fileSystem: fileSystem,
      holder: LockHolder(processID: PosixFileSystem.processID))
    do throws(StoreError) {
      return try AlertLedger(layout, lock: lock)
    } catch {
      lock.release()
      throw error
    }
  }

  private init(_ layout: StoreLayout, lock: (any FileLock)?) throws(StoreError) {
    path = layout.alertsPath
    self.lock = lock
    connection = try Self.file.open(path)
  }

  deinit { lock?.release() }

  /// Makes a change durable.
  ///
  /// - Throws: after which nothing of it is kept, but where the failure was that of the sync itself:
  ///   then all of it may be. Every change may be made twice, so callers repeat it.
  package func commit(_ change: LedgerChange) throws(StoreError) {
    guard !change.isEmpty else { return }
    try connection.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      try write(change)
      try connection.execute("COMMIT")
    } catch {
      try? connection.execute("ROLLBACK")
      throw error
    }
  }

  private func write(_ change: LedgerChange) throws(StoreError) {
    for row in change.alerts { try LedgerTable.alerts.put(row.values, connection) }
    for id in change.removedAlerts {
      try connection.run("DELETE FROM alerts WHERE id = ?", .text(id))
    }
    for row in change.transitions { try LedgerTable.transitions.put(row.values, connection) }
    for row in change.silences { try LedgerTable.silences.put(row.values, connection) }
    for row in change.removedGroups {
      try connection.run(
        "DELETE FROM groups WHERE receiver = ? AND key = ?", .text(row.receiver), .text(row.key))
    }
    for row in change.groups { try LedgerTable.groups.put(row.values, connection) }
    for row in change.messages { try LedgerTable.messages.put(row.values, connection) }
    for id in change.removedMessages {
      try connection.run("DELETE FROM messages WHERE id = ?", .text(id))
    }
    for attempt in change.attempted {
      // The row's checksum covers all of it.
      let rows = try LedgerTable.messages.rows(
        connection, path: path, "WHERE id = ?", [.text(attempt.id)])
      guard var row = rows.first.flatMap({ MessageRow($0) }) else { continue }
      row.attempts = attempt.attempts
      row.dueAt = attempt.dueAt
      try LedgerTable.messages.put(row.values, connection)
    }
    for row in change.receipts { try LedgerTable.receipts.put(row.values, connection) }
    for (name, value) in change.blobs.sorted(by: { $0.key < $1.key }) {
      if let value {
        try LedgerTable.blobs.put([.text(name), .blob(value)], connection)
      } else {
        try connection.run("DELETE FROM blobs WHERE name = ?", .text(name))
      }
    }
  }

  /// Drops what ended before a moment: resolved alerts with their transitions, receipts, silences.
  ///
  /// - Parameter moment: Unix nanoseconds.
  package func expire(before moment: Int64) throws(StoreError) {
    try connection.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      let moment = SQLiteValue.integer(moment)
      try connection.run(
        "DELETE FROM alerts WHERE status = 'resolved' AND changed_at < ?", moment)
      try connection.run(
        """
        DELETE FROM transitions WHERE at < ?
          AND NOT EXISTS (SELECT 1 FROM alerts WHERE alerts.id = transitions.alert)
        """, moment)
      try connection.run("DELETE FROM receipts WHERE at < ?", moment)
      try connection.run("DELETE FROM silences WHERE ends_at < ?", moment)
      try connection.execute("COMMIT")
    } catch {
      try? connection.execute("ROLLBACK")
      throw error
    }
  }

  /// What is kept, to be read.
  package var reader: LedgerReader { LedgerReader(connection: connection, path: path) }
}
