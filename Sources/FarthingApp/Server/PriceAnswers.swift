internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// What is said of prices, to the command line and over HTTP alike.
enum PriceAnswers {
  /// The lists of a book, the strongest last.
  ///
  /// - Parameter now: Unix nanoseconds.
  static func lists(of book: PriceBook, now: Int64) -> Answer {
    let rows = book.sources.map { source -> [QueryValue] in
      let list = source.list
      let date = list.importedAt ?? PriceDate.nanoseconds(PriceCatalogue.date)
      let age = date.map { max(0, now - $0) / TimeText.nanosecondsPerDay }
      return [
        .text(list.name), .text(list.format), list.from.map { .time($0) } ?? .null,
        date.map { .time($0 - $0 % 1_000_000_000) } ?? .null,
        age.map { .count(Int128($0)) } ?? .null,
        .count(Int128(source.cards().count)),
      ]
    }
    return Answer(
      columns: [
        .init("list"), .init("format"), .init("from"), .init("as_of"), .init("age_days", .figure),
        .init("cards", .figure),
      ], rows: rows)
  }

  /// All cards whose name, or that of one of their models, has the text in it.
  static func cards(of book: PriceBook, naming part: String) -> Answer {
    let wanted = part.lowercased()
    let rows = book.cards.filter { entry in
      entry.card.models.contains { $0.lowercased().contains(wanted) }
        || entry.card.entry.lowercased().contains(wanted)
    }.map { entry -> [QueryValue] in
      let card = entry.card
      func rate(_ part: PricePart) -> QueryValue {
        card.standard[part]?.base.map { .text($0.decimalText(per: 1_000_000)) } ?? .null
      }
      return [
        .text(card.entry), .text(entry.list.name),
        card.providers.isEmpty ? .null : .text(card.providers.joined(separator: " ")),
        rate(.input), rate(.cachedInput), rate(.output),
        card.period.from == .min ? .null : .time(card.period.from),
        card.period.until == .max ? .null : .time(card.period.until),
      ]
    }
    return Answer(
      columns: [
        .init("card"), .init("list"), .init("providers"), .init("input_per_1m", .figure),
        .init("cached_per_1m", .figure), .init("output_per_1m", .figure), .init("from"),
        .init("until"),
      ], rows: rows)
  }

  /// The price in force, part by part, with notes on where it is from.
  ///
  /// - Throws: ``CommandFailure`` with status 1 where there is none.
  static func price(
    _ request: PriceRequest, of book: PriceBook
  ) throws(CommandFailure) -> (answer: Answer, notes: [String]) {
    let resolution = book.explain(request)
    let model = request.model
    guard let card = resolution.card, let price = resolution.price, let list = resolution.list
    else {
      if let list = resolution.list {
        throw CommandFailure.failed(
          "list \(list.name.printable) names \"\(model.printable)\" without a usable price, so it has none "
            + "at \(TimeText.rfc3339(request.time)); import a list that prices it")
      }
      let names = book.cards.flatMap(\.card.models)
      let hint =
        Suggestion.nearest(to: model, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
      throw CommandFailure.failed(
        "no list has a price for \"\(model.printable)\" at \(TimeText.rfc3339(request.time))\(hint)"
      )
    }
    var notes = ["price \(price.key.printable), list \(list.name.printable)"]
    let date = card.sourceDate.map { " (read on \($0))" } ?? ""
    if let source = card.source { notes.append("source \(source.printable)\(date)") }
    return (parts(of: price, list), notes)
  }

  private static func parts(of price: ResolvedPrice, _ list: PriceListIdentity) -> Answer {
    var rows: [[QueryValue]] = []
    let from: QueryValue = price.validFrom == .min ? .null : .time(price.validFrom)
    let until: QueryValue = price.validUntil == .max ? .null : .time(price.validUntil)
    for band in price.bands {
      for part in PricePart.allCases.dropLast() {
        guard let rate = band.rates[Int(part.rawValue)] else { continue }
        rows.append([
          .text(part.cardName), band.above < 0 ? .null : .count(Int128(band.above)),
          .text(rate.decimalText(per: 1_000_000)), .text("1M tokens"), from, until,
          .text(list.name),
        ])
      }
    }
    for unit in price.units {
      rows.append([
        .text(unit.name), .null, .text(unit.rate.decimalText()), .text("unit"), from, until,
        .text(list.name),
      ])
    }
    if price.requestFee != .zero {
      rows.append([
        .text("request"), .null, .text(price.requestFee.decimalText()), .text("request"),
        from, until, .text(list.name),
      ])
    }
    return Answer(
      columns: [
        .init("part"), .init("input_above", .figure), .init("usd", .figure), .init("per"),
        .init("from"), .init("until"), .init("list"),
      ], rows: rows)
  }

  /// The question whose answer ``missing(_:of:now:)`` takes.
  ///
  /// - Parameter now: Unix nanoseconds.
  static func missingPlan(now: Int64) throws -> QueryPlan {
    try QueryPlan.parse(
      QueryWords(
        metrics: "requests,tokens", by: "model,provider",
        filter: "cost_state = 'unpriced' and usage != 'missing'", order: "tokens"),
      now: now)
  }

  /// Of the unpriced models those that a book has no price for by now, with a note on the others.
  static func missing(
    _ unpriced: Answer, of book: PriceBook, now: Int64
  ) -> (answer: Answer, notes: [String]) {
    var answer = unpriced
    let isPricedNow = answer.rows.map { row -> Bool in
      guard case .text(let model) = row[0] else { return false }
      var provider: String?
      if case .text(let name) = row[1] { provider = name }
      return book.resolve(PriceRequest(model: model, provider: provider, time: now)) != nil
    }
    let late = isPricedNow.count { $0 }
    answer.rows = zip(answer.rows, isPricedNow).filter { !$0.1 }.map(\.0)
    guard late > 0 else { return (answer, []) }
    return (
      answer,
      [
        "farthing: \(late) more \(late == 1 ? "model has" : "models have") a price by now; requests "
          + "that arrived before it was known stay unpriced until \"farthing prices reprice\"; see what it "
          + "would change with --dry-run"
      ]
    )
  }
}
