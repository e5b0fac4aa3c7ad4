package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// `farthing explain`: why cost changed between two periods.
package struct ExplainCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Why cost changed between two periods, as an exact bridge.",
    discussion: """
      farthing explain --since 7d
      farthing explain --since 2026-03-09 --until 2026-03-16 --versus 2026-03-02
      farthing explain --since 2026-03-01 --until 2026-04-01 --versus 2026-02-01/2026-03-01 --by tenant,tags.team

      The parts (volume, mixes, tokens, cache hits, price, retries and errors) sum to the change to the picodollar. Without --versus: against \
      the period of equal length just before. Without --until: until now. docs/explain.md says what each part means.
      """)

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var selection: SelectionOptions
  @Option(
    help: ArgumentHelp(
      "What to compare with: the start of a period of equal length, or START/END.",
      valueName: "time"))
  package var versus: String?
  @Option(
    help: ArgumentHelp(
      "Dimensions of the largest contributors. Default: workload,model,identity,site,tenant.",
      valueName: "field,…"),
    completion: .list(RequestField.all.filter(\.isComparable).map(\.name)))
  package var by: [String] = []
  @Option(
    help: ArgumentHelp(
      "Contributors of each dimension told by name; the others are one row. Default 10.",
      valueName: "n"))
  package var limit: String?
  @Option(
    name: .customLong("tz"),
    help: ArgumentHelp("Zone that dates begin in and tables show. Default UTC.", valueName: "zone"))
  package var zone: String?
  @Option(
    help: ArgumentHelp(
      "Costs as now known (current) or as booked on arrival (booked).", valueName: "knowledge"))
  package var prices: String?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    guard output.output != .chart else {
      throw CommandFailure.usage("a bridge is drawn by --output table; use table, json or csv")
    }
    var options = WindowOptions()
    options.zone = zone
    let rules = try options.timeZone()
    let words = ExplanationWords(
      since: selection.since, until: selection.until, versus: versus, filter: selection.filter,
      by: by.isEmpty ? nil : by.joined(separator: ","), limit: limit, prices: prices)
    do {
      let plan = try ExplanationPlan.parse(words, now: HostProcess.now(), timeZone: rules)
      if let server {
        try await server.use { try await ask($0, words, rules) }
      } else {
        try answer(plan, settings, rules)
      }
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  private func answer(
    _ plan: ExplanationPlan, _ settings: Settings, _ zone: TimeZoneRules
  ) throws {
    let executor = QueryExecutor(
      memoryLimit: settings.queryBytes, threads: HostProcess.processorCount())
    let (found, lacksRows) = try StoreAccess.answer(
      settings, since: min(plan.before.since, plan.after.since),
      until: max(plan.before.until, plan.after.until)
    ) { snapshot in
      try ExplanationExecutor(executor).run(plan, over: snapshot)
    }
    try Console.result(Array(text(SectionedAnswer(found), zone).utf8))
    if lacksRows { throw CommandFailure.failed(nil) }
  }

  private func ask(
    _ server: RemoteServer, _ words: ExplanationWords, _ rules: TimeZoneRules
  ) async throws {
    let isDrawn = output.output == .table
    let question = RemoteQuestion(
      "/v1/explain",
      [
        ("since", words.since), ("until", words.until), ("versus", words.versus),
        ("where", words.filter), ("by", words.by), ("limit", words.limit), ("tz", zone),
        ("prices", words.prices), ("output", isDrawn ? "json" : output.output.rawValue),
      ])
    let reply = try await server.answer(question.target)
    if isDrawn {
      guard let answer = ExplanationReader.read(reply.body) else { throw server.isNoFarthing }
      try Console.result(Array(text(answer, rules).utf8))
    } else {
      try Console.result(reply.body)
    }
    if RemoteServer.warn(reply) { throw CommandFailure.failed(nil) }
  }

  private func text(_ answer: SectionedAnswer, _ zone: TimeZoneRules) -> String {
    output.output == .table
      ? ExplanationPage(answer: answer, page: Console.page(), zone: zone).text
      : answer.text(output.output, page: Console.page())
  }
}
