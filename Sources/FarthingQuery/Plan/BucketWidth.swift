/// The width of a time bucket: `5m`, `1h`, `1d`, `2w`.
///
/// Seconds, minutes and hours are of fixed length and aligned to midnight of 1 January 1970 in the
/// zone's local time; days and weeks are calendar days of the zone, weeks begin on Monday.
package struct BucketWidth: Sendable, Hashable {
  package enum Unit: String, Sendable, CaseIterable {
    case second = "s"
    case minute = "m"
    case hour = "h"
    case day = "d"
    case week = "w"

    /// Its nominal length in seconds.
    package var seconds: Int64 {
      switch self {
      case .second: 1
      case .minute: 60
      case .hour: 3_600
      case .day: 86_400
      case .week: 604_800
      }
    }
  }

  package let count: Int64
  package let unit: Unit

  /// - Parameter text: A whole number of at least 1 and a unit: `30s`, `5m`, `1h`, `1d`, `1w`.
  package init?(_ text: String) {
    guard let last = text.last, let unit = Unit(rawValue: String(last)),
      let count = Int64(text.dropLast()), count >= 1, count <= 1_000_000,
      text.utf8.first.map({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) == true
    else { return nil }
    self.count = count
    self.unit = unit
  }

  package init(count: Int64, unit: Unit) {
    self.count = count
    self.unit = unit
  }
}
