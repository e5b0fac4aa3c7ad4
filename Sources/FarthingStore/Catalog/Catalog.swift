// The catalogue as its one writer holds it.
//
// Invariants:
// 1. A file that the catalogue lists is complete and durable before the transaction that lists it.
// 2. A file is unlinked only after the transaction that stops listing it.
// 3. `state` mirrors the last committed transaction. Where a commit failed in a way that leaves
//    its fate open, the connection is given up and `state` is read anew before anything else.

internal import FarthingCore

/// What one transaction changes.
package struct CatalogChange: Sendable {
  package var addedSegments: [SegmentEntry] = []
  package var removedSegments: [Int64] = []
  package var addedLogs: [LogEntry] = []
  package var removedLogs: [Int64] = []
  package var addedDamage: [DamageReport] = []
  /// A repricing that this transaction carries out.
  package var repricing: RepricingRecord?
  /// What retention drops with this transaction.
  package var expiry: ExpiryRecord?
  /// Positions of followed sources that are newer than what is there; an empty one removes its source.
  package var sources: [SourceEntry] = []
  /// Files in ``CatalogState/removals`` that are gone for good.
  package var clearedRemovals: [String] = []
  /// By kind; nil keeps what is there.
  package var coveredSequence: [Int64]?
  /// The least ids from here on; smaller than what is there changes nothing.
  package var nextSegmentID: Int64 = 0
  package var nextLogID: Int64 = 0

  package init() {}
}

/// The writer's catalogue; one thread at a time uses it.
final class Catalog {
  let path: String
  private let fileSystem: any FileSystem
  private var connection: SQLiteConnection?
  private(set) var state: CatalogState

  /// Opens the catalogue of a data folder, or creates it in one that holds no segments and logs.
  ///
  /// - Parameter seed: 16 random bytes, kept where the catalogue is new.
  /// - Throws: `damaged` where the folder has segments or logs but no catalogue, or where the
  ///   catalogue fails its checks; `unsupportedVersion` for one that a newer build wrote.
  init(layout: StoreLayout, fileSystem: any FileSystem, seed: [UInt8]) throws(StoreError) {
    path = layout.catalogPath
    self.fileSystem = fileSystem
    state = CatalogState()
    if try fileSystem.size(path) == nil {
      let segments = try fileSystem.list(layout.segmentDirectory) ?? []
      let logs = try fileSystem.list(layout.logDirectory) ?? []
      guard !(segments + logs).contains(where: { $0.hasSuffix(".seg") || $0.hasSuffix(".log") })
      else {
        throw StoreError(
          .damaged,
          "\(path) is missing beside \(segments.count) segment and \(logs.count) log files; "
            + "restore it from a backup")
      }
    }
    let connection = try Self.connect(path)
    self.connection = connection
    try Self.migrate(connection, path: path, seed: seed, fileSystem: fileSystem)
    state = try CatalogReader.state(connection, path: path)
    try fileSystem.syncDirectory(layout.directory)
  }

  private static func connect(_ path: String) throws(StoreError) -> SQLiteConnection {
    let connection = try SQLiteConnection(path: path, access: .readWrite)
    // FULL: each commit syncs the write-ahead log of SQLite before it returns.
    _ = try connection.run("PRAGMA journal_mode = WAL")
    try connection.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    return connection
  }

