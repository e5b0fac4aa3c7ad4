package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// `farthing budgets`: how the budgets of the configuration stand.
package struct BudgetsCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "budgets",
    abstract: "What may be spent, what is, and what will be.",
    discussion: """
      farthing budgets --config farthing.yaml
      farthing budgets show checkout --config farthing.yaml
      farthing budgets check --config farthing.yaml

      Budgets stand in the section budgets of the configuration, or in a file of their own (--rules FILE). docs/budgets.md says how they \
      are written, and how the forecast and its band are made.
      """,
    subcommands: [BudgetsList.self, BudgetsShow.self, BudgetsCheck.self],
    defaultSubcommand: BudgetsList.self)

  package init() {}
}

/// Which budgets, and when.
package struct BudgetOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "File with rules and budgets, instead of the configuration's.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  package var rules: String?
  @Option(
    help: ArgumentHelp("Time at which to look, instead of now.", valueName: "time"))
  package var at: String?

  package init() {}

  /// The budgets, and Unix nanoseconds at which they are looked at.
  func budgets(_ settings: Settings) throws(CommandFailure) -> ([Budget], Int64) {
    let time = try at.map { (text) throws(CommandFailure) in
      try InstantOption.parse(text, of: "--at")
    }
    let budgets = try rules.map { (file) throws(CommandFailure) in
      try WatchFile.read(file).budgets
    }
    return (budgets ?? settings.configuration.budgets, time ?? HostProcess.now())
  }

  /// How they stand in the store's folder.
  func statuses(
    _ settings: Settings, named name: String? = nil
  ) throws -> (statuses: [BudgetStatus], lacksRows: Bool) {
    let (all, time) = try budgets(settings)
    let budgets = try name.map { try [BudgetOptions.named($0, all)] } ?? all
    if budgets.isEmpty {
      Console.note("farthing: no budgets are set; docs/budgets.md says how")
      return ([], false)
    }
    let executor = QueryExecutor(
      memoryLimit: settings.queryBytes, threads: HostProcess.processorCount())
    do {
      let (statuses, lacksRows) = try StoreAccess.answer(settings) { snapshot in
        try budgets.map { budget in
          try budget.status(at: time) { (plan) throws(QueryError) in
            try executor.run(plan, over: snapshot)
          }
        }
      }
      return (statuses, lacksRows)
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
  }

  static func named(_ name: String, _ budgets: [Budget]) throws(CommandFailure) -> Budget {
    if let budget = budgets.first(where: { $0.name == name }) { return budget }
    let near = Suggestion.nearest(to: name, among: budgets.map(\.name))
    throw .usage(
      "there is no budget \"\(name.printable)\"; "
        + (near.map { "did you mean \"\($0)\"?" } ?? "farthing budgets lists them"))
  }
}

/// `farthing budgets list`
package struct BudgetsList: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list", abstract: "All budgets: spent, remaining, forecast, burn rate, state.")

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var options: BudgetOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    guard output.output != .chart else {
      throw CommandFailure.usage("budgets are a list; use --output table, json or csv")
    }
    let (settings, server) = try global.place()
    if let server {
      guard options.rules == nil else {
        throw CommandFailure.usage("--rules: a server goes by the budgets of its own configuration")
      }
      let isDrawn = output.output == .table
      let question = RemoteQuestion(
        "/v1/budgets",
        [("at", options.at), ("output", isDrawn ? "json" : output.output.rawValue)])
      return try await server.use { server in
        let reply = try await server.answer(question.target)
        if isDrawn {
          guard let answer = BudgetReader.read(reply.body) else { throw server.isNoFarthing }
          try write(answer.keeping(Answer.budgetOverview))
        } else {
          try Console.result(reply.body)
        }
        if RemoteServer.warn(reply) { throw CommandFailure.failed(nil) }
      }
    }
    let (statuses, lacksRows) = try options.statuses(settings)
    let answer = Answer(statuses)
    try write(output.output == .table ? answer.keeping(Answer.budgetOverview) : answer)
    if lacksRows { throw CommandFailure.failed(nil) }
  }

  private func write(_ answer: Answer) throws { try output.write(answer) }
}

/// `farthing budgets show NAME`
package struct BudgetsShow: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show", abstract: "One budget with its windows and its forecast.")

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var options: BudgetOptions
  @Argument(help: ArgumentHelp("Name of the budget.", valueName: "name"))
  package var name: String
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    guard output.output != .chart else {
      throw CommandFailure.usage("a budget is no chart; use --output table, json or csv")
    }
    let settings = try global.settings()
    let (statuses, lacksRows) = try options.statuses(settings, named: name)
    if output.output == .table {
      for status in statuses {
        let text = BudgetPage.text(status, page: Console.page(), zone: status.budget.period.zone)
        try Console.result(Array(text.utf8))
      }
    } else {
      try output.write(Answer(statuses))
    }
    if lacksRows { throw CommandFailure.failed(nil) }
  }
}

/// `farthing budgets check`
package struct BudgetsCheck: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Exit with 1 where a hard threshold is crossed.",
    discussion: "For scripts: each budget over a threshold is named on standard error.")

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var options: BudgetOptions

  package init() {}

  package mutating func run() async throws {
    let (statuses, lacksRows) = try options.statuses(try global.settings())
    var isOver = false
    for status in statuses {
      switch status.state {
      case .ok: continue
      case .hard: isOver = true
      default: break
      }
      Console.note(
        "farthing: budget \(status.budget.name): \(status.state.rawValue), "
          + "\(AmountText.readable(status.spent, fractionDigits: 2)) of "
          + "\(AmountText.readable(status.budget.amount.rawValue, fractionDigits: 2)) "
          + "(\(NumberText.percentage(status.share)))")
    }
    if isOver || lacksRows { throw CommandFailure.failed(nil) }
    try Console.result(
      "\(statuses.count) budgets, none over a hard threshold")
  }
}

/// Reads budgets in JSON back.
enum BudgetReader {
  private static let money: Set = ["spent", "amount", "remaining"]
  private static let estimates: Set = ["forecast", "forecast_low", "forecast_high"]
  private static let times: Set = [
    "exceeded_at", "exceeded_earliest", "exceeded_latest", "start", "end",
  ]

  /// nil where the text is no list of budgets.
  static func read(_ text: [UInt8]) -> Answer? {
    guard let tree = try? JSONTree(text), tree.root.isArray else { return nil }
    var answer = Answer([BudgetStatus]())
    for object in tree.root.elements {
      let members = object.members
      guard members.count == answer.columns.count else { return nil }
      var row: [QueryValue] = []
      for (column, member) in zip(answer.columns, members) {
        guard member.key == column.name, let value = value(member.value, column.name) else {
          return nil
        }
        row.append(value)
      }
      answer.rows.append(row)
    }
    return answer
  }

  private static func value(_ value: JSONValue, _ name: String) -> QueryValue? {
    if value.isNull { return .null }
    guard let text = value.literal else { return nil }
    if money.contains(name) { return AmountText.picodollars(of: text).map { .money($0) } }
    if estimates.contains(name) { return .moneyRatio(text) }
    if times.contains(name) { return AnswerReader.time(text).map { .time($0) } }
    switch name {
    case "share", "elapsed": return Double(text).map { .ratio($0) }
    case "burn_rate": return Double(text).map { .real($0) }
    case "requests", "unpriced_requests": return Int128(text).map { .count($0) }
    default: return .text(text)
    }
  }
}
