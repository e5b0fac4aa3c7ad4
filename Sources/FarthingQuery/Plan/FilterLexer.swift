/// A word of a filter expression and where it stands.
struct FilterToken: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    /// A field or a keyword.
    case word(String)
    /// A field in double quotes: never a keyword.
    case quotedWord(String)
    case text(String)
    case number(String)
    /// An operator, a parenthesis or a comma.
    case symbol(String)
    case end
  }

  let kind: Kind
  /// 1-based character of the expression.
  let position: Int
}

/// Cuts a filter expression into words.
struct FilterLexer {
  private let characters: [Unicode.Scalar]
  private var place = 0

  init(_ text: String) { characters = Array(text.unicodeScalars) }

  /// All words, closed by one of kind `end`.
  mutating func tokens() throws(QueryError) -> [FilterToken] {
    var tokens: [FilterToken] = []
    while true {
      while place < characters.count, characters[place].properties.isWhitespace { place += 1 }
      let start = place
      guard place < characters.count else {
        tokens.append(FilterToken(kind: .end, position: start + 1))
        return tokens
      }
      tokens.append(FilterToken(kind: try token(), position: start + 1))
    }
  }

  private mutating func token() throws(QueryError) -> FilterToken.Kind {
    let first = characters[place]
    switch first {
    case "'": return .text(try quoted("'", "a text"))
    case "\"": return .quotedWord(try quoted("\"", "a field name"))
    case "(", ")", ",":
      place += 1
      return .symbol(String(first))
    case "=", "!", "<", ">": return .symbol(try comparison())
    default: break
    }
    if FilterLexer.isDigit(first) || first == "." { return number() }
    if first == "-" || first == "+", place + 1 < characters.count,
      FilterLexer.isDigit(characters[place + 1]) || characters[place + 1] == "."
    {
      return number()
    }
    if FilterLexer.isWord(first) { return .word(word()) }
    throw FilterLexer.error(place + 1, "\"\(first)\" has no meaning here")
  }

  /// A text between quotes; a doubled quote stands for one.
  private mutating func quoted(
    _ quote: Unicode.Scalar, _ what: String
  ) throws(QueryError) -> String {
    let start = place
    var text = String.UnicodeScalarView()
    place += 1
    while place < characters.count {
      let next = characters[place]
      place += 1
      if next != quote {
        text.append(next)
      } else if place < characters.count, characters[place] == quote {
        text.append(quote)
        place += 1
      } else {
        return String(text)
      }
    }
    throw FilterLexer.error(start + 1, "\(what) begins here and its closing \(quote) is missing")
  }

  private mutating func comparison() throws(QueryError) -> String {
    let start = place
    var text = String(characters[place])
    place += 1
    if place < characters.count, ["=", ">"].contains(characters[place]) {
      text.unicodeScalars.append(characters[place])
      place += 1
    }
    switch text {
    case "==": return "="
    case "<>": return "!="
    case "=", "!=", "<", "<=", ">", ">=": return text
    default:
      throw FilterLexer.error(
        start + 1, "\"\(text)\" is no comparison; use one of = != < <= > >=")
    }
  }

  private mutating func number() -> FilterToken.Kind {
    let start = place
    place += 1
    while place < characters.count {
      let next = characters[place]
      let followsExponent =
        (next == "+" || next == "-") && ["e", "E"].contains(characters[place - 1])
      guard FilterLexer.isDigit(next) || next == "." || FilterLexer.isWord(next) || followsExponent
      else { break }
      place += 1
    }
    return .number(String(String.UnicodeScalarView(characters[start..<place])))
  }

  private mutating func word() -> String {
    let start = place
    while place < characters.count, FilterLexer.isInWord(characters[place]) { place += 1 }
    return String(String.UnicodeScalarView(characters[start..<place]))
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar.properties.isAlphabetic
  }

  /// Names of tags may hold these too; no operator begins with one of them.
  private static func isInWord(_ scalar: Unicode.Scalar) -> Bool {
    isWord(scalar) || isDigit(scalar) || [".", "-", "/", ":", "@", "$"].contains(scalar)
  }

  static func error(_ position: Int, _ message: String) -> QueryError {
    QueryError(.usage, "where, character \(position): \(message)")
  }
}
