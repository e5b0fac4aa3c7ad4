/// Which calls are retries of which, told by the trace that a gateway gives one client request.
///
/// Failed attempts wait here for the next record of their trace. A success ends a trace's chain, so
/// that a later request of the same session starts anew. Bounded: traces wait in two generations of
/// at most `generationLimit`, and when the younger is full the older is forgotten; a retry that comes
/// even later counts as a first attempt.
struct AttemptLinks: Sendable {
  struct Failure: Sendable {
    var time: Int64
    var model: String?
    var route: String?
  }

  /// What the earlier failures say about a call.
  struct Link: Equatable, Sendable {
    /// 1 for a first attempt on its route.
    var attempt: Int64 = 1
    /// The model first asked, where another route was.
    var fallbackFrom: String?
  }

  let generationLimit: Int
  private var younger: [String: [Failure]] = [:]
  private var older: [String: [Failure]] = [:]

  init(generationLimit: Int = 65_536) { self.generationLimit = generationLimit }

  /// Links a call to the failures of its trace before it, and remembers it if it failed too.
  mutating func link(
    trace: String, time: Int64, model: String?, route: String?, isFailure: Bool
  ) -> Link {
    let known = (older[trace] ?? []) + (younger[trace] ?? [])
    let earlier = known.filter { $0.time < time }
    var link = Link()
    link.attempt += Int64(earlier.count { $0.route == route })
    if let first = earlier.min(by: { $0.time < $1.time }), first.route != route {
      link.fallbackFrom = first.model
    }
    if !isFailure {
      younger[trace] = nil
      older[trace] = nil
    } else if !known.contains(where: { $0.time == time }) {
      // The same record delivered twice is one failure.
      remember(Failure(time: time, model: model, route: route), of: trace)
    }
    return link
  }

  private mutating func remember(_ failure: Failure, of trace: String) {
    if younger[trace] == nil && younger.count >= generationLimit {
      older = younger
      younger = [:]
    }
    younger[trace, default: []].append(failure)
  }
}
