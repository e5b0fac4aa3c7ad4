internal import FarthingCore
internal import FarthingDetection

// The state of rules and budgets as bytes: integers of seven bits a byte with the sign lowest, texts with
// their length before them. What is read is checked; after the first fault nothing more is read.

/// Writes a state.
struct StateWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: Int64) {
    var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func write(_ text: String) {
    write(Int64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func write(_ flag: Bool) { write(flag ? 1 : 0) }

  mutating func write(_ number: Double?) {
    guard let number else { return write(false) }
    write(true)
    write(Int64(bitPattern: number.bitPattern))
  }

  mutating func write(_ text: String?) {
    guard let text else { return write(false) }
    write(true)
    write(text)
  }

  mutating func write(_ wide: Int128?) { write(wide.map { String($0) }) }

  mutating func write<Element>(
    _ list: [Element], _ body: (inout StateWriter, Element) -> Void
  ) {
    write(Int64(list.count))
    for element in list { body(&self, element) }
  }

  mutating func write(_ incident: Incident) {
    write(incident.id)
    write(incident.kind.rawValue)
    write(incident.severity.rawValue)
    write(incident.metric)
    write(incident.dimensions) { writer, one in
      writer.write(one.dimension)
      writer.write(one.value)
    }
    write(incident.startedAt)
    write(incident.detectedAt)
    write(incident.expected)
    write(incident.actual)
    write(incident.excess?.rawValue)
    write(incident.usdPerHour)
    write(incident.summary)
    write(incident.explanation) { $0.write($1) }
    write(incident.labels.sorted { $0.key < $1.key }) { writer, label in
      writer.write(label.key)
      writer.write(label.value)
    }
  }
}

/// Reads what a ``StateWriter`` wrote.
struct StateReader {
  private let bytes: [UInt8]
  private var place = 0
  private(set) var hasFailed = false

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether everything was read, without fault.
  var isComplete: Bool { !hasFailed && place == bytes.count }

  mutating func refuse() { hasFailed = true }

  mutating func integer() -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while !hasFailed, place < bytes.count, shift < 64 {
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1) }
      shift += 7
    }
    refuse()
    return 0
  }

  mutating func flag() -> Bool { integer() == 1 }

  mutating func text() -> String {
    let count = integer()
    guard !hasFailed, count >= 0, count <= Int64(bytes.count - place) else {
      refuse()
      return ""
    }
    defer { place += Int(count) }
    return String(decoding: bytes[place..<place + Int(count)], as: UTF8.self)
  }

  mutating func optionalText() -> String? { flag() ? text() : nil }

  mutating func optionalNumber() -> Double? {
    guard flag() else { return nil }
    let number = Double(bitPattern: UInt64(bitPattern: integer()))
    if !number.isFinite { refuse() }
    return number
  }

  mutating func optionalWide() -> Int128? {
    guard let text = optionalText() else { return nil }
    let value = Int128(text)
    if value == nil { refuse() }
    return value
  }

  /// A list; no longer than the bytes that are left could hold.
  mutating func list<Element>(_ body: (inout StateReader) -> Element) -> [Element] {
    let count = integer()
    guard !hasFailed, count >= 0, count <= Int64(bytes.count - place) else {
      refuse()
      return []
    }
    var list: [Element] = []
    for _ in 0..<count where !hasFailed { list.append(body(&self)) }
    return list
  }

  mutating func incident() -> Incident {
    let id = text()
    let kind = AlertKind(rawValue: text())
    let severity = AlertSeverity(rawValue: text())
    if kind == nil || severity == nil { refuse() }
    let metric = text()
    let dimensions = list { DimensionValue(dimension: $0.text(), value: $0.text()) }
    let (started, detected) = (integer(), integer())
    let (expected, actual) = (optionalNumber(), optionalNumber())
    let excess = optionalWide().map { Picodollars($0) }
    let rate = optionalNumber()
    let summary = text()
    let explanation = list { $0.text() }
    let labels = list { ($0.text(), $0.text()) }
    return Incident(
      id: id, kind: kind ?? .rule, severity: severity ?? .info, metric: metric,
      dimensions: dimensions, startedAt: started, detectedAt: detected, expected: expected,
      actual: actual, excess: excess, usdPerHour: rate, summary: summary, explanation: explanation,
      labels: Dictionary(labels, uniquingKeysWith: { first, _ in first }))
  }
}
