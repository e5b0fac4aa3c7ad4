/// Picodollars of the newest four buckets that something was added to, as they come.
struct ArrivalWindow: Sendable, Archivable {
  private var bucket: Int64 = .min
  private var sums: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)

  /// Adds a cost.
  ///
  /// - Parameter turnsBack: begins anew at a bucket that is further behind than the window reaches.
  /// - Returns: the sum of the three buckets up to the newest; nil where the bucket is too far behind.
  mutating func add(_ cost: Int64, bucket at: Int64, turnsBack: Bool) -> Int64? {
    if bucket == .min || turnsBack && at < bucket - 3 {
      bucket = at
      sums = (0, 0, 0, 0)
    } else if at > bucket {
      for _ in 0..<min(4, at - bucket) { sums = (0, sums.0, sums.1, sums.2) }
      bucket = at
    }
    switch bucket - at {
    case 0: sums.0 = sums.0.addingClamped(cost)
    case 1: sums.1 = sums.1.addingClamped(cost)
    case 2: sums.2 = sums.2.addingClamped(cost)
    case 3: sums.3 = sums.3.addingClamped(cost)
    default: return nil
    }
    return sums.0.addingClamped(sums.1).addingClamped(sums.2)
  }

  mutating func archive(_ archive: inout StateArchive) {
    archive.field(&bucket)
    archive.field(&sums.0)
    archive.field(&sums.1)
    archive.field(&sums.2)
    archive.field(&sums.3)
  }
}
