internal import FarthingCore
internal import FarthingDetection
package import FarthingQuery

/// How a budget stands at one time.
package struct BudgetStatus: Sendable, Equatable {
  /// The worst that holds.
  package enum State: String, Sendable {
    case ok
    /// It will be exceeded, as it looks.
    case forecast
    /// It is being used up too fast.
    case burning
    /// A soft threshold is crossed.
    case soft
    /// A hard threshold is crossed.
    case hard
  }

  /// A rate of spending as multiples of the one that would use up exactly the budget.
  package struct Burn: Sendable, Equatable {
    package var rate: Budget.BurnRate
    package var long: Double
    package var short: Double

    package var isBurning: Bool {
      let limit = Double(rate.factorThousandths) / 1000
      return long >= limit && short >= limit
    }
  }

  /// What will have been spent by the end of the period; of a rolling one, over its length from now.
  package struct Outlook: Sendable, Equatable {
    package var forecast: SpendForecast
    /// US dollars: what is spent already and what is to come.
    package var expected: Double
    package var low: Double
    package var high: Double
    /// When the amount is used up: as expected, and at the ends of the band; nil where not before the end.
    package var exceededAt: Int64?
    package var earliest: Int64?
    package var latest: Int64?
  }

  package var budget: Budget
  /// Unix nanoseconds of the question.
  package var at: Int64
  package var start: Int64
  package var end: Int64
  /// Picodollars from ``start`` to ``at``.
  package var spent: Int128
  package var requests: Int128
  /// Of them, those whose cost is unknown: spent says nothing of them.
  package var unpriced: Int128
  package var burns: [Burn]
  /// nil where nothing can be said.
  package var outlook: Outlook?

  package var remaining: Int128 { budget.amount.rawValue - spent }

  /// Of the amount.
  package var share: Double {
    Estimate.dollars(spent) / Estimate.dollars(budget.amount.rawValue)
  }

  /// The share of the period that is over; 1 for a rolling one.
  package var elapsed: Double {
    budget.period.isRolling ? 1 : Estimate.hours(at - start) / Estimate.hours(end - start)
  }

  /// What is spent, as a multiple of what would have been if all of it were to be used up evenly; nil at the very start.
  package var pace: Double? { elapsed > 0 ? share / elapsed : nil }

  /// Whether a threshold is crossed, exactly.
  package func isCrossed(percent: Int) -> Bool {
    BudgetStatus.reaches(spent, percent: percent, of: budget.amount)
  }

  /// spent × 100 ≥ amount × percent. An amount has 15 digits before the point, so the product fits.
  static func reaches(_ spent: Int128, percent: Int, of amount: Picodollars) -> Bool {
    let (hundredfold, overflow) = spent.multipliedReportingOverflow(by: 100)
    return overflow ? spent > 0 : hundredfold >= amount.rawValue * Int128(percent)
  }

  package var state: State {
    if budget.hard.contains(where: isCrossed) { return .hard }
    if budget.soft.contains(where: isCrossed) { return .soft }
    if burns.contains(where: \.isBurning) { return .burning }
    return willBeExceeded ? .forecast : .ok
  }

  /// Whether even the low end of the band lies above the amount.
  package var willBeExceeded: Bool {
    guard let outlook, spent < budget.amount.rawValue else { return false }
    return outlook.low > Estimate.dollars(budget.amount.rawValue)
  }
}

extension Budget {
  /// Asks how it stands.
  ///
  /// - Throws: what `asking` throws; `usage` where its filter is not understood any more.
  package func status(at time: Int64, asking: Asking) throws(QueryError) -> BudgetStatus {
    let bounds = period.bounds(at: time)
    let now = try sums(bounds.start, time, asking)
    var status = BudgetStatus(
      budget: self, at: time, start: bounds.start, end: bounds.end, spent: now.cost,
      requests: now.requests, unpriced: now.unpriced, burns: [], outlook: nil)
    for rate in burnRates { status.burns.append(try burn(rate, at: time, asking)) }
    status.outlook = try outlook(status, asking)
    return status
  }

  struct Sums {
    var cost: Int128 = 0
    var requests: Int128 = 0
    var unpriced: Int128 = 0
  }

  private func plan(_ since: Int64, _ until: Int64) throws(QueryError) -> QueryPlan {
    var plan = try QueryPlan.parse(
      QueryWords(metrics: "cost,requests,unpriced_requests", filter: filter), now: until)
    plan.since = since
    plan.until = until
    return plan
  }

  /// What was spent from `since` to `until`.
  func sums(_ since: Int64, _ until: Int64, _ asking: Asking) throws(QueryError) -> Sums {
    guard since < until else { return Sums() }
    guard let row = try asking(plan(since, until)).rows.first, row.count == 3,
      case .money(let cost) = row[0], case .count(let requests) = row[1],
      case .count(let unpriced) = row[2]
    else { return Sums() }
    return Sums(cost: cost, requests: requests, unpriced: unpriced)
  }

