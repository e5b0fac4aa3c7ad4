/// What a synthetic fleet looks like and how long it is watched.
///
/// Equal options give equal bytes on every machine; see ``EventSynthesis``.
package struct SynthesisOptions: Sendable, Equatable {
  /// Chooses every random draw. Any value; neighbouring seeds are as different as distant ones.
  package var seed: UInt64
  /// When watching begins: Unix nanoseconds. Tasks that began before are not seen.
  package var start: Int64
  /// How long the fleet is watched, in nanoseconds; events that arrive at the end or later are cut.
  package var duration: Int64
  /// Mean requests a day over a whole week, retries included and incidents left out.
  ///
  /// The seasons of the day and week move around this mean, so a span that is no whole week may
  /// see a third more or less.
  package var requestsPerDay: Int
  /// Customers, whose sizes follow Zipf's law; at least 1.
  package var tenants: Int
  /// Workload identities, each calling for one tenant and one workload; at least ``tenants``.
  package var identities: Int
  /// Applications; the first 14 are all different, later ones are variants of these.
  package var workloads: Int
  /// Points of presence, at least 1.
  package var sites: Int
  /// Whether outcome events (how a task ended, late ones and corrections too) are part of the stream.
  package var outcomes: Bool
  /// Stops the stream after so many request events; nil for no limit but ``duration``.
  package var requestLimit: Int?
  /// What goes wrong, and what only looks like it.
  package var incidents: [IncidentSpecification]

  /// The default is a fortnight of a middling company from Monday, 2 March 2026, without incidents.
  package init(
    seed: UInt64 = 1,
    start: Int64 = 1_772_409_600_000_000_000,
    duration: Int64 = 14 * CivilTime.day,
    requestsPerDay: Int = 5_000,
    tenants: Int = 24,
    identities: Int = 72,
    workloads: Int = 14,
    sites: Int = 8,
    outcomes: Bool = true,
    requestLimit: Int? = nil,
    incidents: [IncidentSpecification] = []
  ) {
    self.seed = seed
    self.start = start
    self.duration = duration
    self.requestsPerDay = requestsPerDay
    self.tenants = tenants
    self.identities = identities
    self.workloads = workloads
    self.sites = sites
    self.outcomes = outcomes
    self.requestLimit = requestLimit
    self.incidents = incidents
  }

  /// The options' limits.
  ///
  /// - Throws: ``SynthesisError`` naming every option that is out of range, its value and its range.
  package func validate() throws(SynthesisError) {
    var faults: [String] = []
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) {
      if !range.contains(value) {
        faults.append(
          "\(name) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
      }
    }
    // Bounds on counts keep the fleet's tables small; those on time keep every sum of a start, a
    // duration and a latency inside 64 bits and inside the years that the event contract accepts.
    check("requests a day", requestsPerDay, 1...2_000_000_000)
    check("tenants", tenants, 1...20_000)
    check("identities", identities, 1...200_000)
    check("workloads", workloads, 1...500)
    check("sites", sites, 1...200)
    check("duration in seconds", Int(duration / 1_000_000_000), 1...(366 * 86_400))
    if identities < tenants {
      faults.append("identities is \(identities), expected at least one for each tenant")
    }
    if let requestLimit, requestLimit < 1 {
      faults.append("the limit of requests is \(requestLimit), expected at least 1")
    }
    if start < CivilTime.nanoseconds(year: 2000, month: 1, day: 1)
      || start >= CivilTime.nanoseconds(year: 2200, month: 1, day: 1)
    {
      faults.append("start is \(CivilTime.text(start)), expected a time from 2000 to 2199")
    }
    if !faults.isEmpty { throw SynthesisError(message: faults.joined(separator: "; ")) }
  }
}

/// Why a stream cannot be synthesised; all of it is the caller's input.
package struct SynthesisError: Error, Sendable, Equatable, CustomStringConvertible {
  /// One sentence, or several joined by semicolons: place, value, expectation.
  package var message: String
  package var description: String { message }

  package init(message: String) {
    self.message = message
  }
}
