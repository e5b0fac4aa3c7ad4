/// A condition on a name, as genai-prices writes it: `{"or": [{"equals": …}, {"starts_with": …}]}`.
///
/// Comparisons ignore case; the texts here are lower case already. A regular expression is searched for in the
/// name as it is handed in.
indirect enum MatchClause: Equatable, Sendable {
  case equals(String)
  case startsWith(String)
  case endsWith(String)
  case contains(String)
  case regex(String)
  case any([MatchClause])
  case all([MatchClause])

  /// nil where `tree` is not a clause.
  init?(_ tree: PriceTree) {
    guard tree.members.count == 1, let member = tree.members.first else { return nil }
    switch (member.name, member.value) {
    case ("equals", .string(let text)): self = .equals(text.lowercased())
    case ("starts_with", .string(let text)): self = .startsWith(text.lowercased())
    case ("ends_with", .string(let text)): self = .endsWith(text.lowercased())
    case ("contains", .string(let text)): self = .contains(text.lowercased())
    case ("regex", .string(let text)):
      guard (try? Regex(text)) != nil else { return nil }
      self = .regex(text)
    case ("or", .array(let elements)):
      let clauses = elements.compactMap(MatchClause.init)
      guard clauses.count == elements.count else { return nil }
      self = .any(clauses)
    case ("and", .array(let elements)):
      let clauses = elements.compactMap(MatchClause.init)
      guard clauses.count == elements.count else { return nil }
      self = .all(clauses)
    default: return nil
    }
  }

  /// Whether the clause holds for a name in lower case.
  func matches(_ name: String) -> Bool {
    switch self {
    case .equals(let text): name == text
    case .startsWith(let text): name.hasPrefix(text)
    case .endsWith(let text): name.hasSuffix(text)
    case .contains(let text): name.utf8Contains(text)
    case .regex(let pattern): (try? Regex(pattern).firstMatch(in: name)) != nil
    case .any(let clauses): clauses.contains { $0.matches(name) }
    case .all(let clauses): clauses.allSatisfy { $0.matches(name) }
    }
  }
}

extension String {
  fileprivate func utf8Contains(_ other: String) -> Bool {
    let (haystack, needle) = (Array(utf8), Array(other.utf8))
    guard needle.count <= haystack.count else { return false }
    return (0...(haystack.count - needle.count)).contains { (start) in
      haystack[start..<(start + needle.count)].elementsEqual(needle)
    }
  }
}
