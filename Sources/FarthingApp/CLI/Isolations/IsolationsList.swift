package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing isolations` and `farthing isolations list`.
package struct IsolationsList: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The isolations, the earliest first.")

  @OptionGroup package var global: GlobalOptions
  @Option(
    help: ArgumentHelp(
      "proposed, applying, active, releasing, released, refused or lapsed, in a list with commas; "
        + "all but refused where it is not given.",
      valueName: "status,…"))
  package var status: String?
  @Option(
    help: ArgumentHelp(
      "Those that began or changed since: an RFC 3339 time, a date, or 24h, 7d ago.",
      valueName: "time"))
  package var since: String?
  @Option(help: ArgumentHelp("The latest so many.", valueName: "n"))
  package var limit: Int?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try IsolationsPlace.expectNoChart(output.output)
    let statuses = (status ?? "").split(separator: ",").map(String.init)
    for word in statuses where IsolationStatus(rawValue: word) == nil {
      throw CommandFailure.usage(
        "--status \"\(word.printable)\": expected "
          + IsolationStatus.allCases.map(\.rawValue).joined(separator: ", "))
    }
    if let limit, !(1...999_999).contains(limit) {
      throw CommandFailure.usage("--limit \(limit): expected a number from 1 to 999999")
    }
    let moment = try since.map { try InstantOption.parse($0, of: "--since") }
    let limit = limit
    let now = HostProcess.now()
    let json = try await IsolationsPlace.read(
      global,
      RemoteQuestion(
        "/v1/isolations",
        [
          ("status", status), ("since", moment.map { TimeText.rfc3339($0) }),
          ("limit", limit.map { "\($0)" }),
        ])
    ) {
      try IsolationTexts.list(statuses: statuses, since: moment, limit: limit, now: now, $0)
    }
    if output.output == .json { return try Console.result(json) }
    let rows = AlertTable.rows(json)
    if rows.isEmpty, output.output == .table { Console.note("farthing: nothing is isolated") }
    try output.write(IsolationTable.answer(rows, isWide: output.output == .csv))
  }
}

/// Isolations as JSON in the columns of tables and CSV.
enum IsolationTable {
  /// - Parameter isWide: whether every member has its column.
  static func answer(_ rows: [JSONValue], isWide: Bool) -> Answer {
    guard isWide else {
      return Answer(
        columns: [
          .init("id"), .init("status"), .init("mode"), .init("action"), .init("target"),
          .init("since"), .init("until"), .init("released"), .init("because"),
        ],
        rows: rows.map { row in
          [
            text(row, "id"), text(row, "status"), text(row, "mode"), text(row, "action"),
            .text(target(row)), text(row, "started_at"), text(row, "release_at"),
            text(row, "released_at"),
            row["why"]?.elements.first?.text.map { .text($0) } ?? .null,
          ]
        })
    }
    let keys = [
      "id", "alert", "action", "mode", "status", "started_at", "effective_at", "release_at",
      "released_at",
    ]
    return Answer(
      columns: keys.map { .init($0) } + [.init("target"), .init("why")],
      rows: rows.map { row in
        keys.map { text(row, JSONPath(key: $0)) } + [
          .text(target(row)),
          .text((row["why"]?.elements ?? []).compactMap(\.text).joined(separator: " | ")),
        ]
      })
  }

  private static func text(_ row: JSONValue, _ key: JSONPath) -> QueryValue {
    AlertTable.text(row[key])
  }

  /// `identity=svc-7`
  static func target(_ row: JSONValue) -> String {
    (row["target"]?.members ?? []).map { "\($0.key)=\($0.value.text ?? "")" }
      .joined(separator: " ")
  }
}

/// `farthing isolations show`.
package struct IsolationsShow: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "All of one isolation: evidence, guardrails, calls, and its lines of the audit log.")

  @Argument(help: "The isolation's id, or enough of its beginning.")
  package var id: String
  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try IsolationsPlace.expectNoChart(output.output)
    let (json, root) = try await Self.details(id, global)
    switch output.output {
    case .json: try Console.result(json)
    case .csv:
      try output.write(
        IsolationTable.answer([root["isolation"]].compactMap { $0 }, isWide: true))
    case .table, .chart:
      for line in Self.head(root) + [""] + Self.history(root) {
        try Console.result(line.printable)
      }
    }
  }

  static func details(
    _ wanted: String, _ global: GlobalOptions
  ) async throws -> (json: [UInt8], root: JSONValue) {
    let now = HostProcess.now()
    let json = try await IsolationsPlace.read(
      global, RemoteQuestion("/v1/isolations/\(RemoteQuestion.escaped(wanted))", [])
    ) { reader in
      let id = try IsolationTexts.whole(wanted, reader)
      guard let found = try IsolationTexts.details(id, now: now, reader) else {
        throw IsolationFault(.notFound, "no isolation has the id \"\(wanted.printable)\"")
      }
      return found
    }
    guard let root = (try? JSONTree(json))?.root, root["isolation"] != nil else {
      throw CommandFailure.failed("no isolation has the id \"\(wanted.printable)\"")
    }
    return (json, root)
  }

  static func head(_ root: JSONValue) -> [String] {
    guard let isolation = root["isolation"] else { return [] }
    func text(_ key: JSONPath) -> String { isolation[key]?.text ?? "–" }
    let saved = root["saved_usd_estimated"]?.text.map { "about $\($0)" } ?? "–"
    return [
      "\(text("action")) \(IsolationTable.target(isolation)): \(text("status")), \(text("mode"))",
      "",
      "id         \(text("id"))", "alert      \(text("alert"))",
      "policy     \(root["policy"]?.text ?? "–"), decided by \(root["actor"]?.text ?? "–")",
      "decided    \(text("started_at")), in force \(text("effective_at"))",
      "until      \(text("release_at"))",
      "given back \(text("released_at")), by \(root["released_by"]?.text ?? "–")",
      "saved      \(saved), estimated",
    ]
  }

  static func history(_ root: JSONValue) -> [String] {
    var lines = ["history"]
    for step in root["audit"]?.elements ?? [] {
      var line =
        "  \(step["at"]?.text ?? "")  \(step["event"]?.text ?? "")  (\(step["actor"]?.text ?? ""))"
      if let verb = step["detail.verb"]?.text {
        line += "  \(verb): \(step["detail.result"]?.text ?? "")"
        if let evidence = step["detail.evidence"]?.text, !evidence.isEmpty {
          line += ", \(evidence)"
        }
      }
      lines.append(line)
    }
    return lines
  }
}

/// `farthing isolations why`.
package struct IsolationsWhy: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "why",
    abstract: "Why something is isolated, or was not: series, incident, policy, guardrails, calls.")

  @Argument(help: "The isolation's id, or enough of its beginning.")
  package var id: String
  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try IsolationsPlace.expectNoChart(output.output)
    let (json, root) = try await IsolationsShow.details(id, global)
    if output.output == .json { return try Console.result(json) }
    let why = (root["isolation"]?["why"]?.elements ?? []).compactMap(\.text)
    if output.output == .csv {
      return try output.write(Answer(columns: [.init("why")], rows: why.map { [.text($0)] }))
    }
    for line in IsolationsShow.head(root) + [""] + why.map({ "- \($0)" }) {
      try Console.result(line.printable)
    }
  }
}
