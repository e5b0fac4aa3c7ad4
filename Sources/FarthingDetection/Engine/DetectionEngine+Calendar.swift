internal import FarthingCore

extension DetectionEngine {
  /// By what an announced event multiplies the spend of a slice; 1 where none is announced.
  func calendarFactor(_ key: CellKey, bucket: Int64) -> Double {
    if settings.calendar.isEmpty { return 1 }
    let time = bucket * OpenBucket.nanoseconds
    var factor = 1.0
    for event in settings.calendar where time >= event.start && time < event.end {
      let isMeant = event.dimensions.allSatisfy { dimension in
        guard
          let known = ObservedDimension.allCases.first(where: {
            $0.contractName == dimension.dimension
          })
        else { return false }
        return text(known, key[known]) == dimension.value
      }
      if isMeant { factor = max(factor, event.factor) }
    }
    return min(max(factor, 1), 1e6)
  }
}
