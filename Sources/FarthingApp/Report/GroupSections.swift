internal import FarthingQuery

extension ReportSectionMaking {
  /// Groups that a table tells by name, and what the others sum to.
  func named(_ groups: [ReportAnswers.Group]) -> (
    shown: [ReportAnswers.Group], others: [ReportAnswers.Group]
  ) {
    // One that would be alone among the others is as short told by name.
    let limit = groups.count == ReportLimits.rows + 1 ? groups.count : ReportLimits.rows
    return (Array(groups.prefix(limit)), Array(groups.dropFirst(limit)))
  }

  func othersName(_ count: Int) -> ReportCell { .words("\(count) others") }

  /// Parts of a sum that fits, none of them negative, so they fit.
  func sum(_ groups: [ReportAnswers.Group], _ metric: String, now: Bool = true) -> Int128 {
    groups.reduce(0) { sum, group in
      let values = now ? group.now : group.before
      return sum + values.money(metric) + values.count(metric)
    }
  }

  func costBars(_ id: String, _ title: String, _ groups: [ReportAnswers.Group]) -> ReportChart {
    let (shown, others) = named(groups)
    var bars = shown.map {
      ReportChart.Bar(
        name: "\(name: $0.name)", value: $0.now.money("cost"), previous: $0.before.money("cost"))
    }
    if !others.isEmpty {
      bars.append(
        ReportChart.Bar(
          name: "\(others.count) others", value: sum(others, "cost"),
          previous: sum(others, "cost", now: false)))
    }
    return ReportChart(
      id: id, title: title,
      summary: "One bar for each, the dearest first; the mark is the cost of \(previously).",
      kind: .bars(bars))
  }
}

/// What the workloads cost, and how well they were served.
struct WorkloadSections: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  private var hasTasks: Bool {
    answers.figures.prefix(2).contains { $0.count("successful_tasks") > 0 }
  }

  private var hasRetrievals: Bool {
    answers.figures.prefix(2).contains { $0.count("retrievals") > 0 }
  }

  /// nil where no request names a workload.
  private var groups: [ReportAnswers.Group]? {
    answers.workloads.contains { $0.name != nil } ? answers.workloads : nil
  }

  var unitCosts: Report.Section? {
    guard let groups else { return nil }
    var section = Report.Section(id: "workloads", title: "Unit costs by workload")
    section.charts = [costBars("chart-workloads", "Cost by workload", groups)]
    section.tables = [unitCostTable(groups)]
    section.notes = [
      "Sorted by cost. Changes are against \(previously).",
      "Costs and requests of the rows sum to those of all. A task with requests of two workloads counts in both, so successful tasks need not.",
    ]
    section.command = query(
      "cost,requests,cost_per_query,\(hasTasks ? "cost_per_successful_task," : "")cache_hit_rate",
      by: "workload")
    return section
  }

  private func unitCostTable(_ groups: [ReportAnswers.Group]) -> ReportTable {
    var columns: [ReportTable.Column] = [
      .init("workload", "workload", .label), .init("cost", "cost"), .init("share", "share"),
      .init("cost_change", "change"), .init("requests", "requests"),
      .init("cost_per_query", "a query"), .init("cost_per_query_change", "change"),
    ]
    if hasTasks {
      columns += [
        .init("cost_per_successful_task", "a successful task"),
        .init("cost_per_successful_task_change", "change"),
      ]
    }
    columns += [.init("cache_hit_rate", "cache hits"), .init("cache_hit_rate_change", "change")]
    var table = ReportTable("workloads", "Unit costs by workload", columns)
    let (shown, others) = named(groups)
    table.rows = shown.map { unitCostRow(.name($0.name), $0.now, $0.before, .plain) }
    if !others.isEmpty {
      let (cost, old) = (sum(others, "cost"), sum(others, "cost", now: false))
      let cells: [ReportCell] = [
        othersName(others.count), ReportCell(.money(cost)),
        ReportCell(share(cost, of: now.money("cost"))),
        FigureChange(from: .money(old), to: .money(cost), .neutral).cell,
        ReportCell(.count(sum(others, "requests"))),
      ]
      table.rows.append(
        ReportTable.Row(
          cells + Array(repeating: .blank, count: columns.count - cells.count), .others))
    }
    table.rows.append(unitCostRow(.words("all"), now, before, .total))
    return table
  }

  private func unitCostRow(
    _ name: ReportCell, _ new: ReportAnswers.MetricValues, _ old: ReportAnswers.MetricValues,
    _ style: ReportTable.Row.Style
  ) -> ReportTable.Row {
    func pair(_ metric: String, _ direction: FigureChange.Direction) -> [ReportCell] {
      [
        ReportCell(new[metric]),
        FigureChange(from: old[metric], to: new[metric], direction).cell,
      ]
    }
    let cost = new.money("cost")
    var cells = [
      name, ReportCell(.money(cost)), ReportCell(share(cost, of: now.money("cost"))),
      FigureChange(from: .money(old.money("cost")), to: .money(cost), .neutral).cell,
      ReportCell(.count(new.count("requests"))),
    ]
    cells += pair("cost_per_query", .risingIsWorse)
    if hasTasks { cells += pair("cost_per_successful_task", .risingIsWorse) }
    cells += pair("cache_hit_rate", .risingIsBetter)
    return ReportTable.Row(cells, style)
  }

  // MARK: Reliability

  var reliability: Report.Section? {
    guard let groups else { return nil }
    var section = Report.Section(id: "reliability", title: "Latency and reliability by workload")
    section.tables = [reliabilityTable(groups)]
    section.notes = [
      "In the order of cost. Latencies are end to end, of the requests that tell theirs, within 1 %. The row of all is of all requests, not an average of the rows."
    ]
    let retrieval = hasRetrievals ? ",retrievals,retrieval_failures,retrieval_failure_rate" : ""
    section.command = query(
      "latency_p50,latency_p95,error_rate,retry_rate" + retrieval, by: "workload")
    return section
  }

  private func reliabilityTable(_ groups: [ReportAnswers.Group]) -> ReportTable {
    var columns: [ReportTable.Column] = [
      .init("workload", "workload", .label), .init("latency_p50", "median ms"),
      .init("latency_p95", "p95 ms"), .init("latency_p95_change", "change"),
      .init("error_rate", "errors"), .init("retry_rate", "retries"),
    ]
    if hasRetrievals {
      columns += [
        .init("retrievals", "look-ups"), .init("retrieval_failures", "failed"),
        .init("retrieval_failure_rate", "failure rate"),
        .init("retrieval_failure_rate_change", "change"),
      ]
    }
    var table = ReportTable("reliability", "Latency and reliability by workload", columns)
    let (shown, others) = named(groups)
    table.rows = shown.map { reliabilityRow(.name($0.name), $0.now, $0.before, .plain) }
    if !others.isEmpty {
      var cells = [othersName(others.count)] + Array(repeating: ReportCell.blank, count: 5)
      if hasRetrievals {
        cells += [
          ReportCell(.count(sum(others, "retrievals"))),
          ReportCell(.count(sum(others, "retrieval_failures"))), .blank, .blank,
        ]
      }
      table.rows.append(ReportTable.Row(cells, .others))
    }
    table.rows.append(reliabilityRow(.words("all"), now, before, .total))
    return table
  }

  private func reliabilityRow(
    _ name: ReportCell, _ new: ReportAnswers.MetricValues, _ old: ReportAnswers.MetricValues,
    _ style: ReportTable.Row.Style
  ) -> ReportTable.Row {
    func change(_ metric: String) -> ReportCell {
      FigureChange(from: old[metric], to: new[metric], .risingIsWorse).cell
    }
    var cells = [
      name, ReportCell(new["latency_p50"]), ReportCell(new["latency_p95"]),
      change("latency_p95"), ReportCell(new["error_rate"]), ReportCell(new["retry_rate"]),
    ]
    if hasRetrievals {
      // Where nothing is looked up, or nobody tells, there is nothing to show.
      let isNone = new.count("retrievals") == 0
      cells += ["retrievals", "retrieval_failures"].map { name in
        let cell = ReportCell(.count(new.count(name)))
        return isNone ? ReportCell(cell.value, .text("–")) : cell
      }
      cells += [ReportCell(new["retrieval_failure_rate"]), change("retrieval_failure_rate")]
    }
    return ReportTable.Row(cells, style)
  }
}

