internal import FarthingCore
internal import FarthingDetection

/// One thing that a budget is watched for, at one time.
struct BudgetWatch {
  /// What tells it from the budget's others.
  var key: String
  var severity: AlertSeverity
  var isReached: Bool
  /// Why what it raised is over; nil where it is not.
  var isOver: String?
  var metric = "cost"
  var expected: Double
  var actual: Double
  var summary: String
  var reasons: [String]

  /// All watches of a budget.
  ///
  /// - Parameter isForecast: whether the forecast was looked at, too.
  static func all(_ status: BudgetStatus, isForecast: Bool) -> [BudgetWatch] {
    status.budget.soft.map { threshold($0, .warning, "soft", status) }
      + status.budget.hard.map { threshold($0, .critical, "hard", status) }
      + status.burns.map { burn($0, status) }
      + (isForecast ? [forecast(status)] : [])
  }

  private static func threshold(
    _ percent: Int, _ severity: AlertSeverity, _ kind: String, _ status: BudgetStatus
  ) -> BudgetWatch {
    let budget = status.budget
    let limit = Estimate.dollars(budget.amount.rawValue) * Double(percent) / 100
    let hundredfold = status.spent.multipliedReportingOverflow(by: 100)
    let isBelow =
      !hundredfold.overflow
      && !BudgetStatus.reaches(hundredfold.partialValue, percent: percent * 95, of: budget.amount)
    return BudgetWatch(
      key: "\(kind):\(percent)", severity: severity,
      isReached: status.isCrossed(percent: percent),
      isOver: budget.period.isRolling && isBelow
        ? "spending over \(budget.period.words) is below 95 % of the threshold again" : nil,
      expected: limit, actual: Estimate.dollars(status.spent),
      summary: "budget \(budget.name) has reached \(percent) %: "
        + "\(RuleValueText.dollars(status.spent)) of \(RuleValueText.dollars(budget.amount.rawValue)) "
        + "spent this \(budget.period.words)",
      reasons: [
        "\(RuleValueText.fixed(status.share * 100, 1)) % of the budget is spent, and "
          + "\(RuleValueText.fixed(status.elapsed * 100, 1)) % of its time is over"
      ])
  }

  private static func burn(_ burn: BudgetStatus.Burn, _ status: BudgetStatus) -> BudgetWatch {
    let limit = Double(burn.rate.factorThousandths) / 1000
    let (long, short) = (DurationText.text(burn.rate.long), DurationText.text(burn.rate.short))
    return BudgetWatch(
      key: "burn:\(burn.rate.long)/\(burn.rate.short)/\(burn.rate.factorThousandths)",
      severity: burn.rate.severity, isReached: burn.isBurning,
      isOver: burn.short < limit * 0.9
        ? "over the last \(short) spending is at \(RuleValueText.fixed(burn.short, 1)) times the even rate"
        : nil,
      expected: limit, actual: burn.long,
      summary:
        "budget \(status.budget.name) burns \(RuleValueText.fixed(burn.long, 1)) times too fast "
        + "over \(long)",
      reasons: [
        "spending over the last \(long) is \(RuleValueText.fixed(burn.long, 1)) times, over the last "
          + "\(short) \(RuleValueText.fixed(burn.short, 1)) times the rate that would use up the budget in "
          + "its period; the limit is \(RuleValueText.fixed(limit, 1))"
      ])
  }

  private static func forecast(_ status: BudgetStatus) -> BudgetWatch {
    let budget = status.budget
    let limit = Estimate.dollars(budget.amount.rawValue)
    let outlook = status.outlook
    var over: String?
    if status.spent >= budget.amount.rawValue {
      over = "the amount is reached"
    } else if let outlook, outlook.expected < limit * 0.95 {
      over = "the forecast is \(dollars(outlook.expected)) now"
    }
    let end = outlook?.exceededAt.map { ", about \(CivilTime.text($0))" } ?? ""
    return BudgetWatch(
      key: "forecast", severity: .warning, isReached: status.willBeExceeded, isOver: over,
      expected: limit, actual: outlook?.expected ?? 0,
      summary:
        "budget \(budget.name) will be exceeded\(end): \(dollars(outlook?.expected ?? 0)) of "
        + "\(RuleValueText.dollars(budget.amount.rawValue)) expected this \(budget.period.words)",
      reasons: outlook.map { Self.words($0) } ?? [])
  }

  private static func words(_ outlook: BudgetStatus.Outlook) -> [String] {
    var words = [
      "expected are \(dollars(outlook.expected)), in four cases of five between "
        + "\(dollars(outlook.low)) and \(dollars(outlook.high)) (\(outlook.forecast.method.rawValue) forecast, "
        + "band of \(outlook.forecast.trials) forecasts of the past)"
    ]
    if let earliest = outlook.earliest {
      let latest = outlook.latest.map { " and \(CivilTime.text($0))" } ?? " and the end"
      words.append("the amount is used up between \(CivilTime.text(earliest))" + latest)
    }
    return words
  }

  private static func dollars(_ number: Double) -> String {
    "$" + RuleValueText.fixed(number, 2)
  }

  func incident(_ status: BudgetStatus) -> Incident {
    let budget = status.budget
    var labels = budget.labels
    labels["budget"] = budget.name
    labels["owner"] = budget.owner
    var reasons = reasons
    if status.unpriced > 0 {
      reasons.append(
        "\(status.unpriced) of \(status.requests) requests have no price and are not in what is spent"
      )
    }
    if let filter = budget.filter { reasons.append("requests where \(filter)") }
    let excess = status.spent - budget.amount.rawValue
    // By the time of its crossing: a budget that is raised within its period can be crossed again.
    return Incident(
      id: IncidentID.make("budget", [budget.name, key], status.at), kind: .budget,
      severity: severity,
      metric: metric, dimensions: [], startedAt: status.at, detectedAt: status.at,
      expected: expected, actual: actual, excess: excess > 0 ? Picodollars(excess) : nil,
      summary: summary, explanation: reasons, labels: labels)
  }
}
