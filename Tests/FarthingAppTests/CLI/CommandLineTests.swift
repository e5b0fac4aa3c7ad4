import FarthingStore
import Foundation
import Testing

@testable import FarthingApp

@Suite("The command line")
struct CommandLineTests {
  private let folder: ScratchFolder

  /// Twelve calls of two workloads at two sites, one model without a price, and two outcomes.
  static let events = [
    #"{"time":"2026-03-09T10:00:00Z","id":"a1","model":"atlas","provider":"acme","site":"fra1","workload":"chat","task":"t1","input_tokens":1000,"cached_input_tokens":400,"output_tokens":200,"latency_ms":800}"#,
    #"{"time":"2026-03-09T10:05:00Z","id":"a2","model":"atlas","provider":"acme","site":"fra1","workload":"chat","task":"t1","input_tokens":2000,"output_tokens":100,"latency_ms":900}"#,
    #"{"time":"2026-03-09T10:40:00Z","id":"a3","model":"atlas","provider":"acme","site":"sin1","workload":"chat","task":"t2","input_tokens":500,"output_tokens":50,"latency_ms":400,"status":"error"}"#,
    #"{"time":"2026-03-09T10:41:00Z","id":"a4","model":"atlas","provider":"acme","site":"sin1","workload":"chat","task":"t2","input_tokens":500,"output_tokens":60,"latency_ms":700,"attempt":2}"#,
    #"{"time":"2026-03-09T12:10:00Z","id":"a5","model":"borealis","provider":"acme","site":"sin1","workload":"search","input_tokens":8000,"output_tokens":10}"#,
    #"{"time":"2026-03-09T12:20:00Z","id":"a6","model":"unheard-of","site":"sin1","workload":"search","input_tokens":300,"output_tokens":30,"tags":{"team":"=cmd"}}"#,
    #"{"type":"outcome","time":"2026-03-09T11:00:00Z","id":"o1","task":"t1","outcome":"success","value_usd":"0.5"}"#,
    #"{"type":"outcome","time":"2026-03-09T11:01:00Z","id":"o2","task":"t2","outcome":"failure"}"#,
  ]

  static let cards = """
    cards:
      - model: atlas
        provider: acme
        prices: {input: "3", cached_input: "0.3", output: "15"}
      - model: borealis
        provider: acme
        prices: {input: "0.25", output: "1.25"}
    """

  init() throws {
    folder = try ScratchFolder()
    try folder.write("events.ndjson", Self.events.joined(separator: "\n"))
    try folder.write("cards.yaml", Self.cards)
  }

  private func filled() throws -> ScratchFolder {
    let prices = try folder.farthing("prices", "import", "cards.yaml", "--format", "yaml")
    #expect(prices.error == "")
    #expect(prices.status == 0)
    let ingest = try folder.farthing("ingest", "events.ndjson")
    #expect(ingest.output == "8 events accepted, 0 duplicates, 0 refused\n")
    #expect(ingest.error == "")
    #expect(ingest.status == 0)
    return folder
  }

  // MARK: Usage

  @Test func `help and version are results`() throws {
    let help = try folder.farthing("help")
    #expect(help.status == 0)
    #expect(help.error == "")
    #expect(help.output.contains("USAGE: farthing <subcommand>"))
    for command in ["ingest", "query", "events", "sql", "prices", "generate"] {
      #expect(help.output.contains("\n  \(command) "))
      #expect(try folder.farthing(command, "--help").status == 0)
    }
    let version = try folder.farthing("--version")
    #expect(version.output == "0.1.0\n")
    #expect(version.status == 0)
  }

