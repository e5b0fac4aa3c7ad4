package import FarthingCore
package import FarthingDetection
package import FarthingQuery

/// A condition on a unit metric that somebody wants to be told of, as in Prometheus, in the words of `farthing query`.
package struct AlertRule: Sendable, Equatable {
  package enum Comparison: String, Sendable, CaseIterable {
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case less = "<"
  }

  package var name: String
  package var metric: Metric
  package var comparison: Comparison
  /// In the metric's own unit: dollars, a share, milliseconds, a count.
  package var threshold: ExactDecimal
  /// As it was written.
  package var thresholdText: String
  /// nil for all requests.
  package var filter: String?
  /// Each group is judged, and fires, on its own.
  package var groups: [RequestField]
  /// Nanoseconds over which the metric is taken; each window ends at the time of its evaluation less ``delay``.
  package var window: Int64
  /// Nanoseconds that the condition has to hold before it fires.
  package var pendingFor: Int64
  /// Nanoseconds that it goes on firing after the condition held last.
  package var keepFiringFor: Int64
  /// Nanoseconds between two evaluations, which are aligned to them.
  package var interval: Int64
  /// Nanoseconds that events may take to arrive.
  package var delay: Int64
  /// A group with fewer requests in the window is not judged.
  package var minimumRequests: Int64
  /// Whether a window without any requests counts as 0, for counts and sums without groups. Else it is unknown.
  package var missingIsZero: Bool
  package var severity: AlertSeverity
  package var labels: [String: String]
  /// One line for people, with `{value}`, `{threshold}` and `{FIELD}` of the groups; nil for the usual one.
  package var summary: String?

  /// What a rule is told by, before it is understood.
  package struct Words: Sendable, Equatable {
    package var name: String?
    package var expression: String?
    package var filter: String?
    package var by: [String] = []
    package var window: String?
    package var pendingFor: String?
    package var keepFiringFor: String?
    package var interval: String?
    package var delay: String?
    package var minimumRequests: String?
    package var missing: String?
    package var severity: String?
    package var labels: [String: String] = [:]
    package var summary: String?

    package init() {}
  }

  /// Most rules of a configuration or file.
  package static let limit = 1000
  /// Most groups of one rule that are kept in mind.
  package static let groupLimit = 1000

  /// What identifies its meaning: a state is of this and no other rule.
  var definition: String {
    var text = "\(metric.name) \(comparison.rawValue) \(thresholdText)|\(filter ?? "")|"
    text += groups.map(\.name).joined(separator: ",")
    return text + "|\(window)|\(interval)|\(delay)|\(minimumRequests)|\(missingIsZero)"
  }
}

extension AlertRule {
  /// The rule that the words tell of; nil, with every fault told, where they do not.
  package init?(_ words: Words, fault: (String) -> Void) {
    var isSound = true
    func told(_ message: String) {
      isSound = false
      fault(message)
    }
    func duration(_ key: String, _ text: String?, _ usual: Int64, least: Int64 = 0) -> Int64 {
      guard let text else { return usual }
      if least == 0, text == "0" || text == "0s" { return 0 }
      guard let length = CivilTime.parseDuration(text), length >= least,
        length <= 366 * CivilTime.day
      else {
        told(
          "\(key) \"\(Excerpt.shortened(text))\": expected a length of time such as 5m, 1h or 7d, "
            + "at most 366d")
        return usual
      }
      return length
    }
    let name = words.name ?? ""
    if !AlertRule.isName(name) { told("name: expected \(AlertRule.nameExpectation)") }
    let condition = AlertRule.condition(words.expression ?? "", told)
    let window = duration("window", words.window, 5 * CivilTime.minute, least: CivilTime.second)
    self.init(
      name: name, metric: condition?.metric ?? Metric.catalogue[0],
      comparison: condition?.comparison ?? .greater,
      threshold: condition?.threshold ?? ExactDecimal(0),
      thresholdText: condition?.text ?? "", filter: words.filter, groups: [], window: window,
      pendingFor: duration("for", words.pendingFor, 0),
      keepFiringFor: duration("keep_firing_for", words.keepFiringFor, 0),
      interval: duration(
        "interval", words.interval,
        min(
          CivilTime.hour, max(CivilTime.minute, window / 10 / CivilTime.second * CivilTime.second)),
        least: CivilTime.second),
      delay: duration("delay", words.delay, 0), minimumRequests: 0, missingIsZero: false,
      severity: .warning, labels: words.labels, summary: words.summary)
    groups = AlertRule.groups(words, told)
    readChoices(words, told)
    checkTexts(told)
    guard isSound else { return nil }
  }

