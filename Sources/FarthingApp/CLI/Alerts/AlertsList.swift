package import ArgumentParser
internal import FarthingCore
internal import FarthingPipeline
internal import FarthingQuery
internal import FarthingStore

/// `farthing alerts` and `farthing alerts list`.
package struct AlertsList: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The alerts, the earliest first.")

  @OptionGroup package var global: GlobalOptions
  @Option(
    help: ArgumentHelp(
      "pending, firing, acknowledged, silenced or resolved, in a list with commas.",
      valueName: "status,…"))
  package var status: String?
  @Option(
    help: ArgumentHelp(
      "Those that began or changed since: an RFC 3339 time, a date, or 24h, 7d ago.",
      valueName: "time"))
  package var since: String?
  @Option(
    help: ArgumentHelp(
      "Those for which it holds, such as kind=spend_spike or identity=~\"svc-.*\"; all of several.",
      valueName: "matcher"))
  package var match: [String] = []
  @Option(help: ArgumentHelp("The latest so many.", valueName: "n"))
  package var limit: Int?
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try AlertsPlace.expectNoChart(output.output)
    let selection = try selection()
    let matchers = try AlertsPlace.matchers(match)
    var parameters: [(name: String, value: String?)] = [
      ("status", status), ("since", selection.since.map { TimeText.rfc3339($0) }),
      ("limit", limit.map { "\($0)" }),
    ]
    parameters += match.map { ("match", $0) }
    let json = try await AlertsPlace.read(global, RemoteQuestion("/v1/alerts", parameters)) {
      try AlertTexts.list(selection, matchers, $0)
    }
    if output.output == .json { return try Console.result(json) }
    let alerts = AlertTable.rows(json)
    if alerts.isEmpty, output.output == .table { Console.note("farthing: no alerts") }
    try output.write(AlertTable.answer(alerts, isWide: output.output == .csv))
  }

  private func selection() throws -> AlertSelection {
    let statuses = (status ?? "").split(separator: ",").map(String.init)
    for word in statuses where AlertStatus(rawValue: word) == nil {
      throw CommandFailure.usage(
        "--status \"\(word.printable)\": expected "
          + AlertStatus.allCases.map(\.rawValue).joined(separator: ", "))
    }
    if let limit, !(1...999_999).contains(limit) {
      throw CommandFailure.usage("--limit \(limit): expected a number from 1 to 999999")
    }
    return AlertSelection(
      statuses: statuses, since: try since.map { try InstantOption.parse($0, of: "--since") },
      limit: limit)
  }
}

/// Alerts as JSON in the columns of tables and CSV.
enum AlertTable {
  static func rows(_ json: [UInt8]) -> [JSONValue] { (try? JSONTree(json))?.root.elements ?? [] }

  /// - Parameter isWide: whether every member has its column.
  static func answer(_ alerts: [JSONValue], isWide: Bool) -> Answer {
    let columns: [Answer.Column] =
      isWide
      ? [
        .init("id"), .init("kind"), .init("severity"), .init("status"), .init("metric"),
        .init("dimensions"), .init("started_at"), .init("detected_at"), .init("resolved_at"),
        .init("expected", .figure), .init("actual", .figure), .init("excess_usd", .figure),
        .init("usd_per_hour", .figure), .init("summary"), .init("explanation"),
      ]
      : [
        .init("id"), .init("status"), .init("severity"), .init("kind"), .init("since"),
        .init("usd_per_hour", .figure), .init("excess_usd", .figure), .init("where"),
        .init("summary"),
      ]
    return Answer(columns: columns, rows: alerts.map { isWide ? wide($0) : narrow($0) })
  }

  static func text(_ value: JSONValue?) -> QueryValue {
    value?.text.map { .text($0) } ?? .null
  }

  private static func number(_ value: JSONValue?) -> QueryValue {
    value?.literal.flatMap { Double($0) }.map { .real($0) } ?? .null
  }

  private static func money(_ value: JSONValue?) -> QueryValue {
    value?.text.flatMap { Picodollars(decimal: $0) }.map { .money($0.rawValue) } ?? .null
  }

  /// An estimate, to the cent.
  private static func rate(_ value: JSONValue?) -> QueryValue {
    guard let rate = value?.literal.flatMap({ Double($0) }), rate.magnitude < 1e15 else {
      return .null
    }
    return .money(Int128((rate * 100).rounded()) * (Picodollars.perDollar / 100))
  }

  /// `identity=svc-7 model=gpt-4o`
  static func slice(_ alert: JSONValue) -> String {
    (alert["dimensions"]?.members ?? []).map { "\($0.key)=\($0.value.text ?? "")" }
      .joined(separator: " ")
  }

