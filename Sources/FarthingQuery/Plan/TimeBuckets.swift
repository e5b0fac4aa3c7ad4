internal import FarthingCore

/// Cuts time into the buckets of `--every`: which bucket an instant lies in.
///
/// Every instant lies in exactly one bucket. Widths of at most an hour are slices of fixed length,
/// so the hour that clocks repeat in autumn gives two buckets; longer ones begin at the first
/// instant that shows their local start.
package struct TimeBuckets: Sendable, Hashable {
  package let width: BucketWidth
  package let zone: TimeZoneRules

  package init(width: BucketWidth, zone: TimeZoneRules) {
    self.width = width
    self.zone = zone
  }

  /// Where the bucket of an instant starts, and until when (at most its end) that answer holds.
  package func bucket(containing time: Int64) -> (start: Int64, until: Int64) {
    let second = time.floored(by: CivilTime.second)
    let length = width.count * width.unit.seconds
    if zone.isUTC && width.unit != .week {
      let start = second.floored(by: length) * length
      return (nanoseconds(start), nanoseconds(start + length))
    }
    let offset = Int64(zone.offset(at: second))
    if length <= 3_600 {
      let start = (second + offset).floored(by: length) * length - offset
      let end = firstOffsetChange(from: second, to: start + length, offset: offset)
      return (
        nanoseconds(lastOffsetChange(from: start, to: second, offset: offset)), nanoseconds(end)
      )
    }
    // Monday, 29 December 1969, begins the first week; days count from 1970.
    let origin: Int64 = width.unit == .week ? -3 * 86_400 : 0
    var index = (second + offset - origin).floored(by: length)
    // Around a change of the clocks the guess by the offset in force may be one bucket off.
    while zone.firstSecond(showing: origin + index * length) > second { index -= 1 }
    while zone.firstSecond(showing: origin + (index + 1) * length) <= second { index += 1 }
    return (
      nanoseconds(zone.firstSecond(showing: origin + index * length)),
      nanoseconds(zone.firstSecond(showing: origin + (index + 1) * length))
    )
  }

  private func nanoseconds(_ second: Int64) -> Int64 {
    CivilTime.nanoseconds(seconds: Int128(second))
  }

  /// The second from which the offset at `last` is in force, or `start` where that was before.
  private func lastOffsetChange(from start: Int64, to last: Int64, offset: Int64) -> Int64 {
    if Int64(zone.offset(at: start)) == offset { return start }
    var low = start
    var high = last
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if Int64(zone.offset(at: middle)) == offset { high = middle } else { low = middle }
    }
    return high
  }

  /// The first second after `first` whose offset differs, or `end` where none does.
  private func firstOffsetChange(from first: Int64, to end: Int64, offset: Int64) -> Int64 {
    if Int64(zone.offset(at: end - 1)) == offset { return end }
    var low = first
    var high = end - 1
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if Int64(zone.offset(at: middle)) == offset { low = middle } else { high = middle }
    }
    return high
  }
}
