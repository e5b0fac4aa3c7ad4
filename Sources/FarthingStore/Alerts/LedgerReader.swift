/// Reads a ledger of alerts; one thread at a time uses it.
package struct LedgerReader {
  let connection: SQLiteConnection
  let path: String

  /// Reads the ledger of a folder that another process may write.
  ///
  /// - Returns: nil where the folder keeps no alerts.
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `io`; what `body` throws.
  package static func reading<Result>(
    directory: String, fileSystem: any FileSystem = PosixFileSystem(),
    _ body: (LedgerReader) throws(StoreError) -> Result
  ) throws(StoreError) -> Result? {
    let path = StoreLayout(directory: directory).alertsPath
    return try AlertLedger.file.reading(path, fileSystem) {
      (connection) throws(StoreError) in
      try body(LedgerReader(connection: connection, path: path))
    }
  }

  /// The selected alerts, the earliest first, ties by id; of a limited number the latest.
  ///
  /// - Complexity: O(alerts kept).
  package func alerts(_ selection: AlertSelection = AlertSelection()) throws(StoreError)
    -> [AlertRow]
  {
    var conditions: [String] = []
    var parameters: [SQLiteValue] = []
    if !selection.statuses.isEmpty {
      let places = Array(repeating: "?", count: selection.statuses.count)
      conditions.append("status IN (\(places.joined(separator: ", ")))")
      parameters += selection.statuses.map { .text($0) }
    }
    if let since = selection.since {
      conditions.append("(started_at >= ? OR changed_at >= ?)")
      parameters += [.integer(since), .integer(since)]
    }
    var clause = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    clause += " ORDER BY started_at DESC, id DESC"
    if let limit = selection.limit {
      clause += " LIMIT ?"
      parameters.append(.integer(Int64(limit)))
    }
    return try LedgerTable.alerts.rows(connection, path: path, clause, parameters)
      .compactMap { AlertRow($0) }.reversed()
  }

  /// One alert; nil where there is none of this id.
  package func alert(_ id: String) throws(StoreError) -> AlertRow? {
    try LedgerTable.alerts.rows(connection, path: path, "WHERE id = ?", [.text(id)])
      .first.flatMap { AlertRow($0) }
  }

  /// Ids that begin so, at most `limit`; for people who type the first characters.
  package func alertIDs(prefix: String, limit: Int) throws(StoreError) -> [String] {
    let rows = try connection.run(
      "SELECT id FROM alerts WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT ?",
      .integer(Int64(prefix.unicodeScalars.count)), .text(prefix), .integer(Int64(limit)))
    return rows.compactMap { $0.first?.text }
  }

  /// How an alert came to be what it is, the earliest first.
  package func transitions(of alert: String) throws(StoreError) -> [TransitionRow] {
    try LedgerTable.transitions.rows(
      connection, path: path, "WHERE alert = ? ORDER BY rowid", [.text(alert)]
    ).compactMap { TransitionRow($0) }
  }

  /// All silences that end after a moment, the earliest first; nil for all that are kept.
  package func silences(endingAfter moment: Int64? = nil) throws(StoreError) -> [SilenceRow] {
    try LedgerTable.silences.rows(
      connection, path: path, "WHERE ends_at > ? ORDER BY starts_at, id",
      [.integer(moment ?? .min)]
    ).compactMap { SilenceRow($0) }
  }

  package func groups() throws(StoreError) -> [GroupRow] {
    try LedgerTable.groups.rows(connection, path: path, "ORDER BY receiver, key")
      .compactMap { GroupRow($0) }
  }

  /// What waits to be delivered, the earliest first.
  package func messages() throws(StoreError) -> [MessageRow] {
    try LedgerTable.messages.rows(connection, path: path, "ORDER BY created_at, id")
      .compactMap { MessageRow($0) }
  }

  /// One that waits; nil where it does not.
  package func message(_ id: String) throws(StoreError) -> MessageRow? {
    try LedgerTable.messages.rows(connection, path: path, "WHERE id = ?", [.text(id)])
      .first.flatMap { MessageRow($0) }
  }

  /// The newest receipts, the earliest of them first.
  package func receipts(receiver: String? = nil, limit: Int) throws(StoreError) -> [ReceiptRow] {
    let condition = receiver == nil ? "" : "WHERE receiver = ?"
    let parameters: [SQLiteValue] = receiver.map { [.text($0)] } ?? []
    return try LedgerTable.receipts.rows(
      connection, path: path, "\(condition) ORDER BY rowid DESC LIMIT ?",
      parameters + [.integer(Int64(limit))]
    ).compactMap { ReceiptRow($0) }.reversed()
  }

  /// A blob by its name; nil where there is none.
  package func blob(_ name: String) throws(StoreError) -> [UInt8]? {
    try LedgerTable.blobs.rows(connection, path: path, "WHERE name = ?", [.text(name)])
      .first?.last?.bytes
  }
}
