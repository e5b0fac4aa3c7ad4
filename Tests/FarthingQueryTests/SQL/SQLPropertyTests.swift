import FarthingCore
import FarthingStore
import Testing

@testable import FarthingQuery

/// Random stores; SQL against the events as they are, and against the query engine.
@Suite struct `SQL over random stores` {
  private static let seeds = 0..<10

  /// Requests and outcomes in a few segments.
  private struct Store {
    let requests: [ReferenceRequest]
    let outcomes: [ReferenceOutcome]
    let snapshot: StoreSnapshot

    init(_ dice: inout Dice) throws {
      requests = (0..<Int(dice.below(80))).map {
        RandomEvents.request(&dice, arrival: RandomEvents.start + Int64($0 * 2))
      }
      outcomes = (0..<Int(dice.below(16))).map {
        RandomEvents.outcome(&dice, arrival: RandomEvents.start + Int64($0 * 8 + 1))
      }
      var snapshot = StoreSnapshot()
      let middle = requests.count / 2
      for (place, part) in [requests[..<middle], requests[middle...]].enumerated() {
        if let segment = try ReferenceStore.segment(Array(part), id: Int64(place + 1)) {
          snapshot.requests.append(segment)
        }
      }
      if let segment = try ReferenceStore.segment(outcomes, id: 100) {
        snapshot.outcomes.append(segment)
      }
      self.snapshot = snapshot
    }

    func rows(_ statement: String) throws -> [[QueryValue]] {
      try SQLExecutor().run(statement, over: snapshot).rows
    }
  }

  /// What SQL shows of a field's value.
  private static func shown(_ value: ReferenceValue?, _ name: String) -> QueryValue {
    switch value {
    case nil: .null
    case .text(let text): .text(text)
    case .integer(let number):
      Int64(exactly: number) == nil ? .text(String(number)) : .count(number)
    case .boolean(let flag): .count(flag ? 1 : 0)
    case .real(let number): .real(number)
    case .money(let amount): .text(Picodollars(amount).decimalText)
    case .time(let time): .text(SQLColumnBuffer.timeText(time))
    }
  }

