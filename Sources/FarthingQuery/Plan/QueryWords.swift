internal import FarthingCore

/// A query as it was typed or sent: the words of the command line's flags and of HTTP's parameters.
///
/// Absent and empty words mean the same: the flag was not given.
package struct QueryWords: Sendable, Equatable {
  package var metrics: String
  package var by: String?
  package var filter: String?
  package var since: String?
  package var until: String?
  package var every: String?
  package var order: String?
  package var limit: String?
  package var closedCohort: Bool
  package var prices: String?

  package init(
    metrics: String, by: String? = nil, filter: String? = nil, since: String? = nil,
    until: String? = nil, every: String? = nil, order: String? = nil, limit: String? = nil,
    closedCohort: Bool = false, prices: String? = nil
  ) {
    self.metrics = metrics
    self.by = by
    self.filter = filter
    self.since = since
    self.until = until
    self.every = every
    self.order = order
    self.limit = limit
    self.closedCohort = closedCohort
    self.prices = prices
  }
}

extension QueryPlan {
  /// The plan that the words name.
  ///
  /// - Parameters:
  ///   - now: Unix nanoseconds, for times such as `24h` ago.
  ///   - timeZone: Where buckets are aligned and where a date's 00:00 is.
  /// - Throws: One ``QueryError`` that names every fault of the words, a line each; its code is
  ///   `unavailable` where the only fault is a metric that has no answer yet.
  package static func parse(
    _ words: QueryWords, now: Int64, timeZone: TimeZoneRules = .utc
  ) throws(QueryError) -> QueryPlan {
    var reader = WordReader(now: now, zone: timeZone)
    var plan = QueryPlan(
      metrics: reader.metrics(words.metrics), groups: reader.fields(words.by, of: "by"),
      filter: reader.filter(words.filter),
      since: reader.instant(words.since, of: "since"),
      until: reader.instant(words.until, of: "until"),
      every: reader.width(words.every), timeZone: timeZone,
      limit: reader.limit(words.limit), closedCohort: words.closedCohort,
      prices: reader.prices(words.prices))
    if let order = words.order.given { plan.order = reader.metric(order) }
    if plan.every != nil, plan.groups.contains(where: { $0.name == "time" }) {
      reader.fault("by: \"time\" cannot be grouped beside every, which has a column of that name")
    }
    let names = Set(plan.metrics.map(\.name))
    for field in plan.groups where names.contains(field.name) {
      reader.fault(
        "by: \"\(field.name)\" is asked for as a metric too, and an answer has one column of a name; "
          + "leave one of them out")
    }
    reader.window(plan.since, plan.until)
    for field in plan.groups where !field.isComparable {
      reader.fault("by: \(field.name) is an object; name one entry, as in \(field.name).NAME")
    }
    try reader.finish()
    return plan
  }
}

extension EventsPlan {
  /// The columns shown where none are named.
  package static let usualColumns =
    "time,id,model,provider,workload,tenant,identity,input_tokens,output_tokens,cost,cost_state,"
    + "status,latency_ms"

  /// The plan that the words name; see ``QueryPlan/parse(_:now:timeZone:)``.
  package static func parse(
    columns: String?, filter: String? = nil, since: String? = nil, until: String? = nil,
    limit: String? = nil, prices: String? = nil, now: Int64, timeZone: TimeZoneRules = .utc
  ) throws(QueryError) -> EventsPlan {
    var reader = WordReader(now: now, zone: timeZone)
    let plan = EventsPlan(
      columns: reader.fields(columns.given ?? usualColumns, of: "columns"),
      filter: reader.filter(filter), since: reader.instant(since, of: "since"),
      until: reader.instant(until, of: "until"), limit: reader.limit(limit),
      prices: reader.prices(prices))
    reader.window(plan.since, plan.until)
    if plan.columns.isEmpty { reader.fault("columns: name at least one field") }
    try reader.finish()
    return plan
  }
}

