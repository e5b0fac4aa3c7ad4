internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery

/// What the reader should know and do: three to five sentences, the most pressing first.
///
/// Each candidate has a weight; what somebody has to act on comes before what is merely so. Weights are of the same
/// answers as the figures, so the same report names the same things.
struct Findings: ReportSectionMaking {
  let answers: ReportAnswers

  init(_ answers: ReportAnswers) { self.answers = answers }

  private static let most = 5

  private struct Candidate {
    var weight: Double
    var finding: Report.Finding
  }

  var found: [Report.Finding] {
    guard now.count("requests") > 0 else { return [nothing] }
    let candidates = [incidents, budget, unitCost, waste, coverage, retrieval, latency, tasks]
      .compactMap { $0 }
    let ordered = candidates.enumerated().sorted { left, right in
      left.element.weight != right.element.weight
        ? left.element.weight > right.element.weight : left.offset < right.offset
    }
    // What the period cost comes first, whatever else there is; then what somebody has to act on.
    let tones: [Report.Finding.Tone] = [.act, .watch, .good, .note]
    let chosen = ordered.prefix(Self.most - 1).map(\.element.finding)
    return [cost] + tones.flatMap { tone in chosen.filter { $0.tone == tone } }
  }

  private var nothing: Report.Finding {
    Report.Finding(
      tone: .note, title: "No requests",
      text:
        "There are no requests in the period\(answers.plan.filter == nil ? "" : " that the condition holds for").",
      advice: "See what is stored with \(code: "farthing query requests --every 1w").",
      section: "figures")
  }

  // MARK: What it cost

  private var cost: Report.Finding {
    let (old, new) = (before.money("cost"), now.money("cost"))
    let explanation = answers.explanation
    let digits = ReportFigure.digits(of: [old, new])
    let change = new - old
    guard before.count("requests") > 0 else {
      return Report.Finding(
        tone: .note, title: "\(ReportFigure.money(new)) spent",
        text: "There are no requests in \(previously) to compare with.", section: "time")
    }
    let title: ReportText =
      change == 0
      ? "\(ReportFigure.money(new)) spent, as in \(previously)"
      : "\(ReportFigure.money(new)) spent, \(difference(old, new, digits)) against \(previously)"
    let causes = explanation.parts.filter { $0.change != 0 && ($0.change > 0) == (change > 0) }
      .sorted { $0.change.magnitude > $1.change.magnitude }.prefix(2)
      .filter { $0.change.magnitude * 10 >= change.magnitude }
      .map { part -> ReportText in
        "\(part.part.words) (\(FigureChange.money(part.change, digits: digits)))"
      }
    var text: ReportText = "\(ReportFigure.count(now.count("requests"))) requests. "
    if !causes.isEmpty { text = text + "The change is most of all \(ReportText.list(causes)). " }
    let mover = explanation.contributors.filter { $0.dimension == "workload" && $0.others == nil }
      .max { $0.change.magnitude < $1.change.magnitude }
    if let mover, mover.change != 0, mover.value != nil {
      text =
        text
        + "The workload that moved most is \(name: mover.value): \(difference(mover.before, mover.after, digits))."
    }
    let caller = explanation.contributors.filter { $0.dimension == "identity" && $0.others == nil }
      .max { $0.change.magnitude < $1.change.magnitude }
    // A quarter of the whole change by one caller is worth a name.
    if let caller, caller.value != nil, caller.change != 0,
      caller.change.magnitude >= change.magnitude / 4
    {
      text =
        text
        + " One identity, \(name: caller.value), makes up \(FigureChange.money(caller.change, digits: digits))."
    }
    return Report.Finding(tone: .note, title: title, text: text, section: "change")
  }

  // MARK: What is wrong

  private var incidents: Candidate? {
    let found = answers.ledger.incidents
    let ranks = ["critical": 3.0, "warning": 2, "info": 1]
    func rank(_ incident: ReportLedger.Incident) -> Double {
      (ranks[incident.severity] ?? 0) + (incident.resolvedAt == nil ? 2 : 0)
    }
    guard
      let worst = found.max(by: { left, right in
        rank(left) != rank(right)
          ? rank(left) < rank(right) : (left.excess ?? 0) < (right.excess ?? 0)
      })
    else { return nil }
    let open = found.filter { $0.resolvedAt == nil }.count
    let title: ReportText =
      open > 0
      ? "\(IncidentSections.counted(open, "incident")) not over"
      : "\(IncidentSections.counted(found.count, "incident")), all over"
    let excess: ReportText =
      worst.excess.map { " (\(ReportFigure.money($0)) above expectation)" } ?? ""
    return Candidate(
      weight: open > 0 ? 100 : rank(worst) * 10,
      finding: Report.Finding(
        tone: open > 0 ? .act : .watch, title: title,
        text: "The worst: \(name: worst.summary)\(excess).",
        advice: "See \(code: "farthing alerts show " + worst.id).", section: "incidents"))
  }

