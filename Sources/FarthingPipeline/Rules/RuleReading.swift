internal import FarthingCore
internal import FarthingDetection
internal import FarthingQuery
internal import FarthingStore

/// What a rule's question was answered for one group.
struct RuleReading {
  /// Values of the rule's groups; nil for requests without the field.
  var key: [String?]
  var value: QueryValue
  var requests: Int128
  /// Of them, those without a price.
  var unpriced: Int128
}

extension AlertRule {
  /// The question at an evaluation.
  /// - Throws: `usage`, where a filter is not understood any more.
  func question(at tick: Int64) throws(QueryError) -> QueryPlan {
    var names = [metric.name]
    for name in ["requests", "unpriced_requests"] where !names.contains(name) { names.append(name) }
    var plan = try QueryPlan.parse(
      QueryWords(
        metrics: names.joined(separator: ","), by: groups.map(\.name).joined(separator: ","),
        filter: filter), now: tick)
    plan.until = tick - delay
    plan.since = tick - delay - window
    return plan
  }

  /// The groups that an answer holds, by the columns of ``question(at:)``.
  func readings(_ answer: QueryResult) -> [RuleReading] {
    func place(_ name: String) -> Int? { answer.columns.firstIndex { $0.name == name } }
    guard let value = place(metric.name), let requests = place("requests"),
      let unpriced = place("unpriced_requests")
    else { return [] }
    return answer.rows.map { row in
      RuleReading(
        key: row.prefix(groups.count).map(Self.text), value: row[value],
        requests: Self.count(row[requests]), unpriced: Self.count(row[unpriced]))
    }
  }

  private static func count(_ value: QueryValue) -> Int128 {
    if case .count(let count) = value { count } else { 0 }
  }

  private static func text(_ value: QueryValue) -> String? {
    switch value {
    case .null: nil
    case .text(let text), .object(let text), .moneyRatio(let text): text
    case .count(let count): String(count)
    case .money(let amount): Picodollars(amount).decimalText
    case .boolean(let flag): flag ? "true" : "false"
    case .ratio(let number), .milliseconds(let number), .real(let number): "\(number)"
    case .time(let time): CivilTime.text(time)
    }
  }

  /// Whether the condition holds; nil where there is nothing to judge: no requests, too few, or money of
  /// requests none of which has a price.
  func holds(_ reading: RuleReading) -> Bool? {
    if reading.requests == 0, !missingIsZero { return nil }
    if reading.requests < Int128(minimumRequests) { return nil }
    let isMoney = metric.unit == .money || metric.unit == .moneyRatio
    if isMoney, metric.name != "reported_cost", reading.requests > 0,
      reading.unpriced == reading.requests
    {
      return nil
    }
    switch reading.value {
    case .money(let amount): return holds(picos: amount)
    case .moneyRatio(let text): return Picodollars(decimal: text).map { holds(picos: $0.rawValue) }
    case .count(let count):
      let (picos, overflow) = count.multipliedReportingOverflow(by: ExactDecimal.picosPerOne)
      return holds(picos: overflow ? .max : picos)
    case .ratio(let number), .milliseconds(let number), .real(let number):
      return holds(number, threshold.real)
    default: return nil
    }
  }

  /// - Parameter picos: the value in units of 10⁻¹², exact.
  private func holds(picos: Int128) -> Bool {
    // A threshold finer than that lies strictly between `picos` and the next one.
    let isBetween = threshold.hasRemainder
    switch comparison {
    case .greater: return picos > threshold.picos
    case .greaterOrEqual: return isBetween ? picos > threshold.picos : picos >= threshold.picos
    case .less: return isBetween ? picos <= threshold.picos : picos < threshold.picos
    case .lessOrEqual: return picos <= threshold.picos
    case .equal: return !isBetween && picos == threshold.picos
    case .notEqual: return isBetween || picos != threshold.picos
    }
  }

  private func holds(_ value: Double, _ threshold: Double) -> Bool {
    switch comparison {
    case .greater: value > threshold
    case .greaterOrEqual: value >= threshold
    case .less: value < threshold
    case .lessOrEqual: value <= threshold
    case .equal: value == threshold
    case .notEqual: value != threshold
    }
  }

  // MARK: Words

  /// The incident of a group whose condition holds.
  func incident(_ reading: RuleReading, since: Int64, at tick: Int64) -> Incident {
    let (text, number) = RuleValueText.text(reading.value)
    let slice = zip(groups, reading.key).compactMap { field, value in
      value.map { DimensionValue(dimension: field.name, value: $0) }
    }
    let excess = excess(reading.value)
    return Incident(
      id: IncidentID.make("rule", [name] + reading.key.map { $0.map { "=" + $0 } ?? "" }, since),
      kind: .rule, severity: severity, metric: metric.name, dimensions: slice, startedAt: since,
      detectedAt: tick, expected: threshold.real, actual: number, excess: excess,
      usdPerHour: excess.map { Estimate.dollars($0.rawValue) / (Estimate.hours(window)) },
      summary: summary(text, slice), explanation: explanation(reading, text), labels: labelled)
  }

