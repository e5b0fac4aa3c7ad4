package import FarthingCore

/// What the catalogue knows of one segment.
package struct SegmentEntry: Sendable, Equatable {
  /// Never used twice, not even after the segment is gone.
  package var id: Int64
  package var kind: EventKind
  package var rowCount: Int
  package var byteCount: Int
  /// Range of the rows' `time`, both ends included, Unix nanoseconds.
  package var minimumTime: Int64
  package var maximumTime: Int64
  /// Range of the rows' arrival, both ends included, Unix nanoseconds.
  package var minimumReceivedTime: Int64
  package var maximumReceivedTime: Int64

  package init(
    id: Int64, kind: EventKind, rowCount: Int, byteCount: Int, time: ClosedRange<Int64>,
    receivedTime: ClosedRange<Int64>
  ) {
    self.id = id
    self.kind = kind
    self.rowCount = rowCount
    self.byteCount = byteCount
    minimumTime = time.lowerBound
    maximumTime = time.upperBound
    minimumReceivedTime = receivedTime.lowerBound
    maximumReceivedTime = receivedTime.upperBound
  }
}

extension [SegmentEntry] {
  /// By first arrival: the order in which rows came, whatever was merged since.
  var inArrivalOrder: [SegmentEntry] {
    sorted { ($0.minimumReceivedTime, $0.id) < ($1.minimumReceivedTime, $1.id) }
  }
}

/// What the catalogue knows of one log file.
package struct LogEntry: Sendable, Equatable {
  package var id: Int64
  /// The first sequence number that the file may hold; it supersedes what older files hold of it.
  package var firstSequence: Int64
}

/// A price list as it was imported.
package struct PriceListEntry: Sendable, Equatable {
  /// Import order: of two lists that name a model, the greater wins.
  package var id: Int64
  /// The name it was imported under, usually its file's.
  package var name: String
  /// The importer that reads ``bytes``: `litellm`, `genai-prices`, `yaml`.
  package var format: String
  /// Since when it holds, Unix nanoseconds; nil for all time.
  package var validFrom: Int64?
  /// Unix nanoseconds.
  package var importedAt: Int64
  package var bytes: [UInt8]
}

/// Damage that was found and set aside; every total that may lack its rows says so.
package struct DamageReport: Sendable, Equatable {
  /// The file at fault, relative to the data folder.
  package var file: String
  /// What is wrong where, what is missing through it, and what to do.
  package var message: String
  /// Rows that no answer contains because of it; nil where that is unknown.
  package var lostRows: Int?
  /// The kind of rows; nil where it is unknown or several are touched.
  package var kind: EventKind?

  package init(file: String, message: String, lostRows: Int? = nil, kind: EventKind? = nil) {
    self.file = file
    self.message = message
    self.lostRows = lostRows
    self.kind = kind
  }
}

/// Everything that a snapshot needs of the catalogue, as of one committed transaction.
package struct CatalogState: Sendable, Equatable {
  /// Grows by one with each commit.
  package var generation: Int64 = 0
  /// Random bytes of this store: the key of its id hashes, and a part of each log checksum.
  package var seed: [UInt8] = []
  package var nextSegmentID: Int64 = 1
  package var nextLogID: Int64 = 1
  /// By kind: rows of log records up to this sequence number are in segments.
  package var coveredSequence: [Int64] = [0, 0, 0]
  /// In order of their ids.
  package var segments: [SegmentEntry] = []
  /// In order of their ids.
  package var logs: [LogEntry] = []
  /// Segment and log files that are needed no more and may be there still.
  package var removals: [String] = []
  /// Damage that cost rows and was acknowledged by nobody yet.
  package var damage: [DamageReport] = []
  /// What retention dropped, the earliest day first.
  package var expiries: [ExpiryRecord] = []
  /// How far followed sources are read, in the order of their names.
  package var sources: [SourceEntry] = []

  /// The random bytes' first eight, as the number that log files carry.
  var storeID: UInt64 { seed.prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}

/// The names of files in a data folder.
package struct StoreLayout: Sendable, Equatable {
  package let directory: String

  package init(directory: String) {
    var trimmed = directory
    while trimmed.count > 1 && trimmed.hasSuffix("/") { trimmed.removeLast() }
    self.directory = trimmed
  }

  package var lockPath: String { "\(directory)/LOCK" }
  package var catalogPath: String { "\(directory)/catalog.sqlite" }
  static let alertsName = "alerts.sqlite"
  package var alertsPath: String { "\(directory)/\(Self.alertsName)" }
  package var isolationsPath: String { "\(directory)/isolations.sqlite" }
  package var segmentDirectory: String { "\(directory)/segments" }
  package var logDirectory: String { "\(directory)/log" }

  /// The name relative to the folder; `.new` until the catalogue lists it, `.tmp` while written.
  package static func segmentName(_ id: Int64) -> String { "segments/\(padded(id)).seg" }
  package static func logName(_ id: Int64) -> String { "log/\(padded(id)).log" }

  package func path(_ name: String) -> String { "\(directory)/\(name)" }

  /// The id in a file's name with this ending, nil where it has another form.
  package static func id(of name: String, suffix: String) -> Int64? {
    guard name.hasSuffix(suffix) else { return nil }
    let digits = name.dropLast(suffix.count)
    guard digits.count >= 10, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      return nil
    }
    return Int64(digits)
  }

  private static func padded(_ id: Int64) -> String {
    let digits = String(id)
    return String(repeating: "0", count: max(0, 10 - digits.count)) + digits
  }
}
