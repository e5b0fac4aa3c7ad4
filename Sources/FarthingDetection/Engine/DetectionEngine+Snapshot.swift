// Snapshots: version 2 is a magic word, the version, and the fields of every state in the order below.

internal import FarthingCore

extension DetectionEngine {
  private static let magic: UInt64 = 0x4641_5254_4845_4E47
  private static let version: UInt64 = 2

  /// The whole state as bytes, those of the open buckets included.
  ///
  /// - Complexity: O(state).
  package func snapshot() -> [UInt8] {
    var copy = self
    var archive = StateArchive()
    copy.archive(&archive)
    return archive.bytes
  }

  /// The engine whose state `snapshot` is; nil where it is not one of this version, or damaged.
  ///
  /// The settings may differ from those it was made with: they hold from now on.
  package init?(snapshot: [UInt8], settings: DetectionSettings) {
    self.init(settings: settings)
    var archive = StateArchive(reading: snapshot)
    self.archive(&archive)
    guard archive.isComplete, isConsistent else { return nil }
  }

  /// Whether every number of a name has a name: the bytes may be of anybody's making.
  private var isConsistent: Bool {
    let identities = names[0].texts.count
    guard spend[0].count <= identities + 1, spend.count == 3, busy.count == 3 else { return false }
    for table in 0..<3 {
      guard busy[table].allSatisfy({ Int($0) < spend[table].count }) else { return false }
    }
    guard ratios.allSatisfy({ $0.isEmpty || $0.count == Driver.allCases.count }) else {
      return false
    }
    return openBuckets.count <= Self.maximumOpenBuckets
  }

  private mutating func archive(_ archive: inout StateArchive) {
    var magic = Self.magic
    var version = Self.version
    archive.field(&magic)
    archive.field(&version)
    guard magic == Self.magic, version == Self.version else { return archive.refuse() }
    for place in names.indices { archive.field(&names[place]) }
    archive.field(&constantPrices)
    Self.archive(&newIdentities, &archive)
    archive.field(&newIdentitiesDay)
    archive.optional(&nextBucket, 0) { $1.field(&$0) }
    archive.field(&firstBucket)
    archive.field(&openBuckets, OpenBucket(number: 0))
    archive.field(&lateCount)
    archive.field(&aheadCount)
    for table in spend.indices {
      archive.field(&spend[table], SpendSeries())
      var codes = busy[table].sorted()
      archive.field(&codes)
      busy[table] = Set(codes)
      archive.array(&traffic[table], nil) { series, archive in
        archive.optional(&series, TrafficSeries()) { $0.archive(&$1) }
      }
    }
    archive.field(&hits)
    archive.array(&ratios, []) { $1.field(&$0, RatioSeries()) }
    archive.field(&priceIndices)
    archive.field(&tasks)
    archiveRunaways(&archive)
    Self.archive(&prompts, PromptSeries(), &archive)
    Self.archive(&pools, PoolSeries(), &archive)
    Self.archive(&prices, PriceShift(), &archive)
    archive.field(&sites)
    archive.field(&history)
    archive.field(&board)
    archive.field(&upperQuartile)
    Self.archive(&homes, CellKey.none, &archive)
    archiveChanges(&archive)
  }

  private mutating func archiveRunaways(_ archive: inout StateArchive) {
    var numbers = runaways.keys.sorted()
    archive.array(&numbers, 0) { $1.field(&$0) }
    for number in numbers {
      var bucket = runaways[number] ?? 0
      archive.field(&bucket)
      runaways[number] = bucket
    }
  }

  /// Changes that were found by arrival and not handed out yet are the incidents of the board, told anew.
  private mutating func archiveChanges(_ archive: inout StateArchive) {
    var untold: [String] = changes.compactMap { change in
      if case .fired(let incident) = change { return incident.id }
      return nil
    }
    archive.field(&untold)
    guard archive.isReading else { return }
    changes = board.incidents.filter { untold.contains($0.id) }.map { .fired(board.value($0)) }
  }

  private static func archive(
    _ counts: inout [UInt32: Int], _ archive: inout StateArchive
  ) {
    var codes = counts.keys.sorted()
    archive.field(&codes)
    for code in codes {
      var count = counts[code] ?? 0
      archive.field(&count)
      counts[code] = count
    }
  }

  private static func archive<Value: Archivable>(
    _ values: inout [UInt32: Value], _ empty: Value, _ archive: inout StateArchive
  ) {
    var codes = values.keys.sorted()
    archive.field(&codes)
    for code in codes {
      var value = values[code] ?? empty
      archive.field(&value)
      values[code] = value
    }
  }
}