  @Test(arguments: [
    (["qery", "cost"], "farthing: \"qery\" is no command of farthing; did you mean \"query\"?\n"),
    (
      ["frobnicate"],
      "farthing: \"frobnicate\" is no command of farthing; it has: "
        + CommandWords.names.joined(separator: ", ") + "\n"
    ),
    (
      ["prices", "imprt", "x"],
      "farthing: \"imprt\" is no command of farthing prices; did you mean \"import\"?\n"
    ),
    (["query", "cots"], "farthing: unknown metric \"cots\"; did you mean \"cost\"?\n"),
    (
      ["query", "cost", "--by", "modle"],
      "farthing: by: unknown field \"modle\"; did you mean \"model\"?\n"
    ),
    (
      ["ingest", "--format", "litelm", "x"],
      "farthing: --format: \"litelm\" is not known; did you mean \"litellm\"?\n"
    ),
    (
      ["query", "cost", "--tz", "Mars"],
      "farthing: \"Mars\" is no time zone of this machine; names are as in Europe/Berlin, UTC needs none\n"
    ),
    (
      ["generate", "--days", "0"],
      "farthing: duration in seconds is 0, expected 1 to 31622400\n"
    ),
    (
      ["generate", "--days", "2", "--duration", "4h"],
      "farthing: --days and --duration both say how long; leave one of them out\n"
    ),
  ])
  func `wrong words are answered with 2 and what was meant`(words: [String], message: String) throws
  {
    let run = try CommandRun(words, in: folder.url)
    #expect(run.error == message)
    #expect(run.output == "")
    #expect(run.status == 2)
  }

  @Test(arguments: [
    ["query"], ["query", "cost", "--limt", "3"], ["query", "cost", "--output", "xml"],
    ["ingest", "--output", "csv", "events.ndjson"], ["events", "--output", "chart"],
    ["query", "cost", "--since", "yesterdayish"], ["query", "cost", "--where", "site ="],
    ["query", "cost", "--every", "5 parsecs"], ["query", "cost", "--limit", "-1"],
  ])
  func `wrong usage ends with 2, says so on standard error and prints nothing`(
    words: [String]
  ) throws {
    let run = try CommandRun(words, in: folder.url)
    #expect(run.status == 2)
    #expect(run.output == "")
    #expect(run.error.hasPrefix("farthing: "))
  }

  @Test(arguments: ["1000000w", "106752d", "1000000h"])
  func `the widest buckets hold everything`(width: String) throws {
    try folder.write("events.ndjson", #"{"time":"2026-03-02T00:00:00Z","model":"m"}"#)
    _ = try folder.farthing("ingest", "events.ndjson")
    for output in ["table", "json", "csv", "chart"] {
      let run = try folder.farthing("query", "requests", "--every", width, "--output", output)
      #expect(run.status == 0)
      #expect(run.output != "")
    }
  }

  @Test func `events show the defaults of fields that are absent`() throws {
    try folder.write(
      "events.ndjson",
      [
        #"{"time":"2026-03-02T00:00:00Z","model":"m","usage":"estimated","input_tokens":5}"#,
        #"{"time":"2026-03-02T00:00:01Z","model":"m","input_tokens":5}"#,
        #"{"time":"2026-03-02T00:00:02Z","model":"m"}"#,
      ].joined(separator: "\n"))
    _ = try folder.farthing("ingest", "events.ndjson")
    let run = try folder.farthing(
      "events", "--columns", "usage,status,attempt,service_tier", "--output", "csv")
    #expect(
      run.output == """
        usage,status,attempt,service_tier
        estimated,ok,1,standard
        reported,ok,1,standard
        missing,ok,1,standard

        """)
  }

  @Test func `a table of costs says what it lacks, and one with its coverage does not`() throws {
    _ = try filled()
    let note = """
      farthing: 1 of 6 requests have no price and add nothing to cost_per_request; farthing prices \
      missing names their models

      """
    #expect(try folder.farthing("query", "cost_per_request").error == note)
    #expect(try folder.farthing("query", "cost_per_request,price_coverage").error == "")
    #expect(try folder.farthing("query", "cost_per_request", "--output", "csv").error == "")
    let priced = try folder.farthing("query", "cost", "--where", "cost_state = 'priced'")
    #expect(priced.error == "")
  }

