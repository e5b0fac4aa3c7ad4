/// Which calls are retries of which, told by the trace that a gateway gives one client request.
///
/// Failed attempts wait here for the next records of their trace, and a success ends a trace's chain,
/// so that a later request of the same session starts anew. What a record is told depends on the
/// records before it in time alone, so one that is delivered twice is told the same. Bounded: traces
/// wait in two generations of at most `generationLimit`, and when the younger is full the older is
/// forgotten; a retry that comes even later counts as a first attempt.
struct AttemptLinks: Sendable {
  struct Attempt: Sendable {
    var time: Int64
    var model: String?
    var route: String?
    var isFailure: Bool
  }

  /// What the earlier failures say about a call.
  struct Link: Equatable, Sendable {
    /// 1 for a first attempt on its route.
    var attempt: Int64 = 1
    /// The model first asked, where another route was.
    var fallbackFrom: String?
  }

  let generationLimit: Int
  /// Attempts of one trace that are kept, the latest of them.
  private static let chainLimit = 64
  private var younger: [String: [Attempt]] = [:]
  private var older: [String: [Attempt]] = [:]

  init(generationLimit: Int = 65_536) { self.generationLimit = generationLimit }

  /// Links a call to the failures of its trace before it, and remembers it where it failed or ended
  /// a chain.
  mutating func link(
    trace: String, time: Int64, model: String?, route: String?, isFailure: Bool
  ) -> Link {
    let known = (older[trace] ?? []) + (younger[trace] ?? [])
    let ended = known.filter { !$0.isFailure && $0.time < time }.map(\.time).max() ?? .min
    let earlier = known.filter { $0.isFailure && $0.time < time && $0.time > ended }
    var link = Link()
    link.attempt += Int64(earlier.count { $0.route == route })
    if let first = earlier.min(by: { $0.time < $1.time }), first.route != route {
      link.fallbackFrom = first.model
    }
    // The same record delivered twice is one; a success of a trace without failures ends no chain.
    if (isFailure || !known.isEmpty) && !known.contains(where: { $0.time == time }) {
      remember(
        Attempt(time: time, model: model, route: route, isFailure: isFailure), of: trace)
    }
    return link
  }

  private mutating func remember(_ attempt: Attempt, of trace: String) {
    if younger[trace] == nil && younger.count >= generationLimit {
      older = younger
      younger = [:]
    }
    var chain = younger[trace] ?? []
    if chain.count >= Self.chainLimit { chain.removeFirst() }
    chain.append(attempt)
    younger[trace] = chain
  }
}