/// What the models cost.
struct ModelSection: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  var section: Report.Section? {
    guard !answers.models.isEmpty else { return nil }
    var section = Report.Section(id: "models", title: "Models")
    section.charts = [costBars("chart-models", "Cost by model", answers.models)]
    section.tables = [table]
    section.notes = [
      "Sorted by cost. A model without a price shows no cost, which does not mean that it is free: see price coverage."
    ]
    section.command = query(
      "cost,requests,tokens,cost_per_1m_tokens,cache_hit_rate,latency_p95,unpriced_requests",
      by: "model")
    return section
  }

  private var table: ReportTable {
    var table = ReportTable(
      "models", "Models",
      [
        .init("model", "model", .label), .init("cost", "cost"), .init("share", "share"),
        .init("cost_change", "change"), .init("requests", "requests"), .init("tokens", "tokens"),
        .init("cost_per_1m_tokens", "1M tokens"), .init("cost_per_1m_tokens_change", "change"),
        .init("cache_hit_rate", "cache hits"), .init("latency_p95", "p95 ms"),
      ])
    let (shown, others) = named(answers.models)
    table.rows = shown.map { row(.name($0.name), $0.now, $0.before, .plain) }
    if !others.isEmpty {
      let (cost, old) = (sum(others, "cost"), sum(others, "cost", now: false))
      table.rows.append(
        ReportTable.Row(
          [
            othersName(others.count), ReportCell(.money(cost)),
            ReportCell(share(cost, of: now.money("cost"))),
            FigureChange(from: .money(old), to: .money(cost), .neutral).cell,
            ReportCell(.count(sum(others, "requests"))),
            ReportCell(.count(sum(others, "tokens"))), .blank, .blank, .blank, .blank,
          ], .others))
    }
    table.rows.append(row(.words("all"), now, before, .total))
    return table
  }

  private func row(
    _ name: ReportCell, _ new: ReportAnswers.MetricValues, _ old: ReportAnswers.MetricValues,
    _ style: ReportTable.Row.Style
  ) -> ReportTable.Row {
    let cost = new.money("cost")
    // Nothing is known of what an unpriced model costs, so nothing is shown.
    let isUnknown =
      new.count("requests") > 0 && new.count("unpriced_requests") == new.count("requests")
    func known(_ cell: ReportCell) -> ReportCell {
      isUnknown ? ReportCell(cell.value, .text("–")) : cell
    }
    return ReportTable.Row(
      [
        name, known(ReportCell(.money(cost))),
        known(ReportCell(share(cost, of: now.money("cost")))),
        known(FigureChange(from: .money(old.money("cost")), to: .money(cost), .neutral).cell),
        ReportCell(.count(new.count("requests"))), ReportCell(.count(new.count("tokens"))),
        known(ReportCell(new["cost_per_1m_tokens"])),
        known(
          FigureChange(
            from: old["cost_per_1m_tokens"], to: new["cost_per_1m_tokens"], .risingIsWorse
          ).cell), ReportCell(new["cache_hit_rate"]), ReportCell(new["latency_p95"]),
      ], style)
  }
}
