internal import FarthingCore
internal import FarthingQuery
internal import FarthingServer
internal import FarthingStore

/// A question as its address on a server.
struct RemoteQuestion {
  private(set) var target: String

  /// - Parameter path: such as `/v1/query`.
  init(_ path: String, _ parameters: [(name: String, value: String?)]) {
    let pairs = parameters.compactMap { name, value in
      value.map { name + "=" + Self.escaped($0) }
    }
    target = pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
  }

  /// - Parameter zone: nil for UTC.
  init(_ words: QueryWords, zone: String?, output: OutputFormat) {
    self.init(
      "/v1/query",
      [
        ("metrics", words.metrics), ("by", words.by), ("where", words.filter),
        ("since", words.since), ("until", words.until), ("every", words.every),
        ("order", words.order), ("limit", words.limit), ("tz", zone), ("prices", words.prices),
        ("closed_cohort", words.closedCohort ? "true" : nil), ("output", output.rawValue),
      ])
  }

  /// Percent-encoded but for what is never special (RFC 3986, unreserved).
  static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default:
        bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension RemoteServer {
  /// Writes a server's answer as the store's own would be.
  ///
  /// JSON and CSV pass through as they come, for the server writes them as this command does; what is
  /// drawn is read back from JSON, exact amounts and all.
  ///
  /// - Parameters:
  ///   - question: makes the question for an answer in JSON or CSV.
  ///   - columns: the columns of the answer.
  ///   - draw: writes a table or chart.
  /// - Returns: whether the answer lacks rows that damaged files hold.
  /// - Throws: ``CommandFailure`` where there is no answer.
  func write(
    _ format: OutputFormat, question: (OutputFormat) -> RemoteQuestion, columns: [ResultColumn],
    draw: (Answer) throws -> Void
  ) async throws -> Bool {
    let lacksRows: Bool
    switch format {
    case .json, .csv:
      let reply = try await answer(question(format).target) { try Console.result($0) }
      lacksRows = Self.warn(reply)
    case .table, .chart:
      let (rows, isPartial) = try await rows(question(.json), columns)
      lacksRows = isPartial
      try draw(Answer(QueryResult(columns: columns, rows: rows)))
    }
    return lacksRows
  }

  /// The rows of an answer; standard error is told what it lacks.
  func rows(
    _ question: RemoteQuestion, _ columns: [ResultColumn]
  ) async throws -> (rows: [[QueryValue]], lacksRows: Bool) {
    let reply = try await answer(question.target)
    guard let rows = AnswerReader.rows(reply.body, columns) else { throw isNoFarthing }
    return (rows, Self.warn(reply))
  }

  /// Tells standard error what an answer lacks.
  ///
  /// - Returns: Whether those are rows.
  static func warn(_ reply: ServerCaller.Answer) -> Bool {
    for warning in reply.warnings { Console.note("farthing: warning: \(warning.printable)") }
    return reply.fields["farthing-incomplete"] != nil
  }
}

/// Reads an answer in JSON back into the values that it was written from.
enum AnswerReader {
  /// nil where the text is no such answer.
  /// - Complexity: O(n) in its bytes.
  static func rows(_ text: [UInt8], _ columns: [ResultColumn]) -> [[QueryValue]]? {
    guard let tree = try? JSONTree(text), tree.root.isArray else { return nil }
    var rows: [[QueryValue]] = []
    for object in tree.root.elements {
      // By place: a column may come twice.
      let members = object.members
      guard members.count == columns.count else { return nil }
      var row: [QueryValue] = []
      row.reserveCapacity(columns.count)
      for (column, member) in zip(columns, members) {
        guard member.key == column.name, let value = value(member.value, column.kind) else {
          return nil
        }
        row.append(value)
      }
      rows.append(row)
    }
    return rows
  }

  private static func value(_ value: JSONValue, _ kind: ResultColumn.Kind) -> QueryValue? {
    if value.isNull { return .null }
    if let flag = value.boolean { return .boolean(flag) }
    guard let text = value.literal else { return nil }
    switch kind {
    case .bucket: return time(text).map { .time($0) }
    case .group(let field), .field(let field): return self.value(text, field.kind)
    case .metric(let metric): return self.value(text, metric.unit)
    }
  }

  /// Unix nanoseconds of a time in UTC as answers have it, with up to nine fraction digits.
  static func time(_ text: String) -> Int64? {
    guard let point = text.firstIndex(of: "."), text.hasSuffix("Z"),
      let second = CivilTime.parse(text[..<point] + "Z")
    else { return CivilTime.parse(text) }
    let digits = text[text.index(after: point)...].dropLast()
    guard (1...9).contains(digits.utf8.count),
      let fraction = UInt32(digits + String(repeating: "0", count: 9 - digits.utf8.count))
    else { return nil }
    return second + Int64(fraction)
  }

  private static func value(_ text: String, _ kind: RequestField.Kind) -> QueryValue? {
    switch kind {
    case .text: .text(text)
    case .integer: Int128(text).map { .count($0) }
    case .boolean: nil
    case .real: Double(text).map { .real($0) }
    case .money: AmountText.picodollars(of: text).map { .money($0) }
    case .time: time(text).map { .time($0) }
    case .object: .object(text)
    }
  }

  private static func value(_ text: String, _ unit: Metric.Unit) -> QueryValue? {
    switch unit {
    case .count: Int128(text).map { .count($0) } ?? Double(text).map { .ratio($0) }
    case .money: AmountText.picodollars(of: text).map { .money($0) }
    case .moneyRatio: .moneyRatio(text)
    case .ratio: Double(text).map { .ratio($0) }
    case .milliseconds: Double(text).map { .milliseconds($0) }
    }
  }
}
