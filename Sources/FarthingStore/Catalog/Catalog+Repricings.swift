internal import FarthingCore

extension Catalog {
  /// Adds a repricing within the transaction at hand.
  static func write(
    _ record: RepricingRecord, to connection: SQLiteConnection
  ) throws(StoreError) {
    let totals = record.totals
    try connection.run(
      """
      INSERT INTO repricings (applied_at, applied_by, reason, selection, lists, book, requests,
        changed, segments, cost_before, cost_after, unpriced_before, unpriced_after, checksum)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      .integer(record.appliedAt), .text(record.appliedBy),
      record.reason.map { .text($0) } ?? .null, .text(record.selection),
      .text(record.lists.joined(separator: "\n")), .text(record.book),
      .integer(Int64(totals.requests)), .integer(Int64(totals.changed)),
      .integer(Int64(record.segments)), .text(String(totals.costBefore)),
      .text(String(totals.costAfter)), .integer(Int64(totals.unpricedBefore)),
      .integer(Int64(totals.unpricedAfter)), .integer(record.checksum))
  }

  /// All repricings, the earliest first.
  func repricings() throws(StoreError) -> [RepricingRecord] {
    try CatalogReader.repricings(try connected(), path: path)
  }
}

extension CatalogReader {
  /// All repricings, the earliest first.
  package static func repricings(
    layout: StoreLayout, fileSystem: any FileSystem
  ) throws(StoreError) -> [RepricingRecord] {
    try reading(layout: layout, fileSystem: fileSystem) { (connection, path) throws(StoreError) in
      // A catalogue that no newer build has opened for writing has no such table.
      guard try version(connection, path: path) >= 3 else { return [] }
      return try repricings(connection, path: path)
    }
  }

  static func repricings(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> [RepricingRecord] {
    var records: [RepricingRecord] = []
    for row in try connection.run(
      """
      SELECT id, applied_at, applied_by, reason, selection, lists, book, requests, changed,
        segments, cost_before, cost_after, unpriced_before, unpriced_after, checksum
        FROM repricings ORDER BY id
      """)
    {
      guard let (record, checksum) = record(row), record.checksum == checksum else {
        throw broken(path, "a repricing is malformed or fails its checksum")
      }
      records.append(record)
    }
    return records
  }

  private static func record(_ row: [SQLiteValue]) -> (RepricingRecord, checksum: Int64)? {
    var integers: [Int64] = []
    var texts: [String] = []
    var reason: String?
    for (place, value) in row.enumerated() {
      switch value {
      case .integer(let number): integers.append(number)
      case .text(let text) where place == 3: reason = text
      case .text(let text): texts.append(text)
      default: break
      }
    }
    guard integers.count == 8, texts.count == 6, let before = Int128(texts[4]),
      let after = Int128(texts[5])
    else { return nil }
    let totals = RepricingTotals(
      requests: Int(integers[2]), changed: Int(integers[3]), costBefore: before, costAfter: after,
      unpricedBefore: Int(integers[5]), unpricedAfter: Int(integers[6]))
    let record = RepricingRecord(
      id: integers[0], appliedAt: integers[1], appliedBy: texts[0], reason: reason,
      selection: texts[1], lists: texts[2].split(separator: "\n").map(String.init),
      book: texts[3], segments: Int(integers[4]), totals: totals)
    return (record, integers[7])
  }
}

extension RepricingRecord {
  /// Over everything but the id, which the catalogue gives.
  var checksum: Int64 {
    var sum = RowChecksum(table: "repricings")
    sum.add(appliedAt)
    sum.add(appliedBy)
    sum.add(Array((reason ?? "").utf8))
    sum.add(selection)
    sum.add(lists.joined(separator: "\n"))
    sum.add(book)
    sum.add(totals.requests)
    sum.add(totals.changed)
    sum.add(segments)
    sum.add(String(totals.costBefore))
    sum.add(String(totals.costAfter))
    sum.add(totals.unpricedBefore)
    sum.add(totals.unpricedAfter)
    return sum.value
  }
}
