package import FarthingStore

/// One condition on the labels of an alert: `identity="svc-7"`, `severity!=info`, `tenant=~"acme-.*"`.
///
/// As in Alertmanager: a label that is not there is empty, and an expression has to match the whole
/// value.
package struct AlertMatcher: Sendable, Equatable, CustomStringConvertible {
  package enum Comparison: String, Sendable, CaseIterable {
    case matches = "=~"
    case matchesNot = "!~"
    case differs = "!="
    case equals = "="
  }

  package let label: String
  package let comparison: Comparison
  package let value: String
  /// nil where the comparison needs none.
  private let pattern: LinePattern?

  /// Why a text is no matcher: a sentence without its place.
  package struct Fault: Error, Equatable {
    package var message: String
  }

  /// Most bytes of a matcher.
  package static let limit = 1024
  package static let expectation =
    "LABEL=VALUE with = != =~ or !~, such as identity=svc-7 or tenant=~\"acme-.*\""

  /// Reads `LABEL OP VALUE`; the value may stand in double quotes, where `\"` and `\\` are escapes.
  package init(_ text: String) throws(Fault) {
    guard text.utf8.count <= Self.limit else {
      throw Fault(message: "a matcher has at most \(Self.limit) bytes")
    }
    let name = text.prefix { $0 != "=" && $0 != "!" }
    let rest = text.dropFirst(name.count)
    guard let comparison = Self.order.first(where: { rest.hasPrefix($0.rawValue) }) else {
      throw Fault(message: "\"\(text.printable)\": expected \(Self.expectation)")
    }
    let value = try Self.unquoted(Self.trimmed(rest.dropFirst(comparison.rawValue.count)), text)
    try self.init(label: Self.trimmed(name), comparison, value)
  }

  /// Two characters before one.
  private static let order: [Comparison] = [.matches, .matchesNot, .differs, .equals]

  package init(label: String, _ comparison: Comparison, _ value: String) throws(Fault) {
    let isName = label.unicodeScalars.allSatisfy {
      $0.value > 0x20 && $0.value < 0x7F && $0 != "\"" && $0 != "=" && $0 != "!" && $0 != "~"
    }
    guard !label.isEmpty, label.utf8.count <= 128, isName else {
      throw Fault(
        message:
          "\"\(label.printable)\" is no label: expected kind, severity, metric or a dimension "
          + "such as identity")
    }
    guard value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      throw Fault(message: "\(label): its value has a control character")
    }
    self.label = label
    self.comparison = comparison
    self.value = value
    switch comparison {
    case .equals, .differs: pattern = nil
    case .matches, .matchesNot:
      do throws(LinePattern.Fault) {
        pattern = try LinePattern("^(?:\(value))$")
      } catch {
        throw Fault(
          message: "\"\(value.printable)\" is no regular expression: \(error.message)")
      }
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    var rest = text
    while rest.first == " " { rest = rest.dropFirst() }
    while rest.last == " " { rest = rest.dropLast() }
    return String(rest)
  }

  private static func unquoted(_ text: String, _ whole: String) throws(Fault) -> String {
    guard text.hasPrefix("\"") else { return text }
    var result = ""
    var isEscaped = false
    var rest = text.dropFirst()
    while let character = rest.popFirst() {
      if isEscaped {
        result.append(character)
        isEscaped = false
      } else if character == "\\" {
        // Only quotes and backslashes are escaped: expressions are full of backslashes.
        if rest.first == "\"" || rest.first == "\\" {
          isEscaped = true
        } else {
          result.append("\\")
        }
      } else if character == "\"" {
        guard rest.isEmpty else { break }
        return result
      } else {
        result.append(character)
      }
    }
    throw Fault(message: "\"\(whole.printable)\": the quotes around its value do not fit")
  }

  package func holds(for value: String) -> Bool {
    switch comparison {
    case .equals: value == self.value
    case .differs: value != self.value
    case .matches: isMatched(value)
    case .matchesNot: !isMatched(value)
    }
  }

  /// A match that is given up counts as none: the alert is told rather than kept back.
  private func isMatched(_ value: String) -> Bool {
    guard let pattern else { return false }
    let bytes = Array(value.utf8)
    var ranges: [Range<Int>] = []
    return pattern.match(bytes, 0..<bytes.count, ranges: &ranges) == .matched
  }

  package func holds(for alert: Alert) -> Bool { holds(for: alert.label(label)) }

  package static func == (left: AlertMatcher, right: AlertMatcher) -> Bool {
    left.label == right.label && left.comparison == right.comparison && left.value == right.value
  }

  /// As it is read.
  package var description: String {
    let escaped = value.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
    return "\(label)\(comparison.rawValue)\"\(String(escaped))\""
  }
}

/// Alerts that nobody is to be told of for a time.
package struct Silence: Sendable, Equatable {
  package var id: String
  /// All have to hold; never empty.
  package var matchers: [AlertMatcher]
  /// Unix nanoseconds, included.
  package var startsAt: Int64
  /// Unix nanoseconds, not included.
  package var endsAt: Int64
  package var author: String
  package var comment: String
  package var createdAt: Int64

  package init(
    id: String, matchers: [AlertMatcher], startsAt: Int64, endsAt: Int64, author: String,
    comment: String, createdAt: Int64
  ) {
    self.id = id
    self.matchers = matchers
    self.startsAt = startsAt
    self.endsAt = endsAt
    self.author = author
    self.comment = comment
    self.createdAt = createdAt
  }

  package func isActive(_ now: Int64) -> Bool { startsAt <= now && now < endsAt }

  package func holds(for alert: Alert) -> Bool { matchers.allSatisfy { $0.holds(for: alert) } }

  /// What is kept of it.
  package var row: SilenceRow {
    SilenceRow(
      id: id, matchers: matchers.map(\.description).joined(separator: "\n"), startsAt: startsAt,
      endsAt: endsAt, author: author, comment: comment, createdAt: createdAt)
  }

  /// nil where a matcher cannot be read any more.
  package init?(_ row: SilenceRow) {
    var matchers: [AlertMatcher] = []
    for line in row.matchers.split(separator: "\n") {
      guard let matcher = try? AlertMatcher(String(line)) else { return nil }
      matchers.append(matcher)
    }
    guard !matchers.isEmpty else { return nil }
    self.init(
      id: row.id, matchers: matchers, startsAt: row.startsAt, endsAt: row.endsAt,
      author: row.author, comment: row.comment, createdAt: row.createdAt)
  }
}
