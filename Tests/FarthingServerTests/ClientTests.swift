import FarthingCore
import FarthingTestSupport
import Foundation
import Synchronization
import Testing

/// A server in a process of its own, and commands that ask it or its folder.
private final class Place {
  let folder: TemporaryDirectory
  let server: ServerProcess

  var url: String { "http://127.0.0.1:\(server.port)" }
  var store: String { folder.path + "/store" }

  init(configuration: String? = nil, environment: [String: String] = [:]) throws {
    folder = try TemporaryDirectory()
    var words = ["serve", "--listen", "127.0.0.1:0", "--data", folder.path + "/store"]
    if let configuration {
      let file = folder.path + "/farthing.yaml"
      try Data(configuration.utf8).write(to: URL(filePath: file))
      words += ["--config", file]
    }
    server = try ServerProcess(words, environment: environment)
    try #require(server.port > 0)
  }

  deinit {
    server.terminate()
    _ = server.end()
  }

  func write(_ name: String, _ text: String) throws -> String {
    let path = folder.path + "/" + name
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }

  func ask(_ words: [String], environment: [String: String] = [:]) async throws -> ClientRun {
    try await ClientRun(words + ["--server", url], in: folder.path, environment: environment)
  }

  func askFolder(_ words: [String], data: String? = nil) async throws -> ClientRun {
    try await ClientRun(words + ["--data", data ?? store], in: folder.path)
  }
}

/// One run of the real command.
private struct ClientRun: Equatable {
  var status: Int32
  var output: String
  var error: String

  /// Waits without a thread: tests of connections run beside this one.
  init(_ words: [String], in folder: String, environment: [String: String] = [:]) async throws {
    let process = Process()
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.executableURL = program.deletingLastPathComponent().appending(path: "farthing")
    process.arguments = words
    let inherited = ProcessInfo.processInfo.environment
    process.environment = [
      "HOME": folder, "PATH": inherited["PATH"] ?? "",
      "LD_LIBRARY_PATH": inherited["LD_LIBRARY_PATH"] ?? "",
    ].merging(environment) { $1 }
    let files = ["out", "err"].map { folder + "/.\($0)-\(UInt64.random(in: 0 ... .max))" }
    for file in files { try Data().write(to: URL(filePath: file)) }
    // Files instead of pipes: neither side can wait for the other.
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: files[0])
    process.standardError = FileHandle(forWritingAtPath: files[1])
    try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in ended.resume() }
      do { try process.run() } catch { ended.resume(throwing: error) }
    }
    status = process.terminationStatus
    output = try String(decoding: Data(contentsOf: URL(filePath: files[0])), as: UTF8.self)
    error = try String(decoding: Data(contentsOf: URL(filePath: files[1])), as: UTF8.self)
  }
}

/// Events that differ in all that answers can differ in; some are refused, some come twice.
private func lines() -> [String] {
  var lines: [String] = []
  for number in 0..<300 {
    let model = ["gpt-4o", "gpt-4o-mini", "nobody-knows-this"][number % 3]
    let tag = ["plain", "=1+1", "a,\\\"b\\\" \\u00e9", "\\u202Eback"][number % 4]
    var text = "{\"time\":\"2026-11-\(10 + number % 9)T\(10 + number % 8):00:00.\(100 + number)Z\","
    text += "\"id\":\"c\(number % 290)\",\"model\":\"\(model)\",\"provider\":\"openai\","
    text += "\"input_tokens\":\(number * 37),\"output_tokens\":\(number),"
    if number % 5 > 0 { text += "\"latency_ms\":\(Double(number) * 1.37)," }
    if number % 7 == 0 { text += "\"status\":\"error\"," }
    text +=
      "\"task\":\"t\(number / 4)\",\"tags\":{\"team\":\"\(tag)\"},\"units\":{\"pages\":\(number)}}"
    lines.append(text)
  }
  lines.insert("", at: 12)
  lines.insert("{\"time\":\"2026-11-12T10:00:00Z\",\"model\":\"m\",\"input_tokens\":-4}", at: 50)
  lines.insert("[1]", at: 90)
  lines.append(
    "{\"time\":\"2026-11-12T10:00:00Z\",\"type\":\"outcome\",\"task\":\"t1\",\"outcome\":\"success\"}"
  )
  lines.append(
    "{\"time\":\"2026-11-12T10:00:00Z\",\"model\":\"gpt-4o\",\"prompt\":\"x\",\"id\":\"z\"}")
  return lines
}

