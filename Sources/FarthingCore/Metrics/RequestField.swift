/// A column of the stored requests that a query may filter, group, count or show.
///
/// It is known by its contract name; `tags.NAME` and `units.NAME` are fields of their own.
package struct RequestField: Sendable, Hashable {
  /// What the values of a field are.
  package enum Kind: Sendable, Hashable {
    case text
    case integer
    /// 0 and 1 at rest, `false` and `true` in words.
    case boolean
    case real
    /// Picodollars at rest, a decimal of dollars in words.
    case money
    /// Unix nanoseconds at rest, RFC 3339 in words.
    case time
    /// The whole `tags` or `units` object as JSON text: shown, never compared.
    case object
  }

  package let name: String
  package let kind: Kind

  private init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }

  /// The value that readers show where the field is absent, for the fields that have one and the
  /// same default for every request. (`usage` has one that depends on the row.)
  package var defaultText: String? {
    switch name {
    case "status": "ok"
    case "service_tier": "standard"
    default: nil
    }
  }

  /// The values that it may have; nil where any of its kind will do.
  package var possibleValues: [String]? {
    if name == "cost_state" || name == "booked_cost_state" {
      return ["priced", "estimated", "unpriced"]
    }
    return TextField.allCases.first { $0.contractName == name }.flatMap {
      EventShape.values(of: $0)
    }
  }

  /// Whether it may stand in `--by` and `--where`.
  package var isComparable: Bool { kind != .object }

  /// The field of that name, or nil where there is none. Any `tags.NAME` and `units.NAME` exists.
  package static func named(_ name: String) -> RequestField? {
    if let field = byName[name] { return field }
    if name.hasPrefix("tags."), name.utf8.count > 5 { return RequestField(name, .text) }
    if name.hasPrefix("units."), name.utf8.count > 6 { return RequestField(name, .integer) }
    return nil
  }

  /// Every field with a fixed name, in the order of the contract.
  package static let all: [RequestField] = {
    let texts: [TextField] = [
      .id, .model, .provider, .operation, .endpoint, .site, .clientSite, .workload, .identity,
      .tenant, .usage, .responseCache, .promptHash, .status, .error, .fallbackFrom, .serviceTier,
      .dataClass, .jurisdiction, .task, .outcome,
    ]
    let reals: [RealField] = [.latencyMs, .ttftMs, .queueMs, .computeMs, .networkMs, .retrievalMs]
    let integers = IntegerField.allCases.filter { $0 != .accelerators }
    return [RequestField("time", .time)]
      + texts.map { RequestField($0.contractName, .text) }
      + integers.map { RequestField($0.contractName, $0.isBoolean ? .boolean : .integer) }
      + reals.map { RequestField($0.contractName, .real) }
      + [
        RequestField("reported_cost_usd", .money), RequestField("cost", .money),
        RequestField("output_cost", .money), RequestField("units_cost", .money),
        RequestField("cache_savings", .money), RequestField("cost_picodollars", .integer),
        RequestField("cost_state", .text), RequestField("price", .text),
        RequestField("booked_cost", .money), RequestField("booked_cost_state", .text),
        RequestField("booked_price", .text),
        RequestField("source", .text), RequestField("received_time", .time),
        RequestField("time_unix_nano", .integer), RequestField("tags", .object),
        RequestField("units", .object),
      ]
  }()

  private static let byName: [String: RequestField] = Dictionary(
    all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
}

extension RequestField {
  /// The fields that the engine itself needs.
  package static let time = RequestField("time", .time)
  package static let task = RequestField("task", .text)
  package static let promptHash = RequestField("prompt_hash", .text)
}
