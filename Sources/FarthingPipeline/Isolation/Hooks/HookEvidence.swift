/// Why an order is not carried out by a hook: a sentence without a full stop and without secrets.
package struct HookObjection: Error, Equatable {
  package var reason: String

  package init(_ reason: String) { self.reason = reason }
}

/// What is written down of a call and its answer.
package enum HookEvidence {
  /// One line of at most so many characters, in which no secret stands.
  ///
  /// Secrets of less than four characters are not looked for: they would take words apart.
  /// - Parameter isCut: whether more was said than is there, so that its end may be a part of a secret.
  package static func text(
    _ said: String, hidden: [String], isCut: Bool = false, limit: Int = 240
  ) -> String {
    // Longest first: one secret may be the beginning of another.
    let secrets = hidden.filter { $0.count > 3 }.sorted { $0.count > $1.count }
    var text = said
    for secret in secrets { text = text.replacing(secret, with: "(withheld)") }
    if isCut {
      for secret in secrets {
        for length in stride(from: secret.count - 1, to: 3, by: -1)
        where text.hasSuffix(secret.prefix(length)) {
          text.removeLast(length)
          text += "(withheld)"
        }
      }
    }
    return Payloads.oneLine(text, limit)
  }
}

extension HookAnswer {
  /// The meaning of an HTTP status that is no success.
  ///
  /// Told to come again later (408, 425, 429) and faults of the other side (5xx) may pass; anything else will
  /// be said again.
  package static func failure(status: Int, evidence: String) -> HookAnswer {
    switch status {
    case 408, 425, 429, 500...: .unreachable(evidence: evidence)
    default: .refused(evidence: evidence)
    }
  }

  package var evidence: String {
    switch self {
    case .done(let text), .notInForce(let text), .refused(let text), .unreachable(let text): text
    }
  }
}
