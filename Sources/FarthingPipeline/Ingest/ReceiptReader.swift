package import FarthingCore

extension IngestReceipt {
  /// A receipt as a server writes it.
  ///
  /// - Returns: nil where the value is none.
  package init?(json: JSONValue) {
    func count(_ name: String, _ value: JSONValue) -> Int? {
      value.member(Array(name.utf8))?.integer.flatMap { $0 < 0 ? nil : Int($0) }
    }
    guard let accepted = count("accepted", json), let duplicates = count("duplicates", json),
      let rejected = count("rejected", json)
    else { return nil }
    self.init()
    self.accepted = accepted
    self.duplicates = duplicates
    self.rejected = rejected
    for error in json["errors"]?.elements ?? [] {
      let rejection = EventRejection(
        line: count("line", error) ?? 0, field: error["field"]?.literal,
        value: error["value"]?.literal, expected: error["expected"]?.literal ?? "")
      refusals.append(Refusal(input: nil, rejection: rejection))
    }
    for warning in json["warnings"]?.elements ?? [] {
      let number = count("count", warning) ?? 0
      if let field = warning["field"]?.literal {
        unknownFields[field, default: 0] += number
      } else if let words = warning["message"]?.text {
        if words.hasPrefix("further unknown fields") { otherUnknownFields += number }
        if words.hasPrefix("the array breaks") { add(unread: number, input: nil) }
      }
    }
    // A receipt lists no more than it counts.
    guard refusals.count <= rejected else { return nil }
  }
}
