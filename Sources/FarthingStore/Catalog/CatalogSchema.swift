internal import FarthingCore

// The catalogue's tables. docs/format/catalog.md describes them column by column.
//
// SQLite checks its own structure, not its contents: a flipped bit in a number is still a number.
// So each row that an answer depends on carries a checksum over its values, and the store row
// carries the sum of all rows' checksums, which a lost, stale or doubled row breaks.

enum CatalogSchema {
  /// What `PRAGMA application_id` holds: "Frth".
  static let applicationID: Int64 = 0x4672_7468
  static let version: Int64 = 4

  /// Statements that lead from version n to n + 1, at index n.
  static let migrations: [String] = [
    """
    CREATE TABLE store (
      one INTEGER PRIMARY KEY CHECK (one = 1), seed BLOB NOT NULL, generation INTEGER NOT NULL,
      next_segment INTEGER NOT NULL, next_log INTEGER NOT NULL,
      covered_request INTEGER NOT NULL, covered_outcome INTEGER NOT NULL,
      covered_capacity INTEGER NOT NULL, rows_digest INTEGER NOT NULL, checksum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE segments (
      id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
      min_time INTEGER NOT NULL, max_time INTEGER NOT NULL,
      min_received INTEGER NOT NULL, max_received INTEGER NOT NULL, checksum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE logs (
      id INTEGER PRIMARY KEY, first_sequence INTEGER NOT NULL, checksum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE removals (file TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TABLE damage (
      id INTEGER PRIMARY KEY, file TEXT NOT NULL, message TEXT NOT NULL, lost_rows INTEGER,
      kind INTEGER, checksum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE price_lists (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, format TEXT NOT NULL,
      valid_from INTEGER, imported_at INTEGER NOT NULL, bytes BLOB NOT NULL,
      checksum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE sources (
      source TEXT PRIMARY KEY, state BLOB NOT NULL, sequence INTEGER NOT NULL,
      checksum INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE repricings (
      id INTEGER PRIMARY KEY AUTOINCREMENT, applied_at INTEGER NOT NULL, applied_by TEXT NOT NULL,
      reason TEXT, selection TEXT NOT NULL, lists TEXT NOT NULL, book TEXT NOT NULL,
      requests INTEGER NOT NULL, changed INTEGER NOT NULL, segments INTEGER NOT NULL,
      cost_before TEXT NOT NULL, cost_after TEXT NOT NULL, unpriced_before INTEGER NOT NULL,
      unpriced_after INTEGER NOT NULL, checksum INTEGER NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE expiries (
      day INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL, earliest INTEGER NOT NULL,
      latest INTEGER NOT NULL, requests INTEGER NOT NULL, outcomes INTEGER NOT NULL,
      capacities INTEGER NOT NULL, segments INTEGER NOT NULL, bytes INTEGER NOT NULL,
      checksum INTEGER NOT NULL
    ) STRICT;
    """,
  ]
}

/// The checksum of one catalogue row: a hash of its values, each with its type and length.
struct RowChecksum {
  private var bytes: [UInt8]

  /// - Parameter table: keeps a row of one table from passing for one of another.
  init(table: String) {
    bytes = []
    add(table)
  }

  mutating func add(_ value: Int64?) {
    guard let value else { return bytes.append(0) }
    bytes.append(1)
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> Int64(shift)))
    }
  }

  mutating func add(_ value: Int) { add(Int64(value)) }
  mutating func add(_ value: String) { add(Array(value.utf8)) }

  mutating func add(_ value: [UInt8]) {
    bytes.append(2)
    add(Int64(value.count))
    bytes += value
  }

  /// Any 64-bit pattern, as the signed number that SQLite stores.
  var value: Int64 {
    // A fixed key: this guards against accidents, not against someone who edits the file.
    Int64(bitPattern: KeyedHash(key0: 0x4361_7461_6c6f_6775, key1: 0x65).hash(bytes).low)
  }
}

extension SegmentEntry {
  var checksum: Int64 {
    var sum = RowChecksum(table: "segments")
    sum.add(id)
    sum.add(Int64(kind.rawValue))
    sum.add(rowCount)
    sum.add(byteCount)
    sum.add(minimumTime)
    sum.add(maximumTime)
    sum.add(minimumReceivedTime)
    sum.add(maximumReceivedTime)
    return sum.value
  }
}

extension LogEntry {
  var checksum: Int64 {
    var sum = RowChecksum(table: "logs")
    sum.add(id)
    sum.add(firstSequence)
    return sum.value
  }
}

extension DamageReport {
  var checksum: Int64 {
    var sum = RowChecksum(table: "damage")
    sum.add(file)
    sum.add(message)
    sum.add(lostRows.map(Int64.init))
    sum.add(kind.map { Int64($0.rawValue) })
    return sum.value
  }
}

extension PriceListEntry {
  var checksum: Int64 {
    var sum = RowChecksum(table: "price_lists")
    sum.add(id)
    sum.add(name)
    sum.add(format)
    sum.add(validFrom)
    sum.add(importedAt)
    sum.add(bytes)
    return sum.value
  }
}

extension CatalogState {
  /// The sum, wrapping, of the checksums of the rows that snapshots depend on.
  var rowsDigest: Int64 {
    var sum: Int64 = 0
    for segment in segments { sum &+= segment.checksum }
    for log in logs { sum &+= log.checksum }
    for report in damage { sum &+= report.checksum }
    for source in sources { sum &+= source.checksum }
    for record in expiries { sum &+= record.checksum }
    return sum
  }

  func storeChecksum(digest: Int64) -> Int64 {
    var sum = RowChecksum(table: "store")
    sum.add(seed)
    sum.add(generation)
    sum.add(nextSegmentID)
    sum.add(nextLogID)
    for sequence in coveredSequence { sum.add(sequence) }
    sum.add(digest)
    return sum.value
  }
}
