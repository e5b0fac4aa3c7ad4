internal import FarthingCore

/// Lengths of time for people.
package enum LengthText {
  /// A length of time for people: `40s`, `12m`, `3h 05m`, `2d 04h`.
  package static func readable(_ nanoseconds: Int64) -> String {
    let seconds = max(0, nanoseconds / CivilTime.second)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if seconds < 60 { return "\(seconds)s" }
    if seconds < 3600 { return "\(seconds / 60)m" }
    if seconds < 86_400 { return "\(seconds / 3600)h \(two(seconds / 60 % 60))m" }
    return "\(seconds / 86_400)d \(two(seconds / 3600 % 24))h"
  }
}