@Suite("A command that asks a server", .timeLimit(.minutes(5)))
struct ClientTests {
  @Test func `says byte for byte what it says of the folder`() async throws {
    let place = try Place()
    let file = try place.write("calls.ndjson", lines().joined(separator: "\n"))
    #expect(try await place.ask(["ingest", file]).status == 0)
    // Metrics of capacity pools have no answer yet.
    let pools: Set = ["pool_cost", "idle_cost", "utilization"]
    let metrics = Metric.catalogue.map(\.name).filter { !pools.contains($0) }
      .joined(separator: ",")
    let columns = RequestField.all.map(\.name).joined(separator: ",") + ",tags.team,units.pages"
    let questions = [
      ["query", metrics, "--by", "model,tags.team", "--since", "2026-11-12"],
      ["query", "cost,requests", "--every", "1d", "--tz", "Europe/Berlin"],
      [
        "query", "cost", "--by", "status,time,input_tokens", "--where",
        "model != 'gpt-4o' and id > 'c1'",
      ],
      [
        "query", "requests,cost_per_request", "--by", "model", "--order", "requests", "--limit",
        "1",
      ],
      ["query", "cost_per_request", "--since", "2030-01-01"],
      ["query", "cost,requests", "--closed-cohort", "--prices", "booked"],
      ["events", "--columns", columns], ["events", "--limit", "7", "--where", "status = 'error'"],
      [
        "sql",
        "SELECT model, count(*) AS n, sum_usd(cost) AS usd FROM requests GROUP BY model ORDER BY 1",
      ], ["sql", "SELECT time, \"tags.team\", units FROM requests ORDER BY time, id LIMIT 20"],
      ["sql", "SELECT * FROM tasks ORDER BY task LIMIT 9"], ["prices", "list"],
      ["prices", "list", "gpt-4o-mini"], ["prices", "missing"],
      ["prices", "show", "gpt-4o", "--provider", "openai", "--at", "2026-03-09", "--batch"],
      [
        "explain", "--since", "2026-11-14", "--until", "2026-11-18", "--by", "model,tags.team",
        "--tz", "Europe/Berlin", "--limit", "2",
      ],
    ]
    for question in questions {
      for format in ["table", "json", "csv", "chart"] {
        if question[0] != "query", format == "chart" { continue }
        let words = question + ["--output", format]
        let told = try await place.ask(words)
        #expect(told == (try await place.askFolder(words)), "\(words)")
        #expect(told.status == 0, "\(words): \(told.error)")
        #expect(!told.output.isEmpty)
      }
    }
  }

