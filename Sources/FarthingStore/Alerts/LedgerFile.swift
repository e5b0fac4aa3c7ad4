/// One kind of file that a ledger is kept in: what makes it out, and how it is opened.
struct LedgerFile: Sendable {
  /// What `PRAGMA application_id` holds.
  let applicationID: Int64
  let version: Int64
  let tables: [LedgerTable]
  /// Statements.
  let indexes: [String]

  /// Opens the file for its one writer, or makes it. Every commit is synced.
  ///
  /// - Throws: `damaged`, `unsupportedVersion`, `accessDenied`, `diskFull`, `io`.
  func open(_ path: String) throws(StoreError) -> SQLiteConnection {
    let connection = try SQLiteConnection(path: path, access: .readWrite)
    _ = try connection.run("PRAGMA journal_mode = WAL")
    try connection.execute("PRAGMA synchronous = FULL")
    if try version(of: connection, path) == 0 {
      let statements = tables.map(\.creation) + indexes.map { $0 + ";" }
      try connection.execute(
        """
        BEGIN IMMEDIATE;
        \(statements.joined(separator: "\n"))
        PRAGMA user_version = \(version);
        PRAGMA application_id = \(applicationID);
        COMMIT;
        """)
    }
    return connection
  }

  private func version(
    of connection: SQLiteConnection, _ path: String
  ) throws(StoreError) -> Int64 {
    let found = try connection.run("PRAGMA user_version").first?.first?.number ?? 0
    guard (0...version).contains(found) else {
      throw StoreError(
        .unsupportedVersion,
        "\(path) has version \(found), this build reads up to \(version); use the newer build")
    }
    return found
  }

  /// Reads a file that another process may write.
  ///
  /// - Returns: nil where there is none.
  func reading<Result>(
    _ path: String, _ fileSystem: any FileSystem,
    _ body: (SQLiteConnection) throws(StoreError) -> Result
  ) throws(StoreError) -> Result? {
    guard try fileSystem.size(path) != nil else { return nil }
    func read(_ access: SQLiteConnection.Access) throws(StoreError) -> Result? {
      let connection = try SQLiteConnection(path: path, access: access)
      // A process that was killed while it made the file leaves it empty.
      guard try version(of: connection, path) > 0 else { return nil }
      return try body(connection)
    }
    do throws(StoreError) {
      return try read(.readOnly)
    } catch {
      // As with the catalogue: where SQLite cannot make its side files and no write-ahead log is left,
      // the file alone is all there is.
      guard error.code == .accessDenied || error.code == .diskFull,
        try fileSystem.size(path + "-wal") ?? 0 == 0
      else { throw error }
      return try read(.immutable)
    }
  }
}
