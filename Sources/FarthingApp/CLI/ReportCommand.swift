package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

extension ReportFormat: ExpressibleByArgument {}

/// `farthing report`: the review of a week or a month.
package struct ReportCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "The review of unit costs over a week or a month, against the one before.",
    discussion: """
      farthing report
      farthing report --monthly --output html > review.html
      farthing report --weekly --since 2026-03-09
      farthing report --since 2026-03-01 --until 2026-03-16 --where "tenant = 'acme'"

      Without times: the last week (from Monday) or month that is over. --weekly or --monthly with --since alone: the one that this \
      time lies in, up to now where it is not over; with --until alone: the last one that is over by then. Both ends, or --since alone: exactly that, against \
      the time of equal length before. docs/report.md says how each figure is counted.
      """)

  @OptionGroup package var global: GlobalOptions
  @Flag(help: "A week, from Monday (ISO 8601). The default.")
  package var weekly = false
  @Flag(help: "A calendar month.")
  package var monthly = false
  @OptionGroup package var selection: SelectionOptions
  @Option(
    name: .customLong("tz"),
    help: ArgumentHelp(
      "Zone whose weeks, months and days are meant, such as Europe/Berlin. Default UTC.",
      valueName: "zone"))
  package var zone: String?
  @Option(
    help: ArgumentHelp(
      "Costs as now known (current) or as booked on arrival (booked).", valueName: "knowledge"))
  package var prices: String?
  @Option(help: ArgumentHelp("markdown, html or json.", valueName: "format"))
  package var output = ReportFormat.markdown

  package init() {}

  package mutating func run() async throws {
    if weekly, monthly {
      throw CommandFailure.usage("--weekly and --monthly: a report is over one period")
    }
    let (settings, server) = try global.place()
    var options = WindowOptions()
    options.zone = zone
    let rules = try options.timeZone()
    let words = ReportWords(
      period: weekly ? "weekly" : monthly ? "monthly" : nil, since: selection.since,
      until: selection.until, filter: selection.filter, prices: prices)
    do {
      let plan = try ReportPlan.parse(words, now: HostProcess.now(), timeZone: rules)
      if let server {
        try await server.use { try await ask($0, words) }
      } else {
        try answer(plan, settings)
      }
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  private func answer(_ plan: ReportPlan, _ settings: Settings) throws {
    let folder = settings.dataFolder
    let maker = ReportMaker(
      executor: QueryExecutor(
        memoryLimit: settings.queryBytes, threads: HostProcess.processorCount()),
      budgets: settings.configuration.budgets
    ) { try ReportLedger.read(directory: folder, $0) }
    let earliest = plan.period()?.windows.map(\.since).min()
    let (report, lacksRows) = try StoreAccess.answer(
      settings, since: earliest, until: plan.until
    ) { snapshot in try maker.report(plan, over: snapshot) }
    try Console.result(Array(report.text(output).utf8))
    if lacksRows { throw CommandFailure.failed(nil) }
  }

  /// The server makes the report: of one state of its store, and with its own budgets and alerts.
  private func ask(_ server: RemoteServer, _ words: ReportWords) async throws {
    let question = RemoteQuestion(
      "/v1/report",
      [
        ("period", words.period), ("since", words.since), ("until", words.until),
        ("where", words.filter), ("tz", zone), ("prices", words.prices),
        ("output", output.rawValue),
      ])
    let type = output.contentType.prefix { $0 != ";" }
    let reply = try await server.answer(question.target, types: [String(type)])
    // Any web server may answer with a page: ours says that it is one.
    let page = String(decoding: reply.body.prefix(1024), as: UTF8.self)
    guard output != .html || page.contains("<meta name=\"generator\" content=\"Farthing") else {
      throw server.isNoFarthing
    }
    try Console.result(reply.body)
    if RemoteServer.warn(reply) { throw CommandFailure.failed(nil) }
  }
}
