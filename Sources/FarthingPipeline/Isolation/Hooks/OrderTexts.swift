internal import FarthingCore

// What webhooks and commands are told of an order.

/// An order as JSON.
package enum OrderJSON {
  /// Standard Webhooks' `type` and `data`. Each attempt of an order has the same bytes.
  package static func body(_ order: IsolationOrder) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("type", "isolation." + order.verb.rawValue)
      writer.key("data")
      writer.object { writer in
        writer.member("id", order.id)
        writer.member("isolation", order.isolation)
        writer.member("alert", order.alert)
        writer.member("verb", order.verb.rawValue)
        writer.key("target")
        writer.object { writer in
          writer.member(order.target.dimension.rawValue, order.target.value)
        }
        writer.member("tenant", order.target.tenant)
        writer.member("action", order.action.word)
        writer.member("model", order.action.model)
        writer.member("calls_per_minute", order.action.callsPerMinute.map { Int64($0) })
        writer.member("release_at", time: order.releaseAt)
        writer.member("reason", order.reason)
      }
    }
    return writer.bytes
  }

  /// What a webhook's answer to a probe says: `{"in_force":true}`; nil where it says nothing of it.
  package static func isInForce(_ answer: [UInt8]) -> Bool? {
    (try? JSONTree(answer))?.root["in_force"]?.boolean
  }
}

extension IsolationAction {
  /// The model that a degraded target is answered by; nil for none named.
  package var model: String? {
    if case .degrade(let model) = self { model } else { nil }
  }

  package var callsPerMinute: Int? {
    if case .throttle(let calls) = self { calls } else { nil }
  }
}

/// A command's words for an order.
package enum OrderTemplate {
  /// What may stand between the braces of a template.
  package static let names = [
    "id", "isolation", "alert", "verb", "dimension", "value", "identity", "endpoint", "model",
    "site", "tenant", "action", "degrade_model", "calls_per_minute", "release_at", "reason",
  ]

  /// Names that a template asks for and that there are not; empty where all is known.
  package static func unknownNames(in template: String) -> [String] {
    ArgumentTemplate.places(in: template).filter { !names.contains($0) }
  }

  /// The words, the program's first, which is no template.
  ///
  /// A target's value is handed over as it is or not at all: another spelling would be somebody else. The
  /// reason alone may be changed, so that it fits one line.
  /// - Throws: ``HookObjection`` where a value has control characters or is longer than an argument should
  ///   be, or where one would begin an argument with a dash and so be an option.
  package static func words(
    _ template: [String], _ order: IsolationOrder
  ) throws(HookObjection) -> [String] {
    var words = Array(template.prefix(1))
    for word in template.dropFirst() {
      let places = ArgumentTemplate.places(in: word)
      for name in places where name != "reason" {
        let text = value(name, order)
        guard Payloads.oneLine(text, 2000) == text else {
          throw HookObjection(
            "the \(name) has control characters or more than 2000 characters, which no argument gets"
          )
        }
      }
      let argument = ArgumentTemplate.argument(word) { value($0, order) }
      // A blank before a dash is what keeps it from being an option; with it it is another value.
      if let first = places.first, first != "reason", word.hasPrefix("{{"), argument.hasPrefix(" -")
      {
        throw HookObjection(
          "the \(first) begins with a dash; write its argument as --\(first)={{\(first)}}")
      }
      words.append(argument)
    }
    return words
  }

  private static func value(_ name: String, _ order: IsolationOrder) -> String {
    switch name {
    case "id": order.id
    case "isolation": order.isolation
    case "alert": order.alert
    case "verb": order.verb.rawValue
    case "dimension": order.target.dimension.rawValue
    case "value": order.target.value
    case "tenant": order.target.tenant ?? ""
    case "action": order.action.word
    case "degrade_model": order.action.model ?? ""
    case "calls_per_minute": order.action.callsPerMinute.map { "\($0)" } ?? ""
    case "release_at": CivilTime.text(order.releaseAt)
    case "reason": order.reason
    default: order.target.dimension.rawValue == name ? order.target.value : ""
    }
  }
}
