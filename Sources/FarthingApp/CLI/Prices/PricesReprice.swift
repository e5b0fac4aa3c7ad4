package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing prices reprice`: stored requests priced anew by what is known now.
package struct PricesReprice: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "reprice",
    abstract: "Price stored requests anew by today's lists: shown with --dry-run, else applied.",
    discussion: """
      farthing prices reprice --dry-run
      farthing prices reprice --since 2026-03-01 --where "model = 'atlas'" --reason "late list"

      Each request is priced by the price that the catalogue and the imported lists have for its own \
      time. Days and models with requests that change are listed, and a row of totals. All of them \
      are changed in one step, which a crash leaves done or undone; what was booked on arrival stays \
      and is asked for with --prices booked. "farthing prices repricings" shows the history.
      """)

  @OptionGroup package var global: GlobalOptions
  @Flag(help: "Only show what would change.")
  package var dryRun = false
  @OptionGroup package var selection: SelectionOptions
  @Option(help: ArgumentHelp("Why, for the record.", valueName: "text"))
  package var reason: String?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    guard output.output != .chart else {
      throw CommandFailure.usage("a chart draws metrics; use another --output")
    }
    let plan: EventsPlan
    do {
      plan = try EventsPlan.parse(
        columns: "time", filter: selection.filter, since: selection.since, until: selection.until,
        now: HostProcess.now())
    } catch {
      throw CommandFailure(error)
    }
    if dryRun {
      try survey(settings, FilteredRequests(plan))
    } else {
      try await apply(settings, plan)
    }
  }

  private func survey(_ settings: Settings, _ selection: FilteredRequests) throws {
    let book = try StoreAccess.priceBook(settings)
    var snapshot = try StoreAccess.snapshot(settings)
    let summary = try summary(of: &snapshot, book, selection)
    try output.write(Self.answer(summary))
    note(summary, applied: nil)
    if snapshot.lacksRows { throw CommandFailure.failed(nil) }
  }

  /// As in every report the intact segments answer, and the status says where some are missing.
  private func summary(
    of snapshot: inout StoreSnapshot, _ book: PriceBook, _ selection: FilteredRequests
  ) throws(StoreError) -> RepricingSummary {
    while true {
      do throws(StoreError) {
        return try RepricingSummary.survey(snapshot, book: book, selection: selection)
      } catch {
        let reports = error.code == .damaged ? snapshot.setAsideDamaged() : []
        guard !reports.isEmpty else { throw error }
        for report in reports { Console.note("farthing: warning: \(report.message.printable)") }
      }
    }
  }

  private func apply(_ settings: Settings, _ plan: EventsPlan) async throws {
    // The record outlives "7d ago", so it has the times themselves.
    let words = [
      plan.since.map { "since \(TimeText.rfc3339($0))" },
      plan.until.map { "until \(TimeText.rfc3339($0))" }, selection.filter.map { "where \($0)" },
    ]
    guard try PosixFileSystem().size(settings.dataFolder + "/catalog.sqlite") != nil else {
      throw CommandFailure.failed(
        "there is no store in \(settings.dataFolder.printable); farthing ingest makes one")
    }
    let store = try await StoreAccess.writer(settings)
    let order = RepricingOrder(
      book: store.book, selection: FilteredRequests(plan),
      selectionWords: words.compactMap { $0 }.joined(separator: " "), by: HostProcess.userName(),
      reason: reason, time: HostProcess.now())
    do {
      let (summary, record) = try await store.writer.reprice(order)
      try await store.close()
      try output.write(Self.answer(summary))
      note(summary, applied: record)
    } catch {
      try? await store.close()
      throw error
    }
  }

  /// Tells standard error what was, or would be, done.
  private func note(_ summary: RepricingSummary, applied record: RepricingRecord?) {
    func count(_ number: Int) -> String { AmountText.readable(count: Int128(number)) }
    let totals = summary.totals
    let asked = "\(count(totals.requests)) requests"
    guard totals.changed > 0 else {
      return Console.note("farthing: nothing changes: \(asked) have today's prices already")
    }
    guard let record else {
      return Console.note(
        "farthing: \(count(totals.changed)) of \(asked) would change; nothing was written. Apply it "
          + "with \"farthing prices reprice\" and the same options")
    }
    Console.note(
      "farthing: repricing \(record.id) applied: \(count(totals.changed)) of \(asked) changed, "
        + "\(count(record.segments)) segments written anew, by \(record.appliedBy.printable) at "
        + "\(TimeText.rfc3339(record.appliedAt)), price book \(record.book)")
  }

  static func answer(_ summary: RepricingSummary) -> Answer {
    func cells(_ totals: RepricingTotals, _ before: [String], _ after: [String]) -> [QueryValue] {
      // Both are sums of stored costs, of which none is negative.
      let difference = totals.costAfter - totals.costBefore
      return [
        .count(Int128(totals.requests)), .count(Int128(totals.changed)), .money(totals.costBefore),
        .money(totals.costAfter), .money(difference), .count(Int128(totals.unpricedBefore)),
        .count(Int128(totals.unpricedAfter)),
        before.isEmpty ? .null : .text(before.joined(separator: " ")),
        after.isEmpty ? .null : .text(after.joined(separator: " ")),
      ]
    }
    var rows = summary.rows.map { row in
      [.text(PriceDate.text(row.day)), row.model.map { .text($0) } ?? .null]
        + cells(row.totals, row.pricesBefore, row.pricesAfter)
    }
    rows.append([.text("total"), .null] + cells(summary.totals, [], []))
    return Answer(
      columns: [
        .init("day"), .init("model"), .init("requests", .figure), .init("changed", .figure),
        .init("cost_before", .figure), .init("cost_after", .figure), .init("difference", .figure),
        .init("unpriced_before", .figure), .init("unpriced_after", .figure),
        .init("prices_before"), .init("prices_after"),
      ], rows: rows)
  }
}
