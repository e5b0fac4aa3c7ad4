package import FarthingCore

/// A question about unit costs as a value: what to compute, over which requests, in which groups.
///
/// An executor turns it into a ``QueryResult``; nothing in it depends on where the requests are.
package struct QueryPlan: Sendable, Equatable {
  package var metrics: [Metric]
  package var groups: [RequestField]
  /// nil keeps every request.
  package var filter: FilterExpression?
  /// First instant of the window, Unix nanoseconds; nil where all that is stored counts.
  package var since: Int64?
  /// First instant after the window, Unix nanoseconds; nil where all that is stored counts.
  package var until: Int64?
  /// nil puts all times into one row.
  package var every: BucketWidth?
  /// Where buckets are aligned.
  package var timeZone: TimeZoneRules
  /// Greatest first, instead of by time and group.
  package var order: Metric?
  /// Keep only the first rows of the order.
  package var limit: Int?
  /// Over the tasks whose first request in the whole store lies in the window (and passes no
  /// filter yet), with all their requests whenever they came; requests without a task are left out.
  package var closedCohort: Bool
  /// Which charge costs, states and prices are of.
  package var prices: PriceKnowledge

  package init(
    metrics: [Metric], groups: [RequestField] = [], filter: FilterExpression? = nil,
    since: Int64? = nil, until: Int64? = nil, every: BucketWidth? = nil,
    timeZone: TimeZoneRules = .utc, order: Metric? = nil, limit: Int? = nil,
    closedCohort: Bool = false, prices: PriceKnowledge = .current
  ) {
    self.metrics = metrics
    self.groups = groups
    self.filter = filter
    self.since = since
    self.until = until
    self.every = every
    self.timeZone = timeZone
    self.order = order
    self.limit = limit
    self.closedCohort = closedCohort
    self.prices = prices
  }
}

/// A question for the requests themselves: oldest first, ties by `id`.
package struct EventsPlan: Sendable, Equatable {
  package var columns: [RequestField]
  package var filter: FilterExpression?
  package var since: Int64?
  package var until: Int64?
  package var limit: Int?
  /// Which charge costs, states and prices are of.
  package var prices: PriceKnowledge

  package init(
    columns: [RequestField], filter: FilterExpression? = nil, since: Int64? = nil,
    until: Int64? = nil, limit: Int? = nil, prices: PriceKnowledge = .current
  ) {
    self.columns = columns
    self.filter = filter
    self.since = since
    self.until = until
    self.limit = limit
    self.prices = prices
  }
}
