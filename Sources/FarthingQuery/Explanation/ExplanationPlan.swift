package import FarthingCore

/// A question for the change in cost between two periods, as a value.
package struct ExplanationPlan: Sendable, Equatable {
  /// A period: Unix nanoseconds, its end excluded.
  package struct Period: Sendable, Hashable {
    package var since: Int64
    package var until: Int64

    package init(since: Int64, until: Int64) {
      self.since = since
      self.until = until
    }
  }

  package var before: Period
  package var after: Period
  /// nil keeps every request.
  package var filter: FilterExpression?
  /// By what the largest contributors are told, one list each.
  package var dimensions: [RequestField]
  /// Contributors that are told by name, of each dimension; the others are told as one.
  package var limit: Int
  /// Which charge costs are of.
  package var prices: PriceKnowledge

  /// What ``dimensions`` are where nobody says.
  package static let usualDimensions = ["workload", "model", "identity", "site", "tenant"]
  package static let usualLimit = 10

  package init(
    before: Period, after: Period, filter: FilterExpression? = nil, dimensions: [RequestField],
    limit: Int = ExplanationPlan.usualLimit, prices: PriceKnowledge = .current
  ) {
    self.before = before
    self.after = after
    self.filter = filter
    self.dimensions = dimensions
    self.limit = limit
    self.prices = prices
  }
}

/// The words of `farthing explain` and of `GET /v1/explain`.
package struct ExplanationWords: Sendable, Equatable {
  package var since: String?
  package var until: String?
  package var versus: String?
  package var filter: String?
  package var by: String?
  package var limit: String?
  package var prices: String?

  package init(
    since: String? = nil, until: String? = nil, versus: String? = nil, filter: String? = nil,
    by: String? = nil, limit: String? = nil, prices: String? = nil
  ) {
    self.since = since
    self.until = until
    self.versus = versus
    self.filter = filter
    self.by = by
    self.limit = limit
    self.prices = prices
  }
}

extension ExplanationPlan {
  /// The plan that the words name.
  ///
  /// - Parameters:
  ///   - now: Unix nanoseconds: the end of the period where none is given.
  ///   - timeZone: Where a date's 00:00 is.
  /// - Throws: One ``QueryError`` of code `usage` that names every fault of the words, a line each.
  package static func parse(
    _ words: ExplanationWords, now: Int64, timeZone: TimeZoneRules = .utc
  ) throws(QueryError) -> ExplanationPlan {
    var faults: [String] = []
    let selection = selection(words, now, timeZone, &faults)
    // Faults are handed on rather than captured: two of these calls may stand in one expression.
    func instant(_ text: String, _ flag: String, _ faults: inout [String]) -> Int64? {
      let instant = InstantParser.parse(text, now: now, zone: timeZone)
      if instant == nil {
        faults.append("\(flag): \"\(text.prefix(64))\" is not \(InstantParser.expectation)")
      }
      return instant
    }
    var after: Period?
    if let since = words.since, !since.isEmpty {
      let until = words.until.flatMap { $0.isEmpty ? nil : $0 }
      if let start = instant(since, "since", &faults),
        let end = until.map({ instant($0, "until", &faults) }) ?? now
      {
        if start < end {
          after = Period(since: start, until: end)
        } else {
          let given = until.map { "until \"\($0.prefix(64))\"" } ?? "now"
          faults.append("since \"\(since.prefix(64))\" is not before \(given)")
        }
      }
    } else {
      faults.append(
        "since: say when the period to explain begins: \(InstantParser.expectation)")
    }
    var before: Period?
    if let versus = words.versus, !versus.isEmpty {
      before = period(versus, after, &faults, instant)
    } else if let after {
      let (start, overflow) = after.since.subtractingReportingOverflow(after.until &- after.since)
      let length = after.until.subtractingReportingOverflow(after.since)
      if overflow || length.overflow {
        faults.append("since: the period before would begin before all time; name it with versus")
      } else {
        before = Period(since: start, until: after.since)
      }
    }
    guard faults.isEmpty, let before, let after, let selection else {
      throw QueryError(.usage, faults.joined(separator: "\n"))
    }
    return ExplanationPlan(
      before: before, after: after, filter: selection.filter, dimensions: selection.groups,
      limit: selection.limit ?? usualLimit, prices: selection.prices)
  }

  /// `versus` is the start of a period of equal length, or start and end with a slash between.
  private static func period(
    _ text: String, _ after: Period?, _ faults: inout [String],
    _ instant: (String, String, inout [String]) -> Int64?
  ) -> Period? {
    let ends = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if ends.count == 2 {
      guard let start = instant(ends[0], "versus", &faults),
        let end = instant(ends[1], "versus", &faults)
      else {
        return nil
      }
      guard start < end else {
        faults.append("versus: \"\(text.prefix(64))\" ends before it begins")
        return nil
      }
      return Period(since: start, until: end)
    }
    guard ends.count == 1, let start = instant(text, "versus", &faults) else {
      if ends.count > 2 { faults.append("versus: expected START or START/END, one slash at most") }
      return nil
    }
    guard let after else { return nil }
    let length = after.until.subtractingReportingOverflow(after.since)
    let end = start.addingReportingOverflow(length.partialValue)
    guard !length.overflow, !end.overflow else {
      faults.append("versus: a period of that length from there would leave all time")
      return nil
    }
    return Period(since: start, until: end.partialValue)
  }

  /// Filter, dimensions, limit and knowledge, which mean what they mean in a query.
  private static func selection(
    _ words: ExplanationWords, _ now: Int64, _ zone: TimeZoneRules, _ faults: inout [String]
  ) -> QueryPlan? {
    let by = words.by.flatMap { $0.isEmpty ? nil : $0 }
    do throws(QueryError) {
      return try QueryPlan.parse(
        QueryWords(
          metrics: "cost", by: by ?? usualDimensions.joined(separator: ","), filter: words.filter,
          limit: words.limit, prices: words.prices), now: now, timeZone: zone)
    } catch {
      faults += error.message.split(separator: "\n").map(String.init)
      return nil
    }
  }
}
