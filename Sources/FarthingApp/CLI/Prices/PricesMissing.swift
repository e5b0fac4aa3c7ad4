package import ArgumentParser
internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore

/// `farthing prices missing`: models in the store that no list prices.
package struct PricesMissing: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "missing",
    abstract: "Models in the store that have no price, those with the most tokens first.",
    discussion: """
      Models that have a price by now but had none when their requests arrived are told on standard \
      error: "farthing prices reprice" prices their requests.
      """)

  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    let settings = try global.settings()
    let book = try StoreAccess.priceBook(settings)
    let words = QueryWords(
      metrics: "requests,tokens", by: "model,provider",
      filter: "cost_state = 'unpriced' and usage != 'missing'", order: "tokens")
    let stored: StoredAnswer
    do {
      let plan = try QueryPlan.parse(words, now: HostProcess.now())
      stored = try StoreAccess.run(plan, settings)
    } catch let error as QueryError {
      throw CommandFailure(error)
    }
    var answer = Answer(stored.result)
    let isPricedNow = answer.rows.map { row -> Bool in
      guard case .text(let model) = row[0] else { return false }
      var provider: String?
      if case .text(let name) = row[1] { provider = name }
      let request = PriceRequest(model: model, provider: provider, time: HostProcess.now())
      return book.resolve(request) != nil
    }
    let late = isPricedNow.count { $0 }
    if late > 0 {
      Console.note(
        "farthing: \(late) more \(late == 1 ? "model has" : "models have") a price by now; requests "
          + "that arrived before it was known stay unpriced until \"farthing prices reprice\"; see what it "
          + "would change with --dry-run")
    }
    answer.rows = zip(answer.rows, isPricedNow).filter { !$0.1 }.map(\.0)
    try output.write(answer)
    try stored.expectWhole()
  }
}
