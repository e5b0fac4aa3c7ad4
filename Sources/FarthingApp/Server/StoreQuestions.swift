internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// Questions over HTTP, understood and answered as the command line does.
struct StoreQuestions: Questions {
  /// Bytes that a question may hold at once.
  var queryBytes: Int
  var threads: Int
  /// Unix nanoseconds, for times such as `24h` ago.
  var clock: @Sendable () -> Int64
  /// What the configuration sets now.
  var budgets: @Sendable () -> [Budget] = { [] }

  private static let shared = ["where", "since", "until", "limit", "tz", "prices", "output"]

  private static func parameters(of kind: QuestionKind) -> [String] {
    switch kind {
    case .query: ["metrics", "by", "every", "order", "closed_cohort"] + shared
    case .events: ["columns"] + shared
    case .explain: ["versus", "by"] + shared
    case .budgets: ["at", "output"]
    }
  }

  func prepare(
    _ kind: QuestionKind, _ parameters: QueryParameters
  ) throws(RequestFault) -> any PreparedQuestion {
    let known = Self.parameters(of: kind)
    let unknown = parameters.values.keys.filter { !known.contains($0) }.sorted()
    if !unknown.isEmpty {
      let faults = unknown.map { name in
        let hint =
          Suggestion.nearest(to: name, among: known).map { "did you mean \"\($0)\"?" }
          ?? "expected one of \(known.joined(separator: ", "))"
        return "\"\(String(name.prefix(64)).printable)\" is no parameter of this call; \(hint)"
      }
      throw RequestFault(.badRequest, faults.joined(separator: "\n"))
    }
    let format = try Self.format(try parameters.single("output"))
    if kind == .budgets { return try prepareBudgets(parameters, format) }
    let zone = try Self.zone(try parameters.single("tz"))
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: threads)
    do {
      switch kind {
      case .query:
        let plan = try QueryPlan.parse(
          QueryWords(
            metrics: parameters.list("metrics") ?? "", by: parameters.list("by"),
            filter: try parameters.single("where"), since: try parameters.single("since"),
            until: try parameters.single("until"), every: try parameters.single("every"),
            order: try parameters.single("order"), limit: try parameters.single("limit"),
            closedCohort: try Self.flag(parameters, "closed_cohort"),
            prices: try parameters.single("prices")),
          now: clock(), timeZone: zone)
        return StoreQuestion(format: format, since: plan.since, until: plan.until) { snapshot in
          .rows(
            Answer(
              try executor.run(plan, requests: snapshot.requests, outcomes: snapshot.outcomes)))
        }
      case .events:
        let plan = try EventsPlan.parse(
          columns: parameters.list("columns"), filter: try parameters.single("where"),
          since: try parameters.single("since"), until: try parameters.single("until"),
          limit: try parameters.single("limit"), prices: try parameters.single("prices"),
          now: clock(), timeZone: zone)
        return StoreQuestion(format: format, since: plan.since, until: plan.until) { snapshot in
          .rows(Answer(try executor.run(plan, requests: snapshot.requests)))
        }
      case .explain:
        let plan = try ExplanationPlan.parse(
          ExplanationWords(
            since: try parameters.single("since"), until: try parameters.single("until"),
            versus: try parameters.single("versus"), filter: try parameters.single("where"),
            by: parameters.list("by"), limit: try parameters.single("limit"),
            prices: try parameters.single("prices")),
          now: clock(), timeZone: zone)
        return StoreQuestion(
          format: format, since: min(plan.before.since, plan.after.since),
          until: max(plan.before.until, plan.after.until)
        ) { snapshot in
          .sections(SectionedAnswer(try ExplanationExecutor(executor).run(plan, over: snapshot)))
        }
      case .budgets: return try prepareBudgets(parameters, format)
      }
    } catch let error as QueryError {
      throw RequestFault(error)
    } catch let fault as RequestFault {
      throw fault
    } catch {
      throw RequestFault(.failed, "the question could not be read")
    }
  }

  private func prepareBudgets(
    _ parameters: QueryParameters, _ format: OutputFormat
  ) throws(RequestFault) -> StoreQuestion {
    let now = clock()
    var time = now
    if let text = try parameters.single("at"), !text.isEmpty {
      guard let parsed = InstantParser.parse(text, now: now, zone: .utc) else {
        throw RequestFault(
          .badRequest,
          "at: \"\(String(text.prefix(64)).printable)\" is not \(InstantParser.expectation)")
      }
      time = parsed
    }
    let (budgets, executor, at) = (
      budgets(), QueryExecutor(memoryLimit: queryBytes, threads: threads), time
    )
    return StoreQuestion(format: format, since: at, until: at) { snapshot in
      .rows(
        Answer(
          try budgets.map { budget in
            try budget.status(at: at) { (plan) throws(QueryError) in
              try executor.run(plan, over: snapshot)
            }
          }))
    }
  }

  private static func format(_ text: String?) throws(RequestFault) -> OutputFormat {
    switch text {
    case nil, "json": return .json
    case "csv": return .csv
    case .some(let text):
      throw RequestFault(
        .badRequest, "output: \"\(String(text.prefix(64)).printable)\" is neither json nor csv")
    }
  }

  private static func flag(
    _ parameters: QueryParameters, _ name: String
  ) throws(RequestFault) -> Bool {
    switch try parameters.single(name) {
    case nil, "false": return false
    case "", "true": return true
    case .some(let text):
      throw RequestFault(
        .badRequest, "\(name): \"\(String(text.prefix(64)).printable)\" is neither true nor false")
    }
  }

  private static func zone(_ text: String?) throws(RequestFault) -> TimeZoneRules {
    var options = WindowOptions()
    options.zone = text?.isEmpty == true ? nil : text
    do throws(CommandFailure) {
      return try options.timeZone()
    } catch {
      throw RequestFault(.badRequest, error.message ?? "tz: unknown")
    }
  }
}

