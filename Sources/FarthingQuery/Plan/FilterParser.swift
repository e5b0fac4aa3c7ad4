internal import FarthingCore

// The grammar, loosest first:
//
//   any   := all ("or" all)*
//   all   := one ("and" one)*
//   one   := "not" one | "(" any ")" | FIELD test
//   test  := ("=" | "!=" | "<" | "<=" | ">" | ">=") literal
//          | "is" ["not"] "null" | ["not"] "in" "(" literal ("," literal)* ")"
//          | ["not"] "like" 'pattern'
//
// Keywords stand in any case. Chains are lists, so only parentheses and `not` nest.

/// Reads a filter expression.
struct FilterParser {
  /// Enough for any expression that a person or a program writes; bounds the parser's recursion.
  static let nestingLimit = 64
  /// Bytes; a request line is shorter.
  static let sizeLimit = 65_536

  private let tokens: [FilterToken]
  private var place = 0
  private var depth = 0
  private let now: Int64
  private let zone: TimeZoneRules

  /// - Parameters:
  ///   - now: Unix nanoseconds, for times such as `24h` ago.
  ///   - zone: Where a date's 00:00 is.
  /// - Throws: ``QueryError/Code-swift.enum/usage`` with the character and what was expected.
  static func parse(
    _ text: String, now: Int64, zone: TimeZoneRules
  ) throws(QueryError) -> FilterExpression {
    guard text.utf8.count <= sizeLimit else {
      throw QueryError(
        .usage, "where: the expression has \(text.utf8.count) bytes, at most \(sizeLimit) are read")
    }
    var lexer = FilterLexer(text)
    var parser = FilterParser(tokens: try lexer.tokens(), now: now, zone: zone)
    let expression = try parser.any()
    guard parser.tokens[parser.place].kind == .end else {
      throw parser.unexpected("\"and\", \"or\" or the end")
    }
    return expression
  }

  private init(tokens: [FilterToken], now: Int64, zone: TimeZoneRules) {
    self.tokens = tokens
    self.now = now
    self.zone = zone
  }

  private mutating func any() throws(QueryError) -> FilterExpression {
    var parts = [try all()]
    while takeKeyword("or") { parts.append(try all()) }
    return parts.count == 1 ? parts[0] : .or(parts)
  }

  private mutating func all() throws(QueryError) -> FilterExpression {
    var parts = [try one()]
    while takeKeyword("and") { parts.append(try one()) }
    return parts.count == 1 ? parts[0] : .and(parts)
  }

