internal import FarthingCore
internal import FarthingQuery

// An explanation has one form, sections of typed rows: what a server sends, what JSON and CSV hold, and what the
// page for people is drawn from.

extension SectionedAnswer {
  /// The sections of an explanation, as ``ExplanationSection`` lists their columns.
  init(_ found: Explanation) {
    self.init()
    let rows: [ExplanationSection: [[QueryValue]]] = [
      .summary: [
        [
          .money(found.before.cost), .money(found.after.cost), .money(found.change),
          .text(ExplanationSentence.text(found)),
        ]
      ],
      .periods: [
        Self.period("before", found.plan.before, found.before),
        Self.period("after", found.plan.after, found.after),
      ],
      .bridge: found.parts.map { Self.part($0, of: found.change) },
      .contributors: found.contributors.map { one in
        [
          .text(one.dimension), one.value.map { .text($0) } ?? .null,
          one.others.map { .count(Int128($0)) } ?? .null, .money(one.before), .money(one.after),
          .money(one.change), .count(one.requestsBefore), .count(one.requestsAfter),
        ]
      },
      .unpriced: found.unpriced.map { one in
        [one.model.map { .text($0) } ?? .null, .count(one.before), .count(one.after)]
      },
    ]
    for section in ExplanationSection.allCases {
      add(section.rawValue, Answer(columns: section.columns, rows: rows[section] ?? []))
    }
  }

  private static func period(
    _ name: String, _ period: ExplanationPlan.Period, _ totals: Explanation.Totals
  ) -> [QueryValue] {
    [
      .text(name), .time(period.since), .time(period.until), .money(totals.cost),
      .count(totals.requests), .count(totals.unpriced),
    ]
  }

  private static func part(_ part: Explanation.Part, of change: Int128) -> [QueryValue] {
    let unit: QueryValue =
      switch part.after {
      case .count: .text("count")
      case .ratio: .text("share")
      case .real: .text("number")
      default: part.before == .null ? .null : unitText(part.before)
      }
    return [
      .text(part.part.rawValue), .money(part.change),
      change == 0 ? .null : .ratio(share(part.change, of: change)),
      part.figure.map { .text($0) } ?? .null, unit, part.before, part.after,
    ]
  }

  private static func unitText(_ value: QueryValue) -> QueryValue {
    switch value {
    case .count: .text("count")
    case .ratio: .text("share")
    default: .text("number")
    }
  }

  /// The shown share of two exact amounts.
  private static func share(_ part: Int128, of whole: Int128) -> Double {
    Double(part) / Double(whole)
  }
}

/// The sections of an explanation and what their columns hold.
enum ExplanationSection: String, CaseIterable {
  case summary, periods, bridge, contributors, unpriced

  /// What a value of a column is, to read it back from JSON.
  enum Kind {
    case text, money, count, share, time
    /// A count, share or number, as the column `unit` says.
    case figure
  }

  var kinds: [(name: String, kind: Kind)] {
    switch self {
    case .summary:
      [("before", .money), ("after", .money), ("change", .money), ("sentence", .text)]
    case .periods:
      [
        ("period", .text), ("since", .time), ("until", .time), ("cost", .money),
        ("requests", .count), ("unpriced_requests", .count),
      ]
    case .bridge:
      [
        ("part", .text), ("change", .money), ("share", .share), ("figure", .text), ("unit", .text),
        ("before", .figure), ("after", .figure),
      ]
    case .contributors:
      [
        ("dimension", .text), ("value", .text), ("others", .count), ("before", .money),
        ("after", .money), ("change", .money), ("requests_before", .count),
        ("requests_after", .count),
      ]
    case .unpriced: [("model", .text), ("before", .count), ("after", .count)]
    }
  }

  var columns: [Answer.Column] {
    kinds.map { Answer.Column($0.name, $0.kind == .text || $0.kind == .time ? .label : .figure) }
  }
}