  @Test func `shows the budgets of the server`() async throws {
    let budgets = "budgets:\n  - {name: all, amount: 0.5, period: month, owner: a@example.com}\n"
    let place = try Place(configuration: budgets)
    let file = try place.write("calls.ndjson", lines().joined(separator: "\n"))
    #expect(try await place.ask(["ingest", file]).status == 0)
    for format in ["table", "json", "csv"] {
      let words = ["budgets", "--at", "2026-11-18T12:00:00Z", "--output", format]
      let told = try await place.ask(words)
      #expect(told.status == 0)
      #expect(
        told
          == (try await place.askFolder(words + ["--config", place.folder.path + "/farthing.yaml"]))
      )
    }
  }

  @Test(arguments: ["calls.ndjson", "calls.json"])
  func `takes files in with the receipt of the folder`(name: String) async throws {
    let place = try Place()
    var events = lines()
    var text = events.joined(separator: "\n")
    if name.hasSuffix(".json") {
      events.removeAll { $0.isEmpty }
      text = "[" + events.joined(separator: ",\n") + "]"
    }
    let file = try place.write(name, text)
    for output in ["table", "json"] {
      let words = ["ingest", file, file, place.folder.path + "/absent", "--output", output]
      let told = try await place.ask(words)
      #expect(told == (try await place.askFolder(words, data: place.folder.path + "/local")))
      #expect(told.status == 1)
    }
    let strict = try await place.ask(["ingest", "--strict", file])
    #expect(strict.status == 1)
    #expect(
      strict
        == (try await place.askFolder(
          ["ingest", "--strict", file], data: place.folder.path + "/local")))
  }

  @Test func `sends what is larger than a body in parts, and counts lines on`() async throws {
    let place = try Place(environment: ["FARTHING_SERVER_LIMITS_BODY_MIB": "1"])
    let filler = String(repeating: "x", count: 1000)
    var events = (0..<3000).map { number in
      "{\"time\":\"2026-11-12T10:00:00Z\",\"id\":\"b\(number)\",\"model\":\"gpt-4o\",\"tags\":{\"t\":\"\(filler)\"}}"
    }
    events[2500] = "{}"
    // At the beginning of a body this would be an array.
    for place in stride(from: 700, to: 900, by: 2) { events[place] = "[\(events[place])]" }
    events.insert("{\"id\":\"" + String(repeating: "y", count: 2 << 20) + "\"}", at: 2000)
    let file = try place.write("calls.ndjson", events.joined(separator: "\n"))
    let told = try await place.ask(["ingest", file])
    #expect(told.output == "2,899 events accepted, 0 duplicates, 102 refused\n")
    #expect(told.error.contains("line 2001: expected a line no longer than the server takes"))
    #expect(told.error.contains("line 2502"))
    #expect(told.status == 0)
  }

  @Test func `counts events once where answers are lost`() async throws {
    let place = try Place()
    let relay = try await LossyRelay(to: place.server.port, losingEvery: 3)
    let port = relay.port.withLock { $0 }
    let events = (0..<6).map { (part: Int) in
      try? place.write(
        "part-\(part).ndjson", (0..<20).map { event("p\(part)-\($0)") }.joined(separator: "\n"))
    }
    let run = try await ClientRun(
      ["ingest", "--server", "http://127.0.0.1:\(port)"] + events.compactMap { $0 },
      in: place.folder.path)
    #expect(run.status == 0, "\(run.error)")
    #expect(run.error.contains("the connection was"))
    #expect(run.error.contains("trying again"))
    let count = try await place.ask(["query", "requests", "--output", "csv"])
    #expect(count.output == "requests\n120\n")
  }

  @Test func `tells what is missing: the server, the token, its scope`() async throws {
    let folder = try TemporaryDirectory()
    let made = try await ClientRun(
      ["token", "create", "sender", "--scopes", "ingest"], in: folder.path)
    let token = String(made.output.prefix { $0 != "\n" })
    let element = made.output.dropFirst(token.count + 2)
    let place = try Place(configuration: String(element))
    let query = ["query", "requests", "--output", "csv"]
    let none = try await place.ask(query)
    #expect(none.status == 1)
    #expect(
      none.error
        == "farthing: \(place.url) asks for a token: set FARTHING_TOKEN, or client.token_file of the configuration\n"
    )
    for run in [
      try await place.ask(query, environment: ["FARTHING_TOKEN": token]),
      try await place.ask(query + ["--token", token]),
    ] {
      #expect(run.status == 1)
      #expect(run.error.hasPrefix("farthing: \(place.url) does not allow this to the token of "))
      #expect(run.error.contains("read"), "\(run.error)")
      #expect(!run.error.contains(token))
    }
    let wrong = try await place.ask(query, environment: ["FARTHING_TOKEN": token + "x"])
    #expect(
      wrong.error.hasPrefix("farthing: \(place.url) does not take the token of FARTHING_TOKEN: "))
    #expect(!wrong.error.contains(token))
    let file = try place.write("one.ndjson", event("a"))
    let sent = try await place.ask(["ingest", file], environment: ["FARTHING_TOKEN": token])
    #expect(sent.status == 0, "\(sent.error)")
    #expect(try await place.ask(["ingest", file]).status == 1)
    let client = try place.write(
      "client.yaml",
      "client:\n  server: \(place.url)\n  token_file: \(try place.write("token", token))\n")
    let configured = try await ClientRun(
      ["ingest", file, "--config", client], in: place.folder.path)
    #expect(
      configured.output == "0 events accepted, 1 duplicate, 0 refused\n", "\(configured.error)")
  }

  @Test func `imports a price list into the server's store, in force for what comes from then on`()
    async throws
  {
    let place = try Place()
    let one = try place.write("one.ndjson", event("a", model: "own-model", tokens: 1_000_000))
    #expect(try await place.ask(["ingest", one]).status == 0)
    let list = try place.write(
      "own.json",
      "{\"own-model\":{\"litellm_provider\":\"openai\",\"mode\":\"chat\",\"input_cost_per_token\":2e-06,"
        + "\"output_cost_per_token\":1e-06}}")
    let told = try await place.ask(["prices", "import", list, "--format", "litellm"])
    #expect(told.output == "own.json: 1 card imported as litellm\n" || told.status == 0, "\(told)")
    #expect(told.status == 0, "\(told.error)")
    let two = try place.write("two.ndjson", event("b", model: "own-model", tokens: 1_000_000))
    #expect(try await place.ask(["ingest", two]).status == 0)
    let costs = try await place.ask(
      ["events", "--columns", "id,cost", "--where", "cost_state = 'priced'", "--output", "csv"])
    #expect(costs.output == "id,cost\nb,2.00001\n")
    #expect(
      try await place.ask(["prices", "list", "--output", "csv"]).output.contains(
        "\nown.json,litellm,"))
    #expect(try await place.askFolder(["prices", "show", "own-model"]).status == 0)
    let missing = try await place.ask(["prices", "missing", "--output", "csv"])
    #expect(missing.output == "model,provider,requests,tokens\n")
    #expect(missing.error.contains("1 more model has a price by now"))
    let broken = try place.write("broken.yaml", "- {")
    #expect(try await place.ask(["prices", "import", broken]).status != 0)
  }

  @Test func `a statement at the server has bounds in time and memory`() async throws {
    let place = try Place(environment: ["FARTHING_QUERY_MEMORY_MIB": "20"])
    let endless = "WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t) SELECT "
    let late = try await place.ask(["sql", endless + "count(*) FROM t", "--timeout", "0.2"])
    #expect(late.status == 1)
    #expect(late.error == "farthing: the time for the statement is over\n")
    for statement in [
      endless + "count(*) FROM (SELECT DISTINCT zeroblob(100000) || x FROM t)",
      endless + "x, zeroblob(1000000) FROM t ORDER BY -x",
    ] {
      let large = try await place.ask(["sql", statement])
      #expect(large.status == 1)
      #expect(large.error.contains("memory limit"), "\(large.error)")
    }
    #expect(
      try await place.ask(["sql", "SELECT 1 AS one", "--output", "csv"]).output == "one\n1\n")
  }

  @Test func `names a server that is not there, and a URL that is none`() async throws {
    let folder = try TemporaryDirectory()
    try Data(event("a").utf8).write(to: URL(filePath: folder.path + "/one.ndjson"))
    for words in [
      ["query", "cost"], ["events"], ["agents"], ["ingest", folder.path + "/one.ndjson"],
    ] {
      // Nothing listens on the port of discard.
      let away = try await ClientRun(words + ["--server", "http://127.0.0.1:9"], in: folder.path)
      #expect(away.status == 1)
      #expect(
        away.error
          == "farthing: http://127.0.0.1:9 cannot be reached: the connection was refused; does the server run there?\n"
      )
      let wrong = try await ClientRun(
        words, in: folder.path, environment: ["FARTHING_SERVER": "ftp://me:secret@h"])
      #expect(wrong.status == 2)
      #expect(wrong.error.contains("expected a URL such as"))
      #expect(!wrong.error.contains("secret"))
    }
  }

  @Test func `refuses at the server what it refuses at the folder`() async throws {
    let place = try Place()
    for words in [
      ["query", "costt"], ["events", "--columns", "nope"], ["query", "cost", "--tz", "Mars/Base"],
      ["sql", "DELETE FROM requests"], ["sql", "SELECT modl FROM requests"],
      ["sql", "SELECT 1; SELECT 2"],
      ["explain", "--since", "2026-11-14", "--versus", "never"], ["explain"],
    ] {
      let told = try await place.ask(words)
      #expect(told == (try await place.askFolder(words)))
      #expect(told.status == 2)
    }
    let prefix = try await ClientRun(
      ["query", "cost", "--server", place.url + "/farthing/"], in: place.folder.path)
    #expect(prefix.status == 1)
    #expect(prefix.error.contains("is the URL right, with its path?"))
    for words in [["prices", "show", "gpt-4oo"], ["prices", "show", "nobody-knows-this"]] {
      let told = try await place.ask(words + ["--at", "2026-03-09"])
      #expect(told == (try await place.askFolder(words + ["--at", "2026-03-09"])))
      #expect(told.status == 1)
    }
    let repricings = try await place.ask(["prices", "repricings"])
    #expect(repricings.status == 1)
    #expect(repricings.error.contains("cannot do this at the server \(place.url)"))
    let held = try await place.askFolder(["ingest", try place.write("one.ndjson", event("a"))])
    #expect(held.status == 1)
    #expect(held.error.contains(place.url))
    // The folder is meant where its option stands alone.
    let folder = try await ClientRun(
      ["query", "requests", "--data", place.store], in: place.folder.path,
      environment: ["FARTHING_SERVER": "http://127.0.0.1:9"])
    #expect(folder.status == 0)
  }
}