  private static func migrate(
    _ connection: SQLiteConnection, path: String, seed: [UInt8], fileSystem: any FileSystem
  ) throws(StoreError) {
    let version = try CatalogReader.version(connection, path: path)
    guard version < CatalogSchema.version else { return }
    try connection.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      for step in CatalogSchema.migrations[Int(version)...] { try connection.execute(step) }
      if version == 0 {
        var fresh = CatalogState()
        fresh.seed = seed
        try connection.run(
          "INSERT INTO store VALUES (1, ?, 0, 1, 1, 0, 0, 0, 0, ?)", .blob(seed),
          .integer(fresh.storeChecksum(digest: 0)))
      }
      try connection.execute(
        """
        PRAGMA user_version = \(CatalogSchema.version);
        PRAGMA application_id = \(CatalogSchema.applicationID)
        """)
      try fileSystem.catalogWillCommit(path)
      try connection.execute("COMMIT")
    } catch {
      try? connection.execute("ROLLBACK")
      throw error
    }
    try fileSystem.catalogDidCommit(path)
  }

  /// The connection, opened anew and ``state`` read anew after a commit of unknown fate.
  func connected() throws(StoreError) -> SQLiteConnection {
    if let connection { return connection }
    let connection = try Self.connect(path)
    state = try CatalogReader.state(connection, path: path)
    self.connection = connection
    return connection
  }

  /// Reads ``state`` anew where a commit's fate is open; callers that retry look before they leap.
  func refresh() throws(StoreError) { _ = try connected() }

  /// Commits a change, durably.
  ///
  /// - Throws: after which the change is not in the catalogue, or (`connection` was given up) its
  ///   fate is open until ``refresh()`` succeeds.
  func commit(_ change: CatalogChange) throws(StoreError) {
    let connection = try connected()
    let next = state.applying(change)
    try transaction(connection, next: next) { (connection) throws(StoreError) in
      try Self.write(change, next: next, to: connection)
    }
    state = next
  }

  /// Runs `body` in one transaction that also raises the generation to that of `next`.
  private func transaction(
    _ connection: SQLiteConnection, next: CatalogState,
    _ body: (SQLiteConnection) throws(StoreError) -> Void
  ) throws(StoreError) {
    try connection.execute("BEGIN IMMEDIATE")
    do throws(StoreError) {
      try body(connection)
      let digest = next.rowsDigest
      try connection.run(
        """
        UPDATE store SET generation = ?, next_segment = ?, next_log = ?, covered_request = ?,
          covered_outcome = ?, covered_capacity = ?, rows_digest = ?, checksum = ?
        """,
        .integer(next.generation), .integer(next.nextSegmentID), .integer(next.nextLogID),
        .integer(next.coveredSequence[0]), .integer(next.coveredSequence[1]),
        .integer(next.coveredSequence[2]), .integer(digest),
        .integer(next.storeChecksum(digest: digest)))
      try fileSystem.catalogWillCommit(path)
    } catch {
      try? connection.execute("ROLLBACK")
      throw error
    }
    do throws(StoreError) {
      try connection.execute("COMMIT")
      try fileSystem.catalogDidCommit(path)
    } catch {
      // The commit may have reached the disk or not. Only a new connection can tell.
      self.connection = nil
      let intended = next.generation
      if let fresh = try? Self.connect(path),
        let found = try? CatalogReader.state(fresh, path: path)
      {
        self.connection = fresh
        state = found
        if found.generation == intended { return }
      }
      throw error
    }
  }

  private static func write(
    _ change: CatalogChange, next: CatalogState, to connection: SQLiteConnection
  ) throws(StoreError) {
    for segment in change.addedSegments {
      try connection.run(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        .integer(segment.id), .integer(Int64(segment.kind.rawValue)),
        .integer(Int64(segment.rowCount)), .integer(Int64(segment.byteCount)),
        .integer(segment.minimumTime), .integer(segment.maximumTime),
        .integer(segment.minimumReceivedTime), .integer(segment.maximumReceivedTime),
        .integer(segment.checksum))
    }
    for id in change.removedSegments {
      try connection.run("DELETE FROM segments WHERE id = ?", .integer(id))
      try connection.run(
        "INSERT OR IGNORE INTO removals VALUES (?)", .text(StoreLayout.segmentName(id)))
    }
    for log in change.addedLogs {
      try connection.run(
        "INSERT INTO logs VALUES (?, ?, ?)", .integer(log.id), .integer(log.firstSequence),
        .integer(log.checksum))
    }
    for id in change.removedLogs {
      try connection.run("DELETE FROM logs WHERE id = ?", .integer(id))
      try connection.run(
        "INSERT OR IGNORE INTO removals VALUES (?)", .text(StoreLayout.logName(id)))
    }
    for report in change.addedDamage {
      try connection.run(
        "INSERT INTO damage (file, message, lost_rows, kind, checksum) VALUES (?, ?, ?, ?, ?)",
        .text(report.file), .text(report.message),
        report.lostRows.map { .integer(Int64($0)) } ?? .null,
        report.kind.map { .integer(Int64($0.rawValue)) } ?? .null, .integer(report.checksum))
    }
    if let repricing = change.repricing { try write(repricing, to: connection) }
    if let expiry = change.expiry,
      let record = next.expiries.first(where: { $0.day == expiry.day })
    {
      try write(record, to: connection)
    }
    for entry in change.sources {
      if entry.position.state.isEmpty {
        try connection.run("DELETE FROM sources WHERE source = ?", .text(entry.position.source))
      } else {
        try connection.run(
          "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?)", .text(entry.position.source),
          .blob(entry.position.state), .integer(entry.sequence), .integer(entry.checksum))
      }
    }
    for file in change.clearedRemovals {
      try connection.run("DELETE FROM removals WHERE file = ?", .text(file))
    }
  }
}

