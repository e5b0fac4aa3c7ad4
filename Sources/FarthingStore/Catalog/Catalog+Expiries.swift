internal import FarthingCore

extension Catalog {
  /// Writes a day's record, in place of the one that it continues.
  static func write(
    _ record: ExpiryRecord, to connection: SQLiteConnection
  ) throws(StoreError) {
    try connection.run(
      "INSERT OR REPLACE INTO expiries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      .integer(record.day), .integer(record.appliedAt), .integer(record.earliest),
      .integer(record.latest), .integer(Int64(record.requests)),
      .integer(Int64(record.outcomes)), .integer(Int64(record.capacities)),
      .integer(Int64(record.segments)), .integer(Int64(record.bytes)), .integer(record.checksum))
  }
}

extension CatalogReader {
  /// What retention dropped, the earliest day first.
  static func expiries(
    _ connection: SQLiteConnection, path: String
  ) throws(StoreError) -> [ExpiryRecord] {
    // A reader may meet a catalogue that no writer has brought to this version yet.
    guard
      try !connection.run("SELECT 1 FROM sqlite_schema WHERE name = 'expiries'").isEmpty
    else { return [] }
    var records: [ExpiryRecord] = []
    for row in try connection.run("SELECT * FROM expiries ORDER BY day") {
      let numbers = row.compactMap { value -> Int64? in
        if case .integer(let number) = value { number } else { nil }
      }
      guard numbers.count == 10, numbers[2] <= numbers[3] else {
        throw broken(path, "a record of retention is malformed")
      }
      let record = ExpiryRecord(
        day: numbers[0], appliedAt: numbers[1], earliest: numbers[2], latest: numbers[3],
        requests: Int(numbers[4]), outcomes: Int(numbers[5]), capacities: Int(numbers[6]),
        segments: Int(numbers[7]), bytes: Int(numbers[8]))
      guard record.checksum == numbers[9] else {
        throw broken(path, "a record of retention fails its checksum")
      }
      records.append(record)
    }
    return records
  }
}

extension ExpiryRecord {
  var checksum: Int64 {
    var sum = RowChecksum(table: "expiries")
    for time in [day, appliedAt, earliest, latest] { sum.add(time) }
    for count in [requests, outcomes, capacities, segments, bytes] { sum.add(count) }
    return sum.value
  }
}

extension CatalogState {
  /// Takes a step of retention in.
  mutating func add(_ record: ExpiryRecord) {
    if let place = expiries.firstIndex(where: { $0.day == record.day }) {
      expiries[place].merge(record)
    } else {
      expiries.append(record)
      expiries.sort { $0.day < $1.day }
    }
  }
}
