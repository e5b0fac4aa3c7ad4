package import ArgumentParser
internal import FarthingQuery
internal import FarthingStore

/// `farthing events`: the requests themselves.
package struct EventsCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "The stored requests themselves, oldest first, ties by id.",
    discussion: """
      farthing events --where "status != 'ok'" --since 1h
      farthing events --columns time,id,model,cost,price,tags.team --output csv > calls.csv
      """)

  @OptionGroup package var global: GlobalOptions
  @Option(
    help: ArgumentHelp(
      "Fields to show, joined by commas; any field of an event, cost, price, source…",
      valueName: "field,…"))
  package var columns: String?
  @OptionGroup package var window: WindowOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    let zone = try window.timeZone()
    guard output.output != .chart else {
      throw CommandFailure.usage("a chart draws metrics; use farthing query, or another --output")
    }
    let answer: StoredAnswer
    do {
      let plan = try EventsPlan.parse(
        columns: columns, filter: window.selection.filter, since: window.selection.since,
        until: window.selection.until,
        limit: window.limit, prices: window.prices, now: HostProcess.now(), timeZone: zone)
      answer = try StoreAccess.run(plan, settings)
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
    try output.write(Answer(answer.result), zone: zone)
    try answer.expectWhole()
  }
}
