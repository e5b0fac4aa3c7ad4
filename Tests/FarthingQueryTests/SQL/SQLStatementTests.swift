import FarthingCore
import FarthingStore
import Testing

@testable import FarthingQuery

@Suite struct `A SQL statement` {
  private func run(_ statement: String, over snapshot: StoreSnapshot = StoreSnapshot()) throws
    -> SQLAnswer
  {
    try SQLExecutor().run(statement, over: snapshot)
  }

  private func value(_ expression: String) throws -> QueryValue {
    try run("SELECT \(expression)").rows[0][0]
  }

  private func failure(_ statement: String) -> SQLFailure? {
    do {
      _ = try run(statement)
      return nil
    } catch {
      return error as? SQLFailure
    }
  }

  // MARK: Reading only

  @Test(arguments: [
    "INSERT INTO requests (model) VALUES ('x')", "UPDATE requests SET model = 'x'",
    "DELETE FROM requests", "REPLACE INTO tasks (task) VALUES ('x')", "CREATE TABLE t (a)",
    "CREATE TEMP TABLE t AS SELECT 1", "CREATE VIEW v AS SELECT 1",
    "CREATE VIRTUAL TABLE t USING requests", "CREATE INDEX i ON requests (model)",
    "CREATE TRIGGER g AFTER INSERT ON requests BEGIN SELECT 1; END", "DROP TABLE requests",
    "ALTER TABLE requests RENAME TO r", "ATTACH '/tmp/x.db' AS x", "DETACH main",
    "PRAGMA writable_schema = ON", "PRAGMA table_info(requests)", "BEGIN", "COMMIT", "ROLLBACK",
    "SAVEPOINT s", "RELEASE s", "VACUUM", "VACUUM INTO '/tmp/x.db'", "ANALYZE", "REINDEX",
    "  -- SELECT\n DROP TABLE requests", "/* SELECT */ DELETE FROM tasks", "(SELECT 1)", "x",
  ])
  func `that does not begin like reading is refused by its first word`(statement: String) {
    let failure = failure(statement)
    #expect(failure?.code == .statement)
    #expect(
      failure?.message.hasSuffix(
        " is refused: this only reads; begin with SELECT, WITH, VALUES or EXPLAIN") == true,
      "\(statement): \(failure?.message ?? "ran")")
  }

  @Test(arguments: [
    "WITH x AS (SELECT 1) DELETE FROM requests",
    "WITH x AS (SELECT 1) INSERT INTO requests (model) SELECT 1",
    "WITH x AS (SELECT 1) UPDATE tasks SET task = 1",
    "WITH x AS (SELECT 1) INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)",
    "WITH x AS (SELECT 1) DELETE FROM sqlite_master",
    "WITH x AS (SELECT 1) UPDATE sqlite_master SET sql = 'x'",
    "WITH x AS (SELECT 1) UPDATE sqlite_schema SET sql = 'x'",
    "EXPLAIN DROP TABLE requests", "EXPLAIN ATTACH 'x' AS y", "EXPLAIN PRAGMA user_version",
    "SELECT load_extension('/tmp/x.so')", "SELECT LOAD_EXTENSION('/tmp/x.so', 'f')",
    "SELECT writefile('/tmp/x', 'y')", "SELECT readfile('/etc/passwd')", "SELECT edit('x')",
    "SELECT * FROM pragma_user_version", "SELECT * FROM pragma_table_info('requests')",
    "SELECT fts3_tokenizer('simple')", "SELECT 1; DROP TABLE requests", "SELECT 1; SELECT 2",
    "SELECT 1;;; -- then\n SELECT 2", "SELECT ?", "SELECT :name", "SELECT $x", "", " ; -- nothing",
    "SELECT 1\0; DROP TABLE requests", "SELECT", "SELECT * FROM fsdir('/')",
  ])
  func `that would do more, or is none, is refused`(statement: String) {
    #expect(failure(statement)?.code == .statement, "\(statement)")
  }

  @Test(arguments: [
    "SELECT 1", "select 1;", " \n\t-- a comment\n/* another */ SELECT 1 ; -- the end", "VALUES (1)",
    "WITH a AS (SELECT 1) SELECT * FROM a", "EXPLAIN SELECT 1", "EXPLAIN QUERY PLAN SELECT 1",
    "SELECT * FROM requests, tasks, outcomes, capacity, segments, prices",
    "SELECT value FROM json_each('[1]')", "SELECT '-- no comment; no end'", "\u{FEFF}SELECT 1",
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM n",
  ])
  func `that reads is run`(statement: String) throws { _ = try run(statement) }

  @Test(arguments: [
    ("SELECT modle FROM requests", "no such column: modle; did you mean \"model\"?"),
    ("SELECT r.modle FROM requests r", "no such column: r.modle; did you mean \"model\"?"),
    ("SELECT 1 FROM request", "no such table: request; did you mean \"requests\"?"),
    (
      "SELECT 1 FROM somewhere",
      "no such table: somewhere; the tables are requests, tasks, outcomes, capacity, segments, prices"
    ),
    (
      "SELECT sum_used(cost) FROM requests", "no such function: sum_used; did you mean \"sum_usd\"?"
    ),
    (
      "SELECT 1 FROM requests WHERE model = \"gpt-5\"",
      "no such column: gpt-5; a text stands in single quotes: 'gpt-5'"
    ),
    (
      "SELECT tags.team FROM requests",
      "no such column: tags.team; write \"tags.team\", in double quotes, or tags ->> 'team'"
    ),
    ("SELECT (", "incomplete input"), ("SELECT 1 FORM requests", "near \"requests\": syntax error"),
    ("SELECT 1; SELECT 2", "there is more than one statement; give one"),
    (
      "SELECT load_extension('x')",
      "the statement is refused: the function load_extension is refused: it reaches beyond the statement"
    ),
  ])
  func `that is wrong is told what was meant`(statement: String, message: String) {
    #expect(failure(statement) == SQLFailure(.statement, message))
  }

  // MARK: Limits

  @Test func `without an end is stopped by its time`() {
    var executor = SQLExecutor()
    executor.isTimeOver = { true }
    #expect(throws: SQLFailure(.timeout, "the time for the statement is over")) {
      try executor.run(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        over: StoreSnapshot())
    }
  }

  @Test func `that gives more rows than memory allows ends with a message`() {
    #expect(throws: QueryError.self) {
      try SQLExecutor(memoryLimit: 4 << 20).run(
        """
        WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
        SELECT i, hex(i) FROM n
        """, over: StoreSnapshot())
    }
  }

  @Test(arguments: [
    "SELECT zeroblob(500000000)",
    "SELECT sum(9223372036854775807) FROM (SELECT 1 UNION ALL SELECT 2)",
    "SELECT abs(-9223372036854775808)", "SELECT json('{')",
    "SELECT 'a' LIKE hex(zeroblob(2000))",
    "SELECT exact_sum('abc')", "SELECT usd(1.5)", "SELECT sum_usd(5)", "SELECT sum_usd('x')",
    "SELECT sum_usd('0.0000000000001')", "SELECT percentile(1, 101)", "SELECT percentile(-1, 50)",
    "SELECT percentile('x', 50)", "SELECT time_bucket('soon', '2026')",
    "SELECT time_bucket('1d', 'x')",
    "SELECT picodollars(1)",
  ])
  func `that fails while it runs is no wrong usage`(statement: String) throws {
    let code = try #require(failure(statement)?.code)
    #expect(code == .execution || code == .limit)
  }

  @Test func `nested too deep is refused`() {
    let deep = String(repeating: "(", count: 5_000) + "1" + String(repeating: ")", count: 5_000)
    #expect(failure("SELECT \(deep)")?.code == .statement)
    let long = "SELECT 1" + String(repeating: " + 1", count: 600)
    #expect(failure(long)?.code == .statement)
    #expect(failure("SELECT '" + String(repeating: "x", count: 2 << 20) + "'")?.code == .statement)
  }

  // MARK: Values

  @Test func `gives values as SQLite has them`() throws {
    let answer = try run(
      "SELECT 1 AS a, 2.5 AS b, 'x' AS c, NULL AS d, x'00fF' AS e, 1 AS a, 1 AS a, -9223372036854775808 AS f"
    )
    #expect(answer.columns == ["a", "b", "c", "d", "e", "a:1", "a:2", "f"])
    #expect(
      answer.rows == [
        [
          .count(1), .real(2.5), .text("x"), .null, .text("00ff"), .count(1), .count(1),
          .count(Int128(Int64.min)),
        ]
      ])
  }

  @Test func `adds money exactly`() throws {
    #expect(try value("sum_usd(a) FROM (SELECT '0.1' a UNION ALL SELECT '0.2')") == .text("0.3"))
    #expect(
      try value(
        "sum_usd(a) FROM (SELECT '999999999999999.999999999999' a UNION ALL SELECT '1e-12')")
        == .text("1000000000000000"))
    #expect(
      try value("exact_sum(a) FROM (SELECT 9223372036854775807 a UNION ALL SELECT 1)")
        == .text("9223372036854775808"))
    #expect(
      try value("usd(exact_sum(a)) FROM (SELECT 9223372036854775807 a UNION ALL SELECT 1)")
        == .text("9223372.036854775808"))
    #expect(try value("exact_sum(a) FROM (SELECT '-12' a UNION ALL SELECT 5)") == .count(-7))
    #expect(try value("sum_usd(NULL)") == .null)
    #expect(try value("exact_sum(1) WHERE 0") == .null)
    #expect(try value("usd(-1)") == .text("-0.000000000001"))
    #expect(try value("usd(NULL)") == .null)
    #expect(try value("picodollars('1.25')") == .count(1_250_000_000_000))
    #expect(try value("picodollars('10000000')") == .text("10000000000000000000"))
    #expect(try value("percentile(i, 50) FROM (SELECT 7 i)") == .real(7))
    #expect(try value("percentile(NULL, 50)") == .null)
  }

  @Test func `puts times into buckets`() throws {
    #expect(
      try value("time_bucket('1h', '2026-03-09T10:59:59.5Z')") == .text("2026-03-09T10:00:00Z"))
    #expect(
      try value("time_bucket('1d', '2026-03-09T23:30:00-01:00')") == .text("2026-03-10T00:00:00Z"))
    #expect(try value("time_bucket('1w', 1773100799999999999)") == .text("2026-03-09T00:00:00Z"))
    #expect(try value("time_bucket('1h', NULL)") == .null)
  }

  // MARK: Orders

  @Test func `compares texts that are times by their instant`() {
    let ascending = [
      "", "2025", "2026-03-09", "2026-03-09T10:00:00Z", "2026-03-09T10:00:00.000000001Z",
      "2026-03-09T10:00:00.5Z", "2026-03-09T10:00:01+00:00", "2026-03-09T10:02",
      "2026-03-09T09:03:00-01:00", "2026-04", "2026-13", "abc",
    ]
    expectOrder(ascending, TextOrders.compareInstants)
    for (left, right) in [
      ("2026-03-09", "2026-03-09T00:00:00.000Z"), ("2026-03-09T10:00:00Z", "2026-03-09 10:00"),
      ("2026-03-09T10:00:00Z", "2026-03-09T12:00:00+02:00"), ("2026-03-09T", "2026-03-09"),
    ] {
      #expect(TextOrders.compareInstants(Array(left.utf8).span, Array(right.utf8).span) == 0)
    }
  }

  @Test func `compares texts that are decimals by their value`() {
    let ascending = [
      "", "-10", "-9.5", "-0.000000000001", "0", "1e-13", "0.000000000001", "0.5", "9",
      "9.000000000000000000000001", "10", "1e2", "100000000000000000000000000000000", "1e99999",
      "abc",
    ]
    expectOrder(ascending, TextOrders.compareDecimals)
    for (left, right) in [("0", "-0.0"), ("1.50", "1.5"), ("1e2", "100.0"), ("007", "7")] {
      #expect(TextOrders.compareDecimals(Array(left.utf8).span, Array(right.utf8).span) == 0)
    }
  }

  private func expectOrder(_ ascending: [String], _ compare: SQLOrder) {
    for (i, left) in ascending.enumerated() {
      for (j, right) in ascending.enumerated() {
        let order = compare(Array(left.utf8).span, Array(right.utf8).span)
        #expect(order.signum() == (i - j).signum(), "\(left) \(right)")
      }
    }
  }

  @Test func `shows times as every other command does`() {
    for (time, text) in [
      (0, "1970-01-01T00:00:00Z"), (1_772_409_600_000_000_000, "2026-03-02T00:00:00Z"),
      (1_772_409_600_250_000_000, "2026-03-02T00:00:00.250Z"),
      (1_772_409_600_000_001_000, "2026-03-02T00:00:00.000001Z"),
      (-1, "1969-12-31T23:59:59.999999999Z"), (.max, "2262-04-11T23:47:16.854775807Z"),
      (.min, "1677-09-21T00:12:43.145224192Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
    ] as [(Int64, String)] {
      #expect(SQLColumnBuffer.timeText(time) == text)
      #expect(TextInstant(Array(text.utf8).span)?.unixNanoseconds == time)
    }
  }
}
