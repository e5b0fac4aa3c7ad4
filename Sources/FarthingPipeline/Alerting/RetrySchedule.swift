internal import FarthingCore

/// When a notification that could not be delivered is tried again.
///
/// Pauses double from five seconds to a quarter of an hour and stay there, each stretched by up to a
/// fifth at random, until three days have gone by. So a receiver that comes back is told within a
/// quarter of an hour, and one that is away over a long weekend still is.
package enum RetrySchedule {
  static let first = 5 * CivilTime.second
  static let longest = 15 * CivilTime.minute
  /// Nothing is given up before.
  package static let span = 72 * CivilTime.hour
  /// Longest that a receiver's `Retry-After` is taken at its word.
  static let longestAsked = 24 * CivilTime.hour

  /// The pause after so many attempts that failed.
  ///
  /// - Parameters:
  ///   - attempts: at least 1.
  ///   - asked: seconds of `Retry-After`; nil where the receiver asked for none.
  ///   - random: any number; the same gives the same pause.
  /// - Returns: nanoseconds.
  package static func pause(attempts: Int, asked: Int64?, random: UInt64) -> Int64 {
    let doublings = min(max(attempts - 1, 0), 8)
    let base = min(first << Int64(doublings), longest)
    let pause = base + Int64(random % UInt64(base / 5))
    guard let asked, asked > 0 else { return pause }
    let (wanted, overflow) = asked.multipliedReportingOverflow(by: CivilTime.second)
    return max(pause, overflow ? longestAsked : min(wanted, longestAsked))
  }
}
