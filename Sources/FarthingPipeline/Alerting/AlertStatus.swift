/// How an alert stands; the raw values are the interface's.
///
/// An id never comes back: what happens again after it was resolved is another incident with an id of
/// its own. So every way through these ends in ``resolved``, or in nothing out of ``pending``.
package enum AlertStatus: String, Sendable, Hashable, CaseIterable {
  /// Seen, not certain yet; nobody is told. It may also go without a trace but its history.
  case pending
  /// Certain and going on, and nobody has said that they know.
  case firing
  /// Going on, and somebody has it in hand: no repetition is sent.
  case acknowledged
  /// Going on, and a silence or the configuration says that nobody is to be told.
  case silenced
  /// Over.
  case resolved

  /// The legal next states.
  package var next: Set<AlertStatus> {
    switch self {
    case .pending: [.firing, .silenced]
    case .firing: [.acknowledged, .silenced, .resolved]
    case .acknowledged: [.resolved]
    case .silenced: [.firing, .acknowledged, .resolved]
    case .resolved: []
    }
  }
}
