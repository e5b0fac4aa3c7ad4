import FarthingCore
import FarthingStore

@testable import FarthingQuery

enum QueryBodies {
  /// A segment of requests and one of outcomes that expressions are evaluated over.
  private static let requests = FuzzStore.reader(.request)
  private static let outcomes = FuzzStore.reader(.outcome)

  /// One thread, and little memory: what needs more is refused by name.
  private static let executor = QueryExecutor(memoryLimit: 64 << 20, threads: 1)

  // MARK: Expressions

  static func expressions(_ bytes: [UInt8]) throws(BrokenProperty) {
    let text = String(decoding: bytes, as: UTF8.self)
    let expression: FilterExpression
    do {
      expression = try FilterParser.parse(text, now: fuzzClock, zone: .utc)
    } catch {
      try require(error.code == .usage, "a refusal of another code: \(error)")
      if let position = error.message.firstMatch(of: /where, character (\d+):/)?.1 {
        let count = text.unicodeScalars.count
        try require(
          (1...(count + 1)).contains(Int(position) ?? 0), "a fault beyond the text: \(error)")
      }
      return
    }
    let found = try count(expression)
    guard let printed = FilterPrinter.text(expression) else { return }
    let again: FilterExpression
    do {
      again = try FilterParser.parse(printed, now: fuzzClock, zone: .utc)
    } catch {
      throw BrokenProperty(description: "printed as \(printed), it is refused: \(error)")
    }
    try require(again == expression, "printed as \(printed), it is another expression")
    try require(try count(.not(.not(expression))) == found, "not not changes \(printed)")
    let both = try count(.and([expression, expression]))
    let either = try count(.or([expression, expression]))
    try require(both == found && either == found, "doubling changes \(printed)")
    let opposite = try count(.not(expression))
    let all = Int64(requests?.rowCount ?? 0)
    try require(found + opposite <= all, "more rows than there are pass \(printed)")
  }

  /// How many rows of the fixed segment an expression keeps.
  private static func count(_ expression: FilterExpression) throws(BrokenProperty) -> Int64 {
    guard let requests, let metric = Metric.named("requests") else {
      throw BrokenProperty(description: "there is no segment to ask")
    }
    let plan = QueryPlan(metrics: [metric], filter: expression)
    do {
      let result = try executor.run(plan, requests: [requests], outcomes: [])
      guard let first = result.rows.first?.last, case .count(let count) = first else { return 0 }
      let events = try executor.run(
        EventsPlan(columns: [.time], filter: expression), requests: [requests])
      try require(Int64(events.rows.count) == Int64(count), "events and counts differ")
      return Int64(count)
    } catch let broken as BrokenProperty {
      throw broken
    } catch {
      // What is too much for the memory that it is given is refused.
      return 0
    }
  }

  // MARK: Words

