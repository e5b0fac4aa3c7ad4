internal import FarthingQuery

extension ReportAnswers.Waste.Kind {
  /// For people.
  var words: String {
    switch self {
    case .retries: "retries"
    case .failed: "failed first attempts"
    case .cancelled: "cancelled first attempts"
    case .repeatedUncached: "repeated prompts, nothing from a cache"
    case .repeatedCached: "repeated prompts, partly from a cache"
    }
  }

  /// How it is counted.
  var counting: String {
    switch self {
    case .retries: "what attempts beyond the first cost, whatever came of them"
    case .failed: "what first attempts cost whose status is error, timeout, rate_limited or blocked"
    case .cancelled: "what first attempts cost whose caller hung up"
    case .repeatedUncached:
      "of first attempts that went well and read nothing from a prompt cache: the cost of equal prompts beyond each one's dearest"
    case .repeatedCached:
      "the same of all first attempts that went well, less the row above: repetition that a prompt cache made cheaper, and a response cache would have made free"
    }
  }

  /// What to do about it.
  var advice: String {
    switch self {
    case .retries: "Have its clients back off, and retry only what can succeed."
    case .failed: "Find out what fails, and stop before the dear part of a call."
    case .cancelled:
      "Stop generating when the caller hangs up, and shorten what makes callers leave."
    case .repeatedUncached: "Answer repeated prompts from a response cache."
    case .repeatedCached: "Answer repeated prompts from a response cache."
    }
  }
}

