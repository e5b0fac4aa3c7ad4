/// What is known of one file of the spool.
struct SpoolFile: Sendable {
  /// Ascends from file to file.
  let number: Int64
  let firstSequence: Int64
  /// The last durable record, readable or not; one below ``firstSequence`` where there is none.
  var lastSequence: Int64
  /// Where its durable records end.
  var end: Int
  /// Events of its records that are not acknowledged.
  var waitingEvents = 0
  /// When its first record that was not acknowledged arrived, Unix nanoseconds; nil where there is none.
  var oldestTime: Int64?
  /// Whether it holds the positions of all sources as of its beginning.
  var carriesPositions = false
  /// Whether something of it was lost: it is kept aside and not removed.
  var isDamaged = false

  init(number: Int64, firstSequence: Int64) {
    self.number = number
    self.firstSequence = firstSequence
    lastSequence = firstSequence - 1
    end = LogFormat.recordsOffset
  }

  static let suffix = ".spool"

  var name: String { Self.name(number: number, firstSequence: firstSequence) }

  static func name(number: Int64, firstSequence: Int64) -> String {
    "\(padded(number, 10))-\(padded(firstSequence, 16))\(suffix)"
  }

  /// The file that a name says; nil for other names.
  init?(name: String) {
    guard name.hasSuffix(Self.suffix) else { return nil }
    let parts = name.dropLast(Self.suffix.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int64(parts[0]), let first = Int64(parts[1]), number > 0,
      first > 0, Self.name(number: number, firstSequence: first) == name
    else { return nil }
    self.init(number: number, firstSequence: first)
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// The bounds of a spool; each default says where it comes from.
package struct SpoolOptions: Sendable {
  /// Bytes of disk that the records may take; beyond, nothing is taken until the server has taken
  /// some. 1 GiB is about 13 million requests, three days of 50 a second.
  package var capacity = 1 << 30
  /// Bytes after which a new file begins: what is acknowledged goes file by file.
  package var fileBytes = 16 << 20
  /// Payload that shares one sync.
  package var groupBytes = 8 << 20
  /// Payload that may wait for the disk; appends wait beyond.
  package var maximumPendingBytes = 64 << 20
  /// Acknowledgements are made durable when so many nanoseconds have gone by, and before a file goes.
  package var stateInterval: Int64 = 1_000_000_000

  /// What stands for a section without events in the records that only carry positions.
  package var emptySection: [UInt8] = []

  package init() {}

  /// At least eight files within the capacity, so that what is acknowledged makes room.
  var rotationBytes: Int { max(LogFormat.recordsOffset + 4096, min(fileBytes, capacity / 8)) }
}

/// How a spool stands.
package struct SpoolSurvey: Sendable, Equatable {
  /// Under what the server knows it.
  package var stream: UInt64
  /// Events and records that the server has not acknowledged.
  package var waitingEvents: Int
  package var waitingRecords: Int64
  /// Bytes on the disk, and how many they may be.
  package var bytes: Int
  package var capacity: Int
  /// When the oldest of the waiting events arrived, Unix nanoseconds; nil where none waits.
  package var oldestTime: Int64?
  /// The last record that is durable, and the last that the server acknowledged.
  package var lastSequence: Int64
  package var acknowledged: Int64
  /// Records that damage took, since this process opened the spool.
  package var lostRecords: Int64
  /// Appends that were refused since the spool was opened, for it was full.
  package var refusedAppends: Int
  /// Events of batches that were kept aside since the spool was opened.
  package var setAsideEvents: Int
}