  static func words(_ bytes: [UInt8]) throws(BrokenProperty) {
    let lines = String(decoding: bytes, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    func line(_ place: Int) -> String? { place < lines.count ? lines[place] : nil }
    let words = QueryWords(
      metrics: line(0) ?? "", by: line(1), filter: line(2), since: line(3), until: line(4),
      every: line(5), order: line(6), limit: line(7), closedCohort: line(8) == "closed")
    guard let requests, let outcomes else { return }
    if let plan = try? QueryPlan.parse(words, now: fuzzClock) {
      do {
        let result = try executor.run(plan, requests: [requests], outcomes: [outcomes])
        try require(
          result.rows.allSatisfy { $0.count == result.columns.count }, "a row of other columns")
        try require(plan.limit.map { result.rows.count <= $0 } ?? true, "more rows than the limit")
      } catch let broken as BrokenProperty {
        throw broken
      } catch let error as QueryError {
        try require(error.code != .usage, "a plan that was accepted is refused: \(error)")
      } catch {
        throw BrokenProperty(description: "\(error)")
      }
    }
    if let plan = try? EventsPlan.parse(
      columns: line(1), filter: line(2), since: line(3), until: line(4), limit: line(7),
      now: fuzzClock)
    {
      let result = try? executor.run(plan, requests: [requests])
      try require(
        result?.rows.allSatisfy { $0.count == plan.columns.count } ?? true,
        "an event of other columns")
    }
  }

  // MARK: Patterns

  /// The text before and the pattern after the first zero byte.
  static func patterns(_ bytes: [UInt8]) throws(BrokenProperty) {
    let parts = bytes.prefix(400).split(
      separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    let text = String(decoding: parts[0], as: UTF8.self)
    let pattern = String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self)
    try require(
      LikePattern(pattern).matches(text)
        == matches(Array(text.unicodeScalars), Array(pattern.unicodeScalars)),
      "\"\(pattern)\" on \"\(text)\"")
  }

  /// The same by a table: `reached[n]` says whether the first n characters match the pattern so far.
  private static func matches(_ text: [Unicode.Scalar], _ pattern: [Unicode.Scalar]) -> Bool {
    var reached = [true] + [Bool](repeating: false, count: text.count)
    for element in pattern {
      if element == "%" {
        let first = reached.firstIndex(of: true) ?? reached.count
        for place in reached.indices { reached[place] = place >= first }
      } else {
        for place in text.indices.reversed() {
          reached[place + 1] = reached[place] && (element == "_" || element == text[place])
        }
        reached[0] = false
      }
    }
    return reached[text.count]
  }

  // MARK: Zones

  /// A width, an instant, and a zone file or the rule that one ends with.
  static func zones(_ bytes: [UInt8]) throws(BrokenProperty) {
    var input = InputReader(bytes)
    let widths = ["1s", "7s", "5m", "1h", "90m", "1d", "30d", "1w", "5w", "1000000w"]
    let width = BucketWidth(widths[Int(input.byte()) % widths.count])
    let time = input.integer()
    var file = input.bytes
    if !file.starts(with: "TZif".utf8) {
      file = FuzzZone.file(rule: file)
    }
    guard let width, let zone = TimeZoneRules(name: "fuzz", tzif: file) else { return }
    let buckets = TimeBuckets(width: width, zone: zone)
    let instants =
      [time, fuzzClock, .min, .max, 0]
      + zone.transitions.prefix(3).map { CivilTime.nanoseconds(seconds: Int128($0)) }
    for instant in instants {
      let (start, until) = buckets.bucket(containing: instant)
      try require(
        start <= instant && (instant < until || until == .max),
        "the bucket \(start) to \(until) is not that of \(instant)")
      if start > .min + 1, until < .max {
        try require(
          buckets.bucket(containing: until - 1).start == start,
          "\(until - 1) lies in another bucket than \(instant)")
      }
    }
    _ = InstantParser.parse("2026-03-29", now: fuzzClock, zone: zone)
  }
}

/// The smallest zone file that ends with a given rule.
enum FuzzZone {
  static func file(rule: [UInt8]) -> [UInt8] {
    var block = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
    // No indicator, leap second or transition; one type with one byte of name.
    for count: UInt8 in [0, 0, 0, 0, 1, 1] { block += [0, 0, 0, count] }
    block += [0, 0, 0, 0, 0, 0, 0]
    return block + block + [10] + rule + [10]
  }
}

/// Writes an expression so that reading it gives the same one.
enum FilterPrinter {
  /// nil where a number in it cannot be written exactly.
  static func text(_ expression: FilterExpression) -> String? {
    switch expression {
    case .comparison(let field, let comparison, let literal):
      return text(literal).map { "\(name(field)) \(comparison.rawValue) \($0)" }
    case .membership(let field, let literals):
      let texts = literals.compactMap(text)
      guard texts.count == literals.count else { return nil }
      return "\(name(field)) in (\(texts.joined(separator: ", ")))"
    case .like(let field, let pattern): return "\(name(field)) like \(quoted(pattern.text))"
    case .isNull(let field): return "\(name(field)) is null"
    case .and(let parts): return joined(parts, " and ") { $0.isChain }
    case .or(let parts): return joined(parts, " or ") { $0.isOr }
    case .not(let inner):
      return text(inner).map { inner.isChain ? "not (\($0))" : "not \($0)" }
    }
  }

  private static func joined(
    _ parts: [FilterExpression], _ word: String, wraps: (FilterExpression) -> Bool
  ) -> String? {
    let texts = parts.compactMap { part in text(part).map { wraps(part) ? "(\($0))" : $0 } }
    return texts.count == parts.count ? texts.joined(separator: word) : nil
  }

  private static func name(_ field: RequestField) -> String {
    "\"" + doubled(field.name, "\"") + "\""
  }

  private static func quoted(_ text: String) -> String { "'" + doubled(text, "'") + "'" }

  private static func doubled(_ text: String, _ quote: Unicode.Scalar) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      result.append(scalar)
      if scalar == quote { result.append(scalar) }
    }
    return String(result)
  }

  private static func text(_ literal: FilterExpression.Literal) -> String? {
    switch literal {
    case .text(let text): return quoted(text)
    case .time(let time): return String(time)
    case .number(let number):
      guard !number.hasRemainder, number.picos.magnitude < 1 << 125 else { return nil }
      return DecimalFormat.text(number.picos, scale: 12)
    }
  }
}

extension FilterExpression {
  fileprivate var isOr: Bool { if case .or = self { true } else { false } }
  fileprivate var isChain: Bool { if case .and = self { true } else { isOr } }
}
