/// An event that was announced: a launch, a load test, a migration.
package struct AnnouncedEvent: Sendable, Equatable {
  /// Unix nanoseconds; the end is excluded.
  package var start: Int64
  package var end: Int64
  /// How many times the usual spend is expected; at least 0.
  package var factor: Double
  package var reason: String
  /// What it is about; empty for everything.
  package var dimensions: [DimensionValue]

  package init(
    start: Int64, end: Int64, factor: Double, reason: String, dimensions: [DimensionValue]
  ) {
    self.start = start
    self.end = end
    self.factor = factor
    self.reason = reason
    self.dimensions = dimensions
  }
}

/// What detection takes for worth telling, and its bounds. Everything has a default.
package struct DetectionSettings: Sendable, Equatable {
  /// Least US dollars beyond expectation that a spend alarm is about.
  package var minUSD: Double = 2
  /// Least US dollars beyond expectation behind an alarm of unit costs.
  package var minDriftUSD: Double = 0.5
  /// Least US dollars behind the hits of an alarm of retries, errors, fallbacks.
  package var minHitUSD: Double = 0.25
  /// Multiples of the expectation that are tolerated before excess is counted.
  package var tolerance: Double = 1.6
  /// Seconds of expected spend that an excess must exceed.
  package var excessSeconds: Double = 900
  /// US dollars an hour from which an incident is a warning, and critical.
  package var warningUSDPerHour: Double = 1
  package var criticalUSDPerHour: Double = 20
  /// What was announced.
  package var calendar: [AnnouncedEvent] = []
  /// Identities, and at most a tenth as many workloads and tenants, that have a series of their own.
  package var maximumSeries = 100_000
  /// New identities a tenant may bring in within a day before they are watched as one.
  package var maximumNewIdentities = 500
  /// Tasks that are followed at a time.
  package var maximumTasks = 65_536

  package init() {}
}