  @Test func `groups may be given one an option`() throws {
    try folder.write(
      "events.ndjson", #"{"time":"2026-03-02T00:00:00Z","model":"m","site":"s"}"#)
    _ = try folder.farthing("ingest", "events.ndjson")
    let run = try folder.farthing(
      "query", "requests", "--by", "site", "--by", "model", "--output", "csv")
    #expect(run.output == "site,model,requests\ns,m,1\n")
  }

  @Test func `topics of help list what can be asked for`() throws {
    let metrics = try folder.farthing("help", "metrics")
    #expect(metrics.output.contains("\ncost_per_successful_task "))
    let fields = try folder.farthing("help", "fields")
    #expect(fields.output.contains("\nlatency_ms "))
    #expect(metrics.status == 0 && fields.status == 0)
    let filters = try folder.farthing("help", "filters")
    #expect(filters.output.contains("\n  task is null "))
    let times = try folder.farthing("help", "times")
    #expect(times.output.contains("\n  24h "))
    #expect(times.output.contains("\n  1w "))
  }

  @Test func `help on what is not there names what is`() throws {
    let topic = try folder.farthing("help", "metrisc")
    #expect(topic.status == 2)
    #expect(
      topic.error
        == "farthing: \"metrisc\" is no command or topic of farthing; did you mean \"metrics\"?\n")
    let command = try folder.farthing("help", "prices", "chek")
    #expect(command.status == 2)
    #expect(try folder.farthing("help", "prices", "check").status == 0)
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `completions offer metrics and fields`(shell: String) throws {
    let run = try folder.farthing("--generate-completion-script", shell)
    #expect(run.status == 0)
    #expect(run.output.contains("cost_per_successful_task"))
    #expect(run.output.contains("prompt_hash"))
  }

  @Test func `a data folder that is a file is no empty store`() throws {
    try folder.write("plain", "x")
    let run = try folder.farthing("query", "cost", "--data", "plain")
    #expect(run.status == 1)
    #expect(
      run.error == "farthing: plain is not a folder; name the store's folder with --data\n")
  }

  @Test func `a mistyped option is answered with the right one`() throws {
    let run = try folder.farthing("query", "cost", "--limt", "3")
    #expect(run.error.hasPrefix("farthing: Unknown option '--limt'. Did you mean '--limit'?"))
  }

  @Test func `a command that no server can be asked says so`() throws {
    let expected =
      "farthing: cannot do this at the server http://h:1: query, explain, report, top, budgets, inventory, events, ingest, alerts, isolations, "
      + "agents, sql and prices list, show, missing and import can be sent to a server; this command works on the store's folder. Run it on the server's machine with "
      + "--data DIR, while the server is stopped if it writes\n"
    let flag = try folder.farthing("store", "info", "--server", "http://h:1")
    #expect(flag.error == expected)
    #expect(flag.status == 1)
    let variable = try folder.farthing(
      "store", "info", environment: ["FARTHING_SERVER": "http://h:1"])
    #expect(variable.error == expected)
  }

  // MARK: Where the store is

  @Test func `the folder comes from the option, the environment, the configuration, or a default`()
    throws
  {
    try folder.write("farthing.yaml", "data: from-config\n")
    _ = try folder.farthing("ingest", "events.ndjson", "--data", "from-option")
    _ = try folder.farthing(
      "ingest", "events.ndjson", "--config", "farthing.yaml", environment: ["FARTHING_DATA": ""])
    _ = try folder.farthing("ingest", "events.ndjson", environment: ["FARTHING_DATA": ""])
    _ = try folder.farthing("--data", "before", "ingest", "events.ndjson")
    for place in ["from-option", "from-config", ".local/share/farthing", "before"] {
      let path = folder.url.appending(path: place).appending(path: "catalog.sqlite").path
      #expect(FileManager.default.fileExists(atPath: path), "\(place)")
    }
  }

