package import FarthingCore

/// One value of one dimension: part of the slice that an incident is about.
package struct DimensionValue: Sendable, Hashable {
  /// A field of the contract, such as `identity`, `workload` or `endpoint`; `pool` too.
  package var dimension: String
  package var value: String

  package init(dimension: String, value: String) {
    self.dimension = dimension
    self.value = value
  }
}

/// What is known of one cause by which money goes astray, at one moment.
///
/// Detectors, rules and budgets hand these to whoever keeps, shows and delivers them; people's part in it
/// (acknowledged, silenced) is not known here. Times are Unix nanoseconds, of the events for what detectors found. Figures of
/// expectation are estimates and so binary floating point; money that was spent is exact.
package struct Incident: Sendable, Equatable {
  /// Made of kind, slice and start: the same history gives the same id, a new one for each incident.
  package var id: String
  package var kind: AlertKind
  package var severity: AlertSeverity
  /// The unit metric that departed, as `farthing query` names it, such as `cost` or `cost_per_request`.
  package var metric: String
  /// The narrowest slice that explains the excess, the most telling dimension first; never empty but for
  /// causes that touch everything.
  package var dimensions: [DimensionValue]
  /// When the departure began.
  package var startedAt: Int64
  /// When it was certain enough to be told.
  package var detectedAt: Int64
  /// When it was over; nil while it goes on.
  package var resolvedAt: Int64?
  /// What the metric was expected to be, in its own unit; nil where nothing was expected.
  package var expected: Double?
  package var actual: Double?
  /// What was spent beyond the expectation since the start; nil where it cannot be said.
  package var excess: Picodollars?
  /// The excess an hour as it goes now, in US dollars.
  package var usdPerHour: Double?
  /// One line for people.
  package var summary: String
  /// The evidence, a sentence each: statistic and threshold, what explains how much, examples, what
  /// would end it, what to do.
  package var explanation: [String]
  /// The dearest requests or tasks of the excess by id, at most five.
  package var examples: [String]
  /// Whether isolation may act on it: found by a path that sees attacks within seconds.
  package var isContainable: Bool
  /// What the rule or budget that it comes from adds for routing, such as `team`; never a dimension's name.
  package var labels: [String: String]

  package init(
    id: String, kind: AlertKind, severity: AlertSeverity, metric: String,
    dimensions: [DimensionValue], startedAt: Int64, detectedAt: Int64, resolvedAt: Int64? = nil,
    expected: Double? = nil, actual: Double? = nil, excess: Picodollars? = nil,
    usdPerHour: Double? = nil, summary: String, explanation: [String] = [],
    examples: [String] = [], isContainable: Bool = false, labels: [String: String] = [:]
  ) {
    self.id = id
    self.kind = kind
    self.severity = severity
    self.metric = metric
    self.dimensions = dimensions
    self.startedAt = startedAt
    self.detectedAt = detectedAt
    self.resolvedAt = resolvedAt
    self.expected = expected
    self.actual = actual
    self.excess = excess
    self.usdPerHour = usdPerHour
    self.summary = summary
    self.explanation = explanation
    self.examples = examples
    self.isContainable = isContainable
    self.labels = labels
  }
}

/// What happened to an incident. A consumer that keeps the newest value of each id knows all there is.
package enum IncidentChange: Sendable, Equatable {
  /// It may become one: seen, not certain yet. Nobody is told.
  case pending(Incident)
  /// It is certain now.
  case fired(Incident)
  /// Its figures, severity or slice changed.
  case updated(Incident)
  /// It is over.
  case resolved(Incident)
  /// It was pending and came to nothing.
  case dropped(id: String)
}