  private static func narrow(_ alert: JSONValue) -> [QueryValue] {
    [
      text(alert["id"]), text(alert["status"]), text(alert["severity"]), text(alert["kind"]),
      text(alert["started_at"]), rate(alert["usd_per_hour"]), money(alert["excess_usd"]),
      .text(slice(alert)), text(alert["summary"]),
    ]
  }

  private static func wide(_ alert: JSONValue) -> [QueryValue] {
    let explanation = (alert["explanation"]?.elements ?? []).compactMap(\.text)
    return [
      text(alert["id"]), text(alert["kind"]), text(alert["severity"]), text(alert["status"]),
      text(alert["metric"]), .text(slice(alert)), text(alert["started_at"]),
      text(alert["detected_at"]), text(alert["resolved_at"]), number(alert["expected"]),
      number(alert["actual"]), money(alert["excess_usd"]), rate(alert["usd_per_hour"]),
      text(alert["summary"]), .text(explanation.joined(separator: " | ")),
    ]
  }
}

/// `farthing alerts show`.
package struct AlertsShow: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "All of one alert: evidence, examples, and how it came to be what it is.")

  @Argument(help: "The alert's id, or enough of its beginning.")
  package var id: String
  @OptionGroup package var global: GlobalOptions
  @OptionGroup package var output: OutputOptions

  package init() {}

  package mutating func run() async throws {
    try AlertsPlace.expectNoChart(output.output)
    let wanted = id
    let json = try await AlertsPlace.read(
      global, RemoteQuestion("/v1/alerts/\(RemoteQuestion.escaped(id))", [])
    ) { reader in
      let id = try AlertTexts.whole(wanted, reader)
      guard let found = try AlertTexts.details(id, reader) else {
        throw AlertFault(.notFound, "no alert has the id \"\(wanted.printable)\"")
      }
      return found
    }
    guard let root = (try? JSONTree(json))?.root, root["alert"] != nil else {
      throw CommandFailure.failed("no alert has the id \"\(id.printable)\"")
    }
    switch output.output {
    case .json: try Console.result(json)
    case .csv:
      try output.write(AlertTable.answer([root["alert"]].compactMap { $0 }, isWide: true))
    case .table, .chart:
      for line in Self.lines(root) { try Console.result(line.printable) }
    }
  }

  /// The page of an alert out of its JSON; nil where it is none.
  static func lines(_ json: [UInt8]?) -> [String]? {
    guard let json, let root = (try? JSONTree(json))?.root, root["alert"] != nil else { return nil }
    return lines(root)
  }

  private static func lines(_ root: JSONValue) -> [String] {
    guard let alert = root["alert"] else { return [] }
    func text(_ key: JSONPath) -> String { alert[key]?.text ?? alert[key]?.literal ?? "–" }
    var lines = [
      text("summary"), "",
      "id            \(text("id"))", "status        \(text("status"))",
      "kind          \(text("kind")), \(text("severity"))",
      "where         \(AlertTable.slice(alert))",
      "metric        \(text("metric")): expected \(text("expected")), actual \(text("actual"))",
      "money         \(money(alert))",
      "started       \(text("started_at")), detected \(text("detected_at")), "
        + "resolved \(text("resolved_at"))",
    ]
    if let by = root["acknowledged.by"]?.text {
      let note = root["acknowledged.note"]?.text.map { ": \($0)" } ?? ""
      lines.append("acknowledged  by \(by) at \(root["acknowledged.at"]?.text ?? "–")\(note)")
    }
    if let silence = root["silence"]?.text { lines.append("silenced      by \(silence)") }
    let examples = (root["examples"]?.elements ?? []).compactMap(\.text)
    if !examples.isEmpty { lines.append("examples      \(examples.joined(separator: ", "))") }
    lines.append("")
    lines += (alert["explanation"]?.elements ?? []).compactMap(\.text).map { "- \($0)" }
    lines += ["", "history"]
    for step in root["history"]?.elements ?? [] {
      let from = step["from"]?.text.map { "\($0) → " } ?? ""
      let note = step["note"]?.text.map { ": \($0)" } ?? ""
      lines.append(
        "  \(step["at"]?.text ?? "")  \(from)\(step["to"]?.text ?? "")  "
          + "(\(step["cause"]?.text ?? ""))\(note)")
    }
    return lines
  }

  private static func money(_ alert: JSONValue) -> String {
    let excess = alert["excess_usd"]?.text.map { "$\($0) above expectation so far" }
    let rate = EstimateText.readable(alert["usd_per_hour"]?.literal.flatMap { Double($0) })
      .map { "\($0) an hour" }
    let parts = [excess, rate].compactMap { $0 }
    return parts.isEmpty ? "–" : parts.joined(separator: ", ")
  }
}
