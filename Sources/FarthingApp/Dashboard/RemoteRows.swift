internal import FarthingCore
internal import FarthingDashboard
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// Rows of a server.
struct RemoteRows: DashboardSource {
  let server: RemoteServer
  let settings: Settings

  var place: String { "\(server.url)" }
  var canAct: Bool { true }

  func newest() async -> Int64? { nil }
  func revision() async -> Int? { nil }

  func answer(_ question: Question, _ metrics: [String], at moment: Int64) async -> PanelAnswer {
    let window = question.window(at: moment)
    do {
      let (table, lacksRows) = try await table(question, metrics, at: moment)
      return PanelAnswer(
        table: table, since: window.since, until: window.until, lacksRows: lacksRows)
    } catch {
      return PanelAnswer(fault: StoredRows.words(of: error), at: moment)
    }
  }

  private func table(
    _ question: Question, _ metrics: [String], at moment: Int64
  ) async throws -> (FigureTable, lacksRows: Bool) {
    switch question.subject {
    case .figures:
      let words = question.words(metrics, at: moment)
      let plan = try QueryPlan.parse(words, now: moment)
      let columns = try QueryExecutor(threads: 1).run(plan, over: StoreSnapshot()).columns
      return try await rows(RemoteQuestion(words, zone: nil, output: .json), columns)
    case .requests:
      return try await latest(question, at: moment)
    case .budgets:
      let reply = try await server.answer("/v1/budgets?output=json")
      guard let answer = BudgetReader.read(reply.body) else { throw server.isNoFarthing }
      return (FigureTable(answer), false)
    case .alerts:
      let reply = try await server.answer("/v1/alerts?limit=1000")
      guard let table = FigureTable(alerts: reply.body) else { throw server.isNoFarthing }
      return (table, false)
    case .isolations:
      let reply = try await server.answer("/v1/isolations?limit=1000")
      guard let table = FigureTable(isolations: reply.body) else { throw server.isNoFarthing }
      return (table, false)
    case .sites: return (SiteTiers.table(settings), false)
    }
  }

  private func rows(
    _ question: RemoteQuestion, _ columns: [ResultColumn]
  ) async throws -> (FigureTable, lacksRows: Bool) {
    let reply = try await server.answer(question.target)
    guard let rows = AnswerReader.rows(reply.body, columns) else { throw server.isNoFarthing }
    return (
      FigureTable(QueryResult(columns: columns, rows: rows)),
      reply.fields["farthing-incomplete"] != nil
    )
  }

  /// The latest requests; see ``StoredRows``.
  private func latest(
    _ question: Question, at moment: Int64
  ) async throws -> (FigureTable, lacksRows: Bool) {
    let window = question.window(at: moment)
    let count = question.limit ?? 50
    let most = 4000
    let fields = StoredRows.requestColumns.split(separator: ",").map(String.init)
    let columns = fields.compactMap { name in
      RequestField.named(name).map { ResultColumn(name: name, kind: .field($0)) }
    }
    var length = min(window.until - window.since, CivilTime.minute)
    var found = FigureTable.empty
    var lacksRows = false
    for _ in 0..<24 {
      let question = RemoteQuestion(
        "/v1/events",
        [
          ("columns", StoredRows.requestColumns), ("where", question.filter),
          ("since", CivilTime.text(window.until - length)),
          ("until", CivilTime.text(window.until)), ("limit", "\(most)"), ("output", "json"),
        ])
      (found, lacksRows) = try await rows(question, columns)
      if found.rows.count >= most, length > CivilTime.second {
        length = max(CivilTime.second, length / 8)
        if length == CivilTime.second { break }
        continue
      }
      if found.rows.count >= count || length >= window.until - window.since { break }
      length = min(window.until - window.since, length * 6)
    }
    found.rows = Array(found.rows.reversed().prefix(count))
    return (found, lacksRows)
  }

  func explain(filter: String?, since: Int64, until: Int64) async -> [String] {
    do {
      let reply = try await server.answer(
        RemoteQuestion(
          "/v1/explain",
          [
            ("since", CivilTime.text(since)), ("until", CivilTime.text(until)), ("where", filter),
            ("limit", "5"), ("output", "json"),
          ]
        ).target)
      guard let answer = ExplanationReader.read(reply.body) else { throw server.isNoFarthing }
      return StoredRows.lines(ExplanationPage(answer: answer, page: Page(), zone: .utc).text)
    } catch {
      return [StoredRows.words(of: error)]
    }
  }

  func details(_ subject: Question.Subject, id: String, near time: Int64) async -> [String] {
    do {
      if subject == .alerts {
        let reply = try await server.answer("/v1/alerts/\(RemoteQuestion.escaped(id))")
        return AlertsShow.lines(reply.body) ?? ["no alert has this id"]
      }
      let fields = RequestField.all
      let quoted = id.replacing("'", with: "''")
      let (table, _) = try await rows(
        RemoteQuestion(
          "/v1/events",
          [
            ("columns", fields.map(\.name).joined(separator: ",")), ("where", "id = '\(quoted)'"),
            ("output", "json"),
          ]), fields.map { ResultColumn(name: $0.name, kind: .field($0)) })
      guard let row = table.rows.first else { return ["no request has this id"] }
      return RequestPage.lines(zip(table.columns, row))
    } catch {
      return [StoredRows.words(of: error)]
    }
  }

  func perform(_ action: Proposal.Action) async -> String {
    do {
      switch action {
      case .acknowledge(let id):
        _ = try await server.act(
          "POST", "/v1/alerts/\(RemoteQuestion.escaped(id))/ack", Array("{}".utf8))
        return "acknowledged \(id)"
      case .release(let id):
        _ = try await server.act(
          "POST", "/v1/isolations/\(RemoteQuestion.escaped(id))/release", Array("{}".utf8))
        return "released \(id)"
      case .isolate(let dimension, let value, let alert):
        var writer = JSONWriter()
        writer.object { writer in
          writer.key("target")
          writer.object { $0.member(dimension, value) }
          writer.member("action", "isolate")
          writer.member("duration", "1h")
          writer.member("reason", alert.map { "farthing top, for \($0)" } ?? "farthing top")
        }
        _ = try await server.act("POST", "/v1/isolations", writer.bytes)
        return "\(dimension) \(value): asked to be kept from calling for an hour"
      }
    } catch {
      return StoredRows.words(of: error)
    }
  }
}