  @Test func `every column of every request is what the event says`() throws {
    let names = (StoredColumn.requests + StoredColumn.hiddenRequests).map(\.column.name)
      .filter { $0 != "tags" && $0 != "units" }
    let list =
      names.map { "\"\($0)\"" } + ["\"tags.team\"", "\"tags.cost-center\"", "\"units.image\""]
    let all = names + ["tags.team", "tags.cost-center", "units.image"]
    for seed in Self.seeds {
      var dice = Dice(UInt64(seed))
      let store = try Store(&dice)
      let found = try store.rows("SELECT \(list.joined(separator: ", ")) FROM requests")
      let expected = store.requests.map { request in
        all.map { Self.shown(request.value($0), $0) }
      }
      #expect(
        found.map { "\($0)" }.sorted() == expected.map { "\($0)" }.sorted(), "seed \(seed)")
      let ids = try store.rows("SELECT count(DISTINCT rowid) FROM requests")
      #expect(ids == [[.count(Int128(store.requests.count))]])
    }
  }

  @Test func `groups count and add up as the query engine does`() throws {
    for seed in Self.seeds {
      var dice = Dice(UInt64(seed + 1_000))
      let store = try Store(&dice)
      if store.requests.isEmpty { continue }
      for field in [
        "model", "identity", "status", "usage", "attempt", "tags.team", "task", "batch",
      ] {
        let statement = """
          SELECT "\(field)", count(*), coalesce(exact_sum(input_tokens), 0), coalesce(sum_usd(cost), '0'),
            count(DISTINCT site), max(latency_ms), count(*) - count(cost)
          FROM requests GROUP BY 1
          """
        let plan = try QueryPlan.parse(
          QueryWords(
            metrics: "requests,input_tokens,cost,distinct_site,latency_max,unpriced_requests",
            by: field), now: 0)
        let expected = try QueryExecutor().run(
          plan, requests: store.snapshot.requests, outcomes: store.snapshot.outcomes
        ).rows.map { row in
          row.map { value -> QueryValue in
            switch value {
            case .money(let amount): .text(Picodollars(amount).decimalText)
            case .milliseconds(let number): .real(number)
            case .boolean(let flag): .count(flag ? 1 : 0)
            default: value
            }
          }
        }
        let found = try store.rows(statement)
        #expect(
          found.map { "\($0)" }.sorted() == expected.map { "\($0)" }.sorted(),
          "seed \(seed), \(field)")
      }
    }
  }

  @Test func `tasks end as the query engine says`() throws {
    for seed in Self.seeds {
      var dice = Dice(UInt64(seed + 2_000))
      let store = try Store(&dice)
      if store.requests.isEmpty { continue }
      let plan = try QueryPlan.parse(
        QueryWords(metrics: "tasks,successful_tasks,failed_tasks,margin,cost"), now: 0)
      let engine = try QueryExecutor().run(
        plan, requests: store.snapshot.requests, outcomes: store.snapshot.outcomes
      ).rows[0]
      let found = try store.rows(
        """
        SELECT count(*), count(*) FILTER (WHERE outcome = 'success'),
          count(*) FILTER (WHERE outcome = 'failure'),
          coalesce(sum_usd(value_usd) FILTER (WHERE outcome = 'success'), '0')
        FROM tasks WHERE requests > 0
        """)[0]
      #expect(Array(found[..<3]) == Array(engine[..<3]), "seed \(seed)")
      if case .money(let margin) = engine[3], case .money(let cost) = engine[4] {
        #expect(found[3] == .text(Picodollars(margin + cost).decimalText), "seed \(seed)")
      }
      let byTask = try store.rows(
        """
        SELECT task, min(time), max(time), count(*), sum_usd(cost), exact_sum(cost_picodollars)
        FROM requests WHERE task IS NOT NULL GROUP BY task ORDER BY task
        """)
      let listed = try store.rows(
        """
        SELECT task, first_time, last_time, requests, cost, cost_picodollars FROM tasks
        WHERE requests > 0 ORDER BY task
        """)
      #expect(byTask == listed, "seed \(seed)")
      let unknown = try store.rows(
        "SELECT count(*) FROM tasks WHERE requests = 0 AND (first_time IS NOT NULL OR cost IS NOT NULL)"
      )
      #expect(unknown == [[.count(0)]])
    }
  }

  @Test func `conditions that are pushed down keep the rows that SQLite would keep`() throws {
    for seed in Self.seeds {
      var dice = Dice(UInt64(seed + 3_000))
      let store = try Store(&dice)
      for _ in 0..<24 {
        let (name, value) = Self.comparison(&dice, store.requests)
        let test = dice.pick(["=", "!=", "<", "<=", ">", ">=", "IS", "IN"])
        let condition = test == "IN" ? "IN (\(value), NULL, \(value))" : "\(test) \(value)"
        let pushed = try store.rows(
          "SELECT rowid FROM requests WHERE \"\(name)\" \(condition) ORDER BY 1")
        let plain = try store.rows(
          "SELECT rowid FROM requests WHERE +\"\(name)\" \(condition) ORDER BY 1")
        #expect(pushed == plain, "seed \(seed): \(name) \(condition)")
      }
      for name in [
        "site", "cost", "cost_picodollars", "latency_ms", "step", "usage", "attempt", "tags.team",
      ] {
        for test in ["IS NULL", "IS NOT NULL"] {
          let pushed = try store.rows(
            "SELECT rowid FROM requests WHERE \"\(name)\" \(test) ORDER BY 1")
          let plain = try store.rows(
            "SELECT rowid FROM requests WHERE +\"\(name)\" \(test) ORDER BY 1")
          #expect(pushed == plain, "seed \(seed): \(name) \(test)")
        }
      }
    }
  }

  /// A column and a literal of its type, often one that occurs.
  private static func comparison(
    _ dice: inout Dice, _ requests: [ReferenceRequest]
  ) -> (String, String) {
    let name = dice.pick([
      "time", "time_unix_nano", "model", "site", "status", "usage", "attempt", "input_tokens",
      "latency_ms", "cost_picodollars", "cost", "task", "id", "batch", "tags.team", "units.image",
      "received_time", "prompt_hash",
    ])
    let value = requests.isEmpty ? nil : dice.pick(requests).value(name)
    switch value {
    case .text(let text): return (name, "'\(text.replacing("'", with: "''"))'")
    case .integer(let number):
      return (name, Int64(exactly: number) == nil ? "1.5" : "\(number)")
    case .boolean(let flag): return (name, flag ? "1" : "0")
    case .real(let number): return (name, "\(number)")
    case .money(let amount): return (name, "'\(Picodollars(amount).decimalText)'")
    case .time(let time):
      let text = SQLColumnBuffer.timeText(time)
      return (
        name, "'\(dice.pick([text, String(text.prefix(10)), String(text.prefix(16)) + "Z"]))'"
      )
    case nil:
      let isNumber = [.integer, .boolean, .real].contains(RequestField.named(name)?.kind)
      return (name, dice.pick(isNumber ? ["7", "0.5", "NULL"] : ["'x'", "''", "NULL"]))
    }
  }
}