  func burn(
    _ rate: BurnRate, at time: Int64, _ asking: Asking
  ) throws(QueryError) -> BudgetStatus.Burn {
    let even = Estimate.dollars(amount.rawValue) / Estimate.hours(period.nominalLength)
    func multiple(_ window: Int64) throws(QueryError) -> Double {
      let spent = try sums(time - window, time, asking).cost
      return Estimate.dollars(spent) / Estimate.hours(window) / even
    }
    return BudgetStatus.Burn(
      rate: rate, long: try multiple(rate.long), short: try multiple(rate.short))
  }

  // MARK: The forecast

  /// Weeks of history that a forecast looks at: eight for the profile, and eight before to try it on.
  static let historyWeeks: Int64 = 16

  func outlook(
    _ status: BudgetStatus, _ asking: Asking
  ) throws(QueryError) -> BudgetStatus.Outlook? {
    let hour = CivilTime.hour
    let last = status.at - Self.rest(status.at, hour)
    let since = last - Self.historyWeeks * 7 * CivilTime.day
    guard let history = try hours(since, last, asking) else { return nil }
    let horizon = period.isRolling ? status.at + period.nominalLength : status.end
    let count = Int((horizon - last + hour - 1) / hour)
    let first = history.first
    let local = first / CivilTime.second + Int64(period.zone.offset(at: first / CivilTime.second))
    // Hours from a Thursday, as 1970 began with one; only that they repeat weekly matters.
    let slot = Int(((local / 3600) % 168 + 168) % 168)
    let forecast = SpendForecast(history: history.dollars, firstHourOfWeek: slot, count: count)
    guard forecast.method != .unknown else { return nil }
    return period.isRolling
      ? rollingOutlook(status, forecast, history.dollars, last)
      : calendarOutlook(status, forecast, last)
  }

  private static func rest(_ time: Int64, _ length: Int64) -> Int64 {
    let rest = time % length
    return rest < 0 ? rest + length : rest
  }

  /// What each hour cost, from the first one in which anything was on.
  private func hours(
    _ since: Int64, _ until: Int64, _ asking: Asking
  ) throws(QueryError) -> (first: Int64, dollars: [Double])? {
    var plan = try plan(since, until)
    plan.every = BucketWidth("1h")
    var costs: [(time: Int64, dollars: Double)] = []
    for row in try asking(plan).rows {
      guard row.count == 4, case .time(let time) = row[0], case .money(let amount) = row[1],
        time >= since, time < until
      else { continue }
      costs.append((time, Estimate.dollars(amount)))
    }
    guard let first = costs.map(\.time).min() else { return nil }
    // An hour without requests within the history is an hour in which nothing was spent: a budget counts money.
    var dollars = [Double](repeating: 0, count: Int((until - first) / CivilTime.hour))
    for cost in costs {
      let place = Int((cost.time - first) / CivilTime.hour)
      if dollars.indices.contains(place) { dollars[place] += cost.dollars }
    }
    return dollars.isEmpty ? nil : (first, dollars)
  }

  private func calendarOutlook(
    _ status: BudgetStatus, _ forecast: SpendForecast, _ last: Int64
  ) -> BudgetStatus.Outlook {
    let spent = Estimate.dollars(status.spent)
    let left = Estimate.dollars(amount.rawValue) - spent
    // Of the hour that runs, what is over is spent already.
    let over = Estimate.hours(status.at - last)
    var hours = forecast.hours
    if !hours.isEmpty { hours[0] *= 1 - over }
    let rest = hours.reduce(0, +)
    func time(_ factor: Double) -> Int64? {
      guard left > 0 else { return nil }
      guard let hour = forecast.hour(reaching: left, factor: factor) else { return nil }
      return min(status.end, last + Int64(hour) * CivilTime.hour)
    }
    return BudgetStatus.Outlook(
      forecast: forecast, expected: spent + rest, low: spent + rest * forecast.lowFactor,
      high: spent + rest * forecast.highFactor, exceededAt: time(1),
      earliest: time(forecast.highFactor), latest: time(forecast.lowFactor))
  }

  /// The greatest sum over the period's length that lies ahead.
  private func rollingOutlook(
    _ status: BudgetStatus, _ forecast: SpendForecast, _ history: [Double], _ last: Int64
  ) -> BudgetStatus.Outlook {
    let width = Int(period.nominalLength / CivilTime.hour)
    let limit = Estimate.dollars(amount.rawValue)
    func peak(_ factor: Double) -> (sum: Double, reached: Int64?) {
      var sum = history.suffix(width).reduce(0, +)
      var peak = sum
      var reached: Int64?
      for (place, hour) in forecast.hours.prefix(width).enumerated() {
        let leaving = history.count - width + place
        sum += hour * factor - (history.indices.contains(leaving) ? history[leaving] : 0)
        peak = max(peak, sum)
        if reached == nil, sum >= limit, status.spent < amount.rawValue {
          reached = last + Int64(place + 1) * CivilTime.hour
        }
      }
      return (peak, reached)
    }
    let (expected, low, high) = (peak(1), peak(forecast.lowFactor), peak(forecast.highFactor))
    return BudgetStatus.Outlook(
      forecast: forecast, expected: expected.sum, low: low.sum, high: high.sum,
      exceededAt: expected.reached, earliest: high.reached, latest: low.reached)
  }
}