  private mutating func one() throws(QueryError) -> FilterExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= FilterParser.nestingLimit else {
      throw FilterLexer.error(
        tokens[place].position,
        "nested deeper than \(FilterParser.nestingLimit); use a flat chain of and/or, or in (…)")
    }
    if takeKeyword("not") { return .not(try one()) }
    if take("(") {
      let inner = try any()
      guard take(")") else { throw unexpected("\"and\", \"or\" or \")\"") }
      return inner
    }
    return try test(of: try field())
  }

  private mutating func field() throws(QueryError) -> RequestField {
    let name: String
    switch tokens[place].kind {
    case .word(let word) where !["and", "or", "in", "is", "like"].contains(word.lowercased()):
      name = word
    case .quotedWord(let word): name = word
    default: throw unexpected("a field")
    }
    guard let field = RequestField.named(name) else {
      throw FilterLexer.error(tokens[place].position, UnknownName.field(name))
    }
    place += 1
    return field
  }

  private mutating func test(of field: RequestField) throws(QueryError) -> FilterExpression {
    if takeKeyword("is") {
      let isNegated = takeKeyword("not")
      guard takeKeyword("null") else { throw unexpected("\"null\"") }
      return isNegated ? .not(.isNull(field)) : .isNull(field)
    }
    guard field.isComparable else {
      throw FilterLexer.error(
        tokens[place].position,
        "\(field.name) is an object and only compares with null; name one entry, as in "
          + "\(field.name).NAME")
    }
    let isNegated = takeKeyword("not")
    if takeKeyword("in") {
      let test = FilterExpression.membership(field, try literals(for: field))
      return isNegated ? .not(test) : test
    }
    if takeKeyword("like") {
      let test = FilterExpression.like(field, try pattern(for: field))
      return isNegated ? .not(test) : test
    }
    if !isNegated, case .symbol(let text) = tokens[place].kind,
      let comparison = FilterExpression.Comparison(rawValue: text)
    {
      place += 1
      return .comparison(field, comparison, try literal(for: field))
    }
    throw unexpected(isNegated ? "\"in\" or \"like\"" : "= != < <= > >= in, like or is null")
  }

  private mutating func literals(
    for field: RequestField
  ) throws(QueryError) -> [FilterExpression.Literal] {
    guard take("(") else { throw unexpected("\"(\" and a list of values") }
    var literals = [try literal(for: field)]
    while take(",") { literals.append(try literal(for: field)) }
    guard take(")") else { throw unexpected("\",\" or \")\"") }
    return literals
  }

  private mutating func pattern(for field: RequestField) throws(QueryError) -> LikePattern {
    guard field.kind == .text else {
      throw FilterLexer.error(
        tokens[place].position, "like compares texts, and \(field.name) is none")
    }
    guard case .text(let text) = tokens[place].kind else {
      throw unexpected("a pattern in single quotes")
    }
    place += 1
    return LikePattern(text)
  }

  private mutating func literal(
    for field: RequestField
  ) throws(QueryError) -> FilterExpression.Literal {
    let token = tokens[place]
    let literal: FilterExpression.Literal? =
      switch (field.kind, token.kind) {
      case (.text, .text(let text)): .text(text)
      case (.integer, .number(let text)), (.real, .number(let text)), (.money, .number(let text)),
        (.money, .text(let text)), (.boolean, .number(let text)):
        ExactDecimal(text).map { .number($0) }
      case (.boolean, .word(let word)):
        ["false", "true"].firstIndex(of: word.lowercased()).map {
          .number(ExactDecimal(Int64($0)))
        }
      case (.time, .text(let text)):
        InstantParser.parse(text, now: now, zone: zone).map { .time($0) }
      case (.time, .number(let text)): Int64(text).map { .time($0) }
      default: nil
      }
    guard let literal else {
      throw unexpected(FilterParser.expectation(for: field))
    }
    // A slip would match nothing, and nothing looks like an answer.
    if case .text(let text) = literal, let values = field.possibleValues, !values.contains(text),
      let near = Suggestion.nearest(to: text, among: values)
    {
      throw FilterLexer.error(
        token.position,
        "\(field.name) is never '\(text.prefix(64))'; did you mean '\(near)'? It is one of "
          + values.joined(separator: ", "))
    }
    place += 1
    return literal
  }

  private static func expectation(for field: RequestField) -> String {
    switch field.kind {
    case .text, .object: "a text in single quotes, as \(field.name) is text"
    case .integer, .real: "a number, as \(field.name) is one"
    case .boolean: "true or false, as \(field.name) is one of them"
    case .money: "an amount of dollars, as \(field.name) is money"
    case .time: "\(InstantParser.expectation), in single quotes"
    }
  }

  private mutating func take(_ symbol: String) -> Bool {
    guard tokens[place].kind == .symbol(symbol) else { return false }
    place += 1
    return true
  }

  private mutating func takeKeyword(_ keyword: String) -> Bool {
    guard case .word(let word) = tokens[place].kind, word.lowercased() == keyword else {
      return false
    }
    place += 1
    return true
  }

  private func unexpected(_ expectation: String) -> QueryError {
    let found =
      switch tokens[place].kind {
      case .word(let word), .quotedWord(let word), .number(let word), .symbol(let word):
        "\"\(word.prefix(64))\""
      case .text(let text): "'\(text.prefix(64))'"
      case .end: "the end"
      }
    return FilterLexer.error(tokens[place].position, "found \(found), expected \(expectation)")
  }
}