// MARK: - Price lists and settings

extension Catalog {
  /// Adds a list at the end of the import order.
  ///
  /// - Returns: its id.
  func addPriceList(
    name: String, format: String, validFrom: Int64?, importedAt: Int64, bytes: [UInt8]
  ) throws(StoreError) -> Int64 {
    let connection = try connected()
    var next = state
    next.generation += 1
    var id: Int64 = 0
    try transaction(connection, next: next) { (connection) throws(StoreError) in
      let rows = try connection.run("SELECT coalesce(max(id), 0) + 1 FROM price_lists")
      guard case .integer(let free)? = rows.first?.first else {
        throw StoreError(.damaged, "\(path) gives no id for a price list")
      }
      id = free
      let entry = PriceListEntry(
        id: id, name: name, format: format, validFrom: validFrom, importedAt: importedAt,
        bytes: bytes)
      try connection.run(
        "INSERT INTO price_lists VALUES (?, ?, ?, ?, ?, ?, ?)", .integer(id), .text(name),
        .text(format), validFrom.map { .integer($0) } ?? .null, .integer(importedAt),
        .blob(bytes), .integer(entry.checksum))
    }
    state = next
    return id
  }

  /// Sets a setting, or removes it where `value` is nil.
  func setSetting(_ key: String, _ value: String?) throws(StoreError) {
    let connection = try connected()
    var next = state
    next.generation += 1
    try transaction(connection, next: next) { (connection) throws(StoreError) in
      if let value {
        try connection.run(
          "INSERT OR REPLACE INTO settings VALUES (?, ?)", .text(key), .text(value))
      } else {
        try connection.run("DELETE FROM settings WHERE key = ?", .text(key))
      }
    }
    state = next
  }

  /// All lists in import order.
  func priceLists() throws(StoreError) -> [PriceListEntry] {
    try CatalogReader.priceLists(try connected(), path: path)
  }

  func setting(_ key: String) throws(StoreError) -> String? {
    try CatalogReader.setting(try connected(), key)
  }
}

extension CatalogState {
  /// The state after a change.
  func applying(_ change: CatalogChange) -> CatalogState {
    var next = self
    next.generation += 1
    let removedSegments = Set(change.removedSegments)
    let removedLogs = Set(change.removedLogs)
    next.segments = segments.filter { !removedSegments.contains($0.id) } + change.addedSegments
    next.segments.sort { $0.id < $1.id }
    next.logs = logs.filter { !removedLogs.contains($0.id) } + change.addedLogs
    next.logs.sort { $0.id < $1.id }
    next.damage += change.addedDamage
    if let expiry = change.expiry { next.add(expiry) }
    let changed = Set(change.sources.map(\.position.source))
    next.sources.removeAll { changed.contains($0.position.source) }
    next.sources += change.sources.filter { !$0.position.state.isEmpty }
    next.sources.sort { $0.position.source < $1.position.source }
    for id in change.removedSegments {
      let name = StoreLayout.segmentName(id)
      if !next.removals.contains(name) { next.removals.append(name) }
    }
    for id in change.removedLogs {
      let name = StoreLayout.logName(id)
      if !next.removals.contains(name) { next.removals.append(name) }
    }
    next.removals.removeAll { change.clearedRemovals.contains($0) }
    next.removals.sort()
    if let covered = change.coveredSequence { next.coveredSequence = covered }
    let published = change.addedSegments.map { $0.id + 1 }.max() ?? 0
    next.nextSegmentID = max(nextSegmentID, change.nextSegmentID, published)
    let logged = change.addedLogs.map { $0.id + 1 }.max() ?? 0
    next.nextLogID = max(nextLogID, change.nextLogID, logged)
    return next
  }
}
