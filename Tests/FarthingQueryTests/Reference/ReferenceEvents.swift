import FarthingCore

@testable import FarthingStore

/// A request as the contract tells of it, with nothing derived but its charge.
struct ReferenceRequest {
  var time: Int64 = 0
  var receivedTime: Int64 = 0
  var texts: [TextField: String] = [:]
  var integers: [IntegerField: Int64] = [:]
  var reals: [RealField: Double] = [:]
  var reportedCost: Int128?
  var tags: [String: String] = [:]
  var units: [String: Int64] = [:]
  var charge = Charge.unpriced
  /// What it was charged on arrival, where a repricing has changed that.
  var booking: Charge?
  /// The key of the price; nil where there is none.
  var price: String?
  /// What it was priced by, to be stored beside it; nil where its charge is made up.
  var priced: ResolvedPrice?

  /// The request with what it was charged on arrival as its charge.
  var asBooked: ReferenceRequest {
    var request = self
    request.charge = booking ?? charge
    if booking != nil { request.price = "old" }
    return request
  }
}

/// How a task ended.
struct ReferenceOutcome {
  var time: Int64 = 0
  var receivedTime: Int64 = 0
  var task = ""
  var isSuccess = false
  var value: Int128?
}

/// Puts reference events into segments, as the store would.
enum ReferenceStore {
  static func segment(_ requests: [ReferenceRequest], id: Int64) throws -> SegmentReader? {
    try open(buffer(requests), id)
  }

  /// The bytes of a segment.
  static func sealed(_ requests: [ReferenceRequest], id: Int64) throws -> [UInt8]? {
    buffer(requests).sealed(id: id, budget: .unlimited)?.bytes
  }

  private static func buffer(_ requests: [ReferenceRequest]) -> WriteBuffer {
    let buffer = WriteBuffer(kind: .request)
    for request in requests {
      var batch = DecodedBatch()
      var event = DecodedEvent(kind: .request, line: 1)
      event.time = request.time
      for (field, text) in request.texts { event.set(field, append(text, &batch)) }
      for (field, value) in request.integers { event.set(field, value) }
      for (field, value) in request.reals { event.set(field, value) }
      if let cost = request.reportedCost { event.set(.reportedCostUSD, picodollars: cost) }
      for (name, text) in request.tags.sorted(by: { $0.key < $1.key }) {
        batch.entries.append(
          NamedEntry(name: append(name, &batch), text: append(text, &batch)))
      }
      event.tags = 0..<batch.entries.count
      for (name, count) in request.units.sorted(by: { $0.key < $1.key }) {
        batch.entries.append(NamedEntry(name: append(name, &batch), count: count))
      }
      event.units = event.tags.upperBound..<batch.entries.count
      batch.events = [event]
      let prices = request.priced.map { [StoredPrice(key: $0.key, bytes: $0.serialised())] } ?? []
      buffer.append(
        batch, charges: [request.charge], prices: prices, source: "events", selection: [0],
        receivedTime: request.receivedTime)
      if let booking = request.booking {
        let row = buffer.rowCount - 1
        buffer.table.setBooking(row: row, Booking(charge: booking, priceKey: Array("old".utf8)))
      }
    }
    return buffer
  }

  static func segment(_ outcomes: [ReferenceOutcome], id: Int64) throws -> SegmentReader? {
    let buffer = WriteBuffer(kind: .outcome)
    for outcome in outcomes {
      var batch = DecodedBatch()
      var event = DecodedEvent(kind: .outcome, line: 1)
      event.time = outcome.time
      event.set(.task, append(outcome.task, &batch))
      event.set(.outcome, append(outcome.isSuccess ? "success" : "failure", &batch))
      if let value = outcome.value { event.set(.valueUSD, picodollars: value) }
      batch.events = [event]
      buffer.append(
        batch, charges: [.unpriced], prices: [], source: "events", selection: [0],
        receivedTime: outcome.receivedTime)
    }
    return try open(buffer, id)
  }

  private static func open(_ buffer: WriteBuffer, _ id: Int64) throws -> SegmentReader? {
    // The segments of tests are too small for the budget of real ones.
    guard let sealed = buffer.sealed(id: id, budget: .unlimited) else { return nil }
    return try SegmentReader.open(MemorySegmentSource(name: "test", bytes: sealed.bytes))
  }

  private static func append(_ text: String, _ batch: inout DecodedBatch) -> ByteRange {
    let offset = UInt32(batch.bytes.count)
    batch.bytes.append(contentsOf: text.utf8)
    return ByteRange(offset: offset, length: UInt32(text.utf8.count))
  }
}

/// A value of a field, in its own type.
enum ReferenceValue: Hashable {
  case text(String)
  case integer(Int128)
  case boolean(Bool)
  case real(Double)
  case money(Int128)
  case time(Int64)
}

extension ReferenceRequest {
  /// The field's value with the contract's defaults; nil where it has none.
  func value(_ name: String) -> ReferenceValue? {
    if name.hasPrefix("tags.") { return tags[String(name.dropFirst(5))].map { .text($0) } }
    if name.hasPrefix("units.") {
      return units[String(name.dropFirst(6))].map { .integer(Int128($0)) }
    }
    switch name {
    case "time": return .time(time)
    case "time_unix_nano": return .integer(Int128(time))
    case "received_time": return .time(receivedTime)
    case "source": return .text("events")
    case "price": return price.map { .text($0) }
    case "cost_state": return .text("\(charge.state)")
    case "booked_cost": return asBooked.value("cost")
    case "booked_cost_state": return asBooked.value("cost_state")
    case "booked_price": return asBooked.value("price")
    case "cost": return charge.state == .unpriced ? nil : .money(charge.cost)
    case "output_cost": return charge.state == .unpriced ? nil : .money(charge.outputCost)
    case "units_cost": return charge.state == .unpriced ? nil : .money(charge.unitsCost)
    case "cache_savings": return charge.state == .unpriced ? nil : .money(charge.cacheSavings)
    case "cost_picodollars": return charge.state == .unpriced ? nil : .integer(charge.cost)
    case "reported_cost_usd": return reportedCost.map { .money($0) }
    case "status": return .text(texts[.status] ?? "ok")
    case "service_tier": return .text(texts[.serviceTier] ?? "standard")
    case "attempt": return .integer(Int128(integers[.attempt] ?? 1))
    case "usage":
      if let usage = texts[.usage] { return .text(usage) }
      let hasTokens = integers.keys.contains { $0.contractName.hasSuffix("_tokens") }
      return .text(hasTokens || !units.isEmpty ? "reported" : "missing")
    default: break
    }
    for (field, text) in texts where field.contractName == name { return .text(text) }
    for (field, value) in integers where field.contractName == name {
      return field.isBoolean ? .boolean(value != 0) : .integer(Int128(value))
    }
    for (field, value) in reals where field.contractName == name { return .real(value) }
    return nil
  }
}
