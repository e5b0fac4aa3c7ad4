import FarthingPipeline

/// Orders as policies give them.
enum Orders {
  static func order(
    _ verb: IsolationOrder.Verb = .apply, identity: String = "svc-search", tenant: String? = nil,
    action: IsolationAction = .isolate, reason: String = "svc-search burns $40 an hour"
  ) -> IsolationOrder {
    order(
      IsolationTarget(dimension: .identity, value: identity, tenant: tenant), verb, action, reason)
  }

  static func order(
    _ target: IsolationTarget, _ verb: IsolationOrder.Verb = .apply,
    _ action: IsolationAction = .isolate, _ reason: String = "svc-search burns $40 an hour"
  ) -> IsolationOrder {
    IsolationOrder(
      id: "iso_1.\(verb.rawValue)", isolation: "iso_1", alert: "inc_1", verb: verb, target: target,
      action: action, releaseAt: 1_795_000_000_000_000_000, reason: reason)
  }

  /// What events may bring in as the name of somebody, each of which could end a word, a line, a string, an
  /// argument, a path or a document somewhere.
  static let hostile = [
    "a b", "a;show info", "a\nshow info", "a\r\nHost: x", "a\\ b", "a\"b", "a'b", "#0x55d1", "@1",
    "a<<b", "a\u{0}b", "a\tb", "--flag", "-f", "../../etc/passwd", "a/b", "a|b", "$(id)", "`id`",
    "${HOME}", "{{tenant}}", "%0d%0a", "a&size=1000&key_alias=b", "a#b", "a?b", "é", "\u{202E}abc",
    "a: b", "- a", "*", "&a", "!!str a", "|", ">", "[a]", "{a: b}", "a\u{2028}b", "a\u{7F}b",
    "\u{FEFF}a",
    String(repeating: "x", count: 5000), "null", "~", "true", "1e3", "'; DROP TABLE keys; --",
    "<script>", "a,b=c", " a", "a ",
  ]
}
