package import FarthingCore

/// One event as it would be stored: the contract's fields that it has, and what pricing added.
package enum EventText {
  /// One JSON object on one line, with the event's `line` in its input first.
  ///
  /// Times are RFC 3339 in UTC, money is a decimal string of dollars. Defaults of the contract that
  /// readers supply (`status`, `attempt`, `service_tier`, `usage`) are not written out.
  package static func json(_ place: Int, of batch: ChargedBatch) -> String {
    let event = batch.decoded.events[place]
    var members: [(String, String)] = [("line", String(event.line)), ("type", "\"\(event.kind)\"")]
    func add(_ name: String, _ value: String) { members.append((name, value)) }
    func text(_ range: ByteRange) -> String { JSONText.string(batch.decoded.string(range)) }
    add("time", "\"" + TimeText.rfc3339(event.time) + "\"")
    if event.kind == .capacity { add("until", "\"" + TimeText.rfc3339(event.until) + "\"") }
    for field in TextField.allCases {
      if let range = event.range(of: field) { add(field.contractName, text(range)) }
    }
    for field in IntegerField.allCases {
      guard let value = event.integer(field) else { continue }
      add(field.contractName, field.isBoolean ? String(value != 0) : String(value))
    }
    for field in RealField.allCases {
      if let value = event.real(field) { add(field.contractName, NumberText.json(value)) }
    }
    for field in MoneyField.allCases {
      guard let value = event.money(field) else { continue }
      add(field.contractName, "\"" + AmountText.exact(value) + "\"")
    }
    if !event.tags.isEmpty {
      let tags = batch.decoded.entries[event.tags].map { text($0.name) + ":" + text($0.text) }
      add("tags", "{" + tags.joined(separator: ",") + "}")
    }
    if !event.units.isEmpty {
      let units = batch.decoded.entries[event.units].map { text($0.name) + ":\($0.count)" }
      add("units", "{" + units.joined(separator: ",") + "}")
    }
    if event.kind == .request { addCharge(batch.charges[place], batch, &members) }
    add("source", JSONText.string(batch.source))
    return "{" + members.map { "\"\($0.0)\":" + $0.1 }.joined(separator: ",") + "}"
  }

  private static func addCharge(
    _ charge: Charge, _ batch: ChargedBatch, _ members: inout [(String, String)]
  ) {
    if charge.state != .unpriced {
      members.append(("cost", "\"" + AmountText.exact(charge.cost) + "\""))
    }
    members.append(("cost_state", "\"\(charge.state)\""))
    if charge.price >= 0 {
      members.append(("price", JSONText.string(batch.prices[Int(charge.price)].key)))
    }
  }
}
