internal import FarthingCore
package import FarthingStore

/// The rows that a SQL statement gave.
package struct SQLAnswer: Sendable, Equatable {
  /// Each once: a repeated name has `:1`, `:2`… behind it, as SQLite names repeated columns itself.
  package var columns: [String]
  /// Integers as `count`, reals as `real`, texts as `text`, blobs as the text of their hexadecimal
  /// digits.
  package var rows: [[QueryValue]]
}

/// Answers SQL statements from segments: read-only, in one thread, through SQLite.
package struct SQLExecutor: Sendable {
  /// Bytes that the rows of an answer, and the list of tasks, may take.
  package var memoryLimit: Int
  /// Asked now and then; true ends a statement with ``SQLFailure`` of code `timeout`.
  package var isTimeOver: (@Sendable () -> Bool)?

  /// Whether other work of this process must not suffer: nothing goes to temporary files, SQLite's
  /// memory is bounded by ``memoryLimit``, and values are shorter.
  package var sharesProcess = false

  package init(memoryLimit: Int = 1 << 30) { self.memoryLimit = memoryLimit }

  /// Runs one statement over a snapshot of a store.
  ///
  /// - Throws: ``SQLFailure``; ``QueryError`` of code `store` or `memory`.
  package func run(_ statement: String, over snapshot: StoreSnapshot) throws -> SQLAnswer {
    do {
      return try answer(statement, snapshot)
    } catch let error as StoreError {
      throw QueryError(.store, error.description)
    } catch let failure as SQLFailure where failure.code == .statement {
      throw SQLFailure(.statement, SQLHint.complete(failure.message, statement))
    } catch let failure as SQLFailure where failure.code == .execution {
      throw SQLFailure(.execution, SQLHint.complete(failure.message, statement))
    }
  }

  private func answer(_ statement: String, _ snapshot: StoreSnapshot) throws -> SQLAnswer {
    var limits = SQLDatabase.Limits()
    limits.isTimeOver = isTimeOver
    limits.sortBytes = min(limits.sortBytes, memoryLimit / 8)
    if sharesProcess {
      limits.memoryBytes = memoryLimit
      limits.valueBytes = 1 << 20
    }
    let database = try SQLDatabase(limits: limits)
    try database.add(collation: TextOrders.instant, TextOrders.compareInstants)
    try database.add(collation: TextOrders.decimal, TextOrders.compareDecimals)
    for function in SQLFunction.all { try database.add(function) }
    for table in tables(statement, snapshot) { try database.add(table) }
    var answer = SQLAnswer(columns: [], rows: [])
    let memory = MemoryBudget(limit: memoryLimit)
    var counted = 0
    var taken = 0
    try database.run(statement) { names in
      answer.columns = SQLExecutor.distinct(names)
    } row: { values in
      var row: [QueryValue] = []
      row.reserveCapacity(values.count)
      taken += 32 + values.count * MemoryLayout<QueryValue>.stride
      for value in values { row.append(SQLExecutor.value(value, &taken)) }
      answer.rows.append(row)
      if taken - counted > 1 << 20 {
        try memory.add(taken - counted)
        counted = taken
      }
    }
    return answer
  }

  private func tables(_ statement: String, _ snapshot: StoreSnapshot) -> [any SQLTable] {
    let limit = memoryLimit
    let isTimeOver = isTimeOver
    return [
      SegmentTable(
        "requests",
        StoredColumn.requests + StoredColumn.hiddenRequests
          + StoredColumn.entries(in: statement), snapshot.requests),
      TasksTable(requests: snapshot.requests, outcomes: snapshot.outcomes) { bytes in
        if bytes > limit {
          throw QueryError(
            .memory,
            "the table tasks needs more than the memory limit of \(limit >> 20) MiB; raise it with "
              + "query_memory_mib in the configuration")
        }
        if isTimeOver?() == true {
          throw SQLFailure(.timeout, "the time for the statement is over")
        }
      },
      SegmentTable("outcomes", StoredColumn.outcomes, snapshot.outcomes),
      SegmentTable("capacity", StoredColumn.capacity, snapshot.capacities),
      ListTable.segments(snapshot.requests + snapshot.outcomes + snapshot.capacities),
      ListTable.prices(snapshot.requests),
    ]
  }

  /// The names, each once.
  private static func distinct(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.map { name in
      var distinct = name
      var number = 0
      while !seen.insert(distinct).inserted {
        number += 1
        distinct = "\(name):\(number)"
      }
      return distinct
    }
  }

  private static func value(_ value: SQLValue, _ taken: inout Int) -> QueryValue {
    switch value {
    case .null: return .null
    case .integer(let number): return .count(Int128(number))
    case .real(let number): return .real(number)
    case .text(let text):
      taken += text.utf8.count
      return .text(text)
    case .blob(let bytes):
      taken += bytes.count * 2
      return .text(hexadecimal(bytes))
    }
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 0x0F)])
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension StoredColumn {
  /// A column for each `"tags.NAME"` and `"units.NAME"` that a statement names in quotes: any such
  /// field exists, whether or not a request has it.
  fileprivate static func entries(in statement: String) -> [StoredColumn] {
    let names = SQLText.quotedNames(
      statement, prefixes: [ColumnName.tagPrefix, ColumnName.unitPrefix])
    var seen: Set<String> = []
    return names.prefix(entryLimit).compactMap { name in
      // SQLite minds no case in names: of two that differ in case alone the first is the column.
      guard seen.insert(name.lowercased()).inserted else { return nil }
      return RequestField.named(name).map { StoredColumn($0, isHidden: true) }
    }
  }

  /// Far below the 2,000 columns that SQLite gives a table.
  private static let entryLimit = 500
}

/// What SQLite's messages leave unsaid.
enum SQLHint {
  /// The message with what its reader can do about it.
  static func complete(_ message: String, _ statement: String) -> String {
    if let name = rest(of: message, after: "no such column: ") {
      return message + column(name, statement)
    }
    if let name = rest(of: message, after: "no such table: ") {
      let names = SQLSchema.tables.map(\.name)
      let near = Suggestion.nearest(to: name, among: names)
      let tables = names.joined(separator: ", ")
      return message + (near.map { "; did you mean \"\($0)\"?" } ?? "; the tables are \(tables)")
    }
    if let name = rest(of: message, after: "no such function: ") {
      let near = Suggestion.nearest(to: name, among: SQLFunction.all.map(\.name))
      return message + (near.map { "; did you mean \"\($0)\"?" } ?? "")
    }
    if message == "integer overflow" {
      return message + ": sum() adds 64 bits; exact_sum() adds 128, and usd() shows picodollars"
    }
    return message
  }

  private static func rest(of message: String, after start: String) -> String? {
    message.hasPrefix(start) ? String(message.dropFirst(start.count)) : nil
  }

  private static func column(_ name: String, _ statement: String) -> String {
    for prefix in [ColumnName.tagPrefix, ColumnName.unitPrefix] where name.hasPrefix(prefix) {
      return
        "; write \"\(name)\", in double quotes, or \(prefix.dropLast()) ->> '\(name.dropFirst(prefix.count))'"
    }
    if statement.contains("\"\(name)\"") {
      return "; a text stands in single quotes: '\(name)'"
    }
    let bare = name.split(separator: ".").last.map(String.init) ?? name
    let all = SQLSchema.tables.flatMap { $0.columns.map(\.name) }
    if let near = Suggestion.nearest(to: bare, among: all) { return "; did you mean \"\(near)\"?" }
    return "; \"farthing help sql\" lists the columns"
  }
}
