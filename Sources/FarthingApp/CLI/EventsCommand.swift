package import ArgumentParser
internal import FarthingCore
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
    let (settings, server) = try global.place()
    let zone = try window.timeZone()
    guard output.output != .chart else {
      throw CommandFailure.usage("a chart draws metrics; use farthing query, or another --output")
    }
    do {
      let plan = try EventsPlan.parse(
        columns: columns, filter: window.selection.filter, since: window.selection.since,
        until: window.selection.until,
        limit: window.limit, prices: window.prices, now: HostProcess.now(), timeZone: zone)
      if let server { return try await server.use { try await ask($0, plan, zone) } }
      let answer = try StoreAccess.run(plan, settings)
      try output.write(Answer(answer.result), zone: zone)
      try answer.expectWhole()
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  private func ask(_ server: RemoteServer, _ plan: EventsPlan, _ zone: TimeZoneRules) async throws {
    let question = { (output: OutputFormat) in
      RemoteQuestion(
        "/v1/events",
        [
          ("columns", columns), ("where", window.selection.filter),
          ("since", window.selection.since), ("until", window.selection.until),
          ("limit", window.limit), ("tz", window.zone), ("prices", window.prices),
          ("output", output.rawValue),
        ])
    }
    let lacksRows = try await server.write(
      output.output, question: question,
      columns: plan.columns.map { ResultColumn(name: $0.name, kind: .field($0)) },
      draw: { try output.write($0, zone: zone) })
    if lacksRows { throw CommandFailure.failed(nil) }
  }
}
