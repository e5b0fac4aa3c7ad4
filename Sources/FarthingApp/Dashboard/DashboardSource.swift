internal import FarthingCore
internal import FarthingDashboard
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// Where a dashboard's rows are from: a server, or a data folder that is only read.
protocol DashboardSource: Sendable {
  /// What a reader is told of it.
  var place: String { get }
  /// Whether alerts and isolations can be acted upon.
  var canAct: Bool { get }
  /// Answers one question; what goes wrong is said in the answer.
  ///
  /// - Parameters:
  ///   - metrics: the columns that are wanted.
  ///   - moment: the end of what is looked at, Unix nanoseconds.
  func answer(_ question: Question, _ metrics: [String], at moment: Int64) async -> PanelAnswer
  /// Unix nanoseconds of the newest request; nil where nobody knows.
  func newest() async -> Int64?
  /// A number that is another one once something was stored; nil where nobody knows.
  func revision() async -> Int?
  /// Why cost changed against the period before, as lines for people.
  func explain(filter: String?, since: Int64, until: Int64) async -> [String]
  /// All of one request, or of one alert, as lines for people.
  func details(_ subject: Question.Subject, id: String, near time: Int64) async -> [String]
  /// Does what was confirmed.
  ///
  /// - Returns: what came of it, for people.
  func perform(_ action: Proposal.Action) async -> String
}

extension Question {
  /// The question as words of the query language.
  func words(_ metrics: [String], at moment: Int64) -> QueryWords {
    let window = window(at: moment)
    return QueryWords(
      metrics: metrics.joined(separator: ","), by: by.isEmpty ? nil : by.joined(separator: ","),
      filter: filter, since: CivilTime.text(window.since), until: CivilTime.text(window.until),
      every: every.map(Buckets.words), order: every == nil && !by.isEmpty ? order : nil,
      limit: every == nil && !by.isEmpty ? limit.map(String.init) : nil)
  }
}

extension Figure {
  init(_ value: QueryValue) {
    switch value {
    case .null: self = .missing
    case .text(let text), .object(let text): self = .text(text)
    case .count(let count): self = .count(count)
    case .boolean(let flag): self = .text(flag ? "true" : "false")
    case .money(let amount): self = .money(amount)
    case .moneyRatio(let text):
      self = AmountText.picodollars(of: text).map { .money($0) } ?? .text(text)
    case .ratio(let number): self = .ratio(number)
    case .milliseconds(let number): self = .milliseconds(number)
    case .real(let number): self = .real(number)
    case .time(let time): self = .time(time)
    }
  }
}

extension FigureTable {
  init(_ result: QueryResult) {
    self.init(
      columns: result.columns.map(\.name), rows: result.rows.map { $0.map { Figure($0) } })
  }

  init(_ answer: Answer) {
    self.init(
      columns: answer.columns.map(\.name), rows: answer.rows.map { $0.map { Figure($0) } })
  }

  /// Alerts out of the interface's JSON; nil where it is none.
  init?(alerts json: [UInt8]) {
    guard let tree = try? JSONTree(json), tree.root.isArray else { return nil }
    let texts = ["id", "kind", "severity", "status", "summary"]
    let times = ["started_at", "detected_at", "resolved_at"]
    let fields = ["workload", "tenant", "model", "site", "endpoint", "identity"]
    let rows = tree.root.elements.map { alert -> [Figure] in
      texts.map { Figure(text: alert.member(Array($0.utf8))) }
        + times.map { Figure(time: alert.member(Array($0.utf8))) }
        + [
          Figure(dollars: alert["excess_usd"]), Figure(estimate: alert["usd_per_hour"]),
          .text(AlertTable.slice(alert)),
        ] + fields.map { Figure(text: alert["dimensions"]?.member(Array($0.utf8))) }
    }
    self.init(
      columns: texts + times + ["excess_usd", "usd_per_hour", "where"] + fields, rows: rows)
  }

  /// Isolations out of the interface's JSON; nil where it is none.
  init?(isolations json: [UInt8]) {
    guard let tree = try? JSONTree(json), tree.root.isArray else { return nil }
    let texts = ["id", "alert", "action", "mode", "status"]
    let times = ["started_at", "effective_at", "release_at", "released_at"]
    let fields = ["identity", "endpoint", "model", "site", "tenant"]
    let rows = tree.root.elements.map { one -> [Figure] in
      let target = (one["target"]?.members ?? []).compactMap { key, value in
        value.text.map { "\(key)=\($0)" }
      }.joined(separator: " ")
      let why = (one["why"]?.elements ?? []).compactMap(\.text).joined(separator: "; ")
      return texts.map { Figure(text: one.member(Array($0.utf8))) }
        + times.map { Figure(time: one.member(Array($0.utf8))) } + [.text(target), .text(why)]
        + fields.map { Figure(text: one["target"]?.member(Array($0.utf8))) }
    }
    self.init(columns: texts + times + ["target", "why"] + fields, rows: rows)
  }
}

extension Figure {
  init(text value: JSONValue?) { self = value?.text.map { .text($0) } ?? .missing }
  init(time value: JSONValue?) {
    self = value?.text.flatMap { AnswerReader.time($0) }.map { .time($0) } ?? .missing
  }
  init(dollars value: JSONValue?) {
    self = value?.text.flatMap { AmountText.picodollars(of: $0) }.map { .money($0) } ?? .missing
  }
  /// An estimate in dollars, to the cent.
  init(estimate value: JSONValue?) {
    guard let number = value?.literal.flatMap({ Double($0) }), number.magnitude < 1e15 else {
      self = .missing
      return
    }
    self = .money(Int128((number * 100).rounded()) * (Picodollars.perDollar / 100))
  }
}

extension PanelAnswer {
  /// No answer, and why.
  init(fault: String, at moment: Int64) {
    self.init(table: .empty, since: moment, until: moment, fault: fault)
  }
}