extension RequestFault {
  init(_ error: QueryError) {
    switch error.code {
    case .usage, .unavailable: self.init(.badRequest, error.message)
    case .memory, .overflow: self.init(.unprocessable, error.message)
    case .store: self.init(.failed, error.message)
    }
  }
}

/// A question whose words are in order.
private struct StoreQuestion: PreparedQuestion {
  var format: OutputFormat
  var since: Int64?
  var until: Int64?
  var run: @Sendable (StoreSnapshot) throws -> Said

  /// An answer in either of its forms.
  enum Said {
    case rows(Answer)
    case sections(SectionedAnswer)
  }

  var contentType: String {
    format == .csv ? "text/csv; charset=utf-8; header=present" : "application/json"
  }

  /// Damage in a block shows when the block is read. Its segment is left out then, and the answer
  /// begun anew, as on the command line.
  func answer(over snapshot: StoreSnapshot) throws(RequestFault) -> QuestionAnswer {
    var snapshot = snapshot
    var warnings: [String] = []
    if let gap = snapshot.expiries.gap(since: since, until: until) {
      let day = TimeText.bucket(gap.appliedAt, width: TimeText.nanosecondsPerDay).prefix(10)
      warnings.append(
        "events before \(TimeText.rfc3339(gap.before)) were dropped by retention, last on \(day); the "
          + "answer lacks them")
    }
    while true {
      do {
        let said = try run(snapshot)
        let damage = snapshot.damage + snapshot.sumsDamage
        let renderer = Renderer(format: format, page: Page())
        return QuestionAnswer(
          warnings: warnings + damage.map(\.message.printable), lacksRows: snapshot.lacksRows
        ) { write in
          switch said {
          case .rows(let answer): try renderer.render(answer, to: write)
          case .sections(let answer):
            try write(Array(answer.text(renderer.format, page: renderer.page).utf8))
          }
        }
      } catch let error as QueryError {
        if error.code == .store, !snapshot.setAsideDamaged().isEmpty { continue }
        throw RequestFault(error)
      } catch {
        throw RequestFault(.failed, "the question could not be answered")
      }
    }
  }
}
