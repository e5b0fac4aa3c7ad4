internal import FarthingCore

/// Which detector of which series an alarm is from.
struct AlarmKey: Hashable, Sendable, Archivable {
  enum Family: UInt8, Sendable {
    case spend, traffic, trouble, fallback, taskFailure, driver, task, prompt, pool, price
  }

  var family = Family.spend
  var dimension = ObservedDimension.identity
  var name = ObservedName.absent
  /// The driver, or the hash of a task.
  var detail: UInt64 = 0

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&family)
    archive.field(&dimension)
    archive.field(&name)
    archive.field(&detail)
  }
}

/// A detector's verdict that something departs: a value, without memory.
struct Alarm: Sendable {
  var key: AlarmKey
  var kind: AlertKind
  var metric: String
  /// Buckets.
  var start: Int64
  var detected: Int64
  var expected: Double?
  var actual: Double?
  /// US dollars beyond the expectation so far, and an hour as it goes now.
  var excess: Double
  var perHour: Double
  /// What is to be split for its cause; nil where the series is the cause.
  var measure: SplitMeasure?
  /// Whether it came by the path that sees attacks within seconds.
  var isFast = false
  /// The evidence in words.
  var evidence: String
  /// The slice beside the series' own, such as the workload of a task.
  var context: CellKey?
  var text = ""

  /// Whether it is about less money rather than more.
  var isDrop: Bool { kind == .spendDrop }
}

/// What a series that has an open alarm says of it later.
struct AlarmProgress: Sendable {
  var key: AlarmKey
  var excess: Double
  var perHour: Double
  var actual: Double?
  /// How many times what its series usually spends; nil where it is not about one identity's spend.
  var towering: Double?
}