/// Cost that bought nothing that was kept.
struct WasteSection: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  /// Of all kinds; no request is in two.
  static func total(_ waste: [ReportAnswers.Waste]) -> (
    now: ReportAnswers.Waste.Amount, before: ReportAnswers.Waste.Amount
  ) {
    var (now, before) = (ReportAnswers.Waste.Amount(), ReportAnswers.Waste.Amount())
    for kind in waste {
      now.cost += kind.now.cost
      now.requests += kind.now.requests
      now.unpriced += kind.now.unpriced
      before.cost += kind.before.cost
      before.requests += kind.before.requests
    }
    return (now, before)
  }

  private var shown: [ReportAnswers.Waste] {
    answers.waste.filter { $0.now != .init() || $0.before != .init() }
      .sorted { $0.now.cost > $1.now.cost }
  }

  var section: Report.Section? {
    guard now.count("requests") > 0 else { return nil }
    var section = Report.Section(id: "waste", title: "Avoidable cost")
    let total = Self.total(answers.waste)
    if shown.isEmpty {
      section.lead = "No retries, no failed or cancelled requests, no repeated prompts."
    } else {
      section.lead =
        "\(ReportFigure.money(total.now.cost)), \(ReportFigure(share(total.now.cost, of: now.money("cost")))) of the cost, bought nothing that was kept; \(ReportFigure.money(total.before.cost)) in \(previously)."
      section.charts = [chart]
      section.tables = [table]
    }
    if let pools { section.tables.append(pools) }
    section.notes = notes
    return section
  }

  private var notes: [ReportText] {
    var notes: [ReportText] = shown.map { one in
      one.kind == .repeatedCached
        ? "\(Self.capital(one.kind.words)): \(one.kind.counting)."
        : "\(Self.capital(one.kind.words)): \(one.kind.counting) (\(code: ReportQuestions.condition(one.kind)))."
    }
    if !shown.isEmpty {
      notes.append(
        "No request is counted in two rows, so the rows sum to the total. \(code: "farthing query cost,requests,repeated_cost" + window + " --where …") asks again, with the condition of a row."
      )
    }
    let unpriced = Self.total(answers.waste).now.unpriced
    if unpriced > 0 {
      notes.append(
        "\(ReportFigure.count(unpriced)) of these requests have no price: what they cost is not in the amounts."
      )
    }
    if pools != nil {
      notes.append(
        """
        Idle pools: whole hours in which no request named the pool's site and model. What stands idle within busy hours is not \
        counted, so this is a lower bound. Capacity is no part of the cost above.
        """)
    }
    return notes
  }

  static func capital(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

  private var chart: ReportChart {
    ReportChart(
      id: "chart-waste", title: "Avoidable cost by kind",
      summary: "One bar for each kind, the dearest first; the mark is that of \(previously).",
      kind: .bars(
        shown.map {
          ReportChart.Bar(
            name: ReportText(stringLiteral: $0.kind.words), value: $0.now.cost,
            previous: $0.before.cost)
        }))
  }

  private var table: ReportTable {
    let digits = ReportFigure.digits(of: shown.flatMap { [$0.now.cost, $0.before.cost] })
    var table = ReportTable(
      "waste", "Avoidable cost by kind",
      [
        .init("kind", "kind", .label), .init("cost", "cost"), .init("share", "of all cost"),
        .init("before", "before"), .init("change", "change"), .init("requests", "requests"),
        .init("unpriced_requests", "without price"), .init("most", "most of it in", .label),
      ])
    func row(
      _ name: ReportCell, _ new: ReportAnswers.Waste.Amount, _ old: ReportAnswers.Waste.Amount,
      _ most: ReportCell, _ style: ReportTable.Row.Style
    ) -> ReportTable.Row {
      ReportTable.Row(
        [
          name, ReportCell(.money(new.cost)),
          ReportCell(share(new.cost, of: now.money("cost"))), ReportCell(.money(old.cost)),
          differenceCell(old.cost, new.cost, digits), ReportCell(.count(new.requests)),
          ReportCell(.count(new.unpriced)), most,
        ], style)
    }
    table.rows = shown.map { one in
      let most = one.most.map { most in
        ReportCell(
          most.name.map { .text($0) } ?? .null,
          .text("\(name: most.name), \(ReportFigure.money(most.cost, digits: digits))"))
      }
      return row(
        ReportCell(
          .text(one.kind.rawValue), .text(ReportText(stringLiteral: one.kind.words))), one.now,
        one.before, most ?? .blank, .plain)
    }
    let total = Self.total(shown)
    table.rows.append(row(.words("all"), total.now, total.before, .blank, .total))
    return table
  }

  /// nil where no pool had capacity in the period.
  private var pools: ReportTable? {
    guard let pools = answers.pools, !pools.isEmpty else { return nil }
    var table = ReportTable(
      "pools", "Idle hours of capacity pools",
      [
        .init("site", "site", .label), .init("pool", "pool", .label),
        .init("model", "model", .label), .init("pool_cost", "cost of the pool"),
        .init("idle_cost", "in idle hours"), .init("idle_share", "share"),
        .init("idle_hours", "idle hours"),
      ])
    func hours(_ nanoseconds: Int64) -> QueryValue {
      .real((Double(nanoseconds) / 360_000_000_000).rounded() / 10)
    }
    table.rows = pools.prefix(ReportLimits.rows).map { pool in
      ReportTable.Row([
        .name(pool.site), .name(pool.pool),
        pool.model == nil ? .words("any") : .name(pool.model), ReportCell(.money(pool.cost)),
        ReportCell(.money(pool.idleCost)), ReportCell(share(pool.idleCost, of: pool.cost)),
        ReportCell(hours(pool.idleTime)),
      ])
    }
    func row(_ name: String, _ pools: some Collection<ReportAnswers.IdlePool>) -> [ReportCell] {
      let (cost, idle) = pools.reduce(into: (Int128(0), Int128(0))) { sum, pool in
        sum.0 += pool.cost
        sum.1 += pool.idleCost
      }
      return [
        .words(name), .blank, .blank, ReportCell(.money(cost)), ReportCell(.money(idle)),
        ReportCell(share(idle, of: cost)),
        ReportCell(hours(pools.reduce(0) { $0 + $1.idleTime })),
      ]
    }
    let others = pools.dropFirst(ReportLimits.rows)
    if !others.isEmpty {
      table.rows.append(ReportTable.Row(row("\(others.count) others", others), .others))
    }
    table.rows.append(ReportTable.Row(row("all", pools), .total))
    return table
  }
}