/// Reads words one by one and collects what is wrong with them.
private struct WordReader {
  let now: Int64
  let zone: TimeZoneRules
  private var faults: [QueryError] = []

  init(now: Int64, zone: TimeZoneRules) {
    self.now = now
    self.zone = zone
  }

  mutating func fault(_ message: String) { faults.append(QueryError(.usage, message)) }

  func finish() throws(QueryError) {
    guard let first = faults.first else { return }
    let code = faults.contains { $0.code == .usage } ? QueryError.Code.usage : first.code
    throw QueryError(code, faults.map(\.message).joined(separator: "\n"))
  }

  mutating func metrics(_ text: String) -> [Metric] {
    var metrics: [Metric] = []
    for name in WordReader.list(text) {
      if let metric = metric(name), !metrics.contains(metric) { metrics.append(metric) }
    }
    if WordReader.list(text).isEmpty {
      fault("name at least one metric, such as cost or cost_per_1m_tokens")
    }
    return metrics
  }

  mutating func metric(_ name: String) -> Metric? {
    guard let metric = Metric.named(name) else {
      fault(UnknownName.metric(name))
      return nil
    }
    if metric.definition == .unavailable {
      faults.append(
        QueryError(
          .unavailable,
          "\(name) is not available yet: capacity events are stored, the metrics of capacity "
            + "pools are not computed from them so far"))
      return nil
    }
    return metric
  }

  mutating func fields(_ text: String?, of flag: String) -> [RequestField] {
    var fields: [RequestField] = []
    for name in WordReader.list(text ?? "") {
      if let field = RequestField.named(name) {
        if !fields.contains(field) { fields.append(field) }
      } else {
        fault("\(flag): \(UnknownName.field(name))")
      }
    }
    return fields
  }

  mutating func filter(_ text: String?) -> FilterExpression? {
    guard let text else { return nil }
    // An unset variable of a script must not pass for "everything".
    guard text.contains(where: { !$0.isWhitespace }) else {
      fault("where: the expression is empty; leave it out for all requests")
      return nil
    }
    do {
      return try FilterParser.parse(text, now: now, zone: zone)
    } catch {
      faults.append(error)
      return nil
    }
  }

  mutating func instant(_ text: String?, of flag: String) -> Int64? {
    guard let text = text.given else { return nil }
    guard let instant = InstantParser.parse(text, now: now, zone: zone) else {
      fault("\(flag): \"\(text.prefix(64))\" is not \(InstantParser.expectation)")
      return nil
    }
    return instant
  }

  mutating func window(_ since: Int64?, _ until: Int64?) {
    guard let since, let until, since > until else { return }
    fault("since is after until, so no time is between them; is one meant for the other?")
  }

  mutating func width(_ text: String?) -> BucketWidth? {
    guard let text = text.given else { return nil }
    guard let width = BucketWidth(text) else {
      fault(
        "every: \"\(text.prefix(64))\" is not a width such as 30s, 5m, 1h, 1d or 1w (at least 1, "
          + "at most 1000000)")
      return nil
    }
    return width
  }

  mutating func prices(_ text: String?) -> PriceKnowledge {
    guard let text = text.given else { return .current }
    guard let prices = PriceKnowledge(rawValue: text) else {
      fault("prices: \"\(text.prefix(64))\" is neither current nor booked")
      return .current
    }
    return prices
  }

  mutating func limit(_ text: String?) -> Int? {
    guard let text = text.given else { return nil }
    guard let limit = Int(text), limit >= 0 else {
      fault("limit: \"\(text.prefix(64))\" is not a whole number of at least 0")
      return nil
    }
    return limit
  }

  private static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { String($0).trimmingSpaces() }.filter { !$0.isEmpty }
  }
}

extension String? {
  /// nil where the word is empty too.
  fileprivate var given: String? { self?.isEmpty == false ? self : nil }
}
