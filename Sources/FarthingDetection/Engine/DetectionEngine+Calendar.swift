internal import FarthingCore

/// What was announced, so laid out that a look at any time is at few entries.
struct AnnouncedTimes: Sendable {
  private struct Entry: Sendable {
    var start: Int64
    var end: Int64
    var factor: Double
    var meant: [(dimension: ObservedDimension, value: String)]
  }

  /// Entries by the days that they touch; those of more than a month stand apart.
  private var days: [Int64: [Entry]] = [:]
  private var long: [Entry] = []
  let isEmpty: Bool

  /// Entries that are narrowed by a field which detection does not see hold for nothing.
  init(_ calendar: [AnnouncedEvent]) {
    isEmpty = calendar.isEmpty
    for event in calendar where event.end > event.start {
      let meant = event.dimensions.compactMap { value in
        ObservedDimension.allCases.first { $0.contractName == value.dimension }
          .map { (dimension: $0, value: value.value) }
      }
      guard meant.count == event.dimensions.count else { continue }
      let entry = Entry(
        start: event.start, end: event.end, factor: event.factor, meant: meant)
      let first = CivilTime.floorDivide(event.start, CivilTime.day)
      let last = CivilTime.floorDivide(event.end - 1, CivilTime.day)
      if last - first > 31 {
        long.append(entry)
      } else {
        for day in first...last { days[day, default: []].append(entry) }
      }
    }
  }

  /// Calls `body` with the factor of each entry in force at a time whose dimensions `isMeant` accepts.
  func forEach(
    at time: Int64, _ isMeant: (ObservedDimension, String) -> Bool, _ body: (Double) -> Void
  ) {
    let day = days[CivilTime.floorDivide(time, CivilTime.day)] ?? []
    for entries in [long, day] {
      for entry in entries where time >= entry.start && time < entry.end {
        if entry.meant.allSatisfy({ isMeant($0.dimension, $0.value) }) { body(entry.factor) }
      }
    }
  }
}

extension DetectionEngine {
  /// By what an announced event multiplies the spend of a slice; 1 where none is announced, or less than usual.
  func calendarFactor(_ key: CellKey, bucket: Int64) -> Double {
    if announced.isEmpty { return 1 }
    var factor = 1.0
    announced.forEach(
      at: bucket * OpenBucket.nanoseconds, { text($0, key[$0]) == $1 }, { factor = max(factor, $0) }
    )
    return min(factor, 1e6)
  }

  /// Whether less than usual was announced for a series, or for a part of it.
  func isFallAnnounced(_ dimension: ObservedDimension, _ name: ObservedName, bucket: Int64) -> Bool
  {
    if announced.isEmpty { return false }
    var isFall = false
    announced.forEach(
      at: bucket * OpenBucket.nanoseconds, { $0 != dimension || text(dimension, name) == $1 },
      { isFall = isFall || $0 < 1 })
    return isFall
  }
}
