import Foundation
import Testing

@Suite("farthing sql")
struct SQLCommandTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    try folder.write("events.ndjson", CommandLineTests.events.joined(separator: "\n"))
    try folder.write("cards.yaml", CommandLineTests.cards)
    let prices = try folder.farthing("prices", "import", "cards.yaml", "--format", "yaml")
    #expect(prices.status == 0)
    #expect(try folder.farthing("ingest", "events.ndjson").status == 0)
  }

  private func expect(
    _ words: [String], input: String = "", _ output: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let run = try CommandRun(["sql"] + words, in: folder.url, input: input)
    #expect(run.output == output, sourceLocation: sourceLocation)
    #expect(run.error == "", sourceLocation: sourceLocation)
    #expect(run.status == 0, sourceLocation: sourceLocation)
  }

  @Test func `gives JSON with the columns as they are`() throws {
    try expect(
      [
        """
        SELECT id, time, cost, cost_picodollars, cost_state, status, attempt, tags, latency_ms
        FROM requests WHERE workload = 'search' OR id = 'a4' ORDER BY time
        """, "--output", "json",
      ],
      #"""
      [
      {"id":"a4","time":"2026-03-09T10:41:00Z","cost":"0.0024","cost_picodollars":2400000000,"cost_state":"priced","status":"ok","attempt":2,"tags":null,"latency_ms":700},
      {"id":"a5","time":"2026-03-09T12:10:00Z","cost":"0.0020125","cost_picodollars":2012500000,"cost_state":"priced","status":"ok","attempt":1,"tags":null,"latency_ms":null},
      {"id":"a6","time":"2026-03-09T12:20:00Z","cost":null,"cost_picodollars":null,"cost_state":"unpriced","status":"ok","attempt":1,"tags":"{\"team\":\"=cmd\"}","latency_ms":null}
      ]

      """#)
  }

  @Test func `gives a table with numbers as they are`() throws {
    try expect(
      [
        "SELECT model, count(*) AS n, sum_usd(cost) AS usd, 2026 AS year, 1.0 / 4 AS share FROM requests GROUP BY model"
      ],
      """
      model       n  usd        year  share
      atlas       4  0.01707    2026   0.25
      borealis    1  0.0020125  2026   0.25
      unheard-of  1  –          2026   0.25

      """)
  }

  @Test func `gives CSV that no spreadsheet runs, and charts by the first column`() throws {
    try expect(
      [
        "SELECT \"tags.team\" AS team, NULL AS empty FROM requests WHERE team = '=cmd'",
        "--output", "csv",
      ],
      "team,empty\n'=cmd,\n")
    try expect(
      ["SELECT attempt, count(*) AS n FROM requests GROUP BY attempt", "--output", "chart"],
      """
      n
      1  5  ██████████████████████████████████████████████████████████████████████████
      2  1  ██████████████▊

      """)
  }

  @Test func `lists tasks with their winning outcome`() throws {
    try expect(
      ["SELECT * FROM tasks ORDER BY task", "--output", "csv"],
      """
      task,first_time,last_time,requests,outcome,value_usd,cost,cost_picodollars
      t1,2026-03-09T10:00:00Z,2026-03-09T10:05:00Z,2,success,0.5,0.01242,12420000000
      t2,2026-03-09T10:40:00Z,2026-03-09T10:41:00Z,2,failure,,0.00465,4650000000

      """)
  }

  @Test func `reads the statement from standard input`() throws {
    try expect(["-", "--output", "csv"], input: "SELECT count(*) AS n\nFROM requests;\n", "n\n6\n")
  }

  @Test(arguments: [
    (
      ["DELETE FROM requests"],
      "farthing: DELETE is refused: this only reads; begin with SELECT, WITH, VALUES or EXPLAIN\n",
      2
    ),
    (
      ["SELECT modle FROM requests"],
      "farthing: no such column: modle; did you mean \"model\"?\n", 2
    ),
    (
      ["SELECT sum(9223372036854775807) FROM requests"],
      "farthing: integer overflow: sum() adds 64 bits; exact_sum() adds 128, and usd() shows picodollars\n",
      1
    ),
    (
      [
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "--timeout", "0.05",
      ], "farthing: the time for the statement is over\n", 1
    ),
  ])
  func `says why there is no answer`(words: [String], message: String, status: Int32) throws {
    let run = try CommandRun(["sql"] + words, in: folder.url)
    #expect(run.error == message)
    #expect(run.output == "")
    #expect(run.status == status)
  }

  @Test func `a store that is not there yet has empty tables`() throws {
    let run = try folder.farthing(
      "sql", "SELECT count(*) AS n FROM requests, tasks", "--data", "other", "--output", "csv")
    #expect(run.output == "n\n0\n")
    #expect(run.status == 0)
  }

  @Test func `a sort that memory cannot hold goes on in a temporary file`() throws {
    try folder.write("small.yaml", "query_memory_mib: 16\n")
    let longSort = """
      WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n LIMIT 200000)
      SELECT count(*) AS n FROM (SELECT printf('%0200d', i * 7919 % 200000) AS h FROM n GROUP BY h)
      """
    try expect([longSort, "--config", "small.yaml", "--output", "csv"], "n\n200000\n")
  }

  @Test func `its help lists every column and function`() throws {
    let help = try folder.farthing("help", "sql")
    #expect(help.status == 0)
    for word in ["\n  cost_picodollars ", "\n  received_time ", "Table tasks", "sum_usd(cost)"] {
      #expect(help.output.contains(word), "\(word)")
    }
  }
}
