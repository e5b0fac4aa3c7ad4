internal import FarthingCore
internal import FarthingStore

/// The table `tasks`: one row for each task that a request or an outcome event names.
///
/// The list is made by one pass over the store when a statement first reads the table.
final class TasksTable: SQLTable {
  let name = "tasks"
  private let requests: [SegmentReader]
  private let outcomes: [SegmentReader]
  private let check: (Int) throws -> Void
  private var list: TaskList?

  private enum Field: Int, CaseIterable {
    case task, firstTime, lastTime, requests, outcome, value, cost, picodollars, unpriced
  }

  let columns: [SQLColumn] = [
    SQLColumn("task", .text),
    SQLColumn("first_time", .text, collation: TextOrders.instant),
    SQLColumn("last_time", .text, collation: TextOrders.instant),
    SQLColumn("requests", .integer),
    SQLColumn("outcome", .text),
    SQLColumn("value_usd", .text, collation: TextOrders.decimal),
    SQLColumn("cost", .text, collation: TextOrders.decimal),
    SQLColumn("cost_picodollars", .integer),
    SQLColumn("unpriced_requests", .integer, isHidden: true),
  ]

  /// - Parameter check: Called now and then with the bytes that the list takes; may throw to end it.
  init(
    requests: [SegmentReader], outcomes: [SegmentReader], check: @escaping (Int) throws -> Void
  ) {
    self.requests = requests
    self.outcomes = outcomes
    self.check = check
  }

  func scan() -> any SQLScan { Scan(self) }

  func access(_ constraints: [SQLConstraint]) -> SQLAccess {
    let rows = max(1, requests.reduce(0) { $0 + $1.rowCount } / 4)
    var access = SQLAccess(
      used: constraints.map { _ in false }, effort: Double(rows) * 2, rowCount: Int64(rows))
    if let place = constraints.firstIndex(where: {
      $0.column == Field.task.rawValue && $0.comparison == .equal
    }) {
      access.used[place] = true
      // Several values of a list are several rows.
      access.isUnique = false
      access.effort = 2
      access.rowCount = 1
    }
    return access
  }

  fileprivate func tasks() throws -> TaskList {
    if let list { return list }
    let made = try TaskList(requests: requests, outcomes: outcomes, check: check)
    list = made
    return made
  }

  private final class Scan: SQLScan {
    private let table: TasksTable
    private var list: TaskList?
    /// The places that are asked for by name; nil for all.
    private var chosen: [Int]?
    private var batch = 0..<0
    private static let batchRows = 16_384

    init(_ table: TasksTable) { self.table = table }

    func begin(_ conditions: [SQLCondition], columns: [Bool]) throws {
      let list = try self.list ?? table.tasks()
      self.list = list
      batch = 0..<0
      chosen = nil
      guard let condition = conditions.first else { return }
      var places: Set<Int> = []
      for case .text(let name) in condition.values {
        let bytes = Array(name.utf8)
        if let place = list.place(of: bytes.span) { places.insert(place) }
      }
      chosen = places.sorted()
    }

    func nextBatch() throws -> Int {
      let count = chosen?.count ?? list?.count ?? 0
      batch = batch.upperBound..<min(count, batch.upperBound + Scan.batchRows)
      return batch.count
    }

    func rowID(_ place: Int) -> Int64 { Int64(row(place)) }

    private func row(_ place: Int) -> Int {
      chosen.map { $0[batch.lowerBound + place] } ?? batch.lowerBound + place
    }

    func fill(_ target: SQLColumnBuffer, column: Int) throws {
      guard let list, let field = Field(rawValue: column) else { return target.setNull() }
      let rows = batch.indices.map { row($0 - batch.lowerBound) }
      let all = SQLRows(first: 0, count: rows.count)
      let entries = list.entries
      switch field {
      case .task:
        let selected = SQLRows(list: rows.map { UInt32($0) }, first: 0, count: rows.count)
        target.setTexts(list.names, fallback: nil, rows: selected)
      case .firstTime, .lastTime:
        target.setTimes(
          rows.map { field == .firstTime ? entries[$0].firstTime : entries[$0].lastTime },
          validity: rows.map { entries[$0].requestCount > 0 ? 1 : 0 }, rows: all)
      case .requests:
        target.setIntegers(rows.map { entries[$0].requestCount }, validity: nil, rows: all)
      case .unpriced:
        target.setIntegers(
          rows.map { entries[$0].requestCount - entries[$0].pricedCount }, validity: nil,
          rows: all)
      case .outcome:
        target.setMixed(
          rows.map { row in
            entries[row].outcome.map { .text($0.isSuccess ? "success" : "failure") } ?? .null
          })
      case .value:
        target.setMixed(
          rows.map { row in
            guard let outcome = entries[row].outcome, outcome.hasValue else { return .null }
            return .text(DecimalBytes.text(outcome.value))
          })
      case .cost:
        target.setMixed(try rows.map { try cost(entries[$0]) { .text(DecimalBytes.text($0)) } })
      case .picodollars:
        target.setMixed(try rows.map { try cost(entries[$0]) { SQLValue(picodollars: $0) } })
      }
    }

    /// Null where no request of the task is priced: not known is not free.
    private func cost(
      _ entry: TaskList.Entry, _ value: (Int128) -> SQLValue
    ) throws(SQLFailure) -> SQLValue {
      if entry.isCostTooLarge {
        throw SQLFailure(.execution, "the cost of a task needs more than 128 bits")
      }
      return entry.pricedCount == 0 ? .null : value(entry.cost)
    }
  }
}