  private var labelled: [String: String] {
    var labels = labels
    labels["rule"] = name
    return labels
  }

  private func summary(_ value: String, _ slice: [DimensionValue]) -> String {
    if let summary {
      return SummaryTemplate.filled(summary) { place in
        switch place {
        case "value": value
        case "threshold": thresholdText
        default: slice.first { $0.dimension == place }?.value ?? "(none)"
        }
      }
    }
    let place = slice.map { " \($0.dimension)=\($0.value)" }.joined()
    return
      "\(name): \(metric.name) is \(value), \(comparison.rawValue) \(thresholdText) over "
      + "\(DurationText.text(window))" + place
  }

  private func explanation(_ reading: RuleReading, _ value: String) -> [String] {
    var lines = [
      "\(metric.name) over the last \(DurationText.text(window)) is \(value); the rule \(name) says "
        + "\(comparison.rawValue) \(thresholdText)"
        + (pendingFor > 0 ? " for \(DurationText.text(pendingFor))" : ""),
      "\(reading.requests) requests in the window"
        + (filter.map { " where \($0)" } ?? ""),
    ]
    if reading.unpriced > 0, metric.unit == .money || metric.unit == .moneyRatio {
      lines.append("\(reading.unpriced) of them have no price and add nothing to it")
    }
    return lines
  }

  /// Money beyond the threshold, where the metric is what was spent.
  private func excess(_ value: QueryValue) -> Picodollars? {
    guard metric.name == "cost", comparison == .greater || comparison == .greaterOrEqual,
      case .money(let amount) = value
    else { return nil }
    let (excess, overflow) = amount.subtractingReportingOverflow(threshold.picos)
    return overflow ? nil : Picodollars(excess)
  }
}

/// Values of metrics for people, and as the estimates that incidents carry.
enum RuleValueText {
  static func text(_ value: QueryValue) -> (text: String, number: Double?) {
    switch value {
    case .money(let amount): (dollars(amount), Estimate.dollars(amount))
    case .moneyRatio(let text):
      (
        Picodollars(decimal: text).map { dollars($0.rawValue) } ?? "$" + text, Double(text)
      )
    case .count(let count): (String(count), Double(count))
    case .ratio(let share): (fixed(share * 100, 2) + "%", share)
    case .milliseconds(let number): (fixed(number, 1) + " ms", number)
    case .real(let number): (fixed(number, 2), number)
    default: ("unknown", nil)
    }
  }

  /// Five significant digits, no fewer than cents.
  static func dollars(_ amount: Int128) -> String {
    var digits = 2
    var bound: UInt128 = 100_000_000_000_000
    while digits < 12, amount != 0, amount.magnitude < bound {
      bound /= 10
      digits += 1
    }
    var text = Picodollars(amount).decimalText
    if let point = text.firstIndex(of: ".") {
      text = String(text[..<point] + text[point...].prefix(digits + 1))
    }
    return text.hasPrefix("-") ? "-$" + text.dropFirst() : "$" + text
  }

  static func fixed(_ number: Double, _ digits: Int) -> String {
    let power = (0..<digits).reduce(1.0) { power, _ in power * 10 }
    let scaled = (number * power).rounded()
    guard scaled.isFinite, scaled.magnitude < 1e15 else { return "\(number)" }
    let units = Int64(scaled.magnitude)
    let whole = units / Int64(power)
    let fraction = String(units % Int64(power))
    let sign = scaled < 0 ? "-" : ""
    return digits == 0
      ? "\(sign)\(whole)"
      : "\(sign)\(whole)." + String(repeating: "0", count: digits - fraction.utf8.count) + fraction
  }
}

/// Exact amounts as estimates: for rates, shares and forecasts, which nothing is booked by.
enum Estimate {
  static func dollars(_ amount: Int128) -> Double { Double(amount) / 1e12 }

  static func hours(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 3.6e12 }
}

/// Lengths of time: `90m`, `36h`, `7d`.
package enum DurationText {
  package static func text(_ nanoseconds: Int64) -> String {
    let units: [(Int64, String)] = [
      (7 * CivilTime.day, "w"), (CivilTime.day, "d"), (CivilTime.hour, "h"),
      (CivilTime.minute, "m"), (CivilTime.second, "s"),
    ]
    for (length, name) in units where nanoseconds >= length && nanoseconds % length == 0 {
      // A single week is better known as seven days.
      if name == "w", nanoseconds == length { continue }
      return "\(nanoseconds / length)\(name)"
    }
    return nanoseconds == 0 ? "0s" : "\(nanoseconds / CivilTime.second)s"
  }
}

/// Ids that the same history gives again.
enum IncidentID {
  /// - Parameters:
  ///   - kind: What the id begins with.
  ///   - parts: What tells incidents of the kind apart.
  ///   - start: When it began; Unix nanoseconds.
  static func make(_ kind: String, _ parts: [String], _ start: Int64) -> String {
    var writer = StateWriter()
    writer.write(parts) { $0.write($1) }
    writer.write(start)
    return kind + "-" + SHA256Digest(hashing: writer.bytes.span).hexadecimal.prefix(16)
  }
}