  @Test func `faults of a configuration are named together`() throws {
    try folder.write("bad.yaml", "dta: x\nlisted_errors: many\n")
    let run = try folder.farthing("query", "cost", "--config", "bad.yaml")
    #expect(run.status == 2)
    #expect(
      run.error == """
        farthing: bad.yaml line 1: unknown setting "dta"; did you mean "data"?
                  bad.yaml line 2: listed_errors "many": expected a whole number from 1 to 1000000

        """)
    #expect(try folder.farthing("query", "cost", "--config", "none.yaml").status == 2)
  }

  // MARK: Ingest

  @Test func `a receipt is the answer of the HTTP interface`() throws {
    let lines = [
      Self.events[0], "", #"{"time":"2026-03-09T10:00:00Z","model":"m","input_tokens":-4}"#,
      #"{"time":"2026-03-09T10:00:00Z","model":"m","prompt":"x"}"#, Self.events[0],
    ]
    try folder.write("mixed.ndjson", lines.joined(separator: "\n"))
    let run = try folder.farthing("ingest", "--output", "json", "mixed.ndjson")
    #expect(
      run.output
        == #"{"accepted":2,"duplicates":1,"rejected":1,"errors":[{"line":3,"field":"input_tokens","value":"-4","expected":"an integer of at least 0"}],"warnings":[{"field":"prompt","count":1,"message":"unknown field, left out; events with it"}]}"#
        + "\n")
    #expect(run.error == "")
    #expect(run.status == 0)
    let again = try folder.farthing("ingest", "mixed.ndjson")
    #expect(again.output == "1 event accepted, 2 duplicates, 1 refused\n")
    #expect(
      again.error == """
        farthing: mixed.ndjson line 3: input_tokens "-4": expected an integer of at least 0
        farthing: warning: prompt: unknown field, left out; events with it (1)

        """)
  }

  @Test func `strict keeps the good events and ends with 1`() throws {
    let run = try folder.farthing("ingest", "--strict", input: Self.events[0] + "\nbroken\n")
    #expect(run.output == "1 event accepted, 0 duplicates, 1 refused\n")
    #expect(run.error.hasPrefix("farthing: standard input line 2:"))
    #expect(run.status == 1)
    #expect(try folder.farthing("query", "requests", "--output", "csv").output == "requests\n1\n")
  }

  @Test func `a bad input ends with 1 and the others are stored`() throws {
    try folder.write("picture.ndjson", bytes: [0x89, 0x50, 0x4E, 0x47, 1, 2, 3])
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "sub"), withIntermediateDirectories: true)
    let run = try folder.farthing(
      "ingest", "nothing.ndjson", "sub", "picture.ndjson", "events.ndjson")
    #expect(run.output == "8 events accepted, 0 duplicates, 0 refused\n")
    #expect(
      run.error == """
        farthing: nothing.ndjson does not exist
        farthing: sub is a folder, not a file
        farthing: picture.ndjson: this is a PNG image, not JSON events; nothing of it was read

        """)
    #expect(run.status == 1)
  }

  @Test func `a second writer is told who holds the folder, and a reader is not kept out`()
    async throws
  {
    let store = try filled()
    let writer = try StoreWriter(
      directory: store.url.appending(path: "data").path, now: 0,
      randomBytes: Array(repeating: 7, count: 16))
    let second = try store.farthing("ingest", "events.ndjson")
    #expect(second.status == 1)
    #expect(second.output == "")
    #expect(second.error.contains("\(ProcessInfo.processInfo.processIdentifier)"))
    #expect(try store.farthing("prices", "import", "cards.yaml").status == 1)
    #expect(try store.farthing("query", "requests", "--output", "csv").output == "requests\n6\n")
    try await writer.close()
    #expect(try store.farthing("ingest", "events.ndjson").status == 0)
  }

  // MARK: Answers

  @Test(arguments: ["table", "json", "csv", "chart"])
  func `unit costs by group`(format: String) throws {
    let run = try filled().farthing(
      "query",
      "requests,cost,cost_per_1m_tokens,cost_per_successful_task,price_coverage,latency_p50",
      "--by", "workload,site", "--output", format)
    #expect(run.error == "")
    #expect(run.status == 0)
    try Golden.expect(run.output, matches: "query-groups.\(format)")
  }

  @Test(arguments: ["table", "json", "csv", "chart"])
  func `unit costs by hour`(format: String) throws {
    let run = try filled().farthing(
      "query", "cost,retry_cost,error_rate", "--every", "1h", "--output", format)
    #expect(run.status == 0)
    try Golden.expect(run.output, matches: "query-hours.\(format)")
  }

  @Test(arguments: ["table", "json", "csv"])
  func `the requests themselves`(format: String) throws {
    let run = try filled().farthing(
      "events", "--columns", "time,id,model,cost,cost_state,status,attempt,tags,tags.team",
      "--output",
      format, "--where", "input_tokens < 2000")
    #expect(run.status == 0)
    try Golden.expect(run.output, matches: "events.\(format)")
  }

  @Test func `windows include their start and exclude their end`() throws {
    let store = try filled()
    let run = try store.farthing(
      "query", "requests", "--since", "2026-03-09T10:05:00Z", "--until", "2026-03-09T12:20:00Z",
      "--output", "csv")
    #expect(run.output == "requests\n4\n")
  }

  @Test func `a query over nothing answers zeros and no groups`() throws {
    let empty = try folder.farthing("query", "requests,cost,cost_per_request", "--output", "json")
    #expect(empty.output == "[\n{\"requests\":0,\"cost\":\"0\",\"cost_per_request\":null}\n]\n")
    #expect(empty.status == 0)
    #expect(empty.error == "farthing: there is no store in data yet; farthing ingest makes one\n")
    let groups = try folder.farthing("query", "cost", "--by", "model", "--output", "json")
    #expect(groups.output == "[]\n")
    #expect(try folder.farthing("events", "--output", "json").output == "[]\n")
  }

  // MARK: Prices

  @Test func `prices are imported, shown and found missing`() throws {
    let store = try filled()
    let show = try store.farthing(
      "prices", "show", "atlas", "--provider", "acme", "--output", "csv")
    #expect(show.status == 0)
    #expect(
      show.output.hasPrefix(
        "part,input_above,usd,per,from,until,list\ninput,,3,1M tokens,,,cards.yaml\n"))
    let unknown = try store.farthing("prices", "show", "atlass")
    #expect(unknown.status == 1)
    #expect(unknown.error.contains("did you mean \"atlas\"?"))
    let missing = try store.farthing("prices", "missing", "--output", "csv")
    #expect(missing.output == "model,provider,requests,tokens\nunheard-of,,1,330\n")
    let lists = try store.farthing("prices", "list", "--output", "json")
    #expect(lists.output.contains("\"list\":\"cards.yaml\",\"format\":\"yaml\""))
  }

  @Test func `a list that is wrong is refused by line and changes nothing`() throws {
    try folder.write("wrong.yaml", "cards:\n  - model: atlas\n    prices: {input: \"12,50\"}\n")
    let check = try folder.farthing("prices", "check", "wrong.yaml")
    #expect(check.status == 1)
    #expect(check.error.contains("wrong.yaml line 3"))
    #expect(check.error.contains("12,50"))
    #expect(try folder.farthing("prices", "import", "wrong.yaml").status == 1)
    #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "data").path))
    #expect(try folder.farthing("prices", "check", "cards.yaml").status == 0)
  }

  @Test func `an entry whose price cannot be used is named and leaves its model unpriced`() throws {
    try folder.write(
      "list.json",
      #"""
      {"good": {"litellm_provider": "acme", "input_cost_per_token": 1e-06},
       "gpt-4.1-mini": {"litellm_provider": "openai", "input_cost_per_token": 1e9}}
      """#)
    let said =
      "list.json: “gpt-4.1-mini”: input_cost_per_token “1e9” cannot be used; expected at most 1000000"
      + " dollars a unit; the model is left unpriced"
    let check = try folder.farthing("prices", "check", "list.json")
    #expect(check.status == 1)
    #expect(check.error.contains(said))
    let imported = try folder.farthing("prices", "import", "list.json")
    #expect(imported.status == 0)
    #expect(imported.error == "farthing: warning: \(said)\n")
    #expect(try folder.farthing("prices", "show", "good").status == 0)
    let show = try folder.farthing("prices", "show", "gpt-4.1-mini", "--provider", "openai")
    #expect(show.status == 1)
    #expect(show.error.contains("list list.json names \"gpt-4.1-mini\" without a usable price"))
  }

  @Test func `two price lists are compared`() throws {
    let store = try filled()
    try folder.write("new.yaml", Self.cards.replacing("\"0.3\"", with: "\"0.123456789012345678\""))
    let diff = try store.farthing("prices", "diff", "cards.yaml#1", "new.yaml", "--output", "csv")
    #expect(diff.status == 0)
    #expect(
      diff.output == """
        change,model,aliases,providers,tenant,site,tier,part,input_above,per,old_usd,new_usd,relative_change,from,until
        changed,atlas,,acme,,,,cached_input,,1M tokens,0.3,0.123456789012345678,-0.588477,,

        """)
    #expect(diff.error == "farthing: 1 changed, 0 added, 0 removed\n")
    let table = try store.farthing("prices", "diff", "cards.yaml", "new.yaml", "--exit-code")
    #expect(table.status == 1)
    #expect(table.output.hasPrefix("change   model  providers  part "))
    #expect(table.output.contains("0.123456789012345678"))
    #expect(
      try store.farthing("prices", "diff", "cards.yaml", "cards.yaml", "--exit-code").status == 0)
    let unknown = try store.farthing("prices", "diff", "catalog", "card.yaml")
    #expect(unknown.status == 1)
    #expect(
      unknown.error
        == "farthing: \"catalog\" is neither a file nor an imported list; did you mean \"catalogue\"?\n"
    )
  }

  @Test func `a price is shown with every digit`() throws {
    try folder.write(
      "fine.yaml", "cards:\n  - {model: fine, prices: {input: \"12345.000000000001\"}}\n")
    #expect(try folder.farthing("prices", "import", "fine.yaml").status == 0)
    let show = try folder.farthing("prices", "show", "fine")
    #expect(show.output.contains("12345.000000000001"))
  }

  // MARK: Generate

  @Test func `a broken array says how much of it was not read, in both receipts`() throws {
    let event = #"{"time":"2026-03-09T10:00:00Z","model":"m"}"#
    try folder.write("broken.json", "[\(event),{\"time\":},\(event)]")
    let table = try folder.farthing("ingest", "broken.json")
    #expect(table.status == 0)
    #expect(table.output == "1 event accepted, 0 duplicates, 1 refused\n")
    #expect(
      table.error.hasSuffix(
        "warning: the array breaks or ends before the text does; bytes that were not read (54)\n"))
    let json = try folder.farthing("ingest", "broken.json", "--output", "json")
    #expect(
      json.output.contains(
        #""warnings":[{"count":54,"message":"the array breaks or ends before the text does; bytes "#
          + #"that were not read"}]"#))
  }

  @Test func `generated events are the same for the same words and can be ingested`() throws {
    let words = ["generate", "--seed", "5", "--days", "1", "--rate", "120"]
    let first = try CommandRun(words, in: folder.url)
    #expect(first.status == 0)
    #expect(first.output == (try CommandRun(words, in: folder.url)).output)
    let ingest = try folder.farthing("ingest", "-", input: first.output)
    let count = first.output.count { $0 == "\n" }
    #expect(ingest.output == "\(count) events accepted, 0 duplicates, 0 refused\n")
  }
}