  private mutating func readChoices(_ words: Words, _ told: (String) -> Void) {
    if let text = words.minimumRequests {
      if let count = Int64(text), count >= 0, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        minimumRequests = count
      } else {
        told("min_requests \"\(Excerpt.shortened(text))\": expected a whole number")
      }
    }
    switch words.missing {
    case nil, "unknown": break
    case "zero":
      missingIsZero = true
      if !groups.isEmpty {
        told("missing: zero needs a rule without by: a group without requests has no name")
      } else if case .total = metric.definition {
      } else {
        told("missing: zero is for counts and sums; \(metric.name) of no requests has no value")
      }
    case .some(let text):
      told("missing \"\(Excerpt.shortened(text))\": expected unknown or zero")
    }
    if let text = words.severity {
      if let known = AlertSeverity(rawValue: text) {
        severity = known
      } else {
        told("severity \"\(Excerpt.shortened(text))\": expected info, warning or critical")
      }
    }
  }

  private func checkTexts(_ told: (String) -> Void) {
    for (label, value) in labels.sorted(by: { $0.key < $1.key }) {
      if !AlertRule.isName(label) || RequestField.named(label) != nil
        || ["kind", "alertname", "severity", "metric"].contains(label)
      {
        told(
          "labels: \"\(Excerpt.shortened(label))\" cannot be a label: expected "
            + "\(AlertRule.nameExpectation), and no field's name, kind, alertname, severity or metric"
        )
      }
      if !AlertRule.isText(value) {
        told("labels.\(Excerpt.shortened(label)): \(Self.textExpectation)")
      }
    }
    guard let summary else { return }
    if !AlertRule.isText(summary) { return told("summary: \(Self.textExpectation)") }
    let known = ["value", "threshold"] + groups.map(\.name)
    for place in SummaryTemplate.places(of: summary) where !known.contains(place) {
      let near = Suggestion.nearest(to: place, among: known).map { "did you mean {\($0)}?" }
      told(
        "summary: {\(Excerpt.shortened(place))} is nothing that this rule has; "
          + (near ?? "it has {\(known.joined(separator: "}, {"))}"))
    }
  }

  static let nameExpectation = "1 to 64 letters, digits, dots, dashes and underscores"
  static let textExpectation = "expected text without control characters, at most 1024 bytes"

  static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
      }
  }

  static func isText(_ text: String) -> Bool {
    text.utf8.count <= 1024
      && text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
  }

  /// Fields to group by; a filter is understood on the way.
  private static func groups(_ words: Words, _ told: (String) -> Void) -> [RequestField] {
    do throws(QueryError) {
      return try QueryPlan.parse(
        QueryWords(
          metrics: "requests", by: words.by.joined(separator: ","), filter: words.filter), now: 0
      ).groups
    } catch {
      for line in error.message.split(separator: "\n") { told(String(line)) }
      return []
    }
  }

  // MARK: The condition

  private struct Condition {
    var metric: Metric
    var comparison: Comparison
    var threshold: ExactDecimal
    var text: String
  }

  static let expectation = "METRIC, one of > >= < <= == !=, and a number, such as error_rate > 5%"

  /// Reads `METRIC > NUMBER`; a share may be in percent and money may have its sign.
  private static func condition(_ text: String, _ told: (String) -> Void) -> Condition? {
    let name = text.drop { $0 == " " }.prefix { $0 != " " && !"<>=!".contains($0) }
    let rest = text.drop { $0 == " " }.dropFirst(name.count).drop { $0 == " " }
    guard !name.isEmpty,
      let comparison = Comparison.allCases.first(where: { rest.hasPrefix($0.rawValue) })
    else {
      told("expr \"\(Excerpt.shortened(text))\": expected \(expectation)")
      return nil
    }
    guard let metric = Metric.named(String(name)) else {
      let near = Suggestion.nearest(to: String(name), among: Metric.catalogue.map(\.name))
      told(
        "expr: unknown metric \"\(Excerpt.shortened(String(name)))\"; "
          + (near.map { "did you mean \"\($0)\"?" } ?? "\"farthing help metrics\" lists them"))
      return nil
    }
    if metric.definition == .unavailable {
      told("expr: \(metric.name) is not available yet")
      return nil
    }
    var number = String(rest.dropFirst(comparison.rawValue.count).drop { $0 == " " })
    while number.last == " " { number.removeLast() }
    guard let threshold = threshold(number, of: metric) else {
      told(
        "expr \"\(Excerpt.shortened(text))\": behind \(comparison.rawValue) expected a number"
          + (metric.unit == .ratio ? ", as a share (0.05) or in percent (5%)" : ""))
      return nil
    }
    return Condition(metric: metric, comparison: comparison, threshold: threshold, text: number)
  }

  private static func threshold(_ text: String, of metric: Metric) -> ExactDecimal? {
    if metric.unit == .ratio, text.hasSuffix("%") {
      // Two decimal places further left.
      return text.contains("e") || text.contains("E") ? nil : ExactDecimal(text.dropLast() + "e-2")
    }
    if metric.unit == .money || metric.unit == .moneyRatio, text.hasPrefix("$") {
      return ExactDecimal(text.dropFirst())
    }
    return ExactDecimal(text)
  }
}

/// The places of a summary that a rule fills in: `{value}`.
enum SummaryTemplate {
  static func places(of text: String) -> [String] {
    var places: [String] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "{") {
      rest = rest[rest.index(after: start)...]
      guard let end = rest.firstIndex(of: "}") else { break }
      places.append(String(rest[..<end]))
      rest = rest[rest.index(after: end)...]
    }
    return places
  }

  /// The text with its places filled in; what is put there is not looked at again.
  static func filled(_ text: String, _ value: (String) -> String?) -> String {
    var filled = ""
    var rest = text[...]
    while let start = rest.firstIndex(of: "{"), let end = rest[start...].firstIndex(of: "}") {
      let name = String(rest[rest.index(after: start)..<end])
      filled += rest[..<start] + (value(name) ?? "{\(name)}")
      rest = rest[rest.index(after: end)...]
    }
    return filled + rest
  }
}
