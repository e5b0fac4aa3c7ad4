internal import FarthingCore

/// What has to be asked so that panels can be drawn, but for its time: the same question is asked again as
/// time goes on, and its last answer stands until the next one.
///
/// Panels that ask the same with other metrics share a question, so a row of ten figures costs one scan.
package struct Question: Sendable, Hashable {
  package enum Subject: String, Sendable {
    /// `/v1/query`
    case figures
    /// `/v1/events`, the latest first.
    case requests
    case budgets
    case alerts
    case isolations
    /// Which site is of which tier.
    case sites
  }

  /// Which window before the moment that is looked at.
  package enum Span: Sendable, Hashable {
    case last(Int64)
    /// As long, just before that.
    case before(Int64)
    case month
  }

  package var subject: Subject
  package var by: [String]
  package var filter: String?
  package var span: Span
  /// Width of time buckets, nanoseconds.
  package var every: Int64?
  package var order: String?
  package var limit: Int?
  /// Whether it is about tasks or distinct values, which take long: asked apart, so that the rest is there at
  /// once.
  package var isSlow: Bool

  package init(
    _ subject: Subject, by: [String] = [], filter: String? = nil, span: Span,
    every: Int64? = nil, order: String? = nil, limit: Int? = nil, isSlow: Bool = false
  ) {
    self.subject = subject
    self.by = by
    self.filter = filter
    self.span = span
    self.every = every
    self.order = order
    self.limit = limit
    self.isSlow = isSlow
  }

  /// The window at a moment, Unix nanoseconds, its end excluded.
  ///
  /// Buckets begin and end on whole multiples of their width; the last one is still filling.
  package func window(at moment: Int64) -> (since: Int64, until: Int64) {
    switch span {
    case .last(let length):
      guard let every else { return (moment - length, moment) }
      let end = CivilTime.floorDivide(moment - 1, every) * every + every
      return (end - length / every * every, moment)
    case .before(let length): return (moment - 2 * length, moment - length)
    case .month:
      let day = CivilTime.floorDivide(moment - 1, CivilTime.day)
      let date = CivilTime.date(ofDay: day)
      let start = CivilTime.nanoseconds(year: Int(date.year), month: Int(date.month), day: 1)
      return (start, moment)
    }
  }

  /// Metrics that need every record of a task or value together.
  package static func isSlow(_ metric: String) -> Bool {
    guard let metric = Metric.named(metric) else { return false }
    return metric.quantities.contains { quantity in
      if case .sum = quantity { return false }
      return true
    }
  }

  /// Whether a metric is money, so that it is only as good as its prices are complete.
  static func isMoney(_ metric: String) -> Bool {
    switch Metric.named(metric)?.unit {
    case .money, .moneyRatio: metric != "reported_cost"
    default: false
    }
  }
}

/// The questions of a frame, with all metrics that any panel wants of each, in the order of their use.
package struct QuestionList: Sendable {
  package private(set) var questions: [Question] = []
  package private(set) var metrics: [Question: [String]] = [:]

  mutating func add(_ question: Question, _ names: [String]) {
    if metrics[question] == nil { questions.append(question) }
    var known = metrics[question] ?? []
    for name in names where !known.contains(name) { known.append(name) }
    if question.subject == .figures, !question.isSlow, known.contains(where: Question.isMoney) {
      for name in ["requests", "unpriced_requests"] where !known.contains(name) {
        known.append(name)
      }
    }
    metrics[question] = known
  }

  /// The slow ones last.
  package var ordered: [Question] {
    questions.filter { !$0.isSlow } + questions.filter(\.isSlow)
  }
}
