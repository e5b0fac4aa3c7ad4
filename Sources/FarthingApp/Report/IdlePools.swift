internal import FarthingCore
internal import FarthingQuery
internal import FarthingStore

// What owned capacity cost while nothing asked for it. How much of a busy hour a pool stood idle takes its accounting
// by compute time, which no metric answers yet; an hour in which no request named the pool's site and model needs none:
// all of it was idle. So this is a lower bound, and exact.

/// The idle hours of the capacity pools of a period.
struct IdlePools {
  /// By site, pool and model; nil where no capacity event is stored.
  private(set) var pools: [ReportAnswers.IdlePool]?

  private struct Key: Hashable {
    var site: String
    var pool: String
    var model: String?
  }

  /// What a pool costs from one instant to another.
  private struct Term {
    var key: Key
    var since: Int64
    var until: Int64
    /// Picodollars an hour.
    var rate: Int128
  }

  /// Sums of rate × nanoseconds.
  private struct Sums {
    var whole: Int128 = 0
    var idle: Int128 = 0
    var time: Int64 = 0
    var idleTime: Int64 = 0
  }

  init(_ asked: ReportQuestions) throws {
    guard !asked.snapshot.capacities.isEmpty else { return }
    let window = asked.period.current
    let terms = try Self.terms(asked, window)
    let busy = try Self.busyHours(asked, window, Set(terms.map(\.key.site)))
    var sums: [Key: Sums] = [:]
    var isTooMuch: Set<Key> = []
    for term in terms {
      var sum = sums[term.key] ?? Sums()
      if !Self.add(term, busy, to: &sum) { isTooMuch.insert(term.key) }
      sums[term.key] = sum
    }
    pools = sums.filter { !isTooMuch.contains($0.key) }.map { key, sum in
      ReportAnswers.IdlePool(
        site: key.site, pool: key.pool, model: key.model, cost: Self.perHour(sum.whole),
        idleCost: Self.perHour(sum.idle), time: sum.time, idleTime: sum.idleTime)
    }.sorted { left, right in
      if left.idleCost != right.idleCost { return left.idleCost > right.idleCost }
      return [left.site, left.pool, left.model ?? ""].lexicographicallyPrecedes(
        [right.site, right.pool, right.model ?? ""])
    }
  }

  private static func terms(
    _ asked: ReportQuestions, _ window: ReportWindow
  ) throws -> [Term] {
    let answer = try SQLExecutor(memoryLimit: asked.executor.memoryLimit).run(
      """
      SELECT site, pool, model, accelerators, usd_per_accelerator_hour, time_unix_nano, until
      FROM capacity WHERE time_unix_nano < \(window.until)
      """, over: asked.snapshot)
    return answer.rows.compactMap { row in
      guard row.count == 7, case .text(let site) = row[0], case .text(let pool) = row[1],
        case .count(let accelerators) = row[3], case .text(let price) = row[4],
        let each = AmountText.picodollars(of: price), case .count(let since) = row[5],
        case .text(let end) = row[6], let until = AnswerReader.time(end), until > window.since
      else { return nil }
      let model: String? = if case .text(let text) = row[2] { text } else { nil }
      let (rate, overflow) = each.multipliedReportingOverflow(by: accelerators)
      guard !overflow, let start = Int64(exactly: since) else { return nil }
      return Term(
        key: Key(site: site, pool: pool, model: model), since: max(start, window.since),
        until: min(until, window.until), rate: rate)
    }
  }

  /// For each site and model the hours with requests, and for each site those of any model.
  private static func busyHours(
    _ asked: ReportQuestions, _ window: ReportWindow, _ sites: Set<String>
  ) throws(QueryError) -> [String: [String?: Set<Int64>]] {
    guard !sites.isEmpty else { return [:] }
    let list = sites.sorted().map {
      "'"
        + $0.split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "''") + "'"
    }
    // All requests, whatever the report is narrowed to: a pool is busy for whoever asks.
    var question = try QueryPlan.parse(
      QueryWords(
        metrics: "requests", by: "site,model", filter: "site in (\(list.joined(separator: ", ")))"),
      now: asked.plan.now)
    question.since = window.since
    question.until = window.until
    question.every = BucketWidth(count: 1, unit: .hour)
    var busy: [String: [String?: Set<Int64>]] = [:]
    for row in try asked.executor.run(question, over: asked.snapshot).rows {
      guard row.count == 4, case .time(let hour) = row[0], case .text(let site) = row[1] else {
        continue
      }
      if case .text(let model) = row[2] {
        busy[site, default: [:]][model, default: []].insert(hour)
      }
      busy[site, default: [:]][.none, default: []].insert(hour)
    }
    return busy
  }

  /// - Returns: whether the sum fits.
  private static func add(
    _ term: Term, _ busy: [String: [String?: Set<Int64>]], to sum: inout Sums
  ) -> Bool {
    let hours = busy[term.key.site]?[term.key.model] ?? []
    var time = term.since
    while time < term.until {
      let hour = CivilTime.floorDivide(time, CivilTime.hour) * CivilTime.hour
      let end = min(term.until, hour + CivilTime.hour)
      let (amount, overflow) = term.rate.multipliedReportingOverflow(by: Int128(end - time))
      let (whole, carry) = sum.whole.addingReportingOverflow(amount)
      if overflow || carry { return false }
      sum.whole = whole
      sum.time += end - time
      if !hours.contains(hour) {
        sum.idle += amount
        sum.idleTime += end - time
      }
      time = end
    }
    return true
  }

  /// To whole picodollars, half to even.
  private static func perHour(_ product: Int128) -> Int128 {
    let hour = Int128(CivilTime.hour)
    let (quotient, rest) = product.quotientAndRemainder(dividingBy: hour)
    let isUp = rest * 2 > hour || (rest * 2 == hour && quotient % 2 != 0)
    return quotient + (isUp ? 1 : 0)
  }
}
