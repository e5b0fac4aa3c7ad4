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
  /// What the alerts say of a window.
  var ledger: @Sendable (ReportWindow) throws -> ReportLedger = { _ in ReportLedger() }
  var inventory: @Sendable () -> (InventorySettings, SiteRegistry?) = { (InventorySettings(), nil) }

  private static let shared = ["where", "since", "until", "limit", "tz", "prices", "output"]

  private static func parameters(of kind: QuestionKind) -> [String] {
    switch kind {
    case .query: ["metrics", "by", "every", "order", "closed_cohort"] + shared
    case .events: ["columns"] + shared
    case .explain: ["versus", "by"] + shared
    case .report: ["period", "since", "until", "where", "tz", "prices", "output"]
    case .budgets: ["at", "output"]
    case .inventory: ["by", "where", "since", "until", "owner_tag", "flagged", "limit", "output"]
    case .sql: ["timeout", "output"]
    case .prices: ["model", "output"]
    case .price: ["model", "provider", "tier", "batch", "site", "tenant", "at", "output"]
    case .missingPrices: ["output"]
    }
  }

  func prepare(
    _ kind: QuestionKind, _ parameters: QueryParameters, _ context: QuestionContext
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
    do {
      switch kind {
      case .query: return try query(parameters)
      case .events: return try events(parameters)
      case .explain: return try explanation(parameters)
      case .report: return try report(parameters)
      case .budgets: return try budgetsQuestion(parameters)
      case .inventory: return try inventoryQuestion(parameters)
      case .sql: return try sql(parameters, context)
      case .prices, .price, .missingPrices:
        return try prices(kind, parameters, context.book)
      }
    } catch let error as QueryError {
      throw RequestFault(error)
    } catch let fault as RequestFault {
      throw fault
    } catch {
      throw RequestFault(.failed, "the question could not be read")
    }
  }

  private func query(_ parameters: QueryParameters) throws -> StoreQuestion {
    let plan = try QueryPlan.parse(
      QueryWords(
        metrics: parameters.list("metrics") ?? "", by: parameters.list("by"),
        filter: try parameters.single("where"), since: try parameters.single("since"),
        until: try parameters.single("until"), every: try parameters.single("every"),
        order: try parameters.single("order"), limit: try parameters.single("limit"),
        closedCohort: try Self.flag(parameters, "closed_cohort"),
        prices: try parameters.single("prices")),
      now: clock(), timeZone: try Self.zone(try parameters.single("tz")))
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: threads)
    return StoreQuestion(
      format: try Self.format(parameters), since: plan.since, until: plan.until
    ) { snapshot in
      Said(
        .rows(
          Answer(try executor.run(plan, requests: snapshot.requests, outcomes: snapshot.outcomes))))
    }
  }

  private func events(_ parameters: QueryParameters) throws -> StoreQuestion {
    let plan = try EventsPlan.parse(
      columns: parameters.list("columns"), filter: try parameters.single("where"),
      since: try parameters.single("since"), until: try parameters.single("until"),
      limit: try parameters.single("limit"), prices: try parameters.single("prices"),
      now: clock(), timeZone: try Self.zone(try parameters.single("tz")))
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: threads)
    return StoreQuestion(
      format: try Self.format(parameters), since: plan.since, until: plan.until
    ) { snapshot in Said(.rows(Answer(try executor.run(plan, requests: snapshot.requests)))) }
  }

  private func explanation(_ parameters: QueryParameters) throws -> StoreQuestion {
    let plan = try ExplanationPlan.parse(
      ExplanationWords(
        since: try parameters.single("since"), until: try parameters.single("until"),
        versus: try parameters.single("versus"), filter: try parameters.single("where"),
        by: parameters.list("by"), limit: try parameters.single("limit"),
        prices: try parameters.single("prices")),
      now: clock(), timeZone: try Self.zone(try parameters.single("tz")))
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: threads)
    return StoreQuestion(
      format: try Self.format(parameters), since: min(plan.before.since, plan.after.since),
      until: max(plan.before.until, plan.after.until)
    ) { snapshot in
      Said(
        .sections(SectionedAnswer(try ExplanationExecutor(executor).run(plan, over: snapshot))))
    }
  }

  private func report(_ parameters: QueryParameters) throws -> StoreQuestion {
    let plan = try ReportPlan.parse(
      ReportWords(
        period: try parameters.single("period"), since: try parameters.single("since"),
        until: try parameters.single("until"), filter: try parameters.single("where"),
        prices: try parameters.single("prices")),
      now: clock(), timeZone: try Self.zone(try parameters.single("tz")))
    let text = try parameters.single("output") ?? ReportFormat.json.rawValue
    guard let format = ReportFormat(rawValue: text) else {
      throw RequestFault(
        .badRequest,
        "output: \"\(String(text.prefix(64)).printable)\" is neither markdown, html nor json")
    }
    let maker = ReportMaker(
      executor: QueryExecutor(memoryLimit: queryBytes, threads: threads), budgets: budgets(),
      ledger: ledger)
    return StoreQuestion(
      format: .json, since: plan.period()?.windows.map(\.since).min(), until: plan.until,
      contentType: format.contentType
    ) { snapshot in
      Said(.text(Array(try maker.report(plan, over: snapshot).text(format).utf8)))
    }
  }

  private func inventoryQuestion(_ parameters: QueryParameters) throws -> StoreQuestion {
    let (settings, sites) = inventory()
    let words = InventoryWords(
      by: parameters.list("by"), filter: try parameters.single("where"),
      since: try parameters.single("since"), until: try parameters.single("until"),
      ownerTag: try parameters.single("owner_tag"),
      isFlagged: try Self.flag(parameters, "flagged"), limit: try parameters.single("limit"))
    let request: InventoryWords.Request
    do {
      request = try words.request(settings, sites: sites, now: clock())
    } catch let refusal as RegistryRefusal {
      // The server's own file, not the caller's words.
      throw RequestFault(.failed, refusal.description)
    }
    let executor = QueryExecutor(memoryLimit: queryBytes, threads: threads)
    return StoreQuestion(
      format: try Self.format(parameters), since: request.plan.selection.since,
      until: request.plan.selection.until
    ) { snapshot in
      Said(.rows(request.answer(try request.plan.run(executor, over: snapshot))))
    }
  }

  private func budgetsQuestion(_ parameters: QueryParameters) throws -> StoreQuestion {
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
    return StoreQuestion(format: try Self.format(parameters), since: at, until: at) { snapshot in
      Said(
        .rows(
          Answer(
            try budgets.map { budget in
              try budget.status(at: at) { (plan) throws(QueryError) in
                try executor.run(plan, over: snapshot)
              }
            })))
    }
  }

  /// - Parameter drawn: Whether tables and charts are drawn here, for a command that shows them.
  private static func format(
    _ parameters: QueryParameters, drawn: Bool = false
  ) throws(RequestFault) -> OutputFormat {
    let text = try parameters.single("output") ?? "json"
    let formats: [OutputFormat] = drawn ? OutputFormat.allCases : [.json, .csv]
    if let format = formats.first(where: { $0.rawValue == text }) { return format }
    let shown = String(text.prefix(64)).printable
    guard drawn else {
      throw RequestFault(.badRequest, "output: \"\(shown)\" is neither json nor csv")
    }
    let names = formats.map(\.rawValue).joined(separator: ", ")
    throw RequestFault(
      .badRequest,
      "output: \"\(shown)\" is not known; expected one of \(names)")
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

// MARK: - SQL and prices

extension StoreQuestions {
  /// Seconds that a statement may take where it does not say, and at most.
  private static let statementSeconds = 30.0
  private static let longestSeconds = 300.0

  private func sql(
    _ parameters: QueryParameters, _ context: QuestionContext
  ) throws -> StoreQuestion {
    var seconds = Self.statementSeconds
    if let text = try parameters.single("timeout") {
      guard let number = Double(text), number > 0, number <= 1e9 else {
        throw RequestFault(
          .badRequest,
          "timeout: \"\(String(text.prefix(64)).printable)\" is no number of seconds above 0")
      }
      seconds = min(number, Self.longestSeconds)
    }
    guard let statement = String(validating: context.body, as: UTF8.self) else {
      throw RequestFault(.badRequest, "the statement is not UTF-8 text")
    }
    var executor = SQLExecutor(memoryLimit: queryBytes)
    executor.sharesProcess = true
    let clock = clock
    return StoreQuestion(format: try Self.format(parameters, drawn: true)) {
      [executor, seconds] snapshot in
      var executor = executor
      let end = clock() + Int64(seconds * 1e9)
      executor.isTimeOver = { clock() > end }
      do {
        return Said(.rows(Answer(try executor.run(statement, over: snapshot))))
      } catch let failure as SQLFailure {
        throw RequestFault(
          failure.code == .statement ? .badRequest : .unprocessable, failure.message)
      }
    }
  }

  private func prices(
    _ kind: QuestionKind, _ parameters: QueryParameters, _ book: PriceBook
  ) throws -> StoreQuestion {
    let format = try Self.format(parameters, drawn: true)
    let now = clock()
    let model = try parameters.single("model").flatMap { $0.isEmpty ? nil : $0 }
    switch kind {
    case .price:
      guard let model else { throw RequestFault(.badRequest, "model: expected a model's name") }
      let at = try parameters.single("at")
      guard let time = at.map({ InstantParser.parse($0, now: now, zone: .utc) }) ?? now else {
        throw RequestFault(
          .badRequest,
          "at: \"\(String((at ?? "").prefix(64)).printable)\" is not \(InstantParser.expectation)")
      }
      let request = PriceRequest(
        model: model, provider: try parameters.single("provider"),
        serviceTier: try parameters.single("tier"), isBatch: try Self.flag(parameters, "batch"),
        site: try parameters.single("site"), tenant: try parameters.single("tenant"), time: time)
      let told: (answer: Answer, notes: [String])
      do throws(CommandFailure) {
        told = try PriceAnswers.price(request, of: book)
      } catch {
        throw RequestFault(.unprocessable, error.message ?? "")
      }
      return StoreQuestion(format: format) { _ in Said(.rows(told.answer), notes: told.notes) }
    case .missingPrices:
      let plan = try PriceAnswers.missingPlan(now: now)
      let executor = QueryExecutor(memoryLimit: queryBytes, threads: threads)
      return StoreQuestion(format: format) { snapshot in
        let told = PriceAnswers.missing(
          Answer(
            try executor.run(plan, requests: snapshot.requests, outcomes: snapshot.outcomes)),
          of: book, now: now)
        return Said(.rows(told.answer), notes: told.notes)
      }
    default:
      return StoreQuestion(format: format) { _ in
        Said(
          .rows(
            model.map { PriceAnswers.cards(of: book, naming: $0) }
              ?? PriceAnswers.lists(of: book, now: now)))
      }
    }
  }
}

/// What is answered, and what a reader is told beside it.
private struct Said {
  /// An answer in either of its forms.
  enum Form {
    case rows(Answer)
    case sections(SectionedAnswer)
    /// Written already.
    case text([UInt8])
  }

  var form: Form
  var notes: [String]

  init(_ form: Form, notes: [String] = []) {
    self.form = form
    self.notes = notes
  }
}

/// A question whose words are in order.
private struct StoreQuestion: PreparedQuestion {
  var format: OutputFormat
  var since: Int64?
  var until: Int64?
  var contentType: String
  var run: @Sendable (StoreSnapshot) throws -> Said

  /// - Parameter contentType: where it is not that of the format.
  init(
    format: OutputFormat, since: Int64? = nil, until: Int64? = nil, contentType: String? = nil,
    run: @escaping @Sendable (StoreSnapshot) throws -> Said
  ) {
    self.format = format
    self.since = since
    self.until = until
    self.contentType = contentType ?? Self.contentType(format)
    self.run = run
  }

  private static func contentType(_ format: OutputFormat) -> String {
    switch format {
    case .json: "application/json"
    case .csv: "text/csv; charset=utf-8; header=present"
    case .table, .chart: "text/plain; charset=utf-8"
    }
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
          warnings: warnings + damage.map(\.message.printable), lacksRows: snapshot.lacksRows,
          notes: said.notes
        ) { write in
          switch said.form {
          case .rows(let answer): try renderer.render(answer, to: write)
          case .sections(let answer):
            try write(Array(answer.text(renderer.format, page: renderer.page).utf8))
          case .text(let text):
            for start in stride(from: 0, to: text.count, by: Renderer.pieceBytes) {
              try write(Array(text[start..<min(text.count, start + Renderer.pieceBytes)]))
            }
          }
        }
      } catch let error as QueryError {
        if error.code == .store, !snapshot.setAsideDamaged().isEmpty { continue }
        throw RequestFault(error)
      } catch let fault as RequestFault {
        throw fault
      } catch {
        throw RequestFault(.failed, "the question could not be answered")
      }
    }
  }
}
