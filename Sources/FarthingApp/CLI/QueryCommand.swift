package import ArgumentParser
internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore

/// `farthing query`: unit metrics by group and time.
package struct QueryCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Unit metrics of the stored requests, by group and time.",
    discussion: """
      farthing query cost,cost_per_request,price_coverage --by model
      farthing query cost --by site --every 1h --since 24h --output chart
      farthing query cost_per_successful_task --by workload --order cost_per_successful_task

      "farthing help metrics" lists all metrics, "farthing help fields" all fields. Without --since and --until all that is stored counts. A ratio \
      over zero has no value: – in a table, null in JSON.
      """)

  @OptionGroup package var global: GlobalOptions
  @Argument(
    help: ArgumentHelp("Metrics, joined by commas.", valueName: "metric,…"),
    completion: .list(Metric.catalogue.map(\.name)))
  package var metrics: String
  @Option(
    help: ArgumentHelp(
      "Fields to group by, joined by commas or one an option.", valueName: "field,…"),
    completion: .list(RequestField.all.filter(\.isComparable).map(\.name)))
  package var by: [String] = []
  @Option(
    help: ArgumentHelp("Width of time buckets: 5m, 1h, 1d, 1w.", valueName: "width"),
    completion: .list(BucketWidth.forms.map(\.example)))
  package var every: String?
  @Option(
    help: ArgumentHelp("Metric to order by, greatest first.", valueName: "metric"),
    completion: .list(Metric.catalogue.map(\.name)))
  package var order: String?
  @Flag(
    help: "Over the tasks that started in the window, with all their requests whenever they came.")
  package var closedCohort = false
  @OptionGroup package var window: WindowOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    let words = QueryWords(
      metrics: metrics, by: by.isEmpty ? nil : by.joined(separator: ","),
      filter: window.selection.filter,
      since: window.selection.since, until: window.selection.until,
      every: every, order: order, limit: window.limit, closedCohort: closedCohort,
      prices: window.prices)
    let zone = try window.timeZone()
    do {
      let plan = try QueryPlan.parse(words, now: HostProcess.now(), timeZone: zone)
      if let server {
        try await server.use { try await ask($0, words, plan) }
      } else {
        try answer(plan, settings)
      }
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  /// Answers from the store's folder.
  private func answer(_ plan: QueryPlan, _ settings: Settings) throws {
    let answer = try StoreAccess.run(plan, settings)
    try write(Answer(answer.result), plan)
    if let counts = unpricedPlan(plan) {
      tellUnpriced(try StoreAccess.run(counts, settings, isTold: true).result.rows, plan)
    }
    try answer.expectWhole()
  }

  /// Answers from a server, which understands the words by its own clock.
  private func ask(_ server: RemoteServer, _ words: QueryWords, _ plan: QueryPlan) async throws {
    let zone = window.zone
    let columns = try QueryExecutor(threads: 1).run(plan, over: StoreSnapshot()).columns
    let lacksRows = try await server.write(
      output.output, question: { RemoteQuestion(words, zone: zone, output: $0) },
      columns: columns, draw: { try write($0, plan) })
    if let counts = unpricedPlan(plan) {
      var words = words
      words.metrics = counts.metrics.map(\.name).joined(separator: ",")
      words.by = nil
      words.every = nil
      words.order = nil
      words.limit = nil
      let (rows, _) = try await server.rows(
        RemoteQuestion(words, zone: zone, output: .json),
        counts.metrics.map { ResultColumn(name: $0.name, kind: .metric($0)) })
      tellUnpriced(rows, plan)
    }
    if lacksRows { throw CommandFailure.failed(nil) }
  }

  private func write(_ answer: Answer, _ plan: QueryPlan) throws {
    try output.write(answer, bucketWidth: plan.every?.nominalNanoseconds, zone: plan.timeZone)
  }
}

extension QueryCommand {
  /// The question that tells how many requests add nothing to a plan's sums; nil where people are told
  /// by a column, or no people read.
  ///
  /// Sums that lack requests for want of a price must not pass for whole: who reads a table without
  /// a column for that is told beside it.
  private func unpricedPlan(_ plan: QueryPlan) -> QueryPlan? {
    guard output.output == .table || output.output == .chart else { return nil }
    let names = Set(plan.metrics.map(\.name))
    let telling: Set = ["price_coverage", "unpriced_requests"]
    guard sum(plan) != nil, names.isDisjoint(with: telling) else { return nil }
    var counts = QueryPlan(
      metrics: ["requests", "unpriced_requests"].compactMap(Metric.named), filter: plan.filter,
      since: plan.since, until: plan.until, prices: plan.prices)
    counts.closedCohort = plan.closedCohort
    return counts
  }

  /// The first metric that adds up costs.
  private func sum(_ plan: QueryPlan) -> Metric? {
    plan.metrics.first {
      ($0.unit == .money || $0.unit == .moneyRatio) && $0.name != "reported_cost"
    }
  }

  /// - Parameter rows: the answer to ``unpricedPlan(_:)``.
  private func tellUnpriced(_ rows: [[QueryValue]], _ plan: QueryPlan) {
    let counts = rows.first ?? []
    guard case .count(let all)? = counts.first, case .count(let unpriced)? = counts.last,
      unpriced > 0, let sum = sum(plan)
    else { return }
    Console.note(
      "farthing: \(AmountText.readable(count: unpriced)) of \(AmountText.readable(count: all)) requests have no price "
        + "and add nothing to \(sum.name); farthing prices missing names their models")
  }
}

extension BucketWidth {
  /// The width in nanoseconds, at most 292 years; days and weeks as they are without a change of
  /// clocks.
  var nominalNanoseconds: Int64 {
    Int64(clamping: Int128(count) * Int128(unit.seconds) * 1_000_000_000)
  }
}

extension CommandFailure {
  /// Wrong words are wrong usage; whatever else stands between a query and its answer is a failure.
  init(_ error: QueryError) {
    let message = error.message.split(separator: "\n").joined(separator: "\n          ")
    self.init(status: error.code == .usage ? 2 : 1, message: message)
  }
}