  private var budget: Candidate? {
    let ranks: [BudgetStatus.State: Double] = [
      .hard: 95, .burning: 90, .soft: 60, .forecast: 85, .ok: 0,
    ]
    guard
      let worst = answers.budgets.max(by: { left, right in
        let (a, b) = (ranks[left.state] ?? 0, ranks[right.state] ?? 0)
        return a != b ? a < b : left.share < right.share
      }), worst.state != .ok
    else { return nil }
    var text: ReportText =
      "\(ReportFigure.money(worst.spent)) of \(ReportFigure.money(worst.budget.amount.rawValue)) (\(ReportFigure.share(worst.share))) is spent"
    if !worst.budget.period.isRolling {
      text =
        text
        + ", with \(ReportFigure.share(worst.elapsed)) of its \(worst.budget.period.words) over"
    }
    text = text + "."
    if let time = worst.outlook?.exceededAt, worst.remaining > 0 {
      text = text + " It is used up about \(PeriodText.short(time, period.zone))."
    }
    return Candidate(
      weight: ranks[worst.state] ?? 0,
      finding: Report.Finding(
        tone: .act, title: "Budget \(name: worst.budget.name): \(BudgetSection.words(worst.state))",
        text: text, advice: "Raise it, or cut what the bridge names.", section: "budgets"))
  }

  /// The workload whose queries grew dearer by most money.
  private var unitCost: Candidate? {
    func effect(_ group: ReportAnswers.Group) -> Double {
      guard let old = ReadableCells.amount(group.before["cost_per_request"]),
        let new = ReadableCells.amount(group.now["cost_per_request"])
      else { return 0 }
      return Double(new - old) * Double(group.now.count("requests"))
    }
    let all = now.money("cost")
    let whole = Double(all)
    guard
      let worst = answers.workloads.filter({ $0.name != nil }).max(by: { effect($0) < effect($1) }),
      effect(worst) > whole * 0.01, whole > 0
    else { return nil }
    let change = FigureChange(
      from: worst.before["cost_per_request"], to: worst.now["cost_per_request"], .risingIsWorse)
    let extra = Int128(effect(worst))
    var text: ReportText =
      "A request costs \(ReportFigure(worst.now["cost_per_request"])), \(ReportFigure(worst.before["cost_per_request"])) in \(previously): \(ReportFigure.money(extra)) more than the same requests would have cost then."
    if let reason = reason(worst) { text = text + " " + reason }
    return Candidate(
      weight: 40 + min(50, effect(worst) / whole * 200),
      finding: Report.Finding(
        tone: .act,
        title: "\(name: worst.name) grew dearer a request: \(change.text ?? "")",
        text: text,
        advice:
          "See \(code: "farthing explain" + window + " --where " + Self.condition(worst.name)).",
        section: "workloads"))
  }

