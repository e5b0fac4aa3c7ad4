internal import FarthingCore

/// What was announced: times in which more or less than usual is expected, and why.
///
/// Read from a JSON array of `{"start","end","expected_factor","reason"}`, each with any number of
/// fields of a request that narrow it, or from the same in the configuration.
package struct EventCalendar: Sendable, Equatable {
  /// One announced event.
  package struct Entry: Sendable, Equatable {
    /// Unix nanoseconds; included.
    package var start: Int64
    /// Unix nanoseconds; excluded.
    package var end: Int64
    /// Millionths of what is usual: 3,000,000 for three times as much, 0 for nothing at all.
    package var expectedMillionths: Int
    /// nil where none is given.
    package var reason: String?
    /// What the requests have in common that it is about, by contract name; empty for all requests.
    package var dimensions: [String: String]

    package init(
      start: Int64, end: Int64, expectedMillionths: Int, reason: String? = nil,
      dimensions: [String: String] = [:]
    ) {
      self.start = start
      self.end = end
      self.expectedMillionths = expectedMillionths
      self.reason = reason
      self.dimensions = dimensions
    }
  }

  /// Most events.
  package static let limit = 100_000
  /// The keys of an entry that are no dimensions.
  package static let ownKeys = ["start", "end", "expected_factor", "reason"]
  /// The fields of a request that an event may be narrowed by.
  package static let dimensions = TextField.allCases.map(\.contractName)
    .filter { !["id", "outcome", "pool"].contains($0) }
  /// All keys of an entry.
  package static let keys = ownKeys + dimensions

  /// By their start.
  package private(set) var entries: [Entry]

  package init(_ entries: [Entry] = []) {
    self.entries = entries.sorted { ($0.start, $0.end) < ($1.start, $1.end) }
  }

  /// Reads one entry from its words; faults say what was expected. An entry without an end or factor
  /// is refused.
  package static func entry(
    _ value: (String) -> String?, fault: (String) -> Void
  ) -> Entry? {
    var isSound = true
    func told(_ message: String) {
      isSound = false
      fault(message)
    }
    func time(_ key: String) -> Int64 {
      let text = value(key) ?? ""
      guard let time = CivilTime.parse(text) else {
        told(
          "\(key) \"\(Excerpt.shortened(text))\": expected an RFC 3339 time such as "
            + "2026-11-27T00:00:00Z, or a date")
        return 0
      }
      return time
    }
    let start = time("start")
    let end = time("end")
    let factor = value("expected_factor") ?? ""
    let millionths = Self.millionths(factor)
    if millionths == nil {
      told(
        "expected_factor \"\(Excerpt.shortened(factor))\": expected a decimal number from 0 to "
          + "1000 with at most six decimals, such as 2.5")
    }
    if isSound, end <= start { told("end is not after start") }
    var dimensions: [String: String] = [:]
    for key in Self.dimensions {
      guard let text = value(key) else { continue }
      if RegistryText.isName(text) {
        dimensions[key] = text
      } else {
        told("\(key): \(RegistryText.nameExpectation)")
      }
    }
    let reason = value("reason")
    if let reason, !RegistryText.isName(reason) { told("reason: \(RegistryText.nameExpectation)") }
    guard isSound, let millionths else { return nil }
    return Entry(
      start: start, end: end, expectedMillionths: millionths, reason: reason,
      dimensions: dimensions)
  }

  /// Millionths of a decimal number from 0 to 1000 with at most six decimals.
  package static func millionths(_ text: String) -> Int? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), (1...4).contains(parts[0].utf8.count),
      parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let whole = Int(parts[0])
    else { return nil }
    var fraction = 0
    if parts.count == 2 {
      guard (1...6).contains(parts[1].utf8.count),
        let digits = Int(parts[1] + String(repeating: "0", count: 6 - parts[1].utf8.count))
      else { return nil }
      fraction = digits
    }
    let millionths = whole * 1_000_000 + fraction
    return millionths <= 1_000_000_000 ? millionths : nil
  }

  /// Reads a whole file.
  /// - Throws: ``RegistryRefusal`` with every fault.
  package static func parse(_ bytes: [UInt8], file: String) throws(RegistryRefusal) -> EventCalendar
  {
    let reader = RegistryReader(file: file, keys: keys)
    var entries: [Entry] = []
    for element in reader.elements(bytes) {
      let entry = entry({ reader.text(element, $0) }, fault: { reader.fault(element, $0) })
      if let entry { entries.append(entry) }
    }
    if entries.count > limit { reader.fault(nil, "more than \(limit) events") }
    try reader.finish()
    return EventCalendar(entries)
  }
}