/// What happened, in one sentence.
enum ExplanationSentence {
  static func text(_ found: Explanation) -> String {
    let (before, after) = (found.before.cost, found.after.cost)
    let digits = AmountText.readableFractionDigits(of: [before, after])
    func dollars(_ amount: Int128) -> String {
      AmountText.readable(amount, fractionDigits: digits)
    }
    guard found.change != 0 else {
      if found.before.requests == 0, found.after.requests == 0 {
        return "there are no requests in either period"
      }
      return "cost did not change: \(dollars(after))"
    }
    let way = found.change > 0 ? "rose" : "fell"
    let share =
      before > 0
      ? " (\(signed(NumberText.percentage(Self.share(found.change, of: before)), found.change)))"
      : ""
    let amount = AmountText.readable(Int128(found.change.magnitude), fractionDigits: digits)
    var text =
      "cost \(way) by \(amount)\(share), from \(dollars(before)) to \(dollars(after))"
    // Parts that go the way of the change, until they make up most of it.
    let causes = found.parts.filter { ($0.change > 0) == (found.change > 0) && $0.change != 0 }
      .sorted { $0.change.magnitude > $1.change.magnitude }
    let named = causes.prefix(2).filter { $0.change.magnitude * 10 >= found.change.magnitude }
    let words = named.map { part in
      "\(part.part.words) (\(signedDollars(part.change, digits)))"
    }
    if !words.isEmpty { text += ", most by \(words.joined(separator: " and "))" }
    if found.before.requests == 0 { text += "; there are no requests in the period before" }
    if found.after.requests == 0 { text += "; there are no requests in the period after" }
    return text
  }

  private static func share(_ part: Int128, of whole: Int128) -> Double {
    Double(part) / Double(whole)
  }

  private static func signed(_ text: String, _ amount: Int128) -> String {
    amount > 0 ? "+" + text : text
  }

  static func signedDollars(_ amount: Int128, _ digits: Int) -> String {
    signed(AmountText.readable(amount, fractionDigits: digits), amount)
  }
}

/// An explanation as a page for people: the sentence, the bridge from before to after, who contributed, and
/// what has no price.
struct ExplanationPage {
  let answer: SectionedAnswer
  let page: Page
  let zone: TimeZoneRules

  var text: String {
    var text = sentence
    text += "\n" + table(periods) + "\n" + table(bridge)
    if let quiet { text += quiet }
    var dimensions: [QueryValue] = []
    for row in rows(.contributors) where !dimensions.contains(row[0]) { dimensions.append(row[0]) }
    for dimension in dimensions { text += "\n" + table(contributors(of: dimension)) }
    if !rows(.unpriced).isEmpty { text += "\n" + unpriced }
    return text
  }

  private func rows(_ section: ExplanationSection) -> [[QueryValue]] {
    answer.sections.first { $0.name == section.rawValue }?.answer.rows ?? []
  }

  private func table(_ answer: Answer) -> String {
    TableText(answer, page: page, bucketWidth: nil, zone: zone).text
  }

  private var sentence: String {
    guard case .text(let text)? = rows(.summary).first?.last else { return "" }
    return page.bold(text.prefix(1).uppercased() + String(text.dropFirst()).printable + ".") + "\n"
  }

  private var periods: Answer {
    let columns = ["period", "since", "until", "cost", "requests", "without price"]
    return Answer(
      columns: columns.enumerated().map { .init($1, $0 < 3 ? .label : .figure) },
      rows: rows(.periods))
  }

  private var digits: Int {
    let amounts = rows(.summary).flatMap { $0 }.compactMap(ReadableCells.amount)
    return AmountText.readableFractionDigits(
      of: amounts + rows(.bridge).compactMap { ReadableCells.amount($0[1]) })
  }