  /// `workload = 'x'` as a shell takes it for one word.
  private static func condition(_ workload: String?) -> String {
    let doubled = (workload ?? "").split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "''")
    return quoted("workload = '\(doubled)'")
  }

  /// What moved with it, where anything did by much.
  private func reason(_ group: ReportAnswers.Group) -> ReportText? {
    if let old = group.before.share("cache_hit_rate"), let new = group.now.share("cache_hit_rate"),
      old - new > 0.1
    {
      return
        "Its cache hit rate went from \(ReportFigure.share(old)) to \(ReportFigure.share(new))."
    }
    let (old, new) = (tokens(group.before), tokens(group.now))
    if let old, let new, new > old * 1.15 {
      let (a, b) = (ReportFigure(.real(old.rounded())), ReportFigure(.real(new.rounded())))
      return "Tokens a request went from \(Self.whole(a)) to \(Self.whole(b))."
    }
    return nil
  }

  private static func whole(_ figure: ReportFigure) -> ReportFigure {
    ReportFigure(
      figure.text.hasSuffix(".0") ? String(figure.text.dropLast(2)) : figure.text,
      exact: figure.exact)
  }

  private func tokens(_ values: ReportAnswers.MetricValues) -> Double? {
    let requests = values.count("requests")
    return requests == 0 ? nil : Double(values.count("tokens")) / Double(requests)
  }

  private var waste: Candidate? {
    let total = WasteSection.total(answers.waste).now.cost
    let whole = now.money("cost")
    guard total > 0, whole > 0, let worst = answers.waste.max(by: { $0.now.cost < $1.now.cost })
    else { return nil }
    let part = Double(total) / Double(whole)
    let place: ReportText =
      worst.most.map { ", most of it in \(name: $0.name) (\(ReportFigure.money($0.cost)))" } ?? ""
    return Candidate(
      weight: 20 + min(60, part * 300),
      finding: Report.Finding(
        tone: part > 0.05 ? .act : .watch,
        title: "\(ReportFigure.money(total)) avoidable, \(ReportFigure.share(part)) of the cost",
        text:
          "The largest part is \(worst.kind.words) with \(ReportFigure.money(worst.now.cost))\(place).",
        advice: ReportText(stringLiteral: worst.kind.advice), section: "waste"))
  }

  private var coverage: Candidate? {
    let (unpriced, requests) = (now.count("unpriced_requests"), now.count("requests"))
    guard unpriced > 0 else { return nil }
    guard case .ratio(let part) = share(unpriced, of: requests) else { return nil }
    let models = answers.models.filter { $0.now.count("unpriced_requests") > 0 }
      .sorted { $0.now.count("unpriced_requests") > $1.now.count("unpriced_requests") }
      .prefix(2).map { group -> ReportText in
        "\(name: group.name) (\(ReportFigure.count(group.now.count("unpriced_requests"))))"
      }
    return Candidate(
      weight: 15 + min(70, part * 500),
      finding: Report.Finding(
        tone: part > 0.01 ? .act : .watch,
        title: "\(ReportFigure.share(part)) of the requests could not be priced",
        text:
          "\(ReportFigure.count(unpriced)) requests are missing from every total, most of them of \(ReportText.list(Array(models))).",
        advice: "See \(code: "farthing prices missing"), and have sources report usage.",
        section: "coverage"))
  }

  private var retrieval: Candidate? {
    let least: Int128 = 100
    let worst = answers.workloads
      .filter { $0.name != nil && $0.now.count("retrievals") >= least }
      .compactMap { group in
        group.now.share("retrieval_failure_rate").map { (group: group, rate: $0) }
      }
      .max { $0.rate < $1.rate }
    guard let worst, worst.rate > 0.02 else { return nil }
    let old = worst.group.before.share("retrieval_failure_rate")
    let since: ReportText = old.map { ", \(ReportFigure.share($0)) in \(previously)" } ?? ""
    let grew = worst.rate - (old ?? worst.rate)
    return Candidate(
      weight: 10 + min(60, worst.rate * 100 + max(0, grew) * 500),
      finding: Report.Finding(
        tone: grew > 0.01 ? .act : .watch,
        title: "\(name: worst.group.name): \(ReportFigure.share(worst.rate)) of retrievals fail",
        text:
          "\(ReportFigure.count(worst.group.now.count("retrieval_failures"))) of \(ReportFigure.count(worst.group.now.count("retrievals"))) look-ups\(since). Answers without their sources cost as much and succeed less.",
        section: "reliability"))
  }

  private var latency: Candidate? {
    func growth(_ group: ReportAnswers.Group) -> Double {
      FigureChange(
        from: group.before["latency_p95"], to: group.now["latency_p95"], .risingIsWorse
      ).relative ?? 0
    }
    let least: Int128 = 100
    guard
      let worst = answers.workloads.filter({
        $0.name != nil && $0.now.count("requests") >= least && $0.before.count("requests") >= least
      }).max(by: { growth($0) < growth($1) }), growth(worst) > 0.2
    else { return nil }
    return Candidate(
      weight: 10 + min(50, growth(worst) * 20),
      finding: Report.Finding(
        tone: .watch,
        title: "\(name: worst.name) is slower: p95 \(FigureChange.signed(growth(worst)))",
        text:
          "One request in twenty takes longer than \(ReportFigure(worst.now["latency_p95"])) ms, \(ReportFigure(worst.before["latency_p95"])) ms in \(previously).",
        section: "reliability"))
  }

  private var tasks: Candidate? {
    guard now["cost_per_successful_task"] != .null else {
      guard now["cost_per_query"] != .null, before["cost_per_query"] != .null else { return nil }
      return unit("cost_per_query", "A query")
    }
    return unit("cost_per_successful_task", "A successful task")
  }

  private func unit(_ metric: String, _ what: String) -> Candidate {
    let change = FigureChange(from: before[metric], to: now[metric], .risingIsWorse)
    let size = (change.relative ?? 0).magnitude
    var text: ReportText =
      before[metric] == .null
      ? "There is nothing to compare with in \(previously)."
      : "\(ReportFigure(before[metric])) in \(previously)."
    if let rate = now.share("task_success_rate") {
      let old: ReportText =
        before.share("task_success_rate").map { ", \(ReportFigure.share($0)) before" } ?? ""
      text =
        text
        + " \(ReportFigure.share(rate)) of the \(ReportFigure.count(now.count("successful_tasks") + now.count("failed_tasks"))) tasks with an outcome succeeded\(old)."
    }
    let tone: Report.Finding.Tone =
      switch change.judgement {
      case .better: size > 0.02 ? .good : .note
      case .worse: size > 0.05 ? .watch : .note
      case .neither: .note
      }
    return Candidate(
      weight: 35 + min(40, size * 100),
      finding: Report.Finding(
        tone: tone,
        title: "\(what) costs \(ReportFigure(now[metric]))\(change.text.map { ", \($0)" } ?? "")",
        text: text, section: "figures"))
  }
}
