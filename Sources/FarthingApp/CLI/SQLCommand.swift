package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing sql`: read-only SQL over the store.
package struct SQLCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "sql",
    abstract: "Read-only SQL over the stored events, for the question that no metric foresaw.",
    discussion: """
      farthing sql "SELECT model, count(*) FROM requests WHERE status != 'ok' GROUP BY model"
      farthing sql "SELECT time_bucket('1d', time) AS day, sum_usd(cost) AS usd FROM requests GROUP BY day"
      farthing sql - < question.sql

      "farthing help sql" lists the tables, their columns and the functions.
      """)

  /// The longest temporary file of a sort: some tens of millions of rows. A recursion without an
  /// end stops here.
  private static let temporaryBytes = 4 << 30

  /// The longest statement that is read from standard input.
  private static let statementLimit = 1 << 20

  @OptionGroup package var global: GlobalOptions
  @Argument(
    help: ArgumentHelp("One SELECT, WITH, VALUES or EXPLAIN; - reads it from standard input."))
  package var statement: String
  @Option(
    help: ArgumentHelp(
      "Give up after so many seconds; a server gives up after 30 of its own accord.",
      valueName: "seconds"))
  package var timeout: Double?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package func validate() throws {
    if let timeout, !(timeout > 0 && timeout <= 1e9) {
      throw ValidationError("--timeout takes a number of seconds above 0")
    }
  }

  package mutating func run() async throws {
    let (settings, server) = try global.place()
    var text = statement
    if text == "-" {
      let bytes = try WholeInput.bytes(of: "-", limit: SQLCommand.statementLimit)
      text = String(decoding: bytes, as: UTF8.self)
    }
    if let server {
      let question = RemoteQuestion(
        "/v1/sql",
        [("timeout", timeout.map { "\($0)" }), ("output", output.output.rawValue)])
      let statement = Array(text.utf8)
      return try await server.use { try await $0.print(question, body: statement) }
    }
    // Before the store is opened; this process only reads it.
    HostProcess.limitFileSize(bytes: SQLCommand.temporaryBytes)
    let answer: StoredSQLAnswer
    do {
      answer = try StoreAccess.runSQL(text, settings, timeout: timeout)
    } catch let error as QueryError {
      throw CommandFailure(error)
    } catch let failure as SQLFailure {
      throw CommandFailure(failure)
    }
    try output.write(Answer(answer.result))
    if answer.lacksRows { throw CommandFailure.failed(nil) }
  }
}

/// What the store had to say to a statement.
struct StoredSQLAnswer {
  var result: SQLAnswer
  /// Whether rows are missing from it that a damaged file holds.
  var lacksRows: Bool
}

extension StoreAccess {
  /// Runs a statement over what is stored now; standard error is told of damage, as for queries.
  ///
  /// - Parameter timeout: Seconds.
  static func runSQL(
    _ statement: String, _ settings: Settings, timeout: Double?
  ) throws -> StoredSQLAnswer {
    SQLDatabase.limitMemory(bytes: settings.queryBytes)
    var executor = SQLExecutor(memoryLimit: settings.queryBytes)
    if let timeout {
      let end = HostProcess.now() + Int64(timeout * 1e9)
      executor.isTimeOver = { HostProcess.now() > end }
    }
    let (result, lacksRows) = try answer(settings) { try executor.run(statement, over: $0) }
    return StoredSQLAnswer(result: result, lacksRows: lacksRows)
  }
}

extension CommandFailure {
  /// A wrong statement is wrong usage; whatever else stands between it and its answer is a failure.
  init(_ failure: SQLFailure) {
    self.init(status: failure.code == .statement ? 2 : 1, message: failure.message.printable)
  }
}

extension Answer {
  /// An answer to SQL: numbers as they are, and a column of numbers is a figure.
  init(_ answer: SQLAnswer) {
    self.init(columns: answer.columns.map { Column($0) }, rows: answer.rows)
    hasPlainNumbers = true
    for index in columns.indices {
      let values = rows.lazy.map { $0[index] }.filter { $0 != .null }
      if let first = values.first(where: { _ in true }), first.isFigure {
        columns[index].role = .figure
      }
    }
    // In `SELECT http_status, count(*)` the first column names the rows, number or not.
    if columns.count > 1, columns.allSatisfy({ $0.role == .figure }) { columns[0].role = .label }
  }
}