  private var bridge: Answer {
    let digits = digits
    func total(_ name: String, _ place: Int) -> [QueryValue] {
      let amount = rows(.summary).first.flatMap { ReadableCells.amount($0[place]) } ?? 0
      return [
        .text(name), .text(AmountText.readable(amount, fractionDigits: digits)), .text(""),
        .text(""), .text(""), .text(""),
      ]
    }
    func cell(_ value: QueryValue) -> QueryValue {
      if value == .null { return .text("") }
      if case .ratio(let share) = value { return .text(NumberText.percentage(share)) }
      return .text(ReadableCells.text(value, fractionDigits: 0, bucketWidth: nil))
    }
    var lines = [total("cost before", 0)]
    for row in rows(.bridge) {
      guard case .text(let name) = row[0], let change = ReadableCells.amount(row[1]), change != 0
      else { continue }
      let words = BridgePart(rawValue: name)?.words ?? name
      lines.append([
        .text(words), .text(ExplanationSentence.signedDollars(change, digits)), row[2],
        row[3] == .null ? .text("") : row[3], cell(row[5]), cell(row[6]),
      ])
    }
    lines.append(total("cost after", 1))
    return Answer(
      columns: [
        .init("bridge"), .init("amount", .figure), .init("of change", .figure), .init("figure"),
        .init("before", .figure), .init("after", .figure),
      ], rows: lines)
  }

  /// Parts that had none, so that nobody looks for them.
  private var quiet: String? {
    let names = rows(.bridge).compactMap { row -> String? in
      guard case .text(let name) = row[0], ReadableCells.amount(row[1]) == 0 else { return nil }
      return BridgePart(rawValue: name)?.words ?? name
    }
    guard !names.isEmpty, names.count < BridgePart.allCases.count else { return nil }
    return page.dim("no part of it: " + names.joined(separator: ", ")) + "\n"
  }

  private func contributors(of dimension: QueryValue) -> Answer {
    let own = rows(.contributors).filter { $0[0] == dimension }
    let digits = AmountText.readableFractionDigits(
      of: own.flatMap { row in row[3...5].compactMap(ReadableCells.amount) })
    let name = if case .text(let text) = dimension { text } else { "" }
    return Answer(
      columns: [
        .init(name), .init("before", .figure), .init("after", .figure), .init("change", .figure),
        .init("requests before", .figure), .init("after", .figure),
      ],
      rows: own.map { row in
        var value = row[1]
        if case .count(let others) = row[2] {
          value = .text(others == 1 ? "(1 other)" : "(\(others) others)")
        }
        let change = ReadableCells.amount(row[5]) ?? 0
        return [
          value, row[3], row[4], .text(ExplanationSentence.signedDollars(change, digits)), row[6],
          row[7],
        ]
      })
  }

  private var unpriced: String {
    let columns: [Answer.Column] = [
      .init("without price"), .init("requests before", .figure), .init("after", .figure),
    ]
    return table(Answer(columns: columns, rows: rows(.unpriced)))
      + page.dim("their cost is unknown and in no part of the bridge") + "\n"
  }
}

/// Reads an explanation in JSON back.
enum ExplanationReader {
  /// nil where the text is no explanation.
  static func read(_ text: [UInt8]) -> SectionedAnswer? {
    guard let tree = try? JSONTree(text), tree.root.isObject else { return nil }
    var answer = SectionedAnswer()
    for section in ExplanationSection.allCases {
      guard let array = tree.root.member(Array(section.rawValue.utf8)), array.isArray else {
        return nil
      }
      var rows: [[QueryValue]] = []
      for object in array.elements {
        let members = object.members
        guard members.count == section.kinds.count else { return nil }
        let unit = object.member(Array("unit".utf8))?.text
        var row: [QueryValue] = []
        for (column, member) in zip(section.kinds, members) {
          guard member.key == column.name, let value = value(member.value, column.kind, unit) else {
            return nil
          }
          row.append(value)
        }
        rows.append(row)
      }
      answer.add(section.rawValue, Answer(columns: section.columns, rows: rows))
    }
    return answer
  }

  private static func value(
    _ value: JSONValue, _ kind: ExplanationSection.Kind, _ unit: String?
  ) -> QueryValue? {
    if value.isNull { return .null }
    guard let text = value.literal else { return nil }
    switch kind {
    case .text: return .text(text)
    case .money: return AmountText.picodollars(of: text).map { .money($0) }
    case .count: return Int128(text).map { .count($0) }
    case .share: return Double(text).map { .ratio($0) }
    case .time: return AnswerReader.time(text).map { .time($0) }
    case .figure:
      switch unit {
      case "count": return Int128(text).map { .count($0) }
      case "share": return Double(text).map { .ratio($0) }
      default: return Double(text).map { .real($0) }
      }
    }
  }
}
