package import FarthingCore
package import FarthingDetection
package import FarthingQuery

/// How much may be spent in which time: a limit that is watched, not enforced.
package struct Budget: Sendable, Equatable {
  package var name: String
  /// Who answers for it; nil where nobody is named.
  package var owner: String?
  /// nil for all requests.
  package var filter: String?
  /// Above zero.
  package var amount: Picodollars
  package var period: BudgetPeriod
  /// Percent of the amount, ascending; crossing a soft one is a warning, a hard one critical.
  package var soft: [Int]
  package var hard: [Int]
  /// Rates of spending that would use it up too early.
  package var burnRates: [BurnRate]
  /// Whether it is told that the budget will be exceeded.
  package var alertsOnForecast: Bool
  package var labels: [String: String]

  /// Spending too fast: over a long window, so that it matters, and over a short one, so that it still goes on.
  package struct BurnRate: Sendable, Equatable {
    /// Nanoseconds.
    package var long: Int64
    package var short: Int64
    /// Thousandths of the rate that would use up exactly the budget in its period: 14,400 for 14.4 times as fast.
    package var factorThousandths: Int
    package var severity: AlertSeverity

    package init(long: Int64, short: Int64, factorThousandths: Int, severity: AlertSeverity) {
      self.long = long
      self.short = short
      self.factorThousandths = factorThousandths
      self.severity = severity
    }

    /// Two pairs of windows out of Google's SRE workbook, chapter 5: 2 % of a month's budget in an hour, 5 % in six.
    package static let usual = [
      BurnRate(
        long: CivilTime.hour, short: 5 * CivilTime.minute, factorThousandths: 14_400,
        severity: .critical),
      BurnRate(
        long: 6 * CivilTime.hour, short: 30 * CivilTime.minute, factorThousandths: 6000,
        severity: .warning),
    ]
  }

  /// What a budget is told by, before it is understood.
  package struct Words: Sendable, Equatable {
    package var name: String?
    package var owner: String?
    package var filter: String?
    package var amount: String?
    package var period: String?
    package var soft: [String]?
    package var hard: [String]?
    package var forecast: String?
    /// nil for the usual ones.
    package var burnRates: [BurnWords]?
    package var labels: [String: String] = [:]

    package struct BurnWords: Sendable, Equatable {
      package var long: String?
      package var short: String?
      package var rate: String?
      package var severity: String?

      package init() {}
    }

    package init() {}
  }

  /// Most budgets of a configuration.
  package static let limit = 1000

  var definition: String {
    "\(amount.rawValue)|\(filter ?? "")|\(period.words)|\(period.zone.name)"
  }
}

extension Budget {
  /// The budget that the words tell of; nil, with every fault told, where they do not.
  ///
  /// - Parameter zone: Whose calendar a period goes by.
  package init?(_ words: Words, zone: TimeZoneRules, fault: (String) -> Void) {
    var isSound = true
    func told(_ message: String) {
      isSound = false
      fault(message)
    }
    let name = words.name ?? ""
    if !AlertRule.isName(name) { told("name: expected \(AlertRule.nameExpectation)") }
    if let owner = words.owner, !AlertRule.isText(owner) {
      told("owner: \(AlertRule.textExpectation)")
    }
    let text = words.amount ?? ""
    let amount = Picodollars(decimal: text.hasPrefix("$") ? String(text.dropFirst()) : text)
    if (amount ?? .zero) <= .zero {
      told(
        "amount \"\(Excerpt.shortened(text))\": expected US dollars above 0 as a decimal number, "
          + "such as 2500 or 99.50")
    }
    let period = BudgetPeriod(words.period ?? "", zone: zone)
    if period == nil {
      told(
        "period \"\(Excerpt.shortened(words.period ?? ""))\": expected \(BudgetPeriod.expectation)")
    }
    if let filter = words.filter {
      do throws(QueryError) {
        _ = try QueryPlan.parse(QueryWords(metrics: "cost", filter: filter), now: 0)
      } catch {
        for line in error.message.split(separator: "\n") { told(String(line)) }
      }
    }
    let chosen = period ?? .month(zone)
    self.init(
      name: name, owner: words.owner, filter: words.filter, amount: amount ?? .zero,
      period: chosen, soft: Budget.percents("soft", words.soft ?? ["80"], told),
      hard: Budget.percents("hard", words.hard ?? ["100"], told),
      burnRates: Budget.burnRates(words.burnRates, chosen, told), alertsOnForecast: true,
      labels: words.labels)
    switch words.forecast {
    case nil, "true": break
    case "false": alertsOnForecast = false
    case .some(let text):
      told("forecast \"\(Excerpt.shortened(text))\": expected true or false")
    }
    for (label, value) in labels.sorted(by: { $0.key < $1.key }) {
      if !AlertRule.isName(label) || RequestField.named(label) != nil
        || ["kind", "alertname", "severity", "metric", "budget", "owner"].contains(label)
      {
        told("labels: \"\(Excerpt.shortened(label))\" cannot be a label here")
      }
      if !AlertRule.isText(value) { told("labels: \(AlertRule.textExpectation)") }
    }
    guard isSound else { return nil }
  }

  private static func percents(
    _ key: String, _ texts: [String], _ told: (String) -> Void
  ) -> [Int] {
    var percents: Set<Int> = []
    for text in texts {
      let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
      if let percent = Int(digits), (1...1000).contains(percent),
        digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
      {
        percents.insert(percent)
      } else {
        told(
          "\(key) \"\(Excerpt.shortened(text))\": expected whole percents from 1 to 1000, such as 80"
        )
      }
    }
    return percents.sorted()
  }

  private static func burnRates(
    _ words: [Words.BurnWords]?, _ period: BudgetPeriod, _ told: (String) -> Void
  ) -> [BurnRate] {
    // A day's budget is used up within hours as a matter of course; the usual windows are for longer ones.
    guard let words else { return period.nominalLength >= 6 * CivilTime.day ? BurnRate.usual : [] }
    var rates: [BurnRate] = []
    for one in words {
      let long = one.long.flatMap { CivilTime.parseDuration($0) }
      let short = one.short.flatMap { CivilTime.parseDuration($0) }
      let factor = one.rate.flatMap { EventCalendar.millionths($0) }
      let severity = AlertSeverity(rawValue: one.severity ?? "warning")
      guard let long, let short, let factor, let severity, short < long,
        short >= CivilTime.minute, long <= period.nominalLength, factor >= 1000
      else {
        told(
          "burn_rates: expected long and short, lengths of time of at least 1m with short below long "
            + "and long at most the period; rate, a decimal number from 0.001 to 1000; and severity, "
            + "info, warning or critical")
        continue
      }
      rates.append(
        BurnRate(
          long: long, short: short, factorThousandths: factor / 1000, severity: severity))
    }
    return rates
  }
}
