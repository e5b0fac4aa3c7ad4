package import FarthingCore

/// What a store holds, from what its segments say of themselves.
package struct StoreSurvey: Sendable {
  /// The events of one kind.
  package struct Events: Sendable {
    package var kind: EventKind
    /// Sealed ones and those that are in the log only.
    package var rows = 0
    package var unsealedRows = 0
    package var segments = 0
    /// Bytes of the segments.
    package var bytes = 0
    /// Range of `time`, both ends included, Unix nanoseconds; nil where there is no row.
    package var time: ClosedRange<Int64>?
    /// Likewise of arrival.
    package var receivedTime: ClosedRange<Int64>?
  }

  /// One column over all sealed segments of a kind.
  package struct Column: Sendable {
    package var kind: EventKind
    package var name: String
    package var bytes = 0
    /// Segments in which some row has a value.
    package var segments = 0
    /// Most texts that a dictionary of one segment has; nil for columns without a dictionary.
    package var largestDictionary: Int?
  }

  /// In the order of the kinds.
  package var events: [Events] = []
  /// The largest first.
  package var columns: [Column] = []
  /// Footers and what segments know of their rows.
  package var footerBytes = 0
  package var logFiles = 0
  package var logBytes = 0
  /// The catalogue with SQLite's side files.
  package var catalogBytes = 0
  /// Rows of the segments in which some row arrived within the deduplication window, and of the log:
  /// as many ids, at most, are remembered.
  package var windowRows = 0
  package var priceLists: [PriceListEntry] = []
  /// Catalogue as of the survey.
  package var state = CatalogState()
  /// What the answers lack.
  package var damage: [DamageReport] = []

  package var segmentBytes: Int { events.reduce(0) { $0 + $1.bytes } }
  package var rows: Int { events.reduce(0) { $0 + $1.rows } }

  /// Looks at the store in a folder without a lock; footers, dictionaries' sizes and the log are read.
  ///
  /// - Parameter now: Unix nanoseconds.
  /// - Throws: `notFound` where there is no store; otherwise as ``StoreReader``.
  package init(
    directory: String, now: Int64, fileSystem: any FileSystem = PosixFileSystem()
  ) throws(StoreError) {
    let layout = StoreLayout(directory: directory)
    state = try CatalogReader.state(layout: layout, fileSystem: fileSystem)
    priceLists = try CatalogReader.priceLists(layout: layout, fileSystem: fileSystem)
    let snapshot = try StoreReader.snapshot(directory: directory, fileSystem: fileSystem)
    damage = snapshot.damage
    let (oldest, underflow) = now.subtractingReportingOverflow(StoreOptions().deduplicationWindow)
    for kind in EventKind.allCases {
      add(snapshot.segments(kind), of: kind, oldestArrival: underflow ? .min : oldest)
    }
    columns.sort { ($1.bytes, $0.name) < ($0.bytes, $1.name) }
    for name in try fileSystem.list(layout.logDirectory) ?? [] where !name.hasSuffix(".bad") {
      logFiles += 1
      logBytes += try fileSystem.size("\(layout.logDirectory)/\(name)") ?? 0
    }
    for ending in ["", "-wal", "-shm"] {
      catalogBytes += try fileSystem.size(layout.catalogPath + ending) ?? 0
    }
  }

  private mutating func add(
    _ segments: [SegmentReader], of kind: EventKind, oldestArrival: Int64
  ) {
    var events = Events(kind: kind)
    var columns: [String: Column] = [:]
    for segment in segments {
      events.rows += segment.rowCount
      let time = segment.minimumTime...segment.maximumTime
      let received = segment.minimumReceivedTime...segment.maximumReceivedTime
      events.time = events.time.map { Self.union($0, time) } ?? time
      events.receivedTime = events.receivedTime.map { Self.union($0, received) } ?? received
      if segment.maximumReceivedTime >= oldestArrival { windowRows += segment.rowCount }
      guard segment.segmentID >= 0 else {
        events.unsealedRows += segment.rowCount
        continue
      }
      events.segments += 1
      events.bytes += segment.byteCount
      var rest = segment.byteCount
      for directory in segment.columns {
        let name = directory.name.rawValue
        var column = columns[name] ?? Column(kind: kind, name: name)
        let bytes = segment.byteCount(of: directory.name)
        rest -= bytes
        column.bytes += bytes
        column.segments += 1
        if directory.kind == .codes {
          column.largestDictionary = max(column.largestDictionary ?? 0, directory.entryCount)
        }
        columns[name] = column
      }
      footerBytes += max(0, rest)
    }
    if events.rows > 0 { self.events.append(events) }
    self.columns += columns.values
  }

  private static func union(
    _ left: ClosedRange<Int64>, _ right: ClosedRange<Int64>
  ) -> ClosedRange<Int64> {
    min(left.lowerBound, right.lowerBound)...max(left.upperBound, right.upperBound)
  }
}
